"""The system calls that no student's code needs, refused by libseccomp's filter."""

from __future__ import annotations

import errno
import functools
import socket
from typing import Any

from course.grading.sandbox import syscalls

_REFUSED = (
    # the file system's root, and what is mounted in it
    "chroot", "fsconfig", "fsmount", "fsopen", "fspick", "mount", "mount_setattr", "move_mount",
    "name_to_handle_at", "open_by_handle_at", "open_tree", "pivot_root", "quotactl", "quotactl_fd",
    "swapoff", "swapon", "umount", "umount2",
    # other processes, and namespaces of one's own
    "kcmp", "migrate_pages", "move_pages", "pidfd_getfd", "process_madvise", "process_vm_readv",
    "process_vm_writev", "ptrace", "setns", "unshare",
    # doors into the kernel through which others got out
    "add_key", "bpf", "fanotify_init", "io_uring_enter", "io_uring_register", "io_uring_setup",
    "keyctl", "lookup_dcookie", "modify_ldt", "nfsservctl", "perf_event_open", "personality",
    "request_key", "uselib", "userfaultfd", "vm86", "vm86old", "vmsplice",
    # the machine itself
    "_sysctl", "acct", "adjtimex", "clock_adjtime", "clock_settime", "create_module",
    "delete_module", "finit_module", "get_kernel_syms", "init_module", "ioperm", "iopl",
    "kexec_file_load", "kexec_load", "pciconfig_iobase", "pciconfig_read", "pciconfig_write",
    "query_module", "reboot", "setdomainname", "sethostname", "settimeofday", "stime", "syslog",
    "sysfs", "ustat", "vhangup", "vserver",
    # memory that is nobody's, so that no limit counts it
    "memfd_create", "memfd_secret", "msgget", "shmget",
)  # fmt: skip
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_32_BITS = 0xFFFFFFFF


@functools.cache
def rules() -> Any:
    """The filter, to be made before a fork and loaded after it. ImportError without libseccomp."""
    try:
        import pyseccomp
    except RuntimeError as problem:
        raise ImportError(str(problem)) from problem
    made = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    # Calls of another kind of machine (32 bits on 64) would go past the rules.
    made.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)

    def refuse(name: str, *where: Any, number: int = errno.EPERM) -> None:
        try:
            made.add_rule(pyseccomp.ERRNO(number), name, *where)
        except OSError as problem:
            if problem.errno != errno.EINVAL:  # libseccomp is older than this call
                raise

    def argument(number: int, mask: int, value: int) -> Any:
        return pyseccomp.Arg(number, pyseccomp.MASKED_EQ, mask, value)

    for name in _REFUSED:
        refuse(name)
    for flag in syscalls.NAMESPACES.values():
        refuse("clone", argument(0, flag, flag))
    # Its flags stand in memory, where no rule can look: the C library then goes on with `clone`.
    refuse("clone3", number=errno.ENOSYS)
    # Only sockets within the sandbox: no other machine, no service of this one.
    low, high = pyseccomp.LT, pyseccomp.GT
    for compare in (low, high):
        refuse("socket", pyseccomp.Arg(0, compare, socket.AF_UNIX), number=errno.EACCES)
    for request in (_TIOCSTI, _TIOCLINUX):
        refuse("ioctl", argument(1, _32_BITS, request))
    # What ends a kernel when the grader is gone.
    refuse("prctl", argument(0, _32_BITS, syscalls.PR_SET_PDEATHSIG))
    return made


def load() -> None:
    """Put the filter on this process and all it will start; there is no way back."""
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
    rules().load()
