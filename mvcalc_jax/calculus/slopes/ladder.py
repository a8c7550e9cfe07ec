r"""A function of one variable seen at every scale: its values at x ± h, h halved from a million |x| to the last digit.

What a difference needs to know about f – how long its waves are, how far its domain reaches, how coarsely its values
are rounded – is not known beforehand, and cannot be read off x. So f is asked at all scales at once:

    h = 2²⁰ max(1, |x|), half of it, … down to the last digit of x, or to 2⁻⁹² at 0

and everything else is read off this ladder. Where |x| is below 2⁻⁴² it has two parts, one for each of the lengths 1
and |x|.

f may be written in JAX; it is then compiled once, for all points and steps. Any other function that takes a number
and returns one, of NumPy or plain Python, is called for one number at a time, some 250 times a point; where it raises
an `ArithmeticError` or a `ValueError`, it has no value.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from mvcalc_jax import compiling, precision, require
from mvcalc_jax.require import AnyArray

RUNGS = 112
"""Seventy reach from 2²⁰ times a number to its last digit; the others, from 2²⁰ to that of a number near 2⁻⁴²."""
_HIGHEST, _LOWEST = 20, -50
_ZERO = -42
"""The exponent that 0 is given: the ladder of 0 reaches as far down as one without a gap can."""
_UNEVEN = 2.0**-14 * (2 * (np.arange(1, 25) * (5**0.5 - 1) / 2 % 1) - 1)
"""Steps beside x that no power of 2 divides."""
TOLERANCE = 3
"""So many times its rounding may a difference be off before it contradicts another: what is measured is an estimate."""

Values = Callable[[Any], Float[np.ndarray, "*any"]]
"""f at all numbers of an array of x's precision, as NumPy's float64."""


class Ladder(NamedTuple):
    """f about points (n,), at steps (n, k) from the largest down; too small ones are 0, their value f(x)."""

    x: Float[np.ndarray, " n"]
    middle: Float[np.ndarray, " n"]
    right: Float[np.ndarray, "n k"]
    """Steps up, as they were really taken, which rounding of x + h may make others than those down."""
    left: Float[np.ndarray, "n k"]
    up: Float[np.ndarray, "n k"]
    down: Float[np.ndarray, "n k"]
    eps: float
    """The distance from 1 to the next number, of the coarser of x and f."""
    tiny: float
    """The smallest number that is not flushed to 0."""
    aside: Float[np.ndarray, "n m"]
    """Some uneven steps, all short beside x."""
    beside: Float[np.ndarray, "n m"]
    """f there."""

    def slopes(self) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "n k"]]:
        """Rise over run to the right and to the left; NaN where a step is 0."""
        f = self.middle[:, None]
        return over(self.up - f, self.right), over(f - self.down, self.left)

    def central(self) -> Float[np.ndarray, "n k"]:
        """Central differences; where the two steps are not quite equal, of the parabola through the three points."""
        right, left = self.slopes()
        run, ok = self.right + self.left, (self.right > 0) & (self.left > 0)
        straight = over(self.up - self.down, np.where(ok, run, 0))
        bent = right * over(self.left, run) + left * over(self.right, run)
        return np.where(self.right == self.left, straight, bent)


def values_of(name: str, f: Callable[..., Any], x: AnyArray) -> tuple[Values, float]:
    """f for arrays like x, compiled if it is written in JAX; and the ε of the coarser of x and f(x).

    To be called, and used, within `precision.of(x)`.

    Raises:
        TypeError: where f is no function, fails for a number, or returns whole or complex numbers, or none.
        ValueError: where it returns several numbers.
    """
    f = require.function(name, f)
    one = jax.ShapeDtypeStruct((), x.dtype)
    try:
        value = require.traceable(name, f, one)
    except Exception:  # whatever stops JAX need not stop Python
        return _called(name, f), float(jax.numpy.finfo(x.dtype).eps)
    require.scalar(name, f, one)
    run = jax.jit(jax.vmap(f), compiler_options=compiling.quickly())
    eps = max(float(jax.numpy.finfo(dtype).eps) for dtype in (x.dtype, value.dtype))
    return lambda at: np.asarray(run(at.ravel())).astype(float).reshape(at.shape), eps


def _called(name: str, f: Callable[..., Any]) -> Values:
    """f, called for one number after the other; no number is asked for twice."""

    def one(at: Any) -> float:
        try:
            value = np.asarray(f(at))
        except (ArithmeticError, ValueError):
            return np.nan
        except Exception as error:
            raise TypeError(
                f"`{name}` must take a number and return one; it raises {type(error).__name__}: {error}"
            ) from error
        if value.shape != ():
            raise ValueError(
                f"`{name}` must return a single number, of shape (); got an array of shape {value.shape}"
            )
        if not jax.numpy.issubdtype(value.dtype, jax.numpy.floating):
            got = value.dtype if value.dtype.kind in "iubc" else type(value[()]).__name__
            raise TypeError(f"`{name}` must return a floating-point number; got {got}")
        return float(value)

    def all_of(at: Any) -> Float[np.ndarray, "*any"]:
        several, where = np.unique(at, return_inverse=True)
        with np.errstate(all="ignore"):
            return np.array([one(a) for a in several], float)[where].reshape(at.shape)

    return all_of


def points(x: Any) -> AnyArray:
    """x as an array of finite floating-point numbers that are known.

    Raises:
        TypeError: where there are no real numbers in it, or it stands inside `jit`, `vmap` or `grad`.
        ValueError: where one is infinite or NaN.
    """
    x = precision.floats("x", x)
    if require.traced(x):
        raise TypeError(
            "`x` must be known numbers, not those of a function inside jit, vmap or grad; call it outside"
        )
    require.finite("x", x)
    return np.asarray(x)


def rungs(x: AnyArray) -> Float[np.ndarray, "n k"]:
    """The steps of the ladder of every point, powers of 2 from the largest down, so that most are taken exactly."""
    exponent = np.where(x == 0, _ZERO, np.frexp(x.astype(float))[1] - 1)[:, None]
    rung, last = np.arange(RUNGS), RUNGS - 1
    start, end = _HIGHEST + np.maximum(exponent, 0), exponent + _LOWEST
    gap = (start - last > end) & (rung > last // 2)
    steps = np.ldexp(1.0, np.where(gap, end + last - rung, start - rung))
    last_digit = np.ldexp(float(jax.numpy.finfo(x.dtype).eps), np.where(x[:, None] == 0, -2000, exponent))
    return np.where(steps >= last_digit, steps, 0.0)


def climb(values: Values, eps: float, x: AnyArray, steps: Float[np.ndarray, "n k"]) -> Ladder:
    """f at x and at x ± steps, all of them at once."""
    with np.errstate(all="ignore"):
        h, tiny = steps.astype(x.dtype), float(jax.numpy.finfo(x.dtype).tiny)
        up, down = x[:, None] + h, x[:, None] - h
        uneven = x[:, None] + (np.abs(x[:, None]) * _UNEVEN).astype(x.dtype)
        found = values(np.concatenate([x[:, None], up, down, uneven], axis=1))
        k, wide = steps.shape[1], np.asarray(x, float)[:, None]
        right, left = np.asarray(up, float) - wide, wide - np.asarray(down, float)
        f, rising, falling, beside = np.split(found, [1, k + 1, 2 * k + 1], axis=1)
        aside = np.asarray(uneven, float) - wide
        return Ladder(wide[:, 0], f[:, 0], right, left, rising, falling, eps, tiny, aside, beside)


def finest(ladder: Ladder, values: Float[np.ndarray, "n k"], count: int) -> Float[np.ndarray, "n m"]:
    """The values at the lowest rungs that are more than the last digit of x, the lowest first."""
    taken = (ladder.right > 0) & (ladder.left > 0) & (ladder.right == ladder.left)
    last = values.shape[1] - 1 - taken[:, ::-1].argmax(axis=1)
    return np.take_along_axis(values, np.maximum(last[:, None] - np.arange(count), 0), axis=1)


def bounds_below(
    slopes: Float[np.ndarray, "n k"], unsure: Float[np.ndarray, "n k"], order: int
) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "n k"]]:
    """What every slope may be for the slopes of smaller steps, extrapolated once, that are clearer than rounding.

    Args:
        slopes: over the steps of a ladder.
        unsure: what rounding may do to them.
        order: of the power of the step that is left out.
    """
    finer = slopes[:, 1:] + np.diff(slopes, axis=1) / (2**order - 1)
    change, rounding = np.abs(finer - slopes[:, 1:]), unsure[:, 1:]
    clear = np.where(np.abs(slopes[:, 1:]) > 5 * rounding, finer, np.nan)
    low, high = accumulated(clear, change + TOLERANCE * rounding)
    pad = lambda of, end: np.pad(of, ((0, 0), (0, 1)), constant_values=end)
    return pad(low, -np.inf), pad(high, np.inf)


def accumulated(
    values: Float[np.ndarray, "n k"], tolerance: Float[np.ndarray, "n k"]
) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "n k"]]:
    """The least and the most that all values from each on down allow, within the tolerance of each."""
    known = np.isfinite(values) & np.isfinite(tolerance)
    low, high = np.where(known, values - tolerance, -np.inf), np.where(known, values + tolerance, np.inf)
    return (
        np.maximum.accumulate(low[:, ::-1], axis=1)[:, ::-1],
        np.minimum.accumulate(high[:, ::-1], axis=1)[:, ::-1],
    )


def beyond(
    values: Float[np.ndarray, "n k"], low: Float[np.ndarray, "n k"], high: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, "n k"]:
    """How far each value is from what is allowed."""
    return np.maximum(np.maximum(low - values, values - high), 0)


def over(rise: Any, run: Any) -> Any:
    """rise/run, NaN where there is no run."""
    with np.errstate(all="ignore"):
        ok = (run > 0) & np.isfinite(run)
        return np.where(ok, rise / np.where(ok, run, 1), np.nan)
