"""Pictures of strategies in the sandpit: what is drawn is what was given."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

import mvcalc_jax as mv
from mvcalc_jax.plots import sandpit


@pytest.fixture(autouse=True)
def _style():
    with mv.plots.style():
        yield


T = np.linspace(0, 6, 31)
GROUND = sandpit.Ground(
    "bowl", T, -9 + ((T - 2) ** 2)[None] / 4 + ((T - 3) ** 2)[:, None] / 4, np.array([[2.0, 3.0]])
)


def basin(name, leads_to):
    return sandpit.Basin(name, leads_to, np.full(leads_to.shape, 5), float((leads_to == 0).mean()))


def test_each_minimum_has_its_colour_and_none_is_grey():
    leads_to, dips = np.array([[0, 1], [-1, 7]]), np.array([[25, 25], [3, 25]])
    picture = sandpit.shaded(leads_to, dips)
    np.testing.assert_allclose(picture[0, 0], to_rgb(sandpit.HOLLOWS[0]))
    np.testing.assert_allclose(picture[0, 1], to_rgb(sandpit.HOLLOWS[1]))
    assert np.ptp(picture[1, 0]) == 0
    np.testing.assert_allclose(picture[1, 1], to_rgb(sandpit.HOLLOWS[1]))  # they begin anew after the seventh
    sooner = sandpit.shaded(leads_to, np.array([[2, 2], [3, 25]]))
    assert (sooner[0] > picture[0]).all()
    assert sandpit.shaded(np.full((2, 2), -1), np.ones((2, 2), int)).shape == (2, 2, 3)


def test_basins_have_a_panel_for_each_strategy_with_its_share():
    grid = np.zeros((4, 4), int)
    grid[0] = -1
    figure = sandpit.basins(GROUND, [basin("adam", grid), basin("newton", grid * 0 - 1)], columns=3)
    panels = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title(loc="left") for ax in panels] == ["adam  75%", "newton  0%"]
    for ax in panels:
        (image,) = ax.images
        assert image.get_extent() == [0, 6, 0, 6]
        assert image.origin == "lower"
        assert ax.get_xlim() == ax.get_ylim() == (0, 6)


def test_the_phone_is_a_star_and_other_minima_are_rings():
    figure = sandpit.basins(
        GROUND._replace(minima=np.array([[2.0, 3.0], [5.0, 5.0]])), [basin("adam", np.zeros((2, 2), int))]
    )
    rings, star = figure.axes[0].lines
    assert (star.get_marker(), *star.get_xydata()[0]) == ("*", 2, 3)
    assert (rings.get_marker(), *rings.get_xydata()[0]) == ("o", 5, 5)


def test_success_says_how_often_and_with_how_many_dips():
    share, dips = np.array([[1.0, 0.25], [0.0, 0.5]]), np.array([[1.0, 6.0], [np.nan, 12.5]])
    figure = sandpit.success(["adam", "newton"], ["wells", "cliff"], share, dips)
    (ax,) = figure.axes
    assert [t.get_text() for t in ax.texts] == ["100%", "1 dip", "25%", "6 dips", "0%", "50%", "12 dips"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["wells", "cliff"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["adam", "newton"]
    np.testing.assert_array_equal(ax.images[0].get_array(), share)


def test_ways_begin_at_the_start_and_are_named():
    way = sandpit.Way("adam", np.array([[3.0, 3.0], [2.5, 3.0], [2.0, 3.0]]), True)
    own = sandpit.Way("mine.py:f", np.array([[3.0, 3.0]]), False)
    figure = sandpit.ways({"bowl": (GROUND, [way, own])}, columns=2)
    panel, names = figure.axes
    drawn = [line for line in panel.lines if line.get_color() == sandpit.colour_of("adam")]
    np.testing.assert_array_equal(drawn[0].get_xydata(), way.positions)
    assert any(line.get_color() == sandpit.colour_of("mine.py:f") for line in panel.lines)
    assert [t.get_text() for t in names.get_legend().get_texts()] == ["adam", "mine.py:f"]


def test_every_strategy_has_a_colour():
    colours = [sandpit.colour_of(name) for name in (*mv.sandpit.STRATEGIES, "mine.py:f")]
    assert len(set(colours)) == len(mv.sandpit.STRATEGIES) + 1
