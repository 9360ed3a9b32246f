# %% [markdown]
# # Convolution: few weights, used everywhere
#
# **You will be able to** compute a convolution by hand, and as one matrix product · paint a filter and foretell
# what it does to a photograph · say of any layer how large its output is, how many weights it has, and which
# part of the image it sees · learn a filter from one example · measure what a shift does to a net · write a
# residual block, reuse a net by freezing it, and build one that reads digits.
#
# **Decks** Minhas, "Where's Waldo?" to "Important Concepts", "Transfer Learning and Fine Tuning", "Networks
# with skip connections" · Moerland, "Convolutional Neural Network (CNN)", "ILSVRC" · Passerini, "Convolutional
# networks (CNN)" · Karatzas, "Convolutional Neural Networks"
#
# **Time** 60 minutes · **Points** 26 · ●○○ warm-up, ●●○ has a trap, ●●● needs thought.
# Your functions keep dtype and device, and leave their arguments as they were. A grey image is a tensor
# `(height, width)`, a batch of images `(batch, channels, height, width)`.

# %%
import math
from collections import OrderedDict
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from course import check, widgets
from course.data import digits, photos

torch.set_num_threads(1)  # the nets below are too small to be worth sharing between cores

# %% [markdown]
# ## How few weights are enough?
#
# A colour image of 256 × 256 has 196,608 numbers. A dense layer from it to an image of that size has a weight for each pair,
# almost 39 billion (Minhas, "Let's solve it using a neural network"), and would learn what an edge is 65,536 times: once for
# every place where one may be.
#
# Below, nine weights make an image out of a photograph. **Predict**: with 1 on the left of the middle and −1 on the right,
# which parts of the result are mid-grey, that is 0? Then change the nine (drag a square up or down, or use the arrow keys).

# %%
widgets.cnn.playground()

# %% [markdown]
# *What to see*: each pixel of the result is a sum of nine products; point at one. Where the photograph is even, left and right
# cancel. Upright edges are bright or dark, and nothing else is. With a single 1 off the middle the whole image moves.

# %% [markdown]
# ## A weighted sum over neighbours  ·  ●○○ · 6 min · 3 points
#
# A layer is weights on neighbours: place $i$ gathers what its neighbours $j$ have,
# $$z_i = b + \sum_{j \in N(i)} w_{ij}\, x_j .$$
# In a dense layer all are neighbours of all, and each pair has its own weight. A **convolution is a weighted sum over
# neighbours with weights that depend on the offset only**: $N(i)$ is a small window around $i$, and $w_{ij} = K_{j - i}$
# wherever $i$ is: *local connectivity* and *shared weights* (Minhas, "Why do CNNs work?"). Here places are pixels; in
# 09_attention they are tokens, in 10_gnn nodes, and only the choice of neighbours and weights changes.
#
# With the **kernel** $K$ the deck writes $H(i, j) = \sum_{k,l} I(i + k, j + l)\, K(k, l)$, and adds that this is strictly
# *correlation* (Minhas, "Convolution\*"). Convolution has $I(i - k, j - l)$: the kernel turned by half a turn. The deck's two
# programs disagree: SciPy's `convolve` turns it, PyTorch's `conv2d` doesn't. **Predict**: for which kernels does nobody notice?
#
# **Your turn**, by hand, with loops (over all pixels, or over the kernel's alone). Only places where the whole kernel fits count.


# %% answer="correlate2d"
def correlate2d(image: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Correlation: at each place where the kernel fits, the sum of image times kernel.

    image (height, width), kernel (a, b). Returns shape (height - a + 1, width - b + 1).
    """
    ### BEGIN SOLUTION return the sums of products; no library function for it
    (height, width), (a, b) = image.shape, kernel.shape
    rows, columns = height - a + 1, width - b + 1
    out = image.new_zeros(rows, columns)
    for k in range(a):
        for l in range(b):
            out = out + kernel[k, l] * image[k : k + rows, l : l + columns]
    return out
    ### END SOLUTION


def convolve2d(image: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Convolution: the same with the kernel turned by half a turn."""
    ### BEGIN SOLUTION return the convolution; you may call correlate2d
    return correlate2d(image, kernel.flip(0, 1))
    ### END SOLUTION


# %%
widgets.cnn.stepper(correlate2d, convolve2d)

# %% [markdown]
# *What to see*: image, products, sums. A place is crossed out where yours differs. *Padding* puts zeros around, a *stride* of
# 2 skips every second place. A kernel that looks the same after half a turn gives the same either way.

# %% test="correlate2d" points=3
BANNED = ("conv1d", "conv2d", "conv3d", "convolution", "convolve", "correlate", "fftconvolve",
    "unfold", "conv_transpose2d", "einsum", "cross_correlation")  # fmt: skip
check.by_hand(correlate2d, *BANNED)
check.by_hand(convolve2d, *BANNED)
image = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
check.close(
    check.unchanged(correlate2d, image, torch.tensor([[1.0, 0.0], [0.0, -1.0]])),
    torch.tensor([[-4.0, -4.0]]),
    "The first number is 1·1 + 0·2 + 0·4 − 1·5",
)
check.close(
    check.unchanged(convolve2d, image, torch.tensor([[1.0, 0.0], [0.0, -2.0]])),
    torch.tensor([[3.0, 2.0]]),
    "Turned by half a turn, this kernel has −2 at the top left and 1 at the bottom right",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        for _ in range(3):
            a, b = check.sizes(2, 2, 5)
            height, width = check.sizes(2, 6, 11)
            image = check.randn(height, width, dtype=dtype, device=device)
            kernel = check.randn(a, b, dtype=dtype, device=device)
            want = F.conv2d(image[None, None], kernel[None, None])[0, 0]
            got = check.unchanged(correlate2d, image, kernel)
            check.close(got, want, "Write the sum for the second place of the second row")
            want = F.conv2d(image[None, None], kernel[None, None].flip(2, 3))[0, 0]
            got = check.unchanged(convolve2d, image, kernel)
            check.close(got, want, "Half a turn moves the top left to the bottom right")
        got = correlate2d(image, image)
        check.close(
            got, (image * image).sum()[None, None], "A kernel as large as the image fits once"
        )
for f in (correlate2d, convolve2d):
    check.stays_on_device(f, check.randn(5, 7), check.randn(2, 3))
### END HIDDEN TESTS


# %% mistake="correlate2d" name="turned-kernel"
def correlate2d(image, kernel):
    """You turned the kernel: that is convolution. In correlation top left meets top left."""
    (height, width), (a, b) = image.shape, kernel.shape
    rows, columns = height - a + 1, width - b + 1
    out = image.new_zeros(rows, columns)
    for k in range(a):
        for l in range(b):
            out = out + kernel[a - 1 - k, b - 1 - l] * image[k : k + rows, l : l + columns]
    return out


# %% mistake="correlate2d" name="not-turned"
def convolve2d(image, kernel):
    """Your convolution does not turn the kernel: it is correlation once more."""
    return correlate2d(image, kernel)


# %% mistake="correlate2d" name="turned-upside-down"
def convolve2d(image, kernel):
    """You turned the kernel upside down only. Half a turn changes left and right as well."""
    return correlate2d(image, kernel.flip(0))


# %% mistake="correlate2d" name="mirrored"
def convolve2d(image, kernel):
    """You mirrored the kernel from left to right only. Half a turn changes top and bottom as well."""
    return correlate2d(image, kernel.flip(1))


# %% mistake="correlate2d" name="transposed"
def convolve2d(image, kernel):
    """You transposed the kernel: rows became columns. Half a turn keeps its shape."""
    return correlate2d(image, kernel.T)


# %% mistake="correlate2d" name="turned-image"
def convolve2d(image, kernel):
    """You turned the image, and so the result lies on its head. The kernel is what turns."""
    return correlate2d(image.flip(0, 1), kernel)


# %% mistake="correlate2d" name="one-too-few"
def correlate2d(image, kernel):
    """Your result lacks its last row and column. In 5 pixels, how many places has a kernel of 3?"""
    (height, width), (a, b) = image.shape, kernel.shape
    rows, columns = height - a, width - b
    out = image.new_zeros(rows, columns)
    for k in range(a):
        for l in range(b):
            out = out + kernel[k, l] * image[k : k + rows, l : l + columns]
    return out


# %% mistake="correlate2d" name="padded"
def correlate2d(image, kernel):
    """You put zeros around the image to keep its size. Here only places count where the whole kernel fits."""
    a, b = kernel.shape
    wide = F.pad(image, ((b - 1) // 2, b // 2, (a - 1) // 2, a // 2))
    out = torch.zeros_like(image)
    for k in range(a):
        for l in range(b):
            out = out + kernel[k, l] * wide[k : k + image.shape[0], l : l + image.shape[1]]
    return out


# %% mistake="correlate2d" name="mean"
def correlate2d(image, kernel):
    """You took the mean of the products. The definition has their sum."""
    (height, width), (a, b) = image.shape, kernel.shape
    out = image.new_zeros(height - a + 1, width - b + 1)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = (image[i : i + a, j : j + b] * kernel).mean()
    return out


# %% mistake="correlate2d" name="square-kernels-only"
def correlate2d(image, kernel):
    """You used the kernel's height for its width too. It need not be square."""
    (height, width), a = image.shape, kernel.shape[0]
    out = image.new_zeros(height - a + 1, width - a + 1)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = (image[i : i + a, j : j + a] * kernel).sum()
    return out


# %% mistake="correlate2d" name="blocks"
def correlate2d(image, kernel):
    """You put the windows side by side. They overlap: from one place to the next is one pixel."""
    (height, width), (a, b) = image.shape, kernel.shape
    out = image.new_zeros(height // a, width // b)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = (image[i * a : i * a + a, j * b : j * b + b] * kernel).sum()
    return out


# %% mistake="correlate2d" name="in-place"
def correlate2d(image, kernel):
    """You multiplied the caller's image by the kernel, window after window: `*=` on a slice changes it."""
    (height, width), (a, b) = image.shape, kernel.shape
    out = image.new_zeros(height - a + 1, width - b + 1)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            window = image[i : i + a, j : j + b]
            window *= kernel
            out[i, j] = window.sum()
    return out


# %% mistake="correlate2d" name="result-on-the-cpu"
def correlate2d(image, kernel):
    """You made the result on the CPU. Think about where the image is."""
    (height, width), (a, b) = image.shape, kernel.shape
    rows, columns = height - a + 1, width - b + 1
    out = torch.zeros(rows, columns, dtype=image.dtype)
    for k in range(a):
        for l in range(b):
            out = out + kernel[k, l] * image[k : k + rows, l : l + columns]
    return out


# %% mistake="correlate2d" name="library"
def correlate2d(image, kernel):
    """You let PyTorch do it. By hand here: sums of products."""
    return F.conv2d(image[None, None], kernel[None, None])[0, 0]


# %% alternative="correlate2d" name="over-pixels"
def correlate2d(image, kernel):
    (height, width), (a, b) = image.shape, kernel.shape
    out = torch.empty(height - a + 1, width - b + 1, dtype=image.dtype, device=image.device)
    for i in range(height - a + 1):
        for j in range(width - b + 1):
            out[i, j] = (image[i : i + a, j : j + b] * kernel).sum()
    return out


# %% alternative="correlate2d" name="rows-of-numbers"
def correlate2d(image, kernel):
    (height, width), (a, b) = image.shape, kernel.shape
    rows = []
    for i in range(height - a + 1):
        windows = [image[i : i + a, j : j + b] for j in range(width - b + 1)]
        rows.append(torch.stack([torch.sum(kernel * window) for window in windows]))
    return torch.stack(rows)


# %% alternative="correlate2d" name="convolution-by-its-own-sum"
def convolve2d(image, kernel):
    (height, width), (a, b) = image.shape, kernel.shape
    rows, columns = height - a + 1, width - b + 1
    total = torch.zeros_like(image)[:rows, :columns]
    for k in range(a):
        for l in range(b):
            top, left = a - 1 - k, b - 1 - l
            total = total + kernel[k, l] * image[top : top + rows, left : left + columns]
    return total


# %% [markdown]
# ## Kernels worth knowing  ·  ●○○ · 3 min · 2 points
#
# Kernels can be thought up (Minhas, "Examples of filters", "Example Filters"):
#
# - `"identity"` (3 × 3) leaves every image as it is;
# - `"box"` (3 × 3) makes each pixel the mean of its nine;
# - `"edge"` (3 × 3) adds the neighbours above, below, left and right, and takes away four times the middle;
# - `"sharpen"` (3 × 3) is the image *less* its edges;
# - `"gaussian3"`, `"gaussian5"`: a row of Pascal's triangle, 1 2 1 or 1 4 6 4 1, as a column times itself as a row, divided so
#   that all weights add up to 1.
#
# **Predict**: what does *edge* make of an even wall, and what *box*?


# %% answer="kernel"
def kernel(name: str) -> torch.Tensor:
    """The kernel of that name, float32: identity, box, edge, sharpen, gaussian3, gaussian5."""
    ### BEGIN SOLUTION return the kernel of that name
    identity = torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    edge = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    row3, row5 = torch.tensor([1.0, 2.0, 1.0]) / 4, torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    return {
        "identity": identity,
        "box": torch.full((3, 3), 1 / 9),
        "edge": edge,
        "sharpen": identity - edge,
        "gaussian3": torch.outer(row3, row3),
        "gaussian5": torch.outer(row5, row5),
    }[name]
    ### END SOLUTION


# %%
widgets.cnn.playground(kernel)

# %% [markdown]
# *What to see*: your kernels are buttons now, and *identity* must change nothing. Weights that add up to 1 keep the brightness;
# where they add up to 0, even parts become 0.

# %% test="kernel" points=2
image = check.uniform(0, 1, 7, 9)
want = {"identity": image[2, 3], "box": image[1:4, 2:5].mean()}
for name, value in want.items():
    K = kernel(name)
    check.shape(K, (3, 3))
    check.close((image[1:4, 2:5] * K).sum(), value, f"Try {name} on one window of nine numbers")
check.close(kernel("edge").sum(), torch.tensor(0.0), "On an even wall, edge gives 0")
check.close(kernel("sharpen").sum(), torch.tensor(1.0), "On an even wall, sharpen changes nothing")
check.shape(kernel("gaussian3"), (3, 3))
check.shape(kernel("gaussian5"), (5, 5))
### BEGIN HIDDEN TESTS
one = torch.zeros(3, 3)
one[1, 1] = 1.0
cross = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
WANT = {
    "identity": (one, "Only the middle counts"),
    "box": (torch.ones(3, 3) / 9, "All nine count alike"),
    "edge": (cross, "Neighbours are added, the middle is taken away four times"),
    "sharpen": (one - cross, "The image less its edges: identity less edge"),
}
for n in (3, 5):
    row = torch.tensor([math.comb(n - 1, k) for k in range(n)], dtype=torch.float64) / 2 ** (n - 1)
    WANT[f"gaussian{n}"] = (
        torch.outer(row, row).float(),
        "Multiply the column by the row, then divide",
    )
for name, (want, why) in WANT.items():
    check.close(kernel(name), want, f"{name}: {why}")
### END HIDDEN TESTS


# %% mistake="kernel" name="edge-upside-down"
def kernel(name):
    """Your edge kernel has the opposite sign everywhere: it adds the middle and takes its neighbours away. And sharpen with it?"""
    identity = torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    edge = -torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    return {"identity": identity, "box": torch.full((3, 3), 1 / 9), "edge": edge, "sharpen": identity + edge,
            "gaussian3": GAUSSIAN3 / 16, "gaussian5": GAUSSIAN5 / 256}[name]  # fmt: skip


GAUSSIAN3 = torch.tensor([1.0, 2.0, 1.0]).outer(torch.tensor([1.0, 2.0, 1.0]))
GAUSSIAN5 = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]).outer(torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]))


# %% mistake="kernel" name="sharpen-adds-edges"
def kernel(name):
    """You added the edges to the image. With this sign of edge that blurs: look at the middle, 1 − 4."""
    identity = torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    edge = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    return {"identity": identity, "box": torch.full((3, 3), 1 / 9), "edge": edge, "sharpen": identity + edge,
            "gaussian3": GAUSSIAN3 / 16, "gaussian5": GAUSSIAN5 / 256}[name]  # fmt: skip


GAUSSIAN3 = torch.tensor([1.0, 2.0, 1.0]).outer(torch.tensor([1.0, 2.0, 1.0]))
GAUSSIAN5 = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]).outer(torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]))


