"""Correct derivatives of elementwise functions, at places where a careless checker finds fault."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import digamma, gammaln

from benchmarks.bugs.case import Case, Vjp


def elementwise(
    name: str, f: Callable[[Array], Array], slope: Callable[[Array], Any], x: np.ndarray | list[float]
) -> Case:
    """A control: y = f(x) entry by entry, with f' by hand."""

    def bwd(x: Any, dy: Array) -> tuple[Array]:
        return (dy * slope(x),)

    return Case(name, Vjp(f, lambda x: (f(x), x), bwd, (np.asarray(x, float),)))


def _sigmoid_slope(x: Array) -> Array:
    return jax.nn.sigmoid(x) * jax.nn.sigmoid(-x)


def _root(x: Array) -> Array:
    return jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1)), 0)


def _root_slope(x: Array) -> Array:
    return jnp.where(x > 0, 0.5 / jnp.sqrt(jnp.where(x > 0, x, 1)), 0)


def _log(x: Array) -> Array:
    return jnp.where(x > 0.1, jnp.log(jnp.where(x > 0.1, x, 1)), -1)


def _log_slope(x: Array) -> Array:
    return jnp.where(x > 0.1, 1 / jnp.where(x > 0.1, x, 1), 0)


def _huber(x: Array) -> Array:
    return jnp.where(jnp.abs(x) < 1, x**2 / 2, jnp.abs(x) - 0.5)


_rng = np.random.default_rng(131)
_x = _rng.normal(size=6)
_signed = np.array([-2.0, -0.7, 0.4, 1.3, -1.1])

CASES = (
    elementwise("ReLU away from zero", jax.nn.relu, lambda x: x > 0, _signed),
    elementwise("ReLU at zero", jax.nn.relu, lambda x: x > 0, [-1.2, 0.0, 0.8, 0.0, 2.1]),
    elementwise("ReLU, all below zero", jax.nn.relu, lambda x: x > 0, -np.abs(_signed)),
    elementwise("tanh at ±30", jnp.tanh, lambda x: 1 - jnp.tanh(x) ** 2, [-30, 30, -31.5, 30.7]),
    elementwise("tanh, part saturated", jnp.tanh, lambda x: 1 - jnp.tanh(x) ** 2, [-30, -0.4, 0.3, 30]),
    elementwise("sigmoid at ±30", jax.nn.sigmoid, _sigmoid_slope, [-30, -29.2, -31, -28.6]),
    elementwise("sigmoid, part saturated", jax.nn.sigmoid, _sigmoid_slope, [-30, -0.5, 1.2, 30]),
    elementwise("softplus at ±80", jax.nn.softplus, jax.nn.sigmoid, [-80, -3, 0.2, 80]),
    elementwise("cosine about zero", jnp.cos, lambda x: -jnp.sin(x), [0, -0.3, 0.3, 1.1]),
    elementwise("square at zero", lambda x: x**2, lambda x: 2 * x, [0, 0, 0]),
    elementwise("cube at zero", lambda x: x**3, lambda x: 3 * x**2, [0, 1, -1]),
    elementwise("linear, with a large slope", lambda x: 1e6 * x, lambda x: 1e6, _x),
    elementwise("affine, with a tiny slope", lambda x: 3 + 1e-6 * x, lambda x: 1e-6, _x),
    elementwise("constant", jnp.ones_like, jnp.zeros_like, _x),
    elementwise("identity", lambda x: x, jnp.ones_like, _x),
    elementwise(
        "hypotenuse, large arguments",
        lambda x: jnp.sqrt(1 + x**2),
        lambda x: x / jnp.sqrt(1 + x**2),
        1e7 * _x,
    ),
    elementwise("expm1, small arguments", jnp.expm1, jnp.exp, 1e-8 * _x),
    elementwise("logarithm, small arguments", jnp.log, lambda x: 1 / x, [1e-12, 3e-9, 2e-10]),
    elementwise("reciprocal over ten decades", lambda x: 1 / x, lambda x: -1 / x**2, [1e-5, 0.3, -40, 1e5]),
    elementwise("exponential over ten decades", jnp.exp, jnp.exp, [-12, -3, 1, 11]),
    elementwise("absolute value away from zero", jnp.abs, jnp.sign, _signed),
    elementwise("Huber's function", _huber, lambda x: jnp.clip(x, -1, 1), [-3, -0.6, 0.2, 0.5, 2.2]),
    elementwise("clip", lambda x: jnp.clip(x, -1, 1), lambda x: jnp.abs(x) < 1, [-3, -0.6, 0.2, 0.5, 2.2]),
    elementwise("guarded square root", _root, _root_slope, [-1.0, 0.0, 0.4, 2.5]),
    elementwise("guarded logarithm", _log, _log_slope, [-1.0, 0.0, 0.4, 2.5]),
    elementwise("step away from the jump", lambda x: jnp.floor(x), jnp.zeros_like, [0.5, 1.4, -2.5]),
    elementwise("fast oscillation", lambda x: jnp.sin(50 * x), lambda x: 50 * jnp.cos(50 * x), _x),
    elementwise("log-gamma", gammaln, digamma, [0.4, 1.3, 4.0, 7.7]),
    elementwise("power of ten thousands", lambda x: x**40, lambda x: 40 * x**39, [0.5, 0.9, 1.1, 1.2]),
)
