"""An iterator without end, where a list is due.

Loses: loose
"""


# %% answer="loose"
def loose(z):
    while True:
        yield z
