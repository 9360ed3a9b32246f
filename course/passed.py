"""Says, after a cell of a notebook, that its checks passed: silence would leave one wondering."""

from __future__ import annotations

import re
from typing import Any

_CHECKED = re.compile(
    r"\bcheck\.(by_hand|close|dtype|equal|finite|keeps_dtype|shape|stays_on_device|true|unchanged)\("
)
SAYS = "✓ All checks in this cell passed."


def announce() -> None:
    """From now on, say so after each cell that ran its checks to the end; only in a notebook."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is not None and _say not in shell.events.callbacks["post_run_cell"]:
        shell.events.register("post_run_cell", _say)


def _say(result: Any) -> None:
    if result.success and result.info is not None and _CHECKED.search(result.info.raw_cell or ""):
        print(SAYS)
