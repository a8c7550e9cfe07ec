"""Optax in the same loop: SGD is steepest descent, and the others find the bottom."""

import jax
import numpy as np
import optax
import pytest

import mvcalc_jax as mv
from tests.cases import long
from tests.descent.test_loop import START, bowl, d_bowl, leaves_equal

pytestmark = pytest.mark.usefixtures("standard_promotion")


@pytest.mark.parametrize("noise", [long(0.0), 1.0])
def test_sgd_is_steepest_descent_to_the_last_bit(noise, rng, precision):
    params, x, y = mv.network.init(rng, (1, 6, 7, 2)), rng.random((1, 20)), rng.random((2, 20))
    options = {
        "steps": 300,
        "cost": mv.network.cost,
        "data": (x, y),
        "noise": noise,
        "key": jax.random.key(0),
    }
    by_hand = mv.steepest_descent(mv.network.jacobian, params, learning_rate=7.0, **options)
    sgd = mv.optax_descent(mv.network.jacobian, params, optimizer=optax.sgd(7.0), **options)
    assert leaves_equal(by_hand.trace, sgd.trace)


@pytest.mark.parametrize(
    ("name", "rate"), [("steepest", 0.1), ("sgd", 0.1), ("momentum", 0.01), ("adam", 0.05), ("lbfgs", 1.0)]
)
def test_every_rule_finds_the_bottom_of_a_bowl(name, rate, float64):
    result = mv.descent.descend(mv.descent.rule(name, rate), d_bowl, START, steps=600, cost=bowl)
    np.testing.assert_allclose(result.params, 0, atol=1e-6)
    assert result.cost < result.trace.cost[0]


def test_line_search_differentiates_by_hand(float64):
    """To autodiff this cost is flat, so only a line search that is handed the Jacobian gets anywhere."""
    flat = lambda p: bowl(jax.lax.stop_gradient(p))
    result = mv.optax_descent(d_bowl, START, steps=5, optimizer=optax.lbfgs(), cost=flat)
    assert result.cost < 1e-5


def test_schedules_and_chains_of_optax_work(float64):
    chained = optax.chain(optax.clip(1.0), optax.sgd(optax.linear_schedule(0.1, 0.01, 50)))
    result = mv.optax_descent(d_bowl, START, steps=60, optimizer=chained, cost=bowl)
    assert result.cost < result.trace.cost[0]


def test_line_search_without_a_cost_is_refused(float64):
    with pytest.raises(ValueError, match="`cost` is needed by a rule with a line search"):
        mv.optax_descent(d_bowl, START, steps=5, optimizer=optax.lbfgs())


def test_unknown_optimizer_is_corrected():
    with pytest.raises(ValueError, match="unknown optimizer 'adma'; did you mean 'adam'"):
        mv.descent.rule("adma", 0.1)


def test_newton_solves_a_quadratic_in_one_step(float64):
    newton = mv.descent.newton(jax.hessian(bowl))
    result = mv.descent.descend(newton, d_bowl, START, steps=1, cost=bowl)
    np.testing.assert_allclose(result.params, 0, atol=1e-15)
