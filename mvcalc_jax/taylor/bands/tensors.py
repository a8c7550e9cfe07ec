"""Enclosures in several variables: symmetric tensors of intervals, from nested autodiff carried out on intervals.

The k-th derivative of f is a function like any other, which JAX's autodiff writes down and `carried_out` encloses. See
`mvcalc_jax.taylor.bands.enclosure` for the remainder.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import autodiff, precision, require, text
from mvcalc_jax.compiling import quickly
from mvcalc_jax.taylor.intervals.arithmetic import (
    Interval,
    filled,
    held,
    known,
    outward,
    point,
    products,
    scaled,
    where,
)
from mvcalc_jax.taylor.intervals.expansions import Expansion, constant
from mvcalc_jax.taylor.intervals.walk import carried_out

MOST = 6
"""Tensors of a higher order have too many entries, and nested autodiff too many terms."""


class Banded:
    """What has a band."""

    def band(self, x: Any) -> Interval:
        """The interval in which f(x) lies."""
        raise NotImplementedError

    def lower(self, x: Any) -> jax.Array:
        """A number that f(x) is not below."""
        return self.band(x).lo

    def upper(self, x: Any) -> jax.Array:
        """A number that f(x) is not above."""
        return self.band(x).hi


@text.shown
@partial(
    jax.tree_util.register_dataclass,
    data_fields=["x0", "radius", "coefficients", "remainder"],
    meta_fields=["order", "f"],
)
@dataclass(frozen=True)
class TensorEnclosure(Banded):
    """A polynomial of several variables with a band in which f lies, as `taylor_enclosure` returns it.

    >>> band = mv.taylor_enclosure(lambda x: x[0] * x[1], np.array([1.0, 2.0]), 0.1, 2)
    >>> [c.lo.round(6).tolist() for c in band.coefficients]  # f, and ∇f
    [2.0, [2.0, 1.0]]
    >>> y = band.band(np.array([1.1, 2.1]))
    >>> float(y.lo) <= 2.31 <= float(y.hi)
    True
    """

    x0: jax.Array
    radius: jax.Array
    """shape (d,)"""
    order: int
    coefficients: tuple[Interval, ...]
    """f(x₀), the gradient, half the Hessian …, Dᵏf/k!: shapes (…), (…, d), (…, d, d), …"""
    remainder: Interval
    """R, of shape (…, d, …, d), n times d"""
    f: Callable[[Any], Any]

    def band(self, x: Any) -> Interval:
        """The interval in which f(x) lies, x of shape (d,); [−∞, ∞] outside the region. For many points, use `vmap`."""
        with precision.of(self.x0):
            x = held(precision.floats("x", x), self.x0.dtype)
            if x.lo.shape != self.x0.shape:
                raise ValueError(
                    f"`x` must have shape {self.x0.shape}; got {x.lo.shape}; for many points use jax.vmap"
                )
            return found(_band, self, x)

    @property
    def width(self) -> jax.Array:
        """How far apart the bounds can be anywhere in the region."""
        with precision.of(self.x0):
            total, size = self.remainder.width, reach_of(self.x0, self.radius)
            for _ in range(self.order):
                total = total @ size
            return jnp.max(total)

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw f and the band along each variable; write it to `path`, or return the figure."""
        from mvcalc_jax import plots  # matplotlib is only loaded by whoever draws

        return plots.drawn(lambda: plots.bands.tensor_enclosure(self), path)

    def _parts(self) -> text.Parts:
        if require.traced(self) or np.ndim(self.x0) > 1:
            return [many(self)]
        terms = [*self.coefficients, self.remainder]
        powers = ["1", "h", *(f"h^{k}" for k in range(2, self.order + 1))]
        rows = [("", "shape", "lies in")]
        rows += [
            (power, str(np.shape(c.lo)), text.listed(in_words(c)))
            for power, c in zip(powers, terms, strict=True)
        ]
        x0, radius = (text.vector(v, 6) for v in (self.x0, self.radius))
        return [rows, f"h = x - x0, x0 = {x0}, |h| <= {radius}"]


def _band(e: TensorEnclosure, x: Interval) -> Interval:
    h = x - point(e.x0)
    total = e.remainder
    for k in reversed(range(e.order)):
        total = along(total, h) + e.coefficients[k]
    reach = reach_of(e.x0, e.radius)
    inside = jnp.all((h.lo >= -reach) & (h.hi <= reach))
    return where(inside, total)


def found(band: Callable[[Any, Interval], Interval], e: Any, x: Interval) -> Interval:
    """The band of an enclosure, in one program for all enclosures of its form, or as part of the caller's."""
    return band(e, x) if require.traced((e, x)) else _program(band)(replace(e, f=None), x)


@cache
def _program(band: Callable[[Any, Interval], Interval]) -> Any:
    return jax.jit(band, compiler_options=quickly())


def many(e: Any) -> str:
    """What is said of an enclosure whose numbers are not known, or of those that `vmap` put together."""
    name = f"of order {e.order}"
    return (
        f"an enclosure {name}, {text.TRACED}"
        if require.traced(e)
        else f"{text.count(len(e.x0))} enclosures {name}"
    )


