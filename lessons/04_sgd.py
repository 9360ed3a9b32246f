# %% [markdown]
# # Stochastic against batch learning, and optimisers
#
# **You will be able to** say what a mini-batch gets right and what it gets wrong · cut a data set into
# mini-batches and train with them · foretell how the noise falls with the batch size · write learning
# rate schedules, momentum, Nesterov, Adagrad, RMSProp and Adam so that they walk step for step with
# PyTorch's · weigh rare classes.
#
# **Decks** Karatzas, "The Optimisation Landscape", "Batch learning" to "Stochastic vs Batch" · Passerini,
# "Stochastic gradient descent", "Batch vs Stochastic" to "RMSProp" · Minhas, "Optimization in minibatches",
# "Optimization Methods" · Moerland, "Importance of learning rate", "Stochastic Gradient Descent"
#
# **Time** 60 minutes · **Points** 22 · ●○○ warm-up, ●●○ has a trap, ●●● needs thought.
# Your functions keep dtype and device, and leave their arguments as they were: return new tensors.

# %%
import math
import time
from collections.abc import Callable

import torch

from course import check, widgets

# %% [markdown]
# ## One good step, or forty hasty ones?
#
# Forty examples. The *batch* walker looks at all of them, then takes one exact step downhill. In the same
# time the *stochastic* walker looks at one example and steps, forty times over; the *mini-batch* walker
# takes a few examples a step.
#
# **Predict**: which is nearest to the bottom after one pass through the data (an **epoch**)? And after ten?

# %%
widgets.sgd.landscape()

# %% [markdown]
# *What to see*: the lines are the landscape of the whole set, and stay. The colours are the landscape of
# the examples that the mini-batch walker sees *now*, and change under its feet at each step (Karatzas, "The
# Landscape of SGD"). The stochastic walker is near the bottom before batch has moved twice, and then never
# comes to rest. In *two basins* noise carries it over the ridge where batch stays. Not always: draw other
# seeds.

# %% [markdown]
# ## The gradient of one example  ·  ●○○ · 4 min · 2 points
#
# The cost is the average loss, $J(w) = \frac1m \sum_i L^{(i)}(w)$ (Karatzas, "Batch learning"). So $\nabla J$
# is the average of the *sample gradients* $\nabla L^{(i)}$: an example drawn at random gives $\nabla J$ on
# average. It is an **unbiased** estimate ("Stochastic learning").
#
# Moerland ("Stochastic Gradient Descent") *sums* instead. **Predict**: double the data by copying it. What
# happens to the gradient step of the sum, and of the mean?
#
# **Your turn**, by hand: a linear neuron with $L^{(i)} = \frac12 (w \cdot x^{(i)} - y^{(i)})^2$, Passerini's
# half included.


