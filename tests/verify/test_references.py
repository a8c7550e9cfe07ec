"""Programs that say the same are compiled once; those that only look the same, or hold much, are not."""

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax.jaxprs import inside
from mvcalc_jax.verify import references


def times(a):
    """A function that holds a constant in a function inside it, where the text of its program does not show it."""
    return lambda x: jax.jit(lambda x: x * a)(x)


def run(f, x):
    return references.traced(f, (x,)).call(x)


def kept():
    return references._compiled.cache_info().currsize


def test_programs_that_say_the_same_are_compiled_once(float64):
    references._compiled.cache_clear()
    x, a = np.arange(3.0), np.array([1.0, 2, 3])
    for f in (times(a), times(a.copy())):
        np.testing.assert_array_equal(run(f, x), x * a)
    assert kept() == 1
    np.testing.assert_array_equal(run(times(a + 1e-12), x), x * (a + 1e-12))
    assert kept() == 2


def test_programs_that_hold_much_or_call_back_are_not_kept(float64):
    references._compiled.cache_clear()
    a = np.arange(references._HELD + 1.0)
    np.testing.assert_array_equal(run(times(a), a), a * a)

    def asked(x):
        return jax.pure_callback(np.copy, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    np.testing.assert_array_equal(run(asked, np.ones(3, "int32")), np.ones(3))
    assert kept() == 0


def test_every_function_inside_is_walked_through_with_its_constants(float64):
    a = np.array([1.0, 2, 3])
    outer = lambda x: jax.lax.cond(x.sum() > 0, lambda x: jnp.sin(times(a)(x)), lambda x: x, x)
    found = list(inside(jax.make_jaxpr(outer)(a).jaxpr))
    names = {equation.primitive.name for jaxpr, _ in found for equation in jaxpr.eqns}
    assert {"sin", "mul"} <= names
    assert any(np.array_equal(const, a) for _, consts in found for const in consts)
