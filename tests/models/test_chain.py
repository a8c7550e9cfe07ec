"""Every factor of the chain rule against autodiff of its own step, and their product against the Jacobian."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mvcalc_jax import autodiff
from mvcalc_jax.compiling import quickly
from mvcalc_jax.models import network
from mvcalc_jax.models.activations import ACTIVATIONS


@pytest.fixture
def parts(rng, float64):
    params, x, y = network.init(rng, (2, 4, 5, 3)), rng.standard_normal((2, 6)), rng.random((3, 6))
    return (
        params,
        jnp.asarray(x),
        jnp.asarray(y),
        network.factors(params, jnp.asarray(x), jnp.asarray(y), activation="tanh"),
    )


def test_every_full_factor_is_the_jacobian_of_its_step(parts):
    params, x, y, factors = parts
    z, a = network.trace(params, x, activation="tanh")
    steps = {"∂C/∂a³": (lambda a: jnp.sum((a - y) ** 2) / 6, a[3])}
    for l in (1, 2, 3):
        (W, b), top, below = params[l - 1], "⁰¹²³"[l], "⁰¹²³"[l - 1]
        before = a[l - 1]
        steps |= {
            f"∂a{top}/∂z{top}": (ACTIVATIONS["tanh"].f, z[l - 1]),
            f"∂z{top}/∂W{top}": (lambda W, a=before, b=b: W @ a + b, jnp.asarray(W)),
            f"∂z{top}/∂b{top}": (lambda b, W=W, a=before: W @ a + b, jnp.asarray(b)),
            f"∂z{top}/∂a{below}": (lambda a, W=W, b=b: W @ a + b, before),
        }
    assert set(steps) == set(factors)
    both = jax.jit(
        lambda at: {
            name: (factors[name].full(), autodiff.jacobian(step)(at[name]))
            for name, (step, _) in steps.items()
        },
        compiler_options=quickly(),
    )
    for name, (full, exact) in both({name: at for name, (_, at) in steps.items()}).items():
        assert full.shape == factors[name].shape == exact.shape, name
        np.testing.assert_allclose(full, exact, rtol=1e-12, atol=1e-15, err_msg=name)


def test_products_are_the_jacobian_both_ways_of_multiplying(parts):
    params, x, y, factors = parts
    for l, (dW, db) in enumerate(network.jacobian(params, x, y, activation="tanh"), start=1):
        np.testing.assert_allclose(factors.product(f"W{l}"), dW, rtol=1e-12)
        np.testing.assert_allclose(factors.product(f"b{l}"), db, rtol=1e-12)
        start, *rest = factors.path(f"W{l}")
        full = start.full()
        for factor in rest:
            full = jnp.tensordot(full, factor.full(), 2)
        np.testing.assert_allclose(full, dW, rtol=1e-12)


def test_path_leads_from_the_cost_down(parts):
    *_, factors = parts
    assert [f.name for f in factors.path("W¹")] == [
        "∂C/∂a³", "∂a³/∂z³", "∂z³/∂a²", "∂a²/∂z²", "∂z²/∂a¹", "∂a¹/∂z¹", "∂z¹/∂W¹"
    ]  # fmt: skip


def test_names_may_be_typed_plainly_and_wrong_ones_are_corrected(parts):
    *_, factors = parts
    assert factors["da3/dz3"] is factors["∂a³/∂z³"]
    assert factors["dC/da3"].name == "∂C/∂a³"
    with pytest.raises(ValueError, match="did you mean '∂z³/∂W³'"):
        factors["dz3/dW9"]
    with pytest.raises(ValueError, match="unknown variable"):
        factors.path("q7")


def test_print_shows_each_factor_with_both_shapes(parts):
    lines = str(parts[-1]).splitlines()
    assert lines[1].split() == ["∂C/∂a³", "2(a³", "−", "y)/n", "(3,", "6)", "(3,", "6)"]
    assert "∂z³/∂W³  a²           (5, 6)  (3, 6, 3, 5)" in lines
    assert lines[-1].startswith("∂C/∂b¹ = ∂C/∂a³ · ∂a³/∂z³")


def test_factors_are_there_under_both_their_names(rng, float64):
    params = network.init(rng, (1, 3, 2))
    factors = network.factors(params, rng.random((1, 4)), rng.random((2, 4)))
    assert "dz2/dW2" in factors and "∂z²/∂W²" in factors
    assert "dz3/dW3" not in factors and 3 not in factors


def test_a_factor_of_float64_data_is_spelled_out_where_jax_has_only_float32(rng):
    params = network.init(rng, (1, 2), dtype=np.float32)
    factors = network.factors(params, rng.random((1, 3)), rng.random((2, 3)))
    with jax.enable_x64(False):
        assert all(factor.full().dtype == "float32" for factor in factors.values())  # and no warning


def test_only_arrays_are_pulled_back(parts, unchecked):
    with pytest.raises(TypeError, match="`D` must be an array of floating-point numbers; got list"):
        parts[-1]["dz1/dW1"].pull([[1.0]])


@pytest.mark.parametrize("name", [None, 3, ("W1",)], ids=str)
def test_names_that_are_no_text_are_not_known(name, parts, unchecked):
    with pytest.raises(ValueError, match="unknown variable"):
        parts[-1].path(name)
    with pytest.raises(ValueError, match="unknown factor"):
        parts[-1][name]
