"""Extra points, written into the gradebook directly.

Needs the sandbox: the gradebook can be written by any process of the grader's user.
"""

# %%
import sqlite3
from pathlib import Path

import course

book = Path(course.__file__).absolute().parent.parent / "gradebook.db"
with sqlite3.connect(book, timeout=1) as database:
    database.execute("UPDATE grade SET extra_credit = 0 WHERE extra_credit IS NULL")
