"""Pictures of Newton's method: what is drawn is what was given."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

import mvcalc_jax as mv
from mvcalc_jax.plots import newton
from mvcalc_jax.plots.style import INK, RED


@pytest.fixture(autouse=True)
def _style():
    with mv.plots.style():
        yield


X = np.linspace(-2, 2, 101)
PARABOLA = newton.Curve("x² − 1", X, X**2 - 1)


def steps(x, what="as it went"):
    x = np.array(x)
    return newton.Steps(x, x**2 - 1, 2 * x, "x² − 1 from there", what)


def segments(ax, style):
    return [
        np.array(line.get_data())
        for line in ax.lines
        if line.get_linestyle() == style and len(line.get_xdata()) == 2
    ]


def test_tangents_go_up_to_the_curve_and_down_to_the_next_iterate():
    _, ax = mv.plots.chart()
    newton.draw_tangents(ax, steps([2.0, 1.25, 1.025]))
    down, up = segments(ax, "-"), segments(ax, ":")
    np.testing.assert_allclose(down, [[[2, 1.25], [3, 0]], [[1.25, 1.025], [0.5625, 0]]])
    np.testing.assert_allclose(up, [[[2, 2], [0, 3]], [[1.25, 1.25], [0, 0.5625]]])
    _, ax = mv.plots.chart()
    newton.draw_tangents(ax, steps([0.0]))
    assert any(line.get_linestyle() == "--" and set(line.get_ydata()) == {-1.0} for line in ax.lines)


def test_walks_have_a_panel_for_each_start_and_say_what_leaves_them():
    figure = newton.walks(PARABOLA, [steps([2.0, 1.25, 1.025, 1.0003]), steps([0.05, 10.0, 5.05, 2.6])])
    above, below = figure.axes[:2], figure.axes[2:]
    assert [ax.get_title(loc="left") for ax in above] == ["from there", "from there"]
    np.testing.assert_allclose(below[1].lines[0].get_ydata(), [0.05, 10.0, 5.05, 2.6])
    assert [text.get_text() for text in above[1].texts] == ["step 1 leads to 10"]
    assert not above[0].texts


def test_a_walk_to_infinity_can_still_be_read():
    figure = newton.walks(PARABOLA, [steps(1.5 * (-2.0) ** np.arange(60))])
    assert figure.axes[1].get_yscale() == "symlog"


def test_shades_tell_roots_and_haste_and_ink_is_for_none():
    label, taken = np.array([[0, 0, 1], [1, -1, 0]]), np.array([[1, 9, 1], [9, 50, 3]])
    colours = newton.shaded(label, taken)
    np.testing.assert_allclose(colours[1, 1], to_rgb(INK))
    assert colours[0, 0].sum() > colours[1, 2].sum() > colours[0, 1].sum()  # paler the sooner
    assert np.argmax(colours[0, 1]) == np.argmax(to_rgb(RED))
    assert newton.shaded(np.full((2, 2), -1), np.ones((2, 2), int)).shape == (2, 2, 3)


def test_basins_show_every_root_once():
    label, taken = np.zeros((4, 4), int), np.ones((4, 4), int)
    box, roots = np.array([[-2.0, 2.0], [-2.0, 2.0]]), np.array([1 + 0j, 5j])
    strip = newton.shaded(np.zeros(9, int), np.ones(9, int)), np.array([-1.0, 1.0])
    plane = box, newton.shaded(label, taken), roots
    figure = newton.basins("z − 1", plane, {"1": 0.75, "none": 0.25}, PARABOLA, strip, (-2.0, 2.0))
    left, right = figure.axes
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["1: 75.0%", "none: 25.0%"]
    dots = [line.get_xydata()[0] for line in left.lines if line.get_marker() == "o" and len(line.get_xdata())]
    np.testing.assert_allclose(dots, [[1, 0]])  # the other is outside
    assert len(left.images) == len(right.images) == 1


def test_roots_are_named_briefly():
    roots = [1 + 1e-15j, -0.5 - 0.8660254j, 2j, np.float64(3.25), np.array([1.0, -2.0])]
    assert [newton.named(z) for z in roots] == ["1", "-0.5 − 0.866i", "2i", "3.25", "(1, -2)"]


def test_gallery_and_convergence():
    failure = newton.Failure(
        PARABOLA, steps([2.0, 1.25], "a sentence that has to be broken into several lines"), 1.0
    )
    figure = newton.gallery([failure] * 5)
    assert sum(ax.axison for ax in figure.axes) == 5
    assert "\n" in figure.axes[0].get_xlabel()
    figure = newton.convergence({"one": np.array([1.0, 0.1, 0.0])})
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), [1, 0.1, 1e-17])


def test_the_animation_has_a_frame_for_each_step_and_red_in_it(tmp_path):
    newton.animate(tmp_path / "a.gif", PARABOLA, steps([2.0, 1.25, 1.025, 1.0003]))
    with Image.open(tmp_path / "a.gif") as image:
        assert image.n_frames == 4
        image.seek(1)
        far = np.abs(np.asarray(image.convert("RGB")).astype(int) - np.array(to_rgb(RED)) * 255).sum(axis=2)
        assert np.sum(far < 40) > 50
    assert mpl.rcParams["axes.grid"]
