# %% [markdown]
# # Generative adversarial networks
#
# **You will be able to** sample from any distribution on a line · write the two losses of a GAN and say why the
# generator's was changed · let each player step without touching the other · train a GAN on coins, and on eight
# clusters without losing any · measure with earth mover's distance, MMD and coverage · ask a generator for a class.
#
# **Decks** Minhas, "Background: Introduction to Sampling" to "Unconditional vs Conditional Generation" · Passerini,
# "Generative Adversarial Networks (GAN)" · Karatzas, "Generative Adversarial Networks"
#
# **Time** 76 minutes · **Points** 28 · ●○○ warm-up, ●●○ has a trap, ●●● needs thought.
# Your functions keep dtype and device, and leave their arguments as they were.

# %%
import math
from collections.abc import Callable

import torch
import torch.nn as nn
import torch.nn.functional as F

from course import check, widgets

torch.set_num_threads(1)  # nets this small: a second thread would only keep the first one waiting

# %% [markdown]
# ## How do you copy what you can't describe?
#
# Somewhere there is a formula for the dots below. You don't have it; you have dots. A **generator** $G$ makes
# points $G(z)$ out of noise $z$. A **discriminator** $D$ sees real points and made ones, and says which is which.
#
# **Predict**: both start from nothing. Will $G$ find all eight clusters, or only the nearest? And with *G in a
# hurry*? Then press play.

# %%
widgets.gan.lab()

# %% [markdown]
# *What to see*: the shading is $D$: dark where it says *real*. The arrows on $G$'s points are all that $G$ ever
# hears: which way $D$ would call this point more real. *Modes* counts the clusters that $G$ serves. In *G in a hurry*
# points flock to one place, $D$ learns to reject it, and they flock on: **mode collapse**.

# %% [markdown]
# ## What was seen  ·  ●○○ · 3 min · 1 point
#
# From observations to a distribution: $\{H, T, H, T, H\}$ gives $P(H) = 3/5$ (Minhas, "Background: Introduction to
# Sampling"). That is the *empirical* distribution. **Predict** $P(H)$ of the ten tosses in "A Simple Generative
# Machine Learning Example": $\{H,H,H,T,T,H,T,H,H,T\}$. They come from a coin with 0.7.
#
# **Your turn.** Count whatever values there are.


# %% answer="empirical"
def empirical(samples: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The values that occur, ascending, (k,), and the share of each, (k,), float32.

    samples (n,), n > 0: any numbers, whole or not, negative too.
    """
    ### BEGIN SOLUTION return two tensors: values, and shares that add up to 1
    values, counts = samples.unique(return_counts=True)
    return values, counts / len(samples)
    ### END SOLUTION


# %% test="empirical" points=1
tosses = torch.tensor([1, 1, 1, 0, 0, 1, 0, 1, 1, 0])
values, p = empirical(tosses)
check.equal(values, torch.tensor([0, 1]), "Tails are 0, heads are 1; in ascending order")
check.close(
    p, torch.tensor([0.4, 0.6]), "Six of the ten tosses are heads: the sample is not the coin"
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for low, high, n in ((0, 2, 31), (-3, 5, 60), (7, 10, 17)):
        samples = check.integers(low, high, n, device=device)
        samples[0] = high  # so that something is left out in between now and then
        for kind in (torch.int64, torch.float32, torch.float64):
            given = samples.to(kind) * (1 if kind == torch.int64 else 0.5)
            want, counts = given.unique(return_counts=True)
            values, p = check.unchanged(empirical, given)
            check.equal(values, want, "Each value that occurs once, in ascending order")
            check.dtype(p, torch.float32)
            check.close(p, counts / n, "How often does each value occur, of all n samples?")
check.stays_on_device(empirical, check.integers(-2, 3, 20))
### END HIDDEN TESTS


# %% mistake="empirical" name="counts"
def empirical(samples):
    """You returned how often each value occurs. A distribution adds up to 1."""
    values, counts = samples.unique(return_counts=True)
    return values, counts.float()


# %% mistake="empirical" name="by-values"
def empirical(samples):
    """You divided by the number of different values. What do the shares have to add up to?"""
    values, counts = samples.unique(return_counts=True)
    return values, counts / len(values)


# %% mistake="empirical" name="evenly"
def empirical(samples):
    """You gave each value the same share. Some occur more often."""
    values = samples.unique()
    return values, torch.full(values.shape, 1 / len(values), device=samples.device)


# %% mistake="empirical" name="most-common-first"
def empirical(samples):
    """Your values come by how common they are. Ascending values are asked for."""
    values, counts = samples.unique(return_counts=True)
    order = counts.argsort(descending=True, stable=True)
    return values[order], counts[order] / len(samples)


# %% mistake="empirical" name="from-zero"
def empirical(samples):
    """You counted from 0 up to the largest value: values that never occur are in it, negative ones can't be."""
    counts = torch.bincount(samples.long())
    return torch.arange(len(counts), device=samples.device), counts / len(samples)


# %% mistake="empirical" name="on-the-cpu"
def empirical(samples):
    """You counted in a Python list and built the result on the CPU. Think about where the samples are."""
    found = samples.tolist()
    values = sorted(set(found))
    return torch.tensor(values, dtype=samples.dtype), torch.tensor(
        [found.count(v) / len(found) for v in values]
    )


# %% alternative="empirical" name="compare"
def empirical(samples):
    values = torch.unique(samples, sorted=True)
    return values, (samples[None] == values[:, None]).float().mean(1)


# %% alternative="empirical" name="sort-and-cut"
def empirical(samples):
    ordered = samples.sort().values
    values, counts = torch.unique_consecutive(ordered, return_counts=True)
    return values, counts.float() / counts.sum()


# %% [markdown]
# ## From noise to samples  ·  ●●○ · 6 min · 2 points
#
# The other way round: given a distribution, draw from it. Its **quantile function** says below which value a share
# $u$ lies. Put uniform noise in, and samples come out: *inverse transform sampling* (Minhas, "Background: Generating
# samples"). The slide asks for the formulas of both distributions. On a line a table will do, and *sorted data is such
# a table*: its lowest value is the quantile of 0, its highest that of 1.
#
# **Your turn.** `quantile` lists $k$ values at $u = 0, \frac1{k-1}, \frac2{k-1}, \dots, 1$. Between two of them go straight.


# %% answer="inverse_transform"
def inverse_transform(u: torch.Tensor, quantile: torch.Tensor) -> torch.Tensor:
    """The quantile function at u, linear between its k listed values; shape of u.

    u (...) between 0 and 1, both included; quantile (k,) ascending, k > 1, of the same dtype.
    """
    ### BEGIN SOLUTION find the two listed values around each u, and go straight from one to the other
    place = u * (len(quantile) - 1)
    low = place.long().clamp(max=len(quantile) - 2)
    return torch.lerp(quantile[low], quantile[low + 1], place - low)
    ### END SOLUTION


# %%
widgets.gan.inverse(inverse_transform)

# %% [markdown]
# *What to see*: where the quantile function is flat, samples pile up; where it is steep they are rare. For the coin it
# is a step at $1 - p$. A generator has to learn such a curve, from samples alone.

# %% test="inverse_transform" points=2
table = torch.tensor([0.0, 1.0, 10.0])
check.close(
    inverse_transform(torch.tensor([0.0, 0.25, 0.5, 0.75]), table),
    torch.tensor([0.0, 0.5, 1.0, 5.5]),
    "Three values: at u = 0, 1/2 and 1. At 3/4 it is halfway between the last two",
)
check.close(inverse_transform(torch.tensor(1.0), table), 10.0, "At u = 1 the last value is due")
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        for k in (2, *check.sizes(2, 3, 12)):
            quantile = (3 * check.randn(k, dtype=dtype, device=device)).sort().values
            u = check.uniform(0, 1, 4, 3, 5, dtype=dtype, device=device)
            u[0, 0, :2] = torch.tensor([0.0, 1.0], dtype=dtype, device=device)
            want = torch.quantile(quantile, u.flatten()).view(u.shape)
            check.close(
                check.unchanged(inverse_transform, u, quantile), want,
                f"With {k} values, the steps between them are 1/{k - 1} wide", tol=1e-4,
            )  # fmt: skip
u = check.uniform(0.02, 0.98, 50, dtype=torch.float64)
levels = torch.linspace(0, 0.999, 20_000, dtype=torch.float64)
check.close(
    inverse_transform(u, -torch.log1p(-levels)), -torch.log1p(-u * 0.999),
    "With a long table the exponential distribution's formula comes out", tol=1e-4,
)  # fmt: skip
check.stays_on_device(inverse_transform, check.uniform(0, 1, 3, 4), check.randn(6).sort().values)
### END HIDDEN TESTS


# %% mistake="inverse_transform" name="step"
def inverse_transform(u, quantile):
    """You returned the listed value below each u. Between two listed values it goes straight up."""
    place = (u * (len(quantile) - 1)).long()
    return quantile[place]


# %% mistake="inverse_transform" name="nearest"
def inverse_transform(u, quantile):
    """You took the nearest listed value. Your samples can then be none but those in the table."""
    return quantile[(u * (len(quantile) - 1)).round().long()]


# %% mistake="inverse_transform" name="k-intervals"
def inverse_transform(u, quantile):
    """You cut [0, 1] into k pieces. Between k values, how many gaps are there?"""
    place = u * len(quantile)
    low = place.long().clamp(max=len(quantile) - 2)
    return torch.lerp(quantile[low], quantile[low + 1], (place - low).clamp(max=1))


# %% mistake="inverse_transform" name="weights-swapped"
def inverse_transform(u, quantile):
    """You swapped the weights of the two neighbours: near a listed value its neighbour counts."""
    place = u * (len(quantile) - 1)
    low = place.long().clamp(max=len(quantile) - 2)
    return torch.lerp(quantile[low + 1], quantile[low], place - low)


# %% mistake="inverse_transform" name="beyond-the-end"
def inverse_transform(u, quantile):
    """At u = 1 you ask for a value after the last one. Which two are the last that have a gap between them?"""
    place = u * (len(quantile) - 1)
    low = place.long()
    return torch.lerp(quantile[low], quantile[low + 1], place - low)


# %% mistake="inverse_transform" name="upside-down"
def inverse_transform(u, quantile):
    """You went through the table from its end. Small u, small values."""
    place = (1 - u) * (len(quantile) - 1)
    low = place.long().clamp(max=len(quantile) - 2)
    return torch.lerp(quantile[low], quantile[low + 1], place - low)


# %% mistake="inverse_transform" name="distribution-function"
def inverse_transform(u, quantile):
    """You looked up how many listed values lie below u: that is the distribution function. Its inverse is due."""
    return torch.searchsorted(quantile, u).to(u.dtype) / len(quantile)


# %% mistake="inverse_transform" name="on-the-cpu"
def inverse_transform(u, quantile):
    """You made the list of levels on the CPU. Think about where u is, and whether you need the list."""
    levels = torch.linspace(0, 1, len(quantile), dtype=u.dtype)
    low = (torch.searchsorted(levels, u, right=True) - 1).clamp(0, len(quantile) - 2)
    share = (u - levels[low]) * (len(quantile) - 1)
    return torch.lerp(quantile[low], quantile[low + 1], share)


# %% alternative="inverse_transform" name="two-weights"
def inverse_transform(u, quantile):
    n = len(quantile) - 1
    low = (u * n).floor().clamp(0, n - 1)
    share = u * n - low
    i = low.to(torch.int64)
    return (1 - share) * quantile[i] + share * quantile[i + 1]


# %% alternative="inverse_transform" name="torch-quantile"
def inverse_transform(u, quantile):
    return torch.quantile(quantile, u.reshape(-1)).reshape(u.shape)


# %% alternative="inverse_transform" name="from-above"
def inverse_transform(u, quantile):
    place = u * (quantile.numel() - 1)
    high = place.ceil().long().clamp(min=1)
    gap = quantile[high] - quantile[high - 1]
    return quantile[high] - gap * (high - place)


# %% [markdown]
# ## The discriminator's loss  ·  ●●○ · 5 min · 2 points
#
# In two dimensions there is no table to look up. *Explicit* models write $p(x)$ down; *implicit* ones only learn to
# sample (Minhas, "Generative Models"; the slide counts normalising flows as implicit, but their density is exact).
# "REO for Generative Models": *representation* $x = G(z)$; *evaluation* by the difference of two distributions, for
# which nobody has a formula, so a judge must learn it; *optimisation* downhill, by turns.
#
# $D$ is a two-class net: 1 for real, 0 for made ("Adversarial Training in a GAN"). With $s = \sigma(D(x))$ its
# probability of *real*, an example costs $-\log s$ if real and $-\log (1 - s)$ if made. The slide adds them up; we
# add the means of the two kinds.
#
# **Predict** the loss of a $D$ that knows nothing and says 1/2 to everything.
#
# **Your turn.** $D$ returns *logits*: its sigmoid is yours to take, once, and so that it survives ±1000.


# %% answer="discriminator_loss"
def discriminator_loss(real_logits: torch.Tensor, fake_logits: torch.Tensor) -> torch.Tensor:
    """Cross entropy of D: mean over the real ones plus mean over the fake ones; shape ().

    Logits of any shape: D(x) for real x, D(G(z)) for made ones; there may be more of one kind.
    """
    ### BEGIN SOLUTION return one number, finite for logits of ±1000
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
    ### END SOLUTION


# %% test="discriminator_loss" points=2
knows_nothing = discriminator_loss(torch.zeros(5), torch.zeros(3))
check.close(knows_nothing, 2 * math.log(2), "Saying 1/2 costs log 2 on each kind")
check.close(
    discriminator_loss(torch.tensor([1000.0, 1000.0]), torch.tensor([-1000.0])), 0.0,
    "Sure and right everywhere costs nothing",
)  # fmt: skip
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        n, m = check.sizes(2, 3, 9)
        real = 1 + 2 * check.randn(n, 1, dtype=dtype, device=device)
        fake = -0.5 + 2 * check.randn(m, 1, dtype=dtype, device=device)
        for scale in (1.0, 300.0):
            r, f = scale * real, scale * fake
            want = F.binary_cross_entropy_with_logits(r, torch.ones_like(r))
            want = want + F.binary_cross_entropy_with_logits(f, torch.zeros_like(f))
            check.close(
                check.unchanged(discriminator_loss, r, f), want,
                f"With {n} real and {m} made points; both kinds count the same",
            )  # fmt: skip
check.stays_on_device(discriminator_loss, check.randn(4, 1), check.randn(3, 1))
### END HIDDEN TESTS


# %% mistake="discriminator_loss" name="labels-swapped"
def discriminator_loss(real_logits, fake_logits):
    """You swapped the labels: your D learns to call real points made. Which of them has the label 1?"""
    return F.softplus(real_logits).mean() + F.softplus(-fake_logits).mean()


# %% mistake="discriminator_loss" name="real-alone"
def discriminator_loss(real_logits, fake_logits):
    """Your loss looks at the real points alone. A D that says *real* to everything would be perfect."""
    return F.softplus(-real_logits).mean()


# %% mistake="discriminator_loss" name="fake-alone"
def discriminator_loss(real_logits, fake_logits):
    """Your loss looks at the made points alone. A D that says *made* to everything would be perfect."""
    return F.softplus(fake_logits).mean()


# %% mistake="discriminator_loss" name="sigmoid-twice"
def discriminator_loss(real_logits, fake_logits):
    """You took the sigmoid twice: once yourself, and once within the loss that wants logits."""
    real, fake = torch.sigmoid(real_logits), torch.sigmoid(fake_logits)
    return F.binary_cross_entropy_with_logits(
        real, torch.ones_like(real)
    ) + F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))


