"""The critical points of the standard surfaces, counted twice: by search, and by the turns of ∇f around small cells."""

from collections import Counter
from functools import cache

import numpy as np
import pytest

from benchmarks.surfaces import counted
from mvcalc_jax.calculus import SURFACES, critical_points
from tests.cases import few

pytestmark = pytest.mark.slow  # under a newer JAX the README's examples stand for all of this

ORDINARY = {"minimum", "maximum", "saddle"}


searched = cache(lambda name: critical_points(SURFACES[name].f, SURFACES[name].box))


@pytest.mark.parametrize(
    "name", few([name for name, s in SURFACES.items() if set(s.kinds) <= ORDINARY], "himmelblau")
)
def test_every_point_is_found_and_judged(name):
    found, kinds = searched(name), SURFACES[name].kinds
    assert Counter(p.kind for p in found) == kinds, found
    exact = [p for p in found if p.kind in ORDINARY]
    assert all(p.error < 1e-9 for p in exact)
    assert sum(p.starts for p in found) <= found.starts


COUNTED = [name for name, s in SURFACES.items() if set(s.kinds) <= ORDINARY and name != "rosenbrock"]
"""Rosenbrock's valley is narrower than a cell; its one point is where both squares vanish."""


@pytest.mark.slow
@pytest.mark.parametrize("name", COUNTED)
def test_the_numbers_are_those_of_an_independent_count(name, standard_promotion, float64):
    f, box, kinds = SURFACES[name][1:]
    counts = {str(kind): n for kind, n in kinds.items()}
    extrema = counts.get("minimum", 0) + counts.get("maximum", 0)
    assert counted(f, box, 400) == (extrema, counts.get("saddle", 0))


def test_himmelblaus_points_to_ten_digits():
    found = searched("himmelblau")
    for p in found:
        x, y = p.point
        assert abs(4 * x * (x * x + y - 11) + 2 * (x + y * y - 7)) < 1e-10
        assert abs(2 * (x * x + y - 11) + 4 * y * (x + y * y - 7)) < 1e-10
    lowest = sorted(tuple(np.round(p.point, 6)) for p in found.of("minimum"))
    known = [(-3.77931, -3.283186), (-2.805118, 3.131313), (3.0, 2.0), (3.584428, -1.848127)]
    np.testing.assert_allclose(lowest, known, atol=1e-6)
    (highest,) = found.of("maximum")
    np.testing.assert_allclose(highest.point, (-0.270844590667, -0.923038557494), atol=1e-11)
    assert found.turns == 1
