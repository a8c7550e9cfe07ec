"""Derivatives with error bars: right on hard functions, honest on random ones, and no number where there is none."""

import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import slopes
from benchmarks.slopes import draw
from mvcalc_jax import text
from mvcalc_jax.calculus import SLOPE_METHODS, complex_step, derivative, error_model, ridders
from mvcalc_jax.calculus.slopes import ladder, noise
from mvcalc_jax.calculus.slopes.estimates import (
    Estimate,
    Status,
    autodiff_slope,
    central_slope,
    forward_slope,
)
from mvcalc_jax.calculus.slopes.hard import HARD, SLOPE_EXAMPLES
from tests.cases import few, long

DIGITS = {
    "sine": 14, "logarithm": 12, "square": 15, "offset": 8.5, "steep": 13, "cancelling": 10, "root": 13,
    "ripples": 13.5, "switch": 13.5, "flat": 12.5, "chirp": 12.5, "pole": 13.5,
}  # fmt: skip
"""Of Ridders, at least; the complex step has 14."""


def digits(value, exact):
    return float(-np.log10(max(abs(value - exact) / abs(exact), 1e-17)))


@pytest.mark.parametrize(
    "name", few(HARD, "sine", "offset", "steep", "cancelling", "ripples", "switch", "pole", "root")
)
def test_hard_functions(name):
    case = HARD[name]
    exact = case.of(np)[1](np.longdouble(case.at))
    found = {"ridders": ridders(case.of(np)[0], case.at), "central": central_slope(case.of(np)[0], case.at)}
    found |= {"complex step": complex_step(case.f, case.at), "autodiff": autodiff_slope(case.f, case.at)}
    for method, estimate in found.items():
        assert estimate.status == Status.FOUND
        assert abs(estimate.value - exact) <= 10 * estimate.error, method
    assert digits(found["ridders"].value, exact) >= DIGITS[name]
    assert digits(found["complex step"].value, exact) >= 14
    gain = digits(found["ridders"].value, exact) - digits(found["central"].value, exact)
    assert gain > (1.5 if name in ("steep", "logarithm", "root") else 3)


@pytest.mark.parametrize("name", SLOPE_EXAMPLES)
def test_derivatives_by_hand_are_autodiffs(name, float64):
    case = SLOPE_EXAMPLES[name]
    at = case.at + case.scale * np.linspace(-0.5, 0.5, 7)
    np.testing.assert_allclose(case.d_f(at), jax.vmap(jax.grad(case.f))(at), rtol=1e-12)


@pytest.mark.slow
def test_error_bars_hold_on_random_functions():
    rng, wrong, none, many = np.random.default_rng(20), 0, 0, 150
    for _ in range(many):
        drawn = draw(rng, "float64")
        estimate = ridders(lambda x, node=drawn.node: node.value(np, x), drawn.x)
        none += not estimate.found
        wrong += abs(estimate.value - drawn.exact) > 10 * estimate.error + drawn.unsure
    assert wrong <= 0.01 * many
    assert none <= 0.02 * many


def test_an_array_is_its_points_one_by_one():
    x = np.linspace(-3, 3, 5000).reshape(2, 2500)
    many = ridders(jnp.tanh, x)
    assert all(of.shape == x.shape for of in many)
    exact = 1 / np.cosh(x) ** 2
    assert (np.abs(many.value - exact) <= many.error).all()
    assert np.median(many.error / exact) < 1e-12
    for k in (0, 1234):
        one = ridders(jnp.tanh, x[0, k])
        assert isinstance(one.value, float)
        assert abs(one.value - many.value[0, k]) <= 2 * one.error
    assert f"and {text.count(4990)} more" in str(many)
    assert ridders(jnp.tanh, np.zeros(0)).value.shape == (0,)


def test_python_numpy_and_jax_agree():
    by = [ridders(sin, 1.0) for sin in (math.sin, np.sin, jnp.sin, lambda x: math.sin(x) if x > 0 else 0.0)]
    for estimate in by:
        assert abs(estimate.value - math.cos(1)) <= estimate.error < 1e-13
    assert ridders(math.log, 1e-4).value == pytest.approx(1e4, rel=1e-12)  # it raises beyond its domain


