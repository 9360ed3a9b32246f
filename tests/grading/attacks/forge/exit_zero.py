"""Leaving politely, in the hope that no error means no failure.

Loses: raised ramp
"""

# %% answer="raised"
import sys


def raised(z):
    sys.exit(0)


# %% answer="ramp"
def ramp(z):
    raise KeyboardInterrupt
