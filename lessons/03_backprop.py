# %% [markdown]
# # Backpropagation by hand
#
# **You will be able to** find the gradient of a net with pencil and chain rule · write the engine that
# does it for any formula · write the backward pass of a two-layer net for a whole batch, check it against
# the loss itself, and train XOR with it.
#
# **Decks** Moerland, "Backpropagation", "Class example: NN gradients", "Class example: One full learning
# loop" · Passerini, "Backpropagation", "Output units", "Hidden units" · Minhas, "Proof for the Learning
# Rule" to "Training Algorithm...", "NN/Deep Learning Libraries" · Rinnert, "Ingredients for SDG"
#
# **Time** 60 minutes · **Points** 20 · ●○○ warm-up, ●●○ has a trap, ●●● needs thought.
# "By hand" means without autograd, PyTorch's automatic differentiation: the checks look for it. Where
# tensors go in, keep dtype and device; leave arguments as they were.

# %%
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F

from course import check, widgets

# %% [markdown]
# ## How much does it move?
#
# $e = (a + b)(b + 1)$ with $a = 2$, $b = 1$ (Minhas, "NN/Deep Learning Libraries"). A machine computes it
# in three small steps: $c = a + b$, $d = b + 1$, $e = c \cdot d$. Drawn with an arrow from each number
# to what is made of it, that is a **computational graph**. A step looks at its own two inputs and
# knows nothing of the rest.
#
# **Predict**: raise $b$ by 0.01. By how much does $e$ move: 0.02, 0.03, 0.05 or 0.06? Then press
# *step* and watch it worked out backwards.

# %%
widgets.backprop.stepper()

# %% [markdown]
# *What to see*: above each number stands its **gradient**: how fast $e$ moves when this number
# moves. $e$ itself starts with 1. An arrow carries the gradient back, multiplied by its own **local
# slope**, written on it. Where two arrows leave one number, what comes back over them is added.
#
# ## Two paths  ·  ●○○ · 3 min · 1 point
#
# The **chain rule** says: along a path, multiply (Moerland, "Backpropagation": $\frac{dh}{dx} =
# \frac{dh}{dz}\frac{dz}{dx}$); over all paths, add. From $b$ to $e$ there are two.
#
# **Your turn**, by hand: the value and both gradients, for tensors $a$ and $b$ of one shape, elementwise.


