"""An error message of a hundred megabytes, and one in many thousand lines.

Loses: raised ramp
"""


# %% answer="raised"
def raised(z):
    raise ValueError("x" * 100_000_000)


# %% answer="ramp"
def ramp(z):
    raise ValueError("x\n" * 1_000_000)
