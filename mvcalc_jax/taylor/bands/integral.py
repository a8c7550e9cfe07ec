"""verified_integral: an integral with a proven error, from Taylor enclosures integrated piece by piece."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import precision, require, text
from mvcalc_jax.compiling import quickly
from mvcalc_jax.taylor.bands.enclosure import TaylorEnclosure, taylor_enclosure
from mvcalc_jax.taylor.bands.tensors import along
from mvcalc_jax.taylor.intervals.arithmetic import Interval, point, power, scaled

PIECES, AT_ONCE = 4096, 16
"""How many pieces there are at most, and how many are enclosed together."""


@text.shown
class VerifiedIntegral(NamedTuple):
    """The integral lies in [lo, hi]; −∞ and ∞ where nothing is proven.

    >>> found = mv.verified_integral(jnp.exp, 0.0, 1.0)
    >>> print(f"{found.lo:.10f} {found.hi:.10f}")
    1.7182818285 1.7182818285
    >>> found.message.split(" in ")[0]
    'the integral lies'
    """

    lo: float
    hi: float
    pieces: int
    message: str

    def _parts(self) -> text.Parts:
        return [self.message]


def verified_integral(
    f: Callable[[Any], Any], low: float, high: float, *, tolerance: float = 1e-12, order: int = 4
) -> VerifiedIntegral:
    """∫ f dx from low to high, with an error that is proven.

    Each piece is expanded about its middle, f ∈ Σ c_k hᵏ + R hⁿ, and integrated term by term. The pieces whose
    integrals are known worst are halved.

    Args:
        f: a function of a number, with a number for its value, written in JAX.
        low, high: the limits, low < high.
        tolerance: how wide [lo, hi] may be, relative to the sum of the pieces' integrals without their signs; where
            rounding errors or the number of pieces do not permit that, it is wider.
        order: of the enclosures, even.

    Raises:
        TypeError, ValueError: where an argument is none of these; or f has an operation that no rule is known for.

    >>> found = mv.verified_integral(jnp.exp, 0.0, 1.0)
    >>> found.lo <= np.e - 1 <= found.hi, found.hi - found.lo < 1e-11
    (True, True)
    """
    require.positive("tolerance", tolerance)
    (limits,) = require.box("the limits", [[low, high]])
    require.scalar("f", f, jnp.zeros(()))
    if require.whole("order", order, 2) % 2:
        raise ValueError(f"`order` must be even, so that all of the remainder counts alike; got {order}")
    with precision.of(limits):
        integrals = jax.jit(jax.vmap(partial(_piece, f, order)), compiler_options=quickly())
        edges = np.linspace(limits[0], limits[1], AT_ONCE + 1)
        pieces = np.stack([edges[:-1], edges[1:]], -1)
        found = _numbers(integrals(pieces))
        while True:
            width = found[:, 1] - found[:, 0]
            size = np.abs(found).max(1).sum()
            floor = 64 * np.finfo(float).eps * size  # what halving does not make smaller: rounding
            done = width.sum() <= max(tolerance * size, floor) or not np.isfinite(limits).all()
            narrow = pieces[:, 1] - pieces[:, 0] <= 16 * np.spacing(np.abs(limits).max())
            if done or len(pieces) >= PIECES or (narrow & ~np.isfinite(width)).any():
                add = jax.jit(along, compiler_options=quickly())
                return _result(add(Interval(*found.T), point(np.ones(len(found)))), len(pieces))
            worst = np.argsort(-np.where(np.isnan(width), np.inf, width))[: AT_ONCE // 2]
            middle = pieces[worst].mean(1)
            halves = np.concatenate(
                [np.stack([pieces[worst, 0], middle], -1), np.stack([middle, pieces[worst, 1]], -1)]
            )
            found = np.concatenate([np.delete(found, worst, 0), _numbers(integrals(halves))])
            pieces = np.concatenate([np.delete(pieces, worst, 0), halves])


def _numbers(found: Interval) -> np.ndarray:
    return np.stack([np.asarray(found.lo), np.asarray(found.hi)], -1)


def _piece(f: Callable[[Any], Any], order: int, ends: jax.Array) -> Interval:
    """∫ (Σ c_k hᵏ + R hⁿ) dh between the ends, by the antiderivative's values there; n is even, so that hⁿ ≥ 0."""
    low, high = ends
    middle = low + (high - low) / 2
    e = taylor_enclosure(f, middle, jnp.maximum(high - middle, middle - low), order)
    assert isinstance(e, TaylorEnclosure)
    up, down = point(high) - point(middle), point(low) - point(middle)
    entries = [Interval(e.coefficients.lo[k], e.coefficients.hi[k]) for k in range(order)] + [e.remainder]
    total = scaled(entries[0] * (up - down), 1.0)
    for k, entry in enumerate(entries[1:], 1):
        total += scaled(entry * (power(up, k + 1) - power(down, k + 1)), 1 / (k + 1))
    return total


def _result(total: Interval, pieces: int) -> VerifiedIntegral:
    lo, hi = float(total.lo), float(total.hi)
    if not (np.isfinite(lo) and np.isfinite(hi)):
        message = (
            "nothing is proven: f has a pole, a jump or a kink between the limits, or this cannot be excluded"
        )
        return VerifiedIntegral(lo, hi, pieces, message)
    return VerifiedIntegral(
        lo, hi, pieces, f"the integral lies in [{lo:.16g}, {hi:.16g}], proven with {pieces} pieces"
    )