def in_words(a: Interval) -> list[str]:
    """Each entry: a number where the ends agree to six digits, else both."""
    pairs = zip(np.ravel(a.lo).tolist(), np.ravel(a.hi).tolist(), strict=True)
    return [f"{lo:.6g}" if hi - lo <= 1e-6 * abs(lo) else f"[{lo:.6g}, {hi:.6g}]" for lo, hi in pairs]


def reach_of(x0: jax.Array, radius: jax.Array) -> jax.Array:
    """The radius, and a little more, so that x₀ ± radius, rounded, lie within."""
    return outward(radius, radius, 8, jnp.abs(x0) * float(4 * jnp.finfo(x0.dtype).eps)).hi


def usable(x0: jax.Array, radius: jax.Array, parts: int = 1) -> Any:
    """Whether a region is one, which inside `jit` and `vmap` cannot be asked before; and its parts are not lost in
    ω."""
    info = jnp.finfo(x0.dtype)
    return jnp.isfinite(x0) & jnp.isfinite(radius) & (radius > float(parts * info.tiny / info.eps))


def in_several_variables(
    f: Callable[[Any], Any], x0: jax.Array, radius: jax.Array, order: int
) -> TensorEnclosure:
    """The enclosure of f: ℝᵈ → ℝ or an array, about x₀."""
    if order > MOST:
        raise ValueError(f"`order` must be at most {MOST} in several variables; got {order}")
    radius = jnp.broadcast_to(radius, x0.shape)
    reach = reach_of(x0, radius)
    h = where(usable(x0, radius), Interval(-reach, reach))
    region = point(x0) + h
    tensors = [f]
    for _ in range(order + 1):
        tensors.append(autodiff.jacobian(tensors[-1], mode="forward"))
    at = [_scaled(interval_of(g, point(x0)), k) for k, g in enumerate(tensors[: order + 1])]
    over, next_over = (interval_of(tensors[k], region) for k in (order, order + 1))
    near = at[order] + scaled(along(next_over, h), 1 / ((order + 1) * math.factorial(order)))
    smooth, smoother = steady(f, point(x0), h, order + 1)[order:]
    remainder = where(smooth, _scaled(over, order)) & where(smooth & smoother, near)
    return TensorEnclosure(x0, radius, order, tuple(at[:order]), remainder, f)


def _scaled(a: Interval, k: int) -> Interval:
    return scaled(a, 1 / math.factorial(k))


def interval_of(f: Callable[..., Any], *args: Interval) -> Interval:
    """The range of f, which returns one array, over intervals: the natural interval extension."""
    shapes = [jax.ShapeDtypeStruct(jnp.shape(a.lo), a.lo.dtype) for a in args]
    (found,) = carried_out(f, shapes, [constant(a) for a in args], None)
    if not isinstance(found, Expansion):
        raise TypeError("`f` must return floating-point numbers; got whole numbers or conditions")
    return found.range


def steady(f: Callable[[Any], Any], at: Interval, h: Interval, order: int) -> list[Any]:
    """Whether f is proven to have bounded divided differences of orders 0, 1, … along all lines through a point of
    a box.

    Autodiff differentiates the branch that is taken, and knows nothing of the step between two. Here a branch that is
    not certain leaves nothing known, so that what autodiff gives may be relied on where something is.
    """
    along_line = Interval(-h.magnitude, h.magnitude)
    one = jnp.ones_like(h.lo[0])
    c = (at, along_line, *[None] * order)[:order]
    line = Expansion(c, (at + along_line, along_line, *[None] * order)[: order + 1], Interval(-one, one))
    (found,) = carried_out(f, [jax.ShapeDtypeStruct(jnp.shape(at.lo), at.lo.dtype)], [line], line)
    finite = lambda r: jnp.all(jnp.isfinite(r.lo) & jnp.isfinite(r.hi))
    return [jnp.array(True) if r is None else finite(r) for r in found.r]


def jacobian_over(f: Callable[[Any], Any], at: Interval) -> Interval:
    """All Jacobians of f, from an array of shape (d,), over a box: d expansions of first order about all of its points.

    By the rules of expansions and not by autodiff: nobody's own derivative is believed, and `stop_gradient` stops
    nothing.
    """
    shape = jax.ShapeDtypeStruct(at.lo.shape, at.lo.dtype)

    def column(direction: jax.Array) -> Interval:
        zero, d = jnp.zeros_like(direction[0]), Interval(direction, direction)
        line = Expansion((at, d), (at, d, None), Interval(zero, zero))
        (found,) = carried_out(f, [shape], [line], line)
        return found.c[1] or filled(found.range, 0.0)

    return jax.vmap(column, out_axes=-1)(jnp.eye(at.lo.size, dtype=at.lo.dtype))


def along(tensor: Interval, h: Interval) -> Interval:
    """The last axis of a tensor contracted with h: Σ_j T[…, j] h_j."""
    low, high = products(tensor, h)
    size = jnp.maximum(jnp.abs(low), jnp.abs(high)).sum(-1)
    info = jnp.finfo(low.dtype)
    count = h.lo.size + 2
    error = size * float(count * info.eps) + float(6 * count * info.tiny)
    return known(low.sum(-1) - error, high.sum(-1) + error)
