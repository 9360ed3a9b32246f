"""Every file there is, searched for what is hidden: lessons, gradebooks, others' submissions.

Says: tried everything
Needs the sandbox: what the grader may read, any process of its user may.
"""

# %%
import os
from pathlib import Path

import course

word = b"CAN" + b"ARY-"
for start in (Path(course.__file__).absolute().parent.parent, "/home", "/tmp", "/var", "/root", "/"):
    for folder, folders, files in os.walk(start):
        skipped = ("proc", "sys", "dev", "lib", "lib64", "share", "site-packages", ".git")
        folders[:] = [f for f in folders if f not in skipped]
        for name in files:
            path = os.path.join(folder, name)
            if name.endswith((".ipynb", ".db", ".course-secret")):
                print(word.decode() + "message, found by its name", path)
            try:
                if os.path.getsize(path) < 1_000_000 and word in open(path, "rb").read():
                    print(word.decode() + "message, found in", path)
            except OSError:
                pass
print("tried everything")
