"""A function of two variables, seen from above: its contours, and what lies on them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from mvcalc_jax.plots.style import QUIET


class Surface(NamedTuple):
    """A function on a grid: z[i, k] = f(x[k], y[i])."""

    x: Float[np.ndarray, " k"]
    y: Float[np.ndarray, " i"]
    z: Float[np.ndarray, "i k"]


def sampled(f: Callable[[Any, Any], Any], box: Float[np.ndarray, "2 2"], points: int = 200) -> Surface:
    """f(x, y), for arrays of x and y, on a grid over a box."""
    x, y = (np.linspace(low, high, points) for low, high in box)
    return Surface(x, y, np.asarray(f(*np.meshgrid(x, y))))


def draw_contours(ax: Axes, surface: Surface, levels: Any = 20, **filled: Any) -> None:
    """Filled contours, pale, so that what is drawn over them is seen; thin lines between them.

    Args:
        ax: to draw on.
        surface: what is drawn.
        levels: their number, or the heights themselves.
        **filled: more for `contourf`, such as `cmap` or `norm`.
    """
    if np.ndim(levels) == 0:
        levels = np.linspace(np.nanmin(surface.z), np.nanmax(surface.z), levels + 1)
    filled = {"cmap": "Blues_r", "alpha": 0.6} | filled
    ax.contourf(*surface, levels=levels, **filled)
    ax.contour(*surface, levels=levels, colors=QUIET, linewidths=0.5)
    ax.set(xlim=(surface.x[0], surface.x[-1]), ylim=(surface.y[0], surface.y[-1]))
    ax.grid(False)