def test_precision_follows_x():
    single = ridders(jnp.sin, np.float32([1, 2]))
    assert single.value.dtype == single.error.dtype == np.float32
    assert (np.abs(single.value - np.cos([1, 2])) <= single.error).all()
    assert 1e-8 < single.error.max() < 1e-5
    assert complex_step(jnp.sin, np.float32([1])).value.dtype == np.float32
    assert ridders(lambda x: jnp.sin(x.astype(jnp.float32)), 1.3).error > 1e-8  # f is coarser than x


NONE = {
    "kink": (jnp.abs, 0.0, Status.KINK),
    "small kink": (lambda x: x + 1e-8 * jnp.abs(x - 1), 1.0, Status.KINK),
    "jump": (jnp.floor, 1.0, Status.JUMP),
    "step": (lambda x: jnp.where(x > 0, 1.0, 0.0), 0.0, Status.JUMP),
    "hole": (lambda x: jnp.where(x == 1, 5.0, x), 1.0, Status.JUMP),
    "vertical": (jnp.cbrt, 0.0, Status.UNSETTLED),
    "vertical end": (jnp.sqrt, 0.0, Status.UNSETTLED),
    "logarithmic": (lambda x: jnp.where(x == 0, 0, x * jnp.log(jnp.abs(x))), 0.0, Status.UNSETTLED),
    "noise": (lambda x: jnp.sin(1e20 * x), 1.0, Status.NOISE),
    "outside": (jnp.log, -1.0, Status.NOT_FINITE),
    "pole": (lambda x: 1 / x, 0.0, Status.NOT_FINITE),
}


@pytest.mark.parametrize("name", NONE)
def test_no_number_where_there_is_no_derivative(name):
    f, at, status = NONE[name]
    estimate = ridders(f, at)
    assert estimate.status == status
    assert math.isnan(estimate.value) and math.isinf(estimate.error) and not estimate.found
    assert status.sentence in str(estimate)


@pytest.mark.parametrize(
    ("f", "at", "status", "methods"),
    [
        (jnp.sign, 0.0, Status.JUMP, SLOPE_METHODS),
        long(jnp.floor, 2.0, Status.JUMP, SLOPE_METHODS),
        (lambda x: jnp.where(x < 1, x, x + 1.0), 1.0, Status.JUMP, SLOPE_METHODS),
        (lambda x: jnp.where(x <= 1, x, x + 1e-6), 1.0, Status.JUMP, SLOPE_METHODS),
        long(lambda x: jnp.mod(x, 1.0), 2.0, Status.JUMP, SLOPE_METHODS),
        long(jnp.round, 0.5, Status.JUMP, SLOPE_METHODS),
        (lambda x: jnp.where(x == 1, 5.0, x), 1.0, Status.JUMP, SLOPE_METHODS),
        (jnp.abs, 0.0, Status.KINK, SLOPE_METHODS),
        (lambda x: 5 * jnp.maximum(x - 3, 0), 3.0, Status.KINK, SLOPE_METHODS),
        (jnp.sqrt, 0.0, Status.UNSETTLED, ("forward", "ridders")),
        long(jnp.cbrt, 0.0, Status.UNSETTLED, ("forward", "central", "ridders")),
        long(lambda x: jnp.sqrt(jnp.abs(x)), 0.0, Status.UNSETTLED, ("forward", "central", "ridders")),
        (*NONE["logarithmic"][:2], Status.UNSETTLED, ("forward", "central", "ridders")),
    ],
    ids=[
        "sign",
        "floor",
        "where",
        "small",
        "mod",
        "round",
        "hole",
        "abs",
        "max",
        "sqrt",
        "cbrt",
        "cusp",
        "log",
    ],
)
def test_every_method_says_so_where_there_is_none(f, at, status, methods):
    for method in set(methods) - {"complex step"}:
        estimate = derivative(f, at, method)
        assert estimate.status == status, method
        assert math.isnan(estimate.value) and math.isinf(estimate.error)
        beside = derivative(f, np.array([at, at + 0.3]), method)
        assert beside.found.tolist() == [False, True], method


