"""A link to the instructor's notebook in place of one's own, so that the solutions are graded.

Loses: raised ramp after count loose
"""

# %% link="90_attacked.ipynb" to="../../../source/90_attacked/90_attacked.ipynb"
