"""The game of the GAN lab: two players who take turns, with steps of ours or of the student's.

Ours go uphill on what a player wants, by `torch.distributions`; a student's are called with nets,
optimisers and losses as in the exercises. Whatever goes wrong in theirs becomes one calm sentence.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli

from .. import student
from .scenes import COLUMNS, NOISE, SCENES, Labelled

SHOWN, ARROWS, CELLS = 400, 80, 40
BOX = {"coin": (-0.3, 1.3, -3.0, 3.0)}
PLANE = (-3.2, 3.2, -3.2, 3.2)
ROWS, EXAMPLES = 6, 3  # of digits: made, and real


@dataclass(frozen=True)
class Yours:
    """The student's functions and classes, each or none of them."""

    d_step: Callable[..., Any] | None = None
    g_step: Callable[..., Any] | None = None
    discriminator_loss: Callable[..., Any] | None = None
    generator_loss: Callable[..., Any] | None = None
    players: Callable[..., Any] | None = None
    generator: Callable[..., Any] | None = None


def agreement(logits: Tensor, real: float) -> Tensor:
    """Mean log-probability that D gives to the label `real` (1 or 0)."""
    label = torch.full_like(logits, real)
    return Bernoulli(logits=logits, validate_args=False).log_prob(label).mean()


def climb(net: nn.Module, rule: torch.optim.Optimizer, score: Tensor) -> float:
    """One step of `net` up its score; returns the score with its sign turned."""
    weights = list(net.parameters())
    for weight, slope in zip(weights, torch.autograd.grad(score, weights), strict=True):
        weight.grad = -slope
    rule.step()
    return -float(score.detach())


