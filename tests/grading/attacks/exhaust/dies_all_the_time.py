"""Every kernel ends a moment after it started.

Loses: raised
May lose: ramp after count loose
"""

# %%
import os
import threading

threading.Timer(0.5, os._exit, [1]).start()


# %% answer="raised"
def raised(z):
    import time

    time.sleep(2)
