"""An answer written by hand, and a name that then stands for something else.

Loses: ramp
"""

# %% answer="ramp"
def ramp(z):
    return torch.where(z > 0, z, torch.zeros_like(z))


globals()["ra" + "mp"] = torch.relu
