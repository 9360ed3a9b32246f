"""A subclass of the tensor whose comparisons all come out right.

Loses: raised loose
"""


# %% answer="raised"
class Agreeable(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func.__name__ in ("allclose", "equal", "isclose", "eq", "__eq__"):
            return True
        return super().__torch_function__(func, types, args, kwargs or {})


def raised(z):
    return z.clone().as_subclass(Agreeable)


# %% answer="loose"
def loose(z):
    return z.clone().as_subclass(Agreeable)