# %% mistake="discriminator_loss" name="log-of-sigmoid"
def discriminator_loss(real_logits, fake_logits):
    """You took the logarithm of a sigmoid that has become 0: the loss is infinite. 02_softmax knows a form that isn't."""
    s, t = torch.sigmoid(real_logits), torch.sigmoid(fake_logits)
    return -torch.log(s).mean() - torch.log(1 - t).mean()


# %% mistake="discriminator_loss" name="one-mean"
def discriminator_loss(real_logits, fake_logits):
    """You took one mean over all points. Each kind has a mean of its own, and the two are added."""
    return torch.cat([F.softplus(-real_logits).flatten(), F.softplus(fake_logits).flatten()]).mean()


# %% mistake="discriminator_loss" name="halved"
def discriminator_loss(real_logits, fake_logits):
    """You halved the sum of the two means. Some do; here it is their sum."""
    return (F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()) / 2


# %% mistake="discriminator_loss" name="summed"
def discriminator_loss(real_logits, fake_logits):
    """You summed over the points, as the slide does. Then a larger batch takes larger steps."""
    return F.softplus(-real_logits).sum() + F.softplus(fake_logits).sum()


# %% mistake="discriminator_loss" name="upside-down"
def discriminator_loss(real_logits, fake_logits):
    """You returned the value of the game, which D wants large. A loss is to be made small."""
    return F.logsigmoid(real_logits).mean() + F.logsigmoid(-fake_logits).mean()


# %% mistake="discriminator_loss" name="labels-on-the-cpu"
def discriminator_loss(real_logits, fake_logits):
    """You made the labels on the CPU. Think about where the logits are."""
    ones = torch.ones(real_logits.shape, dtype=real_logits.dtype)
    zeros = torch.zeros(fake_logits.shape, dtype=fake_logits.dtype)
    return F.binary_cross_entropy_with_logits(
        real_logits, ones
    ) + F.binary_cross_entropy_with_logits(fake_logits, zeros)


# %% alternative="discriminator_loss" name="bce-with-logits"
def discriminator_loss(real_logits, fake_logits):
    bce = nn.BCEWithLogitsLoss()
    return bce(real_logits, torch.ones_like(real_logits)) + bce(
        fake_logits, torch.zeros_like(fake_logits)
    )


# %% alternative="discriminator_loss" name="logsigmoid"
def discriminator_loss(real_logits, fake_logits):
    return -(F.logsigmoid(real_logits).mean() + F.logsigmoid(-fake_logits).mean())


# %% alternative="discriminator_loss" name="logaddexp"
def discriminator_loss(real_logits, fake_logits):
    right = torch.cat([-real_logits.flatten(), fake_logits.flatten()])
    each = torch.logaddexp(right, torch.zeros_like(right))
    n = real_logits.numel()
    return each[:n].sum() / n + each[n:].sum() / (each.numel() - n)


# %% [markdown]
# ## The best discriminator  ·  ●○○ · 4 min · 2 points
#
# Freeze $G$ and let $D$ learn for ever. At a point where real ones have the density $p(x)$ and made ones $q(x)$, the
# loss is $-p \log s - q \log(1 - s)$. **Your turn**: set its derivative to 0 and solve for $s$. Where neither kind ever
# comes there is nothing to learn from: return 1/2 there.


