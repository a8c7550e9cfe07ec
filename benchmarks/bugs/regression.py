"""Regression: ridge, logistic and Poisson, with gradients and Hessians by hand."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from benchmarks.bugs.case import Hessian, Jacobian, Vjp
from benchmarks.bugs.table import case


def ridge(wrong: str) -> Jacobian:
    """‖X w − y‖²/N + λ ‖w‖², by w and X."""
    rng = np.random.default_rng(81)
    penalty = 0.02

    def f(w: Array, X: Array, y: Array) -> Array:
        return ((X @ w - y) ** 2).mean() + penalty * (w**2).sum()

    def jac(w: Array, X: Array, y: Array) -> tuple[Array, Array]:
        e = 2 * (X @ w - y) / (1 if wrong == "no 1/N" else len(y))
        dX = jnp.outer(e, w)
        dw = X.T @ e + (1 if wrong == "λ not doubled" else 2) * penalty * w
        if wrong == "no penalty":
            dw = X.T @ e
        if wrong == "transposed design":
            dw = X @ e + 2 * penalty * w
        return dw, -dX if wrong == "sign of dX" else dX

    return Jacobian(f, jac, (rng.normal(size=5), rng.normal(size=(5, 5)), rng.normal(size=5)), (0, 1))


def logistic(wrong: str) -> Hessian:
    """The negative log-likelihood of logits X w + b with a weak penalty on w, its Hessian by w and b."""
    rng = np.random.default_rng(82)
    labels = rng.integers(2, size=8)

    def f(w: Array, b: Array, X: Array, labels: Array) -> Array:
        z = X @ w + b
        return (jax.nn.softplus(z) - labels * z).sum() + 0.01 * (w**2).sum()

    def hess(w: Array, b: Array, X: Array, labels: Array) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        p = jax.nn.sigmoid(X @ w + b)
        s = jnp.ones_like(p) if wrong == "no p (1 − p)" else p * (1 - p)
        by_wb = jnp.zeros_like(w) if wrong == "no cross block" else X.T @ s
        by_ww = (X * s[:, None]).T @ X
        if wrong != "no penalty":
            by_ww = by_ww + 0.02 * jnp.eye(3)
        if wrong == "penalty on every entry":
            by_ww = by_ww + 0.02 * (1 - jnp.eye(3))
        by_bb = s.mean() if wrong == "mean for b" else s.sum()
        return (by_ww, by_wb), (by_wb, by_bb)

    args = (rng.normal(size=3), np.array(0.3), rng.normal(size=(8, 3)), labels)
    return Hessian(f, hess, args, (0, 1))


def poisson(wrong: str) -> Vjp:
    """The mean of exp(η) − counts · η with η = X w + b + log exposure."""
    rng = np.random.default_rng(83)
    params = {"b": np.array(0.2), "w": 0.5 * rng.normal(size=3)}

    def f(params: dict[str, Array], X: Array, exposure: Array, counts: Array) -> Array:
        eta = X @ params["w"] + params["b"] + jnp.log(exposure)
        return (jnp.exp(eta) - counts * eta).mean()

    def fwd(params: dict[str, Array], X: Array, exposure: Array, counts: Array) -> tuple[Array, Any]:
        rate = exposure * jnp.exp(X @ params["w"] + params["b"])
        loss = (rate - counts * jnp.log(rate)).mean()
        return loss, (params["w"], X, rate, exposure, counts)

    def bwd(residuals: Any, g: Array) -> tuple[dict[str, Array], Array, Array, None]:
        w, X, rate, exposure, counts = residuals
        if wrong == "log rate for the rate":
            rate = jnp.log(rate)
        e = g * (rate - counts) / len(counts)
        if wrong == "g²":
            e = g * e
        db = e.mean() if wrong == "mean for b" else e.sum()
        if wrong == "sign of b's":
            db = -db
        dw = e @ X
        if wrong == "last feature forgotten":
            dw = dw.at[-1].set(0)
        dexposure = e if wrong == "no 1/exposure" else e / exposure
        return {"b": db, "w": dw}, jnp.outer(e, w), dexposure, None

    args = (params, rng.normal(size=(7, 3)), rng.uniform(0.5, 2, size=7), rng.integers(5, size=7))
    return Vjp(f, fwd, bwd, args)


CASES = (
    case(
        "ridge regression",
        ridge,
        {
            "no 1/N": ("scale", "scale, missing-term", "args[0], args[1]"),
            "λ not doubled": ("missing coupling term", "missing-term", "args[0]"),
            "no penalty": ("missing coupling term", "missing-term", "args[0]"),
            "transposed design": ("transpose", "transpose, missing-term", "args[0]"),
            "sign of dX": ("sign", "sign", "args[1]"),
        },
    ),
    case(
        "logistic regression",
        logistic,
        {
            "no p (1 − p)": (
                "activation factor",
                "missing-factor",
                "args[0] by args[0], args[0] by args[1], args[1] by args[0], args[1] by args[1]",
            ),
            "no cross block": (
                "missing coupling term",
                "zero, missing-support, missing-term",
                "args[0] by args[1], args[1] by args[0]",
            ),
            "no penalty": ("missing coupling term", "missing-term", "args[0] by args[0]"),
            "penalty on every entry": ("mask", "missing-term, extra-support", "args[0] by args[0]"),
            "mean for b": ("reduction axis", "scale, missing-sum", "args[1] by args[1]"),
        },
    ),
    case(
        "Poisson regression",
        poisson,
        {
            "log rate for the rate": (
                "stale residual",
                "wrong-intermediate, missing-factor",
                "args[0]['b'], args[0]['w'], args[1], args[2]",
            ),
            "g²": (
                "clipped cotangent",
                "nonlinear-in-cotangent",
                "args[0]['b'], args[0]['w'], args[1], args[2]",
            ),
            "mean for b": ("reduction axis", "scale, missing-sum", "args[0]['b']"),
            "sign of b's": ("sign", "sign", "args[0]['b']"),
            "last feature forgotten": (
                "single entry",
                "localised, missing-support",
                "args[0]['w']",
            ),
            "no 1/exposure": ("activation factor", "missing-factor", "args[2]"),
        },
    ),
)
