# %% [markdown]
# # Neurons and activations
#
# **Points** 3

# %%
import math

import torch
import torch.nn.functional as F

from course import check, widgets

# %% [markdown]
# ## How much gradient reaches the first layer  ·  ●●● · 8 min · 3 points
#
# A tower of `depth` layers, each unit wired to the one above it with weight 1: $h \leftarrow g(h)$,
# `depth` times, starting from $h = x$. With $L$ the sum of all outputs, return
# $\|\partial L / \partial h\|$ at the *input* of every layer, first layer first: `depth` numbers.
# (A weight $w$ on every link is the same tower with the activation $h \mapsto g(w h)$.)

# %%
widgets.activations.tower()

# %% answer="layer_gradient_norms"
from collections.abc import Callable


def layer_gradient_norms(
    depth: int, g: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor
) -> torch.Tensor:
    """Norm of dL/dh at the input of each of `depth` layers h = g(h), first layer first.

    x (batch, units) enters the first layer; L is the sum of the last layer's outputs.
    The norm is over the whole batch: the root of the sum of squares.
    Returns shape (depth,), in the dtype and on the device of x.
    """
    ### BEGIN SOLUTION run x through the layers, keep every layer's input, ask autograd for dL/dh
    inputs = [x.detach().requires_grad_()]
    for _ in range(depth):
        inputs.append(g(inputs[-1]))
    gradients = torch.autograd.grad(inputs.pop().sum(), inputs)
    return torch.stack([gradient.norm() for gradient in gradients])
    ### END SOLUTION

# %% test="layer_gradient_norms" points=3
x = torch.zeros(1, 1)
check.close(
    layer_gradient_norms(1, torch.sigmoid, x),
    torch.tensor([0.25]),
    "one sigmoid layer at z = 0 passes on exactly its slope there",
)
### BEGIN HIDDEN TESTS
x = check.randn(7, 3)
check.close(layer_gradient_norms(6, torch.relu, x).diff(), torch.zeros(5))
### END HIDDEN TESTS
