"""Pictures of Taylor series: what is drawn is what was given."""

import numpy as np
import pytest
from PIL import Image

import mvcalc_jax as mv
from mvcalc_jax.plots import taylor


@pytest.fixture(autouse=True)
def _style():
    with mv.plots.style():
        yield


X = np.linspace(-2.0, 2.0, 41)
SUMS = taylor.Sums("1/(1 − x)", X, np.exp(X), (0, 1, 2), np.stack([X**0, 1 + X, 1 + X + X**2 / 2]), 0.0, 1.0)


def test_partial_sums_are_drawn_in_the_disc_with_their_errors():
    above, below = taylor.partial_sums(SUMS, (1, 2)).axes
    assert [text.get_text() for text in above.get_legend().get_texts()] == ["f", "order 1", "order 2"]
    lines = {line.get_label(): line.get_ydata() for line in above.lines}
    np.testing.assert_array_equal(lines["order 2"], SUMS.p[2])
    np.testing.assert_allclose(below.lines[0].get_ydata(), np.maximum(np.abs(1 + X - np.exp(X)), 1e-18))
    edges = [line.get_xdata()[0] for line in below.lines if line.get_linestyle() == "--"]
    assert edges == [-1, 1]
    _, below = taylor.partial_sums(SUMS._replace(radius=np.inf), (1,)).axes
    assert not [line for line in below.lines if line.get_linestyle() == "--"]


def test_the_disc_has_its_circle_and_its_poles():
    errors = {2: np.full((5, 5), 1e-3), 4: np.array([[np.nan] * 5] * 5)}
    plane = taylor.Plane((-2, 2, -2, 2), errors, 0.5, np.array([1j, -1j]), 1.25)
    *panels, bar = taylor.disc(plane).axes
    assert [ax.get_title(loc="left") for ax in panels] == ["order 2", "order 4"]
    circle, poles, point = panels[0].lines
    np.testing.assert_allclose(np.hypot(circle.get_xdata() - 0.5, circle.get_ydata()), 1.25)
    np.testing.assert_array_equal(poles.get_ydata(), [1, -1])
    assert point.get_xdata() == [0.5]
    np.testing.assert_allclose(panels[0].images[0].get_array(), -3)
    np.testing.assert_allclose(panels[1].images[0].get_array(), 6)
    assert bar.get_ylabel() == "|f − p|"
    unknown = taylor.disc(plane._replace(radius=np.nan, singularities=np.zeros(0, complex)))
    assert len(unknown.axes[0].lines) == 2


def test_slopes_stand_in_the_legend_and_coefficients_below_their_line():
    h = np.geomspace(1e-3, 1, 9)
    falling = [taylor.Falling(n, h, h ** (n + 1), n + 1.0, n + 1) for n in (1, 2)]
    left, right = taylor.orders(falling, 2.0 ** -np.arange(6), np.zeros(6), 2.0).axes
    labels = [text.get_text() for text in left.get_legend().get_texts()]
    assert labels == ["order 1: slope 2.00, expected 2", "order 2: slope 3.00, expected 3"]
    np.testing.assert_allclose(right.lines[-1].get_ydata(), 2.0 ** -np.arange(6))
    _, right = taylor.orders(falling, np.array([1.0, 0.0]), np.zeros(2), np.inf).axes
    assert len(right.lines) == 2


def test_the_animation_has_a_frame_for_each_order(tmp_path):
    taylor.animate(tmp_path / "a.gif", SUMS)
    with Image.open(tmp_path / "a.gif") as image:
        assert image.n_frames == 3