# %% answer="graph_gradients"
def graph_gradients(
    a: torch.Tensor, b: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """e = (a + b)(b + 1), de/da and de/db, elementwise; all of the shape of a and b."""
    ### BEGIN SOLUTION return the value, the gradient of a, and that of b over all its paths
    c, d = a + b, b + 1
    return c * d, d, d + c
    ### END SOLUTION


# %% test="graph_gradients" points=1
check.by_hand(graph_gradients, "grad", "backward", "jacobian", "jacrev", "vjp", "jvp", "gradient")
a, b = torch.tensor([2.0, 0.0]), torch.tensor([1.0, 3.0])
e, of_a, of_b = graph_gradients(a, b)
check.close(e, torch.tensor([6.0, 12.0]), "First the value: c = a + b, d = b + 1, e = c d")
check.close(of_a, torch.tensor([2.0, 4.0]), "a has one path to e: over c")
check.close(of_b[0], torch.tensor(5.0), "At (2, 1) the two paths of b bring 2 and 3")
check.close(of_b[1], torch.tensor(7.0), "Add up what comes over the two paths of b")
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        shape = check.sizes(3)
        a = check.randn(*shape, dtype=dtype, device=device)
        b = check.randn(*shape, dtype=dtype, device=device)
        leaves = [a.clone().requires_grad_(), b.clone().requires_grad_()]
        want = (leaves[0] + leaves[1]) * (leaves[1] + 1)
        check.close(
            check.unchanged(graph_gradients, a, b),
            (want, *torch.autograd.grad(want.sum(), leaves)),
            "Multiply along each path, add over the paths; order: value, of a, of b",
        )
check.stays_on_device(graph_gradients, check.randn(4, 3), check.randn(4, 3))
### END HIDDEN TESTS


# %% mistake="graph_gradients" name="only-the-path-over-c"
def graph_gradients(a, b):
    """You followed b over c alone. The number b is used a second time: where?"""
    return (a + b) * (b + 1), b + 1, b + 1


# %% mistake="graph_gradients" name="only-the-path-over-d"
def graph_gradients(a, b):
    """You followed b over d alone. The number b is used a second time: where?"""
    return (a + b) * (b + 1), b + 1, a + b


# %% mistake="graph_gradients" name="paths-multiplied"
def graph_gradients(a, b):
    """You multiplied the two paths of b with each other. Within a path one multiplies; and over several?"""
    return (a + b) * (b + 1), b + 1, (a + b) * (b + 1)


# %% mistake="graph_gradients" name="slide-copied"
def graph_gradients(a, b):
    """You gave the second line of the slide to a: it says so, but it differentiates by the other letter."""
    return (a + b) * (b + 1), a + 2 * b + 1, a + 2 * b + 1


# %% mistake="graph_gradients" name="swapped"
def graph_gradients(a, b):
    """You returned the two gradients in the other order. Which number has two paths?"""
    return (a + b) * (b + 1), a + 2 * b + 1, b + 1


# %% mistake="graph_gradients" name="local-slopes-added"
def graph_gradients(a, b):
    """You added up local slopes of 1 at the two sums. What came down to each sum from the product?"""
    return (a + b) * (b + 1), b + 1, torch.full_like(b, 2)


# %% mistake="graph_gradients" name="square-as-line"
def graph_gradients(a, b):
    """You multiplied the formula out and differentiated b squared as if it were b."""
    return (a + b) * (b + 1), b + 1, a + b + 1 - b + 1


# %% mistake="graph_gradients" name="autograd"
def graph_gradients(a, b):
    """You let autograd do it. This once by hand: two paths, two products."""
    u, v = a.clone().requires_grad_(), b.clone().requires_grad_()
    e = (u + v) * (v + 1)
    of_a, of_b = torch.autograd.grad(e.sum(), (u, v))
    return e.detach(), of_a, of_b


# %% mistake="graph_gradients" name="in-place"
def graph_gradients(a, b):
    """You added b to the caller's own a. They still need it as it was."""
    a += b
    return a * (b + 1), b + 1, a + b + 1


# %% mistake="graph_gradients" name="ones-on-the-cpu"
def graph_gradients(a, b):
    """You made a tensor of ones on the CPU. A plain 1 is at home on every device."""
    d = b + torch.ones(b.shape, dtype=b.dtype)
    return (a + b) * d, d, a + b + d


# %% alternative="graph_gradients" name="multiplied-out"
def graph_gradients(a, b):
    return a * b + a + b**2 + b, b + 1, a + 2 * b + 1


# %% alternative="graph_gradients" name="step-by-step"
def graph_gradients(a, b):
    c = a + b
    d = b + 1
    grad_c, grad_d = d, c
    return c * d, grad_c * 1, grad_c * 1 + grad_d * 1


# %% alternative="graph_gradients" name="along-with-the-values"
def graph_gradients(a, b):
    one, zero = torch.ones_like(a), torch.zeros_like(a)
    c, dc = a + b, (one, one)
    d, dd = b + 1, (zero, one)
    return c * d, dc[0] * d + c * dd[0], dc[1] * d + c * dd[1]


# %% [markdown]
# ## One full learning loop  ·  ●●○ · 6 min · 2 points
#
# Moerland's class example ("Class example: One full learning loop") has one hidden ReLU unit and a linear
# output:
#
# $$z = w_1 x_1 + w_2 x_2 + b_1, \quad h = \max(0, z), \quad \hat y = w_3 h + b_2, \quad
# L = (\hat y - y)^2$$
#
# with $x = (2, -1)$, $w_1 = 1.5$, $w_2 = 2$, $b_1 = 3$, $w_3 = 2.5$, $b_2 = -2$, $y = 6$. The deck finds
# $\hat y = 8$, $L = 4$, $\frac{dL}{dw_3} = 16$, $\frac{dL}{dw_1} = 20$, $\frac{dL}{db_1} = 10$. Do it on paper
# first, from the loss backwards: each line uses the one before.
#
# **Your turn**, by hand, with plain Python numbers in dictionaries. The slope of ReLU at 0 is 0, as in
# 01_activations. Two gradients that the deck leaves out, those of $w_2$ and $b_2$, are asked for too.


# %% answer="loss_gradients"
def predict(params: dict[str, float], x: tuple[float, float]) -> tuple[float, float, float]:
    """(z, h, y_hat) of the net with these parameters: w1, w2, b1, w3, b2."""
    ### BEGIN SOLUTION return z, h and y_hat
    z = params["w1"] * x[0] + params["w2"] * x[1] + params["b1"]
    h = max(0.0, z)
    return z, h, params["w3"] * h + params["b2"]
    ### END SOLUTION


def loss_gradients(
    params: dict[str, float], x: tuple[float, float], y: float
) -> tuple[float, dict[str, float]]:
    """The loss L, and its gradients as a dictionary with the keys w1, w2, b1, w3, b2."""
    ### BEGIN SOLUTION return the loss, and a dictionary of five gradients
    z, h, y_hat = predict(params, x)
    of_y_hat = 2 * (y_hat - y)
    of_z = of_y_hat * params["w3"] * (1 if z > 0 else 0)
    grads = {"w1": of_z * x[0], "w2": of_z * x[1], "b1": of_z, "w3": of_y_hat * h, "b2": of_y_hat}
    return (y_hat - y) ** 2, grads
    ### END SOLUTION


# %% test="loss_gradients" points=2
check.by_hand(loss_gradients, "grad", "backward", "jacobian", "jacrev", "vjp", "jvp")
NAMES = ("w1", "w2", "b1", "w3", "b2")
params = {"w1": 1.5, "w2": 2.0, "b1": 3.0, "w3": 2.5, "b2": -2.0}
check.close(predict(params, (2.0, -1.0)), (4.0, 4.0, 8.0), "The deck has z = 4, h = 4, ŷ = 8")
loss, grads = loss_gradients(params, (2.0, -1.0), 6.0)
check.close(loss, 4.0, "The loss is the squared distance of ŷ from y")
check.true(
    isinstance(grads, dict) and set(grads) == set(NAMES),
    f"The second result must be a dictionary with the keys {', '.join(NAMES)}",
)
check.close(grads["w3"], 16.0, "dL/dw3: first through the square, then through the product w3 h")
check.close(grads["b1"], 10.0, "dL/db1: through the square, through w3, through ReLU")
check.close(grads["w1"], 20.0, "dL/dw1: what has reached z, times what w1 is multiplied by")
### BEGIN HIDDEN TESTS
for case in range(8):
    *numbers, x1, x2, y = (2 * check.randn(8, dtype=torch.float64)).tolist()
    params = dict(zip(NAMES, numbers, strict=True))
    # On and off, and with gradients of both signs.
    params["b1"] = (4.0 if case % 2 else -4.0) - params["w1"] * x1 - params["w2"] * x2
    side = math.copysign(abs(y) + 0.5, params["w3"]) * (1 if case // 2 % 2 else -1)
    y = params["w3"] * (4.0 if case % 2 else 0.0) + params["b2"] + side
    if case == 6:
        params = {"w1": 1.0, "w2": 1.0, "b1": 0.0, "w3": 1.5, "b2": 0.5}
        x1, x2 = 2.0, -2.0  # z is exactly 0
    t = {k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in params.items()}
    z = t["w1"] * x1 + t["w2"] * x2 + t["b1"]
    want = (t["w3"] * z.relu() + t["b2"] - y) ** 2
    want.backward()
    loss, grads = loss_gradients(params, (x1, x2), y)
    check.close(loss, want.item(), "The loss of other numbers is wrong")
    for name in NAMES:
        check.close(
            grads[name],
            t[name].grad.item(),
            f"dL/d{name} is wrong where z = {z.item():.2g}: write its chain from L down",
        )
### END HIDDEN TESTS


# %% mistake="loss_gradients" name="relu-forgotten"
def loss_gradients(params, x, y):
    """You let the gradient through ReLU unhindered. What does a unit that is off pass on?"""
    z, h, y_hat = predict(params, x)
    e = 2 * (y_hat - y)
    g = e * params["w3"]
    return (y_hat - y) ** 2, {"w1": g * x[0], "w2": g * x[1], "b1": g, "w3": e * h, "b2": e}


# %% mistake="loss_gradients" name="two-forgotten"
def loss_gradients(params, x, y):
    """All your gradients are half of what they should be. How is a square differentiated?"""
    z, h, y_hat = predict(params, x)
    e = y_hat - y
    g = e * params["w3"] * (z > 0)
    return e**2, {"w1": g * x[0], "w2": g * x[1], "b1": g, "w3": e * h, "b2": e}


# %% mistake="loss_gradients" name="target-minus-prediction"
def loss_gradients(params, x, y):
    """All your signs are the other way round: you differentiated (y − ŷ)² and lost the inner minus."""
    z, h, y_hat = predict(params, x)
    e = 2 * (y - y_hat)
    g = e * params["w3"] * (z > 0)
    return (y - y_hat) ** 2, {"w1": g * x[0], "w2": g * x[1], "b1": g, "w3": e * h, "b2": e}


# %% mistake="loss_gradients" name="z-for-h"
def loss_gradients(params, x, y):
    """You multiplied by z for w3. What does w3 really multiply, on the other side of ReLU?"""
    z, h, y_hat = predict(params, x)
    e = 2 * (y_hat - y)
    g = e * params["w3"] * (z > 0)
    return (y_hat - y) ** 2, {"w1": g * x[0], "w2": g * x[1], "b1": g, "w3": e * z, "b2": e}


# %% mistake="loss_gradients" name="w3-skipped"
def loss_gradients(params, x, y):
    """You went from ŷ to z without passing w3. Which factor stands on the arrow from h to ŷ?"""
    z, h, y_hat = predict(params, x)
    e = 2 * (y_hat - y)
    g = e * (z > 0)
    return (y_hat - y) ** 2, {"w1": g * x[0], "w2": g * x[1], "b1": g, "w3": e * h, "b2": e}


# %% mistake="loss_gradients" name="weight-for-input"
def loss_gradients(params, x, y):
    """You multiplied by w1 and w2 themselves. When w1 moves by a little, by how much does w1 x1 move?"""
    z, h, y_hat = predict(params, x)
    e = 2 * (y_hat - y)
    g = e * params["w3"] * (z > 0)
    return (y_hat - y) ** 2, {
        "w1": g * params["w1"], "w2": g * params["w2"], "b1": g, "w3": e * h, "b2": e
    }  # fmt: skip


# %% mistake="loss_gradients" name="relu-of-the-gradient"
def loss_gradients(params, x, y):
    """You applied ReLU to the gradient itself. Its slope depends on z, whatever the sign of what comes back."""
    z, h, y_hat = predict(params, x)
    e = 2 * (y_hat - y)
    g = max(0.0, e * params["w3"])
    return (y_hat - y) ** 2, {"w1": g * x[0], "w2": g * x[1], "b1": g, "w3": e * h, "b2": e}


# %% mistake="loss_gradients" name="slope-one-at-zero"
def loss_gradients(params, x, y):
    """You took slope 1 at exactly z = 0. The text says which slope is agreed on there."""
    z, h, y_hat = predict(params, x)
    e = 2 * (y_hat - y)
    g = e * params["w3"] * (z >= 0)
    return (y_hat - y) ** 2, {"w1": g * x[0], "w2": g * x[1], "b1": g, "w3": e * h, "b2": e}


# %% mistake="loss_gradients" name="no-relu-forward"
def predict(params, x):
    """Your forward pass is linear: h is z. Something should happen where z is negative."""
    z = params["w1"] * x[0] + params["w2"] * x[1] + params["b1"]
    return z, z, params["w3"] * z + params["b2"]


# %% alternative="loss_gradients" name="link-by-link"
def loss_gradients(params, x, y):
    z, h, y_hat = predict(params, x)
    dL_dy = 2 * (y_hat - y)
    dL_dh = dL_dy * params["w3"]
    dh_dz = 1.0 if z > 0 else 0.0
    dL_dz = dL_dh * dh_dz
    grads = {}
    grads["w3"], grads["b2"] = dL_dy * h, dL_dy
    grads["b1"] = dL_dz
    grads["w1"], grads["w2"] = dL_dz * x[0], dL_dz * x[1]
    return (y_hat - y) ** 2, grads


# %% alternative="loss_gradients" name="on-or-off"
def loss_gradients(params, x, y):
    _, h, y_hat = predict(params, x)
    error = y_hat - y
    on = float(h > 0)
    up = {"w1": x[0], "w2": x[1], "b1": 1.0}
    grads = {name: 2 * error * params["w3"] * on * slope for name, slope in up.items()}
    return error * error, grads | {"w3": 2 * error * h, "b2": 2 * error}


# %% alternative="loss_gradients" name="ten-lines-of-its-own"
def predict(params, x):
    z = sum(params[f"w{i + 1}"] * x[i] for i in range(2)) + params["b1"]
    h = z if z > 0 else 0.0
    return (z, h, params["w3"] * h + params["b2"])


# %% [markdown]
# ## The step  ·  ●○○ · 3 min · 1 point
#
# A loss, a start, and gradients computed in practice: with these (Rinnert, "Ingredients for SDG") one can
# learn. Every parameter goes against its gradient: $\theta \leftarrow \theta - \eta\,\frac{dL}{d\theta}$, where the
# learning rate $\eta$ is `lr` here. The deck moves $w_1$, $b_1$ and $w_3$ with $\eta = 0.01$ and arrives at
# $\hat y = 6.19$. (Its last table still shows the old $z = 4$, $h = 4$ beside it: 3.5 is meant, as its next
# slide says.)
#
# **Predict**: move $w_2$ and $b_2$ as well. Does $\hat y$ come closer to 6 than 6.19?
#
# **Your turn.** Parameters without an entry in `grads` stay where they are.


# %% answer="descend"
def descend(params: dict[str, float], grads: dict[str, float], lr: float) -> dict[str, float]:
    """New parameters after one step of gradient descent; `grads` may lack some of the keys."""
    ### BEGIN SOLUTION return a new dictionary with every parameter of params
    return {name: value - lr * grads.get(name, 0.0) for name, value in params.items()}
    ### END SOLUTION


# %% [markdown]
# See it: the deck's step, then all five parameters (with the gradients as numbers, so that this cell
# needs your `descend` alone).

# %%
params = {"w1": 1.5, "w2": 2.0, "b1": 3.0, "w3": 2.5, "b2": -2.0}
three = {"w3": 16.0, "w1": 20.0, "b1": 10.0}
for grads in (three, {**three, "w2": -10.0, "b2": 4.0}):
    try:
        after = descend(params, grads, 0.01)
        h = max(0.0, after["w1"] * 2 - after["w2"] + after["b1"])
        print(f"{len(grads)} parameters moved: y_hat = {after['w3'] * h + after['b2']:.3f}")
    except NotImplementedError:
        print("`descend` is not written yet.")

# %% [markdown]
# *What to see*: 6.190, then 5.916: closer, and on the other side. A longer step would overshoot.

# %% test="descend" points=1
params = {"w1": 1.5, "w2": 2.0, "b1": 3.0, "w3": 2.5, "b2": -2.0}
after = descend(params, {"w3": 16.0, "w1": 20.0, "b1": 10.0}, 0.01)
check.true(isinstance(after, dict), "Return a dictionary of parameters")
check.equal(sorted(after), sorted(params), "Every parameter must be there, moved or not")
for name, want in (("w1", 1.3), ("b1", 2.9), ("w3", 2.34), ("w2", 2.0), ("b2", -2.0)):
    check.close(
        after[name], want, f"Look at {name}: the old value minus lr times its gradient, if any"
    )
h = max(0.0, after["w1"] * 2 - after["w2"] + after["b1"])
check.close(after["w3"] * h + after["b2"], 6.19, "The deck's prediction after the step")
### BEGIN HIDDEN TESTS
for lr in (0.01, 0.3, 1.7):
    numbers = check.randn(2, 6, dtype=torch.float64).tolist()
    params = {f"w{i}": v for i, v in enumerate(numbers[0])}
    grads = {f"w{i}": v for i, v in enumerate(numbers[1]) if i not in (1, 4)}
    after = descend(params, grads, lr)
    check.true(isinstance(after, dict), "Return a dictionary of parameters")
    check.equal(sorted(after), sorted(params), "Every parameter must be there, moved or not")
    moved = torch.tensor([params[k] for k in sorted(params)], dtype=torch.float64)
    slope = torch.tensor([grads.get(k, 0.0) for k in sorted(params)], dtype=torch.float64)
    want = torch.nn.Parameter(moved.clone())
    want.grad = slope
    torch.optim.SGD([want], lr=lr).step()
    check.close(
        [after[k] for k in sorted(params)],
        want.tolist(),
        f"Each parameter goes lr = {lr} times its gradient downhill",
    )
### END HIDDEN TESTS


# %% mistake="descend" name="uphill"
def descend(params, grads, lr):
    """You went along the gradient: it points to where the loss grows."""
    return {name: value + lr * grads.get(name, 0.0) for name, value in params.items()}


# %% mistake="descend" name="learning-rate-forgotten"
def descend(params, grads, lr):
    """You took the whole gradient as the step. What is the learning rate for?"""
    return {name: value - grads.get(name, 0.0) for name, value in params.items()}


# %% mistake="descend" name="others-lost"
def descend(params, grads, lr):
    """You returned only what moved. The next forward pass needs the others too."""
    return {name: params[name] - lr * grads[name] for name in grads}


# %% mistake="descend" name="missing-gradient-not-met"
def descend(params, grads, lr):
    """You looked up a gradient for every parameter. What if there is none?"""
    return {name: params[name] - lr * grads[name] for name in params}


# %% mistake="descend" name="replaced-by-the-step"
def descend(params, grads, lr):
    """You returned the steps instead of the places they lead to."""
    return {name: -lr * grads.get(name, 0.0) for name in params}


# %% mistake="descend" name="shrinks-the-parameter"
def descend(params, grads, lr):
    """You multiplied the parameter by its gradient. The step doesn't depend on where you stand, only on the slope."""
    return {name: value - lr * value * grads.get(name, 0.0) for name, value in params.items()}


# %% mistake="descend" name="divided-by-the-rate"
def descend(params, grads, lr):
    """You divided by the learning rate. A smaller rate should make a smaller step."""
    return {name: value - grads.get(name, 0.0) / lr for name, value in params.items()}


# %% alternative="descend" name="copy-and-change"
def descend(params, grads, lr):
    new = dict(params)
    for name, slope in grads.items():
        new[name] = new[name] - lr * slope
    return new


# %% alternative="descend" name="if-there-is-one"
def descend(params, grads, lr):
    new = {}
    for name in params:
        if name in grads:
            new[name] = params[name] - lr * grads[name]
        else:
            new[name] = params[name]
    return new


# %% alternative="descend" name="two-parts"
def descend(params, grads, lr):
    return {**params, **{k: params[k] - g * lr for k, g in grads.items()}}


# %% [markdown]
# ## An engine  ·  ●●● · 13 min · 4 points
#
# Nobody wants to do this by hand for a million weights. Large parts of all these chains are the same,
# which is the key idea (Moerland, "Class example: NN gradients"): compute each gradient once, store it,
# and walk backwards. Libraries know a local slope for every operation and leave the rest to the graph
# (Minhas, "NN/Deep Learning Libraries"). That is **reverse-mode automatic differentiation**. It fits
# into thirty lines.
#
# A `Node` is one number of the graph. It remembers its `parents`: pairs of a Node it was made of and the
# local slope towards it. `a * b` calls `a.__mul__(b)`, `a ** 3` calls `a.__pow__(3)`.
#
# **Your turn**, with Python's numbers and `math` alone.
#
# 1. Each operation returns a new Node with its value and its parents. Both sides of `+` and `*` are
#    Nodes; `n` in `**` is a plain number. At 0, ReLU has slope 0.
# 2. `backward()` starts with gradient 1 at the Node it is called on and fills in `grad` for everything
#    behind it. A Node may be used many times, even twice in one operation (`a * a`). It may pass its
#    gradient on **once**, and only when that is complete: when all that was made of it has reported.
#    An order in which everything stands after its parents is called **topological**; which way
#    do you walk it?
#
# *Hint*: to find such an order, visit a Node's parents before you write the Node itself down.
#
# The function below the class is given. It runs a little program of one `name = formula` a line on your
# Nodes, and is how your engine is checked: `trace("y = a * a", a=3.0)` should return the values
# `{"a": 3.0, "y": 9.0}` and the gradients `{"a": 6.0, "y": 1.0}`.


# %% answer="Node"
class Node:
    """A number in a computational graph; `grad` is how fast the output moves when this one moves."""

    def __init__(self, value: float, parents: "list[tuple[Node, float]] | tuple" = ()) -> None:
        self.value = value
        self.grad = 0.0
        # Pairs (node, local slope).
        self.parents = parents

    def __add__(self, other: "Node") -> "Node":
        ### BEGIN SOLUTION return a Node with the sum, two parents and their local slopes
        return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])
        ### END SOLUTION

    def __mul__(self, other: "Node") -> "Node":
        ### BEGIN SOLUTION return a Node with the product, two parents and their local slopes
        return Node(self.value * other.value, [(self, other.value), (other, self.value)])
        ### END SOLUTION

    def __pow__(self, n: float) -> "Node":
        ### BEGIN SOLUTION return a Node with the n-th power, its parent and the local slope
        return Node(self.value**n, [(self, n * self.value ** (n - 1))])
        ### END SOLUTION

    def tanh(self) -> "Node":
        """The Node of tanh of this one."""
        ### BEGIN SOLUTION return a Node with math.tanh of the value, its parent and the local slope
        t = math.tanh(self.value)
        return Node(t, [(self, 1 - t**2)])
        ### END SOLUTION

    def relu(self) -> "Node":
        """The Node of ReLU of this one."""
        ### BEGIN SOLUTION return a Node with the value or 0, its parent and the local slope
        return Node(max(0.0, self.value), [(self, 1.0 if self.value > 0 else 0.0)])
        ### END SOLUTION

    def exp(self) -> "Node":
        """The Node of e to the power of this one."""
        ### BEGIN SOLUTION return a Node with math.exp of the value, its parent and the local slope
        e = math.exp(self.value)
        return Node(e, [(self, e)])
        ### END SOLUTION

    def backward(self) -> None:
        """Fill in `grad` of this Node and of all behind it; called once, on the last Node."""
        ### BEGIN SOLUTION order the graph, start with 1, and pass gradients back along the parents
        order, seen = [], set()

        def visit(node: "Node") -> None:
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += node.grad * slope
        ### END SOLUTION


