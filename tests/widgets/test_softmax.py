"""The widgets of 02_softmax: their numbers against independent ones, their presets, and stubs."""

import math

import numpy as np
import pytest
import torch

from course import widgets
from course.widgets.panel import Panel
from course.widgets.softmax import bars, heads, line, margin, walls

PANELS = ("temperature", "output_layer", "margins", "outlier")


def unwritten(*_args):
    raise NotImplementedError


def wrong_shape(*_args):
    return torch.zeros(2, 7)


def broken(*_args):
    raise ValueError("no")


@pytest.fixture(autouse=True)
def no_grading(monkeypatch):
    monkeypatch.delenv("COURSE_GRADING", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


# Overflow


@pytest.mark.parametrize("name", walls.FORMATS)
def test_exp_changes_its_kind_at_the_walls(name):
    zero, coarse, inf = walls.walls(name)
    dtype, step = walls.FORMATS[name], {"float16": 0.02}.get(name, 1e-3)
    about = torch.finfo(dtype)

    def exp(z):
        return torch.tensor(z, dtype=torch.float64).to(dtype).exp()

    assert exp(inf + step).isinf()
    assert exp(inf - step).isfinite()
    assert exp(zero - step) == 0
    assert exp(zero + step) > 0
    assert exp(coarse - step) < about.smallest_normal <= exp(coarse + step)


def test_the_slides_numbers_are_nan_and_right():
    state = {"logits": [20.0, 134.0, 854.0], "format": "float64"}
    here = walls.compute(state)["formats"]["float64"]
    with np.errstate(all="ignore"):
        x = np.array([20.0, 134.0, 854.0])
        want = np.exp(x) / np.exp(x).sum()
    np.testing.assert_array_equal(here["naive"].numpy(), want)
    assert here["stable"][1].item() == pytest.approx(2.0322308e-313, rel=1e-6)
    assert here["verdict"] == "nan"


@pytest.mark.parametrize(
    ("preset", "verdicts"),
    [
        ("half precision", ["nan", "right", "right"]),
        ("the slide's numbers", ["nan", "nan", "nan"]),
        ("silent", ["wrong", "right", "right"]),
        ("off the left end", ["nan", "nan", "nan"]),
        ("coarse grains", ["nan", "wrong", "right"]),
    ],
)
def test_presets_break_where_they_say(preset, verdicts):
    state = next(p["state"] for p in walls.PRESETS if p["name"] == preset)
    formats = walls.compute(state)["formats"]
    assert [formats[name]["verdict"] for name in walls.FORMATS] == verdicts


def test_the_truth_is_that_of_the_logits_as_the_format_holds_them():
    state = {"logits": [700.3, 700.0, 699.0], "format": "float16"}
    formats = walls.compute(state)["formats"]
    assert not torch.allclose(formats["float16"]["truth"], formats["float64"]["truth"], atol=1e-3)


def test_the_explorer_draws_a_students_function_in_the_format_chosen():
    seen = []

    def mine(x):
        seen.append(x.dtype)
        return x.softmax(-1)

    widget = widgets.softmax.overflow(mine)
    widget.state = {"logits": [1.0, 2.0, 3.0], "format": "float64"}
    assert seen[0] == torch.float16
    assert seen[-1] == torch.float64
    assert [float(text) for text in widget.yours] == pytest.approx(
        [0.0900306, 0.2447285, 0.6652410]
    )
    assert "lies on the dashed truth" in widget.note


@pytest.mark.parametrize("f", [unwritten, wrong_shape, broken])
def test_the_explorer_survives_a_stub(f):
    widget = widgets.softmax.overflow(f)
    assert widget.yours == []
    assert widget.note.endswith(".") or "no" in widget.note
    assert widget._repr_mimebundle_()[0]["image/png"]


def test_a_nan_of_the_students_is_shown_and_said():
    widget = widgets.softmax.overflow(lambda x: x.exp() / x.exp().sum())
    assert math.isnan(float(widget.yours[2]))
    assert "nan or infinite" in widget.note


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"logits": [1, 2], "format": "float16"},
        {"logits": [1, 2, math.nan], "format": "float16"},
        {"logits": [1, 2, 3], "format": "float8"},
    ],
)
def test_no_state_of_the_explorer(state):
    with pytest.raises(Exception, match=r"no state|needs three"):
        widgets.softmax.overflow().state = state


# Temperature


def test_temperature_goes_from_all_equal_to_the_winner():
    cold = bars.compute({"scene": "four", "alpha": 12.0})
    hot = bars.compute({"scene": "four", "alpha": 0.0})
    np.testing.assert_allclose(hot["p"], 0.25)
    assert cold["p"][2] > 0.9999
    z = np.array(bars.SCENES["four"])
    assert float(hot["here"]) == pytest.approx(z.mean())


