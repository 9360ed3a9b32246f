# %% [markdown]
# # Diffusion models
#
# **You will be able to** turn data into noise in one step and know how much of it is left · train a net that
# finds the noise · walk back from noise to data, at random (DDPM) or on rails (DDIM) · measure why one big step
# fails · steer what comes out.
#
# **Decks** Minhas, "Diffusion Models" (three slides), "REO for Generative Models", "Performance Assessment of
# Generative Models", "Unconditional vs Conditional Generation"
#
# **Time** 60 minutes · **Points** 24 · ●○○ warm-up, ●●○ has a trap, ●●● needs thought.
# Your functions keep dtype and device, and leave their arguments as they were.

# %%
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from course import check, data, widgets

# %% [markdown]
# ## Can the film run backwards?
#
# A drop of ink spreads in a glass of water, and never gathers again. Minhas ("Diffusion Models") asks whether a
# net could learn to play that film in reverse: it would make ink drops out of clear water, that is, data out of
# noise.
#
# **Predict**: at which $t$ can you no longer tell moons from noise? And the digits? Then run it backwards.

# %%
widgets.diffusion.time()

# %% [markdown]
# *What to see*: forwards, points wander at random. Backwards they follow the arrows, and each arrow says where
# its place *expects* the noise to point. For these data the arrows are known exactly. Usually they aren't: then
# a net learns them.
#
# **Time, once and for all**: $x_0$ is data and $x_T$ is noise, as in the deck, and $t = 1 \dots T$ counts the
# steps between. So each schedule is a tensor of $T + 1$ numbers, and `schedule[t]` belongs to step $t$. At $t =
# 0$ nothing has happened: `betas[0]` is 0, `alpha_bar[0]` is 1.

# %% [markdown]
# ## How much noise, and when?  ·  ●○○ · 4 min · 2 points
#
# Step $t$ takes away the share $\beta_t$ of the variance and puts in as much noise. Of the data's variance
# $\bar\alpha_t = \prod_{s=1}^{t} (1 - \beta_s)$ is left after $t$ steps. **Predict** $\bar\alpha_{50}$ for fifty
# steps of $\beta = 0.1$.
#
# **Your turn.** Ho et al. let $\beta$ grow on a line.


# %% answer="linear_betas"
def linear_betas(T: int, first: float, last: float) -> torch.Tensor:
    """betas (T + 1,), float32: 0 at t = 0, then evenly from `first` at t = 1 to `last` at t = T > 1."""
    ### BEGIN SOLUTION return one number for each t from 0 to T
    return torch.cat([torch.zeros(1), torch.linspace(first, last, T)])
    ### END SOLUTION


def alpha_bar_of(betas: torch.Tensor) -> torch.Tensor:
    """Share of the data's variance that is left at each t; betas (T + 1,), returns (T + 1,)."""
    ### BEGIN SOLUTION return what is left after all steps up to t
    return (1 - betas).cumprod(0)
    ### END SOLUTION


# %%
widgets.diffusion.schedules(linear_betas, alpha_bar_of)

# %% [markdown]
# *What to see*: yours must run through the rings. With a small last $\beta$ the film is cut short: at $t = T$
# much of the signal is left, and walks that start from pure noise start in the wrong place.

# %% test="linear_betas" points=2
betas = linear_betas(4, 0.1, 0.4)
check.close(
    betas, torch.tensor([0.0, 0.1, 0.2, 0.3, 0.4]), "Five numbers: before, and after each step"
)
check.close(
    check.unchanged(alpha_bar_of, torch.tensor([0.0, 0.5, 0.2, 0.1])),
    torch.tensor([1.0, 0.5, 0.4, 0.36]),
    "After the second step a half, less its fifth, is left",
)
### BEGIN HIDDEN TESTS
for T in (2, *check.sizes(2, 7, 40), 1000):
    first, last = sorted(check.uniform(0.0001, 0.3, 2).tolist())
    want = [0.0] + [first + (last - first) * (t - 1) / (T - 1) for t in range(1, T + 1)]
    got = linear_betas(T, first, last)
    check.close(got, torch.tensor(want), f"Look at t = 0, 1 and T, for T = {T}", tol=1e-5)
for device in check.devices():
    for dtype in check.dtypes():
        betas = check.uniform(0.01, 0.3, 23, dtype=dtype, device=device)
        betas[0] = 0
        want = torch.stack([(1 - betas[: t + 1]).prod() for t in range(23)])
        check.close(
            check.unchanged(alpha_bar_of, betas), want, "Each step leaves a share of what was left"
        )
check.stays_on_device(alpha_bar_of, check.uniform(0.01, 0.3, 9))
### END HIDDEN TESTS


# %% mistake="linear_betas" name="no-step-zero"
def linear_betas(T, first, last):
    """You returned T numbers. Step t is to be found at index t, and t = 0 needs an entry too."""
    return torch.linspace(first, last, T)


# %% mistake="linear_betas" name="first-at-zero"
def linear_betas(T, first, last):
    """You began the line at t = 0. What happens to the data before the first step?"""
    return torch.linspace(first, last, T + 1)


# %% mistake="linear_betas" name="line-from-zero"
def linear_betas(T, first, last):
    """Your line has T pieces where there are T - 1 between step 1 and step T: `first` is never reached."""
    betas = first + (last - first) * torch.arange(T + 1) / T
    betas[0] = 0
    return betas


# %% mistake="linear_betas" name="summed"
def alpha_bar_of(betas):
    """You added the betas up. Each step takes its share of what is left, not of what there was at first."""
    return 1 - betas.cumsum(0)


# %% mistake="linear_betas" name="alphas-summed"
def alpha_bar_of(betas):
    """You summed the shares that stay. Half of a half is not one."""
    return (1 - betas).cumsum(0)


# %% mistake="linear_betas" name="betas-multiplied"
def alpha_bar_of(betas):
    """You multiplied the shares that go. Which shares stay?"""
    return betas.cumprod(0)


# %% mistake="linear_betas" name="one-step-only"
def alpha_bar_of(betas):
    """You returned what one step leaves. What have the steps before it left?"""
    return 1 - betas


# %% mistake="linear_betas" name="one-late"
def alpha_bar_of(betas):
    """Your shares come one step late: at t the step t itself has happened."""
    return torch.cat([torch.ones_like(betas[:1]), (1 - betas).cumprod(0)[:-1]])


# %% mistake="linear_betas" name="root"
def alpha_bar_of(betas):
    """You took the root: that is the factor on the signal. Its share of the variance was asked for."""
    return (1 - betas).cumprod(0).sqrt()


# %% mistake="linear_betas" name="in-place"
def alpha_bar_of(betas):
    """You wrote into the caller's betas. They are still needed."""
    betas.neg_().add_(1)
    return betas.cumprod(0)


# %% mistake="linear_betas" name="filled-on-the-cpu"
def alpha_bar_of(betas):
    """You filled a new tensor on the CPU. Think about where the betas are."""
    out = torch.ones(betas.shape, dtype=betas.dtype)
    for t in range(1, len(betas)):
        out[t] = out[t - 1] * (1 - betas[t])
    return out


# %% alternative="linear_betas" name="loops"
def linear_betas(T, first, last):
    return torch.tensor([0.0] + [first + (last - first) * t / (T - 1) for t in range(T)])


def alpha_bar_of(betas):
    left = [1 - betas[0]]
    for beta in betas[1:]:
        left.append(left[-1] * (1 - beta))
    return torch.stack(left)


# %% alternative="linear_betas" name="logarithms"
def linear_betas(T, first, last):
    betas = torch.empty(T + 1)
    betas[0] = 0
    betas[1:] = first + (last - first) * torch.linspace(0, 1, T)
    return betas


def alpha_bar_of(betas):
    return torch.log1p(-betas).cumsum(0).exp()


# %% [markdown]
# ## A schedule that hurries less  ·  ●●○ · 4 min · 2 points
#
# On the line, much of the film is hardly more than noise. Nichol and Dhariwal (on Minhas's list) choose
# $\bar\alpha$ first: $\bar\alpha_t = f(t)/f(0)$ with $f(t) = \cos^2\!\left(\frac{t/T + s}{1 + s} \cdot
# \frac\pi2\right)$. The last step would take everything, and what is 0 can't be divided by; so no step may leave
# less than a thousandth of what it found.
#
# **Your turn.**


# %% answer="cosine_alpha_bar"
def cosine_alpha_bar(T: int, s: float = 0.008) -> torch.Tensor:
    """alpha_bar (T + 1,), float32: 1 at t = 0; alpha_bar[t] is at least 0.001 alpha_bar[t - 1]."""
    ### BEGIN SOLUTION return f(t) / f(0), with the last step held back
    f = ((torch.arange(T + 1) / T + s) / (1 + s) * (math.pi / 2)).cos() ** 2
    stays = (f[1:] / f[:-1]).clamp(min=0.001)
    return torch.cat([torch.ones(1), stays.cumprod(0)])
    ### END SOLUTION


# %%
widgets.diffusion.schedules(linear_betas, alpha_bar_of, cosine_alpha_bar)

# %% [markdown]
# *What to see*: the cosine spends its steps where signal and noise are of a size. The dotted line is a third
# schedule: $\log(\bar\alpha/(1 - \bar\alpha))$ falls on a line. The rest of the notebook uses that one, so
# nothing above can cost you points below.

# %% test="cosine_alpha_bar" points=2
check.close(
    cosine_alpha_bar(4),
    torch.tensor([1.0, 0.847012, 0.493844, 0.144272, 0.000144272]),
    "Four steps: f(1)/f(0) first. The last step leaves a thousandth",
    tol=1e-5,
)
### BEGIN HIDDEN TESTS
for T in (*check.sizes(2, 9, 60), 300):
    s = float(check.uniform(0.002, 0.05, 1))
    u = (torch.arange(T + 1, dtype=torch.float64) / T + s) / (1 + s)
    want = (1 + (math.pi * u).cos()) / (1 + math.cos(math.pi * s / (1 + s)))
    want[T] = want[T - 1] / 1000
    got = cosine_alpha_bar(T, s)
    check.close(got, want.float(), f"Compare with f(t)/f(0) for s = {s:.3f}")
    check.finite(got.log(), "Nothing may be left nowhere: hold the last step back")
    check.close(
        (got / want.float())[-3:], torch.ones(3), "Look at the ratio of the last two", tol=2e-3
    )
check.close(cosine_alpha_bar(12), cosine_alpha_bar(12, 0.008), "Keep the default s")
### END HIDDEN TESTS


# %% mistake="cosine_alpha_bar" name="no-square"
def cosine_alpha_bar(T, s=0.008):
    """You left the square out: yours is the factor on the signal, not its share of the variance."""
    f = ((torch.arange(T + 1) / T + s) / (1 + s) * (math.pi / 2)).cos()
    stays = (f[1:] / f[:-1]).clamp(min=0.001)
    return torch.cat([torch.ones(1), stays.cumprod(0)])


# %% mistake="cosine_alpha_bar" name="not-divided-by-f0"
def cosine_alpha_bar(T, s=0.008):
    """Yours begins below 1: with s > 0, f(0) is not 1. What has the formula below the line?"""
    f = ((torch.arange(T + 1) / T + s) / (1 + s) * (math.pi / 2)).cos() ** 2
    stays = (f[1:] / f[:-1]).clamp(min=0.001)
    return f[0] * torch.cat([torch.ones(1), stays.cumprod(0)])


# %% mistake="cosine_alpha_bar" name="whole-turn"
def cosine_alpha_bar(T, s=0.008):
    """Your angle runs to π, where the cosine is back at its full size. How far should it run?"""
    f = ((torch.arange(T + 1) / T + s) / (1 + s) * math.pi).cos() ** 2
    return f / f[0]


# %% mistake="cosine_alpha_bar" name="not-held-back"
def cosine_alpha_bar(T, s=0.008):
    """Your last step takes everything. Divide by its root later, and there is no number any more."""
    f = ((torch.arange(T + 1) / T + s) / (1 + s) * (math.pi / 2)).cos() ** 2
    return f / f[0]


# %% mistake="cosine_alpha_bar" name="floor-for-the-share"
def cosine_alpha_bar(T, s=0.008):
    """You put a floor under alpha_bar itself. The limit is on what one step leaves of what it found."""
    f = ((torch.arange(T + 1) / T + s) / (1 + s) * (math.pi / 2)).cos() ** 2
    return (f / f[0]).clamp(min=0.001)


# %% mistake="cosine_alpha_bar" name="offset-not-scaled"
def cosine_alpha_bar(T, s=0.008):
    """You added s and did not divide by 1 + s: your angle runs past the quarter turn."""
    f = ((torch.arange(T + 1) / T + s) * (math.pi / 2)).cos() ** 2
    stays = (f[1:] / f[:-1]).clamp(min=0.001)
    return torch.cat([torch.ones(1), stays.cumprod(0)])


