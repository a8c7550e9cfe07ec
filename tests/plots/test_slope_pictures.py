"""Secants and Vs: what is drawn is what was given."""

import numpy as np
import pytest
from PIL import Image

import mvcalc_jax as mv
from mvcalc_jax.calculus.slopes.bounds import ErrorModel
from mvcalc_jax.plots import slope


@pytest.fixture(autouse=True)
def _style():
    with mv.plots.style():
        yield


@pytest.fixture
def secants():
    x, steps = np.linspace(0, 3, 50), np.array([1.0, 0.5, 0.25])
    return slope.Secants("x²", x, x**2, 1.0, 1.0, steps, (1 + steps) ** 2, 2.0)


def test_secants_pass_through_both_points(secants):
    left, right = slope.closing(secants).axes
    lines = [line for line in left.lines if len(line.get_xdata()) == 2]
    for line, rise in zip(lines, (3.0, 2.5, 2.25, 2.0), strict=True):
        (x0, x1), (y0, y1) = line.get_data()
        assert (y1 - y0) / (x1 - x0) == pytest.approx(rise)
        assert y0 + rise * (1 - x0) == pytest.approx(1)
    assert [line.get_ydata()[0] for line in right.lines] == [2.0, 3.0, 2.5, 2.25]
    assert right.get_xlim()[0] > right.get_xlim()[1]  # steps shrink to the right


def test_the_animation_has_a_frame_for_each_step(secants, tmp_path):
    slope.animate(tmp_path / "a.gif", secants)
    with Image.open(tmp_path / "a.gif") as image:
        assert image.n_frames == 3
        assert image.size == (800, 370)


def test_a_v_has_its_points_lines_stars_and_levels():
    model, steps = ErrorModel(1.0, 2.0, 3.0, 4.0, 1e-16), np.geomspace(1e-12, 1, 30)
    bounds = {"forward": model.forward(steps), "central": model.central(steps)}
    measured = {kind: b.truncation + 0 * b.step for kind, b in bounds.items()}
    measured["forward"][0] = 0
    vee = slope.Vee("float64", measured, bounds, {"ridders": 2e-15, "autodiff": 0.0}, 2.0, 1e-17)
    (ax,) = slope.vees([vee], "|f′|").axes
    points = ax.lines[0].get_ydata()
    assert points[0] == 1e-17
    np.testing.assert_allclose(points[1:], measured["forward"][1:] / 2)
    np.testing.assert_allclose(ax.lines[1].get_ydata(), 1.5 * steps / 2)
    (star,) = (line for line in ax.lines[:4] if line.get_marker() == "*")
    assert star.get_data()[0] == pytest.approx(2 * np.sqrt(1e-16 / 3))
    assert [text.get_text() for text in ax.texts] == ["ridders: 1e-15", "autodiff: 0"]
    heights = [text.xy[1] for text in ax.texts]
    assert heights[0] > 5 * heights[1]
    assert ax.get_ylabel() == "error / |f′|"
