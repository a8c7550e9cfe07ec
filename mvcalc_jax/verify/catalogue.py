"""Every derivative in the package that was written by hand, with a function and a point to check it at.

The points are random, nowhere zero, and no two axes of one array have the same length: zeros, squares and
symmetry hide wrong derivatives.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import require
from mvcalc_jax.models import gaussian, network
from mvcalc_jax.models.activations import ACTIVATIONS, Activation


class Derivative(NamedTuple):
    """`jac` claims to be the Jacobian of `f` by its argument `argnums`; `args` is a point, in float64."""

    name: str
    f: Callable[..., Any]
    jac: Callable[..., Any]
    args: tuple[Any, ...]
    argnums: int = 0


def catalogue(seed: int = 0) -> list[Derivative]:
    """All of them, at points that depend on the seed.

    >>> derivatives = mv.verify.catalogue()
    >>> len(derivatives), derivatives[-1].name
    (15, 'gaussian.chi_squared_jacobian')
    >>> mv.check_jacobian(derivatives[-1].f, derivatives[-1].jac, *derivatives[-1].args).verdict
    'correct'
    """
    rng = np.random.default_rng(require.whole("seed", seed, least=0, most=None))
    return [
        *(_of_activation(name, activation, rng) for name, activation in ACTIVATIONS.items()),
        *(_of_network(name, rng) for name in ACTIVATIONS),
        _of_weighted_network(rng),
        *_of_gaussian(rng),
    ]


def _of_activation(name: str, activation: Activation, rng: np.random.Generator) -> Derivative:
    z = 3 * rng.standard_normal(11)
    return Derivative(f"activations.d_{name}", activation.f, lambda z: jnp.diag(activation.d_f(z)), (z,))


def _network_at(rng: np.random.Generator) -> tuple[Any, np.ndarray, np.ndarray]:
    sizes, samples = (3, 6, 5, 2), 13
    params = jax.tree.map(lambda leaf: np.asarray(leaf, float), network.init(rng, sizes))
    return params, rng.standard_normal((sizes[0], samples)), rng.random((sizes[-1], samples))


def _of_network(activation: str, rng: np.random.Generator) -> Derivative:
    cost, jacobian = (partial(f, activation=activation) for f in (network.cost, network.jacobian))
    return Derivative(f"network.jacobian, {activation}", cost, jacobian, _network_at(rng))


def _of_weighted_network(rng: np.random.Generator) -> Derivative:
    params, x, y = _network_at(rng)

    def cost(params: Any, x: Any, y: Any, weights: Any) -> Any:
        return network.cost(params, x, y, weights=weights)

    def jacobian(params: Any, x: Any, y: Any, weights: Any) -> Any:
        return network.jacobian(params, x, y, weights=weights)

    return Derivative(
        "network.jacobian, weighted", cost, jacobian, (params, x, y, rng.random(x.shape[1]) + 0.1)
    )


def _of_gaussian(rng: np.random.Generator) -> list[Derivative]:
    theta, x, y = np.array([1.3, 0.7]), 1.3 + 2 * rng.standard_normal(17), rng.random(17)
    return [
        Derivative("gaussian.jacobian", gaussian.density, gaussian.jacobian, (theta, x)),
        Derivative(
            "gaussian.chi_squared_jacobian",
            gaussian.chi_squared,
            gaussian.chi_squared_jacobian,
            (theta, x, y),
        ),
    ]
