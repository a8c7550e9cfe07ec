"""The table of XLA's errors: it holds here, at toy size, and a function that is too wrong for it is found."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb

from benchmarks import compositions, elementary
from benchmarks import ulps as benchmark
from mvcalc_jax.taylor.intervals import ulps
from tests.cases import long

TOY = 240


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "dtype"),
    [("log1p", np.float32), ("cbrt", np.float64), long("log1p", np.float64), long("cbrt", np.float32)],
)
def test_the_table_holds(name, dtype, float64):
    worst, allowed = benchmark.measured(name, dtype, TOY, 0), ulps.error(name, dtype)
    assert 0.2 < worst.ulps <= allowed.ulps
    assert worst.floor <= ulps.FLOOR
    assert worst.points > TOY / 2


def test_every_row_has_its_measurement_and_its_domain():
    measured = {name.partition(" ")[0] for name in elementary.CASES}
    assert measured == {*ulps.MEASURED, "integer_pow"}
    for name, row in ulps.MEASURED.items():
        assert len(row.domain) == (2 if name in elementary.BINARY else 1)
        for dtype, worst in zip(elementary.PRECISIONS, (row.single, row.double), strict=True):
            allowed = ulps.error(name, dtype)
            assert allowed.ulps >= 3 * worst and allowed.ulps >= worst + 1
            assert allowed.absolute == row.offset * allowed.ulps


def test_one_divisor_for_many_must_have_a_normal_reciprocal(float64):
    """XLA multiplies by it, so that 10³⁰/(3·10³⁸) is 0 in float32, compiled or not; the domain ends before."""
    x, y = jnp.full(8, 1e30, jnp.float32), np.float32(3e38)
    assert not np.asarray(jax.jit(lambda x: x / y)(x)).any()
    assert ulps.error("div", "float32").domain[1][1] == 2.0**126 < y
    assert ulps.error("div", "float64").domain[1] == (-(2.0**1022), 2.0**1022)


def test_powers_are_allowed_an_error_for_each_product():
    assert ulps.error("integer_pow", "float32", 3).ulps == 2.5
    assert ulps.error("integer_pow", "float64", -3).ulps == 4.5  # x³ may be subnormal, and x⁻³ finite
    assert ulps.error("integer_pow", jnp.float32, 31).domain == ((-np.inf, np.inf),)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (("bessel_jn", "float32"), "must be one that was measured: add, sub"),
        (("exp", "float16"), "32 or 64 bits; got float16"),
        (("exp", "float32", 2), "belongs to 'integer_pow'"),
        (("integer_pow", "float32"), "belongs to 'integer_pow'"),
    ],
)
def test_what_was_not_measured_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        ulps.error(*call)


@pytest.mark.slow
def test_a_function_that_is_too_wrong_is_found(monkeypatch, standard_promotion):
    wrong = elementary.Case(lambda x: jnp.exp(x) * (1 + 1e-14), arb.exp)
    monkeypatch.setitem(elementary.CASES, "exp", wrong)
    config = benchmark.Config(points=TOY, only=("exp",))
    (bar,) = benchmark.findings(config).bars
    assert bar == (False, "1 of 2 functions and precisions are beyond the table (exp float64); the bar is 0")


def test_errors_are_those_of_exact_arithmetic(float64):
    """At 1 + 2⁻³⁰ the square rounds a half of the last place away; what lies near ±10³⁰⁸ is scaled, not lost."""
    for x in (1 + 2.0**-27, 1e154, -1.2e-153):
        at = (np.array([x]),)
        exact = elementary.exactly("square", at)
        y = np.asarray(jax.lax.square(at[0]))
        true = arb(x) * arb(x)
        off, size = exact.off(y)
        assert off[0] / size[0] == pytest.approx(
            float(abs(arb(float(y[0])) - true) / true), rel=1e-12, abs=1e-22
        )
    assert np.isinf(elementary.exactly("exp", (np.array([1e5]),)).high[0])
    assert elementary.exactly("exp", (np.array([-1e5]),)).high[0] == 0


@pytest.mark.parametrize("dtype", elementary.PRECISIONS, ids=["float32", "float64"])
@pytest.mark.parametrize("name", ["exp(x) exp(y)", "exp(x) y + z"])
def test_functions_kept_apart_stay_within_what_their_steps_allow(name, dtype, float64):
    _, apart = compositions.rewritten(name, dtype, 60, 0)
    assert 0 < apart < 1


def test_subnormal_numbers_are_zero_to_compiled_code(float64):
    """Which is why an argument of the table's is 0 or normal."""
    assert "compiled: an argument is 0, a result 0, log -inf" in benchmark.subnormal(np.float32)
