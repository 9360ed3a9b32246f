"""A connection out of the machine.

Needs the sandbox: nothing keeps a process from the network.
"""

# %%
import socket

with socket.socket() as line:
    line.settimeout(0.5)
    print(line.connect_ex(("127.0.0.1", 9)))
