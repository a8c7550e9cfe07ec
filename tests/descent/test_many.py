"""Many descents at once: under vmap, and as an ensemble."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from tests.problems import START, bowl, d_bowl, leaves_equal


@pytest.mark.slow
def test_vmap_over_rates_seeds_and_sizes_of_data_equals_a_loop(float64):
    x = np.linspace(0, 1, 8)

    def run(rate, seed, size):
        weights = (jnp.arange(8) < size).astype(float)
        return mv.steepest_descent(
            lambda p, x, w: 2 * jnp.sum(w * (p - x), keepdims=True) / w.sum(), jnp.ones(1),
            steps=30, learning_rate=rate, noise=0.3, key=jax.random.key(seed), record_every=7,
            data=(jnp.asarray(x), weights),
            cost=lambda p, x, w: jnp.sum(w * (p - x) ** 2) / w.sum(),
        )  # fmt: skip

    rates, seeds, sizes = jnp.array([0.1, 0.2, 0.05]), jnp.arange(3), jnp.array([8, 3, 5])
    many = jax.jit(jax.vmap(run))(rates, seeds, sizes)
    assert many.trace.cost.shape == (3, 6)
    assert many.message == "3 of 3 members took all their steps and stayed finite"
    for k in range(3):
        one = run(rates[k], seeds[k], sizes[k])
        np.testing.assert_allclose(many.params[k], one.params, rtol=1e-12)
        np.testing.assert_allclose(many.trace.cost[k], one.trace.cost, rtol=1e-12)


def test_vmap_reports_which_members_failed(float64):
    run = lambda rate: mv.steepest_descent(lambda p: p**3, jnp.array([2.0]), steps=40, learning_rate=rate)
    many = jax.vmap(run)(jnp.array([0.01, 1.0]))
    assert many.status.tolist() == [mv.Status.FINISHED, mv.Status.NOT_FINITE]


def test_an_ensemble_equals_its_members_and_survives_the_loss_of_one(float64):
    starts, keys = np.stack([START, 2 * START, START * np.nan]), jax.vmap(jax.random.key)(np.arange(3))
    options = {"steps": 35, "learning_rate": 0.02, "noise": 0.5, "cost": bowl, "record_every": 5, "chunk": 10}
    many = mv.steepest_descent(d_bowl, starts, key=keys, ensemble=True, **options)
    assert many.status.tolist() == [0, 0, -1]
    assert isinstance(many.status, np.ndarray)  # which can be looked at though the device is at work
    assert many.steps == 35
    assert many.trace.params.shape == (3, 8, 2)
    for k in range(2):
        one = mv.steepest_descent(d_bowl, starts[k], key=keys[k], **options)
        np.testing.assert_allclose(many.trace.params[k], one.trace.params, rtol=1e-12)
        np.testing.assert_allclose(many.trace.cost[k], one.trace.cost, rtol=1e-12)


@pytest.mark.parametrize("chunk", [7, 10, 1000])
def test_a_member_that_failed_once_has_failed(chunk, float64):
    """A cost that is NaN at one point of the way and finite again after it."""
    cost = lambda p: jnp.where(p[0] == 5, jnp.nan, p[0])
    options = {"learning_rate": 1.0, "cost": cost, "ensemble": True, "chunk": chunk}
    start, up = np.array([[0.0], [100.0]]), lambda p: -jnp.ones_like(p)
    many = mv.steepest_descent(up, start, steps=30, **options)
    assert many.status.tolist() == [mv.Status.NOT_FINITE, mv.Status.FINISHED]
    more = mv.steepest_descent(up, start, steps=40, resume=many, **options)
    assert more.status.tolist() == [mv.Status.NOT_FINITE, mv.Status.FINISHED]


def test_noise_of_a_long_run_needs_no_memory_for_all_of_it(float64):
    run = lambda key: (
        mv.steepest_descent(
            d_bowl,
            jnp.asarray(START),
            steps=10**6,
            learning_rate=0.01,
            noise=0.5,
            key=key,
            record_every=10**5,
        ).params
    )
    memory = jax.jit(jax.vmap(run)).lower(jax.random.split(jax.random.key(0), 16)).compile().memory_analysis()
    assert memory.temp_size_in_bytes < 2**25


def test_an_ensemble_resumes_bit_for_bit(float64):
    starts, keys = np.stack([START, 2 * START]), jax.vmap(jax.random.key)(np.arange(2))
    options = {"learning_rate": 0.02, "noise": 0.5, "cost": bowl, "chunk": 10, "key": keys, "ensemble": True}
    whole = mv.steepest_descent(d_bowl, starts, steps=50, **options)
    part = mv.steepest_descent(d_bowl, starts, steps=20, **options)
    assert leaves_equal(whole, mv.steepest_descent(d_bowl, starts, steps=50, resume=part, **options))
