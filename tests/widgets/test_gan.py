"""Is what the widgets of `12_gan` show right, and do they survive any student's function?"""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course import lesson as lessons
from course import widgets
from course.grading import bank
from course.widgets.gan import apart, game, laboratory, quantiles, slope, tosses

ROOT = Path(__file__).resolve().parents[2]
MAKERS = ["lab", "digits", "inverse", "slopes", "coin", "distances"]


@pytest.fixture(scope="module")
def solved() -> dict:
    """The names of the solved notebook, down to its last exercise."""
    lesson = lessons.read(ROOT / "lessons" / "12_gan.py")
    last = lesson.exercises["ConditionalGenerator"]
    return bank.notebook(lesson, last, last.answer).__dict__


def unwritten(*_args):
    raise NotImplementedError("to be written")


def broken(*_args):
    return [][1]


def nothing(*_args):
    pass


@pytest.mark.parametrize("name", ["lab", "digits"])
def test_shows_each_preset_of_the_lab_something_of_its_own(name):
    made, seen = getattr(widgets.gan, name)(), set()
    for preset in made.presets:
        made.state = preset["state"]
        assert made.state == preset["state"]
        for _ in range(3):
            made.do("round")
        seen.add(made.frame["caption"])
    assert len(seen) == len(made.presets)
    assert len(made.controls) <= 4


@pytest.mark.parametrize("f", [unwritten, broken, nothing])
@pytest.mark.parametrize("name", MAKERS)
def test_does_a_widget_survive_a_broken_function_with_one_calm_line(name, f):
    made = getattr(widgets.gan, name)(f)
    if name == "lab":
        made.do("round")
    said = made.frame["caption"] if name in ("lab", "digits") else made.caption
    assert f"`{f.__name__}`" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("argument", range(5))
@pytest.mark.parametrize("f", [unwritten, broken, nothing])
def test_goes_the_game_on_with_ours_where_one_function_fails(argument, f):
    given = [None] * 5
    given[argument] = f
    made = widgets.gan.lab(*given)
    for _ in range(3):
        made.do("round")
    assert made.frame["caption"].count(f"`{f.__name__}`") == 1
    assert made.frame["rounds"] == 3
    assert all(math.isfinite(v) for v in made.game.losses)


def weights(net: nn.Module) -> list[torch.Tensor]:
    return [p.detach().clone() for p in net.parameters()]


