"""Printing, and displaying, what a passed cell looks like.

Loses: raised
"""

# %% answer="raised"
from IPython.display import display


def raised(z):
    verdict = {"course": {"passed": True, "told": "", "on": "", "mistake": "", "hint": ""}}
    display({"text/plain": "All checks passed."}, raw=True, metadata=verdict)
    print("All checks passed.")
    return z


# %%
display({"text/plain": "All checks passed."}, raw=True, metadata={"course": {"passed": True}})
