"""A cell that never ends.

Loses: loose
"""

# %% answer="loose"
while True:
    pass


def loose(z):
    return 3 * z
