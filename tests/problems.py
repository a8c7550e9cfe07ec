"""Functions with known descents, and their derivatives, for tests of the loop."""

import jax
import jax.numpy as jnp
import numpy as np

SCALES = np.array([1.0, 10.0])


START = np.array([3.0, -2.0])


def bowl(p):
    return jnp.sum(jnp.asarray(SCALES, p.dtype) * p**2) / 2


def d_bowl(p):
    return jnp.asarray(SCALES, p.dtype) * p


def square(p, x):
    return jnp.mean((p[0] - x) ** 2)


def d_square(p, x):
    return 2 * jnp.mean(p[0] - x, keepdims=True)


def quartic(p):
    return jnp.sum(p**4) / 4


def d_quartic(p):
    return p**3


def leaves_equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))
