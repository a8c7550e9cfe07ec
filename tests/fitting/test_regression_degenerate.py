"""Linear regression of dependent columns, too few points and exact lines: a verdict, and no digit made up."""

import json
import math

import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.fitting.regression import Status
from tests.fitting.test_regression import exactly

fit = mv.linear_regression

x1, x2 = np.random.default_rng(7).standard_normal((2, 30))
DEPENDENT = {
    "a sum": ([x1, x2, 2 * x1 + x2], "x3 = 2·x1 + x2 to rounding; leave one of them out", [1, 2, 3]),
    "with a constant": ([x1, x2, x2 - 0.5 * x1 - 7], "x3 = −0.5·x1 + x2 − 7 to rounding", [0, 1, 2, 3]),
    "not the others": ([x1, 3 * x1, x2], "x2 = 3·x1 to rounding; give only one", [1, 2]),
    "after rounding": ([x1, x2, 0.1 * x1 + 0.3 * x2], "x3 = 0.1·x1 + 0.3·x2 to rounding", [1, 2, 3]),
    "of other sizes": ([1e15 * x1, 1e-15 * x1, x2], "x2 = 1e-30·x1 to rounding; give only one", [1, 2]),
    "a constant": (
        [x1, np.full(30, 0.3), x2],
        "x2 = 0.3 everywhere, as the intercept is; leave it out",
        [0, 2],
    ),
    "a constant, rounded": ([x1, 0.3 + 5e-17 * np.sign(x2), x2], "x2 = 0.3 everywhere", [0, 2]),
    "zeros": ([x1, np.zeros(30), x2], "x2 = 0 everywhere; leave it out", [2]),
    "two relations": (
        [x1, 2 * x1, x2, 4 * x2],
        "x2 = 2·x1 to rounding; give only one; x4 = 4·x3 to rounding",
        [1, 2, 3, 4],
    ),
    "far off": ([1e9 + x1, 1e9 + x1 + x2, x2], "x3 = −x1 + x2 to rounding", [1, 2, 3]),
}


@pytest.mark.parametrize(("columns", "message", "undetermined"), DEPENDENT.values(), ids=DEPENDENT)
def test_dependent_columns_are_named_and_get_no_coefficients(columns, message, undetermined):
    X, y = np.stack(columns, axis=1), np.sin(5 * x1) + x2
    found = fit(X, y)
    assert found.status is Status.DEPENDENT
    assert message in found.message
    assert message in found.summary()
    for what in (found.params, found.stderr, found.t, found.p, np.diag(found.cov)):
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(what)), undetermined)
    b, _, rank, _ = np.linalg.lstsq(
        np.column_stack([np.ones(30), X / np.maximum(np.abs(X).max(axis=0), 1e-300)]), y, rcond=1e-12
    )
    assert (found.rank, found.dof) == (rank, 30 - rank)
    np.testing.assert_allclose(
        found.fitted,
        np.column_stack([np.ones(30), X / np.maximum(np.abs(X).max(axis=0), 1e-300)]) @ b,
        atol=1e-6,
    )
    assert np.isnan(found.predict(X[:2])).all()
    json.dumps(found.to_dict(), allow_nan=False)


def test_what_is_determined_beside_dependent_columns_is_right():
    y = np.sin(5 * x1) + x2
    found, without = fit(np.stack([x1, 3 * x1, x2], axis=1), y), fit(np.stack([x1, x2], axis=1), y)
    np.testing.assert_allclose(found.params[[0, 3]], without.params[[0, 2]], rtol=1e-12)
    np.testing.assert_allclose(found.stderr[[0, 3]], without.stderr[[0, 2]], rtol=1e-12)


@pytest.mark.parametrize("gap", [1e-6, 1e-9, 1e-12])
def test_columns_that_only_almost_depend_are_fitted(gap):
    found = fit(np.stack([x1, x1 + gap * x2], axis=1), np.sin(5 * x1) + x2)
    assert found.status is Status.SOLVED
    assert np.isfinite(found.params).all()


