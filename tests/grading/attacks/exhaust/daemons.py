"""Processes that go on after the kernel: children of nobody, deaf to signals.

Says: tried everything
Needs the sandbox: what leaves its session and its parent is found by nobody.
"""

# %%
import os
import signal
import subprocess
import sys

STUBBORN = """
import os, signal, time
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
time.sleep(86399.25)
"""
subprocess.run([sys.executable, "-c", STUBBORN])
subprocess.Popen(["sleep", "86399.25"], start_new_session=True)
subprocess.run(["nohup", "setsid", "sh", "-c", "trap '' HUP TERM INT; sleep 86399.25 &"])
print("tried everything")
