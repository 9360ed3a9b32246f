"""Runs a program as in a pod: `python as_pod.py PASSWD UID HOME PROGRAM ...`, by root.

The program belongs to a user whom only the file PASSWD names, and its umask is as strict as any.
"""

import os
import sys
from pathlib import Path

from course.grading.sandbox import syscalls

AS_USER = Path(__file__).parents[1] / "grading" / "sandbox" / "as_user.py"
AT_HOME = ["/bin/sh", "-c", 'umask 077; cd "$0"; exec "$@"']

if __name__ == "__main__":
    passwd, uid, home, *program = sys.argv[1:]
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_SLAVE)
    syscalls.bind(passwd, "/etc/passwd")
    os.execv(sys.executable, [sys.executable, str(AS_USER), uid, *AT_HOME, home, *program])
