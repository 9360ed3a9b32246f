"""An object that becomes whatever array or number it is compared with.

Loses: raised count
"""


# %% answer="raised"
class Chameleon:
    def __array__(self, *a, **k):
        import numpy as np

        return np.array([4.0, 5.0])

    def __float__(self):
        return 4.0

    def __index__(self):
        return 1

    __int__ = __index__


def raised(z):
    return Chameleon()


# %% answer="count"
def count(z):
    return Chameleon()
