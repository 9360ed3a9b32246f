"""What a student's function uses, read from its syntax tree."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

_FOR = (ast.For, ast.AsyncFor, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def uses(f: Callable, names: set[str]) -> tuple[str, int] | None:
    """The first of `names` that `f` uses from a library, and the line, or None.

    Follows the functions written in the notebook that `f` calls. Counts attributes (`torch.relu`,
    `z.relu()`), imports (`from torch import relu as r`), `getattr(torch, "relu")`, and a global
    that is a library's function of that name (`r = torch.relu` in another cell). A name that is a
    function or a class of the notebook itself does not count. A loop counts as "for", "while" or
    "map".
    """
    for function in _reachable(f):
        tree = _parse(function)
        if tree is None:
            continue
        for node in ast.walk(tree):
            name = _named(node) or loop(node) or _global(node, function)
            if name in names:
                return name, getattr(node, "lineno", 1)
    return None


def loop(node: ast.AST) -> str | None:
    """The word for what a node does again and again, or None."""
    if isinstance(node, _FOR):
        return "for"
    if isinstance(node, ast.While):
        return "while"
    return "map" if isinstance(node, ast.Name) and node.id == "map" else None


def _named(node: ast.AST) -> str | None:
    """The name that a node takes from a library, as far as the node alone tells."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.alias):
        return node.name.split(".")[-1]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
        key = node.args[1] if len(node.args) > 1 else None
        return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
    return None


def _global(node: ast.AST, function: FunctionType) -> str | None:
    """The library's own name of a function that the notebook has under some name."""
    value = function.__globals__.get(node.id) if isinstance(node, ast.Name) else None
    if callable(value) and not _from_notebook(value, function):
        return getattr(value, "__name__", None)
    return None


def _reachable(f: Callable) -> Iterator[FunctionType]:
    """`f` and the notebook's own functions and methods that it mentions, each once."""
    waiting: list[Any] = [inspect.unwrap(f)]
    seen: set[Any] = set()
    while waiting:
        function = waiting.pop()
        if not isinstance(function, (FunctionType, type)) or function in seen:
            continue
        seen.add(function)
        if isinstance(function, type):
            waiting += function.__dict__.values()
            continue
        yield function
        for name in _global_names(function):
            value = function.__globals__.get(name)
            if _from_notebook(value, function):
                waiting.append(value)


def _global_names(function: FunctionType) -> set[str]:
    tree = _parse(function)
    return set() if tree is None else {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


def _from_notebook(value: object, function: FunctionType) -> bool:
    if isinstance(value, type):
        return value.__module__ == function.__globals__.get("__name__")
    return isinstance(value, FunctionType) and value.__globals__ is function.__globals__


def _parse(function: FunctionType) -> ast.AST | None:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError):
        return None  # typed at a prompt, or a lambda within a longer line: nothing to read
