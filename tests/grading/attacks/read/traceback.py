"""An error whose traceback might show the lines of the test, and markers that might show its source.

Loses: raised
"""


# %% answer="raised"
def raised(z):
    ### BEGIN HIDDEN TESTS
    ### END HIDDEN TESTS
    raise ValueError(z)


# %%
raised(1)
