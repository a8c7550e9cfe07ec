"""Bad input gets a verdict or an error with a sentence: never a stack trace, a wrong "correct", or a false "wrong"."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import mvcalc_jax as mv

pytestmark = pytest.mark.slow  # what a newer JAX may break is tested in less time elsewhere

X = np.array([0.3, -0.7, 1.2])
X32 = X.astype("float32")


def f(x):
    return jnp.sum(jnp.sin(x))


def refuses(x):
    raise ValueError("no\nmore")


class Silent(Exception):
    def __str__(self):
        raise RuntimeError("this exception has no words")


def silent(x):
    raise Silent


def only_float32(function):
    def insists(*args):
        assert all(arg.dtype == jnp.float32 for arg in args), "float32 only"
        return function(*args)

    return insists


def up_to_one(x):
    if not isinstance(x, jax.core.Tracer) and float(x.max()) > 1:
        raise ValueError("must be at most 1")
    return 2 * np.asarray(x)


BAD_JACOBIANS = {
    "raises": (refuses, "raises ValueError: no"),
    "raises without words": (silent, "raises Silent"),
    "None": (lambda x: None, "must return *"),
    "list": (lambda x: [1.0, 2.0, 3.0], "must return *"),
    "string": (lambda x: "abc", "must be of real numbers"),
    "objects": (lambda x: np.array([None] * 3), "must be of real numbers"),
    "complex": (lambda x: jnp.cos(x).astype(complex), "must be of real numbers"),
    "empty": (lambda x: jnp.zeros(0), "must have shape (3,); got (0,)"),
    "Python number": (lambda x: 1.0, "must have shape (3,); got ()"),
    "NaN": (lambda x: jnp.cos(x) * jnp.nan, "not the derivative"),
    "one infinity": (lambda x: jnp.cos(x).at[1].set(jnp.inf), "not the derivative"),
    "integers": (lambda x: jnp.ones(3, int), "not the derivative"),
    "bools": (lambda x: jnp.ones(3, bool), "not the derivative"),
    "random": (lambda x: jnp.cos(x) * (1 + 1e-6 * np.random.rand()), "something else each time"),
}


@pytest.mark.parametrize("case", BAD_JACOBIANS)
def test_a_bad_jacobian_is_wrong_in_words(case):
    jac, said = BAD_JACOBIANS[case]
    report = mv.check_jacobian(f, jac, X)
    assert report.verdict == "wrong"
    assert said in report.reason
    assert str(report) and report.to_dict()


def test_bools_that_are_right():
    assert mv.check_jacobian(jnp.sum, lambda x: jnp.ones(3, bool), X).verdict == "correct"


BAD_FUNCTIONS = {
    "raises": refuses,
    "raises without words": silent,
    "None": lambda x: None,
    "nothing": lambda x: (),
    "string": lambda x: "abc",
    "integers": lambda x: jnp.sum(x > 0),
    "NaN": lambda x: jnp.sum(x) * jnp.nan,
    "random": lambda x: f(x) * np.random.rand(),
}


@pytest.mark.parametrize("case", BAD_FUNCTIONS)
def test_a_bad_function_is_inconclusive_in_words(case):
    report = mv.check_jacobian(BAD_FUNCTIONS[case], jnp.cos, X)
    assert report.verdict == "inconclusive"
    assert report.reason


BAD_ARGUMENTS = {
    "none": ((), {}, ValueError, "must name some of the 0 arguments"),
    "integers": ((np.arange(3),), {}, TypeError, "must hold floating-point numbers"),
    "long doubles": (
        (np.ones(3, np.longdouble),),
        {},
        TypeError,
        "must hold floating-point numbers that JAX knows",
    ),
    "bytes in another order": (
        (np.ones(3, ">f8"),),
        {},
        TypeError,
        "must hold floating-point numbers that JAX",
    ),
    "string": (("abc",), {}, TypeError, "must be an array of floating-point numbers"),
    "argnums": ((X,), {"argnums": "x"}, TypeError, "argnums"),
    "argnums twice": ((X,), {"argnums": (0, -1)}, ValueError, "each once"),
    "seed": ((X,), {"seed": -1}, ValueError, "must be at least 0"),
}


@pytest.mark.parametrize("case", BAD_ARGUMENTS)
def test_bad_arguments_raise_a_sentence(case):
    args, options, error, said = BAD_ARGUMENTS[case]
    with pytest.raises(error, match=said):
        mv.check_jacobian(f, jnp.cos, *args, **options)


@pytest.mark.parametrize("concrete", [False, True])
def test_inside_jit(concrete):
    check = lambda y: mv.check_jacobian(f, jnp.cos, X if concrete else y) and y
    with pytest.raises(ValueError, match="inside jit"):
        jax.jit(check)(X)


PAIRS = {
    "fwd raises": (refuses, lambda r, g: (g,)),
    "bwd raises": (lambda x: (jnp.sin(x), x), lambda r, g: refuses(g)),
    "fwd returns no pair": (jnp.sin, lambda r, g: (g,)),
    "fwd returns no value": (lambda x: (None, x), lambda r, g: (g * jnp.cos(r),)),
    "another value": (lambda x: (1.001 * jnp.sin(x), x), lambda r, g: (g * jnp.cos(r),)),
    "another value nearby": (
        lambda x: (jnp.where(x[0] == 0.3, 1, 1.1) * jnp.sin(x), x),
        lambda r, g: (g * jnp.cos(r),),
    ),
    "no tuple": (lambda x: (jnp.sin(x), x), lambda r, g: g * jnp.cos(r)),
    "too many": (lambda x: (jnp.sin(x), x), lambda r, g: (g, g)),
    "string": (lambda x: (jnp.sin(x), x), lambda r, g: ("a",)),
    "clipped at 1": (lambda x: (jnp.sin(x), x), lambda r, g: (jnp.clip(g, -1, 1) * jnp.cos(r),)),
    "clipped at 65504": (lambda x: (jnp.sin(x), x), lambda r, g: (jnp.clip(g, -65504, 65504) * jnp.cos(r),)),
    "cut off below 1e-5": (
        lambda x: (jnp.sin(x), x),
        lambda r, g: (jnp.where(abs(g) < 1e-5, 0, g) * jnp.cos(r),),
    ),
}


@pytest.mark.parametrize("case", PAIRS)
def test_a_bad_pair_is_wrong_in_words(case):
    report = mv.check_vjp(jnp.sin, *PAIRS[case], X)
    assert report.verdict == "wrong"
    assert report.reason


def test_other_arguments_may_be_anything():
    fwd = lambda x, *rest: (jnp.sin(x), x)
    bwd = lambda r, g: (g * jnp.cos(r), None)
    for other in (None, "s", jnp.sin, np.ones(2, "int8"), True, jax.random.key(0)):
        assert mv.check_vjp(lambda x, other: jnp.sin(x), fwd, bwd, X, other).verdict == "correct"


def test_none_in_a_tree_stays_none():
    x = {"a": X, "b": None}
    f = lambda d: jnp.sin(d["a"])
    bwd = lambda r, g: ({"a": g * jnp.cos(r), "b": None},)
    assert mv.check_vjp(f, lambda d: (f(d), d["a"]), bwd, x).verdict == "correct"


def test_a_link_that_returns_integers_is_inconclusive():
    link = mv.Link("sign", lambda x: (x > 0).astype(int), lambda x: x)
    assert mv.check_chain([link, link], X).verdict == "inconclusive"


square = lambda x: jnp.sum(x**2)
table = jnp.full(3, 2, jnp.float32)
FLOAT32_ONLY = {
    "f": (only_float32(square), lambda x: 2 * x, lambda x: 2.01 * x),
    "f in lax": (lambda x: jnp.sum(lax.mul(x, table)), lambda x: 2 + 0 * x, lambda x: 2.01 + 0 * x),
    "jac": (square, only_float32(lambda x: 2 * x), only_float32(lambda x: 2.01 * x)),
    "jac in lax": (square, lambda x: lax.mul(x, table), lambda x: 1.01 * lax.mul(x, table)),
    "both": (only_float32(square), only_float32(lambda x: 2 * x), only_float32(lambda x: 2.01 * x)),
}


@pytest.mark.parametrize("case", FLOAT32_ONLY)
def test_what_cannot_run_in_float64(case):
    f, right, wrong = FLOAT32_ONLY[case]
    assert mv.check_jacobian(f, right, jnp.asarray(X32)).verdict != "wrong"
    assert mv.check_jacobian(f, wrong, jnp.asarray(X32)).verdict != "correct"


EDGES = {
    "relu at 0, from the right": (
        lambda x: jax.nn.relu(x).sum(),
        lambda x: jnp.where(x >= 0, 1.0, 0.0),
        [0.0, 0.0, 1.0],
    ),
    "relu at 0, from the left": (
        lambda x: jax.nn.relu(x).sum(),
        lambda x: jnp.where(x > 0, 1.0, 0.0),
        [0.0, 0.0, 1.0],
    ),
    "ties": (jnp.max, lambda x: jnp.zeros(3).at[jnp.argmax(x)].set(1.0), [1.0, 1.0, 0.0]),
    "square root at 0": (lambda x: jnp.sqrt(x).sum(), lambda x: 0.5 / jnp.sqrt(x), [0.0, 1.0]),
    "arcsin at 1": (lambda x: jnp.arcsin(x).sum(), lambda x: 1 / jnp.sqrt(1 - x**2), [1.0, 0.5]),
    "norm of 0": (jnp.linalg.norm, lambda x: 0 * x, [0.0, 0.0]),
    "huge": (lambda x: jnp.sum(x) * 1e-300, lambda x: 1e-300 + 0 * x, [1e300, 2e300, 0.0]),
    "overflow": (square, lambda x: 2 * x, [1e300, 2e300]),
    "tiny": (square, lambda x: 2 * x, [1e-300, 2e-300, 0.0]),
    "raises nearby": (square, up_to_one, [0.99, 0.98, 0.5]),
    "infinite": (square, lambda x: 2 * x, [1.0, np.inf]),
    "cancels": (lambda x: jax.nn.softplus(x).sum(), lambda x: 1 - 1 / (1 + jnp.exp(x)), [-30.0, -28]),
    "float32 inside": (f, lambda x: np.cos(np.asarray(x, "float32")).astype(float), X),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", EDGES)
def test_a_correct_derivative_is_not_wrong_at_an_edge(case):
    f, jac, x = EDGES[case]
    report = mv.check_jacobian(f, jac, np.asarray(x))
    assert report.verdict != "wrong"
    assert not any("in float32" in cause.detail and "relu" in case for cause in report.diagnoses)


SMALL_ERRORS = {
    "a small entry": (
        lambda x: x[0] ** 2 + 1e-3 * jnp.sin(x[1]),
        lambda x: jnp.array([2 * x[0], 1.0001e-3 * jnp.cos(x[1])]),
        [1e4, 0.3],
    ),
    "a zero": (lambda x: jnp.sum(0 * x) + 3, lambda x: 1e-12 + 0 * x, [1.0, 2.0]),
    "a small slope on a large offset": (lambda x: 1e12 + f(x), lambda x: 1.0001 * jnp.cos(x), X),
}


@pytest.mark.parametrize("case", SMALL_ERRORS)
def test_small_errors_are_not_called_correct(case):
    f, jac, x = SMALL_ERRORS[case]
    assert mv.check_jacobian(f, jac, np.asarray(x)).verdict != "correct"


def test_two_formulas_of_the_same_text_are_not_confused():
    def times(c):
        c = np.array([2.0, 2.0, c])
        return jax.jit(lambda x: x * c)

    assert [mv.check_jacobian(square, times(c), X).verdict for c in (2, 3, 2)] == [
        "correct",
        "wrong",
        "correct",
    ]


@pytest.mark.parametrize("x64", [False, True])
def test_the_precision_of_the_caller_is_left_alone(x64):
    with jax.enable_x64(x64):
        mv.check_jacobian(f, jnp.cos, X32)
        mv.check_jacobian(f, refuses, X32)
        with pytest.raises(TypeError):
            mv.check_jacobian(f, jnp.cos, "abc")
        assert jnp.zeros(1).dtype == ("float64" if x64 else "float32")


def test_arguments_that_can_be_read_once_only():
    for check in (
        lambda x: mv.check_jacobian(f, jnp.cos, x),
        lambda x: mv.check_vjp(f, f, f, X, x),
        lambda x: mv.check_chain([mv.Link("f", f, f)], x),
    ):
        with pytest.raises(TypeError, match="must hold arrays; got list_iterator; make an array"):
            check(iter([1.0]))


def test_a_seed_may_be_an_array_of_one_whole_number():
    assert mv.check_jacobian(f, jnp.cos, X, seed=jnp.asarray(2)).verdict == "correct"
