# %% [markdown]
# # Neurons and activations
#
# **You will be able to** write a neuron and the activation functions of the decks, with their slopes,
# so that they hold at $|z| = 1000$ · say what one neuron, and any stack of linear layers, cannot do ·
# measure saturated units, dead units and vanishing gradients.
#
# **Decks** Karatzas, "What activations to use?" to "General Advice" · Rinnert, "Artificial Neuron"
# to "Linear Classification Examples" · Passerini, "Activation Function", "PB: Vanishing gradient" ·
# Moerland, "Activation Functions" · Minhas, "Single Neuron: Representation", the table of activations,
# "Understanding optimization stalls in neural networks"
#
# **Time** 60 minutes · **Points** 22 · ●○○ warm-up, ●●○ has a trap, ●●● needs thought.
# Your functions take tensors of any shape (unless a docstring says otherwise), keep dtype and device,
# and leave their arguments as they were.

# %%
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F

from course import check, widgets

# %% [markdown]
# ## Where did the gradient go?
#
# A net of ten sigmoid layers is trained for an hour. The top layers learn; the bottom ones have
# hardly moved. The code has no bug.
#
# **Predict**: of the gradient that enters at the top, what part reaches the bottom: a half, a
# hundredth, a millionth? Then look.

# %%
widgets.activations.tower()

# %% [markdown]
# *What to see*: one bar a layer, the first at the bottom, on a logarithmic scale: equal steps are equal
# *factors*. With sigmoids the bars shorten by equal steps on the way down; other activations lose less.
# You will soon compute these bars yourself, and know where each step comes from.

# %% [markdown]
# ## One neuron  ·  ●○○ · 3 min · 1 point
#
# A neuron weighs its inputs, adds a bias, and bends the sum: $z = b + \sum_i w_i x_i$, then
# $h = g(z)$ (Rinnert, "Artificial Neuron", who writes $a$ for $z$). $z$ is the *pre-activation*, $g$
# the *activation function*, $h$ the activation. That is the *representation*. *Evaluation* compares
# $h$ with a target, by $(t - h)^2$ for instance. *Optimisation* moves $w$ and $b$ downhill (Minhas,
# "REO and SRM are all you need!"), by steps that carry the factor $g'(z)$ ("Understanding optimization
# stalls…"). So every $g$ here comes with its slope.
#
# The oldest $g$ is the **binary threshold**: 1 where $z \ge 0$, else 0. Its slope is 0 wherever it has
# one, and so is every step (Karatzas, "Binary Threshold Neurons").
#
# **Predict**: can one neuron put the four XOR points on their right sides? Would another $g$ help?

# %%
widgets.activations.neuron()

# %% [markdown]
# *What to see*: the border $z = 0$ is a straight line at right angles to $w$. The bias shifts it, a
# longer $w$ makes it sharper, $g$ only shades its two sides. No straight line solves XOR: that is the
# capacity of one neuron (Rinnert, "Capacity of a Single Neuron").
#
# **Your turn.** Inputs lie along the *last* dimension of `x`; any number of dimensions may come first.


# %% answer="neuron"
def neuron(
    x: torch.Tensor,
    w: torch.Tensor,
    b: float | torch.Tensor,
    g: Callable[[torch.Tensor], torch.Tensor],
) -> torch.Tensor:
    """Activation of one neuron: g(b + sum_i w_i x_i).

    x (..., d) inputs, w (d,) weights, b one number, g elementwise. Returns shape (...).
    """
    ### BEGIN SOLUTION return g of the weighted sum plus the bias
    return g(x @ w + b)
    ### END SOLUTION


# %%
widgets.activations.neuron(neuron)

# %% [markdown]
# *What to see*: the shading is your function's now, and must follow the line as you move it.

