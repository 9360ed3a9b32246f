"""Code put into the packages that later kernels, and the grader, import.

Says: tried everything
Needs the sandbox: the grader's packages can be written by any process of its user.
"""

# %%
import os
import sys

import course
import torch

places = [
    *sys.path, sys.prefix, sys.base_prefix, os.path.dirname(sys.executable), "/usr", "/etc", "/",
    os.path.dirname(torch.__file__), *course.__path__, os.path.dirname(course.__path__[0]),
]
for place in filter(os.path.isdir, places):
    path = os.path.join(place, "written_by_an_attack.py")
    try:
        open(path, "x").close()
        print("CAN" + "ARY-message", path)
        os.remove(path)
    except OSError:
        pass
for path in (torch.__file__, course.__file__):
    try:
        open(path, "r+").close()
        print("CAN" + "ARY-message", path)
    except OSError:
        pass
print("tried everything")
