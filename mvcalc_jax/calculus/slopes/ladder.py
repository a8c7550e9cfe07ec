r"""A function of one variable seen at every scale: its values at x ± h, h halved from a million |x| to the last digit.

What a difference needs to know about f – how long its waves are, how far its domain reaches, how coarsely its values
are rounded – is not known beforehand, and cannot be read off x. So f is asked at all scales at once:

    h = 2²⁰ max(1, |x|), half of it, … down to the last digit of x, or to 2⁻⁹² at 0

and everything else is read off this ladder. Where |x| is below 2⁻⁴² it has two parts, one for each of the lengths 1
and |x|.

**Rounding of f** is measured, for it may be much more than ε|f|: in cos x − 1 or sin(10⁶x) the digits are lost inside.
At the lowest rungs f is a straight line to either side, and f(x + h) − 3f(x + h/2) + 2f(x + h/4) would be 0; what is
seen there instead is rounding, at most 3(1 + 1 + …) times that of one value. Where the line is level and f changes
first by q at some higher rung, q is how coarse its values are. Where digits are lost inside, and f is smooth for as
long as they stay the same, it breaks at some rung and stays coarse; and powers of 2, which change 1 + x without
rounding, show nothing, so that some uneven steps are looked at, too. See J. J. Moré and S. M. Wild, Estimating
computational noise, SIAM J. Sci. Comput. 33 (2011), for another way to the same number.

f may be written in JAX; it is then compiled once, for all points and steps. Any other function that takes a number
and returns one, of NumPy or plain Python, is called for one number at a time, some 250 times a point; where it raises
an `ArithmeticError` or a `ValueError`, it has no value.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Bool, Float

from mvcalc_jax import compiling, precision, require
from mvcalc_jax.require import AnyArray

RUNGS = 112
"""Seventy reach from 2²⁰ times a number to its last digit; the others, from 2²⁰ to that of a number near 2⁻⁴²."""
_HIGHEST, _LOWEST = 20, -50
_ZERO = -42
"""The exponent that 0 is given: the ladder of 0 reaches as far down as one without a gap can."""
_COARSEST = 1e-3
"""Rounding to the fewest digits that anyone would call rounding, of the value."""
_LATE = 8
"""Rounding of x, or of what it is made into, may show at steps of many last digits only; so many times ε(|f| + |xf′|)
is what it may be then, and no small waves of f."""

_UNEVEN = 2.0**-14 * (2 * (np.arange(1, 25) * (5**0.5 - 1) / 2 % 1) - 1)
"""Steps beside x that no power of 2 divides."""
_DEGREE = 4
"""Of the curves through them, a dozen to each side."""
_LASTS = 7
"""Over so many rungs a coarse f stays coarse."""
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
    require.function(name, f)
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


def noise(ladder: Ladder) -> Float[np.ndarray, " n"]:
    """How much rounding may move a value of f at x."""
    with np.errstate(all="ignore"):
        halved = np.abs(ladder.right - 4 * np.pad(ladder.right, ((0, 0), (0, 2)))[:, 2:]) < 0.1 * ladder.right
        up, down = (
            np.where(halved & np.isfinite(of), np.abs(of), np.nan)
            for of in map(_bent, (ladder.up, ladder.down))
        )
        bent = np.nan_to_num(np.fmax(up, down))  # where f has an end, there is something to see on one side
        found = np.maximum(_quantum(ladder, bent), np.maximum(_sudden(ladder, up), _sudden(ladder, down)))
        found = np.maximum(found, np.maximum(_lasting(ladder, up), _lasting(ladder, down)))
        found = np.maximum(found, _scattered(ladder, np.fmax(up, down)))
        found = np.maximum(found, np.maximum(ladder.eps / 2 * np.abs(ladder.middle), ladder.tiny))
        steep = finest(ladder, np.fmax(*map(np.abs, ladder.slopes())), 24)[:, 2:]
        most = _LATE * ladder.eps * (np.abs(ladder.middle)[:, None] + np.abs(ladder.x)[:, None] * steep)
        most[:, :5] = np.inf
        seen = np.stack([finest(ladder, side, 24)[:, 2:] for side in (up, down)])
        above = np.pad(seen[:, :, 3:], ((0, 0), (0, 0), (0, 3)), constant_values=np.nan)
        level = (seen <= most) & (
            above <= 4 * seen
        )  # curvature grows fourfold from rung to rung, 64-fold in three
        found = np.maximum(found, np.where(level, seen, 0).max(axis=(0, 2)))
        seen = np.nan_to_num(np.fmax(*seen))
        found = np.maximum(found, seen[:, :2].max(axis=1))
        alike = np.logical_and.accumulate(seen <= 3 * found[:, None], axis=1)
        found = np.maximum(found, np.where(alike, seen, 0).max(axis=1))
    return np.where(np.isfinite(found), found, 0.0)


def _bent(values: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """A third of f(x + h) − 3f(x + h/2) + 2f(x + h/4), at the rung of h."""
    pad = np.pad(values, ((0, 0), (0, 2)), mode="edge")
    return (pad[:, :-2] - 3 * pad[:, 1:-1] + 2 * pad[:, 2:]) / 3


def _sudden(ladder: Ladder, bent: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " n"]:
    """Twice the first thing to be seen above a straight line that does not come little by little, as curvature does.

    In eˣ − 1 − x near 0, many last digits of x change nothing in eˣ, and f falls like −x, as if it were exact.
    """
    seen = np.nan_to_num(bent)
    finer = np.pad(np.maximum.accumulate(seen[:, ::-1], axis=1)[:, ::-1][:, 1:], ((0, 0), (0, 1)))
    padded = np.pad(bent[:, :-1], ((0, 0), (3, 0)), constant_values=np.nan)
    above = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])  # of the next three rungs
    most = 4 * ladder.eps * np.maximum(np.abs(ladder.middle), np.maximum(1, np.abs(ladder.x)))
    straight = finer <= 2 * ladder.eps * np.abs(ladder.middle)[:, None]
    rough = straight & (seen > 16 * finer) & (above <= 4 * seen) & (seen <= most[:, None])
    return 2 * np.where(rough, seen, 0).max(axis=1)


def _lasting(ladder: Ladder, bent: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " n"]:
    """The most that is seen where f breaks from what it was at the rungs below, and does not mend over the next ones.

    In (1 − cos x)/x² near 0 the numerator is the same for many last digits of x, and f is as smooth as 1/x²; only at
    longer steps does it show how coarse it is, at once and from there on. Waves come little by little, a step of f is
    passed within two rungs, and curvature grows.
    """
    seen = np.nan_to_num(bent)
    finer = np.pad(np.maximum.accumulate(seen[:, ::-1], axis=1)[:, ::-1][:, 1:], ((0, 0), (0, 1)))
    ahead = [np.pad(seen[:, : -k or None], ((0, 0), (k, 0))) for k in range(_LASTS)]
    typical = np.median(ahead, axis=0)
    near = ladder.right < np.abs(ladder.x)[:, None] / 1024
    breaks = (
        (seen > 64 * finer)
        & (typical > 16 * finer)
        & (typical <= 8 * seen)
        & near
        & (ahead[-1] <= 5 * typical)
    )
    return 2 * np.where(breaks, np.max(ahead[:-2], axis=0), 0).max(axis=1)


def _scattered(ladder: Ladder, bent: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " n"]:
    """How far values at uneven steps are from a smooth curve, where the even steps of the ladder show no waves.

    Powers of 2 are added to 1 + x without rounding: in ln(1 + x)/x all rungs are off alike, and look smooth. Waves
    come little by little, so that some rungs see a part of them; rounding is seen in full or not at all. Each side of x
    has a curve of its own, for f may jump there.
    """
    reach = np.abs(ladder.aside).max(axis=1, initial=0)
    offs = []
    for sign in (1, -1):
        side = sign * ladder.aside > 0
        t = np.where(side, ladder.aside / np.where(reach > 0, reach, 1)[:, None], 0)
        basis = np.where(side[:, :, None], t[:, :, None] ** np.arange(_DEGREE + 1), 0)
        rise = np.where(side, ladder.beside - ladder.middle[:, None], 0)
        known = np.asarray(np.isfinite(rise).all(axis=1))
        rise = np.where(known[:, None], rise, 0)[:, :, None]
        off = np.abs(basis @ (np.linalg.pinv(basis) @ rise) - rise).max(axis=(1, 2))
        offs.append(np.where(known, off, np.inf))
    off = np.minimum(*offs)
    below = (ladder.right < reach[:, None]) & (ladder.right > 0)
    least = np.nan_to_num(finest(ladder, bent, 12)).max(axis=1)  # terms that cancel in f round as they are
    floor = 4 * np.maximum(16 * ladder.eps * np.abs(ladder.middle), least)[:, None]
    between = below & (bent > floor) & (bent < off[:, None] / 16)
    rises = np.nan_to_num(np.abs(ladder.beside - ladder.middle[:, None])).max(axis=1, initial=0)
    told = (
        np.isfinite(off) & (off > 256 * ladder.eps * rises) & (between.sum(axis=1) < 2)
    )  # the fit rounds, too
    return np.where(told, 2 * off, 0)


def finest(ladder: Ladder, values: Float[np.ndarray, "n k"], count: int) -> Float[np.ndarray, "n m"]:
    """The values at the lowest rungs that are more than the last digit of x, the lowest first."""
    taken = (ladder.right > 0) & (ladder.left > 0) & (ladder.right == ladder.left)
    last = values.shape[1] - 1 - taken[:, ::-1].argmax(axis=1)
    return np.take_along_axis(values, np.maximum(last[:, None] - np.arange(count), 0), axis=1)


def _quantum(ladder: Ladder, bent: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " n"]:
    """The first change of f on the way up, where it is level at the lowest rungs; 0 where that is no rounding."""
    f = ladder.middle[:, None]
    changes = np.fmax(np.abs(ladder.up - f), np.abs(ladder.down - f))
    level = (finest(ladder, changes, 2) == 0).all(axis=1)
    rung = changes.shape[1] - 1 - (changes > 0)[:, ::-1].argmax(axis=1)
    least = np.take_along_axis(changes, rung[:, None], axis=1)[:, 0]
    steps = np.take_along_axis(bent, np.maximum(rung[:, None] - np.arange(4), 0), axis=1).max(axis=1)
    size = (
        64 * ladder.eps * np.maximum(1, np.abs(ladder.x))
    )  # of what was added and taken away inside, perhaps
    next_one = np.take_along_axis(changes, np.maximum(rung - 1, 0)[:, None], axis=1)[:, 0]
    coarse = (least <= np.maximum(_COARSEST * np.abs(ladder.middle), size)) & ~(next_one > 1000 * least)
    return np.where(level & coarse, np.minimum(least, 3 * steps), 0.0)


def jumps(ladder: Ladder, rounding: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Whether f changes by as much at the lowest rung as 64 times further up, not by rounding nor by a pole near by."""
    sudden, straight = _abrupt(ladder, rounding)
    return sudden & straight


