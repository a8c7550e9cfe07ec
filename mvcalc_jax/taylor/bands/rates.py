"""safe_learning_rate: how far a step of steepest descent may go, so that it provably lowers the cost.

Along −∇C the cost is a function of the learning rate alone, of which the order-2 enclosure is a majorant:

    φ(η) = C(p − η ∇C(p)) ∈ c₀ + c₁ η + R η²,    c₁ = −|∇C|²    for 0 ≤ η ≤ most.

So φ(η) < φ(0) wherever c₁ + R̄ η < 0, with the largest number R̄ in R: for quadratics with curvature λ, up to η = 2/λ.
The interval is divided in pieces with an R of their own, since R is smaller near 0 than it is over all; the rate
returned is the end of the last piece before the first one on which the cost is not proven lower.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import precision, require
from mvcalc_jax.taylor.bands.enclosure import expanded
from mvcalc_jax.taylor.intervals.arithmetic import Interval, point
from mvcalc_jax.taylor.intervals.compiled import compiled_apart

PIECES = 8
"""Doubling rates, each the end of a piece."""


def safe_learning_rate(cost: Callable[[Any], Any], params: Any, jacobian: Any, most: Any) -> jax.Array:
    """The largest learning rate, up to `most`, at which p − η·jacobian provably costs less than p; 0 if none is found.

    Proven for the cost in exact arithmetic, for all rates between 0 and the one returned. `jacobian` may be any
    direction, such as a hand-written ∂C/∂p or one with noise; where it does not point uphill, no rate is proven.
    Works in `jit`.

    Args:
        cost: `cost(params)`, a single number, written in JAX.
        params: any tree of floating-point arrays.
        jacobian: ∂C/∂params, with the structure and shapes of `params`.
        most: where to stop looking, above zero.

    Raises:
        TypeError, ValueError: where an argument is none of these; or the cost has an operation that no rule is known
            for.
    """
    leaves = jax.tree.leaves((params, jacobian))
    require.function("cost", cost)
    require.positive("most", most)
    with precision.of(*leaves), compiled_apart(require.traced((leaves, most))):
        dtype = jnp.result_type(*leaves)
        along = lambda η: cost(jax.tree.map(lambda p, J: p - η.astype(p.dtype) * J, params, jacobian))
        require.scalar("cost", along, jax.ShapeDtypeStruct((), dtype))
        return _last_proven(along, jnp.asarray(most, dtype))


def _last_proven(φ: Callable[[Any], Any], most: jax.Array) -> jax.Array:
    ends = most * jnp.asarray(2.0 ** np.arange(1 - PIECES, 1), most.dtype)
    starts = jnp.concatenate([jnp.zeros_like(ends[:1]), ends[:-1]])
    zero = point(jnp.zeros_like(most))

    def lower(low: jax.Array, high: jax.Array) -> Any:
        """Whether c₁ + R η < 0 on a piece."""
        η = Interval(low, high)
        found = expanded(φ, zero, η, η, 2)
        slope, R = found.c[1], found.r[2]
        if slope is None:
            return jnp.zeros_like(low, bool)
        total = slope if R is None else slope + R * η
        return (total.hi < 0) & jnp.isfinite(total.lo)

    proven = jnp.cumprod(jax.vmap(lower)(starts, ends).astype(int))
    return jnp.where((proven[0] == 1) & (starts[1] > 0), ends[jnp.maximum(proven.sum() - 1, 0)], 0)
