"""The forbidden function, as the operator behind it.

Loses: ramp
"""


# %% answer="ramp"
def ramp(z):
    return torch.ops.aten.relu.default(z)
