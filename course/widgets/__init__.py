"""Widgets by topic: `from course import widgets`, then `widgets.activations.explorer()`.

Topics are imported when first used, so a graded notebook pays nothing for them.
"""

from importlib import import_module
from types import ModuleType

TOPICS = (
    "activations",
    "attention",
    "backprop",
    "cnn",
    "diffusion",
    "gan",
    "gnn",
    "sgd",
    "softmax",
)


def __getattr__(name: str) -> ModuleType:
    if name in TOPICS:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"there are no widgets named {name!r}; there are: {', '.join(TOPICS)}")


def __dir__() -> list[str]:
    return sorted(TOPICS)
