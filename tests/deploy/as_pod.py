"""Runs a program as in a pod: `python as_pod.py ROOT VOLUMES UID HOME PROGRAM ...`.

By root. The program belongs to a user whom only VOLUMES/passwd names, and has a umask as strict as
there is.
"""

import os
import sys
from pathlib import Path

from course.classroom import view
from course.grading.sandbox import syscalls

if __name__ == "__main__":
    root, volumes, uid, home, *program = sys.argv[1:]
    view.enter(Path(root), Path(volumes))
    syscalls.bind(f"{volumes}/passwd", "/etc/passwd")
    os.umask(0o077)
    os.setgroups([])
    os.setresgid(*[int(uid)] * 3)
    os.setresuid(*[int(uid)] * 3)
    os.chdir(home)
    os.execvp(program[0], program)
