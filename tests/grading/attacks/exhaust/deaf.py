"""An endless loop that doesn't listen to interrupts.

Loses: raised
"""

# %% answer="raised"
import signal


def raised(z):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        pass
