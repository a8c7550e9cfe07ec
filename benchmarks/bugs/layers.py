"""Dense layers: activations, gates, residual connections and tied weights."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.stats import norm

from benchmarks.bugs.case import Vjp
from benchmarks.bugs.table import case

Params = dict[str, Array]


class Dense(NamedTuple):
    """The weights (in, out) and biases (out) of a dense layer."""

    W: Any
    b: Any


def tanh_layer(wrong: str) -> Vjp:
    """y = tanh(x W + b)."""
    rng = np.random.default_rng(1)
    layer = {"W": rng.normal(size=(4, 4)) / 2, "b": rng.normal(size=4)}

    def f(layer: Params, x: Array) -> Array:
        return jnp.tanh(x @ layer["W"] + layer["b"])

    def fwd(layer: Params, x: Array) -> tuple[Array, Any]:
        y = f(layer, x)
        return y, (layer["W"], x, y)

    def bwd(residuals: Any, dy: Array) -> tuple[Params, Array]:
        W, x, y = residuals
        slope = 1 - jnp.tanh(y) ** 2 if wrong == "tanh' at the output" else 1 - y**2
        dz = dy if wrong == "no tanh'" else dy * slope
        dW = dz.T @ x if wrong == "dW transposed" else x.T @ dz
        db = dz[-1] if wrong == "db of the last example" else dz.sum(0)
        db = dz.mean(0) if wrong == "db averaged" else db
        dx = dz @ W if wrong == "dx by W, not its transpose" else dz @ W.T
        return {"W": dW, "b": db}, dx

    return Vjp(f, fwd, bwd, (layer, rng.normal(size=(5, 4))))


def gelu_layer(wrong: str) -> Vjp:
    """y = z Φ(z) with z = x W + b, Φ the normal distribution function."""
    rng = np.random.default_rng(2)
    layer = Dense(rng.normal(size=(3, 6)), rng.normal(size=6))

    def f(layer: Dense, x: Array) -> Array:
        return jax.nn.gelu(x @ layer.W + layer.b, approximate=False)

    def fwd(layer: Dense, x: Array) -> tuple[Array, Any]:
        z = x @ layer.W + layer.b
        return z * norm.cdf(z), (layer.W, x, z)

    def bwd(residuals: Any, dy: Array) -> tuple[Dense, Array]:
        W, x, z = residuals
        slope = norm.cdf(z) + z * norm.pdf(z)
        if wrong == "no z φ(z)":
            slope = norm.cdf(z)
        if wrong == "slope of the tanh approximation":
            t = jnp.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))
            slope = (1 + t) / 2 + z / 2 * (1 - t**2) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * z**2)
        if wrong == "slope of z sigmoid(1.702 z)":
            s = jax.nn.sigmoid(1.702 * z)
            slope = s + 1.702 * z * s * (1 - s)
        dz = dy * slope
        return Dense(x.T @ dz, dz.sum(0)), dz @ W.T

    return Vjp(f, fwd, bwd, (layer, rng.normal(size=(5, 3))))


def residual_block(wrong: str) -> Vjp:
    """y = x + leaky(x W + b) V + c, its slope 0.01 below zero."""
    rng = np.random.default_rng(3)
    layers = (
        Dense(rng.normal(size=(3, 5)), rng.normal(size=5)),
        Dense(rng.normal(size=(5, 3)), rng.normal(size=3)),
    )

    def f(layers: tuple[Dense, Dense], x: Array) -> Array:
        (W, b), (V, c) = layers
        return x + jax.nn.leaky_relu(x @ W + b, 0.01) @ V + c

    def fwd(layers: tuple[Dense, Dense], x: Array) -> tuple[Array, Any]:
        (W, b), (V, c) = layers
        z = x @ W + b
        h = jnp.where(z >= 0, z, 0.01 * z)
        return x + h @ V + c, (W, V, x, z, h)

    def bwd(residuals: Any, dy: Array) -> tuple[tuple[Dense, Dense], Array]:
        W, V, x, z, h = residuals
        leak = 0 if wrong == "no leak" else 0.01
        dz = dy @ V.T * jnp.where(z >= 0, 1, leak)
        dV = z.T @ dy if wrong == "dV from the pre-activation" else h.T @ dy
        skip = {"no skip": 0, "skip twice": 2}.get(wrong, 1)
        return (Dense(x.T @ dz, dz.sum(0)), Dense(dV, dy.sum(0))), skip * dy + dz @ W.T

    return Vjp(f, fwd, bwd, (layers, rng.normal(size=(4, 3))))


def relu6_layer(wrong: str) -> Vjp:
    """y = min(max(x W + b, 0), 6)."""
    rng = np.random.default_rng(4)
    layer = {"W": 3 * rng.normal(size=(3, 5)), "b": 2 + rng.normal(size=5)}

    def f(layer: Params, x: Array) -> Array:
        return jax.nn.relu6(x @ layer["W"] + layer["b"])

    def fwd(layer: Params, x: Array) -> tuple[Array, Any]:
        y = f(layer, x)
        return y, (layer["W"], x, y)

    def bwd(residuals: Any, dy: Array) -> tuple[Params, Array]:
        W, x, y = residuals
        above = y >= 0 if wrong == "mask y ≥ 0" else y > 0
        below = y <= 6 if wrong == "mask y ≤ 6" else y < 6
        dz = dy * above * below
        return {"W": x.T @ dz, "b": dz.sum(0)}, dz @ W.T

    return Vjp(f, fwd, bwd, (layer, rng.normal(size=(7, 3))))


def gated_unit(wrong: str) -> Vjp:
    """y = (silu(x G) · x U) D: a gated linear unit."""
    rng = np.random.default_rng(5)
    weights = {
        "down": rng.normal(size=(5, 4)),
        "gate": rng.normal(size=(3, 5)),
        "up": rng.normal(size=(3, 5)),
    }

    def f(weights: Params, x: Array) -> Array:
        return (jax.nn.silu(x @ weights["gate"]) * (x @ weights["up"])) @ weights["down"]

    def fwd(weights: Params, x: Array) -> tuple[Array, Any]:
        z, u = x @ weights["gate"], x @ weights["up"]
        s = jax.nn.sigmoid(z)
        return (z * s * u) @ weights["down"], (weights, x, z, s, u)

    def bwd(residuals: Any, dy: Array) -> tuple[Params, Array]:
        weights, x, z, s, u = residuals
        dh = dy @ weights["down"].T
        slope = s * (1 - s) if wrong == "sigmoid' for silu'" else s + z * s * (1 - s)
        dz, du = dh * u * slope, dh * z * s
        dx = dz @ weights["gate"].T + du @ weights["up"].T
        if wrong == "dx overwritten by the second path":
            dx = du @ weights["up"].T
        dG, dU = x.T @ dz, x.T @ du
        if wrong == "gate and up swapped":
            dG, dU = dU, dG
        dD = jnp.zeros_like(weights["down"]) if wrong == "down frozen" else (z * s * u).T @ dy
        return {"down": dD, "gate": dG, "up": dU}, dx

    return Vjp(f, fwd, bwd, (weights, rng.normal(size=(2, 3))))


def tied_autoencoder(wrong: str) -> Vjp:
    """y = tanh(x W + b) Wᵀ, the decoder reading the encoder's weights."""
    rng = np.random.default_rng(6)
    params = {"W": rng.normal(size=(3, 5)) / 2, "b": rng.normal(size=5)}

    def f(params: Params, x: Array) -> Array:
        return jnp.tanh(x @ params["W"] + params["b"]) @ params["W"].T

    def fwd(params: Params, x: Array) -> tuple[Array, Any]:
        h = jnp.tanh(x @ params["W"] + params["b"])
        return h @ params["W"].T, (params["W"], x, h)

    def bwd(residuals: Any, dy: Array) -> tuple[Params, Array]:
        W, x, h = residuals
        dz = dy @ W * (1 - h**2)
        encoder, decoder = x.T @ dz, dy.T @ h
        dW = {"encoder only": encoder, "decoder only": decoder}.get(wrong, encoder + decoder)
        return {"W": dW, "b": dz.sum(0)}, dz @ W.T

    return Vjp(f, fwd, bwd, (params, rng.normal(size=(4, 3))))


