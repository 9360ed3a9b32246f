"""A cell that ends well the first time, and never when the judge repeats it.

Loses: raised
"""

# %%
import os
import signal

if os.path.exists("seen"):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        pass
open("seen", "w").close()


# %% answer="raised"
def raised(z):
    os._exit(1)
