"""Two measurements of each: Anscombe's quartet, and the heights of fathers and their sons.

The numbers are facts from the sources named.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Float

from mvcalc_jax.data.files import read_table


@dataclass(frozen=True)
class Pairs:
    """Points (x, y).

    Attributes:
        title: what was measured.
        x_label, y_label: of the two measurements, with their unit.
        x, y: (n,) the measurements.
        source: where the numbers come from.

    >>> pairs = mv.data.fathers_and_sons()
    >>> pairs.x_label, pairs.y_label, pairs.x.shape
    ("father's height / in", "son's height / in", (1078,))
    >>> [round(float(np.corrcoef(four.x, four.y)[0, 1]), 2) for four in mv.data.ANSCOMBE]
    [0.82, 0.82, 0.82, 0.82]
    """

    title: str
    x_label: str
    y_label: str
    x: Float[np.ndarray, " n"]
    y: Float[np.ndarray, " n"]
    source: str


_SPREAD = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
_QUARTET = (
    ("a line and noise", _SPREAD, [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]),
    ("a curve", _SPREAD, [9.14, 8.14, 8.74, 8.77, 9.26, 8.10, 6.13, 3.10, 9.13, 7.26, 4.74]),
    ("a line and an outlier", _SPREAD, [7.46, 6.77, 12.74, 7.11, 7.81, 8.84, 6.08, 5.39, 8.15, 6.42, 5.73]),
    (
        "one point that holds the line",
        [8, 8, 8, 8, 8, 8, 8, 19, 8, 8, 8],
        [6.58, 5.76, 7.71, 8.84, 8.47, 7.04, 5.25, 12.50, 5.56, 7.91, 6.89],
    ),
)

ANSCOMBE = tuple(
    Pairs(
        title,
        "x",
        "y",
        np.array(x, float),
        np.array(y),
        "F. J. Anscombe, Graphs in statistical analysis, The American Statistician 27 (1973), 17-21",
    )
    for title, x, y in _QUARTET
)
"""Four sets of eleven points with the same means, variances, correlation and line, to two or three digits."""


@cache
def fathers_and_sons() -> Pairs:
    """Heights of 1078 fathers and a son of each.

    >>> pairs = mv.data.fathers_and_sons()
    >>> print(len(pairs.x), pairs.x.mean().round(1), pairs.y.mean().round(1))
    1078 67.7 68.7
    """
    _, heights = read_table(Path(__file__).with_name("fathers_and_sons.csv"))
    source = (
        "K. Pearson and A. Lee, On the laws of inheritance in man, Biometrika 2 (1903), 357-462; the pairs behind "
        "their table by whole inches are those of the statistics department at Berkeley, spread at random within its "
        "classes"
    )
    labels = "father's height / in", "son's height / in"
    return Pairs("Heights of 1078 fathers and sons", *labels, heights[:, 0], heights[:, 1], source)
