"""The baseline: optax's optimisers in the same loop, on the same hand-written Jacobian.

Whatever differs between two runs is then the rule alone. Plain SGD is steepest descent and must agree with it
to rounding; the others show what a memory of past steps is worth.
"""

from collections.abc import Callable, Sequence
from typing import Any, Unpack

import jax
import optax

from mvcalc_jax import require
from mvcalc_jax.descent.loop import Options, Rule, descend
from mvcalc_jax.descent.result import Params, Result, Watcher
from mvcalc_jax.descent.steepest import steepest

RULES: dict[str, Callable[[Any], Rule | optax.GradientTransformation]] = {
    "steepest": steepest,
    "sgd": optax.sgd,
    "momentum": lambda learning_rate: optax.sgd(learning_rate, momentum=0.9),
    "adam": optax.adam,
    "lbfgs": optax.lbfgs,
}
"""By name, from a learning rate. L-BFGS finds the length of its steps by a line search, and scales it by the rate."""


def rule(name: str, learning_rate: Any) -> Rule:
    """One of `RULES` by name, ready for `descend`.

    Raises:
        ValueError: for an unknown name, or a learning rate that is not positive.
    """
    require.one_of("optimizer", name, RULES)
    if not callable(learning_rate):
        require.positive("learning_rate", learning_rate)
    made = RULES[name](learning_rate)
    return made if isinstance(made, Rule) else optax_rule(made)


def optax_rule(transformation: optax.GradientTransformation) -> Rule:
    """An optax transformation as a rule: told of the cost and its derivative, if only to ignore them."""
    extended = optax.with_extra_args_support(transformation)
    return Rule(
        jax.jit(extended.init), extended.update
    )  # its zeros compile in one piece, not tensor by tensor


def optax_descent(
    jacobian: Callable[..., Any],
    params: Params,
    *,
    steps: int,
    optimizer: optax.GradientTransformation,
    progress: bool = False,
    watch: Sequence[Watcher] = (),
    **options: Unpack[Options],
) -> Result:
    """Descend by any optax transformation; arguments and result as for `steepest_descent`.

    A transformation with a line search, such as `optax.lbfgs()`, needs `cost`. It differentiates that cost,
    and is handed the hand-written Jacobian for it.

    Raises:
        ValueError, TypeError: for arguments that do not fit together, before any step.
    """
    if isinstance(optimizer, optax.GradientTransformationExtraArgs) and options.get("cost") is None:
        raise ValueError(
            "`cost` is needed by an optimizer with a line search; pass cost=…, what `jacobian` belongs to"
        )
    return descend(
        optax_rule(optimizer), jacobian, params, steps=steps, progress=progress, watch=watch, **options
    )
