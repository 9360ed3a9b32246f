"""Is what the widgets of `09_attention` show right, and do they survive any student's function?"""

import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import traitlets

from course import widgets
from course.widgets.attention import mosaic, places, plane, states, words

MAKERS = ["pulls", "sentence", "positions", "patches", "machine"]
STATIC = Path(plane.__file__).parent.parent / "static"


def unwritten(*_args):
    raise NotImplementedError("to be written")


def broken(*_args):
    return [][1]


def nothing(*_args):
    pass


def crooked(*_args):
    return torch.zeros(3, 7)


@pytest.mark.parametrize("name", MAKERS)
def test_has_each_widget_presets_that_ask_and_show_something_of_their_own(name):
    made = getattr(widgets.attention, name)()
    first, seen = made.presets[0]["state"], set()
    assert 3 <= len(made.presets) <= 5
    for preset in made.presets:
        assert "?" in preset["ask"]
        made.state = first | preset["state"]
        assert preset["state"].items() <= made.state.items()
        data, _ = made._repr_mimebundle_()
        assert len(data["image/png"]) > 1000
        seen.add(data["text/plain"])
    assert len(seen) == len(made.presets)


@pytest.mark.parametrize("name", MAKERS[1:])
def test_has_a_panel_at_most_four_controls_that_all_matter(name):
    made = getattr(widgets.attention, name)()
    assert len(made.controls) <= 4
    for control in made.controls:
        if control["kind"] == "slider":
            ends = []
            for end in ("low", "high"):
                made.state = {**made.state, control["name"]: control[end]}
                ends.append((made.caption, made.picture))
            assert ends[0] != ends[1]
            assert control["name"] == "time" or ends[0][0] != ends[1][0]


@pytest.mark.parametrize("f", [unwritten, broken, nothing, crooked])
@pytest.mark.parametrize("name", MAKERS)
def test_does_a_widget_survive_a_broken_function_with_one_calm_line(name, f):
    made = getattr(widgets.attention, name)(f)
    said = made.note if name == "pulls" else made.caption
    assert f"`{f.__name__}`" in said
    assert "Traceback" not in said
    assert "dashed line" not in said


def right_rbf(q, keys, theta):
    return F.scaled_dot_product_attention(
        torch.cat([2 * theta**2 * q, -(theta**2) * torch.ones_like(q[:, :1])], 1),
        torch.cat([keys, keys.pow(2).sum(1, keepdim=True)], 1),
        keys,
        scale=1.0,
    )


@pytest.mark.parametrize("preset", plane.PRESETS)
@pytest.mark.parametrize("kernel", plane.KERNELS)
def test_is_the_star_where_torchs_attention_puts_it(preset, kernel):
    state = {
        **preset["state"],
        "kernel": kernel,
        "theta": 0.8,
        "seen": [True, True, False, True, True],
    }
    a = plane.compute(state)
    q, k, v = (torch.tensor(state[n], dtype=torch.float64) for n in ("q", "keys", "values"))
    scores = {
        "rbf": -(0.8**2) * torch.cdist(q[None], k)[0] ** 2,
        "dot": 2 * 0.8**2 * k @ q,
        "turned": 2 * 0.8**2 * k @ torch.stack([-q[1], q[0]]),
        "square": ((k @ q) ** 2).log(),
    }[kernel]
    scores[2] = -torch.inf
    torch.testing.assert_close(a["shares"], scores.softmax(0))
    torch.testing.assert_close(a["star"], scores.softmax(0) @ v)
    tips = plane.pulls(a["star"], a["shares"], v) - a["star"]
    torch.testing.assert_close(tips.sum(0), torch.zeros(2, dtype=torch.float64))  # they balance
    assert float(tips.norm(dim=1).max()) == pytest.approx(1.2)


def test_does_a_query_that_sees_nothing_put_the_star_at_0_by_definition():
    a = plane.compute({**plane.PRESETS[0]["state"], "seen": [False] * 5})
    assert a["star"].tolist() == [0.0, 0.0]
    assert "by definition" in plane.caption(a)
    at_zero = plane.compute({**plane.PRESETS[0]["state"], "kernel": "square", "q": [0.0, 0.0]})
    assert at_zero["star"].tolist() == [0.0, 0.0]


def test_are_rbf_and_dot_product_the_same_on_one_circle():
    state = plane.PRESETS[3]["state"]
    stars = [plane.compute({**state, "kernel": name})["star"] for name in ("rbf", "dot")]
    torch.testing.assert_close(stars[0], stars[1], atol=0.01, rtol=0)  # places have two digits


def test_is_a_right_function_told_so_and_a_wrong_one_by_how_much():
    def rbf_attention(q, keys, theta):
        return right_rbf(q, keys, theta)

    made = widgets.attention.pulls(rbf_attention)
    assert "lands on the star" in made.note
    assert made.yours == pytest.approx(plane.compute(made.state)["star"].tolist())
    made.state = {**made.state, "kernel": "dot"}
    assert made.yours == []
    assert "knows the RBF kernel" in made.note

    def kernel_attention(q, k, v, kernel, _mask):
        weights = kernel(q, k)  # as if nothing were hidden
        return weights @ v / weights.sum(-1, keepdim=True)

    made = widgets.attention.pulls(kernel_attention)
    assert "lands on the star" in made.note
    made.state = {**made.state, "seen": [False, True, True, True, False]}
    assert "is off the star by" in made.note


