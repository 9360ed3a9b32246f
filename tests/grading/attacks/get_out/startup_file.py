"""Code that every later kernel of the same user would run at its start.

Loses: count
"""

# %% answer="count"
import os
from pathlib import Path

from IPython.paths import get_ipython_dir

place = Path(get_ipython_dir(), "profile_default", "startup")
assert Path.home() not in place.parents or os.environ.get("COURSE_ATTACKS")
place.mkdir(parents=True, exist_ok=True)
(place / "00.py").write_text("import os; os._exit(1)")


def count(z):
    return z
