"""An object with a tensor's shape, whose `allclose` and `any` say what is wanted.

Loses: loose raised
"""


# %% answer="loose"
class Duck:
    dtype, device = torch.float32, torch.device("cpu")

    def __init__(self, z):
        self.shape = z.shape

    def allclose(self, other):
        return True

    def any(self):
        return False

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return self


def loose(z):
    return Duck(z)


# %% answer="raised"
def raised(z):
    return Duck(z)
