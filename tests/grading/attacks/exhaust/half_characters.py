"""Texts that no file can hold, in errors, results and outputs.

Loses: raised count
"""

# %%
from IPython.display import display

half = chr(0xD800)
display({"text/plain": half, "application/json": {half: half}}, raw=True)
try:
    print(half)
except UnicodeError:
    pass


# %% answer="raised"
def raised(z):
    raise ValueError(half)


# %% answer="count"
def count(z):
    return half
