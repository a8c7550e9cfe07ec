r"""Where to start: the parameters of a peak, seen in its data at a glance.

Two guesses are made, and the one that lies nearer to the data is taken:

    log-parabola   ln f is a parabola in x; fitted by least squares to ln y where y is above a fifth of the highest,
                   each point weighted by y², for the error of ln y is that of y divided by y
    area           the centre is the highest point, and the width what the area needs: a/(A √(2π))

References: R. A. Caruana et al., Analytical Chemistry 58 (1986), 1162-1167; H. Guo, A simple algorithm for fitting a
Gaussian function, IEEE Signal Processing Magazine 28 (2011), 134-137.
"""

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from mvcalc_jax import require
from mvcalc_jax.fitting.loop import Data
from mvcalc_jax.fitting.solve import Inputs
from mvcalc_jax.models import bell


def line_peak(data: Data, *, offset: bool) -> Array:
    """(amplitude, mean, stddev) and perhaps the offset, (p, m), of one peak on a line."""
    there, x = _there(data), data.x
    y, sign, base = _upright(data.y, there, offset)
    low, high = _extremes(x, there)
    top = jnp.max(y, axis=0)
    highest = y == top
    at_top = jnp.sum(jnp.where(highest, x, 0), axis=0) / jnp.sum(highest, axis=0)
    gap = (high - low) / jnp.maximum(jnp.sum(there, axis=0) - 1, 1)
    area = jnp.sum(jnp.maximum(y, 0), axis=0) * gap
    width = jnp.clip(area / jnp.where(top > 0, top, 1) / math.sqrt(2 * math.pi), gap / 2, high - low)
    guesses = [(top, at_top, width), _log_parabola(x, y, top, at_top, gap, high - low, (top, at_top, width))]
    best = _nearer(guesses, x, y, there)
    guess = jnp.stack([sign * best[0], best[1], best[2]])
    return jnp.concatenate([guess, base[None]]) if offset else guess


def plane_peak(data: Data, *, offset: bool, oval: bool) -> Array:
    """(amplitude, mean_x, mean_y, stddev or stddev_x, stddev_y) and perhaps the offset, (p, m), of one in a plane."""
    there = _there(data)
    (x, y), z = data.x, data.y
    z, sign, base = _upright(z, there, offset)
    top = jnp.max(z, axis=0)
    strong = jnp.where(z > 0.3 * top, z, 0)
    total = jnp.where(jnp.sum(strong, axis=0) > 0, jnp.sum(strong, axis=0), 1)
    centre, spread = [], []
    for axis in (x, y):
        low, high = _extremes(axis, there)
        mean = jnp.sum(strong * axis, axis=0) / total
        variance = jnp.sum(strong * (axis - mean) ** 2, axis=0) / total
        centre.append(mean)
        # of a peak cut off at 0.3 of its height the variance is about 0.48 of the whole one's
        spread.append(
            jnp.clip(jnp.sqrt(variance / 0.48), (high - low) / jnp.sqrt(z.shape[0]) / 3, high - low)
        )
    widths = spread if oval else [jnp.sqrt(spread[0] * spread[1])]
    guess = jnp.stack([sign * top, *centre, *widths])
    return jnp.concatenate([guess, base[None]]) if offset else guess


def require_given(p0: Any, names: Sequence[str], peaks: int, fixed: Sequence[int | str]) -> None:
    """Require a p0 where the data cannot show one: for several peaks, and for parameters that stay what they are.

    Raises:
        ValueError: where it is missing.
    """
    if p0 is None and peaks > 1:
        raise ValueError(f"`p0` is needed for {peaks} peaks; give {', '.join(names)}")
    if p0 is None and fixed:
        raise ValueError("`p0` is needed where a parameter is fixed; it says at what")


def require_positive(inputs: Inputs, names: Sequence[str], which: Sequence[int]) -> None:
    """Require a p0 whose widths, and whatever else is named by its number, are positive.

    Raises:
        ValueError: where the only one given has another; of a batch, such a fit has a status that says so.
    """
    if inputs.p0 is None or require.traced(inputs.p0) or inputs.p0.shape[0] > 1:
        return
    for k in which:
        if not inputs.p0[0, k] > 0:
            raise ValueError(f"p0's {names[k]} must be positive; got {inputs.p0[0, k]}")


