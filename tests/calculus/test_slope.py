"""Differences: their order of accuracy, their layout, and their errors."""

import jax.numpy as jnp
import numpy as np
import pytest

from mvcalc_jax.calculus import central_difference, forward_difference


def test_orders_of_accuracy(float64):
    x = jnp.array([0.3, 1.1])
    steps = np.array([1e-2, 1e-3])
    for difference, order in ((forward_difference, 1), (central_difference, 2)):
        errors = [np.abs(jnp.diag(difference(jnp.sin, x, h)) - jnp.cos(x)).max() for h in steps]
        assert np.log10(errors[0] / errors[1]) == pytest.approx(order, abs=0.02)


def test_layout_is_output_axes_first(float64):
    A = np.arange(6.0).reshape(2, 3)
    x = jnp.ones(3)
    np.testing.assert_allclose(central_difference(lambda x: A @ x, x, 1e-3), A, atol=1e-9)
    X = jnp.ones((3, 4))
    J = forward_difference(lambda X: A @ X, X, 1e-3)
    assert J.shape == (2, 4, 3, 4)
    np.testing.assert_allclose(J, np.einsum("ij,kq->ikjq", A, np.eye(4)), atol=1e-9)


def test_precision_follows_x(precision):
    assert central_difference(jnp.sum, jnp.ones(3), 1e-2).dtype == precision


def test_misuse(float64, unchecked):
    with pytest.raises(ValueError, match="`step` must be positive; got 0"):
        central_difference(jnp.sum, jnp.ones(3), 0.0)
    with pytest.raises(TypeError, match="`x` must hold floating-point numbers"):
        forward_difference(jnp.sum, jnp.ones(3, int), 1e-3)


@pytest.mark.parametrize("difference", [forward_difference, central_difference])
def test_differences_of_what_are_no_functions_of_numbers(difference, unchecked):
    for f in (lambda x: x > 0, lambda x: x.astype(int)):
        with pytest.raises(TypeError, match="`f` must return an array of floating-point numbers"):
            difference(f, np.ones(2), 0.1)
    with pytest.raises(TypeError, match="`f` must be a function"):
        difference(None, np.ones(2), 0.1)


@pytest.mark.parametrize("difference", [forward_difference, central_difference])
def test_differences_of_trees(difference, unchecked):
    for f in (lambda x: {"a": x}, lambda x: (x, x), lambda x: None):
        with pytest.raises(TypeError, match="`f` must return an array of floating-point numbers"):
            difference(f, np.ones(2), 0.1)
