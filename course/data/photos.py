"""Photographs that scikit-image ships; all four are free of rights (CC0), as its docs state.

`camera`: a photographer at work, by Lav Varshney. `coffee`: a cup, by Rachel Michetti. `brick`: a
wall, from CC0Textures. `horse`: a silhouette, by Andreas Preuss.
"""

import torch
from skimage import color, data, util
from torch import Tensor

NAMES = ("camera", "coffee", "brick", "horse")


def load(name: str, factor: int = 1) -> Tensor:
    """The photograph `name` in grey: (height, width), float32 from 0 (black) to 1 (white).

    With `factor` > 1, each pixel is the mean of `factor` by `factor` of the original's.
    Raises ValueError for a name that is not in `NAMES`.
    """
    if name not in NAMES:
        raise ValueError(f"there is no photograph {name!r}; there are: {', '.join(NAMES)}")
    image = util.img_as_float(getattr(data, name)())
    grey = torch.tensor(color.rgb2gray(image) if image.ndim == 3 else image, dtype=torch.float32)
    return torch.nn.functional.avg_pool2d(grey[None], factor)[0] if factor > 1 else grey
