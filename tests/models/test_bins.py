"""Gaussians in bins: against quadrature and its autodiff, in tails and narrow bins, with open ends."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax import autodiff
from mvcalc_jax.calculus import central_difference
from mvcalc_jax.models import bell, bins
from tests.cases import few

TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
"""An exponent near 450 is rounded, and e to its power with it; the rest is right to 1e-14."""
NODES, WEIGHTS = np.polynomial.legendre.leggauss(64)
THETA = (900.0, 69.2, 2.6)


def integrated(theta, edges):
    """N times the density's integral, by quadrature at 64 points of each bin: no term is negative, none cancel."""
    N, m, s = theta
    lower, upper = edges
    half = (upper - lower) / 2
    x = (lower + upper)[:, None] / 2 + half[:, None] * NODES[None]
    f = jnp.exp(-(((x - m) / s) ** 2) / 2) / (s * math.sqrt(2 * math.pi))
    return N * half * (f @ jnp.asarray(WEIGHTS))


def edges_at(u, h):
    """Bins from u to u + h, in standard deviations of THETA."""
    _, m, s = THETA
    return jnp.stack([m + s * jnp.asarray(u), m + s * (jnp.asarray(u) + h)])


def every(f, theta, edges):
    """f, and its first and second derivatives by autodiff."""
    first = autodiff.jacobian(f, mode="forward")
    both = jax.jit(lambda t, e: (f(t, e), first(t, e), autodiff.jacobian(first, mode="forward")(t, e)))
    return both(theta, edges)


@jax.jit
def by_hand(theta, edges):
    """The same, as the package has it."""
    return tuple(
        arranged(bins.binned_peak, theta, edges) for arranged in (bell.value, bell.jacobian, bell.hessian)
    )


def close(ours, exact, tolerance):
    """Bin by bin, relative to the largest entry of its own block: a bin far out must be as right as any."""
    ours, exact = np.asarray(ours), np.asarray(exact)
    scale = np.max(np.abs(exact), axis=tuple(range(1, exact.ndim)), keepdims=True)
    assert np.max(np.abs(ours - exact) / scale) <= tolerance


def test_values_and_derivatives_are_those_of_the_integral(float64):
    theta = jnp.asarray(THETA)
    edges = jnp.concatenate(
        [
            edges_at(np.array([-30, -12, -5.5, -2, -h, -h / 2, -h / 3, 0, 0.7, 1, 4, 9, 25]), h)
            for h in (1e-9, 1e-5, 1e-3, 0.03, 0.09, 0.11, 0.4, 1.0, 3.0)
        ],
        axis=1,
    )
    for ours, exact in zip(by_hand(theta, edges), every(integrated, theta, edges), strict=True):
        close(ours, exact, TOLERANCE["float64"])
    reverse = jax.jit(autodiff.jacobian(integrated, mode="reverse"))(theta, edges)
    close(by_hand(theta, edges)[1], reverse, TOLERANCE["float64"])


def test_the_series_of_a_narrow_bin_is_right_to_its_last_term(float64):
    """Of a bin wider than those that it is for, where that term is 100 times what is left out."""
    c, h = np.array([0.0, 0.3, 1.0, 1.7, 2.5]), 0.3
    exact = [math.erfc((u - h / 2) / math.sqrt(2)) - math.erfc((u + h / 2) / math.sqrt(2)) for u in c]
    np.testing.assert_allclose(bins._about_centre(c, h), np.array(exact) / 2, rtol=1e-12)


@pytest.mark.parametrize("h", [1e-3, 0.2, 2.0])
def test_float32_is_as_right_as_it_can_be(h):
    theta, edges = jnp.asarray(THETA, "float32"), edges_at(np.linspace(-6, 6, 11), h).astype("float32")
    with jax.enable_x64(True):
        exact = [np.asarray(a) for a in every(integrated, theta.astype(float), edges.astype(float))]
    for mine, its in zip(by_hand(theta, edges), exact, strict=True):
        assert mine.dtype == np.float32
        assert np.abs(mine - its).max() <= TOLERANCE["float32"] * np.abs(its).max()


