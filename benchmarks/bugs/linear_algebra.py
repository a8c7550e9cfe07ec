"""Matrices: products, solve, inverse, determinants, eigenvalues, the Cholesky factor and the cross product."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array

from benchmarks.bugs.case import Jacobian, Vjp
from benchmarks.bugs.table import case


def triple_product(wrong: str) -> Vjp:
    """Y = A B C."""
    rng = np.random.default_rng(61)

    def f(A: Array, B: Array, C: Array) -> Array:
        return A @ B @ C

    def fwd(A: Array, B: Array, C: Array) -> tuple[Array, Any]:
        return A @ B @ C, (A, B, C)

    def bwd(residuals: Any, G: Array) -> tuple[Array, Array, Array]:
        A, B, C = residuals
        dA = G @ (B.T @ C.T if wrong == "(B C)ᵀ as Bᵀ Cᵀ" else C.T @ B.T)
        dB = C.T @ G @ A.T if wrong == "Cᵀ G Aᵀ" else A.T @ G @ C.T
        return dA, dB, G.T @ A @ B if wrong == "dC transposed" else B.T @ A.T @ G

    return Vjp(f, fwd, bwd, tuple(rng.normal(size=(3, 3)) for _ in range(3)))


def gram(wrong: str) -> Vjp:
    """Y = Xᵀ X + ridge · I, the cotangent of which need not be symmetric."""
    rng = np.random.default_rng(62)

    def f(X: Array, ridge: Array) -> Array:
        return X.T @ X + ridge * jnp.eye(3)

    def fwd(X: Array, ridge: Array) -> tuple[Array, Any]:
        return f(X, ridge), X

    def bwd(X: Any, G: Array) -> tuple[Array, Array]:
        dX = X @ (2 * G if wrong == "G taken as symmetric" else G + G.T)
        return X @ G if wrong == "one of two factors" else dX, G[0, 0] if wrong == "G₀₀" else jnp.trace(G)

    return Vjp(f, fwd, bwd, (rng.normal(size=(5, 3)), np.array(0.4)))


def solve(wrong: str) -> Vjp:
    """x = A⁻¹ b: db = A⁻ᵀ g and dA = −db xᵀ."""
    rng = np.random.default_rng(63)

    def f(A: Array, b: Array) -> Array:
        return jnp.linalg.solve(A, b)

    def fwd(A: Array, b: Array) -> tuple[Array, Any]:
        x = jnp.linalg.solve(A, b)
        return x, (A, b, x)

    def bwd(residuals: Any, g: Array) -> tuple[Array, Array]:
        A, b, x = residuals
        db = jnp.linalg.solve(A if wrong == "A, not its transpose" else A.T, g)
        dA = -jnp.outer(db, b if wrong == "b for x" else x)
        if wrong == "dA = −x dbᵀ":
            dA = dA.T
        return -dA if wrong == "sign of dA" else dA, db

    return Vjp(f, fwd, bwd, (2.5 * np.eye(4) + 0.7 * rng.normal(size=(4, 4)), rng.normal(size=4)))


def inverse(wrong: str) -> Vjp:
    """Y = A⁻¹: dA = −Yᵀ G Yᵀ."""
    rng = np.random.default_rng(64)

    def f(A: Array) -> Array:
        return jnp.linalg.inv(A)

    def fwd(A: Array) -> tuple[Array, Any]:
        Y = jnp.linalg.inv(A)
        return Y, Y

    def bwd(Y: Any, G: Array) -> tuple[Array]:
        B = Y if wrong == "Y for Yᵀ" else Y.T
        dA = G @ B @ B if wrong == "G outside" else B @ G @ B
        return (dA if wrong == "no sign" else -dA,)

    return Vjp(f, fwd, bwd, (2.5 * np.eye(3) + 0.7 * rng.normal(size=(3, 3)),))


def log_determinant(wrong: str) -> Jacobian:
    """log |det A| + ½ tr A²: A⁻ᵀ + Aᵀ."""
    rng = np.random.default_rng(65)

    def f(A: Array) -> Array:
        return jnp.linalg.slogdet(A)[1] + jnp.trace(A @ A) / 2

    def jac(A: Array) -> Array:
        B = jnp.linalg.inv(A)
        cofactors = B if wrong == "inverse not transposed" else B.T
        if wrong == "det A left in":
            cofactors = jnp.linalg.det(A) * cofactors
        return cofactors + (A if wrong == "trace term not transposed" else A.T)

    return Jacobian(f, jac, (3 * np.eye(4) + rng.normal(size=(4, 4)),))


def determinant(wrong: str) -> Jacobian:
    """det A: the cofactors, det A · A⁻ᵀ."""
    rng = np.random.default_rng(66)

    def f(A: Array) -> Array:
        return jnp.linalg.det(A)

    def jac(A: Array) -> Array:
        (a, b, c), (d, e, h), (i, j, k) = A
        signed = -1 if wrong == "no checkerboard" else 1
        C = jnp.array(
            [
                [e * k - h * j, signed * (h * i - d * k), d * j - e * i],
                [signed * (c * j - b * k), a * k - c * i, signed * (b * i - a * j)],
                [b * h - c * e, signed * (c * d - a * h), a * e - b * d],
            ]
        )
        if wrong == "one cofactor's minus":
            C = C.at[0, 2].set(d * j + e * i)
        return C.T if wrong == "adjugate" else C

    return Jacobian(f, jac, (np.eye(3) + rng.normal(size=(3, 3)),))


def eigenvalues(wrong: str) -> Vjp:
    """The ascending eigenvalues of (A + Aᵀ)/2: dA = V diag(g) Vᵀ."""
    rng = np.random.default_rng(67)

    def f(A: Array) -> Array:
        return jnp.linalg.eigvalsh((A + A.T) / 2)

    def fwd(A: Array) -> tuple[Array, Any]:
        values, V = jnp.linalg.eigh((A + A.T) / 2)
        return values, V

    def bwd(V: Any, g: Array) -> tuple[Array]:
        if wrong == "descending":
            g = g[::-1]
        dA = V.T @ jnp.diag(g) @ V if wrong == "Vᵀ diag(g) V" else V @ jnp.diag(g) @ V.T
        if wrong == "lower triangle only":
            dA = 2 * jnp.tril(dA, -1) + jnp.diag(jnp.diag(dA))
        if wrong == "diagonal only":
            dA = jnp.diag(jnp.diag(dA))
        return (dA,)

    return Vjp(f, fwd, bwd, (np.diag([1.0, 3.0, 6.0, 9.0]) + 0.6 * rng.normal(size=(4, 4)),))


def cholesky(wrong: str) -> Vjp:
    """L Lᵀ = (A + Aᵀ)/2: dA = sym(L⁻ᵀ Φ(Lᵀ G) L⁻¹), Φ the lower triangle with half of the diagonal."""
    rng = np.random.default_rng(68)

    def f(A: Array) -> Array:
        return jnp.linalg.cholesky((A + A.T) / 2)

    def fwd(A: Array) -> tuple[Array, Any]:
        L = f(A)
        return L, L

    def bwd(L: Any, G: Array) -> tuple[Array]:
        P = L.T @ jnp.tril(G)
        P = P if wrong == "above the diagonal too" else jnp.tril(P)
        if wrong != "diagonal not halved":
            P = P - jnp.diag(jnp.diag(P)) / 2
        B = jnp.linalg.inv(L)
        dA = B @ P @ B.T if wrong == "L⁻¹ Φ L⁻ᵀ" else B.T @ P @ B
        return (dA if wrong == "not symmetrised" else (dA + dA.T) / 2,)

    return Vjp(f, fwd, bwd, (4 * np.eye(4) + 0.8 * rng.normal(size=(4, 4)),))


def cross_product(wrong: str) -> Vjp:
    """y = a × b: da = b × g, db = g × a."""
    rng = np.random.default_rng(69)

    def f(a: Array, b: Array) -> Array:
        return jnp.cross(a, b)

    def fwd(a: Array, b: Array) -> tuple[Array, Any]:
        return jnp.cross(a, b), (a, b)

    def bwd(residuals: Any, g: Array) -> tuple[Array, Array]:
        a, b = residuals
        db = jnp.cross(a, g) if wrong == "a × g" else jnp.cross(g, a)
        da = jnp.cross(b, jnp.ones_like(g)) if wrong == "g taken as one" else jnp.cross(b, g)
        return da, db

    return Vjp(f, fwd, bwd, (rng.normal(size=(4, 3)), rng.normal(size=(4, 3))))


_PAIR = "args[0], args[1]"

CASES = (
    case(
        "triple product",
        triple_product,
        {
            "(B C)ᵀ as Bᵀ Cᵀ": ("order of factors", "reversed-order", "args[0]"),
            "Cᵀ G Aᵀ": ("order of factors", "reversed-order, transpose", "args[1]"),
            "dC transposed": ("transpose", "transpose", "args[2]"),
        },
    ),
    case(
        "Gram matrix",
        gram,
        {
            "G taken as symmetric": ("transpose", "asymmetric, missing-term, transpose", "args[0]"),
            "one of two factors": ("missing coupling term", "missing-term", "args[0]"),
            "G₀₀": ("reduction axis", "missing-sum", "args[1]"),
        },
    ),
    case(
        "solve",
        solve,
        {
            "A, not its transpose": ("transpose", "transpose", _PAIR),
            "b for x": ("stale residual", "wrong-intermediate", "args[0]"),
            "dA = −x dbᵀ": ("order of factors", "transpose, reversed-order", "args[0]"),
            "sign of dA": ("sign", "sign", "args[0]"),
        },
    ),
    case(
        "inverse",
        inverse,
        {
            "Y for Yᵀ": ("transpose", "transpose", "args[0]"),
            "G outside": ("order of factors", "reversed-order", "args[0]"),
            "no sign": ("sign", "sign", "args[0]"),
        },
    ),
    case(
        "log-determinant",
        log_determinant,
        {
            "inverse not transposed": ("transpose", "transpose", "args[0]"),
            "det A left in": ("scale", "missing-factor, scale, missing-term", "args[0]"),
            "trace term not transposed": ("transpose", "transpose", "args[0]"),
        },
    ),
    case(
        "determinant",
        determinant,
        {
            "no checkerboard": ("sign", "sign, localised", "args[0]"),
            "one cofactor's minus": ("single entry", "localised, sign", "args[0]"),
            "adjugate": ("transpose", "transpose", "args[0]"),
        },
    ),
    case(
        "eigenvalues",
        eigenvalues,
        {
            "descending": ("wrong axis", "axis-flipped, axis-permuted", "args[0]"),
            "Vᵀ diag(g) V": ("order of factors", "reversed-order, transpose", "args[0]"),
            "lower triangle only": ("dropped tile", "asymmetric, missing-support", "args[0]"),
            "diagonal only": ("missing coupling term", "missing-support", "args[0]"),
        },
    ),
    case(
        "Cholesky factor",
        cholesky,
        {
            "above the diagonal too": ("mask", "missing-term, extra-support, missing-factor", "args[0]"),
            "diagonal not halved": ("missing coupling term", "missing-term, missing-factor", "args[0]"),
            "L⁻¹ Φ L⁻ᵀ": ("order of factors", "reversed-order, transpose", "args[0]"),
            "not symmetrised": ("transpose", "asymmetric", "args[0]"),
        },
    ),
    case(
        "cross product",
        cross_product,
        {
            "a × g": ("antisymmetric factor", "sign", "args[1]"),
            "g taken as one": ("ignored cotangent", "ignores-cotangent", "args[0]"),
        },
    ),
)
