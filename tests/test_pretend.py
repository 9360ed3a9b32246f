"""Does the pretended GPU behave as a GPU would, values included?"""

import pytest
import torch

from course import pretend

FINE = {
    "arithmetic": lambda x, y: x * 2 + 1,
    "a number made on the CPU": lambda x, y: torch.where(x > 0, x, torch.tensor(0.0)),
    "a factory with device": lambda x, y: x + torch.arange(3, device=x.device),
    "like": lambda x, y: torch.maximum(x, torch.zeros_like(x)),
    "new": lambda x, y: x.new_zeros(3) + x,
    "moved over": lambda x, y: x + y.to(x.device),
    "moved like": lambda x, y: x + y.to(x),
    "there and back": lambda x, y: (x.cpu() + y).to(x.device),
    "another dtype": lambda x, y: x.to(torch.float64).float(),
    "a branch on a value": lambda x, y: x if x.max() > 100 else -x,
    "a loop over values": lambda x, y: torch.stack([v.exp() for v in x]),
    "in place": lambda x, y: x.clone().mul_(3),
    "a mask assigned": lambda x, y: x.masked_fill(x < 0, 0.0),
    "indices on the CPU": lambda x, y: x[torch.tensor([2, 0])],
    "autograd": lambda x, y: torch.func.grad(lambda v: v.tanh().sum())(x),
    "einsum": lambda x, y: torch.einsum("i,i->i", x, x),
}

STOPS = {
    "a vector from the CPU": lambda x, y: x + y,
    "zeros on the CPU": lambda x, y: torch.maximum(x, torch.zeros(1)),
    "a number in a stack": lambda x, y: torch.stack([x[0], torch.tensor(1.0)]),
    "a weight on the CPU": lambda x, y: torch.ones(2, 3) @ x,
}


@pytest.mark.parametrize("case", FINE)
def test_what_runs_on_a_gpu_runs_here_with_the_cpus_values(case):
    x, y, f = torch.tensor([-1.5, 0.5, 2.0]), torch.ones(3), FINE[case]
    with pretend.gpu():
        result = f(pretend.to_gpu(x), y)
        assert pretend.is_on_gpu(result)
        assert result.device.type == "cuda"
        assert result.is_cuda
    torch.testing.assert_close(pretend.to_cpu(result), f(x, y))


@pytest.mark.parametrize("case", STOPS)
def test_what_stops_on_a_gpu_stops_here(case):
    with pretend.gpu(), pytest.raises(pretend.MixedDevices, match="same device"):
        STOPS[case](pretend.to_gpu(torch.tensor([-1.5, 0.5, 2.0])), torch.ones(3))


def test_numpy_is_refused_as_on_a_gpu():
    with pretend.gpu(), pytest.raises(TypeError, match="numpy"):
        pretend.to_gpu(torch.ones(3)).numpy()


def test_what_is_left_on_the_cpu_shows():
    with pretend.gpu():
        x = pretend.to_gpu(torch.ones(3))
        assert not pretend.is_on_gpu(torch.tensor([v.item() for v in x]))
        assert not pretend.is_on_gpu(x.cpu())


def test_gradients_reach_leaves_on_both_sides():
    with pretend.gpu():
        there = torch.ones(3, device="cuda", requires_grad=True)
        here = torch.full((3,), 2.0, requires_grad=True)
        (there * here.to("cuda")).sum().backward()
        assert pretend.is_on_gpu(there.grad)
        assert not pretend.is_on_gpu(here.grad)
    torch.testing.assert_close(pretend.to_cpu(there.grad), torch.full((3,), 2.0))
    torch.testing.assert_close(here.grad, torch.ones(3))


def test_nothing_is_pretended_afterwards():
    with pretend.gpu():
        pass
    assert torch.zeros(2).device.type == "cpu"
    if not torch.cuda.is_available():
        with pytest.raises((AssertionError, RuntimeError)):
            torch.zeros(2, device="cuda")


def test_one_hot_stays_on_the_gpu():
    labels = torch.tensor([2, 0, 1])
    with pretend.gpu():
        rows = torch.nn.functional.one_hot(pretend.to_gpu(labels), 4)
    assert pretend.is_on_gpu(rows)
    assert pretend.to_cpu(rows).tolist() == [[0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0]]