# %% mistake="kernel" name="unit-matrix"
def kernel(name):
    """You took the unit matrix for the identity: `torch.eye` adds up a diagonal. Which single pixel should count?"""
    edge = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    return {"identity": torch.eye(3), "box": torch.full((3, 3), 1 / 9), "edge": edge, "sharpen": torch.eye(3) - edge,
            "gaussian3": GAUSSIAN3 / 16, "gaussian5": GAUSSIAN5 / 256}[name]  # fmt: skip


GAUSSIAN3 = torch.tensor([1.0, 2.0, 1.0]).outer(torch.tensor([1.0, 2.0, 1.0]))
GAUSSIAN5 = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]).outer(torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]))


# %% mistake="kernel" name="gaussians-not-divided"
def kernel(name):
    """Your Gaussians are not divided: they make the image 16 and 256 times as bright."""
    identity = torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    edge = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    return {"identity": identity, "box": torch.full((3, 3), 1 / 9), "edge": edge, "sharpen": identity - edge,
            "gaussian3": GAUSSIAN3, "gaussian5": GAUSSIAN5}[name]  # fmt: skip


GAUSSIAN3 = torch.tensor([1.0, 2.0, 1.0]).outer(torch.tensor([1.0, 2.0, 1.0]))
GAUSSIAN5 = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]).outer(torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]))


# %% mistake="kernel" name="box-of-ones"
def kernel(name):
    """Your box adds up nine pixels. A mean divides."""
    identity = torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    edge = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    return {"identity": identity, "box": torch.ones(3, 3), "edge": edge, "sharpen": identity - edge,
            "gaussian3": GAUSSIAN3 / 16, "gaussian5": GAUSSIAN5 / 256}[name]  # fmt: skip


GAUSSIAN3 = torch.tensor([1.0, 2.0, 1.0]).outer(torch.tensor([1.0, 2.0, 1.0]))
GAUSSIAN5 = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]).outer(torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]))


# %% mistake="kernel" name="eight-neighbours"
def kernel(name):
    """Your edge kernel takes all eight neighbours, and the middle eight times. Only the four that share a side are meant."""
    identity = torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    edge = torch.ones(3, 3) - 9 * identity
    return {"identity": identity, "box": torch.full((3, 3), 1 / 9), "edge": edge, "sharpen": identity - edge,
            "gaussian3": GAUSSIAN3 / 16, "gaussian5": GAUSSIAN5 / 256}[name]  # fmt: skip


GAUSSIAN3 = torch.tensor([1.0, 2.0, 1.0]).outer(torch.tensor([1.0, 2.0, 1.0]))
GAUSSIAN5 = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]).outer(torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]))


