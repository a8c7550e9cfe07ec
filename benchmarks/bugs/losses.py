"""Losses: cross-entropy, the two-layer network, log-sum-exp, and losses on pairs and triplets."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from benchmarks.bugs.case import Jacobian, Vjp
from benchmarks.bugs.table import case


class Dense(NamedTuple):
    """The weights (in, out) and biases (out) of a dense layer."""

    W: Any
    b: Any


def smoothed_cross_entropy(wrong: str) -> Vjp:
    """The mean cross-entropy of logits (N, K) with labels of which 2 % is spread over all classes."""
    rng = np.random.default_rng(11)
    smoothing = 0.02

    def targets(labels: Array, K: int) -> Array:
        return (1 - smoothing) * jax.nn.one_hot(labels, K) + smoothing / K

    def f(logits: Array, labels: Array) -> Array:
        return -(targets(labels, logits.shape[1]) * jax.nn.log_softmax(logits)).sum(1).mean()

    def fwd(logits: Array, labels: Array) -> tuple[Array, Any]:
        N, K = logits.shape
        loss = -(targets(labels, K) * jax.nn.log_softmax(logits)).sum()
        return loss if wrong == "sum in fwd" else loss / N, (logits, labels)

    def bwd(residuals: Any, g: Array) -> tuple[Array, None]:
        logits, labels = residuals
        N, K = logits.shape
        p, t = jax.nn.softmax(logits), targets(labels, K)
        if wrong == "no smoothing":
            t = jax.nn.one_hot(labels, K)
        d = {"labels first": t - p, "no labels": p}.get(wrong, p - t)
        if wrong == "softmax' as well":
            d = p * (1 - p) * d
        count = {"no 1/N": 1, "1/K": K}.get(wrong, N)
        return (1.0 if wrong == "no cotangent" else g) * d / count, None

    return Vjp(f, fwd, bwd, (2 * rng.normal(size=(6, 4)), rng.integers(4, size=6)))


def classifier(wrong: str) -> Vjp:
    """A two-layer ReLU classifier's mean cross-entropy, with weight decay λ = 0.003."""
    rng = np.random.default_rng(12)
    decay = 0.003
    layers = (
        Dense(rng.normal(size=(3, 6)), rng.normal(size=6)),
        Dense(rng.normal(size=(6, 4)), rng.normal(size=4)),
    )

    def f(layers: tuple[Dense, Dense], x: Array, labels: Array) -> Array:
        (W, b), (V, c) = layers
        logp = jax.nn.log_softmax(jax.nn.relu(x @ W + b) @ V + c)
        fit = -jnp.take_along_axis(logp, labels[:, None], 1).mean()
        return fit + decay / 2 * ((W**2).sum() + (V**2).sum())

    def fwd(layers: tuple[Dense, Dense], x: Array, labels: Array) -> tuple[Array, Any]:
        (W, b), (V, c) = layers
        h = jnp.maximum(x @ W + b, 0)
        return f(layers, x, labels), (W, V, x, h, jax.nn.softmax(h @ V + c), labels)

    def bwd(residuals: Any, g: Array) -> tuple[tuple[Dense, Dense], Array, None]:
        W, V, x, h, p, labels = residuals
        if wrong == "squared cotangent":
            g = g * jnp.abs(g)
        ds = g * (p - jax.nn.one_hot(labels, 4)) / len(x)
        dV = h.T @ ds
        dh = ds @ (V - 0.1 * dV if wrong == "through the updated V" else V).T
        if wrong == "clipped hidden cotangent":
            dh = jnp.clip(dh, -0.05, 0.05)
        dz = dh * (h >= 0 if wrong == "mask h ≥ 0" else h > 0)
        no_decay = wrong == "no decay of V"
        dW, dV = x.T @ dz + g * decay * W, dV + (0 if no_decay else g * decay * V)
        db = jnp.zeros(6, dz.dtype) if wrong == "db left at zero" else dz.sum(0)
        return (Dense(dW, db), Dense(dV, ds.sum(0))), dz @ W.T, None

    return Vjp(f, fwd, bwd, (layers, rng.normal(size=(7, 3)), rng.integers(4, size=7)))


