"""The backward pass of a network by hand, step by step, and ten classic mistakes in it. `find_the_bug` plants them.

    forward               backward                                steps
    zˡ = Wˡ aˡ⁻¹ + bˡ     dW = dz aᵀ,  db = Σₖ dzₖ,  da = Wᵀ dz   by_weights, by_biases, through_weights
    aˡ = σ(zˡ)            dz = da ⊙ σ′(z)                         through_sigmoid
    C = ‖aᴸ − y‖²/N       da = 2(aᴸ − y)/N                        through_cost

Each step is a line of `network.jacobian`; above it stands what one may write by mistake. `by_params` puts the steps
together; `links` shows them one by one, each as the Jacobian that it multiplies by. A mistake that is made in one
layer is in the last hidden one. Features are rows and samples are columns, as in `models.network`.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mvcalc_jax.models import network
from mvcalc_jax.models.activations import d_logistic, logistic
from mvcalc_jax.models.chain import superscript
from mvcalc_jax.models.network import Layer, Params
from mvcalc_jax.require import AnyArray
from mvcalc_jax.verify import Link


def by_params(
    params: Params, x: Float[AnyArray, "i n"], y: Float[AnyArray, "o n"], wrong: str = ""
) -> tuple[Layer, ...]:
    """∂C/∂W and ∂C/∂b of every layer."""
    return backward(params, x, y, wrong)[0]


def by_input(
    params: Params, x: Float[AnyArray, "i n"], y: Float[AnyArray, "o n"], wrong: str = ""
) -> Float[AnyArray, "i n"]:
    """∂C/∂x: what is left when one has come all the way back."""
    return backward(params, x, y, wrong)[1]


def backward(
    params: Params, x: Float[AnyArray, "i n"], y: Float[AnyArray, "o n"], wrong: str = ""
) -> tuple[tuple[Layer, ...], Float[AnyArray, "i n"]]:
    """From the cost back to the input, with the mistake called `wrong`, if any."""
    z, a = network.trace(params, x)
    da = through_cost(a[-1], y, wrong)
    layers: list[Layer] = []
    for l, mistake in reversed(places(params, wrong)):
        W, _ = params[l]
        dz = through_sigmoid(da, z[l], mistake)
        layers.insert(0, Layer(by_weights(dz, a[l], mistake), by_biases(dz, mistake)))
        if mistake == "σ′ and Wᵀ in the wrong order":
            da = through_sigmoid(through_weights(da, W), z[l])
        else:
            da = through_weights(dz, W, mistake)
    if wrong == "db of two layers swapped":
        (dW1, db1), (dW2, db2), *rest = layers
        layers = [Layer(dW1, db2), Layer(dW2, db1), *rest]
    return tuple(layers), da


def through_cost(
    a: Float[AnyArray, "o n"], y: Float[AnyArray, "o n"], wrong: str = ""
) -> Float[AnyArray, "o n"]:
    """∂C/∂a of C = ‖a − y‖²/N."""
    N = y.shape[1]
    if wrong == "the wrong sign":
        return 2 * (y - a) / N
    if wrong == "no factor 2":
        return (a - y) / N
    if wrong == "no 1/N":
        return 2 * (a - y)
    return 2 * (a - y) / N


def through_sigmoid(
    da: Float[AnyArray, "o n"], z: Float[AnyArray, "o n"], wrong: str = ""
) -> Float[AnyArray, "o n"]:
    """∂C/∂z of a = σ(z)."""
    if wrong == "no σ′ in a hidden layer":
        return da
    if wrong == "σ′ at a instead of z":
        return da * d_logistic(logistic(z))
    return da * d_logistic(z)


def through_weights(
    dz: Float[AnyArray, "o n"], W: Float[AnyArray, "o i"], wrong: str = ""
) -> Float[AnyArray, "i n"]:
    """∂C/∂a of z = Wa + b."""
    if wrong == "W instead of Wᵀ":
        return W @ dz
    return W.T @ dz


def by_weights(
    dz: Float[AnyArray, "o n"], a: Float[AnyArray, "i n"], wrong: str = ""
) -> Float[AnyArray, "o i"]:
    """∂C/∂W of z = Wa + b: the product sums over samples."""
    if wrong == "last row of dW left out":
        return jnp.matmul(dz, a.T).at[-1].set(0)
    return dz @ a.T


def by_biases(dz: Float[AnyArray, "o n"], wrong: str = "") -> Float[AnyArray, "o 1"]:
    """∂C/∂b of z = Wa + b: b is added to every sample."""
    if wrong == "db of the last sample only":
        return dz[:, -1:]
    return dz.sum(axis=1, keepdims=True)


def links(params: Params, y: Float[AnyArray, "o n"], wrong: str = "") -> list[Link]:
    """The chain from x to C, each link with the Jacobian that its step of the backward pass multiplies by."""
    chain = []
    for l, mistake in places(params, wrong):
        chain += [affine(l, *params[l], mistake), sigmoid(l, mistake)]
    cost = lambda a: jnp.sum((a - y) ** 2) / y.shape[1]
    return [*chain, Link("C", cost, lambda a: through_cost(a, y, wrong))]


def affine(l: int, W: Float[AnyArray, "o i"], b: Float[AnyArray, "o 1"], wrong: str) -> Link:
    """z = Wa + b."""

    def jac(a: Float[Array, "i n"]) -> Float[Array, "o n i n"]:
        return in_full(lambda dz: through_weights(dz, W, wrong), len(W), a.shape[1])

    return Link(superscript(f"z{l + 1}"), lambda a: W @ a + b, jac)


def sigmoid(l: int, wrong: str) -> Link:
    """a = σ(z)."""

    def jac(z: Float[Array, "o n"]) -> Float[Array, "o n o n"]:
        return in_full(lambda da: through_sigmoid(da, z, wrong), *z.shape)

    return Link(superscript(f"a{l + 1}"), logistic, jac)


def in_full(step: Callable[[Array], AnyArray], o: int, n: int) -> Float[Array, "o n i n"]:
    """The Jacobian by which a step multiplies from the left: its rows are what becomes of the units."""
    units = jnp.eye(o * n).reshape(o * n, o, n)
    rows = jnp.asarray(jax.vmap(step)(units))
    return rows.reshape(o, n, *rows.shape[1:])


def places(params: Params, wrong: str) -> list[tuple[int, str]]:
    """The layers, each with the mistake that is made in it."""
    return [(l, wrong if l == len(params) - 2 else "") for l in range(len(params))]
