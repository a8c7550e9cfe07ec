"""Convolutions in one and two dimensions, and pooling by mean and maximum."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from benchmarks.bugs.case import Vjp
from benchmarks.bugs.table import case

Params = dict[str, Array]


def convolution_1d(wrong: str) -> Vjp:
    """y[n, t] = Σ_k x[n, t + k] w[k] + b, w being (taps, in, out), at the valid positions."""
    rng = np.random.default_rng(41)
    params = {"b": rng.normal(size=4), "w": rng.normal(size=(3, 2, 4))}

    def f(params: Params, x: Array) -> Array:
        y = lax.conv_general_dilated(x, params["w"], (1,), "VALID", dimension_numbers=("NWC", "WIO", "NWC"))
        return y + params["b"]

    def fwd(params: Params, x: Array) -> tuple[Array, Any]:
        return f(params, x), (params["w"], x)

    def bwd(residuals: Any, dy: Array) -> tuple[Params, Array]:
        w, x = residuals
        K, T = len(w), dy.shape[1]
        dw = jnp.stack([jnp.einsum("nti,nto->io", x[:, k : k + T], dy) for k in range(K)])
        if wrong == "dw in reversed order":
            dw = dw[::-1]
        if wrong == "last tap dropped":
            dw = dw.at[-1].set(0)
        if wrong == "dw of the first positions":
            dw = jnp.stack([x[:, k].T @ dy[:, 0] for k in range(K)])
        if wrong == "kernel not flipped":
            w = w[::-1]
        dx = jnp.zeros_like(x)
        for k in range(K):
            dx = dx.at[:, k : k + T].add(dy @ w[k].T)
        if wrong == "dx one step late":
            dx = jnp.roll(dx, 1, axis=1)
        db = dy[:, 0].sum(0) if wrong == "db of the first positions" else dy.sum((0, 1))
        return {"b": db, "w": dw}, dx

    return Vjp(f, fwd, bwd, (params, rng.normal(size=(3, 9, 2))))


def convolution_2d(wrong: str) -> Vjp:
    """A 3 × 3 convolution with zero padding, w being (rows, columns, in, out)."""
    rng = np.random.default_rng(42)

    def f(w: Array, x: Array) -> Array:
        return lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))

    def fwd(w: Array, x: Array) -> tuple[Array, Any]:
        return f(w, x), (w, x)

    def windows(a: Array) -> Array:
        """The 3 × 3 neighbourhood of every place: (rows, columns, n, h, w, channels)."""
        _, H, W, _ = a.shape
        a = jnp.pad(a, ((0, 0), (1, 1), (1, 1), (0, 0)))
        return jnp.stack([jnp.stack([a[:, i : i + H, j : j + W] for j in range(3)]) for i in range(3)])

    def bwd(residuals: Any, dy: Array) -> tuple[Array, Array]:
        w, x = residuals
        dw = jnp.einsum("ijnhwc,nhwo->ijco", windows(x), dy)
        if wrong == "rows and columns of dw exchanged":
            dw = dw.swapaxes(0, 1)
        if wrong == "one of the nine taps doubled":
            dw = dw.at[1, 2].multiply(2)
        flipped = {"kernel not flipped": w, "flipped in the rows only": w[::-1]}.get(wrong, w[::-1, ::-1])
        channels = "ijoc" if wrong == "channels not exchanged" else "ijco"
        dx = jnp.einsum(f"ijnhwo,{channels}->nhwc", windows(dy), flipped)
        if wrong == "last column of places dropped":
            dx = dx.at[:, :, -1].set(0)
        return dw, dx

    return Vjp(f, fwd, bwd, (rng.normal(size=(3, 3, 2, 2)), rng.normal(size=(2, 6, 5, 2))))


def average_pooling(wrong: str) -> Vjp:
    """The mean of each 2 × 3 tile of an image."""
    rng = np.random.default_rng(43)

    def f(x: Array) -> Array:
        H, W = x.shape
        return x.reshape(H // 2, 2, W // 3, 3).mean((1, 3))

    def fwd(x: Array) -> tuple[Array, None]:
        return f(x), None

    def bwd(_: None, dy: Array) -> tuple[Array]:
        dx = jnp.repeat(jnp.repeat(dy, 2, axis=0), 3, axis=1)
        if wrong == "tiled, not repeated":
            dx = jnp.tile(dy, (2, 3))
        if wrong == "left to the first of each tile":
            dx = jnp.zeros((6, 9), dy.dtype).at[::2, ::3].set(6 * dy)
        if wrong == "cotangent normalised":
            dx = dx / jnp.sqrt((dy**2).sum())
        if wrong == "cotangent taken as one":
            dx = jnp.ones_like(dx)
        return (dx if wrong == "no 1/6" else dx / 6,)

    return Vjp(f, fwd, bwd, (rng.normal(size=(6, 9)),))


def maximum_pooling(wrong: str) -> Vjp:
    """The maximum over three neighbours, the ends repeated: an end competes with its own copy."""
    rng = np.random.default_rng(44)
    x = rng.permutation(np.arange(1.0, 15.0)).reshape(2, 7) / 4
    x[:, 0], x[:, -1] = 5, -6

    def f(x: Array) -> Array:
        padded = jnp.pad(x, ((0, 0), (1, 1)), mode="edge")
        return jnp.maximum(jnp.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])

    def fwd(x: Array) -> tuple[Array, Any]:
        return f(x), x

    def bwd(x: Any, dy: Array) -> tuple[Array]:
        T = x.shape[1]
        padded = jnp.pad(x, ((0, 0), (1, 1)), mode="edge")
        windows = jnp.stack([padded[:, k : k + T] for k in range(3)])
        best = windows == windows.max(0)
        share = dy * best / (1 if wrong == "every winner takes all" else best.sum(0))
        if wrong == "shared by all three":
            share = dy / 3 * jnp.ones_like(windows)
        dx = jnp.zeros_like(padded)
        for k in range(3):
            dx = dx.at[:, k : k + T].add(share[k])
        ends = 0 if wrong == "cotangent of the copies lost" else dx[:, [0, -1]]
        return (dx[:, 1:-1].at[:, [0, -1]].add(ends),)

    return Vjp(f, fwd, bwd, (x,))


CASES = (
    case(
        "1-D convolution",
        convolution_1d,
        {
            "dw in reversed order": ("kernel flip", "axis-flipped", "args[0]['w']"),
            "kernel not flipped": ("kernel flip", "axis-flipped", "args[1]"),
            "last tap dropped": ("dropped tile", "missing-support, localised", "args[0]['w']"),
            "dw of the first positions": ("reduction axis", "missing-sum", "args[0]['w']"),
            "dx one step late": ("wrong axis", "axis-permuted", "args[1]"),
            "db of the first positions": ("reduction axis", "missing-sum", "args[0]['b']"),
        },
    ),
    case(
        "2-D convolution",
        convolution_2d,
        {
            "rows and columns of dw exchanged": ("wrong axis", "axis-permuted, transpose", "args[0]"),
            "one of the nine taps doubled": ("single entry", "localised", "args[0]"),
            "kernel not flipped": ("kernel flip", "axis-flipped", "args[1]"),
            "flipped in the rows only": ("kernel flip", "axis-flipped", "args[1]"),
            "channels not exchanged": ("transpose", "transpose, axis-permuted", "args[1]"),
            "last column of places dropped": ("dropped tile", "missing-support, localised", "args[1]"),
        },
    ),
    case(
        "average pooling",
        average_pooling,
        {
            "no 1/6": ("scale", "scale", "args[0]"),
            "tiled, not repeated": ("wrong axis", "axis-permuted", "args[0]"),
            "left to the first of each tile": ("accumulation", "missing-support", "args[0]"),
            "cotangent normalised": ("clipped cotangent", "nonlinear-in-cotangent", "args[0]"),
            "cotangent taken as one": ("ignored cotangent", "ignores-cotangent", "args[0]"),
        },
    ),
    case(
        "maximum pooling",
        maximum_pooling,
        {
            "every winner takes all": ("ties", "localised, missing-factor", "args[0]"),
            "shared by all three": ("ties", "extra-support, missing-factor", "args[0]"),
            "cotangent of the copies lost": (
                "accumulation",
                "localised, missing-term, missing-sum",
                "args[0]",
            ),
        },
    ),
)