def twice_applied(wrong: str) -> Vjp:
    """y = tanh(tanh(x W) W): one matrix used by two layers."""
    rng = np.random.default_rng(7)

    def f(W: Array, x: Array) -> Array:
        return jnp.tanh(jnp.tanh(x @ W) @ W)

    def fwd(W: Array, x: Array) -> tuple[Array, Any]:
        h = jnp.tanh(x @ W)
        y = jnp.tanh(h @ W)
        return y, (W, x, h, y)

    def bwd(residuals: Any, dy: Array) -> tuple[Array, Array]:
        W, x, h, y = residuals
        dz2 = dy * (1 - y**2)
        dz1 = dz2 @ W.T * (1 - (y if wrong == "tanh' at the second output" else h) ** 2)
        first, second = x.T @ dz1, h.T @ dz2
        if wrong == "input for the hidden layer":
            second = x.T @ dz2
        return (second if wrong == "last use only" else first + second), dz1 @ W.T

    return Vjp(f, fwd, bwd, (rng.normal(size=(4, 4)) / 2, rng.normal(size=(6, 4))))


CASES = (
    case(
        "tanh layer",
        tanh_layer,
        {
            "no tanh'": ("activation factor", "missing-factor", "args[0]['W'], args[0]['b'], args[1]"),
            "tanh' at the output": (
                "stale residual",
                "wrong-intermediate, missing-factor",
                "args[0]['W'], args[0]['b'], args[1]",
            ),
            "dW transposed": ("transpose", "transpose, axis-permuted", "args[0]['W']"),
            "db of the last example": ("reduction axis", "missing-sum", "args[0]['b']"),
            "db averaged": ("reduction axis", "scale", "args[0]['b']"),
            "dx by W, not its transpose": ("transpose", "transpose", "args[1]"),
        },
    ),
    case(
        "GELU layer",
        gelu_layer,
        {
            "no z φ(z)": (
                "activation factor",
                "missing-term, missing-factor",
                "args[0].W, args[0].b, args[1]",
            ),
            "slope of the tanh approximation": (
                "activation factor",
                "missing-factor, wrong-intermediate",
                "args[0].W, args[0].b, args[1]",
            ),
            "slope of z sigmoid(1.702 z)": (
                "activation factor",
                "missing-factor, wrong-intermediate",
                "args[0].W, args[0].b, args[1]",
            ),
        },
    ),
    case(
        "residual block",
        residual_block,
        {
            "no leak": (
                "activation factor",
                "missing-factor, missing-support, missing-term",
                "args[0][0].W, args[0][0].b, args[1]",
            ),
            "dV from the pre-activation": ("stale residual", "wrong-intermediate", "args[0][1].W"),
            "no skip": ("residual path", "missing-term", "args[1]"),
            "skip twice": ("residual path", "missing-term", "args[1]"),
        },
    ),
    case(
        "ReLU6 layer",
        relu6_layer,
        {
            "mask y ≥ 0": (
                "ties",
                "missing-factor, extra-support, wrong-intermediate",
                "args[0]['W'], args[0]['b'], args[1]",
            ),
            "mask y ≤ 6": (
                "ties",
                "missing-factor, extra-support, wrong-intermediate",
                "args[0]['W'], args[0]['b'], args[1]",
            ),
        },
    ),
    case(
        "gated linear unit",
        gated_unit,
        {
            "sigmoid' for silu'": (
                "activation factor",
                "missing-factor, missing-term, wrong-intermediate",
                "args[0]['gate'], args[1]",
            ),
            "dx overwritten by the second path": ("accumulation", "missing-term", "args[1]"),
            "gate and up swapped": ("leaf swap", "swapped-leaves", "args[0]['gate'], args[0]['up']"),
            "down frozen": ("zero leaf", "zero", "args[0]['down']"),
        },
    ),
    case(
        "tied autoencoder",
        tied_autoencoder,
        {
            "encoder only": ("shared weight", "missing-term", "args[0]['W']"),
            "decoder only": ("shared weight", "missing-term", "args[0]['W']"),
        },
    ),
    case(
        "layer applied twice",
        twice_applied,
        {
            "last use only": ("shared weight", "missing-term", "args[0]"),
            "tanh' at the second output": ("stale residual", "wrong-intermediate", "args[0], args[1]"),
            "input for the hidden layer": ("stale residual", "wrong-intermediate", "args[0]"),
        },
    ),
)
