"""The numbers of the course: the path of the heights' descent, and the cost of the drawn heart."""

import jax
import numpy as np
import pytest

import mvcalc_jax as mv


def test_heights_path_to_every_digit(float64):
    heights = mv.data.histogram("course")
    data = heights.centres, heights.density
    start = np.array([155.0, 6.0])
    assert float(mv.gaussian.chi_squared(start, *data)) == pytest.approx(0.0323333, abs=5e-8)
    J = mv.gaussian.chi_squared_jacobian(start, *data)
    np.testing.assert_allclose(J, (-4.6303e-4, -3.65943e-3), atol=5e-9)

    result = mv.steepest_descent(
        mv.gaussian.chi_squared_jacobian,
        start,
        steps=50,
        learning_rate=2000.0,
        cost=mv.gaussian.chi_squared,
        data=data,
    )
    path = np.asarray(result.trace.params)
    np.testing.assert_allclose(path[1], (155.92606635, 13.31886963), atol=5e-9)
    np.testing.assert_allclose(path[2], (157.27745168, 15.52087417), atol=5e-9)
    assert path[:, 1].argmax() == 10
    assert path[10, 1] == pytest.approx(19.587, abs=5e-4)
    np.testing.assert_allclose(path[30], (177.8468, 8.4263), atol=5e-5)
    np.testing.assert_allclose(path[50], (178.519824, 7.549908), atol=5e-7)
    assert result.cost == pytest.approx(4.39245367e-4, abs=5e-13)


@pytest.mark.slow
@pytest.mark.parametrize(("noise", "at_10k", "at_50k"), [(1.0, 1.7e-3, 6.7e-4), (0.0, 1.6e-3, 5.4e-4)])
def test_median_cost_of_twelve_hearts(noise, at_10k, at_50k):
    """The course's medians over 12 seeds; a median of 12 scatters by tens of percent from dozen to dozen."""
    heart = mv.data.curve("heart")
    starts = [mv.network.init(np.random.default_rng(seed), (1, 6, 7, 2)) for seed in range(12)]
    result = mv.steepest_descent(
        mv.network.jacobian, jax.tree.map(lambda *leaves: np.stack(leaves), *starts), steps=50_000, learning_rate=7.0,
        cost=mv.network.cost, data=(heart.t, heart.points), noise=noise, key=jax.vmap(jax.random.key)(np.arange(12)),
        record_every=10_000, ensemble=True,
    )  # fmt: skip
    medians = np.median(result.trace.cost, axis=0)
    assert 0.7 * at_10k < medians[1] < 1.4 * at_10k
    assert 1.2e-4 < medians[-1] < 1.1e-3
    assert 0.4 * at_50k < medians[-1] < 1.6 * at_50k