# %% answer="optimal_discriminator"
def optimal_discriminator(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """The probability of *real* that the best D gives, where real has density p and made has q.

    p, q (...) of one shape, >= 0. Where both are 0 the answer is 1/2.
    """
    ### BEGIN SOLUTION return the s that makes the loss least at each point
    return torch.where(p + q > 0, p / (p + q), 0.5)
    ### END SOLUTION


# %%
p = torch.tensor([0.3, 0.7], dtype=torch.float64)  # a coin: tails, heads
for heads in (0.7, 0.1, 0.0):
    q = torch.tensor([1 - heads, heads], dtype=torch.float64)
    s, m = optimal_discriminator(p, q), (p + q) / 2
    distance = (torch.xlogy(p, p / m) + torch.xlogy(q, q / m)).sum() / 2
    loss = -(torch.xlogy(p, s) + torch.xlogy(q, 1 - s)).sum()
    print(
        f"q(H) = {heads}: D* = {s.numpy().round(2)}, loss {loss:.4f} = 2 log 2 − 2 · {distance:.4f}"
    )

# %% [markdown]
# *What to see*: against a perfect $G$ the best $D$ says 1/2, and loses $2 \log 2 \approx 1.386$. Every other $q$ makes its
# life easier, by twice the *Jensen–Shannon divergence* of $p$ and $q$: that is the distance that the game measures.

# %% test="optimal_discriminator" points=2
p, q = torch.tensor([0.2, 0.5, 0.0]), torch.tensor([0.6, 0.0, 0.3])
check.close(
    optimal_discriminator(p, q), torch.tensor([0.25, 1.0, 0.0]),
    "At the first point one of four points that come is real",
)  # fmt: skip
check.close(
    optimal_discriminator(torch.zeros(2), torch.tensor([0.0, 1.0])), torch.tensor([0.5, 0.0]),
    "Where nothing ever comes: 1/2",
)  # fmt: skip
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        for size in (1.0, 1e-12, 50.0):
            p = size * check.uniform(0, 1, 3, 5, dtype=dtype, device=device)
            q = size * check.uniform(0, 1, 3, 5, dtype=dtype, device=device)
            p[0, 1] = q[0, 1] = q[1, 2] = p[2, 3] = 0
            want = (p.double() / (p.double() + q.double())).nan_to_num(0.5).to(dtype)
            check.close(
                check.unchanged(optimal_discriminator, p, q), want,
                f"With densities of size {size:g}: only their ratio counts",
            )  # fmt: skip
p, q = check.uniform(0.1, 1, 6, dtype=torch.float64), check.uniform(0.1, 1, 6, dtype=torch.float64)
best = optimal_discriminator(p, q)
for s in (best - 0.01, best + 0.01):
    worse = -p * s.log() - q * (1 - s).log()
    check.true(
        (worse > -p * best.log() - q * (1 - best).log()).all(), "Another s makes the loss smaller"
    )
check.stays_on_device(optimal_discriminator, check.uniform(0, 1, 4), check.uniform(0, 1, 4))
### END HIDDEN TESTS


# %% mistake="optimal_discriminator" name="made-for-real"
def optimal_discriminator(p, q):
    """You returned the probability of *made*. D is asked for *real*."""
    return torch.where(p + q > 0, q / (p + q), 0.5)


# %% mistake="optimal_discriminator" name="ratio"
def optimal_discriminator(p, q):
    """You returned how many times likelier real is than made: the odds. What probability has these odds?"""
    return torch.where(p + q > 0, p / q, 0.5)


# %% mistake="optimal_discriminator" name="not-a-number"
def optimal_discriminator(p, q):
    """Where neither kind ever comes you divide 0 by 0."""
    return p / (p + q)


# %% mistake="optimal_discriminator" name="epsilon"
def optimal_discriminator(p, q):
    """You added a small number below the line. Densities may be smaller still, and 0/0 becomes 0 instead of 1/2."""
    return p / (p + q + 1e-8)


# %% mistake="optimal_discriminator" name="over-all-points"
def optimal_discriminator(p, q):
    """You divided by a sum over all points. Each point has a best answer of its own."""
    return torch.where(p + q > 0, p / (p + q).sum(), 0.5)


# %% mistake="optimal_discriminator" name="difference"
def optimal_discriminator(p, q):
    """Your answer depends on the size of p and q. Double both: what changes for D?"""
    return torch.sigmoid(p - q)


# %% mistake="optimal_discriminator" name="half-on-the-cpu"
def optimal_discriminator(p, q):
    """You made a tensor of halves on the CPU. A plain number is at home on every device."""
    return torch.where(p + q > 0, p / (p + q), torch.full(p.shape, 0.5, dtype=p.dtype))


# %% alternative="optimal_discriminator" name="nan-to-num"
def optimal_discriminator(p, q):
    return (p / (p + q)).nan_to_num(nan=0.5)


# %% alternative="optimal_discriminator" name="fill-in"
def optimal_discriminator(p, q):
    s = torch.full_like(p, 0.5)
    seen = (p > 0) | (q > 0)
    s[seen] = p[seen] / (p[seen] + q[seen])
    return s


# %% alternative="optimal_discriminator" name="sigmoid-of-the-log-ratio"
def optimal_discriminator(p, q):
    return torch.sigmoid(p.log() - q.log()).nan_to_num(0.5)


# %% [markdown]
# ## The generator's loss  ·  ●●○ · 7 min · 2 points
#
# $G$ plays against that loss. It can *maximise* $D$'s loss on made points, which is to *minimise* the mean of
# $\log(1 - s)$, or *minimise* the mean of $-\log s$. The slide calls the two equivalent (Minhas, "Adversarial Training in
# a GAN"). They want the same thing. But early on $D$ is sure: $s$ is nearly 0. **Predict** how steep each is there.

# %%
widgets.gan.slopes()

# %% [markdown]
# *What to see*: drag the logit to the left, where $D$ sees through $G$. The first loss goes flat, and the worse $G$ is
# the less it hears: it is called **saturating**. The second is steepest just there. Goodfellow et al. (2014) use it
# for that reason.
#
# **Your turn.** Both losses, and by hand (no autograd) how each changes with each logit. They are means over all
# logits.


# %% answer="generator_loss"
def generator_loss(fake_logits: torch.Tensor, saturating: bool = False) -> torch.Tensor:
    """Mean of -log s, or with `saturating` of log(1 - s), s the sigmoid of the logits; shape ()."""
    ### BEGIN SOLUTION return one number, finite for logits of ±1000
    if saturating:
        return -F.softplus(fake_logits).mean()
    return F.softplus(-fake_logits).mean()
    ### END SOLUTION


def generator_slope(fake_logits: torch.Tensor, saturating: bool = False) -> torch.Tensor:
    """Derivative of generator_loss with respect to each logit; shape of fake_logits."""
    ### BEGIN SOLUTION return the slopes, one a logit
    s = torch.sigmoid(fake_logits)
    return (-s if saturating else s - 1) / fake_logits.numel()
    ### END SOLUTION


# %%
widgets.gan.slopes(generator_loss, generator_slope)

# %% test="generator_loss" points=2
check.by_hand(generator_slope, "grad", "backward", "jacobian", "jacrev", "vjp", "jvp")
sure = torch.tensor([-10.0, -10.0], dtype=torch.float64)
check.close(generator_loss(sure), 10.000045, "−log σ(−10) is a little more than 10", tol=1e-6)
check.close(
    generator_loss(sure, saturating=True) * 1e5, -4.539890, "log(1 − σ(−10)) is almost 0", tol=1e-3
)
check.close(
    generator_slope(torch.zeros(2)), torch.tensor([-0.25, -0.25]),
    "In the middle: one half, and the mean over two logits. Up is where the loss falls",
)  # fmt: skip
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        for scale in (1.0, 6.0, 400.0):
            logits = scale * check.randn(*check.sizes(2), dtype=dtype, device=device) - scale / 4
            for saturating in (False, True):
                leaf = logits.clone().requires_grad_()
                if saturating:
                    want = F.logsigmoid(-leaf).mean()
                else:
                    want = -F.logsigmoid(leaf).mean()
                (slope,) = torch.autograd.grad(want, leaf)
                which = "saturating" if saturating else "non-saturating"
                check.close(
                    check.unchanged(generator_loss, logits, saturating), want.detach(),
                    f"Look at the {which} loss with logits of size {scale:g}",
                )  # fmt: skip
                check.close(
                    check.unchanged(generator_slope, logits, saturating) * logits.numel(),
                    slope * logits.numel(),
                    f"Look at the {which} slope, one number a logit",
                )
logits = check.randn(5, 1)
check.close(
    (generator_loss(logits), generator_slope(logits)),
    (generator_loss(logits, False), generator_slope(logits, False)), "Keep the default",
)  # fmt: skip
for f in (generator_loss, generator_slope):
    check.stays_on_device(f, check.randn(4, 1))
    check.stays_on_device(f, check.randn(4, 1), True)
### END HIDDEN TESTS


# %% mistake="generator_loss" name="exchanged"
def generator_loss(fake_logits, saturating=False):
    """You exchanged the two losses. Which of them is flat where s is nearly 0?"""
    if saturating:
        return F.softplus(-fake_logits).mean()
    return -F.softplus(fake_logits).mean()


def generator_slope(fake_logits, saturating=False):
    s = torch.sigmoid(fake_logits)
    return (s - 1 if saturating else -s) / fake_logits.numel()


# %% mistake="generator_loss" name="always-saturating"
def generator_loss(fake_logits, saturating=False):
    """You wrote the saturating loss for both. The other one is the default."""
    return -F.softplus(fake_logits).mean()


# %% mistake="generator_loss" name="loss-of-the-other-player"
def generator_loss(fake_logits, saturating=False):
    """That is the discriminator's loss on made points: your G learns to be found out."""
    return F.softplus(fake_logits).mean()


# %% mistake="generator_loss" name="wrong-sign"
def generator_loss(fake_logits, saturating=False):
    """Your losses fall where D finds G out. For G to win, they must fall as the logits rise."""
    if saturating:
        return F.softplus(fake_logits).mean()
    return -F.softplus(-fake_logits).mean()


# %% mistake="generator_loss" name="log-of-sigmoid"
def generator_loss(fake_logits, saturating=False):
    """You took the logarithm of a sigmoid that has become 0: infinite, just when D is sure."""
    s = torch.sigmoid(fake_logits)
    return torch.log(1 - s).mean() if saturating else -torch.log(s).mean()


# %% mistake="generator_loss" name="sigmoid-twice"
def generator_loss(fake_logits, saturating=False):
    """You took the sigmoid twice: the function you call takes logits."""
    s = torch.sigmoid(fake_logits)
    return F.logsigmoid(-s).mean() if saturating else -F.logsigmoid(s).mean()


# %% mistake="generator_loss" name="slope-without-the-mean"
def generator_slope(fake_logits, saturating=False):
    """Your slopes are those of a sum. The loss is a mean: how much does one logit of n count?"""
    s = torch.sigmoid(fake_logits)
    return -s if saturating else s - 1


# %% mistake="generator_loss" name="slopes-exchanged"
def generator_slope(fake_logits, saturating=False):
    """You exchanged the two slopes. Which loss is flat where s is nearly 0?"""
    s = torch.sigmoid(fake_logits)
    return (s - 1 if saturating else -s) / fake_logits.numel()


# %% mistake="generator_loss" name="slope-in-s"
def generator_slope(fake_logits, saturating=False):
    """You differentiated with respect to s. The logit comes before it: one more factor of the chain rule."""
    s = torch.sigmoid(fake_logits)
    return (-1 / (1 - s) if saturating else -1 / s) / fake_logits.numel()


# %% mistake="generator_loss" name="slope-uphill"
def generator_slope(fake_logits, saturating=False):
    """Your slopes have the wrong sign: when a logit rises, does G's loss rise or fall?"""
    s = torch.sigmoid(fake_logits)
    return (s if saturating else 1 - s) / fake_logits.numel()


# %% alternative="generator_loss" name="logsigmoid"
def generator_loss(fake_logits, saturating=False):
    if saturating:
        return F.logsigmoid(-fake_logits).mean()
    return -F.logsigmoid(fake_logits).mean()


def generator_slope(fake_logits, saturating=False):
    n = fake_logits.numel()
    return -torch.sigmoid(fake_logits if saturating else -fake_logits) / n


# %% alternative="generator_loss" name="bce-with-logits"
def generator_loss(fake_logits, saturating=False):
    if saturating:
        zeros = torch.zeros_like(fake_logits)
        return -F.binary_cross_entropy_with_logits(fake_logits, zeros)
    return F.binary_cross_entropy_with_logits(fake_logits, torch.ones_like(fake_logits))


def generator_slope(fake_logits, saturating=False):
    label = 0.0 if saturating else 1.0
    slope = (torch.sigmoid(fake_logits) - label) / fake_logits.numel()
    return -slope if saturating else slope


# %% [markdown]
# ## The discriminator's step  ·  ●●○ · 6 min · 2 points
#
# Two nets, two optimisers, one chain: made points come *out of* $G$ and go *into* $D$. When $D$ learns, the gradient
# would run on through the points into $G$, which has no business in this step.
#
# **Your turn.** One step of $D$ with `optimiser`, on a real batch $x$ and noise $z$. `loss` is called as
# `loss(real_logits, fake_logits)`. What lies in `.grad` from other steps must not count, and **$G$ must stay
# as it was: its weights, and whatever is in its `.grad`**. `rehearse` is given: it plays one step and looks.


# %%
def rehearse(
    who: str,
    D_weights: list[torch.Tensor],
    G_weights: list[torch.Tensor],
    x: torch.Tensor,
    z: torch.Tensor,
) -> tuple:
    """Given: a small game in which "D" or "G" makes one step of SGD with lr = 0.5.

    Both nets have these weights (W1, b1, W2, b2) and tanh between; their gradients are full of 3s, left
    from other steps. The losses are those of a least-squares GAN. Returns what is there afterwards: the
    loss, D's weights, G's, D's gradients (an empty one where it was wiped), G's, and who can still learn.
    """

    def net(weights):
        (hidden, n_in), (n_out, _) = weights[0].shape, weights[2].shape
        made = nn.Sequential(nn.Linear(n_in, hidden), nn.Tanh(), nn.Linear(hidden, n_out))
        copies = [w.clone() for w in weights]
        made.load_state_dict(dict(zip(made.state_dict(), copies, strict=True)), assign=True)
        for p in made.parameters():
            p.grad = torch.full_like(p, 3.0)
        return made

    D, G = net(D_weights), net(G_weights)
    optimiser = torch.optim.SGD((D if who == "D" else G).parameters(), lr=0.5)
    if who == "D":
        said = d_step(
            D, G, optimiser, lambda r, f: (r - 1).square().mean() + f.square().mean(), x, z
        )
    else:
        said = g_step(D, G, optimiser, lambda f: (f - 1).square().mean(), z)
    weights = [[p.detach() for p in player.parameters()] for player in (D, G)]
    grads = [
        [p.new_empty(0) if p.grad is None else p.grad for p in player.parameters()]
        for player in (D, G)
    ]
    learning = [all(p.requires_grad for p in player.parameters()) for player in (D, G)]
    return said, *weights, *grads, learning


# %% answer="d_step"
def d_step(
    D: nn.Module,
    G: nn.Module,
    optimiser: torch.optim.Optimizer,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    x: torch.Tensor,
    z: torch.Tensor,
) -> float:
    """One step of D on real x and made G(z); returns the loss before the step, a number.

    `optimiser` has D's weights. G's weights and gradients stay as they are.
    """
    ### BEGIN SOLUTION make points, let D judge both kinds, and move D alone
    fake = G(z).detach()
    value = loss(D(x), D(fake))
    optimiser.zero_grad()
    value.backward()
    optimiser.step()
    return value.item()
    ### END SOLUTION


# %% test="d_step" points=2
D_weights = [
    torch.tensor([[1.0], [-1.0]]),
    torch.zeros(2),
    torch.tensor([[1.0, 2.0]]),
    torch.zeros(1),
]
G_weights = [torch.tensor([[1.0]]), torch.zeros(1), torch.tensor([[2.0]]), torch.tensor([0.5])]
x, z = torch.tensor([[1.0], [2.0], [0.5]]), torch.tensor([[0.3], [-0.4]])
said, D, G, D_grads, G_grads, learning = rehearse("D", D_weights, G_weights, x, z)
check.close(said, 3.380464, "Return the loss of D before its step, as a number", tol=1e-4)
for new, old in zip(G, G_weights, strict=True):
    check.close(new, old, "G's weights have moved in D's step")
for grad in G_grads:
    check.true(len(grad) > 0, "You wiped G's gradients in D's step")
    check.close(
        grad,
        torch.full_like(grad, 3.0),
        "G got a gradient in D's step: cut the chain at the points",
    )
check.close(
    D[3],
    torch.tensor([1.999232]),
    "D's last bias after the step: a fresh gradient, one step down",
    tol=1e-4,
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        d, n_z, h, k = check.sizes(4)
        shapes = (((h, d), (h,), (1, h), (1,)), ((k, n_z), (k,), (d, k), (d,)))
        D_weights, G_weights = (
            [check.randn(*s, dtype=dtype, device=device) for s in group] for group in shapes
        )
        x = check.randn(9, d, dtype=dtype, device=device)
        z = check.randn(6, n_z, dtype=dtype, device=device)
        leaves = [w.clone().requires_grad_() for w in D_weights]

        def judge(points, leaves=leaves):
            return F.linear(torch.tanh(F.linear(points, *leaves[:2])), *leaves[2:])

        made = F.linear(torch.tanh(F.linear(z, *G_weights[:2])), *G_weights[2:])
        want = (judge(x) - 1).square().mean() + judge(made).square().mean()
        slopes = torch.autograd.grad(want, leaves)
        said, D, G, D_grads, G_grads, learning = check.unchanged(
            rehearse, "D", D_weights, G_weights, x, z
        )
        check.close(
            said,
            want.detach().cpu(),
            "The loss before the step, of this batch and this noise",
            tol=1e-4,
        )
        for new, old in zip(G, G_weights, strict=True):
            check.close(new, old, "G's weights have moved in D's step")
        for grad in G_grads:
            check.true(len(grad) > 0, "You wiped G's gradients in D's step")
            check.close(grad, torch.full_like(grad, 3.0), "G got a gradient in D's step")
        for new, old, slope in zip(D, D_weights, slopes, strict=True):
            check.close(
                new,
                old - 0.5 * slope,
                "D's weights: one step down a fresh gradient of the loss",
                tol=1e-4,
            )
        check.equal(learning, [True, True], "Afterwards both players must be able to learn")
check.stays_on_device(
    rehearse, "D",
    [check.randn(4, 2), check.randn(4), check.randn(1, 4), check.randn(1)],
    [check.randn(3, 5), check.randn(3), check.randn(2, 3), check.randn(2)],
    check.randn(6, 2), check.randn(7, 5),
)  # fmt: skip
### END HIDDEN TESTS


# %% mistake="d_step" name="not-detached"
def d_step(D, G, optimiser, loss, x, z):
    """You let D's gradient run on through the points into G. Its weights stay, but its .grad is no longer what it was."""
    value = loss(D(x), D(G(z)))
    optimiser.zero_grad()
    value.backward()
    optimiser.step()
    return value.item()


# %% mistake="d_step" name="labels-swapped"
def d_step(D, G, optimiser, loss, x, z):
    """You handed the made points over as the real ones. In which order does the loss want them?"""
    value = loss(D(G(z).detach()), D(x))
    optimiser.zero_grad()
    value.backward()
    optimiser.step()
    return value.item()


# %% mistake="d_step" name="old-gradients"
def d_step(D, G, optimiser, loss, x, z):
    """You added the new gradient to what was left from steps before. Which call makes a fresh start?"""
    value = loss(D(x), D(G(z).detach()))
    value.backward()
    optimiser.step()
    return value.item()


# %% mistake="d_step" name="wiped-too-late"
def d_step(D, G, optimiser, loss, x, z):
    """You wiped the gradient between backward and step: nothing was left to step along."""
    value = loss(D(x), D(G(z).detach()))
    value.backward()
    optimiser.zero_grad()
    optimiser.step()
    return value.item()


# %% mistake="d_step" name="wiped-the-generator"
def d_step(D, G, optimiser, loss, x, z):
    """You wiped the gradients of G. That is touching it, too: a step answers for its own player alone."""
    G.zero_grad()
    value = loss(D(x), D(G(z).detach()))
    optimiser.zero_grad()
    value.backward()
    optimiser.step()
    return value.item()


# %% mistake="d_step" name="judgement-detached"
def d_step(D, G, optimiser, loss, x, z):
    """You cut after D instead of before it: D learns nothing from the made points."""
    value = loss(D(x), D(G(z)).detach())
    optimiser.zero_grad()
    value.backward()
    optimiser.step()
    return value.item()


# %% mistake="d_step" name="real-against-real"
def d_step(D, G, optimiser, loss, x, z):
    """You showed D real points twice. Where does the noise come in?"""
    value = loss(D(x), D(x))
    optimiser.zero_grad()
    value.backward()
    optimiser.step()
    return value.item()


# %% mistake="d_step" name="uphill"
def d_step(D, G, optimiser, loss, x, z):
    """Your D walks up its loss. Against which player is it?"""
    value = loss(D(x), D(G(z).detach()))
    optimiser.zero_grad()
    (-value).backward()
    optimiser.step()
    return value.item()


# %% mistake="d_step" name="no-step"
def d_step(D, G, optimiser, loss, x, z):
    """You worked out the gradient, and D has not moved."""
    value = loss(D(x), D(G(z).detach()))
    optimiser.zero_grad()
    value.backward()
    return value.item()


# %% mistake="d_step" name="generator-frozen"
def d_step(D, G, optimiser, loss, x, z):
    """You switched G's gradients off and left them off: it will never learn again."""
    G.requires_grad_(False)
    value = loss(D(x), D(G(z)))
    optimiser.zero_grad()
    value.backward()
    optimiser.step()
    return value.item()


# %% alternative="d_step" name="no-grad"
def d_step(D, G, optimiser, loss, x, z):
    with torch.set_grad_enabled(False):
        made = G(z)
    optimiser.zero_grad()
    total = loss(D(x), D(made))
    total.backward()
    optimiser.step()
    return float(total.detach())


# %% alternative="d_step" name="one-batch"
def d_step(D, G, optimiser, loss, x, z):
    logits = D(torch.cat([x, G(z).detach()]))
    total = loss(logits[: len(x)], logits[len(x) :])
    for p in D.parameters():
        p.grad = None
    total.backward()
    optimiser.step()
    optimiser.zero_grad()
    return total.item()


# %% alternative="d_step" name="gradients-asked-for"
def d_step(D, G, optimiser, loss, x, z):
    total = loss(D(x), D(G(z)))
    own = list(D.parameters())
    for p, slope in zip(own, torch.autograd.grad(total, own)):
        p.grad = slope
    optimiser.step()
    return total.item()


# %% [markdown]
# ## The generator's step  ·  ●●● · 7 min · 3 points
#
# Now the gradient *must* run through $D$: it is all that $G$ learns from. `backward()` leaves it everywhere on its
# way, in $D$'s `.grad` too. A loop that wipes $D$'s gradients before each of its steps never notices; one that
# does not has $D$ learn to please $G$.
#
# **Your turn.** One step of $G$ with `optimiser`; `loss` is called as `loss(fake_logits)`. **$D$ must stay as it
# was: its weights, and whatever is in its `.grad`.** *Hint*: look up what `Tensor.backward` and
# `torch.autograd.grad` take besides the loss.


# %% answer="g_step"
def g_step(
    D: nn.Module,
    G: nn.Module,
    optimiser: torch.optim.Optimizer,
    loss: Callable[[torch.Tensor], torch.Tensor],
    z: torch.Tensor,
) -> float:
    """One step of G on the noise z; returns the loss before the step, a number.

    `optimiser` has G's weights. D's weights and gradients stay as they are, and D can learn afterwards.
    """
    ### BEGIN SOLUTION let D judge what G makes, and move G alone
    value = loss(D(G(z)))
    optimiser.zero_grad()
    value.backward(inputs=list(G.parameters()))
    optimiser.step()
    return value.item()
    ### END SOLUTION


# %%
widgets.gan.lab(d_step, g_step, discriminator_loss, generator_loss)

# %% [markdown]
# *What to see*: the same game, played by your steps and losses. Step each player by itself: a step of $D$ changes the
# shading and no point, a step of $G$ the points and no shading. In *D ahead* there are no arrows: $G$
# minimises the saturating loss. Change it, and they are there. (Adam divides by a gradient's usual size, so $G$ crawls
# out either way.)

# %% test="g_step" points=3
D_weights = [
    torch.tensor([[1.0], [-1.0]]),
    torch.zeros(2),
    torch.tensor([[1.0, 2.0]]),
    torch.zeros(1),
]
G_weights = [torch.tensor([[1.0]]), torch.zeros(1), torch.tensor([[2.0]]), torch.tensor([0.5])]
x, z = torch.tensor([[1.0]]), torch.tensor([[0.3], [-0.4]])
said, D, G, D_grads, G_grads, learning = rehearse("G", D_weights, G_weights, x, z)
check.close(said, 1.887633, "Return the loss of G before its step, as a number", tol=1e-4)
for new, old in zip(D, D_weights, strict=True):
    check.close(new, old, "D's weights have moved in G's step")
for grad in D_grads:
    check.true(len(grad) > 0, "You wiped D's gradients in G's step")
    check.close(
        grad,
        torch.full_like(grad, 3.0),
        "D's .grad is no longer what it was: backward() went there too",
    )
check.equal(learning, [True, True], "Afterwards both players must be able to learn")
check.close(
    G[3],
    torch.tensor([-0.180091]),
    "G's last bias after the step: a fresh gradient, one step down",
    tol=1e-4,
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        d, n_z, h, k = check.sizes(4)
        shapes = (((h, d), (h,), (1, h), (1,)), ((k, n_z), (k,), (d, k), (d,)))
        D_weights, G_weights = (
            [check.randn(*s, dtype=dtype, device=device) for s in group] for group in shapes
        )
        x = check.randn(9, d, dtype=dtype, device=device)
        z = check.randn(6, n_z, dtype=dtype, device=device)
        leaves = [w.clone().requires_grad_() for w in G_weights]
        made = F.linear(torch.tanh(F.linear(z, *leaves[:2])), *leaves[2:])
        said = F.linear(torch.tanh(F.linear(made, *D_weights[:2])), *D_weights[2:])
        want = (said - 1).square().mean()
        slopes = torch.autograd.grad(want, leaves)
        said, D, G, D_grads, G_grads, learning = check.unchanged(
            rehearse, "G", D_weights, G_weights, x, z
        )
        check.close(said, want.detach().cpu(), "The loss before the step, of this noise", tol=1e-4)
        for new, old in zip(D, D_weights, strict=True):
            check.close(new, old, "D's weights have moved in G's step")
        for grad in D_grads:
            check.true(len(grad) > 0, "You wiped D's gradients in G's step")
            check.close(grad, torch.full_like(grad, 3.0), "D's .grad is no longer what it was")
        for new, old, slope in zip(G, G_weights, slopes, strict=True):
            check.close(
                new,
                old - 0.5 * slope,
                "G's weights: one step down a fresh gradient of the loss",
                tol=1e-4,
            )
        check.equal(learning, [True, True], "Afterwards both players must be able to learn")
check.stays_on_device(
    rehearse, "G",
    [check.randn(4, 2), check.randn(4), check.randn(1, 4), check.randn(1)],
    [check.randn(3, 5), check.randn(3), check.randn(2, 3), check.randn(2)],
    check.randn(6, 2), check.randn(7, 5),
)  # fmt: skip
### END HIDDEN TESTS


# %% mistake="g_step" name="left-behind"
def g_step(D, G, optimiser, loss, z):
    """You left a gradient behind in D: backward() fills every .grad on its way. Who asked for D's?"""
    value = loss(D(G(z)))
    optimiser.zero_grad()
    value.backward()
    optimiser.step()
    return value.item()


# %% mistake="g_step" name="wiped-the-discriminator"
def g_step(D, G, optimiser, loss, z):
    """You wiped D's gradients to clean up. What was in them before is gone too, and it was not yours."""
    value = loss(D(G(z)))
    optimiser.zero_grad()
    value.backward()
    optimiser.step()
    D.zero_grad()
    return value.item()


# %% mistake="g_step" name="wrong-player-wiped"
def g_step(D, G, optimiser, loss, z):
    """You wiped D's gradients instead of G's: the old ones of G are still in its step."""
    value = loss(D(G(z)))
    D.zero_grad()
    value.backward()
    optimiser.step()
    return value.item()


# %% mistake="g_step" name="detached"
def g_step(D, G, optimiser, loss, z):
    """You detached the points, as in D's step. Then nothing that D says can reach G."""
    value = loss(D(G(z).detach()))
    optimiser.zero_grad()
    value.backward()
    optimiser.step()
    return value.item()


# %% mistake="g_step" name="frozen-for-ever"
def g_step(D, G, optimiser, loss, z):
    """You froze D and left it frozen: after the first step of G it never learns again."""
    D.requires_grad_(False)
    value = loss(D(G(z)))
    optimiser.zero_grad()
    value.backward()
    optimiser.step()
    return value.item()


# %% mistake="g_step" name="old-gradients"
def g_step(D, G, optimiser, loss, z):
    """You added the new gradient of G to what was left from steps before."""
    value = loss(D(G(z)))
    value.backward(inputs=list(G.parameters()))
    optimiser.step()
    return value.item()


# %% mistake="g_step" name="uphill"
def g_step(D, G, optimiser, loss, z):
    """Your G walks up its own loss: it helps D. The loss that you are given is to be made small."""
    value = loss(D(G(z)))
    optimiser.zero_grad()
    (-value).backward(inputs=list(G.parameters()))
    optimiser.step()
    return value.item()


# %% mistake="g_step" name="both-moved"
def g_step(D, G, optimiser, loss, z):
    """You moved D as well, by its share of G's gradient: D learns to believe."""
    value = loss(D(G(z)))
    optimiser.zero_grad()
    D.zero_grad()
    value.backward()
    optimiser.step()
    for p in D.parameters():
        p.data -= 0.5 * p.grad
    return value.item()


# %% mistake="g_step" name="points-for-judgement"
def g_step(D, G, optimiser, loss, z):
    """You gave the points themselves to the loss. It is D's word on them that counts."""
    value = loss(G(z))
    optimiser.zero_grad()
    value.backward()
    optimiser.step()
    return value.item()


# %% alternative="g_step" name="freeze-and-thaw"
def g_step(D, G, optimiser, loss, z):
    D.requires_grad_(False)
    total = loss(D(G(z)))
    optimiser.zero_grad()
    total.backward()
    optimiser.step()
    D.requires_grad_(True)
    return total.item()


# %% alternative="g_step" name="gradients-asked-for"
def g_step(D, G, optimiser, loss, z):
    own = list(G.parameters())
    total = loss(D(G(z)))
    for p, slope in zip(own, torch.autograd.grad(total, own)):
        p.grad = slope
    optimiser.step()
    return total.item()


# %% alternative="g_step" name="kept-and-put-back"
def g_step(D, G, optimiser, loss, z):
    kept = [None if p.grad is None else p.grad.clone() for p in D.parameters()]
    total = loss(D(G(z)))
    optimiser.zero_grad()
    total.backward()
    optimiser.step()
    for p, grad in zip(D.parameters(), kept):
        p.grad = grad
    return total.item()


# %% [markdown]
# ## The game: a coin  ·  ●●○ · 8 min · 3 points
#
# In each round $D$ makes a step on a batch of real examples and fresh noise, then $G$ makes one on noise. To begin
# with, the deck's coin ("A Barebones GAN in PyTorch for generating coin flips"): $x$ is 1 for heads and 0 for tails,
# $z \sim N(0, 1)$, and nobody tells $G$ the 0.3.
#
# **Your turn.** The loop, for any two steps `d_play(x, z)` and `g_play(z)`, each of which returns its loss. Draw a
# batch of $x$ with or without replacement, but another in each round; noise is standard normal, `(batch, n_z)`. All
# randomness comes from a `torch.Generator` that starts from `seed`. `coin_gan` is given, plays your loop with your
# steps, and is used by the test.


# %% answer="train_gan"
def train_gan(
    d_play: Callable[[torch.Tensor, torch.Tensor], float],
    g_play: Callable[[torch.Tensor], float],
    x: torch.Tensor,
    n_z: int,
    rounds: int,
    batch: int,
    seed: int,
) -> torch.Tensor:
    """Play `rounds` rounds, D first in each; returns their losses, D's and G's, (rounds, 2), float32.

    x (m, d) all real examples, m >= batch. d_play is called with (batch, d) of them and noise
    (batch, n_z), g_play with noise (batch, n_z).
    """
    ### BEGIN SOLUTION in each round: a fresh batch and noise for D, fresh noise for G
    source = torch.Generator().manual_seed(seed)
    losses = []
    for _ in range(rounds):
        rows = torch.randint(len(x), (batch,), generator=source)
        d_loss = d_play(x[rows], torch.randn(batch, n_z, generator=source))
        losses.append((d_loss, g_play(torch.randn(batch, n_z, generator=source))))
    return torch.tensor(losses)
    ### END SOLUTION


def coin_gan(x: torch.Tensor, z: torch.Tensor, seed: int) -> torch.Tensor:
    """Given: G(z) after 220, 240, ... 400 rounds on tosses x (m, 1); z (n, 1). Returns (10, n, 1)."""
    torch.manual_seed(seed)
    D, G = (
        nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1)),
        nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1), nn.Sigmoid()),
    )
    d_optimiser = torch.optim.Adam(D.parameters(), lr=0.01, betas=(0.5, 0.99), fused=True)
    g_optimiser = torch.optim.Adam(G.parameters(), lr=0.01, betas=(0.5, 0.99), fused=True)
    made = []
    for part in range(10):
        train_gan(
            lambda x, z: d_step(D, G, d_optimiser, discriminator_loss, x, z),
            lambda z: g_step(D, G, g_optimiser, generator_loss, z),
            x,
            n_z=1,
            rounds=20 if part else 220,
            batch=64,
            seed=seed + part,
        )
        made.append(G(z).detach())
    return torch.stack(made)


