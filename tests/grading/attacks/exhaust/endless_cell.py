"""A cell that never ends.

Loses: raised
"""


# %% answer="raised"
def raised(z):
    return z + 3


while True:
    pass
