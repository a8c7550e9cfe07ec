"""The radius of convergence: known singularities are found, and where nothing can be known nothing is claimed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.taylor import RADII
from mvcalc_jax.taylor.series.polynomial import taylor
from tests.cases import few

pytestmark = pytest.mark.slow  # under a newer JAX the README's examples stand for all of this


PLACES = {f"{row[0]} at {row[2]:g}": row for row in RADII}
STANDING = (
    "1/(1 + x²) at 0.7",
    "log x at 2",
    "∛x at 2",
    "tan x at 0.3",
    "atan x at 1",
    "softplus at 0",
    "log Γ at 2.5",
    "erf⁻¹ at 0.3",
    "√(1 + x⁴) at 0.2",
    "exp(1/(2 − x)) at 0.5",
    "exp(−1/x²) at 1",
    "1/(100 − x) + eˣ at 0.5",
    "1/x + 1/(2 − x)³ at 1.1",
    "|x| at 2",
    "exp(sin x) at 0",
)


@pytest.mark.parametrize("place", few(PLACES, *STANDING))
def test_never_a_wrong_singularity(place):
    name, f, at, true = PLACES[place]
    found = taylor(f, at, 2).convergence
    if true is None or name in (
        "exp(−1/x²)",
        "1/(100 − x) + eˣ",
    ):  # an essential one, and one too far to be seen
        assert np.isnan(found.radius)
        assert found.message.startswith("unknown: ")
    elif true == np.inf:
        assert found.radius == np.inf
        assert "no singularity" in found.message
    else:
        assert abs(found.singularity - true) <= 2 * found.error
        assert found.radius == pytest.approx(abs(at - true), rel=1e-4 if name == "erf⁻¹" else 2e-4)
        assert abs(found.root_test / found.radius - 1) < 0.1


@pytest.mark.parametrize(
    ("f", "at", "true"),
    [
        (lambda x: (x - 1) / (1.05 - x), 0.0, 1.05),  # a zero is nearer than the pole
        (lambda x: (x - 1) ** 2 / (1.05 - x) * jnp.exp(x), 0.0, 1.05),
        (lambda x: x * x * jnp.log(x), 2.0, 0.0),
        (lambda x: 1 / (x * x - 2 * x + 1.0001), 0.0, 1 + 0.01j),
        (lambda x: 1e-9 / (1 - x) + 1 / (3 - x), 0.0, 1.0),  # weak, but nearest
    ],
    ids=["zero", "double-zero", "log", "pair", "weak"],
)
def test_hard_ones(f, at, true):
    found = taylor(f, at, 2).convergence
    assert np.isnan(found.radius) or abs(found.singularity - true) <= 2 * found.error
    if true != 1.0:
        assert np.isfinite(found.radius)


def test_partial_sums_close_in_inside_and_run_away_outside():
    p = taylor(lambda x: 1 / (1 + x * x), 0.7, 80)
    assert p.radius == pytest.approx(np.hypot(1, 0.7))
    assert p.singularity == pytest.approx(1j)
    inside, outside = 0.7 + 0.6 * p.radius, 0.7 + 1.2 * p.radius
    assert abs(p(inside) - 1 / (1 + inside**2)) < 1e-14
    assert abs(p(outside) - 1 / (1 + outside**2)) > 1e3


def test_pieces_are_not_taken_for_the_whole():
    for f in (jnp.abs, lambda x: jnp.where(x < 2.4, 1 / (1.0 + x * x), 5.0)):
        assert np.isnan(taylor(f, 2.0, 2).radius)
        assert "made of pieces" in taylor(f, 2.0, 2).convergence.message


def test_along_a_direction_and_of_arrays():
    f = lambda v: 1 / (v[0] + v[1])
    assert taylor(f, [1.0, 2.0], 2, direction=[1.0, 0.5]).singularity == pytest.approx(-2)
    p = taylor(lambda x: jnp.stack([1 / x, 1 / (3 - x)]), 2.0, 2)
    assert (p.radius, p.singularity) == pytest.approx((1, 3))


def test_entire_functions_are_known_by_how_they_are_put_together():
    f = lambda x: (
        jax.lax.fori_loop(0, 3, lambda _, s: jnp.sin(s) * x + jnp.exp(x @ x if x.ndim else x), x) / 3
    )
    assert taylor(f, 0.3, 2).radius == np.inf
    assert np.isnan(taylor(lambda x: f(x) / (2 + x * 0), 0.3, 2).radius)  # a quotient it does not see through


def test_it_is_found_on_the_host():
    with pytest.raises(TypeError, match="outside `jit` and `vmap`"):
        jax.jit(lambda a: taylor(jnp.sin, a, 2).radius)(0.3)
    with pytest.raises(TypeError, match="along a `direction`"):
        _ = taylor(lambda v: v[0] * v[1], np.ones(2), 2).radius
    with pytest.raises(TypeError, match="outside `jit` and `vmap`"):
        _ = jax.vmap(lambda a: taylor(jnp.sin, a, 2))(jnp.ones(4)).radius
