"""Normalisation: layer, RMS and batch norm, unit rows, and the cosine of two vectors."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from benchmarks.bugs.case import Jacobian, Vjp
from benchmarks.bugs.table import case

Params = dict[str, Array]


def layer_norm(wrong: str) -> Vjp:
    """y = γ (x − mean)/√(var + ε) + β over the features."""
    rng = np.random.default_rng(21)
    eps = 0.01
    params = {"bias": rng.normal(size=6), "scale": 1 + 0.3 * rng.normal(size=6)}

    def f(params: Params, x: Array) -> Array:
        centred = x - x.mean(1, keepdims=True)
        return params["scale"] * centred / jnp.sqrt(x.var(1, keepdims=True) + eps) + params["bias"]

    def fwd(params: Params, x: Array) -> tuple[Array, Any]:
        mean, var = x.mean(1, keepdims=True), x.var(1, keepdims=True)
        inv = 1 / jnp.sqrt(var + eps)
        h = (x - mean) * inv
        if wrong == "ε outside the root":
            inv = 1 / (jnp.sqrt(var) + eps)
        if wrong == "1/(n − 1) in the variance":
            inv = 1 / jnp.sqrt(x.var(1, keepdims=True, ddof=1) + eps)
        return params["scale"] * h + params["bias"], (params["scale"], x, h, inv)

    def bwd(residuals: Any, dy: Array) -> tuple[Params, Array]:
        scale, x, h, inv = residuals
        dh = dy * scale
        through_mean = 0 if wrong == "no mean term" else dh.mean(1, keepdims=True)
        through_var = 0 if wrong == "no variance term" else h * (dh * h).mean(1, keepdims=True)
        if wrong == "variance term of another sign":
            through_var = -through_var
        dx = inv * (dh - through_mean - through_var)
        dscale = (dy * (x if wrong == "dγ from x" else h)).sum(0)
        dbias = dy.sum(0)
        if wrong == "γ and β swapped":
            dscale, dbias = dbias, dscale
        return {"bias": dbias, "scale": dscale}, dx

    return Vjp(f, fwd, bwd, (params, rng.normal(size=(4, 6))))


def rms_norm(wrong: str) -> Vjp:
    """y = γ x / √(mean x² + ε) over the features."""
    rng = np.random.default_rng(22)
    eps = 1e-2

    def f(scale: Array, x: Array) -> Array:
        return scale * x / jnp.sqrt((x**2).mean(-1, keepdims=True) + eps)

    def fwd(scale: Array, x: Array) -> tuple[Array, Any]:
        r = jnp.sqrt((x**2).mean(-1, keepdims=True) + eps)
        y = scale * x / r
        if wrong == "no ε in the saved root":
            r = jnp.sqrt((x**2).mean(-1, keepdims=True))
        return y, (scale, x / r, r)

    def bwd(residuals: Any, dy: Array) -> tuple[Array, Array]:
        scale, h, r = residuals
        if wrong == "cotangent clipped":
            dy = jnp.clip(dy, -1, 1)
        dh = dy * scale
        along = h * (dh * h).mean(-1, keepdims=True)
        if wrong == "projection summed, not averaged":
            along = h * (dh * h).sum(-1, keepdims=True)
        if wrong == "projection over the batch":
            along = h * (dh * h).mean(0, keepdims=True)
        dx = (dh - (0 if wrong == "no projection" else along)) / r
        dscale = dy * h
        return dscale.sum(1 if wrong == "dγ summed over the features" else 0), dx

    return Vjp(f, fwd, bwd, (1 + 0.3 * rng.normal(size=5), rng.normal(size=(5, 5))))


def batch_norm(wrong: str) -> Vjp:
    """y = γ (x − mean)/√(var + ε) + β over a batch of sequences (N, T, C)."""
    rng = np.random.default_rng(23)
    eps = 1e-3
    params = {"beta": rng.normal(size=4), "gamma": 1 + 0.3 * rng.normal(size=4)}

    def f(params: Params, x: Array) -> Array:
        mean, var = x.mean((0, 1)), x.var((0, 1))
        return params["gamma"] * (x - mean) / jnp.sqrt(var + eps) + params["beta"]

    def fwd(params: Params, x: Array) -> tuple[Array, Any]:
        inv = 1 / jnp.sqrt(x.var((0, 1)) + eps)
        h = (x - x.mean((0, 1))) * inv
        if wrong == "running variance":
            inv = 1 / jnp.sqrt(0.9 * x.var((0, 1)) + 0.1)
        if wrong == "no ε":
            inv = 1 / jnp.sqrt(x.var((0, 1)))
        return params["gamma"] * h + params["beta"], (params["gamma"], h, inv)

    def bwd(residuals: Any, dy: Array) -> tuple[Params, Array]:
        gamma, h, inv = residuals
        dh = dy * gamma
        axes = (0,) if wrong == "means over the batch only" else (0, 1)
        dx = dh - dh.mean(axes) - h * (dh * h).mean(axes)
        if wrong == "as at inference":
            dx = dh
        if wrong == "over time and channels":
            axes = (1, 2)
            dx = dh - dh.mean(axes, keepdims=True) - h * (dh * h).mean(axes, keepdims=True)
        dbeta = dy[0].sum(0) if wrong == "dβ of the first sequence" else dy.sum((0, 1))
        dgamma = (dy * h).sum((1, 2) if wrong == "dγ over time and channels" else (0, 1))
        return {"beta": dbeta, "gamma": dgamma}, dx * inv

    return Vjp(f, fwd, bwd, (params, rng.normal(size=(4, 3, 4))))


def cosine(wrong: str) -> Jacobian:
    """cos(u, v) = u·v / (‖u‖ ‖v‖)."""
    rng = np.random.default_rng(24)

    def f(u: Array, v: Array) -> Array:
        return u @ v / jnp.sqrt((u @ u) * (v @ v))

    def jac(u: Array, v: Array) -> tuple[Array, Array]:
        r, s = jnp.sqrt(u @ u), jnp.sqrt(v @ v)
        c = u @ v / (r * s)
        along = 0 if wrong == "no projection for u" else c * u / r
        du, dv = (v / s - along) / r, (u / r - c * v / s) / s
        if wrong == "1/‖v‖ twice":
            dv = dv / s
        return (dv, du) if wrong == "u and v swapped" else (du, dv)

    return Jacobian(f, jac, (rng.normal(size=5), rng.normal(size=5)), (0, 1))


def unit_rows(wrong: str) -> Jacobian:
    """Every row of x divided by its length: ∂y_ni/∂x_mj = δ_nm (δ_ij − y_ni y_nj)/r_n."""
    rng = np.random.default_rng(25)

    def f(x: Array) -> Array:
        return x / jnp.sqrt((x**2).sum(1, keepdims=True))

    def jac(x: Array) -> Array:
        r = jnp.sqrt((x**2).sum(1))
        y = x / r[:, None]
        sign = 1 if wrong == "projection added" else -1
        outer = (x if wrong == "x for y in one factor" else y)[:, :, None] * y[:, None, :]
        block = (jnp.eye(3) + (0 if wrong == "no projection" else sign * outer)) / r[:, None, None]
        if wrong == "one corner left out":
            block = block.at[2, 0, 2].set(0)
        rows = jnp.ones((4, 4)) if wrong == "rows coupled" else jnp.eye(4)
        return jnp.einsum("nm,nij->nimj", rows, block)

    return Jacobian(f, jac, (rng.normal(size=(4, 3)),))


CASES = (
    case(
        "layer norm",
        layer_norm,
        {
            "ε outside the root": (
                "stale residual",
                "wrong-intermediate, missing-factor, scale",
                "args[1]",
            ),
            "1/(n − 1) in the variance": (
                "stale residual",
                "wrong-intermediate, scale, missing-factor",
                "args[1]",
            ),
            "no mean term": ("missing coupling term", "missing-term", "args[1]"),
            "no variance term": ("missing coupling term", "missing-term", "args[1]"),
            "variance term of another sign": ("projection term", "missing-term, sign", "args[1]"),
            "dγ from x": ("stale residual", "wrong-intermediate", "args[0]['scale']"),
            "γ and β swapped": ("leaf swap", "swapped-leaves", "args[0]['bias'], args[0]['scale']"),
        },
    ),
    case(
        "RMS norm",
        rms_norm,
        {
            "no ε in the saved root": (
                "stale residual",
                "wrong-intermediate, missing-factor, scale",
                "args[0], args[1]",
            ),
            "cotangent clipped": ("clipped cotangent", "nonlinear-in-cotangent", "args[0], args[1]"),
            "projection summed, not averaged": ("projection term", "missing-term", "args[1]"),
            "projection over the batch": ("wrong axis", "missing-term, axis-permuted", "args[1]"),
            "no projection": ("projection term", "missing-term", "args[1]"),
            "dγ summed over the features": ("reduction axis", "axis-permuted, missing-sum", "args[0]"),
        },
    ),
    case(
        "batch norm",
        batch_norm,
        {
            "running variance": (
                "stale residual",
                "wrong-intermediate, missing-factor, scale",
                "args[1]",
            ),
            "no ε": ("stale residual", "wrong-intermediate, missing-factor, scale", "args[1]"),
            "means over the batch only": (
                "reduction axis",
                "missing-sum, missing-term, axis-permuted",
                "args[1]",
            ),
            "as at inference": ("missing coupling term", "missing-term", "args[1]"),
            "over time and channels": ("wrong axis", "axis-permuted, missing-term", "args[1]"),
            "dβ of the first sequence": ("reduction axis", "missing-sum", "args[0]['beta']"),
            "dγ over time and channels": (
                "reduction axis",
                "axis-permuted, missing-sum",
                "args[0]['gamma']",
            ),
        },
    ),
    case(
        "cosine similarity",
        cosine,
        {
            "no projection for u": ("projection term", "missing-term", "args[0]"),
            "1/‖v‖ twice": ("scale", "scale, missing-factor", "args[1]"),
            "u and v swapped": ("leaf swap", "swapped-leaves", "args[0], args[1]"),
        },
    ),
    case(
        "unit rows",
        unit_rows,
        {
            "projection added": ("projection term", "missing-term, sign", "args[0]"),
            "x for y in one factor": (
                "stale residual",
                "wrong-intermediate, missing-factor, missing-term",
                "args[0]",
            ),
            "no projection": ("projection term", "missing-term, missing-support", "args[0]"),
            "one corner left out": ("single entry", "localised, missing-support", "args[0]"),
            "rows coupled": ("mask", "extra-support", "args[0]"),
        },
    ),
)
