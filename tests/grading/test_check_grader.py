"""Handed in and graded for real: does each mistake lose its points, and is it named?"""

import pytest

from course import build
from course.grading import inspection


@pytest.mark.xdist_group("check-grader")
def test_every_catalogued_answer_is_judged_and_named_rightly(root):
    for name in build.names(root):
        rows = inspection.inspect(root, name)
        print(inspection.table(name, rows))
        assert [f"{r.exercise}, {r.answer}: {r.problem}" for r in rows if r.problem] == []
