"""Does every widget keep what `Panel` promises: captions, presets, bounds, a picture for paper?"""

import base64
import io
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

from course import widgets
from course.widgets import picture, style
from course.widgets.panel import Panel

# Every function of a topic that makes a widget, and those that make a panel.
MAKERS = [
    (topic, name)
    for topic in widgets.TOPICS
    for name, make in vars(getattr(widgets, topic)).items()
    if hasattr(make, "__wrapped__")
]
# What has a browser side of its own, and so a class of its own.
FLAGSHIPS = {
    "activations.neuron", "attention.pulls", "backprop.stepper", "cnn.drawn", "cnn.playground",
    "diffusion.digits", "diffusion.lab", "diffusion.time", "gan.digits", "gan.lab", "gnn.hops",
    "sgd.landscape", "sgd.race", "softmax.overflow",
}  # fmt: skip
# What a widget is shown with here, where it has nothing to show without a student's function.
GIVEN = {
    "cnn.detector": [lambda image, _: torch.tensor([[-1.0, 1, -1], [1, 1, 1], [-1, 1, -1]])],
    "cnn.drawn": [
        lambda: torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10)),
        lambda net, x, y: net,
    ],
    "diffusion.clock": [lambda t, d: (t[:, None] / torch.arange(1.0, d + 1)).sin()],
    "gnn.club": [lambda x, edge_index, y_known, seed: (y_known.roll(seed) >= 0).long()],
    "gnn.rings": [
        lambda train, y, test, seed: (torch.arange(int(test[2].max()) + 1) > len(y) // 3).long()
    ],
}
PANELS = [maker for maker in MAKERS if ".".join(maker) not in FLAGSHIPS]


def maker(topic, name):
    """The function that makes a widget, with what it needs."""
    return partial(getattr(getattr(widgets, topic), name), *GIVEN.get(f"{topic}.{name}", []))


@pytest.fixture(params=MAKERS, ids=".".join)
def make(request):
    return maker(*request.param)


@pytest.fixture(params=PANELS, ids=".".join)
def panel(request):
    made = maker(*request.param)()
    assert isinstance(made, Panel)
    return made


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_is_there_a_picture_and_a_description_where_no_kernel_runs(make):
    data, _ = make()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert len(np.unique(pixels(base64.b64decode(data["image/png"])))) > 20
    assert any(letter.isdigit() for letter in data["text/plain"])


def test_are_there_three_to_five_presets_that_ask_something(make):
    presets = make().presets
    assert 3 <= len(presets) <= 5
    assert all(preset["ask"].endswith("?") for preset in presets)
    assert len({preset["name"] for preset in presets}) == len(presets)


def test_does_each_preset_show_something_of_its_own(panel):
    first = panel.presets[0]["state"]
    seen = set()
    for preset in panel.presets:
        panel.state = first | preset["state"]
        # What it asks for is what it gets: nothing was out of bounds.
        assert preset["state"].items() <= panel.state.items()
        seen.add((panel.caption, panel.picture))
    assert len(seen) == len(panel.presets)


def test_does_it_start_in_its_first_preset_with_at_most_four_controls(panel):
    assert panel.presets[0]["state"].items() <= panel.state.items()
    assert len(panel.controls) <= 4


def test_is_the_blitted_picture_the_one_drawn_anew(panel):
    start = dict(panel.state)
    for preset in [*panel.presets, panel.presets[0]]:
        panel.state = start | preset["state"]
    for control in panel.controls:
        if control["kind"] == "slider":
            panel.state = start | {control["name"]: control["low"]}
            moved = pixels(panel.picture)
            anew = picture.Picture(panel._draw, panel._views, style.Style())
            fresh = pixels(anew.png(panel._compute(panel.state)))
            assert np.abs(moved.astype(int) - fresh).mean() < 1  # the layout was fixed earlier


def test_does_every_slider_change_picture_and_caption_from_end_to_end(panel):
    for control in panel.controls:
        if control["kind"] == "slider" and not control["when"]:
            panel.state = {**panel.state, control["name"]: control["low"]}
            low = panel.picture, panel.caption
            panel.state = {**panel.state, control["name"]: control["high"]}
            assert panel.picture != low[0]
            assert panel.caption != low[1]


@pytest.mark.parametrize("value", ["a", None, float("nan"), 1e9, -1e9, [1]])
def test_does_it_keep_its_bounds_whatever_it_is_told(panel, value):
    for control in panel.controls:
        panel.state = {control["name"]: value}
        now = panel.state[control["name"]]
        if control["kind"] == "choice":
            assert now in [key for key, _ in control["options"]]
        else:
            assert control["low"] <= now <= control["high"]


