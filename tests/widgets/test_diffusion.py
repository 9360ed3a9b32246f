"""Is what the widgets of `13_diffusion` show right, and do they survive any student's function?"""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from course import widgets
from course.widgets.diffusion import (
    classes,
    exact,
    film,
    hands,
    handwriting,
    origins,
    schedule,
    training,
    walks,
)

MAKERS = ["time", "schedules", "guess", "clock", "lab", "paths", "guidance", "digits"]
STATIC = Path(film.__file__).parent.parent / "static"


def unwritten(*_args):
    raise NotImplementedError("to be written")


def broken(*_args):
    return [][1]


def nothing(*_args):
    pass


class Net(nn.Module):
    """A net so small that a few steps of training change it."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 16), nn.SiLU(), nn.Linear(16, 2))

    def forward(self, x, t):
        return self.layers(torch.cat([x, t[:, None] / 100], 1))


def rotated(model, x0, alpha_bar, generator):
    """A training loss in another form than the lesson's: signal and noise by an angle."""
    t = torch.randint(1, len(alpha_bar), (len(x0),), generator=generator)
    noise = torch.empty_like(x0).normal_(generator=generator)
    angle = alpha_bar[t].sqrt().acos()[:, None]
    return nn.functional.mse_loss(model(angle.cos() * x0 + angle.sin() * noise, t), noise)


@pytest.mark.parametrize("name", MAKERS)
def test_has_each_widget_presets_that_ask_and_show_something_of_their_own(name):
    made = getattr(widgets.diffusion, name)()
    first, seen = made.presets[0]["state"], set()
    assert 3 <= len(made.presets) <= 5
    assert len(made.controls) <= 4
    for preset in made.presets:
        assert "?" in preset["ask"]
        made.state = first | preset["state"]
        assert preset["state"].items() <= made.state.items()
        data, _ = made._repr_mimebundle_()
        assert len(data["image/png"]) > 1000
        seen.add((data["text/plain"], data["image/png"]))
    assert len(seen) == len(made.presets)


@pytest.mark.parametrize("f", [unwritten, broken, nothing])
@pytest.mark.parametrize("name", [n for n in MAKERS if n != "lab"])
def test_does_a_widget_survive_a_broken_function_with_one_calm_line(name, f):
    said = getattr(widgets.diffusion, name)(f)._repr_mimebundle_()[0]["text/plain"]
    assert f"`{f.__name__}`" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("f", [unwritten, broken, nothing])
def test_does_the_lab_survive_a_broken_loss_and_a_broken_net(f):
    assert f"`{f.__name__}`" in widgets.diffusion.lab(Net, f)._repr_mimebundle_()[0]["text/plain"]
    for said in (widgets.diffusion.lab(f, rotated).scene["note"],):
        assert said
        assert "Traceback" not in said


@pytest.mark.parametrize("name", exact.SETS)
def test_is_the_exact_field_the_slope_of_the_log_density(name):
    mixture, alpha_bar = exact.SETS[name](), exact.straight()
    for t in (1, 40, 100):
        a = float(alpha_bar[t])
        x = torch.randn(9, 2, dtype=torch.float64).requires_grad_()
        centres = math.sqrt(a) * mixture.centres.double()
        wide = a * mixture.spread**2 + 1 - a
        log_density = (-(x[:, None] - centres).square().sum(2) / (2 * wide)).logsumexp(1)
        (score,) = torch.autograd.grad(log_density.sum(), x)
        told = mixture.model(alpha_bar)(x.detach().float(), torch.full((9,), t))
        want = -math.sqrt(1 - a) * score
        torch.testing.assert_close(told.double(), want, rtol=5e-3, atol=5e-3)


def test_has_the_walk_into_noise_the_mean_and_variance_of_its_schedule():
    alpha_bar, x0 = exact.straight(), torch.full((20_000, 1), 3.0)
    path = exact.spread_out(x0, alpha_bar, torch.Generator().manual_seed(0))
    for t in (1, 30, 70, 100):
        assert float(path[t].mean()) == pytest.approx(3 * float(alpha_bar[t]) ** 0.5, abs=0.03)
        assert float(path[t].var()) == pytest.approx(1 - float(alpha_bar[t]), rel=0.05)


def test_leads_the_exact_flow_noise_onto_the_data_and_digits_onto_real_ones():
    alpha_bar, generator = exact.straight(), torch.Generator().manual_seed(0)
    mixture = exact.two_moons()
    ends = exact.flow(
        mixture.model(alpha_bar), torch.randn(800, 2, generator=generator), alpha_bar
    )[-1]
    assert exact.distance(ends, mixture.draw(800, generator)) < 0.01
    images = film._images("back", 3)[0]
    real = 2 * film.digits.load().x_train.flatten(1) - 1
    assert torch.cdist(images, real).min(1).values.max() < 0.05


def test_is_the_distance_zero_for_alike_clouds_and_that_of_the_formula_for_two_points():
    a, b = torch.tensor([[0.0], [2.0]]), torch.tensor([[0.0], [4.0]])
    assert exact.distance(a, b) == pytest.approx(2 * (0 + 4 + 2 + 2) / 4 - 2 - 4)
    same = [exact.distance(torch.randn(300, 2), torch.randn(300, 2)) for _ in range(20)]
    assert abs(sum(same) / 20) < 0.01


