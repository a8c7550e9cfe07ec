"""Interval arithmetic with outward rounding, on arrays.

An `Interval` [lo, hi] holds a set of real numbers. The result of an operation on intervals holds every result of the
operation on numbers in them, in exact arithmetic. Floating-point results are therefore moved outward by at least their
own rounding error. There is no directed rounding in XLA, so that the errors are bounds of
`mvcalc_jax.taylor.intervals.ulps`:

    lower end   x − k ε |x| − 5 ω,    upper end   x + k ε |x| + 5 ω

with ε the spacing of numbers at 1, ω the smallest normal number and k units in the last place. XLA may flush a
subnormal number to zero, within an operation, at its end or at the start of the next; where an operation is wrong
by 4 ω at most, 5 ω cover that too, since a bound that came out subnormal stays a bound when it is read as zero.
Adding to every result also keeps XLA from merging operations into others, with errors of their own.

[−∞, ∞] says that nothing is known; NaN in an end, that there is nothing in it. An operation that comes upon ∞ − ∞, 0·∞
or an argument outside its domain knows nothing.

Reference: R. E. Moore, R. B. Kearfott, M. J. Cloud, Introduction to Interval Analysis (2009).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import precision, require, text
from mvcalc_jax.taylor.intervals.ulps import FLOOR

ARITHMETIC, QUOTIENT = 2.0, 4.0
"""Units in the last place for +, −, × and for ÷: half a unit, or one, for the result, half a unit for moving it,
and room."""


_ROWS = 10
"""Of an array of intervals, so many are shown."""


@text.shown
@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Interval:
    """All numbers from lo to hi, ends included; entrywise for arrays.

    >>> a = mv.Interval(jnp.float32(1), jnp.float32(2))
    >>> b = a * a - a  # as wide as if the three had nothing to do with each other
    >>> bool(b.contains(2.0)), round(float(b.lo), 4), round(float(b.hi), 4), round(float(b.width), 4)
    (True, -1.0, 3.0, 4.0)
    """

    lo: jax.Array
    hi: jax.Array

    @property
    def width(self) -> jax.Array:
        """hi − lo."""
        return self.hi - self.lo

    @property
    def magnitude(self) -> jax.Array:
        """The largest |x| in it."""
        return jnp.maximum(jnp.abs(self.lo), jnp.abs(self.hi))

    def contains(self, x: Any) -> jax.Array:
        """Whether x lies in it."""
        x = precision.floats("x", x)
        try:
            np.broadcast_shapes(self.lo.shape, x.shape)
        except ValueError:
            raise ValueError(
                f"`x` must fit to intervals of shape {self.lo.shape}; got shape {x.shape}"
            ) from None
        return (self.lo <= x) & (x <= self.hi)

    def __neg__(self) -> "Interval":
        return Interval(-self.hi, -self.lo)

    def __add__(self, other: Any) -> "Interval":
        other = enclosing(other, self)
        return outward(self.lo + other.lo, self.hi + other.hi)

    def __radd__(self, other: Any) -> "Interval":
        return self + other

    def __sub__(self, other: Any) -> "Interval":
        other = enclosing(other, self)
        return outward(self.lo - other.hi, self.hi - other.lo)

    def __rsub__(self, other: Any) -> "Interval":
        return -self + other

    def __mul__(self, other: Any) -> "Interval":
        return sum_of_products([(self, enclosing(other, self))])

    def __rmul__(self, other: Any) -> "Interval":
        return self * other

    def __truediv__(self, other: Any) -> "Interval":
        return divided(self, enclosing(other, self))

    def __rtruediv__(self, other: Any) -> "Interval":
        return divided(enclosing(other, self), self)

    def __and__(self, other: "Interval") -> "Interval":
        """What both hold; of two enclosures of one thing, a sharper one."""
        return Interval(greatest(self.lo, other.lo), least(self.hi, other.hi))

    def __or__(self, other: "Interval") -> "Interval":
        """The smallest interval that holds both."""
        return Interval(least(self.lo, other.lo), greatest(self.hi, other.hi))

    def _parts(self) -> text.Parts:
        if require.traced(self):
            return [f"intervals of shape {np.shape(self.lo)}, {text.TRACED}"]
        lo, hi = np.asarray(self.lo), np.asarray(self.hi)
        if not lo.ndim:
            return [f"[{lo[()]}, {hi[()]}]"]
        at = [np.unravel_index(k, lo.shape) for k in range(min(lo.size, _ROWS))]
        rows = [("", "from", "to")]
        rows += [(f"[{', '.join(map(str, map(int, k)))}]", f"{lo[k]}", f"{hi[k]}") for k in at]
        more = lo.size - len(at)
        return [rows, f"and {text.count(more)} more"] if more else [rows]


def least(a: Any, b: Any) -> Any:
    """The smaller of two; b where one is NaN. One machine instruction, where `jnp.minimum` takes five."""
    return jnp.where(a < b, a, b)


def greatest(a: Any, b: Any) -> Any:
    """The larger of two; b where one is NaN."""
    return jnp.where(a > b, a, b)


def point(x: Any) -> Interval:
    """The interval that holds x alone; a subnormal number is held between zero and the smallest normal one."""
    if not require.traced(x):
        return _exact(np.asarray(x))
    tiny = jnp.finfo(x.dtype).tiny
    # By its bits: a comparison may read a subnormal number as zero.
    bits = jax.lax.bitcast_convert_type(x, jnp.int64 if x.dtype == jnp.float64 else jnp.int32)
    subnormal = (jnp.abs(x) < tiny) & (bits << 1 != 0)
    ends = jnp.where(bits < 0, -tiny, 0).astype(x.dtype), jnp.where(bits < 0, 0, tiny).astype(x.dtype)
    return known(jnp.where(subnormal, ends[0], x), jnp.where(subnormal, ends[1], x))


def _exact(x: np.ndarray) -> Interval:
    """The same for numbers that can be looked at; an interval of one object is known to be a point."""
    tiny = np.finfo(x.dtype).tiny
    if np.all(np.isfinite(x) & ((np.abs(x) >= tiny) | (x == 0))):
        same = jnp.asarray(x)
        return Interval(same, same)
    subnormal = (np.abs(x) < tiny) & (x != 0)
    low = np.where(np.isnan(x), -np.inf, np.where(subnormal & (x < 0), -tiny, np.where(subnormal, 0, x)))
    high = np.where(np.isnan(x), np.inf, np.where(subnormal & (x > 0), tiny, np.where(subnormal, 0, x)))
    return Interval(jnp.asarray(low.astype(x.dtype)), jnp.asarray(high.astype(x.dtype)))


def held(x: Any, dtype: Any) -> Interval:
    """Numbers of any kind, between neighbours of another kind where this one does not have them."""
    if require.traced(x):
        return point(x) if x.dtype == dtype else outward(x.astype(dtype), x.astype(dtype))
    x, dtype = np.asarray(x), np.dtype(dtype)
    if x.dtype == dtype:
        return point(x)
    with np.errstate(over="ignore", under="ignore"):
        nearest = x.astype(dtype)
        exact = nearest.astype(np.longdouble) == x.astype(np.longdouble)
        down = np.where(exact, nearest, np.nextafter(nearest, dtype.type(-np.inf)))
        up = np.where(exact, nearest, np.nextafter(nearest, dtype.type(np.inf)))
    return point(nearest) if exact.all() else Interval(point(down).lo, point(up).hi)


def enclosing(x: Any, like: Interval) -> Interval:
    """A number as an interval of the other's kind; one that this kind cannot hold exactly, between its neighbours."""
    if isinstance(x, Interval):
        return x
    return held(x, like.lo.dtype)


