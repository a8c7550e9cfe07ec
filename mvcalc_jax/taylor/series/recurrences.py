r"""Series of elementary functions: v(t) = φ(u(t)), coefficient by coefficient.

A series u(t) = Σ uₖ tᵏ is an array whose first axis is k = 0 … N. Every elementary function satisfies a differential
equation that gives vₖ from v₀ … vₖ₋₁ (Griewank and Walther, Evaluating Derivatives (2008), §13; Knuth, TAOCP 2, §4.7):

    v = u w          vₖ = Σ uⱼ wₖ₋ⱼ
    v = u/w          vₖ = (uₖ − Σ_{j≥1} wⱼ vₖ₋ⱼ)/w₀
    v′ = g u′        k vₖ = Σ j uⱼ gₖ₋ⱼ                 log, atan, asin, erf, …, with g = 1/u, 1/(1 + u²), …
    v = exp u        the same, with g = v;              sin and cos, tan and 1 + tan², and tanh in pairs
    v = uʳ           k u₀ vₖ = Σ ((r + 1) j − k) uⱼ vₖ₋ⱼ

The value v₀ comes from the function itself, so that it has all its digits; nothing is subtracted that has cancelled
(1 − tanh² is 1/cosh²). Each recurrence is one loop whatever N is, so that compiling takes as long for order 30 as
for 3.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax


class Known(NamedTuple):
    """The coefficients known so far, y₀ … yₘ: forwards, with zeros behind, and backwards from yₘ, with zeros behind."""

    forward: Array
    backward: Array

    def push(self, one: Array, y: Array) -> "Known":
        """With one coefficient more; `one` is 1 at its place, and 0 elsewhere."""
        return Known(
            jnp.where(_along(one, y) > 0, y, self.forward), _shifted(self.backward, y)
        )  # 0 · ∞ is no 0


def _along(one: Array, like: Array) -> Array:
    return one.reshape(one.shape + (1,) * jnp.ndim(like))


def _shifted(backward: Array, y: Array) -> Array:
    return jnp.concatenate([y[None], backward[:-1]])


def _dot(a: Array, b: Array) -> Array:
    return jnp.sum(a * b, axis=0)


def at(one: Array, u: Array) -> Array:
    """The coefficient of u where `one` is 1."""
    return jnp.sum(jnp.where(_along(one, u[0]) > 0, u, 0), axis=0)


def slopes(u: Array) -> Array:
    """The coefficients of u′, one behind the other, and a zero: (k + 1) uₖ₊₁."""
    k = jnp.arange(1, len(u), dtype=u.dtype)
    return jnp.concatenate([_along(k, u[0]) * u[1:], jnp.zeros_like(u[:1])])


def unfold(first: Any, step: Callable[..., Any], order: int) -> Any:
    """Series from recurrences: `step(k, one, *known)` gives coefficient k of each, and may push to look at it."""
    first = jax.tree.map(jnp.asarray, first)
    e = jnp.eye(order + 1, dtype=jax.tree.leaves(first)[0].dtype)
    known = tuple(Known(constant(y, order), constant(y, order)) for y in first)

    def advance(known: Any, row: Any) -> Any:
        k, one = row
        found = step(k, one, *known)
        return tuple(s.push(one, y) for s, y in zip(known, found, strict=True)), None

    return tuple(
        s.forward for s in lax.scan(advance, known, (jnp.arange(1, order + 1, dtype=e.dtype), e[1:]))[0]
    )


def product(op: Callable[[Array, Array], Array], u: Array, w: Array) -> Array:
    """The series of a bilinear operation of two series."""

    def add(state: Any, uj: Array) -> Any:
        total, moved = state
        return (total + jax.vmap(lambda wk: op(uj, wk))(moved), _shifted(moved, jnp.zeros_like(w[0]))), None

    shape = jax.eval_shape(op, u[0], w[0])
    total = jnp.zeros((len(u), *shape.shape), shape.dtype)
    return lax.scan(add, (total, w), u)[0][0]


def mul(u: Array, w: Array) -> Array:
    """u w."""
    return product(jnp.multiply, u, w)


def constant(y: Any, order: int) -> Array:
    """A number or array as a series."""
    y = jnp.asarray(y)
    return jnp.concatenate([y[None], jnp.zeros((order, *y.shape), y.dtype)])


def started(u: Array, y: Array) -> Array:
    """A series with another value."""
    return jnp.concatenate([y[None], u[1:]])


def div(u: Array, w: Array) -> Array:
    """u/w."""
    behind = jnp.concatenate([w[1:], jnp.zeros_like(w[:1])])
    pair = jnp.stack(jnp.broadcast_arrays(u, w))[0]

    def step(k: Array, one: Array, v: Known) -> Any:
        return ((at(one, pair) - _dot(behind, v.backward)) / w[0],)

    return unfold((u[0] / w[0],), step, len(u) - 1)[0]


def removed(u: Array, w: Array, fill: Any) -> Array:
    """u/w; where both vanish at t = 0, without their common factor tᵐ; `fill` stands for the m coefficients of each
    that are then unknown."""
    first = lambda s: jnp.where(jnp.any(s != 0, axis=0), jnp.argmax(s != 0, axis=0), len(s))
    lost = jnp.where(first(w) < len(w), jnp.minimum(first(u), first(w)), 0)
    place = jnp.arange(len(u)).reshape(-1, *(1,) * lost.ndim) + lost
    inside = place < len(u)
    cut = lambda s: jnp.take_along_axis(s, jnp.where(inside, place, 0), axis=0)
    return div(jnp.where(inside, cut(u), fill), jnp.where(inside, cut(w), fill))


def integral(value: Array, g: Array, u: Array) -> Array:
    """v with v′ = g u′, and this value at t = 0."""
    k = jnp.arange(1, len(u), dtype=u.dtype)
    slope = mul(slopes(u), g)
    return jnp.concatenate([value[None], slope[:-1] / _along(k, value)])


def exp(u: Array, value: Array | None = None) -> Array:
    """A multiple of exp u, or exp u itself."""
    du = slopes(u)
    (v,) = unfold(
        (jnp.exp(u[0]) if value is None else value,),
        lambda k, one, v: (_dot(du, v.backward) / k,),
        len(u) - 1,
    )
    return v


def power(u: Array, r: Array, value: Array) -> Array:
    """uʳ for an exponent r that does not depend on t."""
    j = _along(jnp.arange(1, len(u) + 1, dtype=u.dtype), u[0])
    behind = jnp.concatenate([u[1:], jnp.zeros_like(u[:1])])
    (v,) = unfold(
        (value,), lambda k, one, v: (_dot(((r + 1) * j / k - 1) * behind, v.backward) / u[0],), len(u) - 1
    )
    return v


def whole_power(u: Array, n: int) -> Array:
    """uⁿ by squaring."""
    if n < 0:
        return power(u, jnp.asarray(n, u.dtype), u[0] ** n)
    found, square = None, u
    while n:
        if n % 2:
            found = square if found is None else mul(found, square)
        n //= 2
        square = mul(square, square) if n else square
    return constant(jnp.ones_like(u[0]), len(u) - 1) if found is None else found


def log(u: Array) -> Array:
    """log u."""
    return integral(jnp.log(u[0]), reciprocal(u), u)


def reciprocal(u: Array) -> Array:
    """1/u."""
    return div(constant(jnp.ones_like(u[0]), len(u) - 1), u)


def circular(sign: int, s0: Array, c0: Array, u: Array) -> tuple[Array, Array]:
    """sin u and cos u (sign −1), or sinh u and cosh u (sign 1)."""
    du = slopes(u)
    step = lambda k, one, s, c: (_dot(du, c.backward) / k, sign * _dot(du, s.backward) / k)
    s, c = unfold((s0, c0), step, len(u) - 1)
    return s, c


def tangent(sign: int, value: Array, slope: Array, u: Array) -> Array:
    """tan u (sign 1) or tanh u (sign −1): t′ = (1 ± t²) u′; `slope` is 1 ± t² at t = 0."""
    du = slopes(u)

    def step(k: Array, one: Array, t: Known, s: Known) -> Any:
        y = _dot(du, s.backward) / k
        t = t.push(one, y)
        return y, sign * _dot(t.forward, t.backward)

    return unfold((value, slope), step, len(u) - 1)[0]


def inverse_erf(u: Array) -> Array:
    """erf⁻¹ u: y′ = √π/2 exp(y²) u′."""
    du, half = slopes(u), math.sqrt(math.pi) / 2
    y0 = lax.erf_inv(u[0])

    def step(k: Array, one: Array, y: Known, q: Known, dq: Known, g: Known) -> Any:
        new = _dot(du, g.backward) / k
        y = y.push(one, new)
        square = _dot(y.forward, y.backward)
        moved = jnp.concatenate(
            [(dq.forward + _along(one, square) * k * square)[1:], jnp.zeros_like(q.forward[:1])]
        )
        return new, square, k * square, _dot(moved, g.backward) / k

    return unfold((y0, y0 * y0, jnp.zeros_like(y0), half * jnp.exp(y0 * y0)), step, len(u) - 1)[0]


def composed(local: Array, u: Array) -> Array:
    """Σ aₙ (u − u₀)ⁿ by Horner's rule, from the coefficients aₙ of a function at u₀."""
    moved = started(u, jnp.zeros_like(u[0]))

    def horner(v: Array, a: Array) -> Any:
        v = mul(v, moved)
        return started(v, v[0] + a), None

    return lax.scan(horner, jnp.zeros_like(u), local[::-1])[0]


