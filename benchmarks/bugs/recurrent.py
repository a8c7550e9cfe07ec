"""Recurrent networks: a scanned tanh network, and the cells of the GRU and the LSTM."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from benchmarks.bugs.case import Vjp
from benchmarks.bugs.table import case

Params = dict[str, Array]


def recurrent_network(wrong: str) -> Vjp:
    """h_t = tanh(x_t W + h_{t−1} U + b), all states returned; backpropagation through time."""
    rng = np.random.default_rng(51)
    params = {"U": rng.normal(size=(4, 4)) / 2, "W": rng.normal(size=(3, 4)), "b": rng.normal(size=4)}

    def f(params: Params, h0: Array, xs: Array) -> Array:
        def step(h: Array, x: Array) -> tuple[Array, Array]:
            h = jnp.tanh(x @ params["W"] + h @ params["U"] + params["b"])
            return h, h

        return lax.scan(step, h0, xs)[1]

    def fwd(params: Params, h0: Array, xs: Array) -> tuple[Array, Any]:
        hs = f(params, h0, xs)
        return hs, (params, h0, xs, hs)

    def bwd(residuals: Any, dhs: Array) -> tuple[Params, Array, Array]:
        params, h0, xs, hs = residuals
        U = params["U"].T if wrong == "carry by U, not its transpose" else params["U"]
        dzs, carry = [], jnp.zeros_like(h0)
        for h, dh in zip(hs[::-1], dhs[::-1], strict=True):
            if wrong == "cotangent not carried":
                carry = jnp.zeros_like(h0)
            if wrong == "carry clipped":
                carry = jnp.clip(carry, -0.5, 0.5)
            dz = (dh + carry) * (1 - h**2)
            carry = dz @ U.T
            dzs.append(dz)
        dz = jnp.stack(dzs[::-1])
        before = hs if wrong == "h_t for h_{t−1}" else jnp.concatenate((h0[None], hs[:-1]))
        dU = before[-1][:, None] * dz[-1] if wrong == "dU of the last step" else before.T @ dz
        dxs = dz @ params["W"].T
        if wrong == "dx in reversed time":
            dxs = dxs[::-1]
        db = dz[0] if wrong == "db of the first step" else dz.sum(0)
        return {"U": dU, "W": xs.T @ dz, "b": db}, jnp.zeros_like(h0) if wrong == "no dh0" else carry, dxs

    return Vjp(f, fwd, bwd, (params, rng.normal(size=4), rng.normal(size=(6, 3))))


def gru_cell(wrong: str) -> Vjp:
    """h' = (1 − z) n + z h, n = tanh([x, r h] N), z and r = sigmoid of [x, h] Z and [x, h] R."""
    rng = np.random.default_rng(52)
    params = {key: rng.normal(size=(7, 4)) / 2 for key in ("N", "R", "Z")}

    def run(params: Params, h: Array, x: Array) -> tuple[Array, Any]:
        xh = jnp.concatenate((x, h), axis=1)
        z, r = jax.nn.sigmoid(xh @ params["Z"]), jax.nn.sigmoid(xh @ params["R"])
        n = jnp.tanh(jnp.concatenate((x, r * h), axis=1) @ params["N"])
        return (1 - z) * n + z * h, (params, h, x, xh, z, r, n)

    def f(params: Params, h: Array, x: Array) -> Array:
        return run(params, h, x)[0]

    def bwd(residuals: Any, dy: Array) -> tuple[Params, Array, Array]:
        params, h, x, xh, z, r, n = residuals
        dn = dy * (1 - z) * (1 - n**2)
        dz = dy * (n - h if wrong == "gate's sign" else h - n) * z * (1 - z)
        dxrh = dn @ params["N"].T
        drh = dxrh[:, 3:]
        dr = drh * h * (1 if wrong == "no sigmoid' of r" else r * (1 - r))
        dxh = dz @ params["Z"].T + dr @ params["R"].T
        skip = 0 if wrong == "no path z h" else dy * z
        reset = drh if wrong == "reset gate forgotten in dh" else drh * r
        inner = h if wrong == "h for r h in dN" else r * h
        grads = {
            "N": jnp.concatenate((x, inner), axis=1).T @ dn,
            "R": xh.T @ dr,
            "Z": xh.T @ dz,
        }
        if wrong == "R and Z swapped":
            grads["R"], grads["Z"] = grads["Z"], grads["R"]
        dx = dxh[:, :3] + (0 if wrong == "no path from n to x" else dxrh[:, :3])
        return grads, skip + reset + dxh[:, 3:], dx

    return Vjp(f, run, bwd, (params, rng.normal(size=(2, 4)), rng.normal(size=(2, 3))))


