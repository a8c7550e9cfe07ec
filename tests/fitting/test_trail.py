"""The way of a fit: from its start, step by step, to where the fit itself ends."""

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax.fitting import trail

MEN = mv.data.histogram("macdonell").padded(6.0)
START = np.array([57.6, 2.05])


def test_it_begins_at_the_start_and_ends_at_the_optimum():
    way = trail.density(MEN.centres, MEN.density, START, "newton")
    assert way.status == mv.fitting.result.Status.XTOL
    np.testing.assert_array_equal(way.params[0], START)
    np.testing.assert_allclose(way.params[-1], (65.514318699, 2.523323893), rtol=1e-8)
    assert len(way.params) == len(way.cost) == 12
    assert (np.diff(way.cost) <= 1e-18).all()
    r = np.asarray(mv.gaussian.density(way.params[3], MEN.centres), float) - MEN.density  # perhaps in float32
    np.testing.assert_allclose(way.cost[3], r @ r / 2, rtol=1e-6)


def test_the_limit_of_steps_ends_it():
    way = trail.density(MEN.centres, MEN.density, START, "newton", max_steps=2)
    assert way.status == mv.fitting.result.Status.STEP_LIMIT
    assert len(way.params) == 4  # the last iteration finds that there may be no more
