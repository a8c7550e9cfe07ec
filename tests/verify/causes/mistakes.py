"""Mistakes of every kind that there is; the tests say what each must be called."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import mvcalc_jax as mv
from mvcalc_jax.verify import Link, Report
from tests.verify.causes.functions import (
    WEIGHTS,
    A,
    B,
    C,
    P,
    T,
    V,
    W,
    X,
    Y,
    b,
    bump,
    cubic,
    cumulated,
    d2_bump,
    d_gathered,
    d_layer,
    d_linear,
    d_product,
    d_regression,
    d_softmax,
    d_tensor,
    d_unmasked,
    deviations,
    gathered,
    growing,
    hyperbolic,
    layer,
    linear,
    masked,
    product,
    regression,
    softmax,
    tensor,
    wave,
)


class Mistake(NamedTuple):
    """The kind of the first diagnosis, the check that must make it, a word of it, and whether it is certified."""

    kind: str
    check: Callable[[], Report]
    word: str
    certified: bool = True


def _jacobian(f, jac, *args, argnums=0):
    return partial(mv.check_jacobian, f, jac, *args, argnums=argnums)


def _layer(jac):
    return _jacobian(layer, jac, W, b, X, argnums=(0, 1))


def _back(change, fwd=lambda x: (jnp.sin(x), x)):
    """The backward pass of the sine with another cotangent."""
    return partial(mv.check_vjp, jnp.sin, fwd, lambda x, g: (change(g) * jnp.cos(x),), P)


def _links(first, second):
    sine = Link("sine", jnp.sin, lambda x: first(jnp.diag(jnp.cos(x))))
    square = Link("square", lambda x: x**2, lambda x: second(jnp.diag(2 * x)))
    return partial(mv.check_chain, [sine, square], P, lambda x: jnp.diag(2 * jnp.sin(x) * jnp.cos(x)))


MISTAKES = {
    "no mean": Mistake(
        "scale",
        _jacobian(regression, lambda *a: len(a[1]) * d_regression(*a), W, X, Y),
        "too large by a factor of 5 (5 is the length of axis 0 of args[1]",
    ),
    "no 2": Mistake(
        "scale", _layer(lambda *a: jax.tree.map(lambda d: d / 2, d_layer(*a))), "too small by a factor of 2"
    ),
    "sign": Mistake(
        "sign", _jacobian(regression, lambda *a: -d_regression(*a), W, X, Y), "has the wrong sign"
    ),
    "sign of a term": Mistake(
        "sign", _jacobian(softmax, partial(d_softmax, sign=1), P), "the sum in `total = e.sum()`"
    ),
    "zero": Mistake("zero", _layer(lambda *a: (d_layer(*a)[0], 0 * a[1])), "zero throughout"),
    "zero block": Mistake(
        "zero",
        _jacobian(product, lambda *a: (0 * a[0], d_product(*a)[1]), A, B, argnums=(0, 1)),
        "zero throughout",
    ),
    "transpose": Mistake(
        "transpose", _jacobian(product, lambda *a: d_product(*a)[0].T, A, B), "is transposed"
    ),
    "transposed rows": Mistake(
        "transpose", _jacobian(linear, lambda x: d_linear(x).T, P[:3]), "is transposed"
    ),
    "axes permuted": Mistake(
        "axis-permuted", _jacobian(tensor, lambda T: jnp.transpose(d_tensor(T), (1, 2, 0)), T), "(2, 0, 1)"
    ),
    "rolled": Mistake(
        "axis-permuted", _jacobian(gathered, lambda x: jnp.roll(d_gathered(x), 1), P), "rolled by 1"
    ),
    "backwards": Mistake(
        "axis-flipped", _jacobian(gathered, lambda x: d_gathered(x)[::-1], P), "runs backwards along axis 0"
    ),
    "the sums of a sum": Mistake(
        "axis-flipped",
        _jacobian(cumulated, lambda x: 2 * jnp.cumsum(jnp.cumsum(x)), P),
        "runs the same way back as forth",
    ),
    "leaves swapped": Mistake(
        "swapped-leaves",
        _jacobian(product, lambda *a: d_product(*a)[::-1], A, B, argnums=(0, 1)),
        "args[0] and args[1] hold each other's derivatives",
    ),
    "no tanh′": Mistake(
        "missing-factor",
        _layer(partial(d_layer, d_tanh=jnp.ones_like)),
        "tanh′ is missing as a factor in `a = jnp.tanh(z)`",
    ),
    "tanh′ twice": Mistake(
        "missing-factor",
        _layer(partial(d_layer, d_tanh=lambda z: (1 - jnp.tanh(z) ** 2) ** 2)),
        "tanh′ is applied twice in `a = jnp.tanh(z)`",
    ),
    "no inner derivative": Mistake(
        "missing-factor",
        _jacobian(wave, lambda x: jnp.exp(jnp.sin(x)), P),
        "the cosine, the derivative of the sine is missing as a factor in `inner = jnp.sin(x)`",
    ),
    "no mean's derivative": Mistake(
        "missing-term",
        _jacobian(deviations, lambda x: 3 * jnp.asarray(WEIGHTS) * (x - x.mean()) ** 2, P),
        "in `mean = x.mean()`",
    ),
    "no coupling": Mistake(
        "missing-term", _jacobian(softmax, partial(d_softmax, sign=0), P), "the sum in `total = e.sum()`"
    ),
    "no sum over samples": Mistake(
        "missing-sum",
        _layer(partial(d_layer, over=lambda dz: dz[:1])),
        "the sum over axis 0 that belongs to the sum in `z = X @ W + b`",
    ),
    "indices twice": Mistake(
        "missing-sum", _jacobian(gathered, partial(d_gathered, last=True), P), "`taken = x[INDEX]`"
    ),
    "tanh′ of tanh": Mistake(
        "wrong-intermediate",
        _layer(partial(d_layer, d_tanh=lambda z: 1 - jnp.tanh(jnp.tanh(z)) ** 2)),
        "in `a = jnp.tanh(z)`",
    ),
    "outer derivative inside": Mistake(
        "wrong-intermediate",
        _jacobian(wave, lambda x: jnp.exp(x) * jnp.cos(x), P),
        "takes args[0] for the sine in `inner = jnp.sin(x)`",
    ),
    "factors reversed": Mistake(
        "reversed-order",
        _jacobian(product, lambda A, B: B.T @ (jnp.cos(A @ B) * V), A, B),
        "wrong order in `C = A @ B`",
    ),
    "one entry": Mistake(
        "localised",
        _jacobian(linear, lambda x: d_linear(x).at[2, 1].multiply(1.5), P[:3]),
        "1 of 9 entries only",
    ),
    "one row": Mistake(
        "localised",
        _jacobian(cumulated, lambda x: (2 * jnp.cumsum(jnp.cumsum(x)[::-1])[::-1]).at[2].multiply(3), P),
        "axis 0 at 2",
    ),
    "no mask": Mistake("extra-support", _jacobian(masked, d_unmasked, P), "entries that were not chosen"),
    "too much": Mistake(
        "extra-support",
        _jacobian(
            growing,
            lambda x: (
                jnp.tril(jnp.ones((4, 4), x.dtype)) * 2 * x[None, :] + jnp.triu(jnp.ones((4, 4), x.dtype), 1)
            ),
            P,
        ),
        "must be zero in 6 of 16 entries",
    ),
    "one triangle": Mistake(
        "missing-support",
        _jacobian(linear, lambda x: jnp.triu(d_linear(x)), P[:3]),
        "is zero in 3 of 9 entries",
    ),
    "cotangent ignored": Mistake("ignores-cotangent", _back(jnp.ones_like), "does not use it"),
    "cotangent squared": Mistake("nonlinear-in-cotangent", _back(jnp.square), "cotangent"),
    "another value": Mistake(
        "primal-mismatch", _back(lambda g: g, lambda x: (jnp.cos(x), x)), "where numpy.sin is"
    ),
    "at random": Mistake(
        "nondeterministic",
        _jacobian(wave, lambda x: np.random.default_rng().random(4), P),
        "something else each time",
    ),
    "0/0": Mistake(
        "nan",
        _jacobian(wave, lambda x: jnp.exp(jnp.sin(x)) * jnp.cos(x) * (x - 5 * x) / (0 * x), P),
        "NaN or infinite",
    ),
    "flat": Mistake(
        "shape",
        _jacobian(regression, lambda *a: d_regression(*a).ravel(), W, X, Y),
        "must have shape (3, 2); got (6,)",
    ),
    "a leaf only": Mistake("shape", _layer(lambda *a: d_layer(*a)[0]), "must return (*, *)"),
    "conjugate": Mistake(
        "conjugate", _jacobian(cubic, lambda z: jnp.diag(3 * jnp.conj(z) ** 2), C), "complex conjugate"
    ),
    "compensating": Mistake(
        "compensating", _links(lambda J: 2 * J, lambda J: J / 2), "make up for each other"
    ),
    "asymmetric": Mistake(
        "asymmetric",
        partial(mv.check_hessian, bump, lambda x: jnp.triu(d2_bump(x)), P),
        "only the upper triangle",
    ),
    "digits lost": Mistake(
        "accuracy",
        _jacobian(hyperbolic, lambda x: (jnp.exp(x) - jnp.exp(-x)) / 2, P / 1e5),
        "formula is right",
    ),
}
