"""Roots of systems from many starts: all of them, none that is not one, singular ones too."""

import jax.numpy as jnp
import numpy as np
import pytest

from mvcalc_jax import precision
from mvcalc_jax.calculus.multistart import roots, scattered

BOX = np.array([[-5.0, 5.0], [-4.0, 6.0]])


def solved(F, box=BOX, count=200):
    with precision.of(box):
        return roots(F, scattered(box, count))


def test_all_roots_of_a_system_of_polynomials():
    found = solved(lambda z: jnp.stack([z[0] ** 2 + z[1] ** 2 - 4, z[0] * z[1] - 1]))
    a = np.sqrt(2 + np.sqrt(3))
    expected = sorted([(a, 1 / a), (1 / a, a), (-a, -1 / a), (-1 / a, -a)])
    np.testing.assert_allclose(sorted(map(tuple, found.points)), expected, rtol=1e-14)
    assert found.starts.sum() == 200
    assert (found.error < 1e-14).all()


@pytest.mark.parametrize("multiplicity", [2, 3])
def test_singular_roots_and_how_exact_they_are(multiplicity):
    root = np.array([0.3, -1.7])
    found = solved(lambda z: (z - root) ** multiplicity)
    assert len(found.points) == 1
    assert np.abs(found.points[0] - root).max() < 1e-5


def test_no_root_is_made_up():
    assert len(solved(lambda z: z**2 + 1).points) == 0
    inside = solved(lambda z: z * jnp.exp(-jnp.sum(z**2))).points
    np.testing.assert_allclose(inside, [[0, 0]], atol=1e-15)


def test_starts_fill_the_box():
    starts = scattered(BOX, 300)
    assert (starts > BOX[:, 0]).all()
    assert (starts < BOX[:, 1]).all()
    counts, *_ = np.histogram2d(*starts.T, bins=(5, 5), range=BOX)
    assert counts.min() >= 9
    assert counts.max() <= 15
