"""Is what the widgets of `07_cnn` show right, and do they survive any student's function?"""

import re

import numpy as np
import pytest
import scipy.signal
import torch
from torch import nn

from course import widgets
from course.widgets.cnn import cone, digit, paint, response, window
from course.widgets.panel import STATIC

PANELS = ["stepper", "detector", "receptive"]
STEP = {"operation": "left", "pad": 1, "stride": 1, "step": 9}
CONE = {"depth": 3, "kernel": 3, "pattern": "plain", "at": 40}
DETECT = response.PRESETS[0]["state"]


def unwritten(*_args):
    raise NotImplementedError("to be written")


def broken(*_args):
    return [][1]


def nothing(*_args):
    pass


def named(f, name):
    """`f` under the name that a student's function has."""

    def called(*args):
        return f(*args)

    called.__name__ = name
    return called


def by_scipy(image, kernel):
    return torch.tensor(scipy.signal.correlate2d(image.numpy(), kernel.numpy(), "valid"))


class Reader(nn.Module):
    """A net with maps of two sizes; untrained, for what is read doesn't matter."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
        self.head = nn.Linear(27, 10)

    def forward(self, x):
        return self.head(self.features(x))


def untrained(net, _x, _y):
    return net


@pytest.mark.parametrize("name", [*PANELS, "playground"])
def test_has_each_widget_presets_that_ask_and_show_something_of_their_own(name):
    f = named(lambda x, t: x[:3, :3], "learn_filter")
    made = getattr(widgets.cnn, name)(*[f] if name == "detector" else [])
    first, seen = made.presets[0]["state"], set()
    assert 3 <= len(made.presets) <= 5
    for preset in made.presets:
        assert "?" in preset["ask"]
        made.state = first | preset["state"]
        assert preset["state"].items() <= made.state.items()
        data, _ = made._repr_mimebundle_()
        assert len(data["image/png"]) > 1000
        seen.add(data["text/plain"] + str(made.state))
    assert len(seen) == len(made.presets)


@pytest.mark.parametrize("f", [unwritten, broken, nothing])
def test_does_a_widget_survive_a_broken_function_with_one_calm_line(f):
    notes = {
        "correlate2d": widgets.cnn.stepper(named(f, "correlate2d")).caption,
        "max_pool2d": widgets.cnn.stepper(named(f, "max_pool2d")).caption,
        "learn_filter": widgets.cnn.detector(named(f, "learn_filter")).caption,
        "receptive_field": widgets.cnn.receptive(named(f, "receptive_field")).caption,
        "kernel": widgets.cnn.playground(named(f, "kernel")).note,
        "DigitsCNN": widgets.cnn.drawn(named(f, "DigitsCNN"), untrained).note,
    }
    for name, said in notes.items():
        assert f"`{name}`" in said
        assert "Traceback" not in said
        assert "dashed line" not in said


def test_is_the_result_that_of_scipy_at_every_place():
    for operation, weights in window.KERNELS.items():
        for pad in (0, 1, 2):
            wide = np.pad(window.IMAGE.numpy(), pad)
            turn = scipy.signal.convolve2d if operation == "turned" else scipy.signal.correlate2d
            for stride in (1, 2, 3):
                state = {"operation": operation, "pad": pad, "stride": stride, "step": 1}
                want = turn(wide, weights.numpy(), "valid")[::stride, ::stride]
                np.testing.assert_allclose(window.compute(state)["result"], want)


def test_add_the_products_up_to_the_result_at_the_window():
    for operation in window.KERNELS:
        for step in (1, 7, 16):
            a = window.compute({"operation": operation, "pad": 0, "stride": 1, "step": step})
            assert a["products"].sum() == a["result"][a["place"]]


def test_is_a_wrong_place_crossed_out_and_a_right_function_told_so():
    right = named(by_scipy, "correlate2d")
    assert not window.compute(STEP, [right])["wrong"].any()

    def one_off(image, kernel):
        made = by_scipy(image, kernel)
        made[2, 3] += 1
        return made

    a = window.compute(STEP, [named(one_off, "correlate2d")])
    assert a["wrong"].nonzero().tolist() == [[2, 3]]
    assert "differs in 1" in a["note"]
    # with a stride, the same place of a student's result comes elsewhere, or not at all
    assert not window.compute({**STEP, "stride": 2}, [named(one_off, "correlate2d")])["wrong"].any()


def test_has_the_table_room_for_every_result():
    sizes = [
        window.compute({"operation": op, "pad": pad, "stride": s, "step": 1})["result"].numel()
        for op in window.OPERATIONS
        for pad in (0, 1, 2)
        for s in (1, 2, 3)
    ]
    assert max(sizes) <= window.PLACES


@pytest.mark.parametrize(
    ("depth", "kernel", "pattern", "want"),
    [
        (1, 5, "plain", 5),
        (4, 3, "plain", 9),
        (3, 3, "stride", 15),
        (4, 2, "dilated", 16),
        (4, 3, "pool", 10),
    ],
)
def test_is_the_field_as_wide_as_it_should_be(depth, kernel, pattern, want):
    a = cone.compute({"depth": depth, "kernel": kernel, "pattern": pattern, "at": 40})
    assert a["field"] == want
    assert a["active"][0].numel() == (a["counts"] > 0).sum()


def test_are_the_pixels_weighed_as_in_pascals_triangle():
    counts = cone.compute({"depth": 4, "kernel": 2, "pattern": "plain", "at": 30})["counts"]
    assert counts[counts > 0].tolist() == [1, 4, 6, 4, 1]


def test_does_every_setting_of_the_viewer_leave_a_unit():
    for pattern in cone.PATTERNS:
        for at in (0, cone.PIXELS - 1):
            a = cone.compute({"depth": cone.DEEPEST, "kernel": 5, "pattern": pattern, "at": at})
            assert 0 <= a["first"] <= a["last"] < cone.PIXELS


def test_is_a_wrong_receptive_field_told_with_both_numbers():
    a = cone.compute(CONE, named(lambda layers: 9, "receptive_field"))
    assert "says 9" in a["note"]
    assert "7 long" in a["note"]
    assert "as the bar" in cone.compute(CONE, named(lambda layers: 7, "receptive_field"))["note"]


def test_finds_a_good_kernel_the_marks_and_a_poor_one_not():
    plus = torch.tensor([[-1.0, 1, -1], [1, 1, 1], [-1, 1, -1]])
    found = response.compute(DETECT | {"noise": 0.0}, lambda x, t: plus)
    assert (len(found["found"]), len(found["missed"]), len(found["false"])) == (4, 0, 0)
    even = response.compute(DETECT | {"noise": 0.0}, lambda x, t: torch.ones(3, 3))
    assert len(even["missed"]) + len(even["false"]) > 0


def test_is_the_kernel_tried_on_an_image_that_it_was_not_learnt_from():
    given = []

    def learn_filter(x, _t):
        given.append(x)
        return torch.ones(3, 3)

    shown = response.compute(DETECT | {"seed": 77}, learn_filter)["image"]
    assert not torch.equal(given[0], shown)


def test_is_the_painted_result_that_of_scipy():
    for preset in paint.PRESETS:
        a = paint.compute(preset["state"])
        wide = np.pad(a["image"].numpy(), 1, mode="edge")
        want = scipy.signal.correlate2d(wide, a["weights"].numpy(), "valid")
        np.testing.assert_allclose(a["result"], want, atol=1e-5)


def test_are_a_students_kernels_buttons_and_a_wrong_one_is_told():
    def kernel(name):
        return torch.ones(3, 3) if name != "edge" else torch.ones(2, 2)

    made = widgets.cnn.playground(kernel)
    assert [k["name"] for k in made.yours] == ["identity", "box", "sharpen", "gaussian3"]
    assert made.note.startswith("edge: Your `kernel` returned shape (2, 2)")


def test_takes_the_playground_only_what_can_be_painted():
    made = widgets.cnn.playground()
    made.state = made.state | {"weights": [1e9] * 25}
    assert made.state["weights"] == [paint.LIMIT] * 25
    for wrong in ({"weights": [1.0] * 8}, {"photo": "nobody"}, {"weights": [float("nan")] * 9}):
        with pytest.raises(Exception, match=r"playground|photograph"):
            made.state = made.state | wrong


def test_are_the_maps_those_of_the_layer_and_the_bars_a_softmax():
    torch.manual_seed(0)
    net = Reader().eval()
    x = torch.rand(64)
    for layer, part in enumerate((net.features[:1], net.features[:2], net.features[:3])):
        a = digit.compute(net, {"pixels": x.tolist(), "layer": layer})
        torch.testing.assert_close(a["maps"], part(x.reshape(1, 1, 8, 8))[0].detach())
    torch.testing.assert_close(a["p"], net(x.reshape(1, 1, 8, 8)).softmax(1)[0].detach())
    assert len(a["layers"]) == 3


def test_leaves_the_net_and_the_random_numbers_as_they_were():
    state = torch.random.get_rng_state()
    made = widgets.cnn.drawn(Reader, untrained)
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(not m._forward_hooks for m in made._net.modules())


def test_is_a_net_with_other_outputs_told_so():
    made = widgets.cnn.drawn(named(lambda: nn.Sequential(nn.Flatten()), "DigitsCNN"), untrained)
    assert made.note == "Your `DigitsCNN` returned (1, 64) for one digit, expected (1, 10)."


def test_says_the_sheet_what_is_read_and_has_a_picture():
    made = widgets.cnn.drawn(Reader, untrained)
    made.state = {"pixels": [2.0] * 64, "layer": 99}
    assert made.state["pixels"] == [1.0] * 64
    assert made.seen["layer"] == 2
    assert made.seen["shape"] == [3, 3, 3]
    assert len(made.maps) == 27 * 4
    data, _ = made._repr_mimebundle_()
    assert "Your net reads" in data["text/plain"]
    with pytest.raises(Exception, match="64 numbers"):
        made.state = {"pixels": [0.0] * 63, "layer": 0}


@pytest.mark.parametrize("name", ["playground.js", "digit.js"])
def test_is_the_javascript_short_and_asks_nobody(name):
    text = (STATIC / name).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert not re.search(r"https?://", text)