def test_does_the_plane_refuse_a_state_that_is_none():
    made = widgets.attention.pulls()
    for wrong in (
        {"kernel": "mercer"},
        {"keys": [[0, 0]]},
        {"q": ["a", 1]},
        {"theta": float("nan")},
        {"q": [float("nan"), 0]},
    ):
        with pytest.raises(traitlets.TraitError):
            made.state = {**made.state, **wrong}
    made.state = {**made.state, "q": [99, -99], "theta": 77}
    assert made.state["q"] == [3.0, -3.0]
    assert made.state["theta"] == 3.0


@pytest.mark.parametrize("head", words.HEADS)
@pytest.mark.parametrize("mask", words.MASKS)
def test_is_a_row_a_distribution_over_what_may_be_seen(head, mask):
    a = words.compute({"head": head, "mask": mask, "sharpness": 1.0, "word": 3})
    assert float(a["weights"][~a["seen"]].abs().max() if (~a["seen"]).any() else 0) == 0
    sums = a["weights"].sum(1)
    torch.testing.assert_close(sums, a["seen"].any(1).double())
    torch.testing.assert_close(a["row"], a["weights"][2])


def test_do_the_heads_look_where_they_say():
    state = {"mask": "all", "sharpness": 2.0, "word": 1}
    before = words.compute({**state, "head": "before"})["weights"]
    assert before[1:].argmax(1).tolist() == list(range(8))
    kind = words.compute({**state, "head": "kind"})["weights"]
    assert torch.equal(kind > 0.2, words.KINDS[:, None] == words.KINDS)
    meant = words.compute({**state, "head": "meant"})["weights"]
    assert meant[6, 1] > 0.4  # "it" looks at "cat"
    assert meant[1, 6] < 0.01  # and "cat" not at "it"


def test_is_your_attention_compared_and_your_mask_used():
    def upside_down(n):
        return torch.ones(n, n, dtype=torch.bool).triu()

    state = {"head": "meant", "mask": "back", "sharpness": 1.0, "word": 1}
    attention = F.scaled_dot_product_attention
    a = words.compute(state, lambda q, k, v, mask: attention(q, k, v, attn_mask=mask))
    assert "agrees with the dashed bars" in a["note"]
    a = words.compute(state, None, upside_down)
    assert "differs from the causal mask in 72 places" in a["note"]
    assert bool(a["seen"][0].all())


def test_does_a_places_likeness_depend_on_the_distance_alone():
    for d in (2, 16, 64):
        codes = places.table(d)
        for place in (0, 13, 47):
            torch.testing.assert_close(codes @ codes[place], places.likeness(d, place))
        torch.testing.assert_close(codes[1:, 0].asin()[0], torch.tensor(1.0, dtype=torch.float64))


def test_are_the_patches_cut_by_torch_and_put_together_again():
    state = {"picture": "8/2", "theta": 4.0, "across": 5, "down": 3}
    a = mosaic.compute({**state, "theta": 1e3})
    torch.testing.assert_close(a["after"], a["before"])  # each sees itself alone
    assert a["patch"] == 1 * 4 + 2
    blunt = mosaic.compute({**state, "theta": 0.0})
    torch.testing.assert_close(blunt["weights"], torch.full((16,), 1 / 16, dtype=torch.float64))
    assert blunt["after"][:2, :2].tolist() == blunt["after"][4:6, 6:].tolist()


def test_takes_attention_noise_away():
    for picture in mosaic.PICTURES:
        if picture != "3/4":  # four patches: nobody is like another
            before, after = mosaic.compute(
                {"picture": picture, "theta": 1.2, "across": 0, "down": 0}
            )["errors"]
            assert after < before


def test_shows_the_machine_the_table_and_trains_once_a_seed():
    calls = []

    def train(table, seed):
        calls.append(seed)
        goal = F.one_hot(table[:, 2], 2).float()
        return torch.lerp(
            torch.full((21, 4, 2), 0.5), goal, torch.linspace(0, 1, 21)[:, None, None]
        )

    made = widgets.attention.machine(train)
    made.state = {**made.state, "time": 0}
    assert "P = 0.50" in made.caption
    made.state = {**made.state, "time": 100}
    assert "it writes 0 1 1 0 1 1 0 1 1" in made.caption
    assert calls == [0]
    made.state = {**made.state, "seed": 5}
    assert calls == [0, 5]


def test_is_each_table_what_its_name_says():
    assert states.table("xor").tolist() == [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]
    for name, (_, follows) in states.TABLES.items():
        assert states.table(name)[:, 2].tolist() == follows


def test_has_the_javascript_the_bounds_that_python_has():
    text = (STATIC / "pulls.js").read_text(encoding="utf-8")
    assert f"REACH = {plane.REACH:g}, MOST = {plane.MOST:g}," in text
    assert set(re.findall(r"^  (\w+): \(q, k", text, re.MULTILINE)) == set(plane.KERNELS)
    assert len(text.splitlines()) <= 300
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)