def test_jacobian_is_a_finite_differences_too(float64):
    theta, edges = jnp.asarray(THETA), edges_at(np.linspace(-4, 3, 9), 0.8)
    difference = central_difference(jax.jit(lambda t: bins.binned_peak(t, edges).value), theta, 1e-4)
    np.testing.assert_allclose(by_hand(theta, edges)[1], difference, atol=1e-6)


@pytest.mark.slow
def test_open_bins_hold_what_lies_beyond(float64):
    N, m, s = THETA
    edges = np.array([-np.inf, m - 2 * s, m + 0.5 * s, np.inf])
    edges = np.stack([edges[:-1], edges[1:]])
    Φ = lambda u: math.erfc(-u / math.sqrt(2)) / 2
    expected = [N * Φ(-2), N * (Φ(0.5) - Φ(-2)), N * Φ(-0.5)]
    np.testing.assert_allclose(bins.binned_peak(jnp.asarray(THETA), edges).value, expected, rtol=1e-14)
    shut = np.clip(edges, m - 20 * s, m + 20 * s)
    autodiffs = every(partial(bell.value, bins.binned_peak), jnp.asarray(THETA), shut)
    for ours, exact in zip(by_hand(jnp.asarray(THETA), edges), autodiffs, strict=True):
        close(ours, exact, TOLERANCE["float64"])


def test_bins_side_by_side_hold_everything(float64):
    edges = jnp.asarray([-jnp.inf, 60, 61.7, 66, 69.2, 69.3, 71, 74, 90, jnp.inf])
    at = bins.binned_peak(jnp.asarray(THETA), jnp.stack([edges[:-1], edges[1:]]))
    assert float(at.value.sum()) == pytest.approx(900, rel=1e-14)
    assert float(at.columns[0].sum()) == pytest.approx(1, rel=1e-14)
    for nothing in (*at.columns[1:], *at.second.values()):
        assert abs(float(nothing.sum())) < 1e-12 * float(jnp.abs(nothing).max())


def test_nothing_is_nan_however_far_or_narrow(precision):
    far = jnp.asarray([-jnp.inf, -1e30, -1e4, -1.0, 0.0, 1e-8, 1.0, 1e4, 1e30, jnp.inf], precision)
    edges = jnp.stack([far[:-1], far[1:]])
    by_autodiff = jax.jit(autodiff.jacobian(lambda t: bins.binned_peak(t, edges).value))
    for s in (1e-8, 1e-3, 1.0, 1e8):
        theta = jnp.asarray([7.0, 0.3, s], precision)
        value, *derivatives = *by_hand(theta, edges), by_autodiff(theta)
        assert all(np.isfinite(array).all() for array in (value, *derivatives))
        assert np.asarray(value).sum() == pytest.approx(7, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", few(["binned_peak", "midpoint_peak"], "binned_peak"))
def test_the_checker_agrees(name, rng):
    shape = getattr(bins, name)
    theta, v = np.array([40.0, 0.3, 1.7]), rng.random(4)
    edges = np.array([[-3.0, -1.0, 0.2, 0.9], [-1.0, 0.2, 0.3, 4.0]])
    mv.assert_jacobian(jax.jit(partial(bell.value, shape)), partial(bell.jacobian, shape), theta, edges)
    mv.assert_hessian(
        jax.jit(lambda theta, edges: v @ bell.value(shape, theta, edges)),
        jax.jit(lambda theta, edges: jnp.einsum("n,nij->ij", v, bell.hessian(shape, theta, edges))),
        theta,
        edges,
    )


def test_midpoints_differ_from_the_integral_by_the_densitys_curvature(float64):
    theta, h = jnp.asarray(THETA), 0.1 * THETA[2]
    edges = edges_at(np.linspace(-2, 2, 9), 0.1)
    centre = edges.mean(axis=0)
    u = (centre - theta[1]) / theta[2]
    bend = bell.area_peak(theta, centre).value * (u * u - 1) / theta[2] ** 2
    missing = bell.value(bins.binned_peak, theta, edges) - bell.value(bins.midpoint_peak, theta, edges)
    np.testing.assert_allclose(missing, h**3 / 24 * bend, rtol=5e-3, atol=2e-5)