# %% mistake="kernel" name="whole-numbers"
def kernel(name):
    """Your kernels are whole numbers (int64), and an image can't be multiplied with a rounded 1/9. Write 1.0 for 1."""
    identity = torch.tensor([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    edge = torch.tensor([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    return {"identity": identity, "box": torch.full((3, 3), 1 // 9), "edge": edge, "sharpen": identity - edge,
            "gaussian3": GAUSSIAN3, "gaussian5": GAUSSIAN5}[name]  # fmt: skip


GAUSSIAN3 = torch.tensor([1, 2, 1]).outer(torch.tensor([1, 2, 1])) // 16
GAUSSIAN5 = torch.tensor([1, 4, 6, 4, 1]).outer(torch.tensor([1, 4, 6, 4, 1])) // 256


# %% alternative="kernel" name="as-printed"
def kernel(name):
    rows = {
        "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
        "box": [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
        "edge": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
        "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
        "gaussian3": [[1, 2, 1], [2, 4, 2], [1, 2, 1]],
        "gaussian5": [
            [1, 4, 6, 4, 1],
            [4, 16, 24, 16, 4],
            [6, 24, 36, 24, 6],
            [4, 16, 24, 16, 4],
            [1, 4, 6, 4, 1],
        ],
    }
    divisor = {"box": 9, "gaussian3": 16, "gaussian5": 256}
    return torch.tensor(rows[name], dtype=torch.float32) / divisor.get(name, 1)


# %% alternative="kernel" name="branches"
def kernel(name):
    middle = torch.zeros(3, 3)
    middle[1, 1] = 1
    if name == "identity":
        return middle
    if name == "box":
        return torch.ones(3, 3).div(9)
    if name in ("edge", "sharpen"):
        edge = -4 * middle
        for i, j in ((0, 1), (1, 0), (1, 2), (2, 1)):
            edge[i, j] = 1
        return edge if name == "edge" else middle - edge
    row = torch.tensor([[1.0, 2, 1]]) if name == "gaussian3" else torch.tensor([[1.0, 4, 6, 4, 1]])
    both = row.T @ row
    return both / both.sum()


# %% [markdown]
# ## How large is the result?  ·  ●●○ · 3 min · 1 point
#
# A kernel of 3 fits at 6 places of 8 pixels; with **padding** 1, a frame of zeros, at 8 again (Minhas, "Padding"). **Stride**
# $s$ takes every $s$-th place. **Dilation** $d$ pulls the kernel apart: its $k$ pixels, $d$ places from each other, span
# $d(k - 1) + 1$. **Predict**: 224 pixels, kernel 7, padding 3, stride 2, the first layer of the ResNet on the slide.
#
# **Your turn**: the number of places along one side. Where the kernel would hang over the edge is no place.


# %% answer="output_size"
def output_size(n: int, k: int, pad: int = 0, stride: int = 1, dilation: int = 1) -> int:
    """Places along a side of n pixels for a kernel of k; a whole number.

    pad zeros are added on each of both sides. The kernel fits at least once.
    """
    ### BEGIN SOLUTION return the number of places
    return (n + 2 * pad - dilation * (k - 1) - 1) // stride + 1
    ### END SOLUTION


# %% test="output_size" points=1
check.equal(output_size(8, 3), 6, "A kernel of 3 in 8 pixels: where may its first pixel stand?")
check.equal(output_size(8, 3, pad=1), 8, "Padding adds one pixel on each side")
check.equal(output_size(224, 7, pad=3, stride=2), 112, "The first layer of the slide's ResNet")
check.equal(output_size(9, 3, dilation=2), 5, "With dilation 2, three pixels span five")
### BEGIN HIDDEN TESTS
for _ in range(40):
    n, (k, pad) = int(check.integers(9, 40, 1)), (int(v) for v in check.integers(1, 6, 2))
    stride, dilation = (int(v) for v in check.integers(1, 5, 2))
    pad = pad - 1
    if dilation * (k - 1) + 1 > n + 2 * pad:
        continue
    line, weights = torch.zeros(1, 1, n), torch.zeros(1, 1, k)
    want = F.conv1d(line, weights, None, stride, pad, dilation).shape[-1]
    got = output_size(n, k, pad, stride, dilation)
    check.true(isinstance(got, int), f"A number of places is a whole number, not {got!r}")
    check.equal(got, want, f"n = {n}, k = {k}, padding {pad}, stride {stride}, dilation {dilation}")
### END HIDDEN TESTS


# %% mistake="output_size" name="fence-posts"
def output_size(n, k, pad=0, stride=1, dilation=1):
    """You counted the steps between the places. There is one place more than steps."""
    return (n + 2 * pad - dilation * (k - 1) - 1) // stride


# %% mistake="output_size" name="padding-once"
def output_size(n, k, pad=0, stride=1, dilation=1):
    """You added the padding once. A side has two ends."""
    return (n + pad - dilation * (k - 1) - 1) // stride + 1


# %% mistake="output_size" name="padding-forgotten"
def output_size(n, k, pad=0, stride=1, dilation=1):
    """The padding makes no difference to your result. It makes the image larger."""
    return (n - dilation * (k - 1) - 1) // stride + 1


# %% mistake="output_size" name="rounded-up"
def output_size(n, k, pad=0, stride=1, dilation=1):
    """You rounded up: your last window hangs over the edge."""
    return math.ceil((n + 2 * pad - dilation * (k - 1) - 1) / stride) + 1


# %% mistake="output_size" name="stride-ignored"
def output_size(n, k, pad=0, stride=1, dilation=1):
    """The stride makes no difference to your result. With 2, about half of the places are left."""
    return n + 2 * pad - dilation * (k - 1)


# %% mistake="output_size" name="dilation-ignored"
def output_size(n, k, pad=0, stride=1, dilation=1):
    """The dilation makes no difference to your result. A kernel that is pulled apart fits in fewer places."""
    return (n + 2 * pad - k) // stride + 1


# %% mistake="output_size" name="dilation-times-k"
def output_size(n, k, pad=0, stride=1, dilation=1):
    """You took dilation times k for the span of the kernel. Count the gaps: between k pixels there are fewer than k."""
    return (n + 2 * pad - dilation * k) // stride + 1


# %% mistake="output_size" name="divided-first"
def output_size(n, k, pad=0, stride=1, dilation=1):
    """You divided the whole image by the stride and then took the kernel away. First find all places, then skip."""
    return (n + 2 * pad) // stride - dilation * (k - 1)


# %% mistake="output_size" name="not-whole"
def output_size(n, k, pad=0, stride=1, dilation=1):
    """You divided with /. There is no half of a place."""
    return (n + 2 * pad - dilation * (k - 1) - 1) / stride + 1


# %% alternative="output_size" name="count-them"
def output_size(n, k, pad=0, stride=1, dilation=1):
    return len(range(0, n + 2 * pad - dilation * (k - 1), stride))


# %% alternative="output_size" name="floor"
def output_size(n, k, pad=0, stride=1, dilation=1):
    span = dilation * (k - 1) + 1
    return int(math.floor((n + 2 * pad - span) / stride + 1))


# %% [markdown]
# ## A layer in one matrix product  ·  ●●● · 6 min · 3 points
#
# A layer has `n_in` channels coming in, `n_out` going out, and a kernel for each pair: `W` is `(n_out, n_in, a, b)`. An output
# channel adds up what it gathers from all input channels, and its bias.
#
# A sum of products is a dot product (Minhas, "Convolution\*"). `F.unfold(x, (a, b), dilation, pad, stride)` lays each window
# out as a column: `(batch, n_in·a·b, places)`, place after place along the rows, in each column channel after channel. All
# kernels, laid out likewise as the rows of one matrix, times those columns are the layer.


# %% answer="conv_layer"
def conv_layer(
    x: torch.Tensor,
    W: torch.Tensor,
    b: torch.Tensor,
    pad: int = 0,
    stride: int = 1,
    dilation: int = 1,
) -> torch.Tensor:
    """Pre-activations z of a convolutional layer.

    x (batch, n_in, height, width), W (n_out, n_in, a, b), b (n_out,).
    Returns shape (batch, n_out, rows, columns), with sizes as from output_size.
    """
    ### BEGIN SOLUTION unfold x, multiply by the kernels, add the bias, and give it its shape
    size = W.shape[2:]
    windows = F.unfold(x, size, dilation, pad, stride)
    z = W.flatten(1) @ windows + b[:, None]
    shape = [output_size(n, k, pad, stride, dilation) for n, k in zip(x.shape[2:], size)]
    return z.reshape(len(x), len(W), *shape)
    ### END SOLUTION


# %% test="conv_layer" points=3
BANNED = ("conv1d", "conv2d", "conv3d", "convolution", "convolve", "correlate", "fftconvolve",
    "conv_transpose2d", "conv_tbc")  # fmt: skip
check.by_hand(conv_layer, *BANNED)
x, W = torch.arange(9.0).reshape(1, 1, 3, 3), torch.tensor([[[[1.0, 0.0], [0.0, -1.0]]]])
check.close(
    check.unchanged(conv_layer, x, W, torch.tensor([10.0])),
    torch.full((1, 1, 2, 2), 6.0),
    "At the first place: 10 + 1·0 − 1·4",
)
check.shape(conv_layer(x, W, torch.zeros(1), pad=1), (1, 1, 4, 4))
check.shape(conv_layer(x, W, torch.zeros(1), pad=1, stride=2), (1, 1, 2, 2))
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        for pad, stride, dilation in ((0, 1, 1), (2, 1, 1), (0, 2, 1), (0, 1, 2), (1, 3, 2)):
            batch, n_in, n_out = check.sizes(3, 2, 5)
            a, b = check.sizes(2, 2, 3)
            height, width = check.sizes(2, 8, 12)
            x = check.randn(batch, n_in, height, width, dtype=dtype, device=device)
            W = check.randn(n_out, n_in, a, b, dtype=dtype, device=device)
            bias = check.randn(n_out, dtype=dtype, device=device)
            got = check.unchanged(conv_layer, x, W, bias, pad, stride, dilation)
            want = F.conv2d(x, W, bias, stride, pad, dilation)
            check.close(got, want, f"Padding {pad}, stride {stride}, dilation {dilation}")
check.stays_on_device(
    conv_layer, check.randn(2, 3, 6, 5), check.randn(4, 3, 2, 3), check.randn(4), 1, 2, 1
)
### END HIDDEN TESTS


# %% mistake="conv_layer" name="padding-forgotten"
def conv_layer(x, W, b, pad=0, stride=1, dilation=1):
    """You left the padding out: your result is too small."""
    size = W.shape[2:]
    z = W.flatten(1) @ F.unfold(x, size, dilation, 0, stride) + b[:, None]
    shape = [output_size(n, k, 0, stride, dilation) for n, k in zip(x.shape[2:], size)]
    return z.reshape(len(x), len(W), *shape)


# %% mistake="conv_layer" name="stride-ignored"
def conv_layer(x, W, b, pad=0, stride=1, dilation=1):
    """You ignored the stride: every place is there."""
    size = W.shape[2:]
    z = W.flatten(1) @ F.unfold(x, size, dilation, pad) + b[:, None]
    shape = [output_size(n, k, pad, 1, dilation) for n, k in zip(x.shape[2:], size)]
    return z.reshape(len(x), len(W), *shape)


# %% mistake="conv_layer" name="dilation-ignored"
def conv_layer(x, W, b, pad=0, stride=1, dilation=1):
    """You ignored the dilation: your kernel is not pulled apart."""
    size = W.shape[2:]
    z = W.flatten(1) @ F.unfold(x, size, 1, pad, stride) + b[:, None]
    shape = [output_size(n, k, pad, stride, 1) for n, k in zip(x.shape[2:], size)]
    return z.reshape(len(x), len(W), *shape)


# %% mistake="conv_layer" name="no-bias"
def conv_layer(x, W, b, pad=0, stride=1, dilation=1):
    """You left the bias out."""
    size = W.shape[2:]
    z = W.flatten(1) @ F.unfold(x, size, dilation, pad, stride)
    shape = [output_size(n, k, pad, stride, dilation) for n, k in zip(x.shape[2:], size)]
    return z.reshape(len(x), len(W), *shape)


# %% mistake="conv_layer" name="turned-kernel"
def conv_layer(x, W, b, pad=0, stride=1, dilation=1):
    """You turned the kernels by half a turn. Deep learning's "convolution" is correlation."""
    size = W.shape[2:]
    z = W.flip(2, 3).flatten(1) @ F.unfold(x, size, dilation, pad, stride) + b[:, None]
    shape = [output_size(n, k, pad, stride, dilation) for n, k in zip(x.shape[2:], size)]
    return z.reshape(len(x), len(W), *shape)


# %% mistake="conv_layer" name="rows-and-columns-swapped"
def conv_layer(x, W, b, pad=0, stride=1, dilation=1):
    """You swapped rows and columns when you gave the result its shape. The windows come row by row."""
    size = W.shape[2:]
    z = W.flatten(1) @ F.unfold(x, size, dilation, pad, stride) + b[:, None]
    rows, columns = [output_size(n, k, pad, stride, dilation) for n, k in zip(x.shape[2:], size)]
    return z.reshape(len(x), len(W), columns, rows).transpose(2, 3)


# %% mistake="conv_layer" name="channels-last"
def conv_layer(x, W, b, pad=0, stride=1, dilation=1):
    """You laid the kernels out with the channel running fastest. In a column of unfold it runs slowest."""
    size = W.shape[2:]
    flat = W.permute(0, 2, 3, 1).reshape(len(W), -1)
    z = flat @ F.unfold(x, size, dilation, pad, stride) + b[:, None]
    shape = [output_size(n, k, pad, stride, dilation) for n, k in zip(x.shape[2:], size)]
    return z.reshape(len(x), len(W), *shape)


# %% mistake="conv_layer" name="places-for-channels"
def conv_layer(x, W, b, pad=0, stride=1, dilation=1):
    """You have places before channels, and `reshape` only cuts anew: it does not turn. `transpose` does."""
    size = W.shape[2:]
    z = F.unfold(x, size, dilation, pad, stride).transpose(1, 2) @ W.flatten(1).T + b
    shape = [output_size(n, k, pad, stride, dilation) for n, k in zip(x.shape[2:], size)]
    return z.reshape(len(x), len(W), *shape)


# %% mistake="conv_layer" name="channels-not-added"
def conv_layer(x, W, b, pad=0, stride=1, dilation=1):
    """You used the first input channel only. Each output channel gathers from all of them."""
    size = W.shape[2:]
    z = W[:, :1].flatten(1) @ F.unfold(x[:, :1], size, dilation, pad, stride) + b[:, None]
    shape = [output_size(n, k, pad, stride, dilation) for n, k in zip(x.shape[2:], size)]
    return z.reshape(len(x), len(W), *shape)


# %% mistake="conv_layer" name="padded-on-the-cpu"
def conv_layer(x, W, b, pad=0, stride=1, dilation=1):
    """You padded into a frame of zeros on the CPU. Think about where x is."""
    size, (batch, n_in, height, width) = W.shape[2:], x.shape
    wide = torch.zeros(batch, n_in, height + 2 * pad, width + 2 * pad, dtype=x.dtype)
    wide[:, :, pad : pad + height, pad : pad + width] = x
    z = W.flatten(1) @ F.unfold(wide, size, dilation, 0, stride) + b[:, None]
    shape = [output_size(n, k, pad, stride, dilation) for n, k in zip(x.shape[2:], size)]
    return z.reshape(len(x), len(W), *shape)


# %% mistake="conv_layer" name="library"
def conv_layer(x, W, b, pad=0, stride=1, dilation=1):
    """You let PyTorch do it. By hand here: unfold, and one matrix product."""
    return F.conv2d(x, W, b, stride, pad, dilation)


# %% alternative="conv_layer" name="windows-by-slices"
def conv_layer(x, W, b, pad=0, stride=1, dilation=1):
    wide = F.pad(x, (pad, pad, pad, pad))
    rows = output_size(x.shape[2], W.shape[2], pad, stride, dilation)
    columns = output_size(x.shape[3], W.shape[3], pad, stride, dilation)
    z = b[None, :, None, None]
    for k in range(W.shape[2]):
        for l in range(W.shape[3]):
            part = wide[:, :, k * dilation :, l * dilation :][:, :, ::stride, ::stride]
            part = part[:, :, :rows, :columns]
            z = z + torch.einsum("oi,birc->borc", W[:, :, k, l], part)
    return z


# %% alternative="conv_layer" name="einsum"
def conv_layer(x, W, b, pad=0, stride=1, dilation=1):
    batch, n_in, height, width = x.shape
    n_out, _, k, l = W.shape
    columns = F.unfold(x, (k, l), dilation=dilation, padding=pad, stride=stride)
    z = torch.einsum("of,bfp->bop", W.reshape(n_out, n_in * k * l), columns)
    z = z + b.view(1, -1, 1)
    return z.view(batch, n_out, output_size(height, k, pad, stride, dilation), -1)


# %% alternative="conv_layer" name="transposed"
def conv_layer(x, W, b, pad=0, stride=1, dilation=1):
    size = (W.shape[2], W.shape[3])
    windows = F.unfold(x, size, dilation, pad, stride).transpose(1, 2)
    z = (windows @ W.reshape(len(W), -1).T + b).transpose(1, 2)
    rows = output_size(x.shape[2], size[0], pad, stride, dilation)
    return z.unflatten(2, (rows, -1))


# %% [markdown]
# ## Pooling  ·  ●●○ · 6 min · 3 points
#
# Pooling has no weights: it takes the largest number of a window or their mean, channel by channel (Minhas, "Pooling"). What
# moves a little inside the window leaves the maximum as it is ("invariance to local variations", Passerini). **Predict**: and
# what moves over the border between two windows?
#
# *Adaptive* pooling makes $n \times n$ numbers of any image: of $H$ rows, number $i$ averages those from
# $\lfloor i H / n \rfloor$ up to, and without, $\lceil (i + 1) H / n \rceil$; columns likewise. The slide makes 3 × 3 of 8 × 8
# and of 6 × 6, by changing the window's size, it says. With 8 rows the windows also overlap.
#
# **Your turn**, by hand. A tensor's own `unfold(dim, size, stride)` cuts windows along one dimension.


# %% answer="max_pool2d"
def max_pool2d(x: torch.Tensor, size: int, stride: int) -> torch.Tensor:
    """Largest number of each size by size window, windows `stride` apart; only those that fit.

    x (..., height, width). Returns shape (..., rows, columns).
    """
    ### BEGIN SOLUTION return the maximum of each window
    return x.unfold(-2, size, stride).unfold(-2, size, stride).amax((-2, -1))
    ### END SOLUTION


def avg_pool2d(x: torch.Tensor, size: int, stride: int) -> torch.Tensor:
    """Mean of each window, as max_pool2d otherwise."""
    ### BEGIN SOLUTION return the mean of each window
    return x.unfold(-2, size, stride).unfold(-2, size, stride).mean((-2, -1))
    ### END SOLUTION


def adaptive_avg_pool(x: torch.Tensor, n: int) -> torch.Tensor:
    """Means of n by n windows that cover x (..., height, width) as told above; shape (..., n, n)."""
    ### BEGIN SOLUTION return the means of n by n windows
    height, width = x.shape[-2:]

    def bins(length: int) -> list[slice]:
        return [slice(i * length // n, -(-(i + 1) * length // n)) for i in range(n)]

    rows = [[x[..., r, c].mean((-2, -1)) for c in bins(width)] for r in bins(height)]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)
    ### END SOLUTION


# %%
widgets.cnn.stepper(max_pool2d, avg_pool2d)

# %% [markdown]
# *What to see*: the one 0 in the corner is gone from the maximum, and pulls the mean down. With stride 1 windows overlap, with
# stride 3 some pixels are never looked at.

# %% test="max_pool2d" points=3
BANNED = ("max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "lp_pool2d", "interpolate",
    "max_pool2d_with_indices", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d")  # fmt: skip
for f in (max_pool2d, avg_pool2d, adaptive_avg_pool):
    check.by_hand(f, *BANNED)
x = torch.arange(16.0).reshape(4, 4)
check.close(
    max_pool2d(x, 2, 2),
    torch.tensor([[5.0, 7.0], [13.0, 15.0]]),
    "The first window has 0, 1, 4 and 5",
)
check.close(
    avg_pool2d(x, 2, 2), torch.tensor([[2.5, 4.5], [10.5, 12.5]]), "The mean of 0, 1, 4 and 5"
)
check.shape(max_pool2d(x, 2, 1), (3, 3))
check.shape(avg_pool2d(x, 3, 2), (1, 1))
line = torch.arange(8.0).expand(8, 8)
check.close(
    adaptive_avg_pool(line, 3),
    torch.tensor([1.0, 3.5, 6.0]).expand(3, 3),
    "Of 8 columns the three windows have 0 to 2, 2 to 5, and 5 to 7",
)
### BEGIN HIDDEN TESTS
for device in check.devices():
    for dtype in check.dtypes():
        for size, stride in ((2, 2), (3, 2), (2, 3), (3, 1)):
            batch, channels = check.sizes(2, 2, 5)
            height, width = check.sizes(2, 7, 12)
            x = check.randn(batch, channels, height, width, dtype=dtype, device=device) - 2
            got = check.unchanged(max_pool2d, x, size, stride)
            check.close(
                got, F.max_pool2d(x, size, stride), f"Maximum, size {size}, stride {stride}"
            )
            got = check.unchanged(avg_pool2d, x, size, stride)
            check.close(got, F.avg_pool2d(x, size, stride), f"Mean, size {size}, stride {stride}")
        for n in (1, 2, 3, 5):
            height, width = check.sizes(2, 5, 13)
            x = check.randn(2, 3, height, width, dtype=dtype, device=device)
            got = check.unchanged(adaptive_avg_pool, x, n)
            check.close(
                got,
                F.adaptive_avg_pool2d(x, n),
                f"{height} rows and {width} columns into {n} by {n}",
            )
x = check.randn(3, 6, 7)
for f, settings in ((max_pool2d, (2, 2)), (avg_pool2d, (2, 2)), (adaptive_avg_pool, (4,))):
    check.close(
        f(x[0], *settings), f(x, *settings)[0], "One image alone, (height, width), counts too"
    )
    check.stays_on_device(f, x, *settings)
### END HIDDEN TESTS


# %% mistake="max_pool2d" name="over-channels"
def max_pool2d(x, size, stride):
    """You took the maximum over channels as well. Each channel is pooled for itself."""
    pooled = x.unfold(-2, size, stride).unfold(-2, size, stride).amax((-2, -1))
    return pooled.amax(-3, keepdim=True).expand_as(pooled) if x.dim() > 2 else pooled


# %% mistake="max_pool2d" name="stride-ignored"
def max_pool2d(x, size, stride):
    """You put the windows side by side, whatever the stride."""
    return x.unfold(-2, size, size).unfold(-2, size, size).amax((-2, -1))


# %% mistake="max_pool2d" name="mean-stride-ignored"
def avg_pool2d(x, size, stride):
    """Your means come from windows side by side, whatever the stride."""
    return x.unfold(-2, size, size).unfold(-2, size, size).mean((-2, -1))


# %% mistake="max_pool2d" name="padded-with-zeros"
def max_pool2d(x, size, stride):
    """You filled the last windows up with zeros. Windows that don't fit are left out."""
    over = [-(n - size) % stride for n in x.shape[-2:]]
    wide = F.pad(x, (0, over[1], 0, over[0]))
    return wide.unfold(-2, size, stride).unfold(-2, size, stride).amax((-2, -1))


# %% mistake="max_pool2d" name="starts-at-zero"
def max_pool2d(x, size, stride):
    """You started the search for the maximum at 0: where all numbers are negative, 0 wins."""
    return x.unfold(-2, size, stride).unfold(-2, size, stride).amax((-2, -1)).clamp(min=0)


# %% mistake="max_pool2d" name="largest-size"
def max_pool2d(x, size, stride):
    """You took the number furthest from 0. The largest is meant, and −5 is not large."""
    windows = x.unfold(-2, size, stride).unfold(-2, size, stride).flatten(-2)
    return windows.gather(-1, windows.abs().argmax(-1, keepdim=True)).squeeze(-1)


# %% mistake="max_pool2d" name="sum"
def avg_pool2d(x, size, stride):
    """You added up and did not divide."""
    return x.unfold(-2, size, stride).unfold(-2, size, stride).sum((-2, -1))


# %% mistake="max_pool2d" name="divided-by-size"
def avg_pool2d(x, size, stride):
    """You divided by the side of the window. How many numbers are in it?"""
    return x.unfold(-2, size, stride).unfold(-2, size, stride).sum((-2, -1)) / size


# %% mistake="max_pool2d" name="ends-rounded-down"
def adaptive_avg_pool(x, n):
    """You rounded the ends of the windows down. Ends are rounded up: then windows may overlap."""
    height, width = x.shape[-2:]
    rows = [slice(i * height // n, (i + 1) * height // n) for i in range(n)]
    columns = [slice(i * width // n, (i + 1) * width // n) for i in range(n)]
    table = [[x[..., r, c].mean((-2, -1)) for c in columns] for r in rows]
    return torch.stack([torch.stack(row, -1) for row in table], -2)


# %% mistake="max_pool2d" name="equal-windows"
def adaptive_avg_pool(x, n):
    """You made all windows equally large and left the rest out. They are to cover the whole image."""
    height, width = x.shape[-2] // n, x.shape[-1] // n
    rows = [slice(i * height, (i + 1) * height) for i in range(n)]
    columns = [slice(i * width, (i + 1) * width) for i in range(n)]
    table = [[x[..., r, c].mean((-2, -1)) for c in columns] for r in rows]
    return torch.stack([torch.stack(row, -1) for row in table], -2)


# %% mistake="max_pool2d" name="last-takes-the-rest"
def adaptive_avg_pool(x, n):
    """You gave all the rest to the last window. The formulas spread it."""
    height, width = x.shape[-2:]
    rows = [
        slice(i * (height // n), (i + 1) * (height // n) if i < n - 1 else height) for i in range(n)
    ]
    columns = [
        slice(i * (width // n), (i + 1) * (width // n) if i < n - 1 else width) for i in range(n)
    ]
    table = [[x[..., r, c].mean((-2, -1)) for c in columns] for r in rows]
    return torch.stack([torch.stack(row, -1) for row in table], -2)


# %% mistake="max_pool2d" name="rows-for-columns"
def adaptive_avg_pool(x, n):
    """You cut the columns as if there were as many as rows. An image need not be square."""
    height = x.shape[-2]
    bins = [slice(i * height // n, -(-(i + 1) * height // n)) for i in range(n)]
    table = [[x[..., r, c].mean((-2, -1)) for c in bins] for r in bins]
    return torch.stack([torch.stack(row, -1) for row in table], -2)


# %% mistake="max_pool2d" name="means-on-the-cpu"
def adaptive_avg_pool(x, n):
    """You filled a tensor of zeros on the CPU. Think about where x is."""
    height, width = x.shape[-2:]
    out = torch.zeros(*x.shape[:-2], n, n, dtype=x.dtype)
    for i in range(n):
        for j in range(n):
            rows = slice(i * height // n, -(-(i + 1) * height // n))
            columns = slice(j * width // n, -(-(j + 1) * width // n))
            out[..., i, j] = x[..., rows, columns].mean((-2, -1))
    return out


# %% mistake="max_pool2d" name="library"
def max_pool2d(x, size, stride):
    """You let PyTorch do it. By hand here: cut windows, then one `amax`."""
    return F.max_pool2d(x if x.dim() > 2 else x[None], size, stride).reshape(*x.shape[:-2], *[
        (n - size) // stride + 1 for n in x.shape[-2:]])  # fmt: skip


# %% alternative="max_pool2d" name="loops"
def window(x, i, j, size, stride):
    return x[..., i * stride : i * stride + size, j * stride : j * stride + size]


def max_pool2d(x, size, stride):
    rows, columns = (output_size(n, size, 0, stride) for n in x.shape[-2:])
    out = [
        [window(x, i, j, size, stride).amax((-2, -1)) for j in range(columns)] for i in range(rows)
    ]
    return torch.stack([torch.stack(row, -1) for row in out], -2)


def avg_pool2d(x, size, stride):
    rows, columns = (output_size(n, size, 0, stride) for n in x.shape[-2:])
    out = x.new_zeros(*x.shape[:-2], rows, columns)
    for i in range(rows):
        for j in range(columns):
            out[..., i, j] = window(x, i, j, size, stride).sum((-2, -1)) / size**2
    return out


# %% alternative="max_pool2d" name="one-side-after-the-other"
def max_pool2d(x, size, stride):
    tall = x.unfold(-2, size, stride).max(-1).values
    return tall.unfold(-1, size, stride).max(-1).values


def adaptive_avg_pool(x, n):
    def along(x):
        length = x.shape[-1]
        parts = []
        for i in range(n):
            start, end = math.floor(i * length / n), math.ceil((i + 1) * length / n)
            parts.append(x[..., start:end].mean(-1))
        return torch.stack(parts, -1)

    return along(along(x).transpose(-2, -1)).transpose(-2, -1)


# %% alternative="max_pool2d" name="averaging-matrices"
def adaptive_avg_pool(x, n):
    def weights(length):
        M = x.new_zeros(n, length)
        for i in range(n):
            M[i, i * length // n : ((i + 1) * length + n - 1) // n] = 1
        return M / M.sum(1, keepdim=True)

    return weights(x.shape[-2]) @ x @ weights(x.shape[-1]).T


# %% [markdown]
# ## What does it cost?  ·  ●○○ · 2 min · 1 point
#
# From 32 × 32 to 32 × 32 pixels a dense layer has 1,048,576 weights (Minhas, "How can this be done?"; the 1,024 biases are left
# out). **Predict**: and a 3 × 3 convolution, with its bias?


# %% answer="conv_parameters"
def conv_parameters(n_in: int, n_out: int, k: int, bias: bool = True) -> int:
    """Numbers to learn in a convolution with k by k kernels, n_in channels in and n_out out."""
    ### BEGIN SOLUTION return the number of weights and biases
    return n_out * (n_in * k * k + bias)
    ### END SOLUTION


def dense_parameters(
    shape_in: tuple[int, ...], shape_out: tuple[int, ...], bias: bool = True
) -> int:
    """Numbers to learn in a dense layer between images of these shapes (channels, height, width)."""
    ### BEGIN SOLUTION return the number of weights and biases
    return math.prod(shape_out) * (math.prod(shape_in) + bias)
    ### END SOLUTION


# %% test="conv_parameters" points=1
check.equal(dense_parameters((1, 32, 32), (1, 32, 32), bias=False), 1_048_576, "The slide's number")
check.equal(conv_parameters(1, 1, 3), 10, "Nine weights and a bias, however large the image")
### BEGIN HIDDEN TESTS
for _ in range(4):
    n_in, n_out, k = check.sizes(3, 2, 9)
    rows, columns = check.sizes(2, 3, 9)
    for bias in (True, False):
        count = sum(
            p.numel()
            for p in torch.nn.Conv2d(n_in, n_out, k, bias=bias, device="meta").parameters()
        )
        said = "with" if bias else "without"
        check.equal(
            conv_parameters(n_in, n_out, k, bias),
            count,
            f"{n_in} channels to {n_out}, kernel {k}, {said} bias",
        )
        shapes = (n_in, rows, columns), (n_out, columns, k)
        dense = torch.nn.Linear(
            math.prod(shapes[0]), math.prod(shapes[1]), bias=bias, device="meta"
        )
        count = sum(p.numel() for p in dense.parameters())
        check.equal(
            dense_parameters(*shapes, bias), count, f"{shapes[0]} to {shapes[1]}, {said} bias"
        )
check.equal(conv_parameters(3, 8, 5), 608, "A bias unless told otherwise")
check.equal(dense_parameters((2, 3, 4), (5,)), 125, "A bias unless told otherwise")
### END HIDDEN TESTS


# %% mistake="conv_parameters" name="bias-forgotten"
def conv_parameters(n_in, n_out, k, bias=True):
    """You left the biases out."""
    return n_out * n_in * k * k


# %% mistake="conv_parameters" name="one-bias"
def conv_parameters(n_in, n_out, k, bias=True):
    """You counted one bias in all. Each output channel has its own."""
    return n_out * n_in * k * k + bias


# %% mistake="conv_parameters" name="bias-a-kernel"
def conv_parameters(n_in, n_out, k, bias=True):
    """You gave each kernel a bias. What an output channel gathers from all input channels is added up first."""
    return n_out * n_in * (k * k + bias)


# %% mistake="conv_parameters" name="bias-an-input-channel"
def conv_parameters(n_in, n_out, k, bias=True):
    """You counted a bias for each input channel. Where is it added?"""
    return n_out * n_in * k * k + n_in * bias


# %% mistake="conv_parameters" name="input-channels-forgotten"
def conv_parameters(n_in, n_out, k, bias=True):
    """You counted one kernel for each output channel. It looks at every input channel with another one."""
    return n_out * (k * k + bias)


# %% mistake="conv_parameters" name="not-squared"
def conv_parameters(n_in, n_out, k, bias=True):
    """Your kernels are lines of k weights. They are squares."""
    return n_out * (n_in * k + bias)


# %% mistake="conv_parameters" name="dense-added"
def dense_parameters(shape_in, shape_out, bias=True):
    """You added up where every pair has a weight."""
    return math.prod(shape_in) + math.prod(shape_out) * (1 + bias)


# %% mistake="conv_parameters" name="dense-without-bias"
def dense_parameters(shape_in, shape_out, bias=True):
    """You left the biases of the dense layer out."""
    return math.prod(shape_out) * math.prod(shape_in)


# %% mistake="conv_parameters" name="dense-bias-a-channel"
def dense_parameters(shape_in, shape_out, bias=True):
    """You counted one bias a channel. In a dense layer each unit has its own."""
    return math.prod(shape_out) * math.prod(shape_in) + shape_out[0] * bias


# %% alternative="conv_parameters" name="ask-pytorch"
def conv_parameters(n_in, n_out, k, bias=True):
    return sum(p.numel() for p in nn.Conv2d(n_in, n_out, k, bias=bias).parameters())


def dense_parameters(shape_in, shape_out, bias=True):
    layer = nn.Linear(math.prod(shape_in), math.prod(shape_out), bias=bias)
    return sum(p.numel() for p in layer.parameters())


# %% alternative="conv_parameters" name="weights-then-biases"
def conv_parameters(n_in, n_out, k, bias=True):
    weights = n_in * n_out * k**2
    return weights + n_out if bias else weights


def dense_parameters(shape_in, shape_out, bias=True):
    inputs = outputs = 1
    for n in shape_in:
        inputs *= n
    for n in shape_out:
        outputs *= n
    return inputs * outputs + (outputs if bias else 0)


# %% [markdown]
# ## Learn a filter  ·  ●●○ · 5 min · 2 points
#
# "Can we learn a filter that produces the output given the input?" (Minhas, "Now the interesting question"). Given: an image
# with small marks, and a target $T$ that is 1 in the middle of each +, else 0. *Representation*: $H = x \star K$, your
# correlation. *Evaluation*: $E(K) = \sum_{i,j} (H(i, j) - T(i, j))^2$. *Optimisation*: the $K$ with the smallest $E$.
#
# The slide's program has a tanh around $H$, and takes a thousand steps of Adam. $E$ as printed has none: it is a bowl with one
# lowest point. Descend until you are there, or go there at once: unfold the image, then `torch.linalg.lstsq` (least squares).
# **Predict**: which of the nine weights will be negative?


# %% answer="learn_filter"
def learn_filter(x: torch.Tensor, t: torch.Tensor, size: int = 3) -> torch.Tensor:
    """The kernel (size, size) whose correlation with x is nearest to t: smallest sum of squares.

    x (height, width), t (height - size + 1, width - size + 1). No bias, no tanh.
    """
    ### BEGIN SOLUTION return the kernel with the smallest E
    windows = F.unfold(x[None, None], size)[0].T
    return torch.linalg.lstsq(windows, t.reshape(-1, 1)).solution.reshape(size, size)
    ### END SOLUTION


# %%
widgets.cnn.detector(learn_filter)

# %% [markdown]
# *What to see*: learnt from one image, tried on another. ○ is found, × missed, △ a false alarm. Negative weights push down what
# matches half. Single dots are too much for nine weights.

# %% test="learn_filter" points=2
x, K = check.randn(12, 15), check.randn(3, 3)
t = F.conv2d(x[None, None], K[None, None])[0, 0]
got = check.unchanged(learn_filter, x, t)
check.shape(got, (3, 3))
check.close(
    got, K, "This target was made by one kernel, without noise: you should find it", tol=0.02
)


### BEGIN HIDDEN TESTS
def error(K, x, t):
    return float((F.conv2d(x[None, None], K[None, None].to(x))[0, 0] - t).square().sum())


for size in (3, 5):
    for offset in (0.0, 0.6):
        height, width = check.sizes(2, 14, 22)
        x = check.uniform(-0.3, 1, height, width)
        K = check.randn(size, size)
        t = F.conv2d(x[None, None], K[None, None])[0, 0]
        t = t + 0.4 * check.randn(*t.shape) + offset
        got = check.unchanged(learn_filter, x, t, size)
        check.shape(got, (size, size))
        check.finite(got)
        A = torch.stack([x[k : k + t.shape[0], l : l + t.shape[1]].reshape(-1)
                         for k in range(size) for l in range(size)], 1).double()  # fmt: skip
        best = torch.linalg.solve(A.T @ A, A.T @ t.reshape(-1).double()).reshape(size, size)
        least, mine = error(best.float(), x, t), error(got, x, t)
        check.true(
            mine < 1.03 * least,
            f"With a {size} by {size} kernel and noise, your E is {100 * (mine / least - 1):.1f} % above the smallest",
        )
x, noise = check.randn(11, 9, dtype=torch.float64), check.randn(9, 7, dtype=torch.float64)
got = learn_filter(x, x[1:-1, 2:] + 0.003 * noise)
check.dtype(got, torch.float64)
check.true(
    abs(float(got[1, 2]) - 1) < 0.02, "The image itself as target, one pixel off: one weight is 1"
)
### END HIDDEN TESTS


# %% mistake="learn_filter" name="turned"
def learn_filter(x, t, size=3):
    """You learnt the kernel of a convolution. For correlation it is turned by half a turn."""
    windows = F.unfold(x[None, None], size)[0].T
    return torch.linalg.lstsq(windows, t.reshape(-1, 1)).solution.reshape(size, size).flip(0, 1)


# %% mistake="learn_filter" name="transposed"
def learn_filter(x, t, size=3):
    """Rows and columns of your kernel are swapped. In which order do the weights of a window come?"""
    windows = F.unfold(x[None, None], size)[0].T
    return torch.linalg.lstsq(windows, t.reshape(-1, 1)).solution.reshape(size, size).T


# %% mistake="learn_filter" name="stopped-early"
def learn_filter(x, t, size=3):
    """You stopped on the way down. Does E still fall at your last step?"""
    K = torch.zeros(1, 1, size, size, dtype=x.dtype, requires_grad=True)
    optimiser = torch.optim.Adam([K], lr=0.01)
    for _ in range(40):
        optimiser.zero_grad()
        (F.conv2d(x[None, None], K)[0, 0] - t).square().sum().backward()
        optimiser.step()
    return K.detach()[0, 0]


# %% mistake="learn_filter" name="tanh"
def learn_filter(x, t, size=3):
    """You bent the result with tanh, as the slide's program does. Then no target above 1 can be reached."""
    K = torch.zeros(1, 1, size, size, dtype=x.dtype, requires_grad=True)
    optimiser = torch.optim.Adam([K], lr=0.05)
    for _ in range(300):
        optimiser.zero_grad()
        (torch.tanh(F.conv2d(x[None, None], K)[0, 0]) - t).square().sum().backward()
        optimiser.step()
    return K.detach()[0, 0]


# %% mistake="learn_filter" name="bias-thrown-away"
def learn_filter(x, t, size=3):
    """You learnt a bias beside the kernel and threw it away. The kernel alone would have to be another one."""
    windows = F.unfold(x[None, None], size)[0].T
    windows = torch.cat([windows, torch.ones_like(windows[:, :1])], 1)
    return torch.linalg.lstsq(windows, t.reshape(-1, 1)).solution[:-1].reshape(size, size)


# %% mistake="learn_filter" name="always-three"
def learn_filter(x, t, size=3):
    """You learn nine weights, whatever `size` says."""
    windows = F.unfold(x[: t.shape[0] + 2, : t.shape[1] + 2][None, None], 3)[0].T
    return torch.linalg.lstsq(windows, t.reshape(-1, 1)).solution.reshape(3, 3)


# %% mistake="learn_filter" name="matched-only"
def learn_filter(x, t, size=3):
    """You averaged the windows, weighted by the target. That shows what is there; the best kernel must also know what else is."""
    windows = F.unfold(x[None, None], size)[0].T
    return (windows.T @ t.reshape(-1) / len(windows)).reshape(size, size)


# %% mistake="learn_filter" name="pulled-to-zero"
def learn_filter(x, t, size=3):
    """You pull the weights towards 0 (weight decay). E as printed has no such term."""
    windows = F.unfold(x[None, None], size)[0].T
    wall = torch.eye(size * size).to(x) * len(windows)
    return torch.linalg.solve(windows.T @ windows + wall, windows.T @ t.reshape(-1)).reshape(
        size, size
    )


# %% mistake="learn_filter" name="only-float32"
def learn_filter(x, t, size=3):
    """Your kernel is float32, whatever x is."""
    windows = F.unfold(x[None, None], size)[0].T
    return torch.linalg.lstsq(windows, t.reshape(-1, 1)).solution.reshape(size, size).float()


# %% mistake="learn_filter" name="image-centred-in-place"
def learn_filter(x, t, size=3):
    """You took the mean off the caller's image, in place. They still need it as it was."""
    x -= x.mean()
    windows = F.unfold(x[None, None], size)[0].T
    return torch.linalg.lstsq(windows, t.reshape(-1, 1)).solution.reshape(size, size)


# %% alternative="learn_filter" name="adam"
def learn_filter(x, t, size=3):
    K = torch.zeros(1, 1, size, size, dtype=x.dtype, requires_grad=True)
    optimiser = torch.optim.Adam([K], lr=0.03)
    for _ in range(1200):
        optimiser.zero_grad()
        loss = (F.conv2d(x[None, None], K)[0, 0] - t).square().sum()
        loss.backward()
        optimiser.step()
    return K.detach()[0, 0]


# %% alternative="learn_filter" name="normal-equations"
def learn_filter(x, t, size=3):
    rows, columns = t.shape
    A = torch.stack(
        [x[k : k + rows, l : l + columns].flatten() for k in range(size) for l in range(size)]
    )
    return torch.linalg.solve(A @ A.T, A @ t.flatten()).view(size, size)


# %% alternative="learn_filter" name="gradient-by-hand"
def learn_filter(x, t, size=3):
    windows = F.unfold(x[None, None], size)[0].T
    K = torch.zeros(size * size, dtype=x.dtype)
    lr = 1 / torch.linalg.matrix_norm(windows, 2) ** 2
    for _ in range(2000):
        K = K - lr * windows.T @ (windows @ K - t.flatten())
    return K.reshape(size, size)


# %% [markdown]
# ## Who sees what?  ·  ●●○ · 4 min · 2 points
#
# A unit of the second layer sees nine of the first, and through them a larger window of the image: its **receptive field**. It
# widens with each layer (Moerland, "Stacking layers = Hierarchy"): edges, parts, objects. **Predict**: how many 3 × 3 layers
# until a unit sees 224 pixels? And if every second one has stride 2?

# %%
widgets.cnn.receptive()

# %% [markdown]
# *What to see*: on the left, who feeds the unit that you drag; on the right, how much each pixel counts if all weights are 1.
# The middle counts most. After a stride everything above grows faster.


# %% answer="receptive_field"
def receptive_field(layers: list[tuple[int, int, int]]) -> int:
    """Pixels along one side of the image that a unit of the last layer depends on.

    layers: (kernel, stride, dilation) of each, first layer first; pooling counts as a layer, too.
    """
    ### BEGIN SOLUTION return the number of pixels
    field, jump = 1, 1
    for k, stride, dilation in layers:
        field += dilation * (k - 1) * jump
        jump *= stride
    return field
    ### END SOLUTION


# %%
widgets.cnn.receptive(receptive_field)

# %% test="receptive_field" points=2
check.equal(receptive_field([(3, 1, 1)]), 3, "One layer sees its own kernel")
check.equal(
    receptive_field([(3, 1, 1), (3, 1, 1)]), 5, "Two of them: three windows of 3, each one pixel on"
)
check.equal(
    receptive_field([(2, 2, 1), (3, 1, 1)]),
    6,
    "After a stride of 2, neighbours are two pixels apart",
)
check.equal(receptive_field([(3, 1, 1), (3, 1, 2)]), 7, "Dilation pulls the second kernel apart")
### BEGIN HIDDEN TESTS
check.equal(receptive_field([]), 1, "Without layers a pixel sees itself")
for count in (2, 3, 4):
    for _ in range(4):
        layers = []
        while len(layers) < count:
            k, stride, dilation = (int(v) for v in check.integers(1, 4, 3))
            layers.append((k + 1, stride, dilation))
        x = torch.zeros(1, 1, 1500, dtype=torch.float64, requires_grad=True)
        z = x
        for k, stride, dilation in layers:
            z = F.conv1d(z, torch.ones(1, 1, k).double(), None, stride, 0, dilation)
        z[0, 0, z.shape[-1] // 2].backward()
        seen = x.grad[0, 0].nonzero().flatten()
        check.equal(
            receptive_field(layers),
            int(seen[-1] - seen[0]) + 1,
            f"Look at the layers {layers}",
        )
### END HIDDEN TESTS


# %% mistake="receptive_field" name="strides-ignored"
def receptive_field(layers):
    """The strides make no difference to your result. How far apart in the image are two neighbours after a stride?"""
    return 1 + sum(dilation * (k - 1) for k, _, dilation in layers)


# %% mistake="receptive_field" name="dilation-ignored"
def receptive_field(layers):
    """The dilation makes no difference to your result."""
    field, jump = 1, 1
    for k, stride, _ in layers:
        field += (k - 1) * jump
        jump *= stride
    return field


# %% mistake="receptive_field" name="product"
def receptive_field(layers):
    """You multiplied the kernels' sizes. Neighbouring windows overlap."""
    return math.prod(dilation * (k - 1) + 1 for k, _, dilation in layers)


# %% mistake="receptive_field" name="sum"
def receptive_field(layers):
    """You added the kernels' sizes. Each layer adds one pixel less than its kernel has: windows overlap."""
    field, jump = 0, 1
    for k, stride, dilation in layers:
        field += (dilation * (k - 1) + 1) * jump
        jump *= stride
    return field


# %% mistake="receptive_field" name="own-stride-too-early"
def receptive_field(layers):
    """You let a layer's stride spread its own kernel. It spreads only what comes after it."""
    field, jump = 1, 1
    for k, stride, dilation in layers:
        jump *= stride
        field += dilation * (k - 1) * jump
    return field


# %% mistake="receptive_field" name="last-stride-only"
def receptive_field(layers):
    """You used the stride of the layer before only. Strides multiply, all the way up."""
    field, before = 1, 1
    for k, stride, dilation in layers:
        field += dilation * (k - 1) * before
        before = stride
    return field


# %% mistake="receptive_field" name="strides-added"
def receptive_field(layers):
    """You added the strides up. Two strides of 2 set neighbours 4 pixels apart, two of 3 set them 9."""
    field, jump = 1, 1
    for k, stride, dilation in layers:
        field += dilation * (k - 1) * jump
        jump += stride - 1
    return field


# %% mistake="receptive_field" name="dilation-accumulates"
def receptive_field(layers):
    """You let the dilation spread the layers above, like a stride. It pulls its own kernel apart, and no other."""
    field, jump = 1, 1
    for k, stride, dilation in layers:
        field += dilation * (k - 1) * jump
        jump *= stride * dilation
    return field


# %% alternative="receptive_field" name="backwards"
def receptive_field(layers):
    field = 1
    for k, stride, dilation in reversed(layers):
        field = (field - 1) * stride + dilation * (k - 1) + 1
    return field


# %% alternative="receptive_field" name="set-of-places"
def receptive_field(layers):
    seen = {0}
    for k, stride, dilation in layers[::-1]:
        seen = {i * stride + dilation * j for i in seen for j in range(k)}
    return max(seen) - min(seen) + 1


# %% [markdown]
# ## Shift the image  ·  ●●○ · 4 min · 2 points
#
# CNNs are "invariant wrt translation", says the deck (Minhas, "Convolutional Networks"). A convolution isn't: shift the image,
# and the result shifts with it. That is **equivariance**, $f(\text{shift}\,x) = \text{shift}\,f(x)$. *Invariance*,
# $f(\text{shift}\,x) = f(x)$, is what we want of the answer "a seven". **Your turn**: measure how far a layer is from
# equivariance. What leaves on one side comes in on the other (`torch.roll`).


# %% answer="equivariance_error"
def equivariance_error(
    f: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, shift: tuple[int, int]
) -> torch.Tensor:
    """Largest absolute difference between f(shifted x) and shifted f(x), shape ().

    x (..., height, width); f keeps height and width. shift: pixels (down, right), rolled round.
    """
    ### BEGIN SOLUTION return the largest absolute difference
    moved = torch.roll(x, shift, (-2, -1))
    return (f(moved) - torch.roll(f(x), shift, (-2, -1))).abs().max()
    ### END SOLUTION


# %%
torch.manual_seed(0)
photo = photos.load("camera", 16)[None, None]  # 32 by 32
W, dense = torch.randn(1, 1, 3, 3), torch.randn(32 * 32, 32 * 32) / 32
LAYERS = {
    "convolution, round the edge": lambda x: F.conv2d(F.pad(x, (1, 1, 1, 1), mode="circular"), W),
    "convolution, zeros around": lambda x: F.conv2d(x, W, padding=1),
    "dense": lambda x: (x.flatten(1) @ dense).reshape(x.shape),
    "ReLU": torch.relu,
    "maximum of 2 by 2, stride 2": lambda x: F.interpolate(F.max_pool2d(x, 2), scale_factor=2),
}
for name, f in LAYERS.items():
    errors = [float(equivariance_error(f, photo, (0, right))) for right in (1, 2)]
    print(f"{name:28} shifted by 1: {errors[0]:.3f}   by 2: {errors[1]:.3f}")

# %% [markdown]
# *What to see*: 0 for a convolution, up to rounding. Zeros around the image tell where its edge is. Pooling with stride 2 is
# equivariant for every second shift only, which is why one pixel can change what a CNN says. A dense layer knows no neighbours.


# %% test="equivariance_error" points=2
def by_row(x):
    """Not the same everywhere: row i is multiplied by i."""
    return x * torch.arange(x.shape[-2]).to(x)[:, None]


x = torch.tensor([[1.0, 2.0], [5.0, 3.0], [0.0, 4.0]])
check.close(
    equivariance_error(torch.relu, x, (1, 1)), torch.tensor(0.0), "ReLU does the same everywhere"
)
check.close(
    equivariance_error(by_row, x, (1, 0)),
    torch.tensor(8.0),
    "The 4 gets times 0 instead of times 2",
)


### BEGIN HIDDEN TESTS
def slide(x, down, right):
    x = torch.cat([x[..., -down:, :], x[..., :-down, :]], -2) if down else x
    return torch.cat([x[..., -right:], x[..., :-right]], -1) if right else x


for device in check.devices():
    for dtype in check.dtypes():
        channels, height, width = 2, *check.sizes(2, 5, 9)
        K = check.randn(2, 2, 3, 3, dtype=dtype, device=device)
        ramp = check.randn(height, width, dtype=dtype, device=device)
        CASES = {
            "a convolution round the edge": lambda x: F.conv2d(
                F.pad(x, (1, 1, 1, 1), mode="circular"), K
            ),
            "a convolution with zeros around": lambda x: F.conv2d(x, K, padding=1),
            "a layer with other weights everywhere": lambda x: x * ramp - 3,
            "a mirror": lambda x: x.flip(-1),
        }
        for what, f in CASES.items():
            for shift in ((1, 0), (0, 2), (2, 1), (3, 4)):
                x = check.randn(3, channels, height, width, dtype=dtype, device=device)
                want = (f(slide(x, *shift)) - slide(f(x), *shift)).abs().max()
                got = check.unchanged(equivariance_error, f, x, shift)
                check.close(
                    got, want, f"{what}, shifted by {shift[0]} down and {shift[1]} right", tol=1e-4
                )
check.stays_on_device(equivariance_error, torch.tanh, check.randn(3, 4, 5), (1, 2))
### END HIDDEN TESTS


# %% mistake="equivariance_error" name="invariance"
def equivariance_error(f, x, shift):
    """You compared with f of the image where it was. That measures invariance."""
    return (f(torch.roll(x, shift, (-2, -1))) - f(x)).abs().max()


# %% mistake="equivariance_error" name="shifted-back"
def equivariance_error(f, x, shift):
    """You shifted the result the other way. Both go the same way, or one comes back."""
    back = (-shift[0], -shift[1])
    return (f(torch.roll(x, shift, (-2, -1))) - torch.roll(f(x), back, (-2, -1))).abs().max()


# %% mistake="equivariance_error" name="down-and-right-swapped"
def equivariance_error(f, x, shift):
    """You swapped down and right. Which dimension holds the rows?"""
    moved = torch.roll(f(x), shift, (-1, -2))
    return (f(torch.roll(x, shift, (-1, -2))) - moved).abs().max()


# %% mistake="equivariance_error" name="down-only"
def equivariance_error(f, x, shift):
    """You shifted down only. The second number of the shift is to the right."""
    return (f(torch.roll(x, shift[0], -2)) - torch.roll(f(x), shift[0], -2)).abs().max()


# %% mistake="equivariance_error" name="first-dimensions"
def equivariance_error(f, x, shift):
    """You shifted the first two dimensions: in a batch these are images and channels."""
    return (f(torch.roll(x, shift, (0, 1))) - torch.roll(f(x), shift, (0, 1))).abs().max()


# %% mistake="equivariance_error" name="flattened"
def equivariance_error(f, x, shift):
    """You rolled without saying which dimensions: then all pixels are one long line."""
    by = shift[0] * x.shape[-1] + shift[1]
    return (f(torch.roll(x, by)) - torch.roll(f(x), by)).abs().max()


# %% mistake="equivariance_error" name="mean"
def equivariance_error(f, x, shift):
    """You took the mean difference. The largest is asked for: one pixel at the edge must count."""
    return (f(torch.roll(x, shift, (-2, -1))) - torch.roll(f(x), shift, (-2, -1))).abs().mean()


# %% mistake="equivariance_error" name="sign-kept"
def equivariance_error(f, x, shift):
    """You kept the sign: a difference of −7 counts less than one of 1."""
    return (f(torch.roll(x, shift, (-2, -1))) - torch.roll(f(x), shift, (-2, -1))).max()


# %% mistake="equivariance_error" name="zeros-come-in"
def equivariance_error(f, x, shift):
    """You let zeros come in. What leaves on one side is to come in on the other."""

    def moved(x):
        height, width = x.shape[-2:]
        return F.pad(x, (shift[1], 0, shift[0], 0))[..., :height, :width]

    return (f(moved(x)) - moved(f(x))).abs().max()


# %% alternative="equivariance_error" name="one-side-after-the-other"
def equivariance_error(f, x, shift):
    def moved(x):
        return x.roll(shift[0], -2).roll(shift[1], -1)

    return torch.max(torch.abs(f(moved(x)) - moved(f(x))))


# %% alternative="equivariance_error" name="by-index"
def equivariance_error(f, x, shift):
    height, width = x.shape[-2:]
    rows = (torch.arange(height, device=x.device) - shift[0]) % height
    columns = (torch.arange(width, device=x.device) - shift[1]) % width
    moved = x[..., rows, :][..., columns]
    return (f(moved) - f(x)[..., rows, :][..., columns]).abs().amax()


# %% alternative="equivariance_error" name="shifted-back-again"
def equivariance_error(f, x, shift):
    there = f(torch.roll(x, shift, (-2, -1)))
    back = torch.roll(there, [-s for s in shift], (-2, -1))
    return (back - f(x)).abs().max()


# %% [markdown]
# ## A residual block  ·  ●●○ · 5 min · 2 points
#
# With 56 layers the *training* error is worse than with 20 (Minhas, "Simply Stacking Layers?"): not for lack of power. A **skip
# connection** lets a block learn only what to change: $h = \mathrm{ReLU}(F(x) + x)$, with $F$ = convolution, ReLU, convolution.
# Skips leave "fewer multiplicative terms" in the gradient, says the slide. More exactly, without the last ReLU a block's slope
# is $1 + F'$: of all the products, one (the way along the skips) has no factor that could shrink it.
#
# Where channels or size change, $x$ doesn't fit: a 1 × 1 convolution with the same stride, the *projection*, makes it fit. (One
# can also concatenate: then channels add up.) He et al. normalise after each convolution: 05_training.


# %% answer="ResidualBlock"
class ResidualBlock(nn.Module):
    """relu(F(x) + skip(x)); F: 3 by 3 convolution with the stride, ReLU, 3 by 3 convolution.

    Padding 1 in both; all convolutions have a bias. x (batch, n_in, height, width), returns
    (batch, n_out, rows, columns). Parts: conv1, conv2, and skip, which has no parameters unless
    channels or size change.
    """

    def __init__(self, n_in: int, n_out: int, stride: int = 1) -> None:
        super().__init__()
        ### BEGIN SOLUTION make self.conv1, self.conv2 and self.skip (nn.Identity() where x fits)
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, padding=1)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1)
        fits = n_in == n_out and stride == 1
        self.skip = nn.Identity() if fits else nn.Conv2d(n_in, n_out, 1, stride)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION return relu(F(x) + skip(x))
        return F.relu(self.conv2(F.relu(self.conv1(x))) + self.skip(x))
        ### END SOLUTION


def block_sizes(n_in: int, n_out: int, stride: int) -> dict[str, tuple[int, ...]]:
    """Given: the shapes of your block's parameters, by name."""
    block = ResidualBlock(n_in, n_out, stride)
    return {name: tuple(p.shape) for name, p in block.named_parameters()}


def run_block(
    n_in: int, n_out: int, stride: int, weights: dict[str, torch.Tensor], x: torch.Tensor
) -> torch.Tensor:
    """Given: what your block makes of x, with these weights in place of its own."""
    block = ResidualBlock(n_in, n_out, stride)
    return torch.func.functional_call(block, weights, (x,), strict=True)


# %% test="ResidualBlock" points=2
sizes = block_sizes(2, 2, 1)
check.equal(sorted(sizes), ["conv1.bias", "conv1.weight", "conv2.bias", "conv2.weight"],
            "From 2 channels to 2 with stride 1, x fits as it is: conv1 and conv2 have all the parameters")  # fmt: skip
check.equal(
    sorted(block_sizes(2, 3, 2)),
    ["conv1.bias", "conv1.weight", "conv2.bias", "conv2.weight", "skip.bias", "skip.weight"],
    "From 2 channels to 3, skip has parameters, too",
)
zero = {name: torch.zeros(shape) for name, shape in sizes.items()}
x = check.randn(3, 2, 4, 5)
check.close(
    run_block(2, 2, 1, zero, x), x.relu(), "With all weights 0, F(x) is 0, and only x is left"
)


### BEGIN HIDDEN TESTS
def block(weights, x, stride):
    first = F.conv2d(x, weights["conv1.weight"], weights["conv1.bias"], stride, 1).relu()
    second = F.conv2d(first, weights["conv2.weight"], weights["conv2.bias"], 1, 1)
    if "skip.weight" in weights:
        x = F.conv2d(x, weights["skip.weight"], weights["skip.bias"], stride)
    return (second + x).relu()


for n_in, n_out, stride in ((3, 3, 1), (2, 4, 1), (3, 3, 2), (4, 2, 2)):
    want = {"conv1.weight": (n_out, n_in, 3, 3), "conv1.bias": (n_out,),
            "conv2.weight": (n_out, n_out, 3, 3), "conv2.bias": (n_out,)}  # fmt: skip
    if (n_in, stride) != (n_out, 1):
        want |= {"skip.weight": (n_out, n_in, 1, 1), "skip.bias": (n_out,)}
    what = f"{n_in} channels to {n_out}, stride {stride}"
    got = block_sizes(n_in, n_out, stride)
    check.equal(sorted(got), sorted(want), f"{what}: which parts have parameters?")
    for name, shape in want.items():
        check.equal(tuple(got[name]), shape, f"{what}: the shape of {name}")
    for dtype in check.dtypes():
        weights = {name: check.randn(*shape, dtype=dtype) / 2 for name, shape in want.items()}
        height, width = check.sizes(2, 5, 9)
        x = check.randn(2, n_in, height, width, dtype=dtype)
        got = check.unchanged(run_block, n_in, n_out, stride, weights, x)
        check.close(got, block(weights, x, stride), f"{what}: what comes out")
weights = {name: check.randn(*shape) for name, shape in want.items()}
check.stays_on_device(run_block, 4, 2, 2, weights, check.randn(3, 4, 5, 6))
### END HIDDEN TESTS


# %% mistake="ResidualBlock" name="no-projection"
class ResidualBlock(nn.Module):
    """You add x as it is, always. Where channels or size change it does not fit: a projection is missing."""

    def __init__(self, n_in, n_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, padding=1)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1)
        self.skip = nn.Identity()

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))) + self.skip(x))


# %% mistake="ResidualBlock" name="always-projected"
class ResidualBlock(nn.Module):
    """You project also where x fits. Then no way through the block is free of weights."""

    def __init__(self, n_in, n_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, padding=1)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1)
        self.skip = nn.Conv2d(n_in, n_out, 1, stride)

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))) + self.skip(x))


# %% mistake="ResidualBlock" name="stride-not-projected"
class ResidualBlock(nn.Module):
    """You project only where the channels change. A stride changes the size."""

    def __init__(self, n_in, n_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, padding=1)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1)
        self.skip = nn.Identity() if n_in == n_out else nn.Conv2d(n_in, n_out, 1, stride)

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))) + self.skip(x))


# %% mistake="ResidualBlock" name="relu-before-the-sum"
class ResidualBlock(nn.Module):
    """You put the last ReLU before the sum: then the block can only add, never take away."""

    def __init__(self, n_in, n_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, padding=1)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1)
        fits = n_in == n_out and stride == 1
        self.skip = nn.Identity() if fits else nn.Conv2d(n_in, n_out, 1, stride)

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x)))) + self.skip(x)


# %% mistake="ResidualBlock" name="no-last-relu"
class ResidualBlock(nn.Module):
    """The ReLU after the sum is missing."""

    def __init__(self, n_in, n_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, padding=1)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1)
        fits = n_in == n_out and stride == 1
        self.skip = nn.Identity() if fits else nn.Conv2d(n_in, n_out, 1, stride)

    def forward(self, x):
        return self.conv2(F.relu(self.conv1(x))) + self.skip(x)


# %% mistake="ResidualBlock" name="no-relu-between"
class ResidualBlock(nn.Module):
    """Nothing bends between your convolutions: two linear layers in a row are one."""

    def __init__(self, n_in, n_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, padding=1)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1)
        fits = n_in == n_out and stride == 1
        self.skip = nn.Identity() if fits else nn.Conv2d(n_in, n_out, 1, stride)

    def forward(self, x):
        return F.relu(self.conv2(self.conv1(x)) + self.skip(x))


