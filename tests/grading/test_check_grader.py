"""Handed in and graded for real: does each mistake lose its points, and is it named?"""

from pathlib import Path

import pytest

from course import build
from course.grading import inspection

LESSONS = build.names(Path(__file__).resolve().parents[2])


@pytest.mark.parametrize("name", LESSONS)
def test_every_catalogued_answer_is_judged_and_named_rightly(root, name):
    rows = inspection.inspect(root, name, workers=1)  # tests beside it take the other core
    print(inspection.table(name, rows))
    assert [f"{r.exercise}, {r.answer}: {r.problem}" for r in rows if r.problem] == []
