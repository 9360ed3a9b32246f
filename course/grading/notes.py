"""The sentences that stand at the top of a student's graded notebook and feedback page."""

from collections.abc import Iterable

import nbformat
from nbformat import NotebookNode

ID = "about-your-submission"
_HEAD = "**About your submission**\n"


def add(notebook: NotebookNode, sentences: Iterable[str]) -> None:
    """Put `sentences` (Markdown) into the notebook's first cell, below those already there."""
    lines = [f"- {sentence}" for sentence in sentences]
    if not lines:
        return
    if not (notebook.cells and notebook.cells[0].get("id") == ID):
        notebook.cells.insert(0, nbformat.v4.new_markdown_cell(_HEAD, id=ID))
    notebook.cells[0].source = "\n".join([notebook.cells[0].source, *lines])


def code(text: str) -> str:
    """`text`, which may come from a student, as code that is safe inside a sentence."""
    plain = "".join(ch if ch.isprintable() and ch not in "`<>&" else "?" for ch in text)
    return f"`{plain[:80]}`"