# %% mistake="ResidualBlock" name="relu-on-the-skip"
class ResidualBlock(nn.Module):
    """You bend what goes along the skip. It is to arrive as it was."""

    def __init__(self, n_in, n_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, padding=1)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1)
        fits = n_in == n_out and stride == 1
        self.skip = nn.Identity() if fits else nn.Conv2d(n_in, n_out, 1, stride)

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))) + F.relu(self.skip(x)))


# %% mistake="ResidualBlock" name="no-skip"
class ResidualBlock(nn.Module):
    """Your block has no skip: with all weights 0, nothing of x is left."""

    def __init__(self, n_in, n_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, padding=1)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1)
        fits = n_in == n_out and stride == 1
        self.skip = nn.Identity() if fits else nn.Conv2d(n_in, n_out, 1, stride)

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))))


# %% mistake="ResidualBlock" name="concatenated"
class ResidualBlock(nn.Module):
    """You set x beside F(x) instead of adding it. That is a skip, too, but another one: the channels add up."""

    def __init__(self, n_in, n_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, padding=1)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1)
        fits = n_in == n_out and stride == 1
        self.skip = nn.Identity() if fits else nn.Conv2d(n_in, n_out, 1, stride)

    def forward(self, x):
        return F.relu(torch.cat([self.conv2(F.relu(self.conv1(x))), self.skip(x)], 1))