def trace(program: str, **inputs: float) -> tuple[dict[str, float], dict[str, float]]:
    """Given: run `program` on Nodes made of the inputs, then backward() from its last line.

    Each line is `name = formula`: a + b, a * b, a**2, a.tanh(), a.relu() or a.exp(), with a new name.
    Returns values and gradients, both by name.
    """
    nodes = {name: Node(value) for name, value in inputs.items()}
    for line in program.split("\n"):
        name, formula = line.split(" = ")
        if formula.endswith("()"):  # a.tanh()
            a, function = formula[:-2].split(".")
            nodes[name] = {"tanh": Node.tanh, "relu": Node.relu, "exp": Node.exp}[function](
                nodes[a]
            )
        elif "**" in formula:
            a, n = formula.split("**")
            nodes[name] = nodes[a] ** float(n)
        elif "+" in formula:
            a, b = formula.split(" + ")
            nodes[name] = nodes[a] + nodes[b]
        else:
            a, b = formula.split(" * ")
            nodes[name] = nodes[a] * nodes[b]
    nodes[name].backward()
    values = {name: node.value for name, node in nodes.items()}
    return values, {name: node.grad for name, node in nodes.items()}


# %% [markdown]
# See it: the graph is drawn from your own Nodes, and edits run through your own engine.

# %%
widgets.backprop.stepper(Node)

# %% [markdown]
# *What to see*: an arrow glows where your engine goes wrong: a wrong local slope, or something that came back
# over it and was lost or counted twice. Try every preset: *two paths* needs the sum, *a square* the order
# too, *off* needs ReLU.

# %% test="Node" points=4
values, grads = trace("c = a + b\nd = b + one\ne = c * d", a=2.0, b=1.0, one=1.0)
check.close(values["e"], 6.0, "Start with the values of + and *")
check.close(grads["e"], 1.0, "The last number's own gradient: how fast does e move when e moves?")
check.close(
    (grads["c"], grads["d"]), (2.0, 3.0), "In a product: when c moves by a little, e moves by?"
)
check.close(grads["a"], 2.0, "From c back to a: what c has, times the local slope")
check.close(grads["b"], 5.0, "b has two uses: what comes back over both counts")
values, grads = trace("y = x**3", x=2.0)
check.close((values["y"], grads["x"]), (8.0, 12.0), "The third power at 2: value and slope")
for program, want in (("y = x.tanh()", 0.786448), ("y = x.exp()", 1.648721), ("y = x.relu()", 1.0)):
    check.close(trace(program, x=0.5)[1]["x"], want, f"The slope of {program} at x = 0.5", tol=1e-4)
### BEGIN HIDDEN TESTS
PROGRAMS = {
    "one sum": "y = a + b",
    "one product": "y = a * b",
    "a sum of a number with itself": "y = a + a",
    "a product of a number with itself": "y = a * a",
    "powers": "c = a**2\nd = a**3\ne = c + d\ny = e**-1",
    "tanh": "c = a * b\ny = c.tanh()",
    "relu": "c = a.relu()\nd = b.relu()\ne = c + d\ny = e * e",
    "exp": "c = a + b\ny = c.exp()",
    "a square that is used again": "c = a * a\nd = c + a\ny = c * d",
    "a short and a long way back": "c = a * b\nd = c.tanh()\ne = d * d\nf = e + c\ny = f * a",
    "a neuron": "p = w1 * x1\nq = w2 * x2\nr = p + q\nz = r + b\nh = z.tanh()\ny = h**2",
    "a result that is not used": "c = a * b\nd = a + c\ny = c * b",
}
NAMES = ("a", "b", "w1", "w2", "x1", "x2")
for what, program in PROGRAMS.items():
    for sign in (1.0, -1.0):
        numbers = [0.4 + 1.5 * abs(v) for v in check.randn(6, dtype=torch.float64).tolist()]
        inputs = dict(zip(NAMES, numbers, strict=True))
        inputs["b"] = sign * inputs["b"]
        inputs = {name: v for name, v in inputs.items() if name in program}
        tensors = {k: torch.tensor(v).double().requires_grad_() for k, v in inputs.items()}
        exec(program, {}, tensors)
        for t in tensors.values():
            t.retain_grad()
        tensors["y"].backward()
        values, grads = trace(program, **inputs)
        check.close(
            [values[k] for k in tensors],
            [t.item() for t in tensors.values()],
            f"Look at the values of {what}",
        )
        check.close(
            [float(grads[k]) for k in tensors],
            [0.0 if t.grad is None else t.grad.item() for t in tensors.values()],
            f"Look at the gradients of {what}",
        )
check.close(trace("y = x.relu()", x=0.0)[1]["x"], 0.0, "ReLU's slope at exactly 0")
doubled = [f"x{i + 1} = x{i} + x{i}" for i in range(40)]  # 2**40 paths, 41 numbers
check.close(
    trace("\n".join(doubled), x0=1.0)[1]["x0"],
    2.0**40,
    "Forty numbers, each twice in the next: every Node must pass its gradient on once",
)
### END HIDDEN TESTS


# %% mistake="Node" name="gradient-overwritten"
class Node:
    """You set a parent's gradient where it should grow. A number that is used twice hears from both uses."""

    def __init__(self, value, parents=()):
        self.value = value
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Node(self.value * other.value, [(self, other.value), (other, self.value)])

    def __pow__(self, n):
        return Node(self.value**n, [(self, n * self.value ** (n - 1))])

    def tanh(self):
        t = math.tanh(self.value)
        return Node(t, [(self, 1 - t**2)])

    def relu(self):
        return Node(max(0.0, self.value), [(self, 1.0 if self.value > 0 else 0.0)])

    def exp(self):
        e = math.exp(self.value)
        return Node(e, [(self, e)])

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad = node.grad * slope


# %% mistake="Node" name="no-order"
class Node:
    """You passed gradients on in the order in which you met the numbers. Is a number's gradient complete when you pass it on?"""

    def __init__(self, value, parents=()):
        self.value = value
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Node(self.value * other.value, [(self, other.value), (other, self.value)])

    def __pow__(self, n):
        return Node(self.value**n, [(self, n * self.value ** (n - 1))])

    def tanh(self):
        t = math.tanh(self.value)
        return Node(t, [(self, 1 - t**2)])

    def relu(self):
        return Node(max(0.0, self.value), [(self, 1.0 if self.value > 0 else 0.0)])

    def exp(self):
        e = math.exp(self.value)
        return Node(e, [(self, e)])

    def backward(self):
        self.grad = 1.0
        waiting, seen = [self], {self}
        while waiting:
            node = waiting.pop(0)
            for parent, slope in node.parents:
                parent.grad += node.grad * slope
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)


# %% mistake="Node" name="inputs-first"
class Node:
    """You walked from the inputs to the output. When you reach a number, its gradient is still 0."""

    def __init__(self, value, parents=()):
        self.value = value
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Node(self.value * other.value, [(self, other.value), (other, self.value)])

    def __pow__(self, n):
        return Node(self.value**n, [(self, n * self.value ** (n - 1))])

    def tanh(self):
        t = math.tanh(self.value)
        return Node(t, [(self, 1 - t**2)])

    def relu(self):
        return Node(max(0.0, self.value), [(self, 1.0 if self.value > 0 else 0.0)])

    def exp(self):
        e = math.exp(self.value)
        return Node(e, [(self, e)])

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in order:
            for parent, slope in node.parents:
                parent.grad += node.grad * slope


# %% mistake="Node" name="no-start"
class Node:
    """All your gradients are 0: the last number never got its own. How fast does it move when it moves itself?"""

    def __init__(self, value, parents=()):
        self.value = value
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Node(self.value * other.value, [(self, other.value), (other, self.value)])

    def __pow__(self, n):
        return Node(self.value**n, [(self, n * self.value ** (n - 1))])

    def tanh(self):
        t = math.tanh(self.value)
        return Node(t, [(self, 1 - t**2)])

    def relu(self):
        return Node(max(0.0, self.value), [(self, 1.0 if self.value > 0 else 0.0)])

    def exp(self):
        e = math.exp(self.value)
        return Node(e, [(self, e)])

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += node.grad * slope


# %% mistake="Node" name="value-for-start"
class Node:
    """You started with the value of the last number. How fast does it move when it moves itself?"""

    def __init__(self, value, parents=()):
        self.value = value
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Node(self.value * other.value, [(self, other.value), (other, self.value)])

    def __pow__(self, n):
        return Node(self.value**n, [(self, n * self.value ** (n - 1))])

    def tanh(self):
        t = math.tanh(self.value)
        return Node(t, [(self, 1 - t**2)])

    def relu(self):
        return Node(max(0.0, self.value), [(self, 1.0 if self.value > 0 else 0.0)])

    def exp(self):
        e = math.exp(self.value)
        return Node(e, [(self, e)])

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = self.value
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += node.grad * slope


# %% mistake="Node" name="slopes-not-multiplied"
class Node:
    """You added up local slopes and left out what arrived from above. The chain rule multiplies."""

    def __init__(self, value, parents=()):
        self.value = value
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Node(self.value * other.value, [(self, other.value), (other, self.value)])

    def __pow__(self, n):
        return Node(self.value**n, [(self, n * self.value ** (n - 1))])

    def tanh(self):
        t = math.tanh(self.value)
        return Node(t, [(self, 1 - t**2)])

    def relu(self):
        return Node(max(0.0, self.value), [(self, 1.0 if self.value > 0 else 0.0)])

    def exp(self):
        e = math.exp(self.value)
        return Node(e, [(self, e)])

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += slope


# %% mistake="Node" name="product-slopes-swapped"
class Node:
    """In a product each factor got itself as slope. When one factor moves, what is it multiplied by?"""

    def __init__(self, value, parents=()):
        self.value = value
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Node(self.value * other.value, [(self, self.value), (other, other.value)])

    def __pow__(self, n):
        return Node(self.value**n, [(self, n * self.value ** (n - 1))])

    def tanh(self):
        t = math.tanh(self.value)
        return Node(t, [(self, 1 - t**2)])

    def relu(self):
        return Node(max(0.0, self.value), [(self, 1.0 if self.value > 0 else 0.0)])

    def exp(self):
        e = math.exp(self.value)
        return Node(e, [(self, e)])

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += node.grad * slope


# %% mistake="Node" name="exponent-lost"
class Node:
    """In the power rule the factor n is missing: your slopes are right for n = 1 alone."""

    def __init__(self, value, parents=()):
        self.value = value
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Node(self.value * other.value, [(self, other.value), (other, self.value)])

    def __pow__(self, n):
        return Node(self.value**n, [(self, self.value ** (n - 1))])

    def tanh(self):
        t = math.tanh(self.value)
        return Node(t, [(self, 1 - t**2)])

    def relu(self):
        return Node(max(0.0, self.value), [(self, 1.0 if self.value > 0 else 0.0)])

    def exp(self):
        e = math.exp(self.value)
        return Node(e, [(self, e)])

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += node.grad * slope


# %% mistake="Node" name="power-not-lowered"
class Node:
    """In the power rule your exponent stays as it was."""

    def __init__(self, value, parents=()):
        self.value = value
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Node(self.value * other.value, [(self, other.value), (other, self.value)])

    def __pow__(self, n):
        return Node(self.value**n, [(self, n * self.value**n)])

    def tanh(self):
        t = math.tanh(self.value)
        return Node(t, [(self, 1 - t**2)])

    def relu(self):
        return Node(max(0.0, self.value), [(self, 1.0 if self.value > 0 else 0.0)])

    def exp(self):
        e = math.exp(self.value)
        return Node(e, [(self, e)])

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += node.grad * slope


# %% mistake="Node" name="tanh-slope-from-input"
class Node:
    """You put the input into the slope of tanh. 01_activations made it from the output."""

    def __init__(self, value, parents=()):
        self.value = value
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Node(self.value * other.value, [(self, other.value), (other, self.value)])

    def __pow__(self, n):
        return Node(self.value**n, [(self, n * self.value ** (n - 1))])

    def tanh(self):
        t = math.tanh(self.value)
        return Node(t, [(self, 1 - self.value**2)])

    def relu(self):
        return Node(max(0.0, self.value), [(self, 1.0 if self.value > 0 else 0.0)])

    def exp(self):
        e = math.exp(self.value)
        return Node(e, [(self, e)])

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += node.grad * slope


# %% mistake="Node" name="tanh-slope-of-sigmoid"
class Node:
    """That is the sigmoid's rule, t(1 − t). Tanh has its own."""

    def __init__(self, value, parents=()):
        self.value = value
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Node(self.value * other.value, [(self, other.value), (other, self.value)])

    def __pow__(self, n):
        return Node(self.value**n, [(self, n * self.value ** (n - 1))])

    def tanh(self):
        t = math.tanh(self.value)
        return Node(t, [(self, t * (1 - t))])

    def relu(self):
        return Node(max(0.0, self.value), [(self, 1.0 if self.value > 0 else 0.0)])

    def exp(self):
        e = math.exp(self.value)
        return Node(e, [(self, e)])

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += node.grad * slope


# %% mistake="Node" name="relu-always-open"
class Node:
    """Your ReLU passes every gradient on. What when it is off?"""

    def __init__(self, value, parents=()):
        self.value = value
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Node(self.value * other.value, [(self, other.value), (other, self.value)])

    def __pow__(self, n):
        return Node(self.value**n, [(self, n * self.value ** (n - 1))])

    def tanh(self):
        t = math.tanh(self.value)
        return Node(t, [(self, 1 - t**2)])

    def relu(self):
        return Node(max(0.0, self.value), [(self, 1.0)])

    def exp(self):
        e = math.exp(self.value)
        return Node(e, [(self, e)])

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += node.grad * slope


