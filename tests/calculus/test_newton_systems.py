"""Newton's method in several variables: the right reason, errors that hold, no scale that matters."""

from decimal import Decimal, localcontext
from fractions import Fraction

import jax.numpy as jnp
import numpy as np
import pytest

from mvcalc_jax.calculus import newton
from mvcalc_jax.calculus.rootfinding.outcome import Status
from tests.cases import long

pytestmark = pytest.mark.slow  # under a newer JAX the README's examples stand for all of this


def griewank_osborne(v):
    """Its one root is 0, and repels."""
    return jnp.array([29 / 16 * v[0] ** 3 - 2 * v[0] * v[1], v[1] - v[0] ** 2])


SYSTEMS = [
    (lambda v: jnp.array([v[0] ** 2 + v[1] ** 2 - 1, v[0] - v[1]]), [2.0, 0.5], Status.CONVERGED),
    (lambda v: jnp.array([v[0] ** 2 + v[1] ** 2 - 1, v[1] - 1]), [0.7, 0.5], Status.MULTIPLE),
    (lambda v: jnp.array([v[0] ** 2 + 1, v[1]]), [1.0, 1.0], Status.MINIMUM),
    long(lambda v: jnp.array([v[0] ** 2 + v[1] ** 2 + 1, v[0] - v[1]]), [0.7, 0.5], Status.MINIMUM),
    (lambda v: jnp.array([jnp.exp(v[0]), v[1]]), [1.0, 1.0], Status.DIVERGED),
    (lambda v: jnp.array([v[0] + v[1] - 1, 2 * v[0] + 2 * v[1] - 2]), [1.0, 1.0], Status.FLAT),
    (lambda v: jnp.array([v[0] ** 3 - 2 * v[0] + 2, v[1] - v[0] / 2]), [0.0, 1.0], Status.CYCLE),
    (lambda v: jnp.array([jnp.log(v[0]), v[1] - 1]), [3.0, 1.0], Status.DOMAIN),
    (lambda v: jnp.array([(v[0] - 1) ** 2 + 1e-17, v[1] - 1]), [3.0, 0.0], Status.MINIMUM),
    long(lambda v: jnp.array([(v[0] - v[1]) ** 2 + 1e-20, v[1] + v[0] - 2]), [2.0, 5.0], Status.MINIMUM),
    long(lambda v: jnp.array([(v[0] - 1) ** 2, (v[1] - 2) ** 2 + 1e-17]), [3.0, 0.5], Status.MINIMUM),
    (lambda v: v * v + jnp.array([1.0, 2.0]), [0.6, 0.7], Status.MINIMUM),
    long(lambda v: jnp.array([v[0] * v[1], 2 * v[0] * v[1]]), [1.0, 2.0], Status.FLAT),
    (lambda v: jnp.array([v[0] / (1 + v[0] ** 2), v[1] - 1]), [2.0, 3.0], Status.DIVERGED),
    (griewank_osborne, [0.5, 0.3], Status.DIVERGED),  # its steps grow in turns
    long(griewank_osborne, [5.0, -1.0], Status.DIVERGED),
    long(griewank_osborne, [-0.5, 2.0], Status.DIVERGED),
]


@pytest.mark.slow
@pytest.mark.parametrize(("f", "x0", "status"), SYSTEMS)
def test_systems(f, x0, status):
    found = newton(f, x0)
    assert found.status == status, found.message
    if found.success:
        assert np.linalg.norm(f(found.x)) < 1e-15
        assert found.trace.df.shape == (found.steps + 1, 2, 2)


