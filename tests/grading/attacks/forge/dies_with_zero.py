"""Ending Python with exit code 0 in the middle of the graded cell.

Loses: loose
"""

# %% answer="loose"
import atexit
import os

atexit.register(os._exit, 0)


def loose(z):
    os._exit(0)
