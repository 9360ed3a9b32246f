"""Links handed in for files, that lead to what the grader can read.

Says: tried everything
Needs the sandbox: a link leads wherever its reader may go.
"""

# %% link="gradebook" to="../../../gradebook.db"
# %% link="secret" to="../../../.course-secret"
# %% link="endless" to="/dev/zero"
# %% link="nowhere" to="/there/is/nothing"
# %%
import os

for name in os.listdir():
    if os.path.islink(name) or name in ("gradebook", "secret", "endless"):
        print("CAN" + "ARY-message", name, open(name, "rb").read(100))
print("tried everything")
