"""Linear regression: NIST's digits, exact fractions, formulas derived another way, verdicts, and what is refused."""

import json
import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import mvcalc_jax as mv
from benchmarks import linear
from benchmarks.strd.linear import PROBLEMS
from mvcalc_jax.fitting import triangle
from mvcalc_jax.fitting.regression import Status

fit = mv.linear_regression
BY_NAME = {problem.name: problem for problem in PROBLEMS}


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_certified_digits(problem):
    found = linear.fitted(problem)
    assert linear.lre(found.params, problem.params) >= 12
    assert linear.lre(found.stderr, problem.stderr) >= 12
    assert linear.lre(found.residual_stderr, problem.residual_stderr) >= 12
    assert found.status is (Status.SOLVED if any(problem.stderr) else Status.EXACT)


@pytest.mark.parametrize("name", ["Filip", "Longley"])
def test_compiled_code_finds_the_same(name, monkeypatch):
    problem = BY_NAME[name]
    small = linear.fitted(problem)
    monkeypatch.setattr(triangle, "EAGER", 0)
    monkeypatch.setattr(triangle, "_LANES", 8)
    found = linear.fitted(problem)
    for what in ("params", "stderr", "residuals", "leverage"):
        np.testing.assert_allclose(getattr(found, what), getattr(small, what), rtol=1e-13, atol=1e-17)


def exactly(x, y, degree=None):
    """Coefficients, and (XᵀX)⁻¹Σr²/(n − p)'s diagonal, of the floats as they are, by fractions."""
    x = [[Fraction(float(entry)) for entry in np.atleast_1d(row)] for row in x]
    rows = [[Fraction(1), *([row[0] ** k for k in range(1, degree + 1)] if degree else row)] for row in x]
    y, p = [Fraction(float(entry)) for entry in y], len(rows[0])
    M = [
        [sum(r[i] * r[j] for r in rows) for j in range(p)]
        + [sum(r[i] * entry for r, entry in zip(rows, y, strict=True))]
        + [Fraction(i == j) for j in range(p)]
        for i in range(p)
    ]
    for i in range(p):
        M[i] = [entry / M[i][i] for entry in M[i]]
        M = [
            row if k == i else [a - row[i] * b for a, b in zip(row, M[i], strict=True)]
            for k, row in enumerate(M)
        ]
    b = [row[p] for row in M]
    rss = sum(
        (entry - sum(c * d for c, d in zip(b, r, strict=True))) ** 2 for r, entry in zip(rows, y, strict=True)
    )
    variances = [rss / (len(y) - p) * M[i][p + 1 + i] for i in range(p)]
    return np.array([float(c) for c in b]), np.array([math.sqrt(v) for v in variances])


@pytest.mark.parametrize("name", ["Pontius", "Wampler5", "Longley", "Filip"])
def test_the_floats_given_are_fitted_to_the_last_bit_or_so(name):
    problem = BY_NAME[name]
    params, stderr = exactly(problem.x, problem.y, problem.degree)
    found = linear.fitted(problem)
    np.testing.assert_allclose(found.params, params, rtol=5e-16)
    np.testing.assert_allclose(found.stderr, stderr, rtol=2e-15)


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9, 1e-11])
def test_columns_that_all_but_depend_keep_their_digits(gap, rng):
    x1, noise = rng.standard_normal((2, 20))
    X, y = np.stack([x1, x1 + gap * noise, noise], axis=1)[:, :2], rng.standard_normal(20)
    params, stderr = exactly(X, y)
    found = fit(X, y)
    np.testing.assert_allclose(found.params, params, rtol=1e-14)
    np.testing.assert_allclose(found.stderr, stderr, rtol=1e-14)


def test_far_from_the_origin(rng):
    x = 1.7e9 + np.arange(30.0)  # seconds since 1970
    y = 0.5 + 1e-6 * (x - 1.7e9) + 1e-9 * rng.standard_normal(30)
    params, stderr = exactly(x, y)
    found = fit(x, y)
    np.testing.assert_allclose(found.params, params, rtol=1e-14)
    np.testing.assert_allclose(found.stderr, stderr, rtol=1e-14)


@pytest.fixture(params=[True, False], ids=["intercept", "none"])
def problem(request, rng):
    """X, y, weights, the matrix of the model with its own weights in it, and the fit."""
    X = rng.standard_normal((14, 3)) + np.array([0, 5, -2])
    y = X @ [1.0, -2.0, 0.5] + 3 + rng.standard_normal(14)
    w = rng.uniform(0.2, 3, 14)
    A = np.hstack([np.ones((14, 1)), X]) if request.param else X
    return X, y, w, A, fit(X, y, weights=w, intercept=request.param)


