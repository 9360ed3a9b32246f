"""The sockets of the kernels that others are graded in, and of services of this machine.

Needs the sandbox: the sockets of one's own user are open to one.
"""

# %%
import os
import socket

own = {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if fd.isdigit()}
for line in open("/proc/net/unix").read().splitlines()[1:]:
    parts = line.split()
    if len(parts) > 7 and f"socket:[{parts[6]}]" not in own and not parts[7].startswith("@course-"):
        print("CAN" + "ARY-message", parts[7])
for folder, _, files in os.walk("/"):
    for name in files if folder.startswith(("/tmp", "/run", "/var", "/home")) else []:
        with socket.socket(socket.AF_UNIX) as line:
            if line.connect_ex(os.path.join(folder, name)[:107]) == 0:
                print("CAN" + "ARY-message", folder, name)
