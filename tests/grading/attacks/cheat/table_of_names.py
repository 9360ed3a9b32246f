"""The forbidden function, from the table of all of torch's names.

Loses: ramp
"""


# %% answer="ramp"
def ramp(z):
    return vars(torch)["".join(["re", "lu"])](z)
