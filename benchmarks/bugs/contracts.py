"""Broken promises of a pair fwd, bwd: NaN, wrong shapes, missing leaves, chance, another primal."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from benchmarks.bugs.case import Jacobian, Vjp
from benchmarks.bugs.table import case

Params = dict[str, Array]
_chance = np.random.default_rng()


def dropout(wrong: str) -> Vjp:
    """y = x keep/0.7 · scale with a given mask."""
    rng = np.random.default_rng(121)

    def f(x: Array, scale: Array, keep: Array) -> Array:
        return jnp.where(keep, x / 0.7, 0) * scale

    def fwd(x: Array, scale: Array, keep: Array) -> tuple[Array, Any]:
        y = f(x, scale, keep)
        return 0.7 * y if wrong == "not rescaled in fwd" else y, (x, scale, keep)

    def bwd(residuals: Any, dy: Array) -> tuple[Array, Array, None]:
        x, scale, keep = residuals
        dscale = (dy * jnp.where(keep, x / 0.7, 0)).sum(0)
        if wrong == "mask drawn anew":
            keep = _chance.random(keep.shape) < 0.7
        dx = dy * scale if wrong == "mask forgotten" else jnp.where(keep, dy * scale, 0)
        return dx / (1 if wrong == "not rescaled" else 0.7), dscale, None

    args = (rng.normal(size=(5, 3)), rng.normal(size=3), rng.random(size=(5, 3)) < 0.7)
    return Vjp(f, fwd, bwd, args)


def affine(wrong: str) -> Vjp:
    """y = x W + b, its gradients of the promised shapes."""
    rng = np.random.default_rng(122)
    params = {"W": rng.normal(size=(3, 4)), "b": rng.normal(size=4)}

    def f(params: Params, x: Array) -> Array:
        return x @ params["W"] + params["b"]

    def fwd(params: Params, x: Array) -> tuple[Array, Any]:
        y = x @ params["W"]
        return y if wrong == "bias forgotten in fwd" else y + params["b"], (params["W"], x)

    def bwd(residuals: Any, dy: Array) -> tuple[Params, Array]:
        W, x = residuals
        grads = {"W": x.T @ dy, "b": dy if wrong == "db not summed" else dy.sum(0)}
        if wrong == "dW in the layout (out, in)":
            grads["W"] = dy.T @ x
        if wrong == "db left out":
            del grads["b"]
        if wrong == "db of shape (1, out)":
            grads["b"] = dy.sum(0, keepdims=True)
        return grads, dy @ W.T

    return Vjp(f, fwd, bwd, (params, rng.normal(size=(5, 3))))


def guarded_power(wrong: str) -> Vjp:
    """y = w x^(5/2) where x is positive, else 0."""
    rng = np.random.default_rng(123)

    def f(w: Array, x: Array) -> Array:
        positive = x > 0
        return w * jnp.where(positive, jnp.where(positive, x, 1) ** 2.5, 0)

    def fwd(w: Array, x: Array) -> tuple[Array, Any]:
        return f(w, x), (w, x)

    def bwd(residuals: Any, dy: Array) -> tuple[Array, Array]:
        w, x = residuals
        positive = x > 0
        safe = jnp.where(positive, x, 1)
        if wrong == "guard after the root":
            dx = dy * w * 2.5 * x**1.5 * jnp.heaviside(x, 0.0)
        else:
            dx = dy * w * 2.5 * jnp.where(positive, safe**1.5, 0)
        dw = dy * (safe**2.5 if wrong == "no guard in dw" else jnp.where(positive, safe**2.5, 0))
        return dw.sum(0), dx

    return Vjp(f, fwd, bwd, (rng.normal(size=4), rng.normal(size=(3, 4)) - 0.3))


def sinc(wrong: str) -> Jacobian:
    """sin(x)/x with a place at zero, where the slope is 0."""

    def f(x: Array) -> Array:
        return jnp.sinc(x / np.pi)

    def jac(x: Array) -> Array:
        if wrong == "zero over zero":
            return jnp.diag((jnp.cos(x) - jnp.sin(x) / x) / x)
        safe = jnp.where(x == 0, 1, x)
        slope = (jnp.cos(safe) - jnp.sin(safe) / safe) / safe
        return jnp.diag(slope if wrong == "slope of the stand-in" else jnp.where(x == 0, 0, slope))

    return Jacobian(f, jac, (np.array([-2.0, 0.9, 0.0, 1.4, 3.1]),))


def noisy_trace(wrong: str) -> Vjp:
    """log det A: the inverse, exactly or by one random probe."""
    rng = np.random.default_rng(125)

    def f(A: Array) -> Array:
        return jnp.linalg.slogdet(A)[1]

    def fwd(A: Array) -> tuple[Array, Any]:
        return f(A), jnp.linalg.inv(A).T

    def bwd(B: Any, g: Array) -> tuple[Array]:
        probe = jnp.asarray(_chance.choice([-1.0, 1.0], size=4))
        dA = jnp.outer(B @ probe, probe) if wrong == "one random probe" else B
        return (dA if wrong == "no cotangent" else g * dA,)

    return Vjp(f, fwd, bwd, (3 * np.eye(4) + rng.normal(size=(4, 4)),))


def scores(wrong: str) -> Vjp:
    """Log-probabilities of x W at a temperature."""
    rng = np.random.default_rng(126)

    def f(W: Array, x: Array) -> Array:
        return jax.nn.log_softmax(x @ W / 0.8)

    def fwd(W: Array, x: Array) -> tuple[Array, Any]:
        y = f(W, x)
        if wrong == "probabilities in fwd":
            return jnp.exp(y), (W, x, y)
        return jax.nn.log_softmax(x @ W) if wrong == "no temperature in fwd" else y, (W, x, y)

    def bwd(residuals: Any, dy: Array) -> tuple[Array, Array]:
        W, x, y = residuals
        dS = (dy - jnp.exp(y) * dy.sum(1, keepdims=True)) / 0.8
        if wrong == "only W":
            return (x.T @ dS,)  # type: ignore[return-value]
        return x.T @ dS, dS @ W.T

    return Vjp(f, fwd, bwd, (rng.normal(size=(3, 5)), rng.normal(size=(4, 3))))


CASES = (
    case(
        "dropout",
        dropout,
        {
            "not rescaled in fwd": ("different primal", "primal-mismatch", ""),
            "mask drawn anew": ("contract", "nondeterministic", "args[0]"),
            "mask forgotten": ("mask", "extra-support, missing-factor", "args[0]"),
            "not rescaled": ("scale", "scale", "args[0]"),
        },
    ),
    case(
        "affine layer",
        affine,
        {
            "bias forgotten in fwd": ("different primal", "primal-mismatch", ""),
            "db not summed": ("contract", "shape, missing-sum", "args[0]['b']"),
            "dW in the layout (out, in)": ("contract", "shape, transpose", "args[0]['W']"),
            "db left out": ("contract", "shape", "args[0]['b']"),
            "db of shape (1, out)": ("contract", "shape", "args[0]['b']"),
        },
    ),
    case(
        "guarded power",
        guarded_power,
        {
            "guard after the root": ("contract", "nan", "args[1]"),
            "no guard in dw": ("mask", "missing-term, missing-factor", "args[0]"),
        },
    ),
    case(
        "sinc",
        sinc,
        {
            "zero over zero": ("contract", "nan", "args[0]"),
            "slope of the stand-in": ("single entry", "localised, extra-support", "args[0]"),
        },
    ),
    case(
        "log-determinant's vjp",
        noisy_trace,
        {
            "one random probe": ("contract", "nondeterministic", "args[0]"),
            "no cotangent": ("ignored cotangent", "ignores-cotangent", "args[0]"),
        },
    ),
    case(
        "tempered log-softmax",
        scores,
        {
            "probabilities in fwd": ("different primal", "primal-mismatch", ""),
            "no temperature in fwd": ("different primal", "primal-mismatch", ""),
            "only W": ("contract", "shape", "args[1]"),
        },
    ),
)