def free_energy(wrong: str) -> Jacobian:
    """y = T log Σ exp(x/T), the soft maximum of x at temperature T; dy/dT is the entropy."""
    rng = np.random.default_rng(13)

    def f(x: Array, T: Array) -> Array:
        return T * jax.nn.logsumexp(x / T)

    def jac(x: Array, T: Array) -> tuple[Array, Array]:
        p = jax.nn.softmax(x if wrong == "softmax without T" else x / T)
        entropy = jax.nn.logsumexp(x / T) - (0 if wrong == "no mean energy" else p @ x / T)
        return (p / T if wrong == "1/T too many" else p), entropy

    return Jacobian(f, jac, (rng.normal(size=6), np.array(0.7)), (0, 1))


def contrastive(wrong: str) -> Vjp:
    """The symmetric contrastive loss of paired rows u, v: cross-entropies of S = u vᵀ/τ along both axes."""
    rng = np.random.default_rng(14)
    tau = 0.5

    def f(u: Array, v: Array) -> Array:
        S = u @ v.T / tau
        rows, columns = jax.nn.log_softmax(S, axis=1), jax.nn.log_softmax(S, axis=0)
        return -jnp.trace(rows + columns) / (2 * len(u))

    def fwd(u: Array, v: Array) -> tuple[Array, Any]:
        return f(u, v), (u, v, u @ v.T / tau)

    def bwd(residuals: Any, g: Array) -> tuple[Array, Array]:
        u, v, S = residuals
        N = len(u)
        rows, columns = jax.nn.softmax(S, axis=1) - jnp.eye(N), jax.nn.softmax(S, axis=0) - jnp.eye(N)
        dS = g * (rows if wrong == "rows only" else rows + columns) / (2 * N)
        if wrong == "no 1/τ":
            return dS @ v, dS.T @ u
        du, dv = dS @ v / tau, (dS if wrong == "dv by dS, not its transpose" else dS.T) @ u / tau
        return (dv, du) if wrong == "du and dv swapped" else (du, dv)

    return Vjp(f, fwd, bwd, (rng.normal(size=(5, 3)), rng.normal(size=(5, 3))))


