"""Curves in files, and blocks so small that a few hundred fits are many."""

import numpy as np
import pytest

from mvcalc_jax.fitting import batch

SIZE = batch.Size(32, 128)
FITS, POINTS = 700, 12  # five blocks and a bit


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(batch, "size_of", lambda *args: SIZE)


@pytest.fixture
def curves(tmp_path, rng):
    x = np.linspace(-3, 3, POINTS)
    height, mean, width = (rng.uniform(*span, (FITS, 1)) for span in ((1, 3), (-1, 1), (0.5, 1)))
    y = height * np.exp(-(((x - mean) / width) ** 2) / 2) + 0.05 * rng.standard_normal((FITS, POINTS))
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    return x, y
