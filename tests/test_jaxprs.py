"""Functions walked equation by equation give what JAX gives, calls and loops taken apart."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mvcalc_jax import jaxprs

X = np.array([0.3, -1.2, 2.0], np.float32)


@jax.custom_jvp
def doubled(x):
    return 2 * x


doubled.defjvp(lambda primals, tangents: (doubled(*primals), 2 * tangents[0]))


def scanned(x, reverse=False):
    return jax.lax.scan(lambda c, v: (c * v + 1, c - v), x[0], x, reverse=reverse)


FUNCTIONS = {
    "a constant written in it": lambda x: 3 * x + 1,
    "an array closed over": lambda x: jnp.asarray(X[::-1].copy()) * x,
    "jit": lambda x: jax.jit(jnp.sin)(x) + x,
    "remat": lambda x: jax.checkpoint(jnp.tanh)(x),
    "a derivative of its own": lambda x: doubled(x) - x,
    "scan": scanned,
    "scan from the end": partial(scanned, reverse=True),
    "scan of nothing": lambda x: scanned(x[:1])[0] + jax.lax.scan(lambda c, v: (c, v), x, x[:0])[0],
}


def carried_out(f, *args):
    """f with every call entered, and every loop round by round; and how many equations that were."""
    count = 0

    def run(jaxpr, consts, args):
        return jaxprs.walk(jaxpr, consts, args, step)

    def step(equation, inputs):
        nonlocal count
        count += 1
        inner = jaxprs.called(equation)
        if inner is not None:
            return run(*jaxprs.opened(inner), inputs)
        if equation.primitive.name == "scan":
            stack, entry = lambda rows, _: jnp.stack(rows), lambda array, t, _: array[t]
            return jaxprs.unrolled(equation.params, inputs, run, entry, stack, jnp.asarray)
        return jaxprs.performed(equation, *inputs)

    closed = jax.make_jaxpr(f)(*args)
    return run(closed.jaxpr, closed.consts, args), count


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_walked_is_what_is_computed(name):
    found, _ = carried_out(FUNCTIONS[name], X)
    for ours, theirs in zip(found, jax.tree.leaves(FUNCTIONS[name](X)), strict=True):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_calls_are_entered_and_loops_are_walked_round_by_round():
    once, rounds = (carried_out(f, X)[1] for f in (lambda x: scanned(x[:1]), lambda x: scanned(x[:3])))
    assert rounds - once == 2 * 3  # c * v, + 1 and c − v, twice more
    assert carried_out(jax.jit(jax.jit(jnp.sin)), X)[1] == 3


def test_all_equations_are_those_of_functions_inside_too():
    closed = jax.make_jaxpr(lambda x: jax.jit(lambda x: jax.lax.cond(x > 0, jnp.sin, jnp.cos, x))(x))(0.5)
    assert {"sin", "cos", "cond", "gt", "jit"} <= {e.primitive.name for e in jaxprs.equations(closed.jaxpr)}
    assert [jaxprs.called(e) is not None for e in closed.jaxpr.eqns] == [True]


def test_a_parameter_may_be_another():
    (equation,) = jax.make_jaxpr(lambda x: jnp.sum(x, axis=0))(np.ones((2, 3))).jaxpr.eqns
    value = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    (found,) = jaxprs.performed(equation, value, axes=(1,))
    np.testing.assert_array_equal(found, [3, 12])
