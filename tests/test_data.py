"""Are the data sets what they say: separable or not, and the same each time?"""

import pytest
import torch

from course.data import digits, marks, photos, plane


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


def test_are_the_digits_cut_in_two_by_the_seed():
    data = digits.load(test=450, seed=3)
    assert data.x_train.shape == (1347, 1, 8, 8)
    assert data.x_test.shape == (450, 1, 8, 8)
    assert (data.x_test.dtype, data.y_test.dtype) == (torch.float32, torch.int64)
    assert (float(data.x_train.min()), float(data.x_train.max())) == (0, 1)
    assert set(data.y_test.tolist()) == set(range(10))
    for one, again in zip(data, digits.load(test=450, seed=3), strict=True):
        assert torch.equal(one, again)
    assert not torch.equal(data.y_test, digits.load(test=450, seed=4).y_test)
    # No image is in both parts, but for those that occur twice in the whole set.
    both = torch.cat([data.x_train, data.x_test]).flatten(1)
    assert len(both.unique(dim=0)) == len(both)


@pytest.mark.parametrize("name", photos.NAMES)
def test_is_a_photograph_grey_and_its_small_version_its_mean(name):
    image, small = photos.load(name), photos.load(name, 4)
    assert image.dtype == torch.float32
    assert image.min() >= 0
    assert image.max() <= 1
    assert float(image.std()) > 0.05
    assert small.shape == (image.shape[0] // 4, image.shape[1] // 4)
    assert float(small[1, 2]) == pytest.approx(float(image[4:8, 8:12].mean()), abs=1e-5)


def test_is_a_photograph_that_is_not_there_named():
    with pytest.raises(ValueError, match="there are: camera"):
        photos.load("lena")


@pytest.mark.parametrize("kind", marks.KINDS)
def test_stands_the_target_where_the_mark_is(kind):
    image, target = marks.scatter(kind, noise=0.0, seed=5)
    assert image.shape == (32, 32)
    assert target.shape == (30, 30)
    places = target.nonzero().tolist()
    assert len(places) == 4
    for i, j in places:
        drawn = image[i : i + 3, j : j + 3]
        assert ["".join(".#"[int(v)] for v in row) for row in drawn] == list(marks.KINDS[kind])


def test_is_noise_added_to_the_marks():
    still, noisy = marks.scatter(noise=0.0, seed=2), marks.scatter(noise=0.3, seed=2)
    assert torch.equal(still.target, noisy.target)
    assert float((noisy.image - still.image).std()) == pytest.approx(0.3, abs=0.03)
