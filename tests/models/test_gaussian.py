"""The Gaussian: values, hand-written derivatives in the middle, in far tails and for tiny σ, and its errors."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mvcalc_jax import autodiff
from mvcalc_jax.calculus import central_difference
from mvcalc_jax.compiling import quickly
from mvcalc_jax.models import gaussian
from tests.conftest import TOLERANCE


def test_density_is_the_closed_form_and_integrates_to_one(float64):
    x = np.linspace(-9, 12, 20001)
    f = gaussian.density(np.array([1.5, 0.7]), x)
    np.testing.assert_allclose(
        f, np.exp(-((x - 1.5) ** 2) / (2 * 0.49)) / (0.7 * math.sqrt(2 * math.pi)), rtol=1e-12
    )
    assert np.trapezoid(f, x) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("theta", [(1.3, 0.7), (-200.0, 45.0), (0.02, 0.003)])
def test_jacobians_are_autodiffs(theta, rng, precision):
    theta = jnp.asarray(theta, precision)
    x = theta[0] + theta[1] * jnp.asarray(3 * rng.standard_normal(19), precision)
    y = jnp.asarray(rng.random(19) / theta[1], precision)
    for f, by_hand, args in (
        (gaussian.density, gaussian.jacobian, (theta, x)),
        (gaussian.chi_squared, gaussian.chi_squared_jacobian, (theta, x, y)),
    ):
        modes = [autodiff.jacobian(f, mode=mode) for mode in ("forward", "reverse")]
        exact = jax.jit(lambda *args, modes=modes: [of(*args) for of in modes], compiler_options=quickly())
        found = np.asarray(by_hand(*args))
        for true in map(np.asarray, exact(*args)):
            assert found.shape == true.shape
            assert np.abs(found - true).max() <= TOLERANCE[precision] * np.abs(true).max()


def test_jacobian_is_a_finite_differences_too(rng, float64):
    theta, x = jnp.array([1.3, 0.7]), jnp.asarray(rng.standard_normal(7))
    np.testing.assert_allclose(
        gaussian.jacobian(theta, x),
        central_difference(lambda t: gaussian.density(t, x), theta, 1e-5),
        atol=1e-8,
    )


def test_far_tails_and_tiny_sigma_are_zero_and_not_nan(precision):
    x = jnp.asarray([-1e30, -1e4, 0, 1, 1e4, 1e30], precision)
    for sigma in (1e-30, 1e-8, 1.0, 1e8):
        theta = jnp.asarray([0, sigma], precision)
        value, slope = gaussian.density(theta, x), gaussian.jacobian(theta, x)
        assert np.isfinite(value).all()
        assert not np.isnan(slope).any()
        assert value[0] == value[-1] == 0
        assert (slope[0] == 0).all()
        assert (slope[-1] == 0).all()


def test_tail_is_right_until_it_underflows(float64):
    for u in (5.0, 20.0, 37.0):
        f, (df_dμ, df_dσ) = (
            gaussian.density(jnp.array([0, 1.0]), jnp.array(u)),
            gaussian.jacobian(jnp.array([0, 1.0]), jnp.array(u)),
        )
        expected = math.exp(-u * u / 2) / math.sqrt(2 * math.pi)
        np.testing.assert_allclose(
            (f, df_dμ, df_dσ), (expected, expected * u, expected * (u * u - 1)), rtol=1e-12
        )


def test_autodiff_through_the_tails_is_finite_as_well(float64):
    J = jax.jacobian(gaussian.density)(jnp.array([0.0, 1e-100]), jnp.array([1.0, 1e300]))
    assert (J == 0).all()


def test_jacobian_has_a_trailing_axis_for_any_shape_of_x(float64):
    assert gaussian.jacobian(jnp.array([0.0, 1]), jnp.zeros((2, 3))).shape == (2, 3, 2)
    assert gaussian.jacobian(jnp.array([0.0, 1]), jnp.zeros(())).shape == (2,)


def test_sigma_that_is_not_positive_raises_where_known_and_is_nan_where_not(float64):
    for sigma in (0.0, -1.0):
        with pytest.raises(ValueError, match="`sigma` must be positive; got"):
            gaussian.density(jnp.array([0.0, sigma]), jnp.zeros(3))
        assert np.isnan(jax.jit(gaussian.density)(jnp.array([0.0, sigma]), jnp.zeros(3))).all()
        assert np.isnan(jax.jit(gaussian.jacobian)(jnp.array([0.0, sigma]), jnp.zeros(3))).all()


def test_shapes_and_kinds_that_do_not_fit_are_said(float64, unchecked):
    with pytest.raises(
        ValueError, match=r"`theta` must have shape \(2,\), ordered \(mu, sigma\); got \(3,\)"
    ):
        gaussian.density(jnp.ones(3), jnp.zeros(3))
    with pytest.raises(TypeError, match="`x` must hold floating-point numbers; got int64"):
        gaussian.jacobian(jnp.ones(2), jnp.arange(3))
    with pytest.raises(ValueError, match=r"`y` must have shape \(4,\), one for each x; got \(3,\)"):
        gaussian.chi_squared(jnp.ones(2), jnp.zeros(4), jnp.zeros(3))
    with pytest.raises(TypeError, match="`theta` must be an array"):
        gaussian.density((0.0, 1.0), jnp.zeros(3))