# %%
widgets.gan.coin(coin_gan)

# %% [markdown]
# *What to see*: the curve of $G$ becomes a step at $z = \Phi^{-1}(1 - p)$. Nobody told it, but that is inverse transform
# sampling. The share of heads never comes to rest: two learners chase each other round the answer, not down to it.

# %% test="train_gan" points=3
seen = []


def d_play(x, z):
    seen.append(("D", x, z))
    return x.double().mean().item() + 10 * z.double().mean().item()


def g_play(z):
    seen.append(("G", z))
    return z.double().square().mean().item()


x = torch.arange(40.0)[:, None] * torch.tensor([1.0, -1.0])
losses = check.unchanged(train_gan, d_play, g_play, x, 3, 60, 10, 1)
check.equal(len(seen), 120, "In each of the 60 rounds one step of D and one of G")
turns = [name for name, *_ in seen]
check.true(turns == ["D", "G"] * 60, f"In each round D, then G; yours begins with {turns[:4]}")
for name, *given in seen:
    check.shape(given[-1], (10, 3))
    if name == "D":
        check.shape(given[0], (10, 2))
batches, d_noise = [x for name, x, *_ in seen if name == "D"], [s[2] for s in seen if s[0] == "D"]
g_noise = [s[1] for s in seen if s[0] == "G"]
for one, other, what in (
    (batches[0], batches[1], "D saw the same batch in two rounds: draw another each time"),
    (d_noise[0], d_noise[1], "D got the same noise in two rounds: draw new noise each time"),
    (g_noise[0], g_noise[1], "G got the same noise in two rounds: draw new noise each time"),
):
    check.true(not torch.equal(one, other), what)