# %% mistake="ResidualBlock" name="padding-forgotten"
class ResidualBlock(nn.Module):
    """Without padding your convolutions shrink the image, and x no longer fits."""

    def __init__(self, n_in, n_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride)
        self.conv2 = nn.Conv2d(n_out, n_out, 3)
        fits = n_in == n_out and stride == 1
        self.skip = nn.Identity() if fits else nn.Conv2d(n_in, n_out, 1, stride)

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))) + self.skip(x))


# %% alternative="ResidualBlock" name="step-by-step"
class ResidualBlock(nn.Module):
    def __init__(self, n_in, n_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, kernel_size=3, stride=stride, padding=1)
        self.conv2 = nn.Conv2d(n_out, n_out, kernel_size=3, padding="same")
        self.skip = nn.Sequential()
        if n_in != n_out or stride != 1:
            self.skip = nn.Conv2d(n_in, n_out, kernel_size=1, stride=stride)
        self.relu = nn.ReLU()

    def forward(self, x):
        h = self.relu(self.conv1(x))
        h = self.conv2(h)
        h = h + self.skip(x)
        return self.relu(h)


# %% alternative="ResidualBlock" name="no-module-for-the-skip"
class ResidualBlock(nn.Module):
    def __init__(self, n_in, n_out, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, 1)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, 1, 1)
        self.skip = None if (n_in, stride) == (n_out, 1) else nn.Conv2d(n_in, n_out, 1, stride)

    def forward(self, x):
        h = self.conv2(torch.clamp(self.conv1(x), min=0))
        return torch.clamp(h + (x if self.skip is None else self.skip(x)), min=0)


