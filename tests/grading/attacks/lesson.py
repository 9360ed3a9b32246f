# %% [markdown]
# # What the attacks are made on
#
# Five exercises, one for each way that a graded cell asks: tensors, by hand, a function to call, plain
# numbers, and an author who compares by operators instead of `check`. What says canary in the tests
# and solutions below, and the number that the first hidden test expects, must never be seen.
#
# **Points** 8

# %%
import math

import torch
import torch.nn.functional as F

from course import check

# %% [markdown]
# ## Raised  ·  ●○○ · 3 min · 2 points
#
# Every number, plus three.


# %% answer="raised"
def raised(z: torch.Tensor) -> torch.Tensor:
    """Z + 3, elementwise."""
    ### BEGIN SOLUTION add three
    return z + 3  # CANARY-solution
    ### END SOLUTION


# %% test="raised" points=2
check.close(raised(torch.tensor([1.0, 2.0])), torch.tensor([4.0, 5.0]), "1 gives 4")
### BEGIN HIDDEN TESTS
# CANARY-comment
canary_name = torch.tensor([7316.25])
check.close(raised(canary_name), torch.tensor([7319.25]), "Add three to each number")
z = check.randn(4, 3)
check.close(check.unchanged(raised, z), z + 3, "Add three to each number")
check.keeps_dtype(raised, z)
### END HIDDEN TESTS


# %% mistake="raised" name="lowered"
def raised(z):
    """You took three away. Which way is up?"""
    return z - 3  # CANARY-mistake


# %% [markdown]
# ## A ramp  ·  ●○○ · 3 min · 2 points
#
# By hand: z where it is positive, 0 elsewhere.


# %% answer="ramp"
def ramp(z: torch.Tensor) -> torch.Tensor:
    """Z where it is positive, 0 elsewhere."""
    ### BEGIN SOLUTION compare, and choose
    return torch.where(z > 0, z, torch.zeros_like(z))  # CANARY-solution
    ### END SOLUTION


# %% test="ramp" points=2
check.by_hand(ramp, "relu", "clamp", "clip", "maximum", "max", "threshold", "hardtanh")
check.close(ramp(torch.tensor([-1.0, 2.0])), torch.tensor([0.0, 2.0]), "-1 gives 0")
### BEGIN HIDDEN TESTS
for rows in check.sizes(3):
    z = check.randn(rows, 4)
    check.close(ramp(z), F.relu(z), "Positive numbers stay, the others become 0")
check.stays_on_device(ramp, check.randn(3, 2))
### END HIDDEN TESTS


# %% mistake="ramp" name="absolute"
def ramp(z):
    """You took the absolute value. What should a negative number become?"""
    return z.abs()  # CANARY-mistake


# %% [markdown]
# ## After  ·  ●○○ · 3 min · 1 point
#
# What a function gives, doubled.


# %% answer="after"
def after(x: torch.Tensor, g) -> torch.Tensor:
    """Twice g(x)."""
    ### BEGIN SOLUTION call g, then double
    return 2 * g(x)  # CANARY-solution
    ### END SOLUTION


# %% test="after" points=1
check.close(after(torch.ones(2), torch.exp), 2 * torch.ones(2).exp(), "Twice e")
### BEGIN HIDDEN TESTS
x = check.randn(3, 2)
check.close(after(x, lambda t: t * 5 - 1), 2 * (x * 5 - 1), "Twice what g gives")
### END HIDDEN TESTS


# %% [markdown]
# ## Count  ·  ●○○ · 3 min · 1 point
#
# How many numbers are positive.


# %% answer="count"
def count(z: torch.Tensor) -> int:
    """How many entries of z are positive."""
    ### BEGIN SOLUTION count the positive entries
    return int((z > 0).sum())  # CANARY-solution
    ### END SOLUTION


# %% test="count" points=1
check.equal(count(torch.tensor([1.0, -1.0])), 1, "One of them is positive")
### BEGIN HIDDEN TESTS
z = check.randn(50)
check.equal(count(z), int((z > 0).sum()), "Count those above 0")
check.true(count(-z) == int((z < 0).sum()), "Count those above 0")
### END HIDDEN TESTS


# %% [markdown]
# ## Loose  ·  ●○○ · 3 min · 2 points
#
# Three times z; and tested the way that plain notebooks do.


# %% answer="loose"
def loose(z: torch.Tensor) -> torch.Tensor:
    """3 z, elementwise."""
    ### BEGIN SOLUTION multiply by three
    return 3 * z  # CANARY-solution
    ### END SOLUTION


# %% test="loose" points=2
assert loose(torch.tensor([2.0])) == 6
### BEGIN HIDDEN TESTS
canary_z = check.randn(6)
assert loose(canary_z).shape == canary_z.shape, "CANARY-message"
assert torch.equal(loose(canary_z), canary_z * 3), "CANARY-message"
assert loose(canary_z).allclose(canary_z * 3), "CANARY-message"
assert not (loose(canary_z) != canary_z * 3).any(), "CANARY-message"
### END HIDDEN TESTS
