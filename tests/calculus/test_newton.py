"""Newton's method: roots to the last digit, the right reason on every case, and no false root."""

import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.calculus import iterate, newton, newton_searches
from mvcalc_jax.calculus.rootfinding.classics import NEWTON_EXAMPLES, sextic
from mvcalc_jax.calculus.rootfinding.outcome import Status
from mvcalc_jax.calculus.rootfinding.portrait import rungs, seen
from tests.cases import long

pytestmark = pytest.mark.slow  # under a newer JAX the README's examples stand for all of this

LOW, HIGH = -3.7602139721974477, 1.063070629709697
"""The sextic's roots, to the last digit; COURSE prints −3.760214 and 1.063071."""


def plain_steps(f, df, x, steps):
    """An oracle: the same steps in Python's own numbers."""
    trace = [x]
    for _ in range(steps):
        trace.append(trace[-1] - f(trace[-1]) / df(trace[-1]))
    return trace


def test_the_courses_sextic():
    df = lambda x: x**5 - 12 * x**3 - 2 * x**2 + 27 * x + 18
    first, second, third = (newton(sextic, x0) for x0 in (1.0, 1.99, 3.1))
    assert [r.status for r in (first, second, third)] == [Status.CONVERGED] * 3
    np.testing.assert_allclose([first.x, second.x, third.x], [HIGH, LOW, LOW], rtol=4e-16)
    assert first.trace.x[1] == 1.0625
    assert round(second.trace.x[1], 1) == -36.5
    assert abs(second.trace.x[19] - LOW) < 1e-10 < abs(second.trace.x[17] - LOW)
    assert abs(third.trace.x[28] - LOW) < 1e-10 < abs(third.trace.x[25] - LOW)
    assert np.all(third.trace.x[:21] > 2)  # it looks like an oscillation
    for root in (first, second):
        np.testing.assert_allclose(
            root.trace.x, plain_steps(sextic, df, root.trace.x[0], root.steps), rtol=1e-13
        )
        np.testing.assert_allclose(root.trace.df, df(root.trace.x), rtol=1e-12, atol=1e-9)
        assert abs(root.x - [LOW, HIGH][root.x > 0]) <= root.error < 1e-14


def mirrored_root(x):
    return jnp.sign(x) * jnp.sqrt(jnp.abs(x))


