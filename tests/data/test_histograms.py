"""Histograms: totals and moments of the sources, densities, and the reader's own files."""

import numpy as np
import pytest

from mvcalc_jax.data import HISTOGRAMS, histogram, pooled
from mvcalc_jax.data.histograms import bin_values

TOTALS = {"course": 0.995, "galton": 928, "galton-men": 481, "galton-women": 453, "macdonell": 3000}


@pytest.mark.parametrize("name", HISTOGRAMS)
def test_totals_and_densities(name):
    h = histogram(name)
    assert h.counts.sum() == pytest.approx(TOTALS[name])
    assert np.sum(h.density * h.widths) == pytest.approx(1)
    assert (np.diff(h.centres) > 0).all()
    assert h.source


def test_course_bins():
    h = histogram("course")
    assert len(h.counts) == 100
    assert h.centres[0] == 51.25
    assert h.centres[-1] == 298.75
    assert h.counts[44] == 0.031
    assert np.count_nonzero(h.counts) == 16
    assert h.centres[44] - 1.25 == 160


def test_macdonells_moments():
    h = histogram("macdonell")
    assert h.mean == pytest.approx(65.0355 + 0.5, abs=5e-5)
    assert h.stddev == pytest.approx(2.5573, abs=5e-5)


def test_padding_adds_empty_bins_and_nothing_else():
    h = histogram("galton-men")
    wide = h.padded(6.0)
    assert wide.counts.sum() == h.counts.sum()
    assert wide.mean == pytest.approx(h.mean)
    np.testing.assert_allclose(np.diff(wide.centres), 1)
    assert wide.centres[0] <= h.mean - 6 * h.stddev < wide.centres[0] + 1
    assert wide.centres[-1] >= h.mean + 6 * h.stddev > wide.centres[-1] - 1


def write(tmp_path, text):
    (tmp_path / "own.csv").write_text(text)
    return str(tmp_path / "own.csv")


def test_bins_and_counts_from_a_file(tmp_path):
    h = histogram(write(tmp_path, "centre,count\n3,1\n1,5\n2,7\n"))
    assert h.centres.tolist() == [1, 2, 3]
    assert h.counts.tolist() == [5, 7, 1]
    assert h.widths.tolist() == [1, 1, 1]


def test_edges_and_counts_from_a_file(tmp_path):
    h = histogram(write(tmp_path, "left;right;count\n0;1;2\n1;3;8\n3;4;2\n"))
    assert h.centres.tolist() == [0.5, 2, 3.5]
    assert h.widths.tolist() == [1, 2, 1]
    np.testing.assert_allclose(h.density, [2 / 12, 4 / 12, 2 / 12])


def test_raw_values_are_binned_from_multiples_of_the_width(tmp_path):
    h = histogram(write(tmp_path, "height\n1.7\n1.9\n2.1\n3.4\n3.6\n4.0\n"), bin_width=0.5)
    assert h.centres.tolist() == [1.75, 2.25, 2.75, 3.25, 3.75, 4.25]
    assert h.counts.tolist() == [2, 1, 0, 1, 1, 1]


def test_raw_values_choose_a_width_of_their_own(rng):
    h = bin_values("normal", rng.normal(170, 7, 1000))
    assert 10 < len(h.counts) < 60
    assert h.counts.sum() == 1000
    assert h.mean == pytest.approx(170, abs=1)


