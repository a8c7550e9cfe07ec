"""A learning rate that is proven at every step: no step of steepest descent goes up.

    η_k = safe_learning_rate(C, p, J, most_k)        C(p − ηJ) < C(p) for all 0 < η ≤ η_k
    p ← p − share · η_k J
    most_{k+1} = min(4 η_k, most)

The proof is for the cost in exact arithmetic, on the batch that the step sees, where there are batches, and along the
Jacobian that it was given, where that is noisy. It rests on a parabola above the cost, c₀ + c₁ η + R̄ η²: below c₀ up to
η_k, and lowest at half of that; hence a share of ½. With all of η_k a step may end as high as it began.

Where no rate is proven it is 0 and the parameters stay: at a minimum, which cannot be told from its neighbours for
rounding errors, and where the Jacobian does not point uphill. A step takes about a hundred times as long as one at a
fixed rate, and its program some seconds to compile.

Reference: M. Streeter, J. V. Dillon, Universal Majorization-Minimization Algorithms (2023), whose SafeRate it is, with
rounding errors accounted for.
"""

from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import require
from mvcalc_jax.descent.problem import Rule

AHEAD = 4.0
"""So many times the last rate the search for the next one begins."""


class Proven(NamedTuple):
    """In place of a learning rate: one that is found and proven at every step. See `proven`."""

    most: float
    share: float


class ProvenState(NamedTuple):
    """The rate that was proven for the last step, 0 where none was; and up to where the next step looks."""

    rate: Any
    ahead: Any


def proven(most: float = 1e6, *, share: float = 0.5) -> Proven:
    """A learning rate that is found anew at every step, so that the cost provably never rises.

    For `steepest_descent(…, learning_rate=mv.descent.proven(), cost=cost)`, with the cost that the Jacobian belongs to,
    written in JAX. It is found in the precision of the parameters. Prefer float64: in float32 rounding errors sooner
    exceed what there is to gain, and then there is no step.

    Args:
        most: no larger rate is looked for.
        share: of the largest rate that is proven, at most 1, how much is taken.

    Raises:
        ValueError, TypeError: where they are not positive numbers, or the share is more than 1.

    >>> cost, jacobian = lambda p: p @ p, lambda p: 2 * p
    >>> rate = mv.descent.proven()
    >>> run = mv.steepest_descent(jacobian, np.float32([3.0, -4.0]), cost=cost, steps=3, learning_rate=rate)
    >>> bool((np.diff(run.trace.cost) <= 0).all())
    True
    """
    require.positive("most", most)
    require.positive("share", share)
    if share > 1:
        raise ValueError(f"`share` must be at most 1, for beyond that nothing is proven; got {share}")
    return Proven(float(most), float(share))


@cache  # one rule for one rate: a program is compiled anew for every other
def proven_rule(rate: Proven) -> Rule:
    """The rule of `proven`; its update needs `value_fn`, the cost, as line searches of optax do."""

    def init(params: Any) -> ProvenState:
        dtype = jnp.result_type(*jax.tree.leaves(params))
        return ProvenState(jax.device_put(np.zeros((), dtype)), jax.device_put(np.asarray(rate.most, dtype)))

    return Rule(init, partial(_update, rate))


def _update(
    of: Proven,
    jacobian: Any,
    state: ProvenState,
    params: Any = None,
    *,
    value_fn: Any,
    **for_line_search: Any,
) -> tuple[Any, ProvenState]:
    from mvcalc_jax.taylor import safe_learning_rate  # here: most descents need nothing of all that

    η = safe_learning_rate(value_fn, params, jacobian, state.ahead)
    ahead = jnp.where(η > 0, jnp.minimum(AHEAD * η, jnp.asarray(of.most, η.dtype)), state.ahead)
    step = jnp.asarray(of.share, η.dtype) * η
    return jax.tree.map(lambda J: -step.astype(J.dtype) * J, jacobian), ProvenState(η, ahead)