def test_against_the_textbook(problem):
    X, y, w, A, found = problem
    n, p = A.shape
    inverse = np.linalg.inv(A.T @ (w[:, None] * A))
    b = inverse @ A.T @ (w * y)
    r = y - A @ b
    s2 = (w * r**2).sum() / (n - p)
    stderr = np.sqrt(s2 * np.diag(inverse))
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-13)
    close(found.params, b)
    close(found.cov, s2 * inverse)
    close(found.stderr, stderr)
    close(found.t, b / stderr)
    close(found.p, 2 * stats.t.sf(np.abs(b / stderr), n - p))
    close(found.residuals, r)
    close(found.fitted, A @ b)
    close(found.residual_stderr, np.sqrt(s2))
    hat = A @ inverse @ A.T * w
    close(found.leverage, np.diag(hat))
    close(found.standardised, r * np.sqrt(w / (s2 * (1 - np.diag(hat)))))
    intercept = p > X.shape[1]
    level = np.average(y, weights=w) if intercept else 0.0
    total = (w * (y - level) ** 2).sum()
    close(found.r2, 1 - (w * r**2).sum() / total)
    close(found.adjusted_r2, 1 - s2 / (total / (n - intercept)))
    F = (total - (w * r**2).sum()) / 3 / s2
    close(found.F, F)
    close(found.F_p, stats.f.sf(F, 3, n - p))
    assert (found.dof, found.rank, found.status) == (n - p, p, Status.SOLVED)
    low, high = stats.t.interval(0.9, n - p, b, stderr)
    close(found.confidence_interval(0.9), np.stack([low, high], axis=1))


def test_bands(problem, rng):
    X, _, w, A, found = problem
    inverse = np.linalg.inv(A.T @ (w[:, None] * A))
    new = rng.standard_normal((6, 3))
    rows = np.hstack([np.ones((6, A.shape[1] - 3)), new])
    middle, h = rows @ found.params, np.einsum("ki,ij,kj->k", rows, inverse, rows)
    np.testing.assert_allclose(found.predict(new), middle, rtol=1e-12)
    reach = stats.t.ppf(0.995, found.dof) * found.residual_stderr
    for band, own in ((found.confidence_band, 0), (found.prediction_band, 1)):
        half = reach * np.sqrt(h + own)
        expected = np.stack([middle - half, middle + half], axis=1)
        np.testing.assert_allclose(band(new, level=0.99), expected, rtol=1e-10)
    np.testing.assert_allclose(found.predict(X), found.fitted, rtol=1e-13)


def test_cooks_distance_is_how_far_the_fit_moves_without_a_point(rng):
    X, y = rng.standard_normal((12, 2)), rng.standard_normal(12)
    found = fit(X, y)
    for k in range(12):
        rest = np.arange(12) != k
        moved = found.fitted - fit(X[rest], y[rest]).predict(X)
        assert found.cook[k] == pytest.approx((moved**2).sum() / (3 * found.residual_stderr**2), rel=1e-10)


def test_points_of_weight_zero_are_as_if_left_out(rng):
    x, y, w = rng.standard_normal(20), rng.standard_normal(20), rng.uniform(0.5, 2, 20)
    w[[3, 8, 19]] = 0
    x[3] = 1e6  # where nothing must be lost on its account
    all_of_them, some = fit(x, y, weights=w), fit(x[w > 0], y[w > 0], weights=w[w > 0])
    for what in ("params", "stderr", "p", "r2", "F", "residual_stderr", "dof", "adjusted_r2"):
        np.testing.assert_allclose(getattr(all_of_them, what), getattr(some, what), rtol=1e-12)
    np.testing.assert_allclose(all_of_them.fitted[3], all_of_them.predict([x[3]])[0], rtol=1e-12)
    assert (all_of_them.leverage[[3, 8, 19]] == 0).all()
    assert np.isnan(all_of_them.standardised[[3, 8, 19]]).all()


@pytest.mark.parametrize("c", [1e-15, 3.0, 1e15])
@pytest.mark.parametrize("of", ["X", "y", "weights"])
def test_scaling(c, of, rng):
    X, y, w = rng.standard_normal((15, 2)), rng.standard_normal(15), rng.uniform(1, 2, 15)
    before = fit(X, y, weights=w)
    factors = {of: c}
    after = fit(X * factors.get("X", 1), y * factors.get("y", 1), weights=w * factors.get("weights", 1))
    by = {"X": [1, 1 / c, 1 / c], "y": [c, c, c], "weights": [1, 1, 1]}[of]
    np.testing.assert_allclose(after.params, before.params * by, rtol=1e-13)
    np.testing.assert_allclose(after.stderr, before.stderr * by, rtol=1e-13)
    s = before.residual_stderr * {"X": 1, "y": c, "weights": math.sqrt(c)}[of]
    np.testing.assert_allclose(after.residual_stderr, s, rtol=1e-13)
    for what in ("t", "p", "r2", "F", "leverage", "cook"):
        np.testing.assert_allclose(getattr(after, what), getattr(before, what), rtol=1e-11)
    new = rng.standard_normal((4, 2))
    band = after.confidence_band(new * factors.get("X", 1)) / factors.get("y", 1)
    np.testing.assert_allclose(band, before.confidence_band(new), rtol=1e-11)