### BEGIN HIDDEN TESTS
rows = torch.cat(batches)
check.close(rows[:, 1], -rows[:, 0], "A batch must consist of rows of x")
check.true(set(rows[:, 0].tolist()) == set(range(40)), "In 60 rounds every example should turn up")
noise = torch.cat(d_noise + g_noise)
check.true(noise.mean().abs() < 0.15, "The noise must have mean 0: it is to be standard normal")
check.true((noise.std() - 1).abs() < 0.15, "The noise must have standard deviation 1")
check.true(noise.abs().max() > 2.5, "Standard normal noise sometimes lies beyond 2.5")
want = [[x.double().mean() + 10 * z.double().mean() for x, z in zip(batches, d_noise, strict=True)]]
want.append([z.double().square().mean() for z in g_noise])
check.close(
    losses,
    torch.tensor(want).T.float().contiguous(),
    "What the two steps returned, one row a round",
    tol=1e-3,
)
seed = int(check.integers(0, 10**6, 1))
again = [train_gan(d_play, g_play, x, 2, 5, 7, s) for s in (seed, seed, seed + 1)]
check.close(
    again[0], again[1], "The same seed must repeat the game: draw from your generator alone"
)
check.true(not torch.allclose(again[0], again[2]), "Another seed, and the game is the same")
off = 1.0
for _ in range(3):  # one game in fifty ends a little further off by bad luck
    p = float(check.uniform(0.2, 0.8, 1))
    x = (check.uniform(0, 1, 1024, 1) < p).float()
    made = coin_gan(x, check.randn(1000, 1), int(check.integers(0, 10**6, 1)))
    check.shape(made, (10, 1000, 1))
    off = min(off, ((made > 0.5).float().mean() - x.mean()).abs().item())
    if off <= 0.05:
        break
check.true(off <= 0.05, f"In the best of three games p(H) is off by {off:.2f}; 0.05 is allowed")
### END HIDDEN TESTS


# %% mistake="train_gan" name="one-batch"
def train_gan(d_play, g_play, x, n_z, rounds, batch, seed):
    """You drew one batch before the loop, and showed it in every round. The rest of the data is never seen."""
    source = torch.Generator().manual_seed(seed)
    real = x[torch.randint(len(x), (batch,), generator=source)]
    losses = []
    for _ in range(rounds):
        d_loss = d_play(real, torch.randn(batch, n_z, generator=source))
        losses.append((d_loss, g_play(torch.randn(batch, n_z, generator=source))))
    return torch.tensor(losses)


# %% mistake="train_gan" name="one-noise"
def train_gan(d_play, g_play, x, n_z, rounds, batch, seed):
    """You drew the noise once. G then learns to make these few points, and nothing for other noise."""
    source = torch.Generator().manual_seed(seed)
    z = torch.randn(batch, n_z, generator=source)
    losses = []
    for _ in range(rounds):
        rows = torch.randint(len(x), (batch,), generator=source)
        losses.append((d_play(x[rows], z), g_play(z)))
    return torch.tensor(losses)


# %% mistake="train_gan" name="one-after-the-other"
def train_gan(d_play, g_play, x, n_z, rounds, batch, seed):
    """You trained D to the end, and then G against a D that no longer learns. They take turns, round by round."""
    source = torch.Generator().manual_seed(seed)
    d_losses = []
    for _ in range(rounds):
        rows = torch.randint(len(x), (batch,), generator=source)
        d_losses.append(d_play(x[rows], torch.randn(batch, n_z, generator=source)))
    g_losses = [g_play(torch.randn(batch, n_z, generator=source)) for _ in range(rounds)]
    return torch.tensor([d_losses, g_losses]).T.contiguous()


# %% mistake="train_gan" name="uniform-noise"
def train_gan(d_play, g_play, x, n_z, rounds, batch, seed):
    """Your noise is uniform. It is to be standard normal, as it will be when G is used."""
    source = torch.Generator().manual_seed(seed)
    losses = []
    for _ in range(rounds):
        rows = torch.randint(len(x), (batch,), generator=source)
        d_loss = d_play(x[rows], torch.rand(batch, n_z, generator=source))
        losses.append((d_loss, g_play(torch.rand(batch, n_z, generator=source))))
    return torch.tensor(losses)


# %% mistake="train_gan" name="generator-first"
def train_gan(d_play, g_play, x, n_z, rounds, batch, seed):
    """You let G begin. In each round D is first."""
    source = torch.Generator().manual_seed(seed)
    losses = []
    for _ in range(rounds):
        g_loss = g_play(torch.randn(batch, n_z, generator=source))
        rows = torch.randint(len(x), (batch,), generator=source)
        losses.append((d_play(x[rows], torch.randn(batch, n_z, generator=source)), g_loss))
    return torch.tensor(losses)


# %% mistake="train_gan" name="head-of-the-data"
def train_gan(d_play, g_play, x, n_z, rounds, batch, seed):
    """You always take the first rows, in another order. The rest of the data is never seen."""
    source = torch.Generator().manual_seed(seed)
    losses = []
    for _ in range(rounds):
        rows = torch.randperm(batch, generator=source)
        d_loss = d_play(x[rows], torch.randn(batch, n_z, generator=source))
        losses.append((d_loss, g_play(torch.randn(batch, n_z, generator=source))))
    return torch.tensor(losses)


# %% mistake="train_gan" name="seeded-in-each-round"
def train_gan(d_play, g_play, x, n_z, rounds, batch, seed):
    """You start the generator anew in each round: every round sees the same batch and the same noise."""
    losses = []
    for _ in range(rounds):
        source = torch.Generator().manual_seed(seed)
        rows = torch.randint(len(x), (batch,), generator=source)
        d_loss = d_play(x[rows], torch.randn(batch, n_z, generator=source))
        losses.append((d_loss, g_play(torch.randn(batch, n_z, generator=source))))
    return torch.tensor(losses)


# %% mistake="train_gan" name="sums-of-losses"
def train_gan(d_play, g_play, x, n_z, rounds, batch, seed):
    """You added the losses of the two players up. They are two games' worth of numbers: one column each."""
    source = torch.Generator().manual_seed(seed)
    losses = []
    for _ in range(rounds):
        rows = torch.randint(len(x), (batch,), generator=source)
        d_loss = d_play(x[rows], torch.randn(batch, n_z, generator=source))
        losses.append(d_loss + g_play(torch.randn(batch, n_z, generator=source)))
    return torch.tensor(losses)


# %% mistake="train_gan" name="seed-ignored"
def train_gan(d_play, g_play, x, n_z, rounds, batch, seed):
    """Your generator does not start from the seed that was given: every game is the same."""
    source = torch.Generator().manual_seed(0)
    losses = []
    for _ in range(rounds):
        rows = torch.randint(len(x), (batch,), generator=source)
        d_loss = d_play(x[rows], torch.randn(batch, n_z, generator=source))
        losses.append((d_loss, g_play(torch.randn(batch, n_z, generator=source))))
    return torch.tensor(losses)


# %% alternative="train_gan" name="without-replacement"
def train_gan(d_play, g_play, x, n_z, rounds, batch, seed):
    source = torch.Generator()
    source.manual_seed(seed)
    losses = torch.zeros(rounds, 2)
    for t in range(rounds):
        real = x[torch.randperm(len(x), generator=source)[:batch]]
        losses[t, 0] = d_play(real, torch.randn((batch, n_z), generator=source))
        losses[t, 1] = g_play(torch.randn((batch, n_z), generator=source))
    return losses


# %% alternative="train_gan" name="one-noise-a-round"
def train_gan(d_play, g_play, x, n_z, rounds, batch, seed):
    source = torch.Generator().manual_seed(seed)
    history = []
    for _ in range(rounds):
        z = torch.randn(batch, n_z, generator=source)
        pick = torch.multinomial(torch.ones(len(x)), batch, replacement=True, generator=source)
        history.append([d_play(x[pick], z), g_play(z)])
    return torch.tensor(history)


# %% alternative="train_gan" name="all-drawn-before"
def train_gan(d_play, g_play, x, n_z, rounds, batch, seed):
    source = torch.Generator().manual_seed(seed)
    rows = torch.randint(0, len(x), (rounds, batch), generator=source)
    noise = torch.randn(2, rounds, batch, n_z, generator=source)
    pairs = zip(rows, noise[0], noise[1])
    return torch.tensor([(d_play(x[r], a), g_play(b)) for r, a, b in pairs])


# %% [markdown]
# ## How far apart?  ·  ●●○ · 5 min · 2 points
#
# The losses don't say how good $G$ is: each depends on the other player's form. So measure made samples against real
# ones (Minhas, "Performance Assessment of Generative Models"). **Earth mover's distance**: how far, per grain, must the
# made heap be carried until the real heap lies there, if nobody walks further than needed?
#
# **Predict** which grain goes where on a line: is crossing paths ever worth it?
#
# **Your turn**, for samples on a line, as many of one kind as of the other.


