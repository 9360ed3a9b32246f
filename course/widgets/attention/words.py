"""The attention matrix of a sentence, by heads made by hand, and one word's row of it.

Nothing here was learned: each head's queries and keys are written down so that they can be read.
Source: Minhas, "Learnable Attention as (asymmetric, non-Mercer) kernel transformations",
"Multi-headed Attention", "Key Components".
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import one_hot
from torch.nn.functional import scaled_dot_product_attention as torch_attention

from .. import student
from ..panel import Panel, State, choice, preset, said, slider
from ..picture import Arrays, Update
from ..style import Style

WORDS = ("the", "cat", "chased", "the", "mouse", "because", "it", "was", "hungry")
N = len(WORDS)
ARTICLE, NOUN, VERB, LINK, PRONOUN, ADJECTIVE = range(6)
KINDS = torch.tensor([ARTICLE, NOUN, VERB, ARTICLE, NOUN, LINK, PRONOUN, VERB, ADJECTIVE])
WHO_ASKS_FOR = {  # what each kind of word looks for, in the head "whom does it mean?"
    ARTICLE: [NOUN],
    NOUN: [VERB],
    VERB: [NOUN, PRONOUN],
    LINK: [VERB],
    PRONOUN: [NOUN],
    ADJECTIVE: [NOUN, PRONOUN],
}
HEADS = {
    "kind": "its own kind of word",
    "before": "the word before",
    "meant": "who is meant?",
    "untrained": "untrained: at random",
}
MASKS = {
    "all": "may look everywhere",
    "back": "may not look ahead",
    "past": "may look back only",
}
generate_square_subsequent_mask = torch.nn.Transformer.generate_square_subsequent_mask
LOUD = 4.0  # a score of 4 at sharpness 1, where a key is what was asked for


def head(name: str) -> tuple[Tensor, Tensor]:
    """Queries and keys (9, d) of a head, such that q . k / sqrt(d) is its score."""
    kinds, places = one_hot(KINDS, 6).double(), one_hot(torch.arange(N), N).double()
    if name == "untrained":
        generator = torch.Generator().manual_seed(3)
        x = torch.randn(N, 16, generator=generator, dtype=torch.float64)
        x[3] = x[0]  # both are "the"
        w = torch.randn(2, 16, 16, generator=generator, dtype=torch.float64) / 4
        return x @ w[0], x @ w[1]
    if name == "kind":
        q, k = kinds, kinds
    elif name == "before":
        q, k = torch.cat([torch.zeros(1, N, dtype=torch.float64), places[:-1]]), places
    else:
        q = torch.stack([kinds.new_zeros(6).index_fill(0, torch.tensor(WHO_ASKS_FOR[int(i)]), 1.0)
                         for i in KINDS])  # fmt: skip
        k = kinds
    return LOUD * q.shape[1] ** 0.5 * q, k


def mask(name: str, causal: Tensor) -> Tensor | None:
    """What each word may look at; `causal` is what "may not look ahead" means here."""
    if name == "all":
        return None
    return causal if name == "back" else causal & ~torch.eye(N, dtype=torch.bool)


def compute(
    state: State,
    attention: Callable[..., Any] | None = None,
    causal_mask: Callable[..., Any] | None = None,
) -> dict[str, Any]:
    """Weights of every word, and of the one chosen.

    state: head, mask, sharpness, word (1 to 9). Returns weights (9, 9), row (9,), truth (9,), seen
    (9, 9), note.
    """
    causal, notes = generate_square_subsequent_mask(N) == 0, []
    if causal_mask is not None and state["mask"] != "all":
        got, note = student.call(causal_mask, N, shape=(N, N))
        if got is not None and not note:
            wrong = int(((got != 0) != causal).sum())
            verdict = f"differs from the causal mask in {wrong} places" if wrong else "is causal"
            note = f"Your `{student.name_of(causal_mask)}` {verdict}."
            causal = got != 0
        notes.append(note.replace(": the dashed line is what it should do", ""))
    q, k = head(state["head"])
    q, seen = q * state["sharpness"], mask(state["mask"], causal)
    # One-hot values: what comes out are the weights themselves.
    v = torch.eye(N, dtype=torch.float64)
    truth = torch_attention(q, k, v, attn_mask=seen)
    weights = truth
    if attention is not None:
        got, note = student.against(truth, attention, q, k, v, seen)
        note = note.replace("the dashed line is what it", "the dashed bars are what it")
        note = note.replace("lies on the dashed line", "agrees with the dashed bars")
        notes.append(note.replace("the dashed line", "the dashed bars"))
        weights = torch.zeros_like(truth) if got is None else got.nan_to_num(0.0, 0.0, 0.0)
    i = int(state["word"]) - 1
    return {
        "weights": weights,
        "row": weights[i],
        "truth": truth[i],
        "seen": torch.ones(N, N, dtype=torch.bool) if seen is None else seen,
        "word": i,
        "note": said(*notes),
    }


def draw(figure: Figure, style: Style) -> Update:
    """Who looks at whom (all words), and the row of the word that was chosen."""
    table, bars = style.axes(figure, ["who looks at whom", "the row of one word"], (5, 4))
    table.grid(False)
    for ax in (table, bars):
        ax.set_yticks(range(1, N + 1), [f"{w} {i + 1}" for i, w in enumerate(WORDS)])
    table.set_xticks(range(1, N + 1), WORDS, rotation=45, ha="right", rotation_mode="anchor")
    box = (0.5, N + 0.5, N + 0.5, 0.5)
    image = table.imshow(
        np.zeros((N, N, 4)), aspect="auto", interpolation="nearest", extent=box, animated=True
    )
    table.set(xlim=box[:2], ylim=box[2:], ylabel="looks", xlabel="at")
    crosses = table.plot([], [], "x", color=style.muted, ms=5, animated=True)[0]
    frame = table.plot([], [], color=style.orange, lw=2.2, animated=True)[0]
    bars.set(xlim=(0, 1.04), ylim=box[2:], xlabel="weight")
    at, none = range(1, N + 1), [0.0] * N
    mine = bars.barh(at, none, 0.5, color=style.blue, animated=True)
    true = bars.barh(at, none, 0.76, fill=False, ec=style.ink, ls="--", lw=1.1, animated=True)
    shade = [int(style.blue[i : i + 2], 16) / 255 for i in (1, 3, 5)]

    def update(a: Arrays) -> None:
        weights = a["weights"].clamp(0, 1).numpy()
        image.set_data(np.dstack([*(np.full((N, N), c) for c in shade), weights]))
        rows, columns = np.nonzero(~a["seen"].numpy())
        crosses.set_data(columns + 1, rows + 1)
        left, right, low, high = 0.55, N + 0.45, a["word"] + 0.55, a["word"] + 1.45
        frame.set_data([left, right, right, left, left], [low, low, high, high, low])
        for bar, value in zip(mine, a["row"].tolist(), strict=True):
            bar.set_width(value)
        for bar, value in zip(true, a["truth"].tolist(), strict=True):
            bar.set_width(value)

    return update


def caption(_state: State, a: Arrays) -> str:
    """Where the word looks, most first."""
    row, i = a["row"], a["word"]
    total = float(row.sum())
    if total == 0:
        looks = "looks at nothing: its row is 0, and so is its output"
    else:
        order = row.argsort(descending=True, stable=True)[:3].tolist()
        tops = ", ".join(
            f"{WORDS[j]} {j + 1} ({float(row[j]):.0%})" for j in order if row[j] >= 0.01
        )
        looks = f"looks most at {tops}; its row sums to {total:.2f}"
    sentence = f"Word {i + 1}, “{WORDS[i]}”, {looks}."
    return said(a["note"], sentence)


def _preset(name: str, ask: str, head: str, word: int, mask: str = "all") -> dict[str, Any]:
    return preset(name, ask, head=head, mask=mask, sharpness=1.0, word=word)


PRESETS = [
    _preset(
        "its own kind",
        "two words of this sentence are nouns: how much does each get from the other, and "
        "where does “because” look?",
        "kind",
        2,
    ),
    _preset(
        "what does “it” mean?", "“it” looks for nouns. Do the nouns look for “it”?", "meant", 7
    ),
    _preset(
        "not ahead",
        "the same head, but nobody may look ahead: what becomes of words that found "
        "something there only?",
        "meant",
        2,
        "back",
    ),
    _preset(
        "back only",
        "now not even at oneself: what can the first word look at, and what is its row?",
        "before",
        1,
        "past",
    ),
    _preset(
        "untrained",
        "queries and keys by random matrices: make it blunt, then sharp. Does either look like "
        "meaning?",
        "untrained",
        7,
    ),
]


def panel(attention: Callable[..., Any] | None, causal_mask: Callable[..., Any] | None) -> Panel:
    """The attention matrix; see `widgets.attention.sentence`."""
    first = 0 if causal_mask is None else 2  # with a mask of yours, where it is used
    return Panel(
        "Who looks at whom",
        compute,
        draw,
        caption,
        [
            choice("head", "the head looks for", "kind", HEADS),
            choice("mask", "a word", "all", MASKS),
            slider("sharpness", "sharpness", 1.0, 0.0, 3.0, 0.1),
            slider("word", "word", 2, 1, N, 1),
        ],
        [PRESETS[first], *PRESETS[:first], *PRESETS[first + 1 :]],
        given=(attention, causal_mask),
        drag=[{"axes": 0, "y": "word"}, {"axes": 1, "y": "word"}],
    )
