"""Names of pictures and attachments that lead out of the folder that they are written to."""

# %% edit=true
from nbformat.v4 import new_output

name = "../../../../written-by-an-attack"
notebook.metadata["name"] = name
for cell in notebook.cells:
    if cell.cell_type == "markdown":
        cell["attachments"] = {f"{name}.png": {"image/png": "iVBORw0KGgo="}}
    elif not cell.metadata.get("nbgrader", {}).get("locked"):
        named = {"filenames": {"image/png": f"{name}.png"}}
        picture = {"image/png": "iVBORw0KGgo="}
        cell.outputs = [new_output("display_data", data=picture, metadata=named)]

# %%
from IPython.display import display

display(
    {"image/png": "iVBORw0KGgo="},
    metadata={"filenames": {"image/png": "../../../../written-by-an-attack.png"}},
    raw=True,
)