def everything(like: Any) -> Interval:
    """[−∞, ∞]: nothing is known."""
    inf = jnp.full_like(like, jnp.inf)
    return Interval(-inf, inf)


def filled(like: Interval, value: float) -> Interval:
    """A number alone, for every entry of another interval."""
    same = jnp.full_like(like.lo, value)
    return Interval(same, same)


def chosen(which: Any, a: Interval, b: Interval) -> Interval:
    """a where a condition holds, b elsewhere."""
    return Interval(jnp.where(which, a.lo, b.lo), jnp.where(which, a.hi, b.hi))


def where(condition: Any, found: Interval) -> Interval:
    """What was found where a condition holds; elsewhere nothing is known."""
    return chosen(condition, found, everything(found.lo))


def outward(lo: Any, hi: Any, ulps: float = ARITHMETIC, error: Any = None) -> Interval:
    """Ends that were computed to `ulps` units in the last place and an absolute `error`, moved outward by as much."""
    info = jnp.finfo(lo.dtype)
    k, ω = float(ulps * info.eps), float((FLOOR + 1) * info.tiny)
    below, above = jnp.abs(lo) * k + ω, jnp.abs(hi) * k + ω
    return (
        known(lo - below, hi + above) if error is None else known(lo - (below + error), hi + (above + error))
    )


def known(lo: Any, hi: Any) -> Interval:
    """An interval without NaN: of an end that came out as ∞ − ∞ or 0 · ∞ nothing is known."""
    return Interval(greatest(lo, -jnp.inf), least(hi, jnp.inf))


def products(a: Interval, b: Interval) -> tuple[jax.Array, jax.Array]:
    """The least and the greatest of the four products of ends, not yet moved outward; NaN, if one of them is 0 · ∞."""
    p, q, r, s = a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi
    lo, hi = least(least(p, q), least(r, s)), greatest(greatest(p, q), greatest(r, s))
    # The sum is NaN if one of them is, or if both −∞ and ∞ are among them.
    nothing = jnp.isnan((p + q) + (r + s))
    return jnp.where(nothing, jnp.nan, lo), jnp.where(nothing, jnp.nan, hi)