def log_gamma(u: Array) -> Array:
    """log |Γ(u)|: its coefficients are values of the Hurwitz zeta function; below zero by reflection."""
    return _reflected(u, lambda w: composed(_log_gamma_at(w[0], len(w)), w), _log_sine)


def digamma(u: Array) -> Array:
    """ψ(u) = d log |Γ(u)|/du."""
    n = len(u)

    def right(w: Array) -> Array:
        a = _log_gamma_at(w[0], n + 1)
        return composed(_along(jnp.arange(1, n + 1, dtype=w.dtype), w[0]) * a[1:], w)

    return _reflected(u, right, _cotangent, -1.0)


def _log_gamma_at(x: Array, n: int) -> Array:
    k = jnp.arange(2, n, dtype=x.dtype)
    high = (
        jax.vmap(lambda s: lax.zeta(jnp.full_like(x, s), x))(k)
        if n > 2
        else jnp.zeros((0, *x.shape), x.dtype)
    )
    signs = jnp.asarray(np.where(np.arange(2, n) % 2, -1.0, 1.0), x.dtype)
    return jnp.concatenate([jnp.stack([lax.lgamma(x), lax.digamma(x)])[:n], _along(signs / k, x) * high])


def _reflected(
    u: Array, right: Callable[[Array], Array], between: Callable[[Array], Array], sign: float = 1.0
) -> Array:
    """φ(u) from its values right of zero: φ(u) = `between`(u) − φ(1 − u), or + with sign −1."""
    left = u[0] <= 0
    inside = jnp.where(left, started(-u, 1 - u[0]), u)
    found = right(inside)
    return jnp.where(
        left, between(jnp.where(left, u, started(u, jnp.full_like(u[0], -0.5)))) - sign * found, found
    )


def _sine(u: Array) -> tuple[Array, Array]:
    """sin πu and cos πu, with all digits near whole u₀."""
    turns = jnp.round(u[0])
    phase, way = math.pi * (u[0] - turns), jnp.where(turns % 2 == 0, 1.0, -1.0).astype(u.dtype)
    return circular(-1, way * jnp.sin(phase), way * jnp.cos(phase), math.pi * u)


def _log_sine(u: Array) -> Array:
    s = _sine(u)[0]
    return started(log(jnp.sign(s[0]) * s), math.log(math.pi) - jnp.log(jnp.abs(s[0]))) * _along(
        jnp.asarray([1.0] + [-1.0] * (len(u) - 1), u.dtype), u[0]
    )


def _cotangent(u: Array) -> Array:
    s, c = _sine(u)
    return -math.pi * div(c, s)