# %% test="neuron" points=1
x = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
w = torch.tensor([2.0, -1.0])
check.close(
    neuron(x, w, -1.0, torch.relu),
    torch.tensor([0.0, 1.0, 3.0]),
    "By hand, the first row is relu(2·1 − 1·2 − 1)",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        x = check.randn(4, 3, 5, dtype=dtype, device=device)
        w = check.randn(5, dtype=dtype, device=device)
        b = 0.7
        for g in (torch.tanh, torch.sigmoid, F.softplus):
            check.close(
                check.unchanged(neuron, x, w, b, g),
                g((x * w).sum(-1) + b),
                "Sum over the last dimension, add the bias once, then apply `g`",
            )
        check.close(
            neuron(x[0, 0], w, b, torch.tanh),
            torch.tanh((x[0, 0] * w).sum() + b),
            "One single input of shape (d,) gives one number",
        )
check.stays_on_device(neuron, check.randn(4, 3), check.randn(3), 0.3, torch.tanh)
### END HIDDEN TESTS


# %% mistake="neuron" name="no-bias"
def neuron(x, w, b, g):
    """You left the bias out. Without it every border runs through the origin."""
    return g(x @ w)


# %% mistake="neuron" name="bias-for-each-input"
def neuron(x, w, b, g):
    """You added the bias to every product before the sum, so it counts d times. How often should it?"""
    return g((x * w + b).sum(-1))


# %% mistake="neuron" name="bias-after-activation"
def neuron(x, w, b, g):
    """You added the bias after the activation. Which of the two lines, z or h, has b in it?"""
    return g(x @ w) + b


# %% mistake="neuron" name="no-activation"
def neuron(x, w, b, g):
    """You returned the pre-activation z. One step is still to come."""
    return x @ w + b


# %% mistake="neuron" name="always-sigmoid"
def neuron(x, w, b, g):
    """You used a sigmoid whatever `g` was asked for. The caller chooses the activation."""
    return torch.sigmoid(x @ w + b)


# %% mistake="neuron" name="activation-inside-the-sum"
def neuron(x, w, b, g):
    """You bent every product before adding them up. A neuron bends once: look where the sum ends."""
    return g(x * w).sum(-1) + b


# %% mistake="neuron" name="sums-everything"
def neuron(x, w, b, g):
    """You added up the whole batch into one number. Each row of x is an input of its own."""
    return g((x * w).sum() + b)


# %% mistake="neuron" name="bias-on-the-cpu"
def neuron(x, w, b, g):
    """You built a vector of biases on the CPU. Think about where x is, and whether a vector is needed."""
    return g(x @ w + torch.full(x.shape[:-1], b, dtype=x.dtype))


# %% alternative="neuron" name="product-and-sum"
def neuron(x, w, b, g):
    return g((x * w).sum(dim=-1) + b)


# %% alternative="neuron" name="einsum"
def neuron(x, w, b, g):
    z = torch.einsum("...d,d->...", x, w)
    return g(z + b)


# %% alternative="neuron" name="loop-over-inputs"
def neuron(x, w, b, g):
    z = torch.full_like(x[..., 0], float(b))
    for i in range(len(w)):
        z = z + x[..., i] * w[i]
    return g(z)


# %% [markdown]
# ## A stack of linear layers is one layer  ·  ●●○ · 5 min · 2 points
#
# XOR needs more than one neuron. **Predict**: with $g(z) = z$, would ten layers solve it?
#
# Two layers give $W_2 (W_1 x + b_1) + b_2$. Multiply out: a matrix times $x$, plus a vector. One layer
# again (Moerland, "Activation Functions"; Karatzas, "Linear Neurons", without biases). Depth pays only
# if something between the layers bends.
#
# **Your turn.** `layers` is a list of `(W, b)`, the first applied first. Return the single `(W, b)`
# that does the same.


# %% answer="collapse"
def collapse(layers: list[tuple[torch.Tensor, torch.Tensor]]) -> tuple[torch.Tensor, torch.Tensor]:
    """The one linear layer (W, b) that equals the whole stack, layers[0] applied first.

    Each layer is (W (n_out, n_in), b (n_out,)) and maps x to W x + b. There is at least one.
    """
    ### BEGIN SOLUTION return one (W, b) for the whole stack
    W, b = layers[0]
    for W_next, b_next in layers[1:]:
        W, b = W_next @ W, W_next @ b + b_next
    return W, b
    ### END SOLUTION


# %% test="collapse" points=2
first = (torch.tensor([[1.0, 0.0], [2.0, 1.0], [0.0, -1.0]]), torch.tensor([1.0, 0.0, 2.0]))
second = (torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([-1.0]))
check.close(
    collapse([first, second]),
    (torch.tensor([[5.0, -1.0]]), torch.tensor([6.0])),
    "W maps 2 inputs to 1 output here; and the first bias passes through the second matrix",
)
### BEGIN HIDDEN TESTS
cases = [
    (device, dtype, sizes)
    for device in check.devices()
    for dtype in check.dtypes()
    for sizes in ((4, 3, 6, 2, 5), (3, 3, 3))  # in square layers a wrong order runs
]
for device, dtype, sizes in cases:
    layers = [
        (
            check.randn(n_out, n_in, dtype=dtype, device=device),
            check.randn(n_out, dtype=dtype, device=device),
        )
        for n_in, n_out in zip(sizes, sizes[1:], strict=False)
    ]
    # Nothing goes in, then each input alone: what comes out is b, then the columns of W plus b.
    corner = torch.zeros(1, sizes[0], dtype=dtype, device=device)
    probes = torch.cat([corner, torch.eye(sizes[0], dtype=dtype, device=device)])
    for W, b in layers:
        probes = probes @ W.T + b
    check.close(
        check.unchanged(collapse, layers),
        ((probes[1:] - probes[0]).T.contiguous(), probes[0]),
        "Write out three layers and collect what multiplies x, then what doesn't",
    )
    check.close(collapse(layers[:1]), layers[0], "A stack of one layer is that layer")
check.stays_on_device(
    collapse, [(check.randn(3, 2), check.randn(3)), (check.randn(4, 3), check.randn(4))]
)
### END HIDDEN TESTS


# %% mistake="collapse" name="biases-added"
def collapse(layers):
    """You added the biases up as they are. What does the next layer do to the bias before it?"""
    W, b = layers[0]
    for W_next, b_next in layers[1:]:
        W, b = W_next @ W, b + b_next
    return W, b


# %% mistake="collapse" name="only-the-last-bias"
def collapse(layers):
    """You kept the last bias and lost the ones before. Put x = 0 into the stack: what comes out?"""
    W = layers[0][0]
    for W_next, _ in layers[1:]:
        W = W_next @ W
    return W, layers[-1][1]


# %% mistake="collapse" name="no-bias"
def collapse(layers):
    """You dropped all the biases, as the slide does. Here the layers have some."""
    W = layers[0][0]
    for W_next, _ in layers[1:]:
        W = W_next @ W
    return W, torch.zeros_like(layers[-1][1])


# %% mistake="collapse" name="wrong-order"
def collapse(layers):
    """You multiplied the matrices in the order of the list. Which one stands next to x in W2 (W1 x)?"""
    W, b = layers[0]
    for W_next, b_next in layers[1:]:
        W, b = W @ W_next, W_next @ b + b_next
    return W, b


# %% mistake="collapse" name="next-bias-through-its-own-matrix"
def collapse(layers):
    """You added the next bias before multiplying. In W x + b the layer's own bias comes last."""
    W, b = layers[0]
    for W_next, b_next in layers[1:]:
        W, b = W_next @ W, W_next @ (b + b_next)
    return W, b


# %% mistake="collapse" name="whole-product-for-the-bias"
def collapse(layers):
    """You sent the bias through the product that has the new matrix and all the old ones in it. It has been through the old ones."""
    W, b = layers[0]
    for W_next, b_next in layers[1:]:
        W = W_next @ W
        b = W @ b + b_next
    return W, b


# %% mistake="collapse" name="two-layers-only"
def collapse(layers):
    """You joined the first and the last layer only. A stack may have any number of layers."""
    (W, b), (W_last, b_last) = layers[0], layers[-1]
    return W_last @ W, W_last @ b + b_last


# %% mistake="collapse" name="in-place"
def collapse(layers):
    """You wrote the sum into a bias of the caller's list. Their network has changed under their feet."""
    W, b = layers[0]
    for W_next, b_next in layers[1:]:
        W = W_next @ W
        b_next += W_next @ b
        b = b_next
    return W, b


# %% mistake="collapse" name="identity-on-the-cpu"
def collapse(layers):
    """You started from an identity matrix on the CPU. Think about where the layers are."""
    W = torch.eye(layers[0][0].shape[1], dtype=layers[0][0].dtype)
    b = torch.zeros(layers[0][0].shape[1], dtype=layers[0][0].dtype)
    for W_next, b_next in layers:
        W, b = W_next @ W, W_next @ b + b_next
    return W, b


# %% alternative="collapse" name="probe-with-unit-vectors"
def collapse(layers):
    W = layers[0][0]
    n = W.shape[1]
    probes = torch.cat([torch.eye(n).to(W), torch.zeros(1, n).to(W)])
    for W_next, b_next in layers:
        probes = probes @ W_next.T + b_next
    return (probes[:-1] - probes[-1]).T, probes[-1]


# %% alternative="collapse" name="from-the-last-layer"
def collapse(layers):
    W, b = layers[-1]
    for W_before, b_before in reversed(layers[:-1]):
        b = b + W @ b_before
        W = W @ W_before
    return W, b


# %% alternative="collapse" name="recursive"
def collapse(layers):
    if len(layers) == 1:
        return layers[0]
    (W1, b1), (W2, b2), *rest = layers
    return collapse([(W2 @ W1, W2 @ b1 + b2), *rest])


# %% [markdown]
# ## Sigmoid  ·  ●●○ · 5 min · 2 points
#
# The threshold made smooth: $\sigma(z) = \dfrac{1}{1 + e^{-z}} = \dfrac{e^z}{1 + e^z}
# = 1 - \dfrac{1}{1 + e^z}$. Equal on paper. In `float32`, $e^{89}$ is already `inf`, and a tiny number
# added to 1 gets lost. **Predict** which entries go wrong, then run.

# %%
z = torch.tensor([-1000.0, -50.0, 0.0, 50.0, 1000.0])
print(z.exp() / (1 + z.exp()))
print(1 - 1 / (1 + z.exp()))

# %% [markdown]
# *What to see*: the first is `nan` at 1000: inf/inf. The second says 0 at −50; the truth is
# $1.9 \cdot 10^{-22}$, and 02_softmax will take its logarithm.
#
# **Your turn**, by hand: no `torch.sigmoid`. Finite everywhere, four digits right even at −50.


# %% answer="sigmoid"
def sigmoid(z: torch.Tensor) -> torch.Tensor:
    """The logistic function, elementwise, between 0 and 1; z of any shape."""
    ### BEGIN SOLUTION return a form that survives z = ±1000
    return 1 / (1 + torch.exp(-z))  # where exp overflows, 1 / inf is the 0 we want
    ### END SOLUTION


# %%
widgets.activations.explorer(sigmoid)

# %% [markdown]
# *What to see*: your curve must lie on the dashed truth. It is nearly straight around 0, and flat from
# $|z| \approx 5$ on.

# %% test="sigmoid" points=2
check.by_hand(
    sigmoid, "sigmoid", "sigmoid_", "Sigmoid", "expit", "logsigmoid", "LogSigmoid", "silu"
)
check.close(
    sigmoid(torch.tensor([-2.0, 0.0, 2.0])), torch.tensor([0.119203, 0.5, 0.880797]), tol=1e-4
)
check.close(
    sigmoid(torch.tensor([-1000.0, 1000.0])),
    torch.tensor([0.0, 1.0]),
    "Which exp overflows here, and what is inf divided by inf?",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        z = 4 * check.randn(2, 5, 3, dtype=dtype, device=device)
        check.close(check.unchanged(sigmoid, z), torch.sigmoid(z), "Compare with the formula")
        z = check.uniform(-1000, 1000, 7, 2, dtype=dtype, device=device)
        check.close(sigmoid(z), torch.sigmoid(z), "Wrong where |z| is large")
        z = check.uniform(-80, -20, 11, dtype=dtype, device=device)
        check.close(
            sigmoid(z) / torch.sigmoid(z),
            torch.ones_like(z),
            "Far to the left (z < −20) the tiny values are off by this factor: "
            "what is lost when 1 is added or subtracted?",
        )
        check.shape(sigmoid(z[0]), ())
check.stays_on_device(sigmoid, check.randn(4, 3))
### END HIDDEN TESTS


# %% mistake="sigmoid" name="overflow-on-the-right"
def sigmoid(z):
    """You divided exp(z) by 1 + exp(z): for large z that is inf/inf. What can you divide both by?"""
    return z.exp() / (1 + z.exp())


# %% mistake="sigmoid" name="cancellation"
def sigmoid(z):
    """Far to the left your result is what is left when two numbers close to 1 cancel: nothing survives of it."""
    return 1 - 1 / (1 + z.exp())


# %% mistake="sigmoid" name="clipped"
def sigmoid(z):
    """You clipped z to keep exp finite. No nan any more, but values beyond the clip are all the same."""
    return 1 / (1 + torch.exp(-z.clamp(-15, 15)))


# %% mistake="sigmoid" name="sign"
def sigmoid(z):
    """Your curve falls from 1 to 0. Check the sign in the exponent: what should a large z give?"""
    return 1 / (1 + z.exp())


# %% mistake="sigmoid" name="library-call"
def sigmoid(z):
    """You called the library's own function. This one is to be built from exp and arithmetic."""
    return torch.sigmoid(z)


# %% mistake="sigmoid" name="float64-result"
def sigmoid(z):
    """You switched to float64 and stayed there. The caller gets another dtype than they gave."""
    return 1 / (1 + torch.exp(-z.double()))


# %% mistake="sigmoid" name="one-branch-for-the-batch"
def sigmoid(z):
    """You chose one formula for the whole tensor. Entries of both signs can stand in one batch."""
    if (z > 0).any():
        return 1 / (1 + torch.exp(-z.clamp(min=0)))
    return z.exp() / (1 + z.exp())


# %% mistake="sigmoid" name="result-on-the-cpu"
def sigmoid(z):
    """You filled a new tensor made on the CPU. Think about where z is."""
    out = torch.zeros(z.shape, dtype=z.dtype)
    out[z >= 0] = 1 / (1 + torch.exp(-z[z >= 0]))
    out[z < 0] = z[z < 0].exp() / (1 + z[z < 0].exp())
    return out


# %% alternative="sigmoid" name="two-branches"
def sigmoid(z):
    small = torch.exp(-z.abs())
    return torch.where(z >= 0, 1 / (1 + small), small / (1 + small))


# %% alternative="sigmoid" name="masks"
def sigmoid(z):
    out = torch.empty_like(z)
    positive = z >= 0
    out[positive] = 1 / (1 + torch.exp(-z[positive]))
    e = torch.exp(z[~positive])
    out[~positive] = e / (1 + e)
    return out


# %% alternative="sigmoid" name="softmax-of-two"
def sigmoid(z):
    return torch.stack([z, torch.zeros_like(z)], dim=-1).softmax(-1)[..., 0]


# %% [markdown]
# ## The slope of the sigmoid  ·  ●○○ · 2 min · 1 point
#
# From here on you may call torch's version of what you have already written (now `torch.sigmoid`), so
# that one slip doesn't cost you twice.
#
# $\sigma'(z) = \sigma(z)\,(1 - \sigma(z))$ (Passerini, "Derivative of sigmoid", has the steps).
# After a forward pass $\sigma(z)$ is there already: the slope costs one multiplication.
#
# **Your turn**: from the output, so without autograd (PyTorch's automatic differentiation).
# **Predict** first: where is $\sigma$ steepest, and how steep?


# %% answer="sigmoid_prime"
def sigmoid_prime(z: torch.Tensor) -> torch.Tensor:
    """Derivative of the logistic function at z, elementwise; z of any shape."""
    ### BEGIN SOLUTION return the slope, from the output s
    s = torch.sigmoid(z)
    return s * (1 - s)
    ### END SOLUTION


# %%
widgets.activations.explorer(f_prime=sigmoid_prime)

# %% [markdown]
# *What to see*: a bell, 0.25 at its top. Move the point to $z = 5$: 0.007 is left.

# %% test="sigmoid_prime" points=1
check.by_hand(sigmoid_prime, "grad", "backward", "gradient", "jacobian", "jacrev", "vjp", "jvp")
check.close(
    sigmoid_prime(torch.tensor([-1.0, 0.0, 1.0])),
    torch.tensor([0.196612, 0.25, 0.196612]),
    "The slope is 1/4 at z = 0 and the same on both sides",
    tol=1e-4,
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        z = 3 * check.randn(2, 5, 3, dtype=dtype, device=device)
        leaf = z.clone().requires_grad_()
        (slope,) = torch.autograd.grad(torch.sigmoid(leaf).sum(), leaf)
        check.close(
            check.unchanged(sigmoid_prime, z), slope, "Compare with the change of the curve"
        )
        z = torch.tensor([-1000.0, -90.0, 90.0, 1000.0], dtype=dtype, device=device)
        check.close(sigmoid_prime(z), torch.zeros_like(z), "At both far ends the curve is flat")
check.stays_on_device(sigmoid_prime, check.randn(4, 3))
### END HIDDEN TESTS


# %% mistake="sigmoid_prime" name="input-for-output"
def sigmoid_prime(z):
    """You put z itself where its sigmoid belongs. The rule multiplies two numbers between 0 and 1."""
    return z * (1 - z)


# %% mistake="sigmoid_prime" name="sigmoid-twice"
def sigmoid_prime(z):
    """You applied the sigmoid to what already was its output."""
    s = torch.sigmoid(torch.sigmoid(z))
    return s * (1 - s)


# %% mistake="sigmoid_prime" name="slope-of-tanh"
def sigmoid_prime(z):
    """One minus the square of the output is the slope of another function of this notebook: tanh."""
    s = torch.sigmoid(z)
    return 1 - s**2


# %% mistake="sigmoid_prime" name="one-minus-z"
def sigmoid_prime(z):
    """You took 1 − z. In the rule both factors are outputs."""
    return torch.sigmoid(z) * (1 - z)


# %% mistake="sigmoid_prime" name="exponentials"
def sigmoid_prime(z):
    """You wrote the slope with exponentials: at z = −90 it is inf/inf in float32. The output suffices."""
    return torch.exp(-z) / (1 + torch.exp(-z)) ** 2


# %% mistake="sigmoid_prime" name="finite-difference"
def sigmoid_prime(z):
    """You took a difference quotient. In float32 rounding eats its digits; the output gives it exactly."""
    eps = 1e-4
    return (torch.sigmoid(z + eps) - torch.sigmoid(z - eps)) / (2 * eps)


# %% mistake="sigmoid_prime" name="autograd"
def sigmoid_prime(z):
    """You let autograd do it. Here the slope is to come from the output alone."""
    leaf = z.clone().requires_grad_()
    return torch.autograd.grad(torch.sigmoid(leaf).sum(), leaf)[0]


# %% mistake="sigmoid_prime" name="ones-on-the-cpu"
def sigmoid_prime(z):
    """You made a tensor of ones on the CPU. A plain 1 is enough, and is at home on every device."""
    s = torch.sigmoid(z)
    return s * (torch.ones(z.shape, dtype=z.dtype) - s)


# %% alternative="sigmoid_prime" name="both-sides"
def sigmoid_prime(z):
    return torch.sigmoid(z) * torch.sigmoid(-z)


# %% alternative="sigmoid_prime" name="square"
def sigmoid_prime(z):
    s = torch.sigmoid(z)
    return s - s.square()


# %% alternative="sigmoid_prime" name="own-helper"
def logistic(z):
    return 1 / (1 + torch.exp(-z))


def sigmoid_prime(z):
    s = logistic(z)
    return (1 - s) * s


# %% [markdown]
# ## Tanh is a stretched sigmoid  ·  ●○○ · 2 min · 1 point
#
# Move $\sigma$ down by a half and double both its scales, and it is centred on zero:
# $\tanh(z) = 2\,\sigma(2z) - 1$. Karatzas ("Tanh Activation") derives this; one line before the end
# stands $2/(1 - e^{-2z})$. **Predict** what that minus would make of the curve.
#
# **Your turn**, by hand: no `torch.tanh`.


# %% answer="tanh_from_sigmoid"
def tanh_from_sigmoid(z: torch.Tensor) -> torch.Tensor:
    """Hyperbolic tangent, made from the sigmoid, elementwise, between -1 and 1; z of any shape."""
    ### BEGIN SOLUTION return tanh(z), made from a sigmoid
    return 2 * torch.sigmoid(2 * z) - 1
    ### END SOLUTION


# %%
widgets.activations.explorer(tanh_from_sigmoid)

# %% [markdown]
# *What to see*: the slope, $1 - \tanh^2(z)$, reaches 1, four times the sigmoid's best.

# %% test="tanh_from_sigmoid" points=1
check.by_hand(tanh_from_sigmoid, "tanh", "tanh_", "Tanh", "sinh", "cosh", "hardtanh")
check.close(
    tanh_from_sigmoid(torch.tensor([-1.0, 0.0, 1.0])),
    torch.tensor([-0.761594, 0.0, 0.761594]),
    "The curve passes through the origin and is the same on both sides but for its sign",
    tol=1e-4,
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        z = 2 * check.randn(2, 5, 3, dtype=dtype, device=device)
        check.close(check.unchanged(tanh_from_sigmoid, z), torch.tanh(z), "Which z goes in?")
        z = torch.tensor([-1000.0, 1000.0], dtype=dtype, device=device)
        check.close(tanh_from_sigmoid(z), torch.sign(z), "At the far ends it is −1 and 1")
check.stays_on_device(tanh_from_sigmoid, check.randn(4, 3))
### END HIDDEN TESTS


# %% mistake="tanh_from_sigmoid" name="slide-sign"
def tanh_from_sigmoid(z):
    """You have the slide's 1 − exp(−2z). At z = 0 that divides by zero: what should stand there?"""
    return 2 / (1 - torch.exp(-2 * z)) - 1


# %% mistake="tanh_from_sigmoid" name="input-not-doubled"
def tanh_from_sigmoid(z):
    """Your curve has the right ends and half the slope at 0. Both axes are to be scaled."""
    return 2 * torch.sigmoid(z) - 1


# %% mistake="tanh_from_sigmoid" name="output-not-doubled"
def tanh_from_sigmoid(z):
    """Your curve runs from −1 to 0. Stretch it before you shift it."""
    return torch.sigmoid(2 * z) - 1


# %% mistake="tanh_from_sigmoid" name="not-shifted"
def tanh_from_sigmoid(z):
    """Your curve runs from 0 to 2. It is not centred on zero yet."""
    return 2 * torch.sigmoid(2 * z)


# %% mistake="tanh_from_sigmoid" name="shift-before-stretch"
def tanh_from_sigmoid(z):
    """You subtracted 1 before doubling. Where does the curve start then?"""
    return 2 * (torch.sigmoid(2 * z) - 1)


# %% mistake="tanh_from_sigmoid" name="overflow"
def tanh_from_sigmoid(z):
    """You wrote the sigmoid out with exp(2z): for large z that is inf/inf."""
    e = torch.exp(2 * z)
    return 2 * e / (1 + e) - 1


# %% mistake="tanh_from_sigmoid" name="library-call"
def tanh_from_sigmoid(z):
    """You called the library's tanh. This one is to be made from the sigmoid."""
    return torch.tanh(z)


# %% mistake="tanh_from_sigmoid" name="in-place"
def tanh_from_sigmoid(z):
    """You doubled the caller's z in place. They still need it as it was."""
    z *= 2
    return 2 * torch.sigmoid(z) - 1


# %% alternative="tanh_from_sigmoid" name="difference"
def tanh_from_sigmoid(z):
    return torch.sigmoid(2 * z) - torch.sigmoid(-2 * z)


# %% alternative="tanh_from_sigmoid" name="mirror"
def tanh_from_sigmoid(z):
    return 1 - 2 * torch.sigmoid(-2 * z)


# %% alternative="tanh_from_sigmoid" name="centre-then-scale"
def tanh_from_sigmoid(z):
    return (torch.sigmoid(2 * z) - 0.5) / 0.5


# %% [markdown]
# ## Why the centre matters
#
# In one example $\partial L / \partial w_i = \delta\, x_i$, with one $\delta = \partial L / \partial z$
# for the whole neuron. If all $x_i$ are positive, as sigmoid outputs are, all components have the sign
# of $\delta$ (Karatzas, "Non-Zero Centered Activations"). **Predict** the path to a goal for which one
# weight must go up and the other down.

# %%
widgets.activations.zigzag()

# %% [markdown]
# *What to see*: with positive inputs the path tacks like a boat against the wind; with centred ones it
# heads for the goal. Summed over a mini-batch the signs may differ again, and the zig-zag softens.
#
# ## Saturation  ·  ●○○ · 3 min · 1 point
#
# Sigmoid and tanh are flat at both ends. A unit that sits there is **saturated**: its slope is almost 0,
# and so is every gradient through it (Karatzas, "Saturated Units").
#
# **Your turn.** What fraction of all activations is closer than `margin` to `low` or to `high`?


# %% answer="saturated_fraction"
def saturated_fraction(h: torch.Tensor, low: float, high: float, margin: float) -> torch.Tensor:
    """Fraction, from 0 to 1, of the activations closer than `margin` to `low` or to `high`.

    h has any shape, with low <= h <= high. Returns a 0-dim tensor, in the dtype of h.
    """
    ### BEGIN SOLUTION return the share of entries near an end
    near = (h < low + margin) | (h > high - margin)
    return near.to(h.dtype).mean()
    ### END SOLUTION


# %%
widgets.activations.saturation(saturated_fraction)

# %% [markdown]
# *What to see*: as the weights grow, the histogram splits into two piles at the ends, and the fraction
# climbs. Large inputs do the same: one reason to standardise them (Passerini, "Few simple
# suggestions").

# %% test="saturated_fraction" points=1
h = torch.tensor([[0.001, 0.5], [0.999, 0.3], [0.2, 0.97]])
check.close(
    saturated_fraction(h, 0.0, 1.0, 0.01),
    torch.tensor(2 / 6),
    "Two of the six, 0.001 and 0.999, are closer than 0.01 to an end",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        z = 3 * check.randn(4, 5, 3, dtype=dtype, device=device) - 1
        for h, low, margin in ((torch.sigmoid(z), 0.0, 0.03), (torch.tanh(z), -1.0, 0.1)):
            distance = torch.minimum(h - low, 1.0 - h)
            check.close(
                check.unchanged(saturated_fraction, h, low, 1.0, margin),
                (distance < margin).sum().to(dtype) / h.numel(),
                "Count entries near either end, wherever `low` lies, and divide by all of them",
            )
check.stays_on_device(saturated_fraction, torch.tanh(2 * check.randn(4, 3)), -1.0, 1.0, 0.2)
### END HIDDEN TESTS


# %% mistake="saturated_fraction" name="upper-end-only"
def saturated_fraction(h, low, high, margin):
    """You looked at the upper end only. At which other end is the curve flat?"""
    return (h > high - margin).to(h.dtype).mean()


# %% mistake="saturated_fraction" name="symmetric-range"
def saturated_fraction(h, low, high, margin):
    """You compared |h|, which supposes low = −high. Where does a sigmoid have its lower end?"""
    return (h.abs() > high - margin).to(h.dtype).mean()


# %% mistake="saturated_fraction" name="count"
def saturated_fraction(h, low, high, margin):
    """You returned how many. The fraction is asked for: how many there are in all?"""
    return ((h < low + margin) | (h > high - margin)).sum().to(h.dtype)


# %% mistake="saturated_fraction" name="by-column"
def saturated_fraction(h, low, high, margin):
    """You averaged over the first dimension only. One number is asked for, over all entries."""
    return ((h < low + margin) | (h > high - margin)).to(h.dtype).mean(0)


# %% mistake="saturated_fraction" name="divided-by-rows"
def saturated_fraction(h, low, high, margin):
    """You divided by the number of rows. Each row has more than one activation."""
    return ((h < low + margin) | (h > high - margin)).sum().to(h.dtype) / len(h)


# %% mistake="saturated_fraction" name="both-ends-at-once"
def saturated_fraction(h, low, high, margin):
    """You asked for entries near both ends at once: there are none. One of the two is enough."""
    return ((h < low + margin) & (h > high - margin)).to(h.dtype).mean()


# %% mistake="saturated_fraction" name="unsaturated"
def saturated_fraction(h, low, high, margin):
    """You counted the entries away from the ends: the rest was asked for."""
    return ((h > low + margin) & (h < high - margin)).to(h.dtype).mean()


# %% mistake="saturated_fraction" name="float32-always"
def saturated_fraction(h, low, high, margin):
    """You averaged in float32 whatever h was. For a float64 h the result must be float64."""
    return ((h < low + margin) | (h > high - margin)).float().mean()


# %% mistake="saturated_fraction" name="ends-on-the-cpu"
def saturated_fraction(h, low, high, margin):
    """You put the two ends into a tensor on the CPU. Think about where h is."""
    ends = torch.tensor([low, high], dtype=h.dtype)
    return ((h.unsqueeze(-1) - ends).abs() < margin).any(-1).to(h.dtype).mean()


# %% alternative="saturated_fraction" name="distance"
def saturated_fraction(h, low, high, margin):
    near = torch.minimum((h - low).abs(), (h - high).abs()) < margin
    return near.sum().to(h.dtype) / h.numel()


# %% alternative="saturated_fraction" name="from-the-middle"
def saturated_fraction(h, low, high, margin):
    centre, reach = (low + high) / 2, (high - low) / 2
    return torch.where((h - centre).abs() > reach - margin, 1.0, 0.0).to(h).mean()


# %% alternative="saturated_fraction" name="complement"
def saturated_fraction(h, low, high, margin):
    inside = (h >= low + margin) & (h <= high - margin)
    return 1 - inside.to(h.dtype).mean()


# %% [markdown]
# ## Vanishing gradients  ·  ●●● · 8 min · 3 points
#
# Back to the tower. Each layer multiplies the gradient by its $g'(z)$. A sigmoid's is at most $1/4$, so
# ten layers leave at most $(1/4)^{10} \approx 10^{-6}$: the millionth (Karatzas, "Vanishing
# gradients").
#
# **Your turn.** Every unit is wired to the one above it with weight 1: $h_0 = x$, $h_1 = g(h_0)$, up to
# $h_{\mathrm{depth}}$. With $L$ the sum of the top's entries, return
# $\lVert \partial L / \partial h_0 \rVert, \dots, \lVert \partial L / \partial h_{\mathrm{depth}-1}
# \rVert$. Autograd is welcome: `torch.autograd.grad(L, [h0, h1])` gives $\partial L / \partial h_0$ and
# $\partial L / \partial h_1$ if `h0.requires_grad` was true before the first layer. (A weight $w$ on
# every link makes the activation $h \mapsto g(w h)$.)


# %% answer="layer_gradient_norms"
def layer_gradient_norms(
    depth: int, g: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor
) -> torch.Tensor:
    """Norms of dL/dh_0 ... dL/dh_(depth-1), where h_0 = x, h_l = g(h_(l-1)), L = h_depth.sum().

    x (batch, units); g acts on each entry.
    The norm is over the whole batch: the root of the sum of squares.
    Returns shape (depth,), in the dtype and on the device of x.
    """
    ### BEGIN SOLUTION return the norms of dL/dh, bottom to top
    inputs = [x.detach().requires_grad_()]
    for layer in range(depth):
        inputs.append(g(inputs[-1]))
    gradients = torch.autograd.grad(inputs.pop().sum(), inputs)
    return torch.stack([gradient.norm() for gradient in gradients])
    ### END SOLUTION


# %%
widgets.activations.tower(layer_gradient_norms)

# %% [markdown]
# *What to see*: sigmoid loses a factor of 4 or more a layer, tanh far less, ReLU nothing where a unit is
# on. A larger weight helps the gradient and saturates the units. Real layers multiply by a whole
# matrix: 05_training.

# %% test="layer_gradient_norms" points=3
check.close(
    layer_gradient_norms(1, torch.sigmoid, torch.zeros(1, 1)),
    torch.tensor([0.25]),
    "One sigmoid layer at z = 0 passes on its slope there, 1/4",
)
check.close(
    layer_gradient_norms(2, torch.sigmoid, torch.zeros(1, 4)),
    torch.tensor([2 * 0.25 * 0.235004, 2 * 0.235004]),
    "The second layer is entered by σ(0) = 0.5 and has slope 0.2350 there; "
    "a product of slopes reaches the first; and four equal units double a norm",
    tol=1e-4,
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        x = check.randn(5, 3, dtype=dtype, device=device)
        x[0, 0] = 1.0  # one unit that is on, so that no norm is 0
        for g in (torch.sigmoid, torch.tanh, torch.relu, F.softplus):
            for depth in (1, 4, 7):
                slopes, h = [], x
                for layer in range(depth):
                    leaf = h.detach().requires_grad_()
                    out = g(leaf)
                    slopes.append(torch.autograd.grad(out.sum(), leaf)[0])
                    h = out.detach()
                want, gradient = [], torch.ones_like(x)
                for slope in reversed(slopes):
                    gradient = gradient * slope
                    want.insert(0, gradient.norm())
                got = check.unchanged(layer_gradient_norms, depth, g, x)
                want = torch.stack(want)
                check.close(got, want, "The product of the slopes from the top down to each layer")
                check.close(
                    got / want, torch.ones_like(want), "The smallest are off by this factor"
                )
norms = layer_gradient_norms(10, torch.sigmoid, check.randn(6, 2))
check.true((norms[:-1] <= norms[1:] / 4 + 1e-9).all(), "A sigmoid layer passes on at most 1/4")
check.stays_on_device(layer_gradient_norms, 3, torch.tanh, check.randn(4, 3))
### END HIDDEN TESTS


# %% mistake="layer_gradient_norms" name="last-layer-first"
def layer_gradient_norms(depth, g, x):
    """Your numbers are right and in the order of the backward pass. The first layer's is to stand first."""
    inputs = [x.detach().requires_grad_()]
    for layer in range(depth):
        inputs.append(g(inputs[-1]))
    gradients = torch.autograd.grad(inputs.pop().sum(), inputs)
    return torch.stack([gradient.norm() for gradient in reversed(gradients)])


# %% mistake="layer_gradient_norms" name="outputs-for-inputs"
def layer_gradient_norms(depth, g, x):
    """You took the gradient at each layer's output: you are one layer late, and the first is missing."""
    h = x.detach().requires_grad_()
    outputs = []
    for layer in range(depth):
        h = g(h)
        outputs.append(h)
    gradients = torch.autograd.grad(h.sum(), outputs)
    return torch.stack([gradient.norm() for gradient in gradients])


# %% mistake="layer_gradient_norms" name="squared"
def layer_gradient_norms(depth, g, x):
    """You returned sums of squares. A norm has a root."""
    inputs = [x.detach().requires_grad_()]
    for layer in range(depth):
        inputs.append(g(inputs[-1]))
    gradients = torch.autograd.grad(inputs.pop().sum(), inputs)
    return torch.stack([gradient.square().sum() for gradient in gradients])


# %% mistake="layer_gradient_norms" name="mean-loss"
def layer_gradient_norms(depth, g, x):
    """All your norms are too small by the same factor: you took the mean of the outputs as the loss."""
    inputs = [x.detach().requires_grad_()]
    for layer in range(depth):
        inputs.append(g(inputs[-1]))
    gradients = torch.autograd.grad(inputs.pop().mean(), inputs)
    return torch.stack([gradient.norm() for gradient in gradients])


# %% mistake="layer_gradient_norms" name="slope-at-x-everywhere"
def layer_gradient_norms(depth, g, x):
    """You used the slope at x for every layer. What enters the second layer is no longer x."""
    leaf = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(g(leaf).sum(), leaf)
    return torch.stack([(slope ** (depth - layer)).norm() for layer in range(depth)])


# %% mistake="layer_gradient_norms" name="own-slope-only"
def layer_gradient_norms(depth, g, x):
    """You returned each layer's own slope. What of the layers between it and the loss?"""
    norms, h = [], x
    for layer in range(depth):
        leaf = h.detach().requires_grad_()
        h = g(leaf)
        norms.append(torch.autograd.grad(h.sum(), leaf)[0].norm())
    return torch.stack(norms)


# %% mistake="layer_gradient_norms" name="from-the-bottom-up"
def layer_gradient_norms(depth, g, x):
    """You multiplied slopes from the bottom up. The gradient starts at the loss and comes down."""
    norms, h, product = [], x, torch.ones_like(x)
    for layer in range(depth):
        leaf = h.detach().requires_grad_()
        h = g(leaf)
        product = product * torch.autograd.grad(h.sum(), leaf)[0]
        norms.append(product.norm())
    return torch.stack(norms)


# %% mistake="layer_gradient_norms" name="a-list"
def layer_gradient_norms(depth, g, x):
    """You returned a Python list. The docstring asks for one tensor of shape (depth,)."""
    inputs = [x.detach().requires_grad_()]
    for layer in range(depth):
        inputs.append(g(inputs[-1]))
    return [gradient.norm() for gradient in torch.autograd.grad(inputs.pop().sum(), inputs)]


# %% mistake="layer_gradient_norms" name="result-on-the-cpu"
def layer_gradient_norms(depth, g, x):
    """You collected the norms as numbers in a new tensor on the CPU. Think about where x is."""
    inputs = [x.detach().requires_grad_()]
    for layer in range(depth):
        inputs.append(g(inputs[-1]))
    gradients = torch.autograd.grad(inputs.pop().sum(), inputs)
    return torch.tensor([gradient.norm().item() for gradient in gradients], dtype=x.dtype)


# %% alternative="layer_gradient_norms" name="product-of-slopes"
def layer_gradient_norms(depth, g, x):
    slopes, h = [], x.detach()
    for layer in range(depth):
        leaf = h.clone().requires_grad_()
        h = g(leaf)
        slopes.append(torch.autograd.grad(h.sum(), leaf)[0])
        h = h.detach()
    gradient, norms = torch.ones_like(x), []
    for slope in slopes[::-1]:
        gradient = gradient * slope
        norms.append(gradient.norm())
    return torch.stack(norms[::-1])


# %% alternative="layer_gradient_norms" name="retain-grad"
def layer_gradient_norms(depth, g, x):
    h = x.clone().detach().requires_grad_(True)
    kept = []
    for layer in range(depth):
        h.retain_grad()
        kept.append(h)
        h = g(h)
    h.sum().backward()
    return torch.stack([t.grad.pow(2).sum().sqrt() for t in kept])


# %% alternative="layer_gradient_norms" name="one-run-a-layer"
def layer_gradient_norms(depth, g, x):
    norms = x.new_zeros(depth)
    h = x.detach()
    for layer in range(depth):
        leaf = h.clone().requires_grad_()
        out = leaf
        for above in range(layer, depth):
            out = g(out)
        norms[layer] = torch.autograd.grad(out.sum(), leaf)[0].norm()
        h = g(h)
    return norms


# %% [markdown]
# ## ReLU  ·  ●○○ · 3 min · 2 points
#
# $\max(0, z)$: slope exactly 1 where the unit is on, 0 where it is off. At $z = 0$ there is none:
# Karatzas ("ReLU Activation") leaves it out, Minhas's table says 1, PyTorch takes 0. So do we.
#
# **Your turn**, by hand: no `torch.relu`, no autograd.


# %% answer="relu"
def relu(z: torch.Tensor) -> torch.Tensor:
    """Rectified linear unit max(0, z), elementwise; z of any shape."""
    ### BEGIN SOLUTION return z where it is positive, 0 elsewhere
    return torch.where(z > 0, z, 0.0)
    ### END SOLUTION


def relu_prime(z: torch.Tensor) -> torch.Tensor:
    """Slope of the rectified linear unit at z, in the dtype of z; 0 at z = 0."""
    ### BEGIN SOLUTION return 1 where z is positive, 0 elsewhere
    return (z > 0).to(z.dtype)
    ### END SOLUTION


# %%
widgets.activations.explorer(relu, relu_prime)

# %% [markdown]
# *What to see*: the slope is a step: the binary threshold is back, where it does no harm.

# %% test="relu" points=2
BANNED = ("relu", "relu_", "ReLU", "relu6", "leaky_relu", "prelu", "rrelu", "threshold")
check.by_hand(relu, *BANNED)
check.by_hand(relu_prime, *BANNED, "grad", "backward", "jacobian", "vjp", "jvp")
z = torch.tensor([-2.0, 0.0, 3.0])
check.close(check.unchanged(relu, z), torch.tensor([0.0, 0.0, 3.0]), "Look at each sign of z")
check.close(relu_prime(z), torch.tensor([0.0, 0.0, 1.0]), "Look at z = 0: we take PyTorch's slope")
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        z = 4 * check.randn(2, 5, 3, dtype=dtype, device=device)
        z[0, :2] = torch.tensor([0.0, -1000.0, 1000.0], dtype=dtype, device=device)
        check.close(check.unchanged(relu, z), z.relu(), "Compare sign by sign")
        leaf = z.clone().requires_grad_()
        (slope,) = torch.autograd.grad(leaf.relu().sum(), leaf)
        check.close(check.unchanged(relu_prime, z), slope, "The slope is 1 or 0, nothing else")
for f in (relu, relu_prime):
    check.shape(f(torch.tensor(-1.5)), ())
    check.stays_on_device(f, check.randn(4, 3))
### END HIDDEN TESTS


# %% mistake="relu" name="slope-one-at-zero"
def relu_prime(z):
    """Your slope at z = 0 is 1, as in Minhas's table. The text above settles it otherwise."""
    return torch.where(z >= 0, 1.0, 0.0).to(z.dtype)


# %% mistake="relu" name="half-slope-at-zero"
def relu_prime(z):
    """Your slope at z = 0 is the mean of both sides. A fair choice, but not the one made above."""
    return torch.heaviside(z, torch.full_like(z, 0.5))


# %% mistake="relu" name="boolean-slope"
def relu_prime(z):
    """You returned True and False. A slope is a number, in the dtype of z."""
    return z > 0


# %% mistake="relu" name="sign-for-slope"
def relu_prime(z):
    """Your slope is −1 for negative z: that is the slope of |z|. How steep is the flat part?"""
    return torch.sign(z)


# %% mistake="relu" name="quotient"
def relu_prime(z):
    """You divided relu(z) by z, which is 0/0 at z = 0."""
    return relu(z) / z


# %% mistake="relu" name="in-place"
def relu(z):
    """You zeroed entries of the caller's own tensor (clamp_ and relu_ would do that too). They still need them."""
    z[z < 0] = 0
    return z


# %% mistake="relu" name="zeros-on-the-cpu"
def relu(z):
    """You compared with a tensor of zeros on the CPU. Think about where z is."""
    return torch.maximum(z, torch.zeros(z.shape, dtype=z.dtype))


# %% mistake="relu" name="positive-part-only"
def relu(z):
    """You kept the positive entries and threw the others away. The shape is to stay as it was."""
    return z[z > 0]


# %% mistake="relu" name="absolute-value"
def relu(z):
    """You folded the negative side up. A unit with negative z is off."""
    return z.abs()


# %% mistake="relu" name="library-call"
def relu(z):
    """You called the library's own function. A comparison and a choice are enough."""
    return F.relu(z)


# %% alternative="relu" name="clamp"
def relu(z):
    return z.clamp(min=0)


def relu_prime(z):
    return torch.heaviside(z, torch.zeros_like(z))


# %% alternative="relu" name="half-of-the-sum"
def relu(z):
    return (z + z.abs()) / 2


def relu_prime(z):
    return torch.where(z > 0, torch.ones_like(z), torch.zeros_like(z))


# %% alternative="relu" name="mask"
def relu(z):
    out = z.clone()
    out[out < 0] = 0
    return out


def relu_prime(z):
    return z.sign().clamp(min=0)


# %% alternative="relu" name="product"
def relu(z):
    return z * (z > 0)


def relu_prime(z):
    return 1.0 * (z > 0).type_as(z)


# %% [markdown]
# ## Dead units  ·  ●○○ · 2 min · 1 point
#
# Off means 0, and slope 0. A unit that is off for every example gets no gradient and stays as it is:
# **dead** (Karatzas, "ReLU Activation").
#
# **Your turn.** Find the units whose activation is exactly 0 on the whole batch.


# %% answer="dead_units"
def dead_units(h: torch.Tensor) -> torch.Tensor:
    """Which units are 0 for the whole batch.

    h (batch, units) activations. Returns booleans of shape (units,), True for a dead unit.
    """
    ### BEGIN SOLUTION return one boolean for each unit
    return (h == 0).all(dim=0)
    ### END SOLUTION


# %%
widgets.activations.saturation(saturated_fraction, dead_units)

# %% [markdown]
# *What to see*: with *dying ReLU*, large negative biases leave whole columns at 0, each marked ×. Columns
# that are 0 for *most* examples are healthy: that is sparsity.

# %% test="dead_units" points=1
h = torch.tensor([[0.0, 1.0, 0.0, -1.0], [0.0, 0.0, 2.0, 1.0], [0.0, 3.0, 0.0, 0.0]])
check.equal(
    dead_units(h),
    torch.tensor([True, False, False, False]),
    "A unit is a column; dead means 0 in all rows, and −1 is not 0",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        h = check.randn(6, 9, dtype=dtype, device=device).relu() + 0.0
        h[0] += 0.5
        h[:, 2] = h[:, 7] = 0
        h[:, 4] = 0
        h[3, 4] = 1e-3
        h[:, 5] = -check.uniform(0.1, 1, 6, dtype=dtype, device=device)
        h[:, 8] = h[:, 5]
        h[2, 8] = 0
        h[:, 6] = 0
        h[1, 6], h[2, 6] = 1, -1
        want = torch.zeros(9, dtype=torch.bool, device=device)
        want[2] = want[7] = True
        check.equal(
            check.unchanged(dead_units, h),
            want,
            "One activation other than 0, of either sign, in any row, and the unit lives",
        )
check.stays_on_device(dead_units, check.randn(4, 3).relu())
### END HIDDEN TESTS


# %% mistake="dead_units" name="any-zero"
def dead_units(h):
    """You flagged units that are off now and then. Dead means off in every example."""
    return (h == 0).any(dim=0)


# %% mistake="dead_units" name="rows"
def dead_units(h):
    """You went along the rows: one answer for each example. One for each unit is asked for."""
    return (h == 0).all(dim=1)


# %% mistake="dead_units" name="sum-is-zero"
def dead_units(h):
    """You tested the sum. Activations of both signs can add up to 0 and yet live."""
    return h.sum(dim=0) == 0


# %% mistake="dead_units" name="never-positive"
def dead_units(h):
    """You took negative activations for dead. A leaky unit may well be negative and learn."""
    return (h <= 0).all(dim=0)


# %% mistake="dead_units" name="largest-is-zero"
def dead_units(h):
    """You asked whether the largest activation is 0. Below it there may be others."""
    return h.amax(dim=0) == 0


# %% mistake="dead_units" name="first-example"
def dead_units(h):
    """You looked at the first example only. Another one may switch the unit on."""
    return h[0] == 0


# %% mistake="dead_units" name="count"
def dead_units(h):
    """You returned how many. Which ones was the question: one True or False for each unit."""
    return (h == 0).all(dim=0).sum()


# %% mistake="dead_units" name="numbers"
def dead_units(h):
    """You returned ones and zeros. True and False are asked for."""
    return (h == 0).all(dim=0).to(h.dtype)


# %% mistake="dead_units" name="mostly-off"
def dead_units(h):
    """You compared the mean with a small number. A unit that fires rarely is sparse, not dead."""
    return h.abs().mean(dim=0) < 1e-2


# %% mistake="dead_units" name="mask-on-the-cpu"
def dead_units(h):
    """You collected the answers in a new tensor on the CPU. Think about where h is."""
    return torch.tensor([bool((h[:, unit] == 0).all()) for unit in range(h.shape[1])])


# %% alternative="dead_units" name="largest-magnitude"
def dead_units(h):
    return h.abs().amax(dim=0) == 0


# %% alternative="dead_units" name="count-nonzero"
def dead_units(h):
    return torch.count_nonzero(h, dim=0) == 0


# %% alternative="dead_units" name="not-any"
def dead_units(h):
    return ~h.bool().any(0)


# %% [markdown]
# ## Repairs: leaky ReLU and ELU  ·  ●●○ · 5 min · 2 points
#
# Give the negative side a slope, and nothing dies. **Leaky ReLU** takes $\alpha z$ there (**parametric**
# ReLU learns $\alpha$, which may pass 1). **ELU** takes $\alpha (e^z - 1)$, which settles at $-\alpha$;
# its slope there is $\mathrm{ELU}(z) + \alpha$ (Minhas's table): from the output, once more. Karatzas
# calls ELU's left side a log curve; it is an exponential, and a log would never settle. **SELU** is
# $1.0507 \cdot \mathrm{ELU}$ with $\alpha = 1.6733$: standard normal in, mean 0 and variance 1 out.
#
# **Your turn**, by hand. Any $\alpha$; no `nan` at $|z| = 1000$.


# %% answer="leaky_relu"
def leaky_relu(z: torch.Tensor, alpha: float) -> torch.Tensor:
    """z where z > 0, alpha z elsewhere; z of any shape, alpha any number."""
    ### BEGIN SOLUTION return z on the right, alpha z on the left
    return torch.where(z > 0, z, alpha * z)
    ### END SOLUTION


def elu(z: torch.Tensor, alpha: float) -> torch.Tensor:
    """Exponential linear unit: z where z > 0, alpha (exp(z) - 1) elsewhere; z of any shape."""
    ### BEGIN SOLUTION return z on the right, the exponential on the left
    return torch.where(z > 0, z, alpha * torch.expm1(z))
    ### END SOLUTION


# %%
widgets.activations.explorer(leaky_relu)

# %%
widgets.activations.explorer(elu)

# %% [markdown]
# *What to see*: to the left leaky ReLU keeps its slope, and ELU's fades: it saturates on one side. With
# $\alpha \ne 1$ ELU's slope jumps at 0, from $\alpha$ to 1.

# %% test="leaky_relu" points=2
BANNED = ("leaky_relu", "LeakyReLU", "prelu", "PReLU", "rrelu", "elu", "ELU", "selu", "celu")
check.by_hand(leaky_relu, *BANNED)
check.by_hand(elu, *BANNED)
z = torch.tensor([-2.0, 0.0, 3.0])
check.close(
    check.unchanged(leaky_relu, z, 0.1),
    torch.tensor([-0.2, 0.0, 3.0]),
    "Only the negative side leaks, by the factor alpha",
)
check.close(
    check.unchanged(elu, z, 2.0),
    torch.tensor([-1.729329, 0.0, 3.0]),
    "On the left it is 2·(exp(−2) − 1)",
    tol=1e-4,
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        z = 4 * check.randn(2, 5, 3, dtype=dtype, device=device)
        far = torch.tensor([-1000.0, -0.0, 1000.0], dtype=dtype, device=device)
        for alpha in (0.01, 0.3, 1.0, 1.7):
            why = f"Look at the negative side with alpha = {alpha}"
            check.close(check.unchanged(leaky_relu, z, alpha), F.leaky_relu(z, alpha), why)
            check.close(check.unchanged(elu, z, alpha), F.elu(z, alpha), why)
            check.close(leaky_relu(far, alpha), F.leaky_relu(far, alpha), "Look at z = ±1000")
            check.close(elu(far, alpha), F.elu(far, alpha), "Look at z = ±1000: 0 · inf is nan")
for f in (leaky_relu, elu):
    check.shape(f(torch.tensor(-1.5), 0.2), ())
    check.stays_on_device(f, check.randn(4, 3), 0.2)
### END HIDDEN TESTS


# %% mistake="leaky_relu" name="maximum"
def leaky_relu(z, alpha):
    """You took the larger of z and αz, which picks the wrong one when α > 1. Choose by the sign of z."""
    return torch.maximum(z, alpha * z)


# %% mistake="leaky_relu" name="fixed-slope"
def leaky_relu(z, alpha):
    """You used 0.01 whatever alpha was. The caller chooses the slope."""
    return torch.where(z > 0, z, 0.01 * z)


# %% mistake="leaky_relu" name="leak-upwards"
def leaky_relu(z, alpha):
    """Your negative side goes up: −αz. A leak keeps the sign."""
    return torch.where(z > 0, z, -alpha * z)


# %% mistake="leaky_relu" name="leak-on-the-right"
def leaky_relu(z, alpha):
    """You scaled the positive side. Which one was dead?"""
    return torch.where(z > 0, alpha * z, z)


# %% mistake="leaky_relu" name="constant-leak"
def leaky_relu(z, alpha):
    """Your negative side is the constant α: flat again, so still without a gradient."""
    return torch.where(z > 0, z, alpha)


# %% mistake="leaky_relu" name="in-place"
def leaky_relu(z, alpha):
    """You scaled the caller's own negative entries. Work on a tensor of your own."""
    z[z < 0] *= alpha
    return z


# %% mistake="leaky_relu" name="elu-without-minus-one"
def elu(z, alpha):
    """Your ELU jumps at 0: the left part ends at α instead of 0."""
    return torch.where(z > 0, z, alpha * z.exp())


# %% mistake="leaky_relu" name="elu-log-curve"
def elu(z, alpha):
    """You used a logarithm, as the slide's words suggest. Its formula has something that settles at −α."""
    return torch.where(z > 0, z, -alpha * torch.log1p(z.clamp(max=0).abs()))


# %% mistake="leaky_relu" name="elu-alpha-in-the-exponent"
def elu(z, alpha):
    """You divided by α inside the exponent: that is CELU, a cousin with slope 1 at 0."""
    return torch.where(z > 0, z, alpha * (torch.exp(z / alpha) - 1))


# %% mistake="leaky_relu" name="elu-alpha-outside"
def elu(z, alpha):
    """You subtracted 1 after multiplying by α. The left part must end at 0 for every α."""
    return torch.where(z > 0, z, alpha * z.exp() - 1)


# %% mistake="leaky_relu" name="elu-masks-multiplied"
def elu(z, alpha):
    """You multiplied by masks. At z = 1000 the masked part is 0 · inf, which is nan: choose instead."""
    return (z > 0) * z + (z <= 0) * alpha * (torch.exp(z) - 1)


# %% mistake="leaky_relu" name="result-on-the-cpu"
def elu(z, alpha):
    """You filled a new tensor made on the CPU. Think about where z is."""
    out = torch.zeros(z.shape, dtype=z.dtype)
    out[z > 0] = z[z > 0]
    out[z <= 0] = alpha * (z[z <= 0].exp() - 1)
    return out


# %% alternative="leaky_relu" name="clamps"
def leaky_relu(z, alpha):
    return z.clamp(min=0) + alpha * z.clamp(max=0)


def elu(z, alpha):
    return z.clamp(min=0) + alpha * (z.clamp(max=0).exp() - 1)


# %% alternative="leaky_relu" name="masks"
def leaky_relu(z, alpha):
    return z * torch.where(z < 0, alpha, 1.0).to(z)


def elu(z, alpha):
    out = z.clone()
    left = z < 0
    out[left] = alpha * (torch.exp(z[left]) - 1)
    return out


# %% alternative="leaky_relu" name="helper"
def choose(z, left):
    return torch.where(z > 0, z, left)


def leaky_relu(z, alpha):
    return choose(z, z.mul(alpha))


def elu(z, alpha):
    return choose(z, torch.expm1(z).mul(alpha))


# %% [markdown]
# ## Softplus  ·  ●●○ · 5 min · 2 points
#
# $\ln(1 + e^z)$ is ReLU with a rounded corner (Karatzas, "Softplus"). As it stands, `float32` makes it
# `inf` from $z = 89$ on, and 0 at $-30$.
#
# **Your turn**, by hand: `softplus(1000)` is 1000, and at $-30$ four digits are right. *Hint*: for
# large $z$, take $e^z$ out of the logarithm.


# %% answer="softplus"
def softplus(z: torch.Tensor) -> torch.Tensor:
    """Softplus log(1 + exp(z)), elementwise; z of any shape."""
    ### BEGIN SOLUTION return log(1 + exp(z)), with no overflow
    return z.clamp(min=0) + torch.log1p(torch.exp(-z.abs()))
    ### END SOLUTION


# %%
widgets.activations.explorer(softplus)

# %% [markdown]
# *What to see*: ReLU's slope is a step; softplus's is $\sigma(z)$, the smooth step.

# %% test="softplus" points=2
check.by_hand(softplus, "softplus", "Softplus", "logsigmoid", "LogSigmoid", "mish")
check.close(
    softplus(torch.tensor([-1.0, 0.0, 1.0])),
    torch.tensor([0.313262, 0.693147, 1.313262]),
    "At 0 it is the natural logarithm of 2",
    tol=1e-4,
)
check.close(
    softplus(torch.tensor([-1000.0, 1000.0])),
    torch.tensor([0.0, 1000.0]),
    "exp(1000) is inf: which smaller exponential is enough?",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        z = 4 * check.randn(2, 5, 3, dtype=dtype, device=device)
        check.close(check.unchanged(softplus, z), F.softplus(z), "Compare with the formula")
        z = check.uniform(-1000, 1000, 7, 2, dtype=dtype, device=device)
        check.close(softplus(z), F.softplus(z), "Wrong where |z| is large")
        z = check.uniform(-80, -20, 11, dtype=dtype, device=device)
        check.close(
            softplus(z) / F.softplus(z),
            torch.ones_like(z),
            "Far to the left (z < −20) the tiny values are off by this factor: "
            "what is lost when a tiny number is added to 1?",
        )
        check.shape(softplus(z[0]), ())
check.stays_on_device(softplus, check.randn(4, 3))
### END HIDDEN TESTS


# %% mistake="softplus" name="overflow"
def softplus(z):
    """You took the exponential of a large z: it is inf, and so is its logarithm."""
    return torch.log(1 + torch.exp(z))


# %% mistake="softplus" name="log1p-alone"
def softplus(z):
    """log1p saves the small values on the left. On the right exp still overflows."""
    return torch.log1p(torch.exp(z))


# %% mistake="softplus" name="double-precision"
def softplus(z):
    """You went to float64 for the exponential. That only moves the overflow from 89 to 710."""
    return torch.log1p(torch.exp(z.double())).to(z.dtype)


# %% mistake="softplus" name="clipped"
def softplus(z):
    """You clipped z to keep exp finite: everything to the right of the clip comes out the same."""
    return torch.log1p(torch.exp(z.clamp(max=50)))


# %% mistake="softplus" name="lost-small-values"
def softplus(z):
    """The right side holds. On the left you add a tiny number to 1 before the logarithm: it is lost."""
    return z.clamp(min=0) + torch.log(1 + torch.exp(-z.abs()))


# %% mistake="softplus" name="sign-of-exponent"
def softplus(z):
    """Your rest grows with |z|. What is left over when ReLU is taken away dies out on both sides."""
    return z.clamp(min=0) + torch.log1p(torch.exp(z.abs()))


# %% mistake="softplus" name="wrong-on-the-left"
def softplus(z):
    """You took z out of the logarithm for every sign of z. For z < 0 the other exponential is the large one."""
    return z + torch.log1p(torch.exp(-z))


# %% mistake="softplus" name="relu"
def softplus(z):
    """That is ReLU: right far out, but the corner at 0 is not rounded."""
    return z.clamp(min=0)


# %% mistake="softplus" name="base-two"
def softplus(z):
    """Your values are too large by one factor everywhere: which base has this logarithm?"""
    return z.clamp(min=0) + torch.log1p(torch.exp(-z.abs())) / math.log(2)


# %% mistake="softplus" name="library-call"
def softplus(z):
    """You called the library's own function. Build it from exp and a logarithm."""
    return F.softplus(z)


# %% mistake="softplus" name="zeros-on-the-cpu"
def softplus(z):
    """You brought in a tensor of zeros from the CPU. Think about where z is."""
    return torch.logaddexp(z, torch.zeros(z.shape, dtype=z.dtype))


# %% alternative="softplus" name="logaddexp"
def softplus(z):
    return torch.logaddexp(z, torch.zeros_like(z))


# %% alternative="softplus" name="threshold"
def softplus(z):
    return torch.where(z > 20, z, torch.log1p(torch.exp(z)))


# %% alternative="softplus" name="two-branches"
def softplus(z):
    out = torch.empty_like(z)
    right = z > 0
    out[right] = z[right] + torch.log1p(torch.exp(-z[right]))
    out[~right] = torch.log1p(torch.exp(z[~right]))
    return out


# %% [markdown]
# ## Swish and its slope  ·  ●●○ · 6 min · 2 points
#
# A unit that weighs itself: $S(z) = z\,\sigma(\beta z)$ (Karatzas, "Swish"). **Predict** its shape for
# $\beta$ near 0 and for large $\beta$, and whether it ever goes down.
#
# **Your turn**, by hand: no `F.silu`, and no autograd for the slope. Mind the chain rule's $\beta$.


# %% answer="swish"
def swish(z: torch.Tensor, beta: float) -> torch.Tensor:
    """Swish z sigmoid(beta z), elementwise; z of any shape."""
    ### BEGIN SOLUTION return z times the sigmoid of beta z
    return z * torch.sigmoid(beta * z)
    ### END SOLUTION


def swish_prime(z: torch.Tensor, beta: float) -> torch.Tensor:
    """Derivative of swish with respect to z, elementwise; z of any shape."""
    ### BEGIN SOLUTION return the slope: product rule, chain rule
    s = torch.sigmoid(beta * z)
    return s + beta * z * s * (1 - s)
    ### END SOLUTION


# %%
widgets.activations.explorer(swish, swish_prime)

# %% [markdown]
# *What to see*: near $\beta = 0$ it is almost the line $z/2$, with a large $\beta$ almost ReLU. In between it
# dips (with $\beta = 1$ to $-0.278$, at $z = -1.278$), and its slope passes 1.

# %% test="swish" points=2
BANNED = ("silu", "SiLU", "hardswish", "Hardswish", "mish")
check.by_hand(swish, *BANNED)
check.by_hand(swish_prime, *BANNED, "grad", "backward", "jacobian", "jacrev", "vjp", "jvp")
z = torch.tensor([-1.0, 0.0, 2.0])
check.close(
    check.unchanged(swish, z, 1.0),
    torch.tensor([-0.268941, 0.0, 1.761594]),
    "At z = 2 it is 2·σ(2)",
    tol=1e-4,
)
check.close(swish_prime(z, 0.0), torch.full((3,), 0.5), "With β = 0 swish is the line z/2")
check.close(
    swish_prime(z, 2.0),
    torch.tensor([-0.090784, 0.5, 1.052665]),
    "Two terms, and a β in the second: product rule, then chain rule",
    tol=1e-4,
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        z = 2 * check.randn(2, 5, 3, dtype=dtype, device=device)
        z[0, 0] = torch.tensor([-1000.0, 0.0, 1000.0], dtype=dtype, device=device)
        for beta in (0.0, 0.4, 1.0, 2.5):
            leaf = z.clone().requires_grad_()
            want = leaf * torch.sigmoid(beta * leaf)
            (slope,) = torch.autograd.grad(want.sum(), leaf)
            check.close(check.unchanged(swish, z, beta), want, f"Look at beta = {beta}")
            check.close(
                check.unchanged(swish_prime, z, beta),
                slope,
                f"Compare with the change of the curve at beta = {beta}",
            )
for f in (swish, swish_prime):
    check.shape(f(torch.tensor(-1.5), 0.7), ())
    check.stays_on_device(f, check.randn(4, 3), 1.5)
### END HIDDEN TESTS


# %% mistake="swish" name="beta-ignored"
def swish(z, beta):
    """You left β out of the curve: yours is right for β = 1 alone."""
    return z * torch.sigmoid(z)


# %% mistake="swish" name="beta-outside"
def swish(z, beta):
    """You multiplied the result by β. It belongs with z, inside the sigmoid."""
    return beta * z * torch.sigmoid(z)


# %% mistake="swish" name="overflow"
def swish(z, beta):
    """You wrote the sigmoid as exp over 1 + exp: at z = 1000 that is inf/inf."""
    e = torch.exp(beta * z)
    return z * e / (1 + e)


# %% mistake="swish" name="inner-derivative-missing"
def swish_prime(z, beta):
    """Your slope is right for β = 1 and 0 alone: the inner derivative of σ(βz) is missing."""
    s = torch.sigmoid(beta * z)
    return s + z * s * (1 - s)


# %% mistake="swish" name="product-rule-half"
def swish_prime(z, beta):
    """You differentiated one factor. z changes too: the product rule has two terms."""
    s = torch.sigmoid(beta * z)
    return beta * z * s * (1 - s)


# %% mistake="swish" name="product-of-slopes"
def swish_prime(z, beta):
    """You multiplied the slopes of the two factors. That is not how a product is differentiated."""
    s = torch.sigmoid(beta * z)
    return beta * s * (1 - s)


# %% mistake="swish" name="slide-formula-half-remembered"
def swish_prime(z, beta):
    """You used the slide's formula and lost a β: S stands in it twice, and each S has one before it."""
    s = torch.sigmoid(beta * z)
    return beta * z * s + s * (1 - z * s)


# %% mistake="swish" name="library-call"
def swish(z, beta):
    """You called the library's own function, which has no β besides."""
    return F.silu(z)


# %% mistake="swish" name="autograd"
def swish_prime(z, beta):
    """You let autograd find the slope. By hand here: product rule, then chain rule."""
    leaf = z.clone().requires_grad_()
    return torch.autograd.grad((leaf * torch.sigmoid(beta * leaf)).sum(), leaf)[0]


# %% mistake="swish" name="in-place"
def swish(z, beta):
    """You scaled the caller's own tensor with mul_. Work on a new one."""
    return z.mul_(torch.sigmoid(beta * z))


# %% mistake="swish" name="beta-on-the-cpu"
def swish(z, beta):
    """You spread β over a new tensor on the CPU. A plain number is at home on every device."""
    return z * torch.sigmoid(torch.full(z.shape, beta, dtype=z.dtype) * z)


# %% alternative="swish" name="slide-formula"
def swish(z, beta):
    return z * torch.sigmoid(beta * z)


def swish_prime(z, beta):
    S = swish(z, beta)
    return beta * S + torch.sigmoid(beta * z) * (1 - beta * S)


# %% alternative="swish" name="quotient"
def swish(z, beta):
    return z / (1 + torch.exp(-beta * z))


def swish_prime(z, beta):
    s = torch.sigmoid(beta * z)
    return s * (1 + beta * z * torch.sigmoid(-beta * z))


# %% alternative="swish" name="own-helper"
def gate(z, beta):
    return 0.5 * (1 + torch.tanh(beta * z / 2))


def swish(z, beta):
    return gate(z, beta) * z


def swish_prime(z, beta):
    s = gate(z, beta)
    return s + z * (beta * (s - s**2))


# %% [markdown]
# ## Mish and its slope  ·  ●●○ · 6 min · 2 points
#
# $M(z) = z \tanh(\mathrm{softplus}(z))$. Karatzas ("Mish") gives $M'(z) = e^z \omega / \delta^2$: right
# on paper, but $\omega$ holds $e^{3z}$, and in `float32` the quotient is `nan` from $z \approx 22.2$ on.
#
# **Your turn**, by hand: no `F.mish`, no autograd; `F.softplus` and `torch.tanh` are yours. *Hint*:
# start from $t = \tanh(\mathrm{softplus}(z))$.


# %% answer="mish"
def mish(z: torch.Tensor) -> torch.Tensor:
    """Mish z tanh(softplus(z)), elementwise; z of any shape."""
    ### BEGIN SOLUTION return z times tanh of softplus of z
    return z * torch.tanh(F.softplus(z))
    ### END SOLUTION


def mish_prime(z: torch.Tensor) -> torch.Tensor:
    """Derivative of mish, elementwise, finite for every finite z; z of any shape."""
    ### BEGIN SOLUTION return the slope, built from t
    t = torch.tanh(F.softplus(z))
    return t + z * (1 - t**2) * torch.sigmoid(z)
    ### END SOLUTION


# %%
widgets.activations.explorer(mish, mish_prime)

# %% [markdown]
# *What to see*: the same dip as Swish, a little deeper ($-0.309$ at $z = -1.192$).

# %% test="mish" points=2
check.by_hand(mish, "mish", "Mish")
check.by_hand(mish_prime, "mish", "Mish", "grad", "backward", "jacobian", "jacrev", "vjp", "jvp")
z = torch.tensor([-1.0, 0.0, 1.0])
check.close(
    mish(z), torch.tensor([-0.303401, 0.0, 0.865098]), "Softplus first, then tanh", tol=1e-4
)
check.close(
    mish_prime(z),
    torch.tensor([0.059217, 0.6, 1.049005]),
    "The slope of tanh is 1 − tanh², and what is the slope of softplus?",
    tol=1e-4,
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        z = 2 * check.randn(2, 5, 3, dtype=dtype, device=device)
        z[0, 0] = torch.tensor([-1000.0, 30.0, 1000.0], dtype=dtype, device=device)
        leaf = z.clone().requires_grad_()
        want = leaf * torch.tanh(F.softplus(leaf))
        (slope,) = torch.autograd.grad(want.sum(), leaf)
        check.close(check.unchanged(mish, z), want, "Compare with the formula; look at z = 1000")
        check.close(
            check.unchanged(mish_prime, z),
            slope,
            "Compare with the change of the curve; look at z = 30 and z = ±1000",
        )
for f in (mish, mish_prime):
    check.shape(f(torch.tensor(-1.5)), ())
    check.stays_on_device(f, check.randn(4, 3))
### END HIDDEN TESTS


# %% mistake="mish" name="softplus-overflow"
def mish_prime(z):
    """Your exp(z) is inf from z = 89 on, and inf times 0 is nan. The slope of softplus has a safe name."""
    e = torch.exp(z)
    t = torch.tanh(F.softplus(z))
    return t + z * (1 - t**2) * e / (1 + e)


# %% mistake="mish" name="slide-formula"
def mish_prime(z):
    """You used the slide's quotient of exponentials: right on paper, inf/inf from z = 22.2 on in float32."""
    omega = torch.exp(3 * z) + 4 * torch.exp(2 * z) + (6 + 4 * z) * torch.exp(z) + 4 * (z + 1)
    delta = (torch.exp(z) + 1) ** 2 + 1
    return torch.exp(z) * omega / delta**2


# %% mistake="mish" name="tanh-first"
def mish(z):
    """You applied tanh first and softplus second. Read the formula from the inside out."""
    return z * F.softplus(torch.tanh(z))


# %% mistake="mish" name="no-factor-z"
def mish(z):
    """The factor z is missing: your curve stays between 0 and 1."""
    return torch.tanh(F.softplus(z))


# %% mistake="mish" name="sigmoid-for-softplus"
def mish(z):
    """You put the sigmoid where softplus belongs. The sigmoid is its slope."""
    return z * torch.tanh(torch.sigmoid(z))


# %% mistake="mish" name="slope-of-softplus-missing"
def mish_prime(z):
    """One inner derivative is missing: tanh is taken of softplus(z), not of z."""
    t = torch.tanh(F.softplus(z))
    return t + z * (1 - t**2)


# %% mistake="mish" name="product-rule-half"
def mish_prime(z):
    """You differentiated one factor. The product rule has a second term."""
    t = torch.tanh(F.softplus(z))
    return z * (1 - t**2) * torch.sigmoid(z)


# %% mistake="mish" name="slope-of-tanh-by-sigmoid-rule"
def mish_prime(z):
    """You used t(1 − t), the sigmoid's rule, for tanh. Tanh has its own."""
    t = torch.tanh(F.softplus(z))
    return t + z * t * (1 - t) * torch.sigmoid(z)


# %% mistake="mish" name="float64-result"
def mish(z):
    """You switched to float64 and stayed there. The caller gets another dtype than they gave."""
    return z * torch.tanh(F.softplus(z.double()))


# %% mistake="mish" name="library-call"
def mish(z):
    """You called the library's own function. Softplus, tanh and a product are enough."""
    return F.mish(z)


# %% mistake="mish" name="ones-on-the-cpu"
def mish_prime(z):
    """You made a tensor of ones on the CPU. A plain 1 is at home on every device."""
    t = torch.tanh(F.softplus(z))
    return t + z * (torch.ones(z.shape, dtype=z.dtype) - t**2) * torch.sigmoid(z)


# %% alternative="mish" name="own-softplus"
def log_one_plus_exp(z):
    return z.clamp(min=0) + torch.log1p(torch.exp(-z.abs()))


def mish(z):
    return z * torch.tanh(log_one_plus_exp(z))


def mish_prime(z):
    t = torch.tanh(log_one_plus_exp(z))
    return t + z * torch.sigmoid(z) * (1 - t) * (1 + t)


# %% alternative="mish" name="cosh"
def mish(z):
    return torch.mul(z, F.softplus(z).tanh())


def mish_prime(z):
    u = F.softplus(z)
    return torch.tanh(u) + z * torch.sigmoid(z) / torch.cosh(u) ** 2


# %% alternative="mish" name="slide-formula-rescaled"
def mish_prime(z):
    e = torch.exp(-z.abs())
    left = e * (e**3 + 4 * e**2 + (6 + 4 * z) * e + 4 * (z + 1)) / ((e + 1) ** 2 + 1) ** 2
    right = 1 + 4 * e + (6 + 4 * z) * e**2 + 4 * (z + 1) * e**3
    right = right / ((1 + e) ** 2 + e**2) ** 2
    return torch.where(z < 0, left, right)


# %% [markdown]
# ## Slides, checked
#
# Run a claim before you believe it, whoever makes it.

# %%
z = torch.tensor([0.5, 2.0], dtype=torch.float64)
print("tanh with the slide's minus:", 2 / (1 - torch.exp(-2 * z)) - 1, " coth:", 1 / torch.tanh(z))
print("float32 sigmoid at 17 is 1:", (torch.sigmoid(torch.tensor(17.0)) == 1).item())
z = torch.linspace(-5, 5, 101, dtype=torch.float64)
two_leaky = (F.leaky_relu(z, 0.1) + 0.1 * F.leaky_relu(-z, 0.1)) / (1 - 0.1**2)
print("two leaky ReLUs are a ReLU, up to", (two_leaky - F.relu(z)).abs().max().item())
z = torch.tensor([-1000.0], requires_grad=True)
print(
    "slope of 1/(1 + exp(-z)) at -1000:", torch.autograd.grad(1 / (1 + torch.exp(-z)), z)[0].item()
)

# %% [markdown]
# *What to see*: Karatzas's minus makes coth, which never comes between −1 and 1. Rinnert's closed
# ranges $[0, 1]$ and $[-1, 1]$ are open on paper; rounding closes them. Karatzas ("General Advice")
# wants activations at least half saturated if nets are to approximate everything; leaky ReLU saturates
# nowhere, yet two of them make a ReLU. (What it takes is not being a polynomial: Leshno et al.) And
# last, $1/(1 + e^{-z})$: a right *value* can hide a broken *slope*. So slopes come from outputs.
#
# ## What it means, and where it fails
#
# No activation is best. Sigmoid and tanh saturate; ReLU units die; its relatives live, and give up
# its exact zeros; Swish and Mish are smooth, and slower. Well normalised, sigmoid nets come close to
# ReLU nets (Karatzas, "ReLU vs Sigmoid"). Start with ReLU, measure saturated and dead units, change one
# thing at a time.
#
# **Three lines to remember**
# 1. Without a bend between them, layers collapse into one.
# 2. A gradient is a product: ten slopes of at most 1/4 leave a millionth.
# 3. Equal on paper is not equal in floats: choose the form in which no exponential overflows.
#
# **Further reading**: Nielsen, *Neural networks and deep learning*, chapter 5 · Glorot & Bengio,
# *Understanding the difficulty of training deep feedforward neural networks* (2010) · Leshno et al.,
# *Multilayer feedforward networks with a nonpolynomial activation function can approximate any
# function* (1993) · Ramachandran et al., *Searching for activation functions* (2017) · Next:
# 02_softmax.

# %%
import course

course.progress()
