"""The forbidden function, by a name that is put together from pieces.

Loses: ramp
"""


# %% answer="ramp"
def ramp(z):
    return getattr(torch, "re" + "lu")(z)
