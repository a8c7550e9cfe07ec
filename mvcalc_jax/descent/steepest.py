r"""Steepest descent: a step against the Jacobian, as long as the Jacobian times the learning rate.

    p ← p − η_k · ∂C/∂p

η is the learning rate (the course says aggression), constant, a function of the step k, or `proven`. With noise ν,
the course's stochastic descent: each tensor's Jacobian is first multiplied by a number of its own,
1 + ν·N(0,1), drawn anew at every step.

On a quadratic with largest curvature λ, steps shrink the error only while η < 2/λ, the `stability_limit`:
above it they overshoot by more than they gain. Reference: Nocedal and Wright, Numerical Optimization (2006), §3.3.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Unpack

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from mvcalc_jax import precision, require
from mvcalc_jax.descent.loop import Options, descend
from mvcalc_jax.descent.problem import Rule
from mvcalc_jax.descent.proven import Proven, proven_rule
from mvcalc_jax.descent.result import Params, Result
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


def steepest(learning_rate: float | AnyArray | Schedule | Proven) -> Rule:
    """The rule p ← p − ηJ, for a constant η, a schedule (any of optax's, say), or one `proven` at every step.

    >>> rule = mv.descent.steepest(lambda step: 0.5 / (step + 1))  # a schedule
    >>> print(mv.descent.descend(rule, lambda p: p, np.float32([4.0]), steps=2).params)  # 4 · ½ · ¾
    [1.5]
    """
    if isinstance(learning_rate, Proven):
        return proven_rule(learning_rate)
    schedule = learning_rate if callable(learning_rate) else None
    if schedule is None:
        require.positive("learning_rate", learning_rate)
    else:
        step = jax.ShapeDtypeStruct((), jax.dtypes.canonicalize_dtype(int))
        rate = require.traceable("learning_rate", schedule, step)
        if getattr(rate, "shape", None) != () or not jnp.issubdtype(rate.dtype, jnp.number):
            raise TypeError(f"`learning_rate(step)` must be a single number; got {rate}")

    def init(params: Any) -> SteepestState:
        if schedule is not None:
            return SteepestState(None, jax.device_put(np.zeros((), int)))
        dtype = jnp.result_type(*jax.tree.leaves(params))
        if isinstance(learning_rate, jax.Array):  # perhaps a tracer, which NumPy must not touch
            return SteepestState(learning_rate.astype(dtype), None)
        with np.errstate(over="ignore"):
            η = np.asarray(learning_rate, dtype)
        require.positive(f"learning_rate, in {dtype},", η)
        return SteepestState(jax.device_put(η), None)

    def resume(fresh: SteepestState, saved: SteepestState) -> SteepestState:
        return SteepestState(fresh.learning_rate, saved.step)  # a constant rate is a setting, not a memory

    return Rule(init, _Update(schedule), resume)


def stability_limit(hessian: Float[AnyArray, "p p"]) -> float:
    """2/λ, λ being the largest curvature: at a minimum, the rate from which steepest descent no longer arrives.

    Raises:
        ValueError: where it is not square, or no curvature is positive, which is nowhere near a minimum.

    >>> mv.descent.stability_limit(np.diag([1.0, 10.0]))
    0.2
    """
    matrix = np.asarray(precision.floats("hessian", hessian), float)
    require.shape("hessian", matrix, (matrix.shape[:1] or (None,)) * 2, "(parameters, parameters)")
    require.finite("hessian", matrix)
    largest = float(np.linalg.eigvalsh(matrix)[-1])
    if not largest > 0:
        raise ValueError(f"`hessian` must have a positive curvature; its largest eigenvalue is {largest:g}")
    return 2 / largest


def steepest_descent(
    jacobian: Callable[..., Any],
    params: Params,
    *,
    steps: int,
    learning_rate: float | AnyArray | Schedule | Proven,
    noise: float | AnyArray = 0.0,
    key: Key[Array, "*m"] | None = None,
    **options: Unpack[Options],
) -> Result:
    """Walk downhill from `params` for `steps` steps.

    Args:
        jacobian: `jacobian(params)`, with the structure, shapes and dtypes of `params`; with `data`,
            `jacobian(params, *data)`.
        params: any tree of floating-point arrays.
        steps: how many steps, at least 1.
        learning_rate: η, in units of params²/cost, a function of the step's number, or `proven()`: the largest that is
            proven to go down, at every step; it needs `cost`.
        noise: ν, the standard deviation of the factor on each tensor of the Jacobian.
        key: from `jax.random.key`; needed where there is noise or a batch size.
        **options: `cost`, `data`, `record_every`, `progress` and the rest of `Options`.

    Returns:
        A `Result`: `.params`, `.cost`, `.trace` (`.step`, `.params`, `.cost`), `.status`, `.message`. A rate that
        is too large is not an error but a status, and the last finite parameters are kept.

    Raises:
        ValueError, TypeError: for arguments that do not fit together, before any step.

    >>> cost, jacobian = lambda p: p @ p, lambda p: 2 * p
    >>> run = mv.steepest_descent(jacobian, np.float32([3.0, -4.0]), cost=cost, steps=3, learning_rate=0.25)
    >>> print(run.params, run.cost, run.message)
    [ 0.375 -0.5  ] 0.390625 took all 3 steps
    >>> mv.steepest_descent(jacobian, np.float32([1.0]), steps=999, learning_rate=2.0).message
    'stopped after step 80: the next one makes the cost or a parameter infinite or NaN; ...'
    """
    return descend(steepest(learning_rate), jacobian, params, steps=steps, noise=noise, key=key, **options)
