"""After a check, a user's float32 code computes with the NumPy arrays that the checker saw, in float32."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv

X = np.ones(3)


def right(A):
    return mv.check_jacobian(lambda x: jnp.sin(x) @ A, lambda x: jnp.cos(x) * A, X)


def wrong(A):
    return mv.check_jacobian(lambda x: jnp.sin(x) @ A, lambda x: -jnp.cos(x) * A, X)


def backward(A):
    f = lambda x: jnp.sin(x) * A
    return mv.check_vjp(f, lambda x: (f(x), x), lambda x, g: (g * jnp.cos(x) * A,), X)


def by_link(A):
    return mv.check_chain([mv.verify.Link("sine", lambda x: jnp.sin(x) @ A, lambda x: jnp.cos(x) * A)], X)


@pytest.mark.parametrize("check", [right, wrong, backward, by_link])
def test_arrays_that_f_closes_over_are_not_left_in_float64(check):
    A = np.array([1.0, 2, 3])
    check(A)
    assert (jnp.ones(3) * A).dtype == "float32"
    assert jax.jit(lambda x: x * A)(jnp.ones(3)).dtype == "float32"


def test_the_readmes_way_out_for_jitted_functions():
    A = np.array([1.0, 2, 3])
    f = jax.jit(lambda x: jnp.sin(x) * A)
    assert mv.check_jacobian(f, lambda x: jnp.diag(jnp.cos(x) * A), X).verdict == "correct"
    jax.clear_caches()
    assert f(jnp.ones(3)).dtype == "float32"
