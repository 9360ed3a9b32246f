"""A function that calls itself until Python breaks.

Loses: raised ramp
"""

# %% answer="raised"
import sys


def raised(z):
    return raised(z)


# %% answer="ramp"
def ramp(z):
    sys.setrecursionlimit(10**8)
    return ramp(z)
