"""The symmetric Taylor remainder: a slope of three if the derivative is right, of one if it is not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.verify.slopes import RIGHT, WRONG, steepness

pytestmark = pytest.mark.slow  # what a newer JAX may break is tested in less time elsewhere

STEPS = 2.0 ** -np.arange(2, 26)
X = np.array([1.3, 0.4, 2.2])


@pytest.mark.parametrize("power", [1, 2, 3])
def test_steepness_of_a_power(power):
    remainder = 5 * STEPS**power + 1e-17 * np.sin(np.arange(24)) ** 2
    assert steepness(STEPS, remainder, 1e-16) == pytest.approx(power, abs=0.02)


def test_steepness_below_the_noise_is_unknown():
    assert np.isnan(steepness(STEPS, STEPS**3, 1.0))
    assert np.isnan(steepness(STEPS, np.full(24, np.nan), 1e-16))
    assert steepness(STEPS, np.where(STEPS > 0.1, np.nan, STEPS**3), 1e-18) == pytest.approx(3)


def f(x):
    return jnp.exp(jnp.sin(x).sum())


def jac(x):
    return f(x) * jnp.cos(x)


def test_right_and_wrong_derivatives_have_their_slopes():
    assert mv.check_jacobian(f, jac, X).slope.slope >= RIGHT
    for change in (lambda J: 1.001 * J, lambda J: -J, lambda J: J.at[1].add(1e-4)):
        report = mv.check_jacobian(f, lambda x, change=change: change(jac(x)), X)
        assert report.verdict == "wrong"
        assert report.slope.slope <= WRONG
        right = steepness(report.slope.steps, report.slope.autodiff, report.slope.noise)
        assert right >= RIGHT  # autodiff's own, next to it
        assert report.to_dict()["slope"] == report.slope.slope


def test_the_remainder_of_a_linear_function_is_rounding():
    slope = mv.check_jacobian(
        lambda x: jnp.asarray([1.0, 2, 3], x.dtype) @ x, lambda x: np.array([1.0, 2, 3]), X
    ).slope
    assert np.isnan(slope.slope)
    assert slope.by_hand.max() <= 10 * slope.noise


def test_backward_passes_have_one_too():
    keep = lambda x: (jnp.sin(x), x)
    assert mv.check_vjp(jnp.sin, keep, lambda x, g: (g * jnp.cos(x),), X).slope.slope >= RIGHT
    assert mv.check_vjp(jnp.sin, keep, lambda x, g: (g * 1.01 * jnp.cos(x),), X).slope.slope <= WRONG


def test_complex_functions_have_none():
    with jax.numpy_dtype_promotion("standard"):
        report = mv.check_jacobian(jnp.sin, lambda z: jnp.diag(jnp.cos(z)), X + 0.5j)
    assert report.verdict == "correct"
    assert report.slope is None