def same(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("who", ["D", "G"])
def test_touches_a_step_its_own_player_alone(who):
    played = game.Game("ring", 0, game.Yours())
    before = weights(played.D), weights(played.G)
    played.step(who, False)
    assert same(before[0], weights(played.D)) is (who == "G")
    assert same(before[1], weights(played.G)) is (who == "D")


def test_play_the_students_steps_and_losses_the_same_game_as_ours(solved):
    names = ("d_step", "g_step", "discriminator_loss", "generator_loss")
    ours = game.Game("ring", 5, game.Yours())
    theirs = game.Game("ring", 5, game.Yours(**{name: solved[name] for name in names}))
    for saturating in (False, True):
        for played in (ours, theirs):
            for _ in range(4):
                played.round(1, 1, saturating)
        assert theirs.note == ""
        torch.testing.assert_close(ours.made(), theirs.made(), rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(ours.losses, theirs.losses, rtol=1e-3, atol=1e-3)


def test_do_the_students_players_and_generator_play(solved):
    played = game.Game("ring", 0, game.Yours(players=solved["players"]))
    assert played.note == ""
    assert isinstance(played.G, nn.Sequential)
    made = widgets.gan.digits(solved["ConditionalGenerator"])
    made.do("round")
    assert "`" not in made.frame["caption"]
    assert isinstance(made.game.G.theirs, solved["ConditionalGenerator"])


def test_repeats_a_seed_the_game_and_changes_another_it():
    def points(seed: int) -> torch.Tensor:
        played = game.Game("ring", seed, game.Yours())
        for _ in range(3):
            played.round(1, 1, False)
        return played.made()

    assert torch.equal(points(3), points(3))
    assert not torch.allclose(points(3), points(4))


def test_covers_a_fair_game_the_ring_and_loses_one_in_a_hurry_its_modes():
    fair, hurry = (game.Game("ring", 0, game.Yours()) for _ in range(2))
    for _ in range(300):
        fair.round(1, 1, False)
    for _ in range(120):
        hurry.round(1, 10, False)
    assert fair.history[-1][0] >= 6
    assert max(modes for modes, _ in hurry.history[60:]) <= 3


def test_are_saturating_arrows_thousands_of_times_shorter_where_d_is_ahead():
    made = widgets.gan.lab()
    made.state = made.state | {"turns": "ahead"}
    lengths = [made.game.arrows(saturating).norm(dim=1).mean() for saturating in (False, True)]
    assert lengths[0] > 1
    assert lengths[0] > 1000 * lengths[1]


def test_point_arrows_where_the_loss_of_g_falls():
    played = game.Game("ring", 0, game.Yours())
    for _ in range(20):
        played.step("D", False)
    points, arrows = played.made()[: game.ARROWS], played.arrows(False)
    with torch.no_grad():
        before, after = (F.softplus(-played.D(p)).mean() for p in (points, points + 0.01 * arrows))
    assert after < before


def test_holds_a_frame_what_it_says():
    made = widgets.gan.lab()
    made.do("round")
    sizes = made.frame["sizes"]
    assert sizes == [game.CELLS**2, 2 * game.SHOWN, 2 * game.ARROWS, 2 * 2]
    assert len(made.arrays) == 4 * sum(sizes)
    field = np.frombuffer(made.arrays, np.float32)[: sizes[0]]
    assert 0 <= field.min() <= field.max() <= 1
    number = made.frame["number"]
    made.do("")
    assert made.frame["number"] == number + 1  # each question has an answer, for the next to come
    json.dumps(made.frame | made.scene)


def test_survives_what_a_browser_never_sends():
    made = widgets.gan.lab()
    for asked in ({"do": "all"}, {}, "play", None, {"do": ["D"]}):
        made._asked(made, asked, [])
    made.state = {"data": "moon", "loss": 3, "turns": "often", "seed": -5}
    assert made.state == made.presets[0]["state"]


def test_keeps_a_coin_its_curve_and_its_share():
    made = widgets.gan.lab()
    made.state = made.state | {"data": "coin"}
    shown = made.game.look(False, 10)
    assert shown["points"].shape == (game.SHOWN, 2)
    assert shown["arrows"][:, 1].abs().max() == 0
    assert made.scene["wanted"] == pytest.approx(0.3, abs=0.05)


def test_is_the_order_of_digits_what_stands_above_the_column():
    played = game.Game("digits", 0, game.Yours())
    asked = played.made()[:, 64:].argmax(1).view(game.ROWS, 10)
    assert asked.tolist() == [list(range(10))] * game.ROWS
    assert played.scene.measure(played.scene.x)[0] > 0.85  # the measure reads real digits


def test_follow_quantiles_their_formula():
    levels = torch.linspace(0.1, 0.9, 9, dtype=torch.float64)
    normal, exponential = (
        torch.quantile(quantiles.table(k, 101), levels) for k in ("normal", "exponential")
    )
    torch.testing.assert_close(normal, torch.special.ndtri(levels), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(exponential, -torch.log1p(-levels), rtol=1e-3, atol=1e-3)
    a = quantiles.compute({"kind": "coin", "knots": 101, "draws": 4.0, "seed": 1})
    assert (a["samples"] > 0.5).double().mean() == pytest.approx(0.3, abs=0.02)
    a = quantiles.compute({"kind": "normal", "knots": 101, "draws": 4.0, "seed": 1})
    assert (a["heights"] - a["exact"]).abs().max() < 0.01


def test_are_the_slopes_those_of_the_losses():
    losses, slopes = slope.exact()
    s = torch.sigmoid(slope.Z)
    torch.testing.assert_close(losses, torch.stack([-s.log(), (1 - s).log()]))
    torch.testing.assert_close(slopes, torch.stack([s - 1, -s]))


def test_lie_right_functions_on_the_line(solved):
    said = widgets.gan.slopes(solved["generator_loss"], solved["generator_slope"]).caption
    assert said.count("lies on the dashed line") == 2
    assert "lies on the dashed line" in widgets.gan.inverse(solved["inverse_transform"]).caption
    said = widgets.gan.distances(solved["emd_1d"], solved["mmd_rbf"]).caption
    assert said.count("Your `") == 2
    assert "library's" not in said
    shifted = widgets.gan.distances(lambda a, b: solved["emd_1d"](a, b) + 1).caption
    assert "library's" in shifted


def test_is_the_coin_learned(solved):
    made = widgets.gan.coin(solved["coin_gan"])
    a = tosses.compute(
        made.state, lambda p, n: tosses.played(solved["coin_gan"], tosses.tosses(p, n), n)
    )
    assert float(a["heads"].mean()) == pytest.approx(a["share"], abs=0.1)
    assert "on average" in made.caption


def test_grow_distances_as_they_should():
    ways, squares = apart.over_shifts("alike", 0.5, 0)
    middle = len(apart.SHIFTS) // 2
    assert ways.argmin() == squares.argmin() == middle
    assert ways[-1] - ways[-2] == pytest.approx(0.25, abs=1e-6)  # far apart: as far as it is moved
    assert abs(squares[-1] - squares[-2]) < 0.02
    alike = [apart.over_shifts("alike", 0.5, n)[1][middle] for n in range(40)]
    assert min(alike) < 0 < max(alike)


def test_keeps_the_javascript_the_rules_of_the_house():
    text = (Path(laboratory.STATIC) / "lab.js").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert not re.search(r"https?://", text)
