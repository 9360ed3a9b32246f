"""A student's own progress: which exercises are written, which pass their visible checks.

What was run is kept in a small file beside the notebook and goes nowhere else: it is not handed in.
"""

from __future__ import annotations

import html
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = ".course-progress.json"
_HEADING = re.compile(
    r"^## +(?P<title>.+?) +· +[●○]{3} · (?P<minutes>\d+) min · \d+ points?\s*$", re.M
)
_MARKS = {"passes": "✓", "fails": "✗", "written": "…", "open": "○"}
_WORDS = {
    "passes": "passes its visible checks",
    "fails": "a visible check fails",
    "written": "written, not checked",
    "open": "to be written",
}


@dataclass(frozen=True)
class Step:
    """One exercise of a notebook; `state` is passes, fails, written or open."""

    title: str
    minutes: int
    points: int
    state: str


class Progress:
    """The steps of a notebook, shown as a table."""

    def __init__(self, steps: list[Step], said: str = "") -> None:
        self.steps, self._said = steps, said

    @property
    def summary(self) -> str:
        """Where one stands, in a sentence."""
        if not self.steps:
            return self._said
        passing = [s for s in self.steps if s.state == "passes"]
        got, most = (sum(s.points for s in group) for group in (passing, self.steps))
        left = sum(s.minutes for s in self.steps if s.state != "passes")
        rest = f"; about {left} minutes of exercises are left" if left else ""
        return (
            f"{len(passing)} of {len(self.steps)} exercises pass their visible checks, "
            f"{got} of {most} points{rest}. Hidden checks with other inputs decide."
        )

    def __repr__(self) -> str:
        """The table as text."""
        lines = [
            f"{_MARKS[s.state]} {s.points:2} p {s.minutes:3} min  {s.title}" for s in self.steps
        ]
        return "\n".join([*lines, self.summary])

    def _repr_html_(self) -> str:
        """The table as JupyterLab shows it."""
        rows = "".join(
            f"<tr><td>{_MARKS[s.state]} {_WORDS[s.state]}</td><td>{html.escape(s.title)}</td>"
            f"<td>{s.points}</td><td>{s.minutes}</td></tr>"
            for s in self.steps
        )
        head = "<tr><th>State</th><th>Exercise</th><th>Points</th><th>Minutes</th></tr>"
        table = f"<table>{head}{rows}</table>" if rows else ""
        return f"{table}<p>{html.escape(self.summary)}</p>"


def grading() -> bool:
    """True while a notebook runs for grading or is being validated."""
    return bool(os.environ.get("COURSE_GRADING") or os.environ.get("NBGRADER_EXECUTION"))


def progress() -> Progress:
    """What is done in this notebook, what passes its visible checks, points and time left.

    The state is that of the last run of each cell; a cell changed since is taken as it was run.
    """
    notebook = _notebook(Path.cwd())
    if notebook is None:
        return Progress([], "No notebook with exercises was found beside this one's kernel.")
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return Progress([], f"{notebook.name} could not be read: save it, and try again.")
    return Progress(_steps(cells, _read(notebook.parent)))


def note(cell: str, source: str, success: bool, folder: Path | None = None) -> None:
    """Write down that the cell of this id was run, unless a notebook runs for grading.

    Where the folder can't be written, nothing is.
    """
    if grading():
        return
    folder = folder or Path.cwd()
    state = _read(folder)
    state[cell] = {"ok": success, "written": "raise NotImplementedError" not in source}
    part = folder / f"{FILE}.part"
    try:
        part.write_text(json.dumps(state), encoding="utf-8")
        part.replace(folder / FILE)  # whole or not at all, whatever stops it
    except OSError:
        return


def _read(folder: Path) -> dict[str, Any]:
    try:
        state = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _notebook(folder: Path) -> Path | None:
    """The notebook this kernel runs: Jupyter says its path; else the only one there is."""
    said = folder / Path(os.environ.get("JPY_SESSION_NAME", "")).name
    if said.suffix == ".ipynb" and said.is_file():
        return said
    found = sorted(folder.glob("*.ipynb"))
    return found[0] if len(found) == 1 else None


def _steps(cells: list[dict[str, Any]], state: dict[str, Any]) -> list[Step]:
    steps: list[Step] = []
    title, minutes, answer = "", 0, ""
    for cell in cells:
        source = "".join(cell.get("source", ""))
        mark = cell.get("metadata", {}).get("nbgrader", {})
        if cell.get("cell_type") == "markdown" and (found := _HEADING.search(source)):
            title, minutes = found["title"], int(found["minutes"])
        elif mark.get("solution"):
            answer = cell.get("id", "")
        elif mark.get("grade"):
            now = _state(state.get(answer), state.get(cell.get("id", "")))
            steps.append(Step(title, minutes, int(mark.get("points", 0)), now))
    return steps


def _state(answer: Any, test: Any) -> str:
    if not isinstance(answer, dict) or not answer.get("written"):
        return "open"
    if not isinstance(test, dict):
        return "written"
    return "passes" if test.get("ok") else "fails"
