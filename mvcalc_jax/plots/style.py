"""One look for every picture, and the way to the file."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mvcalc_jax.atomic import replacing

INK = "#26323c"
QUIET = "#8d99a6"
PALE = "#e8edf1"
RED = "#d1495b"
BLUE = "#2b7a9e"
GOLD = "#e3a336"
GREEN = "#5a9e6f"
VIOLET = "#7d5ba6"
CYCLE = (RED, BLUE, GOLD, GREEN, VIOLET, QUIET)

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


def style() -> AbstractContextManager[None]:
    """Within it, everything is drawn in this package's look; outside, nothing has changed."""
    return mpl.rc_context(_STYLE)


def chart(width: float = 7, height: float = 4.2) -> tuple[Figure, Axes]:
    """A figure with one pair of axes."""
    figure = Figure(figsize=(width, height))
    return figure, figure.add_axes((0.11, 0.13, 0.84, 0.82))


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    with replacing(path) as file:
        figure.savefig(file, format="png")
