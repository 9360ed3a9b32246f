"""What stands in the student's cell where the solution was."""

import json
import re

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearSolutions

_DEF = re.compile(r"(\s*)(?:async\s+)?def\s+(\w+)")


class Stubs(ClearSolutions):
    """Put a sentence in place of each solution, instead of nbgrader's `# YOUR CODE HERE`.

    The text after `### BEGIN SOLUTION` is what the student is told to write::

        def relu(z):                          def relu(z):
            ### BEGIN SOLUTION return ...  ->     raise NotImplementedError("relu: return ...")
            ...
            ### END SOLUTION

    Configured like `ClearSolutions` itself (same delimiters); a region without text gets
    nbgrader's own message. Raises RuntimeError for a region that is nested or never closed.
    """

    def _replace_solution_region(self, cell: NotebookNode, language: str) -> bool:
        """Replace every region of a code cell in place; True if there was one."""
        if cell.cell_type != "code":
            return super()._replace_solution_region(cell, language)
        kept: list[str] = []
        opened = ""  # the line that opened the region we are in
        found = False
        for line in cell.source.split("\n"):
            if self.begin_solution_delimeter in line:
                if opened:
                    raise RuntimeError(f"a solution begins inside another: {line.strip()!r}")
                opened, found = line, True
                kept.append(self._stub(line, kept))
            elif self.end_solution_delimeter in line:
                if not opened:
                    raise RuntimeError(f"a solution ends that never began: {line.strip()!r}")
                opened = ""
            elif not opened:
                kept.append(line)
        if opened:
            raise RuntimeError(f"a solution never ends: {opened.strip()!r}")
        cell.source = "\n".join(kept)
        return found

    def _stub(self, begin: str, above: list[str]) -> str:
        """The line that replaces a region opened by the line `begin`, below the lines `above`."""
        indent = begin[: len(begin) - len(begin.lstrip())]
        text = begin.split(self.begin_solution_delimeter, 1)[1].strip() or "your code goes here"
        name = _enclosing(above, len(indent))
        message = f"{name}: {text}" if name else text
        return f"{indent}raise NotImplementedError({json.dumps(message, ensure_ascii=False)})"


def _enclosing(above: list[str], indent: int) -> str:
    """Name of the innermost function that a line indented by `indent` belongs to, or ''."""
    for line in reversed(above):
        match = _DEF.match(line)
        if match and len(match[1]) < indent:
            return match[2]
    return ""
