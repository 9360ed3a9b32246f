"""What a student's cell put out, made fit for the notebook's file and the pages made of it.

A kernel can send anything as an output: no texts where texts are due, half characters, megabytes.
"""

from __future__ import annotations

import json
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output


def clean(cell: NotebookNode) -> None:
    """Keep of a code cell's outputs what is one, in place."""
    made = [_clean(output) for output in cell.outputs]
    cell.outputs = [output for output in made if output is not None]
    if type(cell.execution_count) is not int:
        cell.execution_count = None


def _clean(output: Any) -> NotebookNode | None:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return new_output("stream", name=name, text=_text(output.get("text")))
    if kind == "error":
        lines = output.get("traceback")
        return new_output(
            "error",
            ename=_text(output.get("ename")),
            evalue=_text(output.get("evalue")),
            traceback=[_text(line) for line in lines] if isinstance(lines, list) else [],
        )
    if kind in ("display_data", "execute_result") and isinstance(output.get("data"), dict):
        data = {_text(mime): _value(mime, value) for mime, value in output["data"].items()}
        data = {mime: value for mime, value in data.items() if value is not None}
        if kind == "display_data":
            return new_output(kind, data=data)
        return new_output(kind, data=data, execution_count=None)
    return None


def _value(mime: str, value: Any) -> Any:
    if mime.endswith("+json") or mime == "application/json":
        try:
            return json.loads(_text(json.dumps(value, ensure_ascii=False)))
        except (TypeError, ValueError, RecursionError):
            return None
    return _text(value) if isinstance(value, str) else None


def _text(value: Any) -> str:
    """`value` if it is a text, without the halves of characters that no file takes."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""
