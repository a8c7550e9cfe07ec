"""NIST's problems are copied rightly: at the certified parameters the residuals are the certified ones."""

import jax
import numpy as np
import pytest

from benchmarks.strd import nonlinear

PROBLEMS = nonlinear.problems()
each = pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)


def model(problem, b):
    return np.asarray(jax.jit(problem.f)(problem.x.astype(b.dtype), *b))


def test_there_are_27_with_three_levels():
    assert len(PROBLEMS) == 27
    levels = [problem.level for problem in PROBLEMS]
    assert [levels.count(level) for level in ("lower", "average", "higher")] == [8, 11, 8]


@each
def test_the_certified_residuals_are_found_at_the_certified_parameters(problem, float64):
    rss = np.sum((problem.y - model(problem, problem.certified)) ** 2)
    # 12 digits of y leave nothing of residuals of 1e-13.
    assert rss == pytest.approx(problem.rss, rel=1 if problem.name == "Lanczos1" else 1e-9)


@each
def test_the_certified_deviations_follow_from_the_model(problem, float64):
    def scaled(t):
        return problem.f(problem.x, *(problem.minimum * t))

    J = np.asarray(jax.jit(jax.jacfwd(scaled))(np.ones(problem.minimum.size)))
    _, s, Vt = np.linalg.svd(J, full_matrices=False)
    spread = np.sqrt(problem.rss / problem.dof * np.sum((Vt.T / s) ** 2, axis=1)) * np.abs(problem.minimum)
    np.testing.assert_allclose(spread, problem.deviations, rtol=1e-7)


@each
def test_the_minimum_is_the_certified_one_with_more_digits(problem):
    assert nonlinear.digits(problem.minimum, problem.certified) > 10
    found = nonlinear.digits(problem.minimum_deviations, problem.deviations)
    assert found > (3 if problem.name == "Lanczos1" else 10)


@each
def test_the_models_are_finite_at_both_starts(problem, precision):
    assert problem.starts.shape == (2, problem.certified.size)
    for start in problem.starts.astype(precision):
        assert np.isfinite(model(problem, start)).all()


def test_digits_are_those_of_the_worst_parameter():
    assert nonlinear.digits([1, 2.002], [1, 2]) == pytest.approx(3)
    assert nonlinear.digits([1, 2], [1, 2]) == 16
    assert nonlinear.digits([1, -9], [1, 2]) == nonlinear.digits([1, np.nan], [1, 2]) == 0


def test_terms_may_come_in_any_order():
    lanczos = next(problem for problem in PROBLEMS if problem.name == "Lanczos3")
    b, spread = lanczos.minimum, lanczos.minimum_deviations
    moved, torn = [4, 5, 0, 1, 2, 3], [1, 0, 2, 3, 4, 5]
    assert lanczos.digits(b[moved], spread[moved]) == (16, 16)
    assert lanczos.digits(b[torn], spread) == (0, 16)
    assert lanczos.digits(b, spread, certified=True) == pytest.approx((10.5, 11.2), abs=0.1)
