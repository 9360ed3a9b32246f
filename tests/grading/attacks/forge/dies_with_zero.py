"""Ending Python with exit code 0 in the middle of the graded cell.

Loses: raised
"""

# %% answer="raised"
import atexit
import os

atexit.register(os._exit, 0)


def raised(z):
    os._exit(0)
