"""A function that prints without end.

Loses: raised
"""


# %% answer="raised"
def raised(z):
    while True:
        print("x" * 1000)
