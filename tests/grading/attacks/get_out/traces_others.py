"""Reads and writes the memory of other processes, as a debugger does.

Says: tried everything
Needs the sandbox: where Linux doesn't forbid it, a process may trace those of its user.
"""

# %%
import ctypes
import os
import subprocess

libc = ctypes.CDLL(None, use_errno=True)
child = subprocess.Popen(["sleep", "5"])
for pid in {1, os.getppid(), child.pid} - {0}:
    if libc.ptrace(16, pid, 0, 0) == 0:
        print("CAN" + "ARY-message", "attached to", pid)
    if libc.ptrace(0x4206, pid, 0, 0) == 0:
        print("CAN" + "ARY-message", "seized", pid)
libc.syscall.restype = ctypes.c_long
for call in (310, 311, 438, 312):  # process_vm_readv, process_vm_writev, pidfd_getfd, kcmp
    if libc.syscall(call, child.pid, 0, 0, 0, 0, 0) >= 0:
        print("CAN" + "ARY-message", call)
child.kill()
print("tried everything")
