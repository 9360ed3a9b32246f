"""Keeping what a submission prints from filling the gradebook's disk and the reader's browser."""

from __future__ import annotations

import json
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import LimitOutput
from traitlets import Integer


class Shorten(LimitOutput):
    """nbgrader's `LimitOutput`, which counts lines, with a limit for what has few but long ones."""

    max_output = Integer(
        1_000_000, help="An output that takes more characters in the notebook's file is left out."
    ).tag(config=True)

    max_line = Integer(
        2_000, help="Characters of a line of an error message, beyond which it is cut."
    ).tag(config=True)

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Shorten the outputs of one cell in place. An error stays an error."""
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        if cell.cell_type == "code":
            cell.outputs = [self._shorter(output) for output in cell.outputs]
        return cell, resources

    def _shorter(self, output: NotebookNode) -> NotebookNode:
        if output.output_type == "error":
            output.evalue = output.evalue[: self.max_line]
            output.traceback = [line[: self.max_line] for line in output.traceback]
            return output
        size = len(json.dumps(output))
        if size <= self.max_output:
            return output
        name = output.get("name", "stdout")
        return new_output("stream", name=name, text=f"... {size:,} characters left out ...\n")
