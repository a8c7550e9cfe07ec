"""Pairs (f, f′): every rule against autodiff, every formula against the function that it is of, and misuse."""

import math
import re

import jax.numpy as jnp
import numpy as np
import pytest

from mvcalc_jax import autodiff
from mvcalc_jax.calculus import rules
from mvcalc_jax.calculus.rules import Pair, constant, cos, exp, log, power, sin, sqrt, tan, tanh

x = power(1)
BUILT = {
    "constant": (constant(3), "3", "0"),
    "sum": (2 * x**5 + 3 * x, "2·x⁵ + 3·x", "2·5·x⁴ + 3"),
    "difference": (cos(x) - x * (1 - x), "cos(x) − x·(1 − x)", None),
    "chain": (sin(2 * x**5 + 3 * x), "sin(2·x⁵ + 3·x)", "cos(2·x⁵ + 3·x)·(2·5·x⁴ + 3)"),
    "quotient": (sin(2 * x**5 + 3 * x) / exp(7 * x), "sin(2·x⁵ + 3·x)/exp(7·x)", None),
    "product": (sin * exp(cos), "sin(x)·exp(cos(x))", None),
    "powers": (x**1.5 + math.pi * x**2, "x^1.5 + π·x²", "1.5·x^0.5 + π·2·x"),
    "power of a power": (tanh(x) / x**2, "tanh(x)/x²", None),
    "reciprocal": (1 / x, "1/x", "(−1)/x²"),
    "negative power": (x**-2, "x⁻²", "(−2)·x⁻³"),
    "nested": (log(sqrt(1 + tan(x) ** 2)), "ln(√(1 + tan(x)²))", None),
    "minus a minus": (x - (-x), "x − (−x)", "1 − (−1)"),
    "inverse": (rules.asin(x / 2) * rules.acos(x / 3) + rules.atan(-x), None, None),
    "hyperbolic": (rules.sinh(x) - rules.cosh(x) * rules.logistic(2 * x), None, None),
}
AT = np.array([0.3, 0.9, 1.2])


def by_formula(formula, at):
    """A formula's value by Python's own arithmetic."""
    written = str(formula)
    for name, plain in (("tan²", "tan2"), ("tanh²", "tanh2"), ("σ", "sigma"), ("√", "sqrt")):
        written = written.replace(name, plain)
    written = re.sub(
        "[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+",
        lambda m: "**" + m[0].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")),
        written,
    )
    written = written.replace("·", "*").replace("−", "-").replace("^", "**").replace("π", "pi")
    known = {"ln": math.log, "tan2": lambda u: math.tan(u) ** 2, "tanh2": lambda u: math.tanh(u) ** 2}
    return eval(written, vars(math) | known | {"x": at, "sigma": lambda u: 1 / (1 + math.exp(-u))})


@pytest.mark.parametrize("name", BUILT)
def test_a_pair_is_a_function_its_derivative_and_their_formulas(name, float64):
    pair, formula, slope = BUILT[name]
    assert formula in (None, str(pair.name))
    assert slope in (None, str(pair.d_name))
    value, derivative = pair.at(AT)
    expected = [float(autodiff.gradient(pair.f)(at)) for at in AT]
    np.testing.assert_allclose(derivative, expected, rtol=1e-14, atol=1e-15)
    for k, at in enumerate(AT):
        assert by_formula(pair.name, at) == pytest.approx(
            value[k], rel=1e-5
        )  # numbers are written with six digits
        assert by_formula(pair.d_name, at) == pytest.approx(derivative[k], rel=1e-5, abs=1e-12)


@pytest.mark.parametrize("name", rules.ELEMENTARY)
def test_elementary_functions(name, precision):
    pair = rules.ELEMENTARY[name]
    at = np.array([0.1, 0.45, 0.8], precision)
    value, derivative = pair.at(at)
    assert value.dtype == derivative.dtype == precision
    expected = [float(autodiff.gradient(pair.f)(one)) for one in at]
    np.testing.assert_allclose(derivative, expected, rtol=1e-6 if precision == "float32" else 1e-14)
    np.testing.assert_allclose([by_formula(pair.d_name, float(one)) for one in at], expected, rtol=1e-5)


def test_the_courses_numbers():
    assert (sin * exp(cos)).at(math.pi)[1] == pytest.approx(-1 / math.e, rel=1e-15)
    assert (x**1.5 + math.pi * x**2).at(2)[1] == pytest.approx(1.5 * 2**0.5 + 4 * math.pi, rel=1e-15)
    assert tan.at(math.pi / 4)[1] == pytest.approx(2, rel=1e-15)


def test_print_shows_both_and_a_pair_takes_numbers_arrays_and_pairs(float64):
    assert str(sin(x**2)) == "f  = sin(x²)\nf′ = cos(x²)·2·x"
    assert isinstance(sin(x), Pair)
    np.testing.assert_array_equal(sin(jnp.arange(3.0)), jnp.sin(jnp.arange(3.0)))
    assert isinstance(sin.at(1)[0], float)
    assert power(0).at(3.0) == (1.0, 0.0)


def test_misuse(unchecked):
    with pytest.raises(
        TypeError, match="`g` must be a Pair, so that its derivative goes with it; got function"
    ):
        rules.chain_rule(sin, lambda x: x)
    with pytest.raises(ValueError, match="`n` must be finite; got nan"):
        power(float("nan"))
    with pytest.raises(TypeError, match="`c` must be a single number"):
        constant("2")
    with pytest.raises(TypeError, match="`x` must hold real numbers"):
        sin.at("2")
