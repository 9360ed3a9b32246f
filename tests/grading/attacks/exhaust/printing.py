"""A function that prints without end.

Loses: loose
"""


# %% answer="loose"
def loose(z):
    while True:
        print("x" * 1000)
