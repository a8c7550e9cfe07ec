"""taylor_enclosure: a polynomial, and a band around it in which the function provably lies.

    f(x) ∈ c₀ + c₁ h + … + c_{n−1} hⁿ⁻¹ + R hⁿ    for all |h| ≤ radius,    h = x − x₀

with intervals c_k, as wide as rounding makes them, and an interval R, as wide as f makes it: R holds f[x₀, …, x₀, x]
for all x of the region (`mvcalc_jax.taylor.intervals.expansions`), on either side of x₀ by itself, or in more pieces.

In several variables R is a symmetric tensor of intervals. With the remainder in its integral form,

    R(h) = ∫₀¹ n (1−s)ⁿ⁻¹ Dⁿf(x₀ + s h)/n! ds,    Dⁿf(x₀ + s h) ∈ Dⁿf(x₀) + s Dⁿ⁺¹f(X) h,

R lies in Dⁿf(X)/n!, and in (Dⁿf(x₀) + Dⁿ⁺¹f(X) H/(n+1))/n!, of which the second is the sharper one near x₀.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import precision, require, text
from mvcalc_jax.taylor.bands.tensors import (
    Banded,
    TensorEnclosure,
    found,
    in_several_variables,
    in_words,
    many,
    reach_of,
    usable,
)
from mvcalc_jax.taylor.intervals.arithmetic import (
    Interval,
    filled,
    held,
    point,
    sum_of_products,
    where,
)
from mvcalc_jax.taylor.intervals.compiled import compiled_apart, each_by_itself
from mvcalc_jax.taylor.intervals.expansions import Expansion, tightened
from mvcalc_jax.taylor.intervals.walk import carried_out

MOST = 20
"""Higher orders take minutes, and their remainders nothing but rounding errors."""
_ENTRIES = 8
"""Of a function that returns an array, so many entries are shown."""


@text.shown
@partial(
    jax.tree_util.register_dataclass,
    data_fields=["x0", "radius", "coefficients", "edges", "remainders"],
    meta_fields=["order", "f"],
)
@dataclass(frozen=True)
class TaylorEnclosure(Banded):
    """A polynomial of one variable with a band in which f lies, as `taylor_enclosure` returns it.

    >>> band = mv.taylor_enclosure(jnp.exp, 0.0, 0.5, 3)
    >>> round(float(band.remainder.lo), 4), round(float(band.remainder.hi), 4), round(float(band.width), 4)
    (0.1478, 0.1898, 0.0029)
    >>> y = band.band(0.5)
    >>> round(float(y.lo), 4), round(float(y.hi), 4)  # √e lies between
    (1.6458, 1.6487)
    """

    x0: jax.Array
    radius: jax.Array
    order: int
    """n, the power of h that the remainder comes with"""
    coefficients: Interval
    """c₀ … c_{n−1}, shape (n, …)"""
    edges: jax.Array
    """Where the pieces of the region begin and end, as h = x − x₀, shape (pieces + 1,)"""
    remainders: Interval
    """R on each piece, shape (pieces, …)"""
    f: Callable[[Any], Any]

    @property
    def remainder(self) -> Interval:
        """R over all of the region, shape (…)."""
        with precision.of(self.x0):
            return Interval(self.remainders.lo.min(0), self.remainders.hi.max(0))

    def band(self, x: Any) -> Interval:
        """The interval in which f(x) lies, for a number x or an array of them; [−∞, ∞] outside the region."""
        with precision.of(self.x0):
            return found(_band, self, held(precision.floats("x", x), self.x0.dtype))

    @property
    def width(self) -> jax.Array:
        """How far apart the bounds are where they are farthest apart, which is at an end of one of the pieces."""
        with precision.of(self.x0):
            return jnp.max(self.band(self.x0 + jnp.clip(self.edges, -self.radius, self.radius)).width)

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw f, the polynomial and the band; write it to `path`, or return the figure."""
        from mvcalc_jax import plots  # matplotlib is only loaded by whoever draws

        return plots.drawn(lambda: plots.bands.enclosure(self), path)

    def _parts(self) -> text.Parts:
        if require.traced(self) or jnp.ndim(self.x0):
            return [many(self)]
        powers = ["", " h", *(f" h^{k}" for k in range(2, self.order + 1))]
        c = Interval(np.asarray(self.coefficients.lo), np.asarray(self.coefficients.hi))  # type: ignore[arg-type]
        terms = [in_words(Interval(lo, hi)) for lo, hi in zip(c.lo, c.hi, strict=True)]
        entries = zip(*terms, in_words(self.remainder), strict=True)
        sums = [" + ".join(c + power for c, power in zip(entry, powers, strict=True)) for entry in entries]
        where = f"h = x - {float(self.x0):g}, |h| <= {float(self.radius):g}"
        if jnp.ndim(self.remainder.lo) == 0:
            return [f"{sums[0]}, {where}"]
        return [*sums[:_ENTRIES], *["…"] * (len(sums) > _ENTRIES), where]