def test_the_error_of_a_system_is_that_of_its_worst_component():
    f = lambda v, a, b: a @ v - b
    g = lambda v, c: jnp.stack([v[0] ** 2 - c[0], v[1] ** 3 - c[1]])
    found = newton(f, [1.0, 1.0], args=(np.diag([3.0, 3.0]), np.array([1e6, 1.0])))
    assert 1.9e-11 < found.error < 1e-9
    rng = np.random.default_rng(0)
    for _ in range(20):
        size = 10 ** rng.uniform(0, 8, 2)
        a, b, c = rng.normal(size=(2, 2)) / size, rng.normal(size=2), size ** [2, 3] * rng.uniform(0.5, 2, 2)
        (p, q), (r, s) = ([Fraction(float(v)) for v in row] for row in a)
        y, z = (Fraction(float(v)) for v in b)
        linear = [(s * y - q * z) / (p * s - q * r), (p * z - r * y) / (p * s - q * r)]
        with localcontext(prec=40):
            powers = [Fraction(Decimal(float(v)) ** (1 / Decimal(n))) for v, n in zip(c, (2, 3), strict=True)]
        for found, root in (
            (newton(f, size, args=(a, b)), linear),
            (newton(g, size, args=(c,)), powers),
        ):
            away = np.linalg.norm(
                [float(Fraction(x) - y) for x, y in zip(found.x.tolist(), root, strict=True)]
            )
            assert away <= found.error, found.message
            assert found.error >= np.linalg.norm(np.spacing(found.x) / 2)
            assert found.error < 1e-11 * np.linalg.norm(size) * np.linalg.cond(a * size)


def test_f_is_called_zero_only_where_it_is():
    for c in (1.0, 1e-9):
        found = newton(lambda v, c: jnp.array([v[0] * v[1], c * v[0] * v[1]]), [1.0, 2.0], args=(c,))
        assert found.status == Status.FLAT
        assert "f is zero at (0, 1.576" in found.message
    parallel = newton(lambda v: jnp.array([v[0] + v[1] - 1, 2 * v[0] + 2 * v[1] - 3]), [1.0, 1.0])
    assert not parallel.success
    assert "f is zero" not in parallel.message


SCALED = (
    lambda v, c: c * jnp.array([v[0] ** 2 - 2, v[1] - v[0]]),
    lambda v, c: jnp.array([c * (v[0] ** 2 - 2), v[1] - v[0]]),
    lambda v, c: jnp.array([v[0] ** 2 - 2, c * (v[1] - v[0])]),
)


@pytest.mark.parametrize("c", [1e14, 1e-14, 1e160, 1e-160])
def test_no_scaling_of_a_system_matters(c):
    for f in SCALED:
        found = newton(f, [1.0, 2.0], args=(c,))
        assert found.status == Status.CONVERGED, found.message
        np.testing.assert_allclose(found.x, 2**0.5, rtol=1e-15)


def test_no_scaling_of_one_variable_matters():
    far = newton(lambda v: jnp.array([(v[0] / 1e14) ** 2 - 2, v[1] - v[0] / 1e14]), [1e14, 2.0])
    assert far.status == Status.CONVERGED
    np.testing.assert_allclose(far.x, [2**0.5 * 1e14, 2**0.5], rtol=1e-14)


def test_singular_systems_have_the_multiplicity_of_what_matters():
    powell = lambda v: jnp.array(
        [v[0] + 10 * v[1], 5**0.5 * (v[2] - v[3]), (v[1] - 2 * v[2]) ** 2, 10**0.5 * (v[0] - v[3]) ** 2]
    )
    for f, start, root, m in (
        (powell, [3.0, -1.0, 0.0, 1.0], 0, 2),
        (powell, [1.0, 2.0, 3.0, 4.0], 0, 2),
        (lambda v: jnp.array([v[1] - v[0] ** 2, v[0] * v[1]]), [1.0, 2.0], 0, 3),  # x³ once y = x²
        (lambda v: jnp.array([(v[0] - 1 / 3) ** 3, v[1] - v[0]]), [2.0, 0.5], 1 / 3, 3),
    ):
        found = newton(f, start)
        assert (found.status, found.multiplicity) == (Status.MULTIPLE, m), found.message
        np.testing.assert_allclose(found.x, root, atol=1e-15)
