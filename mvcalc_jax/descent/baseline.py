"""The baseline: optax's optimisers in the same loop, on the same hand-written Jacobian.

Whatever differs between two runs is then the rule alone. Plain SGD is steepest descent and must agree with it
to rounding; the others show what a memory of past steps is worth.
"""

from collections.abc import Callable
from typing import Any, Unpack

import jax
import optax
from jaxtyping import Array, Key

from mvcalc_jax.descent.loop import Options, descend
from mvcalc_jax.descent.problem import Rule
from mvcalc_jax.descent.result import Params, Result
from mvcalc_jax.require import AnyArray


def optax_rule(transformation: optax.GradientTransformation) -> Rule:
    """An optax transformation as a rule: told of the cost and its derivative, if only to ignore them.

    Raises:
        TypeError: where it is no optax transformation.

    >>> import optax
    >>> rule = mv.descent.optax_rule(optax.sgd(0.25))
    >>> print(mv.descent.descend(rule, lambda p: 2 * p, np.float32([3.0, -4.0]), steps=3).params)
    [ 0.375 -0.5  ]
    """
    if not isinstance(transformation, optax.GradientTransformation):
        what = getattr(transformation, "__name__", repr(transformation))
        raise TypeError(f"`optimizer` must be an optax transformation, such as optax.adam(0.01); got {what}")
    extended = optax.with_extra_args_support(transformation)
    init = jax.jit(extended.init)  # its zeros compile in one piece, not tensor by tensor
    return Rule(init, extended.update)


def optax_descent(
    jacobian: Callable[..., Any],
    params: Params,
    *,
    steps: int,
    optimizer: optax.GradientTransformation,
    noise: float | AnyArray = 0.0,
    key: Key[Array, "*m"] | None = None,
    **options: Unpack[Options],
) -> Result:
    """Descend by any optax transformation; the other arguments and the result are those of `steepest_descent`.

    A transformation with a line search, such as `optax.lbfgs()`, needs `cost`. It differentiates that cost, and is
    handed the hand-written Jacobian for it. A loop is compiled for each optimizer object, so keep one to use it again.

    Raises:
        ValueError, TypeError: for arguments that do not fit together, before any step.

    >>> import optax
    >>> start = np.float32([3.0, -4.0])
    >>> run = mv.optax_descent(lambda p: 2 * p, start, steps=100, optimizer=optax.sgd(0.1, momentum=0.5))
    >>> bool(abs(run.params).max() < 1e-5), run.message
    (True, 'took all 100 steps')
    """
    return descend(optax_rule(optimizer), jacobian, params, steps=steps, noise=noise, key=key, **options)
