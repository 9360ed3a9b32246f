"""The environment and the command line of the kernel."""

# %%
import os
import sys

print(dict(os.environ), sys.argv, sys.orig_argv, sys.flags)