class Game:
    """One game from its seed on. `note` says what the student should hear, or nothing."""

    def __init__(self, data: str, seed: int, yours: Yours) -> None:
        self.note, self._yours = "", yours
        self._generator = torch.Generator().manual_seed(seed)
        self.scene = SCENES[data](self._generator)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.D, self.G = self.scene.nets()
            self._dress(data)
        d_rate, g_rate = self.scene.rates
        self._d_optimiser, self._g_optimiser = (
            torch.optim.Adam(net.parameters(), rate, betas=(0.5, 0.99), eps=1e-4, fused=True)
            for net, rate in ((self.D, d_rate), (self.G, g_rate))
        )
        self.rounds = 0
        self.losses = [math.nan, math.nan]
        self._watched = self._fixed_noise()
        self.history = [self.scene.measure(self.made())]

    def _dress(self, data: str) -> None:
        """The student's nets in place of ours, where there are some and they fit."""
        if data == "digits" and self._yours.generator is not None:
            self.G = self._tried(self._yours.generator, self._their_generator) or self.G
        elif data in ("ring", "rare") and self._yours.players is not None:
            self.D, self.G = self._tried(self._yours.players, self._their_players) or (
                self.D,
                self.G,
            )

    def _their_generator(self) -> nn.Module:
        theirs = self._yours.generator(NOISE, COLUMNS, 128, 64)  # type: ignore[misc]
        made = Labelled(lambda z: theirs(z[:, :NOISE], z[:, NOISE:].argmax(1)))
        made.theirs = theirs
        _expect("what it makes of 3 rows", made(torch.zeros(3, NOISE + COLUMNS)), (3, 74))
        return made

    def _their_players(self) -> tuple[nn.Module, nn.Module]:
        D, G = self._yours.players()  # type: ignore[misc]
        _expect("G of 3 rows", G(torch.zeros(3, 2)), (3, 2))
        _expect("D of 3 points", D(torch.zeros(3, 2)), (3, 1))
        return D, G

    def _tried(self, f: Callable[..., Any], run: Callable[[], Any]) -> Any:
        """What `run` returns, or None where the student's `f` fails; then ours play on."""
        name = student.name_of(f)
        try:
            return run()
        except NotImplementedError:
            self.note = f"`{name}` is not written yet: ours is playing."
        except Exception as problem:
            said = next(iter(str(problem).splitlines()), "")[:120]
            self.note = (
                f"Your `{name}` stopped with {type(problem).__name__}: {said} Ours is playing."
            )
        return None

    # Playing --------------------------------------------------------------------------------------

    def _batch(self) -> Tensor:
        x = self.scene.x
        return x[torch.randint(len(x), (self.scene.batch,), generator=self._generator)]

    def _noise(self) -> Tensor:
        return self.scene.noise(self.scene.batch, self._generator)

    def step(self, who: str, saturating: bool) -> None:
        """One step of "D" or of "G"."""
        x, z, yours = self._batch(), self._noise(), self._yours
        f = yours.d_step if who == "D" else yours.g_step
        value = None
        if f is not None and not self.note:

            def run() -> float:
                if who == "D":
                    return float(f(self.D, self.G, self._d_optimiser, self._d_loss, x, z))
                loss = self._g_loss(saturating)
                return float(f(self.D, self.G, self._g_optimiser, loss, z))

            value = self._tried(f, run)
        if value is None:
            value = self._our_step(who, saturating, x, z)
        self.losses["DG".index(who)] = value

    def _our_step(self, who: str, saturating: bool, x: Tensor, z: Tensor) -> float:
        if who == "G":
            return climb(self.G, self._g_optimiser, -self._g_loss(saturating)(self.D(self.G(z))))
        return climb(self.D, self._d_optimiser, -self._d_loss(self.D(x), self.D(self.G(z))))

    def _d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        value = self._loss(self._yours.discriminator_loss, real, fake)
        return -agreement(real, 1.0) - agreement(fake, 0.0) if value is None else value

    def _g_loss(self, saturating: bool) -> Callable[[Tensor], Tensor]:
        def loss(fake: Tensor) -> Tensor:
            value = self._loss(self._yours.generator_loss, fake, saturating)
            if value is not None:
                return value
            return agreement(fake, 0.0) if saturating else -agreement(fake, 1.0)

        return loss

    def _loss(self, f: Callable[..., Any] | None, *args: Any) -> Tensor | None:
        """What the student's loss says, or None."""
        if f is None or self.note:
            return None

        def run() -> Tensor:
            value = f(*args)
            _expect("a loss", value, ())
            return value

        return self._tried(f, run)

    def round(self, d_steps: int, g_steps: int, saturating: bool) -> None:
        """So many steps of D, then of G."""
        for _ in range(d_steps):
            self.step("D", saturating)
        for _ in range(g_steps):
            self.step("G", saturating)
        self.rounds += 1
        self.history.append(self.scene.measure(self.made()))

    def play(self, seconds: float, d_steps: int, g_steps: int, saturating: bool) -> None:
        """Rounds until the time is up; one at least."""
        until = time.perf_counter() + seconds
        while True:
            self.round(d_steps, g_steps, saturating)
            if time.perf_counter() > until:
                return

    # Looking --------------------------------------------------------------------------------------

    def _fixed_noise(self) -> Tensor:
        """Noise for what is shown: always the same, so that one sees points move."""
        generator = torch.Generator().manual_seed(12)
        if self.scene.name == "digits":
            z = torch.randn(ROWS, 1, NOISE, generator=generator).expand(ROWS, COLUMNS, NOISE)
            kinds = torch.eye(COLUMNS).expand(ROWS, COLUMNS, COLUMNS)
            return torch.cat([z, kinds], -1).flatten(0, 1)
        return self.scene.noise(SHOWN, generator)

    def made(self) -> Tensor:
        """What G makes of the noise that is always the same."""
        with torch.no_grad():
            return self.G(self._watched)

    def box(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of the plane that is shown."""
        return BOX.get(self.scene.name, PLANE)

    def field(self) -> Tensor:
        """D's probability of *real* on a grid over the box, top row first: (CELLS, CELLS)."""
        left, right, bottom, top = self.box()
        across = torch.linspace(left, right, CELLS)
        with torch.no_grad():
            if self.scene.name == "coin":
                return torch.sigmoid(self.D(across[:, None])).T.expand(CELLS, CELLS)
            down = torch.linspace(top, bottom, CELLS)
            points = torch.stack(torch.meshgrid(down, across, indexing="ij")[::-1], -1)
            return torch.sigmoid(self.D(points.flatten(0, 1))).view(CELLS, CELLS)

    def arrows(self, saturating: bool) -> Tensor:
        """Where the loss of G falls, from the first points: minus its gradient by point."""
        points = self.made()[:ARROWS].requires_grad_()
        loss = self._g_loss(saturating)(self.D(points))
        return -len(points) * torch.autograd.grad(loss, points)[0]

    def examples(self) -> Tensor:
        """Some real ones as they are shown: points (n, 2), a coin's at any height; or images."""
        x = self.scene.x
        if self.scene.name == "digits":
            kinds = x[:, 64:].argmax(1)
            rows = [(kinds == k).nonzero()[:EXAMPLES, 0] for k in range(COLUMNS)]
            return x[torch.stack(rows, 1).flatten(), :64]
        if self.scene.name == "coin":
            return torch.cat([x[:SHOWN], torch.linspace(-3, 3, SHOWN)[:, None]], 1)
        return x[:SHOWN]

    def look(self, saturating: bool, values: int) -> dict[str, Tensor]:
        """What is shown now. history: (lines, some `values`), evenly over all rounds.

        In the plane field (CELLS, CELLS), points (n, 2) and arrows (ARROWS, 2); of digits points
        are images (ROWS * COLUMNS, 64), and there is neither field nor arrows.
        """
        every = torch.linspace(0, self.rounds, min(values, self.rounds + 1)).round().long()
        history = torch.tensor([self.history[i] for i in every]).T
        made, none = self.made(), torch.zeros(0)
        if self.scene.name == "digits":
            return {"field": none, "points": made[:, :64], "arrows": none, "history": history}
        arrows = self.arrows(saturating)
        if self.scene.name == "coin":
            made = torch.cat([made, self._watched], 1)
            arrows = torch.cat([arrows, torch.zeros_like(arrows)], 1)
        return {"field": self.field(), "points": made, "arrows": arrows, "history": history}

    def caption(self) -> str:
        """One sentence with numbers."""
        said = self.scene.said(self.history[-1])
        losses = [
            f"{name} loses {v:.2f}" for name, v in zip("DG", self.losses, strict=True) if v == v
        ]
        after = f"After {self.rounds} round{'s' * (self.rounds != 1)}"
        return " ".join(
            filter(None, [self.note, f"{after}: {said}{''.join('; ' + t for t in losses)}."])
        )


def _expect(what: str, got: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(got, Tensor) or tuple(got.shape) != shape:
        found = tuple(got.shape) if isinstance(got, Tensor) else type(got).__name__
        raise ValueError(f"expected shape {shape} for {what}, got {found}.")
