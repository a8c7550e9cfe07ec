r"""Steepest descent: a step against the Jacobian, as long as the Jacobian times the learning rate.

    p ← p − η_k · ∂C/∂p

η is the learning rate (the course says aggression), constant or a function of the step k. With noise ν,
the course's stochastic descent: each tensor's Jacobian is first multiplied by a number of its own,
1 + ν·N(0,1), drawn anew at every step.

On a quadratic with largest curvature λ, steps shrink the error only while η < 2/λ: above it they overshoot
by more than they gain. Reference: Nocedal and Wright, Numerical Optimization (2006), §3.3.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Unpack

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mvcalc_jax import require
from mvcalc_jax.descent.loop import Options, Rule, descend
from mvcalc_jax.descent.result import Params, Result, Watcher
from mvcalc_jax.require import AnyArray

Schedule = Callable[[Array], Any]


class SteepestState(NamedTuple):
    """A constant rate, or the number of the step for a schedule; the other is None."""

    learning_rate: Any
    step: Any


class _Update(NamedTuple):
    """p ← p − ηJ. All constant rates share one compiled loop: η is part of the state, not of the program."""

    schedule: Schedule | None

    def __call__(
        self, jacobian: Any, state: SteepestState, params: Any = None, **for_line_search: Any
    ) -> tuple[Any, SteepestState]:
        if self.schedule is None:
            η = state.learning_rate
        else:
            η, state = self.schedule(state.step), SteepestState(None, state.step + 1)
        return jax.tree.map(lambda J: -jnp.asarray(η, J.dtype) * J, jacobian), state


def steepest(learning_rate: float | AnyArray | Schedule) -> Rule:
    """The rule p ← p − ηJ, for a constant η or a schedule (any of optax's, say)."""
    schedule = learning_rate if callable(learning_rate) else None
    if schedule is None:
        require.positive("learning_rate", learning_rate)

    def init(params: Any) -> SteepestState:
        if schedule is not None:
            return SteepestState(None, jax.device_put(np.zeros((), int)))
        dtype = jnp.result_type(*jax.tree.leaves(params))
        if isinstance(learning_rate, jax.Array):
            return SteepestState(learning_rate.astype(dtype), None)
        return SteepestState(jax.device_put(np.asarray(learning_rate, dtype)), None)

    return Rule(init, _Update(schedule))


def steepest_descent(
    jacobian: Callable[..., Any],
    params: Params,
    *,
    steps: int,
    learning_rate: float | AnyArray | Schedule,
    progress: bool = False,
    watch: Sequence[Watcher] = (),
    **options: Unpack[Options],
) -> Result:
    """Walk downhill from `params` for `steps` steps.

    Args:
        jacobian: `jacobian(params)`, with the structure, shapes and dtypes of `params`; with `data`,
            `jacobian(params, *data)`.
        params: any tree of floating-point arrays.
        steps: how many steps, at least 1.
        learning_rate: η, in units of params²/cost, or a function of the step's number.
        progress: show a progress bar on stderr.
        watch: what else to do with the stream of chunks: checkpoints, a live picture, one's own.
        **options: `noise`, `key`, `cost`, `record_every` and the rest of `Options`.

    Returns:
        A `Result`: `.params`, `.trace` (`.cost`, `.params`, `.step`), `.status`, `.message`. A rate that is
        too large is not an error but a status, and the last finite parameters are kept.

    Raises:
        ValueError, TypeError: for arguments that do not fit together, before any step.
    """
    return descend(
        steepest(learning_rate), jacobian, params, steps=steps, progress=progress, watch=watch, **options
    )
