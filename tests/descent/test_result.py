"""A result: empty, in words and in a progress bar, and how far two of them are apart. No descent is computed."""

import sys

import numpy as np
import pytest

import mvcalc_jax as mv
from tests.problems import START, bowl

MANY = np.stack([START, 2 * START, -START])


def result(start, costs):
    """As if a descent had had these costs."""
    begun = mv.descent.begin(mv.descent.steepest(0.1), start, cost=bowl, ensemble=start.ndim == 2)
    trace = begun.trace._replace(cost=np.array(costs))
    return begun._replace(cost=np.array(costs)[..., -1], trace=trace)


def test_what_has_not_begun_has_no_rows(float64):
    for start, members in ((START, ()), (MANY, (3,))):
        begun = mv.descent.begin(mv.descent.steepest(0.1), start, cost=bowl, ensemble=bool(members))
        assert begun.trace.step.shape == (0,)
        assert begun.trace.params.shape == (*members, 0, 2)
        assert begun.trace.cost.shape == (*members, 0)


def test_words_say_the_first_cost_and_the_last(float64):
    assert "\ncost from 9 to 1.5\n" in str(result(START, [9.0, 4.0, 1.5]))
    assert "\nmedian cost from 20 to 2\n" in str(result(MANY, [[60.0, 8.0, 6.0], [10.0, 3, 1], [20, 4, 2]]))


def test_the_progress_bar_shows_the_cost_or_its_median(capsys, monkeypatch, float64):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    for part, shown in (
        (result(START, [9.0, 1.5]), ", cost 1.5]"),
        (result(MANY, [[6.0], [1.0], [2.0]]), ", median cost 2]"),
    ):
        assert list(mv.descent.progress_bar(3)(iter([part]))) == [part]
        assert shown in capsys.readouterr().err.split("\r")[-1]


def test_only_trees_of_one_structure_are_so_far_apart():
    a, b = [np.zeros(2), np.ones(1)], [np.array([0.5, -0.25]), np.array([1.125])]
    assert mv.descent.apart(a, b) == mv.descent.apart(b, a) == 0.5
    with pytest.raises(ValueError, match="shorter"):
        mv.descent.apart(a, b[:1])


def test_what_only_bends_down_has_no_limit():
    for curvature in (0.0, -3.0):
        with pytest.raises(ValueError, match=f"positive curvature; its largest eigenvalue is {curvature:g}"):
            mv.descent.stability_limit(np.diag([curvature, -4.0]))


def test_settings_of_a_stream_are_said_by_name(float64):
    with pytest.raises(TypeError, match="positional"):
        mv.descent.chunks(mv.descent.steepest(0.1), lambda p: p, START, 3)
