"""Peaks: every shape and sum of shapes against autodiff, twice, in the middle and at extremes; the checker's word."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax import autodiff
from mvcalc_jax.calculus import central_difference
from mvcalc_jax.compiling import quickly
from mvcalc_jax.models import bell

TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
TWO = bell.summed((bell.peak, 3), (bell.area_peak, 3), offset=True)
ROUND = bell.summed((bell.round_peak, 4), offset=True)

SHAPES = {
    "peak": (bell.peak, (3.1, 0.4, 0.7), False),
    "area": (bell.area_peak, (3.1, 0.4, 0.7), False),
    "two, and an offset": (TWO, (3.1, 0.4, 0.7, -2.3, 1.9, 0.31, 0.5), False),
    "round": (ROUND, (3.1, 0.4, -0.3, 0.7, 1.1), True),
    "oval": (bell.oval_peak, (3.1, 0.4, -0.3, 0.7, 1.6), True),
}


@pytest.fixture(params=SHAPES)
def case(request, rng):
    shape, theta, plane = SHAPES[request.param]
    return shape, np.array(theta), rng.uniform(-2, 3, (2, 9) if plane else 9)


@cache
def by_hand(shape):
    """Values and derivatives in one program."""
    ways = bell.value, bell.jacobian, bell.hessian
    return jax.jit(lambda theta, x: [of(shape, theta, x) for of in ways], compiler_options=quickly())


def close(ours, exact, tolerance):
    ours, exact = np.asarray(ours), np.asarray(exact)
    assert ours.shape == exact.shape
    assert np.abs(ours - exact).max() <= tolerance * np.abs(exact).max()


def test_derivatives_are_autodiffs(case, precision):
    shape, theta, x = case
    theta, x = jnp.asarray(theta, precision), jnp.asarray(x, precision)
    f = partial(bell.value, shape)
    forward, reverse = (autodiff.jacobian(f, mode=mode) for mode in ("forward", "reverse"))
    ways = forward, reverse, autodiff.jacobian(forward, mode="forward")
    by_autodiff = jax.jit(lambda theta, x: [of(theta, x) for of in ways], compiler_options=quickly())
    (_, jacobian, hessian), (*once, twice) = by_hand(shape)(theta, x), by_autodiff(theta, x)
    for exact in once:
        close(jacobian, exact, TOLERANCE[precision])
    close(hessian, twice, TOLERANCE[precision])


def test_jacobian_is_a_finite_differences_too(case, float64):
    shape, theta, x = case
    difference = central_difference(jax.jit(lambda t: shape(t, x).value), jnp.asarray(theta), 1e-5)
    np.testing.assert_allclose(by_hand(shape)(theta, x)[1], difference, atol=1e-7)


@pytest.mark.long
def test_the_checker_agrees(case):
    shape, theta, x = case
    v = np.linspace(0.5, 2, x.shape[-1])
    jacobian = jax.jit(partial(bell.jacobian, shape))
    hessian = jax.jit(lambda theta, x: jnp.einsum("n,nij->ij", v, bell.hessian(shape, theta, x)))
    mv.assert_jacobian(jax.jit(partial(bell.value, shape)), jacobian, theta, x)
    mv.assert_hessian(jax.jit(lambda theta, x: v @ bell.value(shape, theta, x)), hessian, theta, x)


@pytest.mark.parametrize("s", [1e-8, 1.0])
def test_far_out_all_is_zero_and_nothing_nan(case, s, precision):
    """At u = ±1000 and beyond; an offset alone is left."""
    shape, theta, x = case
    widths = {3: [2], 7: [2, 5], 5: [3] if shape is ROUND else [3, 4]}[len(theta)]
    theta[widths] = s
    far = jnp.asarray([-1e30, -1000.0, 1000.0, 1e30], precision)
    x = jnp.stack([far, far[::-1]]) if x.ndim == 2 else far
    theta = jnp.asarray(theta, precision)
    offset = theta[-1] if shape in (TWO, ROUND) else 0
    value, J, H = map(np.asarray, by_hand(shape)(theta, x))
    np.testing.assert_array_equal(value, np.full(4, offset))
    assert (J[:, : -1 if shape in (TWO, ROUND) else None] == 0).all()
    assert (H == 0).all()
    middle = np.full_like(x, theta[1])
    assert not np.isnan(by_hand(shape)(theta, middle)[2]).any()


def test_tails_are_right_until_they_underflow(float64):
    theta = jnp.array([2.0, 0.0, 0.5])
    for u in (5.0, 20.0, 37.0):
        x = jnp.array([u / 2])
        expected = 2 * np.exp(-u * u / 2)
        np.testing.assert_allclose(bell.value(bell.peak, theta, x), [expected], rtol=1e-12)
        np.testing.assert_allclose(
            bell.jacobian(bell.peak, theta, x)[0], expected * np.array([0.5, 2 * u, 2 * u * u]), rtol=1e-12
        )


def test_an_area_is_an_area(float64):
    x = np.linspace(-9, 12, 4001)
    assert np.trapezoid(bell.value(bell.area_peak, jnp.array([3.0, 1.5, 0.7]), x), x) == pytest.approx(3)