CASES = [
    (lambda x: x**3 - 2 * x + 2, 0.0, Status.CYCLE),
    long(lambda x: x**3 - 2 * x + 2, 0.05, Status.CYCLE),
    (mirrored_root, 1.0, Status.CYCLE),
    (lambda x: x**3 - 5 * x, 1.0, Status.CYCLE),
    (lambda x: x**3 - 5 * x, 1.0 + 1e-12, Status.CONVERGED),  # the cycle repels
    (jnp.arctan, 1.5, Status.DIVERGED),
    long(jnp.arctan, 1.39, Status.CONVERGED),
    long(jnp.cbrt, 1.0, Status.DIVERGED),
    (lambda x: x * jnp.exp(-x), 2.0, Status.DIVERGED),
    long(jnp.exp, 0.0, Status.DIVERGED),
    long(lambda x: jnp.exp(-x * x), 1.0, Status.DIVERGED),
    (lambda x: 1 / x, 1.0, Status.DIVERGED),
    (lambda x: x * x + 1, 0.6, Status.MINIMUM),
    long(lambda x: x * x + 1, 1.0, Status.MINIMUM),
    (lambda x: (x - 1) ** 2 + 1e-30, 3.0, Status.MINIMUM),
    (lambda x: jnp.cos(x) + 2, 0.3, Status.MINIMUM),
    (lambda x: ((x + 0.2969) ** 2 + 2e-4) * ((x + 0.094) ** 2 + 0.06), 0.5, Status.MINIMUM),
    (lambda x: x**3 - 3 * x + 3, 1.0, Status.FLAT),
    long(lambda x: x * x - 1, 0.0, Status.FLAT),
    (lambda x: jnp.exp(x) - 1, -10.0, Status.FLAT),
    (lambda x: 0 * x, 3.0, Status.FLAT),
    long(lambda x: 0 * x + 1, 3.0, Status.FLAT),
    (lambda x: jnp.exp(-1 / x**2), 0.5, Status.FLAT),
    (jnp.log, 3.0, Status.DOMAIN),
    long(jnp.log, -1.0, Status.DOMAIN),
    (jnp.sqrt, 1.0, Status.DOMAIN),
    (lambda x: 1 + jnp.cbrt(x), 0.0, Status.DOMAIN),
    (lambda x: jnp.prod(x - jnp.arange(1.0, 8.0)), 0.3, Status.CONVERGED),
    (lambda x: jnp.abs(x - 1 / 3), 3.0, Status.CONVERGED),
    (lambda x: jnp.abs(x) + 1e-300, 3.0, Status.CYCLE),
    (lambda x: x / (1 + x * x), 2.0, Status.DIVERGED),  # 1 + x² overflows, and the next step ends at the root
    long(lambda x: (x - 1) / (1 + (x - 1) ** 4), 3.0, Status.DIVERGED),
    (lambda x: jnp.log(x) - 100, 1.0, Status.CONVERGED),  # far, and rightly so
    (lambda x: jnp.maximum(x, 0), 3.0, Status.FLAT),
    (lambda x: jnp.maximum(0.0, x - 1) ** 2, 3.0, Status.FLAT),  # it comes to rest beside what is flat
    long(lambda x: jnp.maximum(0.0, x - 1) ** 5, 3.0, Status.FLAT),
    long(lambda x: jnp.maximum(0.0, 2 - x) ** 3, -1.0, Status.FLAT),
    (lambda x: jnp.sqrt(x**4), 1.0, Status.MULTIPLE),  # f′ is no number at the root
    (lambda x: jnp.sqrt(x**4) + 1e-30, 1.0, Status.MINIMUM),
    long(lambda x: x * x - 1e300, 1.0, Status.FLAT),
    (lambda x: 1e30 * (x * x - 2), np.float32(1), Status.CONVERGED),
    (lambda x: 1e300 * x * x, 1.0, Status.MULTIPLE),
]


@pytest.mark.slow
@pytest.mark.parametrize(("f", "x0", "status"), CASES)
def test_the_right_reason(f, x0, status):
    found = newton(f, x0)
    assert found.status == status, found.message
    assert found.success == (status > 0)
    assert np.isnan(found.error) == (status <= 0)
    assert status.name.lower()[:5] in found.message or status in (Status.MINIMUM, Status.FLAT, Status.DOMAIN)


def test_a_cycle_closes_in_other_numbers():
    found = newton(lambda x: x**3 - 2 * x + 2, 0.05)
    assert found.period == 2
    f, df = (lambda x: x**3 - 2 * x + 2), (lambda x: 3 * x**2 - 2)
    np.testing.assert_allclose(plain_steps(f, df, found.x, 4)[2::2], found.x, atol=1e-12)
    for power, status in ((0.5001, Status.STEP_LIMIT), (0.51, Status.STEP_LIMIT), (0.75, Status.MULTIPLE)):
        spiral = newton(lambda x, p: jnp.sign(x) * jnp.abs(x) ** p, 1.0, args=(power,))
        assert spiral.status == status  # it returns ever nearer, but to a root


@pytest.mark.parametrize(
    ("f", "root", "m"),
    [
        (lambda x: x * x, 0.0, 2),
        (lambda x: x**2 - 2 * x + 1, 1.0, 2),
        (lambda x: x**3 - 3 * x**2 + 3 * x - 1, 1.0, 3),
        (lambda x: (x - 1) ** 20, 1.0, 20),
        (lambda x: 1 - jnp.cos(x), 0.0, 2),
        (lambda x: x**3 * (x + 1), 0.0, 3),
    ],
)
def test_multiple_roots_have_all_their_digits(f, root, m):
    found = newton(f, 0.5 if root == 0 else 3.0)
    assert (found.status, found.multiplicity) == (Status.MULTIPLE, m)
    assert abs(found.x - root) <= max(found.error, 1e-15) <= 1e-14
    assert found.steps < 12
    assert "modified" in found.trace.rule
    assert found.trace.x[-1] == found.x