def _abrupt(
    ladder: Ladder, rounding: Float[np.ndarray, " n"]
) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Whether f changes so at the lowest rung; and whether it is straight on both sides, as it is not beside a pole."""
    f = ladder.middle[:, None]
    changes = finest(ladder, np.abs(ladder.up - f) + np.abs(f - ladder.down), 7)
    sudden = (changes[:, 0] > 30 * rounding) & (changes[:, 0] > 0.5 * changes[:, 6])
    bent = np.abs(_bent(ladder.up)) + np.abs(_bent(ladder.down))
    seen = np.nan_to_num(finest(ladder, bent, 7)[:, 2:], nan=0.0, posinf=np.inf).max(axis=1)
    across = finest(ladder, np.abs(ladder.up - ladder.down), 1)[
        :, 0
    ]  # f itself may stand alone, as in a hole
    sides = [np.abs(finest(ladder, side, 7)) for side in (ladder.up, ladder.down)]
    falls = np.logical_and(*(side[:, 0] > 4 * side[:, 6] for side in sides))
    straight = seen <= np.maximum(0.01 * np.fmin(changes[:, 0], across), 8 * rounding)
    return sudden, np.asarray(straight & ~falls & np.isfinite(changes[:, 0]))


def drowned(ladder: Ladder, rounding: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Whether f changes from number to number by as much as over all of |x| or 1, and not just by its last digits.

    Or, as beside a logarithm's pole, by the same at all scales and in one direction, which is not what rounding does.
    """
    f, near = ladder.middle[:, None], ladder.right <= np.maximum(1, np.abs(ladder.x))[:, None]
    reach = lambda of: np.where(near & np.isfinite(of), np.abs(of), 0).max(axis=1, initial=0)
    change = np.maximum(reach(ladder.up - f), reach(ladder.down - f))
    size = np.maximum(reach(ladder.up), reach(ladder.down))
    bent = np.stack([_bent(ladder.up), _bent(ladder.down)])
    alike = near & (np.abs(bent) < 8 * rounding[:, None]) & (np.abs(bent) > rounding[:, None] / 8)
    ways = [(alike & (sign * bent > 0)).sum(axis=(0, 2)) for sign in (1, -1)]
    scaleless = (np.maximum(*ways) >= 24) & (8 * np.minimum(*ways) <= np.maximum(*ways))
    much = rounding > 1e4 * (ladder.eps * size + ladder.tiny)
    sudden, straight = _abrupt(ladder, rounding)
    return np.asarray(much & ((rounding > 0.05 * change) | scaleless) | (sudden & ~straight))


def rounding_by_rung(ladder: Ladder, rounding: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n k"]:
    """What rounding may do to a difference over a step, times the step: more where the values are larger."""
    return np.maximum(rounding[:, None], ladder.eps / 2 * np.fmax(np.abs(ladder.up), np.abs(ladder.down)))


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
