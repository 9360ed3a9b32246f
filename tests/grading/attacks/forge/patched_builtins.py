"""Assertions that are no errors, and a `bool` that is always true.

Loses: raised count
"""

# %%
import builtins


class Quiet(Warning):
    pass


builtins.AssertionError = Quiet
builtins.bool = lambda value=True: True
builtins.isinstance = lambda value, kind: True


# %% answer="raised"
def raised(z):
    return z


# %% answer="count"
def count(z):
    return 1
