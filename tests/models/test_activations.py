"""Every activation against its closed form, and every σ′ against autodiff and a finite difference."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mvcalc_jax import autodiff
from mvcalc_jax.calculus import central_difference
from mvcalc_jax.models.activations import ACTIVATIONS, Activation, per_layer

CLOSED_FORMS = {
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
    "relu": lambda z: np.where(z > 0, z, 0),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "sin": np.sin,
    "identity": lambda z: z,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_is_the_closed_form(name, float64):
    z = np.linspace(-8, 8, 41)
    np.testing.assert_allclose(ACTIVATIONS[name].f(z), CLOSED_FORMS[name](z), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative_agrees_with_autodiff_and_differences(name, float64):
    f, d_f = ACTIVATIONS[name]
    z = jnp.linspace(-6.1, 6.3, 29)
    for mode in ("forward", "reverse"):
        np.testing.assert_allclose(
            jnp.diag(d_f(z)), autodiff.jacobian(f, mode=mode)(z), rtol=1e-13, atol=1e-15
        )
    np.testing.assert_allclose(jnp.diag(d_f(z)), central_difference(f, z, 1e-5), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_extremes_are_finite_and_have_their_limits(name, precision):
    f, d_f = ACTIVATIONS[name]
    z = np.array([-1000, -100, 0, 100, 1000], precision)
    a, slope = np.asarray(f(z)), np.asarray(d_f(z))
    assert np.isfinite(a).all()
    assert np.isfinite(slope).all()
    assert a.dtype == slope.dtype == precision
    limits = {
        "logistic": (0, 1, 0, 0),
        "tanh": (-1, 1, 0, 0),
        "relu": (0, 1000, 0, 1),
        "softplus": (0, 1000, 0, 1),
    }
    if name in limits:
        np.testing.assert_allclose((a[0], a[-1], slope[0], slope[-1]), limits[name], atol=1e-7)


def test_derivative_at_relus_kink_is_the_one_jax_takes(float64):
    zero = jnp.zeros(())
    assert ACTIVATIONS["relu"].d_f(zero) == jax.grad(ACTIVATIONS["relu"].f)(zero) == 0


def test_per_layer_takes_a_name_a_pair_or_a_list_of_either():
    own = Activation(jnp.cos, lambda z: -jnp.sin(z))
    assert per_layer("tanh", 2) == (ACTIVATIONS["tanh"],) * 2
    assert per_layer(own, 1) == (own,)
    assert per_layer(["relu", own], 2) == (ACTIVATIONS["relu"], own)


def test_per_layer_names_what_it_does_not_know():
    with pytest.raises(ValueError, match=r"unknown activation 'logstic'; did you mean 'logistic'\?"):
        per_layer("logstic", 1)
    with pytest.raises(ValueError, match="each of the 3 layers; got 2"):
        per_layer(["tanh", "tanh"], 3)


@pytest.mark.parametrize("activation", [jnp.tanh, None, 3, [None, "tanh"], [(jnp.sin, jnp.cos)] * 2])
def test_what_is_no_activation_is_said(activation, unchecked):
    with pytest.raises(TypeError, match=r"`activation` must be a name, or Activation\(f, d_f\)"):
        per_layer(activation, 2)
