"""Is what the widgets of `04_sgd` show right, and do they survive any student's function?"""

import math
import re
from pathlib import Path

import pytest
import torch

from course import widgets
from course.widgets.sgd import classes, cloud, contest, copies, ground, order, rates, surfaces, walk

MAKERS = ["landscape", "race", "noise", "epochs", "duplicates", "schedule", "balance"]
STATIC = Path(ground.__file__).parent.parent / "static"


def momentum_step(w, velocity, gradient, lr, alpha):
    """In numbers of its own: v(t) is a sum over the past, so it has its own arithmetic here."""
    new = torch.stack([alpha * v - lr * g for v, g in zip(velocity, gradient, strict=True)])
    return torch.stack([a + b for a, b in zip(w, new, strict=True)]), new


def unwritten(*_args):
    raise NotImplementedError("to be written")


def broken(*_args):
    return [][1]


def nothing(*_args):
    pass


@pytest.mark.parametrize("name", MAKERS)
def test_has_each_widget_presets_that_ask_and_show_something_of_their_own(name):
    made = getattr(widgets.sgd, name)()
    first, seen = made.presets[0]["state"], set()
    assert 3 <= len(made.presets) <= 5
    assert len(made.controls) <= 4
    for preset in made.presets:
        assert "?" in preset["ask"]
        made.state = first | preset["state"]
        assert preset["state"].items() <= made.state.items()
        data, _ = made._repr_mimebundle_()
        assert len(data["image/png"]) > 1000
        seen.add(data["text/plain"])
    assert len(seen) == len(made.presets)


@pytest.mark.parametrize("f", [unwritten, broken, nothing])
@pytest.mark.parametrize("name", MAKERS[1:])
def test_does_a_widget_survive_a_broken_function_with_one_calm_line(name, f):
    made = getattr(widgets.sgd, name)(f)
    said = made.note if name == "race" else made.caption
    assert f"`{f.__name__}`" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("name", contest.RACES)
def test_are_the_slopes_those_of_autograd(name):
    surface = surfaces.RACES[name]
    w = torch.randn(7, 2, dtype=torch.float64).requires_grad_()
    (want,) = torch.autograd.grad(surface.height(w).sum(), w)
    torch.testing.assert_close(surface.gradient(w.detach()), want)
    at = torch.tensor(surface.goals, dtype=torch.float64)
    assert surface.height(at).abs().max() < 1e-12
    assert surface.gradient(at).abs().max() < 1e-12


@pytest.mark.parametrize("kind", ["bowl", "basins"])
def test_is_the_star_of_the_landscape_its_lowest_point(kind):
    surface, each = walk.examples(kind, 5)
    w = torch.tensor(surface.goals[0], dtype=torch.float64).requires_grad_()
    height = surface.height(w) + ground.quadratic(w, each.mean(0))
    (slope,) = torch.autograd.grad(height, w)
    assert slope.abs().max() < 1e-5
    everywhere = surfaces.grid(surface.box)
    assert (surface.height(everywhere) + ground.quadratic(everywhere, each.mean(0))).min() > height


def test_does_the_batch_walker_take_one_exact_step_an_epoch():
    state = walk.PRESETS[0]["state"] | {"lr": 0.3, "seed": 4}
    a = walk.compute(state)
    surface, each = walk.examples("bowl", 4)
    w = torch.tensor(surface.start, dtype=torch.float64).requires_grad_()
    (slope,) = torch.autograd.grad(ground.quadratic(w, each.mean(0)), w)
    torch.testing.assert_close(a["paths"][0, 40], w.detach() - 0.3 * slope)
    assert a["paths"][0, 39].tolist() == list(surface.start)
    assert [steps[40] for steps in a["steps"]] == [1, 8, 40]
    assert a["shifts"].shape == (400, 6)


def test_is_each_epochs_mean_landscape_the_surface():
    a = walk.compute(walk.PRESETS[0]["state"])
    assert torch.allclose(a["shifts"][:40].mean(0), a["whole"])


def test_sees_the_mini_batch_walker_every_example_once_an_epoch():
    drawn = torch.cat(walk.batches(7, 12, 3))[:80]
    for epoch in drawn.split(40):
        assert epoch.sort().values.tolist() == list(range(40))


def test_does_noise_carry_the_stochastic_walker_into_the_deeper_basin_and_batch_not():
    a = walk.compute(walk.PRESETS[0]["state"] | walk.PRESETS[2]["state"])
    assert a["paths"][0, :, 0].min() > 0
    assert a["paths"][2, -1, 0] < 0