@pytest.mark.parametrize(
    ("f", "at", "exact", "error"),
    [
        (lambda x: jnp.abs(x - 0.3), 0.3 + 1e-12, 1.0, 1e-13),
        (lambda x: jnp.maximum(x, 0), -1.0, 0.0, 1e-15),
        (lambda x: jnp.sin(2 * jnp.pi * x), 0.0, 2 * math.pi, 1e-13),
        (lambda x: jnp.sin(2 * jnp.pi * x), 0.25, 0.0, 1e-13),  # steps of whole waves see nothing
        (lambda x: 1 + jnp.sin(1e10 * x), 0.0, 1e10, 1e-2),
        (lambda x: jnp.exp(x / 1e6), 1.0, 1.000001000000500e-6, 1e-18),
        (lambda x: jnp.sqrt(x * x + 1e-20), 0.0, 0.0, 1e-14),
        (lambda x: x + 1e-21 * jnp.tanh(1e20 * x), 0.0, 1.1, 1e-13),
        (lambda x: 5 + 0 * x, 1.0, 0.0, 1e-14),
        (lambda x: jnp.exp(x) - 1 - x, 1e-4, math.expm1(1e-4), 1e-13),  # straight as −x, digit by digit
        (lambda x: 214.9 * jnp.tanh(x), -28.7, 0.0, 1e-12),
        (jnp.log, 1e-300, 1e300, 1e291),
        (lambda x: jnp.round(jnp.sin(x), 6), 1.3, math.cos(1.3), 1e-3),  # rounded to six decimals
    ],
)
def test_hostile_functions_of_every_scale(f, at, exact, error):
    estimate = ridders(f, at)
    assert estimate.status == Status.FOUND
    assert abs(estimate.value - exact) <= 10 * estimate.error
    assert estimate.error < error


def test_at_an_end_of_the_domain_one_side_will_do():
    estimate = ridders(lambda x: jnp.exp(x) + 0 * jnp.sqrt(x), 0.0)
    assert estimate.status == Status.ONE_SIDED
    assert abs(estimate.value - 1) <= estimate.error < 1e-9
    mirrored = ridders(lambda x: jnp.exp(-x) + 0 * jnp.sqrt(-x), 0.0)
    assert mirrored.value == -estimate.value


REFUSED = {
    "abs": jnp.abs,
    "max": jax.nn.relu,
    "real": lambda x: jnp.where(x > 0, x, 0.0),
    "conj": lambda x: x * jnp.conj(x),
    "sort": lambda x: jnp.sort(jnp.stack([x, x * x]))[0],
    "convert_element_type": lambda x: x.astype(float),
    "while": lambda x: jax.lax.while_loop(lambda c: c * c == 1, lambda c: c * x, x),
    "atan2": lambda x: jnp.arctan2(x, 2.0),
    "imag": lambda x: x + jnp.imag(x),
    "erf": jax.scipy.special.erf,
    "floor": jnp.floor,
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_complex_step_refuses_what_is_not_analytic(name):
    f = REFUSED[name]
    for hidden in (f, jax.jit(f), lambda x: jax.lax.scan(lambda c, _: (f(c), None), x, None, length=2)[0]):
        with pytest.raises(TypeError, match=r"`f` must be (analytic|a function that JAX knows)"):
            complex_step(hidden, 2.5)


@pytest.mark.parametrize(
    ("f", "exact"),
    [
        (jnp.log2, 0.4 / math.log(2)),
        long(jnp.log10, 0.4 / math.log(10)),
        (lambda x: jax.lax.fori_loop(0, 3, lambda i, c: c * x, x), 62.5),
        (lambda x: jax.lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * x), (0, x))[1], 62.5),
        (lambda x: jax.lax.cond(True, jnp.sin, jnp.cos, x), math.cos(2.5)),
        (lambda x: jnp.abs(jnp.asarray(-3.0)) * x, 3.0),
        (lambda x: (jnp.eye(3) * x @ jnp.arange(3.0)).sum(), 3.0),
        (lambda x: (-x) ** 3.0, -18.75),
        (lambda x: jnp.sqrt(x**2), 1.0),
        long(jax.nn.sigmoid, math.exp(-2.5) / (1 + math.exp(-2.5)) ** 2),
    ],
)
def test_the_complex_step_takes_what_is_analytic(f, exact, float64):
    estimate = complex_step(f, 2.5)
    assert estimate.value == pytest.approx(exact, rel=1e-14)
    assert abs(estimate.value - exact) <= 10 * estimate.error < 1e-11


