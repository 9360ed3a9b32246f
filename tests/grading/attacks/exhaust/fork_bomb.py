"""Processes that start processes.

Needs the sandbox: nothing bounds their number.
Not run: until then it would stop the machine.
"""

# %%
import os

while True:
    os.fork()
