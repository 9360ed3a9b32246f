"""The one that reads what was handed in, and alone writes the gradebook and `autograded/`."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cloudpickle
from nbgrader.api import Gradebook
from nbgrader.apps import AutogradeApp
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException

from course.build import BuildError
from course.grading import intake
from course.grading.judge import docket
from course.grading.judge.execute import Judge
from course.grading.pool import bundle as bundles
from course.grading.pool import copies, tables
from course.grading.pool.bundle import Assignment, Bundle, Files, Result
from course.grading.pool.copies import Verdicts


@dataclass(frozen=True)
class Job:
    """A submission to grade; `kept` are the verdicts that stand."""

    student: str
    kept: Verdicts = field(default_factory=dict)


class Clerk:
    """Of one assignment in one course. Raises BuildError where that can't be graded at all."""

    def __init__(self, root: Path, name: str, db_url: str = "", sandbox: bool = True) -> None:
        self.name = name
        os.chdir(root)  # where nbgrader looks for its settings
        app = AutogradeApp()
        app.initialize(["--quiet", *([f"--db={db_url}"] if db_url else [])])
        self._coursedir = app.coursedir
        if not sandbox:
            app.config.Judge.sandbox = False
        self.sandbox: bool = Judge(config=app.config).sandbox
        # No kernel of this machine's workers sees the course, wherever they grade.
        hidden = app.config.WarmProvisioner.get("hidden", [])
        app.config.WarmProvisioner.hidden = [*hidden, self._coursedir.root]
        self._coursedir.assignment_id = name
        self._config = app.config
        # Only asked where things are, and how they are to be written.
        self._converter = Autograde(coursedir=self._coursedir, parent=app)
        Gradebook(self._coursedir.db_url).close()  # nbgrader's preprocessors open it so
        self._gradebook = Gradebook(self._coursedir.db_url, self._coursedir.course_id)
        self._assignment = self._read_assignment()
        self._id = self._assignment.rows["assignment"][0]["id"]
        self._notebooks = [row["name"] for row in self._assignment.rows["notebook"]]

    def close(self) -> None:
        """Let go of the gradebook."""
        self._gradebook.close()

    @property
    def autograded(self) -> Path:
        """The folder of all graded copies."""
        folder = self._coursedir.autograded_directory
        return Path(self._coursedir.format_path(folder, ".", ".")).resolve()

    # What there is to do --------------------------------------------------------------------------

    def handed_in(self) -> list[str]:
        """The students of whom there is a submission, in order."""
        step = self._coursedir.submitted_directory
        pattern = self._coursedir.format_path(
            step, "(?P<student>.*)", re.escape(self.name), escape=True
        )
        excluded = self._coursedir.student_id_exclude.split(",")
        found = []
        for folder in glob.glob(self._coursedir.format_path(step, "*", glob.escape(self.name))):
            matched = re.fullmatch(pattern, folder)
            if matched and os.path.isdir(folder) and matched["student"] not in excluded:
                found.append(matched["student"])
        return sorted(found)

    def plan(self, students: list[str], regrade: str, since: int) -> list[Job]:
        """Who of `students` has to be graded: all those that nbgrader would grade, and more.

        That is copies that are not whole, and on a `regrade` (`changed`, `all`) those graded by
        other tests or before `since`, in nanoseconds.
        """
        with self._gradebook.engine.connect() as db:
            ungraded = tables.ungraded(db, self._id)
        asked = self._asked()
        jobs = []
        for student in students:
            copy = self._copy(student)
            verdicts = copies.verdicts(copy, self._notebooks)
            if (
                verdicts is None
                or ungraded.get(student) != 0
                or self._is_newer(student)
                or (regrade == "all" and copies.started(copy, self._notebooks) < since)
            ):
                jobs.append(Job(student))
            elif regrade == "changed":
                kept = _standing(verdicts, asked)
                if any(len(kept[name]) < len(asked[name]) for name in asked):
                    jobs.append(Job(student, kept))
        return jobs

    def asks(self) -> str:
        """A digest of all questions of the assignment."""
        return hashlib.sha256(repr(self._asked()).encode()).hexdigest()[:16]

    def _asked(self) -> dict[str, dict[str, str]]:
        """By notebook and graded cell: what the judge would be asked now."""
        found = {}
        for notebook in self._notebooks:
            ids = {"student": "", "assignment": self.name, "notebook": notebook}
            asks = docket.load(self._coursedir, {**ids, "db_url": self._coursedir.db_url})
            found[notebook] = {name: asks.asked(name) for name in asks.questions}
        return found

    def _is_newer(self, student: str) -> bool:
        """Whether something was handed in after the copy was made, by nbgrader's rule."""
        folders = (self._submitted(student), self._copy(student))
        try:
            new, old = (self._coursedir.get_existing_timestamp(str(f)) for f in folders)
        except Exception:  # no time, or no text: nbgrader says so when it grades it
            return True
        return new is not None and old is not None and new > old

    # Out to the workers, and back -----------------------------------------------------------------

    def bundle(self, job: Job) -> Bundle:
        """All that is needed to grade a submission, as it is now."""
        with self._gradebook.engine.connect() as db:
            rows = tables.of_submission(db, self._id, job.student)
        files = bundles.read(self._submitted(job.student))
        return Bundle(self._assignment, job.student, files, rows, job.kept)

    def write(self, bundle: Bundle, result: Result) -> str:
        """Keep what a submission came to, and say whose mark moved. Raises ChangedMeanwhileError.

        First the gradebook, in one transaction; then the copy, all at once. Who is stopped in
        between finds the submission ungraded, and grading it again gives the same.
        """
        rows = self._without_kept(bundle, result)
        with self._gradebook.engine.begin() as db:
            tables.replace(db, self._id, result.student, bundle.rows, rows)
        copy = self._copy(result.student)
        if result.problem:
            copies.remove(copy)  # as nbgrader does
        else:
            copies.put(result.files, copy, self.autograded / f".{self.name}.new")
            if self._coursedir.groupshared:
                self._converter.set_permissions(self.name, result.student)
        moved = _moved(self._assignment, bundle, rows)
        said = self._said(copy) if moved else {}
        return "\n".join(text + said.get(cell, "") for cell, text in moved)

    def _said(self, copy: Path) -> dict[str, str]:
        """What the judge said of each graded cell of a copy that has just been made."""
        verdicts = copies.verdicts(copy, self._notebooks) or {}
        told = {cell: copies.said(v) for each in verdicts.values() for cell, v in each.items()}
        return {cell: f": {text}" for cell, text in told.items() if text}

    def _without_kept(self, bundle: Bundle, result: Result) -> tables.Rows:
        """The rows to write: those of verdicts that stand are left as they are."""
        if not bundle.kept:
            return result.rows
        notebooks = {row["id"]: row["name"] for row in self._assignment.rows["notebook"]}
        stands = {
            cell["id"]
            for cell in self._assignment.rows["base_cell"]
            if cell["name"] in bundle.kept.get(notebooks[cell["notebook_id"]], {})
        }
        before = {row["id"]: row for row in bundle.rows["grade"]}
        grades = [
            before.get(row["id"], row) if row["cell_id"] in stands else row
            for row in result.rows["grade"]
        ]
        return {**result.rows, "grade": grades}

    def _read_assignment(self) -> Assignment:
        root = Path(self._coursedir.root)
        try:
            released = intake.released(self._coursedir, self.name)
        except NbGraderException as problem:
            raise BuildError(str(problem)) from None
        with self._gradebook.engine.connect() as db:
            rows = tables.of_assignment(db, self.name)
        if not rows["assignment"]:
            raise BuildError(
                f"{self.name} is not in the gradebook: run `nbgrader generate_assignment "
                f"{self.name}` first."
            )
        files: Files = {".course-secret": (docket.secret(root), 0o600)}
        for step in ("release", "source"):
            place = getattr(self._coursedir, f"{step}_directory")
            folder = Path(self._coursedir.format_path(place, ".", self.name))
            for path, content in bundles.read(folder).items():
                if step == "release" or not path.endswith(".ipynb"):
                    files[f"{step}/{self.name}/{path}"] = content
        for notebook in released:
            lesson = root / "lessons" / f"{notebook}.py"
            if lesson.is_file():
                files[f"lessons/{lesson.name}"] = (lesson.read_bytes(), 0o600)
        parts: Any = [self.name, self._config, files, rows]
        parts.append(hashlib.sha256(cloudpickle.dumps(parts)).hexdigest())
        return Assignment(*parts)

    def _submitted(self, student: str) -> Path:
        step = self._coursedir.submitted_directory
        return Path(self._coursedir.format_path(step, student, self.name))

    def _copy(self, student: str) -> Path:
        step = self._coursedir.autograded_directory
        return Path(self._coursedir.format_path(step, student, self.name))