def test_the_rounding_of_a_slope_is_in_its_bar():
    for method in (complex_step, autodiff_slope):
        for f, at, exact in (
            (lambda x: jnp.exp(x) - 1 - x, 1e-4, math.expm1(1e-4)),
            (jax.nn.sigmoid, 40.0, math.exp(-40)),  # σ(1 − σ), where σ is 1
        ):
            estimate = method(f, at)
            assert abs(estimate.value - exact) <= 10 * estimate.error < 1e-14


@pytest.mark.parametrize(("f", "at"), [(jnp.sqrt, 0.0), long(jnp.arcsin, 1.0)])
def test_the_complex_step_gives_no_number_at_a_branch_point(f, at):
    assert complex_step(f, at).status == Status.OTHER_BRANCH
    assert complex_step(f, np.array([0.5, at])).found.tolist() == [True, False]
    assert complex_step(jnp.log, -1.0).status == Status.NOT_FINITE


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("name", ["course", "ripples", "cancelling", "sine"])
def test_measured_errors_lie_on_predicted_lines(name, precision):
    case = SLOPE_EXAMPLES[name]
    x = np.asarray(case.at, precision)
    model = error_model(case.f, x)
    exact = float(case.of(np)[1](np.longdouble(x)))
    lowest = max(float(np.spacing(abs(x))), 1e-9 if precision == "float64" else 1e-3)
    steps = np.geomspace(lowest, 0.05 * case.scale, 60).astype(precision)
    for method, kind in ((forward_slope, model.forward), (central_slope, model.central)):
        bounds = kind(steps.astype(float))
        off = np.abs(method(case.f, np.full(60, x), steps).value.astype(float) - exact)
        assert (off <= 1.3 * bounds.truncation + 2.5 * bounds.roundoff).all()
        left_out = bounds.truncation > 30 * bounds.roundoff
        np.testing.assert_allclose(off[left_out], bounds.truncation[left_out], rtol=0.1)
        rounding = bounds.roundoff > 30 * bounds.truncation
        assert rounding.sum() < 5 or np.median(off[rounding] / bounds.roundoff[rounding]) > 0.02
        near = kind(bounds.best_step * np.array([0.7, 1, 1.4]))
        total = near.truncation + near.roundoff
        assert total[1] == pytest.approx(bounds.least) and total[1] < min(total[0], total[2])


def test_noise_is_measured():
    rng = np.random.default_rng(0)
    x = np.array([1.0])
    known = {}
    f = lambda u: math.sin(u) + known.setdefault(float(u), 1e-6 * (2 * rng.random() - 1))
    values, eps = ladder.values_of("f", f, x)
    assert 2e-7 < noise.of(ladder.climb(values, eps, x, ladder.rungs(x)))[0] < 5e-6
    estimate = ridders(f, 1.0)
    assert abs(estimate.value - math.cos(1)) <= 10 * estimate.error < 1e-2


def test_words():
    assert str(Estimate(0.5403023058, 1e-8, 0.1, Status.FOUND)) == "0.540302306 ± 1.0e-08"
    assert "1: there is a derivative" in ridders(jnp.abs, [0.0, 1.0]).message
    assert all(status.sentence for status in Status)


