"""Learning rates that provably lower the cost."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv

pytestmark = [pytest.mark.usefixtures("float64"), pytest.mark.slow]


def bowl(p):
    return 0.5 * jnp.sum(jnp.asarray([1.0, 10.0]) * p * p)


def test_a_quadratic_may_go_as_far_as_twice_its_curvature_allows():
    """Along the steepest axis φ(η) − φ(0) = −100 η + 500 η²·… < 0 up to 2/λ = 0.2."""
    p = np.array([0.0, 1.0])
    assert mv.safe_learning_rate(bowl, p, np.array([0.0, 10.0]), 0.19) == 0.19
    further = float(mv.safe_learning_rate(bowl, p, np.array([0.0, 10.0]), 0.25))
    assert 0.2 * (1 - 1e-9) < further <= 0.2
    assert jax.jit(lambda p, J: mv.safe_learning_rate(bowl, p, J, 0.19))(p, np.array([0.0, 10.0])) == 0.19


def test_the_cost_is_lower_at_all_rates_up_to_it(rng):
    cost = lambda p: jnp.sum(jnp.log1p(jnp.exp(p))) + jnp.sum(jnp.sin(3 * p))
    for _ in range(2):
        p = rng.normal(size=3)
        J = jax.grad(cost)(p)
        rate = float(mv.safe_learning_rate(cost, p, J, 4.0))
        assert rate > 0
        assert all(cost(p - t * rate * J) < cost(p) for t in (0.01, 0.3, 0.7, 1.0))


@pytest.mark.parametrize(("J", "most"), [([0.0, -10.0], 0.1), ([0.0, 0.0], 0.1)], ids=["downhill", "nothing"])
def test_what_does_not_go_down_has_no_rate(J, most):
    assert mv.safe_learning_rate(bowl, np.array([0.0, 1.0]), np.array(J), most) == 0


def test_a_rate_that_is_none_has_none_inside_jit():
    of = jax.jit(lambda most: mv.safe_learning_rate(bowl, np.array([0.0, 1.0]), np.array([0.0, 10.0]), most))
    assert of(0.1) == 0.1
    assert of(-0.1) == 0 and of(np.nan) == 0 and of(0.0) == 0


def test_misuse_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match="`most` must be positive"):
        mv.safe_learning_rate(bowl, np.ones(2), np.ones(2), 0.0)
    with pytest.raises(ValueError, match="single number"):
        mv.safe_learning_rate(lambda p: p, np.ones(2), np.ones(2), 1.0)
    with pytest.raises(ValueError, match="'sort' has none"):
        mv.safe_learning_rate(lambda p: jnp.sort(p)[0], np.ones(2), np.ones(2), 1.0)


def test_a_direction_that_is_not_shaped_like_the_parameters():
    for wrong in (np.ones(3), 1.0, [np.ones(2)], np.ones((2, 1))):
        with pytest.raises(ValueError, match="`jacobian` must have the structure and shapes of `params`"):
            mv.safe_learning_rate(bowl, np.ones(2), wrong, 1.0)
