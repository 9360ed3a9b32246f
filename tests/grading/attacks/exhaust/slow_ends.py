"""Objects that take their time when they are described, and when they are thrown away.

Loses: raised ramp
"""

# %% answer="raised"
import time


class Slow(Exception):
    def __str__(self):
        time.sleep(100)


def raised(z):
    raise Slow


# %% answer="ramp"
class Clinging:
    def __del__(self):
        time.sleep(100)


def ramp(z):
    Clinging()
