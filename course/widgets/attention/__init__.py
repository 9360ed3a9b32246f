"""Widgets of `09_attention`. Each is one phenomenon; with your function, it draws yours.

What yours is drawn against is torch's own attention, or a sum written out. In every mask True
means: may look.
"""

from collections.abc import Callable
from typing import Any

from ..standin import free_when_grading


@free_when_grading
def pulls(f: Callable[..., Any] | None = None) -> Any:
    """A query, five keys and their values in the plane: each value pulls with its key's share.

    f: yours, drawn as a ring: rbf_attention(q, keys, theta) with q (1, 2), keys (5, 2), or, under
    another name, f(q, k, v, kernel, mask) with v (5, 2) and mask (1, 5).
    """
    from . import plane

    return plane.Pulls(f)


@free_when_grading
def sentence(
    scaled_dot_product_attention: Callable[..., Any] | None = None,
    causal_mask: Callable[..., Any] | None = None,
) -> Any:
    """The attention matrix of a sentence, by four heads made by hand, and one word's row of it.

    With yours, called as scaled_dot_product_attention(q, k, v, mask) with q, k (9, d), v (9, 9) and
    a mask (9, 9) or None, and as causal_mask(9).
    """
    from . import words

    return words.panel(scaled_dot_product_attention, causal_mask)


@free_when_grading
def positions(positional_encoding: Callable[..., Any] | None = None) -> Any:
    """Sines and cosines for each place, and how alike one place is to the others.

    positional_encoding: yours, called as positional_encoding(48, d).
    """
    from . import places

    return places.panel(positional_encoding)


@free_when_grading
def patches(patchify: Callable[..., Any] | None = None) -> Any:
    """Patches of a noisy digit that look at each other, and the digit made of what they find.

    patchify: yours, called as patchify(images (1, 1, 8, 8), p).
    """
    from . import mosaic

    return mosaic.panel(patchify)


@free_when_grading
def machine(train: Callable[..., Any] | None = None) -> Any:
    """The four states of a next-token table, and a GPT's way into them as it learns.

    train: as in the notebook, called as train(table (4, 3), seed); returns (times, 4, 2).
    """
    from . import states

    return states.panel(train)
