"""The graded cell copied, with the checks taken out of the copy that comes last.

Loses: raised
"""


# %% answer="raised"
def raised(z):
    return z


# %% edit=true
import copy

test = next(c for c in notebook.cells if c.id == "test-raised")
other = copy.deepcopy(test)
other.source, other.id = "assert True", "test-raised-copy"
notebook.cells.append(other)
test.source = "pass"
