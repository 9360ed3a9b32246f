"""Widgets of `13_diffusion`. Each is one phenomenon; with your function, it draws yours.

What yours is drawn against is exact: for the data sets here the best guess of the noise is known.
"""

from collections.abc import Callable
from typing import Any

from ..standin import free_when_grading


@free_when_grading
def time(q_sample: Callable[..., Any] | None = None) -> Any:
    """The time slider: points and digits into noise, and back along the exact field.

    q_sample: yours, called as q_sample(x0 (400, 2), t (400,), noise (400, 2), alpha_bar (101,)).
    """
    from . import film

    return film.widget(q_sample)


@free_when_grading
def schedules(
    linear_betas: Callable[..., Any] | None = None,
    alpha_bar_of: Callable[..., Any] | None = None,
    cosine_alpha_bar: Callable[..., Any] | None = None,
) -> Any:
    """Signal and noise over t, by schedule. With yours, called as in the exercises."""
    from . import schedule

    return schedule.panel(linear_betas, alpha_bar_of, cosine_alpha_bar)


@free_when_grading
def guess(
    predict_x0: Callable[..., Any] | None = None, one_step: Callable[..., Any] | None = None
) -> Any:
    """What the best guess of the noise says of the data, from clear to hopeless.

    predict_x0: yours, called as predict_x0(xt (400, 2), t (400,), eps (400, 2), alpha_bar (101,));
    one_step: yours, called as one_step(model, xT (400, 2), 100).
    """
    from . import origins

    return origins.panel(predict_x0, one_step)


@free_when_grading
def clock(time_embedding: Callable[..., Any] | None = None) -> Any:
    """The time as many numbers, and which times are alike. Yours: time_embedding(t (101,), d)."""
    from . import hands

    return hands.panel(time_embedding)


@free_when_grading
def lab(
    net: Callable[[], Any] | None = None, diffusion_loss: Callable[..., Any] | None = None
) -> Any:
    """A net learns the field of two moons (and of other data) while you look on.

    net() makes one, called as net(x (n, 2), t (n,)); diffusion_loss: yours, called as
    diffusion_loss(net, x0 (256, 2), alpha_bar (101,), generator).
    """
    from . import training

    return training.widget(net, diffusion_loss)


@free_when_grading
def paths(*steps: Callable[..., Any]) -> Any:
    """From noise to data in many steps, few, or one.

    steps: your `ddpm_step`, called as (xt, t, eps, noise, alpha_bar), or `ddim_step`, called as
    (xt, t, s, eps, alpha_bar), on points (400, 2).
    """
    from . import walks

    return walks.panel(steps)


@free_when_grading
def guidance(guided_noise: Callable[..., Any] | None = None) -> Any:
    """Samples of one of three classes, with more and more guidance.

    guided_noise: yours, called as guided_noise(cond (300, 2), uncond (300, 2), w).
    """
    from . import classes

    return classes.panel(guided_noise)


@free_when_grading
def digits(
    diffusion_loss: Callable[..., Any] | None = None,
    guided_noise: Callable[..., Any] | None = None,
) -> Any:
    """Digits of your choice, from a net trained here with your loss and steered by your guidance.

    diffusion_loss: called as diffusion_loss(model, x0 (128, 64), alpha_bar (101,), generator);
    guided_noise: called as guided_noise(cond (16, 64), uncond (16, 64), w).
    """
    from . import handwriting

    return handwriting.panel(diffusion_loss, guided_noise)
