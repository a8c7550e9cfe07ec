r"""Activations σ, each beside its derivative σ′.

| name     | σ(z)                    | σ′(z)             |
|----------|-------------------------|-------------------|
| logistic | 1/(1 + e⁻ᶻ)             | σ(1 − σ)          |
| tanh     | (eᶻ − e⁻ᶻ)/(eᶻ + e⁻ᶻ)   | (1 + σ)(1 − σ)    |
| relu     | max(z, 0)               | 1 if z > 0 else 0 |
| softplus | ln(1 + eᶻ)              | logistic(z)       |
| sin      | sin z                   | cos z             |
| identity | z                       | 1                 |

All act element by element: the full Jacobian ∂σ(z)/∂z is diagonal, and σ′ is that diagonal.
Every value is finite at z = ±1000 and beyond, because none forms eᶻ of a large positive number.
At relu's kink σ′(0) = 0, the choice that JAX makes too.
Where 1 − σ rounds to 0 (z > 17 in float32, 37 in float64) σ′ does too: true to within one rounding of σ.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mvcalc_jax import require
from mvcalc_jax.require import AnyArray


def logistic(z: Float[AnyArray, "..."]) -> Float[Array, "..."]:
    """σ(z) = 1/(1 + e⁻ᶻ), of z's shape; between 0 and 1.

    >>> mv.models.activations.logistic(jnp.array([-1000.0, 0.0, 1000.0]))
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    return jax.nn.sigmoid(z)


def d_logistic(z: Float[AnyArray, "..."]) -> Float[Array, "..."]:
    """σ′(z) = σ(1 − σ), of z's shape; at most ¼.

    >>> mv.models.activations.d_logistic(jnp.array([-1000.0, 0.0, 1000.0]))
    Array([0.  , 0.25, 0.  ], dtype=float32)
    """
    σ = logistic(z)
    return σ * (1 - σ)


def tanh(z: Float[AnyArray, "..."]) -> Float[Array, "..."]:
    """σ(z) = (eᶻ − e⁻ᶻ)/(eᶻ + e⁻ᶻ), of z's shape; between −1 and 1.

    >>> mv.models.activations.tanh(jnp.array([-1000.0, 0.0, 1000.0]))
    Array([-1.,  0.,  1.], dtype=float32)
    """
    return jnp.tanh(z)


def d_tanh(z: Float[AnyArray, "..."]) -> Float[Array, "..."]:
    """σ′(z) = (1 + σ)(1 − σ), of z's shape; at most 1.

    >>> mv.models.activations.d_tanh(jnp.array([-1000.0, 0.0, 1000.0]))
    Array([0., 1., 0.], dtype=float32)
    """
    σ = tanh(z)
    return (1 + σ) * (1 - σ)  # not 1 − σ²: the product keeps the digits where σ is near ±1


def relu(z: Float[AnyArray, "..."]) -> Float[Array, "..."]:
    """σ(z) = max(z, 0), of z's shape.

    >>> mv.models.activations.relu(jnp.array([-2.0, 0.0, 2.0]))
    Array([0., 0., 2.], dtype=float32)
    """
    return jax.nn.relu(z)


def d_relu(z: Float[AnyArray, "..."]) -> Float[Array, "..."]:
    """σ′(z) is 1 where z > 0, else 0; of z's shape.

    >>> mv.models.activations.d_relu(jnp.array([-2.0, 0.0, 2.0]))
    Array([0., 0., 1.], dtype=float32)
    """
    return jnp.where(z > 0, jnp.ones_like(z), jnp.zeros_like(z))


def softplus(z: Float[AnyArray, "..."]) -> Float[Array, "..."]:
    """σ(z) = ln(1 + eᶻ), of z's shape: relu with a rounded corner.

    >>> print(np.array(mv.models.activations.softplus(jnp.array([-1000.0, 0.0, 20.0]))).round(4))
    [ 0.      0.6931 20.    ]
    """
    return jax.nn.softplus(z)


