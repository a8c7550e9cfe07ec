"""Curves to draw: a table of famous ones, and the reader's own from a CSV or SVG file.

A curve is n points (x, y) in the unit square, in the order in which they are drawn, and the time t at
which each is reached. A closed curve stops one step short of where it began, t = k/n, as the course's
heart does; an open one goes from its first point to its last, t = k/(n − 1).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from mvcalc_jax import require
from mvcalc_jax.data.files import read_columns, read_strokes

Strokes = Sequence[Float[np.ndarray, "2 _"]]
"""What is drawn without lifting the pen, each a (2, any) array of corners."""

_MARGIN = 0.1
_τ = 2 * math.pi


@dataclass(frozen=True)
class Curve:
    """Points on a curve.

    Attributes:
        name: what to call it.
        t: (1, n), the times, which are a network's inputs.
        points: (2, n), x and y in [0, 1], which are its targets.
        closed: whether the last point leads back to the first.
        breaks: indices of the points before which the pen was lifted.

    >>> spiral = mv.data.curve("spiral", 5)
    >>> spiral.name, spiral.closed, spiral.t.tolist(), spiral.points.shape
    ('spiral', False, [[0.0, 0.25, 0.5, 0.75, 1.0]], (2, 5))
    """

    name: str
    t: Float[np.ndarray, "1 n"]
    points: Float[np.ndarray, "2 n"]
    closed: bool
    breaks: tuple[int, ...] = ()


class Formula(NamedTuple):
    """A curve (x(t), y(t)) for t from 0 to 1, taken at equal steps of t.

    With a scale its points are (f/scale + 1)/2, as the course has it; without, they are fitted into the square.
    """

    f: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    closed: bool = True
    scale: float | None = None


def _heart(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y = 13 * np.cos(_τ * t) - 5 * np.cos(2 * _τ * t) - 2 * np.cos(3 * _τ * t) - np.cos(4 * _τ * t)
    return 16 * np.sin(_τ * t) ** 3, y


def _circle(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.cos(_τ * t), np.sin(_τ * t)


def _lemniscate(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bernoulli's: the product of the distances to two foci is constant."""
    c, s = np.cos(_τ * t), np.sin(_τ * t)
    return c / (1 + s**2), s * c / (1 + s**2)


