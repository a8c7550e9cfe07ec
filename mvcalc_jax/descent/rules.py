"""Every rule by name: steepest descent by hand, and optax's optimisers."""

from collections.abc import Callable
from typing import Any

import optax

from mvcalc_jax import require
from mvcalc_jax.descent.baseline import optax_rule
from mvcalc_jax.descent.problem import Rule
from mvcalc_jax.descent.steepest import steepest

RULES: dict[str, Callable[[Any], Rule]] = {
    "steepest": steepest,
    "sgd": lambda learning_rate: optax_rule(optax.sgd(learning_rate)),
    "momentum": lambda learning_rate: optax_rule(optax.sgd(learning_rate, momentum=0.9)),
    "adam": lambda learning_rate: optax_rule(optax.adam(learning_rate)),
    "lbfgs": lambda learning_rate: optax_rule(optax.lbfgs(learning_rate)),
}
"""From a learning rate. L-BFGS finds the length of its steps by a line search, and scales it by the rate."""


def rule(name: str, learning_rate: Any) -> Rule:
    """One of `RULES` by name, ready for `descend`.

    Raises:
        ValueError: for an unknown name, or a learning rate that is not positive.

    >>> sorted(mv.descent.RULES)
    ['adam', 'lbfgs', 'momentum', 'sgd', 'steepest']
    >>> mv.descent.rule("adam", -1.0)
    Traceback (most recent call last):
        ...
    ValueError: `learning_rate` must be positive; got -1.0
    """
    require.one_of("optimizer", name, RULES)
    if not callable(learning_rate):
        require.positive("learning_rate", learning_rate)
    return RULES[name](learning_rate)
