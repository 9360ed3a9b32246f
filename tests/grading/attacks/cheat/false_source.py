"""`inspect` taught to show another source.

Loses: ramp
"""

# %% answer="ramp"
import inspect


def ramp(z):
    return torch.relu(z)


inspect.getsource = lambda f: "def ramp(z):\n    return z * (z > 0)"
inspect.getsourcelines = lambda f: (["def ramp(z):\n", "    return z * (z > 0)\n"], 1)
