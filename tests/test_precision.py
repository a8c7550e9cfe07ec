"""Precision follows the arguments, as NumPy reads them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mvcalc_jax import precision, require


def computed_in(*values):
    with precision.of(*values):
        return jnp.sin(jnp.asarray(0.5)).dtype


def test_python_numbers_are_float64_and_float32_stays():
    assert computed_in(1.0) == np.float64
    assert computed_in(np.ones(3), np.ones(3, np.float32)) == np.float64
    assert computed_in(jnp.ones(3, jnp.float32)) == np.float32


def test_inside_jit_it_is_the_callers(float64):
    assert jax.jit(lambda x: jnp.asarray(computed_in(x) == np.float64))(np.float32(1))


def test_floats():
    assert precision.floats("x", [1, 2]).dtype == np.float64
    assert precision.floats("x", jnp.ones(2, jnp.bfloat16)).dtype == jnp.bfloat16
    for wrong in ("two", 1j, True, [None]):
        with pytest.raises(TypeError, match="`x` must hold real numbers"):
            precision.floats("x", wrong)
    with pytest.raises(ValueError, match="all rows of one length"):
        precision.floats("x", [[1], [1, 2]])


def test_scalar_functions():
    require.scalar("f", jnp.sin, 1.0)
    for f, kind, said in (
        (3, TypeError, "`f` must be a function; got int"),
        (lambda x: jnp.ones(3) * x, ValueError, r"got an array of shape \(3,\)"),
        (lambda x: (x,), ValueError, "got tuple"),
        (lambda x: jnp.floor(x).astype(int), TypeError, "must return a floating-point number; got int"),
        (lambda x: float(np.sin(x)), TypeError, "must be written in JAX"),
        (np.sin, TypeError, "must be written in JAX"),
        (np.sin, TypeError, "must be written in JAX"),
        (np.linalg.norm, TypeError, "must be written in JAX"),
        (np.linalg.norm, TypeError, "must be written in JAX"),
        (lambda x: x if x > 0 else -x, TypeError, "must be written in JAX"),
    ):
        with pytest.raises(kind, match=said):
            require.scalar("f", f, 1.0)


def test_boxes():
    assert require.box("box", ((-1, 1), (0, 2)), 2).tolist() == [[-1, 1], [0, 2]]
    for wrong, said in (
        ((0, 1), "a pair"),
        ("box", "a pair"),
        ([], "a pair"),
        (((0, 1),), "for 2 variables"),
        (((0, 1), (1, 1)), "low < high"),
        (((0, 1), (2, 1)), "low < high"),
        (((0, np.inf), (0, 1)), "finite"),
    ):
        with pytest.raises(ValueError, match=said):
            require.box("box", wrong, 2)
