"""Running a submission to its end, whatever its code does to the kernel."""

from __future__ import annotations

from typing import Any

from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from nbgrader.utils import is_grade, temp_attrs

from course.grading import notes

# How long an interrupted kernel may take to answer again, in seconds.
_PATIENCE = 10


class ExecuteToTheEnd(Execute):
    """nbgrader's `Execute`, for submissions that kill their kernel or can't be interrupted.

    Stock nbgrader drops such a submission without a score. Here the graded cells that can't be
    run any more fail, with a sentence, and what was earned before stays.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any], km: Any = None
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run all cells of `nb`, and say in its first cell what went wrong with the kernel."""
        self._lost = ""  # why there is no kernel any more
        self._sentences: list[str] = []
        nb, resources = super().preprocess(nb, resources, km)
        notes.add(nb, self._sentences)
        return nb, resources

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run one cell, or fail it where there is nothing left to run it."""
        if self._lost:
            _fail(cell, self._lost)
            return cell, resources
        name = _name(cell)
        try:
            cell, resources = super().preprocess_cell(cell, resources, index)
        except DeadKernelError:
            self._lose(
                cell,
                f"Python ended while it ran {name}: it was told to, or the memory was used up.",
            )
        else:
            if self._timed_out(cell):
                self._sentences.append(
                    f"{_capital(name)} was stopped after {self.timeout} seconds. Look for a loop "
                    "that never ends."
                )
                if not self._answers():
                    self._lose(cell, f"{_capital(name)} could not be stopped.")
        return cell, resources

    def _lose(self, cell: NotebookNode, why: str) -> None:
        """Give the kernel up: from `cell` on, graded cells fail."""
        self._lost = f"{why} The graded cells from there on could not be run, and scored 0."
        self._sentences.append(self._lost)
        _fail(cell, self._lost)

    def _timed_out(self, cell: NotebookNode) -> bool:
        name = self.error_on_timeout["ename"]
        return any(o.get("ename") == name for o in cell.get("outputs", []))

    def _answers(self) -> bool:
        """Whether the kernel, just interrupted, takes requests again."""
        try:
            with temp_attrs(self, timeout=_PATIENCE):
                return self.wait_for_reply(self.kc.kernel_info()) is not None
        except DeadKernelError:
            return False


def _fail(cell: NotebookNode, why: str) -> None:
    if cell.cell_type == "code" and is_grade(cell):
        cell.outputs = [new_output("error", ename="NotRun", evalue=why, traceback=[why])]


def _name(cell: NotebookNode) -> str:
    name = cell.metadata.get("nbgrader", {}).get("grade_id")
    if name:
        return f"the cell {notes.code(name)}"
    first = (cell.source.strip().splitlines() or [""])[0]
    return f"the cell that starts with {notes.code(first)}"


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
