# %% [markdown]
# # Softmax, its stability, and losses
#
# **You will be able to** turn logits into probabilities that no logit can break · say which output layer
# and which loss a task needs, and why they come in pairs · write the losses of the decks and their
# gradients by hand, and say what an outlier does to each.
#
# **Decks** Karatzas, "Softmax" to "Regression vs Classification" · Passerini, "Multiclass classification",
# "Loss functions (common choices)" · Rinnert, "Output Layer" · Moerland, "Deterministic
# versus probabilistic loss" · Minhas, "Multilayer Perceptron: Evaluation", the table of activations
#
# **Time** 60 minutes · **Points** 25 · ●○○ warm-up, ●●○ has a trap, ●●● needs thought.
# Tensors come in any shape unless a docstring says otherwise. Keep dtype and device, and leave the
# arguments as they were.

# %%
import math
import warnings

import numpy as np
import torch
import torch.nn.functional as F

from course import check, widgets

# %% [markdown]
# ## The formula is right. The answer is nan
#
# A classifier ends in one number a class, the **logits** $z$. Softmax makes probabilities of them
# (Karatzas, "Softmax"; Passerini, "Multiclass classification"):
# $$S(z)_i = \frac{e^{z_i}}{\sum_j e^{z_j}}$$
# Add the same number to all logits, and it cancels: $S(z + c) = S(z)$. Only differences count.
#
# **Predict**: three logits lie one apart. Push them to the right together. Do the probabilities
# change? Where does a computer stop agreeing with the formula, and what does it say there? Then drag the
# white diamond, or choose it and use the arrow keys.

# %%
widgets.softmax.overflow()

# %% [markdown]
# *What to see*: a number format is a line with two walls. Beyond the right one (11.1, 88.7, 709.8) $e^z$ is
# `inf`, beyond the left one it is 0. Naive softmax breaks when *one* logit passes the right wall, or when
# *all* pass the left one; *play* pauses there. The stable one (green) never comes near a wall.
#
# ## Break it three ways  ·  ●●○ · 5 min · 2 points
#
# **Your turn.** First write the formula as it stands, over the last dimension. Then find logits that
# break it in `float32`, although the true probabilities are harmless (each at least 0.1):
#
# - `"overflow"`: some $e^{x_i}$ is `inf`, and the result has a `nan`,
# - `"underflow"`: all $e^{x_i}$ are 0, and the result has a `nan`,
# - `"silent"`: every $e^{x_i}$ is finite, the result has no `nan`, and does not sum to 1.


# %% answer="naive_softmax"
def naive_softmax(x: torch.Tensor) -> torch.Tensor:
    """Softmax of x (..., classes) over the last dimension, as the formula stands; same shape."""
    ### BEGIN SOLUTION return exp(x) divided by its sum
    e = torch.exp(x)
    return e / e.sum(-1, keepdim=True)
    ### END SOLUTION


def breaking_logits(how: str) -> torch.Tensor:
    """Finite float32 logits of shape (3,) that break naive_softmax.

    how: "overflow", "underflow" or "silent". Their true softmax is at least 0.1 everywhere.
    """
    ### BEGIN SOLUTION return three float32 logits for each `how`
    first = {"overflow": 100.0, "underflow": -120.0, "silent": 88.0}[how]
    return torch.tensor([first, first + 0.25, first + 0.5])
    ### END SOLUTION


# %%
widgets.softmax.overflow(naive_softmax)

# %% [markdown]
# *What to see*: your function's bars, computed by your kernel in the format you choose, against the
# dashed truth. Choose `float32`, and look for the three places; close up, each logit can be dragged alone.

# %% test="naive_softmax" points=2
check.by_hand(
    naive_softmax, "softmax", "softmax_", "Softmax", "log_softmax", "LogSoftmax", "softmin"
)
check.close(
    naive_softmax(torch.tensor([[0.0, 0.0], [0.0, math.log(3.0)]])),
    torch.tensor([[0.5, 0.5], [0.25, 0.75]]),
    "Each row is divided by its own sum",
)
check.close(
    naive_softmax(torch.tensor([20.0, 134.0, 854.0], dtype=torch.float64)),
    torch.tensor([0.0, 0.0, math.nan], dtype=torch.float64),
    "This one is meant to break as the slide's does: take the formula as it stands",
)
for how in ("overflow", "underflow", "silent"):
    x = breaking_logits(how)
    check.shape(x, (3,))
    check.dtype(x, torch.float32)
    check.finite(x, f'"{how}" must be made of finite logits')
    check.true(
        x.double().softmax(0).min() >= 0.1,
        f'For "{how}" a true probability is below 0.1: how far apart may the logits be?',
    )
    e = x.exp()
    p = e / e.sum()
    if how == "overflow":
        check.true(e.isinf().any() and p.isnan().any(), "Your overflow has no inf, or no nan")
    elif how == "underflow":
        check.true((e == 0).all(), "Your underflow has an exp that is not 0 yet in float32")
    else:
        check.true(e.isfinite().all(), "Your silent logits have an exp that is inf already")
        check.true(
            p.isfinite().all() and (p.sum() - 1).abs() > 0.01,
            "Your silent logits give a nan, or a sum of 1: what else in the formula can overflow?",
        )
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        x = 2 * check.randn(*check.sizes(3), dtype=dtype, device=device)
        check.close(
            check.unchanged(naive_softmax, x), x.softmax(-1), "Sum over the last dimension only"
        )
check.stays_on_device(naive_softmax, check.randn(4, 3))
### END HIDDEN TESTS


# %% mistake="naive_softmax" name="one-sum-for-all"
def naive_softmax(x):
    """You divided by one sum over the whole tensor, as the slide's np.sum does. Each row has its own sum."""
    return torch.exp(x) / torch.exp(x).sum()


# %% mistake="naive_softmax" name="first-dimension"
def naive_softmax(x):
    """You summed over the first dimension: that mixes different examples. Where do the classes lie?"""
    e = torch.exp(x)
    return e / e.sum(0, keepdim=True)


# %% mistake="naive_softmax" name="no-exp"
def naive_softmax(x):
    """You divided the logits themselves by their sum. Negative logits would give negative probabilities."""
    return x / x.sum(-1, keepdim=True)


# %% mistake="naive_softmax" name="stable-already"
def naive_softmax(x):
    """You shifted the logits first. That comes next; here the formula is to be seen breaking."""
    e = torch.exp(x - x.amax(-1, keepdim=True))
    return e / e.sum(-1, keepdim=True)


# %% mistake="naive_softmax" name="library-call"
def naive_softmax(x):
    """You called the library's softmax, which does not break. Build it from exp and a sum."""
    return torch.softmax(x, -1)


# %% mistake="naive_softmax" name="in-place"
def naive_softmax(x):
    """You exponentiated the caller's own tensor. They still need their logits."""
    e = x.exp_()
    return e / e.sum(-1, keepdim=True)


# %% mistake="naive_softmax" name="too-far-apart"
def breaking_logits(how):
    """Your logits lie hundreds apart, so that the true probabilities are 0 and 1. Push logits that are close together."""
    rows = {
        "overflow": [0.0, 1.0, 1000.0],
        "underflow": [-1000.0, -500.0, -200.0],
        "silent": [88.0, 88.2, 0.0],
    }
    return torch.tensor(rows[how])


# %% mistake="naive_softmax" name="infinite-logits"
def breaking_logits(how):
    """You put inf among the logits. Finite ones can do it too."""
    first = {"overflow": math.inf, "underflow": -math.inf, "silent": 88.0}[how]
    return torch.tensor([first, first, first])


# %% mistake="naive_softmax" name="nan-for-silent"
def breaking_logits(how):
    """Your silent logits are just beyond the wall: an exp is inf. Stay before the wall, and look at the sum."""
    first = {"overflow": 100.0, "underflow": -120.0, "silent": 89.0}[how]
    return torch.tensor([first, first, first])


# %% mistake="naive_softmax" name="not-zero-yet"
def breaking_logits(how):
    """You took the mirror of the right wall for underflow. Below it come the subnormal numbers: how far down do they go?"""
    first = {"overflow": 100.0, "underflow": -89.0, "silent": 88.0}[how]
    return torch.tensor([first, first + 0.25, first + 0.5])


# %% mistake="naive_softmax" name="float64-logits"
def breaking_logits(how):
    """Your logits are float64, whose walls are further out. Look at the dtype that is asked for."""
    first = {"overflow": 710.0, "underflow": -750.0, "silent": 709.5}[how]
    return torch.tensor([first, first, first], dtype=torch.float64)


# %% alternative="naive_softmax" name="other-numbers"
def naive_softmax(x):
    return x.exp() / x.exp().sum(dim=-1, keepdim=True)


def breaking_logits(how):
    if how == "overflow":
        return torch.full((3,), 500.0)
    return torch.full((3,), -200.0) if how == "underflow" else torch.full((3,), 88.6)


# %% alternative="naive_softmax" name="reciprocal-of-sums"
def naive_softmax(x):
    e = math.e**x
    return e / torch.einsum("...i->...", e).unsqueeze(-1)


# %% alternative="naive_softmax" name="some-over-the-wall"
def breaking_logits(how):
    rows = {
        "overflow": [88.0, 88.5, 89.0],
        "underflow": [-105.0, -104.8, -104.6],
        "silent": [87.5, 87.9, 88.4],
    }
    return torch.tensor(rows[how])


# %% [markdown]
# ## A softmax that cannot overflow  ·  ●●○ · 5 min · 2 points
#
# Since a common shift cancels, shift so that the largest logit is 0: every $e^{z_i}$ is then at most 1, and
# the sum at least 1 (Karatzas, "SoftMax - numerical stability"). Here is the code of that slide.
# **Predict** both results, and the last line.


# %%
def slide_softmax(x):
    return np.exp(x) / np.sum(np.exp(x))


def slide_stable_softmax(x):
    x -= np.max(x)
    return np.exp(x) / np.sum(np.exp(x))


logits = np.array([20.0, 134.0, 854.0])
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    print("naive: ", slide_softmax(logits))
print("stable:", slide_stable_softmax(logits))
print("the caller's logits are now", logits)

# %% [markdown]
# *What to see*: `[0, 0, nan]`; then $2.03 \cdot 10^{-313}$ in the middle, as on the slide. And the caller's
# logits are gone. The slide passes a *list*, of which `-=` makes a new array, so its demonstration hides
# what its function does to an array. Two traps in one line: the in-place `-=`, and one maximum for a whole
# batch.
#
# **Your turn**, by hand: softmax over dimension `dim`, finite for every finite `x`.


# %% answer="softmax"
def softmax(x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """Softmax of x over dimension dim; same shape, dtype and device; x stays as it was."""
    ### BEGIN SOLUTION shift, then exp, then divide
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)
    ### END SOLUTION


# %%
widgets.softmax.overflow(softmax)

# %% [markdown]
# *What to see*: in every preset your bars stay on the dashed truth, and the caption gives the gap.

# %% test="softmax" points=2
check.by_hand(softmax, "softmax", "softmax_", "Softmax", "log_softmax", "LogSoftmax", "softmin",
              "logsumexp", "cross_entropy")  # fmt: skip
