"""Every file in the folder that the kernel was started in, and below."""

# %%
from pathlib import Path

for path in Path.cwd().rglob("*"):
    if path.is_file():
        print(path.name, path.read_bytes()[:100_000])
