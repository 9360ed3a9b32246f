"""The forbidden function, in code that is put together from pieces.

Loses: ramp
"""


# %% answer="ramp"
def ramp(z):
    names = {"torch": torch, "z": z}
    exec("result = torch.re" + "lu(z)", names)
    return names["result"]
