"""What the operating system tells of the process that started the kernel.

Needs the sandbox: processes of the same user can look at each other.
"""

# %%
import os
from pathlib import Path

parent = Path("/proc", str(os.getppid()))
print((parent / "cmdline").read_bytes(), (parent / "environ").read_bytes())
print(list((parent / "cwd").glob("lessons/*")))
