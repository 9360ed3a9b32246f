"""`course why`: what happened in one graded cell of one student's, with everything asked again."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import torch
from nbconvert.exporters import NotebookExporter
from nbgrader.converters import Autograde
from traitlets import Unicode

from course import build
from course.build import BuildError
from course.grading import bank
from course.grading.judge.court import Hearing, Verdict
from course.grading.judge.execute import Judge
from course.grading.judge.record import Raised
from course.grading.settings import course_directory


@dataclass(frozen=True)
class Evidence:
    """A graded cell asked again: where it failed, on what, what came back, and what should have."""

    verdict: Verdict
    seed: int
    line: str = ""
    asked: str = ""
    came: str = ""
    expected: str = ""


class Witness(Judge):
    """The judge, asking one question only and keeping what was said."""

    question = Unicode(help="The graded cell that is asked.").tag(config=True)
    evidence: Evidence | None = None

    def _judge(self, grade_id: str, seed: int) -> Verdict:
        if grade_id != self.question:
            return Verdict(False, "Not asked.")
        self._seed = seed
        verdict = super()._judge(grade_id, seed)
        if self.evidence is None:  # nothing was compared: it passed, was not written, or stopped
            self.evidence = Evidence(verdict, seed)
        return verdict

    def _named(self, hearing: Hearing, grade_id: str) -> Verdict:
        verdict = super()._named(hearing, grade_id)
        asked = came = expected = ""
        exercise = self._docket.exercise(grade_id)
        probe = hearing.last
        if probe is not None and probe.name in hearing.functions:
            asked = _shown((*probe.args, *probe.kwargs.values()))
            came = _shown(probe.put_to(hearing.functions[probe.name]))
            if exercise is not None and self._docket.lesson is not None:
                solved = bank.notebook(self._docket.lesson, exercise, exercise.answer)
                expected = _shown(probe.put_to(getattr(solved, probe.name)))
        self.evidence = Evidence(verdict, self._seed, hearing.line, asked, came, expected)
        return verdict


def ask(root: Path, student: str, assignment: str, exercise: str) -> tuple[Evidence, str, dict]:
    """Run the exercise of the graded submission again; its evidence, its answer, and what was said.

    Raises BuildError where there is no such graded submission or exercise.
    """
    path = root / "autograded" / student / assignment / f"{assignment}.ipynb"
    if not path.is_file():
        raise BuildError(f"{assignment} of {student} has not been graded: there is no {path}.")
    notebook = nbformat.read(path, as_version=4)
    marked = {c.metadata.get("nbgrader", {}).get("grade_id"): c for c in notebook.cells}
    test = marked.get(f"test-{exercise}")
    if test is None:
        names = ", ".join(n.removeprefix("test-") for n in marked if n and n.startswith("test-"))
        raise BuildError(f"{assignment} has no exercise {exercise!r}; it has {names}.")
    said: dict[str, Any] = next(
        (o.metadata.course for o in test.outputs if "course" in o.get("metadata", {})), {}
    )
    coursedir = course_directory(root)
    converter = Autograde(coursedir=coursedir, config=coursedir.config)
    ids = {"student": student, "assignment": assignment, "notebook": assignment}
    resources = {
        "nbgrader": {**ids, "db_url": coursedir.db_url},
        "metadata": {"path": str(path.parent)},
    }
    exporter = NotebookExporter(parent=converter, config=coursedir.config)
    witness = Witness(parent=exporter, question=f"test-{exercise}")
    witness.preprocess(notebook, resources)
    assert witness.evidence is not None
    answer = marked[exercise].source if exercise in marked else ""
    return witness.evidence, answer, dict(said)


def main(root: Path, options: argparse.Namespace) -> int:
    """Run `course why`, print what happened; 1 where it comes out otherwise than when graded."""
    build.lesson_path(root, options.assignment)
    found, answer, said = ask(root, options.student, options.assignment, options.exercise)
    verdict = found.verdict
    print(f"{options.student}, {options.assignment}, {options.exercise}: {_word(said)}")
    print(f"Seed of the hidden inputs: {found.seed}")
    for title, text in (
        ("Said", said.get("told") or verdict.told),
        ("Recognised as", verdict.mistake and f"{verdict.mistake}: {verdict.hint}"),
        ("The line that failed", found.line),
        ("Asked with", found.asked),
        ("Came back", found.came),
        ("Should come back", found.expected),
        ("The answer", answer),
    ):
        if text:
            print(f"\n{title}:\n{_indented(text)}")
    same = bool(said.get("passed")) == verdict.passed and said.get("told", "") == verdict.told
    print("\nAsked again just now: ", end="")
    print("the same." if same else f"otherwise. {verdict.told or 'It passes.'}")
    return 0 if same else 1


def _word(said: dict[str, Any]) -> str:
    return "passed" if said.get("passed") else "did not pass"


def _shown(value: Any) -> str:
    """A value with all digits that matter; long tensors are shortened in the middle."""
    if isinstance(value, Raised):
        return f"an exception: {value.name}"
    with torch._tensor_str.printoptions(precision=6, threshold=60):
        if isinstance(value, tuple):
            return "\n".join(repr(part) for part in value) or "nothing"
        return repr(value)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
