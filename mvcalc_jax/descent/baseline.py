"""The baseline: optax's optimisers in the same loop, on the same hand-written Jacobian.

Whatever differs between two runs is then the update rule alone. Plain SGD is steepest descent, and must
agree with it to rounding; the others show what a memory of past steps is worth.
"""

from collections.abc import Callable
from typing import Any, Unpack

import optax

from mvcalc_jax import require
from mvcalc_jax.descent.loop import Options, Rule, descend
from mvcalc_jax.descent.result import Params, Result

OPTIMIZERS: dict[str, Callable[[Any], optax.GradientTransformation]] = {
    "sgd": optax.sgd,
    "momentum": lambda learning_rate: optax.sgd(learning_rate, momentum=0.9),
    "adam": optax.adam,
    "lbfgs": lambda learning_rate: optax.lbfgs(learning_rate),
}
"""By name, from a learning rate; L-BFGS finds its own by a line search and scales it by the one given."""


def optimizer(name: str, learning_rate: Any) -> optax.GradientTransformation:
    """One of `OPTIMIZERS` by name.

    Raises:
        ValueError: for an unknown name, or a learning rate that is not positive.
    """
    require.one_of("optimizer", name, OPTIMIZERS)
    if not callable(learning_rate):
        require.positive("learning_rate", learning_rate)
    return OPTIMIZERS[name](learning_rate)


def optax_descent(
    jacobian: Callable[..., Any],
    params: Params,
    *,
    steps: int,
    optimizer: optax.GradientTransformation,
    **options: Unpack[Options],
) -> Result:
    """Descend by any optax transformation; arguments and result as for `steepest_descent`.

    A transformation with a line search, such as `optax.lbfgs()`, needs `cost`. It differentiates that cost,
    and is handed the hand-written Jacobian for it.
    """
    if isinstance(optimizer, optax.GradientTransformationExtraArgs) and options.get("cost") is None:
        raise ValueError("`cost` is needed by an optimizer with a line search; pass cost=network.cost, say")
    extended = optax.with_extra_args_support(optimizer)
    return descend(Rule(extended.init, extended.update), jacobian, params, steps=steps, **options)
