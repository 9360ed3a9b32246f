"""Does each check pass what is right, and say what to do about what is wrong?"""

import math

import numpy as np
import pytest
import torch
from torch import relu as imported_relu

from course import check, passed

z = torch.tensor([[-1.0, 0.5, 2.0], [3.0, -4.0, 0.0]])
aliased_relu = torch.relu


def relu(z):
    return torch.where(z > 0, z, torch.zeros_like(z))


def on_cpu(z):
    return torch.maximum(z, torch.zeros(z.shape))


def rebuilt(z):
    return torch.tensor([[max(0.0, v.item()) for v in row] for row in z], dtype=z.dtype)


def in_place(z):
    z[z < 0] = 0
    return z


def halves(z):
    return z.float().clamp(min=0)


def library(z):
    return torch.relu(z)


def method(z):
    return z.relu()


def through_helper(z):
    return library(z)


def by_getattr(z):
    return getattr(torch, "relu")(z)  # noqa: B009 (what a student might try)


def by_import(z):
    return imported_relu(z)


def by_alias(z):
    return aliased_relu(z)


def own_relu_called(z):
    return relu(z) + 0


@pytest.mark.parametrize(
    ("got", "want", "says"),
    [
        (None, z, "return"),
        (z.numpy(), z, "NumPy array"),
        (relu, z, "meant to be called"),
        (z[0], z, r"shape \(2, 3\), got \(3,\)"),
        (z.double(), z, "Expected torch.float32, got torch.float64"),
        (z / 0, z, "inf"),
        (z + torch.nan, z, "nan"),
        (z + 0.01, z, "6 of 6 values are wrong"),
        ((z, z), (z,), "Expected 1 results, got 2"),
        (z, (z,), "tuple"),
        (0.5, 0.6, "expected 0.6"),
    ],
)
def test_close_says_what_is_wrong(got, want, says):
    with pytest.raises(check.Failed, match=says):
        check.close(got, want)


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (z + 1e-7, z),
        ((z, 0.5), (z, 0.5)),
        (torch.tensor(0.5), 0.5),
        (0.5, torch.tensor(0.5)),
        (np.float64(0.5), 0.5),
        (torch.tensor(math.inf), torch.tensor(math.inf)),
        (torch.tensor(math.nan), torch.tensor(math.nan)),
    ],
)
def test_close_passes_what_is_right(got, want):
    check.close(got, want)


def test_the_reason_comes_after_the_fact():
    with pytest.raises(check.Failed, match=r"wrong; .* Look at the sign\.$"):
        check.close(-z, z, "Look at the sign")


def test_equal_is_exact():
    check.equal(z > 0, z > 0)
    check.equal((1, 2), (1, 2))
    for got, want in ((z > 0, z > 1), (3, 4), ("3", 3), ((z > 0).float(), z > 0)):
        with pytest.raises(check.Failed):
            check.equal(got, want)


def test_finite():
    check.finite(z)
    with pytest.raises(check.Failed, match="nan"):
        check.finite(z / z)


@pytest.mark.parametrize("f", [relu, halves])
def test_a_function_that_stays_on_the_device_passes(f):
    check.stays_on_device(f, z)


@pytest.mark.parametrize(("f", "says"), [(on_cpu, "mixes"), (rebuilt, "returns one on the CPU")])
def test_a_function_that_leaves_the_device_is_told(f, says):
    with pytest.raises(check.Failed, match=says):
        check.stays_on_device(f, z)


def test_unchanged_sees_a_change_in_place():
    assert check.unchanged(relu, z) is not None
    with pytest.raises(check.Failed, match="in_place"):
        check.unchanged(in_place, z.clone())


def test_unchanged_sees_gradients_switched_on():
    def slope(z):
        z.requires_grad_()
        return torch.autograd.grad(z.exp().sum(), z)[0]

    with pytest.raises(check.Failed, match="changed `requires_grad`"):
        check.unchanged(slope, z.clone())
    check.unchanged(slope, z.clone().requires_grad_())  # they were on before


def test_keeps_dtype():
    check.keeps_dtype(relu, z)
    with pytest.raises(check.Failed, match="float64"):
        check.keeps_dtype(halves, z)


@pytest.mark.parametrize("f", [library, method, through_helper, by_getattr, by_import, by_alias])
def test_by_hand_finds_the_library_however_it_is_called(f):
    with pytest.raises(check.Failed, match="relu"):
        check.by_hand(f, "relu")


@pytest.mark.parametrize("f", [relu, own_relu_called])
def test_by_hand_lets_ones_own_function_pass(f):
    check.by_hand(f, "relu", "clamp")


def one_by_one(z):
    return torch.stack([row.relu() for row in z])


def one_by_one_below(z):
    return one_by_one(z)


def mapped(z):
    return torch.stack(list(map(relu, z)))


@pytest.mark.parametrize("f", [one_by_one, one_by_one_below, mapped])
def test_no_loop_finds_loops(f):
    with pytest.raises(check.Failed, match="loops in Python"):
        check.no_loop(f)


def test_no_loop_lets_whole_tensors_pass():
    check.no_loop(relu)


class Layer(torch.nn.Module):
    """A module of a notebook's own."""

    def forward(self, x):
        return self.activate(x)

    def activate(self, x):
        return torch.relu(x)


def through_class(z):
    return Layer()(z)


@pytest.mark.parametrize("f", [Layer, through_class])
def test_by_hand_looks_into_the_methods_of_ones_own_class(f):
    check.by_hand(f, "clamp", "Layer")
    with pytest.raises(check.Failed, match="relu"):
        check.by_hand(f, "relu")


def test_work_is_what_operations_read_and_write():
    x = torch.ones(10, 3)
    assert check.work(torch.exp, x) == 60
    assert check.work(lambda x: x.T @ x, x) == 30 + 30 + 9  # to transpose touches no number
    assert check.work(lambda x: x @ x.T, x) == 30 + 30 + 100
    assert check.work(lambda x: [row + 1 for row in x], x) == 10 * (3 + 3)


def test_random_inputs_are_the_same_again_from_the_same_seed():
    check.seed(3)
    first = check.randn(2, 3), check.uniform(-1, 1, 4), check.integers(0, 9, 5)
    check.seed(3)
    again = check.randn(2, 3), check.uniform(-1, 1, 4), check.integers(0, 9, 5)
    for a, b in zip(first, again, strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first[0], check.randn(2, 3))


def shown_by(cell):
    """What a notebook shows below a cell."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell.instance()
    passed.announce()
    with capture_output() as shown:
        shell.run_cell(cell)
    return shown.stdout


def test_a_failure_shows_its_message_and_no_traceback():
    shown = shown_by("from course import check\ncheck.close(1.0, 2.0, 'Add one')")
    assert "Not yet" in shown
    assert "Add one" in shown
    assert "check.py" not in shown
    assert passed.SAYS not in shown


def test_checks_that_pass_say_so_once():
    assert shown_by("from course import check\ncheck.close(1.0, 1.0)").count(passed.SAYS) == 1


def test_a_cell_without_checks_says_nothing():
    assert shown_by("from course import check\nz = check.randn(2)") == ""
