"""Is what the widgets of `03_backprop` show right?

The pure functions, against known values, sums over paths and difference quotients.
"""

import math

import pytest
import torch

from course.widgets import backprop
from course.widgets.backprop import graph, net, program, slope, surface

LOOP = graph.PRESETS[1]["state"]
NUDGE = {"kind": "cube", "w": 0.7, "power": -1.0}
NET = {"rows": "all", "weights": "random", "scale": 1.5, "seed": 7}
XOR = {"hidden": 3, "lr": "5", "seen": 100, "seed": 0}


class Engine:
    """A wrong engine on purpose: `slips` says where. Recursion over all paths, for it is tiny."""

    slips: tuple = ()

    def __init__(self, value, back=()):
        self.value, self.grad, self.back, self.told = value, 0.0, back, 0

    def __add__(self, other):
        return type(self)(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        mine, theirs = other.value, self.value
        if "swapped" in self.slips:
            mine, theirs = theirs, mine
        return type(self)(self.value * other.value, ((self, mine), (other, theirs)))

    def __pow__(self, n):
        return type(self)(self.value**n, ((self, n * self.value ** (n - 1)),))

    def tanh(self):
        value = math.tanh(self.value)
        return type(self)(value, ((self, (1 - value) * (1 + value)),))

    def relu(self):
        open_ = 1.0 if "open" in self.slips else float(self.value > 0)
        return type(self)(max(self.value, 0.0), ((self, open_),))

    def exp(self):
        return type(self)(math.exp(self.value), ((self, math.exp(self.value)),))

    def backward(self):
        self.spread(2.0 if "start" in self.slips else 1.0)

    def spread(self, part):
        self.grad = part if "overwritten" in self.slips else self.grad + part
        for node, steep in self.back:
            node.spread(part * steep)


def engine(*slips):
    """The engine with these slips, under the name that students give theirs."""
    return type("Node", (Engine,), {"slips": slips})


def glowing(a):
    edges = {(e["source"], e["target"]) for e in a["edges"] if e["wrong"]}
    return edges | {n["name"] for n in a["nodes"] if n["wrong"]}


def gradients(a):
    return {node["name"]: node["grad"] for node in a["nodes"]}


def test_is_the_graph_of_the_slide_2_and_5():
    found = gradients(graph.compute(graph.PRESETS[0]["state"]))
    assert (found["a"], found["b"], found["e"]) == (2, 5, 1)


def test_is_the_class_example_that_of_the_deck():
    a = graph.compute(LOOP)
    values = {node["name"]: node["value"] for node in a["nodes"]}
    assert (values["z"], values["h"], values["y_hat"], values["L"]) == (4, 4, 8, 4)
    found = gradients(a)
    assert (found["w3"], found["w1"], found["b1"], found["w2"], found["b2"]) == (16, 20, 10, -10, 4)


@pytest.mark.parametrize("preset", graph.PRESETS, ids=lambda p: p["name"])
def test_does_what_comes_back_over_the_arrows_add_up(preset):
    a = graph.compute(preset["state"])
    for node in a["nodes"]:
        arrived = [e["message"] for e in a["edges"] if e["source"] == node["name"]]
        assert node["grad"] == pytest.approx(sum(arrived) if arrived else 1.0)


@pytest.mark.parametrize("preset", graph.PRESETS, ids=lambda p: p["name"])
def test_does_the_output_move_as_the_gradient_says(preset):
    plan, inputs = program.PROGRAMS[preset["state"]["program"]], preset["state"]["inputs"]
    found = gradients(graph.compute(preset["state"]))
    for name in plan.inputs:
        assert program.nudged(plan, inputs, name, 1e-6) / 1e-6 == pytest.approx(
            found[name], abs=1e-4
        )


@pytest.mark.parametrize("preset", graph.PRESETS, ids=lambda p: p["name"])
def test_is_a_right_engine_told_so(preset):
    a = graph.compute(preset["state"], engine())
    assert glowing(a) == set()
    assert "does it right" in a["note"]


@pytest.mark.parametrize(
    ("slip", "number", "wrong"),
    [
        ("swapped", 0, {("c", "e"), ("d", "e")}),
        ("open", 2, {("z", "h")}),
        ("start", 0, {"e"}),
    ],
)
def test_does_the_wrong_arrow_glow(slip, number, wrong):
    assert glowing(graph.compute(graph.PRESETS[number]["state"], engine(slip))) == wrong


def test_does_the_arrow_glow_whose_gradient_was_lost():
    a = graph.compute(graph.PRESETS[0]["state"], engine("overwritten"))
    assert len(glowing(a)) == 1
    assert {source for source, _ in glowing(a)} == {"b"}
    assert "was lost" in a["note"]


def test_how_often_was_each_message_counted():
    assert program.lost([2.0, 3.0], 3.0) == [0, 1]
    assert program.lost([2.0, 3.0], 8.0) == [1, 2]
    assert program.lost([2.0], 0.5) is None


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (NotImplementedError("__mul__: return a Node"), "`__mul__` of your `Node` is not written"),
        (TypeError("unsupported operand"), "Your `Node` stopped with TypeError"),
    ],
)
def test_does_the_stepper_survive_an_engine_that_stops(raised, said):
    class Node(Engine):
        def __mul__(self, other):
            raise raised

    a = graph.compute(graph.PRESETS[0]["state"], Node)
    assert said in a["note"]
    assert gradients(a)["b"] == 5


