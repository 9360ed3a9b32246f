"""Names of pictures and attachments that lead out of the folder that they are written to."""

# %% edit=true
name = "../../../../written-by-an-attack"
notebook.metadata["name"] = name
for cell in notebook.cells:
    if cell.cell_type == "markdown":
        cell["attachments"] = {f"{name}.png": {"image/png": "iVBORw0KGgo="}}
    elif not cell.metadata.get("nbgrader", {}).get("locked"):
        picture = {"data": {"image/png": "iVBORw0KGgo="}, "output_type": "display_data"}
        cell.outputs = [{**picture, "metadata": {"filenames": {"image/png": f"{name}.png"}}}]

# %%
from IPython.display import display

display(
    {"image/png": "iVBORw0KGgo="},
    metadata={"filenames": {"image/png": "../../../../written-by-an-attack.png"}},
    raw=True,
)
