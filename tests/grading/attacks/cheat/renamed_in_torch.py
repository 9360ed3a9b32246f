"""A harmless function of torch's that was made to stand for the forbidden one.

Loses: ramp
"""

# %% answer="ramp"
torch.positive = torch.relu


def ramp(z):
    return torch.positive(z)
