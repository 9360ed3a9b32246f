"""Messages signed with another key, which the grader's side can't read.

Loses: raised
May lose: ramp after count loose
"""


# %% answer="raised"
def raised(z):
    get_ipython().kernel.session.key = b"another key"
    return z
