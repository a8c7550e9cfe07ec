"""Errors in units of a leaf's largest entry."""

import numpy as np
import pytest

from mvcalc_jax.verify.errors import errors, unit


def test_the_unit_of_a_leaf_is_its_largest_entry():
    assert unit(np.array([[1.0, -3], [2, 0]])) == 3
    assert unit(np.array([3 + 4j, 1])) == 5


@pytest.mark.parametrize(
    "leaf", [np.zeros(2), np.zeros((0, 3)), np.array(0.0)], ids=["zeros", "empty", "number"]
)
def test_a_leaf_without_a_largest_entry_has_another_unit(leaf):
    assert unit(leaf) == 1
    assert unit(leaf, otherwise=0.25) == 0.25


def test_errors_are_in_that_unit_and_infinite_where_there_is_no_number():
    found = np.array([1.0, -2, np.nan, 5, np.inf, 1e308])
    exact = np.array([1.5, 2, 1.0, np.nan, np.inf, -1e308])
    np.testing.assert_array_equal(errors(found, exact, 2.0), [0.25, 2, *[np.inf] * 4])
