# %% [markdown]
# # Attention as kernels, transformers
#
# **You will be able to** say what attention is: an average, weighted by a kernel · write it, masked and with
# heads, so that it equals PyTorch's · keep a model from looking ahead, and prove it · tell tokens where
# they are · cut pictures into tokens · build a transformer block, and a GPT that learns a finite-state
# machine.
#
# **Decks** Minhas, "Transformers" to "Are convolutions and attention really necessary?", "Another way of
# thinking about GPTs" · Passerini, "Kernel Machines", "Attention is all you need"
#
# **Time** 60 minutes · **Points** 24 · ●○○ warm-up, ●●○ has a trap, ●●● needs thought.
# A **token** is one vector among many: a word, a patch, a node. Tensors are `(..., tokens, d)` unless a
# docstring says otherwise. In every `mask`, **True means: may look**. Keep dtype and device, and leave the
# arguments as they were.

# %%
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course import check, widgets

torch.set_num_threads(1)  # nets this small: a second thread would only keep the first one waiting

# %% [markdown]
# ## Who pulls, and how hard?
#
# A net for sentences must let words look at each other; a sentence of five words and one of fifty must go
# through the same weights. How can a layer with a fixed number of weights do that?
#
# One **query** $x_q$ looks at **keys** $x_k$. A **kernel** $k(x_q, x_k) \ge 0$ says how alike two of them
# are, and each key's **value** $v(x_k)$ pulls with its share (Minhas, "General Attention Building Blocks"):
# $$x_q' = \sum_k a_{qk}\, v(x_k), \qquad a_{qk} = \frac{k(x_q, x_k)}{\sum_{k'} k(x_q, x_{k'})}$$
# The star is $x_q'$: where all pulls balance. **Predict**: move the query far away from every key. Where does
# the star go under the RBF kernel, and where under the dot product? Then drag anything.

# %%
widgets.attention.pulls()

# %% [markdown]
# *What to see*: the RBF kernel asks who is *near*, and far away the nearest key takes it all. The dot
# product asks who lies in the same *direction*, and a longer query only asks more sharply. The asymmetric one
# looks elsewhere altogether: there, what a token asks for is not what it is. The star never leaves the hull
# of the values: an average can't.
#
# ## A kernel is an inner product in disguise  ·  ●○○ · 3 min · 1 point
#
# $(a \cdot b)^2$ compares two points in the plane as if both had first been moved to $\phi(u) = (u_1^2,\
# u_2^2,\ \sqrt2\, u_1 u_2)$, and then multiplied: $\phi(a) \cdot \phi(b)$ (Minhas, "Background").
#
# **Your turn**, for any $d$: write $(a \cdot b)^2 = \sum_{ij} a_i b_i\, a_j b_j$ and sort by $a$ and $b$.


# %% answer="polynomial_features"
def polynomial_features(u: Tensor) -> Tensor:
    """Features phi(u) such that phi(a) . phi(b) = (a . b)^2.

    u (..., d). Returns shape (..., features): how many, and in which order, is yours to choose.
    """
    ### BEGIN SOLUTION return the features of each vector
    return (u.unsqueeze(-1) * u.unsqueeze(-2)).flatten(-2)
    ### END SOLUTION


