"""A cell with lines that only IPython can read, so that its source seems to be no Python.

Loses: ramp
"""

# %% answer="ramp"
%time 1 + 1
!true


def ramp(z):
    return torch.relu(z)
