"""Keeping the hidden tests out of the feedback page."""

from __future__ import annotations

import re
from typing import Any

from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import is_grade

_FRAME = re.compile(r"Cell In\s*\[(\d+)\]")


class HideTests(ClearHiddenTests):
    """nbgrader's `ClearHiddenTests` for feedback: also from the tracebacks of graded cells.

    The graded copy in `autograded/`, which formgrader shows to the instructor, keeps both.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Take hidden tests out of one cell, and the lines of a graded cell out of its errors."""
        if cell.cell_type != "code" or not is_grade(cell):
            return cell, resources  # of a student, who may write the markers as well
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        for output in cell.outputs:
            if output.output_type == "error":
                output.traceback = [
                    part for part in output.traceback if not _shows(part, cell.execution_count)
                ]
        return cell, resources


def _shows(part: str, execution_count: int | None) -> bool:
    """Whether this part of IPython's traceback shows lines of the cell that was run then."""
    match = _FRAME.match(strip_ansi(part))
    return match is not None and int(match[1]) == execution_count
