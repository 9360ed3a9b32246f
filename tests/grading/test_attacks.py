"""Does a hostile submission gain a point, see what is hidden, or keep others from being graded?"""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "attacks"))

import bank
from course_under_attack import CANARIES, Outcome, grade, prepare, spoken

ATTACKS = bank.read()
POINTS = {name: exercise.points for name, exercise in spoken().exercises.items()}
_SUBMISSIONS = bank.submissions(ATTACKS)
_HALVES = _SUBMISSIONS[0::2], [_SUBMISSIONS[0], *_SUBMISSIONS[1::2]]  # each with the honest one
_CASES = [
    pytest.param(
        half, one, id=f"{half}-{one.student}", marks=pytest.mark.xdist_group(f"attacks-{half}")
    )
    for half, submissions in enumerate(_HALVES)
    for one in submissions
]


@pytest.fixture(scope="session")
def graded(root, tmp_path_factory) -> Callable[[int], dict[str, Outcome]]:
    """Each half of the bank, graded in one run with an honest submission among them."""

    @cache
    def grade_half(half: int) -> dict[str, Outcome]:
        return grade(prepare(root, tmp_path_factory.mktemp("attacked"), _HALVES[half]))

    return grade_half


@pytest.mark.parametrize(("half", "submission"), _CASES)
def test_an_attack_gains_nothing_and_sees_nothing(graded, half, submission):
    outcome = graded(half)[submission.student]
    loses = frozenset().union(*(a.loses for a in submission.attacks))
    may_lose = frozenset().union(*(a.may_lose for a in submission.attacks))
    assert set(outcome.scores) == set(POINTS)
    for name, points in POINTS.items():
        wanted = {0} if name in loses else {0, points} if name in may_lose else {points}
        assert outcome.scores[name] in wanted, (name, outcome.told)
    assert "<script>document.title" not in outcome.page
    assert all(attack.says in outcome.outputs for attack in submission.attacks)
    assert CANARIES.search(outcome.page) is None
    assert CANARIES.search(outcome.outputs) is None


def test_the_canaries_are_where_they_are_looked_for():
    assert {m.group() for m in CANARIES.finditer(bank.LESSON.read_text())} == {
        "CANARY-comment", "CANARY-message", "CANARY-solution", "CANARY-mistake",
        "canary_name", "canary_z", "7319.25",
    }  # fmt: skip


def test_the_bank_is_large_and_all_of_it_is_handed_in():
    assert len(ATTACKS) >= 70
    handed_in = [a for one in _SUBMISSIONS for a in one.attacks]
    assert {a.name for a in handed_in} == {a.name for a in ATTACKS}
    for attack in ATTACKS:
        assert attack.loses | attack.may_lose <= set(POINTS)