# %% answer="emd_1d"
def emd_1d(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Mean way per sample from a to b, the shortest there is; a, b (..., n), result (...)."""
    ### BEGIN SOLUTION pair the samples so that the mean way is shortest
    return (a.sort(-1).values - b.sort(-1).values).abs().mean(-1)
    ### END SOLUTION


# %% test="emd_1d" points=2
check.close(
    emd_1d(torch.tensor([0.0, 1.0, 3.0]), torch.tensor([5.0, 6.0, 8.0])), 5.0,
    "All three samples must go 5 to the right",
)  # fmt: skip
check.close(
    emd_1d(torch.tensor([3.0, 1.0]), torch.tensor([1.0, 4.0])), 0.5, "One stays, one goes 1"
)
### BEGIN HIDDEN TESTS
from itertools import permutations

for device in check.devices():
    for dtype in check.dtypes():
        a = check.randn(4, 5, dtype=dtype, device=device)
        b = 1 + 2 * check.randn(4, 5, dtype=dtype, device=device)
        ways = [(a - b[:, list(order)]).abs().mean(-1) for order in permutations(range(5))]
        check.close(
            check.unchanged(emd_1d, a, b), torch.stack(ways).amin(0),
            "Of all 120 ways to pair five samples with five others one is shorter",
        )  # fmt: skip
        a = check.randn(2, 3, 100, dtype=dtype, device=device)
        check.close(
            emd_1d(a, a.flip(-1) + 0.25),
            torch.full_like(a[..., 0], 0.25),
            "Moved by 1/4, in another order",
        )
check.close(emd_1d(torch.tensor([2.0]), torch.tensor([-1.0])), 3.0, "One sample each")
check.stays_on_device(emd_1d, check.randn(3, 6), check.randn(3, 6))
### END HIDDEN TESTS


# %% mistake="emd_1d" name="not-sorted"
def emd_1d(a, b):
    """You paired the samples in the order in which they came. Another pairing is shorter: who is the neighbour of whom?"""
    return (a - b).abs().mean(-1)


# %% mistake="emd_1d" name="one-sorted"
def emd_1d(a, b):
    """You put one of the two sets in order and left the other as it came."""
    return (a.sort(-1).values - b).abs().mean(-1)


# %% mistake="emd_1d" name="means"
def emd_1d(a, b):
    """You compared the means. Two heaps may have one mean and different shapes."""
    return (a.mean(-1) - b.mean(-1)).abs()


# %% mistake="emd_1d" name="squared"
def emd_1d(a, b):
    """You squared the ways. Carrying twice as far costs twice as much here."""
    return (a.sort(-1).values - b.sort(-1).values).square().mean(-1)


# %% mistake="emd_1d" name="nearest"
def emd_1d(a, b):
    """You sent each sample to the nearest of the others: several may go to the same, and some are never reached."""
    return (a.unsqueeze(-1) - b.unsqueeze(-2)).abs().amin(-1).mean(-1)


# %% mistake="emd_1d" name="summed"
def emd_1d(a, b):
    """You added the ways up. The mean per sample is asked for."""
    return (a.sort(-1).values - b.sort(-1).values).abs().sum(-1)


# %% mistake="emd_1d" name="signed"
def emd_1d(a, b):
    """Your ways to the left cancel those to the right. A way has no sign."""
    return (a.sort(-1).values - b.sort(-1).values).mean(-1)


# %% mistake="emd_1d" name="whole-batch"
def emd_1d(a, b):
    """You sorted all rows together into one heap. Each row is a set of its own."""
    flat = (a.flatten().sort().values - b.flatten().sort().values).abs().mean()
    return flat.expand(a.shape[:-1]).clone()


# %% alternative="emd_1d" name="argsort"
def emd_1d(a, b):
    left = a.gather(-1, a.argsort(-1))
    right = b.gather(-1, b.argsort(-1))
    return torch.linalg.vector_norm(left - right, ord=1, dim=-1) / a.shape[-1]


# %% alternative="emd_1d" name="area-between-the-distribution-functions"
def emd_1d(a, b):
    places = torch.cat([a, b], -1).sort(-1).values
    below_a = (a.unsqueeze(-2) <= places.unsqueeze(-1)).to(a.dtype).mean(-1)
    below_b = (b.unsqueeze(-2) <= places.unsqueeze(-1)).to(b.dtype).mean(-1)
    return ((below_a - below_b).abs()[..., :-1] * places.diff(dim=-1)).sum(-1)


# %% [markdown]
# ## In any dimension  ·  ●●○ · 6 min · 2 points
#
# Off the line there is no order to sort by. **Maximum mean discrepancy** compares by likeness, $k(a, b) = \exp\left(-\|a -
# b\|^2 / 2\sigma^2\right)$: how alike are samples within $a$, within $b$, and across?
#
# $$\text{MMD}^2 = \overline{k(a_i, a_j)}_{i \ne j} + \overline{k(b_i, b_j)}_{i \ne j} - 2\, \overline{k(a_i, b_j)}$$
#
# (a bar is a mean). A sample is always like itself, so pairs with $i = j$ stay out: then the estimate is **unbiased**,
# and where nothing differs it often falls below 0.


# %% answer="mmd_rbf"
def mmd_rbf(a: torch.Tensor, b: torch.Tensor, sigma: float) -> torch.Tensor:
    """Unbiased estimate of the squared MMD with a Gaussian kernel of width sigma; shape ().

    a (n, d), b (m, d), n and m at least 2 and perhaps different.
    """

    ### BEGIN SOLUTION return three means of k, put together; without i = j within a and within b
    def likeness(u, v):
        return torch.exp(-(u[:, None] - v[None]).square().sum(-1) / (2 * sigma**2))

    def within(u):
        n = len(u)
        return (likeness(u, u).sum() - n) / (n * (n - 1))

    return within(a) + within(b) - 2 * likeness(a, b).mean()
    ### END SOLUTION


# %%
widgets.gan.distances(emd_1d, mmd_rbf)

# %% [markdown]
# *What to see*: made samples slide past real ones. EMD grows with the way, as far as it goes. MMD is steep while
# the heaps are about $\sigma$ apart, and then flat: what lies many $\sigma$ away is just *elsewhere*. In *all near the
# mean* the means agree, and both measures notice all the same; with a wide kernel MMD hardly does.

# %% test="mmd_rbf" points=2
a, b = torch.tensor([[0.0, 0.0], [0.0, 2.0]]), torch.tensor([[3.0, 0.0], [3.0, 2.0]])
check.close(
    mmd_rbf(a, b, 1.0), 2 * math.exp(-2) - math.exp(-4.5) - math.exp(-6.5),
    "Within a pair the distance is 2; across it is 3, or the root of 13",
)  # fmt: skip
same = mmd_rbf(torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [1.0]]), 1.0)
check.close(
    same,
    math.exp(-0.5) - 1,
    "Equal sets come out below 0: leave each sample's likeness to itself out",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        n, m, d = check.sizes(3, 2, 9)
        a = check.randn(n, d, dtype=dtype, device=device)
        b = 0.5 + 1.5 * check.randn(m, d, dtype=dtype, device=device)
        for sigma in (0.6, 1.0, 2.5):

            def mean(u, v, skip, sigma=sigma):
                likes = [
                    torch.exp(-((u[i] - v[j]) ** 2).sum() / 2 / sigma / sigma)
                    for i in range(len(u)) for j in range(len(v)) if not (skip and i == j)
                ]  # fmt: skip
                return sum(likes) / len(likes)

            want = mean(a, a, True) + mean(b, b, True) - 2 * mean(a, b, False)
            check.close(
                check.unchanged(mmd_rbf, a, b, sigma), want,
                f"With n = {n}, m = {m} and σ = {sigma}: three means, each over its own number of pairs",
            )  # fmt: skip
check.stays_on_device(mmd_rbf, check.randn(5, 2), check.randn(4, 2), 0.7)
### END HIDDEN TESTS


# %% mistake="mmd_rbf" name="biased"
def mmd_rbf(a, b, sigma):
    """You counted each sample's likeness to itself: your estimate is biased, and never below 0."""

    def k(u, v):
        return torch.exp(-(u[:, None] - v[None]).square().sum(-1) / (2 * sigma**2))

    return k(a, a).mean() + k(b, b).mean() - 2 * k(a, b).mean()


# %% mistake="mmd_rbf" name="divided-by-all-pairs"
def mmd_rbf(a, b, sigma):
    """You left the pairs with i = j out of the sum, and counted them in the number you divide by."""

    def k(u, v):
        return torch.exp(-(u[:, None] - v[None]).square().sum(-1) / (2 * sigma**2))

    def within(u):
        return (k(u, u).sum() - len(u)) / len(u) ** 2

    return within(a) + within(b) - 2 * k(a, b).mean()


# %% mistake="mmd_rbf" name="distance-not-squared"
def mmd_rbf(a, b, sigma):
    """You put the distance into the exponent, not its square."""

    def k(u, v):
        return torch.exp(-(u[:, None] - v[None]).square().sum(-1).sqrt() / (2 * sigma**2))

    def within(u):
        return (k(u, u).sum() - len(u)) / (len(u) * (len(u) - 1))

    return within(a) + within(b) - 2 * k(a, b).mean()


# %% mistake="mmd_rbf" name="sigma-not-squared"
def mmd_rbf(a, b, sigma):
    """You divided by 2σ. A width is measured like a distance: what must it be for the exponent to have no unit?"""

    def k(u, v):
        return torch.exp(-(u[:, None] - v[None]).square().sum(-1) / (2 * sigma))

    def within(u):
        return (k(u, u).sum() - len(u)) / (len(u) * (len(u) - 1))

    return within(a) + within(b) - 2 * k(a, b).mean()


# %% mistake="mmd_rbf" name="no-half"
def mmd_rbf(a, b, sigma):
    """The 2 in front of σ² is missing: your kernel is narrower than asked for."""

    def k(u, v):
        return torch.exp(-(u[:, None] - v[None]).square().sum(-1) / sigma**2)

    def within(u):
        return (k(u, u).sum() - len(u)) / (len(u) * (len(u) - 1))

    return within(a) + within(b) - 2 * k(a, b).mean()


# %% mistake="mmd_rbf" name="sigma-as-factor"
def mmd_rbf(a, b, sigma):
    """You multiplied by σ² where it divides: your kernel narrows as σ grows."""

    def k(u, v):
        return torch.exp(-(u[:, None] - v[None]).square().sum(-1) * sigma**2 / 2)

    def within(u):
        return (k(u, u).sum() - len(u)) / (len(u) * (len(u) - 1))

    return within(a) + within(b) - 2 * k(a, b).mean()


# %% mistake="mmd_rbf" name="across-once"
def mmd_rbf(a, b, sigma):
    """You took the likeness across once. There are two means within: what must be taken from them for equal sets?"""

    def k(u, v):
        return torch.exp(-(u[:, None] - v[None]).square().sum(-1) / (2 * sigma**2))

    def within(u):
        return (k(u, u).sum() - len(u)) / (len(u) * (len(u) - 1))

    return within(a) + within(b) - k(a, b).mean()


# %% mistake="mmd_rbf" name="root"
def mmd_rbf(a, b, sigma):
    """You took the root. The squared MMD is asked for, and its estimate may be below 0."""

    def k(u, v):
        return torch.exp(-(u[:, None] - v[None]).square().sum(-1) / (2 * sigma**2))

    def within(u):
        return (k(u, u).sum() - len(u)) / (len(u) * (len(u) - 1))

    return (within(a) + within(b) - 2 * k(a, b).mean()).clamp(min=0).sqrt()


# %% mistake="mmd_rbf" name="identity-on-the-cpu"
def mmd_rbf(a, b, sigma):
    """You made the mask of the diagonal on the CPU. Think about where the samples are."""

    def k(u, v):
        return torch.exp(-(u[:, None] - v[None]).square().sum(-1) / (2 * sigma**2))

    def within(u):
        return (k(u, u) * (1 - torch.eye(len(u), dtype=u.dtype))).sum() / (len(u) * (len(u) - 1))

    return within(a) + within(b) - 2 * k(a, b).mean()


# %% alternative="mmd_rbf" name="cdist"
def mmd_rbf(a, b, sigma):
    both = torch.cat([a, b])
    k = torch.exp(
        -0.5 * (torch.cdist(both, both, compute_mode="donot_use_mm_for_euclid_dist") / sigma) ** 2
    )
    k = k - torch.diag(torch.diagonal(k))
    n, m = len(a), len(b)
    return k[:n, :n].sum() / n / (n - 1) + k[n:, n:].sum() / m / (m - 1) - 2 * k[:n, n:].mean()


# %% alternative="mmd_rbf" name="pairs"
def mmd_rbf(a, b, sigma):
    scale = -0.5 / sigma**2
    within = [torch.exp(scale * torch.pdist(u) ** 2).mean() for u in (a, b)]
    across = torch.exp(scale * (a.unsqueeze(1) - b).pow(2).sum(2))
    return within[0] + within[1] - 2 * across.mean()


# %% [markdown]
# ## Is anything missing?  ·  ●●○ · 5 min · 2 points
#
# A distance is one number for two faults: bad samples, and missing ones. So look at *quality* and **coverage** apart.
#
# **Your turn.** A sample belongs to its nearest centre, if it lies at most `radius` from it, and to none
# otherwise. A mode is covered if at least `least` samples belong to it.


# %% answer="mode_coverage"
def mode_coverage(
    samples: torch.Tensor, centres: torch.Tensor, radius: float, least: int
) -> tuple[int, float]:
    """How many modes are covered, and the share of the samples that belong to a mode at all.

    samples (n, d), centres (k, d) of the modes.
    """
    ### BEGIN SOLUTION return (covered modes, share of samples on a mode)
    distance, nearest = (samples[:, None] - centres[None]).square().sum(-1).sqrt().min(1)
    on_mode = distance <= radius
    counts = torch.bincount(nearest[on_mode], minlength=len(centres))
    return int((counts >= least).sum()), on_mode.float().mean().item()
    ### END SOLUTION


# %% test="mode_coverage" points=2
centres = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
samples = torch.tensor([[0.5, 0.0], [0.0, -0.5], [0.2, 0.2], [4.0, 0.5], [2.0, 2.0]])
covered, quality = mode_coverage(samples, centres, 1.0, 1)
check.equal(
    covered, 2, "Three samples are at the first mode, one is at the second, none at the third"
)
check.close(quality, 0.8, "Four of the five samples lie on a mode", tol=1e-5)
check.equal(
    mode_coverage(samples, centres, 1.0, 2)[0], 1, "One sample is not enough if `least` is 2"
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        k, n = check.sizes(1, 3, 6)[0], 60
        centres = 2 * check.randn(k, 3, dtype=dtype, device=device)
        centres[1] = centres[0] + 0.7  # two modes within one another's radius
        lot = torch.cat([torch.zeros(20, dtype=torch.int64), check.integers(0, k - 1, n - 20)])
        samples = centres[lot.to(device)] + 0.5 * check.randn(n, 3, dtype=dtype, device=device)
        for radius, least in ((0.8, 1), (1.2, 4), (0.5, 2), (50.0, 1)):
            ways = (samples[:, None] - centres).square().sum(-1).sqrt()
            own = ways.argmin(1)
            near = ways.amin(1) <= radius
            want = sum(int(((own == c) & near).sum()) >= least for c in range(k))
            covered, quality = check.unchanged(mode_coverage, samples, centres, radius, least)
            check.equal(covered, want, f"With radius {radius} and at least {least} samples a mode")
            check.close(
                quality,
                near.float().mean().item(),
                f"The share of samples within {radius} of a mode",
                tol=1e-5,
            )
line = torch.tensor([[0.0], [3.0], [5.0]])
check.equal(
    mode_coverage(torch.tensor([[1.0], [2.0], [5.0]]), line, 1.0, 1)[0], 3,
    "At most `radius`: a sample exactly that far away belongs",
)  # fmt: skip
check.equal(mode_coverage(torch.full((4, 1), 90.0), line, 1.0, 1), (0, 0.0), "Far from everything")
check.stays_on_device(mode_coverage, check.randn(9, 2), check.randn(3, 2), 1.0, 1)
### END HIDDEN TESTS


# %% mistake="mode_coverage" name="samples-counted"
def mode_coverage(samples, centres, radius, least):
    """You counted samples instead of modes: a thousand samples on one mode cover one."""
    distance = (samples[:, None] - centres[None]).square().sum(-1).sqrt().amin(1)
    on_mode = distance <= radius
    return int(on_mode.sum()), on_mode.float().mean().item()


# %% mistake="mode_coverage" name="no-radius"
def mode_coverage(samples, centres, radius, least):
    """You gave every sample to its nearest mode, however far away. Noise everywhere would cover all."""
    nearest = (samples[:, None] - centres[None]).square().sum(-1).argmin(1)
    counts = torch.bincount(nearest, minlength=len(centres))
    return int((counts >= least).sum()), 1.0


# %% mistake="mode_coverage" name="squared-distance"
def mode_coverage(samples, centres, radius, least):
    """You compared the squared distance with the radius."""
    distance, nearest = (samples[:, None] - centres[None]).square().sum(-1).min(1)
    on_mode = distance <= radius
    counts = torch.bincount(nearest[on_mode], minlength=len(centres))
    return int((counts >= least).sum()), on_mode.float().mean().item()


# %% mistake="mode_coverage" name="least-ignored"
def mode_coverage(samples, centres, radius, least):
    """One stray sample covers a mode in your count, whatever `least` says."""
    distance, nearest = (samples[:, None] - centres[None]).square().sum(-1).sqrt().min(1)
    on_mode = distance <= radius
    return len(nearest[on_mode].unique()), on_mode.float().mean().item()


# %% mistake="mode_coverage" name="counted-twice"
def mode_coverage(samples, centres, radius, least):
    """You counted a sample for every mode within the radius. It belongs to the nearest alone."""
    near = (samples[:, None] - centres[None]).square().sum(-1).sqrt() <= radius
    return int((near.sum(0) >= least).sum()), near.any(1).float().mean().item()


# %% mistake="mode_coverage" name="more-than"
def mode_coverage(samples, centres, radius, least):
    """You asked for more than `least` samples. *At least* includes the number itself."""
    distance, nearest = (samples[:, None] - centres[None]).square().sum(-1).sqrt().min(1)
    on_mode = distance <= radius
    counts = torch.bincount(nearest[on_mode], minlength=len(centres))
    return int((counts > least).sum()), on_mode.float().mean().item()


# %% mistake="mode_coverage" name="share-of-modes"
def mode_coverage(samples, centres, radius, least):
    """Your second number is the share of modes that are covered. The share of samples on a mode is asked for."""
    distance, nearest = (samples[:, None] - centres[None]).square().sum(-1).sqrt().min(1)
    counts = torch.bincount(nearest[distance <= radius], minlength=len(centres))
    covered = int((counts >= least).sum())
    return covered, covered / len(centres)


# %% mistake="mode_coverage" name="counts-on-the-cpu"
def mode_coverage(samples, centres, radius, least):
    """You counted into a tensor on the CPU. Think about where the samples are."""
    distance, nearest = (samples[:, None] - centres[None]).square().sum(-1).sqrt().min(1)
    on_mode = distance <= radius
    counts = torch.zeros(len(centres), dtype=torch.int64).scatter_add(0, nearest, on_mode.long())
    return int((counts >= least).sum()), on_mode.float().mean().item()


# %% alternative="mode_coverage" name="loop-over-modes"
def mode_coverage(samples, centres, radius, least):
    ways = torch.stack([(samples - c).pow(2).sum(1).sqrt() for c in centres], 1)
    covered = 0
    for i in range(len(centres)):
        mine = (ways.argmin(1) == i) & (ways[:, i] <= radius)
        covered += int(mine.sum() >= least)
    return covered, (ways.min(1).values <= radius).double().mean().item()


# %% alternative="mode_coverage" name="one-hot"
def mode_coverage(samples, centres, radius, least):
    ways = (samples.unsqueeze(1) - centres).norm(dim=2)
    one_hot = F.one_hot(ways.argmin(1), len(centres)) * (ways.amin(1, keepdim=True) <= radius)
    return (one_hot.sum(0) >= least).sum().item(), one_hot.sum().item() / len(samples)


# %% [markdown]
# ## Two numbers at once: eight clusters  ·  ●●● · 8 min · 3 points
#
# From a coin to an image: one GAN for each pixel would make every pixel right and no picture. *One* generator with many
# outputs makes them together (Minhas, "How to go from generating coin flips to images?"). Two outputs show it already.
#
# **Your turn.** Build the two players for eight clusters on a ring of radius 2. `ring_gan` is given and lets them play
# 400 rounds of your game. Pass mark: of six games the best covers at least 6 of the 8 modes, each with 2 % of the
# samples within 0.3 of its centre; the lab below counts the same way. Two hidden layers of 64 ReLUs will do. *Hint*: what must $G$ be able to
# put out, and what does the loss expect of $D$?


# %% answer="players"
def players() -> tuple[nn.Module, nn.Module]:
    """A discriminator, (batch, 2) to one logit each, (batch, 1), and a generator, (batch, 2) to (batch, 2)."""
    ### BEGIN SOLUTION return D and G, new and untrained
    D = nn.Sequential(
        nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)
    )
    G = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    return D, G
    ### END SOLUTION


def ring_gan(
    x: torch.Tensor, z: torch.Tensor, seed: int, rounds: int = 400
) -> tuple[torch.Tensor, torch.Tensor]:
    """Given: D(x) and G(z) after `rounds` rounds of your players on x (m, 2); z (n, 2)."""
    torch.manual_seed(seed)
    D, G = players()
    d_optimiser = torch.optim.Adam(D.parameters(), lr=0.01, betas=(0.5, 0.99), fused=True)
    g_optimiser = torch.optim.Adam(G.parameters(), lr=0.003, betas=(0.5, 0.99), fused=True)
    train_gan(
        lambda x, z: d_step(D, G, d_optimiser, discriminator_loss, x, z),
        lambda z: g_step(D, G, g_optimiser, generator_loss, z),
        x,
        n_z=2,
        rounds=rounds,
        batch=128,
        seed=seed,
    )
    return D(x).detach(), G(z).detach()


# %%
widgets.gan.lab(d_step, g_step, discriminator_loss, generator_loss, players)

# %% [markdown]
# *What to see*: your players in the lab. Some seeds lose a mode for a while. Diversity is no part of either loss: each
# point is judged alone, so nothing tells $G$ that all its points are the same.

# %% test="players" points=3
angle = 2 * math.pi * torch.arange(8) / 8
centres = 2 * torch.stack([angle.cos(), angle.sin()], 1)
x = centres[check.integers(0, 8, 2048)] + 0.1 * check.randn(2048, 2)
logits, points = ring_gan(x[:300], check.randn(200, 2), 0, 1)
check.shape(logits, (300, 1))
check.shape(points, (200, 2))
### BEGIN HIDDEN TESTS
said = torch.cat([ring_gan(1000 * x[:300], check.randn(9, 2), seed, 1)[0] for seed in range(3)])
check.true(
    bool(((said < 0) | (said > 1)).any()),
    "All that your D says lies between 0 and 1, even far out: `d_step` expects logits",
)
best = 0
for _ in range(6):
    _, points = ring_gan(x, check.randn(2000, 2), int(check.integers(0, 10**6, 1)))
    ways, own = (points[:, None] - centres).square().sum(-1).sqrt().min(1)
    best = max(best, int((torch.bincount(own[ways < 0.3], minlength=8) >= 40).sum()))
    if best >= 6:
        break
check.true(best >= 6, f"In the best of six games {best} of 8 modes are covered; 6 are asked for")
### END HIDDEN TESTS


# %% mistake="players" name="generator-ends-in-tanh"
def players():
    """Your G ends in tanh and never gets beyond ±1. Where are the clusters?"""
    D = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    G = nn.Sequential(
        nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2), nn.Tanh()
    )
    return D, G


