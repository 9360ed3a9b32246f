"""The forbidden function of NumPy, behind an import that renames it.

Loses: ramp
"""

# %% answer="ramp"
from numpy import maximum as larger


def ramp(z):
    return torch.as_tensor(larger(z.detach(), 0))