@pytest.mark.parametrize(
    ("text", "width", "message"),
    [
        ("1,2\n2,3\n4,3\n", None, "the bins must be equally wide"),
        ("1,2\n1,3\n2,3\n", None, "the bins must be equally wide"),
        ("1,2\n2,-3\n3,1\n4,1\n5,1\n", None, "counts must not be negative"),
        ("1,0\n2,0\n3,0\n", None, "at least 3 bins must hold something"),
        ("0,1,2\n1,1,3\n2,3,4\n", None, "every right edge must lie above its left edge"),
        ("0,2,2\n1,3,3\n3,4,4\n", None, "bins must not overlap"),
        ("1\n2\n3\n", 0.0, "`bin_width` must be positive; got 0"),
        ("1\n2\n3\n", -1.0, "`bin_width` must be positive; got -1"),
        ("1\n2\n3\n", 1e-9, r"makes 2e\+09 bins"),
        ("1\n2\n3\n", 1e-300, r"`bin_width` 1e-300 makes 2e\+300 bins"),
        ("1e9\n2e9\n3e9\n", 1e-300, "makes inf bins"),
        ("1e9\n1e9\n1e9\n", 1e-300, "makes inf bins"),
        ("5\n5\n5\n", 1.0, "3 values fall into 1 bin of width 1"),
        ("5\n", 1.0, "1 value falls into 1 bin of width 1"),
        ("5\n6\n", 1.0, "2 values fall into 2 bins of width 1"),
        ("5\n5\n5\n", None, "3 values fall into 1 bin of"),
        (
            "1e302\n2\n3\n",
            None,
            r"line 1: column 1 must be a finite number from -1e\+100 to 1e\+100; got 1e302",
        ),
        ("1,1\n2,1e308\n3,1\n", None, "line 2: column 2 must be a finite number from"),
        ("1\n2,3\n", None, "line 2: 1 column needed, as in the lines before; got 2"),
        ("1,2\n2,3\n3,1\n", 0.5, "`bin_width` is for raw values"),
        ("1,2\n2,tall\n", None, "line 2: column 2 must be a number; got 'tall'"),
        (
            "1,5\t2\n2\t3\n",
            None,
            "line 1: column 1 must be a number; got '1,5'; decimal commas need semicolons",
        ),
    ],
)
def test_what_is_no_histogram_is_said(text, width, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        histogram(write(tmp_path, text), width)


def test_unknown_names_and_needless_widths():
    with pytest.raises(ValueError, match="did you mean 'galton'"):
        histogram("galtn")
    with pytest.raises(ValueError, match="`bin_width` is for raw values"):
        histogram("galton", 2.0)


def test_merged_bins_touch_and_lose_nobody():
    for h in HISTOGRAMS.values():
        for many, skip, far in ((1, 0, False), (2, 1, False), (4, 3, True)):
            edges, counts = h.merged(many, skip, 40 if len(h.counts) < 40 else None, far=far)
            assert len(edges) == len(counts) + 1
            assert (np.diff(edges) > 0).all()
            assert counts.sum() == pytest.approx(h.counts.sum())
    edges, counts = HISTOGRAMS["galton"].merged()
    assert edges.tolist() == pytest.approx([60.7, *np.arange(61.7, 74.8)])
    assert counts.tolist() == HISTOGRAMS["galton"].counts.tolist()
    assert HISTOGRAMS["galton"].merged(far=True)[0][-1] == pytest.approx(1073.7)
    with pytest.raises(ValueError, match="`bins` must be at least 10; got 3"):
        HISTOGRAMS["galton-men"].merged(2, 1, 3)


def test_gaps_are_empty_bins(tmp_path):
    edges, counts = histogram(write(tmp_path, "0;1;2\n1;3;8\n5;6;2\n")).merged()
    assert edges.tolist() == [0, 1, 3, 5, 6]
    assert counts.tolist() == [2, 8, 0, 2]


def test_two_histograms_are_pooled_where_their_bins_agree():
    women, men = HISTOGRAMS["galton-women"], HISTOGRAMS["galton-men"]
    both, counts = pooled(women, men)
    assert both.counts.sum() == 934
    assert counts.sum(axis=1).tolist() == [453, 481]
    assert both.centres[[0, -1]].tolist() == [56.5, 78.5]
    assert counts[1][both.centres == 69.5] == 88
    with pytest.raises(ValueError, match="must have bins of one width whose edges agree"):
        pooled(women, HISTOGRAMS["macdonell"])


@pytest.mark.parametrize(("stddevs", "error"), [("3", TypeError), (np.inf, ValueError), (1e38, ValueError)])
def test_bins_far_out(stddevs, error, unchecked):
    with pytest.raises(error, match="`stddevs` must be"):
        HISTOGRAMS["galton-men"].padded(stddevs)


@pytest.mark.parametrize(
    ("many", "error"), [(0, ValueError), (-1, ValueError), (1.0, TypeError), (2**63, ValueError)]
)
def test_bins_taken_together(many, error, unchecked):
    with pytest.raises(error, match="`many` must be"):
        HISTOGRAMS["galton-men"].merged(many)
