"""safe_learning_rate: how far a step of steepest descent may go, so that it provably lowers the cost.

Along −∇C the cost is a function of the learning rate alone, of which the order-2 enclosure is a majorant:

    φ(η) = C(p − η ∇C(p)) ∈ c₀ + c₁ η + R η²,    c₁ = −|∇C|²    for 0 ≤ η ≤ most.

So φ(η) < φ(0) wherever c₁ + R̄ η < 0, with the largest number R̄ in R: for quadratics with curvature λ, up to
η = 2/λ. The interval is divided in pieces with an R of their own, since R is smaller near 0 than it is over all; what
is returned lies in the first piece that is not proven to its end, as far as its R̄ permits: −c₁/R̄.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from mvcalc_jax import precision, require
from mvcalc_jax.taylor.bands.enclosure import expanded
from mvcalc_jax.taylor.intervals.arithmetic import Interval, divided, greatest, least, point
from mvcalc_jax.taylor.intervals.compiled import COMPILING, compiled_apart

PIECES, LOOKS = 8, 5
"""Doubling rates, each the end of a piece; and how often it is looked nearer to 0, at rates 128 times smaller."""


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
        TypeError, ValueError: where an argument is none of these; or the cost has an operation that no rule is
            known for.

    >>> cost, p = (lambda p: jnp.sum(p**2)), jnp.array([3.0, 4.0])
    >>> rate = mv.safe_learning_rate(cost, p, 2 * p, most=10.0)
    >>> round(float(rate), 3)  # p − η 2p is as low again at η = 1
    1.0
    """
    leaves = jax.tree.leaves((params, jacobian))
    cost = require.function("cost", cost)
    require.positive("most", most)
    of, like = jax.tree.structure(params), jax.tree.structure(jacobian)
    shapes = [[np.shape(leaf) for leaf in jax.tree.leaves(tree)] for tree in (params, jacobian)]
    if of != like or shapes[0] != shapes[1]:
        raise ValueError(
            f"`jacobian` must have the structure and shapes of `params`, {of} {shapes[0]}; got {like} {shapes[1]}"
        )
    with precision.of(*leaves), compiled_apart(require.traced((leaves, most))):
        dtype = jnp.result_type(*leaves)
        along = lambda η: cost(jax.tree.map(lambda p, J: p - η.astype(p.dtype) * J, params, jacobian))
        require.scalar("cost", along, jax.ShapeDtypeStruct((), dtype))
        return _last_proven(along, jnp.asarray(most, dtype))


def _last_proven(φ: Callable[[Any], Any], most: jax.Array) -> jax.Array:
    """Looks nearer to 0 as long as what is proven lies in the first piece, whose R̄ is that of all of it."""

    def look(carry: Any) -> Any:
        looks, upto, found = carry
        return looks + 1, upto * 2.0 ** (1 - PIECES), greatest(_proven_below(φ, upto), found)

    vague = lambda carry: (carry[0] < LOOKS) & (carry[2] < carry[1])
    carry = 0, most, jnp.zeros_like(most)
    if COMPILING.get():
        return lax.while_loop(vague, look, carry)[2]
    while vague(carry):
        carry = look(carry)
    return carry[2]


def _proven_below(φ: Callable[[Any], Any], most: jax.Array) -> jax.Array:
    ends = most * jnp.asarray(2.0 ** np.arange(1 - PIECES, 1), most.dtype)
    starts = jnp.concatenate([jnp.zeros_like(ends[:1]), ends[:-1]])
    zero = point(jnp.zeros_like(most))

    def reach(low: jax.Array, high: jax.Array) -> jax.Array:
        """Up to which rate of a piece c₁ + R̄ η < 0; its beginning, if nowhere."""
        η = Interval(low, high)
        found = expanded(φ, zero, η, η, 2)
        slope, R = found.c[1], found.r[2]
        if slope is None:
            return low
        down = jnp.isfinite(slope.lo) & (slope.hi < 0)
        if R is None:
            return jnp.where(down, high, low)
        rising = greatest(R.hi, float(jnp.finfo(R.hi.dtype).tiny))  # a little more than R̄ is a bound, too
        end = divided(point(-slope.hi), point(rising)).lo
        proven = down & jnp.isfinite(R.lo) & jnp.isfinite(R.hi) & (end > low)
        return jnp.where(proven, least(end, high), low)

    reached = jax.vmap(reach)(starts, ends)
    return reached[jnp.argmin(jnp.append(reached[:-1] == ends[:-1], False))]