# %% answer="sample_gradients"
def sample_gradients(w: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Gradient of each example's loss (w.x - y)^2 / 2 with respect to w.

    w (d,), x (m, d), y (m,). Returns shape (m, d), row i for example i.
    """
    ### BEGIN SOLUTION return one gradient a row, without autograd
    return (x @ w - y).unsqueeze(-1) * x
    ### END SOLUTION


def batch_gradient(w: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Gradient of J, the mean loss of all m examples; shape (d,)."""
    ### BEGIN SOLUTION return the gradient of the mean loss
    return x.T @ (x @ w - y) / len(y)
    ### END SOLUTION


# %%
widgets.sgd.noise(sample_gradients=sample_gradients)

# %% [markdown]
# *What to see*: on the left each small dot is one sample gradient, yours. They point all over the place;
# their mean is the star. A mini-batch's gradient is the mean of a few dots: nearer to the star.

# %% test="sample_gradients" points=2
BANNED = ("grad", "backward", "jacobian", "jacrev", "vjp", "jvp", "vmap", "gradient")
check.by_hand(sample_gradients, *BANNED)
check.by_hand(batch_gradient, *BANNED)
w = torch.tensor([1.0, -1.0])
x, y = torch.tensor([[2.0, 1.0], [0.0, 3.0], [1.0, 1.0]]), torch.tensor([0.0, -1.0, 2.0])
check.close(
    check.unchanged(sample_gradients, w, x, y),
    torch.tensor([[2.0, 1.0], [0.0, -6.0], [-2.0, -2.0]]),
    "In the first row the prediction is 1 and the target 0. By how much does each weight share in that?",
)
mean = check.unchanged(batch_gradient, w, x, y)
check.close(mean, torch.tensor([0.0, -7 / 3]), "J is the mean loss of the three examples")
# Karatzas, "A mental experiment": 10 copies of 100 examples
x, y = check.randn(100, 2), check.randn(100)
check.close(
    batch_gradient(w, x.repeat(10, 1), y.repeat(10)),
    batch_gradient(w, x, y),
    "Ten copies of the data have the same mean gradient",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        m, d = check.sizes(2, 3, 9)
        x = 2 * check.randn(m, d, dtype=dtype, device=device)
        y, w = (check.randn(n, dtype=dtype, device=device) for n in (m, d))
        rows = []
        for i in range(m):
            leaf = w.clone().requires_grad_()
            rows.append(torch.autograd.grad((leaf @ x[i] - y[i]) ** 2 / 2, leaf)[0])
        check.close(
            check.unchanged(sample_gradients, w, x, y),
            torch.stack(rows),
            "Differentiate one example's loss with respect to one weight, then the next",
        )
        check.close(
            check.unchanged(batch_gradient, w, x, y),
            torch.stack(rows).mean(0),
            "Compare with the mean of the sample gradients",
        )
        check.close(sample_gradients(w, x[:1], y[:1]), rows[0][None], "A batch of one has one row")
for f in (sample_gradients, batch_gradient):
    check.stays_on_device(f, check.randn(3), check.randn(5, 3), check.randn(5))
### END HIDDEN TESTS


# %% mistake="sample_gradients" name="sum-for-mean"
def batch_gradient(w, x, y):
    """You summed, as Moerland's slide does. Then ten copies of the data make the step ten times as long."""
    return x.T @ (x @ w - y)


# %% mistake="sample_gradients" name="factor-two"
def sample_gradients(w, x, y):
    """Your gradients are twice too long: what does the half in this loss do to the 2 of the square?"""
    return 2 * (x @ w - y).unsqueeze(-1) * x


# %% mistake="sample_gradients" name="uphill"
def sample_gradients(w, x, y):
    """Your gradients have the opposite sign: they point downhill. A gradient points uphill, a step turns round."""
    return (y - x @ w).unsqueeze(-1) * x


# %% mistake="sample_gradients" name="error-only"
def sample_gradients(w, x, y):
    """You returned each example's error in every column. The inner derivative is missing: what multiplies w?"""
    return (x @ w - y).unsqueeze(-1).expand(x.shape).clone()


# %% mistake="sample_gradients" name="divided-by-m"
def sample_gradients(w, x, y):
    """You divided each sample's gradient by m. That belongs to the mean; one example knows nothing of the others."""
    return (x @ w - y).unsqueeze(-1) * x / len(y)


# %% mistake="sample_gradients" name="divided-by-everything"
def batch_gradient(w, x, y):
    """You divided by the number of entries of x. The mean runs over examples, not over weights."""
    return x.T @ (x @ w - y) / x.numel()


# %% mistake="sample_gradients" name="unused-target"
def sample_gradients(w, x, y):
    """The targets don't occur in your gradients. What is the loss measured against?"""
    return (x @ w).unsqueeze(-1) * x


# %% mistake="sample_gradients" name="autograd"
def batch_gradient(w, x, y):
    """You let autograd do it. By hand here: one chain rule."""
    leaf = w.clone().requires_grad_()
    return torch.autograd.grad(((x @ leaf - y) ** 2).mean() / 2, leaf)[0]


# %% mistake="sample_gradients" name="in-place"
def batch_gradient(w, x, y):
    """You multiplied into the caller's own x. After one step their data are gone."""
    x *= (x @ w - y).unsqueeze(-1)
    return x.mean(0)


# %% mistake="sample_gradients" name="result-on-the-cpu"
def sample_gradients(w, x, y):
    """You filled rows into a new tensor on the CPU. Think about where x is."""
    out = torch.zeros(x.shape, dtype=x.dtype)
    for i in range(len(x)):
        out[i] = (x[i] @ w - y[i]) * x[i]
    return out


# %% alternative="sample_gradients" name="einsum"
def sample_gradients(w, x, y):
    return torch.einsum("m,md->md", x @ w - y, x)


def batch_gradient(w, x, y):
    return ((x @ w - y)[:, None] * x).mean(dim=0)


# %% alternative="sample_gradients" name="loop"
def sample_gradients(w, x, y):
    return torch.stack([(w @ a - t) * a for a, t in zip(x, y)])


def batch_gradient(w, x, y):
    total = torch.zeros_like(w)
    for a, t in zip(x, y):
        total = total + ((a * w).sum() - t) * a
    return total / x.shape[0]


# %% alternative="sample_gradients" name="normal-equations"
def batch_gradient(w, x, y):
    return (x.T @ x @ w - x.T @ y) / x.shape[0]


# %% [markdown]
# ## Cut into mini-batches  ·  ●●○ · 4 min · 2 points
#
# With sorted data (all cats, then all dogs) the walker first learns to say *cat*. So: shuffle before every
# epoch, and see every example once in it (Karatzas, "Shuffling and balancing"; Passerini, "Few simple
# suggestions"). Drawing each batch from the whole set anew would miss some: **predict** what share of 1000
# examples is never seen in 1000 draws.
#
# **Your turn.** Return one epoch's batches: tensors of indices. All have `size` entries but the last, which
# takes what is left. All randomness comes from `generator` (PyTorch's random functions take
# `generator=`), so that a seed repeats a run. `seeded_epochs` is given, and used by the test.


# %% answer="minibatches"
def minibatches(n: int, size: int, generator: torch.Generator) -> list[torch.Tensor]:
    """One epoch: the indices 0 ... n - 1 (int64), shuffled, in batches of `size`, the last one shorter.

    Each index occurs once. The next call with the same generator gives another order.
    """
    ### BEGIN SOLUTION return a list of index tensors
    return list(torch.randperm(n, generator=generator).split(size))
    ### END SOLUTION


def seeded_epochs(n: int, size: int, seed: int, epochs: int) -> list[list[torch.Tensor]]:
    """Given: so many epochs of `minibatches`, all from one generator."""
    generator = torch.Generator().manual_seed(seed)
    return [minibatches(n, size, generator) for _ in range(epochs)]


# %%
widgets.sgd.epochs(minibatches)

# %% [markdown]
# *What to see*: a row is an epoch, a column an example, the shade says in which batch it came. Every cell
# must be filled, and no two rows alike. With *drawn with replacement* some 37 % stay blank: $(1 -
# \frac1n)^n \to 1/e$.

# %% test="minibatches" points=2
epoch = seeded_epochs(10, 4, 1, 1)[0]
check.equal([len(batch) for batch in epoch], [4, 4, 2], "10 in fours: and what is left over")
check.equal(torch.cat(epoch).sort().values, torch.arange(10), "Every index once, from 0 to 9")
### BEGIN HIDDEN TESTS
for n, size in [(97, 10), (48, 48), (60, 15), (23, 50), (31, 1)]:
    seed = int(check.integers(0, 10**6, 1))
    state = torch.random.get_rng_state()
    epochs = seeded_epochs(n, size, seed, 3)
    check.true(torch.equal(state, torch.random.get_rng_state()), "Draw from `generator` alone")
    for epoch in epochs:
        lengths = [len(batch) for batch in epoch]
        full, rest = divmod(n, size)
        check.equal(lengths, [size] * full + [rest] * (rest > 0), "Look at the batches' lengths")
        check.equal(
            torch.cat(epoch).sort().values, torch.arange(n), "Every index once in every epoch"
        )
    flat = [torch.cat(epoch) for epoch in epochs]
    check.true(not torch.equal(flat[0], torch.arange(n)), "The first epoch is not shuffled")
    check.true(not torch.equal(flat[0].flip(0), torch.arange(n)), "Backwards is not shuffled")
    check.true(
        not torch.equal(flat[0], flat[1]) and not torch.equal(flat[1], flat[2]),
        "Two epochs came in the same order",
    )
    if 1 < size < n:
        groups = [sorted(epoch[0].tolist()) for epoch in epochs]
        check.true(
            groups[0] != groups[1] or groups[1] != groups[2],
            "The same examples meet in one batch in every epoch: shuffle the examples",
        )
        runs = [all(int(b) - int(a) == 1 for a, b in zip(batch, batch[1:], strict=False))
                for batch in epochs[0] if len(batch) > 1]  # fmt: skip
        check.true(not all(runs), "Your batches are runs of neighbours: shuffle the examples")
    again = seeded_epochs(n, size, seed, 3)
    check.true(
        all(torch.equal(a, torch.cat(b)) for a, b in zip(flat, again, strict=True)),
        "The same seed must repeat the run: draw from `generator` alone",
    )
    other = seeded_epochs(n, size, seed + 1, 1)[0]
    check.true(
        not torch.equal(flat[0], torch.cat(other)), "Another seed, and the order is the same"
    )
### END HIDDEN TESTS


# %% mistake="minibatches" name="not-shuffled"
def minibatches(n, size, generator):
    """You kept the order of the data. If they are sorted, what do the first batches teach?"""
    return list(torch.arange(n).split(size))


# %% mistake="minibatches" name="last-one-dropped"
def minibatches(n, size, generator):
    """You dropped the last, shorter batch. Its examples are not seen in this epoch."""
    order = torch.randperm(n, generator=generator)
    return [order[i * size : (i + 1) * size] for i in range(n // size)]


# %% mistake="minibatches" name="with-replacement"
def minibatches(n, size, generator):
    """You drew each index independently of the others: some come twice, some never."""
    return list(torch.randint(0, n, (n,), generator=generator).split(size))


# %% mistake="minibatches" name="fixed-seed"
def minibatches(n, size, generator):
    """You set the seed inside: every epoch, and every run, has the same order."""
    generator.manual_seed(0)
    return list(torch.randperm(n, generator=generator).split(size))


# %% mistake="minibatches" name="number-of-batches"
def minibatches(n, size, generator):
    """You took `size` for the number of batches. It is the number of examples in one."""
    return list(torch.randperm(n, generator=generator).chunk(size))


# %% mistake="minibatches" name="batches-shuffled-only"
def minibatches(n, size, generator):
    """You shuffled the batches and not the examples in them: neighbours stay together for ever."""
    batches = list(torch.arange(n).split(size))
    return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]


# %% mistake="minibatches" name="last-one-filled-up"
def minibatches(n, size, generator):
    """You filled the last batch up with examples from the beginning: these count twice in this epoch."""
    order = torch.randperm(n, generator=generator)
    count = -(-n // size)
    return list(order[torch.arange(count * size) % n].split(size))


# %% mistake="minibatches" name="from-one"
def minibatches(n, size, generator):
    """Your indices run from 1 to n. Where does Python begin to count?"""
    return list((1 + torch.randperm(n, generator=generator)).split(size))


# %% alternative="minibatches" name="slices"
def minibatches(n, size, generator):
    order = torch.randperm(n, generator=generator)
    return [order[i : i + size] for i in range(0, n, size)]


# %% alternative="minibatches" name="sort-random-keys"
def minibatches(n, size, generator):
    order = torch.rand(n, generator=generator).argsort()
    batches = []
    while len(order):
        batches.append(order[:size])
        order = order[size:]
    return batches


# %% alternative="minibatches" name="data-loader"
def minibatches(n, size, generator):
    loader = torch.utils.data.DataLoader(
        list(range(n)), batch_size=size, shuffle=True, generator=generator
    )
    return list(loader)


# %% [markdown]
# ## The loop  ·  ●●○ · 5 min · 2 points
#
# For each batch: $w \leftarrow w - \eta\, \nabla J_{\text{batch}}(w)$. $\eta$, here `lr`, is the **learning
# rate** (α in Karatzas and Minhas): too small and nothing moves, too large and it blows up (Moerland,
# "Importance of learning rate").
#
# Karatzas's experiment ("A mental experiment"): 1000 examples that are 10 copies of 100. Batch descent
# computes the same 100 terms ten times over for one step. **Predict** how many useful steps mini-batches of
# 100 take in the same epoch.
#
# **Your turn.** Walk through `batches` once, in their order, and keep the whole path.


# %% answer="sgd"
def sgd(
    gradient: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor],
    w: torch.Tensor,
    x: torch.Tensor,
    y: torch.Tensor,
    batches: list[torch.Tensor],
    lr: float,
) -> torch.Tensor:
    """The weights before the first step and after each: shape (len(batches) + 1, d).

    gradient(w, x_batch, y_batch) (d,) is the mean gradient of a batch. w (d,) start, x (m, d),
    y (m,); each of `batches` holds indices of examples.
    """
    ### BEGIN SOLUTION return the path, one row a step, the start first
    path = [w]
    for batch in batches:
        w = w - lr * gradient(w, x[batch], y[batch])
        path.append(w)
    return torch.stack(path)
    ### END SOLUTION


# %%
widgets.sgd.duplicates(sgd)

# %% [markdown]
# *What to see*: after the same number of examples the batch walker has made one step, the other ten. Real
# data hold no copies, but clusters that are nearly copies.

# %% test="sgd" points=2
x, y = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([2.0, 2.0, 0.0])
batches = [torch.tensor([0, 1]), torch.tensor([2])]


def pull(w, x, y):
    return w * x.mean() - y.mean()


check.close(
    sgd(pull, torch.tensor([4.0]), x, y, batches, 0.5),
    torch.tensor([[4.0], [2.0], [-1.0]]),
    "First 4 − 0.5·(4·1.5 − 2); the second step starts from there and sees the third example alone",
)


### BEGIN HIDDEN TESTS
def mean_gradient(w, x, y):
    return x.T @ (x @ w - y) / len(y)


for device in check.devices():
    for dtype in check.dtypes():
        m, d, size = 30 + check.sizes(1, 1, 9)[0], check.sizes(1, 2, 5)[0], 7
        x = check.randn(m, d, dtype=dtype, device=device)
        y, w = (check.randn(n, dtype=dtype, device=device) for n in (m, d))
        lr = float(check.uniform(0.05, 0.2, 1))
        order = torch.cat([check.uniform(0, 1, m).argsort() for _ in range(3)])
        batches = list(order.split(size))
        leaf = w.clone().requires_grad_()
        optimiser, want = torch.optim.SGD([leaf], lr=lr), [w]
        for batch in batches:
            leaf.grad = mean_gradient(leaf.detach(), x[batch], y[batch])
            optimiser.step()
            want.append(leaf.detach().clone())
        got = check.unchanged(sgd, mean_gradient, w, x, y, batches, lr)
        check.close(
            got, torch.stack(want), "Each step starts where the last one ended, on its own batch"
        )
        check.close(
            sgd(mean_gradient, w, x, y, [], lr), w[None], "Without batches: the start alone"
        )
        ten = torch.arange(m).repeat(10).split(m)  # ten copies of the data, in batches of one copy
        copies = sgd(mean_gradient, w, x.repeat(10, 1), y.repeat(10), list(ten), lr)
        check.close(
            copies[-1],
            sgd(mean_gradient, w, x, y, [torch.arange(m)] * 10, lr)[-1],
            "An epoch over ten copies is ten epochs over one",
        )
check.stays_on_device(
    sgd, mean_gradient, check.randn(3), check.randn(6, 3), check.randn(6),
    [torch.tensor([0, 4]), torch.tensor([1, 2])], 0.1,
)  # fmt: skip
### END HIDDEN TESTS


# %% mistake="sgd" name="uphill"
def sgd(gradient, w, x, y, batches, lr):
    """You added the gradient: your walker climbs. Downhill is the other way."""
    path = [w]
    for batch in batches:
        w = w + lr * gradient(w, x[batch], y[batch])
        path.append(w)
    return torch.stack(path)


# %% mistake="sgd" name="whole-set-every-step"
def sgd(gradient, w, x, y, batches, lr):
    """You took the gradient of the whole set at every step. What are the batches for?"""
    path = [w]
    for batch in batches:
        w = w - lr * gradient(w, x, y)
        path.append(w)
    return torch.stack(path)


# %% mistake="sgd" name="gradients-at-the-start"
def sgd(gradient, w, x, y, batches, lr):
    """You took all gradients at the starting point. Where does the walker stand at the second step?"""
    path = [w]
    for batch in batches:
        path.append(path[-1] - lr * gradient(w, x[batch], y[batch]))
    return torch.stack(path)


# %% mistake="sgd" name="always-from-the-start"
def sgd(gradient, w, x, y, batches, lr):
    """Every step of yours leaves from the start again. The new weights have to be kept."""
    path = [w]
    for batch in batches:
        path.append(w - lr * gradient(w, x[batch], y[batch]))
    return torch.stack(path)


# %% mistake="sgd" name="divided-again"
def sgd(gradient, w, x, y, batches, lr):
    """You divided by the batch size. `gradient` already returns a mean."""
    path = [w]
    for batch in batches:
        w = w - lr * gradient(w, x[batch], y[batch]) / len(batch)
        path.append(w)
    return torch.stack(path)


# %% mistake="sgd" name="start-missing"
def sgd(gradient, w, x, y, batches, lr):
    """Your path begins after the first step. The start belongs to it."""
    path = []
    for batch in batches:
        w = w - lr * gradient(w, x[batch], y[batch])
        path.append(w)
    return torch.stack(path) if path else w.new_zeros(0, len(w))


# %% mistake="sgd" name="end-only"
def sgd(gradient, w, x, y, batches, lr):
    """You returned where the walk ends. The whole path is asked for."""
    for batch in batches:
        w = w - lr * gradient(w, x[batch], y[batch])
    return w


# %% mistake="sgd" name="in-place"
def sgd(gradient, w, x, y, batches, lr):
    """You changed w in place: the caller's start has moved, and all rows of your path are one tensor."""
    path = [w]
    for batch in batches:
        w -= lr * gradient(w, x[batch], y[batch])
        path.append(w)
    return torch.stack(path)


# %% mistake="sgd" name="path-on-the-cpu"
def sgd(gradient, w, x, y, batches, lr):
    """You collected the path in a new tensor on the CPU. Think about where w is."""
    path = torch.zeros(len(batches) + 1, len(w), dtype=w.dtype)
    path[0] = w
    for i, batch in enumerate(batches):
        w = w - lr * gradient(w, x[batch], y[batch])
        path[i + 1] = w
    return path


# %% alternative="sgd" name="filled-in"
def sgd(gradient, w, x, y, batches, lr):
    path = w.repeat(len(batches) + 1, 1)
    for i, batch in enumerate(batches):
        path[i + 1] = path[i] - lr * gradient(path[i], x[batch], y[batch])
    return path


# %% alternative="sgd" name="clone-and-subtract"
def sgd(gradient, w, x, y, batches, lr):
    now, path = w.clone(), [w.clone()]
    for batch in batches:
        now.sub_(gradient(now.clone(), x[batch], y[batch]), alpha=lr)
        path.append(now.clone())
    return torch.stack(path, dim=0)


# %% alternative="sgd" name="recursive"
def sgd(gradient, w, x, y, batches, lr):
    if not batches:
        return w[None]
    here = w - lr * gradient(w, x[batches[0]], y[batches[0]])
    return torch.cat([w[None], sgd(gradient, here, x, y, batches[1:], lr)])


# %% [markdown]
# ## How noisy is a mini-batch?  ·  ●●● · 6 min · 2 points
#
# Call $\sigma^2 = \frac1m \sum_i \lVert g_i - \bar g \rVert^2$ the spread of the sample gradients $g_i$
# around their mean $\bar g$. The mean of $B$ independent draws is off by $\sigma^2 / B$: the variance is
# inversely proportional to the batch size (Karatzas, "Mini-batches"). To halve the *distance* takes four times
# the examples.
#
# Within an epoch draws are not independent: what was seen does not come again. Then the mean squared
# distance is $\frac{\sigma^2}{B} \cdot \frac{m - B}{m - 1}$. **Predict** its value at $B = m$; can it be
# otherwise?
#
# **Your turn**: both cases.


# %% answer="gradient_variance"
def gradient_variance(gradients: torch.Tensor, size: int, replacement: bool = True) -> torch.Tensor:
    """Mean squared distance between the gradient of a random mini-batch and the batch gradient.

    gradients (m, d) of the m > 1 examples. A mini-batch is `size` of them, drawn with replacement
    (independently) or without (1 <= size <= m); its gradient is their mean. Returns a 0-dim tensor.
    """
    ### BEGIN SOLUTION return the exact expectation, nothing random
    m = len(gradients)
    spread = (gradients - gradients.mean(0)).square().sum() / m
    return spread / size if replacement else spread / size * (m - size) / (m - 1)
    ### END SOLUTION


# %%
widgets.sgd.noise(gradient_variance)

# %% [markdown]
# *What to see*: the same cloud for a growing batch. The variance falls along a straight line of slope −1
# (logarithmic scales); without replacement it dives to 0 at the end: beyond some size more examples buy
# little (Karatzas, "The right mini-batch"). On the right the walker's **noise ball**: where it roams when it
# should rest. Half the learning rate shrinks it like twice the batch.

# %% test="gradient_variance" points=2
gradients = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 0.0], [4.0, 0.0]])
check.close(
    gradient_variance(gradients, 1), torch.tensor(4.0), "One draw is always 2 away from the mean"
)
check.close(gradient_variance(gradients, 2), torch.tensor(2.0), "Two draws: half of that")
check.close(
    gradient_variance(gradients, 4, replacement=False),
    torch.tensor(0.0),
    "Four of four without replacement is the whole set: what is it off by?",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        m, d = 5, check.sizes(1, 2, 4)[0]
        gradients = check.randn(m, d, dtype=dtype, device=device) + 2.0
        mean = gradients.mean(0)
        for size in (1, 2, 3):
            for replacement in (True, False):
                draws = torch.cartesian_prod(*[torch.arange(m)] * size).reshape(-1, size)
                if not replacement:
                    draws = torch.combinations(torch.arange(m), size)
                chosen = draws.to(device)  # every batch there is
                off = (gradients[chosen].mean(1) - mean).square().sum(-1)
                check.close(
                    check.unchanged(gradient_variance, gradients, size, replacement),
                    off.mean(),
                    f"Compare with all batches of {size} of 5, replacement={replacement}",
                )
        check.close(
            gradient_variance(gradients, m, False),
            torch.zeros((), dtype=dtype, device=device),
            "A batch of all m without replacement is the whole set",
        )
        check.close(
            gradient_variance(gradients, 100) * 100,
            gradient_variance(gradients, size=1),
            "Proportional to 1 / size, also beyond m",
        )
        check.close(
            gradient_variance(gradients + 100, 3), gradient_variance(gradients, 3),
            "A shift of all gradients changes no distance", tol=1e-3,
        )  # fmt: skip
check.stays_on_device(gradient_variance, check.randn(6, 2), 3, False)
### END HIDDEN TESTS


# %% mistake="gradient_variance" name="no-mean-subtracted"
def gradient_variance(gradients, size, replacement=True):
    """You took lengths instead of distances from the mean. Where all gradients agree there is no noise."""
    m = len(gradients)
    spread = gradients.square().sum() / m
    return spread / size if replacement else spread / size * (m - size) / (m - 1)


# %% mistake="gradient_variance" name="bessel"
def gradient_variance(gradients, size, replacement=True):
    """You divided by m − 1, as `torch.var` does. Here the m examples are the whole set, not a sample of one."""
    m = len(gradients)
    spread = gradients.var(0).sum()
    return spread / size if replacement else spread / size * (m - size) / (m - 1)


# %% mistake="gradient_variance" name="root"
def gradient_variance(gradients, size, replacement=True):
    """You divided by the root of the size. That is how the distance falls; how does its square?"""
    m = len(gradients)
    spread = (gradients - gradients.mean(0)).square().sum() / m
    return spread / size**0.5 if replacement else spread / size**0.5 * (m - size) / (m - 1)


# %% mistake="gradient_variance" name="mean-over-weights"
def gradient_variance(gradients, size, replacement=True):
    """You averaged over the weights too. A squared distance is a sum over them."""
    m = len(gradients)
    spread = (gradients - gradients.mean(0)).square().mean()
    return spread / size if replacement else spread / size * (m - size) / (m - 1)


# %% mistake="gradient_variance" name="replacement-ignored"
def gradient_variance(gradients, size, replacement=True):
    """You always drew with replacement. What is left of the noise when the batch is the whole set?"""
    return (gradients - gradients.mean(0)).square().sum() / len(gradients) / size


# %% mistake="gradient_variance" name="m-for-m-minus-one"
def gradient_variance(gradients, size, replacement=True):
    """Your factor for draws without replacement is not 1 for a batch of one. Should it be?"""
    m = len(gradients)
    spread = (gradients - gradients.mean(0)).square().sum() / m
    return spread / size if replacement else spread / size * (m - size) / m


# %% mistake="gradient_variance" name="size-forgotten"
def gradient_variance(gradients, size, replacement=True):
    """The size of the batch makes no difference to your result with replacement. It should."""
    m = len(gradients)
    spread = (gradients - gradients.mean(0)).square().sum() / m
    return spread if replacement else spread * (m - size) / (m - 1)


# %% mistake="gradient_variance" name="one-weight-each"
def gradient_variance(gradients, size, replacement=True):
    """You returned a variance for each weight. One number is asked for: the squared distance."""
    m = len(gradients)
    spread = (gradients - gradients.mean(0)).square().mean(0)
    return spread / size if replacement else spread / size * (m - size) / (m - 1)


# %% mistake="gradient_variance" name="centre-on-the-cpu"
def gradient_variance(gradients, size, replacement=True):
    """You built the mean in a tensor on the CPU. Think about where the gradients are."""
    m = len(gradients)
    mean = torch.tensor(gradients.mean(0).tolist(), dtype=gradients.dtype)
    spread = (gradients - mean).square().sum() / m
    return spread / size if replacement else spread / size * (m - size) / (m - 1)


# %% alternative="gradient_variance" name="torch-var"
def gradient_variance(gradients, size, replacement=True):
    m = len(gradients)
    variance = gradients.var(dim=0, correction=0).sum() / size
    return variance if replacement else variance * (1 - (size - 1) / (m - 1))


# %% alternative="gradient_variance" name="pairs"
def gradient_variance(gradients, size, replacement=True):
    m = gradients.shape[0]
    apart = (gradients[:, None] - gradients[None]).pow(2).sum(-1)
    one = apart.sum() / (2 * m * m)
    return one / size if replacement else one * (m / size - 1) / (m - 1)


# %% alternative="gradient_variance" name="trace"
def gradient_variance(gradients, size, replacement=True):
    centred = gradients - gradients.mean(dim=0, keepdim=True)
    total = torch.trace(centred.T @ centred) / len(centred)
    factor = 1.0 if replacement else (len(centred) - size) / (len(centred) - 1)
    return total * factor / size


# %% [markdown]
# ## Batch size and hardware
#
# Small batches are noisy, large ones take longer. But a step with 10 examples hardly takes longer than one
# with a single one (Karatzas, "The right mini-batch size"): parallel hardware, idle otherwise.
# **Predict** the factor between 1 and 1000.

# %%
x, w = torch.randn(10_000, 50), torch.randn(50)
for size in (1, 10, 100, 1000, 10_000):
    start = time.perf_counter()
    for _ in range(100):
        x[:size].T @ (x[:size] @ w)
    print(f"a gradient of {size:6} examples: {(time.perf_counter() - start) * 1e4:8.1f} µs")

# %% [markdown]
# *What to see*: flat at first, then in proportion. The bend is where your machine is full: Karatzas's rule of
# thumb is to go there and no further. Moerland ("Stochastic Gradient Descent") names 32 or 64 and keeps them
# fixed when the data grow. Both leave out that another batch size wants another learning rate.
#
# ## Smaller steps in time  ·  ●○○ · 3 min · 1 point
#
# The noise ball shrinks with $\eta$: large steps to get there, small ones to settle. Passerini
# ("Decreasing learning rate"): $\eta_t = (1 - \frac t\tau)\,\eta_0 + \frac t\tau\,\eta_\tau$ while $t <
# \tau$, and $\eta_\tau$ from then on.
#
# **Your turn**, with plain numbers.


# %% answer="linear_decay"
def linear_decay(t: int, tau: int, eta0: float, eta_tau: float) -> float:
    """Learning rate of step t = 0, 1, 2, ...: from eta0 in a straight line to eta_tau at t = tau."""
    ### BEGIN SOLUTION return the learning rate of step t
    share = min(t / tau, 1.0)
    return (1 - share) * eta0 + share * eta_tau
    ### END SOLUTION


# %%
widgets.sgd.schedule(linear_decay)

# %% [markdown]
# *What to see*: with a constant rate the walk stalls at a distance; with decay it goes on falling. Too early a
# decay stops it on the way.

# %% test="linear_decay" points=1
check.close(linear_decay(0, 10, 0.5, 0.1), 0.5, "It starts at eta0")
check.close(linear_decay(5, 10, 0.5, 0.1), 0.3, "Half-way it is half-way")
check.close(linear_decay(30, 10, 0.5, 0.1), 0.1, "After tau it stays")
### BEGIN HIDDEN TESTS
for _ in range(4):
    tau = int(check.integers(3, 60, 1))
    eta0, eta_tau = float(check.uniform(0.2, 1, 1)), float(check.uniform(0.001, 0.1, 1))
    leaf = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.SGD([leaf], lr=eta0)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, eta_tau / eta0, tau)
    for t in range(tau + 5):
        check.close(
            linear_decay(t, tau, eta0, eta_tau),
            schedule.get_last_lr()[0],
            f"Look at t/tau = {t}/{tau}",
        )
        optimiser.step()
        schedule.step()
    check.close(linear_decay(10 * tau, tau, eta_tau, eta0), eta0, "It may also rise")
