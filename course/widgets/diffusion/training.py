"""A net that learns the field while one looks on, some milliseconds of training a picture.

Source: Minhas, "Diffusion Models" (the objective); Ho et al. (2020).
"""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from .. import student
from ..panel import State, choice, preset, seed
from . import exact, film

MOST, SIZE, LR = 2000, 256, 0.01
SLICE = 0.030  # seconds of training a picture; the rest of a 60th of a minute is for drawing
CLOUD, EVERY = 300, 5  # points, and steps of the walk back while the net trains
ARROWS = {"both": "net and exact", "net": "net", "exact": "exact"}


@lru_cache(maxsize=8)
def floor(name: str) -> float:
    """The loss of the exact field, which no net can beat on average."""
    alpha_bar, generator = exact.straight(film.T), torch.Generator().manual_seed(0)
    mixture = exact.SETS[name]()
    model, total = mixture.model(alpha_bar), 0.0
    path = exact.spread_out(mixture.draw(400, generator), alpha_bar, generator)
    for t in range(1, film.T + 1):
        noise = (path[t] - alpha_bar[t].sqrt() * path[0]) / (1 - alpha_bar[t]).sqrt()
        told = model(path[t], torch.full((len(noise),), t))
        total += float((told - noise).square().mean())
    return total / film.T


class Trainer:
    """`make()` makes a net called as net(x (n, 2), t (n,)); `loss` is the student's."""

    def __init__(
        self, make: Callable[[], nn.Module] | None, loss: Callable[..., Any] | None
    ) -> None:
        self._make, self._loss = make, loss
        self._alpha_bar = exact.straight(film.T)
        self._key: tuple[str, int] | None = None
        self.note = ""

    def reset(self, state: State) -> None:
        """A new net, its weights and all else drawn from the seed; nothing learnt yet."""
        self._key = (state["data"], int(state["seed"]))
        self.losses: list[float] = []
        self.net, self.note = None, ""
        self._generator = torch.Generator().manual_seed(self._key[1])
        self._data = exact.SETS[self._key[0]]().draw(2000, self._generator)
        self._noise = torch.randn(film.POINTS, 2, generator=self._generator)
        if self._make is None or self._loss is None:
            return
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._key[1])
            net, self.note = self._made()
        if net is not None:
            self.net = net
            self._adam = torch.optim.Adam(net.parameters(), LR)

    def _made(self) -> tuple[Any, str]:
        assert self._make is not None
        try:
            net = self._make()
            film.field(net, 1)
        except NotImplementedError as error:
            return None, f"Not written yet: {str(error).split(':')[0] or 'a part of the net'}."
        except Exception as error:
            return None, f"The net stopped with {type(error).__name__}: {str(error)[:120]}"
        got, note = student.call(self._loss_of(net), self._data[:8], shape=())
        return (net, "") if got is not None and not note else (None, note)

    def _loss_of(self, net: nn.Module) -> Callable[[Tensor], Any]:
        assert self._loss is not None
        given = self._loss

        def value(batch: Tensor) -> Any:
            return given(net, batch, self._alpha_bar, self._generator)

        value.__name__ = student.name_of(given)
        return value

    def ready(self, state: State) -> None:
        """Begin anew where data or seed are others than before."""
        if self._key != (state["data"], int(state["seed"])):
            self.reset(state)

    def frame(self, state: State, t: int) -> tuple[dict[str, Any], Tensor, Tensor]:
        """A slice of training; then what is new, the cloud at t, and the net's field there."""
        self.ready(state)
        begun, new = time.perf_counter(), []
        while (
            self.net is not None and len(self.losses) < MOST and time.perf_counter() - begun < SLICE
        ):
            new.append(self._step(self.net))
            self.losses.append(new[-1])
        t = max(0, min(film.T, t))
        if self.net is None:
            arrows = torch.zeros(film.CELLS**2, 2)
            cloud = self._noise[:CLOUD]
        else:
            path = exact.flow(self.net, self._noise[:CLOUD], self._alpha_bar, EVERY)
            cloud, arrows = path[(film.T - t) // EVERY], film.field(self.net, max(t, 1))
        done = self.net is None or len(self.losses) >= MOST
        told = {"new": new, "steps": len(self.losses), "done": done, "note": self.note, "t": t}
        return told, cloud, arrows

    def _step(self, net: nn.Module) -> float:
        for group in self._adam.param_groups:
            group["lr"] = LR * (1 - len(self.losses) / MOST)
        rows = torch.randint(len(self._data), (SIZE,), generator=self._generator)
        told = self._loss_of(net)(self._data[rows])

        def again() -> Tensor:
            self._adam.zero_grad()
            told.backward()
            return told

        self._adam.step(again)
        return told.item()

    def whole(self, state: State) -> dict[str, Any]:
        """The film of the net as it is now: see `film.compute`, with `yours` and `losses`."""
        self.ready(state)
        exactly = exact.SETS[state["data"]]()
        model = exactly.model(self._alpha_bar) if self.net is None else self.net
        points = exact.flow(model, self._noise, self._alpha_bar).flip(0)
        fresh = exactly.draw(film.POINTS, torch.Generator().manual_seed(10_000))
        fields = None
        if self.net is not None:
            fields = torch.stack([film.field(model, max(t, 1)) for t in range(film.T + 1)])
        return {
            "points": points,
            "field": film._fields(state["data"]),
            "yours": fields,
            "far": [exact.distance(p.nan_to_num(), fresh) for p in points],
            "share": self._alpha_bar.tolist(),
            "note": self.note,
            "losses": [round(v, 4) for v in self.losses],
            "floor": floor(state["data"]),
        }


PRESETS = [
    preset(
        "moons",
        "train: which arrows turn first, those far out or those between the moons?",
        data="moons",
        arrows="both",
        seed=0,
    ),
    preset(
        "almost home",
        "a ring. Drag the time to 1, then train: which arrows does the net learn last?",
        data="ring",
        arrows="net",
    ),
    preset("two points", "can the net be as sharp as the exact field half-way?", data="two points"),
    preset("five clusters", "does the loss fall further than for the moons? Why?", data="clusters"),
    preset("another start", "another seed: do the arrows agree in the end?", seed=7),
]


def widget(net: Callable[[], nn.Module] | None, loss: Callable[..., Any] | None) -> film.Film:
    """The training; see `widgets.diffusion.lab`."""
    trainer = Trainer(net, loss)
    return film.Film(
        "A net learns the way back",
        trainer.whole,
        [
            choice("data", "data", "moons", film.DATA),
            choice("arrows", "arrows", "both", ARROWS),
            seed(),
        ],
        PRESETS,
        begin=40,
        trainer=trainer,
    )
