"""After `nbgrader generate_feedback`: what `release_feedback` and `fetch_feedback` look for."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

import nbformat

from course.grading.intake import find


def complete(assignment: str, notebooks: list[str], **_: object) -> None:
    """Make one student's feedback folder fit to be released (`c.GenerateFeedback`'s last hook).

    `notebooks` are the graded ones, `autograded/<student>/<assignment>/<name>.ipynb`; nbgrader
    passes `student` too, but as a pattern.
    """
    for path in notebooks:
        notebook = Path(path)
        root, who = notebook.parents[3], notebook.parents[1].name
        page = root / "feedback" / who / assignment / f"{notebook.stem}.html"
        release = nbformat.read(root / "release" / assignment / notebook.name, as_version=4)
        handed_in = find(root / "submitted" / who / assignment / notebook.name, release)[0]
        if handed_in and handed_in.stem != notebook.stem:
            # `nbgrader fetch_feedback` looks for pages by the names that the student handed in.
            shutil.copy(page, page.with_stem(handed_in.stem))
        # A submission that did not come by the exchange lacks these two, and without them
        # `nbgrader release_feedback` stops for the whole class.
        needed = {"timestamp.txt": "", "submission_secret.txt": secrets.token_hex(64)}
        for name, text in needed.items():
            if not (page.parent / name).exists():
                (page.parent / name).write_text(text)
