"""Pictures of critical points: a mark for each, crosses as its Hessian has them, and degenerate ones from the side."""

import numpy as np
import pytest

from mvcalc_jax.calculus import SURFACES, along_valley, critical_points, gradient_field
from mvcalc_jax.plots import critical, surface


@pytest.fixture(scope="module")
def saddle():
    return critical_points(SURFACES["pass"].f, SURFACES["pass"].box, starts=16)


def sampled(name):
    chosen = SURFACES[name]
    return surface.sampled(lambda x, y: chosen.f((x, y)), np.array(chosen.box, float), 41)


@pytest.mark.slow
def test_every_point_is_marked_and_its_directions_are_drawn(saddle, standard_promotion):
    field = gradient_field(lambda x, y: SURFACES["pass"].f((x, y)), SURFACES["pass"].box, 5)
    left, right = critical.on_contours(sampled("pass"), field, saddle).axes[:2]
    *cross, mark = left.lines
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == pytest.approx((0, 0), abs=1e-12)
    down, up = cross  # eigenvalues ascend: f falls along y, dashed, and rises along x
    assert np.ptp(down.get_xdata()) == pytest.approx(0, abs=1e-12)
    assert down.get_linestyle() == "--"
    assert np.ptp(up.get_ydata()) == pytest.approx(0, abs=1e-12)
    assert up.get_linestyle() == "-"
    point = right.lines[0]
    assert (point.get_xdata()[0], point.get_ydata()[0]) == pytest.approx((-2, 2))


@pytest.mark.slow
def test_a_flat_direction_is_seen_from_the_side(standard_promotion):
    peano, t = SURFACES["peano"], np.linspace(-0.5, 0.5, 21)
    found = critical_points(peano.f, peano.box, starts=16)
    figure = critical.degenerate(
        [(peano.formula, sampled("peano"), found, (t, *along_valley(peano.f, found[0], t)))]
    )
    above, below = figure.axes
    assert above.get_xlabel() == "degenerate saddle, order 4"
    _, floor, straight = below.lines
    np.testing.assert_allclose(straight.get_ydata(), 3 * t**4, atol=1e-4)
    np.testing.assert_allclose(floor.get_ydata(), -(t**4), atol=1e-4)


def test_without_a_point_there_is_a_picture_too(saddle, standard_promotion):
    none = critical_points(lambda p: p[0] + p[1], ((-1, 1), (-1, 1)), starts=16)
    field = gradient_field(lambda x, y: x + y, ((-1, 1), (-1, 1)), 5)
    plane = surface.sampled(lambda x, y: x + y, np.array([[-1.0, 1.0], [-1.0, 1.0]]), 21)
    assert critical.on_contours(plane, field, none).axes