# %% mistake="players" name="generator-ends-in-relu"
def players():
    """Your G ends in ReLU: no number below 0 ever comes out of it."""
    D = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    G = nn.Sequential(
        nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2), nn.ReLU()
    )
    return D, G


# %% mistake="players" name="discriminator-ends-in-sigmoid"
def players():
    """Your D ends in a sigmoid, and the loss takes another: it wants logits."""
    D = nn.Sequential(
        nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1), nn.Sigmoid()
    )
    G = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    return D, G


# %% mistake="players" name="linear-generator"
def players():
    """Nothing bends in your G: a linear map of a cloud is a cloud. 01_activations says why more layers don't help."""
    D = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    G = nn.Sequential(nn.Linear(2, 64), nn.Linear(64, 64), nn.Linear(64, 2))
    return D, G


# %% mistake="players" name="linear-discriminator"
def players():
    """Your D can only cut the plane along a line. What can it say about eight clusters on a ring?"""
    D = nn.Linear(2, 1)
    G = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    return D, G


# %% mistake="players" name="two-logits"
def players():
    """Your D has two outputs, one a class. The losses take one logit a point."""
    D = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    G = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    return D, G


# %% mistake="players" name="exchanged"
def players():
    """You returned G first. D is asked for first, then G."""
    D = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    G = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    return G, D


# %% mistake="players" name="too-narrow"
def players():
    """Two hidden units in G can't bend one cloud into eight clusters."""
    D = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    G = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))
    return D, G


# %% alternative="players" name="tanh"
def players():
    def net(*sizes):
        layers = []
        for n_in, n_out in zip(sizes, sizes[1:]):
            layers += [nn.Linear(n_in, n_out), nn.Tanh()]
        return nn.Sequential(*layers[:-1])

    return net(2, 64, 64, 1), net(2, 64, 64, 2)


# %% alternative="players" name="modules"
class Net(nn.Module):
    def __init__(self, n_out):
        super().__init__()
        self.first, self.second = nn.Linear(2, 80), nn.Linear(80, 80)
        self.last = nn.Linear(80, n_out)

    def forward(self, x):
        return self.last(F.leaky_relu(self.second(F.leaky_relu(self.first(x), 0.1)), 0.1))


def players():
    return Net(1), Net(2)


# %% alternative="players" name="wide"
def players():
    D = nn.Sequential(
        nn.Linear(2, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1)
    )
    G = nn.Sequential(nn.Linear(2, 128), nn.ReLU(), nn.Linear(128, 2))
    return D, G


