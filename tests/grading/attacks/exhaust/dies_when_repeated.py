"""A cell that ends well the first time, and ends Python when the judge repeats it.

Loses: raised
"""

# %%
import os

if os.path.exists("seen"):
    os._exit(1)
open("seen", "w").close()


# %% answer="raised"
def raised(z):
    os._exit(1)
