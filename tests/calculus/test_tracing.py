"""trace_rules: JAX's own derivative to the last bits, the right word for every step, and one clear error else."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental.ode import odeint

from benchmarks import rules as benchmark
from benchmarks.rules import ulps
from mvcalc_jax import autodiff
from mvcalc_jax.calculus import trace_rules
from mvcalc_jax.calculus.tracing import PRIMITIVES

SINGLE = benchmark.UNARY | benchmark.VECTOR
INEXACT = {"sinc": 32, "softmax": 64, "variance": 32, "centred": 64, "matrix": 16, "product": 32}
"""Sums of terms that cancel, compiled as one by JAX or added in another order: so many units in the last place."""


@pytest.mark.slow
@pytest.mark.parametrize("name", SINGLE)
def test_every_function_by_itself(name, rng, standard_promotion, float64):
    f = lambda u: jnp.sum(jnp.sin(SINGLE[name](u)) * u)
    at = rng.normal(size=5)
    back, on = (trace_rules(f, mode=mode)(at).gradient for mode in ("reverse", "forward"))
    expected = autodiff.gradient(f)(at)
    assert ulps(back, expected) <= INEXACT.get(name, 4)
    np.testing.assert_allclose(on, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.slow
@pytest.mark.parametrize("kind", benchmark.KINDS[:2], ids=lambda kind: kind.name)
def test_random_compositions_to_four_units_in_the_last_place(kind, rng, standard_promotion, float64):
    most = (
        4 if kind.name == "numbers" else 100
    )  # what JAX compiles as one rounds otherwise; that depends on its version
    for _ in range(8):
        (f, names), at = benchmark.composition(rng, 6, kind), benchmark.point(rng, kind)
        expected = autodiff.gradient(f, (0, 1, 2))(*at)
        assert ulps(trace_rules(f)(*at).gradient, expected) <= most, names


def test_a_wrong_rule_would_be_seen(monkeypatch):
    from mvcalc_jax.calculus.tracing import elementary

    wrong = elementary.elementwise("sin({0})", elementary.Partial("sin({0})", lambda y, x: y))
    monkeypatch.setitem(elementary.ELEMENTARY, "sin", wrong)
    assert trace_rules(jnp.sin)(0.5).gradient == pytest.approx(np.sin(0.5))


def test_fifty_primitives_are_known():
    assert len(PRIMITIVES) >= 50


def test_the_courses_function_step_by_step():
    trace = trace_rules(lambda x: jnp.sin(2 * x**5 + 3 * x) / jnp.exp(7 * x))(0.5)
    assert trace.rules == (
        "power",
        "constant multiple",
        "constant multiple",
        "sum",
        "chain: sin",
        "constant multiple",
        "chain: exp",
        "quotient",
    )
    assert trace.gradient == pytest.approx(-0.21046625813246123, rel=1e-15)
    assert [step.formula for step in trace.steps][3:5] == ["v2 + v3", "sin(v4)"]
    assert trace.steps[4].edges[0].formula == "cos(v4)"
    assert trace.steps[4].edges[0].value == pytest.approx(np.cos(1.5625), rel=1e-15)
    assert trace.steps[-1].accumulated == 1
    said = str(trace)
    assert said.startswith("f(x) = 0.030196344199849366 at x = 0.5; reverse mode")
    assert said.endswith("∂f/∂x = -0.21046625813246123")


def test_forward_mode_accumulates_from_the_arguments():
    trace = trace_rules(lambda x, y: jnp.sin(x) * y, mode="forward")(0.5, 2.0)
    assert [list(step.accumulated) for step in trace.steps] == [
        [np.cos(0.5), 0],
        [2 * np.cos(0.5), np.sin(0.5)],
    ]
    assert trace.gradient == (2 * np.cos(0.5), np.sin(0.5))


@pytest.mark.parametrize(
    ("f", "at", "slope", "said"),
    [
        (jnp.abs, 0, 1, "not differentiable (a kink) where x = 0; taken: 1"),
        (jax.nn.relu, 0.0, 0, "not differentiable (a kink) here; taken: its author's choice"),
        (jnp.sqrt, 0.0, np.inf, "not differentiable (a vertical tangent) where x = 0"),
        (lambda x: jnp.maximum(x, 1.0), 1.0, 0.5, "not differentiable where x = 1; taken: ½ of each side"),
        (lambda x: jnp.max(jnp.stack([x, 2 - x])), 1.0, 0.0, "not differentiable where entries tie"),
        (lambda x: jnp.where(x > 1, x**2, x), 1.0, 1.0, "it is decided here, where x = 1"),
        (lambda x: jnp.floor(x) * x, 2.0, 2.0, "not differentiable (a jump) where x is whole"),
        (lambda x: jnp.log(x - 1), 1.0, np.inf, "not finite here"),
        (jnp.arcsin, 1.0, np.inf, "not differentiable here: its slope is not finite"),
    ],
)
def test_where_there_is_no_derivative_jaxs_is_taken_and_it_is_said(f, at, slope, said):
    trace = trace_rules(f)(at)
    assert trace.gradient == slope
    assert said in str(trace)
    with jax.enable_x64(True):
        np.testing.assert_equal(float(autodiff.gradient(f)(float(at))), slope)


@pytest.mark.parametrize(
    "f",
    [jax.nn.softplus, lambda x: jnp.logaddexp(x, 0.0), jax.nn.relu],
    ids=["softplus", "logaddexp", "relu"],
)
def test_where_there_is_one_nothing_is_said(f):
    at = 0.0 if f is not jax.nn.relu else 1.0
    assert "not differentiable" not in str(trace_rules(f)(at))


def test_constants_have_the_derivative_zero_and_a_reason():
    for f, reason in (
        (lambda x: 3.0, "constant rule: the result does not depend on the arguments"),
        (lambda x: 2 * jnp.floor(x), "goes through steps that carry none, such as v1 = ⌊x⌋"),
        (jax.lax.stop_gradient, "goes through steps that carry none"),
    ):
        trace = trace_rules(f)(1.5)
        assert trace.gradient == 0.0
        assert reason in trace.remarks[0]
        assert reason in str(trace)
    assert trace_rules(lambda x: x)(1.5).gradient == 1.0
    assert trace_rules(lambda x: jax.lax.stop_gradient(x) * x)(1.5).gradient == 1.5


@jax.custom_vjp
def _clipped(x):
    return x**2


_clipped.defvjp(lambda x: (x**2, x), lambda x, g: (jnp.clip(2 * x * g, -1, 1),))


@jax.custom_jvp
def relu(x):
    """A function of JAX's name with another derivative."""
    return jnp.maximum(x, 0)


