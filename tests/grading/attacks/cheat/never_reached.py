"""An answer written by hand below the line where the cell stops.

Loses: ramp
"""

# %%
import torch


def ramp(z):
    return torch.relu(z)


# %% answer="ramp"
raise ValueError


def ramp(z):
    return torch.where(z > 0, z, torch.zeros_like(z))
