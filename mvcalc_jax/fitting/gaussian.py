"""Gaussian peaks fitted to any number of curves or images, with derivatives by hand and a start of their own."""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from mvcalc_jax import require
from mvcalc_jax.fitting import moments, shapes, starts
from mvcalc_jax.fitting.loop import Data, Model
from mvcalc_jax.fitting.losses import LOSSES
from mvcalc_jax.fitting.problem import EVERYWHERE, Bounds, Options, Problem, prepared
from mvcalc_jax.fitting.result import Fit
from mvcalc_jax.models import bell
from mvcalc_jax.models.bell import Shape


class Family(NamedTuple):
    """A kind of peak: its shape, the names of its parameters, which of them are positions and widths, its axes."""

    shape: Callable[..., Shape]
    names: tuple[str, ...]
    offset: bool
    positions: tuple[tuple[int, int], ...]
    widths: tuple[int, ...]
    axes: int


MODELS = ("amplitude", "area", "offset", "2d", "2d-oval")
"""Peaks by their height, by their area, on a constant; round or oval ones in a plane, on a constant."""

MOST = 100
"""Steps: a peak that is there is found in ten."""


def fit_gaussian(
    x: Any,
    y: Any,
    *,
    model: str = "amplitude",
    peaks: int = 1,
    p0: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    bounds: Bounds = EVERYWHERE,
    method: str = "lm",
    mask: Any = None,
    loss: str = "linear",
    f_scale: float = 1.0,
    fixed: Sequence[int | str] = (),
    nan_policy: str | None = None,
    xtol: float | None = None,
    max_steps: int | None = None,
) -> Fit:
    r"""Fit a Gaussian peak to one histogram, spectrum or image, or to each of a batch.

        amplitude    A exp(−(x − m)²/2s²)                            amplitude, mean, stddev
        area         a exp(−(x − m)²/2s²) / (s√2π)                   area, mean, stddev
        offset       A exp(−(x − m)²/2s²) + c                        amplitude, mean, stddev, offset
        2d           A exp(−((x − m)² + (y − n)²)/2s²) + c           amplitude, mean_x, mean_y, stddev, offset
        2d-oval      the same with a width for each axis         …, stddev_x, stddev_y, offset

    The amplitude is a height, as in Astropy; LMFIT's amplitude is an area. Several peaks on a line are numbered:
    amplitude1, mean1, stddev1, amplitude2, … Unless p0 is given, each fit starts from what its own data show.

    Args:
        x: (n,), or (..., n) where each curve has its own; in a plane (2, n), or None for images, in pixels.
        y: (..., n); images (..., rows, columns) where x is None.
        model: one of the above.
        peaks: how many, on a line; more than one needs p0.
        p0: (..., p).
        sigma: (..., n), standard deviations of y.
        absolute_sigma, bounds, method, mask, loss, f_scale, fixed, nan_policy, xtol, max_steps: as for `curve_fit`.

    Returns:
        A `Fit`. stddev is positive. A peak that is found outside its data has a status that says so.

    Raises:
        ValueError, TypeError: for arguments that do not fit together, before any work.

    >>> x = np.linspace(-3, 3, 25)
    >>> fit = mv.fit_gaussian(x, 2 * np.exp(-((x - 0.5) ** 2) / 2))
    >>> print(fit.names, fit.params.round(6), fit.message)
    ('amplitude', 'mean', 'stddev') [2.  0.5 1. ] converged: the gradient is zero to rounding
    """
    family = family_of(model, peaks)
    options = Options(method, absolute_sigma, fixed, nan_policy, xtol, max_steps).checked(family.names, MOST)
    require.one_of("loss", loss, LOSSES)
    require.positive("f_scale", f_scale)
    if x is None:
        x, y, sigma, mask = _pixels(y, sigma, mask, family)
    starts.require_given(p0, family.names, peaks, options.fixed)
    inputs, shape = prepared(x, y, sigma, mask, p0, bounds, family.names, axes=family.axes)
    if family.axes == 2 and inputs.x.shape[-2] != 2:
        raise ValueError(f"`x` must be (2, n), the x and the y of each point; got {inputs.x.shape[1:]}")
    starts.require_positive(inputs, family.names, family.widths)
    return Problem(
        normal_equations(model, peaks, loss, float(f_scale)),
        family.names,
        inputs,
        shape,
        options,
        function(model, peaks),
        start=automatic(model) if p0 is None else None,
        polished=False,
    ).solve()


