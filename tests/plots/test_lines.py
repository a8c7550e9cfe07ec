"""Pictures of regressions: they show the numbers, name the points, and no fit is too odd to be drawn."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

import mvcalc_jax as mv
from mvcalc_jax.plots import lines, regression
from tests.cases import long

TITLES = [
    "Is anything left to explain?",
    "Is it normal?",
    "Is the spread the same everywhere?",
    "Does one point hold the line?",
]


@pytest.fixture(autouse=True)
def _style():
    with mv.plots.style():
        yield


def diagnostics(found):
    return regression.diagnostics(
        found.fitted, found.residuals, found.standardised, found.leverage, found.rank
    )


def with_gid(ax, name):
    return [artist for artist in ax.get_children() if artist.get_gid() == name]


def points(ax):
    return np.asarray(ax.collections[0].get_offsets())


def words(ax):
    return [text.get_text() for text in ax.texts]


@pytest.fixture
def found(rng):
    X = rng.standard_normal((40, 2))
    y = X @ [1.0, -1.0] + rng.standard_normal(40)
    y[11] += 9
    return mv.linear_regression(X, y)


def test_four_panels_show_the_fit(found):
    axes = diagnostics(found).axes
    assert [ax.get_title(loc="left") for ax in axes] == TITLES
    order = np.argsort(found.standardised)
    normal = stats.norm.ppf((np.arange(40) + 0.5) / 40)
    expected = [
        (found.fitted, found.residuals),
        (normal, found.standardised[order]),
        (found.fitted, np.sqrt(np.abs(found.standardised))),
        (found.leverage, found.standardised),
    ]
    for ax, pair in zip(axes, expected, strict=True):
        np.testing.assert_allclose(points(ax), np.stack(pair, axis=1), rtol=1e-12)
        assert "11" in words(ax)


def test_contours_are_those_of_cooks_distance(found):
    ax = diagnostics(found).axes[3]
    contours = with_gid(ax, "cook")
    assert len(contours) == 4
    for contour, distance in zip(contours, (0.5, 0.5, 1, 1), strict=True):
        h, r = contour.get_data()
        np.testing.assert_allclose(r**2 * h / (1 - h) / found.rank, distance, rtol=1e-10)
    assert f"{np.nanmax(found.cook):.2g} at most" in ax.get_legend().get_texts()[0].get_text()


def test_a_smooth_follows_what_is_left(rng):
    x = np.linspace(-1, 1, 60)
    found = mv.linear_regression(x, x**2 + 1e-3 * rng.standard_normal(60))
    (smooth,) = with_gid(diagnostics(found).axes[0], "smooth")
    assert np.isfinite(smooth.get_ydata()).all()
    one = Figure().subplots()
    regression._smooth(one, x, x**2)
    (curve,) = with_gid(one, "smooth")
    np.testing.assert_allclose(curve.get_ydata(), curve.get_xdata() ** 2, atol=0.15)
    line = Figure().subplots()
    regression._smooth(line, x, 2 * x - 1)
    (straight,) = with_gid(line, "smooth")
    np.testing.assert_allclose(straight.get_ydata(), 2 * straight.get_xdata() - 1, atol=1e-12)


def test_numbers_of_points_do_not_cover_each_other(rng):
    pairs = mv.data.fathers_and_sons()
    figure = diagnostics(mv.linear_regression(pairs.x, pairs.y))
    figure.draw_without_rendering()
    for ax in figure.axes:
        boxes = [text.get_window_extent() for text in ax.texts]
        assert len(boxes) == 3
        assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


def test_a_point_that_holds_the_line_is_marked():
    a = mv.data.ANSCOMBE[3]
    ax = diagnostics(mv.linear_regression(a.x, a.y)).axes[3]
    (mark,) = with_gid(ax, "holding")
    np.testing.assert_array_equal(mark.get_xydata(), [(1, 0)])
    assert "7: the fit goes through it" in words(ax)
    assert ax.get_xlim()[1] > 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("X", "y", "options"),
    [
        ([1, 2, 3], [2, 4, 6], {}),
        ([1, 2], [2, 5], {}),
        ([1, 2, 3], [2, 4, 7], {}),
        ([1, 2, 3, 4], [5, 5, 5, 5], {}),
        (np.stack([np.arange(9), 2 * np.arange(9)], axis=1), np.arange(9) ** 2 % 7, {}),
        (np.arange(9), np.arange(9) ** 2 % 7, {"weights": np.arange(9)}),
        (1e90 * np.arange(9), 1e-90 * (np.arange(9) ** 2 % 7), {}),
        (np.empty((5, 0)), [1, 2, 3, 5, 8], {}),
    ],
    ids=["exact", "saturated", "three", "constant", "dependent", "weights", "scales", "mean"],
)
def test_no_fit_is_too_odd(X, y, options, tmp_path):
    path = tmp_path / "a.png"
    assert mv.linear_regression(X, y, **options).plot(path) == path
    assert path.stat().st_size > 5000


def test_where_there_is_nothing_to_draw_it_says_so():
    axes = diagnostics(mv.linear_regression([1, 2, 3], [2, 4, 6])).axes
    assert "the fit goes through the points" in words(axes[3])[0]


@pytest.mark.parametrize("suffix", [".svg", long(".pdf")])
def test_other_files_are_refused_and_equal_fits_are_equal_files(suffix, found, tmp_path):
    with pytest.raises(ValueError, match=r"`path` must end in .png, .svg or .pdf; got .*a.txt"):
        found.plot(tmp_path / "a.txt")
    first, second = (found.plot(tmp_path / f"{k}{suffix}").read_bytes() for k in "ab")
    assert first == second


@pytest.fixture
def line(found):
    x = np.linspace(-1, 1, 9)
    fit = mv.linear_regression([1, 2, 3, 4], [1, 3, 2, 4])
    return lines.Line(x, fit.predict(x), fit.confidence_band(x), fit.prediction_band(x))


def test_a_line_with_its_bands(line):
    figure = lines.fit(np.arange(4.0), np.arange(4.0), line, ("age", "height"))
    (ax,) = figure.axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("age", "height")
    for name, band in (("confidence", line.confidence), ("prediction", line.prediction)):
        (filled,) = with_gid(ax, name)
        y = filled.get_paths()[0].vertices[:, 1]
        assert (y.min(), y.max()) == pytest.approx((band.min(), band.max()))


def test_a_quartet_shares_its_scales(line, rng):
    four = [(f"set {k}", rng.standard_normal(11), rng.standard_normal(11)) for k in range(4)]
    figure = lines.quartet(four, [line] * 4, "y = x")
    assert [ax.get_title(loc="left") for ax in figure.axes] == [f"set {k}" for k in range(4)]
    assert len({(ax.get_xlim(), ax.get_ylim()) for ax in figure.axes}) == 1
    for ax, (_, x, y) in zip(figure.axes, four, strict=True):
        drawn = np.asarray(ax.collections[-1].get_offsets())
        np.testing.assert_array_equal(drawn, np.stack([x, y], axis=1))


def test_both_ways_shows_class_means(line, rng):
    x, y = rng.normal(68, 2.7, 400), rng.normal(69, 2.8, 400)
    (ax,) = lines.both_ways(x, y, (line, line), ("father's height / in", "son's height / in")).axes
    means = dict(tuple(each.get_xydata()[0]) for each in ax.lines if len(each.get_xdata()) == 1)
    classes = np.round(x)
    for place in np.unique(classes):
        if (classes == place).sum() >= 8:
            assert means[place] == pytest.approx(y[classes == place].mean())
    assert "son's height\nby father's height" in words(ax)
