"""Are images in cells drawn as matplotlib draws them?"""

import matplotlib.cm
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from course.widgets import raster

SHADES = np.random.default_rng(0).random((7, 5))
COLOURS = matplotlib.cm.viridis(SHADES, bytes=True)


def drawn(by_us, data, limits=None, **how):
    """The pixels of an axes with an image in it, drawn by us or by matplotlib."""
    figure = Figure(figsize=(3, 2), dpi=100)
    canvas = FigureCanvasAgg(figure)
    # Whole pixels: between two, each rounds in its own way.
    ax = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    image = ax.imshow(data, aspect="auto", animated=True, **how)
    if limits:
        ax.set(xlim=limits[:2], ylim=limits[2:])
    canvas.draw()
    if by_us:
        assert raster.fits(image)
        raster.draw(image, canvas.get_renderer())
    else:
        ax.draw_artist(image)
    return np.asarray(canvas.buffer_rgba()).astype(int)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("origin", ["upper", "lower"])
@pytest.mark.parametrize("alpha", [None, 0.6])
@pytest.mark.parametrize("limits", [None, (1.1, 3.2, -1.3, 4.4), (4.5, -0.5, 9.0, -3.0)])
def test_as_matplotlib(interpolation, origin, alpha, limits):
    how = {"interpolation": interpolation, "origin": origin, "alpha": alpha, "cmap": "PuOr"}
    ours, theirs = (drawn(who, SHADES, limits, vmin=0, vmax=1, **how) for who in (True, False))
    apart = abs(ours - theirs).max(-1)
    # Of a pixel that two cells share, either may be shown.
    assert (apart > 6).mean() < 0.01
    assert theirs.std() > 20


@pytest.mark.parametrize("alpha", [None, 0.5])
def test_as_matplotlib_with_colours(alpha):
    how = {"interpolation": "nearest", "alpha": alpha, "extent": (0, 1, 0, 1)}
    apart = abs(drawn(True, COLOURS, **how) - drawn(False, COLOURS, **how)).max(-1)
    assert (apart > 6).mean() < 0.01


def test_where_it_is_out_of_sight_nothing_is_drawn():
    nothing = drawn(True, SHADES, (50, 60, 50, 60), interpolation="nearest")
    assert (nothing == drawn(False, SHADES, (50, 60, 50, 60), interpolation="nearest")).all()


def test_what_it_cannot_draw_is_left_to_matplotlib():
    ax = Figure().add_subplot()
    assert not raster.fits(ax.imshow(SHADES, interpolation="bicubic"))
    assert not raster.fits(ax.imshow(SHADES, interpolation="bilinear", norm="log"))
    assert not raster.fits(ax.imshow(COLOURS, interpolation="bilinear"))
