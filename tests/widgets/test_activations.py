"""Is what the widgets of `01_activations` show right?

The pure functions, against known values, difference quotients and independent sums.
"""

import math

import pytest
import torch

from course.widgets.activations import batch, curve, depth, path, plane

EXPLORER = {"kind": "sigmoid", "z": 0.0, "alpha": 0.3, "beta": 1.7}
TOWER = {"kind": "tanh", "depth": 7, "scale": 1.3, "seed": 5}
ZIGZAG = {"centre": 1.0, "lr": 0.8, "step": 40, "seed": 3}
LAYER = {"kind": "sigmoid", "scale": 4.0, "bias": 0.5, "margin": 0.05}


@pytest.mark.parametrize("kind", curve.TRUTH)
def test_is_the_slope_the_difference_quotient(kind):
    arrays = curve.compute(EXPLORER | {"kind": kind})
    z, eps = curve.Z[curve.Z.abs() > 1e-3], 1e-6  # some have a corner at 0

    def f(at):
        parameter = {"leaky_relu": [0.3], "elu": [0.3], "swish": [1.7]}.get(kind, [])
        return curve.TRUTH[kind](at, *parameter)

    quotient = (f(z + eps) - f(z - eps)) / (2 * eps)
    slope = arrays["slope"][curve.Z.abs() > 1e-3]
    torch.testing.assert_close(slope, quotient, atol=1e-5, rtol=1e-5)


def test_is_the_sigmoid_never_steeper_than_a_quarter():
    slope = curve.compute(EXPLORER)["slope"]
    assert slope.max() == 0.25
    assert slope.argmax() == len(slope) // 2


@pytest.mark.parametrize(
    ("kind", "z", "h"),
    [
        ("swish", 1.0, 1 / (1 + math.exp(-1.7))),
        ("elu", -1.0, 0.3 * (math.exp(-1) - 1)),
        ("leaky_relu", -2.0, -0.6),
        ("mish", 1.0, math.tanh(math.log1p(math.e))),
        ("selu", 1.0, 1.0507009873554805),
        ("softplus", 0.0, math.log(2)),
    ],
)
def test_is_the_truth_the_formula(kind, z, h):
    assert curve.compute(EXPLORER | {"kind": kind, "z": z})["here"][1] == pytest.approx(h)


def test_does_the_tangent_touch_the_curve_with_its_slope():
    arrays = curve.compute(EXPLORER | {"kind": "tanh", "z": 0.7})
    (z0, z1), (h0, h1) = arrays["tangent"]
    assert (h0 + h1) / 2 == pytest.approx(math.tanh(0.7))
    assert (h1 - h0) / (z1 - z0) == pytest.approx(1 - math.tanh(0.7) ** 2)


@pytest.mark.parametrize("dense", [True, False])
def test_is_the_tower_the_chain_rule(dense):
    norms = None if dense else lambda depth, g, x: torch.zeros(depth)
    arrays = depth.compute(TOWER, norms)
    x, w = depth.wiring(TOWER, dense)
    hs = [x]
    for _ in range(7):
        hs.append(torch.tanh(hs[-1] @ w.T))
    gradient = torch.ones_like(x)
    for layer in reversed(range(7)):  # by hand: tanh' = 1 - h^2
        slope = 1 - hs[layer + 1] ** 2
        assert arrays["slopes"][layer] == pytest.approx(float(slope.mean()))
        gradient = (gradient * slope) @ w
        assert arrays["norms"][layer] == pytest.approx(float(gradient.norm()))


def test_do_ten_sigmoids_leave_less_than_a_millionth():
    norms = depth.compute(TOWER | {"kind": "sigmoid", "depth": 10, "scale": 1.0})["norms"]
    at_the_top = depth.BATCH * depth.WIDTH  # dL/dh = 1 for each entry
    assert norms[0] <= 0.25**10 * at_the_top**0.5
    assert (norms[1:] / norms[:-1] >= 4).all()