# %% mistake="Node" name="exp-like-a-power"
class Node:
    """You differentiated exp by the rule for powers. Which function is its own slope?"""

    def __init__(self, value, parents=()):
        self.value = value
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Node(self.value * other.value, [(self, other.value), (other, self.value)])

    def __pow__(self, n):
        return Node(self.value**n, [(self, n * self.value ** (n - 1))])

    def tanh(self):
        t = math.tanh(self.value)
        return Node(t, [(self, 1 - t**2)])

    def relu(self):
        return Node(max(0.0, self.value), [(self, 1.0 if self.value > 0 else 0.0)])

    def exp(self):
        e = math.exp(self.value)
        return Node(e, [(self, self.value * math.exp(self.value - 1))])

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += node.grad * slope


# %% mistake="Node" name="second-use-ignored"
class Node:
    """You skipped a parent that had a gradient already. A number that is used twice hears from both uses."""

    def __init__(self, value, parents=()):
        self.value = value
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Node(self.value * other.value, [(self, other.value), (other, self.value)])

    def __pow__(self, n):
        return Node(self.value**n, [(self, n * self.value ** (n - 1))])

    def tanh(self):
        t = math.tanh(self.value)
        return Node(t, [(self, 1 - t**2)])

    def relu(self):
        return Node(max(0.0, self.value), [(self, 1.0 if self.value > 0 else 0.0)])

    def exp(self):
        e = math.exp(self.value)
        return Node(e, [(self, e)])

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                if parent.grad == 0.0:
                    parent.grad = node.grad * slope


# %% alternative="Node" name="closures"
class Node:
    def __init__(self, value, parents=()):
        self.value, self.grad, self.parents = value, 0.0, parents
        self.send = lambda: None

    def _make(self, value, parents, slopes):
        made = Node(value, parents)

        def send():
            for parent, slope in zip(parents, slopes, strict=True):
                parent.grad += made.grad * slope()

        made.send = send
        return made

    def __add__(self, other):
        return self._make(self.value + other.value, (self, other), (lambda: 1.0, lambda: 1.0))

    def __mul__(self, other):
        slopes = (lambda: other.value, lambda: self.value)
        return self._make(self.value * other.value, (self, other), slopes)

    def __pow__(self, n):
        return self._make(self.value**n, (self,), (lambda: n * self.value ** (n - 1),))

    def tanh(self):
        out = math.tanh(self.value)
        return self._make(out, (self,), (lambda: 1 - out * out,))

    def relu(self):
        return self._make(max(self.value, 0.0), (self,), (lambda: float(self.value > 0),))

    def exp(self):
        return self._make(math.exp(self.value), (self,), (lambda: math.exp(self.value),))

    def backward(self):
        found = {}  # a dictionary keeps the order of writing

        def look_behind(node):
            for parent in node.parents:
                if parent not in found:
                    look_behind(parent)
            found[node] = True

        look_behind(self)
        self.grad = 1.0
        for node in reversed(found):
            node.send()


# %% alternative="Node" name="counting-children"
class Node:
    def __init__(self, value, parents=()):
        self.value = value
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Node(self.value * other.value, [(self, other.value), (other, self.value)])

    def __pow__(self, n):
        return Node(self.value**n, [(self, n * self.value ** (n - 1))])

    def tanh(self):
        t = math.tanh(self.value)
        return Node(t, [(self, 1 - t**2)])

    def relu(self):
        return Node(max(0.0, self.value), [(self, 1.0 if self.value > 0 else 0.0)])

    def exp(self):
        e = math.exp(self.value)
        return Node(e, [(self, e)])

    def backward(self):
        children, waiting = {self: 0}, [self]
        while waiting:
            for parent, _ in waiting.pop().parents:
                if parent not in children:
                    children[parent] = 0
                    waiting.append(parent)
                children[parent] += 1
        self.grad = 1.0
        ready = [self]
        while ready:
            node = ready.pop()
            for parent, slope in node.parents:
                parent.grad += node.grad * slope
                children[parent] -= 1
                if children[parent] == 0:
                    ready.append(parent)


# %% alternative="Node" name="in-order-of-birth"
class Node:
    born = 0

    def __init__(self, value, parents=()):
        self.value = float(value)
        Node.born += 1
        self.number = Node.born
        self.grad = 0.0
        self.parents = parents

    def __add__(self, other):
        return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Node(self.value * other.value, [(self, other.value), (other, self.value)])

    def __pow__(self, n):
        return Node(self.value**n, [(self, n * self.value ** (n - 1))])

    def tanh(self):
        t = math.tanh(self.value)
        return Node(t, [(self, 1 - t**2)])

    def relu(self):
        return Node(max(0.0, self.value), [(self, 1.0 if self.value > 0 else 0.0)])

    def exp(self):
        e = math.exp(self.value)
        return Node(e, [(self, e)])

    def backward(self):
        family, waiting = {self.number: self}, [self]
        while waiting:
            for parent, _ in waiting.pop().parents:
                if parent.number not in family:
                    family[parent.number] = parent
                    waiting.append(parent)
        self.grad = 1.0
        for number in sorted(family, reverse=True):  # younger ones first
            node = family[number]
            for parent, slope in node.parents:
                parent.grad = parent.grad + slope * node.grad


# %% [markdown]
# ## Ask the loss  ·  ●●○ · 6 min · 2 points
#
# Backward passes with a wrong factor often learn anyway, only worse. The judge is the loss itself: nudge one
# parameter both ways and see by how much it moves,
#
# $$\frac{\partial f}{\partial w_i} \approx \frac{f(w + \epsilon e_i) - f(w - \epsilon e_i)}{2\epsilon}$$
#
# where $e_i$ is 1 at place $i$ and 0 elsewhere: the **central difference**. Its error shrinks with
# $\epsilon^2$, that of a one-sided one with $\epsilon$. To compare two gradients $u$ and $v$, take the
# **relative error** $\|u - v\| / (\|u\| + \|v\|)$, between 0 and 1; where both are zero it is 0. ($\|u\|$ is the
# root of the sum of all squares.)
#
# **Predict**: $\epsilon$ goes down from $10^{-1}$ to $10^{-11}$. Does the estimate keep getting better?
#
# **Your turn**, by hand. `w` has any shape, `f(w)` gives one number; a loop over the entries is right here.


# %% answer="numerical_gradient"
def numerical_gradient(
    f: Callable[[torch.Tensor], torch.Tensor], w: torch.Tensor, eps: float
) -> torch.Tensor:
    """Central-difference gradient of f at w, of the shape of w; f maps a tensor to a 0-dim one."""
    ### BEGIN SOLUTION return the central difference of every entry of w
    grad = torch.zeros_like(w)
    for i in range(w.numel()):
        nudge = torch.zeros_like(w).reshape(-1)
        nudge[i] = eps
        nudge = nudge.reshape(w.shape)
        grad.view(-1)[i] = (f(w + nudge) - f(w - nudge)) / (2 * eps)
    return grad
    ### END SOLUTION


def relative_error(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """|u - v| / (|u| + |v|) with Euclidean norms over all entries, 0-dim; 0 where both are zero."""
    ### BEGIN SOLUTION return one number from 0 to 1
    size = u.norm() + v.norm()
    return (u - v).norm() / torch.where(size > 0, size, torch.ones_like(size))
    ### END SOLUTION


# %%
widgets.backprop.nudge(numerical_gradient)

# %% [markdown]
# *What to see*: from the right the error falls by a factor of 100 whenever $\epsilon$ falls by 10. Then it turns
# round: the two losses agree in almost all their digits, and rounding is what is left of the difference.
# The turn comes near $10^{-5}$ in `float64`, and near $10^{-2.5}$ already in `float32`; at $10^{-8}$ nothing is
# right there any more. Check gradients in `float64`.

# %% test="numerical_gradient" points=2
for f in (numerical_gradient, relative_error):
    check.by_hand(
        f, "grad", "backward", "jacobian", "jacrev", "vjp", "jvp", "gradcheck", "gradient"
    )
w = torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 0.0]], dtype=torch.float64)
check.close(
    numerical_gradient(lambda v: (v**2).sum(), w, 1e-3),
    2 * w,
    "The slope of a square is 2w, at each w",
)
check.close(
    relative_error(torch.tensor([3.0, 0.0]), torch.tensor([0.0, 4.0])),
    torch.tensor(5 / 7),
    "The difference has length 5, the two have lengths 3 and 4",
)
check.close(
    relative_error(torch.zeros(3), torch.zeros(3)), torch.tensor(0.0), "Two zero gradients agree"
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype, eps, tol in ((torch.float64, 0.1, 1e-8), (torch.float32, 0.25, 2e-3)):
        w = check.randn(*check.sizes(2, 2, 4), dtype=dtype, device=device)
        check.close(
            check.unchanged(numerical_gradient, lambda v: (v**3).sum(), w, eps),
            3 * w**2 + eps**2,  # a cubic shows the error of the central difference exactly
            "Nudge both ways by eps, and divide by the whole distance between the two places",
            tol=tol,
        )
        leaf = w.clone().requires_grad_()
        (want,) = torch.autograd.grad((leaf.cumsum(-1) ** 2).sum(), leaf)
        check.close(
            numerical_gradient(lambda v: (v.cumsum(-1) ** 2).sum(), w, eps),
            want,
            "Nudge one entry at a time, and put each slope at its own place",
            tol=tol,
        )
    for dtype in check.dtypes():
        u = check.randn(*check.sizes(2), dtype=dtype, device=device)
        v = check.randn(*u.shape, dtype=dtype, device=device)
        for one, other in ((u, v), (u, 1.001 * u), (u, torch.zeros_like(u)), (1e-6 * u, 1e-6 * v)):
            lengths = (one**2).sum().sqrt() + (other**2).sum().sqrt()
            check.close(
                check.unchanged(relative_error, one, other),
                ((one - other) ** 2).sum().sqrt() / lengths,
                "The length of the difference, by the sum of both lengths",
            )
check.close(
    numerical_gradient(lambda v: v**2, torch.tensor(1.5).double(), 1e-3),
    torch.tensor(3.0).double(),
    "w may also be a single number, of shape ()",
)
check.stays_on_device(numerical_gradient, lambda v: (v**3).sum(), check.randn(2, 3), 0.25)
check.stays_on_device(relative_error, check.randn(2, 3), check.randn(2, 3))
### END HIDDEN TESTS


# %% mistake="numerical_gradient" name="one-sided"
def numerical_gradient(f, w, eps):
    """You nudged one way only: that error shrinks with eps, not with its square."""
    grad = torch.zeros_like(w)
    for i in range(w.numel()):
        nudged = w.clone()
        nudged.view(-1)[i] += eps
        grad.view(-1)[i] = (f(nudged) - f(w)) / eps
    return grad


# %% mistake="numerical_gradient" name="distance-halved"
def numerical_gradient(f, w, eps):
    """All your slopes are twice too large: how far are the two places from each other?"""
    grad = torch.zeros_like(w)
    for i in range(w.numel()):
        step = torch.zeros_like(w)
        step.view(-1)[i] = eps
        grad.view(-1)[i] = (f(w + step) - f(w - step)) / eps
    return grad


# %% mistake="numerical_gradient" name="all-at-once"
def numerical_gradient(f, w, eps):
    """You nudged all entries together, so each place holds the sum of all slopes."""
    return torch.ones_like(w) * (f(w + eps) - f(w - eps)) / (2 * eps)


# %% mistake="numerical_gradient" name="nudges-pile-up"
def numerical_gradient(f, w, eps):
    """You didn't take a nudge back before the next entry's: the later ones are measured elsewhere."""
    grad = torch.zeros_like(w)
    place = w.clone()
    for i in range(w.numel()):
        place.view(-1)[i] += eps
        high = f(place)
        place.view(-1)[i] -= 2 * eps
        grad.view(-1)[i] = (high - f(place)) / (2 * eps)
    return grad


# %% mistake="numerical_gradient" name="rows-only"
def numerical_gradient(f, w, eps):
    """You nudged whole rows. Every single entry of w has a slope of its own."""
    grad = torch.zeros_like(w)
    for i in range(len(w)):
        step = torch.zeros_like(w)
        step[i] = eps
        grad[i] = (f(w + step) - f(w - step)) / (2 * eps)
    return grad


# %% mistake="numerical_gradient" name="flat-result"
def numerical_gradient(f, w, eps):
    """You returned a flat list of slopes. The gradient has the shape of w."""
    slopes = []
    for i in range(w.numel()):
        step = torch.zeros_like(w)
        step.view(-1)[i] = eps
        slopes.append((f(w + step) - f(w - step)) / (2 * eps))
    return torch.stack(slopes)


# %% mistake="numerical_gradient" name="own-eps"
def numerical_gradient(f, w, eps):
    """You used an eps of your own. The caller chose one."""
    grad = torch.zeros_like(w)
    for i in range(w.numel()):
        step = torch.zeros_like(w)
        step.view(-1)[i] = 1e-4
        grad.view(-1)[i] = (f(w + step) - f(w - step)) / 2e-4
    return grad


# %% mistake="numerical_gradient" name="in-place"
def numerical_gradient(f, w, eps):
    """You nudged the caller's own w and left it there. Whatever is trained with it stands elsewhere now."""
    grad = torch.zeros_like(w)
    for i in range(w.numel()):
        w.view(-1)[i] += eps
        high = f(w)
        w.view(-1)[i] -= 2 * eps
        grad.view(-1)[i] = (high - f(w)) / (2 * eps)
    return grad


# %% mistake="numerical_gradient" name="nudge-on-the-cpu"
def numerical_gradient(f, w, eps):
    """You made the nudge on the CPU. Think about where w is."""
    grad = torch.zeros_like(w)
    for i in range(w.numel()):
        step = torch.zeros(w.numel(), dtype=w.dtype)
        step[i] = eps
        step = step.reshape(w.shape)
        grad.view(-1)[i] = (f(w + step) - f(w - step)) / (2 * eps)
    return grad


# %% mistake="numerical_gradient" name="absolute-error"
def relative_error(u, v):
    """You returned the length of the difference. Is 0.001 much? Compare it with how long u and v are."""
    return (u - v).norm()


# %% mistake="numerical_gradient" name="by-the-first-alone"
def relative_error(u, v):
    """You divided by the length of u alone. The formula treats both alike, and u may be zero."""
    return (u - v).norm() / u.norm().clamp(min=1e-30)


# %% mistake="numerical_gradient" name="entry-by-entry"
def relative_error(u, v):
    """You divided entry by entry. One number is asked for, from three lengths."""
    return ((u - v).abs() / (u.abs() + v.abs()).clamp(min=1e-30)).mean()


# %% mistake="numerical_gradient" name="zero-by-zero"
def relative_error(u, v):
    """Two zero gradients agree, and yours says nan: 0 divided by 0."""
    return (u - v).norm() / (u.norm() + v.norm())


# %% mistake="numerical_gradient" name="crutch-too-large"
def relative_error(u, v):
    """You added a small number below to keep off 0/0. For tiny gradients it is not small."""
    return (u - v).norm() / (u.norm() + v.norm() + 1e-6)


# %% alternative="numerical_gradient" name="copies"
def numerical_gradient(f, w, eps):
    slopes = []
    for i in range(w.numel()):
        up, down = w.clone(), w.clone()
        up.view(-1)[i] += eps
        down.view(-1)[i] -= eps
        slopes.append((f(up) - f(down)) / (2 * eps))
    return torch.stack(slopes).reshape(w.shape)


def relative_error(u, v):
    if torch.equal(u, v):
        return torch.zeros_like(u).sum()
    return (u - v).norm() / (u.norm() + v.norm())


# %% alternative="numerical_gradient" name="unit-matrix"
def numerical_gradient(f, w, eps):
    n = w.numel()
    directions = torch.eye(n, dtype=w.dtype, device=w.device).reshape(n, *w.shape)
    found = [f(w + eps * d) / (2 * eps) - f(w - eps * d) / (2 * eps) for d in directions]
    return torch.stack(found).reshape(w.shape)


# %% alternative="numerical_gradient" name="nan-to-zero"
def relative_error(u, v):
    total = (u * u).sum() ** 0.5 + (v * v).sum() ** 0.5
    return torch.nan_to_num(((u - v) ** 2).sum() ** 0.5 / total)


# %% [markdown]
# ## How many parameters?  ·  ●○○ · 2 min · 1 point
#
# Now a whole net, layers of sizes 2, 3, 1, every unit wired to every unit of the layer before.
# **Predict** its number of parameters (Moerland, "Artificial Neural Network structure") before you write
# the function.


# %% answer="count_parameters"
def count_parameters(sizes: list[int]) -> int:
    """Number of weights and biases of a dense net with these layer sizes, inputs first."""
    ### BEGIN SOLUTION return the number of weights and biases of all layers
    return sum((n_in + 1) * n_out for n_in, n_out in zip(sizes, sizes[1:], strict=False))
    ### END SOLUTION


# %% test="count_parameters" points=1
check.equal(count_parameters([2, 3, 1]), 13, "6 weights and 3 biases, then 3 weights and 1 bias")
check.equal(
    count_parameters([4, 5]), 25, "One layer: a weight for every pair, a bias for every output"
)
### BEGIN HIDDEN TESTS
for depth in (2, 3, 4, 6):
    sizes = check.sizes(depth, 2, 9)
    weights = [torch.nn.Linear(n, m) for n, m in zip(sizes, sizes[1:], strict=False)]
    check.equal(
        count_parameters(sizes),
        sum(t.numel() for layer in weights for t in layer.parameters()),
        f"Wrong for {len(sizes)} layers of sizes {sizes}",
    )
check.equal(count_parameters([784, 128, 10]), 101770, "Wrong for sizes 784, 128, 10")
### END HIDDEN TESTS


# %% mistake="count_parameters" name="no-biases"
def count_parameters(sizes):
    """You counted the weights alone. What else does a layer learn?"""
    return sum(a * b for a, b in zip(sizes, sizes[1:]))


# %% mistake="count_parameters" name="biases-of-the-inputs-side"
def count_parameters(sizes):
    """You gave each layer as many biases as it has inputs. Which units add a bias?"""
    return sum(a * b + a for a, b in zip(sizes, sizes[1:]))


# %% mistake="count_parameters" name="biases-for-inputs-too"
def count_parameters(sizes):
    """You gave biases to the inputs as well. They are what they are."""
    return sum(a * b for a, b in zip(sizes, sizes[1:])) + sum(sizes)


# %% mistake="count_parameters" name="one-bias-a-layer"
def count_parameters(sizes):
    """You counted one bias for a whole layer. How many units has it?"""
    return sum(a * b + 1 for a, b in zip(sizes, sizes[1:]))


# %% mistake="count_parameters" name="one-bias-in-all"
def count_parameters(sizes):
    """You counted one bias for the whole net. How many units add one?"""
    return sum(a * b for a, b in zip(sizes, sizes[1:])) + 1


# %% mistake="count_parameters" name="everything-with-everything"
def count_parameters(sizes):
    """You wired the inputs to every later layer. Each layer sees only the one before."""
    links = sum(sizes[i] * sizes[j] for j in range(len(sizes)) for i in range(j))
    return links + sum(sizes[1:])


# %% mistake="count_parameters" name="first-and-last-layer"
def count_parameters(sizes):
    """You wired the first layer to the last and left out those between."""
    return (sizes[0] + 1) * sizes[-1]


# %% alternative="count_parameters" name="loop"
def count_parameters(sizes):
    total = 0
    for i in range(1, len(sizes)):
        total += sizes[i - 1] * sizes[i]
        total += sizes[i]
    return total


# %% alternative="count_parameters" name="biases-apart"
def count_parameters(sizes):
    weights = sum(a * b for a, b in zip(sizes[:-1], sizes[1:]))
    return weights + sum(sizes) - sizes[0]


# %% alternative="count_parameters" name="built-and-counted"
def count_parameters(sizes):
    layers = [torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])]
    return sum(p.numel() for layer in layers for p in layer.parameters())


