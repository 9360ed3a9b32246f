"""Where a worker grades: a course folder with one submission in it, and a gradebook in memory."""

from __future__ import annotations

import itertools
import logging
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from nbgrader.api import Base
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import create_engine
from traitlets.config import Config

from course.grading.judge.execute import Judge
from course.grading.pool import bundle as bundles
from course.grading.pool import tables
from course.grading.pool.bundle import Assignment, Bundle, Result
from course.grading.pool.tables import Rows

_numbers = itertools.count()


class Bench:
    """Set up once for an assignment; each submission finds it as if it were the first.

    Raises NbGraderException where kernels are to be shut in, and can't be on this machine.
    """

    def __init__(self, assignment: Assignment, parent: Path | None = None) -> None:
        Judge(config=assignment.config).refuse()
        self.digest = assignment.digest
        self._assignment = assignment
        self._folder = tempfile.TemporaryDirectory(prefix="bench-", dir=parent)
        self._root = Path(self._folder.name, "course")
        bundles.write(assignment.files, self._root)
        self._blank = sqlite3.connect(":memory:", check_same_thread=False)
        with _Gradebook(self._blank) as gradebook:
            gradebook.fill(assignment.rows)
            gradebook.take_out(self._blank)

    def close(self) -> None:
        """Remove the folder."""
        self._blank.close()
        self._folder.cleanup()

    def grade(self, bundle: Bundle) -> Result:
        """Grade one submission by `nbgrader autograde`. Raises what keeps that from beginning."""
        started = time.monotonic()
        name, student = self._assignment.name, bundle.student
        heard = _Listener()
        with _Gradebook(self._blank) as gradebook:
            gradebook.fill(bundle.rows)
            config = self._config(gradebook.url)
            log = logging.Logger("autograde")
            log.addHandler(heard)
            coursedir = CourseDirectory(config=config, log=log)
            converter = _Autograde(coursedir=coursedir, config=config, log=log, kept=bundle.kept)
            handed_in, graded = (
                Path(coursedir.format_path(step, student, name))
                for step in (coursedir.submitted_directory, coursedir.autograded_directory)
            )
            try:
                bundles.write(bundle.files, handed_in)
                converter.start()
            except Exception:
                if not heard.problem:
                    raise  # it was not even begun
            files = {} if heard.problem else bundles.read(graded)
            rows = gradebook.submission(self._assignment, student)
        for folder in (handed_in, graded):
            if folder.exists():
                shutil.rmtree(folder)
        seconds = time.monotonic() - started
        return Result(student, files, rows, heard.problem, "\n".join(heard.lines), seconds)

    def _config(self, url: str) -> Config:
        """The course's settings, in this folder."""
        config: Config = self._assignment.config.copy()
        own: dict[str, Any] = {
            "root": str(self._root), "db_url": url, "assignment_id": self._assignment.name,
            "student_id": "*", "notebook_id": "*", "student_id_exclude": "",
        }  # fmt: skip
        places = ("source", "release", "submitted", "autograded")
        own |= {f"{place}_directory": place for place in places}
        own["directory_structure"] = "{nbgrader_step}/{student_id}/{assignment_id}"
        config.CourseDirectory = Config({**config.CourseDirectory, **own})
        return config


class _Autograde(Autograde):
    """nbgrader's, for a folder that may hold no notebook at all."""

    def __init__(self, kept: dict[str, dict[str, list[Any]]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._kept = kept

    def init_notebooks(self) -> None:
        """Leave it to `Intake` to list what should be there."""
        self.assignments: dict[str, list[str]] = {}
        self.notebooks: list[str] = []

    def init_single_notebook_resources(self, notebook_filename: str) -> dict[str, Any]:
        """As nbgrader's, with the verdicts that stand."""
        resources = super().init_single_notebook_resources(notebook_filename)
        kept = self._kept.get(resources["nbgrader"]["notebook"], {})
        resources["course"] = {"kept": kept}
        return resources


class _Gradebook:
    """A gradebook in memory that any connection of this process can open by its `url`."""

    def __init__(self, start: sqlite3.Connection) -> None:
        name = f"file:gradebook-{os.getpid()}-{next(_numbers)}?mode=memory&cache=shared"
        self.url = f"sqlite:///{name}&uri=true"
        self._open = sqlite3.connect(name, uri=True, check_same_thread=False)
        start.backup(self._open)
        self._engine = create_engine(self.url)

    def __enter__(self) -> _Gradebook:
        return self

    def __exit__(self, *problem: object) -> None:
        self._engine.dispose()
        self._open.close()  # and so it is gone

    def fill(self, rows: Rows) -> None:
        """Add rows."""
        Base.metadata.create_all(self._engine)
        with self._engine.begin() as db:
            tables.insert(db, rows)

    def take_out(self, target: sqlite3.Connection) -> None:
        """Copy all of it to `target`."""
        self._open.backup(target)

    def submission(self, assignment: Assignment, student: str) -> Rows:
        """The rows of the student's submission."""
        with self._engine.connect() as db:
            return tables.of_submission(db, assignment.rows["assignment"][0]["id"], student)


class _Listener(logging.Handler):
    """Keeps what nbgrader has to say, and the first thing that went wrong."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self.problem = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Take down one line of the log; an error is logged while it is being handled."""
        self.lines.append(record.getMessage())
        error = sys.exc_info()[1]
        if record.levelno >= logging.ERROR and not self.problem and error is not None:
            self.problem = bundles.sentence(error)


_benches: list[Bench] = []


def grade(bundle: Bundle, parent: Path | None = None) -> Result:
    """Grade one submission: what comes of it depends on the bundle alone.

    The bench of the assignment that was last graded in this process stands ready, below `parent`.
    """
    if not _benches or _benches[0].digest != bundle.assignment.digest:
        while _benches:
            _benches.pop().close()
        _benches.append(Bench(bundle.assignment, parent))
    return _benches[0].grade(bundle)
