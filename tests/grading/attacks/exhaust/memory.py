"""All the memory there is, asked for piece by piece (here up to a limit that it sets itself).

Loses: count
Needs the sandbox: without its own limit it takes the machine's memory.
"""

# %% answer="count"
import resource


def count(z):
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 500_000_000, -1))
    pieces = []
    while True:
        pieces.append(bytearray(50_000_000))