### END HIDDEN TESTS


# %% mistake="linear_decay" name="goes-on-falling"
def linear_decay(t, tau, eta0, eta_tau):
    """Your line goes on after tau: the rate gets negative, and the walker climbs."""
    return (1 - t / tau) * eta0 + t / tau * eta_tau


# %% mistake="linear_decay" name="ends-swapped"
def linear_decay(t, tau, eta0, eta_tau):
    """You swapped the ends: your rate starts at eta_tau."""
    share = min(t / tau, 1.0)
    return (1 - share) * eta_tau + share * eta0


# %% mistake="linear_decay" name="to-zero"
def linear_decay(t, tau, eta0, eta_tau):
    """You decayed to 0 and then jumped. The line is to end at eta_tau."""
    return (1 - t / tau) * eta0 if t < tau else eta_tau


# %% mistake="linear_decay" name="exponential"
def linear_decay(t, tau, eta0, eta_tau):
    """Your rate falls by equal factors. A straight line falls by equal steps."""
    share = min(t / tau, 1.0)
    return eta0 ** (1 - share) * eta_tau**share


# %% mistake="linear_decay" name="whole-division"
def linear_decay(t, tau, eta0, eta_tau):
    """You divided whole numbers with //: the share is 0 until it is 1."""
    share = min(t // tau, 1)
    return (1 - share) * eta0 + share * eta_tau


# %% mistake="linear_decay" name="one-step-early"
def linear_decay(t, tau, eta0, eta_tau):
    """Your rate is one step ahead. At t = 0 nothing has decayed yet."""
    share = min((t + 1) / tau, 1.0)
    return (1 - share) * eta0 + share * eta_tau


# %% alternative="linear_decay" name="two-cases"
def linear_decay(t, tau, eta0, eta_tau):
    if t < tau:
        return (1 - t / tau) * eta0 + (t / tau) * eta_tau
    return eta_tau


# %% alternative="linear_decay" name="slope"
def linear_decay(t, tau, eta0, eta_tau):
    return eta0 + (eta_tau - eta0) * min(t, tau) / tau


# %% [markdown]
# ## One cycle  ·  ●●○ · 5 min · 2 points
#
# Minhas ("Optimization Methods") names a schedule that *rises* first: small steps while the start is
# unsettled, long ones, then very small ones. With `total` steps, let $t_1 = 0.3\,\text{total} - 1$ be the top
# and $t_2 = \text{total} - 1$ the end. The rate runs from `max_lr`/25 at $t = 0$ to `max_lr` at $t_1$, and
# down to `max_lr`/250,000 at $t_2$: each time along half a cosine wave,
# $b + \frac12 (a - b)(1 + \cos \pi s)$ from $a$ to $b$, with $s$ from 0 to 1 along the way.
#
# A trap in the code beside it: `SGD(lr=0.1)` together with `OneCycleLR(max_lr=0.01)`. **Predict** the
# learning rate of the first step.
#
# **Your turn**, with plain numbers and `math`. The steps are whole; $t_1$ need not be.


# %% answer="one_cycle"
def one_cycle(t: int, total: int, max_lr: float) -> float:
    """Learning rate of step t = 0 ... total - 1 (total > 4): up to max_lr and down, in cosines.

    As torch.optim.lr_scheduler.OneCycleLR with its default settings.
    """
    ### BEGIN SOLUTION return the learning rate of step t
    start, end = max_lr / 25, max_lr / 250_000
    top, last = 0.3 * total - 1, total - 1
    if t <= top:
        a, b, s = start, max_lr, t / top
    else:
        a, b, s = max_lr, end, (t - top) / (last - top)
    return b + (a - b) / 2 * (1 + math.cos(math.pi * s))
    ### END SOLUTION


# %%
widgets.sgd.schedule(one_cycle)

# %%
w = torch.zeros(1, requires_grad=True)
optimiser = torch.optim.SGD([w], lr=0.1, momentum=0.9)
torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=0.01, steps_per_epoch=100, epochs=10)
group = optimiser.param_groups[0]
print("the slide's first step: learning rate", group["lr"], "and momentum", group["momentum"])

