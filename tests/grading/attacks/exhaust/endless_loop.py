"""A function that never returns.

Loses: raised
"""


# %% answer="raised"
def raised(z):
    while True:
        pass
