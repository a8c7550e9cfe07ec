"""One look for every picture, and the way to the file."""

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure as AnyFigure

from mvcalc_jax.atomic import replacing

INK = "#26323c"
QUIET = "#8d99a6"
PALE = "#e8edf1"
RED = "#d1495b"
BLUE = "#2b7a9e"
GOLD = "#e3a336"
GREEN = "#5a9e6f"
VIOLET = "#7d5ba6"
OCHRE = "#96650a"
"""Gold that can be read as text."""
CYCLE = (RED, BLUE, GOLD, GREEN, VIOLET, QUIET)
FURTHER = ("#4fb3bf", "#b8739c", "#9a7b4f")
"""Where there are more things than these have colours for."""

_SUFFIXES = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
"""Of files that can be written; with what is left out of them, so that equal pictures are equal files."""
_STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": QUIET,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.prop_cycle": cycler(color=CYCLE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "font.size": 10,
    "grid.color": PALE,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "savefig.dpi": 110,
    "text.color": INK,
    "xtick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.color": QUIET,
    "ytick.labelcolor": INK,
}


class Figure(AnyFigure):
    """matplotlib's, known to no pyplot, which would show it once more; a notebook shows it by itself.

    A notebook knows how to show matplotlib's own only after pyplot has drawn something.
    """

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        with style():
            self.savefig(picture, format="png")
        return picture.getvalue()


def style() -> AbstractContextManager[None]:
    """Within it, everything is drawn in this package's look; outside, nothing has changed.

    >>> import matplotlib
    >>> with mv.plots.style():
    ...     print(matplotlib.rcParams["axes.grid"])
    True
    >>> matplotlib.rcParams["axes.grid"]
    False
    """
    return mpl.rc_context(_STYLE)


def chart(width: float = 7, height: float = 4.2) -> tuple[Figure, Axes]:
    """A figure with one pair of axes.

    >>> figure, ax = mv.plots.chart(width=6, height=4)  # inches
    >>> _ = ax.plot([0, 1, 2], [0, 1, 4])
    >>> mv.plots.save(figure, "parabola.png").stat().st_size > 5_000
    True
    """
    figure = Figure(figsize=(width, height))
    return figure, figure.add_axes((0.11, 0.13, 0.84, 0.82))


def drawable(path: str | Path) -> Path:
    """Require the name of a picture that `save` can write, before it is drawn.

    Raises:
        ValueError: if `path` does not end in .png, .svg or .pdf.

    >>> mv.plots.drawable("plot.png").suffix
    '.png'
    >>> mv.plots.drawable("plot.jpg")
    Traceback (most recent call last):
        ...
    ValueError: `path` must end in .png, .svg or .pdf; got 'plot.jpg'
    """
    path = Path(path)
    if path.suffix.lower() not in _SUFFIXES:
        raise ValueError(f"`path` must end in .png, .svg or .pdf; got {str(path)!r}")
    return path


def drawn(draw: Callable[[], Figure], path: str | Path | None) -> Figure | Path:
    """What every `plot` gives back: the figure; or if there is a path, that, when the figure has been written there.

    Raises:
        ValueError: if `path` does not end in .png, .svg or .pdf.
        OSError: if it cannot be written.
    """
    if path is None:
        return draw()
    path = drawable(path)
    return save(draw(), path)


def save(figure: AnyFigure, path: str | Path) -> Path:
    """Write a figure in this package's look, whole or not at all, and return its path.

    Raises:
        ValueError: if `path` does not end in .png, .svg or .pdf.
        OSError: if it cannot be written.

    >>> figure, ax = mv.plots.chart()
    >>> path = mv.plots.save(figure, "empty.svg")  # bytes that are the same each time
    >>> path.name, path.read_text().startswith("<?xml")
    ('empty.svg', True)
    """
    path = drawable(path)
    suffix = path.suffix.lower()
    with style(), mpl.rc_context({"svg.hashsalt": "mvcalc"}), replacing(path) as file:
        figure.savefig(file, format=suffix[1:], metadata=_SUFFIXES[suffix])
    return path
