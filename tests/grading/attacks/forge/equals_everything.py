"""An object that says that it equals everything, and is true whatever is asked.

Loses: raised count loose
"""


# %% answer="raised"
class Anything:
    def __eq__(self, other):
        return True

    def __getattr__(self, name):
        return lambda *a, **k: self

    __ne__ = __lt__ = __gt__ = __bool__ = lambda self, *other: True
    __sub__ = __rsub__ = __add__ = __radd__ = __mul__ = lambda self, *other: self


def raised(z):
    return Anything()


# %% answer="count"
def count(z):
    return Anything()


# %% answer="loose"
def loose(z):
    return Anything()