def test_order_does_not_matter(rng):
    X, y = rng.standard_normal((15, 3)), rng.standard_normal(15)
    before, turned = fit(X, y), fit(X[::-1, ::-1], y[::-1])
    np.testing.assert_allclose(turned.params[1:], before.params[:0:-1], rtol=1e-13)
    np.testing.assert_allclose(turned.residuals, before.residuals[::-1], rtol=1e-11)


def test_powers_are_what_columns_of_powers_are(rng):
    x, y = rng.standard_normal((2, 25))
    for intercept in (True, False):
        one = fit(x, y, degree=3, intercept=intercept)
        other = fit(np.stack([x, x**2, x**3], axis=1), y, intercept=intercept)
        np.testing.assert_allclose(one.params, other.params, rtol=1e-12)
        np.testing.assert_allclose(one.stderr, other.stderr, rtol=1e-12)
        np.testing.assert_allclose(
            one.prediction_band(x[:4]),
            other.prediction_band(np.stack([x, x**2, x**3], axis=1)[:4]),
            rtol=1e-11,
        )
    assert fit(x, y, degree=3, names="speed").names == ("intercept", "speed", "speed^2", "speed^3")


def test_whole_numbers_lists_and_tables():
    class Table:
        columns = ("age", "dose")

        def __array__(self, dtype=None, copy=None):
            return np.array([[1, 5], [2, 3], [3, 8], [4, 4], [6, 1]], dtype)

    y = [1, 2, 4, 3, 9]
    found = fit(Table(), y)
    assert found.names == ("intercept", "age", "dose")
    again = fit(np.asarray(Table()).tolist(), np.array(y, "float32"), names=["a", "b"])
    np.testing.assert_array_equal(again.params, found.params)
    np.testing.assert_array_equal(fit(jnp.asarray(np.asarray(Table())), jnp.array(y)).params, found.params)
    assert all(each.dtype == np.float64 for each in (found.params, found.cov, found.residuals))
    assert fit([1, 2, 3, 5], [2, 1, 4, 4]).names == ("intercept", "x")


def test_jax_is_left_as_it_was(monkeypatch, rng):
    monkeypatch.setattr(triangle, "EAGER", 0)
    assert fit(rng.standard_normal(9), rng.standard_normal(9)).params.dtype == np.float64
    assert jnp.zeros(1).dtype == "float32"


def test_a_mean_is_a_regression_on_nothing(rng):
    y = rng.standard_normal(9)
    found = fit(np.empty((9, 0)), y)
    assert found.params[0] == pytest.approx(y.mean(), rel=1e-15)
    assert found.stderr[0] == pytest.approx(y.std(ddof=1) / 3, rel=1e-14)
    assert found.r2 == 0
    assert math.isnan(found.F)
    assert "F " not in found.summary()


def test_anscombes_quartet_as_r_has_it():
    stderr = [(1.12475, 0.11791), (1.12530, 0.11796), (1.12448, 0.11788), (1.12392, 0.11782)]
    for a, errors in zip(mv.data.ANSCOMBE, stderr, strict=True):
        found = fit(a.x, a.y)
        np.testing.assert_allclose(found.params, [3.0, 0.5], atol=2.5e-3)
        np.testing.assert_allclose(found.stderr, errors, atol=5e-6)
        assert found.r2 == pytest.approx(0.6665, abs=5e-4)


x, y = np.arange(6.0), np.array([1.0, 3.0, 2.0, 5.0, 4.0, 7.0])