def _standing(verdicts: Verdicts, asked: dict[str, dict[str, str]]) -> Verdicts:
    """The verdicts that were given on what would be asked now."""
    return {
        notebook: {
            name: verdicts[notebook][name]
            for name, digest in questions.items()
            if copies.asked(verdicts[notebook].get(name, [])) == digest
        }
        for notebook, questions in asked.items()
    }


def _moved(assignment: Assignment, bundle: Bundle, after: tables.Rows) -> list[tuple[str, str]]:
    """In which cells a mark moved, and from what to what; none where there was no mark before."""
    before = {row["id"]: row for row in bundle.rows["grade"]}
    names = {row["id"]: row["name"] for row in assignment.rows["base_cell"]}
    moved = []
    for row in after["grade"]:
        old, new = before.get(row["id"], {}).get("auto_score"), row["auto_score"]
        if old is not None and old != new:
            by_hand = " (a mark given by hand stands)" if row["manual_score"] is not None else ""
            cell = names[row["cell_id"]]
            name = cell.removeprefix("test-")
            change = f"{name} {_points(old)} → {_points(new)}{by_hand}"
            moved.append((cell, f"{bundle.student}: {change}"))
    return sorted(moved)


def _points(score: float | None) -> str:
    return "none" if score is None else f"{score:g}"