# %% mistake="cosine_alpha_bar" name="offset-ignored"
def cosine_alpha_bar(T, s=0.008):
    """Your curve doesn't depend on s. Which two places does it have in f?"""
    f = (torch.arange(T + 1) / T * (math.pi / 2)).cos() ** 2
    stays = (f[1:] / f[:-1]).clamp(min=0.001)
    return torch.cat([torch.ones(1), stays.cumprod(0)])


# %% mistake="cosine_alpha_bar" name="one-ahead"
def cosine_alpha_bar(T, s=0.008):
    """You started at t = 1: each share comes one step early, and the 1 at t = 0 is missing."""
    f = ((torch.arange(T + 2) / T + s) / (1 + s) * (math.pi / 2)).cos() ** 2
    stays = (f[1:] / f[:-1]).clamp(min=0.001)
    return stays.cumprod(0)


# %% mistake="cosine_alpha_bar" name="sine"
def cosine_alpha_bar(T, s=0.008):
    """Yours rises: you took the share of the noise. Which of sine and cosine starts at 1?"""
    f = ((torch.arange(T + 1) / T + s) / (1 + s) * (math.pi / 2)).sin() ** 2
    return f / f[-1]


# %% alternative="cosine_alpha_bar" name="from-betas"
def cosine_alpha_bar(T, s=0.008):
    angle = (torch.linspace(0, 1, T + 1) + s) / (1 + s) * math.pi / 2
    a = torch.cos(angle).square()
    a = a / a[0]
    betas = (1 - a[1:] / a[:-1]).clamp(max=0.999)
    return F.pad(torch.cumprod(1 - betas, 0), (1, 0), value=1.0)


# %% alternative="cosine_alpha_bar" name="loop"
def cosine_alpha_bar(T, s=0.008):
    def f(t):
        return math.cos((t / T + s) / (1 + s) * math.pi / 2) ** 2

    left = [1.0]
    for t in range(1, T + 1):
        left.append(max(f(t) / f(0), 0.001 * left[-1]))
    return torch.tensor(left)


# %% [markdown]
# ## One step into the noise  ·  ●○○ · 3 min · 1 point
#
# $x_t = \sqrt{1 - \beta_t}\, x_{t-1} + \sqrt{\beta_t}\, \epsilon$ with $\epsilon \sim N(0, 1)$. $\beta$ is a
# *variance*, and variances add: data of variance 1 keep it. The deck speaks of noise "added to $x_0$"; mind
# that the data shrink as well.


# %% answer="q_step"
def q_step(x: torch.Tensor, t: int, noise: torch.Tensor, betas: torch.Tensor) -> torch.Tensor:
    """x_t from x_{t-1} and the noise (standard normal) of step t.

    x (...) and noise (...) of one shape, t from 1 to T, betas (T + 1,). Returns the shape of x.
    """
    ### BEGIN SOLUTION return the shrunk x with noise of variance beta added
    return (1 - betas[t]).sqrt() * x + betas[t].sqrt() * noise
    ### END SOLUTION


# %% test="q_step" points=1
check.close(
    q_step(torch.tensor([10.0, 0.0]), 1, torch.tensor([0.0, 10.0]), torch.tensor([0.0, 0.36])),
    torch.tensor([8.0, 6.0]),
    "With beta = 0.36 the signal keeps 0.64 of its variance. What does it keep of its length?",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        T = check.sizes(1, 4, 9)[0]
        betas = check.uniform(0.02, 0.6, T + 1, dtype=dtype, device=device)
        betas[0] = 0
        x, noise = (check.randn(5, 3, 2, dtype=dtype, device=device) for _ in range(2))
        for t in (1, T // 2, T):
            beta = float(betas[t])
            want = math.sqrt(1 - beta) * x + math.sqrt(beta) * noise
            check.close(check.unchanged(q_step, x, t, noise, betas), want, "Compare at other t")
check.stays_on_device(
    q_step, check.randn(4, 3), 2, check.randn(4, 3), torch.tensor([0.0, 0.1, 0.3])
)
### END HIDDEN TESTS


# %% mistake="q_step" name="variance-for-deviation"
def q_step(x, t, noise, betas):
    """You scaled the noise by a variance. What scales a standard normal number is a standard deviation."""
    return (1 - betas[t]).sqrt() * x + betas[t] * noise


# %% mistake="q_step" name="signal-without-root"
def q_step(x, t, noise, betas):
    """You scaled the signal by its share of the variance. Its length shrinks less."""
    return (1 - betas[t]) * x + betas[t].sqrt() * noise


# %% mistake="q_step" name="no-roots"
def q_step(x, t, noise, betas):
    """You mixed signal and noise like paint, without roots: your variance falls where it should stay."""
    return (1 - betas[t]) * x + betas[t] * noise


# %% mistake="q_step" name="signal-kept"
def q_step(x, t, noise, betas):
    """You added the noise and left the signal as large as it was: after many steps your points fly away."""
    return x + betas[t].sqrt() * noise


# %% mistake="q_step" name="step-before"
def q_step(x, t, noise, betas):
    """You took the beta of the step before. Step t has index t here."""
    return (1 - betas[t - 1]).sqrt() * x + betas[t - 1].sqrt() * noise


# %% mistake="q_step" name="swapped"
def q_step(x, t, noise, betas):
    """You swapped the two factors: with a small beta hardly any signal is left."""
    return betas[t].sqrt() * x + (1 - betas[t]).sqrt() * noise


# %% mistake="q_step" name="all-steps-at-once"
def q_step(x, t, noise, betas):
    """You took all steps up to t at once. Here x is what step t - 1 left, and one step is asked for."""
    left = (1 - betas[: t + 1]).prod()
    return left.sqrt() * x + (1 - left).sqrt() * noise


# %% mistake="q_step" name="in-place"
def q_step(x, t, noise, betas):
    """You shrank the caller's own x. Work on a new tensor."""
    x *= (1 - betas[t]).sqrt()
    return x + betas[t].sqrt() * noise


# %% mistake="q_step" name="factors-on-the-cpu"
def q_step(x, t, noise, betas):
    """You built a tensor of factors on the CPU. Think about where x is."""
    beta = float(betas[t])
    return torch.full(x.shape, math.sqrt(1 - beta), dtype=x.dtype) * x + math.sqrt(beta) * noise


# %% alternative="q_step" name="plain-numbers"
def q_step(x, t, noise, betas):
    beta = betas[t].item()
    return math.sqrt(1 - beta) * x + math.sqrt(beta) * noise


# %% alternative="q_step" name="powers"
def q_step(x, t, noise, betas):
    return torch.addcmul(x * torch.pow(1 - betas[t], 0.5), noise, betas[t] ** 0.5)


# %% [markdown]
# ## All steps at once  ·  ●●○ · 5 min · 2 points
#
# Put $x_{t-1}$ into $x_t$ again and again: signal factors multiply, noise variances add, and a sum of normal
# numbers is normal. What remains is one draw: $x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\,
# \epsilon$. So training can jump to any $t$.
#
# **Your turn.** Each row of the batch has a $t$ of its own; mind the shapes.


# %% answer="q_sample"
def q_sample(
    x0: torch.Tensor, t: torch.Tensor, noise: torch.Tensor, alpha_bar: torch.Tensor
) -> torch.Tensor:
    """x_t from x_0, in one draw.

    x0 (n, ...) with any number of further dimensions, noise of the same shape, t (n,) int64 from 0 to T, one
    for each row, alpha_bar (T + 1,). Returns the shape of x0.
    """
    ### BEGIN SOLUTION return signal and noise, each row mixed for its own t
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    return a.sqrt() * x0 + (1 - a).sqrt() * noise
    ### END SOLUTION


# %%
widgets.diffusion.time(q_sample)

# %% [markdown]
# *What to see*: your cloud jumps to where the film's points walked. Single points lie elsewhere, the clouds agree,
# and the caption says how far.

# %% test="q_sample" points=2
a = torch.tensor([1.0, 0.64, 0.36])
x0, noise = torch.tensor([[10.0, 0.0], [10.0, 0.0], [0.0, 5.0]]), torch.tensor([[0.0, 10.0]] * 3)
check.close(
    q_sample(x0, torch.tensor([1, 2, 0]), noise, a),
    torch.tensor([[8.0, 6.0], [6.0, 8.0], [0.0, 5.0]]),
    "Each row has its own t; at t = 0 nothing has happened",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        T = check.sizes(1, 6, 12)[0]
        betas = check.uniform(0.05, 0.4, T + 1, dtype=dtype, device=device)
        betas[0] = 0
        a = (1 - betas).log().cumsum(0).exp()
        for shape in ((9, 2), (9,), (9, 3, 4, 5)):
            x0, noise = (check.randn(*shape, dtype=dtype, device=device) for _ in range(2))
            t = check.integers(0, T + 1, 9, device=device)
            t[:3] = torch.tensor([T, 0, 1])
            rows = [
                math.sqrt(float(a[i])) * x + math.sqrt(1 - float(a[i])) * e
                for i, x, e in zip(t.tolist(), x0, noise, strict=True)
            ]
            check.close(
                check.unchanged(q_sample, x0, t, noise, a),
                torch.stack(rows),
                f"Compare row by row, for x0 of shape {shape}",
                tol=1e-4 if dtype == torch.float32 else 1e-7,
            )
        # Many single steps have this mean and this variance.
        one = torch.ones(T, 1, dtype=dtype, device=device)
        t = torch.arange(1, T + 1, device=device)
        mean, variance, means, variances = 1.0, 0.0, [], []
        for beta in betas[1:].tolist():
            mean, variance = math.sqrt(1 - beta) * mean, (1 - beta) * variance + beta
            means.append(mean)
            variances.append(variance)
        got = q_sample(one, t, 0 * one, a)[:, 0]
        check.close(got, torch.tensor(means).to(got), "The mean of t single steps", tol=1e-4)
        got = q_sample(0 * one, t, one, a)[:, 0] ** 2
        check.close(got, torch.tensor(variances).to(got), "Their variance", tol=1e-4)
check.stays_on_device(
    q_sample,
    check.randn(4, 3),
    torch.tensor([2, 0, 1, 2]),
    check.randn(4, 3),
    torch.tensor([1.0, 0.8, 0.3]),
)
### END HIDDEN TESTS


# %% mistake="q_sample" name="alpha-for-alpha-bar"
def q_sample(x0, t, noise, alpha_bar):
    """You used the alpha of step t alone. All the steps before it have taken their share too."""
    alpha = torch.cat([alpha_bar[:1], alpha_bar[1:] / alpha_bar[:-1]])
    a = alpha[t].reshape(-1, *[1] * (x0.dim() - 1))
    return a.sqrt() * x0 + (1 - a).sqrt() * noise


# %% mistake="q_sample" name="variance-for-deviation"
def q_sample(x0, t, noise, alpha_bar):
    """You scaled the noise by its variance. A standard normal number is scaled by a standard deviation."""
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    return a.sqrt() * x0 + (1 - a) * noise


# %% mistake="q_sample" name="no-roots"
def q_sample(x0, t, noise, alpha_bar):
    """You left both roots out. Shares of the variance are not factors on the values."""
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    return a * x0 + (1 - a) * noise


# %% mistake="q_sample" name="rooted-twice"
def q_sample(x0, t, noise, alpha_bar):
    """You took the noise's factor as one minus the signal's factor. Which of their powers add up to 1?"""
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1)).sqrt()
    return a * x0 + (1 - a) * noise


# %% mistake="q_sample" name="one-step-early"
def q_sample(x0, t, noise, alpha_bar):
    """You looked up t - 1. In these tables step t has index t, and t = 0 is the data."""
    a = alpha_bar[(t - 1).clamp(min=0)].reshape(-1, *[1] * (x0.dim() - 1))
    return a.sqrt() * x0 + (1 - a).sqrt() * noise


# %% mistake="q_sample" name="one-t-for-all"
def q_sample(x0, t, noise, alpha_bar):
    """You noised the whole batch for the first row's t. Each row has its own."""
    a = alpha_bar[t[0]]
    return a.sqrt() * x0 + (1 - a).sqrt() * noise


# %% mistake="q_sample" name="swapped"
def q_sample(x0, t, noise, alpha_bar):
    """You swapped signal and noise: at t = 0 yours is all noise."""
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    return (1 - a).sqrt() * x0 + a.sqrt() * noise


# %% mistake="q_sample" name="two-dimensions-only"
def q_sample(x0, t, noise, alpha_bar):
    """Yours works for rows of numbers alone. Images have more dimensions, single numbers fewer."""
    a = alpha_bar[t].unsqueeze(-1)
    return a.sqrt() * x0 + (1 - a).sqrt() * noise


# %% mistake="q_sample" name="in-place"
def q_sample(x0, t, noise, alpha_bar):
    """You scaled the caller's noise in place. It is the target of the training: it is still needed."""
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    noise *= (1 - a).sqrt()
    return a.sqrt() * x0 + noise


# %% mistake="q_sample" name="factors-on-the-cpu"
def q_sample(x0, t, noise, alpha_bar):
    """You copied the factors into a new tensor on the CPU. Think about where x0 is."""
    a = torch.tensor([alpha_bar[i].item() for i in t], dtype=x0.dtype)
    a = a.reshape(-1, *[1] * (x0.dim() - 1))
    return a.sqrt() * x0 + (1 - a).sqrt() * noise


# %% alternative="q_sample" name="einsum"
def q_sample(x0, t, noise, alpha_bar):
    a = alpha_bar[t]
    return torch.einsum("n,n...->n...", a.sqrt(), x0) + torch.einsum(
        "n,n...->n...", (1 - a).sqrt(), noise
    )


# %% alternative="q_sample" name="row-by-row"
def q_sample(x0, t, noise, alpha_bar):
    signal, rest = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
    return torch.stack([signal[i] * x + rest[i] * e for i, x, e in zip(t, x0, noise)])


# %% alternative="q_sample" name="transposed"
def q_sample(x0, t, noise, alpha_bar):
    a = torch.gather(alpha_bar, 0, t)
    mixed = a**0.5 * x0.movedim(0, -1) + (1 - a) ** 0.5 * noise.movedim(0, -1)
    return mixed.movedim(-1, 0)


# %% [markdown]
# ## Who knows the noise knows the data  ·  ●○○ · 3 min · 1 point
#
# Solve the closed form for $x_0$. With the true $\epsilon$ you get the data back exactly; with a *guess* of
# $\epsilon$, a guess of the data. **Predict**: at $t = T$, how does an error of 0.01 in $\epsilon$ show in
# $x_0$?


# %% answer="predict_x0"
def predict_x0(
    xt: torch.Tensor, t: torch.Tensor, eps: torch.Tensor, alpha_bar: torch.Tensor
) -> torch.Tensor:
    """The x_0 that gives xt (n, ...) if the noise was eps (n, ...); t (n,), alpha_bar (T + 1,)."""
    ### BEGIN SOLUTION return x_0 from the closed form, solved for it
    a = alpha_bar[t].reshape(-1, *[1] * (xt.dim() - 1))
    return (xt - (1 - a).sqrt() * eps) / a.sqrt()
    ### END SOLUTION


# %%
widgets.diffusion.guess(predict_x0)

# %% [markdown]
# *What to see*: on the left noised data, on the right what your function makes of the best possible guess of
# their noise. With little noise it finds each point's home. Near $T$ all guesses shrink to one place: the mean
# of all data.

# %% test="predict_x0" points=1
check.close(
    predict_x0(
        torch.tensor([[8.0, 6.0]]),
        torch.tensor([1]),
        torch.tensor([[0.0, 10.0]]),
        torch.tensor([1.0, 0.64]),
    ),
    torch.tensor([[10.0, 0.0]]),
    "This was (10, 0) before 0.8 of it was mixed with 0.6 of the noise",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        T = check.sizes(1, 5, 9)[0]
        a = check.uniform(0.1, 0.9, T + 1, dtype=dtype, device=device).sort(descending=True).values
        a[0] = 1
        for shape in ((8, 3), (8, 2, 3, 4), (8,)):
            x0, eps = (check.randn(*shape, dtype=dtype, device=device) for _ in range(2))
            t = check.integers(0, T + 1, 8, device=device)
            t[:3] = torch.tensor([T, 0, 1])
            rows = [
                math.sqrt(float(a[i])) * x + math.sqrt(1 - float(a[i])) * e
                for i, x, e in zip(t.tolist(), x0, eps, strict=True)
            ]
            check.close(
                check.unchanged(predict_x0, torch.stack(rows), t, eps, a),
                x0,
                f"Noise some x0 of shape {shape}, and get it back",
                tol=1e-4 if dtype == torch.float32 else 1e-7,
            )
check.stays_on_device(
    predict_x0,
    check.randn(3, 2),
    torch.tensor([2, 0, 1]),
    check.randn(3, 2),
    torch.tensor([1.0, 0.8, 0.3]),
)
### END HIDDEN TESTS


# %% mistake="predict_x0" name="wrong-sign"
def predict_x0(xt, t, eps, alpha_bar):
    """You added the noise once more. It is in xt already."""
    a = alpha_bar[t].reshape(-1, *[1] * (xt.dim() - 1))
    return (xt + (1 - a).sqrt() * eps) / a.sqrt()


# %% mistake="predict_x0" name="not-enlarged"
def predict_x0(xt, t, eps, alpha_bar):
    """You took the noise away and left the signal small. What was it multiplied by?"""
    a = alpha_bar[t].reshape(-1, *[1] * (xt.dim() - 1))
    return xt - (1 - a).sqrt() * eps


# %% mistake="predict_x0" name="noise-not-scaled"
def predict_x0(xt, t, eps, alpha_bar):
    """You took away the whole of the noise. Only a part of it went into xt."""
    a = alpha_bar[t].reshape(-1, *[1] * (xt.dim() - 1))
    return (xt - eps) / a.sqrt()


# %% mistake="predict_x0" name="no-roots"
def predict_x0(xt, t, eps, alpha_bar):
    """You left the roots out: alpha_bar is a share of the variance."""
    a = alpha_bar[t].reshape(-1, *[1] * (xt.dim() - 1))
    return (xt - (1 - a) * eps) / a


# %% mistake="predict_x0" name="only-signal-divided"
def predict_x0(xt, t, eps, alpha_bar):
    """You divided xt and left the noise outside the division. Solve for x_0 once more, with brackets."""
    a = alpha_bar[t].reshape(-1, *[1] * (xt.dim() - 1))
    return xt / a.sqrt() - (1 - a).sqrt() * eps


# %% mistake="predict_x0" name="one-step-early"
def predict_x0(xt, t, eps, alpha_bar):
    """You looked up t - 1. In these tables step t has index t."""
    a = alpha_bar[(t - 1).clamp(min=0)].reshape(-1, *[1] * (xt.dim() - 1))
    return (xt - (1 - a).sqrt() * eps) / a.sqrt()


# %% mistake="predict_x0" name="one-t-for-all"
def predict_x0(xt, t, eps, alpha_bar):
    """You used the first row's t for the whole batch."""
    a = alpha_bar[t[0]]
    return (xt - (1 - a).sqrt() * eps) / a.sqrt()


# %% mistake="predict_x0" name="in-place"
def predict_x0(xt, t, eps, alpha_bar):
    """You took the noise out of the caller's own xt. The walk still needs it."""
    a = alpha_bar[t].reshape(-1, *[1] * (xt.dim() - 1))
    xt -= (1 - a).sqrt() * eps
    return xt / a.sqrt()


# %% alternative="predict_x0" name="noise-over-signal"
def predict_x0(xt, t, eps, alpha_bar):
    a = alpha_bar[t].view([len(t)] + [1] * (xt.dim() - 1))
    return xt * a.rsqrt() - (1 / a - 1).sqrt() * eps


# %% alternative="predict_x0" name="row-by-row"
def predict_x0(xt, t, eps, alpha_bar):
    rows = []
    for x, i, e in zip(xt, t, eps):
        rows.append((x - torch.sqrt(1 - alpha_bar[i]) * e) / torch.sqrt(alpha_bar[i]))
    return torch.stack(rows)


# %% [markdown]
# ## What the net is asked  ·  ●●● · 7 min · 3 points
#
# $\min_\theta E_{t, x_0, \epsilon}\,|\epsilon - \epsilon_\theta(x_t, t)|^2$ (Minhas, "Diffusion Models"). For
# each row of a batch draw a $t$ and a noise, jump to $x_t$, ask the net for the noise, take the squared error. A
# regression, with as many examples as you care to draw. (Where the deck sums over coordinates, take the mean.)
#
# **Predict**: can this loss reach 0?
#
# **Your turn.** `generator` lives on the CPU: draw there, then move to where `x0` is. `seeded_loss` is given,
# and used by the test.


# %% answer="diffusion_loss"
def diffusion_loss(
    model: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    x0: torch.Tensor,
    alpha_bar: torch.Tensor,
    generator: torch.Generator,
) -> torch.Tensor:
    """Mean over rows and coordinates of (noise - model(x_t, t))^2, shape (), with its gradient.

    Each row of x0 (n, ...) gets its own t, evenly from 1 to T, and its own standard normal noise, all drawn
    with `generator`. alpha_bar (T + 1,). The model takes x (n, ...), t (n,) int64 and returns the shape of x.
    """
    ### BEGIN SOLUTION return one number that backward() can be called on
    t = torch.randint(1, len(alpha_bar), x0.shape[:1], generator=generator).to(x0.device)
    noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype).to(x0.device)
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    return F.mse_loss(model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t), noise)
    ### END SOLUTION


