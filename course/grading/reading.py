"""Reading a file that should be a notebook, whatever it is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

# A notebook of this course with all its pictures is below 2 MB.
MAX_BYTES = 50_000_000

_NEW = {
    "code": nbformat.v4.new_code_cell,
    "markdown": nbformat.v4.new_markdown_cell,
    "raw": nbformat.v4.new_raw_cell,
}


class UnreadableError(Exception):
    """A file that is no notebook; the text is a clause that says why."""


def read(path: Path) -> tuple[NotebookNode, list[str]]:
    """The notebook at `path` in the current format, and sentences for its author.

    Only what grading needs is taken over: the type, source, id and metadata of each cell and the
    pictures in its text. So the result is valid whatever the file was. Raises `UnreadableError`.
    """
    text = _text(path)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise UnreadableError("what it holds is not written as a notebook is (JSON)") from None
    if not isinstance(data, dict) or not isinstance(data.get("nbformat", 4), int):
        raise UnreadableError("it holds some data, but not a notebook")
    sentences = []
    version = data.get("nbformat", 4)
    if version < 4:
        data = _upgraded(text)
        sentences.append(
            f"Your notebook was saved in an old format (version {version}). It was converted and "
            "graded; save it with a current JupyterLab next time."
        )
    cells = data.get("cells")
    if not isinstance(cells, list):
        raise UnreadableError("it holds some data, but no notebook cells")
    notebook = nbformat.v4.new_notebook()
    taken: set[str] = set()
    notebook.cells = [_cell(c, taken) for c in cells if isinstance(c, dict)]
    return notebook, sentences


def _text(path: Path) -> str:
    if not path.is_file():
        raise UnreadableError("it is not a file")
    size = path.stat().st_size
    if size == 0:
        raise UnreadableError("it is empty")
    if size > MAX_BYTES:
        raise UnreadableError(f"it is larger than {MAX_BYTES // 1_000_000} MB")
    content = path.read_bytes()
    return content.decode(json.detect_encoding(content), "replace")


def _upgraded(text: str) -> Any:
    try:
        return nbformat.reads(text, as_version=4)
    except Exception:  # whatever nbformat trips over in a broken file of an old format
        raise UnreadableError("it looks like a notebook of an old format, but is broken") from None


def _cell(data: dict[str, Any], taken: set[str]) -> NotebookNode:
    """A valid cell from what may be anything; `taken` are the ids given so far."""
    kind = data.get("cell_type")
    source = data.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        source = ""
    # Half of a surrogate pair is valid in JSON, but can't be written to a file.
    source = source.encode("utf-8", "replace").decode()
    cell = _NEW[kind if kind in ("code", "markdown") else "raw"](source)
    if isinstance(metadata := data.get("metadata"), dict):
        cell.metadata = nbformat.from_dict(metadata)
    if isinstance(pictures := data.get("attachments"), dict) and kind == "markdown":
        cell.attachments = nbformat.from_dict(pictures)
    wanted = data.get("id")
    if isinstance(wanted, str) and wanted not in taken and _is_id(wanted):
        cell.id = wanted
    taken.add(cell.id)
    return cell


def _is_id(text: str) -> bool:
    """Whether nbformat takes `text` as a cell's id."""
    return re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", text) is not None
