"""Wrong formulas for derivatives: each is what its name says, and is recognised where it stands."""

import math
import re

import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.verify.causes.swaps import MISREMEMBERED
from tests.verify.causes.functions import W, X, b, d_layer, layer

FUNCTIONS = {"logistic": lambda x: 1 / (1 + math.exp(-x)), "abs": abs}
WRITTEN = {"−": "-", "²": "**2", "e⁻ˣ": "exp(-x)", "eˣ": "exp(x)", "√x": "sqrt(x)", "√(": "sqrt(", "sin x": "sin(x)",
           "cos x": "cos(x)"}  # fmt: skip


@pytest.mark.parametrize("function", MISREMEMBERED)
@pytest.mark.parametrize("x", [0.3, 1.7])
def test_formulas_are_what_they_are_called(function, x):
    y = FUNCTIONS.get(function, getattr(math, function, None))(x)
    for name, formula in MISREMEMBERED[function].items():
        python = name
        for sign, spelled in WRITTEN.items():
            python = python.replace(sign, spelled)
        python = re.sub(r"(?<=[\w)]) (?=[(\w])|(?<=\d)(?=[x(])", "*", python)
        expected = eval(
            python, {"x": x, "y": y, **{f: getattr(math, f) for f in ("exp", "sqrt", "sin", "cos")}}
        )
        assert formula(np.float64(x), np.float64(y)) == pytest.approx(expected, rel=1e-12), (name, python)


def test_a_wrong_formula_is_recognised(float64):
    wrong = lambda *args: d_layer(*args, d_tanh=lambda z: 1 - np.tanh(z))
    first = mv.check_jacobian(layer, wrong, W, b, X, argnums=(0, 1)).diagnoses[0]
    assert first.certified and "1 − y" in first.detail, first
