"""An endless loop that takes every interrupt for an error, and goes on.

Loses: after
"""


# %% answer="after"
def after(x, g):
    while True:
        try:
            g(x)
        except BaseException:
            pass