def test_plain_steps_are_slow_at_a_double_root_and_nothing_is_judged():
    f = lambda x: (x - 1) ** 2 * (x + 2)
    plain = iterate(f, 3.0, 20)
    away = plain.x - 1
    np.testing.assert_allclose(away[11:] / away[10:-1], 0.5, atol=1e-3)
    assert np.all(np.abs(iterate(f, 3.0, 8, factor=2.0).x[7:] - 1) < 1e-9)


BRACKETED = [
    (sextic, (-1, 2), Status.CONVERGED),
    long(jnp.arctan, (-1e10, 3e9), Status.CONVERGED),
    (lambda x: (x - 1 / 3) ** 3, (-1, 1), Status.MULTIPLE),
    long(lambda x: jnp.cbrt(x - 1 / 3), (-1, 1), Status.MULTIPLE),
    (jnp.log, (0, 4), Status.CONVERGED),
    (lambda x: 1 / x, (-1, 1), Status.POLE),
    long(jnp.tan, (1, 2), Status.POLE),
    (lambda x: jnp.where(x < 1 / 3, -1.0, 1.0) + x / 10, (-1, 1), Status.JUMP),
    (lambda x: x - 1 / 3 + 1e-9 * jnp.where(x < 1 / 3, -1.0, 1.0), (-1, 1), Status.JUMP),
    (jnp.cbrt, (-1, 2), Status.MULTIPLE),
    long(mirrored_root, (-1, 2), Status.MULTIPLE),
    (lambda x: jnp.sign(x) * jnp.abs(x) ** 0.01, (-1, 2), Status.MULTIPLE),
    (jnp.sign, (-1, 2), Status.STALLED),  # zero at 0 itself
    (
        lambda x: jnp.arctan(1e16 * (x - 1 / 3)) + 0.1,
        (-1, 2),
        Status.STALLED,
    ),  # steeper than numbers, no jump
]


@pytest.mark.parametrize(("f", "bracket", "status"), BRACKETED)
def test_between_two_signs(f, bracket, status):
    found = newton(f, bracket=bracket)
    assert found.status == status, found.message
    assert bracket[0] <= found.x <= bracket[1]
    if status > 0:
        assert found.x == pytest.approx(
            HIGH if f is sextic else {(-1, 1): 1 / 3, (0, 4): 1.0}.get(bracket, 0.0), abs=1e-14
        )


def test_a_derivative_by_hand_is_used_and_a_wrong_one_gives_no_false_root():
    calls = []

    def derivative(x, c):
        calls.append(1)
        return 2 * x

    f = lambda x, c: x * x - c
    assert newton(f, 1.0, derivative=derivative, args=(2.0,)).x == pytest.approx(np.sqrt(2), rel=1e-15)
    assert calls
    assert newton(f, 1.0, derivative=lambda x, c: 1e30, args=(2.0,)).status == Status.STALLED
    system = newton(
        lambda v: jnp.array([v[0] * v[1] - 6, v[0] - v[1] - 1]),
        [4.0, 1.0],
        derivative=lambda v: jnp.array([[v[1], v[0]], [1.0, -1.0]]),
    )
    np.testing.assert_allclose(system.x, [3, 2], rtol=1e-14)


@pytest.mark.parametrize("factor", [10, -1, 0.3])
def test_a_wrong_derivative_by_hand_is_named_and_no_jump(factor):
    found = newton(lambda x: x * x - 2, 1.0, derivative=lambda x: factor * 2 * x)
    assert found.status in (
        Status.CONVERGED,
        Status.DIVERGED,
        Status.STEP_LIMIT,
        Status.CYCLE,
        Status.MINIMUM,
    )
    assert abs(found.x - 2**0.5) <= found.error if found.success else True
    assert "`derivative` is" in found.message
    system = lambda v: jnp.array([v[0] * v[1] - 6, v[0] - v[1] - 1])
    wrong = newton(system, [4.0, 1.0], derivative=lambda v: jnp.array([[v[1], 2 * v[0]], [1.0, -1.0]]))
    assert "`derivative`[0, 1] is 8 at (4, 1), where f has 4" in wrong.message


