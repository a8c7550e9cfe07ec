"""Floors of the player's own: what they are, and a sentence for each way not to be one."""

import numpy as np
import pytest

from mvcalc_jax.sandpit import Game, floor, own_floor


@pytest.mark.parametrize("name", ["bowl", "of_point"])
def test_a_function_of_two_numbers_or_of_a_point(name, here):
    pit = own_floor(f"own.py:{name}")
    np.testing.assert_allclose(pit.minima, [[2, 3]], atol=1e-12)
    np.testing.assert_allclose(pit.heights(np.array([[2.0, 3.0], [6.0, 0.0]])), [-9, -1])
    scale = 8 / (16 + 18)
    np.testing.assert_allclose(pit.gradient(np.array([3.0, 3.0])), [2 * scale, 0], atol=1e-12)
    np.testing.assert_allclose(pit.hessian(np.array([1.0, 4.0])), scale * np.diag([2, 4]), atol=1e-12)
    assert pit.name == f"own.py:{name}"
    assert "own.py" in pit.title


def test_the_phone_may_lie_on_the_edge(here):
    pit = own_floor("own.py:slope")
    np.testing.assert_array_equal(pit.minima, [[0, 0]])
    np.testing.assert_array_equal(pit.highest, [6, 6])
    assert (pit.depth(pit.lowest), pit.depth(pit.highest)) == (-9, -1)


def test_the_phone_may_lie_in_a_kink(here):
    pit = own_floor("own.py:kink")
    np.testing.assert_allclose(pit.lowest, [2.1, 3.3], atol=1e-6)
    assert len(pit.minima) == 1


def test_of_two_equal_minima_the_phone_lies_in_the_left_one(here):
    pit = own_floor("own.py:twins")
    np.testing.assert_allclose(pit.minima, [[2, 2], [4, 2]], atol=1e-9)


def test_a_game_in_it(here):
    game = Game("own.py:bowl")
    assert game.dip((5, 5)).depth > -9
    assert game.dip((2, 3.1)).status.name == "FOUND"
    assert game.code == ""


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("flat", "own.py:flat must not be flat; it is 3 everywhere"),
        (
            "undefined",
            r"own.py:undefined must be a finite number everywhere in \[0, 6\]²; it is nan at \(0, 0\)",
        ),
        ("infinite", "it is inf at"),
        ("pair", r"`own.py:pair` must return a single number, of shape \(\); got an array of shape \(2,\)"),
        ("complex_", "must return a floating-point number; got complex128"),
        ("numpy", "must be written in JAX"),
        ("branches", "must be written in JAX"),
        ("raises", "own.py:raises cannot be a floor: own.py:[0-9]+: KeyError: 'depth'"),
        ("quits", "own.py:quits cannot be a floor: own.py:[0-9]+: SystemExit: no"),
        ("loops", "must be differentiable by JAX, twice"),
        ("only", "must return a single number"),
        ("many", r"must be a function of two numbers, f\(x, y\), or of a point; got f\(x, y, z\)"),
        ("keyed", r"got f\(x, y, depth\)"),
        ("number", r"own.py:number must be a function f\(x, y\); got int"),
        ("bowel", "unknown name in own.py: 'bowel'; did you mean 'bowl'"),
        ("nothing.there", "unknown name"),
    ],
    ids=lambda v: v if v.isidentifier() else "",
)
def test_what_is_no_floor(name, message, here):
    with pytest.raises(ValueError, match=message) as told:
        own_floor(f"own.py:{name}")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("won.py:f", "there is no file won.py; did you mean own.py"),
        ("own.py:", "must name a function and the file that it is in"),
        (":f", "must name a function"),
        ("broken.py:f", "broken.py cannot be imported: broken.py:1: SyntaxError"),
    ],
    ids=["missing", "no name", "no file", "broken"],
)
def test_where_there_is_no_such_function(name, message, here):
    (here / "broken.py").write_text("def f(:\n")
    with pytest.raises(ValueError, match=message):
        floor(name)


def test_there_is_one_floor_of_ones_own(here):
    with pytest.raises(ValueError, match="its seed must be 0; got 3"):
        floor("own.py:bowl", 3)
