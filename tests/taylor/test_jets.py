"""Series of every kind of operation: each against ball arithmetic, nested derivatives, or what it must be."""

import re

import flint
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.catalogue import Entry, coefficients, digits
from mvcalc_jax.compiling import quickly
from mvcalc_jax.taylor.series.polynomial import taylor
from tests.cases import few

pytestmark = pytest.mark.slow  # under a newer JAX the README's examples stand for all of this

A = flint.arb
ORDER = 12


def nested(f, x, order):
    """Coefficients by autodiff of autodiff, in one program."""
    of = [f]
    for _ in range(order):
        of.append(jax.grad(of[-1]))
    derivatives = jax.jit(lambda x: jnp.stack([f(x) for f in of]), compiler_options=quickly())(x)
    return np.asarray(derivatives) / np.cumprod([1.0, *np.arange(1.0, order + 1)])


@pytest.mark.parametrize(
    ("f", "oracle", "x"),
    [
        (jnp.tan, lambda s: s.tan(), 1.2),
        (jnp.arctan, lambda s: s.atan(), 40.0),
        (jnp.arcsin, lambda s: s.asin(), 0.9),
        (jnp.arccos, lambda s: s.acos(), -0.9),
        (jnp.cbrt, lambda s: -((-s).log() / 3).exp(), -2.0),
        (jnp.exp2, lambda s: (s * A(2).log()).exp(), -4.0),
        (jnp.expm1, lambda s: s.exp() - 1, 1e-9),
        (jnp.log1p, lambda s: (1 + s).log(), 1e-9),
        (jnp.tanh, lambda s: 1 - 2 / ((2 * s).exp() + 1), 15.0),
        (jax.nn.sigmoid, lambda s: 1 / (1 + (-s).exp()), -30.0),
        (jax.scipy.special.erfc, lambda s: s.erfc(), 5.0),
        (jax.scipy.special.gammaln, lambda s: s.lgamma(), 3.3),
        (lambda x: jnp.arctan2(x, -1.0), lambda s: A.pi() + (-s).atan(), 0.7),
        (lambda x: jnp.arctan2(1.0, x), lambda s: A.pi() / 2 - s.atan(), 0.0),
        (lambda x: x**7, lambda s: s * s * s * s * s * s * s, 0.0),
        (lambda x: x**-2, lambda s: 1 / (s * s), -1.5),
        (lambda x: jnp.power(x, 3.0), lambda s: s * s * s, 0.0),
        (lambda x: jnp.power(2.0, x), lambda s: (s * A(2).log()).exp(), 0.3),
        (jax.nn.softplus, lambda s: (1 + s.exp()).log(), 0.0),
        (jax.nn.log_sigmoid, lambda s: -(1 + (-s).exp()).log(), 0.0),
        (lambda x: jnp.logaddexp(x, 2 * x), lambda s: (s.exp() + (2 * s).exp()).log(), 0.0),
        (lambda x: jnp.hypot(x, 2.0), lambda s: (s * s + 4).sqrt(), 0.0),
        (lambda x: jnp.abs(x) * jnp.abs(x), lambda s: s * s, 0.0),
        (lambda x: jnp.maximum(x, 0.0) + jnp.minimum(x, 0.0), lambda s: s, 0.0),
    ],
    ids=lambda value: "" if callable(value) else str(value),
)
def test_rules_at_the_edges(f, oracle, x):
    found = taylor(f, x, ORDER).coefficients
    assert digits(found, coefficients(Entry("", f, oracle, (0, 1)), x, ORDER + 8)).min() >= 13


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: jax.lax.digamma(x), -2.3),
        (lambda x: jax.scipy.special.gammaln(x), -2.3),
        (lambda x: jax.scipy.special.i1e(x), 1.3),
        (lambda x: jax.scipy.special.i0e(x), -0.7),
        (lambda x: jax.scipy.special.zeta(2.5, x), 1.5),
    ],
    ids=["digamma", "lgamma", "i1e", "i0e", "zeta"],
)
def test_rules_against_their_first_derivatives(f, x, float64):
    c = taylor(f, x, 8).coefficients
    h = 0.05 * 2.0 ** -np.arange(3)
    for step in h:
        terms = c * (step ** np.arange(9))
        np.testing.assert_allclose(float(f(x + step)), terms.sum(), rtol=max(1e-12, 40 * (step / 0.3) ** 9))


