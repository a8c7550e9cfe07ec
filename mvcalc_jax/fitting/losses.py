r"""Robust losses ρ(z) of a squared, scaled residual z = (r/σc)², with cost ½ c² Σ ρ(z).

    linear     ρ = z                      least squares
    soft_l1    ρ = 2(√(1+z) − 1)          a smooth |r|
    huber      ρ = z, or 2√z − 1 for z > 1
    cauchy     ρ = ln(1 + z)              outliers hardly count at all

ρ(0) = 0 and ρ′(0) = 1 for each, so small residuals are treated as by least squares. The names are SciPy's.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp


class Loss(NamedTuple):
    """ρ and its derivatives."""

    value: Callable[[Any], Any]
    slope: Callable[[Any], Any]
    bend: Callable[[Any], Any]


def _outside(z: Any) -> Any:
    return jnp.where(z > 1, z, 1)  # where huber is not z, the root is of something that has one


LOSSES = {
    "linear": Loss(lambda z: z, jnp.ones_like, jnp.zeros_like),
    "soft_l1": Loss(
        lambda z: 2 * z / (jnp.sqrt(1 + z) + 1),  # no difference of two numbers near 1
        lambda z: 1 / jnp.sqrt(1 + z),
        lambda z: -0.5 / (1 + z) ** 1.5,
    ),
    "huber": Loss(
        lambda z: jnp.where(z > 1, 2 * jnp.sqrt(_outside(z)) - 1, z),
        lambda z: jnp.where(z > 1, 1 / jnp.sqrt(_outside(z)), 1.0),
        lambda z: jnp.where(z > 1, -0.5 * _outside(z) ** -1.5, 0.0),
    ),
    "cauchy": Loss(jnp.log1p, lambda z: 1 / (1 + z), lambda z: -1 / (1 + z) ** 2),
}
"""Every loss by name."""
