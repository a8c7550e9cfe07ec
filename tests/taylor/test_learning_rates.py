"""safe_learning_rate: never too large, little too small, and the same wherever the search begins."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.compiling import quickly
from tests.cases import few, long

pytestmark = pytest.mark.slow  # under a newer JAX the README's examples stand for all of this

COSTS = {
    "valley": (lambda p: (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2, [-1.2, 1.0]),
    "bumps": (lambda p: jnp.sum(jnp.sin(3 * p) + p**2), [0.7, -0.4]),
    "saturated": (lambda p: jnp.sum((jax.nn.sigmoid(5 * p) - 0.2) ** 2), [1.5, 0.1]),
    "steep": (lambda p: jnp.log(jnp.sum(jnp.exp(4 * p))), [2.0, 1.9]),
}


def largest(cost, p, J):
    """The largest rate up to which the cost is lower than it was, from above: on a fine grid."""
    rates = np.geomspace(1e-7, 1e7, 4000)
    costs = jax.jit(jax.vmap(lambda η: cost(p - η * J)))(np.append(0.0, rates))
    higher = np.asarray(costs[1:] >= costs[0])
    return rates[np.argmax(higher)] if higher.any() else np.inf


@pytest.mark.parametrize("name", few(COSTS, "valley"))
def test_rates_are_safe_and_nearly_as_large_as_can_be(name, float64):
    cost, start = COSTS[name]
    p = np.array(start)
    J = np.asarray(jax.grad(cost)(p))
    limit = largest(cost, p, J)
    safe = jax.jit(lambda most: mv.safe_learning_rate(cost, p, J, most), compiler_options=quickly())
    for most in (1e-3 * min(limit, 1.0), 2 * min(limit, 10.0), 1e3, 1e7):
        η = float(safe(most))
        assert η <= min(most, limit)
        assert η >= 0.4 * min(most, limit) or np.isinf(limit)


@pytest.mark.parametrize("most", [0.1, 50.0, *(long(η) for η in (1.0, 1e9))])
def test_two_over_the_curvature_wherever_the_search_begins(most, precision):
    p = np.array([1.0, -2.0], precision)
    η = mv.safe_learning_rate(lambda p: 3 * p @ p / 2, p, 3 * p, most)
    assert η.dtype == p.dtype
    assert float(η) == pytest.approx(min(2 / 3, most), rel=1e-5)
    assert float(η) < 2 / 3


@pytest.mark.parametrize("J", [[-1.0, 2.0], [0.0, 0.0], [2.0, 1.0]], ids=["downhill", "none", "across"])
def test_directions_that_are_not_uphill_have_no_rate(J, float64):
    assert mv.safe_learning_rate(lambda p: p @ p, np.array([1.0, -2.0]), np.array(J), 1.0) == 0


def test_it_may_be_compiled_and_mapped(float64):
    """At points of which one takes the search a look, and the other two."""
    p = np.array([[0.3, 0.2], [30.0, -20.0]])
    one = lambda p: mv.safe_learning_rate(lambda p: jnp.sum(p**4), p, 4 * p**3, 10.0)
    together = jax.jit(jax.vmap(one), compiler_options=quickly())(p)
    np.testing.assert_allclose(together, [one(each) for each in p], rtol=1e-9)


def bowl(p):
    return 0.5 * jnp.sum(jnp.asarray([1.0, 10.0]) * p * p)


def test_a_rate_that_is_none_has_none_inside_jit(float64):
    of = jax.jit(lambda most: mv.safe_learning_rate(bowl, np.array([0.0, 1.0]), np.array([0.0, 10.0]), most))
    assert of(0.1) == 0.1
    assert of(-0.1) == 0 and of(np.nan) == 0 and of(0.0) == 0


def test_misuse_is_refused_in_a_sentence(float64):
    with pytest.raises(ValueError, match="`most` must be positive"):
        mv.safe_learning_rate(bowl, np.ones(2), np.ones(2), 0.0)
    with pytest.raises(ValueError, match="single number"):
        mv.safe_learning_rate(lambda p: p, np.ones(2), np.ones(2), 1.0)
    with pytest.raises(ValueError, match="'sort' has none"):
        mv.safe_learning_rate(lambda p: jnp.sort(p)[0], np.ones(2), np.ones(2), 1.0)


def test_a_direction_that_is_not_shaped_like_the_parameters():
    for wrong in (np.ones(3), 1.0, [np.ones(2)], np.ones((2, 1))):
        with pytest.raises(ValueError, match="`jacobian` must have the structure and shapes of `params`"):
            mv.safe_learning_rate(lambda p: p @ p, np.ones(2), wrong, 1.0)
