"""Grades: how many of autodiff's digits a right formula keeps in low precision, and what would keep them."""

import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv

pytestmark = pytest.mark.slow  # what a newer JAX may break is tested in less time elsewhere

Z = np.array([1.51, 1.47, 1.92, 1.63])

DIGITS_LOST = {
    "exponentials that cancel": (
        lambda x: jnp.cosh(x).sum(),
        lambda x: (jnp.exp(x) - jnp.exp(-x)) / 2,
        Z / 1e5,
        "loses a factor of",
    ),
    "a variance": (
        lambda x: jnp.log(x.var()),
        lambda x: 2 * (x - x.mean()) / 4 / ((x**2).mean() - x.mean() ** 2),
        30 + Z,
        "the mean of squared deviations keeps them",
    ),
}


@pytest.mark.parametrize("how", DIGITS_LOST)
def test_a_right_formula_that_loses_digits_has_a_low_grade(how):
    f, jac, x, said = DIGITS_LOST[how]
    report = mv.check_jacobian(f, jac, x)
    assert report.verdict == "correct"
    assert report.leaves[0].grade == "D"
    assert [(cause.kind, cause.where) for cause in report.diagnoses] == [("accuracy", "args[0]")]
    assert said in report.diagnoses[0].detail
    assert "the formula is right" in report.diagnoses[0].detail


def test_overflow_is_said():
    """The softmax of large numbers without the maximum subtracted: fine in float64."""
    f = lambda x: jnp.log(jnp.exp(x - 100).sum())
    report = mv.check_jacobian(f, lambda x: jnp.exp(x) / jnp.exp(x).sum(), 99 + Z)
    assert report.verdict == "correct"
    assert report.leaves[0].grade == "D"
    assert "in float32 it overflows" in report.diagnoses[0].detail


@pytest.mark.parametrize(
    ("f", "jac", "x"),
    [
        (lambda x: jnp.sin(x).sum(), jnp.cos, Z),
        (lambda x: jnp.tanh(x).sum(), lambda x: 1 - jnp.tanh(x) ** 2, Z),
        (lambda x: jnp.log(x.var()), lambda x: (x - x.mean()) / 2 / x.var(), 30 + Z),
        (lambda x: jnp.cosh(x).sum(), jnp.sinh, Z / 1e5),
    ],
)
def test_stable_formulas_have_the_best(f, jac, x):
    report = mv.check_jacobian(f, jac, x)
    assert report.verdict == "correct"
    assert report.leaves[0].grade == "A"
    assert report.diagnoses == ()
    assert report.to_dict()["leaves"][0]["grade"] == "A"


def test_half_precision_is_graded_in_half_precision():
    """All digits are lost, but in bfloat16 autodiff, too, has no more than three."""
    f = lambda x: jnp.cosh(x).sum()
    grade = {}
    for dtype in ("bfloat16", "float32"):
        x = jnp.asarray(Z / 1e5, dtype)
        report = mv.check_jacobian(f, lambda x: (jnp.exp(x) - jnp.exp(-x)) / 2, x)
        assert report.verdict == "correct"
        grade[dtype] = report.leaves[0].grade
    assert grade == {"bfloat16": "C", "float32": "D"}


def test_wrong_derivatives_have_no_grade():
    report = mv.check_jacobian(lambda x: jnp.sin(x).sum(), jnp.sin, Z)
    assert report.verdict == "wrong"
    assert report.leaves[0].grade == ""


def test_every_leaf_has_its_own():
    f = lambda x, y: jnp.cosh(x).sum() + jnp.sin(y).sum()
    jac = lambda x, y: ((jnp.exp(x) - jnp.exp(-x)) / 2, jnp.cos(y))
    report = mv.check_jacobian(f, jac, Z / 1e5, Z, argnums=(0, 1))
    assert [leaf.grade for leaf in report.leaves] == ["D", "A"]
    assert report.diagnoses[0].where == "args[0]"
