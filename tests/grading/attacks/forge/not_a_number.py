"""Results that are not a number, or infinite: nothing is further from them than the tolerance.

Loses: raised loose
"""


# %% answer="raised"
def raised(z):
    return z * float("nan")


# %% answer="loose"
def loose(z):
    return z + float("inf")
