"""Complex arguments: JAX's cotangents multiply by f'(z) itself, without a conjugate, where f is holomorphic."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from benchmarks.bugs.case import Jacobian, Vjp
from benchmarks.bugs.table import case


def _complex(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def cubic(wrong: str) -> Vjp:
    """y = z³ + c z."""
    rng = np.random.default_rng(111)

    def f(z: Array, c: Array) -> Array:
        return z**3 + c * z

    def fwd(z: Array, c: Array) -> tuple[Array, Any]:
        return f(z, c), (z, c)

    def bwd(residuals: Any, g: Array) -> tuple[Array, Array]:
        z, c = residuals
        slope = 3 * z**2 + (0 if wrong == "no c" else c)
        if wrong == "2 for 3":
            slope = 2 * z**2 + c
        if wrong == "conjugate slope":
            slope = slope.conj()
        dc = (g * (z.conj() if wrong == "conjugate z in dc" else z)).sum()
        return g * slope, dc

    return Vjp(f, fwd, bwd, (_complex(rng, 5), np.array(0.3 - 0.8j)))


def windowed_spectrum(wrong: str) -> Vjp:
    """The discrete Fourier transform of x times a real window."""
    rng = np.random.default_rng(112)

    def f(window: Array, x: Array) -> Array:
        return jnp.fft.fft(window * x)

    def fwd(window: Array, x: Array) -> tuple[Array, Any]:
        return f(window, x), (window, x)

    def bwd(residuals: Any, g: Array) -> tuple[Array, Array]:
        window, x = residuals
        back = jnp.fft.fft(g)
        if wrong == "inverse transform":
            back = jnp.fft.ifft(g)
        if wrong == "Hermitian transpose":
            back = jnp.fft.ifft(g) * len(x)
        inner = x * back
        dwindow = jnp.abs(inner) if wrong == "modulus for the real part" else inner.real
        return dwindow, back if wrong == "no window" else window * back

    return Vjp(f, fwd, bwd, (rng.uniform(0.5, 1.5, size=6), _complex(rng, 6)))


def power_spectrum(wrong: str) -> Vjp:
    """|F x|², which is real: dx = Fᵀ (2 g conj(F x))."""
    rng = np.random.default_rng(113)

    def f(x: Array) -> Array:
        return jnp.abs(jnp.fft.fft(x)) ** 2

    def fwd(x: Array) -> tuple[Array, Any]:
        y = jnp.fft.fft(x)
        return jnp.abs(y) ** 2, y

    def bwd(y: Any, g: Array) -> tuple[Array]:
        if wrong == "not conjugated":
            return (jnp.fft.fft(2 * g * y),)
        return (jnp.fft.fft((1 if wrong == "no 2" else 2) * g * y.conj()),)

    return Vjp(f, fwd, bwd, (_complex(rng, 7),))


def moebius(wrong: str) -> Jacobian:
    """w = (a z + b)/(c z + d): the diagonal of (a d − b c)/(c z + d)²."""
    rng = np.random.default_rng(114)
    a, b, c, d = 1 + 0.5j, 0.3 - 1j, 0.4j, 2 + 0.2j

    def f(z: Array) -> Array:
        return (a * z + b) / (c * z + d)

    def jac(z: Array) -> Array:
        below = c * z + d
        slope = (a * d - b * c) / (below * below.conj() if wrong == "|c z + d|²" else below**2)
        if wrong == "no b c":
            slope = a * d / below**2
        return jnp.diag(slope.conj() if wrong == "conjugate" else slope)

    return Jacobian(f, jac, (_complex(rng, 4),))


CASES = (
    case(
        "complex cubic",
        cubic,
        {
            "no c": ("missing coupling term", "missing-term", "args[0]"),
            "2 for 3": ("scale", "missing-term, missing-factor, scale", "args[0]"),
            "conjugate slope": ("sign", "conjugate", "args[0]"),
            "conjugate z in dc": ("sign", "conjugate", "args[1]"),
        },
    ),
    case(
        "windowed spectrum",
        windowed_spectrum,
        {
            "inverse transform": ("sign", "conjugate, axis-permuted, scale", "args[0], args[1]"),
            "Hermitian transpose": ("sign", "conjugate, axis-permuted", "args[0], args[1]"),
            "modulus for the real part": (
                "clipped cotangent",
                "nonlinear-in-cotangent",
                "args[0]",
            ),
            "no window": ("activation factor", "missing-factor", "args[1]"),
        },
    ),
    case(
        "power spectrum",
        power_spectrum,
        {
            "not conjugated": ("sign", "conjugate", "args[0]"),
            "no 2": ("scale", "scale", "args[0]"),
        },
    ),
    case(
        "Möbius map",
        moebius,
        {
            "|c z + d|²": ("sign", "missing-factor, conjugate", "args[0]"),
            "no b c": ("missing coupling term", "scale, missing-term", "args[0]"),
            "conjugate": ("sign", "conjugate", "args[0]"),
        },
    ),
)
