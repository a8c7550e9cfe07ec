"""Gaussians fitted to the counts of a histogram, or of any number of them, by the likelihood of those counts."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from mvcalc_jax import binning, require
from mvcalc_jax.fitting import normal, shapes, starts
from mvcalc_jax.fitting.loop import Data, Model
from mvcalc_jax.fitting.problem import EVERYWHERE, Bounds, Options, Problem, numbers, prepared
from mvcalc_jax.fitting.result import Fit, Status
from mvcalc_jax.fitting.solve import Inputs
from mvcalc_jax.models import bell, bins
from mvcalc_jax.models.bell import Shape

__all__ = ["fit_histogram", "expected", "components"]

NAMES = ("area", "mean", "stddev")
SHAPES: dict[str, Callable[..., Shape]] = {
    "likelihood": bins.binned_peak,
    "integrated": bins.binned_peak,
    "midpoint": bins.midpoint_peak,
}
"""What each estimator expects of a bin; the best first."""

_MOST = 100
"""Steps: from its moments, a peak is found in five."""


def fit_histogram(
    counts: Any = None,
    edges: Any = None,
    *,
    samples: Any = None,
    bin_width: float | None = None,
    estimator: str = "likelihood",
    peaks: int = 1,
    p0: Any = None,
    bounds: Bounds = EVERYWHERE,
    method: str = "lm",
    mask: Any = None,
    fixed: Sequence[int | str] = (),
    nan_policy: str | None = None,
    xtol: float | None = None,
    max_steps: int | None = None,
) -> Fit:
    r"""Fit a Gaussian, or several, to one histogram or to each of a batch: counts and edges, or raw samples.

    With a bin's edges a, b, and Φ the normal distribution:

        likelihood   F = area [Φ((b − m)/s) − Φ((a − m)/s)]; each count is Poisson with mean F
        integrated   the same F; least squares of the counts
        midpoint     F = area (b − a) × the density at the bin's centre; least squares of the counts

    Take the likelihood: its errors are the smallest that there can be, for any width of the bins, and it knows what an
    empty bin says. Least squares trusts a count of 400 as little as one of 1; the midpoint makes a peak too wide.

    The parameters are area, mean and stddev. The area is the count to be expected on the whole line; of bins of one
    width, the peak's amplitude is area × width/(stddev √(2π)). Those of several peaks are numbered: area1, mean1, …

    Args:
        counts: (..., n), not negative; for the likelihood they must be counts, and not shares of a whole.
        edges: (n + 1,), or (..., n + 1) where each histogram has its own; increasing. The outermost may be infinite, so
            that the first and last bin hold all that lies beyond; not for midpoint.
        samples: (..., k), raw values, in place of counts. They are counted between `edges`, or, where these are left
            out, in bins of one width which all histograms of a batch share.
        bin_width: of the latter; chosen by the rule of Freedman and Diaconis unless given.
        estimator: one of the above.
        peaks: how many overlap; more than one needs p0.
        p0: (..., 3 peaks), where to start; unless given, moments of the counts, with Sheppard's correction.
        mask: (..., n), true where a bin counts.
        bounds, method, fixed, nan_policy, xtol, max_steps: as for `curve_fit`.

    Returns:
        A `Fit`; `predict(edges)` is F. Of the likelihood, chi2 is the deviance, 2 Σ F − y + y ln(y/F), and the
        covariance the inverse of Fisher's information; of least squares, chi2 is the sum of squares, and the
        covariance is what Poisson counts with these means make of it. Neither needs rescaling.

    Raises:
        ValueError, TypeError: for arguments that do not fit together, and for a single histogram that cannot be
            fitted: edges that do not increase, negative counts, fewer bins that hold something than parameters. In
            a batch, such a histogram has a status that says so, and harms no other.

    >>> fit = mv.fit_histogram([5, 24, 46, 21, 4], edges=[160, 165, 170, 175, 180, 185])
    >>> print(fit.names, fit.params.round(2), fit.stderr.round(2))
    ('area', 'mean', 'stddev') [100.42 172.24   4.36] [10.05  0.47  0.38]
    >>> print(fit.predict(np.array([160.0, 165.0, 170.0, 175.0, 180.0, 185.0])).round(1))  # counts to be expected
    [ 4.6 25.6 43.5 22.7  3.6]
    """
    require.one_of("estimator", estimator, SHAPES)
    names = names_of(require.whole("peaks", peaks, least=1))
    options = Options(method, True, fixed, nan_policy, xtol, max_steps).checked(names, _MOST)
    starts.require_given(p0, names, peaks, options.fixed)
    counts, edges = _histogram(counts, edges, samples, bin_width)
    if estimator == "midpoint" and not require.traced(edges) and np.isinf(edges).any():
        raise ValueError(
            "`edges` must be finite for the midpoint, as an open bin has none; take another estimator"
        )
    pairs = (jnp if require.traced(edges) else np).stack([edges[..., :-1], edges[..., 1:]], axis=-2)
    inputs, shape = prepared(pairs, counts, None, mask, p0, bounds, names, axes=2)
    starts.require_positive(inputs, names, [k for k in range(len(names)) if k % 3 != 1])
    faults = _faults(inputs, len(names), nan_policy == "omit")
    if not shape and not require.traced(faults):
        _require_histogram(inputs, faults, len(names), nan_policy == "omit")
    fit = Problem(
        normal_equations(estimator, peaks),
        names,
        _ready(inputs, faults),
        shape,
        options,
        expected(estimator, peaks),
        start=start if p0 is None else None,
        polished=False,
    ).solve()
    faults = faults.reshape(shape) if faults.size > 1 else faults[0]
    numeric = jnp if require.traced((fit.status, faults)) else np
    return replace(fit, status=numeric.where(faults != 0, faults, fit.status).astype("int32")[()])


def components(
    fit: Fit, edges: Float[np.ndarray, " n_plus_1"]
) -> tuple[Float[np.ndarray, "q n"], Float[np.ndarray, "q n"]]:
    """The counts expected of each peak of a single fit, and their standard errors.

    The errors are √(J cov Jᵀ), J being the Jacobian of the counts by the peak's own parameters.

    >>> edges = np.array([160.0, 165.0, 170.0, 175.0, 180.0, 185.0])
    >>> each, errors = mv.fitting.histogram.components(mv.fit_histogram([5, 24, 46, 21, 4], edges), edges)
    >>> print(each.round(1), errors.round(1))  # of its only peak
    [[ 4.6 25.6 43.5 22.7  3.6]] [[1.7 3.7 5.4 3.5 1.5]]
    """
    pair, parts = jnp.stack([jnp.asarray(edges[:-1]), jnp.asarray(edges[1:])]), range(0, len(fit.params), 3)
    at = [bins.binned_peak(fit.params[k : k + 3], pair) for k in parts]
    J = [np.stack(part.columns, axis=-1) for part in at]
    covs = [np.nan_to_num(fit.cov[k : k + 3, k : k + 3]) for k in parts]
    errors = [np.sqrt(np.einsum("ni,ij,nj->n", j, cov, j)) for j, cov in zip(J, covs, strict=True)]
    return np.stack([part.value for part in at]), np.stack(errors)


def names_of(peaks: int) -> tuple[str, ...]:
    """The parameters of so many peaks."""
    return NAMES if peaks == 1 else tuple(f"{name}{k + 1}" for k in range(peaks) for name in NAMES)


@lru_cache(maxsize=32)
def shape_of(estimator: str, peaks: int = 1) -> Callable[..., Shape]:
    """What an estimator expects of a bin."""
    one = SHAPES[estimator]
    return one if peaks == 1 else bell.summed(*[(one, len(NAMES))] * peaks)


@lru_cache(maxsize=32)
def expected(estimator: str, peaks: int = 1) -> Callable[..., Any]:
    """The count to be expected between each edge and the next, from edges and parameters.

    >>> counts = jax.jit(mv.fitting.histogram.expected("likelihood"))
    >>> print(np.array(counts(jnp.array([-1.0, 0.0, 1.0]), 100.0, 0.0, 1.0)).round(2))  # a hundred, N(0, 1)
    [34.13 34.13]
    """
    shape = shape_of(estimator, peaks)

    def counts(edges: Any, *params: Any) -> Any:
        return shape(params, (edges[..., :-1], edges[..., 1:])).value

    return counts


@lru_cache(maxsize=32)
def normal_equations(estimator: str, peaks: int = 1) -> Model:
    """The normal equations of an estimator."""
    shape = shape_of(estimator, peaks)
    if estimator == "likelihood":
        return shapes.likelihood(shape, limit, outside)

    def spread(theta: Any, data: Data) -> Any:
        """What the counts' scatter, Poisson's with variance F, makes of the gradient; and the sum of squares."""
        F, columns, _ = shape(theta, data.x)
        w = 1 if data.weights is None else data.weights
        return normal.equations(F, columns, w * F)[1], jnp.sum(w * (F - data.y) ** 2, axis=0)

    return shapes.least_squares(shape, limit, outside)._replace(spread=spread)


def limit(theta: Any, trial: Any, data: Data) -> Any:
    """Steps after which a peak is still seen by its data: by two widths, to a third or three times itself."""
    rows = []
    for k in range(0, len(theta), 3):
        (N, m, s), reach = theta[k : k + 3], 2 * theta[k + 2]
        rows.append(jnp.maximum(trial[k], N / 4))
        rows.append(jnp.clip(trial[k + 1], m - reach, m + reach))
        rows.append(jnp.clip(trial[k + 2], s / 3, 3 * s))
    return jnp.stack(rows)


def outside(theta: Any, data: Data) -> Any:
    """Whether a mean lies outside the bins: of such a peak only the flank was seen."""
    lower, upper = data.x
    there = True if data.weights is None else data.weights > 0
    low = jnp.min(jnp.where(there, lower, jnp.inf), axis=0)
    high = jnp.max(jnp.where(there, upper, -jnp.inf), axis=0)
    return jnp.any((theta[1::3] < low) | (theta[1::3] > high), axis=0)


def start(data: Data) -> Any:
    """(area, mean, stddev) by moments, (3, m); the variance less Sheppard's h²/12, which the bins' width h adds."""
    y = jnp.maximum(data.y if data.weights is None else jnp.where(data.weights > 0, data.y, 0), 0)
    lower, upper = _shut(data.x)
    x, h = (lower + upper) / 2, upper - lower
    total = jnp.sum(y, axis=0)
    share = y / jnp.where(total > 0, total, 1)
    mean = jnp.sum(share * x, axis=0)
    within = jnp.sum(share * h * h, axis=0) / 12
    variance = jnp.sum(share * (x - mean) ** 2, axis=0) - within
    return jnp.stack([total, mean, jnp.sqrt(jnp.maximum(variance, within / 2))])


def _shut(edges: Any) -> Any:
    """Edges with the open bins as wide as their neighbours, for moments."""
    lower, upper = edges
    far = jnp.finfo(lower.dtype).max
    wide = jnp.where((lower > -far) & (upper < far), upper - lower, 0)
    typical = jnp.sum(wide, axis=0) / jnp.maximum(jnp.sum(wide > 0, axis=0), 1).astype(wide.dtype)
    return jnp.where(lower > -far, lower, upper - typical), jnp.where(upper < far, upper, lower + typical)


def _histogram(counts: Any, edges: Any, samples: Any, bin_width: float | None) -> tuple[Any, Any]:
    """Counts and edges, from whatever was given."""
    if (counts is None) == (samples is None):
        raise ValueError("give either `counts` with their `edges`, or `samples`, which are raw values")
    if counts is not None and edges is None:
        raise ValueError(
            "`edges` are needed with counts, one more than there are bins; raw values go to `samples`"
        )
    if bin_width is not None and (samples is None or edges is not None):
        raise ValueError("`bin_width` is for samples without edges; leave it out")
    if samples is not None:
        return _counted(samples, edges, bin_width)
    counts, edges = numbers("counts", counts), numbers("edges", edges)
    if counts.ndim == 0 or edges.ndim == 0 or edges.shape[-1] != counts.shape[-1] + 1:
        raise ValueError(
            "`edges` must have one value more than counts on their last axis, the ends of all bins; got shapes "
            f"{edges.shape} and {counts.shape}"
        )
    return counts, edges


def _counted(samples: Any, edges: Any, bin_width: float | None) -> tuple[Any, Any]:
    """Raw values in bins. A row in which a value is not finite has counts that are none either."""
    samples = numbers("samples", samples)
    if require.traced((samples, edges)):
        raise TypeError(
            "`samples` cannot be counted inside jit, vmap or grad; count them before, and pass counts"
        )
    if samples.ndim == 0 or samples.size == 0:
        raise ValueError(f"`samples` must hold values on their last axis; got shape {samples.shape}")
    kind = samples.dtype if samples.dtype == np.float32 else np.dtype(float)
    samples = samples.astype(float)
    sound = np.isfinite(samples).all(axis=-1)
    if samples.ndim == 1 or not sound.any():
        require.finite("samples", samples)
    usable = np.where(sound[..., None], samples, samples[sound][0, 0])
    if edges is None:
        counts, first, bin_width = binning.binned(usable, bin_width)
        edges = first + bin_width * np.arange(counts.shape[-1] + 1)
    else:
        edges = numbers("edges", edges).astype(float)
        if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
            raise ValueError(
                f"`edges` of samples must be increasing, (n + 1,), the same for all; got {edges}"
            )
        counts = binning.counted(usable, edges)
    return np.where(sound[..., None], counts, np.nan).astype(kind), edges


def _faults(inputs: Inputs, fewest: int, omit: bool) -> Any:
    """What is wrong with each histogram, (m,) or (1,): a `Status`, or 0."""
    numeric: Any = jnp if require.traced((inputs.x, inputs.y, inputs.mask)) else np
    lower, upper = inputs.x[:, 0], inputs.x[:, 1]
    there = _there(inputs, omit)
    unknown = (there & ~numeric.isfinite(inputs.y)).any(-1)
    faults = numeric.where((there & (inputs.y > 0)).sum(-1) < fewest, int(Status.FEW_BINS), 0)
    faults = numeric.where((there & (inputs.y < 0)).any(-1), int(Status.BAD_COUNTS), faults)
    faults = numeric.where(unknown, int(Status.NOT_FINITE), faults)
    return numeric.where(~(lower < upper).all(-1), int(Status.BAD_EDGES), faults)


def _there(inputs: Inputs, omit: bool) -> Any:
    numeric: Any = jnp if require.traced((inputs.y, inputs.mask)) else np
    there = numeric.ones_like(inputs.y, bool) if inputs.mask is None else inputs.mask
    return there & numeric.isfinite(inputs.y) if omit else there


def _require_histogram(inputs: Inputs, faults: Any, fewest: int, omit: bool) -> None:
    """Say what is wrong with a single histogram.

    Raises:
        ValueError: where anything is.
    """
    y, there = inputs.y[0], _there(inputs, omit)[0]
    if faults[0] == Status.BAD_EDGES:
        edges = np.append(inputs.x[0, 0], inputs.x[0, 1, -1])
        k = int(np.argmin(edges[1:] > edges[:-1]))
        raise ValueError(f"`edges` must increase; got {edges[k + 1]:g} after {edges[k]:g} at index {k + 1}")
    if faults[0] == Status.NOT_FINITE:
        k = int(np.argmax(there & ~np.isfinite(y)))
        raise ValueError(
            f"`counts` must be finite; got {y[k]} at index {k}; mask it, or pass nan_policy='omit'"
        )
    if faults[0] == Status.BAD_COUNTS:
        k = int(np.argmax(there & (y < 0)))
        raise ValueError(f"`counts` must not be negative; got {y[k]:g} at index {k}")
    if faults[0] == Status.FEW_BINS:
        filled = int(np.sum(there & (y > 0)))
        raise ValueError(
            f"at least {fewest} bins must hold something, or there is no shape to fit; got {filled}; "
            "take narrower bins"
        )


def _ready(inputs: Inputs, faults: Any) -> Inputs:
    """With open ends at the last finite number, which the loop takes for one, and without what cannot be fitted."""
    numeric: Any = jnp if require.traced((inputs.x, inputs.y, faults)) else np
    far = jnp.finfo(inputs.x.dtype).max
    y = inputs.y
    if require.traced(faults) or faults.any():
        y = numeric.where((faults != 0)[:, None], numeric.nan, y).astype(y.dtype)
    return inputs._replace(x=numeric.clip(inputs.x, -far, far), y=y)