@pytest.mark.parametrize(
    ("X", "y", "options", "error", "message"),
    [
        (x, y[:5], {}, ValueError, r"`X` must have a row for each of the 5 numbers in y; got shape \(6,\)"),
        (np.ones((2, 6)), y, {}, ValueError, r"got shape \(2, 6\); did you mean X.T\?"),
        (x, y[:, None], {}, ValueError, r"`y` must have shape \(n,\).*got \(6, 1\); flatten it with y.ravel"),
        (x, np.ones((6, 2)), {}, ValueError, r"`y` must have shape \(n,\), .*got \(6, 2\)$"),
        (
            np.ones((2, 3, 1)),
            y,
            {},
            ValueError,
            r"`X` must have shape \(n,\) or \(n, columns\); got \(2, 3, 1\)",
        ),
        (3.0, 4.0, {}, ValueError, r"`y` must have shape"),
        ([], [], {}, ValueError, "2 coefficients need at least 2 points; got 0"),
        (
            x[:1],
            y[:1],
            {},
            ValueError,
            "2 coefficients need at least 2 points; got 1; give more points or fewer",
        ),
        (x, y, {"degree": 6}, ValueError, "7 coefficients need at least 7 points; got 6"),
        (x, y, {"weights": [0, 0, 0, 0, 0, 1]}, ValueError, "at least 2 points with a weight above 0; got 1"),
        (
            x,
            y,
            {"weights": [1, 1, 1, 1, -2, 1]},
            ValueError,
            "`weights` must not be negative; got -2 at index 4",
        ),
        (x, y, {"weights": [1, 1]}, ValueError, r"`weights` must have shape \(6,\), a weight for each point"),
        (
            x,
            y,
            {"weights": [1, 1, 1, 1, 1, np.nan]},
            ValueError,
            "`weights` must be finite; got nan at index",
        ),
        (np.where(x == 2, np.nan, x), y, {}, ValueError, r"`X` must be finite; got nan at index \(2,\)"),
        (x, np.where(x == 3, -np.inf, y), {}, ValueError, r"`y` must be finite; got -inf at index \(3,\)"),
        (1e200 * x, y, {}, ValueError, r"`X` must lie within ±1e\+100"),
        (x + 1j, y, {}, TypeError, "`X` must hold real numbers; got complex128"),
        (list("abcdef"), y, {}, TypeError, "`X` must hold real numbers; got text"),
        (
            [[1, 2], [3]],
            y,
            {},
            ValueError,
            "`X` must be an array, all rows of one length",
        ),
        ([{}, {}], y, {}, TypeError, "`X` must hold real numbers; got object"),
        (x, y, {"degree": 0}, ValueError, "`degree` must be at least 1; got 0"),
        (x, y, {"degree": 1.5}, TypeError, "`degree` must be a whole number; got 1.5"),
        (np.ones((6, 2)), y, {"degree": 2}, ValueError, "`degree` is for powers of one variable"),
        (x, y, {"intercept": "no"}, TypeError, "`intercept` must be True or False; got 'no'"),
        (
            np.empty((6, 0)),
            y,
            {"intercept": False},
            ValueError,
            "`X` must have a column where there is no interc",
        ),
        (np.ones((6, 2)), y, {"names": ["a"]}, ValueError, "`names` must be 2 different names.*; got a"),
        (
            np.ones((6, 2)),
            y,
            {"names": ["a", "a"]},
            ValueError,
            "`names` must be 2 different names.*; got a, a",
        ),
        (x, y, {"names": "intercept"}, ValueError, "none of them 'intercept'"),
    ],
    ids=str,
)
def test_misuse_is_said(X, y, options, error, message, unchecked):
    with pytest.raises(error, match=message):
        fit(X, y, **options)


def test_misuse_of_a_fit_is_said(unchecked):
    found = fit(np.stack([x, x**2], axis=1), y)
    with pytest.raises(ValueError, match=r"`X` must have shape \(any, 2\), a row for each point"):
        found.predict([1.0, 2.0])
    for level in (0, 1, 95):
        with pytest.raises(ValueError, match=r"`level` must lie between 0 and 1, such as 0.95; got"):
            found.confidence_interval(level)
    with pytest.raises(ValueError, match="`X` must be finite"):
        found.predict([[1.0, np.nan]])


def test_the_summary_and_the_dictionary_say_it_all():
    found = fit(np.stack([x, x**2], axis=1), y, names=["time", "square"])
    said = str(found)
    for words in (
        "intercept",
        "time",
        "square",
        "standard error",
        "95 % from",
        "on 3 degrees of freedom",
        "R²",
    ):
        assert words in said
    assert f"{found.params[1]:.8g}" in said
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["params"] == found.params.tolist()
    assert told["status"] == "SOLVED"
    assert "_inside" not in told


def test_predictions_at_no_points_are_none():
    fit = mv.linear_regression([0.0, 1.0, 2.0], [1.0, 2.0, 2.5])
    assert fit.predict([]).shape == (0,)
    assert fit.prediction_band(np.zeros((0, 1))).shape == (0, 2)


@pytest.mark.parametrize("X", [jax.random.key(0), jax.ShapeDtypeStruct((2,), "float32"), 1j], ids=repr)
def test_predictions_at_what_are_no_numbers(X, unchecked):
    fit = mv.linear_regression([0.0, 1.0, 2.0], [1.0, 2.0, 2.5])
    with pytest.raises(TypeError, match=r"`X` must hold (real )?numbers"):
        fit.predict(X)


@pytest.mark.parametrize("names", [len, 3, 1j], ids=str)
def test_names_that_are_none(names, unchecked):
    with pytest.raises(TypeError, match="`names` must be a text, or one for each column"):
        mv.linear_regression([0.0, 1.0, 2.0], [1.0, 2.0, 2.5], names=names)