def _trefoil(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The trefoil knot seen from above."""
    return np.sin(_τ * t) + 2 * np.sin(2 * _τ * t), np.cos(_τ * t) - 2 * np.cos(2 * _τ * t)


def _butterfly(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fay's, without its smallest term, so that it closes after one turn."""
    r = np.exp(np.sin(_τ * t)) - 2 * np.cos(4 * _τ * t)
    return r * np.cos(_τ * t), r * np.sin(_τ * t)


def _rose(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Four petals, r = cos 2φ."""
    r = np.cos(2 * _τ * t)
    return r * np.cos(_τ * t), r * np.sin(_τ * t)


def _spiral(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Archimedes', two turns outward."""
    return t * np.cos(2 * _τ * t), t * np.sin(2 * _τ * t)


def _lissajous(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.cos(3 * _τ * t), np.sin(2 * _τ * t)


def _cardioid(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The path of a point on a circle that rolls around another of its size."""
    return 2 * np.cos(_τ * t) - np.cos(2 * _τ * t), 2 * np.sin(_τ * t) - np.sin(2 * _τ * t)


def _astroid(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.cos(_τ * t) ** 3, np.sin(_τ * t) ** 3


def _deltoid(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return 2 * np.cos(_τ * t) + np.cos(2 * _τ * t), 2 * np.sin(_τ * t) - np.sin(2 * _τ * t)


def _star() -> np.ndarray:
    """Five points; the inner corners lie where the sides of a pentagram cross."""
    radius = np.where(np.arange(11) % 2, (3 - math.sqrt(5)) / 2, 1)
    angle = math.pi / 2 + _τ * np.arange(11) / 10
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)])


def _letter() -> np.ndarray:
    """The outline of an M, for multivariate."""
    x = [0, 0, 1.6, 3.5, 5.4, 7, 7, 5.4, 5.4, 3.5, 1.6, 1.6, 0]
    y = [0, 7, 7, 3.4, 7, 7, 0, 0, 4.2, 0.8, 4.2, 0, 0]
    return np.array([x, y], float)


CURVES: dict[str, Formula | Callable[[], np.ndarray]] = {
    "heart": Formula(_heart, scale=20),
    "circle": Formula(_circle),
    "lemniscate": Formula(_lemniscate),
    "trefoil": Formula(_trefoil),
    "star": _star,
    "butterfly": Formula(_butterfly),
    "rose": Formula(_rose),
    "spiral": Formula(_spiral, closed=False),
    "lissajous": Formula(_lissajous),
    "letter": _letter,
    "cardioid": Formula(_cardioid),
    "astroid": Formula(_astroid),
    "deltoid": Formula(_deltoid),
}
"""Every curve by name: a formula in t, or the corners of a polygon."""


def curve(name: str, samples: int = 100) -> Curve:
    r"""A curve by its name in `CURVES`, or from a `.csv` or `.svg` file.

    A CSV file holds a point in each row, x then y, or columns named x and y; the curve is closed if it ends
    where it begins. Of an SVG file all paths and shapes are drawn, one after the other. Both are resampled
    at equal distances along the way and fitted into the unit square.

    Raises:
        ValueError: for an unknown name, fewer than 2 samples, or a file that holds no curve.
        OSError: for a file that cannot be read.

    >>> sorted(mv.data.CURVES)[:4]
    ['astroid', 'butterfly', 'cardioid', 'circle']
    >>> heart = mv.data.curve("heart", 4)
    >>> print(heart.t, heart.points.round(3), sep="\n")
    [[0.   0.25 0.5  0.75]]
    [[0.5   0.9   0.5   0.1  ]
     [0.625 0.6   0.075 0.6  ]]
    >>> mv.data.curve("hart")
    Traceback (most recent call last):
        ...
    ValueError: unknown curve (or .csv or .svg file) 'hart'; did you mean 'heart'? ...
    """
    samples = require.whole("samples", samples, least=2)
    suffix = Path(name).suffix.lower()
    if suffix == ".svg":
        return resample(Path(name).stem, read_strokes(Path(name)), samples)
    if suffix in (".csv", ".tsv", ".txt"):
        return resample(Path(name).stem, [read_columns(Path(name), ("x", "y")).T], samples)
    require.one_of("curve (or .csv or .svg file)", name, CURVES)
    formula = CURVES[name]
    if not isinstance(formula, Formula):
        return resample(name, [formula()], samples)
    t = np.arange(samples) / (samples if formula.closed else samples - 1)
    points = np.stack(formula.f(t))
    points = _fitted(points) if formula.scale is None else (points / formula.scale + 1) / 2
    return Curve(name, t[None], points, formula.closed)


def resample(name: str, strokes: Strokes, samples: int) -> Curve:
    """`samples` points at equal distances along the strokes, the jumps between strokes not counted."""
    strokes = [kept for stroke in strokes if (kept := _distinct(stroke)).shape[1] > 1]
    if not strokes:
        raise ValueError(f"curve {name!r} must have at least two different points; draw a longer one")
    corners = np.concatenate(strokes, axis=1)
    corners = corners - corners.min(axis=1, keepdims=True)  # first, or a small curve far off loses its digits
    corners = corners / corners.max()  # squares of huge or tiny numbers leave the range of floats
    starts = np.cumsum([0, *(stroke.shape[1] for stroke in strokes)])
    lengths = np.hypot(*np.diff(corners))
    lengths[starts[1:-1] - 1] = 0
    way = np.concatenate([[0], np.cumsum(lengths)])
    size = np.ptp(corners, axis=1).max()
    closed = len(strokes) == 1 and bool(np.hypot(*(corners[:, 0] - corners[:, -1])) <= 1e-6 * size)
    t = np.arange(samples) / (samples if closed else samples - 1)
    points = np.stack([np.interp(t * way[-1], way, axis) for axis in corners])
    # A point on the jump is where the pen comes down.
    breaks = np.searchsorted(t * way[-1], way[starts[1:-1]])
    return Curve(name, t[None], _fitted(points), closed, tuple(int(k) for k in breaks))


def _distinct(stroke: np.ndarray) -> np.ndarray:
    """The corners of a stroke without immediate repeats."""
    return stroke[:, np.append(True, np.any(np.diff(stroke) != 0, axis=0))]


def _fitted(points: np.ndarray) -> np.ndarray:
    """Centred in the unit square, both axes to one scale, with a margin."""
    low, high = points.min(axis=1), points.max(axis=1)
    return 0.5 + (1 - 2 * _MARGIN) * (points - ((low + high) / 2)[:, None]) / (high - low).max()
