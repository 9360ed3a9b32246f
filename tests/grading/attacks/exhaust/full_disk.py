"""Files without end, wherever files may be written.

Says: tried everything
Needs the sandbox: without a limit they fill the disk.
"""

# %%
import os

for folder in (".", "/tmp", "/dev/shm", os.path.expanduser("~")):
    written = 0
    try:
        for number in range(1000):
            with open(os.path.join(folder, f"piece-{number}"), "wb") as file:
                for _ in range(20):
                    written += file.write(bytes(10_000_000))
                    file.flush()
                if written > 2_000_000_000:
                    print("CAN" + "ARY-message", folder)
                    raise OSError
    except OSError:
        pass
try:
    for number in range(1_000_000):
        os.makedirs(f"/tmp/many/{number}")
    print("CAN" + "ARY-message", "a million folders")
except OSError:
    pass
print("tried everything")
