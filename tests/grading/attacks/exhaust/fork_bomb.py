"""Processes that start processes.

May lose: raised ramp after count loose
Needs the sandbox: nothing else bounds their number.
"""

# %%
import os

while True:
    os.fork()