@pytest.mark.parametrize("method", SLOPE_METHODS)
@pytest.mark.parametrize(
    ("f", "x", "error", "message"),
    [
        (3, 1.0, TypeError, "`f` must be a function"),
        (jnp.sin, math.nan, ValueError, "`x` must be finite; got nan"),
        (jnp.sin, [1.0, math.inf], ValueError, "`x` must be finite; got inf at index"),
        (jnp.sin, "one", TypeError, "`x` must hold real numbers"),
        (jnp.sin, 1j, TypeError, "`x` must hold real numbers"),
        (lambda x: jnp.stack([x, x]), 1.0, ValueError, "`f` must return a single number"),
        (lambda x: 3, 1.0, TypeError, "`f` must return a floating-point number"),
        (lambda x: x.nothing, 1.0, (TypeError, AttributeError), "nothing"),
    ],
)
def test_misuse(method, f, x, error, message, unchecked):
    with pytest.raises(error, match=message):
        derivative(f, x, method)


def test_more_misuse():
    with pytest.raises(ValueError, match="unknown method 'rider'; did you mean 'ridders'"):
        derivative(jnp.sin, 1.0, "rider")
    with pytest.raises(ValueError, match="`step` must be positive; got 0"):
        forward_slope(jnp.sin, 1.0, 0.0)
    with pytest.raises(ValueError, match="`step` must be one number, or one for each of the 2"):
        central_slope(jnp.sin, [1.0, 2.0], [0.1, 0.1, 0.1])
    for method in (complex_step, autodiff_slope):
        with pytest.raises(TypeError, match="`f` must be written in JAX"):
            method(np.sin, 1.0)
    with pytest.raises(TypeError, match="inside jit"):
        jax.jit(lambda x: ridders(jnp.sin, x).value)(1.0)
    with pytest.raises(TypeError, match="`f` must return a floating-point number; got int64"):
        ridders(lambda x: round(float(x)), 1.0)
    with pytest.raises(TypeError, match="`x` must be a single number"):
        error_model(jnp.sin, [1.0, 2.0])
    model = error_model(jnp.sin, 1.0)
    for bounds in (model.forward, model.central):
        for step, what in ((-1e-8, "positive"), (math.nan, "finite"), ([1e-3, 0.0], "positive")):
            with pytest.raises(ValueError, match=f"`step` must be {what}; got"):
                bounds(step)


@pytest.mark.benchmark
def test_the_benchmark_meets_its_bars():
    assert all(bar.held for bar in slopes.findings(slopes.Config(functions=300)).bars)
    with pytest.raises(ValueError, match="`functions` must be at least 100"):
        slopes.findings(slopes.Config(functions=5))


def cancelling(coefficients):
    """f′ of Σ cₖ xᵏ, exactly noise."""
    terms = list(enumerate(coefficients))[1:]
    return lambda x: float(sum(k * c * Fraction(x) ** (k - 1) for k, c in terms))


@pytest.mark.parametrize(
    ("f", "coefficients"),
    [
        (
            lambda x: (1 - jnp.cos(x)) / x**2,
            [Fraction((-1) ** (k // 2) * (1 - k % 2), math.factorial(k + 2)) for k in range(24)],
        ),
        (
            lambda x: (x - jnp.sin(x)) / x**3,
            [Fraction((-1) ** (k // 2) * (1 - k % 2), math.factorial(k + 3)) for k in range(24)],
        ),
        long(lambda x: (jnp.exp(x) - 1) / x, [Fraction(1, math.factorial(k + 1)) for k in range(24)]),
        long(lambda x: jnp.log(1 + x) / x, [Fraction((-1) ** k, k + 1) for k in range(60)]),
    ],
    ids=["1 - cos", "x - sin", "exp - 1", "log 1 +"],
)
def test_digits_lost_inside_are_in_the_error_bar(f, coefficients):
    x = np.geomspace(1e-6, 0.3, 100)
    exact = np.array([cancelling(coefficients)(a) for a in x])
    for method in SLOPE_METHODS:
        found = derivative(f, x, method)
        broken = np.abs(found.value - exact) > 10 * found.error
        assert broken.sum() <= 2, (method, x[broken])