def test_tells_the_film_how_far_a_wrong_q_sample_is():
    def q_sample(x0, t, noise, alpha_bar):
        angle = alpha_bar[t].sqrt().acos()[:, None]
        return angle.cos() * x0 + angle.sin() * noise

    state = film.PRESETS[0]["state"]
    assert "jumps where the walk goes" in film.compute(state, q_sample)["note"]

    def flipped(x0, t, noise, alpha_bar):
        return q_sample(x0, len(alpha_bar) - 1 - t, noise, alpha_bar)

    assert "part" in film.compute(state, flipped)["note"]


def test_can_no_net_beat_the_floor_and_does_training_come_near_it():
    lab = widgets.diffusion.lab(Net, rotated)
    sent = []
    lab.send = lambda told, buffers: sent.append((told, buffers))
    while sum(told["steps"] for told, _ in sent[-1:]) < 400:
        lab._asked(lab, {"do": "train", "t": 30}, [])
    told, (points, arrows) = sent[-1]
    assert told["t"] == 30
    assert len(points) == 2 * 2 * training.CLOUD
    assert len(arrows) == 2 * 2 * film.CELLS**2
    losses = lab._trainer.losses
    assert sum(losses[-100:]) / 100 < 0.75 * sum(losses[:10]) / 10
    assert sum(losses[-100:]) / 100 > 0.9 * training.floor("moons")
    lab._asked(lab, {"do": "film"}, [])
    assert lab.scene["yours"]
    assert lab.scene["losses"] == [round(v, 4) for v in losses]


def test_begins_the_lab_anew_with_another_seed():
    lab = widgets.diffusion.lab(Net, rotated)
    lab.send = lambda *_: None
    lab._asked(lab, {"do": "train", "t": 5}, [])
    assert lab._trainer.losses
    lab.state = lab.state | {"seed": 3}
    assert lab.scene["losses"] == []


def test_leaves_training_the_random_numbers_of_the_notebook_alone():
    torch.manual_seed(5)
    want = torch.rand(3)
    torch.manual_seed(5)
    widgets.diffusion.lab(Net, rotated)
    assert torch.equal(torch.rand(3), want)


def test_pass_the_rings_through_the_right_schedules():
    def straight_betas(T, first, last):
        return torch.tensor(np.r_[0.0, np.linspace(first, last, T)], dtype=torch.float32)

    def kept(betas):
        return torch.log1p(-betas).cumsum(0).exp()

    a = schedule.compute(schedule.PRESETS[2]["state"] | {"kind": "linear"}, straight_betas, kept)
    assert a["note"] == ""
    late = schedule.compute(
        schedule.PRESETS[2]["state"] | {"kind": "linear"}, straight_betas, lambda b: 1 - b
    )
    assert "misses the rings" in late["note"]


def test_shrink_the_guesses_to_the_mean_as_the_noise_grows():
    widths = [
        origins.compute({"data": "moons", "t": t, "seed": 1})["width"] for t in (5, 40, 70, 100)
    ]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.1


def test_say_fewer_steps_more_distance():
    curve = walks.compute({"rule": "flow", "steps": "1", "data": "moons", "seed": 0})["curve"]
    assert curve[0] > 10 * curve[2] > curve[-1]


def test_gains_guidance_purity_and_loses_variety():
    def guided(cond, uncond, w):
        return torch.lerp(uncond, cond, w)

    a = classes.compute({"label": "1", "w": 3.0, "seed": 0}, guided)
    assert a["pure"] == sorted(a["pure"])
    assert a["wide"] == sorted(a["wide"], reverse=True)
    assert a["pure"][0] == pytest.approx(1 / 3, abs=0.1)
    assert a["wide"][2] == pytest.approx(classes.SPREAD, abs=0.06)


def test_learns_the_small_net_its_digits(monkeypatch):
    monkeypatch.setattr(handwriting, "STAGES", (0, 5, 10, 600))
    studio = handwriting.Studio(rotated)
    state = {"digit": "0", "w": 1.0, "net": "latent 3", "seed": 0}
    learnt = handwriting.compute(state, studio)
    raw = handwriting.compute(state | {"net": "latent 0"}, studio)
    assert learnt["right"] >= 10 > raw["right"]
    assert learnt["far"] < raw["far"]


def test_encodes_the_latent_space_digits_with_little_loss():
    studio = handwriting.Studio(None)
    back = studio.decoded(studio.encoded("latent"), "latent")
    kept = 1 - (back - studio.real).square().sum() / (studio.real - studio.mean).square().sum()
    assert 0.8 < float(kept) < 1
    assert float(studio.encoded("latent").std()) == pytest.approx(1, abs=0.02)


def test_is_one_number_no_clock():
    assert float(hands.compute({"d": 16, "t": 40})["alike"][1:].min()) == pytest.approx(1)


def test_has_the_javascript_what_python_sends():
    text = (STATIC / "film.js").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert not re.search(r"https?://", text)
    made = widgets.diffusion.time()
    count = (film.T + 1) * 2 * (film.POINTS * 2 + film.CELLS**2 * 2 + film.IMAGES * 64)
    assert len(made.arrays) == count