def triplet(wrong: str) -> Vjp:
    """Mean of softplus(‖a − p‖² − ‖a − n‖² + 0.2) over rows."""
    rng = np.random.default_rng(15)

    def f(a: Array, p: Array, n: Array) -> Array:
        return jax.nn.softplus(((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1) + 0.2).mean()

    def fwd(a: Array, p: Array, n: Array) -> tuple[Array, Any]:
        return f(a, p, n), (a, p, n)

    def bwd(residuals: Any, g: Array) -> tuple[Array, Array, Array]:
        a, p, n = residuals
        near, far = a - p, a - n
        margin = 0 if wrong == "no margin" else 0.2
        s = jax.nn.sigmoid((near**2).sum(1) - (far**2).sum(1) + margin)[:, None]
        s = g * s / len(a)
        da = 2 * s * (near if wrong == "anchor sees the positive only" else near - far)
        dp = -2 * s * near
        dn = 2 * s * far
        if wrong == "sign of dp":
            dp = -dp
        if wrong == "dp and dn swapped":
            dp, dn = dn, dp
        if wrong == "negatives detached":
            dn = jnp.zeros_like(dn)
        return da, dp, dn

    return Vjp(f, fwd, bwd, tuple(0.7 * rng.normal(size=(4, 3)) for _ in range(3)))


def masked_error(wrong: str) -> Vjp:
    """The mean squared error of padded sequences (N, T) over the entries that are there."""
    rng = np.random.default_rng(16)
    there = np.arange(6) < np.array([4, 6, 2])[:, None]

    def f(y: Array, target: Array, there: Array) -> Array:
        return jnp.where(there, (y - target) ** 2, 0).sum() / there.sum()

    def fwd(y: Array, target: Array, there: Array) -> tuple[Array, Any]:
        e = y - target
        loss = (e**2 * there).sum() / there.sum()
        return (e**2).mean() if wrong == "padding counted in fwd" else loss, (e, there)

    def bwd(residuals: Any, g: Array) -> tuple[Array, Array, None]:
        e, there = residuals
        de = 2 * g * e / (there.size if wrong == "divided by N T" else there.sum())
        if wrong != "mask not applied":
            de = de * there
        if wrong == "last step dropped":
            de = de * (np.arange(6) < 5)
        return de, de if wrong == "sign of the target" else -de, None

    return Vjp(f, fwd, bwd, (rng.normal(size=(3, 6)), rng.normal(size=(3, 6)), there))


_ALL = "args[0][0].W, args[0][0].b, args[0][1].W, args[0][1].b, args[1]"

CASES = (
    case(
        "smoothed cross-entropy",
        smoothed_cross_entropy,
        {
            "no 1/N": ("scale", "scale", "args[0]"),
            "1/K": ("scale", "scale", "args[0]"),
            "labels first": ("sign", "sign", "args[0]"),
            "no labels": ("missing coupling term", "missing-term", "args[0]"),
            "no smoothing": ("missing coupling term", "missing-term, wrong-intermediate", "args[0]"),
            "softmax' as well": ("activation factor", "missing-factor", "args[0]"),
            "no cotangent": ("ignored cotangent", "ignores-cotangent", "args[0]"),
            "sum in fwd": ("different primal", "primal-mismatch", ""),
        },
    ),
    case(
        "two-layer classifier",
        classifier,
        {
            "squared cotangent": ("clipped cotangent", "nonlinear-in-cotangent", _ALL),
            "clipped hidden cotangent": (
                "clipped cotangent",
                "nonlinear-in-cotangent",
                "args[0][0].W, args[0][0].b, args[1]",
            ),
            "through the updated V": (
                "stale residual",
                "wrong-intermediate, nonlinear-in-cotangent",
                "args[0][0].W, args[0][0].b, args[1]",
            ),
            "mask h ≥ 0": (
                "ties",
                "missing-factor, extra-support, wrong-intermediate, missing-term",
                "args[0][0].W, args[0][0].b, args[1]",
            ),
            "no decay of V": ("missing coupling term", "missing-term", "args[0][1].W"),
            "db left at zero": ("zero leaf", "zero", "args[0][0].b"),
        },
    ),
    case(
        "free energy",
        free_energy,
        {
            "softmax without T": (
                "stale residual",
                "wrong-intermediate, missing-factor",
                "args[0], args[1]",
            ),
            "no mean energy": ("missing coupling term", "missing-term", "args[1]"),
            "1/T too many": ("scale", "scale, missing-factor", "args[0]"),
        },
    ),
    case(
        "contrastive loss",
        contrastive,
        {
            "rows only": ("missing coupling term", "missing-term", "args[0], args[1]"),
            "no 1/τ": ("scale", "scale", "args[0], args[1]"),
            "dv by dS, not its transpose": ("transpose", "transpose", "args[1]"),
            "du and dv swapped": ("leaf swap", "swapped-leaves", "args[0], args[1]"),
        },
    ),
    case(
        "triplet loss",
        triplet,
        {
            "no margin": (
                "stale residual",
                "wrong-intermediate, missing-factor",
                "args[0], args[1], args[2]",
            ),
            "anchor sees the positive only": ("accumulation", "missing-term", "args[0]"),
            "sign of dp": ("sign", "sign", "args[1]"),
            "dp and dn swapped": ("leaf swap", "swapped-leaves", "args[1], args[2]"),
            "negatives detached": ("zero leaf", "zero", "args[2]"),
        },
    ),
    case(
        "masked squared error",
        masked_error,
        {
            "mask not applied": ("mask", "extra-support, missing-factor", "args[0], args[1]"),
            "divided by N T": ("scale", "scale", "args[0], args[1]"),
            "last step dropped": ("dropped tile", "missing-support, localised", "args[0], args[1]"),
            "sign of the target": ("sign", "sign", "args[1]"),
            "padding counted in fwd": ("different primal", "primal-mismatch", ""),
        },
    ),
)