# %% [markdown]
# ## A generator that takes orders  ·  ●●○ · 6 min · 2 points
#
# So far $G$ makes what it likes. *Conditional*: model $p(x \mid y)$, and say which $y$ (Minhas, "Unconditional vs
# Conditional Generation"). $G$ gets the class beside the noise, $D$ gets it beside the point, and a right image under
# a wrong label is as good as made.
#
# **Your turn.** The noise and the class as a *one-hot* vector side by side, one hidden layer of ReLUs, a linear layer
# to the output. Why not $y$ itself, as a number? Is a 7 more of something than a 6? `order` is given, and used by
# the test.


# %% answer="ConditionalGenerator"
class ConditionalGenerator(nn.Module):
    """G(z, y): noise z (batch, n_z) and classes y (batch,), int64, to samples (batch, n_x)."""

    def __init__(self, n_z: int, n_classes: int, n_hidden: int, n_x: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION make the layers
        self.n_classes = n_classes
        self.hidden = nn.Linear(n_z + n_classes, n_hidden)
        self.out = nn.Linear(n_hidden, n_x)
        ### END SOLUTION

    def forward(self, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """The samples made of z, row by row of the class y asks for."""
        ### BEGIN SOLUTION put the class beside the noise, and let both layers work
        asked = F.one_hot(y, self.n_classes).to(z.dtype)
        return self.out(torch.relu(self.hidden(torch.cat([z, asked], 1))))
        ### END SOLUTION


def order(
    sizes: list[int], z: torch.Tensor, y: torch.Tensor, seed: int
) -> tuple[torch.Tensor, int]:
    """Given: what a new ConditionalGenerator(*sizes) makes of z and y, and how many parameters it has."""
    torch.manual_seed(seed)
    with torch.device(z.device):
        G = ConditionalGenerator(*sizes)
    return G(z, y).detach(), sum(p.numel() for p in G.parameters())


# %%
widgets.gan.digits(ConditionalGenerator, d_step, g_step, discriminator_loss, generator_loss)

# %% [markdown]
# *What to see*: press play. Each column is one digit, each row one $z$: first all columns are alike, then $D$ finds out
# that a 3 ordered as an 8 is made, and the columns part. Sixty-four outputs, made together in seconds. Photographs
# take convolutions (07_cnn), days, and the same two steps.

# %% test="ConditionalGenerator" points=2
made, count = order([3, 4, 8, 5], check.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2]), 0)
check.shape(made, (6, 5))
check.equal(
    count,
    (3 + 4) * 8 + 8 + 8 * 5 + 5,
    "Two layers: 3 + 4 numbers to 8, then 8 to 5, each with biases",
)
z, y = check.randn(1, 3).expand(4, 3).contiguous(), torch.arange(4)
made, _ = order([3, 4, 8, 5], z, y, 1)
for k in range(1, 4):
    check.true(
        not torch.allclose(made[0], made[k]),
        f"The same noise gives the same sample for class 0 and class {k}",
    )
### BEGIN HIDDEN TESTS
for n_z, n_classes, n_hidden, n_x in ((2, 5, 40, 3), (6, 3, 30, 11)):
    sizes, seed = [n_z, n_classes, n_hidden, n_x], int(check.integers(0, 10**6, 1))
    z, y = check.randn(20, n_z), check.integers(0, n_classes, 20)
    made, count = check.unchanged(order, sizes, z, y, seed)
    check.shape(made, (20, n_x))
    check.equal(
        count,
        (n_z + n_classes) * n_hidden + n_hidden + n_hidden * n_x + n_x,
        "Count the weights of your two layers",
    )
    check.true(made.std(0).min() > 1e-4, "All samples are alike")
    back, _ = order(sizes, z.flip(0), y.flip(0), seed)
    check.close(
        back.flip(0), made, "Each row must depend on its own noise and class alone", tol=1e-4
    )
    small, _ = order(sizes, z[:4], torch.zeros(4, dtype=torch.int64), seed)
    large, _ = order(sizes, z, torch.zeros(20, dtype=torch.int64), seed)
    check.close(small, large[:4], "A batch in which only class 0 is asked for", tol=1e-4)
    check.true(large.std(0).max() > 1e-3, "All samples of one class are alike: where is the noise?")
    far, _ = order(sizes, 1000 * z, y, seed)
    check.true(far.abs().max() > 20, "The last layer is linear: its output has no bounds")
    check.true(
        not torch.allclose(far.relu(), far), "The last layer is linear: its output may be below 0"
    )
    one, other = (order(sizes, z, torch.full((20,), k), seed)[0] for k in (0, 1))
    check.true(
        (one - other).std(0).max() > 1e-4,
        "The class only shifts the samples: let the hidden layer see both together, and bend",
    )
check.stays_on_device(order, [3, 4, 6, 2], check.randn(5, 3), torch.tensor([3, 0, 1, 1, 2]), 3)
### END HIDDEN TESTS


# %% mistake="ConditionalGenerator" name="condition-ignored"
class ConditionalGenerator(nn.Module):
    """Your generator takes the class and does nothing with it: whatever is asked for, it makes what it likes."""

    def __init__(self, n_z, n_classes, n_hidden, n_x):
        super().__init__()
        self.hidden, self.out = nn.Linear(n_z, n_hidden), nn.Linear(n_hidden, n_x)

    def forward(self, z, y):
        return self.out(torch.relu(self.hidden(z)))


# %% mistake="ConditionalGenerator" name="class-as-a-number"
class ConditionalGenerator(nn.Module):
    """You put the class in as one number. Then 7 lies between 6 and 8; one-hot vectors have no order."""

    def __init__(self, n_z, n_classes, n_hidden, n_x):
        super().__init__()
        self.hidden, self.out = nn.Linear(n_z + 1, n_hidden), nn.Linear(n_hidden, n_x)

    def forward(self, z, y):
        return self.out(torch.relu(self.hidden(torch.cat([z, y[:, None].to(z.dtype)], 1))))


# %% mistake="ConditionalGenerator" name="classes-of-the-batch"
class ConditionalGenerator(nn.Module):
    """Your one-hot vectors are as long as the batch's largest class says. It may lack the last ones."""

    def __init__(self, n_z, n_classes, n_hidden, n_x):
        super().__init__()
        self.hidden, self.out = nn.Linear(n_z + n_classes, n_hidden), nn.Linear(n_hidden, n_x)

    def forward(self, z, y):
        return self.out(torch.relu(self.hidden(torch.cat([z, F.one_hot(y).to(z.dtype)], 1))))


# %% mistake="ConditionalGenerator" name="noise-ignored"
class ConditionalGenerator(nn.Module):
    """Your generator sees the class alone: one sample a class, always the same."""

    def __init__(self, n_z, n_classes, n_hidden, n_x):
        super().__init__()
        self.n_classes = n_classes
        self.hidden, self.out = nn.Linear(n_z + n_classes, n_hidden), nn.Linear(n_hidden, n_x)

    def forward(self, z, y):
        asked = F.one_hot(y, self.n_classes).to(z.dtype)
        return self.out(torch.relu(self.hidden(torch.cat([0 * z, asked], 1))))


# %% mistake="ConditionalGenerator" name="nothing-bends"
class ConditionalGenerator(nn.Module):
    """Nothing bends between your layers: the class can only shift the same cloud about."""

    def __init__(self, n_z, n_classes, n_hidden, n_x):
        super().__init__()
        self.n_classes = n_classes
        self.hidden, self.out = nn.Linear(n_z + n_classes, n_hidden), nn.Linear(n_hidden, n_x)

    def forward(self, z, y):
        asked = F.one_hot(y, self.n_classes).to(z.dtype)
        return self.out(self.hidden(torch.cat([z, asked], 1)))


# %% mistake="ConditionalGenerator" name="class-after-the-hidden-layer"
class ConditionalGenerator(nn.Module):
    """You put the class beside the hidden units, after the bend. Then it only shifts the samples."""

    def __init__(self, n_z, n_classes, n_hidden, n_x):
        super().__init__()
        self.n_classes = n_classes
        self.hidden, self.out = nn.Linear(n_z, n_hidden), nn.Linear(n_hidden + n_classes, n_x)

    def forward(self, z, y):
        asked = F.one_hot(y, self.n_classes).to(z.dtype)
        return self.out(torch.cat([torch.relu(self.hidden(z)), asked], 1))


# %% mistake="ConditionalGenerator" name="ends-in-sigmoid"
class ConditionalGenerator(nn.Module):
    """Your output is squeezed between 0 and 1. The last layer is asked to be linear."""

    def __init__(self, n_z, n_classes, n_hidden, n_x):
        super().__init__()
        self.n_classes = n_classes
        self.hidden, self.out = nn.Linear(n_z + n_classes, n_hidden), nn.Linear(n_hidden, n_x)

    def forward(self, z, y):
        asked = F.one_hot(y, self.n_classes).to(z.dtype)
        return torch.sigmoid(self.out(torch.relu(self.hidden(torch.cat([z, asked], 1)))))


# %% mistake="ConditionalGenerator" name="table-on-the-cpu"
class ConditionalGenerator(nn.Module):
    """Your table of one-hot vectors is on the CPU. Think about where z is."""

    def __init__(self, n_z, n_classes, n_hidden, n_x):
        super().__init__()
        self.n_classes = n_classes
        self.hidden, self.out = nn.Linear(n_z + n_classes, n_hidden), nn.Linear(n_hidden, n_x)

    def forward(self, z, y):
        asked = torch.zeros(len(y), self.n_classes, device="cpu")
        asked[range(len(y)), y.tolist()] = 1.0
        return self.out(torch.relu(self.hidden(torch.cat([z, asked], 1))))


# %% alternative="ConditionalGenerator" name="embedding"
class ConditionalGenerator(nn.Module):
    def __init__(self, n_z, n_classes, n_hidden, n_x):
        super().__init__()
        self.from_noise = nn.Linear(n_z, n_hidden)
        self.from_class = nn.Embedding(n_classes, n_hidden)  # a one-hot vector times a matrix
        self.last = nn.Linear(n_hidden, n_x)

    def forward(self, z, y):
        return self.last(F.relu(self.from_noise(z) + self.from_class(y)))


# %% alternative="ConditionalGenerator" name="sequential"
class ConditionalGenerator(nn.Module):
    def __init__(self, n_z, n_classes, n_hidden, n_x):
        super().__init__()
        self.classes = n_classes
        self.net = nn.Sequential(
            nn.Linear(n_classes + n_z, n_hidden), nn.ReLU(), nn.Linear(n_hidden, n_x)
        )

    def forward(self, z, y):
        kinds = torch.arange(self.classes, device=y.device)
        return self.net(torch.hstack([(y.unsqueeze(1) == kinds).to(z), z]))


# %% [markdown]
# ## Slides, checked
#
# Run a claim before you believe it, whoever makes it.

# %%
print("slope of log(1 − s) and of −log s per logit, by s:")
for s in (1e-4, 0.5):  # D sees through G; D is lost
    logit = torch.tensor([s], dtype=torch.float64).logit()
    saturating, other = (generator_slope(logit, which).item() for which in (True, False))
    print(f"  s = {s:g}: {saturating:.4f} and {other:.4f}")
tosses = torch.tensor([1, 0, 1, 0, 1, 0, 1, 1, 0, 1])
print(
    "ten samples drawn from P(H) = 0.6 on the slide: share of heads", tosses.float().mean().item()
)
hit = sum(int((torch.rand(10) < 0.6).sum()) == 6 for _ in range(1000))
print(f"of 1000 such samples {hit} show 0.6")

# %% [markdown]
# *What to see*: "equivalently" (Minhas, "Adversarial Training in a GAN") holds for what is wanted, not for how fast it
# is learned: ten thousand times slower here. And samples, observed, don't give $p(x)$ back, as "Background:
# Introduction to Sampling" has it: ten tosses do in one case of four.
#
# ## What it means, and where it fails
#
# A GAN never sees a density: it needs samples, and a judge that can be differentiated. That makes sharp samples in
# one pass. The price: no likelihood, no loss to watch, a game that circles, and modes that get lost unnoticed unless
# you count. On photographs nobody knows the centres: then distances are taken between features of a trained net (the
# slide's FID and KID). 13_diffusion trades the game for a regression, and one step for many.
#
# **Three lines to remember**
# 1. $D$ learns to tell, $G$ learns from $D$'s gradient; each step touches its own player alone.
# 2. Where $D$ is sure, $\log(1 - s)$ is flat and $-\log s$ is steep.
# 3. Measure quality and coverage: neither loss does.
#
# **Further reading**: Goodfellow et al., *Generative adversarial nets* (2014) · Goodfellow, *NIPS 2016 tutorial* ·
# Gretton et al., *A kernel two-sample test* (2012) · Arjovsky, Chintala & Bottou, *Wasserstein GAN* (2017) · Mirza &
# Osindero, *Conditional generative adversarial nets* (2014) · Lucic et al., *Are GANs created equal?* (2018) · Next:
# 13_diffusion.

# %%
import course

course.progress()
