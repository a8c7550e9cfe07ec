"""Correct derivatives with awkward arguments: empty, integer, tied, symmetric, badly scaled, or long."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from benchmarks.bugs.case import Case, Chain, Hessian, Jacobian, Vjp
from mvcalc_jax.verify import Link

Params = dict[str, Any]


def scales() -> Vjp:
    """Leaves from 1e−5 to 1e5 in size, and gradients from 1e5 to 1e−5."""
    rng = np.random.default_rng(141)
    sizes = {"a": 1e-5, "b": 1.0, "c": 1e5}

    def f(p: Params, x: Array) -> Array:
        return sum((jnp.sin(p[key] / size) * x).sum() for key, size in sizes.items()) + jnp.zeros(())

    def bwd(residuals: Any, g: Array) -> tuple[Params, Array]:
        p, x = residuals
        dp = {key: g * x * jnp.cos(p[key] / size) / size for key, size in sizes.items()}
        return dp, g * sum(jnp.sin(p[key] / size) for key, size in sizes.items())

    params = {key: size * rng.normal(size=3) for key, size in sizes.items()}
    return Vjp(f, lambda p, x: (f(p, x), (p, x)), bwd, (params, rng.normal(size=3)))


def unused() -> Vjp:
    """An empty leaf, an integer leaf, and a leaf that f does not read."""
    rng = np.random.default_rng(142)

    def f(p: Params, x: Array) -> Array:
        return (x @ p["W"]) ** p["power"] + p["empty"].sum()

    def fwd(p: Params, x: Array) -> tuple[Array, Any]:
        return f(p, x), (p, x)

    def bwd(residuals: Any, dy: Array) -> tuple[Params, Array]:
        p, x = residuals
        dz = dy * p["power"] * (x @ p["W"]) ** (p["power"] - 1)
        grads = {"W": x.T @ dz, "empty": p["empty"], "power": None, "spare": jnp.zeros_like(p["spare"])}
        return grads, dz @ p["W"].T

    params = {
        "W": rng.normal(size=(3, 2)),
        "empty": np.zeros((0, 4)),
        "power": np.array(3),
        "spare": rng.normal(size=2),
    }
    return Vjp(f, fwd, bwd, (params, rng.normal(size=(4, 3))))


def float0() -> Vjp:
    """A gather whose integer indices get JAX's own cotangent type for them, float0."""
    rng = np.random.default_rng(143)

    def bwd(residuals: Any, dy: Array) -> tuple[Array, np.ndarray]:
        x, i = residuals
        return jnp.zeros_like(x).at[i].add(dy), np.zeros(i.shape, jax.dtypes.float0)

    args = (rng.normal(size=5), np.array([1, 1, 4, 0, 1]))
    return Vjp(lambda x, i: x[i], lambda x, i: (x[i], (x, i)), bwd, args)


def shifted_softmax() -> Vjp:
    """A bias common to all logits, the gradient of which is truly zero."""
    rng = np.random.default_rng(144)

    def f(x: Array, b: Array) -> Array:
        return jax.nn.softmax(x + b)

    def bwd(p: Any, dy: Array) -> tuple[Array, Array]:
        return p * (dy - p @ dy), jnp.zeros((), p.dtype)

    return Vjp(f, lambda x, b: (f(x, b), f(x, b)), bwd, (rng.normal(size=5), np.array(0.4)))


def confident() -> Vjp:
    """Cross-entropy of confident scores: p − 1 cancels at the right class."""
    z = np.array([[8.0, 0.3, -0.5], [-1.0, 0.2, 8.5]])
    labels = np.array([0, 2])

    def f(z: Array, labels: Array) -> Array:
        return -jnp.take_along_axis(jax.nn.log_softmax(z), labels[:, None], 1).mean()

    def bwd(residuals: Any, g: Array) -> tuple[Array, None]:
        z, labels = residuals
        return g * (jax.nn.softmax(z) - jax.nn.one_hot(labels, 3)) / 2, None

    return Vjp(f, lambda z, i: (f(z, i), (z, i)), bwd, (z, labels))


def large_logits() -> Jacobian:
    """log Σ exp of numbers about 300, where exp alone overflows in float32."""
    x = np.array([300.0, 301.2, 299.5, 298.0])
    return Jacobian(jax.nn.logsumexp, jax.nn.softmax, (x,))


def recurrence() -> Vjp:
    """h_t = a h_{t−1} + x_t over 150 steps."""
    rng = np.random.default_rng(145)

    def f(a: Array, xs: Array) -> Array:
        return lax.scan(lambda h, x: (a * h + x, None), jnp.zeros_like(xs[0]), xs)[0]

    def bwd(residuals: Any, dy: Array) -> tuple[Array, Array]:
        a, xs = residuals
        k = jnp.arange(len(xs))[::-1, None]
        da = (jnp.where(k > 0, k * a ** jnp.maximum(k - 1, 0), 0) * xs * dy).sum(0)
        return da, a**k * dy

    return Vjp(f, lambda a, xs: (f(a, xs), (a, xs)), bwd, (np.array([0.9, -0.8]), rng.normal(size=(150, 2))))


