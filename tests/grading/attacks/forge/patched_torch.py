"""All of torch's comparisons replaced by ones that agree.

Loses: raised loose
May lose: ramp
"""

# %%
import torch

for place in (torch, torch.Tensor):
    for name in ("allclose", "isclose", "equal", "eq", "ne"):
        setattr(place, name, lambda *a, **k: True)
torch.Tensor.__eq__ = lambda *a: True
torch.isfinite = lambda t: t == t


# %% answer="raised"
def raised(z):
    return z


# %% answer="loose"
def loose(z):
    return z
