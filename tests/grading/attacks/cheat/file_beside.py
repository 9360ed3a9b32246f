"""The forbidden function in a file beside the notebook.

Loses: ramp
"""

# %% answer="ramp"
import sys

sys.path.insert(0, "")
from beside import by_hand


def ramp(z):
    return by_hand(z)


# %% beside="beside.py"
import torch

by_hand = torch.relu
