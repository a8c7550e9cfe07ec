"""Taylor polynomials: coefficients against ball arithmetic, several variables, transforms, misuse."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import catalogue
from mvcalc_jax.compiling import quickly
from mvcalc_jax.taylor.series.polynomial import taylor
from tests.cases import few, long

pytestmark = pytest.mark.slow  # under a newer JAX the README's examples stand for all of this

course = lambda x: jnp.exp(jnp.sin(x)) / (1 + x * x)


ENTRIES = {entry.name: entry for entry in catalogue.CATALOGUE}
COMPOSED = ("exp(sin x)/(1 + x²)", "log(2 + cos x)", "x² log x", "softmax entry")


@pytest.mark.parametrize("name", few(ENTRIES, *(entry.name for entry in catalogue.FUNCTIONS), *COMPOSED))
def test_thirteen_digits_to_order_twenty(name):
    entry = ENTRIES[name]
    low, high = entry.domain
    x = low + 0.37 * (high - low)
    p = taylor(entry.f, x, 20)
    exact = catalogue.coefficients(entry, x, 28)
    assert catalogue.digits(p.coefficients, exact).min() >= 13
    assert np.mean(np.abs(p.coefficients - exact[:21]) <= p.rounding) > 0.9
    assert p.coefficients.dtype == np.float64


def test_the_catalogue_is_as_large_as_it_says():
    assert len(catalogue.FUNCTIONS) == 53
    assert len(catalogue.COMPOSITIONS) == 16
    assert len({entry.name for entry in catalogue.CATALOGUE}) == 69


def test_digits_can_be_lost():
    exact = np.array([1.0, 0.5, 1e-30, 0.125, 0.0625])
    assert catalogue.digits(exact * (1 + 1e-9), exact).min() == pytest.approx(9, abs=0.01)
    assert (
        catalogue.digits(exact + np.array([0, 0, 1e-14, 0, 0]), exact)[2] > 13
    )  # vanishes beside its neighbours


def test_derivatives_value_error_and_first_term_left_out():
    p = taylor(course, 0.5, 6)
    np.testing.assert_allclose(p.derivatives[:3], [1.292117037, 0.100245750, -1.852128940], rtol=1e-9)
    assert p.error_order == 7
    assert p(0.5) == p.coefficients[0]
    x = np.array([0.52, 0.45])
    with jax.enable_x64(True):
        truth = np.asarray(course(x))
    np.testing.assert_allclose(truth - p(x), p.remainder(x), rtol=0.1)
    low = p.truncated(2)
    np.testing.assert_array_equal(low.coefficients, p.coefficients[:3])
    assert (low.error_order, low.neglected) == (3, p.coefficients[3])


def test_an_array_of_functions_and_points():
    p = taylor(lambda x: jnp.stack([jnp.sin(x), jnp.exp(x)]), 0.3, 12)
    assert p.coefficients.shape == (13, 2)
    x = np.array([[0.1, 0.2, 0.4]])
    np.testing.assert_allclose(p(x), np.stack([np.sin(x), np.exp(x)], axis=-1), rtol=1e-13)


@pytest.mark.parametrize("x0", [0.5, 1, np.float32(0.5)], ids=["float", "int", "float32"])
def test_precision_is_that_of_the_point(x0):
    p = taylor(course, x0, 3)
    assert p.coefficients.dtype == (np.float32 if isinstance(x0, np.float32) else np.float64)
    assert p(0.5).dtype == p.coefficients.dtype


def bowl(v):
    return jnp.exp(v[0] * v[1]) + v[2] ** 2 * jnp.sin(v[0])


def test_several_variables_have_gradient_hessian_and_symmetric_tensors(float64):
    x0 = np.array([0.3, 0.7, -0.2])
    p = taylor(bowl, x0, 4)
    of = [bowl]
    for _ in range(4):
        of.append(jax.jacfwd(of[-1]))
    derivatives = jax.jit(lambda x: [f(x) for f in of], compiler_options=quickly())(x0)
    for k, exact in enumerate(derivatives):
        assert p.coefficients[k].shape == (3,) * k
        np.testing.assert_allclose(p.derivatives[k], exact, rtol=1e-12, atol=1e-13)
    for axes in ((0, 2, 1), (2, 1, 0)):
        np.testing.assert_allclose(p.coefficients[3], p.coefficients[3].transpose(axes), atol=1e-15)
    near = x0 + 0.01 * np.array([[[1, -1, 2], [0.5, 1, 1]]])
    u, v, w = np.moveaxis(near, -1, 0)
    np.testing.assert_allclose(p(near), np.exp(u * v) + w**2 * np.sin(u), atol=1e-8)
    assert np.all(np.abs(p.derivatives[2] - derivatives[2]) <= 2 * p.rounding[2])


def test_several_outputs_and_one_entry(float64):
    f = lambda v: jnp.stack([v[0] * v[1], v[0] ** 3])
    p = taylor(f, np.array([2.0, 3.0]), 3)
    np.testing.assert_allclose(p.coefficients[1], [[3, 2], [12, 0]], atol=1e-14)
    np.testing.assert_allclose(p.derivatives[2], [[[0, 1], [1, 0]], [[12, 0], [0, 0]]], atol=1e-13)
    np.testing.assert_allclose(p(np.array([1.0, -1.0])), [-1, 1], atol=1e-12)
    assert taylor(lambda v: jnp.sum(v**2), np.array([1.0]), 2).coefficients[2].shape == (1, 1)


def test_along_a_direction():
    p = taylor(bowl, [0.3, 0.7, -0.2], 12, direction=[1, 0, 1])
    t = np.array([0.05, -0.1])
    exact = np.exp((0.3 + t) * 0.7) + (-0.2 + t) ** 2 * np.sin(0.3 + t)
    np.testing.assert_allclose(p(t), exact, rtol=1e-14)


@pytest.mark.parametrize(("dtype", "rtol"), [long(np.float32, 1e-4), (np.float64, 1e-12)])
def test_vmap_is_a_loop_and_jit_the_same(dtype, rtol):
    xs = np.linspace(0.1, 0.9, 4).astype(dtype)
    with jax.enable_x64(dtype is np.float64):
        together = jax.vmap(lambda a: taylor(course, a, 5).coefficients)(xs)
        p = jax.jit(lambda a: taylor(course, a, 5), compiler_options=quickly())(xs[1])
    alone = np.stack([taylor(course, a, 5).coefficients for a in xs])
    np.testing.assert_allclose(together, alone, rtol=rtol)
    np.testing.assert_allclose(p.coefficients, alone[1], rtol=rtol)
    assert p.order == 5
    assert jax.tree.structure(p) == jax.tree.structure(jax.tree.map(lambda leaf: leaf, p))


@pytest.mark.long
@pytest.mark.parametrize(
    ("f", "at"), [(jnp.tan, 0.4), (jax.nn.softplus, 0.0)], ids=["tan", "softplus at its kink"]
)
def test_nested_in_itself_and_under_grad(f, at, float64):
    c = taylor(f, at, 6).coefficients
    second = lambda a: taylor(f, a, 3).coefficients[2]
    np.testing.assert_allclose(
        taylor(second, at, 3).coefficients, c[2:6] * [1, 3, 6, 10], rtol=1e-12, atol=1e-15
    )
    np.testing.assert_allclose(jax.grad(second)(at), 3 * c[3], rtol=1e-12, atol=1e-15)


def test_what_f_closes_over_may_be_differentiated(float64):
    c2 = lambda a: taylor(lambda x: jnp.sin(a * x), 0.5, 3).coefficients[2]  # −a²/2 sin(a/2)
    exact = -2 * np.sin(1.0) - np.cos(1.0)
    found = jax.jit(jax.grad(c2), compiler_options=quickly())(2.0)
    np.testing.assert_allclose(found, exact, rtol=1e-13)


def test_a_removable_singularity_is_removed():
    np.testing.assert_allclose(
        taylor(lambda x: jnp.sin(x) / x, 0.0, 4).coefficients, [1, 0, -1 / 6, 0, 1 / 120]
    )
    p = taylor(lambda x: (1 - jnp.cos(x)) / x**2, 0.0, 2)
    np.testing.assert_allclose(p.coefficients, [0.5, 0, -1 / 24])
    np.testing.assert_allclose(taylor(jnp.sinc, 0.0, 2).coefficients, [1, 0, -(np.pi**2) / 6])


@pytest.mark.parametrize(
    ("f", "at", "message"),
    [
        (lambda x: 1 / x, 0.0, "value there is not finite: a pole"),
        (jnp.log, -1.0, "value there is not finite"),
        (jnp.sqrt, 0.0, "order 1 cannot be had: a branch point"),
        (lambda x: x**2.5, 0.0, "cannot be had: a branch point"),
        (jnp.abs, 0.0, "a kink there: its coefficient of order 1 is -1 from the left and 1 from the right"),
        (jax.nn.relu, 0.0, "order 1 is 0 from the left and 1 from the right"),
        (lambda x: x * jnp.abs(x), 0.0, "order 2 is -1 from the left and 1 from the right"),
        (jnp.floor, 2.0, "a jump there: its coefficient of order 0 is 1 from the left and 2"),
        (lambda x: jnp.stack([x, jnp.abs(x - 1)]), 1.0, "a kink there"),
        (lambda x: jnp.exp(x), 800.0, "overflow"),
        (lambda x: 1 / jnp.sin(x), 0.0, "value there is not finite"),
    ],
    ids=[
        "pole",
        "domain",
        "root",
        "power",
        "abs",
        "relu",
        "smooth-once",
        "floor",
        "entry",
        "overflow",
        "1/sin",
    ],
)
def test_where_there_is_no_series_the_reason_is_said(f, at, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        taylor(f, at, 3)


def test_below_a_kink_and_inside_jit_there_is_what_there_is():
    np.testing.assert_array_equal(taylor(lambda x: x * jnp.abs(x), 0.0, 1).coefficients, [0, 0])
    c = jax.jit(lambda a: taylor(lambda x: x * jnp.abs(x), a, 3).coefficients)(jnp.float32(0.0))
    np.testing.assert_array_equal(np.isnan(c), [False, False, True, True])


@pytest.mark.parametrize(
    ("args", "kwargs", "error", "message"),
    [
        ((3, 0.0, 2), {}, TypeError, "`f` must be a function"),
        ((jnp.sin, 0.0, -1), {}, ValueError, "`order` must be at least 0; got -1"),
        ((jnp.sin, 0.0, 2.5), {}, TypeError, "`order` must be a whole number"),
        ((jnp.sin, 0.0, 171), {}, ValueError, "`order` must be at most 170"),
        ((jnp.sin, np.nan, 2), {}, ValueError, "`x0` must be finite"),
        ((jnp.sin, "a", 2), {}, TypeError, "`x0` must hold real numbers"),
        ((jnp.sin, 1j, 2), {}, TypeError, "`x0` must hold real numbers"),
        ((jnp.sin, np.zeros((2, 2)), 2), {}, ValueError, "of shape (n,); got shape (2, 2)"),
        ((np.sin, 1.0, 2), {}, TypeError, "must be written in JAX"),
        ((lambda x: (x, x), 1.0, 2), {}, TypeError, "one array; got tuple"),
        ((lambda x: jnp.asarray(x, int), 1.0, 2), {}, TypeError, "floating-point numbers; got int"),
        ((lambda x: jnp.linalg.eigvalsh(x * jnp.eye(2)), 1.0, 2), {}, TypeError, "there is none for `eigh`"),
        ((bowl, np.ones(3), 11), {}, ValueError, "`order` must be less for 3 variables"),
        ((jnp.sin, 1.0, 2), {"direction": [1.0, 2.0]}, ValueError, "`direction` must have the shape of `x0`"),
        ((jnp.sin, 1.0, 2), {"direction": np.inf}, ValueError, "`direction` must be finite"),
    ],
    ids=lambda value: value.replace("`", "") if isinstance(value, str) else "",
)
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype")
def test_misuse(args, kwargs, error, message):
    with pytest.raises(error, match=re.escape(message)):
        taylor(*args, **kwargs)


def test_misuse_of_a_polynomial():
    p = taylor(bowl, np.ones(3), 2)
    with pytest.raises(ValueError, match=re.escape("`x` must have shape (..., 3)")):
        p(np.ones(2))
    with pytest.raises(TypeError, match="`remainder` is for one variable"):
        p.remainder(np.ones(3))
    with pytest.raises(ValueError, match="`order` must be less than 2"):
        taylor(jnp.sin, 0.0, 2).truncated(2)


@pytest.mark.timing
def test_order_thirty_compiles_in_five_seconds():
    import time

    began = time.perf_counter()
    taylor(lambda x: jnp.exp(jnp.sin(x)) / (1 + x * x), 0.5, 30)
    assert time.perf_counter() - began < 5


def test_inside_jit_a_polynomial_is_as_precise_as_the_callers_jax():
    p = taylor(jnp.sin, 0.5, 3)
    with jax.enable_x64(False):
        value, rest = jax.jit(lambda x: (p(x), p.remainder(x)))(np.float32(0.6))  # and no warning
    assert value.dtype == rest.dtype == "float32"
    np.testing.assert_allclose(value, np.sin(0.6), rtol=1e-5)


def test_a_remainder_beyond_all_numbers_is_infinite():
    assert np.isinf(taylor(jnp.sin, 0.5, 3).remainder(1e300))  # and no warning


def test_far_off_a_polynomial_is_infinite():
    assert np.isinf(taylor(jnp.sin, 0.5, 3)(-1e300))  # and no warning
