"""Attention and embeddings: softmax, one and several heads, rotary positions, lookup tables."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from benchmarks.bugs.case import Jacobian, Vjp
from benchmarks.bugs.table import case

Params = dict[str, Array]


def softmax(wrong: str) -> Jacobian:
    """p = softmax(x/τ) of one vector: J = (diag p − p pᵀ)/τ."""
    rng = np.random.default_rng(31)
    tau = 1.6

    def f(x: Array) -> Array:
        return jax.nn.softmax(x / tau)

    def jac(x: Array) -> Array:
        p = jax.nn.softmax(x / tau)
        J = jnp.diag(p) - jnp.outer(p, p)
        if wrong == "diagonal only":
            J = jnp.diag(p * (1 - p))
        if wrong == "no diag p":
            J = -jnp.outer(p, p)
        if wrong == "entries shifted by one column":
            J = jnp.roll(J, 1, axis=1)
        return J if wrong == "no 1/τ" else J / (1.605 if wrong == "τ mistyped" else tau)

    return Jacobian(f, jac, (rng.normal(size=6),))


def masked_attention(wrong: str) -> Vjp:
    """y = softmax(q kᵀ/√d) v, the masked scores at −∞."""
    rng = np.random.default_rng(32)
    sees = np.tril(np.ones((5, 5), bool))

    def weights(q: Array, k: Array, sees: Array) -> Array:
        return jax.nn.softmax(jnp.where(sees, q @ k.T / np.sqrt(q.shape[1]), -1e30))

    def f(q: Array, k: Array, v: Array, sees: Array) -> Array:
        return weights(q, k, sees) @ v

    def fwd(q: Array, k: Array, v: Array, sees: Array) -> tuple[Array, Any]:
        p = weights(q, k, sees)
        y = p @ v
        if wrong == "weights recomputed without the mask":
            p = jax.nn.softmax(q @ k.T / np.sqrt(q.shape[1]))
        if wrong == "masked scores at −6, not −∞":
            p = jax.nn.softmax(jnp.where(sees, q @ k.T / np.sqrt(q.shape[1]), -6))
        return y, (q, k, v, p)

    def bwd(residuals: Any, dy: Array) -> tuple[Array, Array, Array, None]:
        q, k, v, p = residuals
        dp = dy @ v.T
        dS = p * (dp - (0 if wrong == "softmax without its coupling" else (dp * p).sum(1, keepdims=True)))
        if wrong == "coupling over the queries":
            dS = p * (dp - (dp * p).sum(0))
        if wrong != "no 1/√d":
            dS = dS / np.sqrt(q.shape[1])
        dq, dk = dS @ k, (dS if wrong == "dk by dS, not its transpose" else dS.T) @ q
        if wrong == "dq and dk swapped":
            dq, dk = dk, dq
        dv = p @ dy if wrong == "dv by p, not its transpose" else p.T @ dy
        if wrong == "first key's value fixed":
            dv = dv.at[0].set(0)
        return dq, dk, dv, None

    shapes = ((5, 3), (5, 3), (5, 4))
    return Vjp(f, fwd, bwd, (*(rng.normal(size=shape) for shape in shapes), sees))


def multi_head_attention(wrong: str) -> Vjp:
    """Self-attention of x (tokens, features) with three heads of two features."""
    rng = np.random.default_rng(33)
    heads, d = 3, 2
    params = {key: rng.normal(size=(6, 6)) / 2 for key in ("k", "o", "q", "v")}

    def split(a: Array) -> Array:
        return a.reshape(len(a), heads, d).swapaxes(0, 1)

    def merge(a: Array) -> Array:
        return a.swapaxes(0, 1).reshape(-1, heads * d)

    def run(params: Params, x: Array) -> tuple[Array, Any]:
        q, k, v = (split(x @ params[key]) for key in "qkv")
        p = jax.nn.softmax(q @ k.mT / np.sqrt(d))
        context = merge(p @ v)
        return context @ params["o"], (params, x, q, k, v, p, context)

    def f(params: Params, x: Array) -> Array:
        return run(params, x)[0]

    def bwd(residuals: Any, dy: Array) -> tuple[Params, Array]:
        params, x, q, k, v, p, context = residuals
        dcontext = dy @ params["o"].T
        dc = dcontext.reshape(heads, -1, d) if wrong == "heads not transposed" else split(dcontext)
        dp = dc @ v.mT
        dS = p * (dp - (dp * p).sum(-1, keepdims=True)) / np.sqrt(heads * d if wrong == "√(h d)" else d)
        dq, dk, dv = merge(dS @ k), merge(dS.mT @ q), merge(p.mT @ dc)
        if wrong == "last head dropped from dv":
            dv = dv.at[:, -d:].set(0)
        grads = {"k": x.T @ dk, "o": context.T @ dy, "q": x.T @ dq, "v": x.T @ dv}
        dx = dq @ params["q"].T + dk @ params["k"].T + dv @ params["v"].T
        if wrong == "dx through the values only":
            dx = dv @ params["v"].T
        if wrong == "dx without the keys":
            dx = dx - dk @ params["k"].T
        if wrong == "q and k swapped":
            grads["q"], grads["k"] = grads["k"], grads["q"]
        if wrong == "do transposed":
            grads["o"] = grads["o"].T
        return grads, dx

    return Vjp(f, run, bwd, (params, rng.normal(size=(4, 6))))


def rotary(wrong: str) -> Vjp:
    """Scores q·k of pairs of features rotated by the position times a frequency."""
    rng = np.random.default_rng(34)
    angle = np.outer(np.arange(1, 5), 0.7 ** np.arange(3))

    def turn(x: Array, angle: np.ndarray) -> Array:
        a, b = x[:, :3], x[:, 3:]
        c, s = np.cos(angle), np.sin(angle)
        return jnp.concatenate((a * c - b * s, a * s + b * c), axis=1)

    def f(q: Array, k: Array) -> Array:
        return turn(q, angle) @ turn(k, angle).T

    def fwd(q: Array, k: Array) -> tuple[Array, Any]:
        q, k = turn(q, angle), turn(k, angle)
        return q @ k.T, (q, k)

    def bwd(residuals: Any, dS: Array) -> tuple[Array, Array]:
        q, k = residuals
        forward = wrong == "dq rotated forwards"
        dq = turn(dS @ k, angle if forward else -angle)
        dk = turn(dS.T @ q, -angle)
        if wrong == "dk not rotated back":
            dk = dS.T @ q
        if wrong == "angle in float16":
            dk = turn(dS.T @ q, -angle.astype(np.float16).astype(float))
        return dq, dk

    return Vjp(f, fwd, bwd, (rng.normal(size=(4, 6)), rng.normal(size=(4, 6))))


def embedding(wrong: str) -> Vjp:
    """y = √d · table[ids] + positions, where id 0 is padding and reads as zero."""
    rng = np.random.default_rng(35)
    params = {"position": rng.normal(size=(4, 3)), "table": rng.normal(size=(7, 3))}
    ids = np.array([[1, 5, 0, 5], [2, 0, 6, 6]])

    def f(params: Params, ids: Array) -> Array:
        rows = jnp.where(ids[..., None] > 0, params["table"][ids], 0)
        return np.sqrt(3) * rows + params["position"]

    def fwd(params: Params, ids: Array) -> tuple[Array, Any]:
        return f(params, ids), (params["table"], ids)

    def bwd(residuals: Any, dy: Array) -> tuple[Params, None]:
        table, ids = residuals
        rows = dy if wrong == "padding row trained" else dy * (ids[..., None] > 0)
        if wrong != "no √d":
            rows = (1.73 if wrong == "√3 as 1.73" else np.sqrt(3)) * rows
        empty = jnp.zeros_like(table)
        dtable = empty.at[ids].set(rows) if wrong == "repeated ids overwritten" else empty.at[ids].add(rows)
        if wrong == "rows one too low":
            dtable = jnp.roll(dtable, 1, axis=0)
        return {
            "position": dy[0] if wrong == "dposition of one sequence" else dy.sum(0),
            "table": dtable,
        }, None

    return Vjp(f, fwd, bwd, (params, ids))


CASES = (
    case(
        "softmax",
        softmax,
        {
            "diagonal only": ("missing coupling term", "missing-support, missing-term", "args[0]"),
            "no diag p": ("missing coupling term", "missing-term", "args[0]"),
            "entries shifted by one column": ("wrong axis", "axis-permuted", "args[0]"),
            "no 1/τ": ("scale", "scale", "args[0]"),
            "τ mistyped": ("scale", "scale", "args[0]"),
        },
    ),
    case(
        "masked attention",
        masked_attention,
        {
            "weights recomputed without the mask": (
                "mask",
                "wrong-intermediate, extra-support",
                "args[0], args[1], args[2]",
            ),
            "masked scores at −6, not −∞": (
                "mask",
                "wrong-intermediate, extra-support",
                "args[0], args[1], args[2]",
            ),
            "softmax without its coupling": (
                "missing coupling term",
                "missing-term",
                "args[0], args[1]",
            ),
            "coupling over the queries": (
                "wrong axis",
                "axis-permuted, missing-term",
                "args[0], args[1]",
            ),
            "no 1/√d": ("scale", "scale", "args[0], args[1]"),
            "dk by dS, not its transpose": ("transpose", "transpose", "args[1]"),
            "dq and dk swapped": ("leaf swap", "swapped-leaves", "args[0], args[1]"),
            "dv by p, not its transpose": ("transpose", "transpose", "args[2]"),
            "first key's value fixed": ("dropped tile", "missing-support, localised", "args[2]"),
        },
    ),
    case(
        "multi-head attention",
        multi_head_attention,
        {
            "heads not transposed": (
                "wrong axis",
                "axis-permuted",
                "args[0]['k'], args[0]['q'], args[0]['v'], args[1]",
            ),
            "√(h d)": ("scale", "scale, missing-term", "args[0]['k'], args[0]['q'], args[1]"),
            "last head dropped from dv": (
                "dropped tile",
                "missing-support, localised, missing-term",
                "args[0]['v'], args[1]",
            ),
            "dx through the values only": ("accumulation", "missing-term", "args[1]"),
            "dx without the keys": ("accumulation", "missing-term", "args[1]"),
            "q and k swapped": ("leaf swap", "swapped-leaves", "args[0]['k'], args[0]['q']"),
            "do transposed": ("transpose", "transpose, axis-permuted", "args[0]['o']"),
        },
    ),
    case(
        "rotary scores",
        rotary,
        {
            "dq rotated forwards": ("antisymmetric factor", "transpose, sign, missing-factor", "args[0]"),
            "dk not rotated back": ("antisymmetric factor", "missing-factor, wrong-intermediate", "args[1]"),
            "angle in float16": ("stale residual", "wrong-intermediate, missing-factor", "args[1]"),
        },
    ),
    case(
        "embedding",
        embedding,
        {
            "padding row trained": ("mask", "extra-support, localised", "args[0]['table']"),
            "no √d": ("scale", "scale", "args[0]['table']"),
            "√3 as 1.73": ("scale", "scale", "args[0]['table']"),
            "repeated ids overwritten": (
                "accumulation",
                "missing-sum, missing-term, localised",
                "args[0]['table']",
            ),
            "rows one too low": ("wrong axis", "axis-permuted", "args[0]['table']"),
            "dposition of one sequence": ("reduction axis", "missing-sum", "args[0]['position']"),
        },
    ),
)