def test_the_maximum_lies_between_the_two_soft_ones():
    a = bars.compute({"scene": "tie", "alpha": 1.0})
    positive = a["alphas"] > 0.05
    assert (a["average"][positive] <= 3 + 1e-12).all()
    assert (a["lse"][positive] >= 3).all()
    alpha = float(a["alphas"][100])
    want = math.log(sum(math.exp(alpha * z) for z in bars.SCENES["tie"])) / alpha
    assert float(a["lse"][100]) == pytest.approx(want)


# Output layers


def test_one_logit_moves_all_of_a_softmax_and_one_sigmoid():
    state = {"scene": "two", "which": 3, "logit": 0.4, "threshold": 0.5}
    one, other = heads.compute(state), heads.compute(state | {"logit": 1.4})
    assert int((one["p"] != other["p"]).sum()) == 5
    assert int((one["q"] != other["q"]).sum()) == 1
    assert float(one["p"].sum()) == pytest.approx(1)


def test_what_a_student_predicts_is_compared():
    state = {"scene": "two", "which": 3, "logit": 0.4, "threshold": 0.5}
    a = heads.compute(state, lambda z: z.argmax(-1), lambda z, t: z > t)
    assert "chooses cat" in a["notes"][0]
    assert "differs on 1 of five" in a["notes"][1]


# Margins


def test_losses_over_the_margin():
    m = torch.tensor([-2.0, 0.5, 1.0, 3.0], dtype=torch.float64)
    hinge = np.maximum(0, 1 - m.numpy())
    for kind, power in (("hinge", 1), ("hinge2", 2), ("hinge3", 3)):
        np.testing.assert_allclose(margin.LOSSES[kind](m), hinge**power, atol=1e-12)
    np.testing.assert_allclose(margin.LOSSES["log"](m), np.log1p(np.exp(-m.numpy())))
    np.testing.assert_allclose(margin.LOSSES["squared"](m), (1 - m.numpy()) ** 2)
    np.testing.assert_allclose(margin.LOSSES["sigma"](m), 1 - 1 / (1 + np.exp(-m.numpy())))
    np.testing.assert_allclose(margin.slope("hinge2", m), -2 * hinge, atol=1e-12)


# Outlier


@pytest.mark.parametrize("kind", line.NAMES)
def test_no_line_near_the_fitted_one_has_less_loss(kind):
    x, y = line.points()
    x, y = torch.cat([x, x.new_tensor([4.0])]), torch.cat([y, y.new_tensor([-6.0])])
    best = line.fit(kind, x, y, 1.0)

    def total(b, w):
        return float(line.LOSSES[kind](b + w * x - y, 1.0).sum())

    here = total(*best)
    for angle in np.linspace(0, 2 * np.pi, 16):
        assert total(best[0] + 0.05 * np.cos(angle), best[1] + 0.05 * np.sin(angle)) > here * (
            1 - 1e-3
        )


def test_an_outlier_turns_mse_more_than_the_others():
    state = {"x": 4.0, "y": -6.0, "delta": 1.0}
    turned = {}
    for kind in line.NAMES:
        a = line.compute(state | {"kind": kind})
        turned[kind] = abs(float(a["lines"][kind][1] - a["clean"][1]))
    assert turned["mse"] > 3 * max(turned["mae"], turned["huber"], turned["log_cosh"])


def test_regression_losses_of_one_residual():
    r = torch.tensor([-3.0, 0.5, 200.0], dtype=torch.float64)
    np.testing.assert_allclose(line.LOSSES["huber"](r, 2.0), [4.0, 0.125, 398.0])
    want = [math.log(math.cosh(3)), math.log(math.cosh(0.5)), 200 - math.log(2)]
    np.testing.assert_allclose(line.LOSSES["log_cosh"](r, 1.0), want, rtol=1e-6)


def test_a_loss_of_another_name_is_refused():
    with pytest.raises(ValueError, match="unwritten"):
        widgets.softmax.outlier(unwritten)


# All panels


@pytest.mark.parametrize("name", PANELS)
def test_every_preset_draws_another_picture(name):
    panel = getattr(widgets.softmax, name)()
    assert isinstance(panel, Panel)
    assert 3 <= len(panel.presets) <= 5
    seen = set()
    for preset in panel.presets:
        panel.state = panel.presets[0]["state"] | preset["state"]
        assert preset["ask"].endswith("?")
        seen.add(panel.picture)
    assert len(seen) == len(panel.presets)


@pytest.mark.parametrize("f", [unwritten, wrong_shape, broken, lambda *_: None])
def test_panels_survive_a_stub(f):
    def mse(y_hat, y):
        return f(y_hat, y)

    for panel in (
        widgets.softmax.temperature(f, f),
        widgets.softmax.output_layer(f, f),
        widgets.softmax.outlier(mse),
    ):
        assert panel.picture.startswith(b"\x89PNG")
        assert "our `" in panel.caption or "not written yet" in panel.caption


def test_a_graded_notebook_gets_a_line_of_text(monkeypatch):
    monkeypatch.setenv("COURSE_GRADING", "1")
    for name in ("overflow", *PANELS):
        assert "not drawn" in repr(getattr(widgets.softmax, name)())
