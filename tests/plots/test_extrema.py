"""Pictures of extrema on constraints: what is drawn is where it is, and arrows point where gradients do."""

import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.quiver import Quiver

import mvcalc_jax as mv
from mvcalc_jax.calculus.constraints.extrema import Irregular
from mvcalc_jax.calculus.constraints.following import constraint_curves, shadows
from mvcalc_jax.calculus.constraints.lagrange import lagrange
from mvcalc_jax.plots import lagrange as draw
from mvcalc_jax.plots.surface import sampled

BOX = np.array([[-1.6, 1.6], [-1.5, 1.5]])


def height(x, y):
    return x + 2 * y


def circle(x, y):
    return x**2 + y**2 - 1


@pytest.fixture(autouse=True)
def _style():
    with mv.plots.style():
        yield


@pytest.fixture(scope="module")
def found():
    return lagrange(height, circle, box=BOX)


@pytest.fixture(scope="module")
def curves(found):
    return constraint_curves(height, circle, found, BOX)


def test_points_touching_contours_and_arrows(found, curves, tmp_path):
    figure = draw.on_contours(sampled(height, BOX), curves, found)
    left, right = figure.axes
    dots = [line.get_xydata()[0] for line in left.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(dots, [p.x for p in found.points])
    arrows = [a for a in left.collections if isinstance(a, Quiver)]
    along = {a: np.array([a.U[0], a.V[0]]) for a in arrows}
    normals, slopes = (np.array([along[a] for a in arrows[k::2]]) for k in (0, 1))
    for point, normal, slope in zip(found.points, normals, slopes, strict=True):
        assert normal @ point.normals[0] > 0.999 * np.linalg.norm(normal) * np.linalg.norm(point.normals[0])
        assert slope @ point.gradient > 0.999 * np.linalg.norm(slope) * np.linalg.norm(point.gradient)
        assert np.sign(normal @ slope) == np.sign(point.multipliers[0])
    line = right.lines[0].get_xydata()
    np.testing.assert_allclose(line[-1, 0], 2 * np.pi, rtol=1e-3)
    assert line[0, 1] == line[-1, 1]
    at = [mark.get_xydata()[0] for mark in right.lines[1:]]
    np.testing.assert_allclose([y for _, y in at], [p.value for p in found.points])
    assert min(x for x, _ in at) > 0.2
    mv.plots.save(figure, tmp_path / "extrema.png")


@pytest.mark.slow
def test_a_singular_point_is_marked_and_has_no_arrows():
    cusp = lambda x, y: y**2 - x**3
    tip = lagrange(lambda x, y: x, cusp, box=[(-1, 1)] * 2)
    assert isinstance(tip.minimum, Irregular)
    figure = draw.on_contours(
        sampled(lambda x, y: x + 0 * y, BOX), constraint_curves(lambda x, y: x, cusp, tip, [(-1, 1)] * 2), tip
    )
    assert not [a for a in figure.axes[0].collections if isinstance(a, Quiver)]
    assert [line.get_marker() for ax in figure.axes for line in ax.lines].count("X") == 2
    assert "singular point" in [t.get_text() for t in figure.legends[0].get_texts()]


def test_tangents_have_the_slope_of_the_multiplier(found, tmp_path):
    levels = np.linspace(-0.5, 0.5, 11)
    figure = draw.prices(found.points, shadows(height, circle, found.points, levels), ["f*"])
    for ax, point in zip(figure.axes, found.points, strict=True):
        curve, tangent, dot = (line.get_xydata() for line in ax.lines)
        np.testing.assert_allclose(curve[:, 1], np.sign(point.value) * np.sqrt(5 * (1 + levels)), rtol=1e-12)
        np.testing.assert_allclose(np.diff(tangent[:, 1]) / np.diff(tangent[:, 0]), point.multipliers[0])
        np.testing.assert_allclose(dot, [(0, point.value)])
    mv.plots.save(figure, tmp_path / "price.png")


@pytest.mark.slow
def test_two_constraints_in_space_and_points_that_are_alike(tmp_path):
    f, g = (lambda x, y, z: x * y * z), (lambda x, y, z: (x + y + z - 1, x**2 + y**2 + z**2 - 2))
    found = lagrange(f, g, box=[(-1.5, 1.5)] * 3)
    curves = constraint_curves(f, g, found, [(-1.5, 1.5)] * 3)
    x, y, z = draw.plane(np.ones(3), 1, 1.4)
    np.testing.assert_allclose(x + y + z, 1)
    np.testing.assert_allclose(sum(c**2 for c in draw.sphere(1.5)), 2.25)
    figure = draw.in_space([(x, y, z), draw.sphere(2**0.5)], curves, found)
    assert mpl.colors.same_color(figure.axes[1].lines[1].get_color(), draw.COLOURS["minimum"])
    mv.plots.save(figure, tmp_path / "space.png")
    prices = draw.prices(found.points, shadows(f, g, found.points, (-0.1, 0.0, 0.1)), ("plane", "sphere"))
    assert [ax.get_title("left").partition("\n")[0] for ax in prices.axes] == [
        "1, 2, 3: minimum",
        "4, 5, 6: maximum",
    ]
    assert jnp.asarray(curves[0].x).shape[1] == 3