def sum_of_products(
    pairs: Iterable[tuple[Interval, Interval]],
    plus: Iterable[Interval] = (),
    thin: Sequence[tuple[Interval, Interval]] = (),
) -> Interval:
    """Σ a b + Σ c + Σ t w, moved outward once: all partial sums are at most the sum of magnitudes.

    Of each t, known to rounding, a middle m and a radius ρ are enough: t w lies in m w ± ρ |w|, which takes half the
    operations of a product, and is as sharp.
    """
    terms = [products(a, b) for a, b in pairs] + [(c.lo, c.hi) for c in plus]
    if len(terms) == 1 and not thin:
        return outward(*terms[0])  # also where it is a summand alone, which need not be moved
    sizes, spread = [jnp.abs(greatest(-low, high)) for low, high in terms], 0.0
    for t, w in thin:
        (m, ρ), most = middle(t), greatest(-w.lo, w.hi)
        p, q = m * w.lo, m * w.hi
        # Where one of them is 0 · ∞, the size is ∞ or NaN, and nothing is known of either end.
        terms.append((least(p, q), greatest(p, q)))
        sizes.append(jnp.abs(m) * most)
        if ρ is not None:
            spread = spread + ρ * most
    lo, hi, size = (reduce(add, each) for each in (*zip(*terms, strict=True), sizes))
    info, count = jnp.finfo(lo.dtype), len(terms)
    # Half a unit of the size for each product, each addition and the move, and room for the error's own rounding; what
    # underflows is less than ω each time.
    error = size * float((count + 2) * info.eps) + spread * float(1 + (count + 4) * info.eps)
    error = error + float((3 * count + FLOOR + 1) * info.tiny)
    return known(lo - error, hi + error)


def middle(a: Interval) -> tuple[Any, Any]:
    """m and ρ such that a lies within m ± ρ, ρ None for a point; NaN or ∞ where a is not bounded."""
    if a.lo is a.hi:
        return a.lo, None
    info = jnp.finfo(a.lo.dtype)
    m = a.lo + (a.hi - a.lo) * 0.5
    # Whatever m is, ρ is as large as it must be but for half a unit of its own, and what underflows.
    ρ = greatest(a.hi - m, m - a.lo) * float(1 + 2 * info.eps) + float(2 * info.tiny)
    return m, ρ


def scaled(a: Interval, factor: float) -> Interval:
    """a times a number, which need not be a number of a's kind."""
    if factor == 1:
        return a
    ends_ = (a.lo * factor, a.hi * factor) if factor > 0 else (a.hi * factor, a.lo * factor)
    return outward(*ends_, ulps=ARITHMETIC + 1)


def divided(a: Interval, b: Interval) -> Interval:
    """a / b; nothing is known where b holds zero."""
    p, q, r, s = a.lo / b.lo, a.lo / b.hi, a.hi / b.lo, a.hi / b.hi
    ends = least(least(p, q), least(r, s)), greatest(greatest(p, q), greatest(r, s))
    return _by_nonzero(b, outward(*ends, QUOTIENT))


def inverse(b: Interval) -> Interval:
    """1 / b; nothing is known where b holds zero."""
    low = 1 / b.hi
    return _by_nonzero(b, outward(low, low if b.lo is b.hi else 1 / b.lo, QUOTIENT))


def _by_nonzero(b: Interval, found: Interval) -> Interval:
    """A quotient, where the divisor keeps away from zero, and from where its reciprocal underflows."""
    tiny = float(jnp.finfo(b.lo.dtype).tiny)
    apart = ((b.lo >= tiny) & (b.hi <= 1 / tiny)) | ((b.hi <= -tiny) & (b.lo >= -1 / tiny))
    return where(apart, found)


def square(a: Interval) -> Interval:
    """a², never below zero."""
    lo, hi = a.lo * a.lo, a.hi * a.hi
    lowest = jnp.where(a.contains(0.0), 0.0, least(lo, hi))
    found = outward(lowest, greatest(lo, hi))
    return Interval(greatest(found.lo, 0.0), found.hi)


def power(a: Interval, n: int) -> Interval:
    """aⁿ for a whole number n, by repeated squaring; even powers are never below zero."""
    if n < 0:
        return inverse(power(a, -n))
    if n == 0:
        return Interval(jnp.ones_like(a.lo), jnp.ones_like(a.hi))
    if n == 1:
        return a
    if n % 2 == 0:
        return power(square(a), n // 2)
    # Odd powers increase: each end by itself.
    low, high = (power(Interval(e, e), n - 1) * Interval(e, e) for e in (a.lo, a.hi))
    return Interval(low.lo, high.hi)
