"""Small sums on one thread.

The arrays of widgets and of graded questions are tiny: a second thread gains nothing, and on a busy
machine waiting for it can cost a hundred times the sum itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread inside, and as it was afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
