"""Widgets of `12_gan`. Each is one phenomenon; with your function, it draws yours."""

from collections.abc import Callable
from typing import Any

from ..standin import free_when_grading


@free_when_grading
def lab(
    d_step: Callable[..., Any] | None = None,
    g_step: Callable[..., Any] | None = None,
    discriminator_loss: Callable[..., Any] | None = None,
    generator_loss: Callable[..., Any] | None = None,
    players: Callable[..., Any] | None = None,
) -> Any:
    """The GAN lab: a game to play, pause, and step player by player. With yours, they play.

    Called as in the exercises: d_step(D, G, optimiser, loss, x, z), g_step(D, G, optimiser, loss,
    z), discriminator_loss(real_logits, fake_logits), generator_loss(fake_logits, saturating),
    players() -> (D, G).
    """
    from . import laboratory
    from .game import Yours

    return laboratory.lab(Yours(d_step, g_step, discriminator_loss, generator_loss, players))


@free_when_grading
def digits(
    ConditionalGenerator: Callable[..., Any] | None = None,
    d_step: Callable[..., Any] | None = None,
    g_step: Callable[..., Any] | None = None,
    discriminator_loss: Callable[..., Any] | None = None,
    generator_loss: Callable[..., Any] | None = None,
) -> Any:
    """Handwritten digits to order, one column a class, while the players learn.

    ConditionalGenerator: yours, called as ConditionalGenerator(16, 10, 128, 64), then with noise
    (n, 16) and classes (n,). The others as for `lab`.
    """
    from . import laboratory
    from .game import Yours

    losses = discriminator_loss, generator_loss
    return laboratory.digits(Yours(d_step, g_step, *losses, generator=ConditionalGenerator))


@free_when_grading
def inverse(inverse_transform: Callable[..., Any] | None = None) -> Any:
    """Inverse transform sampling: noise, a quantile function, samples.

    inverse_transform: yours, called as inverse_transform(u (n,), quantile (k,)).
    """
    from . import quantiles

    return quantiles.panel(inverse_transform)


@free_when_grading
def slopes(
    generator_loss: Callable[..., Any] | None = None,
    generator_slope: Callable[..., Any] | None = None,
) -> Any:
    """The generator's two losses and their slopes, by D's logit.

    Yours are called with one logit (1,) and `saturating`.
    """
    from . import slope

    return slope.panel(generator_loss, generator_slope)


@free_when_grading
def coin(coin_gan: Callable[..., Any] | None = None) -> Any:
    """A coin learned from its tosses: G's curve, and its share of heads round by round.

    coin_gan: yours, called as coin_gan(x (1024, 1), z (201, 1), seed).
    """
    from . import tosses

    return tosses.panel(coin_gan)


@free_when_grading
def distances(
    emd_1d: Callable[..., Any] | None = None, mmd_rbf: Callable[..., Any] | None = None
) -> Any:
    """Made samples slide past real ones: earth mover's distance and MMD.

    Yours are called as emd_1d(a (200,), b (200,)) and mmd_rbf(a (200, 1), b (200, 1), sigma).
    """
    from . import apart

    return apart.panel(emd_1d, mmd_rbf)
