"""Is a mistake named by what it does, and only where it does the same?"""

from pathlib import Path

import pytest
from desk import Desk

from course import lesson as lessons
from course.grading.judge import naming
from course.lesson import Lesson

LESSON = '''\
# %% [markdown]
# # Naming
#
# **Points** 2

# %%
import torch

# %% [markdown]
# ## Centre  ·  ●○○ · 4 min · 2 points

# %% answer="centre"
def centre(x: torch.Tensor) -> torch.Tensor:
    """Each row of x (batch, d) less its mean."""
    ### BEGIN SOLUTION
    return x - x.mean(-1, keepdim=True)
    ### END SOLUTION

# %% test="centre" points=2
check.close(centre(torch.tensor([[1.0, 3.0]])), torch.tensor([[-1.0, 1.0]]))
### BEGIN HIDDEN TESTS
x = check.randn(3, 5)
check.close(centre(x), x - x.mean(1, keepdim=True))
y = check.randn(2, 4, 3)
check.close(centre(y), y - y.mean(-1, keepdim=True))
### END HIDDEN TESTS

# %% mistake="centre" name="one mean"
def centre(x):
    """You took one mean for the whole batch."""
    return x - x.mean()

# %% mistake="centre" name="columns"
def centre(x):
    """You took the mean of each column."""
    return x - x.mean(0)

# %% mistake="centre" name="second dimension"
def centre(x):
    """You always took dimension 1, whatever x has."""
    return x - x.mean(1, keepdim=True)

# %% mistake="centre" name="raises"
def centre(x):
    """Yours takes no more than two dimensions."""
    rows, columns = x.shape
    return x - x.mean(1, keepdim=True)
'''


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    path: Path = tmp_path_factory.mktemp("lesson") / "92_naming.py"
    path.write_text(LESSON, encoding="utf-8")
    return lessons.read(path)


def named(desk: Desk, lesson: Lesson, body: str, seed: int = 5) -> str | None:
    """The name of the mistake behind a student's `centre`, asked in a real kernel."""
    exercise = lesson.exercises["centre"]
    desk.run(f"import torch\ndef centre(x):\n{body}")
    verdict = desk.hear(exercise.test, seed=seed)
    assert not verdict.passed
    found, _ = desk.ask(lambda functions: naming.name(lesson, exercise, functions, seed))
    return found.name if found else None


@pytest.mark.parametrize(
    ("body", "name"),
    [
        # None is written as in the catalogue: what counts is what it answers.
        ("    return x - x.sum() / x.numel()", "one mean"),
        ("    return x - sum(x) / len(x)", "columns"),
        ("    return x - x.sum(1, keepdim=True) / x.shape[1]", "second dimension"),
        ("    n, d = x.size()\n    return x - x.sum(1, keepdim=True) / d", "raises"),
    ],
)
def test_a_mistake_is_known_by_its_answers(
    desk: Desk, lesson: Lesson, body: str, name: str
) -> None:
    assert named(desk, lesson, body) == name


@pytest.mark.parametrize(
    "body",
    [
        "    return 2 * x",
        # Half of one mistake: the same on two dimensions, another thing on three.
        "    return x - x.mean() if x.dim() == 2 else x",
        # Two mistakes at once.
        "    return x - x.mean(0) - 1",
    ],
)
def test_what_no_mistake_explains_gets_no_name(desk: Desk, lesson: Lesson, body: str) -> None:
    assert named(desk, lesson, body) is None


def test_the_name_does_not_hang_on_the_seed(desk: Desk, lesson: Lesson) -> None:
    body = "    return x - x.mean(0)"
    assert {named(desk, lesson, body, seed) for seed in range(5)} == {"columns"}


def test_equal_answers_have_equal_prints(desk: Desk, lesson: Lesson) -> None:
    bodies = ["    return 2 * x", "    return x + x", "    return 2.5 * x"]
    prints = []
    for body in bodies:
        exercise = lesson.exercises["centre"]
        desk.run(f"import torch\ndef centre(x):\n{body}")
        desk.hear(exercise.test)
        _, found = desk.ask(lambda f: naming.name(lesson, lesson.exercises["centre"], f, 5))
        prints.append(found)
    assert prints[0] == prints[1] != prints[2]
