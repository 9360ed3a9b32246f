"""Root's rights, by the programs and device files that give them.

Says: tried everything
Needs the sandbox: as root it has them, and any user has the programs.
"""

# %%
import os
import stat
import subprocess

for change in (os.setuid, os.setgid, os.seteuid):
    try:
        change(0)
        print("CAN" + "ARY-message", change.__name__)
    except OSError:
        pass
for node in (1 << 8 | 1, 254 << 8, 8 << 8):
    try:
        os.mknod(f"/tmp/device-{node}", 0o666 | stat.S_IFBLK, node)
        print("CAN" + "ARY-message", "a device file")
    except OSError:
        pass
for path in ("/dev/mem", "/dev/kmsg", "/dev/vda", "/dev/sda", "/dev/tty", "/proc/sysrq-trigger", "/proc/kcore"):
    try:
        print("CAN" + "ARY-message", open(path, "rb+"))
    except OSError:
        pass
os.makedirs("/tmp/bin", exist_ok=True)
for program in ("su", "sudo", "mount", "newgrp", "passwd", "pkexec"):
    try:
        done = subprocess.run(
            [program, "-c", "id -u"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=5
        )
    except (OSError, subprocess.SubprocessError):
        continue
    if done.stdout.strip() == "0":
        print("CAN" + "ARY-message", program)
print("tried everything")