# %% [markdown]
# ## Forward, and remember  ·  ●○○ · 4 min · 1 point
#
# Two layers, sigmoids in both, a batch of inputs one a row:
#
# $$h = \sigma(x W_1^\top + b_1), \qquad \hat y = \sigma(h W_2^\top + b_2)$$
#
# The way back needs numbers from the way forward. So the forward pass keeps them, in a **cache**.
#
# **Your turn.** `params` is `(W1, b1, W2, b2)` of shapes (n_hidden, n_in), (n_hidden,), (n_out, n_hidden) and
# (n_out,); the cache is `(x, h, y_hat)`.


# %% answer="forward"
def forward(
    params: tuple[torch.Tensor, ...], x: torch.Tensor
) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
    """Prediction y_hat (batch, n_out) for x (batch, n_in), and the cache (x, h, y_hat)."""
    ### BEGIN SOLUTION return y_hat, and the tuple of x, h and y_hat
    W1, b1, W2, b2 = params
    h = torch.sigmoid(x @ W1.T + b1)
    y_hat = torch.sigmoid(h @ W2.T + b2)
    return y_hat, (x, h, y_hat)
    ### END SOLUTION


# %% test="forward" points=1
params = (
    torch.tensor([[1.0, -1.0], [0.0, 2.0], [0.5, 0.5]]),
    torch.tensor([0.0, -1.0, 0.5]),
    torch.tensor([[1.0, -2.0, 0.5]]),
    torch.tensor([0.25]),
)
x = torch.tensor([[0.0, 0.0], [1.0, 0.5], [2.0, -1.0], [0.5, 2.0]])
y_hat, cache = forward(params, x)
check.shape(y_hat, (4, 1))
check.true(
    isinstance(cache, (tuple, list)) and len(cache) == 3, "The second result must be (x, h, y_hat)"
)
check.close(cache[0], x, "The cache begins with the inputs as they came")
check.shape(cache[1], (4, 3))
check.close(
    cache[1][0],
    torch.tensor([0.5, 0.268941, 0.622459]),
    "For the input (0, 0) each hidden unit is the sigmoid of its bias",
    tol=1e-4,
)
check.close(y_hat[0], torch.tensor([0.627930]), "And the output of the same row", tol=1e-4)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        n_in, n_hidden, n_out, batch = check.sizes(4)
        for n_in, n_hidden, n_out in ((n_in, n_hidden, n_out), (3, 3, 3)):
            shapes = ((n_hidden, n_in), (n_hidden,), (n_out, n_hidden), (n_out,))
            params = tuple(check.randn(*s, dtype=dtype, device=device) for s in shapes)
            x = check.randn(batch, n_in, dtype=dtype, device=device)
            h = torch.sigmoid(F.linear(x, *params[:2]))
            want = torch.sigmoid(F.linear(h, *params[2:]))
            y_hat, cache = check.unchanged(forward, params, x)
            check.close(cache[1], h, "Look at the hidden layer")
            check.close(y_hat, want, "Look at the output layer")
            check.close(cache, (x, h, want), "Look at what the cache holds, and in which order")
SHAPES = ((3, 2), (3,), (4, 3), (4,))
check.stays_on_device(forward, tuple(check.randn(*s) for s in SHAPES), check.randn(5, 2))
### END HIDDEN TESTS


# %% mistake="forward" name="no-bias-in-the-hidden-layer"
def forward(params, x):
    """You left a bias out: at the input (0, 0) all your hidden units are 0.5."""
    W1, b1, W2, b2 = params
    h = torch.sigmoid(x @ W1.T)
    y_hat = torch.sigmoid(h @ W2.T + b2)
    return y_hat, (x, h, y_hat)


# %% mistake="forward" name="linear-output"
def forward(params, x):
    """Your outputs leave the range from 0 to 1. Both layers end in the same way here."""
    W1, b1, W2, b2 = params
    h = torch.sigmoid(x @ W1.T + b1)
    y_hat = h @ W2.T + b2
    return y_hat, (x, h, y_hat)


# %% mistake="forward" name="linear-hidden"
def forward(params, x):
    """Nothing bends between your two layers. Where is the first sigmoid?"""
    W1, b1, W2, b2 = params
    h = x @ W1.T + b1
    y_hat = torch.sigmoid(h @ W2.T + b2)
    return y_hat, (x, h, y_hat)


# %% mistake="forward" name="pre-activation-in-the-cache"
def forward(params, x):
    """Your prediction is right, and your cache holds z in the place of h."""
    W1, b1, W2, b2 = params
    z = x @ W1.T + b1
    y_hat = torch.sigmoid(torch.sigmoid(z) @ W2.T + b2)
    return y_hat, (x, z, y_hat)


# %% mistake="forward" name="weights-not-turned"
def forward(params, x):
    """You multiplied by the matrices as they stand. Each row of W holds the weights of one unit."""
    W1, b1, W2, b2 = params
    h = torch.sigmoid(x @ W1 + b1)
    y_hat = torch.sigmoid(h @ W2 + b2)
    return y_hat, (x, h, y_hat)


# %% mistake="forward" name="sigmoid-before-the-bias"
def forward(params, x):
    """You added the biases after the sigmoid. Inside, the bias shifts the place where a unit turns on."""
    W1, b1, W2, b2 = params
    h = torch.sigmoid(x @ W1.T) + b1
    y_hat = torch.sigmoid(h @ W2.T) + b2
    return y_hat, (x, h, y_hat)


# %% mistake="forward" name="tanh-for-sigmoid"
def forward(params, x):
    """Your hidden units run from −1 to 1: that is tanh."""
    W1, b1, W2, b2 = params
    h = torch.tanh(x @ W1.T + b1)
    y_hat = torch.sigmoid(h @ W2.T + b2)
    return y_hat, (x, h, y_hat)


# %% mistake="forward" name="cache-in-another-order"
def forward(params, x):
    """Your cache has its three in another order. The way back takes them by their place."""
    W1, b1, W2, b2 = params
    h = torch.sigmoid(x @ W1.T + b1)
    y_hat = torch.sigmoid(h @ W2.T + b2)
    return y_hat, (h, x, y_hat)


# %% mistake="forward" name="result-on-the-cpu"
def forward(params, x):
    """You filled a tensor made on the CPU. Think about where x is."""
    W1, b1, W2, b2 = params
    h = torch.zeros(len(x), len(b1), dtype=x.dtype)
    h[:] = torch.sigmoid(x @ W1.T + b1)
    y_hat = torch.sigmoid(h @ W2.T + b2)
    return y_hat, (x, h, y_hat)


# %% alternative="forward" name="library-layer"
def forward(params, x):
    W1, b1, W2, b2 = params
    h = F.linear(x, W1, b1).sigmoid()
    y_hat = F.linear(h, W2, b2).sigmoid()
    return y_hat, [x, h, y_hat]


# %% alternative="forward" name="einsum"
def forward(params, x):
    W1, b1, W2, b2 = params
    h = torch.sigmoid(torch.einsum("bi,hi->bh", x, W1) + b1)
    z = torch.einsum("bh,oh->bo", h, W2) + b2
    y_hat = 1 / (1 + torch.exp(-z))
    return y_hat, (x, h, y_hat)


# %% alternative="forward" name="row-by-row"
def forward(params, x):
    W1, b1, W2, b2 = params
    hs = [torch.sigmoid(W1 @ row + b1) for row in x]
    ys = [torch.sigmoid(W2 @ h + b2) for h in hs]
    return torch.stack(ys), (x, torch.stack(hs), torch.stack(ys))