@lru_cache(maxsize=64)
def family_of(model: str, peaks: int = 1) -> Family:
    """A kind of peak by name.

    Raises:
        ValueError: for an unknown name, or several peaks in a plane.
    """
    require.one_of("model", model, MODELS)
    peaks = require.whole("peaks", peaks, least=1)
    if model.startswith("2d"):
        if peaks > 1:
            raise ValueError(f"`peaks` must be 1 in a plane; got {peaks}")
        shape, count = (bell.round_peak, 4) if model == "2d" else (bell.oval_peak, 5)
        widths = ("stddev",) if model == "2d" else ("stddev_x", "stddev_y")
        names = ("amplitude", "mean_x", "mean_y", *widths, "offset")
        along = ((1, 3), (2, count - 1))
        return Family(bell.summed((shape, count), offset=True), names, True, along, tuple(range(3, count)), 2)
    height = "area" if model == "area" else "amplitude"
    offset = model == "offset"
    one = bell.area_peak if model == "area" else bell.peak
    numbers = [""] if peaks == 1 else [str(k + 1) for k in range(peaks)]
    names = tuple(f"{name}{k}" for k in numbers for name in (height, "mean", "stddev")) + ("offset",) * offset
    shape = one if peaks == 1 and not offset else bell.summed(*[(one, 3)] * peaks, offset=offset)
    positions = tuple((3 * k + 1, 3 * k + 2) for k in range(peaks))
    return Family(shape, names, offset, positions, tuple(3 * k + 2 for k in range(peaks)), 1)


@lru_cache(maxsize=64)
def normal_equations(model: str, peaks: int = 1, loss: str = "linear", f_scale: float = 1.0) -> Model:
    """The normal equations of a kind of peak: from moments where that is possible."""
    family = family_of(model, peaks)
    limit, outside = _limit(family), _outside(family)
    if model in ("amplitude", "offset") and peaks == 1 and loss == "linear":
        return moments.line_peak(limit, outside, offset=family.offset)
    return shapes.least_squares(family.shape, limit, outside, loss, f_scale)


@lru_cache(maxsize=8)
def automatic(model: str) -> Callable[[Data], Any]:
    """A start for one peak, from its data."""
    if model == "area":
        return _by_area
    if model.startswith("2d"):
        return partial(starts.plane_peak, offset=True, oval=model == "2d-oval")
    return partial(starts.line_peak, offset=model == "offset")


def _by_area(data: Data) -> Any:
    A, m, s = starts.line_peak(data, offset=False)
    return jnp.stack([A * s * np.sqrt(2 * np.pi).astype(A.dtype), m, s])


@lru_cache(maxsize=64)
def _limit(family: Family) -> Callable[[Any, Any, Data], Any]:
    """Steps that keep to where the quadratic model of a peak means something.

    A centre moves by at most two widths, and a width at most to a third or three times itself: beyond, a peak that
    has left its data behind sees no gradient, and cannot come back.
    """

    def limit(theta: Any, trial: Any, data: Data) -> Any:
        rows = list(trial)
        for position, width in family.positions:
            reach = 2 * theta[width]
            rows[position] = jnp.clip(trial[position], theta[position] - reach, theta[position] + reach)
        for width in family.widths:
            rows[width] = jnp.clip(trial[width], theta[width] / 3, 3 * theta[width])
        return jnp.stack(rows)

    return limit


@lru_cache(maxsize=64)
def _outside(family: Family) -> Callable[[Any, Data], Any]:
    """Whether a centre lies outside the data: what is there was not seen, only extrapolated."""

    def outside(theta: Any, data: Data) -> Any:
        axes = data.x if family.axes == 2 else [data.x] * len(family.positions)
        there = True if data.weights is None else data.weights > 0
        beyond = False
        for axis, (position, _) in zip(axes, family.positions, strict=True):
            low = jnp.min(jnp.where(there, axis, jnp.inf), axis=0)
            high = jnp.max(jnp.where(there, axis, -jnp.inf), axis=0)
            beyond |= (theta[position] < low) | (theta[position] > high)
        return beyond

    return outside


@lru_cache(maxsize=64)
def function(model: str, peaks: int = 1) -> Callable[..., Any]:
    """f(x, *params) of a kind of peak."""
    shape = family_of(model, peaks).shape

    def gaussian(x: Any, *params: Any) -> Any:
        return shape(params, x).value

    return gaussian


def _pixels(y: Any, sigma: Any, mask: Any, family: Family) -> tuple[Any, Any, Any, Any]:
    """Images as rows of points: x counts columns and y counts rows, from 0."""
    if family.axes != 2:
        raise ValueError(
            "`x` is needed, where the points lie; it may be None for images only, with model='2d'"
        )
    y = require.array("y", y)
    if y.ndim < 2:
        raise ValueError(f"`y` must be images, (..., rows, columns), where x is None; got shape {y.shape}")
    size = np.shape(y)[-2:]
    rows, columns = np.mgrid[: size[0], : size[1]]
    flat = lambda a: a if a is None or np.ndim(a) < 2 else a.reshape((*a.shape[:-2], -1))
    more = {"sigma": sigma, "mask": mask}
    sigma, mask = (flat(v if v is None else require.array(name, v)) for name, v in more.items())
    y = flat(y)
    return np.stack([columns.ravel(), rows.ravel()]).astype(float), y, sigma, mask