# %% [markdown]
# ## Reuse a net  ·  ●●○ · 5 min · 2 points
#
# **Transfer learning**: take a net trained on another task, *freeze* its convolutions (`param.requires_grad = False`), and
# train a new last layer on yours (Minhas, "Transfer Learning and Fine Tuning"; Passerini, "Approaches"). *Fine-tuning* frees a
# few again. **Adapters** go between: small trained 1 × 1 kernels beside the frozen 3 × 3 ones, a ninth of the weights.
#
# **Your turn.** Here, and only here, you change what you are given. The nets have a part `features` (images to vectors) and a
# part `head` (an `nn.Linear`). What stands below your two functions is given, for the test.


# %% answer="freeze"
def freeze(model: nn.Module, names: list[str]) -> int:
    """Freeze the parts of `model` with these names; leave all others as they are.

    A name is a part's ("conv1": all its parameters) or a single parameter's ("conv1.bias").
    Returns how many numbers can still be trained.
    """
    ### BEGIN SOLUTION switch requires_grad off where the name says so; return what is left
    for name, parameter in model.named_parameters():
        if any(name == part or name.startswith(part + ".") for part in names):
            parameter.requires_grad_(False)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
    ### END SOLUTION


def transfer(model: nn.Module, classes: int) -> nn.Module:
    """`model` with `features` frozen, and a new `head` for so many classes, to be trained."""
    ### BEGIN SOLUTION freeze the features, put in a new head, and return the model
    freeze(model, ["features"])
    model.head = nn.Linear(model.head.in_features, classes)
    return model
    ### END SOLUTION


