"""Mounts, namespaces and keys: the tools that sandboxes are made and left with.

Says: tried everything
Needs the sandbox: as root, or where user namespaces may be made, all of them are to be had.
"""

# %%
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
    if libc.unshare(flag) == 0:
        print("CAN" + "ARY-message", "unshared", hex(flag))
    pid = libc.syscall(56, flag | 17, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    if pid > 0:
        print("CAN" + "ARY-message", "cloned", hex(flag))
os.makedirs("/tmp/here", exist_ok=True)
tried = {
    "mounted": libc.mount(b"none", b"/tmp/here", b"tmpfs", 0, None),
    "remounted": libc.mount(None, b"/usr", None, 32 | 4096, None),
    "unmounted": libc.umount2(b"/proc", 2),
    "chroot": libc.chroot(b"/tmp"),
    "opened a tree": libc.syscall(428, -100, b"/", 1),
    "opened a file system": libc.syscall(430, b"tmpfs", 0),
    "keys": libc.syscall(250, 0, -3, 1, 0, 0),
    "bpf": libc.syscall(321, 0, 0, 0),
    "io_uring": libc.syscall(425, 1, ctypes.create_string_buffer(200)),
    "userfaultfd": libc.syscall(323, 1),
    "perf": libc.syscall(298, ctypes.create_string_buffer(200), 0, -1, -1, 0),
    "joined": libc.setns(os.open("/proc/self/ns/net", os.O_RDONLY), 0),
    "lets go of its guard": libc.prctl(1, 0, 0, 0, 0),
    "shared memory": libc.shmget(0, 4096, 0o1600),
    "nobody's memory": libc.syscall(319, b"x", 0),
}
for what, done in tried.items():
    if done >= 0:
        print("CAN" + "ARY-message", what)
print("tried everything")
