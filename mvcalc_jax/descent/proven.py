"""A learning rate that is proven at every step: no step of steepest descent goes up.

    p ← p − η_k J,    η_k = safe_learning_rate(C, p, J, most_k),    most_{k+1} = min(4 η_k, most)

Proven is that C(p − ηJ) < C(p) for all η up to η_k, for the cost in exact arithmetic: on the batch that the step sees, where
there are batches, and along the Jacobian that it was given, where that is noisy. Where no rate is proven the rate is 0 and
the parameters stay: at a minimum, which its neighbours cannot be told from for rounding errors, and where the Jacobian does
not point uphill.

A step costs about as much as a hundred others, and its program takes some seconds to compile.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import require
from mvcalc_jax.descent.problem import Rule
from mvcalc_jax.taylor import safe_learning_rate

AHEAD = 4.0
"""How many times the last rate is looked at; the course's networks want a longer step now and then."""


class Proven(NamedTuple):
    """In place of a learning rate: at every step the largest one that is proven to go down. See `proven`."""

    most: float


class ProvenState(NamedTuple):
    """The rate of the step that was taken, 0 where none was proven; and up to where the next step looks."""

    rate: Any
    ahead: Any


def proven(most: float = 1e6) -> Proven:
    """A learning rate that is found anew at every step, so that the cost provably never rises.

    For `steepest_descent(…, learning_rate=mv.descent.proven(), cost=cost)`, with the cost that the Jacobian belongs to,
    written in JAX. Prefer float64: in float32 rounding errors are soon larger than what there is to gain, and then there
    is no step.

    Args:
        most: no larger rate is looked for.

    Raises:
        ValueError, TypeError: where it is not a positive number.
    """
    require.positive("most", most)
    return Proven(float(most))


def proven_rule(most: float) -> Rule:
    """The rule of `proven`; its update needs `value_fn`, the cost, as line searches of optax do."""

    def init(params: Any) -> ProvenState:
        dtype = jnp.result_type(*jax.tree.leaves(params))
        return ProvenState(jax.device_put(np.zeros((), dtype)), jax.device_put(np.asarray(most, dtype)))

    return Rule(init, partial(_update, most))


def _update(
    most: float,
    jacobian: Any,
    state: ProvenState,
    params: Any = None,
    *,
    value_fn: Any,
    **for_line_search: Any,
) -> tuple[Any, ProvenState]:
    η = safe_learning_rate(value_fn, params, jacobian, state.ahead)
    ahead = jnp.where(η > 0, jnp.minimum(AHEAD * η, jnp.asarray(most, η.dtype)), state.ahead)
    return jax.tree.map(lambda J: -η.astype(J.dtype) * J, jacobian), ProvenState(η, ahead)