def three_steps(net: nn.Module, x: torch.Tensor) -> list[str]:
    """Given: train `net` for three steps on some loss; the names of the parameters that moved."""
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
    for _ in range(3):
        loss = (net(x) - 1).square().mean()
        if loss.requires_grad:
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return [name for name, p in net.named_parameters() if not torch.equal(p, before[name])]


def try_freeze(names: list[str], x: torch.Tensor) -> tuple[int, list[str]]:
    """Given: what `freeze` returns for a net with conv1, conv10 and head, and what moved then."""
    torch.manual_seed(0)
    parts = {"conv1": nn.Conv2d(1, 3, 3), "conv10": nn.Conv2d(3, 4, 2), "head": nn.Conv2d(4, 2, 1)}
    net = nn.Sequential(OrderedDict(parts))
    left = freeze(net, names)
    return left, three_steps(net, x)


def try_transfer(classes: int, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, list[str]]:
    """Given: transfer a net with 4 classes. Its logits, its features before and after, what moved."""
    torch.manual_seed(0)
    features = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Tanh(), nn.Flatten(), nn.LazyLinear(6))
    net = nn.Sequential(OrderedDict(features=features, head=nn.Linear(6, 4)))
    net(x)
    before = features(x).detach()
    net = transfer(net, classes)
    moved = three_steps(net, x)
    return net(x).detach(), (features(x) - before).detach(), moved


# %% test="freeze" points=2
x = check.randn(4, 1, 6, 5)
left, moved = try_freeze(["conv1"], x)
check.equal(
    moved,
    ["conv10.weight", "conv10.bias", "head.weight", "head.bias"],
    "With conv1 frozen, these and no others should have moved",
)
check.equal(left, 62, "3·4·2·2 + 4 numbers in conv10, and 4·2 + 2 in head, can still be trained")
logits, change, moved = try_transfer(3, x)
check.shape(logits, (4, 3))
check.equal(
    moved, ["head.weight", "head.bias"], "After transfer the new head is trained, and nothing else"
)
### BEGIN HIDDEN TESTS
COUNTS = {
    "conv1.weight": 27,
    "conv1.bias": 3,
    "conv10.weight": 48,
    "conv10.bias": 4,
    "head.weight": 8,
    "head.bias": 2,
}
for names in (
    [],
    ["head"],
    ["conv10"],
    ["conv10.bias"],
    ["conv1", "head"],
    ["conv1.weight", "conv10"],
    ["conv1", "conv10", "head"],
):
    want = [n for n in COUNTS if n not in names and n.split(".")[0] not in names]
    left, moved = try_freeze(names, check.randn(3, 1, 7, 5))
    check.equal(moved, want, f"Frozen: {names}. What moved in training?")
    check.equal(
        left,
        sum(COUNTS[n] for n in want),
        f"Frozen: {names}. How many numbers can still be trained?",
    )
for classes in (2, 4, 7):
    x = check.randn(5, 1, 6, 7)
    logits, change, moved = try_transfer(classes, x)
    check.shape(logits, (5, classes))
    head = [name for name in COUNTS if name.startswith("head")]
    check.equal(moved, head, "After transfer the new head is trained, and nothing else")
    check.close(change, torch.zeros(5, 6), "The features are to stay what they were")
### END HIDDEN TESTS


# %% mistake="freeze" name="not-the-switch"
def freeze(model, names):
    """Nothing was frozen. `part.requires_grad = False`, `p.requires_grad_ = False` and `part.eval()` raise no error, and none is the switch: each parameter has its own, without an underscore."""
    for label, part in model.named_children():
        if label in names:
            part.requires_grad = False
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


# %% mistake="freeze" name="the-others"
def freeze(model, names):
    """You froze all but the parts that are named."""
    for name, parameter in model.named_parameters():
        if not any(name == part or name.startswith(part + ".") for part in names):
            parameter.requires_grad_(False)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


# %% mistake="freeze" name="begins-alike"
def freeze(model, names):
    """You froze every name that begins alike: conv10 is not a part of conv1."""
    for name, parameter in model.named_parameters():
        if any(name.startswith(part) for part in names):
            parameter.requires_grad_(False)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


# %% mistake="freeze" name="weights-only"
def freeze(model, names):
    """You froze the weights and left the biases free."""
    for name, parameter in model.named_parameters():
        if name in names or any(name == part + ".weight" for part in names):
            parameter.requires_grad_(False)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


# %% mistake="freeze" name="whole-parts-only"
def freeze(model, names):
    """You looked at whole parts only. A name may also be a single parameter's, like conv1.bias."""
    for name, parameter in model.named_parameters():
        if name.split(".")[0] in names:
            parameter.requires_grad_(False)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


# %% mistake="freeze" name="counted-tensors"
def freeze(model, names):
    """You counted tensors. How many numbers are in them?"""
    for name, parameter in model.named_parameters():
        if any(name == part or name.startswith(part + ".") for part in names):
            parameter.requires_grad_(False)
    return sum(1 for p in model.parameters() if p.requires_grad)


# %% mistake="freeze" name="counted-all"
def freeze(model, names):
    """You counted all numbers. Those that are frozen can't be trained."""
    for name, parameter in model.named_parameters():
        if any(name == part or name.startswith(part + ".") for part in names):
            parameter.requires_grad_(False)
    return sum(p.numel() for p in model.parameters())


# %% mistake="freeze" name="features-still-trained"
def transfer(model, classes):
    """You put in a new head and froze nothing: the old features are trained on."""
    model.head = nn.Linear(model.head.in_features, classes)
    return model


# %% mistake="freeze" name="head-frozen-too"
def transfer(model, classes):
    """You froze the new head as well: nothing is left to learn."""
    model.head = nn.Linear(model.head.in_features, classes)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model


# %% mistake="freeze" name="old-head"
def transfer(model, classes):
    """You kept the old head: it knows the old classes."""
    freeze(model, ["features"])
    return model


# %% mistake="freeze" name="second-head"
def transfer(model, classes):
    """You put a new layer behind the old head. It sees the old answers only, not the features."""
    freeze(model, ["features"])
    model.head = nn.Sequential(model.head, nn.Linear(model.head.out_features, classes))
    return model


# %% alternative="freeze" name="part-by-part"
def freeze(model, names):
    parts = dict(model.named_modules())
    parameters = dict(model.named_parameters())
    for wanted in names:
        if wanted in parameters:
            parameters[wanted].requires_grad = False
        else:
            parts[wanted].requires_grad_(False)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def transfer(model, classes):
    for parameter in model.features.parameters():
        parameter.requires_grad = False
    model.head = torch.nn.Linear(model.head.weight.shape[1], classes)
    return model


# %% alternative="freeze" name="prefixes"
def freeze(model, names):
    left = 0
    for name, parameter in model.named_parameters():
        pieces = name.split(".")
        beginnings = {".".join(pieces[: i + 1]) for i in range(len(pieces))}
        if beginnings & set(names):
            parameter.requires_grad = False
        if parameter.requires_grad:
            left += parameter.numel()
    return left


def transfer(model, classes):
    head = nn.Linear(model.head.in_features, classes)
    model.requires_grad_(False)
    model.head = head
    return model


# %% [markdown]
# ## A net that reads digits  ·  ●●● · 8 min · 3 points
#
# scikit-learn brings 1,797 digits by 13 writers: 8 × 8 pixels, from 0 (paper) to 1 (ink). 450 are held out.
#
# **Your turn**: a net of two parts (Minhas, "Structure"). `features`: at least two convolutions (larger than 1 × 1), an activation
# behind each; pooling or strides as you like, no batch norm (05_training); at the end a vector (`nn.Flatten`). `head`: an
# `nn.Linear` from it to the logits (no softmax: `cross_entropy` has it). At most 50,000 parameters.
#
# **97 %** of held-out digits are to be read rightly, at the best of three splits that the test draws, after the given `fit` (Adam
# and the one-cycle schedule of 04_sgd). ReLU, 16 and 32 channels and max-pooling will do; line (1) of *Four experiments*, below,
# says what yours reads. What stands below `fit` is given for the test.


