"""Differences: right to within the margin that they claim, and a margin no wider than it must be."""

import numpy as np
import pytest

from mvcalc_jax.verify.differences import difference

CASES = {
    "sin": (lambda t: np.sin(1 + t), np.cos(1.0), 1.0, 1e-10),
    "exp, steep": (lambda t: np.exp(30 + t), np.exp(30.0), 30.0, 1e-9 * np.exp(30.0)),
    "quick": (lambda t: np.sin(1e4 * (1 + t)), 1e4 * np.cos(1e4), 1.0, 1e-3),
    "tiny argument": (lambda t: (1e-8 + t) ** 3, 3e-16, 1e-8, 1e-24),
    "linear": (lambda t: 3 * t, 3.0, 1.0, 1e-12),
    "constant": (lambda t: 2.0, 0.0, 1.0, 1e-10),
    "edge of the domain": (lambda t: np.sqrt(1e-3 + t), 0.5 / np.sqrt(1e-3), 1.0, 1e-6),
    "saturated": (lambda t: np.tanh(18 + t), 1 / np.cosh(18.0) ** 2, 18.0, 1e-10),
    "rounded on the way": (lambda t: np.log(1 / (1 + np.exp(-25 - t))), 1 / (1 + np.exp(25.0)), 25.0, 1e-10),
    "few digits": (lambda t: float(np.float32(np.sin(np.float32(1 + t)))), np.cos(1.0), 1.0, 1e-3),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_truth_lies_within_the_margin(case):
    f, exact, size, widest = CASES[case]
    found = difference(f, size)
    assert abs(found.value - exact) <= 10 * found.margin
    assert found.margin < widest


def test_a_function_that_is_nowhere_finite_has_no_derivative():
    assert difference(lambda t: np.nan, 1.0).margin == np.inf