def seeded_loss(
    model: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    x0: torch.Tensor,
    alpha_bar: torch.Tensor,
    seed: int,
) -> torch.Tensor:
    """Given: `diffusion_loss` with a generator made from `seed`."""
    return diffusion_loss(model, x0, alpha_bar, torch.Generator().manual_seed(seed))


# %% [markdown]
# The best answer to "which noise?" is the mean of all noises that could have led here, and it stays wrong: the
# loss has a floor. The arrows of the film are that best answer, drawn backwards.

# %% test="diffusion_loss" points=3
alpha_bar = torch.tensor([1.0, 0.8, 0.5, 0.2])
asked = []


def model(x, t):
    asked.append((x, t))
    return torch.tanh(x) + 0.1 * t.reshape(-1, *[1] * (x.dim() - 1)).to(x.dtype)


loss = seeded_loss(model, torch.zeros(2000, 3), alpha_bar, 1)
check.shape(loss, ())
check.true(len(asked) == 1, "Ask the model once, for the whole batch")
x, t = asked[-1]
check.shape(x, (2000, 3))
check.shape(t, (2000,))
check.dtype(t, torch.int64)
check.equal(t.unique().tolist(), [1, 2, 3], "With T = 3, which t are there to be drawn?")
# x0 is 0 here, so x_t is noise alone, and the noise can be worked out
noise = x / (1 - alpha_bar[t])[:, None].sqrt()
check.true(0.9 < noise.std() < 1.1, "The noise should be standard normal before it is mixed in")
check.close(loss, F.mse_loss(model(x, t), noise), "The mean of (noise - what the model says)²")
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        T, d = check.sizes(2, 4, 7)
        n = 1800
        a = check.uniform(0.1, 0.9, T + 1, dtype=dtype, device=device).sort(descending=True).values
        a[0] = 1
        seed = int(check.integers(0, 10**6, 1))
        x0 = 1 + 2 * check.randn(n, d, dtype=dtype, device=device)
        asked.clear()
        loss = check.unchanged(seeded_loss, model, x0, a, seed)
        x, t = asked[0]
        check.shape(x, (n, d))
        check.equal(t.cpu().unique().tolist(), list(range(1, T + 1)), "t runs from 1 to T")
        counts = t.cpu().bincount()[1:]
        check.true(
            counts.min() > 0.6 * n / T and counts.max() < 1.4 * n / T,
            "Each t should be drawn about as often as any other",
        )
        mixed = a[t][:, None]
        noise = (x - mixed.sqrt() * x0) / (1 - mixed).sqrt()
        check.true(
            abs(noise.mean()) < 0.1 and abs(noise.std() - 1) < 0.1,
            "What was mixed into x0 is not standard normal noise: look at q_sample's factors",
        )
        kurtosis = (noise**4).mean() / (noise**2).mean() ** 2
        check.true(2.3 < kurtosis < 3.7, "The noise should be normal: look at how it is drawn")
        check.true(
            (noise[1:] - noise[:-1]).std() > 1.2 and (noise[:, 1] - noise[:, 0]).std() > 1.2,
            "Each row and each coordinate needs noise of its own",
        )
        want = F.mse_loss(model(x, t), noise)
        check.close(loss, want, "The target is the noise that was mixed in", tol=1e-3)
        check.close(seeded_loss(model, x0, a, seed), loss, "The same seed must repeat the loss")
        other = seeded_loss(model, x0, a, seed + 1)
        check.true(abs(float(other - loss)) > 1e-9, "Another seed, and the loss is the same")
x0 = check.randn(5, 2, 3, 4)
check.shape(seeded_loss(model, x0, a.float().cpu(), 3), ())
leaf = x0.clone().requires_grad_()
check.true(
    seeded_loss(model, leaf, a.float().cpu(), 3).requires_grad,
    "backward() can't be called on your loss: it must be a tensor that remembers how it came about",
)
check.stays_on_device(seeded_loss, model, check.randn(6, 2), torch.tensor([1.0, 0.7, 0.2]), 4)
### END HIDDEN TESTS


# %% mistake="diffusion_loss" name="one-t-for-the-batch"
def diffusion_loss(model, x0, alpha_bar, generator):
    """You drew one t for the whole batch. Each row needs its own, or one step learns one level of noise only."""
    t = torch.randint(1, len(alpha_bar), (1,), generator=generator).expand(len(x0)).to(x0.device)
    noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype).to(x0.device)
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    return F.mse_loss(model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t), noise)


