"""Pictures of bands: what is drawn is what was found."""

import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.figure import Figure

import mvcalc_jax as mv
from mvcalc_jax.plots import bands, descent
from mvcalc_jax.plots.bands import Band

pytestmark = pytest.mark.slow

X = np.linspace(-1.0, 1.0, 21)
ONE = bands.Banded("x²", X, X**2, 0 * X, {"proven": Band(X**2 - 0.1, X**2 + 0.1)}, 0.0, (-1.0, 0.0, 1.0))


@pytest.fixture(autouse=True)
def _style():
    with mv.plots.style():
        yield


def lines(ax):
    return {line.get_label(): line.get_ydata() for line in ax.lines}


def test_an_enclosure_is_drawn_with_its_function_polynomial_band_and_edges():
    e = mv.taylor_enclosure(lambda x: x / (1 + x * x), np.float32(0.5), np.float32(0.5), 2, pieces=4)
    above, below = e.plot().axes
    x = above.lines[-2].get_xdata()
    np.testing.assert_allclose(lines(above)["f"], x / (1 + x**2), rtol=1e-6)
    np.testing.assert_allclose(lines(above)["polynomial"], 0.4 + 0.48 * (x - 0.5), rtol=1e-6)
    band = e.band(x)
    shaded = above.collections[0].get_paths()[0].vertices
    assert shaded[:, 1].min() == pytest.approx(float(band.lo.min()), rel=1e-6)
    edges = [line.get_xdata()[0] for line in below.lines if line.get_linestyle() == "--"]
    np.testing.assert_allclose(edges[:5], [0, 0.25, 0.5, 0.75, 1], atol=1e-6)
    assert abs(below.get_ylim()[0] + 0.2) < 0.03
    assert abs(below.get_ylim()[1] - 0.01) < 0.03


def test_small_regions_are_drawn_about_zero_and_arrays_side_by_side(tmp_path, float64):
    figure = mv.taylor_enclosure(lambda x: jnp.stack([jnp.exp(x), x, 1 / x]), 0.5, 1e-6, 1).plot()
    assert len(figure.axes) == 6
    assert figure.axes[-1].get_xlabel() == "x − 0.5"
    assert figure.axes[-1].get_xlim()[1] < 2e-6
    nothing = mv.taylor_enclosure(lambda x: 1 / x, 0.5, 1.0, 1)
    assert nothing.plot(tmp_path / "e.svg") == tmp_path / "e.svg"
    with pytest.raises(ValueError, match=r"must end in .png, .svg or .pdf"):
        nothing.plot(tmp_path / "e.txt")


def test_tensors_have_a_panel_for_each_variable(float64):
    e = mv.taylor_enclosure(
        lambda p: jnp.sin(p[0]) * p[1] ** 2, np.array([0.5, 1.0]), np.array([0.4, 0.2]), 2
    )
    figure = e.plot()
    assert isinstance(figure, Figure)
    first, second, below, _ = figure.axes
    x = first.lines[-2].get_xdata()
    np.testing.assert_allclose(lines(first)["f"], np.sin(x))
    np.testing.assert_allclose(lines(first)["polynomial"], np.sin(0.5) + np.cos(0.5) * (x - 0.5))
    y = second.lines[-2].get_xdata()
    np.testing.assert_allclose(lines(second)["f"], np.sin(0.5) * y**2)
    assert below.get_xlabel() == "x[0]"
    many = mv.taylor_enclosure(lambda p: 2 * p[:2], np.arange(1.0, 7.0), 0.1, 1)
    assert len(many.plot().axes) == 8


def test_wide_and_infinite_bands_leave_the_function_legible():
    wide = {
        "proven": ONE.bands["proven"],
        "other": Band(0 * X - 1e6, 0 * X + 1e6),
        "none": Band(X - np.inf, X + np.inf),
    }
    above, _ = bands.banded([ONE._replace(bands=wide)]).axes
    assert above.get_ylim()[1] < 2
    assert {"other", "none"} <= set(lines(above))


def test_widths_are_lines_and_gaps():
    figure = bands.widths(np.array([1e-2, 1e-1, 1.0]), {"proven": np.array([0.0, 1.0, np.inf])}, "f")
    np.testing.assert_array_equal(lines(figure.axes[0])["proven"], [np.nan, 1, np.nan])


def test_rounding_is_drawn_as_shares_and_magnified():
    h = np.linspace(-1e-6, 1e-6, 5)
    one = bands.Rounded(
        "near", h, Band(0 * h + 0.1, 0 * h + 0.3), Band(0 * h - 9, 0 * h + 9), np.arange(5) > 2
    )
    shares = {"proven": [0, 0], "textbook, float64": [0.5, 0.1], "textbook, float32": [1, 0.9]}
    left, right = bands.rounding((1e-8, 1e-2), shares, one).axes
    np.testing.assert_array_equal(lines(left)["textbook, float64"], [50, 10])
    np.testing.assert_array_equal(right.lines[-1].get_xdata(), h[3:])
    assert right.get_ylim() == pytest.approx((-0.75, 0.75))


def test_rates_are_dots_and_fixed_ones_lines():
    costs = {"proven": np.array([3.0, 2.0, 1.0]), "rate 1": np.array([3.0, 4.0, 5.0])}
    rates = {"proven": np.array([0.5, 0.0]), "rate 1": np.ones(2)}
    figure = descent.rates(costs, rates, np.array([0, 1]), np.array([0.7, np.inf]))
    above, below = figure.axes
    np.testing.assert_array_equal(lines(above)["proven"], costs["proven"])
    np.testing.assert_array_equal(below.lines[0].get_ydata(), [0.5, np.nan])
    assert [line.get_linestyle() for line in below.lines[:2]] == ["None", "-"]
    np.testing.assert_array_equal(below.lines[2].get_ydata(), [0.7])