relu.defjvp(lambda x, t: (relu(x[0]), 7 * t[0]))


def test_functions_with_derivatives_of_their_own():
    for mode in ("reverse", "forward"):
        trace = trace_rules(lambda x: jnp.sum(_clipped(x)), mode=mode)(np.array([0.05, 4.0]))
        np.testing.assert_allclose(trace.gradient, [0.1, 1.0])
        assert "chain: its own rule" in trace.rules
        assert trace_rules(relu, mode=mode)(2.0).gradient == 7


def _long(x):
    return jax.lax.fori_loop(0, 9000, lambda _, y: y * x, x)


def _while(x):
    return jax.lax.while_loop(lambda c: c[0] < 20, lambda c: (c[0] * x, c[1] + c[0]), (x, 0.0 * x))[1]


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda x: jax.lax.fori_loop(0, 4, lambda _, y: (y + x / y) / 2, jnp.ones_like(x)), (2.0,)),
        (lambda x: jax.lax.cond(x > 1, jnp.sin, jnp.cos, x) * x, (2.0,)),
        (lambda x: jax.lax.scan(lambda c, w: (c * w + x, c), x, jnp.arange(3.0), reverse=True)[1].sum(), (2.0,)),
        (lambda x: jax.lax.scan(lambda c, _: (c * x, None), x, None, length=0)[0], (2.0,)),
        (jax.checkpoint(lambda x: jnp.sin(x) * x), (2.0,)),
        (lambda x, i: x[i] * x[i + 1], (np.array([1.0, 2.0, 3.0]), np.int32(1))),
        (lambda x: jnp.linalg.norm(x) * x[2], (np.array([1.0, 2.0, 3.0]),)),
        (lambda x, W: jnp.sum(jnp.tanh(x @ W) ** 2), (np.ones((2, 3)) / 3, np.arange(12.0).reshape(3, 4) / 9)),
        (
            lambda a, b: jnp.sum(jnp.einsum("bij,bjk->bki", a, b) ** 3),
            (np.ones((2, 3, 4)), np.arange(40.0).reshape(2, 4, 5) / 40),
        ),
        (lambda x: jnp.sum(jnp.sort(x)[::-1] * jnp.arange(4.0)), (np.array([3.0, 1.0, 4.0, 1.5]),)),
        (lambda x: jax.lax.dynamic_update_slice(x, x[:2] * 5, (1,)).sum(), (np.array([3.0, 1.0, 4.0]),)),
        (lambda x: jnp.tile(x, 3) @ jnp.arange(6.0), (np.array([3.0, 1.0]),)),
        (lambda x: jnp.prod(x), (np.array([3.0, 0.0, 2.0]),)),
        (lambda x: jnp.take_along_axis(x, jnp.argsort(x, axis=1), axis=1)[0, 1], (np.array([[3.0, 1.0], [0.0, 5.0]]),)),
        (lambda x: jnp.sum(jnp.diag(x) * jnp.trace(jnp.outer(x, x))), (np.array([3.0, 1.0]),)),
        (lambda p: jnp.sum(p["W"] * 2) * p["b"][0], ({"W": np.ones((2, 2)), "b": (3.0, 1.0)},)),
    ],
    ids=range(16),
)  # fmt: skip
def test_control_indexing_matrices_and_trees(f, args, standard_promotion, float64):
    moving = tuple(k for k, arg in enumerate(args) if not isinstance(arg, np.int32))
    args_of_jax = jax.tree.map(lambda x: jnp.asarray(x), args)
    expected = autodiff.gradient(f, moving)(*args_of_jax)
    for mode in ("reverse", "forward"):
        found = trace_rules(f, mode=mode, argnums=moving)(*args).gradient
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-14, atol=1e-14), found, expected)


