"""Points near the arguments."""

import numpy as np
import pytest

from mvcalc_jax.verify.points import near


@pytest.mark.parametrize("size", [3.0, -3e5, 3j, 3e-4 + 4e-4j], ids=str)
def test_entries_move_by_about_a_tenth_of_their_size(size, float64):
    (moved,) = near([np.full(4000, size)], np.random.default_rng(0))
    step = (np.asarray(moved) - size) / abs(size)
    for part in (step.real, step.imag) if np.iscomplexobj(step) else (step,):
        assert np.std(part) == pytest.approx(0.1, rel=0.05)
        assert abs(np.mean(part)) < 0.01


def test_zeros_move_by_a_tenth_of_what_is_usual_beside_them(float64):
    values = np.array([0.0, 2.0] * 2000)
    (moved,) = near([values], np.random.default_rng(0))
    assert np.std(np.asarray(moved)[::2]) == pytest.approx(0.1 * np.sqrt(2), rel=0.05)


def test_what_is_symmetric_stays_so_on_request(float64):
    covariance = np.array([[2.0, 0.5], [0.5, 1.0]])
    for symmetric in (True, False):
        (moved,) = near([covariance], np.random.default_rng(0), symmetric=symmetric)
        assert np.array_equal(moved, np.asarray(moved).T) == symmetric
