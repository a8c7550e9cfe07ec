"""The coefficients of a function along a line, t ↦ f(x + t d), and what rounding may have done to each.

They are computed twice, the second time for t ↦ f(x + std) with an s that rounds every number differently: what the two
differ by is rounding. At a kink the two sides of f have series of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mvcalc_jax import require
from mvcalc_jax.compiling import quickly
from mvcalc_jax.taylor.series import jets

_OTHER = 0.7310585786300049
"""The s of the second computation: no power of two, so that it rounds otherwise."""
_GUARD = 8
"""Orders more where quotients 0/0 are followed to their limits: each such quotient costs some."""


@dataclass(frozen=True)
class Expansion:
    """Coefficients 0 … order + 1 and what rounding may have done to each; a leading axis for many directions."""

    c: Any
    rounding: Any


def expanded(
    f: Callable[..., Any], x: Array, direction: Array, order: int, *, known: bool, many: bool = False
) -> Expansion:
    """The series of t ↦ f(x + t d), for one direction d or many; checked, as a NumPy array, where x is known.

    Raises:
        ValueError: where there is none and x is known.
    """
    closed = jax.make_jaxpr(f)(x)
    if not known or require.traced(closed.consts):
        c, rounding, _, _ = _both_sides(closed, x, direction, order, None, many)
        return Expansion(c, rounding)
    c, rounding, left, right = map(np.asarray, _program()(f, x, direction, order, False, many))
    inside = (slice(None), slice(order + 1)) if many else slice(order + 1)
    if not (np.isfinite(left[inside]).all() and np.isfinite(right[inside]).all()):
        limit = _program()(f, x, direction, order, True, many)
        if np.isfinite(np.asarray(limit[0])[inside]).all():
            c, rounding, left, right = map(np.asarray, limit)
    if not np.isfinite(c[inside]).all():
        _refuse(x, *(np.moveaxis(v, 1, 0) if many else v for v in (c, left, right)))
    return Expansion(c, rounding)


@cache
def _program() -> Any:
    return jax.jit(_series, static_argnames=("f", "order", "limits", "many"), compiler_options=quickly())


def _series(f: Any, x: Array, direction: Array, order: int, limits: bool, many: bool) -> Any:
    closed = jax.make_jaxpr(f)(x)
    if not limits:
        return _both_sides(closed, x, direction, order, None, many)
    kept = (slice(None), slice(order + 2)) if many else slice(order + 2)
    found = [
        [v[kept] for v in _both_sides(closed, x, direction, order + _GUARD, fill, many)]
        for fill in (0.0, 1.0)
    ]
    same = jnp.abs(found[0][0] - found[1][0]) <= 1e-3 * jnp.abs(found[0][0]) + 10 * found[0][1]
    return jnp.where(same, found[0][0], jnp.nan), *found[0][1:]


def _both_sides(closed: Any, x: Array, direction: Array, order: int, fill: Any, many: bool) -> Any:
    """Coefficients with nan from where the sides differ, their rounding, and the coefficients of either side."""
    if many:
        return jax.vmap(lambda d: _both_sides(closed, x, d, order, fill, False))(direction)
    n = order + 1

    def row(s: Any, side: Any) -> Array:
        line = jnp.concatenate([x[None], (s * direction)[None], jnp.zeros((n - 1, *x.shape), x.dtype)])
        (c,) = jets.series(closed, [line], jets.Way(n, side, fill))
        return c / (s ** jnp.arange(n + 1, dtype=x.dtype)).reshape(-1, *(1,) * (c.ndim - 1)).astype(c.dtype)

    one = jnp.ones((), x.dtype)
    if not jets.has_pieces(closed):
        right, other = jax.vmap(lambda s: row(s, one))(jnp.stack([one, _OTHER * one]))
        return right, _rounding(right, other), right, right
    rows = jnp.stack([one, one, _OTHER * one]), jnp.stack([one, -one, one])
    right, left, other = jax.vmap(row)(*rows)
    rounding = _rounding(right, other)
    apart = jnp.abs(right - left) > 100 * rounding
    kink = jnp.cumsum(apart, axis=0) > 0
    return jnp.where(kink, jnp.nan, right), rounding, left, right


def _rounding(c: Array, other: Array) -> Array:
    """What rounding may have done to each coefficient: what it did to it or to its neighbours, and a unit of each."""
    size = jnp.abs(c)
    beside = jnp.concatenate([size[1:], jnp.zeros_like(size[:1])]) + jnp.concatenate(
        [jnp.zeros_like(size[:1]), size[:-1]]
    )
    off = jnp.abs(c - other)
    off = jnp.where(jnp.isfinite(off), off, 0.0)
    near = jnp.maximum(off, jnp.concatenate([off[1:], jnp.zeros_like(off[:1])]))
    near = jnp.maximum(near, jnp.concatenate([jnp.zeros_like(off[:1]), off[:-1]]))
    return 8 * near + jnp.finfo(c.dtype).eps * (size + jnp.where(jnp.isfinite(beside), beside, 0.0))


def _refuse(x: Array, c: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
    """Say why f has no Taylor series at x."""
    at = f"x0 = {np.asarray(x)}"
    bad = int(np.argmax([not np.isfinite(v).all() for v in c]))
    less = f", or ask for less than order {bad}" if bad else ""
    sides = np.isfinite(left[bad]).all() and np.isfinite(right[bad]).all()
    if sides:
        k = tuple(np.argwhere(~np.isfinite(c[bad]))[0])
        what = "jump" if bad == 0 else "kink"
        raise ValueError(
            f"`f` must have a Taylor series at {at}; it has a {what} there: its coefficient of order {bad} is "
            f"{left[bad][k]:.6g} from the left and {right[bad][k]:.6g} from the right; move x0{less}"
        )
    if bad == 0:
        raise ValueError(
            f"`f` must have a Taylor series at {at}; its value there is not finite: a pole, an edge of its domain, "
            "or an overflow; move x0"
        )
    raise ValueError(
        f"`f` must have a Taylor series at {at}; its coefficient of order {bad} cannot be had: a branch point, as "
        f"that of √x at 0, a pole too near, or an overflow; move x0{less}"
    )