_A = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]])


def _at_the_end(k):
    return odeint(lambda y, t, k: -k * y, jnp.ones(1), jnp.array([0.0, 1.0]), k)[-1, 0]


@pytest.mark.long
@pytest.mark.parametrize(
    ("f", "at", "word"),
    [
        (lambda x: jax.lax.cumprod(x) @ jnp.arange(1.0, 5), np.array([2.0, 0.0, 3.0, 0.5]), "running product"),
        (lambda x: jax.lax.cummax(x) @ jnp.arange(1.0, 4), np.array([2.0, 2.0, 3.0]), "choice: the largest so far"),
        (lambda x: jax.lax.cummin(x, reverse=True)[0], np.array([2.0, 0.1, 3.0, 0.5]), "choice: the smallest so far"),
        (lambda x: jax.lax.cumlogsumexp(x) @ jnp.arange(1.0, 4), np.array([2.0, 0.1, 3.0]), "running ln Σ exp"),
        (lambda x: jax.lax.top_k(x, 2)[0] @ jnp.arange(1.0, 3), np.array([2.0, 0.1, 3.0]), "moved"),
        (lambda x: jnp.sum(jnp.linalg.solve(_A, x) ** 2), np.array([2.0, 0.1, 3.0]), "linear solve"),
        (lambda x: jnp.sum(jnp.linalg.inv(_A * x[0] + jnp.outer(x, x))), np.array([2.0, 0.1, 3.0]), "linear solve"),
        (lambda x: jnp.linalg.slogdet(_A * x)[1], 2.0, "factors of a matrix"),
        (lambda x: jnp.sum(jnp.linalg.cholesky(_A * x)), 2.0, "factors of a matrix"),
        (
            lambda x: jnp.sum(jax.scipy.linalg.solve_triangular(_A * x, jnp.ones(3), lower=True)),
            2.0,
            "linear solve",
        ),
        (_at_the_end, 2.0, "chain: its own rule"),
    ],
    ids=range(11),
)  # fmt: skip
def test_rules_that_jax_is_asked_for(f, at, word, standard_promotion, float64):
    expected = autodiff.gradient(f)(jnp.asarray(at))
    for mode in ("reverse", "forward"):
        trace = trace_rules(f, mode=mode)(at)
        np.testing.assert_allclose(trace.gradient, expected, rtol=1e-12, atol=1e-14)
        assert word in trace.rules or word == "factors of a matrix"
        assert max(map(len, str(trace).splitlines())) <= 100
    assert ("where entries tie" in str(trace)) == (word == "choice: the largest so far")