def taylor_enclosure(
    f: Callable[[Any], Any], x0: Any, radius: Any, order: int, *, pieces: int = 1
) -> TaylorEnclosure | TensorEnclosure:
    """A Taylor polynomial of f and a band around it in which f provably lies.

    Proven is f in exact arithmetic, with the constants that stand in it, under the bounds on XLA's rounding errors of
    `mvcalc_jax.taylor.intervals.ulps`. Where nothing can be proven – a pole or a branch point in the region, a jump
    – the band is [−∞, ∞]. Works in `jit` and `vmap`; for many boxes,
    `jax.vmap(lambda a, r: taylor_enclosure(f, a, r, 2))`. In several variables, derivatives that f's author wrote or
    stopped (`jax.custom_jvp`, `stop_gradient`) are believed; in one they are not used.

    Args:
        f: a function of a number, or of an array of shape (d,), written in JAX; it returns a number, or an array.
        x0: where it is expanded, shape () or (d,).
        radius: how far on either side, above zero; a number, or one for each of d variables.
        order: n ≥ 1, the power of the remainder; the polynomial before it is of degree n − 1.
        pieces: into how many parts the region is divided, to make the band sharper; of one variable only.

    Returns:
        For one variable a `TaylorEnclosure`, for several a `TensorEnclosure`; both have `coefficients`, `remainder`,
        `band(x)`, `lower(x)`, `upper(x)`, `width` and `plot()`.

    Raises:
        TypeError, ValueError: where an argument is none of these; or f has an operation that no rule is known for.

    >>> band = mv.taylor_enclosure(jnp.exp, 0.0, 0.5, 3)
    >>> print(band)
    1 + 1 h + 0.5 h^2 + [0.147755, 0.18977] h^3, h = x - 0, |h| <= 0.5
    >>> bool(float(band.lower(0.5)) <= np.exp(0.5) <= float(band.upper(0.5)))
    True
    """
    f = require.function("f", f)
    x0, radius = _checked(x0, radius, order, pieces)
    with precision.of(x0, radius), compiled_apart(require.traced((x0, radius))):
        x0, radius = jnp.asarray(x0), jnp.asarray(radius)
        if x0.ndim:
            return in_several_variables(f, x0, radius, order)
        return _in_one_variable(f, x0, radius, order, pieces)


def _checked(x0: Any, radius: Any, order: Any, pieces: Any) -> tuple[Any, Any]:
    x0, radius = precision.floats("x0", x0), precision.floats("radius", radius)
    require.finite("x0", x0)
    for name, array in (("x0", x0), ("radius", radius)):
        if jnp.finfo(array.dtype).bits not in (32, 64):
            raise TypeError(
                f"`{name}` must be of 32 or 64 bits, whose rounding errors are known; got {array.dtype}"
            )
    require.finite("radius", radius)
    if x0.ndim > 1:
        raise ValueError(
            f"`x0` must have shape () or (d,); got {x0.shape}; reshape it, and let f reshape it back"
        )
    if radius.shape not in ((), x0.shape):
        raise ValueError(
            "`radius` must be a number, or one for each variable; "
            f"got shape {radius.shape} for `x0` of shape {x0.shape}; for many boxes use jax.vmap"
        )
    if not require.traced(radius) and not np.all(np.asarray(radius) > 0):
        raise ValueError(f"`radius` must be positive; got {np.asarray(radius)}")
    if require.whole("order", order, 1) > MOST:
        raise ValueError(f"`order` must be at most {MOST}; got {order}; use a smaller region instead")
    if require.whole("pieces", pieces, 1) > 1 and x0.ndim:
        raise ValueError(f"`pieces` are for functions of one variable; got {pieces} for {len(x0)} variables")
    dtype = np.result_type(x0.dtype, radius.dtype)
    if require.traced((x0, radius)):
        dtype = jax.dtypes.canonicalize_dtype(
            dtype
        )  # inside `jit` a Python number is as precise as the caller's JAX
    return x0.astype(dtype), radius.astype(dtype)


