"""Raw values in bins: as NumPy counts them, row by row."""

import numpy as np
import pytest

from mvcalc_jax import binning


def test_rows_are_counted_as_numpy_counts_one(rng):
    values = np.concatenate([rng.normal(3, 2, (4, 50)), np.tile([0.0, 1, 6, 9], (4, 1))], axis=1)
    edges = np.array([0, 1, 2.5, 4, 6])
    counts = binning.counted(values, edges)
    assert counts.shape == (4, 4)
    for row, found in zip(values, counts, strict=True):
        np.testing.assert_array_equal(found, np.histogram(row, edges)[0])
    np.testing.assert_array_equal(binning.counted(values[0], edges), counts[0])


def test_open_edges_count_everything(rng):
    values = rng.normal(0, 1, (3, 40))
    assert (binning.counted(values, np.array([-np.inf, -1, 1, np.inf])).sum(axis=-1) == 40).all()


def test_equal_bins_begin_at_a_multiple_of_their_width(rng):
    values = rng.normal(170, 7, (2, 3, 100))
    counts, first, width = binning.binned(values, 2.5)
    assert width == 2.5
    assert first % 2.5 == 0
    assert first <= values.min() < first + 2.5
    assert counts.shape[:2] == (2, 3)
    assert (counts.sum(axis=-1) == 100).all()
    edges = first + width * np.arange(counts.shape[-1] + 1)
    np.testing.assert_array_equal(counts[1, 2], np.histogram(values[1, 2], edges)[0])


def test_a_width_of_their_own(rng):
    values = rng.normal(0, 1, 1000)
    low, high = np.quantile(values, [0.25, 0.75])
    assert binning.width(values) == pytest.approx(2 * (high - low) / 10)
    assert binning.width(np.array([0.0, 0, 0, 0, 0, 0, 0, 0, 0, 5])) == 0.5
    assert binning.width(np.full(5, 3.0)) == 1