def test_functions_that_have_one_mode_of_differentiation_only():
    reverse = mv.autodiff.with_gradient(lambda x: x**3 - 8, lambda x: 3 * x**2)
    assert newton(reverse, 3.0).x == 2
    forward = lambda x: (
        jax.lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * x), (0, 1.0))[1] - 8
    )
    assert newton(forward, 3.0).x == 2


def test_precision_follows_the_start():
    found = newton(lambda x: x * x - 2, np.float32(1))
    assert found.trace.x.dtype == np.float32
    assert abs(found.x - 2**0.5) <= found.error < 1e-6
    double = newton(lambda x: x**2 - 2 * x + 1, np.float32(3))
    assert (double.multiplicity, double.x) == (2, 1)
    assert newton(lambda x: x * x + 1, np.float32(0.6)).status == Status.MINIMUM
    assert newton(lambda x: x * x - 2, 1).x == 2**0.5


def test_one_program_serves_all_arguments():
    traced = []

    def f(x, c):
        traced.append(1)
        return x**3 - c

    for c in range(1, 9):
        assert newton(f, 1.5, args=(float(c),)).x == pytest.approx(c ** (1 / 3), rel=1e-15)
        if c == 1:
            before = len(traced)
    assert len(traced) == before


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((3, 1.0), {}, TypeError, "`f` must be a function"),
        ((sextic,), {}, TypeError, "`x0` must be a number or an array; got None"),
        ((sextic, np.nan), {}, ValueError, "`x0` must be finite"),
        ((sextic, np.inf), {}, ValueError, "`x0` must be finite"),
        ((sextic, 1j), {}, TypeError, "`x0` must hold real numbers"),
        ((sextic, [[1.0]]), {}, ValueError, "`x0` must be a number, or of shape"),
        ((sextic, []), {}, ValueError, "`x0` must be a number, or of shape"),
        ((lambda x: np.sin(float(x)), 1.0), {}, TypeError, "`f` must be written in JAX"),
        ((lambda x: jnp.array([x, x]), 1.0), {}, ValueError, "`f` must return a single number"),
        ((lambda x: jnp.int32(x), 1.0), {}, TypeError, "`f` must return a floating-point number"),
        ((lambda v: v[0], [1.0, 2.0]), {}, ValueError, r"`f` must return an array of shape \(2,\)"),
        ((sextic, 1.0), {"derivative": 2.0}, TypeError, "`derivative` must be a function"),
        (
            (sextic, 1.0),
            {"derivative": lambda x: jnp.ones(2)},
            ValueError,
            "`derivative` must return an array",
        ),
        ((sextic, 1.0), {"max_steps": 0}, ValueError, "`max_steps` must be at least 1"),
        ((sextic, 1.0), {"args": 3.0}, TypeError, "`args` must be a tuple"),
        (
            (sextic,),
            {"bracket": (1.5, 2.5)},
            ValueError,
            "`bracket` must have f of opposite signs at its ends",
        ),
        ((sextic,), {"bracket": (2, 1)}, ValueError, "`bracket` must have low < high"),
        ((sextic, 5.0), {"bracket": (0, 2)}, ValueError, "`x0` must lie in the bracket"),
        ((lambda v: v, [1.0]), {"bracket": (0, 2)}, ValueError, "`bracket` is for one variable"),
        ((lambda x: jax.pure_callback(np.sin, x, x), 1.0), {}, TypeError, "`f` must be differentiable"),
    ],
)
def test_misuse(arguments, options, error, message, unchecked):
    with pytest.raises(error, match=message):
        newton(*arguments, **options)


def test_inside_jit_it_says_so():
    with pytest.raises(TypeError, match="reasons are found on the host"):
        jax.jit(lambda x: newton(sextic, x).x)(1.0)


def test_a_result_reads_well():
    found = newton(sextic, 3.1)
    lines = str(found).splitlines()
    assert lines[0] == "converged to a root at -3.760213972197448 ± 3e-15 in 29 steps"
    assert lines[1].split() == ["step", "x", "f"]
    assert "…" in lines[10]
    x, success = found
    assert (x, success) == (found.x, True)
    assert "pass bracket=(-4.657, 1)" in newton(lambda x: x**3 - 3 * x + 3, 1.0).message
    told = newton(lambda x: (x - 1e6 - 1e-5 / 3) * (1 + x * x), 1e6 + 0.1).message
    assert "root at 1000000.000003333 ± 1e-10" in told