def _in_one_variable(
    f: Callable[[Any], Any], x0: jax.Array, radius: jax.Array, order: int, pieces: int
) -> TaylorEnclosure:
    # A subnormal number, which XLA may read as 0, is expanded about 0: the region has room for that.
    x0 = jnp.where(jnp.abs(x0) < float(jnp.finfo(x0.dtype).tiny), 0, x0)
    at = Interval(x0, x0)
    edges = _edges(x0, radius, math.ceil(pieces / 2))
    inner = order + _beyond(order)

    def over(low: jax.Array, high: jax.Array) -> tuple[list[Interval], Interval]:
        h = Interval(low, high)
        found = expanded(f, at, at + h, h, inner)
        zero = filled(found.range, 0.0)
        return [c or zero for c in found.c[:order]], found.r[order] or zero

    # The coefficients do not depend on the piece; only the remainders are computed for each.
    c, remainders = each_by_itself(over, edges[:-1], edges[1:])
    c = jax.tree.map(lambda x: x[0], c)
    coefficients = Interval(jnp.stack([e.lo for e in c]), jnp.stack([e.hi for e in c]))
    remainders = where(usable(x0, radius, pieces), remainders)
    return TaylorEnclosure(x0, radius, order, coefficients, edges, remainders, f)


def _beyond(order: int) -> int:
    """How many more orders are expanded than asked for: what they tell of the remainder makes it sharper."""
    return 2 if order <= 3 else 1


def _edges(x0: jax.Array, radius: jax.Array, each: int) -> jax.Array:
    """The ends of the pieces, `each` to a side; the outermost reach so far that x₀ ± radius, rounded, lie within."""
    return jnp.asarray(np.arange(-each, each + 1) / each, x0.dtype) * reach_of(x0, radius)


def expanded(f: Callable[[Any], Any], x0: Interval, region: Interval, h: Interval, order: int) -> Expansion:
    """f expanded about x₀ over a region, with h = region − x₀."""
    one = np.ones(jnp.shape(region.lo), region.lo.dtype)
    unit: Any = Interval(one, one)  # type: ignore[arg-type]  # known while the program is written
    c = (x0, unit, *[None] * order)[:order]
    variable = Expansion(c, (region, unit, *[None] * order)[: order + 1], h)
    shape = jax.ShapeDtypeStruct(jnp.shape(region.lo), region.lo.dtype)
    return tightened(_single(carried_out(f, [shape], [variable], variable)))


def _single(results: list[Any]) -> Any:
    if len(results) != 1 or not isinstance(results[0], Expansion):
        raise TypeError(
            "`f` must return one array of floating-point numbers, or a number; got something else"
        )
    return results[0]


def _band(e: TaylorEnclosure, x: Interval) -> Interval:
    h = x - point(e.x0)
    at = lambda end: jnp.clip(jnp.searchsorted(e.edges, end, side="right") - 1, 0, e.edges.size - 2)
    first, last = at(h.lo), at(h.hi)  # h may lie on both sides of an edge
    R = Interval(e.remainders.lo[first], e.remainders.hi[first]) | Interval(
        e.remainders.lo[last], e.remainders.hi[last]
    )
    spread = lambda a: a.reshape(a.shape + (1,) * (R.lo.ndim - jnp.ndim(h.lo)))
    h, total = Interval(spread(h.lo), spread(h.hi)), R
    for k in reversed(range(e.order)):
        total = sum_of_products([(total, h)], [Interval(e.coefficients.lo[k], e.coefficients.hi[k])])
    inside = (h.lo >= e.edges[0]) & (h.hi <= e.edges[-1])
    return where(inside, total)
