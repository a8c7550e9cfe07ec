"""Raw values counted in equal bins that begin at a multiple of their width."""

import numpy as np
from jaxtyping import Float

from mvcalc_jax import require

_MOST = 10**6


def width(values: Float[np.ndarray, "... k"]) -> float:
    """A width for bins of k values: 2 (upper − lower quartile)/∛k. Several rows of values are to share one.

    Reference: D. Freedman and P. Diaconis, Zeitschrift für Wahrscheinlichkeitstheorie 57 (1981), 453-476.

    >>> from mvcalc_jax import binning
    >>> binning.width(np.arange(8.0))  # quartiles 1.75 and 5.25
    3.5
    """
    low, high = np.quantile(values, [0.25, 0.75])
    return float(2 * (high - low) / values.shape[-1] ** (1 / 3)) or float(np.ptp(values)) / 10 or 1.0


def binned(
    values: Float[np.ndarray, "... k"], bin_width: float | None = None
) -> tuple[Float[np.ndarray, "... n"], float, float]:
    """Counts in bins from the least to the greatest of all values, the first bin's left edge, and the width.

    Args:
        values: rows of k values; all share their bins.
        bin_width: chosen by `width` unless given.

    Raises:
        ValueError: for a width that is not positive, or makes more than a million bins.

    >>> from mvcalc_jax import binning
    >>> binning.binned(np.array([0.1, 0.2, 0.9, 2.5]), 1.0)
    (array([3., 0., 1.]), 0.0, 1.0)
    """
    if bin_width is None:
        bin_width = width(values)
    require.positive("bin_width", bin_width)
    with np.errstate(over="ignore", invalid="ignore"):  # a width next to nothing makes infinitely many
        first = np.floor(values.min() / bin_width)
        which = np.floor(values / bin_width) - first
    if not which.max() <= _MOST:
        many = float(np.nan_to_num(which.max(), nan=np.inf))
        raise ValueError(
            f"`bin_width` {bin_width:g} makes {many:.3g} bins of these values; take a larger one"
        )
    return tallied(which.astype(int), int(which.max()) + 1), float(first * bin_width), float(bin_width)


def counted(
    values: Float[np.ndarray, "... k"], edges: Float[np.ndarray, " n_plus_1"]
) -> Float[np.ndarray, "... n"]:
    """Counts between edges, each bin with its left edge and the last with both; what lies outside is not counted.

    >>> from mvcalc_jax import binning
    >>> binning.counted(np.array([-1.0, 0.0, 0.5, 1.0, 2.0]), np.array([0.0, 1.0, 2.0]))
    array([2., 2.])
    """
    n = len(edges) - 1
    which = np.searchsorted(edges, values, side="right") - 1
    which = np.where(values == edges[-1], n - 1, which)
    return tallied(np.where((which < 0) | (which >= n), n, which), n + 1)[..., :n]


def tallied(which: np.ndarray, n: int) -> Float[np.ndarray, "... n"]:
    """How often each of 0 … n − 1 is in every row.

    >>> from mvcalc_jax import binning
    >>> binning.tallied(np.array([[0, 2, 2], [1, 1, 1]]), 3)
    array([[1., 0., 2.],
           [0., 3., 0.]])
    """
    rows = which.reshape(-1, which.shape[-1])
    flat = rows + n * np.arange(len(rows))[:, None]
    return np.bincount(flat.ravel(), minlength=n * len(rows)).reshape(*which.shape[:-1], n).astype(float)