def long_tanh() -> Vjp:
    """h ← tanh(w h + x) over 60 steps: the gradient of the first x has all but vanished."""
    rng = np.random.default_rng(146)

    def f(w: Array, xs: Array) -> Array:
        def step(h: Array, x: Array) -> tuple[Array, Array]:
            h = jnp.tanh(w * h + x)
            return h, h

        return lax.scan(step, jnp.zeros_like(xs[0]), xs)[1]

    def fwd(w: Array, xs: Array) -> tuple[Array, Any]:
        hs = f(w, xs)
        return hs, (w, hs)

    def bwd(residuals: Any, dhs: Array) -> tuple[Array, Array]:
        w, hs = residuals

        def step(carry: Array, each: tuple[Array, Array]) -> tuple[Array, Array]:
            h, dh = each
            dz = (carry + dh) * (1 - h**2)
            return w * dz, dz

        dzs = lax.scan(step, jnp.zeros_like(hs[0]), (hs, dhs), reverse=True)[1]
        return (dzs[1:] * hs[:-1]).sum(), dzs

    return Vjp(f, fwd, bwd, (np.array(0.8), rng.normal(size=(60, 2))))


def same_twice() -> Vjp:
    """a · b with a and b equal, so that their gradients are too."""
    a = np.random.default_rng(147).normal(size=4)
    return Vjp(
        lambda a, b: a @ b, lambda a, b: (a @ b, (a, b)), lambda ab, g: (g * ab[1], g * ab[0]), (a, a.copy())
    )


def symmetric_weights() -> Vjp:
    """x W with W symmetric and x of equal entries: W and its transpose agree."""
    W = np.array([[2.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 1.0]])

    def bwd(residuals: Any, dy: Array) -> tuple[Array, Array]:
        W, x = residuals
        return x.T @ dy, dy @ W.T

    return Vjp(lambda W, x: x @ W, lambda W, x: (x @ W, (W, x)), bwd, (W, np.ones((2, 3))))


def batch_of_one() -> Vjp:
    """A dense layer with one example, one input and a mean over the batch."""
    rng = np.random.default_rng(148)

    def f(W: Array, x: Array) -> Array:
        return jnp.tanh(x @ W).mean(0)

    def bwd(residuals: Any, dy: Array) -> tuple[Array, Array]:
        W, x = residuals
        dz = dy / len(x) * (1 - jnp.tanh(x @ W) ** 2)
        return x.T @ dz, dz @ W.T

    return Vjp(f, lambda W, x: (f(W, x), (W, x)), bwd, (rng.normal(size=(1, 3)), rng.normal(size=(1, 1))))


class Moments(NamedTuple):
    """The mean and variance of the columns."""

    mean: Any
    variance: Any


def moments() -> Vjp:
    """A tree of outputs: the mean and variance of numbers about 1000."""
    x = 1000 + np.random.default_rng(149).normal(size=(5, 3))

    def f(x: Array) -> Moments:
        return Moments(x.mean(0), x.var(0))

    def bwd(x: Any, dy: Moments) -> tuple[Array]:
        return ((dy.mean + 2 * (x - x.mean(0)) * dy.variance) / len(x) * jnp.ones_like(x),)

    return Vjp(f, lambda x: (f(x), x), bwd, (x,))


def largest() -> Jacobian:
    """The maximum of each row; two rows share a value, no row holds it twice."""
    x = np.array([[1.0, 3.0, 2.0], [3.0, -1.0, 0.5]])

    def jac(x: Array) -> Array:
        return jnp.eye(2)[:, :, None] * jax.nn.one_hot(x.argmax(1), 3)

    return Jacobian(lambda x: x.max(1), jac, (x,))


def product() -> Jacobian:
    """The product of five numbers, one of which is zero: by the others alone."""

    def jac(x: Array) -> Array:
        return jnp.where(jnp.eye(len(x), dtype=bool), 1, x).prod(1)

    return Jacobian(jnp.prod, jac, (np.array([1.5, 0.0, -0.7, 2.0, 0.4]),))


def ordered() -> Vjp:
    """The entries in ascending order: a permutation."""
    x = np.random.default_rng(150).permutation(6) - 2.3

    def bwd(order: Any, dy: Array) -> tuple[Array]:
        return (jnp.zeros_like(dy).at[order].set(dy),)

    return Vjp(jnp.sort, lambda x: (jnp.sort(x), jnp.argsort(x)), bwd, (x,))


def turned() -> Vjp:
    """A square matrix transposed and flipped."""
    x = np.random.default_rng(151).normal(size=(4, 4))
    return Vjp(lambda x: x.T[::-1], lambda x: (x.T[::-1], None), lambda _, dy: (dy[::-1].T,), (x,))


