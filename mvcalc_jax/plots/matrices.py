"""An array by hand, by autodiff, and their difference, as heat maps side by side.

Arrays of any number of axes are folded to a matrix: the first half of their axes are its rows, the others its
columns. Blue to red are values, violet to green differences, both white at zero; what is infinite or NaN is yellow,
and a ring marks the worst entry.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int, Shaped
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.image import AxesImage
from matplotlib.patches import Ellipse
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, MaxNLocator

from mvcalc_jax.plots.style import BLUE, INK, QUIET, RED

CELLS = 200
"""Along each side of a heat map; of a longer one, each cell is the worst entry of a block."""
PRINTED = 8
"""Matrices of at most so many rows and columns have their values in the cells."""

_VALUES = LinearSegmentedColormap.from_list("values", ["#0f4c6b", BLUE, "#ffffff", RED, "#8c1d33"])
_DIFFERENCES = LinearSegmentedColormap.from_list(
    "differences", ["#4b2a80", "#9c85c4", "#ffffff", "#82b894", "#1d6238"]
)
_MAGNITUDES = LinearSegmentedColormap.from_list("magnitudes", ["#ffffff", "#82b894", "#1d6238"])
_NOT_FINITE, _CROSSES = "#ffdd1f", 400
"""A colour that none of the scales has; so many cells of it are crossed."""
_DIVIDED, _LEGIBLE = 12, 4.5
"""So many parts of an axis are divided by lines; letters of fewer points cannot be read."""


def folded(shape: tuple[int, ...]) -> tuple[int, int]:
    """The rows and columns that an array of any number of axes is shown with.

    >>> mv.plots.matrices.folded((2, 3, 4)), mv.plots.matrices.folded((5,))
    ((2, 12), (1, 5))
    """
    half = len(shape) // 2
    return math.prod(shape[:half]), math.prod(shape[half:])


def block(shape: tuple[int, ...]) -> tuple[int, int]:
    """The rows and columns of entries that one cell stands for.

    >>> mv.plots.matrices.block((mv.plots.matrices.CELLS, 3)), mv.plots.matrices.block((1000, 3))
    ((1, 1), (5, 1))
    """
    rows, columns = folded(shape)
    return max(1, math.ceil(rows / CELLS)), max(1, math.ceil(columns / CELLS))


def height(shape: tuple[int, ...], width: float) -> float:
    """How tall a heat map of some width is to be; both in inches.

    >>> round(mv.plots.matrices.height((4, 4), 2.0), 2)
    1.56
    """
    rows, columns = folded(shape)
    if max(rows, columns) <= PRINTED:
        return 0.12 + 0.36 * rows
    least = 0.15 if len(shape) < 4 else 0.28  # the numbers of several axes stand beside it
    return width * min(0.95, max(rows / columns, least, rows / CELLS))


def distance(
    by_hand: Shaped[np.ndarray, "*any"], autodiff: Shaped[np.ndarray, "*any"]
) -> Float[np.ndarray, "*any"]:
    """|by hand − autodiff|, infinite where one of them is NaN.

    >>> mv.plots.matrices.distance(np.array([1.0, np.nan]), np.array([1.5, 0.0]))
    array([0.5, inf])
    """
    with np.errstate(all="ignore"):
        error = np.abs(by_hand - autodiff)
    return np.where(np.isnan(error), np.inf, error)


def largest(values: Shaped[np.ndarray, "*any"]) -> float:
    """The largest finite magnitude; 0 if there is none.

    >>> mv.plots.matrices.largest(np.array([-3.0, 2.0, np.inf]))
    3.0
    """
    return float(np.abs(values[np.isfinite(values)]).max(initial=0))


def draw_comparison(
    panels: Sequence[Axes],
    bars: Sequence[Axes],
    by_hand: Shaped[np.ndarray, "*any"],
    autodiff: Shaped[np.ndarray, "*any"],
    rounding: float,
) -> None:
    """Heat maps by hand, by autodiff, and of the difference.

    Args:
        panels: for the three heat maps.
        bars: for their scales: that of the values, which is autodiff's, and that of the differences.
        by_hand, autodiff: of the same shape, not empty; of complex numbers the real parts are shown, and the
            magnitude of the difference.
        rounding: a difference up to this is none: it is left white, and gets no ring.

    >>> figure, _ = mv.plots.chart()
    >>> (panels, bars), right = figure.subplots(2, 3).tolist(), np.eye(2)
    >>> mv.plots.matrices.draw_comparison(panels, bars[:2], right + 0.1, right, rounding=1e-12)
    >>> [ax.get_title() for ax in panels]
    ['by hand', 'autodiff', 'by hand − autodiff']
    >>> len(panels[0].texts), mv.plots.matrices.PRINTED  # values are printed of so many rows and columns at most
    (4, 8)
    """
    shape = folded(by_hand.shape)
    error = distance(by_hand, autodiff).reshape(shape)
    cells, sides = coarse(error)
    hand, exact = (array.reshape(shape)[cells] for array in (by_hand, autodiff))
    with np.errstate(all="ignore"):
        difference = hand - exact
    wide = np.iscomplexobj(difference)
    hand, exact, difference = np.real(hand), np.real(exact), np.abs(difference) if wide else difference
    limits = largest(exact) or largest(hand) or 1.0, max(largest(difference), rounding)
    limit, off = np.clip(limits, 1e-280, 1e300)  # within what a scale of colours can span
    images = [
        _heat(panels[0], hand, _VALUES, -limit, limit, sides),
        _heat(panels[1], exact, _VALUES, -limit, limit, sides),
        _heat(
            panels[2], difference, _MAGNITUDES if wide else _DIFFERENCES, 0.0 if wide else -off, off, sides
        ),
    ]
    titles = ["by hand", "autodiff", "by hand − autodiff"]
    if wide:
        titles = ["by hand (real part)", "autodiff (real part)", "|by hand − autodiff|"]
    for ax, image, title in zip(panels, images, titles, strict=True):
        ax.set(xlim=(-0.5, shape[1] - 0.5), ylim=(shape[0] - 0.5, -0.5))
        ax.set_title(title, fontsize=10, fontweight="normal", pad=4)
        _label(ax, by_hand.shape, first=ax is panels[0])
        if error.max() > rounding:
            _ring(ax, np.unravel_index(int(error.argmax()), shape), sides)
        if max(shape) <= PRINTED:
            _print(ax, image, rounding if ax is panels[2] else 0.0)
    _scale(bars[0], images[1], beyond=bool((np.abs(hand) > limit * (1 + 1e-9)).any()))
    _scale(bars[1], images[2], beyond=False)


def coarse(
    error: Float[np.ndarray, "i j"],
) -> tuple[tuple[Int[np.ndarray, "a b"], Int[np.ndarray, "a b"]], tuple[int, int]]:
    """The worst entry of every block, as rows and columns of the matrix; and the sides of a block.

    >>> (rows, columns), sides = mv.plots.matrices.coarse(np.eye(3) * np.array([0.0, 2.0, 1.0]))
    >>> rows.shape, sides
    ((3, 3), (1, 1))
    """
    a, b = block(error.shape)
    padded = np.pad(error, ((0, -error.shape[0] % a), (0, -error.shape[1] % b)), constant_values=-1)
    down, along = padded.shape[0] // a, padded.shape[1] // b
    worst = padded.reshape(down, a, along, b).swapaxes(1, 2).reshape(down, along, a * b).argmax(axis=2)
    i, j = np.ogrid[:down, :along]
    return (i * a + worst // b, j * b + worst % b), (a, b)


def digits(v: float, figures: int = 3, rounding: float = 0.0) -> str:
    """So many figures in as few letters as possible; for what is less than `rounding`, that it is about 0.

    >>> mv.plots.matrices.digits(0.000123456), mv.plots.matrices.digits(1e-17, rounding=1e-12)
    ('1.23e−4', '≈0')
    """
    if not math.isfinite(v):
        return "NaN" if math.isnan(v) else "∞" if v > 0 else "−∞"
    if 0 < abs(v) < rounding:
        return "≈0"
    mantissa, exponent = f"{v:.{figures - 1}e}".split("e")
    return min(f"{v or 0.0:.{figures}g}", f"{float(mantissa):g}e{int(exponent)}", key=len).replace("-", "−")


def _heat(
    ax: Axes,
    values: Float[np.ndarray, "a b"],
    colours: Colormap,
    low: float,
    high: float,
    sides: tuple[int, int],
) -> AxesImage:
    """A heat map whose axes count entries, however many of them a cell stands for."""
    (rows, columns), (a, b) = values.shape, sides
    ax.grid(False)
    i, j = np.nonzero(~np.isfinite(values))
    if max(rows, columns) > PRINTED and len(i) <= _CROSSES:
        ax.plot((j + 0.5) * b - 0.5, (i + 0.5) * a - 0.5, "x", color=INK, markersize=3.5, gid="not finite")
    return ax.imshow(
        np.ma.masked_invalid(values),
        cmap=colours.with_extremes(bad=_NOT_FINITE),
        vmin=low,
        vmax=high,
        extent=(-0.5, columns * b - 0.5, rows * a - 0.5, -0.5),
        aspect="auto",
        interpolation="nearest",
    )


def _label(ax: Axes, shape: tuple[int, ...], *, first: bool) -> None:
    """Axes by the numbers that they have in the array, and a line wherever the first of several goes on."""
    half = len(shape) // 2
    ax.tick_params(length=2, labelsize=8, pad=2)
    ax.set_xlabel(_axes(range(half, len(shape)), shape), fontsize=9, labelpad=2)
    ax.set_ylabel(_axes(range(half)), fontsize=9, labelpad=3)
    shown = half > 0 and first, len(shape) > 0
    for axis, entries, visible in zip((ax.yaxis, ax.xaxis), folded(shape), shown, strict=True):
        whole = MaxNLocator(8, integer=True, steps=[1, 2, 5, 10])
        axis.set_major_locator(whole if entries > 1 else FixedLocator([0]))
        axis.set_visible(visible)
    for line, several in ((ax.axhline, shape[:half]), (ax.axvline, shape[half:])):
        if len(several) > 1 and several[0] <= _DIVIDED:
            for part in range(1, several[0]):
                line(part * math.prod(several[1:]) - 0.5, color=QUIET, linewidth=0.7)


def _axes(which: Sequence[int], shape: tuple[int, ...] = ()) -> str:
    """Their numbers; and, if there are several and `shape` is given, their lengths."""
    if len(which) < 2:
        return "".join(f"axis {k}" for k in which)
    lengths = f" ({' × '.join(str(shape[k]) for k in which)})" if shape else ""
    return f"axes {' × '.join(map(str, which))}{lengths}"


def _ring(ax: Axes, worst: Sequence[np.integer], sides: tuple[int, int]) -> None:
    """Around the cell of the worst entry; never too small to be seen, nor larger than it takes."""
    around = []
    for side, ends, pixels in zip(sides, (ax.get_ylim(), ax.get_xlim()), ax.bbox.size[::-1], strict=True):
        inch = abs(ends[1] - ends[0]) / pixels * ax.figure.dpi
        around.append(max(min(0.96 * side, 0.9 * inch), 0.17 * inch))
    y, x = (k // side * side + side / 2 - 0.5 for k, side in zip(worst, sides, strict=True))
    ring = Ellipse((x, y), around[1], around[0], fill=False, edgecolor=INK, linewidth=1.7, gid="worst")
    ring.set(clip_on=False, zorder=5, path_effects=[withStroke(linewidth=3.6, foreground="white")])
    ax.add_patch(ring)


def _print(ax: Axes, image: AxesImage, rounding: float) -> None:
    """The values in their cells, as large as they fit, if one can read that."""
    values = np.ma.getdata(np.ma.asarray(image.get_array()))
    figures = 3 if values.shape[1] <= 5 else 2
    words = {at: digits(float(v), figures, rounding) for at, v in np.ndenumerate(values)}
    points = 72 * ax.bbox.width / ax.figure.dpi / values.shape[1]
    size = min(9.0, 1.3 * points / max(map(len, words.values())))
    if size < _LEGIBLE:
        return
    for (i, j), word in words.items():
        red, green, blue, _ = image.cmap(image.norm(values[i, j]) if np.isfinite(values[i, j]) else np.nan)
        ink = INK if 0.3 * red + 0.59 * green + 0.11 * blue > 0.55 else "white"
        ax.text(j, i, word, ha="center", va="center", color=ink, fontsize=size, zorder=6, gid="value")


def _scale(bar: Axes, image: AxesImage, *, beyond: bool) -> None:
    """The scale of colours: its ends and zero; pointed where some values are `beyond` it."""
    low, high = image.get_clim()
    ends = sorted({low, 0.0, high})
    colours = bar.figure.colorbar(image, cax=bar, extend="both" if beyond else "neither", ticks=ends)
    bar.set_yticklabels([digits(v) for v in ends])
    bar.tick_params(labelsize=8, length=2, pad=2)
    colours.outline.set_visible(False)
