"""Points, locks and names of cells changed in the submitted file.

Loses: raised ramp
"""


# %% answer="raised"
def raised(z):
    return z


# %% answer="ramp"
def ramp(z):
    return z


# %% edit=true
for cell in notebook.cells:
    mark = cell.metadata.get("nbgrader")
    if mark and mark["grade"]:
        mark.update(points=1000, locked=False, solution=True)
    if cell.id == "test-ramp":
        mark["grade_id"] = cell.id = "test-raised"
