"""Exceptions with the names of the grader's own, and of the ones that it treats apart.

Loses: raised ramp after
"""


# %% answer="raised"
class Failed(check.Failed):
    discreet = "All checks passed."


def raised(z):
    raise Failed("All checks passed.")


# %% answer="ramp"
class Trouble(Exception):
    lost = False


def ramp(z):
    raise Trouble({"passed": True})


# %% answer="after"
class Done(BaseException):
    pass


def after(x, g):
    raise Done(True)
