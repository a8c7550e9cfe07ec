"""Steepest descent at rates that are proven: it goes down, as far as it may, and stays where nothing is proven."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax import compiling
from mvcalc_jax.descent.advance import _program
from tests.cases import long
from tests.descent.test_loop import START, bowl, d_bowl

pytestmark = [pytest.mark.usefixtures("standard_promotion"), pytest.mark.slow]


def rosenbrock(p):
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


def d_rosenbrock(p):
    slope = p[1] - p[0] ** 2
    return jnp.stack([-2 * (1 - p[0]) - 400 * p[0] * slope, 200 * slope])


def descend(cost, jacobian, start, steps, **options):
    return mv.steepest_descent(
        jacobian,
        start,
        steps=steps,
        cost=cost,
        learning_rate=mv.descent.proven(**options.pop("rate", {})),
        **options,
    )


@pytest.mark.parametrize("most", [long(1e6), long(10.0), 0.3])
def test_the_first_rate_on_a_quadratic_is_two_over_its_curvature_along_the_step(most, float64):
    J = np.array([3.0, -20.0])
    curvature = (J**2 * [1, 10]).sum() / (J**2).sum()
    result = descend(bowl, d_bowl, START, 1, rate={"most": most, "share": 1.0})
    assert float(result.state.rule.rate) == pytest.approx(2 / curvature, rel=1e-9)
    np.testing.assert_allclose(result.params, START - result.state.rule.rate * J, rtol=1e-15)
    assert float(result.state.rule.ahead) == pytest.approx(min(4 * result.state.rule.rate, most))


def test_no_step_goes_up_in_a_curved_valley(float64):
    result = descend(rosenbrock, d_rosenbrock, np.array([-1.2, 1.0]), 400, chunk=50)
    assert np.all(np.diff(result.trace.cost) < 0)
    assert result.cost < 0.2 * result.trace.cost[1]
    result = descend(rosenbrock, d_rosenbrock, np.array([-1.2, 1.0]), 50, rate={"share": 1.0})
    assert np.all(np.diff(result.trace.cost) <= 0)


def test_parameters_stay_where_nothing_is_proven(precision):
    start = np.ones(2, precision)  # the minimum
    result = descend(rosenbrock, d_rosenbrock, start, 50)
    np.testing.assert_array_equal(result.params, start)
    assert result.state.rule.rate == 0
    assert result.params.dtype == start.dtype
    assert result.status is mv.Status.FINISHED


def test_parameters_stay_with_a_jacobian_of_the_wrong_sign(float64):
    away = descend(bowl, lambda p: -d_bowl(p), START, 2)
    np.testing.assert_array_equal(away.params, START)


def test_it_ends_within_rounding_of_a_minimum_and_goes_on_from_there(float64):
    run = lambda steps, **options: descend(bowl, d_bowl, START, steps, chunk=10, **options)
    result = run(60)
    programs = _program._cache_size()
    assert result.cost < 1e-10
    further = run(70, resume=result)
    assert further.cost <= result.cost
    np.testing.assert_array_equal(further.trace.cost, run(70).trace.cost)
    assert _program._cache_size() == programs > 0  # all three are one


def test_batches_noise_and_ensembles_have_rates_of_their_own(float64):
    x = np.arange(8.0)[None]
    cost = lambda p, x: jnp.mean((p[0] - x[0]) ** 2) / 2
    jacobian = lambda p, x: jnp.mean(p[0] - x[0], keepdims=True)
    start, keys = np.array([[9.0], [-5.0]]), jax.vmap(jax.random.key)(np.arange(2))
    result = descend(
        cost, jacobian, start, 6, data=(x,), batch_size=4, noise=0.1, key=keys, ensemble=True, record_every=2
    )
    np.testing.assert_allclose(result.state.rule.rate, 2, rtol=0.8)
    assert np.all(result.cost < result.trace.cost[:, 0])


@pytest.mark.long
def test_the_network_never_goes_up_and_little_is_given_away(float64):
    heart = mv.data.curve("heart", 20)
    start, data = mv.network.init(np.random.default_rng(0), (1, 3, 2)), (heart.t, heart.points)

    def run(start):
        return descend(mv.network.cost, mv.network.jacobian, start, 300, data=data)

    result = jax.jit(run, compiler_options=compiling.quickly(1))(start)
    assert np.all(np.diff(result.trace.cost) < 0)
    p, η = result.params, np.asarray(result.state.rule.rate)
    J = mv.network.jacobian(p, *data)
    of = lambda rate: mv.network.cost(jax.tree.map(lambda p, J: p - rate * J, p, J), *data)
    rates = η * np.geomspace(0.5, 8, 60)
    here, *there = np.asarray(jax.jit(jax.vmap(of))(np.append(0.0, rates)))
    lowers = there < here
    assert rates[np.argmin(lowers)] < 4 * η


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"most": -1.0}, "`most` must be positive"),
        ({"share": 0.0}, "`share` must be positive"),
        ({"share": 1.5}, "`share` must be at most 1"),
    ],
    ids=str,
)
def test_misuse_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        mv.descent.proven(**options)


def test_it_needs_the_cost_of_its_jacobian_made_of_what_has_a_rule(float64):
    with pytest.raises(ValueError, match="`cost` is needed by a rule with a line search"):
        mv.steepest_descent(d_bowl, START, steps=2, learning_rate=mv.descent.proven())
    sorts = lambda p: jnp.sum(jnp.sort(p) ** 2)
    with pytest.raises(ValueError, match="'sort' has none"):
        descend(sorts, lambda p: 2 * p, START, 2)
