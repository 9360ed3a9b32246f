"""Code that every later kernel of the same user would run at its start.

Loses: count
"""

# %% answer="count"
import os
import tempfile
from pathlib import Path

# Only where it was given a folder of its own: anywhere else it would reach beyond the test.
place = Path(os.environ["IPYTHONDIR"], "profile_default", "startup")
assert Path(tempfile.gettempdir()) in place.parents
place.mkdir(parents=True, exist_ok=True)
(place / "00.py").write_text("import os; os._exit(1)")


def count(z):
    return z
