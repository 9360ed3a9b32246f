"""Everything that can be learnt from the arguments, and from the function that is handed in."""

# %%
seen = []


# %% answer="raised"
def raised(z):
    seen.append(z)
    return z + 3


# %% answer="after"
def after(x, g):
    cells = [c.cell_contents for c in getattr(g, "__closure__", None) or ()]
    seen.extend([x, g, getattr(g, "__dict__", None), cells, [getattr(c, "__dict__", c) for c in cells]])
    return 2 * g(x)


# %%
print(seen)
