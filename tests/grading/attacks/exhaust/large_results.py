"""Results that are too large, too many, or contain themselves.

Loses: raised ramp after count
"""


# %% answer="raised"
def raised(z):
    return torch.zeros(100_000_000, dtype=torch.uint8)


# %% answer="ramp"
def ramp(z):
    return [0.0] * 1_000_000


# %% answer="after"
def after(x, g):
    result = []
    result.append(result)
    return result


# %% answer="count"
def count(z):
    return 10**100_000