@pytest.mark.parametrize("x0", [1.0, 0.7, 3.0])
def test_no_advice_leads_to_a_pole_nor_to_what_is_there_already(x0):
    found = newton(lambda x: x + 1 / x, x0)
    assert not found.success
    assert "by a pole" in found.message
    assert "bracket" not in found.message
    short = newton(lambda x: x**3 - 3 * x + 3, bracket=(-3, 0), max_steps=2).message
    assert "raise `max_steps`" in short
    assert "pass" not in short
    assert "bracket" not in newton(lambda v: jnp.array([jnp.exp(v[0]), v[1]]), [1.0, 1.0]).message


@pytest.mark.parametrize("name", NEWTON_EXAMPLES)
def test_brackets_of_the_examples_are_brackets(name):
    example = NEWTON_EXAMPLES[name]
    if example.bracket:
        low, high = (float(example.f(x)) for x in example.bracket)
        assert low * high < 0


def portrait(f, x=0.0, size=1.0):
    h = rungs(x, size, np.dtype(float))
    with np.errstate(all="ignore"):
        return seen(h, f(np.float64(x)), f(x + h), f(x - h), float(np.spacing(abs(x)) or h[0]))


@pytest.mark.parametrize(
    ("f", "kind", "order"),
    [
        (lambda x: np.sin(x), "root", 1),
        (lambda x: 1 - np.cos(x), "root", 2),
        (lambda x: np.abs(x) ** 1.5, "root", 1.5),
        (lambda x: np.cbrt(x), "root", 1 / 3),
        (lambda x: 1 / x**3, "pole", 3),
        (lambda x: np.where(x < 0, -1.0, 1.0) + x, "jump", np.nan),
        (lambda x: x**2 + 1e-9, "none", np.nan),
        (lambda x: np.exp(x), "none", np.nan),
        (lambda x: np.maximum(x, 0), "still", np.nan),
    ],
)
def test_portraits(f, kind, order):
    found = portrait(f)
    if kind == "pole":
        found = portrait(f, 1e-17)  # at 0 itself it is infinite
    assert found.kind == kind
    np.testing.assert_allclose(found.order, order, rtol=1e-2)


@pytest.mark.timing
def test_the_first_call_takes_half_a_second():
    script = (
        "import time, mvcalc_jax as mv; newton = mv.calculus.newton; began = time.perf_counter(); "
        "newton(lambda x: x**3 - 2, 1.0); print(time.perf_counter() - began)"
    )
    took = float(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    )
    assert took < 1.0
    began = time.perf_counter()
    newton(lambda x: x**3 - 2, 1.0)
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    ("starts", "error"), [(3.0, TypeError), (("a",), TypeError), ((np.nan,), ValueError)]
)
def test_searches_from_what_are_no_starts(starts, error, unchecked):
    with pytest.raises(error, match="`starts` must be"):
        newton_searches("cubic", starts)
    with pytest.raises(ValueError, match="unknown example 'cubik'; did you mean 'cubic'"):
        newton_searches("cubik", (1.0,))


@pytest.mark.parametrize("factor", [1j, "2", None, [1.0]], ids=str)
def test_a_factor_that_is_no_number(factor, unchecked):
    with pytest.raises(TypeError, match="`factor` must be a single number"):
        iterate(lambda x: x**2 - 2, 1.0, 3, factor=factor)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"f": {"a": 1}}, TypeError, "`f` must be a function"),
        ({"derivative": [1]}, TypeError, "`derivative` must be a function"),
        ({"args": 3}, TypeError, "`args` must be a tuple"),
        ({"x0": np.zeros((1, 0))}, ValueError, "`x0` must be a number or a vector"),
        ({"x0": []}, ValueError, "`x0` must be a number or a vector"),
    ],
)
def test_steps_of_other_things(change, error, said, unchecked):
    with pytest.raises(error, match=said):
        iterate(**{"f": lambda x: x**2 - 2, "x0": 1.0, "steps": 3} | change)
