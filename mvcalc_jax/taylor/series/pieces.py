"""Functions that are made of pieces: on one side of t = 0, one of the pieces goes on.

Which one, a series knows: where two of them have the same value, the first coefficients that differ decide.
"""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from mvcalc_jax.taylor.series import bessel
from mvcalc_jax.taylor.series.recurrences import mul

PIECES = frozenset((
    "abs", "sign", "max", "min", "clamp", "rem", "floor", "ceil", "round", "lt", "le", "gt", "ge", "eq", "ne",
    "sort", "argmax", "argmin", "reduce_max", "reduce_min", "cummax", "cummin", "cond", "bessel_i0e",
    "bessel_i1e",
))  # fmt: skip
"""Primitives that compare, choose or round."""


def turned(u: Array, side: Any) -> Array:
    """The series in |t| on a side of t = 0."""
    k = jnp.arange(len(u)).reshape(-1, *(1,) * (u.ndim - 1))
    return jnp.where(k % 2 == 0, u, side * u)


def sign(u: Array, side: Any) -> Array:
    """The sign of u next to t = 0."""
    u = turned(u, side)
    first = jnp.argmax(u != 0, axis=0)
    return jnp.sign(jnp.take_along_axis(u, first[None], axis=0)[0])


def _order(u: Array, w: Array, side: Any) -> Array:
    """The sign of u − w; equal infinities are equal."""
    return sign(jnp.where(u == w, 0.0, u - w), side)


def _nudged(u: Array, side: Any) -> Array:
    """A number next to u₀ on the way that u takes; not a subnormal one, which XLA takes for 0."""
    way = sign(u.at[0].set(0.0), side)
    beside = jnp.where(u[0] == 0, way * jnp.finfo(u.dtype).tiny, lax.nextafter(u[0], way * jnp.inf))
    return jnp.where(way == 0, u[0], beside)


_COMPARED: dict[str, Callable[[Array], Array]] = {
    "lt": lambda s: s < 0, "le": lambda s: s <= 0, "gt": lambda s: s > 0, "ge": lambda s: s >= 0,
    "eq": lambda s: s == 0, "ne": lambda s: s != 0,
}  # fmt: skip


def decided(name: str, params: dict[str, Any], bind: Callable[..., Any], u: list[Array], side: Any) -> Any:
    """What does not change with t on this side: a comparison, a sign, a whole number; None where it is no such."""
    if name in _COMPARED:
        return _COMPARED[name](_order(u[0], u[1], side))
    if name == "sign":
        return sign(u[0], side)
    if name in ("floor", "ceil", "round", "convert_element_type"):
        return bind(_nudged(u[0], side))
    if name == "is_finite":
        return bind(u[0][0])
    if name in ("argmax", "argmin"):
        (axis,) = params["axes"]
        return jnp.argmax(_winners(_signed(name, u[0]), (axis,), side), axis).astype(params["index_dtype"])
    return None


def chosen(name: str, params: dict[str, Any], u: list[Array], side: Any) -> Array | None:
    """The series of the piece that goes on on this side; None where the primitive is none of these."""
    if name == "abs":
        return sign(u[0], side) * u[0]
    if name in ("max", "min"):
        return _extreme(name, u[0], u[1], side)
    if name == "clamp":
        low, x, high = (
            jnp.broadcast_to(v.reshape(len(v), *v.shape[1:] or (1,) * (u[1].ndim - 1)), u[1].shape) for v in u
        )
        return _extreme("min", _extreme("max", low, x, side), high, side)
    if name in ("bessel_i0e", "bessel_i1e"):  # scaled by exp(−|u|)
        return bessel.scaled(
            int(name == "bessel_i1e"), u[0], jnp.where(sign(u[0], side) < 0, -1.0, 1.0).astype(u[0].dtype)
        )
    if name == "rem":
        return _remainder(u[0], u[1], side)
    if name in ("reduce_max", "reduce_min"):
        axes = tuple(axis + 1 for axis in params["axes"])
        won = _winners(_signed(name, u[0]), params["axes"], side)
        total = jnp.sum(won, params["axes"])
        return jnp.sum(jnp.where(won, u[0], 0.0), axes) / total.astype(u[0].dtype)
    if name in ("cummax", "cummin"):
        pick = lambda a, b: _extreme("max" if name == "cummax" else "min", a, b, side)
        return lax.associative_scan(pick, u[0], params["reverse"], axis=params["axis"] + 1)
    if name == "cumprod":
        return lax.associative_scan(mul, u[0], params["reverse"], axis=params["axis"] + 1)
    return None


def _signed(name: str, u: Array) -> Array:
    return -u if name.endswith("min") else u


def _extreme(name: str, u: Array, w: Array, side: Any) -> Array:
    """Of two series the greater or lesser one; not a number where one is none."""
    s = _order(u, w, side)
    return jnp.where(jnp.isnan(s), u + w, jnp.where((s > 0) == (name == "max"), u, w))


def _winners(u: Array, axes: tuple[int, ...], side: Any) -> Array:
    """Which entries are greatest: by their values, then their first coefficients, and so on."""

    def narrow(mask: Array, v: Array) -> Any:
        best = jnp.max(jnp.where(mask, v, -jnp.inf), axes, keepdims=True)
        return mask & ((v == best) | jnp.isnan(best)), None

    return lax.scan(narrow, jnp.ones(u.shape[1:], bool), turned(u, side))[0]


def _remainder(u: Array, w: Array, side: Any) -> Array:
    """u − n w, n the quotient cut to a whole number: by one nearer to 0 where it only just does not reach n."""
    n = jnp.round((u[0] - lax.rem(u[0], w[0])) / w[0])
    over = sign(u - n * w, side) * jnp.sign(w[0]) * jnp.sign(n)
    return u - jnp.where((u[0] == n * w[0]) & (over < 0), n - jnp.sign(n), n) * w


def ordered(params: dict[str, Any], operands: list[Any], moving: list[bool], side: Any) -> list[Any]:
    """Sorted by values, then by the coefficients that follow."""
    columns: list[Array] = []
    keys = 0
    for k, (v, m) in enumerate(zip(operands, moving, strict=True)):
        columns += list(turned(v, side)) if m else [v]
        keys = len(columns) if k < params["num_keys"] else keys
    done = list(
        lax.sort(columns, dimension=params["dimension"], is_stable=params["is_stable"], num_keys=keys)
    )
    found: list[Any] = []
    for v, m in zip(operands, moving, strict=True):
        part, done = (done[: len(v)], done[len(v) :]) if m else (done[:1], done[1:])
        found.append(turned(jnp.stack(part), side) if m else part[0])
    return found