def layers(x):
    w = jnp.asarray([[0.3, -0.8], [1.1, 0.4]], x.dtype)
    return jnp.sum(jnp.tanh(w @ jnp.stack([x, x * x])) * jnp.asarray([0.5, -2.0], x.dtype))


def summed(x):
    return jax.lax.scan(lambda s, a: (s * x + a, s), x, jnp.arange(4.0, dtype=x.dtype))[0]


def collected(x):
    rows = jax.lax.scan(lambda s, _: (jnp.sin(s), s * x), x, None, length=4, reverse=True)[1]
    return jnp.sum(rows * jnp.arange(1.0, 5.0, dtype=x.dtype))


def constant_until(x):
    """A carry that only the second round makes depend on x."""
    one = jnp.ones((), x.dtype)
    return jax.lax.scan(lambda s, _: ((s[1], s[1] * x), None), (one, one), None, length=4)[0][0]


def matrix(x):
    return jnp.asarray([[3.0, 1.0, 0.2], [1.0, 4.0, -0.5], [0.2, -0.5, 2.0]], x.dtype) + x * jnp.eye(
        3, dtype=x.dtype
    )


def right(x):
    return jnp.stack([x, x * x, 1 + 0 * x])


def gathered(x):
    v = jnp.stack([x, jnp.sin(x), x * x])
    return v[jnp.asarray([2, 0])] @ v[1:] + jnp.zeros(3, x.dtype).at[1].add(x).at[2].set(x * x) @ v


STRUCTURES = {
    "layers": layers,
    "scan": summed,
    "rows": collected,
    "carry": constant_until,
    "fori": lambda x: jax.lax.fori_loop(0, 5, lambda i, s: s * x + i, 1.0 + 0 * x),
    "cond": lambda x: jax.lax.cond(x > 0.2, lambda y: jnp.sin(y), lambda y: 2.0, x),
    "switch": lambda x: jax.lax.switch(jnp.int32(1), [jnp.sin, jnp.cos], x),
    "jit": lambda x: jax.jit(lambda y: jnp.sin(y) * y)(x),
    "remat": lambda x: jax.checkpoint(lambda y: jnp.sin(y) * y)(x),
    "vmap": lambda x: jnp.sum(jax.vmap(lambda a: jnp.exp(a * x))(jnp.arange(3.0, dtype=x.dtype))),
    "solve": lambda x: jnp.linalg.solve(matrix(x), right(x))[0],
    "triangular": lambda x: jax.scipy.linalg.solve_triangular(matrix(x), right(x), lower=True)[2],
    "unit": lambda x: jax.scipy.linalg.solve_triangular(matrix(x), right(x), trans=1, unit_diagonal=True)[2],
    "det": lambda x: jnp.linalg.det(matrix(x)),
    "slogdet": lambda x: jnp.linalg.slogdet(matrix(x))[1],
    "inv": lambda x: jnp.sum(jnp.linalg.inv(matrix(x))),
    "cholesky": lambda x: jnp.sum(jnp.linalg.cholesky(matrix(x))),
    "gather": gathered,
    "sort": lambda x: jnp.sort(jnp.stack([x, x * x, 1 - x])) @ jnp.asarray([1.0, 2.0, -1.0], x.dtype),
    "median": lambda x: jnp.median(jnp.stack([x, x * x, 1 - x])),
    "argmax": lambda x: jnp.stack([x, x * x, 1 - x])[jnp.argmax(jnp.stack([x, x * x, 1 - x]))],
    "reduce": lambda x: jnp.max(jnp.stack([x, x * x])) * jnp.min(jnp.stack([x, x * x])),
    "prod": lambda x: jnp.prod(jnp.stack([x, x * x, 1 - x])),
    "cumulative": lambda x: jnp.sum(jnp.cumprod(jnp.stack([x, x * x, 1 - x]))) + jnp.cumsum(right(x))[1],
    "cummax": lambda x: jnp.sum(jax.lax.cummax(jnp.stack([x, x * x, 1 - x]))),
    "clip": lambda x: jnp.clip(x * x, 0.1, 2.0) + jnp.clip(x, 0.9, 2.0),
    "mod": lambda x: jnp.mod(5 * x, 0.4) + jnp.remainder(-5 * x, 0.4),
    "where": lambda x: jnp.where(x > 0, jnp.log(jnp.where(x > 0, x, 1.0)), 0.0),
    "stop": lambda x: x * jax.lax.stop_gradient(x),
    "softmax": lambda x: jax.nn.softmax(right(x))[1],
    "conv": lambda x: jnp.sum(jnp.convolve(right(x), right(x)) * jnp.arange(5.0, dtype=x.dtype)),
    "fft": lambda x: jnp.sum(jnp.abs(jnp.fft.fft(jnp.asarray([1.0, 2.0])).real) * x * x),
    "norm": lambda x: jnp.linalg.norm(right(x)),
}

