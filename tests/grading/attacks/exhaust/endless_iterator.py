"""An iterator without end, where a list is due.

Loses: raised
"""


# %% answer="raised"
def raised(z):
    while True:
        yield z