def lstm_cell(wrong: str) -> Vjp:
    """c' = σ(f + 1) c + σ(i) tanh(g), h' = σ(o) tanh(c') with (i, f, g, o) = x W + h U + b."""
    rng = np.random.default_rng(53)
    params = {"U": rng.normal(size=(3, 12)), "W": rng.normal(size=(2, 12)), "b": rng.normal(size=12)}

    def run(params: Params, state: tuple[Array, Array], x: Array, bias: float) -> Any:
        h, c = state
        i, f, g, o = jnp.split(x @ params["W"] + h @ params["U"] + params["b"], 4, axis=1)
        i, f, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f + bias), jax.nn.sigmoid(o)
        g = jnp.tanh(g)
        c1 = f * c + i * g
        return (o * jnp.tanh(c1), c1), (params, h, c, x, i, f, g, o, jnp.tanh(c1))

    def f(params: Params, state: tuple[Array, Array], x: Array) -> tuple[Array, Array]:
        return run(params, state, x, 1)[0]

    def fwd(params: Params, state: tuple[Array, Array], x: Array) -> tuple[tuple[Array, Array], Any]:
        y, residuals = run(params, state, x, 1)
        return run(params, state, x, 0)[0] if wrong == "no forget bias in fwd" else y, residuals

    def bwd(residuals: Any, dy: Any) -> tuple[Params, tuple[Array, Array], Array]:
        params, h, c, x, i, f, g, o, t = residuals
        dh1, dc1 = dy
        if wrong == "cell's cotangent ignored":
            dc1 = jnp.zeros_like(dc1)
        dc1 = dc1 + dh1 * o * (1 if wrong == "no tanh' of the cell" else 1 - t**2)
        di, df = dc1 * g * i * (1 - i), dc1 * c * f * (1 - f)
        dg, do = dc1 * i * (1 - g**2), dh1 * t * o * (1 - o)
        gates = (df, di, dg, do) if wrong == "gates i and f exchanged" else (di, df, dg, do)
        dz = jnp.concatenate(gates, axis=1)
        dc = dc1 if wrong == "dc without the forget gate" else dc1 * f
        return {"U": h.T @ dz, "W": x.T @ dz, "b": dz.sum(0)}, (dz @ params["U"].T, dc), dz @ params["W"].T

    return Vjp(
        f, fwd, bwd, (params, (rng.normal(size=(5, 3)), rng.normal(size=(5, 3))), rng.normal(size=(5, 2)))
    )


_RNN = "args[0]['U'], args[0]['W'], args[0]['b'], args[1], args[2]"
_LSTM = "args[0]['U'], args[0]['W'], args[0]['b'], args[1][0], args[2]"

CASES = (
    case(
        "recurrent network",
        recurrent_network,
        {
            "cotangent not carried": ("residual path", "missing-term", _RNN),
            "carry by U, not its transpose": ("transpose", "transpose, missing-term", _RNN),
            "carry clipped": ("clipped cotangent", "nonlinear-in-cotangent", _RNN),
            "h_t for h_{t−1}": ("stale residual", "wrong-intermediate, axis-permuted", "args[0]['U']"),
            "dU of the last step": ("shared weight", "missing-sum, missing-term", "args[0]['U']"),
            "db of the first step": ("accumulation", "missing-sum", "args[0]['b']"),
            "dx in reversed time": ("kernel flip", "axis-flipped", "args[2]"),
            "no dh0": ("zero leaf", "zero", "args[1]"),
        },
    ),
    case(
        "GRU cell",
        gru_cell,
        {
            "gate's sign": ("sign", "sign, missing-term", "args[0]['Z'], args[1], args[2]"),
            "no sigmoid' of r": (
                "activation factor",
                "missing-factor, missing-term",
                "args[0]['R'], args[1], args[2]",
            ),
            "no path z h": ("residual path", "missing-term", "args[1]"),
            "reset gate forgotten in dh": (
                "activation factor",
                "missing-factor, missing-term",
                "args[1]",
            ),
            "h for r h in dN": ("stale residual", "wrong-intermediate", "args[0]['N']"),
            "R and Z swapped": ("leaf swap", "swapped-leaves", "args[0]['R'], args[0]['Z']"),
            "no path from n to x": ("accumulation", "missing-term", "args[2]"),
        },
    ),
    case(
        "LSTM cell",
        lstm_cell,
        {
            "no forget bias in fwd": ("different primal", "primal-mismatch", ""),
            "cell's cotangent ignored": (
                "ignored cotangent",
                "ignores-cotangent, missing-term",
                _LSTM + ", args[1][1]",
            ),
            "no tanh' of the cell": (
                "activation factor",
                "missing-factor, missing-term",
                _LSTM + ", args[1][1]",
            ),
            "gates i and f exchanged": ("wrong axis", "axis-permuted, swapped-leaves", _LSTM),
            "dc without the forget gate": ("activation factor", "missing-factor", "args[1][1]"),
        },
    ),
)