# %% answer="DigitsCNN"
class DigitsCNN(nn.Module):
    """A digit reader. x (batch, 1, 8, 8), returns logits (batch, classes). Parts: features, head."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        ### BEGIN SOLUTION make self.features (an nn.Sequential) and self.head (an nn.Linear)
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.head = nn.Linear(32 * 2 * 2, classes)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION return the logits
        return self.head(self.features(x))
        ### END SOLUTION


def fit(
    net: nn.Module, x: torch.Tensor, y: torch.Tensor, epochs: int = 12, jitter: int = 0
) -> nn.Module:
    """Given: train `net` in mini-batches of 64; `jitter` > 0 shifts each by up to so many pixels."""
    optimiser = torch.optim.Adam(net.parameters())
    steps = epochs * math.ceil(len(x) / 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=0.02, total_steps=steps)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(64):
            shift = torch.randint(-jitter, jitter + 1, (2,)).tolist()
            loss = F.cross_entropy(net(torch.roll(x[batch], shift, (2, 3))), y[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def trained_logits(
    x: torch.Tensor, y: torch.Tensor, x_test: torch.Tensor, seed: int
) -> torch.Tensor:
    """Given: the logits for x_test of a DigitsCNN that was trained on x and y."""
    torch.manual_seed(seed)
    return fit(DigitsCNN(), x, y)(x_test).detach()


def digit_sizes(classes: int) -> dict[str, tuple[int, ...]]:
    """Given: the shapes of your net's parameters, by name."""
    return {name: tuple(p.shape) for name, p in DigitsCNN(classes).named_parameters()}


def digit_logits(weights: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """Given: your net's logits for x, with these weights in place of its own."""
    net = DigitsCNN(len(weights["head.weight"])).eval()
    return torch.func.functional_call(net, weights, (x,), strict=True)


# %% test="DigitsCNN" points=3
sizes = digit_sizes(10)
count = sum(math.prod(size) for size in sizes.values())
check.true(count <= 50_000, f"Your net has {count} parameters, and 50,000 are allowed")
kernels = [name for name, size in sizes.items() if len(size) == 4 and max(size[2:]) > 1]
check.true(len(kernels) >= 2, f"At least two convolutions are asked for; yours: {kernels}")
check.true(
    "head.weight" in sizes, f"The last layer is to be called head; yours has {sorted(sizes)}"
)
check.equal(sizes["head.weight"][0], 10, "The head has one output for each class")
check.true(
    all(name.split(".")[0] in ("features", "head") for name in sizes),
    "All parameters belong to features or to head",
)
weights = {name: 0.3 * check.randn(*size) for name, size in sizes.items()}
check.shape(digit_logits(weights, check.uniform(0, 1, 3, 1, 8, 8)), (3, 10))
### BEGIN HIDDEN TESTS
from course.data import digits as held_out

check.equal(digit_sizes(7)["head.weight"][0], 7, "The number of classes is an argument")
x = check.uniform(0, 1, 5, 1, 8, 8)
logits = check.unchanged(digit_logits, weights, x)
check.shape(logits, (5, 10))
check.close(
    digit_logits(weights, x[2:4]),
    logits[2:4],
    "What the net says of a digit must not depend on its batch",
    tol=1e-3,
)
check.true(
    float((logits.exp().sum(1) - 1).abs().max()) > 1e-3
    and float((logits.sum(1) - 1).abs().max()) > 1e-3,
    "Logits are asked for, not probabilities or their logarithms: `cross_entropy` does the rest",
)
a, b, zero = x[:1], x[1:2], torch.zeros(1, 1, 8, 8)
bent = (
    digit_logits(weights, a)
    + digit_logits(weights, b)
    - digit_logits(weights, a + b)
    - digit_logits(weights, zero)
)
check.true(float(bent.abs().max()) > 1e-3, "Your net is linear: no activation bends it")
check.stays_on_device(digit_logits, weights, x)
right: list[float] = []
while len(right) < 3 and max(right, default=0.0) < 0.97:  # nobody fails for one bad start
    seed = int(check.integers(0, 10**6, 1))
    data = held_out.load(seed=seed)
    names = check.uniform(0, 1, 10).argsort()  # the classes under other numbers: nothing to look up
    logits = trained_logits(data.x_train, names[data.y_train], data.x_test, seed)
    check.shape(logits, (450, 10))
    right.append(float((logits.argmax(1) == names[data.y_test]).double().mean()))
check.true(
    max(right) >= 0.97,
    f"After three trainings, at most {100 * max(right):.1f} % of held-out digits are read rightly; "
    "97 % are asked for",
)
### END HIDDEN TESTS


# %% mistake="DigitsCNN" name="no-activation"
class DigitsCNN(nn.Module):
    """You have no activation: convolutions, means and a dense layer in a row are one linear layer."""

    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.AvgPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.AvgPool2d(2),
            nn.Flatten(),
        )
        self.head = nn.Linear(128, classes)

    def forward(self, x):
        return self.head(self.features(x))


# %% mistake="DigitsCNN" name="softmax-at-the-end"
class DigitsCNN(nn.Module):
    """You return probabilities. `cross_entropy` takes another softmax of them, and its gradients shrink."""

    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Linear(128, classes)

    def forward(self, x):
        return self.head(self.features(x)).softmax(1)


# %% mistake="DigitsCNN" name="one-convolution"
class DigitsCNN(nn.Module):
    """You have one convolution. Two at least are asked for: features of features."""

    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
        )
        self.head = nn.Linear(32 * 16, classes)

    def forward(self, x):
        return self.head(self.features(x))


# %% mistake="DigitsCNN" name="dense"
class DigitsCNN(nn.Module):
    """You built a dense net. It may read digits, but shares no weights."""

    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential(nn.Flatten(), nn.Linear(64, 100), nn.ReLU())
        self.head = nn.Linear(100, classes)

    def forward(self, x):
        return self.head(self.features(x))


# %% mistake="DigitsCNN" name="ten-classes"
class DigitsCNN(nn.Module):
    """Your head has ten outputs, whatever `classes` says."""

    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.features(x))


# %% mistake="DigitsCNN" name="where-is-forgotten"
class DigitsCNN(nn.Module):
    """You averaged each feature over the whole image. That it occurs is left, and where it was is lost: a 6 is a 9."""

    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Linear(32, classes)

    def forward(self, x):
        return self.head(self.features(x))


# %% mistake="DigitsCNN" name="pooled-channels"
class DigitsCNN(nn.Module):
    """You took the maximum over channels: of all features at a place only the strongest is left, and not which it was."""

    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(1, 32, 3, padding=1), nn.ReLU()
        )
        self.head = nn.Linear(16, classes)

    def forward(self, x):
        h = F.max_pool2d(self.features[:2](x).amax(1, keepdim=True), 2)
        return self.head(self.features[2:](h).amax(1).flatten(1))


# %% mistake="DigitsCNN" name="too-large"
class DigitsCNN(nn.Module):
    """Your net has more than 50,000 parameters. Which layer has most of them?"""

    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(2048, 32), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(32, classes)

    def forward(self, x):
        return self.head(self.features(x))


# %% mistake="DigitsCNN" name="standardised-over-the-batch"
class DigitsCNN(nn.Module):
    """You standardise over the batch: what you say of a digit depends on which others are there."""

    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Linear(128, classes)

    def forward(self, x):
        return self.head(self.features((x - x.mean()) / x.std()))


# %% mistake="DigitsCNN" name="centred-on-the-cpu"
class DigitsCNN(nn.Module):
    """You take off a tensor that lives on the CPU. Think about where x is."""

    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Linear(128, classes)

    def forward(self, x):
        return self.head(self.features(x - torch.full((8, 8), 0.3)))


# %% alternative="DigitsCNN" name="strides"
class DigitsCNN(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 24, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(24, 48, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.head = nn.Linear(192, classes)

    def forward(self, x):
        return self.head(self.features(x))


# %% alternative="DigitsCNN" name="no-padding"
class DigitsCNN(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        layers = [
            nn.Conv2d(1, 16, 3),
            nn.LeakyReLU(0.1),
            nn.Conv2d(16, 32, 3),
            nn.LeakyReLU(0.1),
            nn.MaxPool2d(2),
        ]
        self.features = nn.Sequential(*layers, nn.Flatten())
        self.head = nn.Linear(32 * 2 * 2, classes)

    def forward(self, x):
        h = self.features(x)
        return self.head(h)


# %% alternative="DigitsCNN" name="residual"
class DigitsCNN(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            ResidualBlock(16, 32, 2),
            nn.AdaptiveMaxPool2d(2),
            nn.Flatten(),
        )
        self.head = nn.Linear(128, classes)

    def forward(self, x):
        return self.head(self.features(x))


# %% [markdown]
# See it: draw a digit (mouse, or arrow keys and space), and look at what a layer of *your* net makes of it.

# %%
widgets.cnn.drawn(DigitsCNN, fit)

# %% [markdown]
# *What to see*: maps of the first layer are strokes and edges, each in its own direction; behind the second they say "something
# like this, about there". Shift your digit by a pixel or two, and watch the bars.
#
# ## Four experiments
#
# **Predict**: how well are read (1) held-out digits, shifted by one pixel, (2) the same, after training with shifted digits
# (*augmentation*; Minhas, "Data Augmentation"), (3) digits whose 64 pixels were shuffled, all in one way, in training as in the
# test, (4) 5 to 9, after 50 examples, by a net that learnt 0 to 4 and keeps its features frozen, and by a new one?


# %%
def score(net: nn.Module, x: torch.Tensor, y: torch.Tensor) -> str:
    """Share of images that the net reads rightly."""
    return f"{100 * (net(x).argmax(1) == y).double().mean():.1f} %"


torch.manual_seed(0)
x, y, x_test, y_test = digits.load()
moved = torch.roll(x_test, 1, 3)  # one pixel to the right
for number, jitter, epochs in ((1, 0, 12), (2, 1, 24)):
    net = fit(DigitsCNN(), x, y, epochs, jitter)
    print(
        f"({number}) as written {score(net, x_test, y_test)}, shifted {score(net, moved, y_test)}"
    )

order = torch.randperm(64)
few, shuffled = x[:300], x.flatten(2)[..., order].reshape(x.shape)[:300]
shuffled_test = x_test.flatten(2)[..., order].reshape(x_test.shape)
as_written = score(fit(DigitsCNN(), few, y[:300], epochs=30), x_test, y_test)
net = fit(DigitsCNN(), shuffled, y[:300], epochs=30)
print(f"(3) from 300 digits: as written {as_written}, shuffled {score(net, shuffled_test, y_test)}")

low, high, high_test = y < 5, (y >= 5).nonzero().flatten()[:50], y_test >= 5
reused = transfer(fit(DigitsCNN(5), x[low], y[low]), 5)
for name, start in (("frozen features", reused), ("new net", DigitsCNN(5))):
    net = fit(start, x[high], y[high] - 5, epochs=60)
    left = sum(p.numel() for p in net.parameters() if p.requires_grad)
    print(f"(4) {name}, {left} numbers: {score(net, x_test[high_test], y_test[high_test] - 5)}")

# %% [markdown]
# *What to see*, over six seeds, twelve for (1): (1) One pixel leaves 67 to 82 % of 97 to 99 %: features shift along, but the head knows them by
# their place. (2) Augmentation brings back 95 to 98 %. (3) Shuffling costs one to seven points; a dense net would not notice. (4)
# The frozen net trains an eighth of the numbers, and reads 86 to 93 %; the new one 85 to 96 %. Five digits teach little that the
# others need: transfer pays where the first task is far larger than yours.
#
# ## Slides, checked

# %%
I = torch.ones(5, 5)
I[1:, 2:] = 10.0  # Minhas, "Examples of filters"
wide = F.pad(I[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]  # as SciPy's `convolve` does
print(correlate2d(wide, kernel("edge")).int())
check.equal(256 * 256 * 3, 196_608, "'Let's solve it using a neural network'")
check.equal(dense_parameters((3, 256, 256), (3, 256, 256), bias=False), 38_654_705_664)
check.equal(
    dense_parameters((1, 32, 32), (1, 32, 32), bias=False), 1_048_576, "'How can this be done?'"
)
for size in (8, 6):  # "Pooling": both become 3 by 3
    check.shape(adaptive_avg_pool(torch.randn(1, 64, size, size), 3), (1, 64, 3, 3))
print([output_size(224, 7, 3, 2), output_size(112, 3, 1, 2)], "after the ResNet's first two layers")

# %% [markdown]
# *What to see*: −18, −9 and 9 stand along the edge of the slide's image; even parts give 0. On the photograph its two programs
# print other sizes: SciPy invents pixels beyond the border (512 × 512), PyTorch doesn't (510 × 510).
#
# Moerland's table ("ILSVRC") has the story of ImageNet in errors: 25.7 % before deep nets, 15.4 % AlexNet (2012), 7.3 % VGG,
# 6.7 % GoogLeNet, 3.4 % ResNet (2015). Three cells differ from the papers: AlexNet has eight layers with weights, GoogLeNet won
# in 2014 with 22 (its paper counts about a hundred building blocks), and ResNet's error is 3.57 %.
#
# ## What it means, and where it fails
#
# A convolution is a dense layer with most weights forced to 0 and the others tied: "a very strong prior" (Moerland). It is
# right where neighbours belong together and the same thing may appear anywhere: images, sound. It is wrong for a patient's age,
# gender and medication (Moerland's answer), for shuffled pixels, and where place matters, as in a passport photo. Then let
# neighbours be chosen by content (09_attention), or given by a graph (10_gnn), of which the pixel grid is one.
#
# **Three lines to remember**
# 1. Convolution: a weighted sum over neighbours, with weights that depend on the offset only.
# 2. It shifts as its input shifts; what invariance there is comes from pooling, the head and the data.
# 3. Skips add, projections make things fit, and what is frozen is not trained.
#
# **Further reading**: Dumoulin & Visin, *A guide to convolution arithmetic for deep learning* (2016) · He et al., *Deep
# residual learning for image recognition* (2016) · Zeiler & Fergus, *Visualizing and understanding convolutional networks*
# (2014) · Zhang, *Making convolutional networks shift-invariant again* (2019) · Rebuffi et al., *Learning multiple visual
# domains with residual adapters* (2017) · Next: 08_rnn, 09_attention. The photographs come with scikit-image, free of rights
# (CC0): camera by Lav Varshney, coffee by Rachel Michetti, brick from CC0Textures, horse by Andreas Preuss.

# %%
import course

course.progress()