# %% [markdown]
# *What to see*: 0.0004, not 0.1: the schedule overwrites what the optimiser was given. It turns the momentum
# down while the rate is up, too. And `scheduler.step()` comes once a *batch*, as on the slide.

# %% test="one_cycle" points=2
check.close(one_cycle(0, 100, 0.01), 0.0004, "It starts at max_lr / 25, whatever the optimiser had")
check.close(one_cycle(29, 100, 0.01), 0.01, "With 100 steps the top is at t = 29")
check.close(one_cycle(99, 100, 0.01), 4e-8, "Down to max_lr / 250,000 at the last step", tol=1e-9)
### BEGIN HIDDEN TESTS
for total in (10, 37, 100, 20 + check.sizes(1, 1, 30)[0]):
    max_lr = float(check.uniform(0.5, 2, 1))
    leaf = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.SGD([leaf], lr=0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr, total_steps=total)
    for t in range(total):
        check.close(
            one_cycle(t, total, max_lr),
            schedule.get_last_lr()[0],
            f"Look at step {t} of {total}",
            tol=1e-9,
        )
        optimiser.step()
        if t < total - 1:
            schedule.step()
### END HIDDEN TESTS


# %% mistake="one_cycle" name="straight-lines"
def one_cycle(t, total, max_lr):
    """You went up and down in straight lines. The ends are right; between them half a cosine wave is asked for."""
    top, last = 0.3 * total - 1, total - 1
    if t <= top:
        return max_lr / 25 + (max_lr - max_lr / 25) * t / top
    return max_lr + (max_lr / 250_000 - max_lr) * (t - top) / (last - top)


# %% mistake="one_cycle" name="top-one-late"
def one_cycle(t, total, max_lr):
    """Your top comes one step late. Steps count from 0."""
    top, last = 0.3 * total, total - 1
    if t <= top:
        a, b, s = max_lr / 25, max_lr, t / top
    else:
        a, b, s = max_lr, max_lr / 250_000, (t - top) / (last - top)
    return b + (a - b) / 2 * (1 + math.cos(math.pi * s))


# %% mistake="one_cycle" name="end-never-reached"
def one_cycle(t, total, max_lr):
    """Your last step does not reach the end: t runs to total − 1."""
    top, last = 0.3 * total - 1, total
    if t <= top:
        a, b, s = max_lr / 25, max_lr, t / top
    else:
        a, b, s = max_lr, max_lr / 250_000, (t - top) / (last - top)
    return b + (a - b) / 2 * (1 + math.cos(math.pi * s))


