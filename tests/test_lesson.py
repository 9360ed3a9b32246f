"""Is a lesson read as it is meant, and is what it can't mean refused with a clear sentence?"""

import nbformat
import pytest

from course import lesson, notebook
from course.lesson import LessonError

TEXT = '''\
# %% [markdown]
# # A small lesson
#
# **Points** 3

# %%
import torch

# %% [markdown]
# ## Half  ·  ●○○ · 4 min · 3 points
#
# Write it.

# %% answer="half"
def half(z: torch.Tensor) -> torch.Tensor:
    """Half of z."""
    ### BEGIN SOLUTION divide by two
    return z / 2
    ### END SOLUTION


def quarter(z: torch.Tensor) -> torch.Tensor:
    """A quarter of z."""
    ### BEGIN SOLUTION use half
    return half(half(z))
    ### END SOLUTION

# %% test="half" points=3
assert half(torch.ones(1)) == 0.5
### BEGIN HIDDEN TESTS
assert quarter(torch.ones(1)) == 0.25
### END HIDDEN TESTS

# %% mistake="half" name="once"
def quarter(z):
    """You halved once
    only."""
    return half(z)

# %% alternative="half" name="helper"
import math


def scale(z, by):
    return z * by


def half(z):
    return scale(z, math.exp(-math.log(2)))
'''


@pytest.fixture
def small() -> lesson.Lesson:
    return lesson.parse(TEXT, "99_small")


def test_an_exercise_stands_together(small):
    half = small.exercises["half"]
    assert (half.title, half.difficulty, half.minutes, half.points) == ("Half", "●○○", 4, 3)
    assert small.points == 3
    assert [v.name for v in half.mistakes] == ["once"]
    assert half.mistakes[0].says == "You halved once only."


def test_a_variant_replaces_the_functions_it_defines_and_no_others(small):
    half = small.exercises["half"]
    wrong = half.solved_by(half.mistakes[0])
    assert "return z / 2" in wrong
    assert "half(half(z))" not in wrong
    assert "SOLUTION" not in wrong
    space: dict = {}
    exec("import torch\n" + half.solved_by(half.alternatives[0]), space)
    assert abs(space["half"](3.0) - 1.5) < 1e-6
    assert abs(space["quarter"](4.0) - 1.0) < 1e-6


def test_the_notebook_is_valid_and_the_same_bytes_each_time(small):
    made = notebook.to_notebook(small)
    nbformat.validate(made)
    assert notebook.dumps(made) == notebook.dumps(
        notebook.to_notebook(lesson.parse(TEXT, "99_small"))
    )
    ids = [cell.id for cell in made.cells]
    assert ids == ["a-small-lesson", "a-small-lesson-2", "half-2", "half", "test-half"]


def test_mistakes_and_alternatives_stay_out_of_the_notebook(small):
    text = notebook.dumps(notebook.to_notebook(small))
    assert "You halved once" not in text
    assert "math.exp" not in text


def test_nbgrader_is_told_what_each_cell_is(small):
    *_, answer, test = notebook.to_notebook(small).cells
    assert answer.metadata.nbgrader.solution
    assert not answer.metadata.nbgrader.locked
    assert test.metadata.nbgrader.grade_id == "test-half"
    assert test.metadata.nbgrader.points == 3
    assert test.metadata.nbgrader.locked


def test_a_notebook_without_edits_gives_the_lesson_back_to_the_letter(small):
    assert notebook.from_notebook(notebook.to_notebook(small), small) == TEXT


def test_edits_of_a_notebook_come_back_and_the_catalogue_stays(small):
    edited = notebook.to_notebook(small)
    edited.cells[0].source += "\n\nA new paragraph."
    edited.cells.insert(1, nbformat.v4.new_code_cell("x = 1"))
    edited.cells[-1].metadata.nbgrader.points = 4
    text = notebook.from_notebook(edited, small)
    assert "# A new paragraph." in text
    assert "x = 1" in text
    assert 'test="half" points=4' in text
    assert 'mistake="half" name="once"' in text
    assert 'alternative="half" name="helper"' in text


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("**Points** 3", "**Points** 2", r"write \*\*Points\*\* 3"),
        ("**Points** 3", "", r"write \*\*Points\*\* 3"),
        ("4 min · 3 points", "4 min · 2 points", "its heading says 2"),
        ("## Half  ·  ●○○ · 4 min · 3 points", "## Half", "difficulty, minutes and points"),
        ('# %% test="half" points=3', '# %% test="halves" points=3', "halves"),
        ('name="once"', "", "name of its own"),
        ('    """You halved once\n    only."""\n', "", "no docstring"),
    ],
)
def test_what_a_lesson_cannot_mean_is_refused(old, new, says):
    with pytest.raises(LessonError, match=says):
        lesson.parse(TEXT.replace(old, new), "99_small")


def test_a_test_cell_taken_out_of_the_notebook_does_not_lose_its_mistakes(small):
    edited = notebook.to_notebook(small)
    del edited.cells[-1]
    with pytest.raises(LessonError, match="half"):
        notebook.from_notebook(edited, small)
