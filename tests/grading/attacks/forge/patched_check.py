"""The course's own checks replaced by ones that never fail, in every place they can be found.

Loses: raised ramp
"""

# %%
import sys

import course.check

for name in course.check.__all__:
    if name != "Failed":
        setattr(course.check, name, lambda *a, **k: None)
sys.modules["course.check"] = sys.modules["course.trial"] = None
sys.modules.pop("course")


# %% answer="raised"
def raised(z):
    return z


# %% answer="ramp"
def ramp(z):
    return z