x = torch.tensor([20.0, 134.0, 854.0], dtype=torch.float64)
p = check.unchanged(softmax, x)
check.close(p, torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64), "Shift before you take exp")
check.close(
    p[1] * 1e300 * 1e13,
    torch.tensor(2.0322308, dtype=torch.float64),
    "In float64 the middle one is about 2.03e-313",
    1e-6,
)
check.close(
    softmax(torch.tensor([[1.0, 2.0], [3.0, 1.0], [0.0, 0.0]]), 0).sum(0),
    torch.ones(2),
    "With dim=0 each column must sum to 1",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        x = 2 * check.randn(*check.sizes(3), dtype=dtype, device=device)
        for dim in (-1, 0, 1):
            check.close(
                check.unchanged(softmax, x, dim), x.softmax(dim), "`dim` says where the classes lie"
            )
        check.close(softmax(x[0, 0]), x[0, 0].softmax(0), "One vector of logits")
        x = check.randn(4, 3, dtype=dtype, device=device)
        x = x + torch.tensor([[0.0], [1e4], [-1e4], [500.0]], dtype=dtype, device=device)
        check.close(softmax(x), x.softmax(-1), "Wrong when the rows lie thousands apart")
        x = (
            0.9
            * torch.finfo(dtype).max
            * torch.tensor([1.0, -1.0, 0.5], dtype=dtype, device=device)
        )
        check.close(softmax(x), x.softmax(-1), "Wrong for the largest finite logits")
check.stays_on_device(softmax, check.randn(4, 3), 0)
### END HIDDEN TESTS


# %% mistake="softmax" name="slide-in-place"
def softmax(x, dim=-1):
    """You have the slide's `-=`: the result is right, and the caller's logits have moved. Make a new tensor."""
    x -= x.amax(dim, keepdim=True)
    return x.exp() / x.exp().sum(dim, keepdim=True)


# %% mistake="softmax" name="one-maximum-for-the-batch"
def softmax(x, dim=-1):
    """You took one maximum for everything. Rows far below it underflow to 0/0: whose maximum does a row need?"""
    e = torch.exp(x - x.max())
    return e / e.sum(dim, keepdim=True)


# %% mistake="softmax" name="naive"
def softmax(x, dim=-1):
    """You took the formula as it stands, and exp overflows. What may be subtracted from all logits?"""
    e = torch.exp(x)
    return e / e.sum(dim, keepdim=True)


# %% mistake="softmax" name="dim-ignored"
def softmax(x, dim=-1):
    """You always work on the last dimension. The caller may ask for another one."""
    e = torch.exp(x - x.amax(-1, keepdim=True))
    return e / e.sum(-1, keepdim=True)


# %% mistake="softmax" name="one-sum-for-all"
def softmax(x, dim=-1):
    """You divided by the sum over everything: your whole batch sums to 1. Each group of classes should."""
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum()


# %% mistake="softmax" name="mean-for-maximum"
def softmax(x, dim=-1):
    """You shifted by the mean. A logit far above the mean still overflows: which shift leaves none above 0?"""
    e = torch.exp(x - x.mean(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


# %% mistake="softmax" name="clipped"
def softmax(x, dim=-1):
    """You clipped the logits so that exp stays finite. Above the clip all classes look the same."""
    e = torch.exp(x.clamp(-80, 80))
    return e / e.sum(dim, keepdim=True)


# %% mistake="softmax" name="nan-to-zero"
def softmax(x, dim=-1):
    """You painted over the nan. Where it stood, a probability is missing."""
    e = torch.exp(x)
    return torch.nan_to_num(e / e.sum(dim, keepdim=True))


# %% mistake="softmax" name="through-numpy"
def softmax(x, dim=-1):
    """You went through NumPy: that works on the CPU alone."""
    a = x.detach().numpy()
    e = np.exp(a - a.max(axis=dim, keepdims=True))
    return torch.from_numpy(e / e.sum(axis=dim, keepdims=True))


# %% mistake="softmax" name="library-call"
def softmax(x, dim=-1):
    """You called the library's softmax. A shift, exp and a sum are enough."""
    return torch.softmax(x, dim)


# %% alternative="softmax" name="max-values"
def softmax(x, dim=-1):
    shifted = x - x.max(dim=dim, keepdim=True).values
    return shifted.exp() / shifted.exp().sum(dim=dim, keepdim=True)


# %% alternative="softmax" name="moved-to-the-end"
def softmax(x, dim=-1):
    rows = x.movedim(dim, -1)
    e = (rows - rows.amax(-1).unsqueeze(-1)).exp()
    return (e / e.sum(-1).unsqueeze(-1)).movedim(-1, dim)


# %% alternative="softmax" name="own-copy-in-place"
def softmax(x, dim=-1):
    e = x.clone()
    e -= torch.amax(x, dim, True)
    e.exp_()
    e /= e.sum(dim, keepdim=True)
    return e


# %% [markdown]
# ## Logarithms of probabilities  ·  ●●○ · 5 min · 2 points
#
# Losses need $\log S(z)_i$. In `float32` the slide's middle probability is 0, and its logarithm $-\infty$;
# the true one is a harmless $-720$. Take the logarithm on paper, and the division is gone:
# $$\log S(z)_i = z_i - \mathrm{lse}(z), \qquad \mathrm{lse}(z) = \log \sum_j e^{z_j}$$
# The log-sum-exp has the overflow back, and the same cure: $\mathrm{lse}(z) = c + \mathrm{lse}(z - c)$.
#
# **Your turn**, by hand. One more trap for `log_softmax`: next to 300,000, `float32` steps by 0.03. *When*
# do you shift, before the two numbers are subtracted or after?


# %% answer="log_softmax"
def logsumexp(x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """log(sum(exp(x))) over dimension dim, which is dropped from the shape; finite for finite x."""
    ### BEGIN SOLUTION return the log-sum-exp, shifted there and back
    top = x.amax(dim, keepdim=True)
    return (top + torch.exp(x - top).sum(dim, keepdim=True).log()).squeeze(dim)
    ### END SOLUTION


def log_softmax(x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """Logarithm of the softmax of x over dimension dim; same shape; four digits right at any x."""
    ### BEGIN SOLUTION return log probabilities without taking the log of a probability
    shifted = x - x.amax(dim, keepdim=True)
    return shifted - shifted.exp().sum(dim, keepdim=True).log()
    ### END SOLUTION


# %% test="log_softmax" points=2
BANNED = ("logsumexp", "log_softmax", "LogSoftmax", "logcumsumexp", "logaddexp", "logaddexp2",
          "cross_entropy", "nll_loss")  # fmt: skip
check.by_hand(logsumexp, *BANNED)
check.by_hand(log_softmax, *BANNED)
x = torch.tensor([20.0, 134.0, 854.0])
check.close(
    check.unchanged(log_softmax, x),
    torch.tensor([-834.0, -720.0, 0.0]),
    "The probability is 0 in float32, and its logarithm need not be -inf",
)
check.close(
    logsumexp(torch.tensor([[1000.0, 1000.0], [0.0, 0.0]])),
    torch.tensor([1000.693147, 0.693147]),
    "Two equal logits z give z + log 2, whatever z is",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        x = 2 * check.randn(*check.sizes(3), dtype=dtype, device=device)
        for dim in (-1, 0, 1):
            check.close(check.unchanged(logsumexp, x, dim), x.logsumexp(dim), "Look at `dim`")
            check.close(check.unchanged(log_softmax, x, dim), x.log_softmax(dim), "Look at `dim`")
        x = check.randn(4, 3, dtype=dtype, device=device)
        x = x + torch.tensor([[0.0], [3e5], [-3e5], [500.0]], dtype=dtype, device=device)
        check.close(logsumexp(x), x.logsumexp(-1), "Wrong when the rows lie far apart")
        check.close(
            log_softmax(x),
            x.log_softmax(-1),
            "Digits are lost where the logits are large: subtract large numbers from each other first",
        )
for f in (logsumexp, log_softmax):
    check.stays_on_device(f, check.randn(4, 3), 0)
### END HIDDEN TESTS


# %% mistake="log_softmax" name="log-of-the-softmax"
def log_softmax(x, dim=-1):
    """You took the logarithm of a finished softmax. Where that underflowed to 0, the log is -inf."""
    return torch.softmax(x, dim).log()


# %% mistake="log_softmax" name="epsilon"
def log_softmax(x, dim=-1):
    """You added a small number before the log. No -inf any more, but nothing can get below the log of that number."""
    return (torch.softmax(x, dim) + 1e-9).log()


# %% mistake="log_softmax" name="cancellation"
def log_softmax(x, dim=-1):
    """You subtracted two large, almost equal numbers: what they rounded off is gone. Shift first, then subtract."""
    top = x.amax(dim, keepdim=True)
    return x - (top + torch.exp(x - top).sum(dim, keepdim=True).log())


# %% mistake="log_softmax" name="naive"
def logsumexp(x, dim=-1):
    """You took exp of the logits as they are. What you may take out of the sum, you may add after the log."""
    return torch.exp(x).sum(dim).log()


# %% mistake="log_softmax" name="maximum-not-added-back"
def logsumexp(x, dim=-1):
    """You shifted and did not shift back. The softmax forgets a shift; the log-sum-exp does not."""
    return torch.exp(x - x.amax(dim, keepdim=True)).sum(dim).log()


# %% mistake="log_softmax" name="dimension-kept"
def logsumexp(x, dim=-1):
    """You kept the dimension you summed over. The docstring drops it."""
    top = x.amax(dim, keepdim=True)
    return top + torch.exp(x - top).sum(dim, keepdim=True).log()


# %% mistake="log_softmax" name="one-maximum-for-the-batch"
def logsumexp(x, dim=-1):
    """You shifted everything by one maximum. Rows far below it give log 0."""
    top = x.max()
    return top + torch.exp(x - top).sum(dim).log()


# %% mistake="log_softmax" name="sign"
def log_softmax(x, dim=-1):
    """Your log probabilities are positive. The logarithm of a number below 1 is negative."""
    shifted = x - x.amax(dim, keepdim=True)
    return shifted.exp().sum(dim, keepdim=True).log() - shifted


# %% mistake="log_softmax" name="sum-forgotten"
def log_softmax(x, dim=-1):
    """You only shifted the logits. The log of the sum is still to be subtracted."""
    return x - x.amax(dim, keepdim=True)


# %% mistake="log_softmax" name="library-call"
def logsumexp(x, dim=-1):
    """You called the library's function. Shift, exp, sum, log, and back."""
    return torch.logsumexp(x, dim)


# %% alternative="log_softmax" name="max-without-keepdim"
def logsumexp(x, dim=-1):
    top = x.max(dim).values
    return top + (x - top.unsqueeze(dim)).exp().sum(dim).log()


def log_softmax(x, dim=-1):
    shifted = x - x.max(dim).values.unsqueeze(dim)
    return shifted - torch.log(torch.exp(shifted).sum(dim)).unsqueeze(dim)


# %% alternative="log_softmax" name="shift-by-own-helper"
def shifted_down(x, dim):
    top = x.amax(dim=dim, keepdim=True)
    return x - top, top


def logsumexp(x, dim=-1):
    low, top = shifted_down(x, dim)
    return (low.exp().sum(dim=dim, keepdim=True).log() + top).squeeze(dim)


def log_softmax(x, dim=-1):
    low, _ = shifted_down(x, dim)
    return low - low.exp().sum(dim=dim, keepdim=True).log()


# %% alternative="log_softmax" name="log1p"
def logsumexp(x, dim=-1):
    top = x.amax(dim, keepdim=True)
    others = torch.expm1(x - top).sum(dim) + (x.shape[dim] - 1)
    return top.squeeze(dim) + torch.log1p(others)


# %% [markdown]
# ## What is soft about it  ·  ●○○ · 3 min · 1 point
#
# Multiply the logits by $\alpha$ before the softmax: $S(\alpha z)$. ($1/\alpha$ is called the *temperature*.)
# **Predict** the bars for $\alpha = 0$, for a large $\alpha$, and for a large $\alpha$ when two logits tie.

# %%
widgets.softmax.temperature()

# %% [markdown]
# *What to see*: $\alpha = 0$ gives all the same, a large $\alpha$ everything to the winner. So softmax is a
# soft *argmax*; a soft *max* is the average $S(\alpha z)^\top z$ (Karatzas, "Softmax – what's in the
# name", for $\alpha = 1$). It approaches the maximum from below; $\mathrm{lse}(\alpha z) / \alpha$ does so
# from above.
#
# **Your turn**, for any real $\alpha$. `torch.softmax` is yours from here on: what you have written you may
# call, and one slip doesn't cost twice.


# %% answer="softmax_temperature"
def softmax_temperature(z: torch.Tensor, alpha: float) -> torch.Tensor:
    """Softmax of alpha times z (..., classes) over the last dimension; same shape."""
    ### BEGIN SOLUTION return the softmax of the scaled logits
    return torch.softmax(alpha * z, dim=-1)
    ### END SOLUTION


def soft_maximum(z: torch.Tensor, alpha: float) -> torch.Tensor:
    """Average of z (..., classes), weighted by the softmax of alpha z; shape (...)."""
    ### BEGIN SOLUTION return the weighted average
    return (torch.softmax(alpha * z, dim=-1) * z).sum(-1)
    ### END SOLUTION


# %%
widgets.softmax.temperature(softmax_temperature, soft_maximum)

# %% [markdown]
# *What to see*: your bars and your soft maximum on the dashed truth. Is $\alpha < 0$ of any use?

# %% test="softmax_temperature" points=1
z = torch.tensor([[1.0, 2.0, 4.0], [3.0, 3.0, 0.0]])
check.close(
    softmax_temperature(z, 1000.0),
    torch.tensor([[0.0, 0.0, 1.0], [0.5, 0.5, 0.0]]),
    "A large alpha gives all to the largest logit, and equal ones share",
)
check.close(softmax_temperature(z, 0.0), torch.full((2, 3), 1 / 3), "With alpha = 0 all are equal")
check.close(soft_maximum(z, 0.0), torch.tensor([7 / 3, 2.0]), "With alpha = 0 it is the mean of z")
check.close(soft_maximum(z, 1000.0), torch.tensor([4.0, 3.0]), "A large alpha gives the maximum")
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        z = check.randn(*check.sizes(3), dtype=dtype, device=device)
        for alpha in (-1.5, 0.3, 1.0, 2.5, 300.0):
            p = (alpha * z).softmax(-1)
            why = f"Look at alpha = {alpha}"
            check.close(check.unchanged(softmax_temperature, z, alpha), p, why)
            want = torch.linalg.vecdot(p, z)
            check.close(check.unchanged(soft_maximum, z, alpha), want, why)
for f in (softmax_temperature, soft_maximum):
    check.stays_on_device(f, check.randn(4, 3), 1.7)
### END HIDDEN TESTS


# %% mistake="softmax_temperature" name="divided"
def softmax_temperature(z, alpha):
    """You divided by α: then α is the temperature itself. The formula above multiplies."""
    return torch.softmax(z / (alpha + 1e-12), dim=-1)


# %% mistake="softmax_temperature" name="outside"
def softmax_temperature(z, alpha):
    """You multiplied the probabilities by α. Then they no longer sum to 1: α belongs with the logits."""
    return alpha * torch.softmax(z, dim=-1)


# %% mistake="softmax_temperature" name="alpha-ignored"
def softmax_temperature(z, alpha):
    """You left α out: your bars do not move."""
    return torch.softmax(z, dim=-1)


# %% mistake="softmax_temperature" name="powers"
def softmax_temperature(z, alpha):
    """You raised the probabilities to the power α and divided by their sum: equal on paper, and 0/0 when all powers underflow."""
    p = torch.softmax(z, dim=-1) ** alpha
    return p / p.sum(-1, keepdim=True)


# %% mistake="softmax_temperature" name="first-dimension"
def softmax_temperature(z, alpha):
    """You took the softmax over the first dimension. Where do the classes lie?"""
    return torch.softmax(alpha * z, dim=0)


# %% mistake="softmax_temperature" name="average-of-scaled"
def soft_maximum(z, alpha):
    """You averaged αz. The scale belongs in the weights; what is averaged is z."""
    return (torch.softmax(alpha * z, dim=-1) * alpha * z).sum(-1)


# %% mistake="softmax_temperature" name="log-sum-exp"
def soft_maximum(z, alpha):
    """You returned the other soft maximum, the log-sum-exp, which lies above the maximum. A weighted average is asked for."""
    return torch.logsumexp(alpha * z, dim=-1) / (alpha or 1.0)


# %% mistake="softmax_temperature" name="largest-probability"
def soft_maximum(z, alpha):
    """You returned the largest probability. The soft maximum is on the scale of z."""
    return torch.softmax(alpha * z, dim=-1).amax(-1)


# %% mistake="softmax_temperature" name="mean-for-sum"
def soft_maximum(z, alpha):
    """You took the mean of the products. The weights sum to 1 already: is there anything left to divide by?"""
    return (torch.softmax(alpha * z, dim=-1) * z).mean(-1)


# %% alternative="softmax_temperature" name="by-exp"
def softmax_temperature(z, alpha):
    e = torch.exp(alpha * z - (alpha * z).amax(-1, keepdim=True))
    return e / e.sum(-1, keepdim=True)


def soft_maximum(z, alpha):
    return torch.einsum("...i,...i->...", torch.softmax(z * alpha, -1), z)


# %% alternative="softmax_temperature" name="matrix-product"
def softmax_temperature(z, alpha):
    return F.softmax(z.mul(alpha), dim=-1)


def soft_maximum(z, alpha):
    weights = F.softmax(z.mul(alpha), dim=-1)
    return (weights.unsqueeze(-2) @ z.unsqueeze(-1)).squeeze(-1).squeeze(-1)


# %% [markdown]
# ## Each output depends on each logit  ·  ●●○ · 5 min · 2 points
#
# Raise one logit: its probability rises, and all others must give. The table of all these slopes is the
# **Jacobian** (Karatzas, "Softmax"; Minhas's table of activations says the same in two cases):
# $$J_{ij} = \frac{\partial S_i}{\partial z_j} = S_i\,(\delta_{ij} - S_j), \qquad \delta_{ij} = 1
# \text{ if } i = j, \text{ else } 0, \qquad J = \mathrm{diag}(S) - S S^\top$$
# (The slide prints $\delta_{jj}$; it means $\delta_{ij}$.) **Predict** the sum of each row, before any
# computing: what does $S(z + c) = S(z)$ say about it?
#
# **Your turn**, from the output and without autograd.


# %% answer="softmax_jacobian"
def softmax_jacobian(z: torch.Tensor) -> torch.Tensor:
    """Jacobian of the softmax: z (..., classes) gives J (..., classes, classes), J_ij = dS_i/dz_j."""
    ### BEGIN SOLUTION return diag(S) minus the outer product of S with itself
    s = torch.softmax(z, dim=-1)
    return torch.diag_embed(s) - s.unsqueeze(-1) * s.unsqueeze(-2)
    ### END SOLUTION


# %% test="softmax_jacobian" points=2
check.by_hand(softmax_jacobian, "grad", "backward", "jacobian", "jacrev", "jacfwd", "vjp", "jvp")
check.close(
    softmax_jacobian(torch.tensor([0.0, math.log(3.0)])),
    torch.tensor([[0.1875, -0.1875], [-0.1875, 0.1875]]),
    "Here S = (1/4, 3/4): on the diagonal stands S(1 − S), off it a negative product",
)
check.close(
    softmax_jacobian(torch.tensor([[1.0, 2.0, 4.0], [0.0, -1.0, 1.0]])).sum(-1),
    torch.zeros(2, 3),
    "A common shift changes nothing, so every row must sum to 0; and each example has its own J",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        rows, classes = check.sizes(2)
        z = 2 * check.randn(rows, classes, dtype=dtype, device=device)
        want = torch.stack(
            [torch.autograd.functional.jacobian(lambda v: v.softmax(-1), one) for one in z]
        )
        check.close(check.unchanged(softmax_jacobian, z), want, "Compare with S_i (δ_ij − S_j)")
        check.close(softmax_jacobian(z[0]), want[0], "One vector of logits gives one matrix")
        check.close(
            softmax_jacobian(z.unsqueeze(1)), want.unsqueeze(1), "Any leading dimensions may come"
        )
        check.close(
            softmax_jacobian(z[:1] + 1000)[0], want[0], "Far away the slopes are the same", tol=1e-3
        )
check.stays_on_device(softmax_jacobian, check.randn(4, 3))
### END HIDDEN TESTS


# %% mistake="softmax_jacobian" name="sigmoid-rule"
def softmax_jacobian(z):
    """You have the sigmoid's rule S(1 − S) on the diagonal and zeros elsewhere. The other outputs move too."""
    s = torch.softmax(z, dim=-1)
    return torch.diag_embed(s * (1 - s))


# %% mistake="softmax_jacobian" name="slopes-as-a-vector"
def softmax_jacobian(z):
    """You returned one slope a class. How many pairs of output and logit are there?"""
    s = torch.softmax(z, dim=-1)
    return s * (1 - s)


# %% mistake="softmax_jacobian" name="plus"
def softmax_jacobian(z):
    """You added the products. When one logit rises, do the other probabilities rise or fall?"""
    s = torch.softmax(z, dim=-1)
    return torch.diag_embed(s) + s.unsqueeze(-1) * s.unsqueeze(-2)


# %% mistake="softmax_jacobian" name="identity-for-diag"
def softmax_jacobian(z):
    """You put ones on the diagonal. In S_i (δ_ij − S_j) the S_i multiplies both terms."""
    s = torch.softmax(z, dim=-1)
    eye = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
    return eye - s.unsqueeze(-1) * s.unsqueeze(-2)


# %% mistake="softmax_jacobian" name="outer-product-missing"
def softmax_jacobian(z):
    """You returned diag(S) alone: your rows don't sum to 0."""
    return torch.diag_embed(torch.softmax(z, dim=-1))


# %% mistake="softmax_jacobian" name="products-elementwise"
def softmax_jacobian(z):
    """You multiplied S with itself entry by entry. S Sᵀ has one entry for each pair."""
    s = torch.softmax(z, dim=-1)
    return torch.diag_embed(s) - (s * s).unsqueeze(-2)


# %% mistake="softmax_jacobian" name="one-vector-only"
def softmax_jacobian(z):
    """Your function works for one vector of logits. A batch has one matrix for each example."""
    s = torch.softmax(z, dim=-1)
    return torch.diag(s) - torch.outer(s, s)


# %% mistake="softmax_jacobian" name="delta-on-the-cpu"
def softmax_jacobian(z):
    """You made the δ on the CPU. Think about where z is."""
    s = torch.softmax(z, dim=-1)
    delta = torch.eye(z.shape[-1], dtype=z.dtype)
    return s.unsqueeze(-1) * (delta - s.unsqueeze(-2))


# %% mistake="softmax_jacobian" name="autograd"
def softmax_jacobian(z):
    """You let autograd do it. From the output, one line is enough."""
    rows = [
        torch.autograd.functional.jacobian(lambda v: v.softmax(-1), one)
        for one in z.reshape(-1, z.shape[-1])
    ]
    return torch.stack(rows).reshape(*z.shape, z.shape[-1])


# %% alternative="softmax_jacobian" name="delta"
def softmax_jacobian(z):
    s = torch.softmax(z, dim=-1)
    delta = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
    return s[..., :, None] * (delta - s[..., None, :])


# %% alternative="softmax_jacobian" name="loops"
def softmax_jacobian(z):
    s = torch.softmax(z, dim=-1)
    n = z.shape[-1]
    out = s.new_zeros((*z.shape, n))
    for i in range(n):
        for j in range(n):
            out[..., i, j] = s[..., i] * ((1.0 if i == j else 0.0) - s[..., j])
    return out


# %% alternative="softmax_jacobian" name="einsum"
def softmax_jacobian(z):
    s = F.softmax(z, -1)
    return torch.diag_embed(s) - torch.einsum("...i,...j->...ij", s, s)


# %% [markdown]
# ## Which output layer?  ·  ●○○ · 3 min · 1 point
#
# One of $C$ classes is right (**multi-class**): one problem, softmax, the largest wins. Any of them may be
# there (**multi-label**): $C$ independent yes-or-no problems, one sigmoid each (Karatzas, "Multi-label
# classification"). A number is asked for (**regression**): no activation at all.
#
# **Predict**: raise the logit of one class. Which bars move under a softmax, and which under sigmoids?

# %%
widgets.softmax.output_layer()

# %% [markdown]
# *What to see*: under softmax all bars move and sum to 1; under sigmoids only one does. With *nothing
# known*, softmax must still choose.
#
# **Your turn.** A label is present if its probability is *above* `threshold`. (Passerini, "Binary classification", takes
# $\mathrm{sign}(f - 0.5)$, which answers −1 or 1, though the targets of his loss are 0 and 1.)


# %% answer="predict_multiclass"
def predict_multiclass(logits: torch.Tensor) -> torch.Tensor:
    """Index (int64) of the most probable class; logits (..., classes) give (...)."""
    ### BEGIN SOLUTION return the index of the largest logit
    return logits.argmax(-1)
    ### END SOLUTION


def predict_multilabel(logits: torch.Tensor, threshold: float = 0.5) -> torch.Tensor:
    """Which labels are present: booleans, same shape as logits (..., labels)."""
    ### BEGIN SOLUTION return where the probability is above the threshold
    return torch.sigmoid(logits) > threshold
    ### END SOLUTION


# %%
widgets.softmax.output_layer(predict_multiclass, predict_multilabel)

# %% [markdown]
# *What to see*: the ticked bars are your answers. Move the threshold; none of the softmax's bars care.

# %% test="predict_multiclass" points=1
logits = torch.tensor([[2.0, 0.3, -1.0], [-4.0, -3.0, 0.0]])
check.equal(
    predict_multiclass(logits), torch.tensor([0, 2]), "One index a row: that of the best class"
)
check.equal(
    predict_multilabel(logits),
    torch.tensor([[True, True, False], [False, False, False]]),
    "A logit is not a probability yet; and a probability of exactly 0.5 is not above 0.5",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        logits = check.randn(*check.sizes(3), dtype=dtype, device=device)
        check.equal(
            check.unchanged(predict_multiclass, logits),
            logits.topk(1, dim=-1).indices.squeeze(-1),
            "The classes lie along the last dimension",
        )
        for threshold in (0.1, 0.5, 0.8):
            check.equal(
                check.unchanged(predict_multilabel, logits, threshold),
                logits > math.log(threshold / (1 - threshold)),
                f"Each label by itself, against a threshold of {threshold}",
            )
for f in (predict_multiclass, predict_multilabel):
    check.stays_on_device(f, check.randn(4, 3))
### END HIDDEN TESTS


# %% mistake="predict_multiclass" name="logits-against-the-threshold"
def predict_multilabel(logits, threshold=0.5):
    """You compared the logits with the threshold. It is meant for probabilities."""
    return logits > threshold


# %% mistake="predict_multiclass" name="softmax-for-labels"
def predict_multilabel(logits, threshold=0.5):
    """You let the labels compete: at most one of them can get more than 0.5 from a softmax."""
    return torch.softmax(logits, -1) > threshold


# %% mistake="predict_multiclass" name="threshold-ignored"
def predict_multilabel(logits, threshold=0.5):
    """You always cut at 0.5. The caller may choose another threshold."""
    return torch.sigmoid(logits) > 0.5


# %% mistake="predict_multiclass" name="sign"
def predict_multilabel(logits, threshold=0.5):
    """You answered −1, 0 and 1, as a sign does. The docstring asks for booleans."""
    return torch.sign(torch.sigmoid(logits) - threshold)


# %% mistake="predict_multiclass" name="at-the-threshold"
def predict_multilabel(logits, threshold=0.5):
    """You count a probability that is just the threshold. Read what is said about it above."""
    return torch.sigmoid(logits) >= threshold


# %% mistake="predict_multiclass" name="first-dimension"
def predict_multiclass(logits):
    """You looked for the best example of each class. The best class of each example is asked for."""
    return logits.argmax(0)


# %% mistake="predict_multiclass" name="of-everything"
def predict_multiclass(logits):
    """You returned one index for the whole batch. Each example has its own best class."""
    return logits.argmax()


# %% mistake="predict_multiclass" name="value-for-index"
def predict_multiclass(logits):
    """You returned how probable the best class is, not which one it is."""
    return torch.softmax(logits, -1).amax(-1)


# %% mistake="predict_multiclass" name="one-hot"
def predict_multiclass(logits):
    """You marked the best class in a row of zeros. Its index is asked for."""
    return F.one_hot(logits.argmax(-1), logits.shape[-1])


# %% alternative="predict_multiclass" name="through-probabilities"
def predict_multiclass(logits):
    return torch.softmax(logits, dim=-1).max(dim=-1).indices


def predict_multilabel(logits, threshold=0.5):
    return (1 / (1 + torch.exp(-logits))).gt(threshold)


# %% alternative="predict_multiclass" name="sorted-and-log-odds"
def predict_multiclass(logits):
    return logits.sort(dim=-1, descending=True).indices[..., 0]


def predict_multilabel(logits, threshold=0.5):
    return logits > math.log(threshold) - math.log(1 - threshold)


# %% [markdown]
# ## Binary cross entropy  ·  ●●● · 7 min · 3 points
#
# A model gives the observed label $y$ the probability $p$ if $y = 1$, and $1 - p$ if $y = 0$. **Maximum
# likelihood** makes the product over all observations large, so the sum of logarithms, so makes
# $$J_{BCE} = -\big(y \log p + (1 - y) \log(1 - p)\big), \qquad p = \sigma(z)$$
# small (Passerini, "Loss functions (common choices)"; Karatzas, "Binary Cross-Entropy Loss").
#
# **Predict**: sure and wrong, $z = 1000$ with $y = 0$. What is the true loss? What does this formula give
# in `float32`? Its slope is kinder: $\partial J / \partial z = \sigma(z) - y$ (Karatzas, "Derivatives –
# Binary Cross Entropy Loss").
#
# **Your turn**: the *mean* over all entries, from logits, with no `inf` and no clipping, and its gradient.
# *Hint*: write out $-\log \sigma(z)$ and $-\log(1 - \sigma(z))$, and look for `F.softplus`, which you
# know from 01_activations.


# %% answer="bce_with_logits"
def bce_with_logits(z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean binary cross entropy of logits z and targets y in [0, 1], both of one shape; a number."""
    ### BEGIN SOLUTION return the mean over all entries, stable at |z| = 1000
    return (F.softplus(z) - y * z).mean()
    ### END SOLUTION


def bce_with_logits_grad(z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Gradient of bce_with_logits with respect to z; shape of z."""
    ### BEGIN SOLUTION return the gradient, and mind the mean
    return (torch.sigmoid(z) - y) / z.numel()
    ### END SOLUTION


# %% test="bce_with_logits" points=3
BANNED = ("binary_cross_entropy", "binary_cross_entropy_with_logits", "BCELoss",
          "BCEWithLogitsLoss", "multilabel_soft_margin_loss", "soft_margin_loss")  # fmt: skip
check.by_hand(bce_with_logits, *BANNED)
check.by_hand(bce_with_logits_grad, *BANNED, "grad", "backward", "jacobian", "vjp", "jvp")
z, y = torch.tensor([[0.0, 0.0, 2.0]]), torch.tensor([[0.0, 1.0, 1.0]])
check.close(
    bce_with_logits(z, y),
    torch.tensor((2 * 0.693147 + 0.126928) / 3),
    "A logit of 0 costs log 2 for either label; then take the mean of all three",
)
check.close(
    bce_with_logits_grad(z, y),
    torch.tensor([[0.5, -0.5, -0.119203]]) / 3,
    "The slope of each entry, and then what the mean does to it",
)
check.close(
    bce_with_logits(torch.tensor([1000.0, -1000.0]), torch.tensor([0.0, 1.0])),
    torch.tensor(1000.0),
    "Sure and wrong costs as much as the logit is large",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        for scale in (2.0, 300.0):
            sizes = check.sizes(3)
            z = scale * check.randn(*sizes, dtype=dtype, device=device)
            y = (check.randn(*sizes, device=device) > 0.4).to(dtype)
            y[0] = check.uniform(0, 1, *sizes[1:], dtype=dtype, device=device)
            leaf = z.clone().requires_grad_()
            want = F.binary_cross_entropy_with_logits(leaf, y)
            (slope,) = torch.autograd.grad(want, leaf)
            check.close(
                check.unchanged(bce_with_logits, z, y),
                want,
                "Mean over all entries; targets between 0 and 1 count in proportion",
            )
            check.close(
                check.unchanged(bce_with_logits_grad, z, y) * z.numel(),
                slope * z.numel(),
                "Compare with the slope of the loss",
            )
for f in (bce_with_logits, bce_with_logits_grad):
    check.stays_on_device(f, check.randn(4, 3), check.uniform(0, 1, 4, 3))
### END HIDDEN TESTS


# %% mistake="bce_with_logits" name="log-of-the-sigmoid"
def bce_with_logits(z, y):
    """You took logarithms of finished probabilities: where one is rounded to 0, that is 0 · inf or inf."""
    p = torch.sigmoid(z)
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


# %% mistake="bce_with_logits" name="epsilon"
def bce_with_logits(z, y):
    """You added a small number inside the logarithms. No loss can then exceed some 16, however wrong the model is."""
    p = torch.sigmoid(z)
    return -(y * (p + 1e-7).log() + (1 - y) * (1 - p + 1e-7).log()).mean()


# %% mistake="bce_with_logits" name="clipped"
def bce_with_logits(z, y):
    """You cut the logarithms off at −100, as BCELoss does: beyond that, more wrong costs no more."""
    p = torch.sigmoid(z)
    return -(y * p.log().clamp(min=-100) + (1 - y) * (1 - p).log().clamp(min=-100)).mean()


# %% mistake="bce_with_logits" name="naive-softplus"
def bce_with_logits(z, y):
    """Right on paper, but you wrote log(1 + exp(z)), whose exp overflows."""
    return (torch.log(1 + torch.exp(z)) - y * z).mean()


# %% mistake="bce_with_logits" name="sum-over-labels"
def bce_with_logits(z, y):
    """You added the labels up and took the mean over the examples. Here the mean is over all entries."""
    return (F.softplus(z) - y * z).sum(-1).mean()


# %% mistake="bce_with_logits" name="positive-part-only"
def bce_with_logits(z, y):
    """You counted the entries with y = 1 only. What does a wrong yes cost?"""
    return (y * F.softplus(-z)).mean()


# %% mistake="bce_with_logits" name="labels-swapped"
def bce_with_logits(z, y):
    """Your loss is small when the model is wrong: which label goes with which of the two terms?"""
    return (F.softplus(z) - (1 - y) * z).mean()


# %% mistake="bce_with_logits" name="sigmoid-twice"
def bce_with_logits(z, y):
    """You put probabilities where logits are expected: the sigmoid is applied twice."""
    s = torch.sigmoid(z)
    return (F.softplus(s) - y * s).mean()


# %% mistake="bce_with_logits" name="mean-forgotten"
def bce_with_logits_grad(z, y):
    """Yours is the slope of the sum. The loss is a mean: over how many?"""
    return torch.sigmoid(z) - y


# %% mistake="bce_with_logits" name="divided-by-rows"
def bce_with_logits_grad(z, y):
    """You divided by the number of rows. Over how many entries is the mean taken?"""
    return (torch.sigmoid(z) - y) / len(z)


# %% mistake="bce_with_logits" name="uphill"
def bce_with_logits_grad(z, y):
    """You have target minus prediction: that is the way down. The gradient points up."""
    return (y - torch.sigmoid(z)) / z.numel()


# %% mistake="bce_with_logits" name="slope-of-the-squared-error"
def bce_with_logits_grad(z, y):
    """Your slope has a factor σ(1 − σ) that vanishes when the model is sure. In this loss it cancels."""
    s = torch.sigmoid(z)
    return (s - y) * s * (1 - s) / z.numel()


# %% mistake="bce_with_logits" name="library-call"
def bce_with_logits(z, y):
    """You called the library's loss. Softplus, a product and a mean are enough."""
    return F.binary_cross_entropy_with_logits(z, y)


# %% alternative="bce_with_logits" name="two-logsigmoids"
def bce_with_logits(z, y):
    return -(y * F.logsigmoid(z) + (1 - y) * F.logsigmoid(-z)).mean()


def bce_with_logits_grad(z, y):
    return (1 / (1 + torch.exp(-z)) - y).div(z.numel())


# %% alternative="bce_with_logits" name="max-and-log1p"
def bce_with_logits(z, y):
    losses = z.clamp(min=0) - z * y + torch.log1p(torch.exp(-z.abs()))
    return losses.sum() / losses.numel()


def bce_with_logits_grad(z, y):
    s = torch.sigmoid(z)
    return (s * (1 - y) - (1 - s) * y) / math.prod(z.shape)


# %% alternative="bce_with_logits" name="softmax-of-two"
def bce_with_logits(z, y):
    both = torch.stack([torch.zeros_like(z), z], -1).log_softmax(-1)
    return -((1 - y) * both[..., 0] + y * both[..., 1]).mean()


# %% [markdown]
# ## Categorical cross entropy  ·  ●●○ · 5 min · 2 points
#
# The same likelihood for one right class $c$ among many: $J_{CCE} = -\log S(z)_c$ (Passerini's $-\log
# f_y(x)$; Karatzas, "Categorical Cross Entropy Loss", who sums over all classes with a one-hot $y$. His sum
# runs over $i$, and then $y_c$ should read $y_i$.) **Predict** the loss of an untrained net that gives ten
# classes the same probability. It is the first number to look at in any training.
#
# **Your turn**: `targets` holds class *indices*; return the mean. Mind which entry of each row you pick.


# %% answer="cross_entropy"
def cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean of -log softmax(logits)[target]; logits (batch, classes), targets (batch,) int64; a number."""
    ### BEGIN SOLUTION return the mean of minus the log probability of the right class
    log_p = torch.log_softmax(logits, dim=-1)
    return -log_p.gather(-1, targets.unsqueeze(-1)).mean()
    ### END SOLUTION


# %% test="cross_entropy" points=2
BANNED = ("cross_entropy", "CrossEntropyLoss", "nll_loss", "NLLLoss", "cross_entropy_loss")
check.by_hand(cross_entropy, *BANNED)
check.close(
    cross_entropy(torch.zeros(4, 10), torch.tensor([3, 0, 9, 5])),
    torch.tensor(math.log(10)),
    "Ten equal probabilities of 1/10 cost log 10",
)
check.close(
    cross_entropy(torch.tensor([[1000.0, 0.0, 0.0], [0.0, 0.0, 0.0]]), torch.tensor([1, 2])),
    torch.tensor((1000 + math.log(3)) / 2),
    "Sure and wrong by 1000 costs 1000; the mean of the two rows is asked for",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        for scale in (1.0, 200.0):
            batch, classes = check.sizes(2, 3, 9)
            logits = scale * check.randn(batch, classes, dtype=dtype, device=device)
            targets = check.integers(0, classes, batch, device=device)
            check.close(
                check.unchanged(cross_entropy, logits, targets),
                F.cross_entropy(logits, targets),
                "Each row's own target, then the mean over the rows",
            )
check.stays_on_device(cross_entropy, check.randn(5, 3), check.integers(0, 3, 5))
### END HIDDEN TESTS


# %% mistake="cross_entropy" name="log-of-the-softmax"
def cross_entropy(logits, targets):
    """You took the logarithm of a finished softmax, which underflows to 0. You have written its stable form."""
    log_p = torch.softmax(logits, -1).log()
    return -log_p.gather(-1, targets.unsqueeze(-1)).mean()


# %% mistake="cross_entropy" name="epsilon"
def cross_entropy(logits, targets):
    """You added a small number before the logarithm: no loss can then exceed some 20."""
    log_p = (torch.softmax(logits, -1) + 1e-9).log()
    return -log_p.gather(-1, targets.unsqueeze(-1)).mean()


# %% mistake="cross_entropy" name="every-row-every-target"
def cross_entropy(logits, targets):
    """`log_p[:, targets]` picks every target from every row: a square table. Each row has one target."""
    return -torch.log_softmax(logits, -1)[:, targets].mean()


# %% mistake="cross_entropy" name="softmax-twice"
def cross_entropy(logits, targets):
    """You took a softmax of a softmax: the loss can no longer get near 0. Where do logits end and probabilities begin?"""
    log_p = torch.log_softmax(torch.softmax(logits, -1), -1)
    return -log_p.gather(-1, targets.unsqueeze(-1)).mean()


# %% mistake="cross_entropy" name="mean-over-classes-too"
def cross_entropy(logits, targets):
    """You averaged the zeros of the one-hot targets as well: your loss is too small by the number of classes."""
    Y = torch.zeros_like(logits).scatter(-1, targets.unsqueeze(-1), 1.0)
    return -(Y * torch.log_softmax(logits, -1)).mean()


# %% mistake="cross_entropy" name="sum"
def cross_entropy(logits, targets):
    """You added the rows up. The mean does not depend on the size of the batch."""
    return -torch.log_softmax(logits, -1).gather(-1, targets.unsqueeze(-1)).sum()


# %% mistake="cross_entropy" name="sign"
def cross_entropy(logits, targets):
    """Your loss is negative: yours is the log likelihood, to be made large."""
    return torch.log_softmax(logits, -1).gather(-1, targets.unsqueeze(-1)).mean()


# %% mistake="cross_entropy" name="first-dimension"
def cross_entropy(logits, targets):
    """Your softmax runs over the batch. Each example's classes lie in a row."""
    return -torch.log_softmax(logits, 0).gather(-1, targets.unsqueeze(-1)).mean()


# %% mistake="cross_entropy" name="log-2"
def cross_entropy(logits, targets):
    """You measured in bits. The decks, and torch, use the natural logarithm."""
    return -torch.log_softmax(logits, -1).gather(-1, targets.unsqueeze(-1)).mean() / math.log(2)


# %% mistake="cross_entropy" name="no-log"
def cross_entropy(logits, targets):
    """You averaged the probabilities of the right classes. Where is the logarithm?"""
    return -torch.softmax(logits, -1).gather(-1, targets.unsqueeze(-1)).mean()


# %% mistake="cross_entropy" name="library-call"
def cross_entropy(logits, targets):
    """You called the library's loss. Pick the right entries of the log probabilities, and take the mean."""
    return F.cross_entropy(logits, targets)


# %% mistake="cross_entropy" name="rows-on-the-cpu"
def cross_entropy(logits, targets):
    """You made the one-hot targets on the CPU. Think about where the logits are."""
    Y = torch.zeros(logits.shape, dtype=logits.dtype)
    Y[torch.arange(len(targets)), targets.cpu()] = 1
    return -(Y * torch.log_softmax(logits, -1)).sum(-1).mean()


# %% alternative="cross_entropy" name="pairs-of-indices"
def cross_entropy(logits, targets):
    rows = torch.arange(len(targets), device=logits.device)
    return -torch.log_softmax(logits, -1)[rows, targets].mean()


# %% alternative="cross_entropy" name="one-hot"
def cross_entropy(logits, targets):
    Y = torch.zeros_like(logits)
    Y[torch.arange(len(targets)), targets] = 1
    return -(Y * torch.log_softmax(logits, -1)).sum(-1).mean()


# %% alternative="cross_entropy" name="lse-minus-logit"
def cross_entropy(logits, targets):
    right = logits.gather(1, targets[:, None]).squeeze(1)
    return (torch.logsumexp(logits, 1) - right).sum() / logits.shape[0]


# %% [markdown]
# ## Prediction minus truth  ·  ●●○ · 4 min · 2 points
#
# Why do softmax and cross entropy go together? The slope of one example is $S(z) - Y$, with the one-hot row
# $Y$ (Karatzas, "Derivatives – Categorical Cross Entropy Loss", who writes $S(z_i)$ for the entry $S(z)_i$;
# the softmax of a single number would be 1). All the exponentials have cancelled. Sigmoid with BCE gave the
# same, and so does a linear output with half the squared error: prediction minus truth.
#
# **Your turn**, without autograd: the gradient of the *mean* over $m$ examples, $(S - Y)/m$.


# %% answer="cross_entropy_grad"
def cross_entropy_grad(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Gradient of cross_entropy with respect to logits (m, classes); targets (m,) int64; same shape."""
    ### BEGIN SOLUTION return (S - Y) / m
    Y = torch.zeros_like(logits).scatter(-1, targets.unsqueeze(-1), 1.0)
    return (torch.softmax(logits, dim=-1) - Y) / len(logits)
    ### END SOLUTION


# %% test="cross_entropy_grad" points=2
check.by_hand(cross_entropy_grad, "grad", "backward", "jacobian", "jacrev", "vjp", "jvp")
logits, targets = torch.tensor([[0.0, 0.0, 0.0], [50.0, 0.0, 0.0]]), torch.tensor([2, 0])
check.close(
    check.unchanged(cross_entropy_grad, logits, targets),
    torch.tensor([[1 / 6, 1 / 6, -1 / 3], [0.0, 0.0, 0.0]]),
    "The first row is (1/3, 1/3, −2/3) before the mean; the second is sure and right",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        for scale in (1.0, 200.0):
            batch, classes = check.sizes(2, 3, 9)
            logits = scale * check.randn(batch, classes, dtype=dtype, device=device)
            targets = check.integers(0, classes, batch, device=device)
            leaf = logits.clone().requires_grad_()
            (slope,) = torch.autograd.grad(F.cross_entropy(leaf, targets), leaf)
            got = check.unchanged(cross_entropy_grad, logits, targets)
            check.close(got, slope, "Compare with the slope of the loss")
            check.close(
                got.sum(-1),
                torch.zeros_like(got[:, 0]),
                "Each row must sum to 0, as S and Y sum to 1",
            )
check.stays_on_device(cross_entropy_grad, check.randn(5, 3), check.integers(0, 3, 5))
### END HIDDEN TESTS


# %% mistake="cross_entropy_grad" name="mean-forgotten"
def cross_entropy_grad(logits, targets):
    """Yours is the gradient of the sum. With a larger batch your steps would grow."""
    return torch.softmax(logits, -1) - torch.zeros_like(logits).scatter(
        -1, targets.unsqueeze(-1), 1.0
    )


# %% mistake="cross_entropy_grad" name="divided-by-all-entries"
def cross_entropy_grad(logits, targets):
    """You divided by the number of entries. Over what is the mean taken?"""
    Y = torch.zeros_like(logits).scatter(-1, targets.unsqueeze(-1), 1.0)
    return (torch.softmax(logits, -1) - Y) / logits.numel()


# %% mistake="cross_entropy_grad" name="divided-by-classes"
def cross_entropy_grad(logits, targets):
    """You divided by the number of classes. Over what is the mean taken?"""
    Y = torch.zeros_like(logits).scatter(-1, targets.unsqueeze(-1), 1.0)
    return (torch.softmax(logits, -1) - Y) / logits.shape[-1]


# %% mistake="cross_entropy_grad" name="uphill"
def cross_entropy_grad(logits, targets):
    """You have truth minus prediction: that is the way down. The gradient points up."""
    Y = torch.zeros_like(logits).scatter(-1, targets.unsqueeze(-1), 1.0)
    return (Y - torch.softmax(logits, -1)) / len(logits)


# %% mistake="cross_entropy_grad" name="indices-for-one-hot"
def cross_entropy_grad(logits, targets):
    """You subtracted the index of the class from every probability. Y is a row of zeros with a single 1."""
    return (torch.softmax(logits, -1) - targets.unsqueeze(-1)) / len(logits)


# %% mistake="cross_entropy_grad" name="right-class-only"
def cross_entropy_grad(logits, targets):
    """You gave a slope to the right class only. The other logits stand in the sum of the softmax too."""
    Y = torch.zeros_like(logits).scatter(-1, targets.unsqueeze(-1), 1.0)
    return Y * (torch.softmax(logits, -1) - 1) / len(logits)


# %% mistake="cross_entropy_grad" name="sigmoid"
def cross_entropy_grad(logits, targets):
    """You took a sigmoid of each logit, as the slide's S(z_i) may suggest. The classes share one softmax."""
    Y = torch.zeros_like(logits).scatter(-1, targets.unsqueeze(-1), 1.0)
    return (torch.sigmoid(logits) - Y) / len(logits)


# %% mistake="cross_entropy_grad" name="slope-of-the-squared-error"
def cross_entropy_grad(logits, targets):
    """Your slope has an S(1 − S) too many: it vanishes when the model is sure and wrong."""
    Y, S = (
        torch.zeros_like(logits).scatter(-1, targets.unsqueeze(-1), 1.0),
        torch.softmax(logits, -1),
    )
    return (S - Y) * S * (1 - S) / len(logits)


# %% mistake="cross_entropy_grad" name="first-dimension"
def cross_entropy_grad(logits, targets):
    """Your softmax runs over the batch. Each example's classes lie in a row."""
    Y = torch.zeros_like(logits).scatter(-1, targets.unsqueeze(-1), 1.0)
    return (torch.softmax(logits, 0) - Y) / len(logits)


# %% mistake="cross_entropy_grad" name="one-hot-on-the-cpu"
def cross_entropy_grad(logits, targets):
    """You made the one-hot rows on the CPU. Think about where the logits are."""
    Y = torch.zeros(logits.shape, dtype=logits.dtype)
    Y[torch.arange(len(targets)), targets.cpu()] = 1
    return (torch.softmax(logits, -1) - Y) / len(logits)


# %% alternative="cross_entropy_grad" name="subtract-at-the-index"
def cross_entropy_grad(logits, targets):
    S = torch.softmax(logits, -1)
    S[torch.arange(len(logits), device=logits.device), targets] -= 1
    return S / logits.shape[0]


# %% alternative="cross_entropy_grad" name="scatter"
def cross_entropy_grad(logits, targets):
    S = F.softmax(logits, dim=1)
    ones = torch.ones_like(targets, dtype=S.dtype).unsqueeze(1)
    return S.scatter_add(1, targets.unsqueeze(1), -ones).div(len(targets))


# %% alternative="cross_entropy_grad" name="compare-with-arange"
def cross_entropy_grad(logits, targets):
    classes = torch.arange(logits.shape[-1], device=logits.device)
    return (logits.log_softmax(-1).exp() - (classes == targets[:, None]).to(logits)) / len(logits)


# %% [markdown]
# ## The hinge family  ·  ●○○ · 3 min · 1 point
#
# With labels $y = \pm 1$, the **margin** $y z$ is positive where the sign is right. A hinge asks for a margin
# of 1 and then leaves it alone: $\max(0, 1 - y z)^q$, $q = 1, 2, 3$ (Minhas, "Multilayer Perceptron:
# Evaluation", with $\sigma(o)$ in place of our $z$). **Predict** with that $\sigma$, between 0 and 1: can
# the loss of an example with $y = -1$ ever be 0?

# %%
widgets.softmax.margins()

# %% [markdown]
# *What to see*: squared error punishes large margins on the *right* side. The log loss never quite ends, the
# hinge does at 1; on the far left both have a slope of at most 1. With $\sigma$ inside, the hinge never
# reaches 0.
#
# **Your turn**: the mean of $\max(0, 1 - y z)^q$; `power` is $q$.


# %% answer="hinge"
def hinge(z: torch.Tensor, y: torch.Tensor, power: int = 1) -> torch.Tensor:
    """Mean of max(0, 1 - y z) ** power; z, y of one shape, y is -1 or 1; a number."""
    ### BEGIN SOLUTION return the mean hinge
    return (1 - y * z).clamp(min=0).pow(power).mean()
    ### END SOLUTION


# %% test="hinge" points=1
z, y = torch.tensor([2.0, 0.5, -1.0, 3.0]), torch.tensor([1.0, 1.0, 1.0, -1.0])
check.close(hinge(z, y), torch.tensor(6.5 / 4), "The margins are 2, 0.5, −1 and −3")
check.close(hinge(z, y, 2), torch.tensor(20.25 / 4), "Square the four losses, then take their mean")
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        sizes = check.sizes(2, 3, 9)
        z = 2 * check.randn(*sizes, dtype=dtype, device=device)
        y = 2.0 * check.integers(0, 2, *sizes, device=device).to(dtype) - 1
        for power in (1, 2, 3):
            gap = F.relu(1 - y * z)
            check.close(
                check.unchanged(hinge, z, y, power),
                torch.mean(gap**power),
                f"Look at power = {power}, and at margins above 1",
            )
check.stays_on_device(hinge, check.randn(4, 3), check.randn(4, 3).sign(), 2)
### END HIDDEN TESTS


# %% mistake="hinge" name="sigmoid-inside"
def hinge(z, y, power=1):
    """You put a sigmoid inside, as the slide has it: no margin can then reach 1."""
    return (1 - y * torch.sigmoid(z)).clamp(min=0).pow(power).mean()


# %% mistake="hinge" name="not-cut-off"
def hinge(z, y, power=1):
    """You did not cut at 0: a large margin earns a negative loss, and pays for others' mistakes."""
    return (1 - y * z).pow(power).mean()


# %% mistake="hinge" name="power-before-cut"
def hinge(z, y, power=1):
    """You took the power first and cut afterwards. An even power turns a good margin into a loss."""
    return (1 - y * z).pow(power).clamp(min=0).mean()


# %% mistake="hinge" name="perceptron"
def hinge(z, y, power=1):
    """Yours is content with any margin above 0. The hinge asks for more."""
    return (-y * z).clamp(min=0).pow(power).mean()


# %% mistake="hinge" name="sign"
def hinge(z, y, power=1):
    """Your loss grows with the margin. Which sign makes a right answer cheap?"""
    return (1 + y * z).clamp(min=0).pow(power).mean()


# %% mistake="hinge" name="power-ignored"
def hinge(z, y, power=1):
    """You left the power out."""
    return (1 - y * z).clamp(min=0).mean()


# %% mistake="hinge" name="power-of-the-mean"
def hinge(z, y, power=1):
    """You took the power of the mean. Each example's loss is raised by itself."""
    return (1 - y * z).clamp(min=0).mean().pow(power)


# %% mistake="hinge" name="sum"
def hinge(z, y, power=1):
    """You returned the sum. The mean is asked for."""
    return (1 - y * z).clamp(min=0).pow(power).sum()


# %% mistake="hinge" name="labels-zero-and-one"
def hinge(z, y, power=1):
    """You converted the labels from 0 and 1 to −1 and 1. They are −1 and 1 already."""
    return (1 - (2 * y - 1) * z).clamp(min=0).pow(power).mean()


# %% mistake="hinge" name="zeros-on-the-cpu"
def hinge(z, y, power=1):
    """You compared with zeros made on the CPU. Think about where z is."""
    return torch.maximum(1 - y * z, torch.zeros(z.shape, dtype=z.dtype)).pow(power).mean()


# %% alternative="hinge" name="where"
def hinge(z, y, power=1):
    gap = 1 - y * z
    return torch.where(gap > 0, gap**power, torch.zeros_like(gap)).mean()


# %% alternative="hinge" name="half-of-the-sum"
def hinge(z, y, power=1):
    gap = 1 - z * y
    return (((gap + gap.abs()) / 2) ** power).sum() / gap.numel()


# %% [markdown]
# ## Squared and absolute error  ·  ●○○ · 4 min · 2 points
#
# Regression: no activation, and a loss on the *residual* $r = \hat y - y$. MSE is the mean of $r^2$, MAE that
# of $|r|$ (Karatzas, "Loss functions for regression"; Moerland, "Cardinal example"). Passerini's training
# error has a $\tfrac12$ in front, so that the slope is just $r$; here there is none.
#
# **Predict**: a line is fitted to points, then one point is moved far off. What do the lines of least MSE and least
# MAE do? Drag it.

# %%
widgets.softmax.outlier()

# %% [markdown]
# *What to see*: under MSE a residual pulls as hard as it is long, so one point can turn the line. Under MAE
# all pull with force 1, however far away.
#
# **Your turn**: both losses and their gradients with respect to `y_hat`; at $r = 0$ take 0 for MAE.


# %% answer="mse"
def mse(y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean squared error over all entries of y_hat and y, both of one shape; a number."""
    ### BEGIN SOLUTION return the mean of the squared residuals
    return (y_hat - y).square().mean()
    ### END SOLUTION


def mse_grad(y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Gradient of mse with respect to y_hat; same shape."""
    ### BEGIN SOLUTION return the slope for each entry
    return 2 * (y_hat - y) / y_hat.numel()
    ### END SOLUTION


def mae(y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean absolute error over all entries of y_hat and y, both of one shape; a number."""
    ### BEGIN SOLUTION return the mean of the absolute residuals
    return (y_hat - y).abs().mean()
    ### END SOLUTION


def mae_grad(y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Gradient of mae with respect to y_hat, 0 where the residual is 0; same shape."""
    ### BEGIN SOLUTION return the slope for each entry
    return torch.sign(y_hat - y) / y_hat.numel()
    ### END SOLUTION


# %%
widgets.softmax.outlier(mse, mae)

# %% [markdown]
# *What to see*: your curve, computed one residual at a time, on the dashed one. It must be 0 at $r = 0$ and the
# same on both sides.

# %% test="mse" points=2
BANNED = ("mse_loss", "MSELoss", "l1_loss", "L1Loss", "smooth_l1_loss", "huber_loss")
SLOPES = ("grad", "backward", "jacobian", "jacrev", "vjp", "jvp")
for f in (mse, mae):
    check.by_hand(f, *BANNED)
for f in (mse_grad, mae_grad):
    check.by_hand(f, *BANNED, *SLOPES)
y_hat, y = torch.tensor([3.0, 1.0, 2.0, 0.0]), torch.tensor([1.0, 2.0, 2.0, 4.0])
check.close(mse(y_hat, y), torch.tensor(21 / 4), "The residuals are 2, −1, 0 and −4")
check.close(mae(y_hat, y), torch.tensor(7 / 4), "The residuals are 2, −1, 0 and −4")
check.close(mse_grad(y_hat, y), torch.tensor([1.0, -0.5, 0.0, -2.0]), "Of r² / 4, for each r")
check.close(mae_grad(y_hat, y), torch.tensor([0.25, -0.25, 0.0, -0.25]), "Of |r| / 4, for each r")
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        sizes = check.sizes(3)
        y_hat = 3 * check.randn(*sizes, dtype=dtype, device=device)
        y = check.randn(*sizes, dtype=dtype, device=device)
        y[0] = y_hat[0]
        for f, slope, oracle in ((mse, mse_grad, F.mse_loss), (mae, mae_grad, F.l1_loss)):
            leaf = y_hat.clone().requires_grad_()
            want = oracle(leaf, y)
            (gradient,) = torch.autograd.grad(want, leaf)
            check.close(check.unchanged(f, y_hat, y), want, "The mean over all entries")
            check.close(
                check.unchanged(slope, y_hat, y) * y.numel(),
                gradient * y.numel(),
                "Compare with the change of the loss when one prediction changes",
            )
for f in (mse, mse_grad, mae, mae_grad):
    check.stays_on_device(f, check.randn(4, 3), check.randn(4, 3))
### END HIDDEN TESTS


# %% mistake="mse" name="half"
def mse(y_hat, y):
    """You put a half in front, as some slides do. Here the loss is the plain mean."""
    return 0.5 * (y_hat - y).square().mean()


# %% mistake="mse" name="sum"
def mse(y_hat, y):
    """You returned the sum of squares. Its size depends on how much data there is: take the mean."""
    return (y_hat - y).square().sum()


# %% mistake="mse" name="root"
def mse(y_hat, y):
    """You took the root: that is the RMSE."""
    return (y_hat - y).square().mean().sqrt()


# %% mistake="mse" name="mean-first"
def mse(y_hat, y):
    """You squared the mean residual: errors of both signs cancel before they count."""
    return (y_hat - y).mean().square()


# %% mistake="mse" name="signed"
def mae(y_hat, y):
    """You averaged residuals with their signs, so that errors cancel."""
    return (y_hat - y).mean()


# %% mistake="mse" name="factor-two-missing"
def mse_grad(y_hat, y):
    """Your slope belongs to the loss with a half in front. What is the derivative of r²?"""
    return (y_hat - y) / y_hat.numel()


# %% mistake="mse" name="mean-forgotten"
def mse_grad(y_hat, y):
    """Yours is the slope of the sum. The loss is a mean: over how many?"""
    return 2 * (y_hat - y)


# %% mistake="mse" name="uphill"
def mse_grad(y_hat, y):
    """Your slope is with respect to y. The prediction is what moves."""
    return 2 * (y - y_hat) / y_hat.numel()


# %% mistake="mse" name="zero-over-zero"
def mae_grad(y_hat, y):
    """You divided r by |r|: where the prediction is exact that is 0/0."""
    return (y_hat - y) / (y_hat - y).abs() / y_hat.numel()


# %% mistake="mse" name="no-zero"
def mae_grad(y_hat, y):
    """You let the slope be −1 or 1 only. Look at what is asked for at r = 0."""
    return (2.0 * (y_hat > y).to(y.dtype) - 1) / y_hat.numel()


# %% mistake="mse" name="slope-of-the-sum"
def mae_grad(y_hat, y):
    """Yours is the slope of the sum of |r|. The loss is a mean: over how many?"""
    return torch.sign(y_hat - y)


# %% mistake="mse" name="library-call"
def mse(y_hat, y):
    """You called the library's loss. A difference, a square and a mean are enough."""
    return F.mse_loss(y_hat, y)


# %% alternative="mse" name="powers-and-counts"
def mse(y_hat, y):
    return ((y_hat - y) ** 2).sum() / y.numel()


def mse_grad(y_hat, y):
    return (y_hat - y).mul(2 / y.numel())


def mae(y_hat, y):
    return torch.where(y_hat > y, y_hat - y, y - y_hat).mean()


def mae_grad(y_hat, y):
    return ((y_hat > y).to(y.dtype) - (y_hat < y).to(y.dtype)) / y.numel()


# %% alternative="mse" name="flat-vectors"
def mse(y_hat, y):
    r = (y_hat - y).flatten()
    return r @ r / len(r)


def mae(y_hat, y):
    r = (y_hat - y).flatten()
    return torch.linalg.vector_norm(r, 1) / len(r)


# %% [markdown]
# ## Huber and log-cosh  ·  ●●● · 7 min · 3 points
#
# Round near the truth like MSE, straight far out like MAE (Karatzas, "Huber Loss", "Log-Cosh Loss"):
# $$L_\delta(r) = \begin{cases} \tfrac12 r^2 & |r| < \delta \\ \delta |r| - \tfrac12 \delta^2 &
# \text{otherwise} \end{cases} \qquad L_{lc}(r) = \log \cosh r$$
# **Predict**: what does `torch.log(torch.cosh(r))` give for $r = 100$ in `float32`? The true value is
# 99.307.
#
# **Your turn**: means over all entries, stable for every finite $r$, and gradients with respect to `y_hat`.
# *Hint* for log-cosh: write $\cosh$ with two exponentials, and take the larger one out, as in lse.


# %% answer="huber"
def huber(y_hat: torch.Tensor, y: torch.Tensor, delta: float) -> torch.Tensor:
    """Mean Huber loss of the residuals y_hat - y, both of one shape, delta > 0; a number."""
    ### BEGIN SOLUTION return the mean, squared inside delta and straight outside
    r = (y_hat - y).abs()
    return torch.where(r < delta, 0.5 * r**2, delta * r - 0.5 * delta**2).mean()
    ### END SOLUTION


def huber_grad(y_hat: torch.Tensor, y: torch.Tensor, delta: float) -> torch.Tensor:
    """Gradient of huber with respect to y_hat; same shape."""
    ### BEGIN SOLUTION return the slope for each entry
    return (y_hat - y).clamp(-delta, delta) / y_hat.numel()
    ### END SOLUTION


def log_cosh(y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean of log(cosh(y_hat - y)), finite for every finite residual; a number."""
    ### BEGIN SOLUTION return the mean, in a form in which no exponential overflows
    r = (y_hat - y).abs()
    return (r + torch.log1p(torch.exp(-2 * r)) - math.log(2)).mean()
    ### END SOLUTION


def log_cosh_grad(y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Gradient of log_cosh with respect to y_hat; same shape."""
    ### BEGIN SOLUTION return the slope for each entry
    return torch.tanh(y_hat - y) / y_hat.numel()
    ### END SOLUTION


# %%
widgets.softmax.outlier(huber, log_cosh)

# %% [markdown]
# *What to see*: your curves on the dashed ones. The slope of Huber stops growing at $\delta$, that of log-cosh
# at 1. So the outlier keeps a vote, and loses its veto.

# %% test="huber" points=3
BANNED = ("huber_loss", "HuberLoss", "smooth_l1_loss", "SmoothL1Loss", "mse_loss", "l1_loss")
SLOPES = ("grad", "backward", "jacobian", "jacrev", "vjp", "jvp")
for f in (huber, log_cosh):
    check.by_hand(f, *BANNED)
for f in (huber_grad, log_cosh_grad):
    check.by_hand(f, *BANNED, *SLOPES)
y_hat, y = torch.tensor([1.0, -3.0]), torch.tensor([0.0, 1.0])
check.close(huber(y_hat, y, 2.0), torch.tensor((0.5 + 6.0) / 2), "The residuals are 1 and −4")
check.close(huber_grad(y_hat, y, 2.0), torch.tensor([0.5, -1.0]), "Far out the slope is ±δ")
check.close(
    log_cosh(torch.tensor([100.0, 0.0]), torch.zeros(2)),
    torch.tensor((100 - math.log(2)) / 2),
    "cosh(100) overflows in float32. What is log-cosh far out, but for a constant?",
)
check.close(
    log_cosh_grad(torch.tensor([1.0, -1000.0]), torch.zeros(2)),
    torch.tensor([0.761594, -1.0]) / 2,
    "The slope of log(cosh(r)) is an activation that you know",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        for scale in (1.0, 300.0):
            sizes = check.sizes(3)
            y_hat = scale * check.randn(*sizes, dtype=dtype, device=device)
            y = check.randn(*sizes, dtype=dtype, device=device)
            for delta in (0.4, 1.0, 2.5):
                leaf = y_hat.clone().requires_grad_()
                want = F.huber_loss(leaf, y, delta=delta)
                (gradient,) = torch.autograd.grad(want, leaf)
                why = f"Look at both sides of delta = {delta}"
                check.close(check.unchanged(huber, y_hat, y, delta), want, why)
                check.close(
                    check.unchanged(huber_grad, y_hat, y, delta) * y.numel(),
                    gradient * y.numel(),
                    why,
                )
            r = y_hat - y
            check.close(
                check.unchanged(log_cosh, y_hat, y),
                (torch.logaddexp(r, -r) - math.log(2)).mean(),
                "Near 0 it is r²/2, far out it is |r| − log 2",
            )
            check.close(
                check.unchanged(log_cosh_grad, y_hat, y) * y.numel(),
                torch.tanh(r),
                "Compare with the change of the loss; look far out too",
            )
for f in (log_cosh, log_cosh_grad):
    check.stays_on_device(f, check.randn(4, 3), check.randn(4, 3))
for f in (huber, huber_grad):
    check.stays_on_device(f, check.randn(4, 3), check.randn(4, 3), 0.7)
### END HIDDEN TESTS


# %% mistake="huber" name="jump"
def huber(y_hat, y, delta):
    """Your loss jumps at δ: the straight part must start where the parabola ends."""
    r = (y_hat - y).abs()
    return torch.where(r < delta, 0.5 * r**2, delta * r).mean()


# %% mistake="huber" name="smooth-l1"
def huber(y_hat, y, delta):
    """Yours is Huber divided by δ, which libraries call smooth L1. Its slope far out is 1, not δ."""
    r = (y_hat - y).abs()
    return torch.where(r < delta, 0.5 * r**2 / delta, r - 0.5 * delta).mean()


# %% mistake="huber" name="branches-swapped"
def huber(y_hat, y, delta):
    """You have the two branches the wrong way round: which residuals should be tamed?"""
    r = (y_hat - y).abs()
    return torch.where(r < delta, delta * r - 0.5 * delta**2, 0.5 * r**2).mean()


# %% mistake="huber" name="one-branch-for-the-batch"
def huber(y_hat, y, delta):
    """You chose one branch for the whole batch, by its largest residual. Each entry has its own."""
    r = (y_hat - y).abs()
    if r.max() < delta:
        return (0.5 * r**2).mean()
    return (delta * r - 0.5 * delta**2).mean()


# %% mistake="huber" name="sign-forgotten"
def huber(y_hat, y, delta):
    """You compared r with δ, and not |r|: large negative residuals go into the parabola."""
    r = y_hat - y
    return torch.where(r < delta, 0.5 * r**2, delta * r.abs() - 0.5 * delta**2).mean()


# %% mistake="huber" name="slope-without-sign"
def huber_grad(y_hat, y, delta):
    """Your slope far out is +δ on both sides. Which way does a negative residual pull?"""
    r = y_hat - y
    return torch.where(r.abs() < delta, r, torch.full_like(r, delta)) / y_hat.numel()


# %% mistake="huber" name="slope-one-far-out"
def huber_grad(y_hat, y, delta):
    """Your slope far out is ±1. How steep is δ|r|?"""
    r = y_hat - y
    return torch.where(r.abs() < delta, r, r.sign()) / y_hat.numel()


# %% mistake="huber" name="mean-forgotten"
def huber_grad(y_hat, y, delta):
    """Yours is the slope of the sum. The loss is a mean: over how many?"""
    return (y_hat - y).clamp(-delta, delta)


# %% mistake="huber" name="cosh-overflows"
def log_cosh(y_hat, y):
    """You took cosh first: from |r| = 89 on it is inf in float32, though its logarithm is small."""
    return torch.log(torch.cosh(y_hat - y)).mean()


# %% mistake="huber" name="log-two-missing"
def log_cosh(y_hat, y):
    """Your loss is not 0 for an exact prediction. There is a ½ in the definition of cosh."""
    r = (y_hat - y).abs()
    return (r + torch.log1p(torch.exp(-2 * r))).mean()


# %% mistake="huber" name="residual-with-its-sign"
def log_cosh(y_hat, y):
    """You took the same exponential out whatever the sign of r: on one side the other one is the larger."""
    r = y_hat - y
    return (r + torch.log1p(torch.exp(-2 * r)) - math.log(2)).mean()


# %% mistake="huber" name="quotient-overflows"
def log_cosh_grad(y_hat, y):
    """You divided sinh by cosh: far out that is inf/inf. The quotient has a name of its own."""
    r = y_hat - y
    return torch.sinh(r) / torch.cosh(r) / y_hat.numel()


# %% mistake="huber" name="library-call"
def huber(y_hat, y, delta):
    """You called the library's loss. Two branches and a mean are enough."""
    return F.huber_loss(y_hat, y, delta=delta)


# %% alternative="huber" name="clamped"
def huber(y_hat, y, delta):
    r = (y_hat - y).abs()
    inside = r.clamp(max=delta)
    return (inside * (r - 0.5 * inside)).mean()


def huber_grad(y_hat, y, delta):
    r = y_hat - y
    return torch.where(r.abs() < delta, r, delta * r.sign()) / r.numel()


def log_cosh(y_hat, y):
    r = y_hat - y
    return (torch.logaddexp(r, -r) - math.log(2)).mean()


def log_cosh_grad(y_hat, y):
    return (2 * torch.sigmoid(2 * (y_hat - y)) - 1) / y.numel()


# %% alternative="huber" name="softplus"
def log_cosh(y_hat, y):
    r = y_hat - y
    return (r + F.softplus(-2 * r) - math.log(2)).mean()


# %% alternative="huber" name="masks"
def huber(y_hat, y, delta):
    r = y_hat - y
    near = r.abs() <= delta
    return torch.cat([r[near] ** 2 / 2, delta * (r[~near].abs() - delta / 2)]).mean()


def huber_grad(y_hat, y, delta):
    r = y_hat - y
    return (
        torch.minimum(torch.maximum(r, torch.full_like(r, -delta)), torch.full_like(r, delta))
        / r.numel()
    )


# %% [markdown]
# ## Predicting how sure to be  ·  ●●○ · 4 min · 2 points
#
# Why the *square* of the error? Moerland ("Deterministic versus probabilistic loss") lets the net predict the
# parameters of a distribution from which $y$ is drawn. For a Gaussian, minus the log likelihood is
# $$-\log N(y \mid \mu, \sigma) = \frac{(y - \mu)^2}{2 \sigma^2} + \log \sigma + \tfrac12 \log 2\pi$$
# With a fixed $\sigma$ that is half the squared error over $\sigma^2$, plus a constant: MSE *is* maximum
# likelihood. **Predict**: the net may choose $\sigma$ for each example. Why doesn't it always choose a huge
# one? A tiny one?
#
# **Your turn.** The net gives $\log \sigma$, which may be any number, so that $\sigma = e^{\log \sigma}$ is
# positive by itself.


# %% answer="gaussian_nll"
def gaussian_nll(y: torch.Tensor, mu: torch.Tensor, log_sigma: torch.Tensor) -> torch.Tensor:
    """Mean of -log N(y | mu, sigma), sigma = exp(log_sigma), all three of one shape; a number."""
    ### BEGIN SOLUTION return the mean of all three terms
    return (0.5 * ((y - mu) * torch.exp(-log_sigma)) ** 2 + log_sigma).mean() + 0.5 * math.log(
        2 * math.pi
    )
    ### END SOLUTION


# %% test="gaussian_nll" points=2
check.by_hand(gaussian_nll, "gaussian_nll_loss", "GaussianNLLLoss", "Normal", "log_prob", "normal")
check.close(
    gaussian_nll(torch.tensor([1.0]), torch.tensor([1.0]), torch.tensor([0.0])),
    torch.tensor(0.918939),
    "An exact prediction with σ = 1 costs ½ log 2π",
)
check.close(
    gaussian_nll(
        torch.tensor([4.0, 0.0]), torch.tensor([0.0, 0.0]), torch.tensor([math.log(2.0), 0.0])
    ),
    torch.tensor((2.0 + math.log(2.0)) / 2 + 0.918939),
    "The first is off by two of its σ = 2, which costs 2; then log σ; then the mean",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        sizes = check.sizes(3)
        y = 2 * check.randn(*sizes, dtype=dtype, device=device)
        mu = check.randn(*sizes, dtype=dtype, device=device)
        log_sigma = check.uniform(-2, 3, *sizes, dtype=dtype, device=device)
        want = -torch.distributions.Normal(mu, log_sigma.exp()).log_prob(y).mean()
        check.close(check.unchanged(gaussian_nll, y, mu, log_sigma), want, "Compare term by term")
check.stays_on_device(gaussian_nll, check.randn(4, 3), check.randn(4, 3), check.randn(4, 3))
### END HIDDEN TESTS


# %% mistake="gaussian_nll" name="log-sigma-missing"
def gaussian_nll(y, mu, log_sigma):
    """You left out log σ: a huge σ would then make any error cheap."""
    return (0.5 * ((y - mu) * torch.exp(-log_sigma)) ** 2).mean() + 0.5 * math.log(2 * math.pi)


# %% mistake="gaussian_nll" name="log-sigma-for-sigma"
def gaussian_nll(y, mu, log_sigma):
    """You used log_sigma as if it were σ. It may be negative, and its exponential is σ."""
    return (0.5 * ((y - mu) / log_sigma) ** 2 + log_sigma.abs().log()).mean() + 0.5 * math.log(
        2 * math.pi
    )


# %% mistake="gaussian_nll" name="log-variance"
def gaussian_nll(y, mu, log_sigma):
    """You read log_sigma as the logarithm of the variance. Whose logarithm is it?"""
    return (0.5 * ((y - mu) ** 2 * torch.exp(-log_sigma) + log_sigma)).mean() + 0.5 * math.log(
        2 * math.pi
    )


# %% mistake="gaussian_nll" name="sigma-not-squared"
def gaussian_nll(y, mu, log_sigma):
    """You divided the squared error by σ. Which power of it stands in the formula?"""
    return (0.5 * (y - mu) ** 2 * torch.exp(-log_sigma) + log_sigma).mean() + 0.5 * math.log(
        2 * math.pi
    )


# %% mistake="gaussian_nll" name="constant-missing"
def gaussian_nll(y, mu, log_sigma):
    """You dropped the constant, as libraries often do. For training it makes no difference; here it belongs to the likelihood."""
    return (0.5 * ((y - mu) * torch.exp(-log_sigma)) ** 2 + log_sigma).mean()


# %% mistake="gaussian_nll" name="half-missing"
def gaussian_nll(y, mu, log_sigma):
    """The ½ in front of the squared error is missing."""
    return (((y - mu) * torch.exp(-log_sigma)) ** 2 + log_sigma).mean() + 0.5 * math.log(
        2 * math.pi
    )


# %% mistake="gaussian_nll" name="likelihood-itself"
def gaussian_nll(y, mu, log_sigma):
    """Yours is the log likelihood, to be made large. A loss is made small."""
    return -(0.5 * ((y - mu) * torch.exp(-log_sigma)) ** 2 + log_sigma).mean() - 0.5 * math.log(
        2 * math.pi
    )


# %% mistake="gaussian_nll" name="sum"
def gaussian_nll(y, mu, log_sigma):
    """You added up the examples. The mean is asked for."""
    terms = 0.5 * ((y - mu) * torch.exp(-log_sigma)) ** 2 + log_sigma + 0.5 * math.log(2 * math.pi)
    return terms.sum()


# %% mistake="gaussian_nll" name="constant-on-the-cpu"
def gaussian_nll(y, mu, log_sigma):
    """You made a tensor of constants on the CPU. A plain number is at home on every device."""
    terms = 0.5 * ((y - mu) * torch.exp(-log_sigma)) ** 2 + log_sigma
    return (terms + torch.full(y.shape, 0.5 * math.log(2 * math.pi), dtype=y.dtype)).mean()


# %% mistake="gaussian_nll" name="library-call"
def gaussian_nll(y, mu, log_sigma):
    """You asked the library for the likelihood. Three terms and a mean are enough."""
    return -torch.distributions.Normal(mu, log_sigma.exp()).log_prob(y).mean()


# %% alternative="gaussian_nll" name="variance"
def gaussian_nll(y, mu, log_sigma):
    variance = torch.exp(2 * log_sigma)
    return ((y - mu) ** 2 / (2 * variance) + log_sigma + 0.5 * math.log(2 * math.pi)).mean()


# %% alternative="gaussian_nll" name="log-of-the-density"
def gaussian_nll(y, mu, log_sigma):
    u = (y - mu) / log_sigma.exp()
    terms = math.log(math.sqrt(2 * math.pi)) + log_sigma + u * u / 2
    return terms.sum() / terms.numel()


# %% [markdown]
# ## Slides, checked
#
# Run a claim before you believe it, whoever makes it.

# %%
z, wrong = torch.tensor([[0.0, 1000.0]]), torch.tensor([0])
print("softmax, strictly positive?", torch.softmax(z, -1))
print("cross entropy of an outlier:", F.cross_entropy(z, wrong).item())
print("BCELoss, sure and wrong:", F.binary_cross_entropy(torch.ones(1), torch.zeros(1)).item())
p = torch.tensor([0.99, 0.5, 0.01])  # probability of the right class: good, undecided, bad
print("'squared log loss' with the slide's minus:", -(p.log() ** 2))
print(
    "'Tanimoto loss' of a good and a bad prediction:",
    [round((s / (s * s + 1 - s)).item(), 3) for s in (p[0], p[2])],
)
y_hat, y = torch.zeros(4, 1), torch.zeros(4)
print("shape of (4, 1) minus (4,):", tuple((y_hat - y).shape))

# %% [markdown]
# *What to see*: "strictly positive" (Rinnert, "Output Layer") holds on paper; floats have zeros. Karatzas ("Regression vs
# Classification") says that outliers saturate the softmax loss: the loss is 1000, what saturates is its
# *slope*. `BCELoss`, to which his "Check the Docs" also points, stops at 100: hand logits to
# `BCEWithLogitsLoss`. Two of Minhas's losses ("Multilayer Perceptron: Evaluation") have the wrong sign for
# something to be made small: the "squared log loss" is lowest, and the "Tanimoto loss" is too, for the bad
# prediction. And the most frequent bug in regression: (4, 1) minus (4,) is (4, 4), with no error at all.
#
# ## What it means, and where it fails
#
# Loss and output layer are a pair: softmax with cross entropy, sigmoids with BCE, no activation with the
# squared error. Each pair is a likelihood, and its slope is prediction minus truth. But a softmax of 0.99 is no
# promise of being right 99 times in 100: nets are often too sure, and softmax must choose even for a picture
# of nothing. Robust losses ignore outliers even where the outlier is the discovery. And a net that predicts
# its own $\sigma$ can explain hard examples away.
#
# **Three lines to remember**
# 1. Softmax sees differences only: shift each row so that its largest logit is 0.
# 2. Never take the logarithm of a probability: compute the logarithm, from logits.
# 3. The loss says what noise you believe in; its slope says how loud an outlier is.
#
# **Further reading**: Goodfellow, Bengio & Courville, *Deep Learning* (2016), sections 4.1 and 6.2 · Blanchard,
# Higham & Higham, *Accurately computing the log-sum-exp and softmax functions* (2021) · Guo et al., *On
# calibration of modern neural networks* (2017) · Janocha & Czarnecki, *On loss functions for deep neural
# networks in classification* (2017) · Next: 03_backprop.

# %%
import course

course.progress()