def test_does_the_stepper_keep_its_inputs_in_bounds():
    stepper = backprop.stepper()
    stepper.state = {"program": "paths", "inputs": {"a": 1e9, "b": 1.0, "one": 1.0}}
    assert stepper.graph["nodes"][0]["value"] == graph.LIMIT
    with pytest.raises(Exception, match="no state of a graph"):
        stepper.state = {"program": "paths", "inputs": {"a": 1.0}}


def test_has_the_stepper_a_picture_where_no_kernel_runs():
    data, _ = backprop.stepper()._repr_mimebundle_()
    assert data["image/png"]
    assert "b 5" in data["text/plain"]


@pytest.mark.parametrize("kind", slope.FUNCTIONS)
def test_is_the_chord_the_central_difference(kind):
    a = slope.compute(NUDGE | {"kind": kind})
    (x0, x1), (y0, y1) = a["chord"].tolist()
    assert (y1 - y0) / (x1 - x0) == pytest.approx(a["found"])


def test_does_the_error_fall_with_the_square_of_eps():
    errors = slope.compute(NUDGE)["errors"][torch.float64]
    at = {float(p): float(e) for p, e in zip(slope.POWERS, errors, strict=True)}
    assert at[-1.0] == pytest.approx(0.01)  # of a cube it is eps squared
    assert at[-1.0] / at[-2.0] == pytest.approx(100, rel=1e-3)


def test_is_a_one_sided_difference_noticed():
    def numerical_gradient(f, w, eps):
        return (f(w + eps) - f(w)) / eps

    assert "gives" in slope.compute(NUDGE, numerical_gradient)["note"]


def test_are_the_thirteen_gradients_those_of_the_loss():
    a, eps = net.compute(NET), 1e-6
    params = [t.detach() for t in net.start(NET)]

    def loss(flat):
        W1, b1, W2, b2 = (
            part.reshape(s) for part, s in zip(flat.split((6, 3, 3, 1)), net.SHAPES, strict=True)
        )
        out = torch.sigmoid(torch.sigmoid(net.X @ W1.T + b1) @ W2.T + b2)
        return ((out - net.Y) ** 2).mean() / 2

    flat = torch.cat([t.reshape(-1) for t in params])
    for i in range(13):
        step = torch.zeros(13, dtype=torch.float64)
        step[i] = eps
        quotient = (loss(flat + step) - loss(flat - step)) / (2 * eps)
        assert float(a["truth"][i]) == pytest.approx(float(quotient), abs=1e-8)


def test_do_equal_units_get_equal_gradients_and_zero_weights_none():
    same = net.compute(NET | {"weights": "same"})["truth"]
    assert same[6] == same[7] == same[8] != 0
    zero = net.compute(NET | {"scale": 0.0, "rows": "3"})["truth"]
    assert zero[:9].abs().max() == 0
    assert zero[9:].abs().min() > 0


def test_are_wrong_gradients_named():
    def backward(params, *_):
        return tuple(torch.ones_like(t) for t in params)

    note = net.compute(NET, backward)["note"]
    assert "13 of 13" in note


def test_is_the_family_trained_as_one_net_alone():
    params = [t.clone().requires_grad_() for t in surface.start(2, 4)]
    for _ in range(surface.STRIDE):
        loss = 0.5 * (surface.output(params, surface.X) - surface.Y[:, 0]).square().mean()
        found = torch.autograd.grad(loss, params)
        params = [
            (t - 2.0 * g).detach().requires_grad_() for t, g in zip(params, found, strict=True)
        ]
    kept, losses = surface.family(4)["2", 2]
    assert float(losses[surface.STRIDE - 1]) == pytest.approx(loss.item())
    for got, want in zip(kept[1], params, strict=True):
        torch.testing.assert_close(got, want.detach())


def test_do_the_presets_of_xor_show_what_they_ask_about():
    ends = {p["name"]: surface.compute(XOR | p["state"])["loss"] for p in surface.PRESETS}
    assert ends["three hidden units"] < 0.001
    assert ends["stuck"] == pytest.approx(1 / 16, abs=2e-3)
    assert ends["one hidden unit"] == pytest.approx(1 / 12, abs=1e-3)
    assert ends["on the plateau"] == pytest.approx(1 / 8, abs=1e-2)


def unwritten(*_):
    raise NotImplementedError


def shapeless(*_):
    return torch.zeros(2), torch.zeros(3)


@pytest.mark.parametrize("given", [unwritten, shapeless])
@pytest.mark.parametrize("widget", [backprop.nudge, backprop.arrows, backprop.xor])
def test_does_a_widget_survive_a_stub(widget, given):
    panel = widget(given)
    for preset in panel.presets:
        panel.state = {**panel.presets[0]["state"], **preset["state"]}
        assert panel.picture.startswith(b"\x89PNG")
        assert given.__name__ in panel.caption
