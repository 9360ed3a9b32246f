"""Looks for answers, hidden tests and outputs in what students are given."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from course import lesson as lessons
from course.lesson import BEGIN_HIDDEN, BEGIN_SOLUTION, END_HIDDEN, END_SOLUTION, Lesson

# Shorter lines (`return z`, `else:`) say nothing that is ours; longer ones do inside others too.
_SHORTEST, _LONG = 14, 30
_TEXT = {".ipynb", ".py", ".js", ".css", ".md", ".txt", ".toml", ".yml", ".yaml", ".html", ".json"}
_SKIP = {".git", ".venv", "__pycache__", ".ipynb_checkpoints"}


def scan(root: Path, given: list[Path]) -> list[str]:
    """What the files and folders `given` to students say that only the lessons of `root` may say.

    Returns one sentence for each leak: the file, the cell where there is one, and whose it is.
    """
    hidden: dict[str, str] = {}
    shown: set[str] = set()
    for path in sorted((root / "lessons").glob("*.py")):
        own_hidden, own_shown = _lines(lessons.read(path))
        hidden |= own_hidden
        shown |= own_shown
    # What one lesson shows, such as a step of an optimiser, tells nothing of another.
    secrets = {line: whose for line, whose in hidden.items() if line not in shown}
    return [leak for file in _files(given) for leak in _leaks_in(file, secrets)]


def _lines(lesson: Lesson) -> tuple[dict[str, str], set[str]]:
    """The lines of a lesson without their spaces: telling ones, and those that students read.

    The telling ones come with the words that name where each belongs.
    """
    hidden: dict[str, str] = {}
    shown: set[str] = set()
    for cell in lesson.cells:
        if not any(key in cell.metadata for key in ("answer", "test", "mistake", "alternative")):
            shown.update(_bare(line) for line in cell.source.splitlines())
    for exercise in lesson.exercises.values():
        cells = [
            (exercise.answer, f"the solution of {exercise.name}", BEGIN_SOLUTION, END_SOLUTION),
            (exercise.test, f"a hidden test of {exercise.name}", BEGIN_HIDDEN, END_HIDDEN),
        ]
        for source, whose, begin, end in cells:
            inside = False
            for line in source.splitlines():
                if begin in line or end in line:
                    inside = begin in line
                elif inside:
                    hidden.setdefault(_bare(line), whose)
                else:
                    shown.add(_bare(line))
        for variant in exercise.mistakes + exercise.alternatives:
            whose = f"the {variant.kind} {variant.name!r} of {exercise.name}"
            # A mistake's code is no answer; what its author is told is for its author.
            code = variant.source.splitlines() if variant.kind == "alternative" else []
            for line in [*code, variant.says]:
                hidden.setdefault(_bare(line), whose)
    telling = {
        line: whose
        for line, whose in hidden.items()
        if len(line) >= _SHORTEST and not re.match("def|class|import|from|for|while|#", line)
    }
    return telling, shown


def _bare(line: str) -> str:
    return "".join(line.split()).strip('"')


def _files(given: list[Path]) -> Iterator[Path]:
    for path in given:
        if path.is_dir():
            yield from _files(sorted(p for p in path.iterdir() if p.name not in _SKIP))
        elif path.suffix in _TEXT and path.is_file():
            yield path


def _leaks_in(path: Path, secrets: dict[str, str]) -> Iterator[str]:
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".ipynb":
        notebook = json.loads(text)
        for cell in notebook["cells"]:
            place, said = f"{path} (cell {cell.get('id', '?')})", "".join(cell["source"])
            for mark in (BEGIN_SOLUTION, BEGIN_HIDDEN):
                if mark in said:
                    yield f"{place}: has {mark}"
            if cell.get("outputs"):
                yield f"{place}: has an output"
            yield from _lines_in(place, said, secrets)
        text = json.dumps(notebook["metadata"])
    yield from _lines_in(str(path), text, secrets)


def _lines_in(place: str, said: str, secrets: dict[str, str]) -> Iterator[str]:
    # A remark behind a line makes no other line of it.
    lines = {_bare(line.split("  #")[0]) for line in said.splitlines()}
    bare = _bare(said)
    for secret, whose in secrets.items():
        if secret in lines or (len(secret) >= _LONG and secret in bare):
            yield f"{place}: has a line of {whose}"
