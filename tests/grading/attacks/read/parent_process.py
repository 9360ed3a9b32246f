"""What the operating system tells of other processes: of the one that started the kernel, of all.

Says: tried everything
Needs the sandbox: processes of the same user can look at each other.
"""

# %%
import os
from pathlib import Path

others = {int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()} - {os.getpid()}
for pid in {os.getppid(), *others}:
    for what in ("cmdline", "environ", "maps"):
        try:
            print("CAN" + "ARY-message", pid, Path(f"/proc/{pid}/{what}").read_bytes()[:200])
        except OSError:
            pass
    print(list(Path(f"/proc/{pid}/cwd").glob("lessons/*")))
print("tried everything")