def test_rounding_that_matters_is_said():
    said = "rounding of X to float64 alone can move them by"
    assert said not in fit(np.stack([x1, x1 + 1e-9 * x2], axis=1), np.sin(5 * x1)).message
    assert said in fit(np.stack([x1, x1 + 1e-14 * x2], axis=1), np.sin(5 * x1)).message
    assert said in fit(x1, 1 + x1 + 1e-15 * x2).message


@pytest.mark.parametrize(
    ("x", "degree", "message"),
    [
        (
            [1, 2, 3, 1, 2, 3],
            3,
            "x^3 cannot be told from lower powers: x has 3 different values, and 4 coeff",
        ),
        ([0, 1, 1, 0, 1, 0], 2, "x^2 cannot be told from lower powers: x has 2 different values"),
        ([5, 5, 5, 5, 5, 5], 1, "x cannot be told from lower powers: x has 1 different values"),
    ],
    ids=str,
)
def test_powers_of_too_few_values(x, degree, message):
    found = fit(x, [1, 3, 2, 5, 4, 7], degree=degree)
    assert found.status is Status.DEPENDENT
    assert message in found.message
    assert np.isnan(found.params).all()


def test_a_high_degree_on_a_narrow_range_is_solved_or_said(rng):
    x = np.linspace(2000, 2010, 40)
    y = rng.standard_normal(40)
    params, stderr = exactly(x, y, 6)
    found = fit(x, y, degree=6)
    np.testing.assert_allclose(found.params, params, rtol=1e-12)
    np.testing.assert_allclose(found.stderr, stderr, rtol=1e-12)


def test_an_exact_fit():
    found = fit([1, 2, 3, 5], [5, 8, 11, 17])
    assert found.status is Status.EXACT
    np.testing.assert_array_equal(found.params, [2, 3])
    np.testing.assert_array_equal(found.stderr, 0)
    np.testing.assert_array_equal(found.t, np.inf)
    np.testing.assert_array_equal(found.p, 0)
    assert (found.residual_stderr, found.r2, found.F_p) == (0, 1, 0)
    assert np.isnan(found.cook).all()
    assert "to rounding" in found.message
    x = np.linspace(0.1, 0.7, 9)
    assert fit(x, 0.3 * x + 0.1).status is Status.EXACT


def test_a_constant_response():
    found = fit([1, 2, 4], [0.1, 0.1, 0.1])
    assert found.status is Status.EXACT
    np.testing.assert_allclose(found.params, [0.1, 0], atol=1e-17)
    assert math.isnan(found.r2)
    assert math.isnan(found.F)
    assert fit([1, 2, 4], [0, 0, 0]).status is Status.EXACT


def test_as_many_points_as_coefficients():
    found = fit([1, 2], [3, 5])
    assert found.status is Status.SATURATED
    np.testing.assert_allclose(found.params, [1, 2], rtol=1e-15)
    assert found.dof == 0
    assert np.isnan([found.residual_stderr, *found.stderr, *found.p, found.F_p, found.adjusted_r2]).all()
    assert np.isnan(found.confidence_interval()).all()
    assert "give more points" in found.message
    json.dumps(found.to_dict(), allow_nan=False)


def test_coefficients_beyond_the_floats_are_a_status():
    found = fit(1e-40 * np.arange(12.0), np.arange(12.0) ** 2 % 5, degree=9)
    assert found.status is Status.NOT_FINITE
    assert "divide the columns" in found.message


def test_one_point_that_holds_the_line():
    a = mv.data.ANSCOMBE[3]
    found = fit(a.x, a.y)
    assert found.leverage[7] == pytest.approx(1, abs=1e-14)
    assert np.isnan(found.cook[7])
    assert np.isnan(found.standardised[7])
    assert np.isfinite(np.delete(found.cook, 7)).all()
