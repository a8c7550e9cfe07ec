"""Pictures: what is drawn is what was given, and every file is a picture."""

from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from PIL import Image

import mvcalc_jax as mv
from mvcalc_jax.plots import curve, descent, errors, gif, heights, ladder, mixture
from tests.cases import long


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


def red(image):
    """How many pixels have the colour of an attempt."""
    return int(np.sum(np.abs(np.asarray(image.convert("RGB")).astype(int) - (209, 73, 91)).sum(axis=2) < 30))


def test_a_collapsed_attempt_is_a_dot_as_wide_as_the_line(heart, tmp_path):
    figure = curve.drawing(heart, np.full((2, 2, 39), 0.37), "")
    (_, attempt) = figure.axes[0].lines
    assert attempt.get_markersize() == attempt.get_linewidth()
    mv.plots.save(figure, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert 8 <= red(image) <= 25  # 3 points at 110 dpi are 4.6 pixels
    curve.animate(tmp_path / "a.gif", heart, np.full((2, 2, 39), 0.37), ["", ""])
    with Image.open(tmp_path / "a.gif") as image:
        assert red(image) >= 4


@pytest.mark.parametrize(
    ("points", "seen"),
    [
        ([[0.5, 0.5], [0.5, 0.5]], True),
        ([[1.0, 1.0], [0.0, 0.0]], True),
        ([[1.5, 1.5], [0.5, 0.5]], False),
        ([[1.5, 2.5], [0.5, 1.5]], False),
        ([[-1.0, 2.0], [0.5, 0.5]], True),
        ([[-1.0, 0.4], [0.9, 2.3]], False),
        ([[0.5, 7.0], [0.5, 7.0]], True),
    ],
    ids=str,
)
def test_the_caption_says_where_an_attempt_lies_wholly_off_the_sheet(points, seen, heart):
    attempt, word = np.array(points), "off the sheet"
    assert curve.caption_of(attempt, "step 7") == ("step 7" if seen else f"step 7   {word}")
    assert (word in curve.drawing(heart, attempt[None], "").axes[0].texts[0].get_text()) != seen
    two = np.stack([attempt, heart.points[:, :2]])
    _, first, second, _ = curve.drawings(heart, two, np.array([2.0, 1.0]), {"a": 0, "b": 1}).axes
    assert (word in first.texts[0].get_text()) != seen
    assert second.texts[0].get_text() == "b"


def test_of_many_drawings_every_finite_one_is_seen_the_best_on_top(heart):
    attempts = heart.points[None] * np.array([0.9, 1.0, 0.8, np.nan])[:, None, None]
    costs = np.array([0.02, 1e-5, 0.3, np.nan])
    everything, _, histogram = curve.drawings(heart, attempts, costs, {"best": 1}).axes
    (lines,) = everything.collections
    np.testing.assert_allclose(lines.get_segments()[-1], attempts[1].T)
    np.testing.assert_allclose(lines.get_segments()[0], attempts[2].T)
    assert len(lines.get_segments()) == 3
    heights = [patch.get_height() for patch in histogram.patches]
    assert sum(heights) == 3 + 1, "one for each, and the shade of the middle half"
    assert "1 network failed" in histogram.get_title("left")


def test_many_drawings_that_all_failed_are_said_to_be(heart):
    nothing = np.full((2, *heart.points.shape), np.nan)
    axes = curve.drawings(heart, nothing, np.full(2, np.inf), {"best": 0}).axes
    assert axes[-1].texts[0].get_text() == "no finite cost"


def test_frames_of_an_animation_say_so_too(heart, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(curve, "caption_of", lambda attempt, caption: said.append((attempt, caption)) or "")
    history = np.stack([heart.points, heart.points + 3])
    curve.animate(tmp_path / "a.gif", heart, history, ["one", "two"])
    assert [caption for _, caption in said] == ["one", "two"]
    np.testing.assert_array_equal([attempt for attempt, _ in said], history)


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


def test_spread_shows_what_there_is_and_does_not_warn(rng):
    _, ax = mv.plots.chart()
    costs = rng.random((4, 5)) + 0.1
    costs[1] = np.nan
    costs[2, 1:] = np.inf
    costs[:, 3:] = np.nan
    descent.draw_spread(ax, np.arange(5), costs)
    known = np.median(costs[[0, 2, 3], :1], axis=0), np.median(costs[[0, 3], 1:3], axis=0), [np.nan] * 2
    np.testing.assert_allclose(ax.lines[-1].get_ydata(), np.concatenate(known))
    assert ax.get_legend()
    assert not ax.texts


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_costs_that_are_nowhere_finite_are_said_to_be_so(bad, tmp_path):
    for draw in (
        lambda ax: descent.draw_spread(ax, np.arange(3), np.full((2, 3), bad)),
        lambda ax: descent.draw_costs(ax, {"a": (np.arange(3), np.full(3, bad))}),
    ):
        figure, ax = mv.plots.chart()
        draw(ax)
        assert [text.get_text() for text in ax.texts] == ["no finite cost"]
        assert ax.get_legend() is None
        mv.plots.save(figure, tmp_path / "cost.png")


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


def valley(mu, sigma):
    return (mu - 178) ** 2 + (sigma - 8) ** 2 + 1e9 * (sigma < 1)


def test_survey_reaches_the_start_and_keeps_its_contours():
    usual = heights.survey(valley, 178.0, 8.0)
    same = heights.survey(valley, 178.0, 8.0, np.array([155.0, 6.0]))
    for a, b in zip(usual, same, strict=True):
        np.testing.assert_array_equal(a, b)
    for mu, sigma in [(0.0, 1.0), (400.0, 0.01), (178.0, 1000.0), (-1e6, 8.0), (170.0, 1e-12)]:
        far = heights.survey(valley, 178.0, 8.0, np.array([mu, sigma]))
        assert far.mu[0] < mu < far.mu[-1]
        assert 0 < far.sigma[0] < sigma < far.sigma[-1]
        assert (np.diff(far.mu) > 0).all()
        assert (np.diff(far.sigma) > 0).all()
        assert set(usual.mu) <= set(far.mu)
        assert far.chi_squared.shape == (far.sigma.size, far.mu.size)
        assert far.chi_squared.max() <= usual.chi_squared.max()
        _, ax = mv.plots.chart()
        heights.draw_landscape(ax, far)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mean", "stddev"),
    [
        (-1e6, 1e3),
        long(3e-4, 1e-6),
        long(1e-4, 2e-5),
        long(1e6, 5e4),
        long(178.0, 8.0),
    ],
)
def test_labels_of_ticks_do_not_touch(mean, stddev, tmp_path, monkeypatch):
    centres = mean + stddev * np.linspace(-6, 6, 25)
    widths = np.full(25, stddev / 2)
    bins = heights.Bins("x", centres, widths, gauss((mean, stddev), centres))
    mu, sigma = mean + stddev * np.linspace(-3.8, 2.85, 9), stddev * np.linspace(0.3, 4.6, 8)
    landscape = heights.Landscape(mu, sigma, np.add.outer(np.arange(8.0), np.arange(9.0) ** 2))
    path = np.array([[mean - 3 * stddev, stddev * 0.8], [mean, stddev]])
    four = dict.fromkeys("abcd", path)
    figures = [
        heights.before_and_after(bins, gauss, path, (centres[0], centres[-1])),
        heights.descent_on(landscape, path, path[-1]),
        heights.by_learning_rate(landscape, four, {name: np.ones(2) for name in four}),
    ]
    titles = []

    def keep(file, figure, moving, show, moments, **options):
        for row in moments:
            show(row)
            titles.append(moving[-1].get_text())
        figures.append(figure)

    monkeypatch.setattr(heights, "save_gif", keep)
    heights.animate(tmp_path / "d.gif", bins, gauss, landscape, path, (centres[0], centres[-1]))
    assert titles[-1] == f"step 1   μ {mean:.4g}   σ {stddev:.4g}"
    for figure in figures:
        figure.draw_without_rendering()
        for ax in figure.axes:
            low, high = ax.get_xlim()
            ticks = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
            boxes = [label.get_window_extent() for x, label in ticks if low <= x <= high]
            assert len(boxes) >= 2
            assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


def test_a_needle_is_drawn_to_its_tip_and_leaves_the_bars_their_room(bins):
    figure = heights.before_and_after(bins, gauss, np.array([[0.0, 0.01], [67.0, 3.0]]), (-3, 80))
    needle = figure.axes[0].lines[0]
    assert needle.get_ydata().max() > 0.99 / (0.01 * np.sqrt(2 * np.pi))
    assert figure.axes[0].get_ylim() == (0, 4 * bins.density.max())


def test_costs_within_a_decade_are_given_one():
    flat = {"a": np.array([0.0146036, 0.0146035, 0.0146034])}
    landscape = heights.survey(valley, 178.0, 8.0)
    figure = heights.by_learning_rate(landscape, {"a": np.tile([170.0, 9.0], (3, 1))}, flat)
    low, high = figure.axes[-1].get_ylim()
    assert low < 0.0146 / 2
    assert high > 0.0146 * 2


def test_errors_by_step_and_their_levels():
    _, ax = mv.plots.chart()
    steps = np.logspace(-8, 0, 5)
    errors.draw_error_by_step(ax, steps, {"forward": steps, "central": steps**2}, {"by hand": 1e-16})
    assert len(ax.lines) == 3
    np.testing.assert_allclose(ax.lines[2].get_ydata(), 1e-16)
    assert ax.texts[0].get_text() == "by hand"


def test_ellipses_lie_so_many_standard_deviations_out():
    cov, centre = np.array([[2.0, 0.6], [0.6, 0.5]]), np.array([3.0, -1.0])
    away = ladder.ellipse(centre, cov, 2.0) - centre[:, None]
    np.testing.assert_allclose(np.sum(away * np.linalg.solve(cov, away), axis=0), 4)


def test_parts_of_a_mixture_are_drawn_with_their_sum_and_truth():
    bins = heights.Bins("x", np.arange(3) + 0.5, np.ones(3), np.array([4.0, 9, 5]))
    x = np.linspace(0, 3, 7)
    parts = [mixture.Part(name, x, x * 0 + k, x * 0 + 5, np.arange(3) + k) for k, name in enumerate("ab")]
    figure = mixture.taken_apart(bins, parts, list("pq"), np.array([[1, -0.5], [-0.5, 1]]), "in")
    pooled, truth, errors = figure.axes[:3]
    np.testing.assert_allclose(pooled.lines[-1].get_ydata(), 1)
    assert [t.get_text() for t in errors.texts] == ["1", "−0.50", "−0.50", "1"]
    assert "a, by label" in [t.get_text() for t in truth.get_legend().get_texts()]
    for band in truth.collections:
        assert band.get_paths()[0].vertices[:, 1].min() >= 0
