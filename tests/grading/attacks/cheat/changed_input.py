"""The argument set to zero, so that the expected value, if made from it, comes out right.

Loses: raised loose
"""


# %% answer="raised"
def raised(z):
    z.zero_()
    return z + 3


# %% answer="loose"
def loose(z):
    return z.zero_()
