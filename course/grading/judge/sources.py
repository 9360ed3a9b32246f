"""What a student's function uses, read from the source of the submitted cells.

The kernel isn't asked: what it says of its functions may be anything. So code that can't be read
here, because it is put together or put in place while it runs, counts as using what it must not.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from IPython.core.inputtransformer2 import TransformerManager

from course import syntax

_BUILT_IN = {"eval", "exec", "globals", "locals", "vars", "builtins", "__builtins__", "__dict__"}
# Ways to reach a function without naming it. None of them is needed for an answer by hand.
_DETOURS = _BUILT_IN | {
    "compile", "__import__", "import_module", "__getattribute__", "__code__", "__globals__",
    "attrgetter", "methodcaller",
}  # fmt: skip
# Ways to change what another cell's name stands for.
_SWAPS = _BUILT_IN | {
    "setattr", "__setattr__", "__main__", "__code__", "user_ns", "run_cell", "run_code",
}  # fmt: skip
# Of these, what is a method of a library as well: `model.eval()`, `re.compile()`.
_METHODS_TOO = {"eval", "compile"}
_TELLING = (ast.Name, ast.Attribute, ast.alias, ast.Constant, ast.Import, ast.ImportFrom)
_LIBRARIES = {"IPython", "course", "matplotlib", "numpy", "scipy", "torch", "torch_geometric"}


@dataclass(frozen=True)
class Cell:
    """A cell that was run, and whether it came to its end."""

    source: str
    whole: bool = True


def uses(cells: list[Cell], name: str, names: set[str]) -> tuple[str, int] | None:
    """The first of `names` that the function `name` uses, and the line, or None.

    Follows all that the function mentions by name. A name counts in any case and with underscores
    at its ends, for `torch.nn.Sigmoid` and `torch.sigmoid_` do what `torch.sigmoid` does.
    """
    notebook = _Notebook(cells)
    if notebook.swap is not None:
        return notebook.swap
    if name not in notebook.made:
        return "code from elsewhere", 1
    forbidden = {_plain(n) for n in names}
    waiting, seen = [name], set()
    while waiting:
        if (current := waiting.pop()) in seen:
            continue
        seen.add(current)
        for tree in notebook.made.get(current, []):
            for function in ast.walk(tree):
                if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                    continue  # a cell that tries a function in a loop is no loop of the function
                for node in ast.walk(function):
                    if (word := syntax.loop(node)) in forbidden:
                        return word, getattr(node, "lineno", 1) - tree.lineno + 1
            for node in ast.walk(tree):
                if isinstance(node, (ast.Name, ast.Attribute)):
                    waiting.append(_key(node))
                found = notebook.taken(node)
                if found is not None and (_plain(found) in forbidden or _is_detour(found, node)):
                    return found, getattr(node, "lineno", 1) - tree.lineno + 1
    return None


class _Notebook:
    """What the statements of the cells give names to (`made`), and the first `swap` among them."""

    def __init__(self, cells: list[Cell]) -> None:
        self.made: dict[str, list[ast.stmt]] = {}
        self.swap: tuple[str, int] | None = None
        self._aliases: dict[str, str] = {}
        self._stars = False
        for cell in cells:
            for statement in _read(cell.source):
                for key, place in statement.named:
                    # Only what surely ran takes the place of what was there.
                    whole = cell.whole and place is statement.node
                    self.made[key] = [*([] if whole else self.made.get(key, [])), place]
                for node in statement.telling:
                    self._learn(node)

    def _learn(self, node: ast.AST) -> None:
        found = _mentioned(node)
        is_method = isinstance(node, ast.Attribute) and found in _METHODS_TOO
        is_text = isinstance(node, ast.Constant) and found != "__main__"
        if self.swap is None and found in _SWAPS and not (is_method or is_text):
            self.swap = found, getattr(node, "lineno", 1)
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                self._stars |= alias.name == "*"
                root = (module or alias.name).split(".")[0]
                known = root in _LIBRARIES or root in sys.stdlib_module_names
                name = alias.name.split(".")[-1] if known else "code from elsewhere"
                self._aliases[alias.asname or alias.name.split(".")[0]] = name

    def taken(self, node: ast.AST) -> str | None:
        """What a node takes from a library, as far as can be told."""
        if isinstance(node, ast.Name) and node.id not in _DETOURS:
            if node.id in self.made:
                return None
            return self._aliases.get(node.id, node.id if self._stars else None)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            key = node.args[1] if len(node.args) > 1 else None
            readable = node.func.id != "getattr" or isinstance(key, ast.Constant)
            return None if readable else "getattr"
        return _mentioned(node)


@dataclass(frozen=True)
class _Statement:
    """A statement, what it gives names to, and those of its nodes that something is learnt from."""

    node: ast.stmt
    named: tuple[tuple[str, ast.stmt], ...]
    telling: tuple[ast.AST, ...]


@lru_cache(maxsize=512)  # most cells are the same for a whole class, and each is asked for often
def _read(source: str) -> tuple[_Statement, ...]:
    return tuple(
        _Statement(
            statement,
            tuple(_named(statement)),
            tuple(node for node in ast.walk(statement) if isinstance(node, _TELLING)),
        )
        for statement in _parsed(source)
    )


def _parsed(source: str) -> list[ast.stmt]:
    while source.lstrip().startswith("%%"):  # `%%time` and the like run what stands below
        source = source.lstrip().partition("\n")[2]
    try:
        return ast.parse(TransformerManager().transform_cell(source)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []  # then Python could not run it either


def _named(statement: ast.stmt) -> Iterator[tuple[str, ast.stmt]]:
    """What a statement, or one in it, gives a name to, and that one. `.x` is any object's `x`."""
    waiting: list[tuple[ast.AST, ast.stmt]] = [(statement, statement)]
    while waiting:
        node, place = waiting.pop()
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            yield _key(node), place
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name, node
            for inner in ast.walk(node):  # its variables are its own, but for these
                if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store):
                    yield _key(inner), node
                elif isinstance(inner, ast.Global):
                    yield from ((name, node) for name in inner.names)
            continue
        for child in ast.iter_child_nodes(node):
            waiting.append((child, child if isinstance(child, ast.stmt) else place))


def _key(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else f".{node.attr}"


def _mentioned(node: ast.AST) -> str | None:
    """The name that a node says: also as a text, for `getattr(torch, "relu")` and the like."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.alias):
        return node.name.split(".")[-1]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_detour(found: str, node: ast.AST) -> bool:
    if found in ("getattr", "code from elsewhere"):
        return True
    is_method = isinstance(node, ast.Attribute) and found in _METHODS_TOO
    return found in _DETOURS and not is_method and not isinstance(node, ast.Constant)


def _plain(name: str) -> str:
    return name.strip("_").lower()
