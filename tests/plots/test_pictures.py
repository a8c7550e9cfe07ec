"""Pictures: what is drawn is what was given, and every file is a picture."""

from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from PIL import Image

import mvcalc_jax as mv
from mvcalc_jax.plots import curve, descent, errors, gif, heights


@pytest.fixture(autouse=True)
def _style():
    with mv.plots.style():
        yield


@pytest.fixture
def heart():
    return mv.data.curve("heart", 20)


@pytest.fixture
def history(rng):
    return rng.random((7, 2, 39))


def test_style_changes_nothing_outside():
    with mpl.rc_context(mpl.rcParamsDefault):
        outside = dict(mpl.rcParams)
        with mv.plots.style():
            assert dict(mpl.rcParams) != outside
        assert dict(mpl.rcParams) == outside


def test_drawing_shows_target_history_and_the_last_attempt(heart, history):
    figure = curve.drawing(heart, history, "step 7")
    (ax,) = figure.axes
    (lines,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    assert len(lines.get_segments()) == 7
    np.testing.assert_allclose(lines.get_segments()[3], history[3].T)
    target, attempt = ax.lines
    np.testing.assert_allclose(np.array(target.get_data())[:, :-1], heart.points)
    np.testing.assert_allclose(np.array(target.get_data())[:, -1], heart.points[:, 0])
    np.testing.assert_allclose(attempt.get_data(), history[-1])
    assert ax.get_aspect() == 1
    assert ax.texts[0].get_text() == "step 7"


def test_a_target_with_breaks_is_not_joined_across_them():
    from mvcalc_jax.data.curves import resample

    strokes = [np.array([[0, 1.0], [0, 0]]), np.array([[2, 3.0], [0, 0]])]
    two = resample("two", strokes, 6)
    _, ax = curve.sheet(3)
    x, _ = curve.draw_target(ax, two).get_data()
    assert np.isnan(x).sum() == 1
    assert np.isnan(x)[two.breaks[0]]


def test_saved_files_are_pictures(heart, history, tmp_path):
    mv.plots.save(curve.drawing(heart, history, ""), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (880, 880)
    curve.animate(tmp_path / "a.gif", heart, history, [f"row {k}" for k in range(7)])
    with Image.open(tmp_path / "a.gif") as image:
        assert image.n_frames == 7
        frames = []
        for k in range(7):
            image.seek(k)
            frames.append(np.asarray(image.convert("RGB")))
        assert all((a != b).any() for a, b in pairwise(frames))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.gif", "a.png"]


@pytest.mark.parametrize("rows", [1, 2, 39, 40, 501, 100_001])
def test_frames_are_few_and_include_both_ends(rows):
    chosen = gif.frames(rows)
    assert len(chosen) <= 40
    assert chosen[0] == 0
    assert chosen[-1] == rows - 1
    assert chosen == sorted(set(chosen))


def test_costs_are_drawn_one_line_a_run():
    _, ax = mv.plots.chart()
    step = np.arange(5)
    descent.draw_costs(ax, {"a": (step, 1.0 / (1 + step)), "b": (step[:3], 2.0 + step[:3])})
    assert [line.get_label() for line in ax.lines] == ["a", "b"]
    np.testing.assert_allclose(ax.lines[1].get_ydata(), [2, 3, 4])
    assert ax.get_yscale() == "log"


def test_spread_draws_every_member_and_the_median(rng):
    _, ax = mv.plots.chart()
    costs = rng.random((9, 5)) + 0.1
    costs[3, 2:] = np.nan
    descent.draw_spread(ax, np.arange(5), costs)
    assert len(ax.lines) == 10
    np.testing.assert_allclose(ax.lines[-1].get_ydata(), np.nanmedian(costs, axis=0))


def gauss(theta, x):
    return np.asarray(mv.gaussian.density(np.asarray(theta, float), np.asarray(x, float)))


@pytest.fixture
def bins():
    h = mv.data.histogram("galton-men")
    return heights.Bins("height / in", h.centres, h.widths, h.density)


def test_overlap_excess_and_deficit_add_up(bins, float64):
    _, ax = mv.plots.chart()
    theta = np.array([67.0, 3.0])
    heights.draw_overlap(ax, bins, gauss, theta)
    n = len(bins.centres)
    overlap, excess, deficit = (
        np.array([p.get_height() for p in ax.patches[k * n : (k + 1) * n]]) for k in range(3)
    )
    np.testing.assert_allclose(overlap + excess, bins.density, atol=1e-15)
    np.testing.assert_allclose(overlap + deficit, gauss(theta, bins.centres), atol=1e-15)


def test_pictures_of_a_descent(bins, tmp_path, float64):
    mu, sigma = np.linspace(60, 72, 20), np.linspace(1, 9, 15)
    chi = np.array([[np.sum((bins.density - gauss((m, s), bins.centres)) ** 2) for m in mu] for s in sigma])
    landscape = heights.Landscape(mu, sigma, chi)
    path = np.array([[61, 2.0], [64, 4.0], [68, 2.7]])
    figure = heights.descent_on(landscape, path, path[-1])
    np.testing.assert_allclose(np.array(figure.axes[0].lines[0].get_data()).T, path)
    rates = heights.by_learning_rate(landscape, {"a": path, "b": path}, {"a": np.ones(3), "b": np.ones(3)})
    assert len(rates.axes) == 3
    both = heights.before_and_after(bins, gauss, path, (55, 80))
    assert [ax.get_title(loc="left").split(":")[0] for ax in both.axes] == ["before", "after"]
    for name, picture in {"a": figure, "b": rates, "c": both}.items():
        mv.plots.save(picture, tmp_path / f"{name}.png")
    heights.animate(tmp_path / "d.gif", bins, gauss, landscape, path, (55, 80))
    assert len(list(tmp_path.iterdir())) == 4


def test_errors_by_step_and_their_levels():
    _, ax = mv.plots.chart()
    steps = np.logspace(-8, 0, 5)
    errors.draw_error_by_step(ax, steps, {"forward": steps, "central": steps**2}, {"by hand": 1e-16})
    assert len(ax.lines) == 3
    np.testing.assert_allclose(ax.lines[2].get_ydata(), 1e-16)
    assert ax.texts[0].get_text() == "by hand"