@pytest.mark.parametrize(
    ("f", "args", "slope"),
    [
        (lambda x, i: x[i] ** 2, (np.array([1.0, 3.0]), 1), [0, 6]),
        (lambda x, n: jax.lax.fori_loop(0, n, lambda _, y: y * x, 1.0), (2.0, 3), 12),
        (lambda x, n: jnp.sum(x.reshape(n, -1)[0]), (np.arange(4.0), 2), [1, 1, 0, 0]),
        (lambda x, n: sum(x**k for k in range(n)), (2.0, 3), 5),
        (lambda x, up: x * 2 if up else x, (2.0, True), 2),
    ],
    ids=["index", "rounds", "shape", "range", "flag"],
)
def test_whole_numbers_stay_whole_where_f_wants_them(f, args, slope):
    for mode in ("reverse", "forward"):
        found = trace_rules(f, mode=mode)(*args).gradient
        np.testing.assert_array_equal(found[0], slope)
        assert found[1] is None
    assert trace_rules(lambda x, n: x**n)(2.0, 3).gradient == (12, pytest.approx(8 * np.log(2)))
    with pytest.raises(
        TypeError, match="must take n as floating-point or as whole numbers; as whole ones it raises"
    ):
        trace_rules(lambda x, n: x[n, n])(np.ones(2), 3)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_the_trap_of_a_branch_that_is_not_taken_is_told(mode):
    trapped = lambda x: jnp.where(x > 0, jnp.sqrt(x), 0.0)
    for at in (-0.5, 0.0):
        trace = trace_rules(trapped, mode=mode)(at)
        assert np.isnan(trace.gradient) == (mode == "reverse")
        assert "0·∞ is NaN in reverse mode" in trace.steps[1].note
    safe = lambda x: jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0)
    for f, at in ((trapped, 0.5), (safe, -0.5), (jnp.sqrt, 0.0)):
        assert not any("0·∞" in step.note for step in trace_rules(f, mode=mode)(at).steps)


def test_lines_are_not_too_long():
    p = {
        "weights_of_the_first_layer": np.eye(3) / 7,
        "bias_of_the_first_layer": np.ones(3) / 9,
        "x": np.ones(3) / 3,
    }
    f = lambda p: jnp.sum(jnp.tanh(p["weights_of_the_first_layer"] @ p["x"]) * p["bias_of_the_first_layer"])
    for trace in (
        trace_rules(f)(p),
        trace_rules(lambda x: jnp.sum(jnp.tanh(x) * jnp.linalg.norm(x)))(np.ones(3) / 7),
    ):
        assert max(map(len, str(trace).splitlines())) <= 100


def test_a_loop_that_jax_cannot_differentiate_backwards(float64):
    at, h = 1.7, 1e-6
    difference = (_while(at + h) - _while(at - h)) / (2 * h)
    assert trace_rules(_while)(at).gradient == pytest.approx(float(difference), rel=1e-6)
    assert trace_rules(_while)(at).gradient == pytest.approx(trace_rules(_while, mode="forward")(at).gradient)


def test_precision_and_kinds_of_arguments():
    assert trace_rules(jnp.sin)(1).gradient == np.cos(1.0)
    found = trace_rules(jnp.sum)(np.ones(3, np.float32)).gradient
    assert found.dtype == np.float32
    labels = np.array([0, 2])
    slopes = trace_rules(lambda x, k: jnp.sum(x[k] ** 2))(np.array([1.0, 2.0, 3.0]), labels).gradient
    np.testing.assert_array_equal(slopes[0], [2.0, 0.0, 6.0])
    assert slopes[1] is None
    assert trace_rules(lambda x, y: x * y, argnums=1)(2.0, 3.0).gradient == 2.0
    half = trace_rules(lambda x: jnp.sum(jnp.tanh(x) * 2))(jnp.ones(2, jnp.bfloat16)).gradient
    assert half.dtype == jnp.bfloat16