def tiny_norm() -> Jacobian:
    """The length of a vector of size 1e−10."""
    x = 1e-10 * np.array([3.0, -4.0, 1.0])
    return Jacobian(lambda x: jnp.sqrt(x @ x), lambda x: x / jnp.sqrt(x @ x), (x,))


def ill_conditioned() -> Vjp:
    """A⁻¹ b with singular values over four decades."""
    rng = np.random.default_rng(152)
    Q = np.linalg.qr(rng.normal(size=(4, 4)))[0]

    def fwd(A: Array, b: Array) -> tuple[Array, Any]:
        x = jnp.linalg.solve(A, b)
        return x, (A, x)

    def bwd(residuals: Any, dy: Array) -> tuple[Array, Array]:
        A, x = residuals
        db = jnp.linalg.solve(A.T, dy)
        return -jnp.outer(db, x), db

    args = (Q @ np.diag([1, 0.1, 0.01, 0.001]) @ Q.T + np.diag([0.0, 0.0, 0.0, 1e-3]), rng.normal(size=4))
    return Vjp(jnp.linalg.solve, fwd, bwd, args)


def eigenvectors_away() -> Jacobian:
    """Two close eigenvalues of a symmetric matrix: (A + Aᵀ)/2 read through its trace and determinant."""

    def f(A: Array) -> Array:
        m, half = (A[0, 0] + A[1, 1]) / 2, (A[0, 0] - A[1, 1]) / 2
        r = jnp.sqrt(half**2 + ((A[0, 1] + A[1, 0]) / 2) ** 2)
        return jnp.stack((m - r, m + r))

    def jac(A: Array) -> Array:
        half, off = (A[0, 0] - A[1, 1]) / 2, (A[0, 1] + A[1, 0]) / 2
        r = jnp.sqrt(half**2 + off**2)
        D = jnp.array([[half, off], [off, -half]]) / (2 * r)
        return jnp.stack((jnp.eye(2) / 2 - D, jnp.eye(2) / 2 + D))

    return Jacobian(f, jac, (np.array([[2.0, 0.01], [0.01, 2.03]]),))


def holomorphic() -> Vjp:
    """exp of a complex array, with real and imaginary entries among them."""
    z = np.array([0.5 + 0j, 1j, -1 + 2j, 0j])
    return Vjp(jnp.exp, lambda z: (jnp.exp(z), jnp.exp(z)), lambda y, dy: (dy * y,), (z,))


def scalars() -> Jacobian:
    """A number to a number."""
    return Jacobian(jnp.sin, jnp.cos, (np.array(0.7),))


def flat() -> Hessian:
    """A linear function: no curvature at all."""
    a = np.array([1.0, -2.0, 0.5])
    return Hessian(lambda x: x @ a, lambda x: jnp.zeros((3, 3), x.dtype), (np.array([0.3, 0.8, -1.0]),))


def inflection() -> Hessian:
    """Σ x³ with an inflection at one of the places."""
    return Hessian(lambda x: (x**3).sum(), lambda x: jnp.diag(6 * x), (np.array([0.0, 1.2, -0.4]),))


def deep_chain() -> Chain:
    """Twelve links of x ↦ tanh(1.2 x), and one that doubles."""
    links = tuple(
        Link(f"tanh {k}", lambda x: jnp.tanh(1.2 * x), lambda x: jnp.diag(1.2 * (1 - jnp.tanh(1.2 * x) ** 2)))
        for k in range(12)
    )
    return Chain(
        (*links, Link("double", lambda x: 2 * x, lambda x: 2 * jnp.eye(3))), np.array([0.4, -1.0, 2.0])
    )


def single_link() -> Chain:
    """A chain of one link, the Jacobian of which is the whole."""
    square = Link("square", lambda x: x**2, lambda x: jnp.diag(2 * x))
    return Chain((square,), np.array([0.0, 1.0, -3.0]), lambda x: jnp.diag(2 * x))


CASES = (
    Case("leaves over ten decades", scales()),
    Case("empty, integer and unused leaves", unused()),
    Case("integer argument with float0", float0()),
    Case("bias before a softmax", shifted_softmax()),
    Case("confident cross-entropy", confident()),
    Case("log-sum-exp at 300", large_logits()),
    Case("linear recurrence of 150 steps", recurrence()),
    Case("tanh recurrence of 60 steps", long_tanh()),
    Case("equal arguments", same_twice()),
    Case("symmetric weights", symmetric_weights()),
    Case("batch of one", batch_of_one()),
    Case("mean and variance about 1000", moments()),
    Case("maximum of rows", largest()),
    Case("product with a zero", product()),
    Case("sorting", ordered()),
    Case("transposition", turned()),
    Case("tiny vector's length", tiny_norm()),
    Case("ill-conditioned solve", ill_conditioned()),
    Case("close eigenvalues", eigenvectors_away()),
    Case("complex exponential", holomorphic()),
    Case("number to number", scalars()),
    Case("flat function", flat()),
    Case("inflection", inflection()),
    Case("deep chain", deep_chain()),
    Case("chain of one link", single_link()),
)