def test_do_linear_layers_of_scale_one_lose_nothing():
    norms = depth.compute(TOWER | {"kind": "linear", "depth": 30, "scale": 1.0})["norms"]
    torch.testing.assert_close(norms, norms[-1:].expand(30))


def test_have_all_gradients_one_sign_when_all_inputs_are_positive():
    x = path.inputs(1.0, 3)
    assert (x > 0).all()
    _, gradients = path.walk(x, 0.8)
    assert (gradients[:, 0] * gradients[:, 1] > 0).all()
    assert path.compute(ZIGZAG)["one_sign"] == 40


def test_have_gradients_both_signs_when_inputs_are_centred():
    assert 5 < path.compute(ZIGZAG | {"centre": 0.0})["one_sign"] < 35


def test_is_each_step_of_the_path_one_of_autograd():
    x = path.inputs(0.4, 1)
    weights, gradients = path.walk(x, 0.5)
    for step in (0, 13, 59):
        w = weights[step].clone().requires_grad_()
        error = w @ x[step] - torch.tensor(path.GOAL, dtype=x.dtype) @ x[step]
        (error**2 / 2).backward()
        torch.testing.assert_close(w.grad, gradients[step])
        torch.testing.assert_close(weights[step + 1], weights[step] - 0.5 * w.grad)


@pytest.mark.parametrize("centre", [0.0, 0.7, 1.5])
def test_are_inputs_as_long_wherever_their_centre(centre):
    many = torch.cat([path.inputs(centre, number) for number in range(200)])
    assert float((many**2).sum(1).mean()) == pytest.approx(1, rel=0.03)


@pytest.mark.parametrize(
    ("kind", "stuck"),
    [
        ("sigmoid", lambda z: z.abs() > math.log(19)),  # sigmoid(log 19) = 0.95
        ("tanh", lambda z: z.abs() > math.atanh(0.95)),
        ("relu", lambda z: z < 0.05),
        ("elu", lambda z: z < math.log(0.05)),
    ],
)
def test_is_the_share_of_stuck_activations_right(kind, stuck):
    state = LAYER | {"kind": kind}
    z, _ = batch.layer(state)
    assert batch.compute(state)["near"] == pytest.approx(float(stuck(z).double().mean()))


def test_is_a_unit_dead_when_no_example_wakes_it():
    state = LAYER | {"kind": "relu", "scale": 1.0, "bias": -3.0}
    z, _ = batch.layer(state)
    dead = batch.compute(state)["dead"]
    assert dead.tolist() == [bool((unit <= 0).all()) for unit in z.T]
    assert 5 < int(dead.sum()) < 40


@pytest.mark.parametrize("kind", batch.ENDS)
def test_do_the_bars_hold_the_whole_batch(kind):
    arrays = batch.compute(LAYER | {"kind": kind, "scale": 8.0})
    assert float(arrays["z_bars"].sum()) == pytest.approx(1)
    assert float(arrays["h_bars"].sum()) == pytest.approx(1)


def test_is_the_field_one_neuron():
    state = {"points": plane.XOR, "w": [0.7, -1.1], "b": 0.4, "g": "tanh"}
    field = plane.compute(state)["field"]
    assert field[0, 0] == pytest.approx(math.tanh(0.7 * -3 - 1.1 * 3 + 0.4))  # top left
    assert field[40, 30] == pytest.approx(math.tanh(0.7 * 1.5 + 1.1 * 3 + 0.4))


def test_can_no_line_separate_xor():
    generator = torch.Generator().manual_seed(0)
    best = 0
    for w1, w2, b in torch.randn(2000, 3, generator=generator).tolist():
        state = {"points": plane.XOR, "w": [w1, w2], "b": b, "g": "step"}
        best = max(best, int(plane.compute(state)["right"].sum()))
    assert best == 3


@pytest.mark.parametrize("preset", plane.PRESETS, ids=lambda preset: preset["name"])
def test_is_something_left_to_do_in_each_preset(preset):
    arrays = plane.compute(plane.PRESETS[0]["state"] | preset["state"])
    assert not arrays["right"].all()
