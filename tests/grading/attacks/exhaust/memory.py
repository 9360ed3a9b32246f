"""All the memory there is: at once, piece by piece, and in memory that is shared.

Loses: raised count loose
Needs the sandbox: without a limit it takes the machine's memory.
"""


# %% answer="raised"
def raised(z):
    return torch.zeros(10**12)


# %% answer="count"
def count(z):
    pieces = []
    while True:
        pieces.append(bytearray(50_000_000))


# %% answer="loose"
def loose(z):
    import mmap

    pieces = []
    while True:
        pieces.append(mmap.mmap(-1, 50_000_000))
        pieces[-1].write(b"x" * 50_000_000)