def test_does_a_panel_begin_as_the_last_one_was_looked_at_and_print_on_light_paper():
    first = widgets.sgd.balance()
    first.view = {"dark": True, "narrow": False, "ratio": 2}
    second = widgets.sgd.balance()
    assert second.view == first.view
    assert second.picture == first.picture
    printed = Image.open(io.BytesIO(base64.b64decode(second._repr_mimebundle_()[0]["image/png"])))
    assert printed.size == (780, 310)
    assert printed.convert("RGB").getpixel((2, 2)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("view", "size"),
    [
        ({"dark": True, "narrow": False, "ratio": 1}, (780, 310)),
        ({"dark": False, "narrow": False, "ratio": 2}, (1560, 620)),
    ],
)
def test_does_it_follow_theme_and_resolution(panel, view, size):
    panel.view = view
    image = Image.open(io.BytesIO(panel.picture))
    assert image.size == size
    assert sum(image.convert("RGB").getpixel((2, 2))) == (3 * 0x11 if view["dark"] else 3 * 0xFF)
    assert panel.geometry["size"] == [780, 310]


def test_does_it_stack_its_views_where_there_is_little_room(panel):
    panel.view = {"dark": False, "narrow": True, "ratio": 1}
    assert panel.geometry["size"] == [400, 250 * panel._views]


def test_can_the_point_be_dragged_where_the_axes_are():
    explorer = widgets.activations.explorer()
    left, right = explorer.geometry["handles"]
    assert left["x"] == right["x"] == [-6, 6]
    assert left["box"][0] < left["box"][2] < right["box"][0] < right["box"][2] < 1


@pytest.mark.parametrize("variable", ["COURSE_GRADING", "NBGRADER_EXECUTION"])
def test_does_a_widget_cost_nothing_while_graded(variable):
    code = (
        "import sys; from course import widgets as w; a = w.activations\n"
        "print(a.explorer(), a.tower(), a.zigzag(), a.saturation(), a.neuron())\n"
        "assert not {'matplotlib', 'ipywidgets', 'anywidget'} & set(sys.modules)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={variable: "1", "PYTHONPATH": str(root)},
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "activations.explorer: not drawn" in done.stdout
    assert done.stderr == ""


def test_stands_a_stamped_text_where_matplotlib_writes_it():
    def draw(figure, _style):
        ax = figure.subplots()
        ax.set(xlim=(0, 1), ylim=(0, 1))
        text = ax.text(0.5, 0.5, "", ha="right", va="top", size=12, animated=True)

        def update(arrays):
            text.set(text=arrays["words"], x=arrays["x"], color=arrays["colour"])

        return update

    kept = picture.Picture(draw, 1, style.Style())
    for words, x, colour in (("0.25", 0.3, "black"), ("gone", 0.6, "red"), ("0.25", 0.9, "red")):
        arrays = {"words": words, "x": x, "colour": colour}
        shown = pixels(kept.png(arrays)).astype(int)
        with style.Style().defaults():
            plain = style.Style().figure(1)
            draw(plain, style.Style())(arrays)
            plain.axes[0].texts[0].set_animated(False)
            buffer = io.BytesIO()
            plain.savefig(buffer, dpi=style.DPI)
        wanted = pixels(buffer.getvalue()).astype(int)
        dark, want = (np.argwhere(image.min(2) < 128) for image in (shown, wanted))
        assert np.abs(dark.min(0) - want.min(0)).max() <= 1
        assert np.abs(dark.max(0) - want.max(0)).max() <= 1
        assert np.abs(shown - wanted).mean() < 0.5


def test_is_the_png_what_was_encoded():
    rgba = np.random.default_rng(0).integers(0, 256, (7, 5, 4), dtype=np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(picture.encode(rgba)))) == rgba).all()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.25, "0.25"),
        (14.2e-6, "1.4\u00a0×\u00a010⁻⁵"),
        (1.2e7, "1.2\u00a0×\u00a010⁷"),
        (0.0, "0"),
        (2500.0, "2500"),
        (25.4, "25"),
    ],
)
def test_are_numbers_written_as_people_write_them(value, written):
    assert style.number(value) == written


def test_does_the_neuron_refuse_a_state_that_is_none():
    neuron = widgets.activations.neuron()
    for wrong in ({"w": ["a", 1]}, {"g": "softmax"}, {"points": []}, {"points": [[1]]}):
        with pytest.raises(traitlets.TraitError):
            neuron.state = {**neuron.state, **wrong}
    neuron.state = {**neuron.state, "points": [[99, -99, 1]]}
    assert neuron.state["points"] == [[3, -3, 1]]


def test_does_the_neuron_send_the_field_of_your_function_as_it_moves():
    def neuron(x, w, b, g):
        return g(x @ w + b)

    made = widgets.activations.neuron(neuron)
    made.state = {**made.state, "w": [0.0, 2.0], "b": 1.0, "g": "linear"}
    field = torch.frombuffer(bytearray(made.field), dtype=torch.float32).reshape(41, 41)
    torch.testing.assert_close(field[:, 7], torch.linspace(7, -5, 41))
    assert "agrees" in made.note