# %% mistake="one_cycle" name="down-to-the-start"
def one_cycle(t, total, max_lr):
    """You came back to max_lr / 25. The end lies far below the start."""
    top, last = 0.3 * total - 1, total - 1
    if t <= top:
        a, b, s = max_lr / 25, max_lr, t / top
    else:
        a, b, s = max_lr, max_lr / 25, (t - top) / (last - top)
    return b + (a - b) / 2 * (1 + math.cos(math.pi * s))


# %% mistake="one_cycle" name="whole-wave"
def one_cycle(t, total, max_lr):
    """You ran through a whole cosine wave on each part, and are back where it began. Half of one is enough."""
    top, last = 0.3 * total - 1, total - 1
    if t <= top:
        a, b, s = max_lr / 25, max_lr, t / top
    else:
        a, b, s = max_lr, max_lr / 250_000, (t - top) / (last - top)
    return b + (a - b) / 2 * (1 + math.cos(2 * math.pi * s))


# %% mistake="one_cycle" name="degrees"
def one_cycle(t, total, max_lr):
    """You gave the cosine degrees. It counts in radians."""
    top, last = 0.3 * total - 1, total - 1
    if t <= top:
        a, b, s = max_lr / 25, max_lr, t / top
    else:
        a, b, s = max_lr, max_lr / 250_000, (t - top) / (last - top)
    return b + (a - b) / 2 * (1 + math.cos(180 * s))


# %% mistake="one_cycle" name="top-rounded"
def one_cycle(t, total, max_lr):
    """You rounded the top to a whole step. It may lie between two."""
    top, last = int(0.3 * total) - 1, total - 1
    if t <= top:
        a, b, s = max_lr / 25, max_lr, t / top
    else:
        a, b, s = max_lr, max_lr / 250_000, (t - top) / (last - top)
    return b + (a - b) / 2 * (1 + math.cos(math.pi * s))


# %% mistake="one_cycle" name="ends-at-a-ten-thousandth"
def one_cycle(t, total, max_lr):
    """Your last rate is 25 times too high: you divided the top by 10,000, and not the start."""
    top, last = 0.3 * total - 1, total - 1
    if t <= top:
        a, b, s = max_lr / 25, max_lr, t / top
    else:
        a, b, s = max_lr, max_lr / 10_000, (t - top) / (last - top)
    return b + (a - b) / 2 * (1 + math.cos(math.pi * s))


# %% alternative="one_cycle" name="helper"
def glide(a, b, s):
    return a + (b - a) * math.sin(math.pi * s / 2) ** 2


def one_cycle(t, total, max_lr):
    top = 0.3 * total - 1
    if t < top:
        return glide(max_lr / 25, max_lr, t / top)
    return glide(max_lr, max_lr / 25 / 1e4, (t - top) / (total - 1 - top))


# %% alternative="one_cycle" name="in-shares"
def one_cycle(t, total, max_lr):
    top = 0.3 * total - 1
    up = t <= top
    s = t / top if up else (t - top) / (0.7 * total)
    wave = (1 - math.cos(math.pi * s)) / 2
    share = 0.04 + 0.96 * wave if up else 1 - (1 - 4e-6) * wave
    return max_lr * share


# %% [markdown]
# ## Momentum, and Nesterov's  ·  ●●○ · 7 min · 3 points
#
# In a ravine the gradient points across, hardly along. A ball that remembers its **velocity** $v$ averages the
# crossing away and gathers speed along (Passerini, "Momentum"): $v \leftarrow \alpha v - \eta \nabla J$,
# then $w \leftarrow w + v$. **Predict** its top speed on a long even slope, with $\alpha = 0.9$.
#
# Nesterov looks ahead: the ball is about to roll on by $\alpha v$ anyway. In PyTorch's version the velocity
# changes as before, and then $w \leftarrow w + \alpha v - \eta \nabla J$ with the *new* $v$.
#
# **Your turn.** One step each; `gradient` is $\nabla J$ at `w`. Return the new weights and the new velocity.


# %% answer="momentum_step"
def momentum_step(
    w: torch.Tensor, velocity: torch.Tensor, gradient: torch.Tensor, lr: float, alpha: float = 0.9
) -> tuple[torch.Tensor, torch.Tensor]:
    """One step with momentum alpha: new (w, velocity); all of one shape, velocity 0 at the start."""
    ### BEGIN SOLUTION return the new weights and the new velocity
    velocity = alpha * velocity - lr * gradient
    return w + velocity, velocity
    ### END SOLUTION


def nesterov_step(
    w: torch.Tensor, velocity: torch.Tensor, gradient: torch.Tensor, lr: float, alpha: float = 0.9
) -> tuple[torch.Tensor, torch.Tensor]:
    """One step with Nesterov's momentum alpha: new (w, velocity), as in `momentum_step`."""
    ### BEGIN SOLUTION return the new weights and the new velocity
    velocity = alpha * velocity - lr * gradient
    return w + alpha * velocity - lr * gradient, velocity
    ### END SOLUTION


# %%
widgets.sgd.race(momentum_step, nesterov_step)

# %% [markdown]
# *What to see*: your walkers wear a ring and must stay on PyTorch's. On the ravine momentum is far ahead of
# plain descent; on a slope it reaches $1/(1 - \alpha) = 10$ times its speed. Turn α up to 0.98: the ball
# overshoots and swings.

