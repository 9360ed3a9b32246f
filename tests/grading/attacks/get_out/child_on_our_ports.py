"""A child that keeps the kernel's sockets open when the kernel is gone, so that no other can start.

Loses: loose
"""

# %% answer="loose"
import os
import time

if os.fork() == 0:
    os.setsid()
    time.sleep(20)
    os._exit(0)
os._exit(1)
