"""A file of a user's, with functions that are right and wrong, in all the ways in which they may be named."""

LAYER = """
import dataclasses
import os
import pickle
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax.verify import Link

print("printed on import")
os.system("echo printed by a child")


@dataclasses.dataclass
class Settings:
    scale: float = 0.1


pickle.loads(pickle.dumps(Settings()))
SCALE = jnp.array(Settings().scale)


def f(x):
    jax.debug.print("printed by f")
    return SCALE * jnp.sin(x)


def jac(x):
    return jnp.diag(0.1 * jnp.cos(x))


def wrong(x):
    return jnp.diag(-0.1 * jnp.cos(x))


def with_two(x, W):
    return jnp.sum((W @ x) ** 2)


def hess(x, W):
    return 2 * W.T @ W


def fwd(x):
    return f(x), x


def bwd(x, v):
    return (v * 0.1 * jnp.cos(x),)


custom = jax.custom_vjp(lambda x: SCALE * jnp.sin(x))
custom.defvjp(fwd, bwd)
jitted = jax.jit(custom)
forward = jax.custom_jvp(f)
links = [Link("sine", f, jac), Link("again", f, jac)]


class Net:
    def __init__(self):
        self.f = f


net = Net()
number = 3
example_args = (np.array([0.3, -1.2]),)
with_two.example_args = lambda rng: (rng.standard_normal(3), rng.standard_normal((2, 3)))
"""
