"""An endless loop that doesn't listen to interrupts.

Loses: count
"""

# %% answer="count"
import signal


def count(z):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        pass
