"""Results that stay behind: a function, an iterator, a module.

Loses: raised after count
"""


# %% answer="raised"
def raised(z):
    return raised


# %% answer="after"
def after(x, g):
    return iter([2 * g(x)])


# %% answer="count"
def count(z):
    return torch.nn.Linear(1, 1)