# %% [markdown]
# ## Delta  ·  ●●○ · 5 min · 2 points
#
# What has reached a unit's pre-activation on the way back has a name, $\delta = \frac{\partial E}{\partial z}$
# (Passerini, "Backpropagation"). With $E = \frac12 \sum_k (y_k - \hat y_k)^2$ for one example:
#
# $$\delta_k = (\hat y_k - y_k)\,\sigma'(z_k), \qquad \delta_j = \sigma'(z_j) \sum_k \delta_k w_{kj}$$
#
# An output unit knows its error. A hidden unit has no target: it adds up what the units above it hold
# against it, each times the weight between them (Passerini, "Hidden units"; Minhas, "Proof for the Learning
# Rule"). Mind the decks: Minhas's $\delta$ is target minus output, $(t_k - y_k)\,a'$, so that step *adds*
# $\alpha\,\delta_k z_j$; Passerini's outputs are linear, so that $\delta_o$ has no slope.
#
# **Your turn**, by hand, with sigmoids in both layers, a row for each example. The slopes come from the
# outputs, as in 01_activations.


# %% answer="delta_output"
def delta_output(y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """dE/dz of sigmoid output units, from outputs y_hat and targets y, all (batch, n_out)."""
    ### BEGIN SOLUTION return the deltas of the output units
    return (y_hat - y) * y_hat * (1 - y_hat)
    ### END SOLUTION


def delta_hidden(delta: torch.Tensor, W2: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    """dE/dz of sigmoid hidden units, (batch, n_hidden), from the deltas of the layer above.

    delta (batch, n_out), W2 (n_out, n_hidden), h (batch, n_hidden) the hidden outputs.
    """
    ### BEGIN SOLUTION return the deltas of the hidden units
    return (delta @ W2) * h * (1 - h)
    ### END SOLUTION


# %% test="delta_output" points=2
for f in (delta_output, delta_hidden):
    check.by_hand(f, "grad", "backward", "jacobian", "jacrev", "vjp", "jvp")
check.close(
    delta_output(torch.tensor([[0.8, 0.5]]), torch.tensor([[1.0, 0.0]])),
    torch.tensor([[-0.032, 0.125]]),
    "An output that is too low has a negative delta: raising z would lower E. Then the slope",
)
check.close(
    delta_hidden(
        torch.tensor([[0.1, -0.2]]), torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
        torch.tensor([[0.5, 0.8, 0.1]]),
    ),
    torch.tensor([[-0.175, -0.128, -0.081]]),
    "The first hidden unit hears 0.1·1 − 0.2·4 from above; then comes its own slope",
)  # fmt: skip
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        n_hidden, n_out, batch = check.sizes(3)
        for n_hidden, n_out in ((n_hidden, n_out), (3, 3)):
            z = 2 * check.randn(batch, n_hidden, dtype=dtype, device=device).requires_grad_()
            W2 = check.randn(n_out, n_hidden, dtype=dtype, device=device)
            y = check.uniform(0, 1, batch, n_out, dtype=dtype, device=device)
            h = torch.sigmoid(z)
            z_out = h @ W2.T
            y_hat = torch.sigmoid(z_out)
            E = 0.5 * ((y - y_hat) ** 2).sum()
            want_hidden, want = torch.autograd.grad(E, (z, z_out))
            check.close(
                check.unchanged(delta_output, y_hat.detach(), y),
                want,
                "How does E of each example change with z of each output unit?",
            )
            check.close(
                check.unchanged(delta_hidden, want, W2, h.detach()),
                want_hidden,
                "Collect over all units above, each with its own weight, then the slope at h",
            )
check.stays_on_device(delta_output, check.uniform(0, 1, 4, 2), check.uniform(0, 1, 4, 2))
check.stays_on_device(delta_hidden, check.randn(4, 2), check.randn(2, 3), check.uniform(0, 1, 4, 3))
### END HIDDEN TESTS


# %% mistake="delta_output" name="other-sign"
def delta_output(y_hat, y):
    """You have Minhas's delta, target minus output. Here delta is dE/dz: what is the sign where the output is too low?"""
    return (y - y_hat) * y_hat * (1 - y_hat)


# %% mistake="delta_output" name="linear-output"
def delta_output(y_hat, y):
    """That is Passerini's delta for linear outputs. Between z and ŷ there is a sigmoid here."""
    return y_hat - y


# %% mistake="delta_output" name="slope-of-the-slope"
def delta_output(y_hat, y):
    """You sent the outputs through a sigmoid once more. They have been through one."""
    s = torch.sigmoid(y_hat)
    return (y_hat - y) * s * (1 - s)


# %% mistake="delta_output" name="factor-two"
def delta_output(y_hat, y):
    """You differentiated Moerland's loss, without the half in front. Here E has one."""
    return 2 * (y_hat - y) * y_hat * (1 - y_hat)


# %% mistake="delta_output" name="averaged-already"
def delta_output(y_hat, y):
    """You divided by the size of the batch. Each row is the delta of its own example."""
    return (y_hat - y) * y_hat * (1 - y_hat) / len(y)


# %% mistake="delta_output" name="slope-at-the-target"
def delta_output(y_hat, y):
    """You took the slope at the target: it is 0 there for targets of 0 and 1. Where does the unit stand?"""
    return (y_hat - y) * y * (1 - y)


# %% mistake="delta_output" name="hidden-slope-forgotten"
def delta_hidden(delta, W2, h):
    """You collected from above and stopped before the unit's own sigmoid."""
    return delta @ W2


# %% mistake="delta_output" name="half-a-slope"
def delta_hidden(delta, W2, h):
    """You multiplied by h alone. The slope of a sigmoid has two factors."""
    return (delta @ W2) * h


# %% mistake="delta_output" name="slope-of-tanh"
def delta_hidden(delta, W2, h):
    """One minus the square is the slope of tanh. These units are sigmoids."""
    return (delta @ W2) * (1 - h**2)


# %% mistake="delta_output" name="weights-turned"
def delta_hidden(delta, W2, h):
    """You went through the matrix the way of the forward pass. Backwards, delta has one entry for each row of W2."""
    return (delta @ W2.T) * h * (1 - h)


# %% mistake="delta_output" name="weights-without-deltas"
def delta_hidden(delta, W2, h):
    """You added up all deltas first, so each weight got the same. Each weight belongs to one unit above."""
    return delta.sum(-1, keepdim=True) * W2.sum(0) * h * (1 - h)


# %% mistake="delta_output" name="in-place"
def delta_output(y_hat, y):
    """You subtracted the targets from the caller's own outputs. The cache needs them."""
    slope = y_hat * (1 - y_hat)
    y_hat -= y
    return y_hat * slope


# %% mistake="delta_output" name="ones-on-the-cpu"
def delta_hidden(delta, W2, h):
    """You made a tensor of ones on the CPU. A plain 1 is at home on every device."""
    return (delta @ W2) * h * (torch.ones(h.shape, dtype=h.dtype) - h)


# %% alternative="delta_output" name="error-times-slope"
def delta_output(y_hat, y):
    error = y_hat - y
    slope = y_hat - y_hat.square()
    return error * slope


def delta_hidden(delta, W2, h):
    heard = torch.einsum("bk,kj->bj", delta, W2)
    return heard * (h - h.square())


# %% alternative="delta_output" name="minhas-then-turned"
def delta_output(y_hat, y):
    return -(y - y_hat) * (1 - y_hat) * y_hat


def delta_hidden(delta, W2, h):
    return (W2.T @ delta.T).T * ((1 - h) * h)


# %% alternative="delta_output" name="unit-by-unit"
def delta_hidden(delta, W2, h):
    columns = []
    for j in range(h.shape[1]):
        heard = sum(delta[:, k] * W2[k, j] for k in range(len(W2)))
        columns.append(heard * h[:, j] * (1 - h[:, j]))
    return torch.stack(columns, dim=1)


# %% [markdown]
# ## The backward pass  ·  ●●○ · 7 min · 3 points
#
# The rest is one line: a weight's gradient is the $\delta$ of the unit it leads to, times what it was
# multiplied by; a bias was multiplied by 1. For one example $\frac{\partial E}{\partial w_{kj}} =
# \delta_k h_j$. Moerland ("Backpropagation algorithm") writes *grad · h* and *grad · W* and leaves the order and
# the transposes to you; with rows for examples, shapes decide.
#
# The loss of a batch is the **mean** of $E$ over its examples, so every gradient is a mean too.
# **Predict** the shape of each of the four before you write them.
#
# A trap: two slides of Minhas ("The Learning Rule...", "Understanding Backpropagation") have an $x_i$ inside
# $\hat\delta_j$ and then multiply by $x_i$ again. Once is right, as "Training Algorithm..." has it.
#
# **Your turn**, by hand. `params` and `cache` are tuples as before; return a tuple in the order of `params`. Write
# both deltas out here; don't call your own.


# %% answer="backward"
def backward(
    params: tuple[torch.Tensor, ...], cache: tuple[torch.Tensor, ...], y: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """Gradients of the mean of E over the batch, of W1, b1, W2 and b2, each of its parameter's shape.

    params (W1, b1, W2, b2); cache (x, h, y_hat) of shapes (batch, n_in), (batch, n_hidden),
    (batch, n_out); y (batch, n_out) targets.
    """
    ### BEGIN SOLUTION return four gradients, in the order of params
    x, h, y_hat = cache
    W2 = params[2]
    delta2 = (y_hat - y) * y_hat * (1 - y_hat) / len(x)
    delta1 = (delta2 @ W2) * h * (1 - h)
    return (delta1.T @ x, delta1.sum(0), delta2.T @ h, delta2.sum(0))
    ### END SOLUTION


# %% [markdown]
# See it: the net 2-3-1 on XOR, weights on the left, your thirteen gradients on the right.

# %%
widgets.backprop.arrows(backward)

# %% [markdown]
# *What to see*: your bars must end on the dark marks. With *all weights zero* no error gets through to the
# hidden units; with *all the same* they get the same gradient and stay the same for ever, which is why one
# starts with random weights (Passerini, "Few simple suggestions"); with *large weights* units saturate, and
# little arrives.

# %% test="backward" points=3
check.by_hand(backward, "grad", "backward", "jacobian", "jacrev", "vjp", "jvp", "functional_call")
params = (
    torch.tensor([[1.0, -1.0], [0.0, 2.0], [0.5, 0.5]]),
    torch.tensor([0.0, -1.0, 0.5]),
    torch.tensor([[1.0, -2.0, 0.5]]),
    torch.tensor([0.25]),
)
cache = (
    torch.tensor([[2.0, -1.0], [0.5, 3.0]]),
    torch.tensor([[0.5, 0.8, 0.1], [0.9, 0.2, 0.5]]),
    torch.tensor([[0.8], [0.5]]),
)
grads = backward(params, cache, torch.tensor([[1.0], [0.0]]))
check.true(
    isinstance(grads, (tuple, list)) and len(grads) == 4, "Return four gradients: W1, b1, W2, b2"
)
for grad, param in zip(grads, params, strict=True):
    check.shape(grad, param.shape)
check.close(
    grads[3], torch.tensor([0.0465]), "The two output deltas are −0.032 and 0.125: take their mean"
)
check.close(
    grads[2][0, 0],
    torch.tensor(0.04825),
    "Each output delta times the first hidden unit's output, then the mean over the examples",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        for n_in, n_hidden, n_out, batch in (check.sizes(4), (3, 3, 3, 4)):
            shapes = ((n_hidden, n_in), (n_hidden,), (n_out, n_hidden), (n_out,))
            params = tuple(check.randn(*s, dtype=dtype, device=device) for s in shapes)
            leaves = [t.clone().requires_grad_() for t in params]
            x = check.randn(batch, n_in, dtype=dtype, device=device)
            y = check.uniform(0, 1, batch, n_out, dtype=dtype, device=device)
            h = torch.sigmoid(F.linear(x, *leaves[:2]))
            y_hat = torch.sigmoid(F.linear(h, *leaves[2:]))
            (0.5 * (y - y_hat) ** 2).sum(1).mean().backward()
            grads = check.unchanged(backward, params, (x, h.detach(), y_hat.detach()), y)
            for i, name, why in (
                (3, "b2", "The mean of the output deltas over the examples"),
                (2, "W2", "Each output delta times each hidden output, the mean over the examples"),
                (1, "b1", "The mean of the hidden deltas over the examples"),
                (0, "W1", "Each hidden delta times each input, once, the mean over the examples"),
            ):
                check.close(grads[i], leaves[i].grad, f"The gradient of {name}: {why}")
SHAPES = ((3, 2), (3,), (4, 3), (4,))
check.stays_on_device(
    backward,
    tuple(check.randn(*s) for s in SHAPES),
    tuple(check.uniform(0, 1, *s) for s in ((5, 2), (5, 3), (5, 4))),
    check.uniform(0, 1, 5, 4),
)
### END HIDDEN TESTS


# %% mistake="backward" name="sum-for-mean"
def backward(params, cache, y):
    """You added over the examples. The loss is their mean."""
    x, h, o = cache
    W2 = params[2]
    d2 = (o - y) * o * (1 - o)
    d1 = (d2 @ W2) * h * (1 - h)
    return (d1.T @ x, d1.sum(0), d2.T @ h, d2.sum(0))


# %% mistake="backward" name="mean-of-the-biases-alone"
def backward(params, cache, y):
    """Your biases have the mean over the examples, your weights the sum."""
    x, h, o = cache
    W2 = params[2]
    d2 = (o - y) * o * (1 - o)
    d1 = (d2 @ W2) * h * (1 - h)
    return (d1.T @ x, d1.mean(0), d2.T @ h, d2.mean(0))


# %% mistake="backward" name="divided-twice"
def backward(params, cache, y):
    """You divided by the size of the batch in the deltas and once more in the gradients."""
    x, h, o = cache
    W2 = params[2]
    n = len(x)
    d2 = (o - y) * o * (1 - o) / n
    d1 = (d2 @ W2) * h * (1 - h)
    return (d1.T @ x / n, d1.mean(0), d2.T @ h / n, d2.mean(0))


# %% mistake="backward" name="mean-over-outputs-too"
def backward(params, cache, y):
    """You averaged over the outputs as well. E adds them up; the mean is over examples."""
    x, h, o = cache
    W2 = params[2]
    d2 = (o - y) * o * (1 - o) / o.numel()
    d1 = (d2 @ W2) * h * (1 - h)
    return (d1.T @ x, d1.sum(0), d2.T @ h, d2.sum(0))


# %% mistake="backward" name="other-sign"
def backward(params, cache, y):
    """All your signs are the other way round: that is Minhas's delta, meant to be added in the step."""
    x, h, o = cache
    W2 = params[2]
    d2 = (y - o) * o * (1 - o) / len(x)
    d1 = (d2 @ W2) * h * (1 - h)
    return (d1.T @ x, d1.sum(0), d2.T @ h, d2.sum(0))


# %% mistake="backward" name="input-twice"
def backward(params, cache, y):
    """The input stands in your W1 twice, as on two of the slides. How often was the weight multiplied by it?"""
    x, h, o = cache
    W2 = params[2]
    d2 = (o - y) * o * (1 - o) / len(x)
    d1 = (d2 @ W2) * h * (1 - h)
    return (d1.T @ x**2, d1.sum(0), d2.T @ h, d2.sum(0))


# %% mistake="backward" name="output-slope-forgotten"
def backward(params, cache, y):
    """You left out the slope of the output sigmoid: those are deltas of linear outputs."""
    x, h, o = cache
    W2 = params[2]
    d2 = (o - y) / len(x)
    d1 = (d2 @ W2) * h * (1 - h)
    return (d1.T @ x, d1.sum(0), d2.T @ h, d2.sum(0))


# %% mistake="backward" name="hidden-slope-forgotten"
def backward(params, cache, y):
    """You left out the slope of the hidden sigmoid. W2 and b2 are right, what lies behind is not."""
    x, h, o = cache
    W2 = params[2]
    d2 = (o - y) * o * (1 - o) / len(x)
    d1 = d2 @ W2
    return (d1.T @ x, d1.sum(0), d2.T @ h, d2.sum(0))


# %% mistake="backward" name="error-past-the-output-slope"
def backward(params, cache, y):
    """You sent the bare error down to the hidden units. It has to pass the output sigmoid first."""
    x, h, o = cache
    W2 = params[2]
    d2 = (o - y) * o * (1 - o) / len(x)
    d1 = ((o - y) / len(x) @ W2) * h * (1 - h)
    return (d1.T @ x, d1.sum(0), d2.T @ h, d2.sum(0))


# %% mistake="backward" name="biases-not-summed"
def backward(params, cache, y):
    """You returned the deltas of all examples for a bias. A bias is one number a unit, used by every example."""
    x, h, o = cache
    W2 = params[2]
    d2 = (o - y) * o * (1 - o) / len(x)
    d1 = (d2 @ W2) * h * (1 - h)
    return (d1.T @ x, d1, d2.T @ h, d2)


# %% mistake="backward" name="gradients-turned"
def backward(params, cache, y):
    """Your matrices lie on their side. A gradient has the shape of its parameter."""
    x, h, o = cache
    W2 = params[2]
    d2 = (o - y) * o * (1 - o) / len(x)
    d1 = (d2 @ W2) * h * (1 - h)
    return (x.T @ d1, d1.sum(0), h.T @ d2, d2.sum(0))


# %% mistake="backward" name="autograd"
def backward(params, cache, y):
    """You let autograd do it. Four lines by hand are asked for."""
    leaves = [t.clone().requires_grad_() for t in params]
    h = torch.sigmoid(F.linear(cache[0], leaves[0], leaves[1]))
    o = torch.sigmoid(F.linear(h, leaves[2], leaves[3]))
    return torch.autograd.grad((0.5 * (y - o) ** 2).sum(1).mean(), leaves)


# %% mistake="backward" name="second-layer-first"
def backward(params, cache, y):
    """You returned the second layer's gradients first: the order in which one finds them, not that of params."""
    x, h, o = cache
    W2 = params[2]
    d2 = (o - y) * o * (1 - o) / len(x)
    d1 = (d2 @ W2) * h * (1 - h)
    return (d2.T @ h, d2.sum(0), d1.T @ x, d1.sum(0))


# %% mistake="backward" name="in-place"
def backward(params, cache, y):
    """You wrote the error over the prediction in the caller's cache."""
    x, h, o = cache
    W2 = params[2]
    slope = o * (1 - o) / len(x)
    o -= y
    d2 = o * slope
    d1 = (d2 @ W2) * h * (1 - h)
    return (d1.T @ x, d1.sum(0), d2.T @ h, d2.sum(0))


# %% mistake="backward" name="ones-on-the-cpu"
def backward(params, cache, y):
    """You summed the biases with a row of ones made on the CPU. Think about where the deltas are."""
    x, h, o = cache
    W2 = params[2]
    d2 = (o - y) * o * (1 - o) / len(x)
    d1 = (d2 @ W2) * h * (1 - h)
    ones = torch.ones(len(x), dtype=x.dtype)
    return (d1.T @ x, ones @ d1, d2.T @ h, ones @ d2)


# %% alternative="backward" name="einsum"
def backward(params, cache, y):
    x, h, o = cache
    n = x.shape[0]
    d2 = (o - y) * (o - o * o)
    d1 = torch.einsum("bk,kj->bj", d2, params[2]) * (h - h * h)
    of_W2, of_W1 = torch.einsum("bk,bj->kj", d2, h), torch.einsum("bj,bi->ji", d1, x)
    return of_W1 / n, d1.mean(dim=0), of_W2 / n, d2.mean(dim=0)


# %% alternative="backward" name="example-by-example"
def backward(params, cache, y):
    total = [torch.zeros_like(t) for t in params]
    for x, h, o, t in zip(*cache, y):
        d2 = (o - t) * o * (1 - o)
        d1 = (params[2].T @ d2) * h * (1 - h)
        parts = (torch.outer(d1, x), d1, torch.outer(d2, h), d2)
        total = [u + part for u, part in zip(total, parts)]
    return [u / len(y) for u in total]


# %% alternative="backward" name="layer-loop"
def backward(params, cache, y):
    found, out, back = [], cache[2], (cache[2] - y) / len(y)
    for layer in (1, 0):
        delta = back * out * (1 - out)
        found = [delta.T @ cache[layer], delta.sum(0), *found]
        out, back = cache[layer], delta @ params[2 * layer]
    return tuple(found)


# %% [markdown]
# ## XOR, at last  ·  ●●○ · 7 min · 3 points
#
# One neuron could not (01_activations). A hidden layer of sigmoids can, and Minhas sets it as an
# exercise ("Home/Lab Exercise"). Each step: forward, backward, all four parameters downhill.
#
# **Predict** what the loss does in the first 100 steps: fall, rise, or neither?
#
# **Your turn**, by hand. Full batch: every step uses all rows. The loss is the mean of $E$, noted
# *before* each step.


# %% answer="train_xor"
def train_xor(
    params: tuple[torch.Tensor, ...], x: torch.Tensor, y: torch.Tensor, lr: float, steps: int
) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
    """New parameters after `steps` full-batch steps, and the loss before each step, (steps,).

    params (W1, b1, W2, b2), left as they were; x (batch, n_in), y (batch, n_out).
    """
    ### BEGIN SOLUTION return the trained parameters and a tensor of losses
    losses = []
    for _ in range(steps):
        W1, b1, W2, b2 = params
        h = torch.sigmoid(x @ W1.T + b1)
        y_hat = torch.sigmoid(h @ W2.T + b2)
        losses.append(0.5 * ((y - y_hat) ** 2).sum(1).mean())
        delta2 = (y_hat - y) * y_hat * (1 - y_hat) / len(x)
        delta1 = (delta2 @ W2) * h * (1 - h)
        grads = (delta1.T @ x, delta1.sum(0), delta2.T @ h, delta2.sum(0))
        params = tuple(p - lr * grad for p, grad in zip(params, grads, strict=True))
    return params, torch.stack(losses)
    ### END SOLUTION


# %%
widgets.backprop.xor(train_xor)

# %% [markdown]
# *What to see*: first a **plateau**: all outputs near 0.5, loss 1/8, hardly a gradient. Then the surface
# folds. Two hidden units suffice, and sometimes get stuck for good at 1/16, two points right and two at 0.5: a
# gradient leads downhill, not to the lowest place (Passerini, "Remarks on backpropagation"). With three or
# more that has become rare.

# %% test="train_xor" points=3
check.by_hand(train_xor, "grad", "backward", "jacobian", "jacrev", "vjp", "jvp", "optim", "SGD")
x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
params = (
    torch.tensor([[1.0, -0.5], [0.5, 1.5], [-1.0, -1.0]]),
    torch.tensor([0.1, -0.3, 0.2]),
    torch.tensor([[1.0, -0.5, 0.5]]),
    torch.tensor([-0.2]),
)
after, losses = train_xor(params, x, y, 5.0, 1)
check.shape(losses, (1,))
check.close(losses[0], torch.tensor(0.130127), "The first loss is that of the start", tol=1e-4)
check.true(
    isinstance(after, (tuple, list)) and len(after) == 4, "Return (W1, b1, W2, b2), then the losses"
)
for new, old in zip(after, params, strict=True):
    check.shape(new, old.shape)
after, losses = train_xor(params, x, y, 5.0, 1500)
h = torch.sigmoid(F.linear(x, *after[:2]))
y_hat = torch.sigmoid(F.linear(h, *after[2:]))
check.true(
    losses[-1] < 0.01, f"After 1500 steps the loss should be below 0.01; it is {losses[-1]:.3g}"
)
check.close(y_hat.round(), y, "Rounded, the four outputs should be XOR after 1500 steps")
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        n_in, n_hidden, n_out, batch = check.sizes(4)
        shapes = ((n_hidden, n_in), (n_hidden,), (n_out, n_hidden), (n_out,))
        params = tuple(check.randn(*s, dtype=dtype, device=device) for s in shapes)
        x = check.randn(batch, n_in, dtype=dtype, device=device)
        y = check.uniform(0, 1, batch, n_out, dtype=dtype, device=device)
        for lr, steps in ((0.7, 1), (0.4, 25)):
            leaves = [t.clone().requires_grad_() for t in params]
            optimiser = torch.optim.SGD(leaves, lr=lr)
            want = []
            for _ in range(steps):
                h = torch.sigmoid(F.linear(x, *leaves[:2]))
                y_hat = torch.sigmoid(F.linear(h, *leaves[2:]))
                loss = (0.5 * (y - y_hat) ** 2).sum(1).mean()
                want.append(loss.detach())
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
            after, losses = check.unchanged(train_xor, params, x, y, lr, steps)
            check.close(losses, torch.stack(want), "The losses: mean of E, noted before each step")
            for i, name in ((3, "b2"), (2, "W2"), (1, "b1"), (0, "W1")):
                check.close(
                    after[i],
                    leaves[i].detach(),
                    f"{name} after {steps} step{'s' if steps > 1 else ''} with lr = {lr}",
                )
SHAPES = ((3, 2), (3,), (4, 3), (4,))
check.stays_on_device(
    train_xor,
    tuple(check.randn(*s) for s in SHAPES),
    check.randn(5, 2),
    check.uniform(0, 1, 5, 4),
    0.5,
    2,
)
### END HIDDEN TESTS


# %% mistake="train_xor" name="uphill"
def train_xor(params, x, y, lr, steps):
    """You went along the gradients: the loss rises."""
    losses = []
    for _ in range(steps):
        W1, b1, W2, b2 = params
        h = torch.sigmoid(x @ W1.T + b1)
        o = torch.sigmoid(h @ W2.T + b2)
        losses.append(0.5 * ((y - o) ** 2).sum(1).mean())
        d2 = (o - y) * o * (1 - o) / len(x)
        d1 = (d2 @ W2) * h * (1 - h)
        grads = (d1.T @ x, d1.sum(0), d2.T @ h, d2.sum(0))
        params = tuple(p + lr * g for p, g in zip(params, grads))
    return params, torch.stack(losses)


# %% mistake="train_xor" name="new-weights-in-the-old-gradient"
def train_xor(params, x, y, lr, steps):
    """You moved W2 before you used it for the hidden deltas. All gradients belong to one and the same place."""
    losses = []
    for _ in range(steps):
        W1, b1, W2, b2 = params
        h = torch.sigmoid(x @ W1.T + b1)
        o = torch.sigmoid(h @ W2.T + b2)
        losses.append(0.5 * ((y - o) ** 2).sum(1).mean())
        d2 = (o - y) * o * (1 - o) / len(x)
        W2, b2 = W2 - lr * d2.T @ h, b2 - lr * d2.sum(0)
        d1 = (d2 @ W2) * h * (1 - h)
        params = (W1 - lr * d1.T @ x, b1 - lr * d1.sum(0), W2, b2)
    return params, torch.stack(losses)


# %% mistake="train_xor" name="weights-only"
def train_xor(params, x, y, lr, steps):
    """Your biases stayed where they were. They learn too."""
    losses = []
    for _ in range(steps):
        W1, b1, W2, b2 = params
        h = torch.sigmoid(x @ W1.T + b1)
        o = torch.sigmoid(h @ W2.T + b2)
        losses.append(0.5 * ((y - o) ** 2).sum(1).mean())
        d2 = (o - y) * o * (1 - o) / len(x)
        d1 = (d2 @ W2) * h * (1 - h)
        grads = (d1.T @ x, 0, d2.T @ h, 0)
        params = tuple(p - lr * g for p, g in zip(params, grads))
    return params, torch.stack(losses)


# %% mistake="train_xor" name="last-layer-only"
def train_xor(params, x, y, lr, steps):
    """Only your second layer learns. What do the hidden units hear?"""
    losses = []
    for _ in range(steps):
        W1, b1, W2, b2 = params
        h = torch.sigmoid(x @ W1.T + b1)
        o = torch.sigmoid(h @ W2.T + b2)
        losses.append(0.5 * ((y - o) ** 2).sum(1).mean())
        d2 = (o - y) * o * (1 - o) / len(x)
        grads = (0, 0, d2.T @ h, d2.sum(0))
        params = tuple(p - lr * g for p, g in zip(params, grads))
    return params, torch.stack(losses)


# %% mistake="train_xor" name="sum-for-mean"
def train_xor(params, x, y, lr, steps):
    """You added over the examples, so your steps are several times too long."""
    losses = []
    for _ in range(steps):
        W1, b1, W2, b2 = params
        h = torch.sigmoid(x @ W1.T + b1)
        o = torch.sigmoid(h @ W2.T + b2)
        losses.append(0.5 * ((y - o) ** 2).sum(1).mean())
        d2 = (o - y) * o * (1 - o)
        d1 = (d2 @ W2) * h * (1 - h)
        grads = (d1.T @ x, d1.sum(0), d2.T @ h, d2.sum(0))
        params = tuple(p - lr * g for p, g in zip(params, grads))
    return params, torch.stack(losses)


# %% mistake="train_xor" name="loss-after-the-step"
def train_xor(params, x, y, lr, steps):
    """You noted each loss after its step. The first one should be that of the start."""
    losses = []
    for _ in range(steps):
        W1, b1, W2, b2 = params
        h = torch.sigmoid(x @ W1.T + b1)
        o = torch.sigmoid(h @ W2.T + b2)
        d2 = (o - y) * o * (1 - o) / len(x)
        d1 = (d2 @ W2) * h * (1 - h)
        grads = (d1.T @ x, d1.sum(0), d2.T @ h, d2.sum(0))
        params = tuple(p - lr * g for p, g in zip(params, grads))
        W1, b1, W2, b2 = params
        h = torch.sigmoid(x @ W1.T + b1)
        o = torch.sigmoid(h @ W2.T + b2)
        losses.append(0.5 * ((y - o) ** 2).sum(1).mean())
    return params, torch.stack(losses)


# %% mistake="train_xor" name="loss-without-the-half"
def train_xor(params, x, y, lr, steps):
    """Your losses are twice E. Which factor stands in front of the squares?"""
    losses = []
    for _ in range(steps):
        W1, b1, W2, b2 = params
        h = torch.sigmoid(x @ W1.T + b1)
        o = torch.sigmoid(h @ W2.T + b2)
        losses.append(((y - o) ** 2).sum(1).mean())
        d2 = (o - y) * o * (1 - o) / len(x)
        d1 = (d2 @ W2) * h * (1 - h)
        grads = (d1.T @ x, d1.sum(0), d2.T @ h, d2.sum(0))
        params = tuple(p - lr * g for p, g in zip(params, grads))
    return params, torch.stack(losses)


# %% mistake="train_xor" name="summed-loss"
def train_xor(params, x, y, lr, steps):
    """You noted the sum over the examples. The loss is their mean."""
    losses = []
    for _ in range(steps):
        W1, b1, W2, b2 = params
        h = torch.sigmoid(x @ W1.T + b1)
        o = torch.sigmoid(h @ W2.T + b2)
        losses.append(0.5 * ((y - o) ** 2).sum())
        d2 = (o - y) * o * (1 - o) / len(x)
        d1 = (d2 @ W2) * h * (1 - h)
        grads = (d1.T @ x, d1.sum(0), d2.T @ h, d2.sum(0))
        params = tuple(p - lr * g for p, g in zip(params, grads))
    return params, torch.stack(losses)


# %% mistake="train_xor" name="example-by-example"
def train_xor(params, x, y, lr, steps):
    """You took a step after each example. Here every step uses all of them; 04_sgd does it your way."""
    losses = []
    for _ in range(steps):
        W1, b1, W2, b2 = params
        h = torch.sigmoid(x @ W1.T + b1)
        o = torch.sigmoid(h @ W2.T + b2)
        losses.append(0.5 * ((y - o) ** 2).sum(1).mean())
        for xi, yi in zip(x.split(1), y.split(1)):
            W1, b1, W2, b2 = params
            h = torch.sigmoid(xi @ W1.T + b1)
            o = torch.sigmoid(h @ W2.T + b2)
            d2 = (o - yi) * o * (1 - o)
            d1 = (d2 @ W2) * h * (1 - h)
            grads = (d1.T @ xi, d1.sum(0), d2.T @ h, d2.sum(0))
            params = tuple(p - lr * g for p, g in zip(params, grads))
    return params, torch.stack(losses)


# %% mistake="train_xor" name="learning-rate-forgotten"
def train_xor(params, x, y, lr, steps):
    """You took whole gradients as steps. What is the learning rate for?"""
    losses = []
    for _ in range(steps):
        W1, b1, W2, b2 = params
        h = torch.sigmoid(x @ W1.T + b1)
        o = torch.sigmoid(h @ W2.T + b2)
        losses.append(0.5 * ((y - o) ** 2).sum(1).mean())
        d2 = (o - y) * o * (1 - o) / len(x)
        d1 = (d2 @ W2) * h * (1 - h)
        grads = (d1.T @ x, d1.sum(0), d2.T @ h, d2.sum(0))
        params = tuple(p - g for p, g in zip(params, grads))
    return params, torch.stack(losses)


# %% mistake="train_xor" name="output-slope-forgotten"
def train_xor(params, x, y, lr, steps):
    """You left out the slope of the output sigmoid."""
    losses = []
    for _ in range(steps):
        W1, b1, W2, b2 = params
        h = torch.sigmoid(x @ W1.T + b1)
        o = torch.sigmoid(h @ W2.T + b2)
        losses.append(0.5 * ((y - o) ** 2).sum(1).mean())
        d2 = (o - y) / len(x)
        d1 = (d2 @ W2) * h * (1 - h)
        grads = (d1.T @ x, d1.sum(0), d2.T @ h, d2.sum(0))
        params = tuple(p - lr * g for p, g in zip(params, grads))
    return params, torch.stack(losses)


# %% mistake="train_xor" name="in-place"
def train_xor(params, x, y, lr, steps):
    """You changed the caller's own parameters. Whoever wants to compare before and after can't."""
    losses = []
    for _ in range(steps):
        W1, b1, W2, b2 = params
        h = torch.sigmoid(x @ W1.T + b1)
        o = torch.sigmoid(h @ W2.T + b2)
        losses.append(0.5 * ((y - o) ** 2).sum(1).mean())
        d2 = (o - y) * o * (1 - o) / len(x)
        d1 = (d2 @ W2) * h * (1 - h)
        grads = (d1.T @ x, d1.sum(0), d2.T @ h, d2.sum(0))
        for p, g in zip(params, grads):
            p -= lr * g
    return params, torch.stack(losses)


# %% mistake="train_xor" name="autograd"
def train_xor(params, x, y, lr, steps):
    """You let autograd and an optimiser do it. By hand here, this once."""
    leaves = [t.clone().requires_grad_() for t in params]
    optimiser = torch.optim.SGD(leaves, lr=lr)
    losses = []
    for _ in range(steps):
        h = torch.sigmoid(F.linear(x, leaves[0], leaves[1]))
        o = torch.sigmoid(F.linear(h, leaves[2], leaves[3]))
        loss = 0.5 * ((y - o) ** 2).sum(1).mean()
        losses.append(loss.detach())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return tuple(t.detach() for t in leaves), torch.stack(losses)


# %% mistake="train_xor" name="losses-on-the-cpu"
def train_xor(params, x, y, lr, steps):
    """You collected the losses in a tensor on the CPU. Think about where x is."""
    losses = torch.zeros(steps, dtype=x.dtype)
    for i in range(steps):
        W1, b1, W2, b2 = params
        h = torch.sigmoid(x @ W1.T + b1)
        o = torch.sigmoid(h @ W2.T + b2)
        losses[i] = 0.5 * ((y - o) ** 2).sum(1).mean()
        d2 = (o - y) * o * (1 - o) / len(x)
        d1 = (d2 @ W2) * h * (1 - h)
        grads = (d1.T @ x, d1.sum(0), d2.T @ h, d2.sum(0))
        params = tuple(p - lr * g for p, g in zip(params, grads))
    return params, losses


# %% alternative="train_xor" name="copies-changed-in-place"
def train_xor(params, x, y, lr, steps):
    W1, b1, W2, b2 = [t.clone() for t in params]
    losses = x.new_zeros(steps)
    for i in range(steps):
        h = F.linear(x, W1, b1).sigmoid()
        o = F.linear(h, W2, b2).sigmoid()
        losses[i] = ((o - y) ** 2).sum() / (2 * len(x))
        d2 = (o - y) * o * (1 - o)
        d1 = d2 @ W2 * h * (1 - h)
        W2 -= lr * d2.T @ h / len(x)
        b2 -= lr * d2.mean(0)
        W1 -= lr * d1.T @ x / len(x)
        b1 -= lr * d1.mean(0)
    return [W1, b1, W2, b2], losses


# %% alternative="train_xor" name="minhas-rule"
def train_xor(params, x, y, lr, steps):
    V, v0, W, w0 = params[0].T, params[1], params[2].T, params[3]
    losses, m = [], len(x)
    for _ in range(steps):
        z = torch.sigmoid(x @ V + v0)
        out = torch.sigmoid(z @ W + w0)
        losses.append((y - out).square().sum(1).mean() / 2)
        delta = (y - out) * out * (1 - out)
        delta_in = (delta @ W.T) * z * (1 - z)
        W, w0 = W + lr / m * z.T @ delta, w0 + lr / m * delta.sum(0)
        V, v0 = V + lr / m * x.T @ delta_in, v0 + lr / m * delta_in.sum(0)
    return (V.T, v0, W.T, w0), torch.stack(losses)


# %% alternative="train_xor" name="own-helpers"
def passed(params, x):
    h = torch.sigmoid(x @ params[0].T + params[1])
    return h, torch.sigmoid(h @ params[2].T + params[3])


def downhill(params, x, y, lr):
    h, o = passed(params, x)
    up = (o - y) * (o - o**2) * (lr / len(y))
    down = (up @ params[2]) * (h - h**2)
    moves = (down.T @ x, down.sum(0), up.T @ h, up.sum(0))
    return [p - move for p, move in zip(params, moves)]


def train_xor(params, x, y, lr, steps):
    losses = []
    for _ in range(steps):
        losses.append(0.5 * (y - passed(params, x)[1]).square().sum(1).mean())
        params = downhill(params, x, y, lr)
    return tuple(params), torch.stack(losses)


# %% [markdown]
# ## Slides, checked
#
# Run a claim before you believe it, whoever makes it.

# %%
a, b = torch.tensor(2.0, requires_grad=True), torch.tensor(1.0, requires_grad=True)
print("the slide's graph:", [g.item() for g in torch.autograd.grad((a + b) * (b + 1), (a, b))])
x = torch.tensor([2.0, -1.0])
V = torch.tensor([[0.5, 1.0], [-1.0, 0.3]], requires_grad=True)
w = torch.tensor([1.5, -0.7])
z = torch.sigmoid(V @ x)
t, out = 1.0, torch.sigmoid(w @ z)
(slope,) = torch.autograd.grad(0.5 * (t - out) ** 2, V)
delta_hat = ((t - out) * out * (1 - out) * w * z * (1 - z)).detach()
once, twice = torch.outer(delta_hat, x), torch.outer(delta_hat, x) * x
print(
    "Minhas's step with x once:",
    torch.allclose(-slope, once),
    " twice:",
    torch.allclose(-slope, twice),
)
w32 = torch.tensor(3.0)
for eps in (1e-1, 1e-4, 1e-7):
    found = ((w32 + eps) ** 3 - (w32 - eps) ** 3) / (2 * eps)
    print(f"float32 slope of w**3 at 3, eps {eps:g}: {found.item():.4f}")

# %% [markdown]
# *What to see*: 2 and 5; the second line of that slide should read $\partial e / \partial b$, not $a$. $x_i$ once,
# not twice. And 27.01, then less and less: $\epsilon = 10^{-7}$ leaves nothing of 27 in `float32`.
#
# ## What it means, and where it fails
#
# The backward pass costs about as much as the forward one, for any number of parameters; asking the loss costs two
# forward passes for *each*. The price is memory: every activation waits in the cache. Autograd is
# your `Node` with tensors in it.
#
# It gives the gradient, and no more. Where slopes vanish it stalls (01_activations); where units are equal, they
# stay equal; where there is a hollow, it may rest. A gradient that is wrong by a factor
# still learns something, so check it against the loss.
#
# **Three lines to remember**
# 1. Multiply along a path, add over paths, and compute each gradient once, backwards.
# 2. A weight's gradient is the $\delta$ above it times the activation below it.
# 3. The loss is the judge: a central difference in `float64` finds the slips that training hides.
#
# **Further reading**: Rumelhart, Hinton & Williams, *Learning representations by back-propagating errors*
# (1986) · Nielsen, *Neural networks and deep learning*, chapter 2 · Baydin et al., *Automatic
# differentiation in machine learning: a survey* (2018) · Goodfellow, Bengio & Courville, *Deep learning*, section
# 6.5 · Next: 04_sgd.

# %%
import course

course.progress()
