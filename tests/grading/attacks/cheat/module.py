"""The forbidden function as a layer.

Loses: ramp
"""

# %% answer="ramp"
layer = torch.nn.ReLU()


def ramp(z):
    return layer(z)
