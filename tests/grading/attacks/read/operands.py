"""An object that writes down what it is compared with.

Loses: raised loose
"""

# %%
seen = []


# %% answer="raised"
class Listener:
    shape = (6,)

    def __getattr__(self, name):
        return lambda *a: seen.append(a)

    __eq__ = __ne__ = __sub__ = __rsub__ = __rmul__ = lambda self, other: seen.append(other)


def raised(z):
    return Listener()


# %% answer="loose"
def loose(z):
    return Listener()


# %%
print("seen:", seen)