def d_softplus(z: Float[AnyArray, "..."]) -> Float[Array, "..."]:
    """σ′(z) = logistic(z), of z's shape.

    >>> mv.models.activations.d_softplus(jnp.array([-1000.0, 0.0, 1000.0]))
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    return logistic(z)


def sin(z: Float[AnyArray, "..."]) -> Float[Array, "..."]:
    """σ(z) = sin z, of z's shape, z in radians.

    >>> print(np.array(mv.models.activations.sin(jnp.array([0.0, 0.5]))).round(4))
    [0.     0.4794]
    """
    return jnp.sin(z)


def d_sin(z: Float[AnyArray, "..."]) -> Float[Array, "..."]:
    """σ′(z) = cos z, of z's shape.

    >>> print(np.array(mv.models.activations.d_sin(jnp.array([0.0, 0.5]))).round(4))
    [1.     0.8776]
    """
    return jnp.cos(z)


def identity(z: Float[AnyArray, "..."]) -> Float[Array, "..."]:
    """σ(z) = z: for a last layer whose values are unbounded.

    >>> mv.models.activations.identity(jnp.array([-2.0, 2.0]))
    Array([-2.,  2.], dtype=float32)
    """
    return jnp.asarray(z)


def d_identity(z: Float[AnyArray, "..."]) -> Float[Array, "..."]:
    """σ′(z) = 1, of z's shape.

    >>> mv.models.activations.d_identity(jnp.array([-2.0, 2.0]))
    Array([1., 1.], dtype=float32)
    """
    return jnp.ones_like(z)


class Activation(NamedTuple):
    """A function and its derivative, both element by element.

    >>> square = mv.models.activations.Activation(lambda z: z**2, lambda z: 2 * z)  # one's own
    >>> params = mv.network.init(np.random.default_rng(0), (1, 3, 2))
    >>> mv.network.forward(params, np.ones((1, 5)), activation=square).shape
    (2, 5)
    """

    f: Callable[[AnyArray], Array]
    d_f: Callable[[AnyArray], Array]


ACTIVATIONS = {
    "logistic": Activation(logistic, d_logistic),
    "tanh": Activation(tanh, d_tanh),
    "relu": Activation(relu, d_relu),
    "softplus": Activation(softplus, d_softplus),
    "sin": Activation(sin, d_sin),
    "identity": Activation(identity, d_identity),
}

Choice = str | Activation | Sequence[str | Activation]
"""A name, an (f, d_f) pair of your own, or one of either for every layer."""


def per_layer(activation: Choice, depth: int) -> tuple[Activation, ...]:
    """The activation of each of `depth` layers.

    Raises:
        ValueError: for an unknown name, or a list whose length is not the number of layers.
        TypeError: for a function without its derivative.

    >>> A = mv.models.activations
    >>> A.per_layer(("tanh", "identity"), 2) == (A.ACTIVATIONS["tanh"], A.ACTIVATIONS["identity"])
    True
    >>> A.per_layer("tanhh", 2)
    Traceback (most recent call last):
        ...
    ValueError: unknown activation 'tanhh'; did you mean 'tanh'? known: logistic, tanh, relu, ...
    """
    single = isinstance(activation, (str, Activation)) or not isinstance(activation, Sequence)
    chosen = []
    for choice in (activation,) * depth if single else activation:
        if isinstance(choice, str):
            require.one_of("activation", choice, ACTIVATIONS)
            choice = ACTIVATIONS[choice]
        if not isinstance(choice, Activation):
            raise TypeError(
                "`activation` must be a name, or Activation(f, d_f), so that its derivative goes with it; got "
                f"{getattr(choice, '__name__', repr(choice))}"
            )
        chosen.append(choice)
    if len(chosen) != depth:
        raise ValueError(
            f"`activation` must be one name, or one for each of the {depth} layers; got {len(chosen)}"
        )
    return tuple(chosen)
