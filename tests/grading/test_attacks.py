"""Does a hostile submission gain a point, see what is hidden, or keep others from being graded?"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "attacks"))

import bank
from course_under_attack import CANARIES, HONEST, NAME, Outcome, grade, prepare, spoken

ATTACKS = bank.read()
POINTS = {name: exercise.points for name, exercise in spoken().exercises.items()}
_HALVES = [[a for a in ATTACKS if not a.not_run][half::2] for half in (0, 1)]
_CASES = [
    pytest.param(half, attack, id=attack.name, marks=pytest.mark.xdist_group(f"attacks-{half}"))
    for half, attacks in enumerate(_HALVES)
    for attack in [*attacks, HONEST]
]


@pytest.fixture(scope="module")
def graded(request, root, tmp_path_factory) -> dict[str, Outcome]:
    """Half of the bank, graded in one run with an honest submission among them."""
    return grade(prepare(root, tmp_path_factory.mktemp("attacked"), _HALVES[request.param]))


@pytest.mark.parametrize(("graded", "attack"), _CASES, indirect=["graded"])
def test_an_attack_gains_nothing_and_sees_nothing(graded, attack):
    outcome = graded[attack.student]
    got = {name: outcome.scores[name] for name in POINTS}
    assert None not in got.values(), "no definite score"
    lost = {name for name, points in got.items() if points == 0}
    kept = {name for name, points in got.items() if points == POINTS[name]}
    assert lost | kept == set(POINTS)
    assert attack.loses <= lost, "a forged point"
    assert lost <= attack.loses | attack.may_lose, "an honest answer was failed"
    assert "<script>document.title" not in outcome.page
    if not attack.sandbox:
        assert CANARIES.search(outcome.page) is None
        assert CANARIES.search(outcome.outputs) is None


def test_the_canaries_are_where_they_are_looked_for():
    assert {m.group() for m in CANARIES.finditer(bank.LESSON.read_text())} == {
        "CANARY-comment", "CANARY-message", "CANARY-solution", "CANARY-mistake",
        "canary_name", "canary_z", "7319.25",
    }  # fmt: skip


def test_the_bank_is_large_and_says_what_it_leaves_to_the_sandbox():
    assert len(ATTACKS) >= 50
    assert len({a.student for a in ATTACKS}) == len(ATTACKS)
    for attack in ATTACKS:
        assert attack.loses | attack.may_lose <= set(POINTS)
        assert attack.sandbox or not attack.not_run
    assert NAME.startswith("90_")
