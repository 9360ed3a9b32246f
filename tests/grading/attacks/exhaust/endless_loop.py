"""A function that never returns.

Loses: count
"""


# %% answer="count"
def count(z):
    while True:
        pass
