"""Likelihoods and fits: Gaussians, mixtures, a Gaussian process, and a peak fitted by chi-squared."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from benchmarks.bugs.case import Jacobian, Vjp
from benchmarks.bugs.table import case

Params = dict[str, Array]


def gaussian_density(wrong: str) -> Vjp:
    """The log-density of rows x under N(m, S), S read as (S + Sᵀ)/2."""
    rng = np.random.default_rng(71)
    mean = rng.normal(size=3)
    S = np.diag([1.0, 2.0, 1.5]) + 0.3 * rng.normal(size=(3, 3))

    def f(mean: Array, S: Array, x: Array) -> Array:
        S, e = (S + S.T) / 2, x - mean
        square = (e * jnp.linalg.solve(S, e.T).T).sum(1)
        return -(square + jnp.linalg.slogdet(S)[1] + len(mean) * np.log(2 * np.pi)) / 2

    def fwd(mean: Array, S: Array, x: Array) -> tuple[Array, Any]:
        P = jnp.linalg.inv((S + S.T) / 2)
        y = f(mean, S, x)
        return y + 1.5 * np.log(2 * np.pi) if wrong == "no log 2π in fwd" else y, (P, x - mean)

    def bwd(residuals: Any, g: Array) -> tuple[Array, Array, Array]:
        P, e = residuals
        a = e @ P
        outer = jnp.einsum("n,ni,nj->ij", g, e if wrong == "e for P e once" else a, a)
        dS = outer if wrong == "no log-determinant" else outer - g.sum() * P
        dS = dS if wrong == "no 1/2" else dS / 2
        if wrong == "upper triangle only":
            dS = 2 * jnp.triu(dS, 1) + jnp.diag(jnp.diag(dS))
        ga = a if wrong == "cotangent ignored in x" else g[:, None] * a
        dmean = (g[:, None] * a).sum(0)
        return -dmean if wrong == "sign of the mean's" else dmean, dS, -ga

    return Vjp(f, fwd, bwd, (mean, S, rng.normal(size=(5, 3))))


class Mixture(NamedTuple):
    """Logits of the weights, means, and logarithms of the widths."""

    logits: Any
    mean: Any
    log_width: Any


def mixture(wrong: str) -> Jacobian:
    """The log-likelihood of numbers under a mixture of three Gaussians."""
    rng = np.random.default_rng(72)
    start = Mixture(rng.normal(size=3), 2 * rng.normal(size=3), 0.3 * rng.normal(size=3))

    def joint(m: Mixture, x: Array) -> Array:
        e = (x[:, None] - m.mean) / jnp.exp(m.log_width)
        return jax.nn.log_softmax(m.logits) - e**2 / 2 - m.log_width

    def f(m: Mixture, x: Array) -> Array:
        return jax.nn.logsumexp(joint(m, x), axis=1).sum()

    def jac(m: Mixture, x: Array) -> Mixture:
        r = jax.nn.softmax(joint(m, x), axis=0 if wrong == "responsibilities over the data" else 1)
        width = jnp.exp(m.log_width)
        e = (x[:, None] - m.mean) / width
        prior = jax.nn.softmax(m.logits)
        one = 0 if wrong == "no −1 for the width" else 1
        return Mixture(
            r.sum(0) - (0 if wrong == "weights not normalised" else len(x) * prior),
            (r * e).sum(0) / (1 if wrong == "1/σ of the standardised residual lost" else width),
            (r * (e**2 - one)).sum(0) / (width if wrong == "width, not its logarithm" else 1),
        )

    return Jacobian(f, jac, (start, 2 * rng.normal(size=8)))


def gaussian_process(wrong: str) -> Jacobian:
    """The log-likelihood of y under K = a² exp(−d²/2ℓ²) + (s² + 0.001) I, by the logarithms of a, ℓ and s."""
    rng = np.random.default_rng(73)
    params = {"amplitude": np.array(0.2), "length": np.array(-0.3), "noise": np.array(-1.1)}

    def kernel(params: Params, t: Array) -> tuple[Array, Array]:
        d2 = (t[:, None] - t) ** 2 / jnp.exp(2 * params["length"])
        return jnp.exp(2 * params["amplitude"] - d2 / 2), d2

    def total(params: Params, t: Array, jitter: float) -> Array:
        return kernel(params, t)[0] + (jnp.exp(2 * params["noise"]) + jitter) * jnp.eye(len(t))

    def f(params: Params, t: Array, y: Array) -> Array:
        L = jnp.linalg.cholesky(total(params, t, 0.001))
        z = jax.scipy.linalg.solve_triangular(L, y, lower=True)
        return -z @ z / 2 - jnp.log(jnp.diag(L)).sum()

    def jac(params: Params, t: Array, y: Array) -> Params:
        signal, d2 = kernel(params, t)
        noise = jnp.exp(2 * params["noise"])
        P = jnp.linalg.inv(total(params, t, 0 if wrong == "no jitter" else 0.001))
        a = P @ y
        M = jnp.outer(a, a) - (0 if wrong == "no trace term" else P)
        if wrong == "diagonal of the trace":
            M = jnp.diag(jnp.diag(M))
        by_length = (M * signal * d2).sum() / 2
        return {
            "amplitude": (M * signal).sum(),
            "length": -by_length if wrong == "sign of the length's" else by_length,
            "noise": jnp.trace(M) * (1 if wrong == "s² left out" else noise),
        }

    return Jacobian(f, jac, (params, np.sort(rng.uniform(0, 4, size=6)), rng.normal(size=6)))


class Peak(NamedTuple):
    """A Gaussian peak on a flat background."""

    height: Any
    centre: Any
    width: Any
    floor: Any


def chi_squared(wrong: str) -> Jacobian:
    """χ² = Σ ((y − curve(t))/error)² of a Gaussian peak on a background, plus a weak prior on the width."""
    rng = np.random.default_rng(74)
    t = np.linspace(-3, 3, 9)
    y = 2 * np.exp(-((t - 0.4) ** 2) / 1.6) + 0.3 + 0.2 * rng.normal(size=9)

    def f(p: Peak, t: Array, y: Array, error: Array) -> Array:
        curve = p.height * jnp.exp(-(((t - p.centre) / p.width) ** 2) / 2) + p.floor
        return (((y - curve) / error) ** 2).sum() + 0.05 * (p.width - 1) ** 2

    def jac(p: Peak, t: Array, y: Array, error: Array) -> Peak:
        u = (t - p.centre) / p.width
        shape = jnp.exp(-(u**2) / 2)
        e = (p.height * shape + p.floor - y) / (error if wrong == "1/error, not its square" else error**2)
        factor = 1 if wrong == "no 2" else 2
        by_centre = p.height * shape * u / p.width
        by_width = by_centre * (1 if wrong == "one u of two" else u)
        prior = 0 if wrong == "no prior" else 0.1 * (p.width - 1)
        grad = Peak(
            factor * (e * shape).sum(),
            factor * (e * by_centre).sum() * (-1 if wrong == "sign of the centre's" else 1),
            factor * (e * by_width).sum() + prior,
            factor * (e[0] if wrong == "floor by the first point" else e.sum()),
        )
        if wrong == "centre and width swapped":
            grad = grad._replace(centre=grad.width, width=grad.centre)
        return grad._replace(floor=jnp.zeros_like(p.floor)) if wrong == "floor held" else grad

    peak = Peak(np.array(1.7), np.array(0.6), np.array(1.1), np.array(0.2))
    return Jacobian(f, jac, (peak, t, y, 0.15 + 0.2 * rng.uniform(size=9)))


_CHI = "args[0].height, args[0].centre, args[0].width, args[0].floor"
_GP = "args[0]['amplitude'], args[0]['length'], args[0]['noise']"

CASES = (
    case(
        "Gaussian log-density",
        gaussian_density,
        {
            "no log-determinant": ("missing coupling term", "missing-term", "args[1]"),
            "no 1/2": ("scale", "scale", "args[1]"),
            "e for P e once": (
                "stale residual",
                "wrong-intermediate, missing-factor, missing-term",
                "args[1]",
            ),
            "upper triangle only": ("dropped tile", "asymmetric, missing-support", "args[1]"),
            "sign of the mean's": ("sign", "sign", "args[0]"),
            "cotangent ignored in x": ("ignored cotangent", "ignores-cotangent", "args[2]"),
            "no log 2π in fwd": ("different primal", "primal-mismatch", ""),
        },
    ),
    case(
        "Gaussian mixture",
        mixture,
        {
            "responsibilities over the data": (
                "wrong axis",
                "axis-permuted, wrong-intermediate",
                "args[0].logits, args[0].mean, args[0].log_width",
            ),
            "weights not normalised": ("missing coupling term", "missing-term", "args[0].logits"),
            "1/σ of the standardised residual lost": ("scale", "missing-factor", "args[0].mean"),
            "no −1 for the width": ("missing coupling term", "missing-term", "args[0].log_width"),
            "width, not its logarithm": ("scale", "missing-factor", "args[0].log_width"),
        },
    ),
    case(
        "Gaussian process",
        gaussian_process,
        {
            "no jitter": ("stale residual", "wrong-intermediate, missing-term", _GP),
            "no trace term": ("missing coupling term", "missing-term", _GP),
            "diagonal of the trace": (
                "missing coupling term",
                "missing-term, missing-sum",
                "args[0]['amplitude'], args[0]['length']",
            ),
            "sign of the length's": ("sign", "sign", "args[0]['length']"),
            "s² left out": ("scale", "missing-factor, scale", "args[0]['noise']"),
        },
    ),
    case(
        "χ² of a peak",
        chi_squared,
        {
            "1/error, not its square": ("scale", "missing-factor, missing-sum", _CHI),
            "no 2": ("scale", "scale, missing-term", _CHI),
            "one u of two": ("activation factor", "missing-factor, missing-term", "args[0].width"),
            "no prior": ("missing coupling term", "missing-term", "args[0].width"),
            "sign of the centre's": ("sign", "sign", "args[0].centre"),
            "floor by the first point": ("reduction axis", "missing-sum", "args[0].floor"),
            "centre and width swapped": ("leaf swap", "swapped-leaves", "args[0].centre, args[0].width"),
            "floor held": ("zero leaf", "zero", "args[0].floor"),
        },
    ),
)
