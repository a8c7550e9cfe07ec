"""The matrix chain rule: the course's example in closed form, random chains against autodiff, counts, wrong factors."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.calculus import matrix_chain
from mvcalc_jax.calculus.variables.matrix_chain import Status

M = np.array([[2.0, 3], [2, -3]])
COURSE = [
    ("u", lambda t: jnp.stack([jnp.cos(t / 2), jnp.sin(2 * t)]), None),
    ("x", lambda u: jnp.stack([2 * u[0] + 3 * u[1], 2 * u[0] - 3 * u[1]]), lambda u: jnp.asarray(M, u.dtype)),
    ("f", lambda x: x[0] ** 2 - x[1] ** 2, lambda x: 2 * x * jnp.array([1, -1], x.dtype)),
]


def test_the_course_factor_by_factor():
    for t in (0.7, -2.0, 5.5):
        chain = matrix_chain(COURSE, t, of="t")
        u = np.array([np.cos(t / 2), np.sin(2 * t)])
        x, du = M @ u, np.array([-np.sin(t / 2) / 2, 2 * np.cos(2 * t)])
        assert chain.jacobian.item() == pytest.approx(24 * (du[0] * u[1] + u[0] * du[1]), rel=1e-12)
        by_hand = [[[2 * x[0], -2 * x[1]]], M, du[:, None]]
        for factor, exact in zip(chain.factors, by_hand, strict=True):
            np.testing.assert_allclose(factor.matrix, exact, rtol=1e-13)
        assert chain.status is Status.AGREES
    assert [f.name for f in chain.factors] == ["∂f/∂x", "∂x/∂u", "du/dt"]
    said = str(chain).splitlines()
    assert said[:2] == ["df/dt = ∂f/∂x · ∂x/∂u · du/dt", "1×1 = 1×2 · 2×2 · 2×1"]


def test_verify_links_will_do_and_precision_follows_x():
    links = [mv.Link("y", jnp.sin, lambda x: jnp.diag(jnp.cos(x)))]
    chain = matrix_chain(links, np.array([0.3, 0.4], np.float32))
    assert chain.jacobian.dtype == np.float32
    np.testing.assert_allclose(chain.jacobian, np.diag(np.cos([0.3, 0.4])), rtol=1e-6)


def random_chain(rng, widths):
    """Links W·tanh, half of them with their Jacobians by hand."""
    links = []
    for k, (i, o) in enumerate(itertools.pairwise(widths)):
        W = rng.normal(size=(o, i))
        f = lambda x, W=W: jnp.asarray(W, x.dtype) @ jnp.tanh(x)
        jac = lambda x, W=W: jnp.asarray(W, x.dtype) * (1 - jnp.tanh(x) ** 2)[None, :]
        links.append((f"y{k}", f, jac if k % 2 else None))
    return links


@pytest.mark.parametrize("widths", [(3, 5, 2, 4), (1, 7, 7, 7, 1), (6, 1, 6), (2, 3)])
def test_random_chains_from_both_ends(widths, rng, float64):
    links, x = random_chain(rng, widths), rng.normal(size=widths[0])
    chain = matrix_chain(links, x)
    whole = lambda x: [x := f(x) for _, f, _ in links][-1]
    exact = jax.jit(jax.jacrev(whole))(x)
    for product in (chain.from_left[-1], chain.from_right[-1], chain.jacobian):
        np.testing.assert_allclose(product, exact, atol=1e-12 * np.abs(exact).max())
    assert chain.status is Status.AGREES
    sizes = widths[::-1]
    assert chain.reverse == sum(sizes[0] * k * n for k, n in itertools.pairwise(sizes[1:]))
    assert chain.forward == sum(m * k * widths[0] for k, m in itertools.pairwise(widths[1:]))
    assert [p.shape for p in chain.from_left] == [(widths[-1], n) for n in sizes[1:]]


def test_reverse_is_cheap_for_a_cost_and_forward_for_time(rng):
    cost = matrix_chain(random_chain(rng, (50, 40, 30, 1)), np.ones(50))
    assert (cost.reverse, cost.forward) == (30 * 40 + 40 * 50, 50 * (40 * 30 + 30))
    time = matrix_chain(random_chain(rng, (1, 30, 40, 50)), np.ones(1))
    assert time.forward < time.reverse / 15


def test_values_of_any_shape_are_vectors():
    A = np.arange(6.0).reshape(2, 3) + 1
    links = [("S", lambda X: X @ X.T, None), ("f", jnp.trace, None)]
    chain = matrix_chain(links, A, of="X")
    np.testing.assert_allclose(chain.jacobian.reshape(2, 3), 2 * A)
    assert [f.matrix.shape for f in chain.factors] == [(1, 4), (4, 6)]


def test_a_wrong_factor_and_a_pole_are_told():
    wrong = [COURSE[0], ("x", COURSE[1][1], lambda u: jnp.asarray(abs(M), u.dtype)), COURSE[2]]
    assert matrix_chain(wrong, 0.7, of="t").status is Status.DIFFERS
    pole = matrix_chain([("u", lambda t: 1 / t, None), ("f", jnp.sin, None)], 0.0, of="t")
    assert pole.status is Status.NOT_FINITE
    outside = matrix_chain([("u", jnp.log, None), ("y", lambda u: 3 * u, None)], -1.0)
    assert outside.status is Status.NOT_FINITE and "a value or a factor is infinite or NaN" in str(outside)
    assert pole.status.value in str(pole)


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda: matrix_chain([], 1.0), ValueError, "`links` must be a list of at least one"),
        (lambda: matrix_chain([("u", jnp.sin)], 1.0), TypeError, r"`links\[0\]` must be \(name, f, jac\)"),
        (lambda: matrix_chain([("u", jnp.sin, 3)], 1.0), TypeError, "jac a function or None"),
        (lambda: matrix_chain(COURSE[1:], 1.0), TypeError, r"cannot take its input, of shape \(\)"),
        (lambda: matrix_chain([("x", COURSE[1][1], lambda u: u)], [1.0, 2]), ValueError, r"must return shape \(2, 2\)"),
        (lambda: matrix_chain(COURSE, np.nan, of="t"), ValueError, "`t` must be finite"),
        (lambda: matrix_chain(COURSE, "now", of="t"), TypeError, "`t` must hold real numbers"),
        (lambda: matrix_chain([("u", jnp.sin, None)], np.zeros(0)), ValueError, "at least one number"),
        (lambda: matrix_chain([("u", lambda x: x > 0, None)], 1.0), TypeError, "must return an array of floating"),
        (lambda: matrix_chain([("u", lambda x: np.float64(np.sin(x)), None)], 1.0), TypeError, "written in JAX"),
    ],
)  # fmt: skip
def test_misuse(call, kind, said, unchecked):
    with pytest.raises(kind, match=said):
        call()
