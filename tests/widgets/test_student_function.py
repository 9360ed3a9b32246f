"""What does a widget say of a student's function, whatever that does?"""

import pytest
import torch

from course import widgets
from course.threads import one_thread


def unwritten(*_args):
    raise NotImplementedError("relu: return z where it is positive")


def broken(*_args):
    return 1 / 0


def returns_nothing(*_args):
    pass


def too_short(z, *_rest):
    return z[:3] if isinstance(z, torch.Tensor) else torch.ones(1, 2, 3)


def all_nan(z, *_rest):
    return torch.full_like(z, torch.nan)


def complex_numbers(z, *_rest):
    return z + 1j


@pytest.mark.parametrize(
    ("f", "said"),
    [
        (unwritten, "`unwritten` is not written yet: the dashed line is what it should do."),
        (broken, "Your `broken` stopped with ZeroDivisionError: division by zero"),
        (
            returns_nothing,
            "Your `returns_nothing` returned nothing (is there a `return`?), "
            "expected a tensor of shape (241,).",
        ),
        (too_short, "Your `too_short` returned shape (3,), expected (241,)."),
        (all_nan, "Your `all_nan` is nan or infinite in 241 of 241 places."),
        (complex_numbers, "Your `complex_numbers` returned complex numbers, expected real ones."),
        (torch.relu, "Your `relu` lies on the dashed line."),
        (torch.abs, "Your `abs` is off the dashed line by up to 6."),
    ],
)
def test_is_what_goes_wrong_one_calm_sentence(f, said):
    explorer = widgets.activations.explorer(f, name="relu")
    assert explorer.caption.startswith(said)
    explorer.state = {**explorer.state, "z": 1.0}  # and the picture goes on
    assert explorer.caption.startswith(said)


@pytest.mark.parametrize("f", [unwritten, broken, returns_nothing, too_short, all_nan])
def test_do_the_other_widgets_survive_it_too(f):
    for panel in (
        widgets.activations.tower(f),
        widgets.activations.saturation(f, f),
    ):
        assert f"`{f.__name__}`" in panel.caption
        for preset in panel.presets:
            panel.state = panel.state | preset["state"]
    neuron = widgets.activations.neuron(f)
    assert f"`{f.__name__}`" in neuron.note
    assert neuron._repr_mimebundle_()[0]["image/png"]


def test_can_a_function_not_change_the_widgets_own_arrays():
    def relu(z):
        return z.clamp_(min=0)

    explorer = widgets.activations.explorer(relu)
    explorer.state = {**explorer.state, "z": -2.0}
    assert "lies on the dashed line" in explorer.caption


def test_is_the_activation_told_from_the_functions_name():
    def swish_prime(z, _beta):
        return torch.zeros_like(z)

    def tanh_from_sigmoid(z):
        return torch.tanh(z)

    explorer = widgets.activations.explorer(None, swish_prime)
    assert explorer.state["kind"] == "swish"
    assert [control["name"] for control in explorer.controls] == ["kind", "z", "beta"]
    assert "lies on" in widgets.activations.explorer(tanh_from_sigmoid).caption
    with pytest.raises(ValueError, match="no activation is named 'softmax'; there are: linear, "):
        widgets.activations.explorer(torch.softmax)


def test_does_the_parameter_reach_the_function():
    def elu(z, alpha):
        return torch.nn.functional.elu(z, alpha)

    explorer = widgets.activations.explorer(elu)
    for alpha in (0.1, 1.5):
        explorer.state = {**explorer.state, "alpha": alpha}
        assert "lies on the dashed line" in explorer.caption


def test_is_the_truth_the_tower_of_the_exercise():
    def layer_gradient_norms(depth, g, x):
        hs = [x.requires_grad_()]
        for _ in range(depth):
            hs.append(g(hs[-1]))
        return torch.stack([h.norm() for h in torch.autograd.grad(hs[-1].sum(), hs[:-1])])

    tower = widgets.activations.tower(layer_gradient_norms)
    for preset in tower.presets:
        tower.state = tower.state | preset["state"]
        assert "lies on the dashed line" in tower.caption


def test_is_a_true_and_a_false_count_told_apart():
    def saturated_fraction(h, low, high, margin):
        return float((h < low + margin).double().mean() + (h > high - margin).double().mean())

    def dead_units(h):
        return (h == 0).any(0)

    panel = widgets.activations.saturation(saturated_fraction, dead_units)
    assert "Your `saturated_fraction` says 44.5%, as it should." in panel.caption
    panel.state = {**panel.state, "kind": "relu", "scale": 1.0, "bias": 0.0}
    assert "is wrong about" in panel.caption


def test_is_a_wrong_neuron_seen():
    def neuron(x, w, _b, g):
        return g(x @ w)

    assert "differs from the true field" in widgets.activations.neuron(neuron).note


def test_are_the_threads_as_before_when_a_function_fails():
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError, match="stop"), one_thread():
        raise RuntimeError("stop")
    assert torch.get_num_threads() == before