def test_random_numbers_inside_are_constants(float64):
    key = jax.random.key(0)
    f = lambda x: jnp.sum(x * jax.random.normal(key, (3,)))
    np.testing.assert_array_equal(trace_rules(f)(np.ones(3)).gradient, jax.random.normal(key, (3,)))
    assert "out of range" in str(trace_rules(lambda x, k: jnp.sum(x[k]))(np.ones(3), np.array([0, 7])))


def test_a_primitive_without_a_rule_is_named_unless_it_does_not_matter():
    A = np.array([[2.0, 0.5], [0.5, 1.0]])
    with pytest.raises(
        ValueError, match="`f` uses the primitive `eigh`, for which `trace_rules` has no rule"
    ):
        trace_rules(lambda x: jnp.sum(jnp.linalg.eigh(A * x)[0]))(2.0)
    assert (
        trace_rules(lambda x: jnp.sum(jnp.linalg.eigh(A)[0]) * x)(2.0).steps[-1].rule == "constant multiple"
    )
    with pytest.raises(ValueError, match="real numbers on the way, too"):
        trace_rules(lambda x: jnp.abs(x * 1j))(2.0)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: trace_rules(3), TypeError, "`f` must be a function; got int"),
        (lambda: trace_rules(jnp.sin, mode="back"), ValueError, "unknown mode 'back'"),
        (lambda: trace_rules(jnp.sin)(np.ones(2)), ValueError, "`f` must return a single number"),
        (lambda: trace_rules(jnp.floor)(x=1.0), TypeError, "arguments must be given by position"),
        (lambda: trace_rules(lambda x: jnp.int32(2))(1.0), TypeError, "must return a floating-point number"),
        (lambda: trace_rules(lambda x: np.sin(x))(1.0), TypeError, "`f` must be written in JAX"),
        (lambda: trace_rules(jnp.sum)(np.arange(3)), TypeError, "floating-point numbers to differentiate by"),
        (lambda: trace_rules(jnp.sin)("a"), TypeError, "`x` must hold real numbers"),
        (lambda: trace_rules(jnp.sin)(np.nan), ValueError, "`x` must be finite; got nan"),
        (lambda: trace_rules(jnp.sin, argnums=1)(1.0), ValueError, "`argnums` must be below"),
        (lambda: jax.jit(trace_rules(jnp.sin))(1.0), ValueError, "call it outside"),
        (lambda: trace_rules(_long)(1.0), ValueError, "at most 4000 steps"),
    ],
    ids=range(12),
)  # fmt: skip
def test_misuse(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_a_long_trace_is_shown_without_its_middle():
    trace = trace_rules(lambda x: jax.lax.fori_loop(0, 100, lambda _, y: y * 1.01, x))(1.0)
    lines = str(trace).splitlines()
    assert len(lines) < 75
    assert any("rows more" in line for line in lines)
    assert len(trace.table().splitlines()) == 102


def test_a_gradient_is_traced_in_its_turn():
    assert trace_rules(autodiff.gradient(lambda x: jnp.sin(x) * x))(0.5).gradient == pytest.approx(
        2 * np.cos(0.5) - 0.5 * np.sin(0.5), rel=1e-14
    )


def test_steps_and_arguments_have_names_of_their_own():
    trace = trace_rules(lambda v1, v2: jnp.sin(v1) * v2)(3.0, 4.0)
    assert [step.formula for step in trace.steps] == ["sin(v1)", "w1 · v2"]


def test_arguments_that_jax_does_not_know():
    with pytest.raises(TypeError, match="`x` must hold numbers; got list_iterator"):
        trace_rules(lambda x: x)(iter([1.0]))
    assert trace_rules(lambda x: x.sum())(np.ones(2, "longdouble")).value == 2