def test_walks_a_right_step_with_torch_and_is_a_wrong_one_told():
    a = contest.compute(contest.PRESETS[0]["state"], [momentum_step])
    torch.testing.assert_close(a["paths"][6], a["paths"][1])
    assert "walks with torch's momentum" in a["notes"][0]

    def adam_step(w, mean, squares, _t, gradient, lr, _beta1):
        return w - lr * gradient, mean, squares

    assert "away from torch's Adam" in contest.compute(a_state(), [adam_step])["notes"][0]


def a_state():
    return contest.PRESETS[0]["state"] | contest.PRESETS[2]["state"]


def test_does_plain_descent_shrink_by_its_factor_on_the_ravine():
    path = contest.builtin("ravine", 1.0, 0.9, (-4.0, 1.8))[0]
    assert path[10].tolist() == pytest.approx([-4 * (1 - 0.009) ** 10, 1.8 * (1 - 1.8) ** 10])


@pytest.mark.parametrize("alpha", [0.0, 0.9])
@pytest.mark.parametrize("name", contest.RACES)
def test_do_the_six_walk_as_the_classes_of_torch_optim(name, alpha):
    surface, lr = surfaces.RACES[name], contest.RATES[name]
    classes_ = (
        lambda w: torch.optim.SGD(w, lr[0]),
        lambda w: torch.optim.SGD(w, lr[1], momentum=alpha),
        lambda w: torch.optim.SGD(w, lr[2], momentum=alpha, nesterov=alpha > 0),
        lambda w: torch.optim.Adagrad(w, lr[3]),
        lambda w: torch.optim.RMSprop(w, lr[4]),
        lambda w: torch.optim.Adam(w, lr[5], betas=(alpha, 0.999)),
    )
    found = contest.builtin(name, 1.0, alpha, surface.start)
    for path, make in zip(found, classes_, strict=True):
        w = torch.tensor(surface.start, dtype=torch.float64, requires_grad=True)
        optimiser = make([w])
        for t in range(contest.TICKS):
            torch.testing.assert_close(path[t], surfaces.within(w.detach()), atol=1e-9, rtol=1e-9)
            w.grad = surface.gradient(w.detach())
            optimiser.step()


def test_is_a_rule_of_ones_own_called_with_a_state_that_stays():
    def mine(w, state, gradient, t):
        state["calls"] = state.get("calls", 0) + 1
        assert state["calls"] == t
        return w - 0.1 * gradient

    a = contest.compute(contest.PRESETS[0]["state"], [mine])
    assert a["names"][-1] == "your mine"
    assert a["notes"] == [""]


def test_falls_the_measured_noise_as_the_exact_one():
    for draw in ("with", "without"):
        a = cloud.compute({"power": 2, "lr": 0.1, "draw": draw, "seed": 1})
        wide = a["exact"] > 1e-9
        assert torch.allclose(a["measured"][wide], a["exact"][wide], rtol=0.5)
        assert len(a["ball"]) == 400
    assert a["measured"][-1] < 1e-20
    assert float(a["exact"][0] / a["exact"][5]) == pytest.approx(32 * 63 / 32)


def test_are_a_third_of_the_examples_never_seen_when_drawn_with_replacement():
    unseen = [order.compute({"kind": "drawn", "size": 4, "seed": s})["unseen"] for s in range(20)]
    assert sum(unseen) / (20 * 6 * 48) == pytest.approx((1 - 1 / 48) ** 48, abs=0.02)
    assert order.compute({"kind": "shuffled", "size": 7, "seed": 3})["unseen"] == 0


def test_take_ten_copies_ten_steps_where_batch_takes_one():
    a = copies.compute({"copies": 10, "size": 100, "lr": 0.5, "seed": 0})
    assert len(a["path"]) == 11
    assert len(a["batch_path"]) == 2
    torch.testing.assert_close(a["path"][1], a["batch_path"][1])  # the same step


def test_are_the_schedules_what_the_decks_say():
    linear = 0.5 * rates.shares("linear_decay", 100)
    assert linear[0] == 0.5
    assert linear[50] == pytest.approx(0.255)
    assert linear[299] == pytest.approx(0.01)
    cycle = 0.01 * rates.shares("one_cycle", 100)
    assert cycle[0] == pytest.approx(0.0004)
    assert cycle[29] == pytest.approx(0.01)
    assert cycle[99] == pytest.approx(4e-8)


def test_is_missing_the_rare_class_as_likely_as_reckoned():
    a = classes.compute({"rare": 0.1, "middle": 0.0, "size": 4, "seed": 0})
    assert a["missed"] == pytest.approx(0.9**4)
    assert a["counts"].tolist() == [180, 0, 20]


def test_has_the_javascript_the_bounds_that_python_has():
    text = (STATIC / "walk.js").read_text(encoding="utf-8")
    assert f"CELLS = {surfaces.CELLS}," in text
    assert len(text.splitlines()) <= 300
    assert not re.search(r"https?://", text)
    assert math.isclose(surfaces.FAR, 1e4)
