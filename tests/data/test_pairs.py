"""Pairs and tables: the numbers are those of their sources, and what is wrong with a file is said."""

import numpy as np
import pytest

import mvcalc_jax as mv


def test_the_quartet_has_one_set_of_moments():
    for a in mv.data.ANSCOMBE:
        assert a.x.mean() == 9
        assert a.x.var(ddof=1) == pytest.approx(11)
        assert a.y.mean() == pytest.approx(7.50, abs=1e-3)
        assert a.y.var(ddof=1) == pytest.approx(4.125, abs=4e-3)
        assert np.corrcoef(a.x, a.y)[0, 1] == pytest.approx(0.816, abs=1e-3)


def test_fathers_and_sons_have_the_moments_that_are_known():
    pairs = mv.data.fathers_and_sons()
    assert len(pairs.x) == len(pairs.y) == 1078
    assert (pairs.x.mean(), pairs.y.mean()) == pytest.approx((67.687, 68.684), abs=1e-3)
    assert (pairs.x.std(ddof=1), pairs.y.std(ddof=1)) == pytest.approx((2.746, 2.816), abs=1e-3)
    assert np.corrcoef(pairs.x, pairs.y)[0, 1] == pytest.approx(0.501, abs=1e-3)
    assert "1903" in pairs.source


@pytest.mark.parametrize(
    ("written", "names", "rows"),
    [
        ("Age,Height\n1,2\n3,4\n", ("Age", "Height"), [[1, 2], [3, 4]]),
        ("# a note\n1;2,5\n\n3;4\n", ("column 1", "column 2"), [[1, 2.5], [3, 4]]),
        ("x\n7\n", ("x",), [[7]]),
    ],
    ids=["names", "none", "one"],
)
def test_a_table_is_read_with_its_names(written, names, rows, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(written)
    found, table = mv.data.read_table(path)
    assert found == names
    np.testing.assert_array_equal(table, rows)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("a,b\n", "holds no numbers; give a row for each point"),
        ("a,b\n1,2\n1,2,3\n", "line 3: 2 columns needed; got 3"),
        ("a,b\n1\n", "line 2: a number is missing in column 2"),
        ("a,b\n1,x\n", "line 2: column 2 must be a number; got 'x'"),
        ("a,b\n1,nan\n", "line 2: column 2 must be a finite number"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_table_is_said(written, message, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(written)
    with pytest.raises(ValueError, match=message):
        mv.data.read_table(path)


def test_a_path_may_be_a_text(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    names, table = mv.data.read_table(str(tmp_path / "a.csv"))
    assert names == ("x", "y")
    assert table.tolist() == [[1, 2]]
    with pytest.raises(FileNotFoundError, match="there is no file"):
        mv.data.read_table(str(tmp_path / "b.csv"))
