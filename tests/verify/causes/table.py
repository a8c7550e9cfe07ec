"""Mistakes of every kind that there is, and what the checker must say of each."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import mvcalc_jax as mv
from mvcalc_jax.verify import Report


class Case(NamedTuple):
    """A wrong derivative: the kind of its first diagnosis, a word of its detail, whether that is certified."""

    kind: str
    check: Callable[[], Report]
    word: str
    certified: bool = True


_RNG = np.random.default_rng(7)
X, Y, Z = _RNG.standard_normal((5, 3)), _RNG.standard_normal((5, 2)), 1 + _RNG.random(4)
W, V, A, B = (_RNG.standard_normal(shape) for shape in ((3, 2), (3, 3), (3, 3), (3, 3)))
b, C = _RNG.standard_normal((1, 2)), Z[:3] + 1j * Z[1:]
T = _RNG.standard_normal((2, 2, 2))


def mean_square(W, X, Y):
    """‖XW − Y‖²/n, as a layer without activation has it."""
    residual = X @ W - Y
    return (residual**2).sum() / len(X)


def layer(W, b, X):
    """An affine layer, an activation, and a sum of squares."""
    z = X @ W + b
    a = jnp.tanh(z)
    return (a**2).sum()


def d_layer(W, b, X):
    a = jnp.tanh(X @ W + b)
    dz = 2 * a * (1 - a**2)
    return X.T @ dz, dz.sum(axis=0, keepdims=True)


def centred(x):
    """Squared deviations from the mean, with a weight on each."""
    mean = x.mean()
    away = x - mean
    return (jnp.arange(1.0, 5) * away**3).sum()


def softmax(x):
    e = jnp.exp(x - x.max())
    return e / e.sum()


def d_softmax(x):
    p = softmax(x)
    return jnp.diag(p) - p[:, None] * p[None, :]


def pair(A, B):
    """A product of matrices, and a weighted sum of it."""
    product = A @ B
    return (jnp.sin(product) * jnp.asarray(V)).sum()


def table(f, jac, *args, argnums=0):
    return partial(mv.check_jacobian, f, jac, *args, argnums=argnums)
