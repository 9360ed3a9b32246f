"""Memory taken by many processes, each of which stays below what one may have.

Loses: count
Needs the sandbox: without a limit they take the machine's memory.
"""


# %% answer="count"
def count(z):
    import os
    import time

    for _ in range(40):
        if os.fork() == 0:
            piece = bytearray(200_000_000)
            for at in range(0, len(piece), 4096):
                piece[at] = 1
            time.sleep(60)
            os._exit(0)
    time.sleep(60)
