"""Runs a program where a server would: `python as_server.py ROOT CLASSROOM ACCOUNT PROGRAM ...`.

By root. The program sees what the hub lets servers see, and belongs to the account's user.
"""

import os
import pwd
import sys
from pathlib import Path

from course.classroom import view

if __name__ == "__main__":
    root, classroom, account, *program = sys.argv[1:]
    user = pwd.getpwnam(account)
    view.enter(Path(root), Path(classroom))
    view.leave_scratch(Path(root), Path(classroom))
    os.umask(0o077)
    os.setgroups([])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    os.chdir(user.pw_dir)
    os.execvp(program[0], program)