def _there(data: Data) -> Any:
    """Where there is a point: not where σ is a million times that of another, which some write in place of a mask."""
    if data.weights is None:
        return jnp.ones((data.y.shape[0], 1), bool)
    return data.weights > 1e-12 * jnp.max(data.weights, axis=0)


def _extremes(x: Any, there: Any) -> tuple[Any, Any]:
    return jnp.min(jnp.where(there, x, jnp.inf), axis=0), jnp.max(jnp.where(there, x, -jnp.inf), axis=0)


def _upright(y: Any, there: Any, offset: bool) -> tuple[Any, Any, Any]:
    """The peak above its base and upwards, 0 where there is no point; its sign; and the base."""
    low, high = _extremes(y, there)
    mean = jnp.sum(jnp.where(there, y, 0), axis=0) / jnp.maximum(jnp.sum(there, axis=0), 1)
    upwards = (high - mean >= mean - low) if offset else (high >= -low)
    base = jnp.where(upwards, low, high) if offset else jnp.zeros_like(low)
    sign = jnp.where(upwards, 1, -1).astype(y.dtype)
    return jnp.where(there, sign * (y - base), 0), sign, base


def _log_parabola(
    x: Any, y: Any, top: Any, about: Any, gap: Any, span: Any, otherwise: Any
) -> tuple[Any, Any, Any]:
    """A parabola through ln y; `otherwise` where it does not bend down."""
    chosen = y > 0.2 * top
    weight, t = jnp.where(chosen, (y / jnp.where(top > 0, top, 1)) ** 2, 0), (x - about) / gap
    log = jnp.log(jnp.where(chosen, y, 1) / jnp.where(top > 0, top, 1))
    log = jnp.where(chosen, log, 0)
    s0, s1, s2, s3, s4 = (jnp.sum(weight * t**k, axis=0) for k in range(5))
    q0, q1, q2 = (jnp.sum(weight * log * t**k, axis=0) for k in range(3))
    # Cramer's rule for the three coefficients of a + b t + c t²
    d = s0 * (s2 * s4 - s3 * s3) - s1 * (s1 * s4 - s2 * s3) + s2 * (s1 * s3 - s2 * s2)
    a = q0 * (s2 * s4 - s3 * s3) - s1 * (q1 * s4 - q2 * s3) + s2 * (q1 * s3 - q2 * s2)
    b = s0 * (q1 * s4 - q2 * s3) - q0 * (s1 * s4 - s2 * s3) + s2 * (s1 * q2 - s2 * q1)
    c = s0 * (s2 * q2 - s3 * q1) - s1 * (s1 * q2 - s2 * q1) + q0 * (s1 * s3 - s2 * s2)
    ok = (d > 0) & (c < 0)
    a, b, c = (jnp.where(ok, v, -1) / jnp.where(ok, d, 1) for v in (a, b, c))
    mean, width = about - gap * b / (2 * c), gap * jnp.sqrt(-1 / (2 * c))
    height = top * jnp.exp(jnp.clip(a - b * b / (4 * c), -5, 5))
    ok &= (width < 2 * span) & (jnp.abs(mean - about) < span)
    highest, middle, spread = otherwise
    return jnp.where(ok, height, highest), jnp.where(ok, mean, middle), jnp.where(ok, width, spread)


def _nearer(guesses: list[Any], x: Any, y: Any, there: Any) -> list[Any]:
    """Of several guesses the one with the least cost, for each fit."""
    best, least = None, None
    for guess in guesses:
        r = jnp.where(there, bell.peak(guess, x).value - y, 0)
        cost = jnp.sum(r * r, axis=0)
        if best is None or least is None:
            best, least = list(guess), cost
        else:
            best = [jnp.where(cost < least, new, old) for new, old in zip(guess, best, strict=True)]
            least = jnp.minimum(cost, least)
    assert best is not None
    return best
