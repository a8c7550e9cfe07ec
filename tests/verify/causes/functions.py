"""Functions of a few lines and their right derivatives, some of which can be made wrong."""

import jax.numpy as jnp
import numpy as np

RNG = np.random.default_rng(7)
X, Y, W, b = (RNG.standard_normal(shape) for shape in ((5, 3), (5, 2), (3, 2), (1, 2)))
A, B, V = (RNG.standard_normal((3, 3)) for _ in range(3))
P, T = 1 + RNG.random(4), 1 + RNG.random((2, 2, 2))
C = P[:3] + 1j * P[1:]
INDEX = np.array([0, 1, 1, 3])
WEIGHTS = np.arange(1.0, 5)


def regression(W, X, Y):
    residual = X @ W - Y
    return (residual**2).sum() / len(X)


def d_regression(W, X, Y):
    return 2 * X.T @ (X @ W - Y) / len(X)


def layer(W, b, X):
    z = X @ W + b
    a = jnp.tanh(z)
    return (a**2).sum()


def d_layer(W, b, X, d_tanh=lambda z: 1 - jnp.tanh(z) ** 2, over=lambda dz: dz.sum(axis=0, keepdims=True)):
    z = X @ W + b
    dz = 2 * jnp.tanh(z) * d_tanh(z)
    return X.T @ dz, over(dz)


def softmax(x):
    e = jnp.exp(x)
    total = e.sum()
    return e / total


def d_softmax(x, sign=-1):
    p = softmax(x)
    return jnp.diag(p) + sign * p[:, None] * p[None, :]


def deviations(x):
    mean = x.mean()
    away = x - mean
    return (jnp.asarray(WEIGHTS) * away**3).sum()


def product(A, B):
    C = A @ B
    return (jnp.sin(C) * jnp.asarray(V)).sum()


def d_product(A, B):
    dC = jnp.cos(A @ B) * V
    return dC @ B.T, A.T @ dC


def gathered(x):
    taken = x[INDEX]
    return (taken**3).sum()


def d_gathered(x, last=False):
    at = jnp.zeros_like(x).at[INDEX]
    return at.set(3 * x[INDEX] ** 2) if last else at.add(3 * x[INDEX] ** 2)


def cumulated(x):
    sums = jnp.cumsum(x)
    return (sums**2).sum()


def wave(x):
    inner = jnp.sin(x)
    return jnp.exp(inner).sum()


def masked(x):
    squares = x[:, None] * x[None, :]
    return jnp.where(np.tri(4, dtype=bool), squares, 0.0)


def d_unmasked(x):
    eye = jnp.eye(4, dtype=x.dtype)
    return eye[:, None, :] * x[None, :, None] + eye[None, :, :] * x[:, None, None]


def tensor(T):
    return (jnp.sin(T) * np.arange(8.0).reshape(2, 2, 2)).sum()


def d_tensor(T):
    return jnp.cos(T) * np.arange(8.0).reshape(2, 2, 2)


def linear(x):
    return jnp.asarray(V) @ jnp.sin(x)


def d_linear(x):
    return V * jnp.cos(x)[None, :]


def growing(x):
    return jnp.cumsum(x**2)


def hyperbolic(x):
    return jnp.cosh(x).sum()


def bump(x):
    return jnp.exp(jnp.sin(x).sum())


def d2_bump(x):
    c = jnp.cos(x)
    return bump(x) * (c[:, None] * c[None, :] - jnp.diag(jnp.sin(x)))


def cubic(z):
    return z * z * z
