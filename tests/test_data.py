"""Are the data sets what they say: separable or not, and the same each time?"""

import pytest
import torch

from course.data import plane


def separable(points: plane.Points) -> bool:
    """Whether a line separates the classes: the perceptron finds one, or never stops."""
    x, y = points
    x, sign = torch.cat([x, torch.ones(len(x), 1)], 1), 2.0 * y - 1
    w = torch.zeros(3)
    for _ in range(1000):
        wrong = (x @ w * sign <= 0).nonzero()
        if not len(wrong):
            return True
        w = w + sign[wrong[0, 0]] * x[wrong[0, 0]]
    return False


@pytest.mark.parametrize(
    ("name", "line"), [("xor", False), ("either", True), ("groups", True), ("ring", False)]
)
def test_a_line_separates_what_it_should(name, line):
    x, y = getattr(plane, name)()
    assert x.shape == (len(y), 2)
    assert (x.dtype, y.dtype) == (torch.float32, torch.int64)
    assert set(y.tolist()) == {0, 1}
    assert separable((x, y)) is line