# %% test="polynomial_features" points=1
a, b = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 1.0])
features = check.unchanged(polynomial_features, torch.stack([a, b]))
check.true(
    isinstance(features, torch.Tensor) and features.dim() == 2 and len(features) == 2,
    "Two vectors went in as (2, 2): expected a tensor of shape (2, features)",
)
check.close(
    features[0] @ features[1],
    torch.tensor(25.0),
    "a · b is 5 here; with the slide's φ it works out",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        for d in (2, 3, 5):
            a = check.randn(4, d, dtype=dtype, device=device)
            b = check.randn(7, d, dtype=dtype, device=device)
            one, two = (check.unchanged(polynomial_features, u) for u in (a, b))
            check.true(
                one.dim() == 2 and len(one) == 4 and len(two) == 7,
                f"A batch (4, {d}) should give (4, features)",
            )
            why = f"φ(a) · φ(b) is not (a · b)² for d = {d}"
            check.close(one @ two.T, (a @ b.T) ** 2, why, 1e-4)
        u = check.randn(2, 3, 4, dtype=dtype, device=device)
        got = polynomial_features(u)
        check.shape(got, (2, 3, polynomial_features(u[0, 0]).shape[-1]))
        check.close(got[1, 2], polynomial_features(u[1, 2]), "Each vector has features of its own")
check.stays_on_device(polynomial_features, check.randn(4, 3))
### END HIDDEN TESTS


# %% mistake="polynomial_features" name="root-missing"
def polynomial_features(u):
    """Your mixed products u_i u_j count once. How often does each of them occur in the square of the sum?"""
    i, j = torch.triu_indices(u.shape[-1], u.shape[-1])
    return u[..., i] * u[..., j]


# %% mistake="polynomial_features" name="two-for-root-two"
def polynomial_features(u):
    """You gave the mixed products the factor 2. The inner product multiplies one by another: it becomes 4."""
    i, j = torch.triu_indices(u.shape[-1], u.shape[-1])
    return u[..., i] * u[..., j] * torch.where(i == j, 1.0, 2.0).to(u)


# %% mistake="polynomial_features" name="squares-only"
def polynomial_features(u):
    """You kept the squares and left out the products of different entries. Write the square of the sum out."""
    return u**2


# %% mistake="polynomial_features" name="with-one"
def polynomial_features(u):
    """Yours are the features of (a . b + 1)^2, the slide's next line. Here nothing is added."""
    pairs = (u.unsqueeze(-1) * u.unsqueeze(-2)).flatten(-2)
    return torch.cat([torch.ones_like(u[..., :1]), math.sqrt(2) * u, pairs], -1)


# %% mistake="polynomial_features" name="plane-only"
def polynomial_features(u):
    """You wrote the slide's three features: in the plane they are right. With more entries, some are left out."""
    return torch.stack([u[..., 0] ** 2, u[..., 1] ** 2, 2**0.5 * u[..., 0] * u[..., 1]], -1)


# %% mistake="polynomial_features" name="batch-flattened"
def polynomial_features(u):
    """You flattened the batch as well: one long vector came back. Each vector has features of its own."""
    return (u.unsqueeze(-1) * u.unsqueeze(-2)).flatten()


# %% mistake="polynomial_features" name="in-place"
def polynomial_features(u):
    """You squared the caller's own tensor. They still need their vectors."""
    pairs = (u.unsqueeze(-1) * u.unsqueeze(-2)).flatten(-2)
    u **= 2
    return pairs


# %% alternative="polynomial_features" name="upper-triangle"
def polynomial_features(u):
    i, j = torch.triu_indices(u.shape[-1], u.shape[-1], device=u.device)
    return u[..., i] * u[..., j] * torch.where(i == j, 1.0, math.sqrt(2)).to(u.dtype)


# %% alternative="polynomial_features" name="squares-then-pairs"
def polynomial_features(u):
    d = u.shape[-1]
    parts = [u[..., i] * u[..., i] for i in range(d)]
    parts += [2**0.5 * u[..., i] * u[..., j] for i in range(d) for j in range(i)]
    return torch.stack(parts, -1)


# %% alternative="polynomial_features" name="einsum"
def polynomial_features(u):
    outer = torch.einsum("...i,...j->...ij", u, u)
    return outer.reshape(*u.shape[:-1], -1)


# %% [markdown]
# ## Attention with nothing to learn  ·  ●○○ · 4 min · 2 points
#
# Take the RBF kernel $e^{-\theta^2 \|x_q - x_k\|^2}$ and let each value be its key (Minhas, "Non-learnable
# attention"). Dividing by the sum makes a softmax of it, and you know from 02_softmax what that saves
# you from far out:
# $$x_q' = \sum_k \mathrm{softmax}_k\!\left(-\theta^2 \|x_q - x_k\|^2\right) x_k$$


# %% answer="rbf_attention"
def rbf_attention(q: Tensor, keys: Tensor, theta: float) -> Tensor:
    """Each query's average of the keys, weighted by exp(-theta^2 ||q - k||^2).

    q (..., n, d), keys (..., m, d). Returns (..., n, d), finite however far the keys are.
    """
    ### BEGIN SOLUTION return softmax(-theta^2 ||q - k||^2) keys
    distances = (q.unsqueeze(-2) - keys.unsqueeze(-3)).pow(2).sum(-1)
    return torch.softmax(-(theta**2) * distances, -1) @ keys
    ### END SOLUTION


# %%
widgets.attention.pulls(rbf_attention)

# %% [markdown]
# *What to see*: the ring is yours, the star the truth. With a small $\theta$ every query goes to the middle
# of all keys, with a large one to its nearest. Replace each point by such an average: that is **kernel
# smoothing**, known since 1964 (Nadaraya; Watson).

# %% test="rbf_attention" points=2
check.close(
    rbf_attention(torch.tensor([[0.0]]), torch.tensor([[1.0], [2.0]]), 1.0),
    torch.tensor([[1 + 1 / (1 + math.exp(3))]]),
    "One query at 0, keys at 1 and 2: their weights go as exp(−1) to exp(−4)",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        batch, n, m, d = check.sizes(4)
        q = check.randn(batch, n, d, dtype=dtype, device=device)
        keys = check.randn(batch, m, d, dtype=dtype, device=device)
        distances = (q[..., :, None, :] - keys[..., None, :, :]).pow(2).sum(-1)
        for theta in (0.6, 1.0, 1.7):
            want = torch.softmax(-(theta**2) * distances, -1) @ keys
            why = f"Compare weight by weight at theta = {theta}"
            check.close(check.unchanged(rbf_attention, q, keys, theta), want, why)
        check.close(rbf_attention(q[0], keys[0], 1.7), want[0], "Without a batch")
        far = q + 12
        distances = (far[..., :, None, :] - keys[..., None, :, :]).pow(2).sum(-1)
        want = torch.softmax(-distances, -1) @ keys
        check.close(
            rbf_attention(far, keys, 1.0), want, "Far from all keys every kernel value is 0", 1e-3
        )
check.stays_on_device(rbf_attention, check.randn(4, 3), check.randn(5, 3), 0.7)
### END HIDDEN TESTS


# %% mistake="rbf_attention" name="theta-not-squared"
def rbf_attention(q, keys, theta):
    """You multiplied by θ. Look at its power in the kernel."""
    distances = (q.unsqueeze(-2) - keys.unsqueeze(-3)).pow(2).sum(-1)
    return torch.softmax(-theta * distances, -1) @ keys


# %% mistake="rbf_attention" name="distance-not-squared"
def rbf_attention(q, keys, theta):
    """You took the distance itself. The kernel has its square."""
    distances = (q.unsqueeze(-2) - keys.unsqueeze(-3)).pow(2).sum(-1).sqrt()
    return torch.softmax(-(theta**2) * distances, -1) @ keys


# %% mistake="rbf_attention" name="sign"
def rbf_attention(q, keys, theta):
    """Your sign is lost: the furthest key pulls hardest."""
    distances = (q.unsqueeze(-2) - keys.unsqueeze(-3)).pow(2).sum(-1)
    return torch.softmax(theta**2 * distances, -1) @ keys


# %% mistake="rbf_attention" name="softmax-over-queries"
def rbf_attention(q, keys, theta):
    """Your weights sum to 1 over the queries. Whose shares should add up: those of one query, or of one key?"""
    distances = (q.unsqueeze(-2) - keys.unsqueeze(-3)).pow(2).sum(-1)
    return torch.softmax(-(theta**2) * distances, -2) @ keys


# %% mistake="rbf_attention" name="not-normalised"
def rbf_attention(q, keys, theta):
    """You added the keys up with their kernel values. An average also divides by the sum of the weights."""
    distances = (q.unsqueeze(-2) - keys.unsqueeze(-3)).pow(2).sum(-1)
    return torch.exp(-(theta**2) * distances) @ keys


# %% mistake="rbf_attention" name="underflow"
def rbf_attention(q, keys, theta):
    """You divided exponentials. Far from all keys they are all 0, and 0/0 is nan: how did 02_softmax avoid that?"""
    distances = (q.unsqueeze(-2) - keys.unsqueeze(-3)).pow(2).sum(-1)
    kernel = torch.exp(-(theta**2) * distances)
    return kernel @ keys / kernel.sum(-1, keepdim=True)


# %% mistake="rbf_attention" name="weights-returned"
def rbf_attention(q, keys, theta):
    """You returned the weights. They still have to weigh something."""
    distances = (q.unsqueeze(-2) - keys.unsqueeze(-3)).pow(2).sum(-1)
    return torch.softmax(-(theta**2) * distances, -1)


# %% mistake="rbf_attention" name="mean-over-dimensions"
def rbf_attention(q, keys, theta):
    """You averaged the squared differences over the d coordinates. ‖q − k‖² is their sum."""
    distances = (q.unsqueeze(-2) - keys.unsqueeze(-3)).pow(2).mean(-1)
    return torch.softmax(-(theta**2) * distances, -1) @ keys


# %% alternative="rbf_attention" name="cdist"
def rbf_attention(q, keys, theta):
    return (-((theta * torch.cdist(q, keys)) ** 2)).softmax(dim=-1) @ keys


# %% alternative="rbf_attention" name="multiplied-out"
def rbf_attention(q, keys, theta):
    # ‖q‖² is the same for all keys, and a softmax sees differences only.
    scores = 2 * q @ keys.transpose(-2, -1) - keys.pow(2).sum(-1).unsqueeze(-2)
    return torch.softmax(theta**2 * scores, -1) @ keys


# %% [markdown]
# ## Any kernel, and a mask  ·  ●●○ · 5 min · 2 points
#
# Nothing above needs the RBF kernel, nor that values are keys, nor that keys come from where the query came
# from (if they don't, it is **cross-attention**: words of a translation look at the original; Passerini,
# "Attention is all you need"). A kernel need not even be symmetric: with learnable matrices, $k(x_q, x_k) =
# \exp\!\big(\tfrac{1}{\sqrt d} \langle x_q W_q,\, x_k W_k \rangle\big)$ says that *it* looks for *cat*
# without *cat* looking for *it* (Minhas, "Learnable Attention as (asymmetric, non-Mercer) kernel
# transformations").
#
# A **mask** says which keys a query may look at; both sums, above and below the fraction line, run over
# those alone. A query that may look at nothing gets zeros: so it is defined here, and in PyTorch's function.


# %% answer="kernel_attention"
def kernel_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    kernel: Callable[[Tensor, Tensor], Tensor],
    mask: Tensor | None = None,
) -> Tensor:
    """Each query's average of the values, weighted by kernel(q, k).

    q (..., n, d), k (..., m, d), v (..., m, d_v); kernel(q, k) gives (..., n, m), nothing negative.
    mask (n, m), bool, True = may look; None: all may. Returns (..., n, d_v); zeros for a query whose
    row of the mask is False throughout.
    """
    ### BEGIN SOLUTION weigh the values by the kernel where the mask lets you, and divide by the sum
    weights = kernel(q, k)
    if mask is not None:
        weights = weights * mask
    total = weights.sum(-1, keepdim=True)
    return weights @ v / torch.where(total == 0, torch.ones_like(total), total)
    ### END SOLUTION


# %%
widgets.attention.pulls(kernel_attention)

# %% [markdown]
# *What to see*: your function on every kernel. Hide keys from the query (the row of boxes, or press `m` on a
# key): the others share what is left, in the same proportions. Hide all, and the star goes to 0.


# %% test="kernel_attention" points=2
def shares(q, k):
    return torch.tensor([[1.0, 3.0, 4.0], [2.0, 2.0, 0.0]])


q, k, v = torch.zeros(2, 1), torch.zeros(3, 1), torch.tensor([[8.0], [0.0], [4.0]])
check.close(
    kernel_attention(q, k, v, shares),
    torch.tensor([[3.0], [4.0]]),
    "The kernel gives 1, 3 and 4: shares of an eighth, three eighths and a half",
)
mask = torch.tensor([[True, True, False], [False, False, False]])
check.close(
    kernel_attention(q, k, v, shares, mask),
    torch.tensor([[2.0], [0.0]]),
    "The first query sees 1 and 3, which are a quarter and three quarters; the second sees nothing",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        batch, n, m, d, d_v = check.sizes(5)
        q = check.randn(batch, n, d, dtype=dtype, device=device)
        k = check.randn(batch, m, d, dtype=dtype, device=device)
        v = check.randn(batch, m, d_v, dtype=dtype, device=device)
        w = check.randn(d, d, dtype=dtype, device=device)
        mask = check.uniform(0, 1, n, m, device=device) < 0.6
        mask[0], mask[:, 0] = True, True
        mask[-1] = False
        for kernel in (
            lambda q, k: torch.exp(0.5 * q @ w @ k.transpose(-2, -1)),
            lambda q, k: (q @ k.transpose(-2, -1)) ** 2 + 0.1,
            lambda q, k: 1e-9 * (q @ w @ k.transpose(-2, -1)).abs() + 1e-10,
        ):
            weights = kernel(q, k)
            want = weights @ v / weights.sum(-1, keepdim=True)
            check.close(
                check.unchanged(kernel_attention, q, k, v, kernel), want, "Compare without a mask"
            )
            seen = weights.masked_fill(~mask, 0.0)
            want = (seen @ v / seen.sum(-1, keepdim=True)).masked_fill(~mask.any(1)[:, None], 0.0)
            check.close(
                check.unchanged(kernel_attention, q, k, v, kernel, mask),
                want,
                "With a mask: both sums run over what may be seen",
            )
        check.close(kernel_attention(q[0], k[0], v[0], kernel, mask), want[0], "Without a batch")
q, k, v = check.randn(4, 3), check.randn(5, 3), check.randn(5, 2)
mask = check.uniform(0, 1, 4, 5) < 0.5
check.stays_on_device(kernel_attention, q, k, v, lambda q, k: torch.exp(q @ k.T), mask)
### END HIDDEN TESTS


# %% mistake="kernel_attention" name="mask-inverted"
def kernel_attention(q, k, v, kernel, mask=None):
    """You hid what may be seen. True means: may look."""
    weights = kernel(q, k)
    if mask is not None:
        weights = weights * ~mask
    total = weights.sum(-1, keepdim=True)
    return weights @ v / torch.where(total == 0, torch.ones_like(total), total)


# %% mistake="kernel_attention" name="mask-after-the-sum"
def kernel_attention(q, k, v, kernel, mask=None):
    """You divided first and hid afterwards: what is left no longer adds up to 1."""
    weights = kernel(q, k)
    weights = weights / weights.sum(-1, keepdim=True)
    if mask is not None:
        weights = weights * mask
    return weights @ v


# %% mistake="kernel_attention" name="empty-row-nan"
def kernel_attention(q, k, v, kernel, mask=None):
    """A query that may look at nothing gets 0/0 from you. What is it defined to get?"""
    weights = kernel(q, k)
    if mask is not None:
        weights = weights * mask
    return weights @ v / weights.sum(-1, keepdim=True)


# %% mistake="kernel_attention" name="empty-row-mean"
def kernel_attention(q, k, v, kernel, mask=None):
    """A query that may look at nothing gets the mean of all values from you. It saw none of them."""
    weights = kernel(q, k)
    if mask is not None:
        weights = torch.where(mask | ~mask.any(-1, keepdim=True), weights, 0.0)
    return weights @ v / weights.sum(-1, keepdim=True)


# %% mistake="kernel_attention" name="softmax-of-the-kernel"
def kernel_attention(q, k, v, kernel, mask=None):
    """You took a softmax of the kernel's values. They are weights already: who took the exponential?"""
    weights = kernel(q, k)
    if mask is not None:
        weights = weights.masked_fill(~mask, -math.inf)
    return torch.softmax(weights, -1).nan_to_num() @ v


# %% mistake="kernel_attention" name="divided-over-queries"
def kernel_attention(q, k, v, kernel, mask=None):
    """You divided by sums over the queries. The shares of one query should add up to 1."""
    weights = kernel(q, k)
    if mask is not None:
        weights = weights * mask
    total = weights.sum(-2, keepdim=True)
    return (weights / torch.where(total == 0, torch.ones_like(total), total)) @ v


# %% mistake="kernel_attention" name="small-number-added"
def kernel_attention(q, k, v, kernel, mask=None):
    """You added a small number to the sum. A kernel may be smaller: ten times every weight must change nothing."""
    weights = kernel(q, k)
    if mask is not None:
        weights = weights * mask
    return weights @ v / (weights.sum(-1, keepdim=True) + 1e-8)


# %% mistake="kernel_attention" name="not-normalised"
def kernel_attention(q, k, v, kernel, mask=None):
    """You added the values up with the kernel's numbers. An average also divides by their sum."""
    weights = kernel(q, k)
    if mask is not None:
        weights = weights * mask
    return weights @ v


# %% mistake="kernel_attention" name="arguments-swapped"
def kernel_attention(q, k, v, kernel, mask=None):
    """You asked the kernel with key and query swapped. Not every kernel is symmetric."""
    weights = kernel(k, q).transpose(-2, -1)
    if mask is not None:
        weights = weights * mask
    total = weights.sum(-1, keepdim=True)
    return weights @ v / torch.where(total == 0, torch.ones_like(total), total)


# %% alternative="kernel_attention" name="where-and-nan-to-num"
def kernel_attention(q, k, v, kernel, mask=None):
    weights = kernel(q, k)
    if mask is not None:
        weights = torch.where(mask, weights, 0.0)
    return (weights / weights.sum(dim=-1, keepdim=True)).nan_to_num(0.0) @ v


# %% alternative="kernel_attention" name="logarithms"
def kernel_attention(q, k, v, kernel, mask=None):
    scores = kernel(q, k).log()
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return torch.softmax(scores, -1).nan_to_num(0.0) @ v


# %% [markdown]
# ## Scaled dot-product attention  ·  ●●○ · 5 min · 2 points
#
# With $q = x_q W_q$, $k = x_k W_k$, $v = x_k W_v$ the asymmetric kernel becomes one line of matrices,
# $\mathrm{softmax}\!\left(QK^\top / \sqrt d\right) V$. Why the root? Which $d$? **Predict** the largest of
# sixteen weights for random vectors with 4, 64 and 1024 entries.

# %%
for d in (4, 64, 1024):
    torch.manual_seed(0)
    q, k = torch.randn(100, 1, d), torch.randn(100, 16, d)
    scores = q @ k.transpose(-2, -1)
    raw, scaled = (s.softmax(-1).amax(-1).mean().item() for s in (scores, scores / math.sqrt(d)))
    print(
        f"d = {d:4}: variance of q·k {scores.var().item():6.1f}; "
        f"largest weight {raw:.2f}, with the root {scaled:.2f}"
    )

# %% [markdown]
# *What to see*: $q \cdot k$ is a sum of $d$ products, of variance $d$. Unscaled, one key soon takes all,
# and the softmax is saturated: no gradient. So the $d$ under the root is the length of what is
# *multiplied*, queries and keys; on the slide it is the length of a token as well.
#
# **Your turn**, by hand; `torch.softmax` is allowed. When must a hidden key's score go?


# %% answer="scaled_dot_product_attention"
def scaled_dot_product_attention(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None
) -> Tensor:
    """softmax(q k^T / sqrt(d)) v.

    q (..., n, d), k (..., m, d), v (..., m, d_v), mask (n, m) bool, True = may look, or None.
    Returns (..., n, d_v); zeros for a query that may look at nothing.
    """
    ### BEGIN SOLUTION scores, mask, softmax, values; mind rows with nothing to look at
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is None:
        return torch.softmax(scores, -1) @ v
    weights = torch.softmax(scores.masked_fill(~mask, -math.inf), -1)
    return weights.masked_fill(~mask.any(-1, keepdim=True), 0.0) @ v
    ### END SOLUTION


# %%
widgets.attention.sentence(scaled_dot_product_attention)

# %% [markdown]
# *What to see*: a row says where one word looks; its numbers sum to 1. These heads were made by hand so that
# you can read them: one looks for its own kind, one to the word before. Under *may not look ahead* half of
# the matrix is gone, and what is left of a row is larger than before.

# %% test="scaled_dot_product_attention" points=2
BANNED = ("scaled_dot_product_attention", "MultiheadAttention", "multi_head_attention_forward")
check.by_hand(scaled_dot_product_attention, *BANNED)
q = torch.tensor([[2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
k = torch.tensor([[math.log(3.0), 0.0, 0.0, 0.0], [0.0, 5.0, 0.0, 0.0]])
v = torch.tensor([[4.0, 0.0], [0.0, 8.0]])
check.close(
    scaled_dot_product_attention(q, k, v),
    torch.tensor([[3.0, 2.0], [2.0, 4.0]]),
    "With d = 4 the first query's scores are log 3 and 0: three quarters to one quarter",
)
check.close(
    scaled_dot_product_attention(q, k, v, torch.tensor([[False, True], [False, False]])),
    torch.tensor([[0.0, 8.0], [0.0, 0.0]]),
    "True means: may look. The first query sees the second key alone; the second query sees nothing",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        batch, n, m, d, d_v = check.sizes(5)
        q = 2 * check.randn(batch, 3, n, d, dtype=dtype, device=device)
        k = 2 * check.randn(batch, 3, m, d, dtype=dtype, device=device)
        v = check.randn(batch, 3, m, d_v, dtype=dtype, device=device)
        mask = check.uniform(0, 1, n, m, device=device) < 0.6
        mask[0], mask[:, 0] = True, True
        for allowed in (None, mask):
            want = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
            got = check.unchanged(scaled_dot_product_attention, q, k, v, allowed)
            check.close(got, want, "Compare scores, mask, softmax, values, in this order")
            got = scaled_dot_product_attention(q[0, 0], k[0, 0], v[0, 0], allowed)
            check.close(got, want[0, 0], "Without a batch")
        mask[-1] = False
        want = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        got = scaled_dot_product_attention(q, k, v, mask)
        check.close(got, want, "One query may look at nothing")
        got = scaled_dot_product_attention(60 * q, k, v, mask)
        want = F.scaled_dot_product_attention(60 * q, k, v, attn_mask=mask)
        check.close(got, want, "With scores in the thousands", 1e-3)
mask = torch.tensor([[True, False, True], [True, True, True]])
q, k, v = check.randn(2, 5), check.randn(3, 5), check.randn(3, 4)
check.stays_on_device(scaled_dot_product_attention, q, k, v, mask)
### END HIDDEN TESTS


# %% mistake="scaled_dot_product_attention" name="no-root"
def scaled_dot_product_attention(q, k, v, mask=None):
    """You left out 1/√d. With long vectors one key then takes everything."""
    scores = q @ k.transpose(-2, -1)
    if mask is None:
        return torch.softmax(scores, -1) @ v
    weights = torch.softmax(scores.masked_fill(~mask, -math.inf), -1)
    return weights.masked_fill(~mask.any(-1, keepdim=True), 0.0) @ v


# %% mistake="scaled_dot_product_attention" name="divided-by-d"
def scaled_dot_product_attention(q, k, v, mask=None):
    """You divided by d. The variance of q·k is d: what is its standard deviation?"""
    scores = q @ k.transpose(-2, -1) / q.shape[-1]
    if mask is None:
        return torch.softmax(scores, -1) @ v
    weights = torch.softmax(scores.masked_fill(~mask, -math.inf), -1)
    return weights.masked_fill(~mask.any(-1, keepdim=True), 0.0) @ v


# %% mistake="scaled_dot_product_attention" name="length-of-the-values"
def scaled_dot_product_attention(q, k, v, mask=None):
    """You took the root of the values' length. What is multiplied with what in a score?"""
    scores = q @ k.transpose(-2, -1) / math.sqrt(v.shape[-1])
    if mask is None:
        return torch.softmax(scores, -1) @ v
    weights = torch.softmax(scores.masked_fill(~mask, -math.inf), -1)
    return weights.masked_fill(~mask.any(-1, keepdim=True), 0.0) @ v


# %% mistake="scaled_dot_product_attention" name="mask-after-softmax"
def scaled_dot_product_attention(q, k, v, mask=None):
    """You masked after the softmax: hidden keys have taken their share already, and the rest sums to less than 1."""
    weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), -1)
    if mask is not None:
        weights = weights * mask
    return weights @ v


# %% mistake="scaled_dot_product_attention" name="mask-by-zero"
def scaled_dot_product_attention(q, k, v, mask=None):
    """You set hidden scores to 0. A score of 0 still has e to the 0 as its weight."""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores * mask
    return torch.softmax(scores, -1) @ v


# %% mistake="scaled_dot_product_attention" name="mask-inverted"
def scaled_dot_product_attention(q, k, v, mask=None):
    """You hid what may be seen. True means: may look."""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is None:
        return torch.softmax(scores, -1) @ v
    weights = torch.softmax(scores.masked_fill(mask, -math.inf), -1)
    return weights.nan_to_num(0.0) @ v


# %% mistake="scaled_dot_product_attention" name="softmax-over-queries"
def scaled_dot_product_attention(q, k, v, mask=None):
    """Your softmax runs over the queries. Whose weights should sum to 1?"""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return torch.softmax(scores, -2).nan_to_num(0.0) @ v


# %% mistake="scaled_dot_product_attention" name="queries-with-queries"
def scaled_dot_product_attention(q, k, v, mask=None):
    """You compared the queries with each other. What should they be compared with?"""
    scores = q @ q.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return torch.softmax(scores, -1).nan_to_num(0.0) @ v


# %% mistake="scaled_dot_product_attention" name="empty-row-nan"
def scaled_dot_product_attention(q, k, v, mask=None):
    """A row with every score at minus infinity has a softmax of 0/0. What is such a query defined to get?"""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return torch.softmax(scores, -1) @ v


# %% mistake="scaled_dot_product_attention" name="empty-row-mean"
def scaled_dot_product_attention(q, k, v, mask=None):
    """You hid keys with a very negative number. Where all are hidden they are all alike: such a query gets the mean."""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(q.dtype).min)
    return torch.softmax(scores, -1) @ v


# %% mistake="scaled_dot_product_attention" name="mask-added"
def scaled_dot_product_attention(q, k, v, mask=None):
    """You added the mask as 0 and 1. Nothing is hidden by that."""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = scores + mask
    return torch.softmax(scores, -1) @ v


# %% mistake="scaled_dot_product_attention" name="infinity-on-the-cpu"
def scaled_dot_product_attention(q, k, v, mask=None):
    """You made a tensor of infinities on the CPU. Think about where the scores are."""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is None:
        return torch.softmax(scores, -1) @ v
    hidden = torch.full(scores.shape, -math.inf, dtype=scores.dtype)
    return torch.softmax(torch.where(mask, scores, hidden), -1).nan_to_num(0.0) @ v


# %% mistake="scaled_dot_product_attention" name="library-call"
def scaled_dot_product_attention(q, k, v, mask=None):
    """You called the library's attention. Two products, a mask and a softmax are enough."""
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


# %% alternative="scaled_dot_product_attention" name="nan-to-num"
def scaled_dot_product_attention(q, k, v, mask=None):
    scores = torch.einsum("...nd,...md->...nm", q, k) * q.size(-1) ** -0.5
    if mask is not None:
        scores = torch.where(mask, scores, -torch.inf)
    return scores.softmax(dim=-1).nan_to_num(0.0) @ v


# %% alternative="scaled_dot_product_attention" name="shift-exp-divide"
def scaled_dot_product_attention(q, k, v, mask=None):
    scores = (q / math.sqrt(k.shape[-1])) @ k.mT
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(q.dtype).min)
    weights = torch.exp(scores - scores.amax(-1, keepdim=True))
    if mask is not None:
        weights = weights * mask
    total = weights.sum(-1, keepdim=True)
    return weights @ v / torch.where(total > 0, total, 1.0)


# %% [markdown]
# ## No looking ahead, and how to prove it  ·  ●●○ · 5 min · 2 points
#
# A GPT completes text: trained to foretell the next token, it must not see it (Minhas, "How is an attention
# layer used in Chat-GPT?"). The slide hides it one example at a time. With a **causal** mask, token $i$ looks
# at itself and at what came before, and *one* pass trains a prediction at every token.
#
# **Your turn.** Write the mask; then a test that catches a leak in *any* model, from outside: if no output
# depends on a later token, what may change when later tokens do?


# %% answer="causal_mask"
def causal_mask(n: int) -> Tensor:
    """Mask (n, n), bool: True where token i (row) may look at token j (column), which is j <= i."""
    ### BEGIN SOLUTION return the causal mask
    return torch.ones(n, n, dtype=torch.bool).tril()
    ### END SOLUTION


def leaks(model: Callable[[Tensor], Tensor], n: int = 6, d: int = 4) -> bool:
    """Whether an output of `model` depends, however little, on a later token.

    model: takes tokens (n, d), float32, and returns one row for each: (n, ...), always the same
    for the same tokens. Try it on tokens that you draw at random.
    """
    ### BEGIN SOLUTION change later tokens, and see whether an earlier output changes
    x = torch.randn(n, d)
    y = model(x)
    for t in range(1, n):
        other = x.clone()
        other[t:] = torch.randn(n - t, d)
        if not torch.allclose(model(other)[:t], y[:t]):
            return True
    return False
    ### END SOLUTION


# %%
widgets.attention.sentence(scaled_dot_product_attention, causal_mask)

# %% test="causal_mask" points=2
check.equal(
    causal_mask(3),
    torch.tensor([[True, False, False], [True, True, False], [True, True, True]]),
    "Row i says where token i may look: at itself, and before",
)
check.equal(leaks(lambda x: x.cumsum(0)), False, "A running sum knows nothing of what comes")
check.equal(leaks(lambda x: x.flip(0)), True, "Reversed, the first output is the last token")
### BEGIN HIDDEN TESTS
for n in (1, 2, 5, 8):
    check.equal(causal_mask(n), torch.ones(n, n).tril() > 0, "Compare row by row")


def shifted(by, part=1.0):
    def model(x):
        y = x.clone()
        y[: max(0, len(x) - by)] += part * x[by:]
        return y

    return model


def into_one(row, column, own=3):
    def model(x):
        y = own * x
        if len(x) > 2:
            y[row, 0] += x[column, -1]
        return y

    return model


for name, model in {
    "each token by itself": lambda x: torch.tanh(2 * x).sum(1),
    "the sum of what came before": lambda x: x.cumsum(0) - x,
    "the token before": lambda x: torch.cat([torch.zeros_like(x[:1]), x[:-1]]),
    "a weighted past": lambda x: torch.ones(len(x), len(x)).tril() @ x,
    "always the same": lambda x: torch.ones(len(x), 2),
}.items():
    check.equal(leaks(model), False, f"No leak here: {name}. An output may depend on its own token")
    check.equal(leaks(model, 5, 3), False, f"No leak here: {name}")
for name, model in {
    "the next token": shifted(1),
    "the token three further on": shifted(3),
    "a thousandth of the next token": shifted(1, 1e-3),
    "the mean of all": lambda x: x - x.mean(0),
    "the last token, seen by the first alone": into_one(0, -1),
    "the last token, seen by the last but one alone": into_one(-2, -1),
    "the second token, seen by the first alone": into_one(0, 1),
    "the third token, seen by the first, and nothing else": into_one(0, 2, own=0),
    "attention without a mask": lambda x: torch.softmax(x @ x.T, -1) @ x,
    "a mask that is shifted by one": lambda x: torch.ones(len(x), len(x)).tril(1) @ x,
}.items():
    check.equal(leaks(model), True, f"A leak that you miss: {name}")
    check.equal(leaks(model, 5, 3), True, f"A leak that you miss: {name}")
### END HIDDEN TESTS


# %% mistake="causal_mask" name="ahead"
def causal_mask(n):
    """Your mask lets each token look ahead and hides the past. Which index is the one who looks?"""
    return torch.ones(n, n, dtype=torch.bool).triu()


# %% mistake="causal_mask" name="not-itself"
def causal_mask(n):
    """Your tokens may not look at themselves; the first sees nothing at all."""
    return torch.ones(n, n, dtype=torch.bool).tril(-1)


# %% mistake="causal_mask" name="future-by-one"
def causal_mask(n):
    """Your mask leaks the future by one: each token sees the very one that it should foretell."""
    return torch.ones(n, n, dtype=torch.bool).tril(1)


# %% mistake="causal_mask" name="true-for-hidden"
def causal_mask(n):
    """Yours says True for what is hidden, as nn.MultiheadAttention has it. Here True means: may look."""
    return torch.ones(n, n, dtype=torch.bool).triu(1)


# %% mistake="causal_mask" name="zeros-and-infinities"
def causal_mask(n):
    """Yours is the kind of mask that is added to the scores. A bool one is asked for."""
    return torch.full((n, n), -math.inf).triu(1)


# %% mistake="causal_mask" name="leak-of-the-last-only"
def leaks(model, n=6, d=4):
    """You changed the last token only. A leak of another one goes unseen."""
    x = torch.randn(n, d)
    other = x.clone()
    other[-1] = torch.randn(d)
    return not torch.allclose(model(other)[:-1], model(x)[:-1])


# %% mistake="causal_mask" name="first-output-only"
def leaks(model, n=6, d=4):
    """You watched the first output only. What may leak into the others?"""
    x = torch.randn(n, d)
    other = x.clone()
    other[1:] = torch.randn(n - 1, d)
    return not torch.allclose(model(other)[0], model(x)[0])


# %% mistake="causal_mask" name="next-token-only"
def leaks(model, n=6, d=4):
    """You changed one token and watched the one before it. A leak may come from further on."""
    x = torch.randn(n, d)
    for t in range(1, n):
        other = x.clone()
        other[t] = torch.randn(d)
        if not torch.allclose(model(other)[t - 1], model(x)[t - 1]):
            return True
    return False


# %% mistake="causal_mask" name="own-token-counted"
def leaks(model, n=6, d=4):
    """You call it a leak when an output depends on its own token. That one it may see."""
    x = torch.randn(n, d)
    for t in range(n):
        other = x.clone()
        other[t:] = torch.randn(n - t, d)
        if not torch.allclose(model(other)[: t + 1], model(x)[: t + 1]):
            return True
    return False


# %% mistake="causal_mask" name="any-change"
def leaks(model, n=6, d=4):
    """You compared all outputs. When a token changes, its own output may change, and later ones too."""
    x = torch.randn(n, d)
    other = x.clone()
    other[-1] = torch.randn(d)
    return not torch.allclose(model(other), model(x))


# %% mistake="causal_mask" name="rough-comparison"
def leaks(model, n=6, d=4):
    """Your comparison lets small changes pass. A small leak is one too: a net can make it large."""
    x = torch.randn(n, d)
    for t in range(1, n):
        other = x.clone()
        other[t:] = torch.randn(n - t, d)
        if (model(other)[:t] - model(x)[:t]).abs().max() > 0.1:
            return True
    return False


# %% mistake="causal_mask" name="opposite"
def leaks(model, n=6, d=4):
    """You answer True where nothing leaks."""
    x = torch.randn(n, d)
    for t in range(1, n):
        other = x.clone()
        other[t:] = torch.randn(n - t, d)
        if not torch.allclose(model(other)[:t], model(x)[:t]):
            return False
    return True


# %% alternative="causal_mask" name="compare-indices"
def causal_mask(n):
    i = torch.arange(n)
    return i[:, None] >= i[None, :]


def leaks(model, n=6, d=4):
    x = torch.randn(n, d)
    for t in range(n):
        other = x.clone()
        other[t] += 1 + torch.rand(d)
        if (model(other)[:t] != model(x)[:t]).any():
            return True
    return False


# %% alternative="causal_mask" name="shorter-inputs"
def leaks(model, n=6, d=4):
    x = torch.randn(n, d)
    y = model(x)
    return any(not torch.allclose(model(x[:t]), y[:t], atol=1e-6) for t in range(1, n))


# %% alternative="causal_mask" name="jacobian"
def causal_mask(n):
    return ~torch.triu(torch.ones(n, n), diagonal=1).bool()


def leaks(model, n=6, d=4):
    x = torch.randn(n, d)
    for t in range(n - 1):
        leaf = x.clone().requires_grad_()
        out = model(leaf)[t].sum()
        if out.requires_grad:
            (grad,) = torch.autograd.grad(out, leaf, allow_unused=True)
            if grad is not None and bool((grad[t + 1 :] != 0).any()):
                return True
    return False


# %% [markdown]
# ## Many heads  ·  ●●● · 8 min · 3 points
#
# One kernel asks one question. **Multi-head attention** asks several at once, each in a space of its own
# of $d / \text{heads}$ numbers, puts the answers side by side, and mixes them by $W_o$ (Minhas, "Multi-headed
# Attention"). $W_q$ makes the queries of *all* heads in one product: entries 0 to $d/h - 1$ belong to the
# first head, and so on.
#
# **Your turn**: `split`, `merge` and `forward`. Use your own attention or
# `F.scaled_dot_product_attention(q, k, v, attn_mask=mask)`, where True means *may look* too. `run_heads` is
# given, for the test. **Predict** why `x.reshape(heads, tokens, d // heads)` is wrong, though its shape is
# right.


# %% answer="MultiHeadAttention"
class MultiHeadAttention(torch.nn.Module):
    """Attention by several heads of d / heads numbers each."""

    def __init__(self, d: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.w_q, self.w_k, self.w_v, self.w_o = (torch.nn.Linear(d, d) for _ in range(4))

    def split(self, x: Tensor) -> Tensor:
        """(..., tokens, d) to (..., heads, tokens, d / heads): each head has a part of each token."""
        ### BEGIN SOLUTION cut each token into heads, then put the heads before the tokens
        return x.unflatten(-1, (self.heads, -1)).transpose(-3, -2)
        ### END SOLUTION

    def merge(self, x: Tensor) -> Tensor:
        """(..., heads, tokens, d / heads) to (..., tokens, d): undoes `split`."""
        ### BEGIN SOLUTION put each token together again
        return x.transpose(-3, -2).flatten(-2)
        ### END SOLUTION

    def forward(
        self, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """x (..., n, d) asks; context (..., m, d) is asked, or x itself where it is None.

        mask (n, m) bool, True = may look. Returns (..., n, d).
        """
        ### BEGIN SOLUTION project, split, attend, merge, mix
        context = x if context is None else context
        q, k, v = self.w_q(x), self.w_k(context), self.w_v(context)
        q, k, v = self.split(q), self.split(k), self.split(v)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.w_o(self.merge(out))
        ### END SOLUTION


def run_heads(
    weights: dict[str, Tensor],
    heads: int,
    x: Tensor,
    context: Tensor | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    """Given: what your module makes of x with these weights ("w_q.weight", "w_q.bias", ...)."""
    module = MultiHeadAttention(x.shape[-1], heads)
    return torch.func.functional_call(module, weights, (x, context, mask))


# %% test="MultiHeadAttention" points=3
BANNED = ("MultiheadAttention", "multi_head_attention_forward", "TransformerEncoderLayer")
check.by_hand(MultiHeadAttention, *BANNED)
weights = {f"w_{name}.bias": torch.zeros(4) for name in "qkvo"}
weights |= {f"w_{name}.weight": torch.eye(4) for name in "qkvo"}
weights["w_q.weight"] = torch.diag(torch.tensor([0.0, 0.0, 100.0, 100.0]))
x = torch.tensor([[1.0, 2.0, 1.0, 0.0], [3.0, 4.0, 0.0, 1.0]])
check.close(
    run_heads(weights, 2, x),
    torch.tensor([[2.0, 3.0, 1.0, 0.0], [2.0, 3.0, 0.0, 1.0]]),
    "Here the first head asks nothing and averages the tokens; the second finds each token itself",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        for heads, size in ((3, 4), (2, 3), (1, 5)):
            d = heads * size
            batch, n, m = check.sizes(3)
            torch_weights = {
                "in_proj_weight": 0.6 * check.randn(3 * d, d, dtype=dtype, device=device),
                "in_proj_bias": check.randn(3 * d, dtype=dtype, device=device),
                "out_proj.weight": check.randn(d, d, dtype=dtype, device=device),
                "out_proj.bias": check.randn(d, dtype=dtype, device=device),
            }
            weights = {
                f"w_o.{kind}": torch_weights[f"out_proj.{kind}"] for kind in ("weight", "bias")
            }
            for kind in ("weight", "bias"):
                parts = torch_weights[f"in_proj_{kind}"].chunk(3)
                weights |= {f"w_{name}.{kind}": w for name, w in zip("qkv", parts, strict=True)}
            oracle = torch.nn.MultiheadAttention(d, heads, batch_first=True)

            def expected(x, context, mask):
                hidden = None if mask is None else ~mask
                told = torch.func.functional_call(
                    oracle, torch_weights, (x, context, context),
                    {"attn_mask": hidden, "need_weights": False},
                )  # fmt: skip
                return told[0].detach()

            x = check.randn(batch, n, d, dtype=dtype, device=device)
            context = check.randn(batch, m, d, dtype=dtype, device=device)
            mask = check.uniform(0, 1, n, m, device=device) < 0.6
            mask[:, 0] = True
            why = (
                f"Differs from nn.MultiheadAttention with the same weights, {heads} heads of {size}"
            )
            check.close(
                check.unchanged(run_heads, weights, heads, x), expected(x, x, None), why, 1e-4
            )
            got = check.unchanged(run_heads, weights, heads, x, context)
            check.close(got, expected(x, context, None), "Cross-attention: who asks whom?", 1e-4)
            got = run_heads(weights, heads, x, context, mask)
            check.close(got, expected(x, context, mask), "With a mask: True = may look", 1e-4)
            got = run_heads(weights, heads, x[0], context[0], mask)
            check.close(got, expected(x, context, mask)[0], "Without a batch", 1e-4)
            got = run_heads(weights, heads, x[None], context[None], mask)
            check.close(got, expected(x, context, mask)[None], "With two leading dimensions", 1e-4)
check.stays_on_device(run_heads, weights, heads, x, context, mask)
### END HIDDEN TESTS


# %% mistake="MultiHeadAttention" name="view-without-transpose"
class MultiHeadAttention(torch.nn.Module):
    """You cut the numbers in the order in which they lie in memory: a head gets some whole tokens, not a part of each. Which dimension must move?"""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.w_q, self.w_k, self.w_v, self.w_o = (torch.nn.Linear(d, d) for _ in range(4))

    def split(self, x):
        return x.reshape(*x.shape[:-2], self.heads, x.shape[-2], x.shape[-1] // self.heads)

    def merge(self, x):
        return x.reshape(*x.shape[:-3], x.shape[-2], self.heads * x.shape[-1])

    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        q, k, v = (
            self.split(self.w_q(x)),
            self.split(self.w_k(context)),
            self.split(self.w_v(context)),
        )
        return self.w_o(self.merge(F.scaled_dot_product_attention(q, k, v, attn_mask=mask)))


# %% mistake="MultiHeadAttention" name="merged-without-transpose"
class MultiHeadAttention(torch.nn.Module):
    """You split rightly and merged without moving the heads back behind the tokens: parts of different tokens end up in one."""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.w_q, self.w_k, self.w_v, self.w_o = (torch.nn.Linear(d, d) for _ in range(4))

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(-3, -2)

    def merge(self, x):
        return x.reshape(*x.shape[:-3], x.shape[-2], self.heads * x.shape[-1])

    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        q, k, v = (
            self.split(self.w_q(x)),
            self.split(self.w_k(context)),
            self.split(self.w_v(context)),
        )
        return self.w_o(self.merge(F.scaled_dot_product_attention(q, k, v, attn_mask=mask)))


# %% mistake="MultiHeadAttention" name="interleaved-heads"
class MultiHeadAttention(torch.nn.Module):
    """You dealt the entries out like cards: head 0 got every second one. Which entries belong to the first head?"""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.w_q, self.w_k, self.w_v, self.w_o = (torch.nn.Linear(d, d) for _ in range(4))

    def split(self, x):
        return x.unflatten(-1, (-1, self.heads)).transpose(-1, -2).transpose(-3, -2)

    def merge(self, x):
        return x.transpose(-3, -2).transpose(-1, -2).flatten(-2)

    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        q, k, v = (
            self.split(self.w_q(x)),
            self.split(self.w_k(context)),
            self.split(self.w_v(context)),
        )
        return self.w_o(self.merge(F.scaled_dot_product_attention(q, k, v, attn_mask=mask)))


# %% mistake="MultiHeadAttention" name="one-head"
class MultiHeadAttention(torch.nn.Module):
    """You never split: one head sees all entries. The shapes don't tell, but the weights do."""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.w_q, self.w_k, self.w_v, self.w_o = (torch.nn.Linear(d, d) for _ in range(4))

    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        q, k, v = self.w_q(x), self.w_k(context), self.w_v(context)
        return self.w_o(F.scaled_dot_product_attention(q, k, v, attn_mask=mask))


# %% mistake="MultiHeadAttention" name="root-of-all-entries"
class MultiHeadAttention(torch.nn.Module):
    """You divided by the root of the token's length. How many numbers are multiplied within one head?"""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.w_q, self.w_k, self.w_v, self.w_o = (torch.nn.Linear(d, d) for _ in range(4))

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(-3, -2)

    def merge(self, x):
        return x.transpose(-3, -2).flatten(-2)

    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        q, k, v = (
            self.split(self.w_q(x)),
            self.split(self.w_k(context)),
            self.split(self.w_v(context)),
        )
        scale = 1 / math.sqrt(x.shape[-1])
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)
        return self.w_o(self.merge(out))


# %% mistake="MultiHeadAttention" name="not-mixed"
class MultiHeadAttention(torch.nn.Module):
    """Your heads stay apart: W_o, which mixes their answers, is missing."""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.w_q, self.w_k, self.w_v, self.w_o = (torch.nn.Linear(d, d) for _ in range(4))

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(-3, -2)

    def merge(self, x):
        return x.transpose(-3, -2).flatten(-2)

    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        q, k, v = (
            self.split(self.w_q(x)),
            self.split(self.w_k(context)),
            self.split(self.w_v(context)),
        )
        return self.merge(F.scaled_dot_product_attention(q, k, v, attn_mask=mask))


# %% mistake="MultiHeadAttention" name="context-ignored"
class MultiHeadAttention(torch.nn.Module):
    """You never looked at the context: in cross-attention the keys and values come from there."""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.w_q, self.w_k, self.w_v, self.w_o = (torch.nn.Linear(d, d) for _ in range(4))

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(-3, -2)

    def merge(self, x):
        return x.transpose(-3, -2).flatten(-2)

    def forward(self, x, context=None, mask=None):
        q, k, v = self.split(self.w_q(x)), self.split(self.w_k(x)), self.split(self.w_v(x))
        return self.w_o(self.merge(F.scaled_dot_product_attention(q, k, v, attn_mask=mask)))


# %% mistake="MultiHeadAttention" name="context-asks"
class MultiHeadAttention(torch.nn.Module):
    """You let the context ask and x answer. One row comes back for each token that asks: whose should it be?"""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.w_q, self.w_k, self.w_v, self.w_o = (torch.nn.Linear(d, d) for _ in range(4))

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(-3, -2)

    def merge(self, x):
        return x.transpose(-3, -2).flatten(-2)

    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        q, k, v = self.split(self.w_q(context)), self.split(self.w_k(x)), self.split(self.w_v(x))
        return self.w_o(self.merge(F.scaled_dot_product_attention(q, k, v, attn_mask=mask)))


# %% mistake="MultiHeadAttention" name="mask-inverted"
class MultiHeadAttention(torch.nn.Module):
    """You turned the mask round. nn.MultiheadAttention says True for what is hidden; here, and in F.scaled_dot_product_attention, True means: may look."""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.w_q, self.w_k, self.w_v, self.w_o = (torch.nn.Linear(d, d) for _ in range(4))

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(-3, -2)

    def merge(self, x):
        return x.transpose(-3, -2).flatten(-2)

    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        q, k, v = (
            self.split(self.w_q(x)),
            self.split(self.w_k(context)),
            self.split(self.w_v(context)),
        )
        hidden = None if mask is None else ~mask
        return self.w_o(self.merge(F.scaled_dot_product_attention(q, k, v, attn_mask=hidden)))


# %% mistake="MultiHeadAttention" name="keys-for-values"
class MultiHeadAttention(torch.nn.Module):
    """You averaged the keys: W_v is not used. What does a token hand over once it has been found?"""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.w_q, self.w_k, self.w_v, self.w_o = (torch.nn.Linear(d, d) for _ in range(4))

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(-3, -2)

    def merge(self, x):
        return x.transpose(-3, -2).flatten(-2)

    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        q, k = self.split(self.w_q(x)), self.split(self.w_k(context))
        return self.w_o(self.merge(F.scaled_dot_product_attention(q, k, k, attn_mask=mask)))


# %% mistake="MultiHeadAttention" name="library-call"
class MultiHeadAttention(torch.nn.Module):
    """You called the library's module. Four products, a split and a merge are enough."""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.w_q, self.w_k, self.w_v, self.w_o = (torch.nn.Linear(d, d) for _ in range(4))

    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        d, parts = x.shape[-1], (self.w_q, self.w_k, self.w_v)
        w = torch.cat([part.weight for part in parts])
        b = torch.cat([part.bias for part in parts])
        rows = [t.flatten(0, -3) if t.dim() > 2 else t[None] for t in (x, context)]
        out, _ = F.multi_head_attention_forward(
            rows[0].transpose(0, 1), rows[1].transpose(0, 1), rows[1].transpose(0, 1), d, self.heads, w, b,
            None, None, False, 0.0, self.w_o.weight, self.w_o.bias,
            attn_mask=None if mask is None else ~mask, need_weights=False,
        )  # fmt: skip
        return out.transpose(0, 1).reshape(x.shape)


# %% alternative="MultiHeadAttention" name="head-by-head"
class MultiHeadAttention(torch.nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.w_q, self.w_k, self.w_v, self.w_o = (torch.nn.Linear(d, d) for _ in range(4))

    def split(self, x):
        return torch.stack(x.chunk(self.heads, dim=-1), dim=-3)

    def merge(self, x):
        return torch.cat(x.unbind(-3), dim=-1)

    def forward(self, x, context=None, mask=None):
        asked = context if context is not None else x
        outs = []
        for q, k, v in zip(
            self.w_q(x).chunk(self.heads, -1),
            self.w_k(asked).chunk(self.heads, -1),
            self.w_v(asked).chunk(self.heads, -1),
            strict=True,
        ):
            outs.append(scaled_dot_product_attention(q, k, v, mask))
        return self.w_o(torch.cat(outs, -1))


# %% alternative="MultiHeadAttention" name="view-and-einsum"
class MultiHeadAttention(torch.nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.w_q, self.w_k, self.w_v, self.w_o = (torch.nn.Linear(d, d) for _ in range(4))

    def split(self, x):
        return x.view(*x.shape[:-1], self.heads, x.shape[-1] // self.heads).transpose(-2, -3)

    def merge(self, x):
        x = x.transpose(-2, -3)
        return x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1])

    def forward(self, x, context=None, mask=None):
        if context is None:
            context = x
        q, k, v = (
            self.split(layer(t))
            for layer, t in ((self.w_q, x), (self.w_k, context), (self.w_v, context))
        )
        scores = torch.einsum("...nd,...md->...nm", q, k) / q.shape[-1] ** 0.5
        if mask is not None:
            scores = scores.masked_fill(mask.logical_not(), float("-inf"))
        return self.w_o(self.merge(scores.softmax(-1) @ v))


# %% [markdown]
# ## Where is it?  ·  ●●○ · 4 min · 2 points
#
# Shuffle the tokens, and attention shuffles its outputs in the same way: to it, tokens are a *set*. *Dog
# bites man* and *man bites dog* are one. So the place is added to each token's vector, as a vector too
# (Minhas, "Key Components", names "various types"; this one is Vaswani et al.'s, 2017). At place $t$, for
# $i = 0, \dots, \tfrac d2 - 1$:
# $$p_{t,\,2i} = \sin\!\left(t / 10000^{2i/d}\right), \qquad p_{t,\,2i+1} = \cos\!\left(t / 10000^{2i/d}\right)$$
# **Predict**: each pair is the hand of a clock. Which pair turns fastest? What does $p_s \cdot p_t$ depend on?


# %% answer="positional_encoding"
def positional_encoding(n: int, d: int) -> Tensor:
    """Vectors of the places 0 ... n - 1: (n, d), float32; d is even."""
    ### BEGIN SOLUTION return sines in the even columns, cosines in the odd ones
    pace = 10000.0 ** (-torch.arange(0, d, 2) / d)
    angles = torch.arange(n).unsqueeze(1) * pace
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)
    ### END SOLUTION


# %%
widgets.attention.positions(positional_encoding)

# %% [markdown]
# *What to see*: the left columns turn fast, the right ones hardly. On the right, the inner product of one
# place with all others: the same hill wherever you stand, so a kernel can ask for "two words back" at any
# place.

# %% test="positional_encoding" points=2
check.close(
    positional_encoding(2, 4),
    torch.tensor([[0.0, 1.0, 0.0, 1.0], [0.841471, 0.540302, 0.0099998, 0.99995]]),
    "Place 0 is sin 0, cos 0, sin 0, cos 0. At place 1 the angles are 1 and 1/100",
)
### BEGIN HIDDEN TESTS
for n, d in ((7, 6), (40, 10), (1, 2), (12, 16)):
    got = positional_encoding(n, d)
    check.shape(got, (n, d))
    check.dtype(got, torch.float32)
    t, i = torch.arange(n).double()[:, None], torch.arange(d // 2).double()
    angles = t / 10000 ** (2 * i / d)
    check.close(got[:, 0::2], angles.sin().float(), "The columns 0, 2, 4, ... are sines", 1e-4)
    check.close(got[:, 1::2], angles.cos().float(), "The columns 1, 3, 5, ... are cosines", 1e-4)
### END HIDDEN TESTS


# %% mistake="positional_encoding" name="halves"
def positional_encoding(n, d):
    """You put all sines first and all cosines after them. The formula has them in turn."""
    pace = 10000.0 ** (-torch.arange(0, d, 2) / d)
    angles = torch.arange(n).unsqueeze(1) * pace
    return torch.cat([angles.sin(), angles.cos()], -1)


# %% mistake="positional_encoding" name="stacked-by-rows"
def positional_encoding(n, d):
    """You stacked sines and cosines along the first dimension and reshaped: now they take turns in places, not in columns."""
    pace = 10000.0 ** (-torch.arange(0, d, 2) / d)
    angles = torch.arange(n).unsqueeze(1) * pace
    return torch.stack([angles.sin(), angles.cos()]).reshape(n, d)


# %% mistake="positional_encoding" name="cosines-first"
def positional_encoding(n, d):
    """You began with the cosine. Which columns are even?"""
    pace = 10000.0 ** (-torch.arange(0, d, 2) / d)
    angles = torch.arange(n).unsqueeze(1) * pace
    return torch.stack([angles.cos(), angles.sin()], -1).flatten(1)


# %% mistake="positional_encoding" name="exponent-halved"
def positional_encoding(n, d):
    """Your exponent runs to a half only. Put the second pair, i = 1, into the formula."""
    pace = 10000.0 ** (-torch.arange(d // 2) / d)
    angles = torch.arange(n).unsqueeze(1) * pace
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)


# %% mistake="positional_encoding" name="a-pace-for-each-column"
def positional_encoding(n, d):
    """You gave sine and cosine of a pair different paces. A hand of a clock needs both at the same angle."""
    pace = 10000.0 ** (-torch.arange(d) / d)
    angles = torch.arange(n).unsqueeze(1) * pace
    return torch.where(torch.arange(d) % 2 == 0, angles.sin(), angles.cos())


# %% mistake="positional_encoding" name="from-one"
def positional_encoding(n, d):
    """Your places begin with 1. The first token stands at 0."""
    pace = 10000.0 ** (-torch.arange(0, d, 2) / d)
    angles = torch.arange(1, n + 1).unsqueeze(1) * pace
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)


# %% mistake="positional_encoding" name="turned-faster"
def positional_encoding(n, d):
    """You multiplied by the power: the angles grow with i, where they should shrink."""
    pace = 10000.0 ** (torch.arange(0, d, 2) / d)
    angles = torch.arange(n).unsqueeze(1) * pace
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)


# %% mistake="positional_encoding" name="transposed"
def positional_encoding(n, d):
    """Yours has a column for each place. A token is a row."""
    pace = 10000.0 ** (-torch.arange(0, d, 2) / d)
    angles = torch.arange(n).unsqueeze(1) * pace
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1).T


# %% alternative="positional_encoding" name="fill-in-slices"
def positional_encoding(n, d):
    p = torch.zeros(n, d)
    t = torch.arange(n, dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, d, 2) * (-math.log(10000.0) / d))
    p[:, 0::2], p[:, 1::2] = torch.sin(t * rate), torch.cos(t * rate)
    return p


# %% alternative="positional_encoding" name="loops"
def positional_encoding(n, d):
    rows = []
    for t in range(n):
        row = []
        for i in range(d // 2):
            angle = t / 10000 ** (2 * i / d)
            row += [math.sin(angle), math.cos(angle)]
        rows.append(row)
    return torch.tensor(rows)


# %% [markdown]
# ## Pictures as tokens  ·  ●●○ · 4 min · 2 points
#
# A **vision transformer** cuts a picture into patches; each, laid out as a vector, is a token (Minhas,
# "(Vision) Transformers (for classification)"). A **class token**, learned and belonging to no patch, is
# put in front, looks at all of them, and its output is what the classifier reads.
#
# **Your turn**: patches from left to right, then from top to bottom; within a patch, channel by channel and
# row by row.


# %% answer="patchify"
def patchify(images: Tensor, p: int) -> Tensor:
    """The p by p patches of each image, one a row.

    images (m, channels, height, width), sides multiples of p. Returns (m, patches, channels * p * p).
    """
    ### BEGIN SOLUTION cut height and width, bring the patches to the front, lay each out as a row
    blocks = images.unflatten(3, (-1, p)).unflatten(2, (-1, p))  # m, channels, rows, p, columns, p
    return blocks.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)
    ### END SOLUTION


# %%
widgets.attention.patches(patchify)

# %% [markdown]
# *What to see*: who looks like the patch you chose pulls it, near or far. On the right, every patch
# replaced by its average of all: attention takes noise away, for noise differs where strokes are alike.
# That is *non-local means* (Buades et al., 2005), with nothing learned. A convolution (07_cnn) goes by
# place alone; this goes by content alone, until places are added.

# %% test="patchify" points=2
image = torch.arange(16.0).reshape(1, 1, 4, 4)
check.close(
    check.unchanged(patchify, image, 2),
    torch.tensor([[[0.0, 1.0, 4.0, 5.0], [2.0, 3.0, 6.0, 7.0],
                   [8.0, 9.0, 12.0, 13.0], [10.0, 11.0, 14.0, 15.0]]]),
    "Rows 0 1 2 3, 4 5 6 7, ...: the first patch holds 0, 1, 4 and 5",
)  # fmt: skip
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        for p in (2, 3, 1):
            m, channels, rows, columns = check.sizes(4)
            images = check.randn(m, channels, rows * p, columns * p, dtype=dtype, device=device)
            want = F.unfold(images, p, stride=p).transpose(1, 2)
            check.close(
                check.unchanged(patchify, images, p), want, f"Compare patch by patch for p = {p}"
            )
check.stays_on_device(patchify, check.randn(2, 3, 4, 6), 2)
### END HIDDEN TESTS


# %% mistake="patchify" name="view-only"
def patchify(images, p):
    """You reshaped without moving a dimension: your patches are runs of rows, not squares."""
    m, channels, height, width = images.shape
    return images.reshape(m, (height // p) * (width // p), channels * p * p)


# %% mistake="patchify" name="top-to-bottom-first"
def patchify(images, p):
    """Your patches run down the columns first. The order is that of reading."""
    blocks = images.unflatten(3, (-1, p)).unflatten(2, (-1, p))
    return blocks.permute(0, 4, 2, 1, 3, 5).flatten(3).flatten(1, 2)


# %% mistake="patchify" name="transposed-inside"
def patchify(images, p):
    """Each of your patches is transposed: its columns were laid out one after the other, not its rows."""
    blocks = images.unflatten(3, (-1, p)).unflatten(2, (-1, p))
    return blocks.permute(0, 2, 4, 1, 5, 3).flatten(3).flatten(1, 2)


# %% mistake="patchify" name="channels-last"
def patchify(images, p):
    """You put the channels of each pixel side by side. Channel by channel is asked for."""
    blocks = images.unflatten(3, (-1, p)).unflatten(2, (-1, p))
    return blocks.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)


# %% mistake="patchify" name="dilated"
def patchify(images, p):
    """Your patches take every so-manieth pixel from all over the picture: the two parts of a side are swapped."""
    blocks = images.unflatten(3, (p, -1)).unflatten(2, (p, -1))
    return blocks.permute(0, 3, 5, 1, 2, 4).flatten(3).flatten(1, 2)


# %% mistake="patchify" name="overlapping"
def patchify(images, p):
    """Your windows move on by one pixel and overlap. Patches lie side by side."""
    return F.unfold(images, p).transpose(1, 2)


# %% mistake="patchify" name="patches-last"
def patchify(images, p):
    """A column is a patch in yours. A token is a row."""
    return F.unfold(images, p, stride=p)


# %% mistake="patchify" name="square-only"
def patchify(images, p):
    """You took the width for both sides. Pictures need not be square."""
    n = images.shape[-1] // p
    patches = [
        images[:, :, i * p : (i + 1) * p, j * p : (j + 1) * p].flatten(1)
        for i in range(n)
        for j in range(n)
    ]
    return torch.stack(patches, 1)


# %% alternative="patchify" name="library-unfold"
def patchify(images, p):
    return F.unfold(images, kernel_size=p, stride=p).mT


# %% alternative="patchify" name="slices"
def patchify(images, p):
    height, width = images.shape[2:]
    patches = [
        images[:, :, i : i + p, j : j + p].flatten(1)
        for i in range(0, height, p)
        for j in range(0, width, p)
    ]
    return torch.stack(patches, dim=1)


# %% alternative="patchify" name="tensor-unfold"
def patchify(images, p):
    windows = images.unfold(2, p, p).unfold(3, p, p)  # m, channels, rows, columns, p, p
    m, channels, rows, columns = windows.shape[:4]
    return windows.permute(0, 2, 3, 1, 4, 5).reshape(m, rows * columns, channels * p * p)


# %% [markdown]
# ## A transformer block  ·  ●●● · 8 min · 3 points
#
# Attention lets tokens talk; then each thinks for itself, in a small net (MLP) that is the same for all.
# Around both: a **skip connection**, so that the block only has to learn what to *change*, and a **layer
# norm** (Minhas, "Key Components"): standardise the $d$ features of *one token*, then scale and shift each:
# $$\mathrm{LN}(x) = w \odot \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + b \qquad
# \mu, \sigma^2: \text{ mean and mean squared deviation of the token's } d \text{ numbers}$$
# The first transformer normalised after each sum; today it is done before (**pre-norm**), which trains more
# calmly: $x \leftarrow x + \mathrm{Att}(\mathrm{LN}_1(x))$, then $x \leftarrow x + \mathrm{MLP}(\mathrm{LN}_2(x))$,
# with a GELU in the MLP.
#
# **Your turn**: `layer_norm` by hand, and `forward`. `self_attn`, `norm1` and `norm2` are torch's own, so
# that an earlier slip costs nothing. Mind that in `self_attn` a True of `attn_mask` says **hidden**: call it
# as `self.self_attn(q, k, v, attn_mask=..., need_weights=False)[0]`.


# %% answer="TransformerBlock"
def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Layer norm of x (..., d), with weight and bias (d,); same shape."""
    ### BEGIN SOLUTION standardise each token's features, then scale and shift them
    centred = x - x.mean(-1, keepdim=True)
    variance = centred.pow(2).mean(-1, keepdim=True)
    return centred / torch.sqrt(variance + eps) * weight + bias
    ### END SOLUTION


class TransformerBlock(torch.nn.Module):
    """Pre-norm block: attention, then an MLP on each token, each with a norm and a skip."""

    def __init__(self, d: int, heads: int) -> None:
        super().__init__()
        self.self_attn = torch.nn.MultiheadAttention(d, heads, batch_first=True)
        self.norm1, self.norm2 = torch.nn.LayerNorm(d), torch.nn.LayerNorm(d)
        self.linear1, self.linear2 = torch.nn.Linear(d, 4 * d), torch.nn.Linear(4 * d, d)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """x (batch, tokens, d), mask (tokens, tokens), True = may look. Same shape as x."""
        ### BEGIN SOLUTION norm, attend, add; norm, MLP (linear1, F.gelu, linear2), add
        h = self.norm1(x)
        hidden = None if mask is None else ~mask
        x = x + self.self_attn(h, h, h, attn_mask=hidden, need_weights=False)[0]
        return x + self.linear2(F.gelu(self.linear1(self.norm2(x))))
        ### END SOLUTION


def run_block(
    weights: dict[str, Tensor], heads: int, x: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Given: what your block makes of x with these weights."""
    block = TransformerBlock(x.shape[-1], heads)
    return torch.func.functional_call(block, weights, (x, mask))


# %% test="TransformerBlock" points=3
BANNED = ("layer_norm", "LayerNorm", "native_layer_norm", "normalize", "batch_norm", "group_norm")
check.by_hand(layer_norm, *BANNED)
check.by_hand(TransformerBlock, "TransformerEncoderLayer", "TransformerEncoder", "Transformer")
check.close(
    layer_norm(
        torch.tensor([[1.0, 3.0], [10.0, 14.0]]),
        torch.tensor([2.0, 1.0]),
        torch.tensor([0.0, 5.0]),
        0.0,
    ),
    torch.tensor([[-2.0, 6.0], [-2.0, 6.0]]),
    "Each token becomes (−1, 1), then the features are multiplied by 2 and 1, and 0 and 5 are added",
)
check.shape(TransformerBlock(4, 2)(torch.zeros(3, 5, 4)), (3, 5, 4))
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        sizes = check.sizes(3)
        x = 3 * check.randn(*sizes, dtype=dtype, device=device) + 1
        w, b = (check.randn(sizes[-1], dtype=dtype, device=device) for _ in range(2))
        for scale, eps in ((1.0, 1e-5), (0.01, 1e-3), (1.0, 0.5)):
            want = F.layer_norm(scale * x, w.shape, w, b, eps)
            got = check.unchanged(layer_norm, scale * x, w, b, eps)
            check.close(
                got, want, "Each token by itself: mean 0, mean square 1, then w and b", 1e-4
            )
        check.close(
            layer_norm(x[0, 0], w, b), F.layer_norm(x[0, 0], w.shape, w, b), "One token", 1e-4
        )

        for heads, size in ((2, 3), (3, 2)):
            d = heads * size
            batch, n, _ = check.sizes(3)
            oracle = torch.nn.TransformerEncoderLayer(
                d, heads, 4 * d, 0.0, "gelu", batch_first=True, norm_first=True
            )
            weights = {
                name: 0.7 * check.randn(*p.shape, dtype=dtype, device=device)
                for name, p in oracle.named_parameters()
            }
            x = 2 * check.randn(batch, n, d, dtype=dtype, device=device)
            mask = check.uniform(0, 1, n, n, device=device) < 0.5
            mask[:, 0] = True
            mask[0, 1:] = False
            for allowed in (None, mask):
                hidden = None if allowed is None else ~allowed
                want = torch.func.functional_call(
                    oracle, weights, (x,), {"src_mask": hidden}
                ).detach()
                got = check.unchanged(run_block, weights, heads, x, allowed)
                why = "Differs from torch's pre-norm block with the same weights"
                check.close(
                    got, want, why + (": mind the mask" if allowed is not None else ""), 1e-3
                )
check.stays_on_device(layer_norm, check.randn(4, 3), check.randn(3), check.randn(3))
check.stays_on_device(run_block, weights, heads, x, mask)
### END HIDDEN TESTS


# %% mistake="TransformerBlock" name="norm-over-tokens"
def layer_norm(x, weight, bias, eps=1e-5):
    """You standardised each feature over the tokens. Layer norm looks at the features of one token."""
    centred = x - x.mean(-2, keepdim=True) if x.dim() > 1 else x - x
    variance = centred.pow(2).mean(-2 if x.dim() > 1 else -1, keepdim=True)
    return centred / torch.sqrt(variance + eps) * weight + bias


# %% mistake="TransformerBlock" name="norm-over-the-batch"
def layer_norm(x, weight, bias, eps=1e-5):
    """You standardised over the first dimension, as batch norm does. A token must not depend on its neighbours."""
    centred = x - x.mean(0, keepdim=True)
    variance = centred.pow(2).mean(0, keepdim=True)
    return centred / torch.sqrt(variance + eps) * weight + bias


# %% mistake="TransformerBlock" name="norm-over-everything"
def layer_norm(x, weight, bias, eps=1e-5):
    """You took one mean for the whole tensor. Each token has its own."""
    centred = x - x.mean()
    return centred / torch.sqrt(centred.pow(2).mean() + eps) * weight + bias


# %% mistake="TransformerBlock" name="divided-by-d-minus-one"
def layer_norm(x, weight, bias, eps=1e-5):
    """Your variance divides by d − 1: that is what `var` does unless told otherwise. Here it is a plain mean."""
    centred = x - x.mean(-1, keepdim=True)
    return centred / torch.sqrt(x.var(-1, keepdim=True) + eps) * weight + bias


# %% mistake="TransformerBlock" name="epsilon-outside"
def layer_norm(x, weight, bias, eps=1e-5):
    """You added ε to the root. Where does the formula have it?"""
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.pow(2).mean(-1, keepdim=True).sqrt() + eps) * weight + bias


# %% mistake="TransformerBlock" name="scale-and-shift-forgotten"
def layer_norm(x, weight, bias, eps=1e-5):
    """You standardised and stopped: weight and bias are not used."""
    centred = x - x.mean(-1, keepdim=True)
    return centred / torch.sqrt(centred.pow(2).mean(-1, keepdim=True) + eps)


# %% mistake="TransformerBlock" name="norm-by-the-library"
def layer_norm(x, weight, bias, eps=1e-5):
    """You called the library's layer norm. A mean, a variance and a root are enough."""
    return F.layer_norm(x, weight.shape, weight, bias, eps)


# %% mistake="TransformerBlock" name="no-skips"
class TransformerBlock(torch.nn.Module):
    """You left the skip connections out: x itself is lost, and a deep stack would hardly train."""

    def __init__(self, d, heads):
        super().__init__()
        self.self_attn = torch.nn.MultiheadAttention(d, heads, batch_first=True)
        self.norm1, self.norm2 = torch.nn.LayerNorm(d), torch.nn.LayerNorm(d)
        self.linear1, self.linear2 = torch.nn.Linear(d, 4 * d), torch.nn.Linear(4 * d, d)

    def forward(self, x, mask=None):
        h = self.norm1(x)
        hidden = None if mask is None else ~mask
        x = self.self_attn(h, h, h, attn_mask=hidden, need_weights=False)[0]
        return self.linear2(F.gelu(self.linear1(self.norm2(x))))


# %% mistake="TransformerBlock" name="second-skip-missing"
class TransformerBlock(torch.nn.Module):
    """Your MLP replaces what it should be added to: the second skip connection is missing."""

    def __init__(self, d, heads):
        super().__init__()
        self.self_attn = torch.nn.MultiheadAttention(d, heads, batch_first=True)
        self.norm1, self.norm2 = torch.nn.LayerNorm(d), torch.nn.LayerNorm(d)
        self.linear1, self.linear2 = torch.nn.Linear(d, 4 * d), torch.nn.Linear(4 * d, d)

    def forward(self, x, mask=None):
        h = self.norm1(x)
        hidden = None if mask is None else ~mask
        x = x + self.self_attn(h, h, h, attn_mask=hidden, need_weights=False)[0]
        return self.linear2(F.gelu(self.linear1(self.norm2(x))))


# %% mistake="TransformerBlock" name="skip-of-the-normed"
class TransformerBlock(torch.nn.Module):
    """You added the attention to the normed x. The skip connection carries x as it came."""

    def __init__(self, d, heads):
        super().__init__()
        self.self_attn = torch.nn.MultiheadAttention(d, heads, batch_first=True)
        self.norm1, self.norm2 = torch.nn.LayerNorm(d), torch.nn.LayerNorm(d)
        self.linear1, self.linear2 = torch.nn.Linear(d, 4 * d), torch.nn.Linear(4 * d, d)

    def forward(self, x, mask=None):
        x = self.norm1(x)
        hidden = None if mask is None else ~mask
        x = x + self.self_attn(x, x, x, attn_mask=hidden, need_weights=False)[0]
        x = self.norm2(x)
        return x + self.linear2(F.gelu(self.linear1(x)))


# %% mistake="TransformerBlock" name="post-norm"
class TransformerBlock(torch.nn.Module):
    """You normalised after each sum, as the first transformer did. Here it is done before."""

    def __init__(self, d, heads):
        super().__init__()
        self.self_attn = torch.nn.MultiheadAttention(d, heads, batch_first=True)
        self.norm1, self.norm2 = torch.nn.LayerNorm(d), torch.nn.LayerNorm(d)
        self.linear1, self.linear2 = torch.nn.Linear(d, 4 * d), torch.nn.Linear(4 * d, d)

    def forward(self, x, mask=None):
        hidden = None if mask is None else ~mask
        x = self.norm1(x + self.self_attn(x, x, x, attn_mask=hidden, need_weights=False)[0])
        return self.norm2(x + self.linear2(F.gelu(self.linear1(x))))


# %% mistake="TransformerBlock" name="only-the-query-normed"
class TransformerBlock(torch.nn.Module):
    """You normed the queries and left keys and values as they were. All three are made of one x."""

    def __init__(self, d, heads):
        super().__init__()
        self.self_attn = torch.nn.MultiheadAttention(d, heads, batch_first=True)
        self.norm1, self.norm2 = torch.nn.LayerNorm(d), torch.nn.LayerNorm(d)
        self.linear1, self.linear2 = torch.nn.Linear(d, 4 * d), torch.nn.Linear(4 * d, d)

    def forward(self, x, mask=None):
        hidden = None if mask is None else ~mask
        x = x + self.self_attn(self.norm1(x), x, x, attn_mask=hidden, need_weights=False)[0]
        return x + self.linear2(F.gelu(self.linear1(self.norm2(x))))


# %% mistake="TransformerBlock" name="mask-not-inverted"
class TransformerBlock(torch.nn.Module):
    """You handed our mask on as it is. To torch's module True means hidden."""

    def __init__(self, d, heads):
        super().__init__()
        self.self_attn = torch.nn.MultiheadAttention(d, heads, batch_first=True)
        self.norm1, self.norm2 = torch.nn.LayerNorm(d), torch.nn.LayerNorm(d)
        self.linear1, self.linear2 = torch.nn.Linear(d, 4 * d), torch.nn.Linear(4 * d, d)

    def forward(self, x, mask=None):
        h = self.norm1(x)
        x = x + self.self_attn(h, h, h, attn_mask=mask, need_weights=False)[0]
        return x + self.linear2(F.gelu(self.linear1(self.norm2(x))))


# %% mistake="TransformerBlock" name="mask-forgotten"
class TransformerBlock(torch.nn.Module):
    """You never used the mask: every token sees all others."""

    def __init__(self, d, heads):
        super().__init__()
        self.self_attn = torch.nn.MultiheadAttention(d, heads, batch_first=True)
        self.norm1, self.norm2 = torch.nn.LayerNorm(d), torch.nn.LayerNorm(d)
        self.linear1, self.linear2 = torch.nn.Linear(d, 4 * d), torch.nn.Linear(4 * d, d)

    def forward(self, x, mask=None):
        h = self.norm1(x)
        x = x + self.self_attn(h, h, h, need_weights=False)[0]
        return x + self.linear2(F.gelu(self.linear1(self.norm2(x))))


# %% mistake="TransformerBlock" name="no-activation"
class TransformerBlock(torch.nn.Module):
    """Your MLP has no activation: its two layers collapse into one (01_activations)."""

    def __init__(self, d, heads):
        super().__init__()
        self.self_attn = torch.nn.MultiheadAttention(d, heads, batch_first=True)
        self.norm1, self.norm2 = torch.nn.LayerNorm(d), torch.nn.LayerNorm(d)
        self.linear1, self.linear2 = torch.nn.Linear(d, 4 * d), torch.nn.Linear(4 * d, d)

    def forward(self, x, mask=None):
        h = self.norm1(x)
        hidden = None if mask is None else ~mask
        x = x + self.self_attn(h, h, h, attn_mask=hidden, need_weights=False)[0]
        return x + self.linear2(self.linear1(self.norm2(x)))


# %% alternative="TransformerBlock" name="own-layer-norm"
def layer_norm(x, weight, bias, eps=1e-5):
    mean = x.sum(-1, keepdim=True) / x.shape[-1]
    variance = x.var(-1, correction=0, keepdim=True)
    return weight * ((x - mean) * torch.rsqrt(variance + eps)) + bias


class TransformerBlock(torch.nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.self_attn = torch.nn.MultiheadAttention(d, heads, batch_first=True)
        self.norm1, self.norm2 = torch.nn.LayerNorm(d), torch.nn.LayerNorm(d)
        self.linear1, self.linear2 = torch.nn.Linear(d, 4 * d), torch.nn.Linear(4 * d, d)

    def forward(self, x, mask=None):
        h = layer_norm(x, self.norm1.weight, self.norm1.bias)
        attended, _ = self.self_attn(
            h, h, h, attn_mask=None if mask is None else mask.logical_not(), need_weights=False
        )
        middle = x + attended
        h = layer_norm(middle, self.norm2.weight, self.norm2.bias)
        return middle + self.linear2(torch.nn.functional.gelu(self.linear1(h)))


# %% alternative="TransformerBlock" name="mask-of-infinities"
def layer_norm(x, weight, bias, eps=1e-5):
    variance, mean = torch.var_mean(x, -1, correction=0, keepdim=True)
    return torch.addcmul(bias, weight, (x - mean) / (variance + eps) ** 0.5)


class TransformerBlock(torch.nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.self_attn = torch.nn.MultiheadAttention(d, heads, batch_first=True)
        self.norm1, self.norm2 = torch.nn.LayerNorm(d), torch.nn.LayerNorm(d)
        self.linear1, self.linear2 = torch.nn.Linear(d, 4 * d), torch.nn.Linear(4 * d, d)

    def forward(self, x, mask=None):
        h = self.norm1(x)
        if mask is not None:
            n = x.shape[1]
            mask = torch.zeros(n, n, dtype=x.dtype, device=x.device).masked_fill(~mask, -torch.inf)
        x = x + self.self_attn(h, h, h, attn_mask=mask, need_weights=False)[0]
        return self.linear2(F.gelu(self.linear1(self.norm2(x)))) + x


# %% [markdown]
# ## XOR, token by token  ·  ●●● · 8 min · 3 points
#
# Minhas ("Another way of thinking about GPTs") makes a next-token table of XOR: after 0 1 comes 1, after 1
# 1 comes 0. The last two tokens are a *state*, the next token leads to the next state: a GPT with a window
# of two is a **finite-state machine** with four states. (The paper on the slide says Turing machine; for
# that it would need a tape without end.)
#
# **Your turn.** `XorGPT()` takes tokens (0 or 1), at most eight in a row, and foretells at *each* place the
# token that follows, without looking ahead: embed the tokens, add their places, one block, one linear
# layer. Use your own parts or torch's (`torch.nn.Embedding`, `torch.nn.TransformerEncoderLayer` with
# `batch_first=True, dropout=0.0`). Then `next_token_loss`: which logits belong to which token? The training is given. It may
# get stuck: seldom with a width of 16 or more, and the test tries three seeds.
#
# **Predict**: does it need places? XOR doesn't care which of two came first. And what becomes of one that
# peeks: its training loss, its answers?


# %% answer="XorGPT"
class XorGPT(torch.nn.Module):
    """A GPT for two tokens. Width, heads and parts are yours to choose."""

    def __init__(self) -> None:
        super().__init__()
        ### BEGIN SOLUTION make an embedding, the places, a block, and a linear layer
        self.embed = torch.nn.Embedding(2, 16)
        self.block = TransformerBlock(16, 2)
        self.head = torch.nn.Linear(16, 2)
        ### END SOLUTION

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens (batch, n), int64, n <= 8. Returns logits (batch, n, 2): row t is for token t + 1."""
        ### BEGIN SOLUTION return the logits of the next token at each place
        n = tokens.shape[1]
        x = self.embed(tokens) + positional_encoding(n, 16)
        return self.head(self.block(x, causal_mask(n)))
        ### END SOLUTION


def next_token_loss(logits: Tensor, tokens: Tensor) -> Tensor:
    """Mean cross entropy of the logits (batch, n, 2) against the tokens that follow; a number.

    tokens (batch, n), int64. The last logits have nothing to be compared with.
    """
    ### BEGIN SOLUTION compare each place's logits with the next token
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
    ### END SOLUTION


def train(table: Tensor, seed: int) -> Tensor:
    """Given: train an XorGPT for 100 steps on the rows of `table` (4, 3): two tokens, what follows.

    Returns P(next token) after the first two, at every fifth step: (21, 4, 2).
    """
    torch.manual_seed(seed)
    model = XorGPT()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    seen = []
    for step in range(101):
        if step % 5 == 0:
            seen.append(model.eval()(table[:, :2])[:, 1].softmax(-1).detach())
        loss = next_token_loss(model.train()(table), table)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return torch.stack(seen)


def learned(table: Tensor, seeds: list[int]) -> bool:
    """Given: whether with one of the seeds the next token of every row got P >= 0.9 in the end."""
    return any(bool((train(table, s)[-1].gather(1, table[:, 2:]) >= 0.9).all()) for s in seeds)


def sees(tokens: Tensor, place: int, other: int) -> bool:
    """Given: whether a fresh XorGPT's logits at `place` change when token number `other` does."""
    model, changed = XorGPT().eval(), tokens.clone()
    changed[:, other] = 1 - changed[:, other]
    return not torch.allclose(model(tokens)[:, place], model(changed)[:, place], atol=1e-6)


# %%
widgets.attention.machine(train)

# %% [markdown]
# *What to see*: four states, two arrows out of each, as thick as they are probable; drag the steps. Once it
# has learned, follow the thick ones: from 01 it goes 01, 11, 10, 01, ... for ever, and 00 stays. Our own
# net learned XOR with each of 30 seeds; the least sure of all its answers had P = 0.99. Now take something
# out, and run the two cells again. Without the mask its training loss falls to 0 (with it, no lower than
# 0.35: who can foretell the second token from the first?), and with most seeds it answers wrongly. Without
# places, 0 and 0 0 are the same average.

# %% test="XorGPT" points=3
tokens = torch.tensor([[0, 1, 1], [1, 0, 1]])
logits = torch.zeros(2, 3, 2)
logits[:, :2, 1] = math.log(3.0)
logits[:, 2, 0] = 50.0
check.close(
    next_token_loss(logits, tokens),
    torch.tensor((3 * math.log(4 / 3) + math.log(4)) / 4),
    "The logits say 1 with 3/4 at the first two places: right for 1 1 and the last 1, wrong for 0",
)
XOR = torch.tensor([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])
check.shape(XorGPT()(XOR), (4, 3, 2))
check.equal(sees(XOR, 1, 2), False, "Logits changed when the next token did: mind the mask")
check.equal(sees(XOR, 2, 0), True, "The last logits are to depend on the first token too")
check.equal(
    learned(XOR, [0, 1, 2]), True,
    "With three seeds, a row's next token never got P ≥ 0.9. Does the loss compare each place with the "
    "token after it? Can your model tell 0 from 0 0?",
)  # fmt: skip
### BEGIN HIDDEN TESTS
for dtype in check.dtypes():
    batch, n = check.sizes(2, 3, 7)
    logits, tokens = 2 * check.randn(batch, n, 2, dtype=dtype), check.integers(0, 2, batch, n)
    tokens[0, :3] = torch.tensor([0, 1, 1])
    want = F.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:])
    check.close(
        check.unchanged(next_token_loss, logits, tokens), want, "Which logits foretell which token?"
    )
check.stays_on_device(next_token_loss, logits, tokens)
model = XorGPT().eval()
for n in (8, 2, 5):
    tokens = check.integers(0, 2, 3, n)
    full = model(tokens)
    check.shape(full, (3, n, 2))
    check.equal(sees(tokens, 0, n - 1), False, "The first logits changed when the last token did")
    for t in range(1, n):
        check.close(
            model(tokens[:, :t]),
            full[:, :t].detach(),
            "Tokens to come changed what was foretold",
            1e-4,
        )
table = XOR.clone()
rows = [[1, 0, 0, 1], [0, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]]
table[:, 2] = torch.tensor(rows[int(check.integers(0, 4, 1))])
seeds = check.integers(1, 10**6, 3).tolist()
check.equal(learned(table, seeds), True, "Another table of four rows should be learned as well")
### END HIDDEN TESTS


# %% mistake="XorGPT" name="no-mask"
class XorGPT(torch.nn.Module):
    """Your model sees the token that it should foretell. In training it copies; when nothing is there to copy, it fails."""

    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(2, 16)
        self.block = TransformerBlock(16, 2)
        self.head = torch.nn.Linear(16, 2)

    def forward(self, tokens):
        x = self.embed(tokens) + positional_encoding(tokens.shape[1], 16)
        return self.head(self.block(x))


# %% mistake="XorGPT" name="future-by-one"
class XorGPT(torch.nn.Module):
    """Your mask leaks the future by one token, which is the one to be foretold."""

    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(2, 16)
        self.block = TransformerBlock(16, 2)
        self.head = torch.nn.Linear(16, 2)

    def forward(self, tokens):
        n = tokens.shape[1]
        x = self.embed(tokens) + positional_encoding(n, 16)
        return self.head(self.block(x, torch.ones(n, n, dtype=torch.bool).tril(1)))


# %% mistake="XorGPT" name="mask-inverted"
class XorGPT(torch.nn.Module):
    """Your tokens look ahead and not back: the mask is the wrong way round for the block that you use."""

    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(2, 16)
        self.block = torch.nn.TransformerEncoderLayer(16, 2, 64, 0.0, batch_first=True)
        self.head = torch.nn.Linear(16, 2)

    def forward(self, tokens):
        n = tokens.shape[1]
        x = self.embed(tokens) + positional_encoding(n, 16)
        return self.head(self.block(x, src_mask=torch.ones(n, n, dtype=torch.bool).tril(-1)))


# %% mistake="XorGPT" name="no-places"
class XorGPT(torch.nn.Module):
    """You left the places out. An average of one 0 and an average of two zeros are the same: how should it tell 0 from 0 0?"""

    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(2, 16)
        self.block = TransformerBlock(16, 2)
        self.head = torch.nn.Linear(16, 2)

    def forward(self, tokens):
        return self.head(self.block(self.embed(tokens), causal_mask(tokens.shape[1])))


# %% mistake="XorGPT" name="each-token-alone"
class XorGPT(torch.nn.Module):
    """Your tokens never look at each other: the next one depends on the last alone. Which part lets them talk?"""

    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(2, 16)
        self.mlp = torch.nn.Sequential(
            torch.nn.Linear(16, 64), torch.nn.GELU(), torch.nn.Linear(64, 16)
        )
        self.head = torch.nn.Linear(16, 2)

    def forward(self, tokens):
        return self.head(self.mlp(self.embed(tokens) + positional_encoding(tokens.shape[1], 16)))


# %% mistake="XorGPT" name="last-place-only"
class XorGPT(torch.nn.Module):
    """You returned logits for the last place only. One row for each token: that is how one pass trains them all."""

    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(2, 16)
        self.block = TransformerBlock(16, 2)
        self.head = torch.nn.Linear(16, 2)

    def forward(self, tokens):
        n = tokens.shape[1]
        x = self.embed(tokens) + positional_encoding(n, 16)
        return self.head(self.block(x, causal_mask(n)))[:, -1]


# %% mistake="XorGPT" name="not-shifted"
def next_token_loss(logits, tokens):
    """You compared each place with its own token: the model learns to repeat what it just read."""
    return F.cross_entropy(logits.flatten(0, 1), tokens.flatten())


# %% mistake="XorGPT" name="shifted-the-wrong-way"
def next_token_loss(logits, tokens):
    """You shifted the other way: each place foretells the token before it."""
    return F.cross_entropy(logits[:, 1:].flatten(0, 1), tokens[:, :-1].flatten())


# %% mistake="XorGPT" name="rolled-round"
def next_token_loss(logits, tokens):
    """You rolled the tokens round, so that the last place foretells the first one. Nothing follows the last."""
    return F.cross_entropy(logits.flatten(0, 1), tokens.roll(-1, 1).flatten())


# %% mistake="XorGPT" name="softmax-twice"
def next_token_loss(logits, tokens):
    """You took a softmax before the cross entropy, which takes its own. It wants logits (02_softmax)."""
    return F.cross_entropy(logits[:, :-1].softmax(-1).flatten(0, 1), tokens[:, 1:].flatten())


# %% mistake="XorGPT" name="summed"
def next_token_loss(logits, tokens):
    """You added the places up. The mean is asked for."""
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten(), reduction="sum")


# %% mistake="XorGPT" name="classes-and-places-mixed"
def next_token_loss(logits, tokens):
    """You reshaped the logits to what cross_entropy wants without moving a dimension: classes and places are mixed."""
    batch, n, classes = logits.shape
    return F.cross_entropy(logits[:, :-1].reshape(batch, classes, n - 1), tokens[:, 1:])


# %% alternative="XorGPT" name="all-of-torch"
class XorGPT(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens = torch.nn.Embedding(2, 32)
        self.places = torch.nn.Embedding(8, 32)
        self.layer = torch.nn.TransformerEncoderLayer(32, 4, 64, 0.0, batch_first=True)
        self.out = torch.nn.Linear(32, 2)

    def forward(self, tokens):
        n = tokens.size(1)
        x = self.tokens(tokens) + self.places(torch.arange(n, device=tokens.device))
        hidden = torch.nn.Transformer.generate_square_subsequent_mask(n)
        return self.out(self.layer(x, src_mask=hidden, is_causal=True))


def next_token_loss(logits, tokens):
    return F.cross_entropy(logits[:, :-1].mT, tokens[:, 1:])


# %% alternative="XorGPT" name="own-heads"
class XorGPT(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Parameter(torch.randn(2, 12))
        self.places = torch.nn.Parameter(torch.randn(8, 12))
        self.attention = MultiHeadAttention(12, 3)
        self.mlp = torch.nn.Sequential(torch.nn.Linear(12, 48), torch.nn.ReLU())
        self.head = torch.nn.Linear(48, 2)

    def forward(self, tokens):
        n = tokens.shape[1]
        x = self.embed[tokens] + self.places[:n]
        x = x + self.attention(x, None, causal_mask(n))
        return self.head(self.mlp(x))


def next_token_loss(logits, tokens):
    log_p = logits.log_softmax(-1)[:, :-1]
    return -log_p.gather(-1, tokens[:, 1:, None]).mean()


# %% [markdown]
# ## Attention in linear time  ·  ●●● · 5 min · 2 points
#
# Every token looks at every other: $n^2$ weights. That is what makes long texts dear (Minhas, "Key
# Components"). **Predict**: twice as many tokens, how much more work?

# %%
for n in (100, 200, 400, 800):
    torch.manual_seed(0)
    x = torch.randn(n, 8)
    print(f"{n:4} tokens: {check.work(scaled_dot_product_attention, x, x, x):9,} numbers touched")

# %% [markdown]
# *What to see*: four times. But if the kernel is an inner product of features, $\phi(q) \cdot \phi(k)$, the
# sums can be done in another order:
# $$x_q' = \frac{\sum_k \big(\phi(q) \cdot \phi(k)\big)\, v_k}{\sum_k \phi(q) \cdot \phi(k)}
# = \frac{\phi(q)^\top \sum_k \phi(k)\, v_k^\top}{\phi(q)^\top \sum_k \phi(k)}$$
# Both sums on the right are the same for every query. The softmax kernel has no finite $\phi$; the
# **Performer** draws random features that come near (Minhas, "Key Components").
#
# **Your turn**: no $n \times m$ matrix, not even hidden in a loop.


# %% answer="linear_attention"
def linear_attention(q: Tensor, k: Tensor, v: Tensor, phi: Callable[[Tensor], Tensor]) -> Tensor:
    """kernel_attention with the kernel phi(q) . phi(k), in work that grows as n + m, not n * m.

    q (..., n, d), k (..., m, d), v (..., m, d_v); phi maps (..., d) to (..., features), positive.
    Returns (..., n, d_v).
    """
    ### BEGIN SOLUTION sum over the keys first
    q, k = phi(q), phi(k)
    gathered = k.transpose(-2, -1) @ v
    total = k.sum(-2).unsqueeze(-1)
    return (q @ gathered) / (q @ total)
    ### END SOLUTION


# %%
def positive(u: Tensor) -> Tensor:
    """Features that are never negative: e^u below 0, 1 + u above (Katharopoulos et al., 2020)."""
    return F.elu(u) + 1


for n in (100, 200, 400, 800):
    torch.manual_seed(0)
    x = torch.randn(n, 8)
    print(f"{n:4} tokens: {check.work(linear_attention, x, x, x, positive):9,} numbers touched")

# %% test="linear_attention" points=2
q, k, v = torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0], [3.0]]), torch.tensor([[4.0], [0.0]])
check.close(
    linear_attention(q, k, v, lambda u: u),
    torch.tensor([[1.0], [1.0]]),
    "The kernel is q k here: for both queries the first key has a quarter of the weight",
)
x = check.randn(400, 4)
work = [check.work(linear_attention, x[:n], x[:n], x[:n], torch.exp) for n in (200, 400)]
check.true(
    work[1] < 3 * work[0],
    "Twice the tokens should be twice the work; yours is near four times. What is multiplied first?",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        batch, n, m, d, d_v = check.sizes(5)
        q = check.randn(batch, n, d, dtype=dtype, device=device)
        k = check.randn(batch, m, d, dtype=dtype, device=device)
        v = check.randn(batch, m, d_v, dtype=dtype, device=device)
        for phi in (
            lambda u: torch.nn.functional.elu(u) + 1,
            lambda u: torch.cat([u**2 + 0.1, torch.exp(u), torch.ones_like(u[..., :1])], -1),
        ):
            weights = phi(q) @ phi(k).transpose(-2, -1)
            want = weights @ v / weights.sum(-1, keepdim=True)
            got = check.unchanged(linear_attention, q, k, v, phi)
            check.close(
                got, want, "Compare with kernel_attention for the kernel phi(q) · phi(k)", 1e-4
            )
            check.close(linear_attention(q[0], k[0], v[0], phi), want[0], "Without a batch", 1e-4)
q, k, v = check.randn(100, 3), check.randn(1200, 3), check.randn(1200, 2)
work = [check.work(linear_attention, q[:n], k[:m], v[:m], torch.exp)
        for n, m in ((50, 600), (100, 1200))]  # fmt: skip
check.true(work[1] < 3 * work[0], "Your work grows with n times m: sum over the keys first")
check.stays_on_device(linear_attention, q[:4], k[:5], v[:5], torch.exp)
### END HIDDEN TESTS


# %% mistake="linear_attention" name="weights-first"
def linear_attention(q, k, v, phi):
    """You multiplied queries by keys first: that is the n × m matrix. Brackets can be moved."""
    weights = phi(q) @ phi(k).transpose(-2, -1)
    return weights @ v / weights.sum(-1, keepdim=True)


# %% mistake="linear_attention" name="query-by-query"
def linear_attention(q, k, v, phi):
    """You went query by query and summed over all keys for each: the matrix is gone, its work is not."""
    q, k = phi(q), phi(k)
    rows = []
    for i in range(q.shape[-2]):
        weights = (q[..., i : i + 1, :] * k).sum(-1, keepdim=True)
        rows.append((weights * v).sum(-2) / weights.sum(-2))
    return torch.stack(rows, -2)


# %% mistake="linear_attention" name="not-divided"
def linear_attention(q, k, v, phi):
    """You left the denominator out: these are sums of values, not averages."""
    return phi(q) @ (phi(k).transpose(-2, -1) @ v)


# %% mistake="linear_attention" name="divided-by-the-number"
def linear_attention(q, k, v, phi):
    """You divided by the number of keys. The shares are what the kernel says, and add up to its sum."""
    return phi(q) @ (phi(k).transpose(-2, -1) @ v) / k.shape[-2]


# %% mistake="linear_attention" name="keys-without-features"
def linear_attention(q, k, v, phi):
    """You took the features of the queries only. Both sides of the inner product have them."""
    q = phi(q)
    if q.shape[-1] != k.shape[-1]:
        k = k.repeat_interleave(q.shape[-1], -1)[..., : q.shape[-1]]
    return q @ (k.transpose(-2, -1) @ v) / (q @ k.sum(-2).unsqueeze(-1))


# %% mistake="linear_attention" name="features-of-the-sum"
def linear_attention(q, k, v, phi):
    """You added the keys up and took the features of the sum. φ is not linear: the order matters."""
    q, total = phi(q), phi(k.sum(-2, keepdim=True))
    return q @ (phi(k).transpose(-2, -1) @ v) / (q @ total.transpose(-2, -1))


# %% mistake="linear_attention" name="summed-over-queries"
def linear_attention(q, k, v, phi):
    """Your denominator sums over the queries. Whose weights should add up to 1?"""
    q, k = phi(q), phi(k)
    total = q.sum(-2).unsqueeze(-1)
    return q @ ((k / (k @ total)).transpose(-2, -1) @ v)


# %% mistake="linear_attention" name="softmax"
def linear_attention(q, k, v, phi):
    """Yours is a softmax of the scores. Here the kernel is the inner product itself."""
    return torch.softmax(phi(q) @ phi(k).transpose(-2, -1), -1) @ v


# %% alternative="linear_attention" name="einsum"
def linear_attention(q, k, v, phi):
    a, b = phi(q), phi(k)
    top = torch.einsum("...nf,...fe->...ne", a, torch.einsum("...mf,...me->...fe", b, v))
    return top / torch.einsum("...nf,...f->...n", a, b.sum(-2)).unsqueeze(-1)


# %% alternative="linear_attention" name="a-column-of-ones"
def linear_attention(q, k, v, phi):
    with_ones = torch.cat([v, torch.ones_like(v[..., :1])], -1)
    out = phi(q) @ (phi(k).mT @ with_ones)
    return out[..., :-1] / out[..., -1:]


# %% alternative="linear_attention" name="key-by-key"
def linear_attention(q, k, v, phi):
    features, total, gathered = phi(k), 0.0, 0.0
    for key, value in zip(features.unbind(-2), v.unbind(-2), strict=True):
        total = total + key
        gathered = gathered + key.unsqueeze(-1) * value.unsqueeze(-2)
    asked = phi(q)
    return asked @ gathered / (asked @ total.unsqueeze(-1))


# %% [markdown]
# ## Slides, checked

# %%
torch.manual_seed(1)
a, b = torch.randn(5, 2), torch.randn(5, 2)
root = math.sqrt(2)


def slide_features(u: Tensor) -> Tensor:
    x, y = u.T
    return torch.stack([torch.ones_like(x), root * x, root * y, x * x, y * y, root * x * y], 1)


gap = (slide_features(a) * slide_features(b)).sum(1) - ((a * b).sum(1) + 1) ** 2
print(f"(a·b + 1)² by the slide's features: off by at most {gap.abs().max():.1e}")

keys = F.normalize(torch.randn(6, 2), dim=1)  # all of length 1
rbf = rbf_attention(a, keys, 1.5)
dot = F.scaled_dot_product_attention(a, keys, keys, scale=2 * 1.5**2)
print(f"keys of one length, RBF against dot product: off by at most {(rbf - dot).abs().max():.1e}")

points = torch.randn(50, 2)
one_hot = torch.eye(50)  # values that tell whose they are
share = kernel_attention(points, points, one_hot, lambda q, k: (-4 * torch.cdist(q, k) ** 2).exp())
share = share.diagonal()
print(f"a point's own share among 50, where 0.02 is even: {share.mean():.2f} on average")

empty = torch.nn.MultiheadAttention(4, 2, batch_first=True)
with torch.no_grad():
    args, nothing = [torch.randn(1, 3, 4)] * 3, torch.ones(3, 3, dtype=torch.bool)
    for wanted in (False, True):
        out, _ = empty(*args, attn_mask=nothing, need_weights=wanted)
        print(
            f"nn.MultiheadAttention, all hidden, need_weights={wanted}: {out[0, 0, 0].item():.2f}"
        )

# %% [markdown]
# *What to see*: the slide's features ("Background") are right. For keys of one length, RBF and dot product
# are the *same* attention: $-\theta^2\|q - k\|^2 = 2\theta^2\, q \cdot k$ and two terms that a softmax
# doesn't see, or that are the same for all. Smoothing says what the points are like in terms of "other
# points" ("Non-learnable attention"): but each looks at itself first, unless you mask it. The denominator
# on "Attention gives transformations" should have $k'$ in its sum. And with nothing to look at, one module
# of torch gives two answers: define it yourself.
#
# ## What it means, and where it fails
#
# One layer is weights on neighbours. In 07_cnn the weights hang on *place* and are the same everywhere;
# here they hang on *content*, and everybody is a neighbour; a mask is the adjacency matrix of a graph, and
# 10_gnn starts from there. Knowing nothing of place and nearness, transformers must learn them from much
# data (Minhas, "Are convolutions and attention really necessary?": neither is, given enough). A weight is
# no explanation: a large one says what was mixed in, not what the answer depends on. And however long its
# window, a GPT completes; that what it says is true is asked of it nowhere.
#
# **Three lines to remember**
# 1. Attention is an average of values, weighted by a kernel of query and key.
# 2. Mask before the softmax; divide by the root of what is multiplied; test for leaks.
# 3. It is a set function: what it should know of place you must add.
#
# **Further reading**: Tsai et al., *Transformer dissection: attention via the lens of kernel* (2019) ·
# Vaswani et al., *Attention is all you need* (2017) · Dosovitskiy et al., *An image is worth 16×16 words*
# (2021) · Katharopoulos et al., *Transformers are RNNs* (2020) · Choromanski et al., *Rethinking attention
# with Performers* (2021) · Jain & Wallace, *Attention is not explanation* (2019) · Next: 10_gnn.

# %%
import course

course.progress()