# %% mistake="diffusion_loss" name="t-from-zero"
def diffusion_loss(model, x0, alpha_bar, generator):
    """You drew t = 0 too, where there is no noise to be found. Which t have some?"""
    t = torch.randint(0, len(alpha_bar), x0.shape[:1], generator=generator).to(x0.device)
    noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype).to(x0.device)
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    return F.mse_loss(model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t), noise)


# %% mistake="diffusion_loss" name="last-t-missing"
def diffusion_loss(model, x0, alpha_bar, generator):
    """You never draw t = T: randint leaves its upper end out. Sampling starts right there."""
    t = torch.randint(1, len(alpha_bar) - 1, x0.shape[:1], generator=generator).to(x0.device)
    noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype).to(x0.device)
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    return F.mse_loss(model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t), noise)


# %% mistake="diffusion_loss" name="data-for-target"
def diffusion_loss(model, x0, alpha_bar, generator):
    """You compared the model with x0. This net is asked for something else."""
    t = torch.randint(1, len(alpha_bar), x0.shape[:1], generator=generator).to(x0.device)
    noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype).to(x0.device)
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    return F.mse_loss(model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t), x0)


# %% mistake="diffusion_loss" name="second-noise"
def diffusion_loss(model, x0, alpha_bar, generator):
    """You drew the noise twice: the net is asked for one that it has never seen a trace of."""
    t = torch.randint(1, len(alpha_bar), x0.shape[:1], generator=generator).to(x0.device)
    noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype).to(x0.device)
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    got = model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t)
    return F.mse_loss(got, torch.randn(x0.shape, generator=generator, dtype=x0.dtype).to(x0.device))


# %% mistake="diffusion_loss" name="scaled-noise-for-target"
def diffusion_loss(model, x0, alpha_bar, generator):
    """Your target is the noise as it was mixed in, already scaled. The formula has the unscaled one."""
    t = torch.randint(1, len(alpha_bar), x0.shape[:1], generator=generator).to(x0.device)
    noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype).to(x0.device)
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    return F.mse_loss(model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t), (1 - a).sqrt() * noise)


# %% mistake="diffusion_loss" name="clean-data-shown"
def diffusion_loss(model, x0, alpha_bar, generator):
    """You showed the net clean data. There is no noise in them to be found."""
    t = torch.randint(1, len(alpha_bar), x0.shape[:1], generator=generator).to(x0.device)
    noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype).to(x0.device)
    return F.mse_loss(model(x0, t), noise)


# %% mistake="diffusion_loss" name="variance-for-deviation"
def diffusion_loss(model, x0, alpha_bar, generator):
    """You mixed without roots: your x_t is not what q_sample gives."""
    t = torch.randint(1, len(alpha_bar), x0.shape[:1], generator=generator).to(x0.device)
    noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype).to(x0.device)
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    return F.mse_loss(model(a * x0 + (1 - a) * noise, t), noise)


# %% mistake="diffusion_loss" name="uniform-noise"
def diffusion_loss(model, x0, alpha_bar, generator):
    """You drew the noise with rand, evenly between 0 and 1. Which distribution has x_T?"""
    t = torch.randint(1, len(alpha_bar), x0.shape[:1], generator=generator).to(x0.device)
    noise = torch.rand(x0.shape, generator=generator, dtype=x0.dtype).to(x0.device)
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    return F.mse_loss(model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t), noise)


# %% mistake="diffusion_loss" name="one-noise-for-all-rows"
def diffusion_loss(model, x0, alpha_bar, generator):
    """You gave all rows the same noise. Each row needs noise of its own."""
    t = torch.randint(1, len(alpha_bar), x0.shape[:1], generator=generator).to(x0.device)
    noise = torch.randn(x0[:1].shape, generator=generator, dtype=x0.dtype).to(x0.device)
    noise = noise.expand(x0.shape)
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    return F.mse_loss(model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t), noise)


# %% mistake="diffusion_loss" name="summed"
def diffusion_loss(model, x0, alpha_bar, generator):
    """You summed the squares. The loss, and each step, then grows with the batch."""
    t = torch.randint(1, len(alpha_bar), x0.shape[:1], generator=generator).to(x0.device)
    noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype).to(x0.device)
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    return (model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t) - noise).square().sum()


# %% mistake="diffusion_loss" name="share-of-time"
def diffusion_loss(model, x0, alpha_bar, generator):
    """You handed the model t / T. It expects the number of the step itself."""
    t = torch.randint(1, len(alpha_bar), x0.shape[:1], generator=generator).to(x0.device)
    noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype).to(x0.device)
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    return F.mse_loss(
        model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t / (len(alpha_bar) - 1)), noise
    )


# %% mistake="diffusion_loss" name="own-seed"
def diffusion_loss(model, x0, alpha_bar, generator):
    """You set the seed yourself: every batch gets the same t and the same noise."""
    generator.manual_seed(0)
    t = torch.randint(1, len(alpha_bar), x0.shape[:1], generator=generator).to(x0.device)
    noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype).to(x0.device)
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    return F.mse_loss(model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t), noise)


# %% mistake="diffusion_loss" name="noise-on-the-cpu"
def diffusion_loss(model, x0, alpha_bar, generator):
    """You left the noise on the CPU. Draw it there, then move it to where x0 is."""
    t = torch.randint(1, len(alpha_bar), x0.shape[:1], generator=generator).to(x0.device)
    noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype)
    a = alpha_bar[t].reshape(-1, *[1] * (x0.dim() - 1))
    return F.mse_loss(model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t), noise)


# %% alternative="diffusion_loss" name="q-sample"
def diffusion_loss(model, x0, alpha_bar, generator):
    T, n = len(alpha_bar) - 1, len(x0)
    noise = torch.empty(x0.shape, dtype=x0.dtype).normal_(generator=generator).to(x0.device)
    t = (1 + torch.randint(T, (n,), generator=generator)).to(x0.device)
    gap = noise - model(q_sample(x0, t, noise, alpha_bar), t)
    return (gap**2).mean()


# %% alternative="diffusion_loss" name="drawn-by-rand"
def diffusion_loss(model, x0, alpha_bar, generator):
    T, n = len(alpha_bar) - 1, len(x0)
    t = (torch.rand(n, generator=generator) * T).long().clamp(max=T - 1) + 1
    t = t.to(x0.device)
    noise = torch.randn(x0.shape, generator=generator).to(x0)
    a = alpha_bar[t].view(n, *[1] * (x0.dim() - 1))
    return torch.sum((model(a**0.5 * x0 + (1 - a) ** 0.5 * noise, t) - noise) ** 2) / noise.numel()


# %% [markdown]
# ## Telling the net the time  ·  ●●○ · 5 min · 2 points
#
# How far a point is from home depends on how much noise there is: the net must know $t$. As one number from 1 to
# 100 it would drown the rest. So write it as $d$ clock hands (09_attention does the same for places): $\sin(t\,
# \omega_k)$ for $k = 0 \dots \frac d2 - 1$, then as many $\cos(t\,\omega_k)$, with $\omega_k = 10000^{-k/(d/2)}$.


# %% answer="time_embedding"
def time_embedding(t: torch.Tensor, d: int) -> torch.Tensor:
    """Each t (n,) int64 as d numbers, d even: first d/2 sines, then d/2 cosines. (n, d), float32."""
    ### BEGIN SOLUTION return the hands of d/2 clocks, each slower than the last
    omega = 10000 ** (-torch.arange(d // 2, device=t.device) / (d // 2))
    angles = t[:, None] * omega
    return torch.cat([angles.sin(), angles.cos()], 1)
    ### END SOLUTION


# %%
widgets.diffusion.clock(time_embedding)

# %% [markdown]
# *What to see*: a row is a $t$. Fast clocks tell neighbours apart, slow ones early from late. On the right, the
# likeness of each $t$ to the chosen one: highest near by, and falling off on both sides.

# %% test="time_embedding" points=2
check.close(
    time_embedding(torch.tensor([0, 3]), 4),
    torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.14112, 0.029996, -0.989992, 0.99955]]),
    "Two clocks: ω is 1 and 0.01. Sines first",
    tol=1e-4,
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for half in check.sizes(3, 2, 9):
        t = check.integers(0, 1000, 7, device=device)
        got = check.unchanged(time_embedding, t, 2 * half)
        check.shape(got, (7, 2 * half))
        check.dtype(got, torch.float32)
        want = [
            [f(int(i) / 10000 ** (k / half)) for f in (math.sin, math.cos) for k in range(half)]
            for i in t
        ]
        check.close(
            got,
            torch.tensor(want, device=device),
            f"Each of the {half} clocks has its own speed",
            tol=2e-4,
        )
check.stays_on_device(time_embedding, torch.tensor([1, 5, 20]), 6)
### END HIDDEN TESTS