STANDING = ("scan", "cond", "vmap", "triangular", "sort", "cumulative", "where", "stop", "softmax", "conv")


@pytest.mark.slow
@pytest.mark.parametrize("name", few(STRUCTURES, *STANDING))
def test_structures_against_nested_derivatives(name, float64):
    f, x = STRUCTURES[name], 0.37
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        expected = nested(f, jnp.asarray(x), 3)
    found = taylor(f, x, 3)
    np.testing.assert_allclose(found.coefficients, expected, rtol=1e-11, atol=1e-12)


def test_many_ties_are_broken_by_the_terms_that_follow():
    f = lambda x: jnp.max(jnp.stack([x, x * x, 2 * x]))  # at 0⁺ it is 2x, at 0⁻ it is x²
    with pytest.raises(ValueError, match="order 1 is 0 from the left and 2 from the right"):
        taylor(f, 0.0, 2)
    np.testing.assert_array_equal(
        taylor(lambda x: jnp.max(jnp.stack([x, x])), 0.0, 2).coefficients, [0, 1, 0]
    )
    g = lambda x: jnp.sort(jnp.stack([x, -x]))[0] * jnp.sort(jnp.stack([x, -x]))[1]  # −x², on either side
    np.testing.assert_array_equal(taylor(g, 0.0, 3).coefficients, [0, 0, -1, 0])


def test_a_while_loop_runs_as_often_as_x_does_not_decide():
    f = lambda x: jax.lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * x), (0, x))[1]
    np.testing.assert_allclose(taylor(f, 2.0, 4).coefficients, [16, 32, 24, 8, 1])

    def heron(x):
        return jax.lax.while_loop(lambda s: jnp.abs(s * s - x) > 1e-9, lambda s: (s + x / s) / 2, x)

    with pytest.raises(TypeError, match="how often a `while_loop` runs"):
        taylor(heron, 2.0, 3)

    def told(x):
        more = lambda s: s[1]
        return jax.lax.while_loop(more, lambda s: (s[0] / 2, jnp.abs(s[0]) > 1e-3), (x, True))[0]

    with pytest.raises(TypeError, match="how often a `while_loop` runs"):
        taylor(told, 2.0, 3)


def test_functions_with_a_derivative_of_their_own_are_entered():
    @jax.custom_jvp
    def clipped(x):
        return jnp.exp(x)

    clipped.defjvp(lambda x, t: (clipped(*x), 0 * t[0]))
    np.testing.assert_allclose(taylor(clipped, 0.0, 3).coefficients, [1, 1, 1 / 2, 1 / 6])

    @jax.custom_vjp
    def reversed_(x):
        return jnp.sin(x)

    reversed_.defvjp(lambda x: (jnp.sin(x), x), lambda x, g: (0 * g,))
    np.testing.assert_allclose(taylor(reversed_, 0.0, 3).coefficients, [0, 1, 0, -1 / 6])


def test_what_has_no_rule_is_named():
    with pytest.raises(TypeError, match=re.escape("there is none for `igamma`")):
        taylor(lambda x: jax.scipy.special.gammainc(2.0, x), 1.0, 2)
