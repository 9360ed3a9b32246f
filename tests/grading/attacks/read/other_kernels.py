"""The sockets of the kernels that others are graded in, and of services of this machine.

Says: tried everything
Needs the sandbox: the sockets of one's own user are open to one.
"""

# %%
import glob
import os
import socket
import stat

own = {os.readlink(path) for path in glob.glob("/proc/self/fd/*") if os.path.exists(path)}
for line in open("/proc/net/unix").read().splitlines()[1:]:
    parts = line.split()
    if len(parts) > 7 and f"socket:[{parts[6]}]" not in own and not parts[7].startswith("@course-"):
        print("CAN" + "ARY-message", parts[7])
for path in [*glob.glob("/tmp/*/*"), *glob.glob("/run/**", recursive=True), *glob.glob("/home/*/*")]:
    if os.path.exists(path) and stat.S_ISSOCK(os.lstat(path).st_mode):
        with socket.socket(socket.AF_UNIX) as line:
            if line.connect_ex(path[:107]) == 0:
                print("CAN" + "ARY-message", path)
print("tried everything")