# %% mistake="time_embedding" name="one-frequency"
def time_embedding(t, d):
    """All your clocks run at one speed: d numbers that say no more than two."""
    omega = 10000 ** (-torch.zeros(d // 2, device=t.device) / (d // 2))
    angles = t[:, None] * omega
    return torch.cat([angles.sin(), angles.cos()], 1)


# %% mistake="time_embedding" name="faster-and-faster"
def time_embedding(t, d):
    """Your clocks get faster from column to column. Look at the sign of the exponent."""
    omega = 10000 ** (torch.arange(d // 2, device=t.device) / (d // 2))
    angles = t[:, None] * omega
    return torch.cat([angles.sin(), angles.cos()], 1)


# %% mistake="time_embedding" name="half-the-exponent"
def time_embedding(t, d):
    """You divided k by d: your slowest clock is the square root of what it should be."""
    omega = 10000 ** (-torch.arange(d // 2, device=t.device) / d)
    angles = t[:, None] * omega
    return torch.cat([angles.sin(), angles.cos()], 1)


# %% mistake="time_embedding" name="end-included"
def time_embedding(t, d):
    """You divided by d/2 - 1, so that the last speed is 1/10000. Some codes do; look at this formula."""
    omega = 10000 ** (-torch.arange(d // 2, device=t.device) / (d // 2 - 1))
    angles = t[:, None] * omega
    return torch.cat([angles.sin(), angles.cos()], 1)


# %% mistake="time_embedding" name="clocks-from-one"
def time_embedding(t, d):
    """You counted the clocks from 1: the fastest one is missing."""
    omega = 10000 ** (-torch.arange(1, d // 2 + 1, device=t.device) / (d // 2))
    angles = t[:, None] * omega
    return torch.cat([angles.sin(), angles.cos()], 1)


# %% mistake="time_embedding" name="cosines-first"
def time_embedding(t, d):
    """You put the cosines first. A net would not mind, the test does: look at the order asked for."""
    omega = 10000 ** (-torch.arange(d // 2, device=t.device) / (d // 2))
    angles = t[:, None] * omega
    return torch.cat([angles.cos(), angles.sin()], 1)


# %% mistake="time_embedding" name="interleaved"
def time_embedding(t, d):
    """You took sine and cosine in turn, as attention's places do. Here all sines come first."""
    omega = 10000 ** (-torch.arange(d // 2, device=t.device) / (d // 2))
    angles = t[:, None] * omega
    return torch.stack([angles.sin(), angles.cos()], 2).flatten(1)


# %% mistake="time_embedding" name="sines-only"
def time_embedding(t, d):
    """You used sines alone, at d speeds. One hand's height doesn't tell whether it rises or falls."""
    omega = 10000 ** (-torch.arange(d, device=t.device) / d)
    return (t[:, None] * omega).sin()


# %% mistake="time_embedding" name="speeds-on-the-cpu"
def time_embedding(t, d):
    """You made the speeds on the CPU. Think about where t is."""
    omega = 10000 ** (-torch.arange(d // 2) / (d // 2))
    angles = t[:, None] * omega
    return torch.cat([angles.sin(), angles.cos()], 1)


# %% alternative="time_embedding" name="outer"
def time_embedding(t, d):
    k = torch.arange(d // 2, device=t.device, dtype=torch.float32)
    angles = torch.outer(t.float(), torch.exp(-math.log(10000) * 2 * k / d))
    return torch.hstack([torch.sin(angles), torch.cos(angles)])


# %% alternative="time_embedding" name="column-by-column"
def time_embedding(t, d):
    half = d // 2
    columns = [torch.sin(t / 10000 ** (k / half)) for k in range(half)]
    columns += [torch.cos(t / 10000 ** (k / half)) for k in range(half)]
    return torch.stack(columns, dim=-1)


# %% [markdown]
# ## Train it  ·  ●●○ · 7 min · 3 points
#
# A loop as in 04_sgd. All the noise in the loss makes the last steps restless, so let the learning rate fall: in
# step $k = 0, 1, \dots$ it is $\eta\,(1 - k/\text{steps})$.
#
# **Your turn.** What is measured: 600 steps on two moons, a second or two; then 1000 new points from your net's
# field against 1000 fresh moons. Their squared MMD, with the kernel $-|u - v|$ (the *energy distance*: nothing to
# tune), must be **below 0.02** for one of two seeds. Moons against moons: 0 ± 0.003. Plain noise: 0.04.


# %% answer="train"
def train(
    model: nn.Module,
    data: torch.Tensor,
    loss: Callable[[nn.Module, torch.Tensor], torch.Tensor],
    steps: int,
    size: int,
    lr: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Train `model` in place by Adam (torch's, default betas); returns each step's loss (steps,), detached.

    Step k = 0, 1, ... draws `size` rows of data (m, ...) at random with `generator`, and goes down the gradient of
    loss(model, batch) at the rate lr (1 - k / steps).
    """
    ### BEGIN SOLUTION train, and return the losses
    optimiser = torch.optim.Adam(model.parameters(), lr)
    losses = []
    for k in range(steps):
        optimiser.param_groups[0]["lr"] = lr * (1 - k / steps)
        batch = data[torch.randint(len(data), (size,), generator=generator)]
        value = loss(model, batch)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        losses.append(value.detach())
    return torch.stack(losses)
    ### END SOLUTION


class Denoiser(nn.Module):
    """Given: the net, three hidden layers. Point and time in, noise out."""

    def __init__(self, d: int = 2, width: int = 64, clocks: int = 16) -> None:
        super().__init__()
        self.clocks, sizes = clocks, [d + clocks, width, width, width]
        hidden = [m for a, b in zip(sizes, sizes[1:]) for m in (nn.Linear(a, b), nn.GELU())]
        self.layers = nn.Sequential(*hidden, nn.Linear(width, d))

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return self.layers(torch.cat([x, time_embedding(t, self.clocks)], 1))


def fit(seed: int, steps: int = 600) -> tuple[nn.Module, torch.Tensor]:
    """Given: a net trained on two moons by your `train` and `diffusion_loss`, and its losses."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    net, alpha_bar = Denoiser(), torch.sigmoid(torch.linspace(6, -6, 100))
    alpha_bar = torch.cat([torch.ones(1), alpha_bar])

    def loss(model: nn.Module, x0: torch.Tensor) -> torch.Tensor:
        return diffusion_loss(model, x0, alpha_bar, generator)

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a net gains nothing from a second one
    losses = train(net, data.moons.draw(2000, generator), loss, steps, 256, 0.02, generator)
    torch.set_num_threads(threads)
    return net, losses


def spied(rows: torch.Tensor, seed: int, steps: int, size: int, lr: float) -> tuple:
    """Given, for the test: batches, weights before each step, weights at the end and losses of a tiny training."""
    model, seen = nn.Linear(rows.shape[1], 1, bias=False), []
    nn.init.constant_(model.weight, 0.5)

    def loss(model: nn.Module, batch: torch.Tensor) -> torch.Tensor:
        seen.append((batch.clone(), model.weight[0].detach().clone()))
        return (model(batch) - 1).square().mean()

    losses = train(model, rows, loss, steps, size, lr, torch.Generator().manual_seed(seed))
    batches, weights = zip(*seen)
    return torch.stack(batches), torch.stack(weights), model.weight[0].detach().clone(), losses


# %%
widgets.diffusion.lab(Denoiser, diffusion_loss)

# %% [markdown]
# *What to see*: press *train*, and a net learns with *your* loss. Its arrows turn towards the exact ones; the loss
# falls to the dashed floor and no further; and the cloud that starts as noise lands on the moons. Pause, and
# drag the time: where do net and truth differ most?

# %% test="train" points=3
rows = check.randn(40, 3)
batches, weights, last, losses = spied(rows, 1, 30, 8, 0.1)
check.shape(batches, (30, 8, 3))
check.shape(losses, (30,))
check.true(not losses.requires_grad, "Detach the losses: with them all graphs would be kept")
check.close(weights[0], torch.full((3,), 0.5), "The first loss is that of the start")
check.true((last - weights[0]).abs().max() > 0.1, "The weights have hardly moved")
same = (batches.reshape(-1, 1, 3) == rows).all(2)
check.true(same.any(1).all(), "A batch is made of rows of the data")
times = same.sum(0)
check.true((times > 0).sum() > 30, "Draw a new batch for each step, from all of the data")
### BEGIN HIDDEN TESTS
# torch's own Adam, on the batches that you drew
w = torch.full((3,), 0.5, requires_grad=True)
adam = torch.optim.Adam([w], 0.1)
want = []
for k, batch in enumerate(batches):
    check.close(weights[k], w.detach(), f"The weights before step k = {k}", tol=1e-4)
    adam.param_groups[0]["lr"] = 0.1 * (1 - k / 30)
    adam.zero_grad()
    error = (batch @ w - 1).square().mean()
    error.backward()
    adam.step()
    want.append(error.detach())
check.close(last, w.detach(), "The weights after the last step", tol=1e-4)
check.close(losses, torch.stack(want), "The loss of each step, as it was before the step")
first, again = spied(rows, 2, 6, 5, 0.1), spied(rows, 2, 6, 5, 0.1)
check.equal(again[0], first[0], "The same seed must draw the same batches: use `generator` alone")
other = spied(rows, 3, 6, 5, 0.1)
check.true(not torch.equal(other[0], first[0]), "Another seed, and the batches are the same")
check.true(len(torch.cat(list(first[0])).unique(dim=0)) > 10, "Batches repeat themselves")
### END HIDDEN TESTS
from course.widgets.diffusion import exact  # walks along a field, and the distance

best = math.inf
for seed in check.integers(0, 10**6, 2).tolist():
    if best >= 0.02:  # a second try where the first has missed
        net, _ = fit(seed)
        walk = exact.flow(net, check.randn(1000, 2), exact.straight(), every=4)
        fresh = exact.two_moons().draw(1000, torch.Generator().manual_seed(seed))
        best = min(best, exact.distance(walk[-1], fresh))
check.true(best < 0.02, f"The squared MMD is {best:.3f}, and should be below 0.02")


# %% mistake="train" name="no-step"
def train(model, data, loss, steps, size, lr, generator):
    """You worked out gradients and never took a step. Your weights are those of the start."""
    optimiser = torch.optim.Adam(model.parameters(), lr)
    losses = []
    for k in range(steps):
        optimiser.param_groups[0]["lr"] = lr * (1 - k / steps)
        value = loss(model, data[torch.randint(len(data), (size,), generator=generator)])
        optimiser.zero_grad()
        value.backward()
        losses.append(value.detach())
    return torch.stack(losses)


# %% mistake="train" name="no-zero-grad"
def train(model, data, loss, steps, size, lr, generator):
    """You never cleared the gradients: backward() adds to what is there, so each step follows the sum of all."""
    optimiser = torch.optim.Adam(model.parameters(), lr)
    losses = []
    for k in range(steps):
        optimiser.param_groups[0]["lr"] = lr * (1 - k / steps)
        value = loss(model, data[torch.randint(len(data), (size,), generator=generator)])
        value.backward()
        optimiser.step()
        losses.append(value.detach())
    return torch.stack(losses)


# %% mistake="train" name="uphill"
def train(model, data, loss, steps, size, lr, generator):
    """Your loss grows: you went up the gradient."""
    optimiser = torch.optim.Adam(model.parameters(), lr)
    losses = []
    for k in range(steps):
        optimiser.param_groups[0]["lr"] = lr * (1 - k / steps)
        value = loss(model, data[torch.randint(len(data), (size,), generator=generator)])
        optimiser.zero_grad()
        (-value).backward()
        optimiser.step()
        losses.append(value.detach())
    return torch.stack(losses)


# %% mistake="train" name="constant-rate"
def train(model, data, loss, steps, size, lr, generator):
    """Your learning rate stays as it was. With so noisy a loss the weights never come to rest."""
    optimiser = torch.optim.Adam(model.parameters(), lr)
    losses = []
    for _ in range(steps):
        value = loss(model, data[torch.randint(len(data), (size,), generator=generator)])
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        losses.append(value.detach())
    return torch.stack(losses)


# %% mistake="train" name="rate-one-step-ahead"
def train(model, data, loss, steps, size, lr, generator):
    """Your learning rate is one step ahead: k counts from 0, and the last step is wasted on a rate of 0."""
    optimiser = torch.optim.Adam(model.parameters(), lr)
    losses = []
    for k in range(1, steps + 1):
        optimiser.param_groups[0]["lr"] = lr * (1 - k / steps)
        value = loss(model, data[torch.randint(len(data), (size,), generator=generator)])
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        losses.append(value.detach())
    return torch.stack(losses)


# %% mistake="train" name="new-optimiser-each-step"
def train(model, data, loss, steps, size, lr, generator):
    """You made a new Adam in each step: it has forgotten all gradients but the last."""
    losses = []
    for k in range(steps):
        optimiser = torch.optim.Adam(model.parameters(), lr * (1 - k / steps))
        value = loss(model, data[torch.randint(len(data), (size,), generator=generator)])
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        losses.append(value.detach())
    return torch.stack(losses)


# %% mistake="train" name="plain-sgd"
def train(model, data, loss, steps, size, lr, generator):
    """You used plain gradient descent. At this rate it has hardly begun when the steps are over."""
    optimiser = torch.optim.SGD(model.parameters(), lr)
    losses = []
    for k in range(steps):
        optimiser.param_groups[0]["lr"] = lr * (1 - k / steps)
        value = loss(model, data[torch.randint(len(data), (size,), generator=generator)])
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        losses.append(value.detach())
    return torch.stack(losses)


# %% mistake="train" name="same-batch"
def train(model, data, loss, steps, size, lr, generator):
    """You drew one batch and used it in every step: the rest of the data is never seen."""
    optimiser = torch.optim.Adam(model.parameters(), lr)
    batch = data[torch.randint(len(data), (size,), generator=generator)]
    losses = []
    for k in range(steps):
        optimiser.param_groups[0]["lr"] = lr * (1 - k / steps)
        value = loss(model, batch)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        losses.append(value.detach())
    return torch.stack(losses)


# %% mistake="train" name="all-data"
def train(model, data, loss, steps, size, lr, generator):
    """You used all of the data in each step. `size` rows, drawn anew, are asked for."""
    optimiser = torch.optim.Adam(model.parameters(), lr)
    losses = []
    for k in range(steps):
        optimiser.param_groups[0]["lr"] = lr * (1 - k / steps)
        value = loss(model, data)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        losses.append(value.detach())
    return torch.stack(losses)


# %% mistake="train" name="own-random-numbers"
def train(model, data, loss, steps, size, lr, generator):
    """You drew the batches without `generator`, with a seed of your own: other seeds, the same batches."""
    torch.manual_seed(0)
    optimiser = torch.optim.Adam(model.parameters(), lr)
    losses = []
    for k in range(steps):
        optimiser.param_groups[0]["lr"] = lr * (1 - k / steps)
        value = loss(model, data[torch.randint(len(data), (size,))])
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        losses.append(value.detach())
    return torch.stack(losses)


# %% alternative="train" name="scheduler"
def train(model, data, loss, steps, size, lr, generator):
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    falling = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda k: 1 - k / steps)
    losses = torch.zeros(steps)
    for k in range(steps):
        optimiser.zero_grad()
        value = loss(model, data[torch.randperm(len(data), generator=generator)[:size]])
        value.backward()
        optimiser.step()
        falling.step()
        losses[k] = value.item()
    return losses


# %% alternative="train" name="for-every-group"
def train(model, data, loss, steps, size, lr, generator):
    losses, optimiser = [], torch.optim.Adam(model.parameters())
    for k in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = lr * (steps - k) / steps
        rows = (torch.rand(size, generator=generator) * len(data)).long()
        value = loss(model, data[rows])
        value.backward()
        optimiser.step()
        model.zero_grad()
        losses.append(value.item())
    return torch.tensor(losses)


# %% [markdown]
# ## The deck's one big step  ·  ●○○ · 3 min · 1 point
#
# Minhas generates by $x = x_T - \epsilon_\theta(x_T, T)$ with $x_T \sim N(0, 1)$. **Predict**, before you run
# it: what do a thousand such $x$ look like?


# %% answer="one_step"
def one_step(
    model: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], xT: torch.Tensor, T: int
) -> torch.Tensor:
    """The deck's sample: xT (n, ...) less the noise that the model finds in it at t = T, same shape.

    The model takes x (n, ...) and t (n,) int64.
    """
    ### BEGIN SOLUTION return the deck's formula
    return xT - model(xT, torch.full((len(xT),), T, device=xT.device))
    ### END SOLUTION


# %%
widgets.diffusion.guess(predict_x0, one_step)

# %% [markdown]
# *What to see*: a crumb at the origin (distance 0.8; plain noise has 0.04). At $t = T$ every start could have
# come from every moon, and the best guess of the noise is nearly all of $x_T$, so nothing is left. Divide by
# $\sqrt{\bar\alpha_T}$, as `predict_x0` does: a slightly larger crumb, at the *mean* of the data. No datum is
# there, and a mean of pictures is no picture. A small step asks a question that has nearly one answer.

# %% test="one_step" points=1
asked = []


def model(x, t):
    asked.append(t)
    return 0.75 * x + t.reshape(-1, *[1] * (x.dim() - 1)).to(x.dtype)


x = torch.tensor([[4.0, 8.0], [0.0, -4.0]])
check.close(one_step(model, x, 3), 0.25 * x - 3, "This model finds 0.75 x + t")
check.shape(asked[-1], (2,))
check.dtype(asked[-1], torch.int64)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        x = check.randn(5, 3, 2, dtype=dtype, device=device)
        T = check.sizes(1, 4, 99)[0]
        asked.clear()
        want = x - model(x, torch.full((5,), T, device=device))
        asked.clear()
        check.close(check.unchanged(one_step, model, x, T), want, f"T is {T} here")
        check.equal(
            asked[0].cpu(), torch.full((5,), T), "The model is asked at t = T, for each row"
        )
check.stays_on_device(one_step, model, check.randn(4, 3), 7)
### END HIDDEN TESTS


# %% mistake="one_step" name="noise-added"
def one_step(model, xT, T):
    """You added the noise that was found. It should go."""
    return xT + model(xT, torch.full((len(xT),), T, device=xT.device))


# %% mistake="one_step" name="noise-returned"
def one_step(model, xT, T):
    """You returned the noise that the net found. The sample is what remains without it."""
    return model(xT, torch.full((len(xT),), T, device=xT.device))


# %% mistake="one_step" name="one-too-early"
def one_step(model, xT, T):
    """You asked at t = T - 1. Here T itself is the last t."""
    return xT - model(xT, torch.full((len(xT),), T - 1, device=xT.device))


# %% mistake="one_step" name="at-zero"
def one_step(model, xT, T):
    """You asked at t = 0, as if there were no noise."""
    return xT - model(xT, torch.zeros(len(xT), dtype=torch.int64, device=xT.device))


# %% mistake="one_step" name="share-of-time"
def one_step(model, xT, T):
    """You handed over a share of the time. The model expects the number of the step."""
    return xT - model(xT, torch.ones(len(xT), device=xT.device))


# %% mistake="one_step" name="in-place"
def one_step(model, xT, T):
    """You took the noise out of the caller's own xT."""
    xT -= model(xT, torch.full((len(xT),), T, device=xT.device))
    return xT


# %% mistake="one_step" name="time-on-the-cpu"
def one_step(model, xT, T):
    """You made t on the CPU. Think about where xT is."""
    return xT - model(xT, torch.full((len(xT),), T))


# %% alternative="one_step" name="new-full"
def one_step(model, xT, T):
    t = xT.new_full(xT.shape[:1], T, dtype=torch.long)
    return torch.sub(xT, model(xT, t))


# %% alternative="one_step" name="list"
def one_step(model, xT, T):
    t = torch.tensor([T] * xT.shape[0]).to(xT.device)
    return -model(xT, t) + xT


# %% [markdown]
# ## One small step back  ·  ●●● · 6 min · 2 points
#
# Knowing $x_t$ *and* $x_0$, where was $x_{t-1}$? Bayes' rule gives a normal distribution; put in the guess of
# $x_0$, and it becomes (Ho et al.), with $\alpha_t = \bar\alpha_t / \bar\alpha_{t-1}$ and $\beta_t = 1 -
# \alpha_t$:
#
# $$\mu = \frac{1}{\sqrt{\alpha_t}} \Big( x_t - \frac{\beta_t}{\sqrt{1 - \bar\alpha_t}}\, \epsilon_\theta \Big),
# \qquad \tilde\beta_t = \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t}\, \beta_t .$$
#
# **Predict** $\tilde\beta_1$. Then write $x_{t-1}$: the mean, plus noise of variance $\tilde\beta_t$. (Ho et al.
# also try $\beta_t$ itself; here it is $\tilde\beta_t$.)


# %% answer="ddpm_step"
def ddpm_step(
    xt: torch.Tensor, t: int, eps: torch.Tensor, noise: torch.Tensor, alpha_bar: torch.Tensor
) -> torch.Tensor:
    """x_{t-1} from xt: posterior mean for the noise eps found in it, and fresh `noise` (standard normal).

    xt, eps, noise (...) of one shape, t from 1 to T, alpha_bar (T + 1,). Returns the shape of xt.
    """
    ### BEGIN SOLUTION return mean plus noise of the posterior variance
    a, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - a / before
    mean = (xt - beta / (1 - a).sqrt() * eps) / (a / before).sqrt()
    return mean + ((1 - before) / (1 - a) * beta).sqrt() * noise
    ### END SOLUTION


# %%
widgets.diffusion.paths(ddpm_step)

# %% [markdown]
# *What to see*: jittery paths, and at their ends the moons. With fewer steps each has more to do, and the cloud
# draws together.

# %% test="ddpm_step" points=2
got = ddpm_step(
    torch.tensor([3.0]),
    2,
    torch.tensor([1.0]),
    torch.tensor([0.0]),
    torch.tensor([1.0, 0.8, 0.2]),
)
check.close(got, torch.tensor([4.322949]), "α is 0.25 here, and β is 0.75", tol=1e-4)
got = ddpm_step(
    torch.zeros(1), 2, torch.zeros(1), torch.tensor([8.0]), torch.tensor([1.0, 0.8, 0.2])
)
check.close(got, torch.tensor([3.464102]), "β̃ is 0.25 · 0.75 here, a variance", tol=1e-4)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        T = check.sizes(1, 5, 9)[0]
        a = check.uniform(0.1, 0.9, T + 1, dtype=dtype, device=device).sort(descending=True).values
        a[0] = 1
        xt, eps, noise = (check.randn(5, 3, 2, dtype=dtype, device=device) for _ in range(3))
        for t in (1, 2, T):
            now, before = float(a[t]), float(a[t - 1])
            beta = 1 - now / before
            # The posterior by way of x_0: a mean of x_0 and x_t, by their precision
            x0 = (xt - math.sqrt(1 - now) * eps) / math.sqrt(now)
            mean = math.sqrt(before) * beta / (1 - now) * x0
            mean = mean + math.sqrt(now / before) * (1 - before) / (1 - now) * xt
            tol = 2e-4 if dtype == torch.float32 else 1e-7
            got = check.unchanged(ddpm_step, xt, t, eps, 0 * noise, a)
            check.close(got, mean, f"The mean, at t = {t} of {T}", tol=tol)
            want = mean + math.sqrt(beta * (1 - before) / (1 - now)) * noise
            got = check.unchanged(ddpm_step, xt, t, eps, noise, a)
            check.close(got, want, f"The noise, at t = {t} of {T}", tol=tol)
check.stays_on_device(
    ddpm_step,
    check.randn(4, 3),
    2,
    check.randn(4, 3),
    check.randn(4, 3),
    torch.tensor([1.0, 0.8, 0.3]),
)
### END HIDDEN TESTS


# %% mistake="ddpm_step" name="beta-for-variance"
def ddpm_step(xt, t, eps, noise, alpha_bar):
    """Your noise has variance β. The one stated is smaller, and at t = 1 there is none: you end on noisy data."""
    a, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - a / before
    return (xt - beta / (1 - a).sqrt() * eps) / (1 - beta).sqrt() + beta.sqrt() * noise


# %% mistake="ddpm_step" name="beta-but-not-at-last"
def ddpm_step(xt, t, eps, noise, alpha_bar):
    """You left the noise out at t = 1, and gave it variance β elsewhere. Which variance is stated?"""
    a, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - a / before
    mean = (xt - beta / (1 - a).sqrt() * eps) / (1 - beta).sqrt()
    return mean + beta.sqrt() * noise if t > 1 else mean


# %% mistake="ddpm_step" name="variance-for-deviation"
def ddpm_step(xt, t, eps, noise, alpha_bar):
    """You multiplied the noise by its variance. A standard normal number wants a standard deviation."""
    a, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - a / before
    mean = (xt - beta / (1 - a).sqrt() * eps) / (1 - beta).sqrt()
    return mean + (1 - before) / (1 - a) * beta * noise


# %% mistake="ddpm_step" name="noise-unscaled"
def ddpm_step(xt, t, eps, noise, alpha_bar):
    """You added the noise as it came, in the last step too. What is its variance to be?"""
    a, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - a / before
    return (xt - beta / (1 - a).sqrt() * eps) / (1 - beta).sqrt() + noise


# %% mistake="ddpm_step" name="mean-only"
def ddpm_step(xt, t, eps, noise, alpha_bar):
    """You returned the mean. Without fresh noise your points draw together more than the data do."""
    a, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - a / before
    return (xt - beta / (1 - a).sqrt() * eps) / (1 - beta).sqrt()


# %% mistake="ddpm_step" name="alpha-bar-for-alpha"
def ddpm_step(xt, t, eps, noise, alpha_bar):
    """You divided by the root of alpha_bar. That undoes all steps; one is asked for."""
    a, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - a / before
    mean = (xt - beta / (1 - a).sqrt() * eps) / a.sqrt()
    return mean + ((1 - before) / (1 - a) * beta).sqrt() * noise


# %% mistake="ddpm_step" name="alpha-for-alpha-bar"
def ddpm_step(xt, t, eps, noise, alpha_bar):
    """Under the root below ε you have the alpha of one step. How much noise is there in x_t altogether?"""
    a, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - a / before
    mean = (xt - beta / beta.sqrt() * eps) / (1 - beta).sqrt()
    return mean + ((1 - before) / (1 - a) * beta).sqrt() * noise


# %% mistake="ddpm_step" name="wrong-sign"
def ddpm_step(xt, t, eps, noise, alpha_bar):
    """You added the noise that was found: that is a step into the noise."""
    a, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - a / before
    mean = (xt + beta / (1 - a).sqrt() * eps) / (1 - beta).sqrt()
    return mean + ((1 - before) / (1 - a) * beta).sqrt() * noise


# %% mistake="ddpm_step" name="not-enlarged"
def ddpm_step(xt, t, eps, noise, alpha_bar):
    """You took out noise and did not undo the shrinking of the step. What stands before the bracket?"""
    a, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - a / before
    mean = xt - beta / (1 - a).sqrt() * eps
    return mean + ((1 - before) / (1 - a) * beta).sqrt() * noise


# %% mistake="ddpm_step" name="all-noise-at-once"
def ddpm_step(xt, t, eps, noise, alpha_bar):
    """You took out all the noise at once. One step takes out the share that it brought in."""
    a, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - a / before
    mean = (xt - (1 - a).sqrt() * eps) / (1 - beta).sqrt()
    return mean + ((1 - before) / (1 - a) * beta).sqrt() * noise


# %% mistake="ddpm_step" name="one-step-off"
def ddpm_step(xt, t, eps, noise, alpha_bar):
    """You took the schedule of the step after. Step t leads from index t back to t - 1."""
    later = min(t + 1, len(alpha_bar) - 1)
    a, before = alpha_bar[later], alpha_bar[later - 1]
    beta = 1 - a / before
    mean = (xt - beta / (1 - a).sqrt() * eps) / (1 - beta).sqrt()
    return mean + ((1 - before) / (1 - a) * beta).sqrt() * noise


# %% mistake="ddpm_step" name="in-place"
def ddpm_step(xt, t, eps, noise, alpha_bar):
    """You changed the caller's xt in place. Whoever keeps the path finds it bent."""
    a, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - a / before
    xt -= beta / (1 - a).sqrt() * eps
    return xt / (1 - beta).sqrt() + ((1 - before) / (1 - a) * beta).sqrt() * noise


# %% mistake="ddpm_step" name="zeros-on-the-cpu"
def ddpm_step(xt, t, eps, noise, alpha_bar):
    """At t = 1 you took a tensor of zeros from the CPU. The formula makes its own zero there."""
    a, before = alpha_bar[t], alpha_bar[t - 1]
    beta = 1 - a / before
    mean = (xt - beta / (1 - a).sqrt() * eps) / (1 - beta).sqrt()
    rest = torch.zeros(xt.shape, dtype=xt.dtype)
    return mean + ((1 - before) / (1 - a) * beta).sqrt() * noise + rest


# %% alternative="ddpm_step" name="through-x0"
def ddpm_step(xt, t, eps, noise, alpha_bar):
    a, b = alpha_bar[t], alpha_bar[t - 1]
    alpha = a / b
    x0 = (xt - torch.sqrt(1 - a) * eps) / torch.sqrt(a)
    mean = (b.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - b) * xt) / (1 - a)
    return mean + torch.sqrt((1 - b) * (1 - alpha) / (1 - a)) * noise


# %% alternative="ddpm_step" name="plain-numbers"
def ddpm_step(xt, t, eps, noise, alpha_bar):
    a, b = float(alpha_bar[t]), float(alpha_bar[t - 1])
    beta = 1 - a / b
    x = (xt - beta / math.sqrt(1 - a) * eps) / math.sqrt(a / b)
    if t == 1:
        return x
    return x + math.sqrt((1 - b) / (1 - a) * beta) * noise


# %% [markdown]
# ## The whole way back  ·  ●●○ · 5 min · 2 points
#
# Start from noise; for $t = T, \dots, 1$ ask the net and take one step. `step` is a function like your
# `ddpm_step`. No gradients are needed here: `with torch.no_grad():` saves the memory of $T$ nets.


# %% answer="sample"
def sample(
    model: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    step: Callable[..., torch.Tensor],
    shape: tuple[int, ...],
    alpha_bar: torch.Tensor,
    generator: torch.Generator,
) -> torch.Tensor:
    """New data of `shape` (n, ...): float32, no graph attached, all random numbers from `generator` (CPU).

    The model takes x (n, ...), t (n,) int64; the step takes (xt, t, eps, noise, alpha_bar), t an int, and
    returns x_{t-1}. alpha_bar (T + 1,).
    """
    ### BEGIN SOLUTION start from noise, and return what the last step gives
    x = torch.randn(shape, generator=generator)
    with torch.no_grad():  # nobody asks for gradients here
        for t in range(len(alpha_bar) - 1, 0, -1):
            eps = model(x, torch.full(shape[:1], t))
            x = step(x, t, eps, torch.randn(shape, generator=generator), alpha_bar)
    return x
    ### END SOLUTION


def seeded_sample(
    model: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    step: Callable[..., torch.Tensor],
    shape: tuple[int, ...],
    alpha_bar: torch.Tensor,
    seed: int,
) -> torch.Tensor:
    """Given: `sample` with a generator made from `seed`."""
    return sample(model, step, shape, alpha_bar, torch.Generator().manual_seed(seed))


def keeps_a_graph(alpha_bar: torch.Tensor) -> bool:
    """Given, for the test: whether a sample still hangs on the net that made it."""
    net, generator = nn.Linear(2, 2), torch.Generator()
    made = sample(
        lambda x, t: net(x), lambda xt, t, eps, *_: xt - eps, (3, 2), alpha_bar, generator
    )
    return made.requires_grad


# %% test="sample" points=2
asked, taken = [], []


def model(x, t):
    asked.append((x, t))
    return torch.tanh(x) * (1 + torch.as_tensor(t).float().mean() / 10)


def step(xt, t, eps, noise, alpha_bar):
    taken.append((xt, t, eps, noise, 0.7 * xt - 0.1 * eps + 0.3 * noise * alpha_bar[t]))
    return taken[-1][-1]


a = torch.tensor([1.0, 0.7, 0.4, 0.1])
got = seeded_sample(model, step, (600, 2), a, 1)
check.shape(got, (600, 2))
check.equal([int(t) for _, t, *_ in taken], [3, 2, 1], "T is 3 here: these steps, in this order")
check.true(len(asked) == 3, "Ask the model once before each step")
check.true(isinstance(asked[0][1], torch.Tensor), "The model wants a t for each row, in a tensor")
check.equal(asked[0][1], torch.full((600,), 3), "In the first step, the model's t is 3 in each row")
check.close(got, taken[-1][-1], "Return what the last step gave")
check.true(not keeps_a_graph(a), "A graph hangs on your sample: work under torch.no_grad()")
### BEGIN HIDDEN TESTS
for shape in ((700, 3), (300, 2, 4)):
    T = check.sizes(1, 4, 7)[0]
    a = check.uniform(0.1, 0.9, T + 1).sort(descending=True).values
    a[0] = 1
    asked.clear()
    taken.clear()
    seed = int(check.integers(0, 10**6, 1))
    got = check.unchanged(seeded_sample, model, step, shape, a, seed)
    check.equal([int(t) for _, t, *_ in taken], list(range(T, 0, -1)), "From T down to 1")
    check.dtype(got, torch.float32)
    check.close(got, taken[-1][-1], "Return what the last step gave")
    for k, (xt, t, eps, noise, _) in enumerate(taken):
        x, when = asked[k]
        check.equal(when, torch.full((shape[0],), int(t)), "Model and step are at the same t")
        check.close(x, xt, "The model is asked about the x that the step gets")
        said = torch.tanh(x) * (1 + int(t) / 10)
        check.close(eps, said, "Hand the step what the model says now")
        if k:
            check.close(xt, taken[k - 1][-1], "Go on from where the last step led")
        drawn = [noise] if t > 1 else []  # the last noise has no effect
        for z in drawn if k else [xt, *drawn]:
            check.shape(z, shape)
            spread, kurtosis = z.std(), (z**4).mean() / (z**2).mean() ** 2
            check.true(
                abs(z.mean()) < 0.15 and abs(spread - 1) < 0.1 and 2.2 < kurtosis < 3.8,
                "x_T and each step's noise are standard normal",
            )
        if 0 < k < T - 1:
            check.true(
                (noise - taken[k - 1][3]).std() > 1.2 and (noise - taken[0][0]).std() > 1.2,
                "Each step needs fresh noise",
            )
    again = seeded_sample(model, step, shape, a, seed)
    check.close(again, got, "The same seed must repeat the sample: draw from `generator` alone")
    other = seeded_sample(model, step, shape, a, seed + 1)
    check.true((other - got).abs().max() > 0.1, "Another seed, and the sample is the same")
### END HIDDEN TESTS


# %% mistake="sample" name="forwards"
def sample(model, step, shape, alpha_bar, generator):
    """You went from t = 1 to T. The film runs backwards here."""
    x = torch.randn(shape, generator=generator)
    with torch.no_grad():  # nobody asks for gradients here
        for t in range(1, len(alpha_bar)):
            eps = model(x, torch.full(shape[:1], t))
            x = step(x, t, eps, torch.randn(shape, generator=generator), alpha_bar)
    return x


# %% mistake="sample" name="last-step-missing"
def sample(model, step, shape, alpha_bar, generator):
    """You stopped at x_1: range leaves its end out. One step is still to go."""
    x = torch.randn(shape, generator=generator)
    with torch.no_grad():  # nobody asks for gradients here
        for t in range(len(alpha_bar) - 1, 1, -1):
            eps = model(x, torch.full(shape[:1], t))
            x = step(x, t, eps, torch.randn(shape, generator=generator), alpha_bar)
    return x


# %% mistake="sample" name="first-step-missing"
def sample(model, step, shape, alpha_bar, generator):
    """You began at T - 1. alpha_bar has T + 1 entries: what is T?"""
    x = torch.randn(shape, generator=generator)
    with torch.no_grad():  # nobody asks for gradients here
        for t in range(len(alpha_bar) - 2, 0, -1):
            eps = model(x, torch.full(shape[:1], t))
            x = step(x, t, eps, torch.randn(shape, generator=generator), alpha_bar)
    return x


# %% mistake="sample" name="down-to-zero"
def sample(model, step, shape, alpha_bar, generator):
    """You took a step at t = 0 as well. From data there is no way back, and alpha_bar[-1] is that of T."""
    x = torch.randn(shape, generator=generator)
    with torch.no_grad():  # nobody asks for gradients here
        for t in range(len(alpha_bar) - 1, -1, -1):
            eps = model(x, torch.full(shape[:1], t))
            x = step(x, t, eps, torch.randn(shape, generator=generator), alpha_bar)
    return x


# %% mistake="sample" name="one-noise"
def sample(model, step, shape, alpha_bar, generator):
    """You drew the noise once, for all steps. It then pushes every step the same way."""
    x = torch.randn(shape, generator=generator)
    noise = torch.randn(shape, generator=generator)
    with torch.no_grad():  # nobody asks for gradients here
        for t in range(len(alpha_bar) - 1, 0, -1):
            x = step(x, t, model(x, torch.full(shape[:1], t)), noise, alpha_bar)
    return x


# %% mistake="sample" name="no-noise"
def sample(model, step, shape, alpha_bar, generator):
    """You handed the steps zeros for noise. Each wants standard normal numbers of its own."""
    x = torch.randn(shape, generator=generator)
    with torch.no_grad():  # nobody asks for gradients here
        for t in range(len(alpha_bar) - 1, 0, -1):
            x = step(x, t, model(x, torch.full(shape[:1], t)), torch.zeros(shape), alpha_bar)
    return x


# %% mistake="sample" name="from-zeros"
def sample(model, step, shape, alpha_bar, generator):
    """You started from zeros. What is x_T?"""
    x = torch.zeros(shape)
    with torch.no_grad():  # nobody asks for gradients here
        for t in range(len(alpha_bar) - 1, 0, -1):
            eps = model(x, torch.full(shape[:1], t))
            x = step(x, t, eps, torch.randn(shape, generator=generator), alpha_bar)
    return x


# %% mistake="sample" name="uniform-start"
def sample(model, step, shape, alpha_bar, generator):
    """You started from evenly drawn numbers. Which distribution has x_T?"""
    x = torch.rand(shape, generator=generator)
    with torch.no_grad():  # nobody asks for gradients here
        for t in range(len(alpha_bar) - 1, 0, -1):
            eps = model(x, torch.full(shape[:1], t))
            x = step(x, t, eps, torch.randn(shape, generator=generator), alpha_bar)
    return x


# %% mistake="sample" name="asked-once"
def sample(model, step, shape, alpha_bar, generator):
    """You asked the model once, at the start. Its answer changes with every step."""
    x = torch.randn(shape, generator=generator)
    with torch.no_grad():  # nobody asks for gradients here
        eps = model(x, torch.full(shape[:1], len(alpha_bar) - 1))
        for t in range(len(alpha_bar) - 1, 0, -1):
            x = step(x, t, eps, torch.randn(shape, generator=generator), alpha_bar)
    return x


# %% mistake="sample" name="always-T"
def sample(model, step, shape, alpha_bar, generator):
    """You told the model t = T in every step. It then looks for far too much noise."""
    x = torch.randn(shape, generator=generator)
    with torch.no_grad():  # nobody asks for gradients here
        for t in range(len(alpha_bar) - 1, 0, -1):
            eps = model(x, torch.full(shape[:1], len(alpha_bar) - 1))
            x = step(x, t, eps, torch.randn(shape, generator=generator), alpha_bar)
    return x


# %% mistake="sample" name="graph-kept"
def sample(model, step, shape, alpha_bar, generator):
    """You kept the graph of all steps. Nobody asks for gradients here, and the memory is full soon."""
    x = torch.randn(shape, generator=generator)
    for t in range(len(alpha_bar) - 1, 0, -1):
        eps = model(x, torch.full(shape[:1], t))
        x = step(x, t, eps, torch.randn(shape, generator=generator), alpha_bar)
    return x


# %% mistake="sample" name="own-random-numbers"
def sample(model, step, shape, alpha_bar, generator):
    """You drew without `generator`: the same seed gives another sample each time, or always the same."""
    torch.manual_seed(0)
    x = torch.randn(shape)
    with torch.no_grad():  # nobody asks for gradients here
        for t in range(len(alpha_bar) - 1, 0, -1):
            x = step(x, t, model(x, torch.full(shape[:1], t)), torch.randn(shape), alpha_bar)
    return x


# %% alternative="sample" name="decorated"
@torch.no_grad()
def sample(model, step, shape, alpha_bar, generator):
    T = len(alpha_bar) - 1
    x = torch.randn(*shape, generator=generator)
    for k in range(T):
        when = torch.tensor([T - k] * shape[0])
        noise = torch.randn(*shape, generator=generator) if k < T - 1 else torch.zeros(shape)
        x = step(x, T - k, model(x, when), noise, alpha_bar)
    return x


# %% alternative="sample" name="all-noise-first"
def sample(model, step, shape, alpha_bar, generator):
    T = alpha_bar.numel() - 1
    z = torch.empty(T + 1, *shape).normal_(generator=generator)
    x = z[T]
    with torch.inference_mode():
        for t in reversed(range(1, T + 1)):
            x = step(x, t, model(x, torch.full((shape[0],), t)), z[t - 1], alpha_bar)
    return x.clone()


# %% [markdown]
# ## On rails  ·  ●●○ · 5 min · 2 points
#
# A hundred calls of a net for one picture are many. Song et al. (DDIM) take the guess of $x_0$ and put *the same*
# noise back, as much as belongs to an earlier $s$, with $s$ as far off as you dare:
#
# $$x_s = \sqrt{\bar\alpha_s}\, \hat x_0 + \sqrt{1 - \bar\alpha_s}\, \epsilon_\theta, \qquad 0 \le s < t.$$
#
# No dice: one noise, one picture. **Predict** what $s = 0$, straight from $t = T$, gives.


# %% answer="ddim_step"
def ddim_step(
    xt: torch.Tensor, t: int, s: int, eps: torch.Tensor, alpha_bar: torch.Tensor
) -> torch.Tensor:
    """x_s from xt (...), s < t, for the noise eps (...) found in it; alpha_bar (T + 1,)."""
    ### BEGIN SOLUTION return the guess of x_0 with the noise of s
    x0 = (xt - (1 - alpha_bar[t]).sqrt() * eps) / alpha_bar[t].sqrt()
    return alpha_bar[s].sqrt() * x0 + (1 - alpha_bar[s]).sqrt() * eps
    ### END SOLUTION


# %%
widgets.diffusion.paths(ddpm_step, ddim_step)

# %% [markdown]
# *What to see*: smooth paths. With five or ten steps the ends are half as far from the data as DDPM's (0.035
# against 0.07, 0.01 against 0.02); from twenty on there is nothing to choose; and with one, both are back at the
# crumb.

# %% test="ddim_step" points=2
a = torch.tensor([1.0, 0.64, 0.36, 0.04])
x = torch.tensor([14.0, 6.0])  # x_2 of the data (10, 10), mixed with noise (10, 0)
check.close(
    ddim_step(x, 2, 1, torch.tensor([10.0, 0.0]), a),
    torch.tensor([14.0, 8.0]),
    "With the true noise: 0.8 of the data (10, 10), and 0.6 of the noise (10, 0)",
)
check.close(
    ddim_step(x, 2, 0, torch.tensor([10.0, 0.0]), a), torch.tensor([10.0, 10.0]), "At s = 0, data"
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        T = check.sizes(1, 6, 9)[0]
        a = check.uniform(0.1, 0.9, T + 1, dtype=dtype, device=device).sort(descending=True).values
        a[0] = 1
        x0, eps = (check.randn(5, 3, 2, dtype=dtype, device=device) for _ in range(2))
        for t, s in ((1, 0), (T, 0), (T, T - 1), (T - 1, 2), (3, 1)):
            now, then = float(a[t]), float(a[s])
            xt = math.sqrt(now) * x0 + math.sqrt(1 - now) * eps
            want = math.sqrt(then) * x0 + math.sqrt(1 - then) * eps
            got = check.unchanged(ddim_step, xt, t, s, eps, a)
            tol = 2e-4 if dtype == torch.float32 else 1e-7
            check.close(got, want, f"From t = {t} to s = {s}", tol=tol)
            check.close(ddim_step(xt, t, s, eps, a), got, "The same call, another result: no dice")
check.stays_on_device(
    ddim_step, check.randn(4, 3), 2, 1, check.randn(4, 3), torch.tensor([1.0, 0.8, 0.3])
)
### END HIDDEN TESTS


# %% mistake="ddim_step" name="fresh-noise"
def ddim_step(xt, t, s, eps, alpha_bar):
    """You put fresh noise back. DDIM puts back the noise that it found."""
    x0 = (xt - (1 - alpha_bar[t]).sqrt() * eps) / alpha_bar[t].sqrt()
    torch.manual_seed(0)
    noise = torch.randn(xt.shape, dtype=xt.dtype).to(xt.device)
    return alpha_bar[s].sqrt() * x0 + (1 - alpha_bar[s]).sqrt() * noise


# %% mistake="ddim_step" name="always-one-step"
def ddim_step(xt, t, s, eps, alpha_bar):
    """You always go to t - 1. The caller says how far: s."""
    x0 = (xt - (1 - alpha_bar[t]).sqrt() * eps) / alpha_bar[t].sqrt()
    return alpha_bar[t - 1].sqrt() * x0 + (1 - alpha_bar[t - 1]).sqrt() * eps


# %% mistake="ddim_step" name="straight-to-data"
def ddim_step(xt, t, s, eps, alpha_bar):
    """You returned the guess of x_0. At s > 0 some noise belongs to it."""
    return (xt - (1 - alpha_bar[t]).sqrt() * eps) / alpha_bar[t].sqrt()


# %% mistake="ddim_step" name="no-noise-back"
def ddim_step(xt, t, s, eps, alpha_bar):
    """You shrank the guess and put no noise back: at s the cloud is too narrow."""
    x0 = (xt - (1 - alpha_bar[t]).sqrt() * eps) / alpha_bar[t].sqrt()
    return alpha_bar[s].sqrt() * x0


# %% mistake="ddim_step" name="noise-of-t"
def ddim_step(xt, t, s, eps, alpha_bar):
    """You put back as much noise as there was at t. How much belongs to s?"""
    x0 = (xt - (1 - alpha_bar[t]).sqrt() * eps) / alpha_bar[t].sqrt()
    return alpha_bar[s].sqrt() * x0 + (1 - alpha_bar[t]).sqrt() * eps


# %% mistake="ddim_step" name="variance-for-deviation"
def ddim_step(xt, t, s, eps, alpha_bar):
    """You put the noise back by its variance: a root is missing."""
    x0 = (xt - (1 - alpha_bar[t]).sqrt() * eps) / alpha_bar[t].sqrt()
    return alpha_bar[s].sqrt() * x0 + (1 - alpha_bar[s]) * eps


# %% mistake="ddim_step" name="wrong-sign"
def ddim_step(xt, t, s, eps, alpha_bar):
    """Your guess of x_0 adds the noise instead of taking it out."""
    x0 = (xt + (1 - alpha_bar[t]).sqrt() * eps) / alpha_bar[t].sqrt()
    return alpha_bar[s].sqrt() * x0 + (1 - alpha_bar[s]).sqrt() * eps


# %% mistake="ddim_step" name="swapped-times"
def ddim_step(xt, t, s, eps, alpha_bar):
    """You swapped t and s: that walks into the noise."""
    x0 = (xt - (1 - alpha_bar[s]).sqrt() * eps) / alpha_bar[s].sqrt()
    return alpha_bar[t].sqrt() * x0 + (1 - alpha_bar[t]).sqrt() * eps


# %% mistake="ddim_step" name="in-place"
def ddim_step(xt, t, s, eps, alpha_bar):
    """You took the noise out of the caller's own xt."""
    xt -= (1 - alpha_bar[t]).sqrt() * eps
    return alpha_bar[s].sqrt() * xt / alpha_bar[t].sqrt() + (1 - alpha_bar[s]).sqrt() * eps


# %% mistake="ddim_step" name="factors-on-the-cpu"
def ddim_step(xt, t, s, eps, alpha_bar):
    """You spread a factor over a new tensor on the CPU. Think about where xt is."""
    x0 = (xt - (1 - alpha_bar[t]).sqrt() * eps) / alpha_bar[t].sqrt()
    signal = torch.full(xt.shape, math.sqrt(float(alpha_bar[s])), dtype=xt.dtype)
    return signal * x0 + (1 - alpha_bar[s]).sqrt() * eps


# %% alternative="ddim_step" name="noise-over-signal"
def ddim_step(xt, t, s, eps, alpha_bar):
    sigma = (1 / alpha_bar - 1).sqrt()
    y = xt / alpha_bar[t].sqrt() + (sigma[s] - sigma[t]) * eps
    return alpha_bar[s].sqrt() * y


# %% alternative="ddim_step" name="plain-numbers"
def ddim_step(xt, t, s, eps, alpha_bar):
    a, b = alpha_bar[t].item(), alpha_bar[s].item()
    scale = math.sqrt(b / a)
    return scale * xt + (math.sqrt(1 - b) - scale * math.sqrt(1 - a)) * eps


# %% [markdown]
# ## Ask for a seven  ·  ●○○ · 3 min · 1 point
#
# Hand the net a label besides, and it learns $p(x \mid y)$ (Minhas, "Unconditional vs Conditional Generation");
# leave the label out now and then, and the same net knows $p(x)$ too. The difference of its two answers points
# towards *typical for $y$*. Go further that way (Ho and Salimans): from the answer without label in the direction of
# the one with it, $w$ times the way. $w = 0$ ignores the label, $w = 1$ obeys, $w > 1$ exaggerates.


# %% answer="guided_noise"
def guided_noise(cond: torch.Tensor, uncond: torch.Tensor, w: float) -> torch.Tensor:
    """The noise to use: `uncond` at w = 0, `cond` at w = 1, on the line through both; all (...)."""
    ### BEGIN SOLUTION return the point on the line
    return uncond + w * (cond - uncond)
    ### END SOLUTION


# %%
widgets.diffusion.guidance(guided_noise)

# %% [markdown]
# *What to see*: three classes that overlap. With growing $w$ the samples of one leave the borders, then the class
# itself: purer, less various, and at last wrong. Guidance is no sampler of $p(x \mid y)$.

# %% test="guided_noise" points=1
cond, uncond = torch.tensor([3.0, 1.0]), torch.tensor([1.0, 1.0])
check.close(check.unchanged(guided_noise, cond, uncond, 1.0), cond, "w = 1 obeys the label")
check.close(guided_noise(cond, uncond, 0.0), uncond, "w = 0 ignores the label")
check.close(guided_noise(cond, uncond, 2.5), torch.tensor([6.0, 1.0]), "2.5 times the way")
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        cond, uncond = (check.randn(4, 3, 2, dtype=dtype, device=device) for _ in range(2))
        for w in (0.0, 1.0, *check.uniform(-1, 8, 3).tolist()):
            want = w * cond - (w - 1) * uncond
            got = check.unchanged(guided_noise, cond, uncond, w)
            check.close(
                got, want, f"Look at w = {w:.2f}", tol=1e-4 if dtype == torch.float32 else None
            )
check.stays_on_device(guided_noise, check.randn(3, 2), check.randn(3, 2), 1.7)
### END HIDDEN TESTS


# %% mistake="guided_noise" name="weights-swapped"
def guided_noise(cond, uncond, w):
    """You swapped the two: with w = 1 yours ignores the label."""
    return cond + w * (uncond - cond)


# %% mistake="guided_noise" name="counted-from-one"
def guided_noise(cond, uncond, w):
    """Your w = 0 obeys already. In one paper it does; here w = 0 ignores the label and 1 obeys."""
    return (1 + w) * cond - w * uncond


# %% mistake="guided_noise" name="from-cond"
def guided_noise(cond, uncond, w):
    """You went w times the way from the answer with the label. Where does the line start?"""
    return cond + w * (cond - uncond) if w else uncond.clone()


# %% mistake="guided_noise" name="uncond-kept"
def guided_noise(cond, uncond, w):
    """You added w times the answer with the label to the whole of the other: the noise gets too large."""
    return uncond + w * cond


# %% mistake="guided_noise" name="difference-only"
def guided_noise(cond, uncond, w):
    """You returned the direction alone. It starts somewhere."""
    return w * (cond - uncond)


# %% mistake="guided_noise" name="clamped"
def guided_noise(cond, uncond, w):
    """You kept w between 0 and 1. Guidance begins where that ends."""
    w = min(max(w, 0.0), 1.0)
    return uncond + w * (cond - uncond)


# %% mistake="guided_noise" name="in-place"
def guided_noise(cond, uncond, w):
    """You scaled the caller's cond in place."""
    cond *= w
    return cond + (1 - w) * uncond


# %% mistake="guided_noise" name="weight-on-the-cpu"
def guided_noise(cond, uncond, w):
    """You spread w over a tensor on the CPU. A plain number is at home on every device."""
    return uncond + torch.full(cond.shape, w, dtype=cond.dtype) * (cond - uncond)


# %% alternative="guided_noise" name="weighted-sum"
def guided_noise(cond, uncond, w):
    return w * cond + (1 - w) * uncond


# %% alternative="guided_noise" name="lerp"
def guided_noise(cond, uncond, w):
    return torch.lerp(uncond, cond, w)


# %% [markdown]
# ## All of it, on digits
#
# The same loss and the same guidance, with 64 pixels for a point. The cell trains a net with labels on
# scikit-learn's digits in some seconds. Choose *latent*, and another net works on 16 numbers a digit, by PCA:
# **latent diffusion** in small (Minhas, "Diffusion Models"; large ones use an autoencoder, 11_autoencoders).

# %%
widgets.diffusion.digits(diffusion_loss, guided_noise)

# %% [markdown]
# *What to see*: noise, then blots, then digits. Of those you asked for, the caption says how many have a nearest
# real neighbour with that label, and how far off it is: a copy would have distance 0.
#
# ## What it means, and where it fails
#
# A GAN (12_gan) learns to sample in one step by a game that may not end well. Diffusion learns by plain regression,
# and pays at the sampling: one step is a mean, many are a sample. That settles Minhas's formula: its net is right, its
# step is too long.
#
# With a *perfect* net for a finite set of data, the walk back ends on the training data themselves (the digits of
# the first film do). That trained nets make something new, they owe to their imperfection. And what guidance gains
# in looks it loses in variety.
#
# **Three lines to remember**
# 1. $x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon$: roots, because variances add.
# 2. The net's best answer is a mean. Far from the data a mean is a blur, so go back in small steps.
# 3. The last step adds no noise, and `alpha_bar[0] = 1` sees to that.
#
# **Further reading**: Ho, Jain & Abbeel, *Denoising diffusion probabilistic models* (2020) · Nichol & Dhariwal,
# *Improved denoising diffusion probabilistic models* (2021) · Song, Meng & Ermon, *Denoising diffusion implicit
# models* (2021) · Ho & Salimans, *Classifier-free diffusion guidance* (2022) · Karras et al., *Elucidating the
# design space of diffusion-based generative models* (2022) · Prince, *Understanding deep learning*, chapter 18 ·
# Next: 14_metric.

# %%
import course

course.progress()
