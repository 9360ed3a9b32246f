"""Handwritten digits, 8 by 8 pixels: 1,797 of them, as scikit-learn ships them.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository (1998), the test part, by 13 writers; licence CC BY 4.0.
"""

from typing import NamedTuple

import torch
from sklearn.datasets import load_digits
from torch import Tensor


class Digits(NamedTuple):
    """Images x (m, 1, 8, 8), float32 from 0 (paper) to 1 (ink), and labels y (m,), int64."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor


def load(test: int = 450, seed: int = 0) -> Digits:
    """The digits, `test` of them held out; shuffled before the cut by `seed`."""
    raw = load_digits()
    order = torch.randperm(len(raw.target), generator=torch.Generator().manual_seed(seed))
    x = torch.tensor(raw.images, dtype=torch.float32)[order].unsqueeze(1) / 16
    y = torch.tensor(raw.target, dtype=torch.int64)[order]
    return Digits(x[test:], y[test:], x[:test], y[:test])