# %% test="momentum_step" points=3
BANNED = ("optim", "SGD", "Adam", "backward")
check.by_hand(momentum_step, *BANNED)
check.by_hand(nesterov_step, *BANNED)
w, velocity, gradient = torch.tensor([1.0, 2.0]), torch.tensor([1.0, 0.0]), torch.tensor([2.0, 4.0])
check.close(
    check.unchanged(momentum_step, w, velocity, gradient, 0.1, 0.5),
    (torch.tensor([1.3, 1.6]), torch.tensor([0.3, -0.4])),
    "First the velocity, 0.5·1 − 0.1·2 = 0.3 in the first place; then w moves by it",
)
check.close(
    check.unchanged(nesterov_step, w, velocity, gradient, 0.1, 0.5),
    (torch.tensor([0.95, 1.4]), torch.tensor([0.3, -0.4])),
    "The velocity is the same; w moves by α times the new velocity, and by the gradient step",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype, tol in zip(check.dtypes(), (2e-5, 1e-6), strict=True):
        for step, nesterov in ((momentum_step, False), (nesterov_step, True)):
            w = check.randn(*check.sizes(2, 2, 5), dtype=dtype, device=device)
            lr, alpha = float(check.uniform(0.01, 0.1, 1)), float(check.uniform(0.5, 0.95, 1))
            leaf, velocity = w.clone().requires_grad_(), torch.zeros_like(w)
            optimiser = torch.optim.SGD([leaf], lr=lr, momentum=alpha, nesterov=nesterov)
            for t in range(50):
                gradient = check.randn(*w.shape, dtype=dtype, device=device) + 0.5
                leaf.grad = gradient
                optimiser.step()
                w, velocity = check.unchanged(step, w, velocity, gradient, lr, alpha)
                check.close(
                    w, leaf.detach(), f"No longer with torch.optim.SGD after step {t + 1}", tol=tol
                )
            # The velocity remembers each step with the learning rate that it had then.
            gradients = check.randn(4, 3, dtype=dtype, device=device)
            velocity, want = torch.zeros_like(gradients[0]), torch.zeros_like(gradients[0])
            for t, rate in enumerate((0.4, 0.1, 0.2, 0.05)):
                want = want - rate * alpha ** (3 - t) * gradients[t]
                _, velocity = step(gradients[0], velocity, gradients[t], rate, alpha)
            check.close(velocity, want, "Wrong when the learning rate changes on the way")
w, gradient = check.randn(3, 2), check.randn(3, 2)
for step in (momentum_step, nesterov_step):
    check.close(
        step(w, w, gradient, 0.1), step(w, w, gradient, 0.1, 0.9), "alpha is 0.9 if not given"
    )
    check.stays_on_device(step, w, check.randn(3, 2), gradient, 0.1, 0.8)
### END HIDDEN TESTS


# %% mistake="momentum_step" name="sign"
def momentum_step(w, velocity, gradient, lr, alpha=0.9):
    """You added the gradient to the velocity: the ball accelerates uphill."""
    velocity = alpha * velocity + lr * gradient
    return w + velocity, velocity


# %% mistake="momentum_step" name="old-velocity"
def momentum_step(w, velocity, gradient, lr, alpha=0.9):
    """You moved by the velocity of before. The new one comes first, then the step."""
    return w + velocity, alpha * velocity - lr * gradient


# %% mistake="momentum_step" name="library-form"
def momentum_step(w, velocity, gradient, lr, alpha=0.9):
    """You kept PyTorch's buffer, without the learning rate. Then a new rate rescales the whole past: not the deck's velocity."""
    velocity = alpha * velocity + gradient
    return w - lr * velocity, velocity


# %% mistake="momentum_step" name="averaged"
def momentum_step(w, velocity, gradient, lr, alpha=0.9):
    """You weighed the gradient with 1 − α. That is a running mean; here the velocity adds up."""
    velocity = alpha * velocity - (1 - alpha) * lr * gradient
    return w + velocity, velocity


# %% mistake="momentum_step" name="rate-twice"
def momentum_step(w, velocity, gradient, lr, alpha=0.9):
    """You multiplied by the learning rate twice: in the velocity, and again in the step."""
    velocity = alpha * velocity - lr * gradient
    return w + lr * velocity, velocity


# %% mistake="momentum_step" name="rate-on-everything"
def momentum_step(w, velocity, gradient, lr, alpha=0.9):
    """You multiplied the old velocity by the learning rate as well. It has been in there since its own step."""
    velocity = lr * (alpha * velocity - gradient)
    return w + velocity, velocity


# %% mistake="momentum_step" name="nesterov-is-momentum"
def nesterov_step(w, velocity, gradient, lr, alpha=0.9):
    """That is plain momentum, also where α times the old velocity is added. Which velocity looks ahead?"""
    velocity = alpha * velocity - lr * gradient
    return w + velocity, velocity


# %% mistake="momentum_step" name="nesterov-without-gradient"
def nesterov_step(w, velocity, gradient, lr, alpha=0.9):
    """Your Nesterov step moves by α v alone. The gradient enters the step a second time."""
    velocity = alpha * velocity - lr * gradient
    return w + alpha * velocity, velocity


# %% mistake="momentum_step" name="nesterov-full-velocity"
def nesterov_step(w, velocity, gradient, lr, alpha=0.9):
    """You added the whole new velocity and the gradient step to it. Which factor stands before v?"""
    velocity = alpha * velocity - lr * gradient
    return w + velocity - lr * gradient, velocity


# %% mistake="momentum_step" name="in-place"
def momentum_step(w, velocity, gradient, lr, alpha=0.9):
    """You changed the caller's velocity in place, with *=. They still need it as it was."""
    velocity *= alpha
    velocity -= lr * gradient
    return w + velocity, velocity


# %% mistake="momentum_step" name="weights-only"
def momentum_step(w, velocity, gradient, lr, alpha=0.9):
    """You returned the weights alone. Without the velocity the next step has no memory."""
    return w + alpha * velocity - lr * gradient


# %% alternative="momentum_step" name="add-with-alpha"
def momentum_step(w, velocity, gradient, lr, alpha=0.9):
    new = velocity.mul(alpha).sub(gradient, alpha=lr)
    return w.add(new), new


def nesterov_step(w, velocity, gradient, lr, alpha=0.9):
    new = velocity.mul(alpha).sub(gradient, alpha=lr)
    return w.add(new, alpha=alpha).sub(gradient, alpha=lr), new


# %% alternative="momentum_step" name="two-moves"
def momentum_step(w, velocity, gradient, lr, alpha=0.9):
    there = (w + alpha * velocity) - lr * gradient
    return there, alpha * velocity - lr * gradient


def nesterov_step(w, velocity, gradient, lr, alpha=0.9):
    downhill = -lr * gradient
    moved = alpha**2 * velocity + (1 + alpha) * downhill
    return w + moved, alpha * velocity + downhill


# %% alternative="momentum_step" name="by-difference"
def nesterov_step(w, velocity, gradient, lr, alpha=0.9):
    new = alpha * velocity - lr * gradient
    return w + new + alpha * (new - velocity), new


# %% [markdown]
# ## A learning rate for each weight: Adagrad and RMSProp  ·  ●●○ · 7 min · 3 points
#
# One $\eta$ for a steep and a flat direction suits neither. **Adagrad** adds up squared gradients, weight by
# weight, $r \leftarrow r + (\nabla J)^2$, and divides: $w \leftarrow w - \frac{\eta}{\sqrt r} \nabla J$
# (Passerini, "Adagrad"; his $r$ is `squares` below). **Predict** the length of its first step, for a gradient
# of 1000 and one of 0.001.
#
# $r$ only grows, so the steps die, often too early ("Problem"). **RMSProp** forgets:
# $r \leftarrow \rho r + (1 - \rho)(\nabla J)^2$.
#
# The slides have a hole: a weight whose gradient was always 0 (a dead unit) gets $0/\sqrt 0$. So PyTorch
# divides by $\sqrt r + \varepsilon$ with a tiny $\varepsilon$, *outside* the root; so do we.


# %% answer="adagrad_step"
def adagrad_step(
    w: torch.Tensor, squares: torch.Tensor, gradient: torch.Tensor, lr: float, eps: float = 1e-10
) -> tuple[torch.Tensor, torch.Tensor]:
    """One step of Adagrad: new (w, squares); all of one shape, the sum of squares 0 at the start."""
    ### BEGIN SOLUTION return the new weights and the new sum of squares
    squares = squares + gradient**2
    return w - lr * gradient / (squares.sqrt() + eps), squares
    ### END SOLUTION


def rmsprop_step(
    w: torch.Tensor,
    squares: torch.Tensor,
    gradient: torch.Tensor,
    lr: float,
    rho: float = 0.99,
    eps: float = 1e-8,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One step of RMSProp: new (w, squares); squares is a decaying mean, 0 at the start."""
    ### BEGIN SOLUTION return the new weights and the new mean of squares
    squares = rho * squares + (1 - rho) * gradient**2
    return w - lr * gradient / (squares.sqrt() + eps), squares
    ### END SOLUTION


# %%
widgets.sgd.race(adagrad_step, rmsprop_step)

# %% [markdown]
# *What to see*: both leave the start along the diagonal, whatever the slopes. Adagrad's first step is $\eta$ in
# each weight, RMSProp's $\eta / \sqrt{1 - \rho} = 10\,\eta$. In the ravine a rate for each direction cures
# everything; on Rosenbrock Adagrad slows down before it has arrived.

# %% test="adagrad_step" points=3
BANNED = ("optim", "Adagrad", "RMSprop", "backward")
check.by_hand(adagrad_step, *BANNED)
check.by_hand(rmsprop_step, *BANNED)
w, squares, gradient = torch.tensor([1.0, 2.0]), torch.tensor([7.0, 0.0]), torch.tensor([3.0, -0.5])
check.close(
    check.unchanged(adagrad_step, w, squares, gradient, 0.4),
    (torch.tensor([0.7, 2.4]), torch.tensor([16.0, 0.25])),
    "In the first place the sum becomes 7 + 9, and the step is 0.4·3/4",
)
check.close(
    check.unchanged(rmsprop_step, w, squares, gradient, 0.4, 0.5),
    (torch.tensor([1 - 1.2 / 8**0.5, 2 + 0.2 / 0.125**0.5]), torch.tensor([8.0, 0.125])),
    "In the first place the mean becomes 0.5·7 + 0.5·9",
)
zero = torch.zeros(2)
for step in (adagrad_step, rmsprop_step):
    check.close(step(w, zero, zero, 0.1), (w, zero), "A gradient of 0 moves nothing. What is 0/0?")
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype, tol in zip(check.dtypes(), (2e-5, 1e-6), strict=True):
        for step in (adagrad_step, rmsprop_step):
            shape = check.sizes(2, 2, 5)
            start = check.randn(*shape, dtype=dtype, device=device)
            lr = float(check.uniform(0.01, 0.1, 1))
            decay, eps = float(check.uniform(0.7, 0.95, 1)), float(check.uniform(0.1, 0.3, 1))
            for settings in ({"eps": eps, "rho": decay}, {}):
                w, squares, leaf = start, torch.zeros_like(start), start.clone().requires_grad_()
                if step is adagrad_step:
                    settings = {k: v for k, v in settings.items() if k != "rho"}
                    optimiser = torch.optim.Adagrad([leaf], lr=lr, **settings)
                else:
                    alpha = {"alpha": settings["rho"], "eps": eps} if settings else {}
                    optimiser = torch.optim.RMSprop([leaf], lr=lr, **alpha)
                for t in range(50):
                    gradient = check.randn(*shape, dtype=dtype, device=device) + 0.3
                    gradient[0, 0] = 0.0
                    leaf.grad = gradient
                    optimiser.step()
                    w, squares = check.unchanged(step, w, squares, gradient, lr, **settings)
                    check.close(
                        w, leaf.detach(), f"Differs from torch.optim after step {t + 1}", tol=tol
                    )
                state = optimiser.state[leaf]
                want = state["sum"] if step is adagrad_step else state["square_avg"]
                check.close(
                    squares,
                    want,
                    "The weights are right; the squares returned aren't",
                    tol=1e-4,
                )
w, squares, gradient = check.randn(3, 2), check.uniform(0.1, 1, 3, 2), check.randn(3, 2)
for step in (adagrad_step, rmsprop_step):
    check.stays_on_device(step, w, squares, gradient, 0.1)
### END HIDDEN TESTS


# %% mistake="adagrad_step" name="no-epsilon"
def adagrad_step(w, squares, gradient, lr, eps=1e-10):
    """You divided by the bare root, as the slide does: where no gradient ever came, that is 0/0."""
    squares = squares + gradient**2
    return w - lr * gradient / squares.sqrt(), squares


# %% mistake="adagrad_step" name="epsilon-inside"
def adagrad_step(w, squares, gradient, lr, eps=1e-10):
    """You put ε under the root, as some books do. There it weighs more: √ε. The text puts it elsewhere."""
    squares = squares + gradient**2
    return w - lr * gradient / (squares + eps).sqrt(), squares


# %% mistake="adagrad_step" name="no-root"
def adagrad_step(w, squares, gradient, lr, eps=1e-10):
    """You divided by the sum itself. A root is missing: without it a steep direction gets smaller steps than a flat one."""
    squares = squares + gradient**2
    return w - lr * gradient / (squares + eps), squares


# %% mistake="adagrad_step" name="old-sum"
def adagrad_step(w, squares, gradient, lr, eps=1e-10):
    """You divided by the sum of before, which is 0 at the first step. The new gradient goes in first."""
    return w - lr * gradient / (squares.sqrt() + eps), squares + gradient**2


# %% mistake="adagrad_step" name="not-squared"
def adagrad_step(w, squares, gradient, lr, eps=1e-10):
    """You added up absolute values. What is to be added up are squares."""
    squares = squares + gradient.abs()
    return w - lr * gradient / (squares.sqrt() + eps), squares


# %% mistake="adagrad_step" name="one-for-all"
def adagrad_step(w, squares, gradient, lr, eps=1e-10):
    """You added the squares of all weights together: then all share one learning rate. Each weight has a sum of its own."""
    squares = squares + (gradient**2).sum()
    return w - lr * gradient / (squares.sqrt() + eps), squares


# %% mistake="adagrad_step" name="rmsprop-only-adds"
def rmsprop_step(w, squares, gradient, lr, rho=0.99, eps=1e-8):
    """Your mean decays, but the new square comes in whole. The two shares should add up to 1."""
    squares = rho * squares + gradient**2
    return w - lr * gradient / (squares.sqrt() + eps), squares


# %% mistake="adagrad_step" name="rmsprop-shares-swapped"
def rmsprop_step(w, squares, gradient, lr, rho=0.99, eps=1e-8):
    """You swapped the shares: yours forgets nearly all at each step. ρ is what it keeps."""
    squares = (1 - rho) * squares + rho * gradient**2
    return w - lr * gradient / (squares.sqrt() + eps), squares


# %% mistake="adagrad_step" name="rmsprop-is-adagrad"
def rmsprop_step(w, squares, gradient, lr, rho=0.99, eps=1e-8):
    """That is Adagrad again. RMSProp forgets."""
    squares = squares + gradient**2
    return w - lr * gradient / (squares.sqrt() + eps), squares


# %% mistake="adagrad_step" name="rmsprop-epsilon-inside"
def rmsprop_step(w, squares, gradient, lr, rho=0.99, eps=1e-8):
    """In RMSProp you put ε under the root. Where does the text put it?"""
    squares = rho * squares + (1 - rho) * gradient**2
    return w - lr * gradient / (squares + eps).sqrt(), squares


# %% mistake="adagrad_step" name="rmsprop-no-epsilon"
def rmsprop_step(w, squares, gradient, lr, rho=0.99, eps=1e-8):
    """RMSProp with the slide's bare root: a gradient that was always 0 gives 0/0."""
    squares = rho * squares + (1 - rho) * gradient**2
    return w - lr * gradient / squares.sqrt(), squares


# %% mistake="adagrad_step" name="in-place"
def adagrad_step(w, squares, gradient, lr, eps=1e-10):
    """You added to the caller's squares in place. Return a new one."""
    squares += gradient**2
    return w - lr * gradient / (squares.sqrt() + eps), squares


# %% alternative="adagrad_step" name="addcmul"
def adagrad_step(w, squares, gradient, lr, eps=1e-10):
    total = torch.addcmul(squares, gradient, gradient)
    return torch.addcdiv(w, gradient, total.sqrt().add(eps), value=-lr), total


def rmsprop_step(w, squares, gradient, lr, rho=0.99, eps=1e-8):
    mean = torch.lerp(squares, gradient.square(), 1 - rho)
    return torch.addcdiv(w, gradient, mean.sqrt().add(eps), value=-lr), mean


# %% alternative="adagrad_step" name="rate-first"
def adagrad_step(w, squares, gradient, lr, eps=1e-10):
    squares = squares + gradient * gradient
    rate = lr / (squares**0.5 + eps)
    return w - rate * gradient, squares


def rmsprop_step(w, squares, gradient, lr, rho=0.99, eps=1e-8):
    squares = squares + (1 - rho) * (gradient * gradient - squares)
    rate = lr / (squares**0.5 + eps)
    return w - rate * gradient, squares


# %% alternative="adagrad_step" name="shared-helper"
def scaled(w, gradient, squares, lr, eps):
    return w - lr * (gradient / (torch.sqrt(squares) + eps)), squares


def adagrad_step(w, squares, gradient, lr, eps=1e-10):
    return scaled(w, gradient, squares + gradient.pow(2), lr, eps)


def rmsprop_step(w, squares, gradient, lr, rho=0.99, eps=1e-8):
    return scaled(w, gradient, rho * squares + (1 - rho) * gradient.pow(2), lr, eps)


# %% [markdown]
# ## Adam  ·  ●●● · 8 min · 3 points
#
# Momentum and RMSProp in one (Minhas, "Optimization Methods", has the sentence; Kingma and Ba the formulas).
# Two running means of the gradient $g$: $s \leftarrow \beta_1 s + (1 - \beta_1)\, g$ and
# $r \leftarrow \beta_2 r + (1 - \beta_2)\, g^2$.
#
# Both start at 0 and so are too small at first: after one step $s$ is a tenth of $g$. Kingma and Ba **correct
# the bias**: $\hat s = s / (1 - \beta_1^t)$, $\hat r = r / (1 - \beta_2^t)$ in step $t = 1, 2, \dots$; then
# $w \leftarrow w - \eta\, \hat s / (\sqrt{\hat r} + \varepsilon)$. **Predict**: what length has the first step
# with the correction; and about what length without?
#
# **Your turn.** Return the uncorrected means: the next step goes on from them.


# %% answer="adam_step"
def adam_step(
    w: torch.Tensor,
    mean: torch.Tensor,
    squares: torch.Tensor,
    t: int,
    gradient: torch.Tensor,
    lr: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Step t = 1, 2, ... of Adam: new (w, mean, squares).

    mean and squares (s and r above) are the running means of the gradient and of its square, both 0
    before step 1; all of one shape.
    """
    ### BEGIN SOLUTION return the new weights and both new running means
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    mean_hat, squares_hat = mean / (1 - beta1**t), squares / (1 - beta2**t)
    return w - lr * mean_hat / (squares_hat.sqrt() + eps), mean, squares
    ### END SOLUTION


# %%
widgets.sgd.race(adam_step)

# %% [markdown]
# *What to see*: Adam takes the ravine's diagonal like RMSProp, with a ball's swing, and is first on
# Rosenbrock. On the *saddle* the plain walker stands still for longest.

# %% test="adam_step" points=3
check.by_hand(adam_step, "optim", "Adam", "AdamW", "backward")
w, zero, gradient = torch.tensor([1.0, 2.0]), torch.zeros(2), torch.tensor([50.0, -0.02])
first = check.unchanged(adam_step, w, zero, zero.clone(), 1, gradient, 0.1)
check.close(
    first,
    (torch.tensor([0.9, 2.1]), torch.tensor([5.0, -0.002]), torch.tensor([2.5, 4e-7])),
    "The first corrected step is lr in each weight; the means that are returned are not corrected",
)
check.close(
    adam_step(*first, 2, torch.zeros(2), 0.1)[0],
    torch.tensor([0.833004, 2.166996]),
    "A second step without gradient still moves on; t is 2 now",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype, tol in zip(check.dtypes(), (2e-5, 1e-6), strict=True):
        shape = check.sizes(2, 2, 5)
        start = check.randn(*shape, dtype=dtype, device=device)
        lr = float(check.uniform(0.01, 0.1, 1))
        betas = float(check.uniform(0.5, 0.95, 1)), float(check.uniform(0.6, 0.99, 1))
        eps = float(check.uniform(0.1, 0.3, 1))
        for settings in ((0.001, 0.9, 0.999, 1e-8), (lr, *betas, eps)):
            leaf, w = start.clone().requires_grad_(), start
            mean, squares = torch.zeros_like(w), torch.zeros_like(w)
            optimiser = torch.optim.Adam([leaf], settings[0], settings[1:3], settings[3])
            for t in range(1, 51):
                gradient = check.randn(*shape, dtype=dtype, device=device) + 0.3
                gradient[0, 0] = 0.0
                leaf.grad = gradient
                optimiser.step()
                w, mean, squares = check.unchanged(
                    adam_step, w, mean, squares, t, gradient, *settings
                )
                check.close(w, leaf.detach(), f"Differs from torch.optim.Adam at t = {t}", tol=tol)
                if settings[0] == 0.001:
                    check.close((w - start) / 0.001, (leaf.detach() - start) / 0.001,
                        f"The way from the start is off at t = {t}", tol=1e-2 if dtype == torch.float32 else 1e-6)  # fmt: skip
            state = optimiser.state[leaf]
            check.close(
                (mean, squares), (state["exp_avg"], state["exp_avg_sq"]), "The means that are returned",
                tol=1e-5,
            )  # fmt: skip
w, mean, gradient = check.randn(3, 2), check.randn(3, 2), check.randn(3, 2)
squares = check.uniform(0.1, 1, 3, 2)
check.close(
    adam_step(w, mean, squares, 3, gradient),
    adam_step(w, mean, squares, 3, gradient, 0.001, 0.9, 0.999, 1e-8),
    "Keep the default settings",
)
check.stays_on_device(adam_step, w, mean, squares, 3, gradient, 0.1)
### END HIDDEN TESTS


# %% mistake="adam_step" name="no-correction"
def adam_step(w, mean, squares, t, gradient, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """You left the bias correction out: your first steps are about three times too long. Which mean starts further from the truth?"""
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    return w - lr * mean / (squares.sqrt() + eps), mean, squares


# %% mistake="adam_step" name="one-correction"
def adam_step(w, mean, squares, t, gradient, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """You corrected the mean of the gradient only. The mean of the squares started at 0 too."""
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    return w - lr * mean / (1 - beta1**t) / (squares.sqrt() + eps), mean, squares


# %% mistake="adam_step" name="t-from-zero"
def adam_step(w, mean, squares, t, gradient, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """Your correction is one step late: t is 1 in the first step already."""
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    return (
        w - lr * mean / (1 - beta1 ** (t + 1)) / ((squares / (1 - beta2 ** (t + 1))).sqrt() + eps),
        mean,
        squares,
    )


# %% mistake="adam_step" name="t-forgotten"
def adam_step(w, mean, squares, t, gradient, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """Your correction has no power of t in it: it is as strong in step 50 as in step 1."""
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    return w - lr * mean / (1 - beta1) / ((squares / (1 - beta2)).sqrt() + eps), mean, squares


# %% mistake="adam_step" name="corrected-state"
def adam_step(w, mean, squares, t, gradient, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """You returned the corrected means: the next step corrects them once more."""
    mean = (beta1 * mean + (1 - beta1) * gradient) / (1 - beta1**t)
    squares = (beta2 * squares + (1 - beta2) * gradient**2) / (1 - beta2**t)
    return w - lr * mean / (squares.sqrt() + eps), mean, squares


# %% mistake="adam_step" name="epsilon-inside"
def adam_step(w, mean, squares, t, gradient, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """You put ε under the root. Look where the formula has it."""
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    return w - lr * mean / (1 - beta1**t) / (squares / (1 - beta2**t) + eps).sqrt(), mean, squares


# %% mistake="adam_step" name="epsilon-before-correction"
def adam_step(w, mean, squares, t, gradient, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """You added ε before you corrected the root, so it got scaled too. Correct first."""
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    rate = lr * (1 - beta2**t) ** 0.5 / (1 - beta1**t)
    return w - rate * mean / (squares.sqrt() + eps), mean, squares


# %% mistake="adam_step" name="no-root"
def adam_step(w, mean, squares, t, gradient, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """You divided by the mean of the squares itself. One operation is missing."""
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    return w - lr * mean / (1 - beta1**t) / (squares / (1 - beta2**t) + eps), mean, squares


# %% mistake="adam_step" name="betas-swapped"
def adam_step(w, mean, squares, t, gradient, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """You swapped the two betas. Which of the means has the longer memory?"""
    mean = beta2 * mean + (1 - beta2) * gradient
    squares = beta1 * squares + (1 - beta1) * gradient**2
    return w - lr * mean / (1 - beta2**t) / ((squares / (1 - beta1**t)).sqrt() + eps), mean, squares


# %% mistake="adam_step" name="square-of-the-mean"
def adam_step(w, mean, squares, t, gradient, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """You squared the running mean. The second mean is of the squares of the gradients themselves."""
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * mean**2
    return w - lr * mean / (1 - beta1**t) / ((squares / (1 - beta2**t)).sqrt() + eps), mean, squares


# %% mistake="adam_step" name="in-place"
def adam_step(w, mean, squares, t, gradient, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """You updated the caller's running mean in place. Return a new one."""
    mean *= beta1
    mean += (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    return w - lr * mean / (1 - beta1**t) / ((squares / (1 - beta2**t)).sqrt() + eps), mean, squares


# %% mistake="adam_step" name="powers-on-the-cpu"
def adam_step(w, mean, squares, t, gradient, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    """You put the two corrections into a tensor on the CPU. Plain numbers are at home on every device."""
    mean = beta1 * mean + (1 - beta1) * gradient
    squares = beta2 * squares + (1 - beta2) * gradient**2
    one = torch.full(w.shape, 1 - beta1**t, dtype=w.dtype)
    two = torch.full(w.shape, 1 - beta2**t, dtype=w.dtype)
    return w - lr * (mean / one) / ((squares / two).sqrt() + eps), mean, squares


# %% alternative="adam_step" name="scaled-rate"
def adam_step(w, mean, squares, t, gradient, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    s = mean + (1 - beta1) * (gradient - mean)
    q = squares + (1 - beta2) * (gradient.square() - squares)
    root = q.sqrt() / math.sqrt(1 - beta2**t) + eps
    return w - lr / (1 - beta1**t) * s / root, s, q


# %% alternative="adam_step" name="lerp"
def adam_step(w, mean, squares, t, gradient, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    s = torch.lerp(mean, gradient, 1 - beta1)
    q = (squares * beta2).addcmul(gradient, gradient, value=1 - beta2)
    return torch.addcdiv(w, s / (1 - beta1**t), (q / (1 - beta2**t)).sqrt() + eps, value=-lr), s, q


# %% [markdown]
# ## Rare classes  ·  ●●○ · 4 min · 2 points
#
# Ninety cats and ten dogs: a net that always says *cat* is right nine times of ten, and a mini-batch of four
# has no dog two times of three. Karatzas ("Shuffling and balancing"): balance beforehand where you can. Where
# you can't, weigh each example in the loss, or in the draw.
#
# **Your turn.** A weight for each example such that every class that occurs has the same total, and the mean
# of all weights is 1. **Predict** a dog's weight.


# %% answer="balanced_weights"
def balanced_weights(labels: torch.Tensor) -> torch.Tensor:
    """Weights (m,), float32, on the device of labels: equal totals for all classes, mean 1.

    labels (m,) whole numbers (int64), m > 0. They need not be 0 ... K - 1: [7, 7, 3] has two classes.
    """
    ### BEGIN SOLUTION return one weight an example
    _, which, counts = labels.unique(return_inverse=True, return_counts=True)
    return (len(labels) / (len(counts) * counts.float()))[which]
    ### END SOLUTION


# %%
widgets.sgd.balance(balanced_weights)

# %% [markdown]
# *What to see*: bars of equal height after weighing. The noise grows with it: few examples, counted many
# times.

# %% test="balanced_weights" points=2
check.close(
    balanced_weights(torch.tensor([0, 0, 0, 1])),
    torch.tensor([2 / 3, 2 / 3, 2 / 3, 2.0]),
    "Four examples, two classes: each class gets a total of 2",
)
check.close(
    balanced_weights(torch.tensor([7, 7, 3])),
    torch.tensor([0.75, 0.75, 1.5]),
    "There are two classes here, whatever their numbers",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for gap in (0, 1):
        kinds = check.sizes(4, 2, 9)
        names = check.uniform(0, 1, 30).argsort()[:4] if gap else torch.arange(4)
        labels = torch.cat([torch.full((n,), int(k)) for k, n in zip(names, kinds, strict=True)])
        labels = labels[check.uniform(0, 1, len(labels)).argsort()].to(device)
        got = check.unchanged(balanced_weights, labels)
        check.shape(got, labels.shape)
        check.dtype(got, torch.float32)
        check.finite(got, "No class that occurs has no examples")
        for k in names.to(device):
            mine = got[labels == k]
            check.close(mine, mine.mean().expand_as(mine).clone(), "Equal classes, equal weights")
        totals = torch.stack([got[labels == k].sum() for k in names.to(device)])
        check.close(
            totals / totals.mean(), torch.ones_like(totals), "Add the weights of each class"
        )
        check.close(got.mean(), torch.ones((), device=device), "The weights' mean is to be 1")
check.close(
    balanced_weights(torch.full((5,), 2)),
    torch.ones(5),
    "With one class there is nothing to balance",
)
check.stays_on_device(balanced_weights, torch.tensor([0, 2, 2, 2, 0, 1, 1]))
### END HIDDEN TESTS


# %% mistake="balanced_weights" name="frequencies"
def balanced_weights(labels):
    """You weighed by frequency: the common class counts even more. It should be the other way round."""
    _, which, counts = labels.unique(return_inverse=True, return_counts=True)
    weights = counts.float()[which]
    return weights / weights.mean()


# %% mistake="balanced_weights" name="not-normalised"
def balanced_weights(labels):
    """Your classes are balanced, but the mean weight is not 1: your loss, and each step, has shrunk."""
    _, which, counts = labels.unique(return_inverse=True, return_counts=True)
    return (1 / counts.float())[which]


# %% mistake="balanced_weights" name="sum-one"
def balanced_weights(labels):
    """Your weights add up to 1. Their mean should be 1."""
    _, which, counts = labels.unique(return_inverse=True, return_counts=True)
    return (1 / (len(counts) * counts.float()))[which]


# %% mistake="balanced_weights" name="classes-forgotten"
def balanced_weights(labels):
    """You left out how many classes there are: each class gets a total of m."""
    _, which, counts = labels.unique(return_inverse=True, return_counts=True)
    return (len(labels) / counts.float())[which]


# %% mistake="balanced_weights" name="one-a-class"
def balanced_weights(labels):
    """You returned one weight a class. One an example is asked for."""
    _, counts = labels.unique(return_counts=True)
    return len(labels) / (len(counts) * counts.float())


# %% mistake="balanced_weights" name="labels-from-zero"
def balanced_weights(labels):
    """You counted the classes up to the largest label; some of them don't occur, and take a share."""
    counts = torch.bincount(labels).float()
    return (len(labels) / (len(counts) * counts))[labels]


# %% mistake="balanced_weights" name="rank-for-label"
def balanced_weights(labels):
    """You gave weights in the order of the sorted labels. Each belongs to its own example."""
    _, counts = labels.unique(return_counts=True)
    return (len(labels) / (len(counts) * counts.float())).repeat_interleave(counts)


# %% mistake="balanced_weights" name="root"
def balanced_weights(labels):
    """You balanced half-way, with the root of the counts. The totals should be equal."""
    _, which, counts = labels.unique(return_inverse=True, return_counts=True)
    weights = (1 / counts.float().sqrt())[which]
    return weights / weights.mean()


# %% mistake="balanced_weights" name="weights-on-the-cpu"
def balanced_weights(labels):
    """You built the weights from a Python list, on the CPU. Think about where the labels are."""
    values = labels.tolist()
    return torch.tensor([len(values) / (len(set(values)) * values.count(v)) for v in values])


# %% alternative="balanced_weights" name="compare-all-pairs"
def balanced_weights(labels):
    same = (labels[:, None] == labels[None]).sum(1)
    weights = 1 / same.float()
    return weights / weights.mean()


# %% alternative="balanced_weights" name="bincount"
def balanced_weights(labels):
    counts = torch.bincount(labels).to(torch.float32)
    present = (counts > 0).sum()
    return len(labels) / (present * counts[labels])


# %% alternative="balanced_weights" name="class-by-class"
def balanced_weights(labels):
    weights = torch.zeros(labels.shape, device=labels.device)
    for k in labels.unique():
        weights[labels == k] = 1 / (labels == k).sum()
    return weights * len(labels) / weights.sum()


# %% [markdown]
# ## Race your own
#
# Any rule of yours may run: `my_step(w, state, gradient, t)`, where `state` is a dict that is empty at $t =
# 1$ and stays yours, returns the new `w`. Beat Adam on the ravine; then see what yours does on Rosenbrock.


# %%
def my_step(w: torch.Tensor, state: dict, gradient: torch.Tensor, t: int) -> torch.Tensor:
    """Only the sign of the gradient counts here. Yours?"""
    return w - 0.03 * gradient.sign() / t**0.3


widgets.sgd.race(my_step)

# %% [markdown]
# ## What it means, and where it fails
#
# Noise is a cost and a gift: it stops the walk short of the minimum, and carries it out of poor basins
# (Karatzas, "The Landscape of SGD"). That it *can* is certain; that it finds a *better* basin is not: the same
# noise carries it out of good ones. Passerini ("Batch vs Stochastic") finds one example's objective "too
# different from true one": each is, the average is not. Minhas's "faster convergence" of mini-batches is
# faster per example seen; per *step* the full batch is ahead.
#
# Momentum multiplies the effective step by $1/(1 - \alpha)$: turn $\alpha$ up and $\eta$ down together. Adagrad shines where gradients are
# rare, and dies on long walks. Adam hardly needs tuning; well-tuned SGD with momentum often generalises as
# well or better. No optimiser mends a landscape with saturated plateaux: 05_training does.
#
# **Three lines to remember**
# 1. A mini-batch's gradient is right on average, with variance $\sigma^2/B$.
# 2. Large steps to get there, small ones to settle: the noise ball shrinks with $\eta$ and with $1/B$.
# 3. Momentum averages gradients over time; Adagrad, RMSProp and Adam give each weight its own step.
#
# **Further reading**: Bottou, Curtis & Nocedal, *Optimization methods for large-scale machine learning*
# (2018) · Goh, *Why momentum really works* (2017) · Kingma & Ba, *Adam* (2015) · Shallue et al., *Measuring the
# effects of data parallelism on neural network training* (2019) · Ruder, *An overview of gradient descent
# optimization algorithms* (2016) · Next: 05_training.

# %%
import course

course.progress()
