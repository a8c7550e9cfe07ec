"""Hessians: Rosenbrock's valley, forms, log-sum-exp, a nonlinear fit, and a function of several leaves."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from benchmarks.bugs.case import Hessian, Jacobian
from benchmarks.bugs.table import case


def rosenbrock(wrong: str) -> Hessian:
    """Σ 100 (x_{i+1} − x_i²)² + (1 − x_i)², its Hessian tridiagonal."""
    rng = np.random.default_rng(91)

    def f(x: Array) -> Array:
        return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

    def hess(x: Array) -> Array:
        constant = 0 if wrong == "no 2" else 2
        left = jnp.append(1200 * x[:-1] ** 2 - 400 * x[1:] + constant, 0.0)
        right = jnp.append(0.0, jnp.full(len(x) - 1, 200.0))
        if wrong == "200 at the last place only":
            right = right.at[:-1].set(0)
        off = (400 if wrong == "sign beside the diagonal" else -400) * x[:-1]
        if wrong == "one coupling halved":
            off = off.at[2].divide(2)
        if wrong == "slope at the next place":
            off = -400 * x[1:]
        lower = jnp.zeros_like(off) if wrong == "upper side only" else off
        H = jnp.diag(left + right) + jnp.diag(off, 1) + jnp.diag(lower, -1)
        return jnp.diag(jnp.diag(H)) if wrong == "diagonal only" else H

    return Hessian(f, hess, (1 + 0.6 * rng.normal(size=5),))


def quadratic_form(wrong: str) -> Hessian:
    """xᵀ A x + b·x with A not symmetric: A + Aᵀ."""
    rng = np.random.default_rng(92)

    def f(x: Array, A: Array, b: Array) -> Array:
        return x @ A @ x + b @ x

    def hess(x: Array, A: Array, b: Array) -> Array:
        return {"2 A": 2 * A, "no 2": (A + A.T) / 2, "A − Aᵀ": A - A.T}.get(wrong, A + A.T)

    return Hessian(f, hess, (rng.normal(size=4), rng.normal(size=(4, 4)), rng.normal(size=4)))


def log_sum_exp(wrong: str) -> Hessian:
    """log Σ exp x + 0.001 ‖x‖²: diag p − p pᵀ + 0.002 I."""
    rng = np.random.default_rng(93)

    def f(x: Array) -> Array:
        return jax.nn.logsumexp(x) + 0.001 * (x**2).sum()

    def hess(x: Array) -> Array:
        p = jax.nn.softmax(x)
        outer = 0 if wrong == "no p pᵀ" else jnp.outer(p, p)
        H = jnp.diag(p) - outer
        if wrong == "one entry's sign":
            H = H.at[1, 2].multiply(-1)
        return H if wrong == "no 0.002" else H + 0.002 * jnp.eye(len(x))

    return Hessian(f, hess, (rng.normal(size=5),))


def nonlinear_fit(wrong: str) -> Hessian:
    """½ Σ (tanh(X w) − y)²: Xᵀ diag(σ'² + e σ'') X."""
    rng = np.random.default_rng(94)
    X, w = rng.normal(size=(9, 3)), 0.5 * rng.normal(size=3)
    y = np.tanh(X @ w) + 0.02 * rng.normal(size=9)

    def f(w: Array, X: Array, y: Array) -> Array:
        return ((jnp.tanh(X @ w) - y) ** 2).sum() / 2

    def hess(w: Array, X: Array, y: Array) -> Array:
        t = jnp.tanh(X @ w)
        slope = 1 - t**2
        bend = -2 * t * slope
        if wrong == "sign of σ''":
            bend = -bend
        second = 0 if wrong == "Gauss–Newton" else (t - y) * bend
        first = slope if wrong == "σ' for its square" else slope**2
        return jnp.einsum("n,ni,nj->ij", first + second, X, X)

    return Hessian(f, hess, (w, X, y))


def bilinear(wrong: str) -> Hessian:
    """uᵀ M v + ½ ‖u‖² + Σ cos v, by the dict of u and v."""
    rng = np.random.default_rng(95)
    M = rng.normal(size=(4, 4))

    def f(x: dict[str, Array]) -> Array:
        return x["u"] @ M @ x["v"] + (x["u"] ** 2).sum() / 2 + jnp.cos(x["v"]).sum()

    def hess(x: dict[str, Array]) -> dict[str, dict[str, Any]]:
        uv, vu = jnp.asarray(M), jnp.asarray(M.T)
        if wrong == "cross block not transposed":
            vu = uv
        vv = -jnp.diag(jnp.sin(x["v"]) if wrong == "sin for cos" else jnp.cos(x["v"]))
        uu = jnp.zeros((4, 4)) if wrong == "no identity" else jnp.eye(4)
        if wrong == "u and v exchanged":
            uu, vv = vv, uu
        return {"u": {"u": uu, "v": uv}, "v": {"u": vu, "v": vv}}

    return Hessian(f, hess, ({"u": rng.normal(size=4), "v": rng.normal(size=4)},))


def polynomial(wrong: str) -> Jacobian:
    """(x² y, x y³ + z, x z − 2 y) at one point, stacked."""
    rng = np.random.default_rng(96)

    def f(p: Array) -> Array:
        x, y, z = p
        return jnp.stack([x**2 * y, x * y**3 + z, x * z - 2 * y])

    def jac(p: Array) -> Array:
        x, y, z = p
        power = 2 * y**2 if wrong == "exponent for the factor" else 3 * y**2
        J = jnp.array([[2 * x * y, x**2, 0], [y**3, x * power, 1], [z, -2, x]])
        if wrong == "inputs first":
            J = J.T
        if wrong == "last two rows exchanged":
            J = J[jnp.array([0, 2, 1])]
        return J.at[2, 1].set(2) if wrong == "one sign" else J

    return Jacobian(f, jac, (1 + rng.uniform(size=3),))


def bundle(wrong: str) -> Jacobian:
    """A tree of outputs: the lengths of the rows of x, and the weighted sum of its columns."""
    rng = np.random.default_rng(97)

    def f(x: Array, w: Array) -> dict[str, Array]:
        return {"length": jnp.sqrt((x**2).sum(1)), "total": x @ w}

    def jac(x: Array, w: Array) -> dict[str, tuple[Array, Array]]:
        n, k = x.shape
        r = jnp.sqrt((x**2).sum(1))
        rows = jnp.eye(n)[:, :, None]
        direction = x if wrong == "no 1/r" else x / r[:, None]
        coupled = jnp.ones((n, n, 1)) if wrong == "every row by every row" else rows
        by_w = -x if wrong == "sign" else x
        return {"length": (rows * direction, jnp.zeros((n, k))), "total": (coupled * w, by_w)}

    return Jacobian(f, jac, (rng.normal(size=(4, 3)), rng.normal(size=3)), (0, 1))


CASES = (
    case(
        "Rosenbrock",
        rosenbrock,
        {
            "no 2": ("missing coupling term", "missing-term", "args[0]"),
            "200 at the last place only": ("missing coupling term", "missing-term, localised", "args[0]"),
            "sign beside the diagonal": ("sign", "sign, localised", "args[0]"),
            "one coupling halved": ("single entry", "localised", "args[0]"),
            "slope at the next place": ("stale residual", "wrong-intermediate, axis-permuted", "args[0]"),
            "upper side only": ("dropped tile", "asymmetric, missing-support", "args[0]"),
            "diagonal only": ("missing coupling term", "missing-support", "args[0]"),
        },
    ),
    case(
        "quadratic form",
        quadratic_form,
        {
            "2 A": ("transpose", "asymmetric, missing-term, transpose", "args[0]"),
            "no 2": ("scale", "scale", "args[0]"),
            "A − Aᵀ": ("antisymmetric factor", "sign, asymmetric, missing-term", "args[0]"),
        },
    ),
    case(
        "log-sum-exp",
        log_sum_exp,
        {
            "no p pᵀ": ("projection term", "missing-support, missing-term", "args[0]"),
            "one entry's sign": ("single entry", "localised, asymmetric, sign", "args[0]"),
            "no 0.002": ("missing coupling term", "missing-term", "args[0]"),
        },
    ),
    case(
        "nonlinear fit",
        nonlinear_fit,
        {
            "Gauss–Newton": ("missing coupling term", "missing-term", "args[0]"),
            "sign of σ''": ("sign", "sign, missing-term", "args[0]"),
            "σ' for its square": ("activation factor", "missing-factor", "args[0]"),
        },
    ),
    case(
        "bilinear form",
        bilinear,
        {
            "cross block not transposed": (
                "transpose",
                "transpose, asymmetric",
                "args[0]['v'] by args[0]['u']",
            ),
            "sin for cos": (
                "activation factor",
                "wrong-intermediate, missing-factor",
                "args[0]['v'] by args[0]['v']",
            ),
            "no identity": ("zero leaf", "zero, missing-term", "args[0]['u'] by args[0]['u']"),
            "u and v exchanged": (
                "leaf swap",
                "swapped-leaves",
                "args[0]['u'] by args[0]['u'], args[0]['v'] by args[0]['v']",
            ),
        },
    ),
    case(
        "polynomial map",
        polynomial,
        {
            "exponent for the factor": ("single entry", "localised, scale", "args[0]"),
            "inputs first": ("transpose", "transpose, axis-permuted", "args[0]"),
            "last two rows exchanged": ("wrong axis", "axis-permuted", "args[0]"),
            "one sign": ("single entry", "localised, sign", "args[0]"),
        },
    ),
    case(
        "tree of outputs",
        bundle,
        {
            "no 1/r": ("activation factor", "missing-factor", "out['length'] by args[0]"),
            "every row by every row": ("mask", "extra-support", "out['total'] by args[0]"),
            "sign": ("sign", "sign", "out['total'] by args[1]"),
        },
    ),
)
