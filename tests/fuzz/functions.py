"""Functions as users write them, good and hostile. What fails in this file is the user's own failure."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

ONE = (
    jnp.sin,
    jnp.exp,
    jnp.abs,
    jnp.sqrt,
    jnp.log,
    jnp.tan,
    jnp.floor,
    lambda x: x**3 - 2 * x + 2,
    lambda x: 1 / x,
    lambda x: jnp.sin(x) * jnp.exp(jnp.cos(x)),
    lambda x: jnp.where(x > 0, x, 0.0),
    lambda x: x * jnp.sin(1 / x),
    lambda x: jnp.exp(x**2),
    lambda x: x**2,
    lambda x: 0 * x,
    lambda x: 1e-300 * x,
    lambda x: 1e300 * x,
    lambda x: (x - 1) ** 4,
    jax.jit(lambda x: jnp.arctan(x) - 0.3),
)
"""Of one number, elementwise."""

MANY = (
    lambda p: p @ p,
    lambda p: jnp.sum(jnp.sin(p)),
    lambda p: (p[0] ** 2 + p[1] - 11) ** 2 + (p[0] + p[1] ** 2 - 7) ** 2,
    lambda p: 100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2,
    lambda p: jnp.prod(p),
    lambda p: p[0] ** 2 - p[1] ** 2,
    lambda p: jnp.max(p),
    lambda p: jnp.linalg.norm(p),
    lambda p: p[0] ** 3 - 3 * p[0] * p[1] ** 2,
    lambda p: jnp.exp(-(p @ p)),
    lambda p: 0 * p[0],
    lambda p: 1 / p[0] + p[1],
    jax.jit(lambda p: jnp.log(p[0]) + p[1] ** 2),
)
"""Of a point, one number."""

MAPS = (
    lambda p: jnp.stack([p[0] * jnp.cos(p[1]), p[0] * jnp.sin(p[1])]),
    lambda p: jnp.stack([p[0] ** 2 - p[1] ** 2, 2 * p[0] * p[1]]),
    lambda p: jnp.stack([p[0] ** 2 + p[1] ** 2 - 4, p[0] * p[1] - 1]),
    lambda p: 2 * p,
    lambda p: 0 * p,
    lambda p: jnp.sqrt(p),
)
"""Of a plane into a plane."""

MODELS = (
    (lambda x, a: a * x, 1),
    (lambda x, a, b: a * x + b, 2),
    (lambda x, a, b: a * jnp.exp(-b * x), 2),
    (lambda x, a, b, c: a / (1 + (x - b) ** 2 / c**2), 3),
    (lambda x, a, b: a * jnp.sin(b * x), 2),
    (lambda x, a, b: a + 0 * b * x, 2),
    (lambda x, a, b: jnp.log(a) * x**b, 2),
)
"""Of curve_fit, and how many parameters each has."""

RIGHT = (
    (lambda x: jnp.sum(jnp.sin(x)), jnp.cos),
    (jnp.tanh, lambda x: jnp.diag(1 - jnp.tanh(x) ** 2)),
    (lambda x: x @ x, lambda x: 2 * x),
    (lambda x: jnp.exp(x[0]) * x[1], lambda x: jnp.exp(x[0]) * jnp.array([1.0, 0]).at[0].set(x[1])),
)
"""Functions of two numbers, each with its Jacobian."""

PAIRS = ((jnp.sin, lambda x: (jnp.sin(x), x), lambda r, g: (g * jnp.cos(r),)),
         (lambda x: x**2, lambda x: (x**2, x), lambda r, g: (2 * r * g,)))  # fmt: skip
"""Functions, each with the two passes of its custom derivative."""


class Silent(Exception):
    def __str__(self):
        raise RuntimeError("this exception has no words")


class Callable:
    """A function that is an object."""

    def __call__(self, x, *rest):
        return jnp.sum(x**2)


def fails(*args):
    raise ValueError("no\nmore")


def lacks(*args):
    return {}["missing"]


def silent(*args):
    raise Silent


def endless(*args):
    return endless(*args)


def in_place(x, *rest):
    x[...] = 0.0
    return x


def branches(x, *rest):
    return x if x > 0 else -x


def loops(x, *rest):
    return jax.lax.while_loop(lambda y: jnp.sum(jnp.abs(y)) > 1, lambda y: y / 2, x)


def asserts(x, *rest):
    assert isinstance(x, str), "a string, please"


def nothing():
    return 1.0


def of_three(a, b, c):
    return a * b * c


HOSTILE = (
    fails,
    lacks,
    silent,
    endless,
    in_place,
    branches,
    loops,
    asserts,
    nothing,
    of_three,
    Callable(),
    functools.partial(of_three, 1.0),
    lambda *args: None,
    lambda *args: "abc",
    lambda *args: [1.0, 2.0],
    lambda *args: {"a": args[0]},
    lambda *args: (args[0], args[0]),
    lambda *args: 1,
    lambda *args: True,
    lambda *args: 1.0,
    lambda *args: jnp.nan * jnp.sum(args[0]),
    lambda *args: jnp.inf + jnp.sum(args[0]),
    lambda *args: jnp.zeros(0),
    lambda *args: jnp.zeros((2, 3)),
    lambda *args: args[0] * 1j,
    lambda *args: jnp.round(args[0]).astype(int),
    lambda *args: args[0] > 0,
    lambda *args: np.sum(np.sin(np.asarray(args[0]))),
    lambda *args: math.sin(args[0]),
    lambda *args: float(args[0]),
    lambda *args: jnp.sum(args[0]) * np.random.rand(),
    lambda *args: np.array([None, "a"]),
    lambda *args: args[0].astype("float16"),
    lambda *args: jnp.sum(args[0], axis=7),
    lambda *args: jax.random.key(0),
    lambda *args: args[0][100],
    lambda *args: jnp.sort(args[0]),
    lambda *args: jax.pure_callback(lambda x: np.asarray(x), args[0], args[0]),
    lambda *args: max(*args),
    lambda *args: len(args[0]),
    lambda *args: type(*args),
    np.sin,
)
