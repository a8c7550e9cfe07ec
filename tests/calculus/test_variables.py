"""Partial, total and directional derivatives against closed forms; kinks, misuse, and life inside other programs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mvcalc_jax.calculus import (
    directional_derivative,
    gradient_field,
    hessian,
    jacobian,
    partial,
    total_derivative,
)
from mvcalc_jax.calculus.variables.derivatives import Status

EXACT = 1e-13


def saddle(x, y, z):
    return x**2 * y + 3 * z


def three(x, y, z):
    return (
        9 * x**2 * y**2 + z * jnp.exp(x),
        x * y + x**2 * y**3 + 2 * z,
        jnp.cos(x) * jnp.sin(z) * jnp.exp(y),
    )


def can(r, h, t, ρ):
    """The mass of a can: two lids and a wall."""
    return 2 * jnp.pi * r**2 * t * ρ + 2 * jnp.pi * r * h * t * ρ


def test_jacobians_of_the_course():
    np.testing.assert_allclose(jacobian(saddle)(1.3, 2.0, 5), [5.2, 1.69, 3], rtol=EXACT)
    np.testing.assert_array_equal(jacobian(three)(0, 0, 0), [[0, 0, 1], [0, 0, 2], [0, 0, 1]])
    x, y, z = 0.3, -0.7, 1.1
    e, s, c = np.exp, np.sin, np.cos
    rows = [
        [18 * x * y**2 + z * e(x), 18 * x**2 * y, e(x)],
        [y + 2 * x * y**3, x + 3 * x**2 * y**2, 2],
        [-s(x) * s(z) * e(y), c(x) * s(z) * e(y), c(x) * c(z) * e(y)],
    ]
    np.testing.assert_allclose(jacobian(three)(x, y, z), rows, rtol=EXACT)


def test_hessians_of_the_course():
    np.testing.assert_array_equal(hessian(lambda x, y: x**2 + y**2)(0.3, 4), [[2, 0], [0, 2]])
    np.testing.assert_array_equal(hessian(lambda x, y: x**2 - y**2)(0.3, 4), [[2, 0], [0, -2]])
    at_0 = hessian(lambda x, y, z: x * y * jnp.cos(z) - jnp.sin(x) * jnp.exp(y) * z**3)(0, 0, 0)
    np.testing.assert_array_equal(at_0, [[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    x, y, z = 0.4, 0.9, -1.2
    H = hessian(lambda x, y, z: x * y + jnp.sin(y) * jnp.sin(z) + z**3 * jnp.exp(x))(x, y, z)
    s, c = np.sin, np.cos
    exact = [
        [z**3 * np.exp(x), 1, 3 * z**2 * np.exp(x)],
        [1, -s(y) * s(z), c(y) * c(z)],
        [3 * z**2 * np.exp(x), c(y) * c(z), -s(y) * s(z) + 6 * z * np.exp(x)],
    ]
    np.testing.assert_allclose(H, exact, rtol=EXACT)
    np.testing.assert_allclose(
        hessian(lambda v: jnp.sin(jnp.pi * v[0] - v[0] ** 2 * v[1]))([1, np.pi]),
        [[-2 * np.pi, -2], [-2, 0]],
        atol=EXACT,
    )


def test_partials_of_the_cans_mass_by_name_and_by_number():
    at = r, h, t, ρ = 0.03, 0.11, 0.0002, 2700.0
    exact = {
        "r": 4 * np.pi * r * t * ρ + 2 * np.pi * h * t * ρ,
        "h": 2 * np.pi * r * t * ρ,
        "t": 2 * np.pi * r**2 * ρ + 2 * np.pi * r * h * ρ,
        "ρ": 2 * np.pi * r**2 * t + 2 * np.pi * r * h * t,
    }
    for k, (name, value) in enumerate(exact.items()):
        assert partial(can, name)(*at) == pytest.approx(value, rel=EXACT)
        assert partial(can, k)(*at) == partial(can, name)(*at)


def test_partials_nest_and_take_vectors():
    f = lambda x, y: jnp.sin(x * y**2)
    x, y = 0.4, 1.3
    mixed = 2 * y * np.cos(x * y**2) - 2 * x * y**3 * np.sin(x * y**2)
    assert partial(partial(f, "x"), "y")(x, y) == pytest.approx(mixed, rel=EXACT)
    assert partial(partial(f, 1), 0)(x, y) == pytest.approx(mixed, rel=EXACT)
    of_vector = partial(lambda v: jnp.stack([v[0] * v[1], v[1] ** 3]), 1)
    np.testing.assert_allclose(of_vector([2.0, 3.0]), [2, 27], rtol=EXACT)


def test_precision_is_the_points_and_inside_programs_the_callers():
    assert partial(saddle)(np.float32(1), np.float32(2), np.float32(3)).dtype == np.float32
    assert partial(saddle)(1, 2, 3).dtype == np.float64
    one = np.ones(3, np.float32)
    assert jax.jit(jax.vmap(partial(saddle, "z")))(one, one, one).tolist() == [3, 3, 3]
    assert float(jax.grad(lambda c: partial(lambda x: c * x**2)(3.0))(2.0)) == 6


def test_total_derivative_of_the_course_with_its_terms():
    f, path = (
        lambda x, y, z: jnp.sin(x) * jnp.exp(y * z**2),
        lambda t: (t - 1, t**2, 1 / t),
    )
    for t in (0.7, 1.9, -3.0):
        total = total_derivative(f, path, t)
        assert total.derivative == pytest.approx(np.e * np.cos(t - 1), rel=1e-12)
        sin, cos = np.e * np.sin(t - 1), np.e * np.cos(t - 1)
        np.testing.assert_allclose(total.terms, [cos, sin * 2 / t, -2 * sin / t], rtol=1e-12)
        assert total.status is Status.SMOOTH
    assert total.names == ("x", "y", "z")
    assert str(total).splitlines()[-1].split() == ["df/dt", "sum", f"{total.derivative:.10g}"]


def test_total_derivative_of_the_can_and_of_time_itself():
    total = total_derivative(can, lambda s: (0.03 + s, 0.11 - 2 * s, 0.0002, 2700), 0.0)
    assert total.derivative == pytest.approx(
        partial(can, "r")(0.03, 0.11, 2e-4, 2700) - 2 * partial(can, "h")(0.03, 0.11, 2e-4, 2700), rel=1e-12
    )
    np.testing.assert_array_equal(total.rates, [1, -2, 0, 0])
    heat = total_derivative(lambda x, t: x**2 * t, lambda t: (t**3, t), 2.0)
    np.testing.assert_allclose(heat.terms, [2 * 8 * 2 * 12, 64], rtol=EXACT)
    on_vector = total_derivative(lambda v: v @ v, lambda t: jnp.stack([jnp.cos(t), jnp.sin(t)]), 0.4)
    assert on_vector.derivative == pytest.approx(0, abs=EXACT)


def test_random_compositions_sum_to_the_slope_of_the_whole(rng, float64):
    A, w = rng.normal(size=(4, 3)), rng.normal(size=4)
    f = lambda x, y, z: jnp.sum(jnp.tanh(A @ jnp.stack([x, y, z])) * w)
    path = lambda t: (jnp.sin(3 * t), t * jnp.exp(-t), 1 / (1 + t**2))
    for t in rng.uniform(-2, 2, 2):
        slope = jax.jit(jax.grad(lambda t: f(*path(t))))(t)
        assert total_derivative(f, path, t).derivative == pytest.approx(float(slope), rel=1e-12)


def test_directional_derivative_whatever_the_directions_length():
    for length in (1.0, 1e-200, 1e200):
        found = directional_derivative(lambda x, y: x**2 * y, (1.0, 2.0), (3 * length, -4 * length))
        assert found.slope == pytest.approx((4 * 3 - 1 * 4) / 5, rel=EXACT)
    assert found.steepest == pytest.approx(np.sqrt(17), rel=EXACT)
    assert found.angle == pytest.approx(np.degrees(np.arccos(8 / 5 / np.sqrt(17))), rel=1e-12)
    up = directional_derivative(lambda v: v[0] ** 2 * v[1], [1.0, 2.0], found.gradient)
    assert up.slope == pytest.approx(up.steepest, rel=EXACT)
    assert up.angle < 1e-6
    level = directional_derivative(lambda x, y: x**2 + y**2, (0, 0), (1, 0))
    assert level.status is Status.SMOOTH
    assert "level in every direction" in str(level)


@pytest.mark.parametrize(
    ("f", "at", "status"),
    [
        (lambda x: jnp.abs(x), 0.0, Status.KINK),
        (lambda x: jnp.abs(x), 1e-9, Status.KINK),
        (lambda x: jnp.abs(x), 0.5, Status.SMOOTH),
        (lambda x: jnp.maximum(x, 0), 0.0, Status.KINK),
        (lambda x: jnp.sign(x), 0.0, Status.KINK),
        (lambda x: jnp.floor(x), 2.0, Status.KINK),
        (lambda x: jnp.cbrt(x), 0.0, Status.NOT_FINITE),
        (lambda x: jnp.log(x), 0.0, Status.NOT_FINITE),
        (lambda x: jnp.sqrt(x * x), 0.0, Status.NOT_FINITE),
        (lambda x: jnp.tanh(1e3 * x), 1e-4, Status.SMOOTH),
        (lambda x: x**3, 0.0, Status.SMOOTH),
        (lambda x: 1e8 + x**2, 1.0, Status.SMOOTH),
        (lambda x: jnp.sin(1e3 * x), 1e3, Status.SMOOTH),
        (lambda x: 0 * x, 3.0, Status.SMOOTH),
    ],
)
def test_kinks_and_infinite_slopes_are_told(f, at, status):
    assert directional_derivative(lambda x, y: f(x) + y, (at, 0.0), (1, 0)).status is status
    along = total_derivative(lambda x: f(x), lambda t: (t,), at)
    assert along.status is status
    if status is not Status.SMOOTH:
        assert status.value in str(along)


def test_gradient_fields_are_laid_out_as_surfaces():
    field = gradient_field(lambda x, y: x**2 + jnp.sin(y) * x, ((-1, 1), (0, 3)), points=7)
    x, y = np.meshgrid(field.x, field.y)
    np.testing.assert_allclose(field.z, x**2 + np.sin(y) * x, atol=EXACT)
    np.testing.assert_allclose(field.df_dx, 2 * x + np.sin(y), atol=EXACT)
    np.testing.assert_allclose(field.df_dy, np.cos(y) * x, atol=EXACT)


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda: partial(3), TypeError, "`f` must be a function; got int"),
        (lambda: partial(saddle, "w")(1, 2, 3), ValueError, "unknown variable 'w'.*known: x, y, z"),
        (lambda: partial(saddle, 3)(1, 2, 3), ValueError, "`by` must be below 3"),
        (lambda: partial(saddle, 0.5)(1, 2, 3), TypeError, "`by` must be a whole number"),
        (lambda: partial(saddle)(1, 2), TypeError, r"takes the arguments \(x, y, z\); got 2 arguments"),
        (lambda: partial(saddle)(1, np.nan, 3), ValueError, "`y` must be finite; got nan"),
        (lambda: partial(saddle)(1, 2j, 3), TypeError, "`y` must hold real numbers"),
        (lambda: partial(saddle)(np.ones(2), 1, 1), ValueError, "must be numbers, or one vector"),
        (lambda: partial(lambda x: float(np.sin(x)))(1), TypeError, "must be written in JAX"),
        (lambda: partial(lambda x: jnp.floor(x).astype(int))(1.0), TypeError, "return floating-point"),
        (lambda: jacobian(lambda x: x > 0)(1.0), TypeError, "must return floating-point numbers; got bool"),
        (lambda: hessian(three)(0, 0, 0), ValueError, "must return a single number"),
        (lambda: hessian(lambda v: v)([1.0, 2.0]), ValueError, r"got an array of shape \(2,\)"),
        (lambda: directional_derivative(saddle, (1, 2, 3), (0, 0, 0)), ValueError, "must have a length"),
        (lambda: directional_derivative(saddle, (1, 2, 3), (0, 1)), ValueError, r"must have shape \(3,\)"),
        (lambda: directional_derivative(saddle, (1, 2, np.inf), (0, 1, 1)), ValueError, "must be finite"),
        (lambda: directional_derivative(three, (1, 2, 3), (1, 0, 0)), ValueError, "a single number"),
        (lambda: total_derivative(saddle, lambda t: (t, t), 1.0), TypeError, "got 2 arguments"),
        (lambda: total_derivative(saddle, lambda t: (t, t, jnp.ones(2)), 1.0), ValueError, "`path` must return"),
        (lambda: total_derivative(saddle, lambda t: jnp.ones((3, 1)) * t, 1.0), ValueError, "`path` must return"),
        (lambda: total_derivative(saddle, 3, 1.0), TypeError, "`path` must be a function"),
        (lambda: total_derivative(saddle, lambda t: (t, t, t), np.nan), ValueError, "`t` must be finite"),
        (lambda: gradient_field(saddle, ((0, 1), (0, 1))), TypeError, "got 2 arguments"),
        (lambda: gradient_field(lambda x, y: x, ((0, 1), (1, 1))), ValueError, "low < high"),
        (lambda: gradient_field(lambda x, y: x, ((0, 1), (0, 1)), points=1), ValueError, "at least 2"),
    ],
)  # fmt: skip
def test_misuse(call, kind, said, unchecked):
    with pytest.raises(kind, match=said):
        call()


def test_a_gradient_field_has_no_more_points_than_memory():
    with pytest.raises(ValueError, match="`points` must be at most 2000 along each axis; got 1000000"):
        gradient_field(lambda x, y: x * y, ((0, 1), (0, 1)), 10**6)


@pytest.mark.parametrize("share", [1e-2, 1e-3, 1e-5])
def test_small_kinks_are_seen(share):
    f = lambda x, y: x + y**2 + share * jnp.abs(x - 1)
    assert total_derivative(f, lambda t: (t, t**2), 1.0).status is Status.KINK
    assert directional_derivative(f, (1.0, 0.3), (1, 1)).status is Status.KINK
    assert directional_derivative(f, (1.0, 0.3), (0, 1)).status is Status.SMOOTH
    assert total_derivative(f, lambda t: (t, t**2), 1.01).status is Status.SMOOTH


@pytest.mark.parametrize("x", [0.0, 1e-4, 0.7])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: (1e6 + x**2) - 1e6,
        lambda x: jnp.exp(x) - 1 - x,
        lambda x: jnp.tanh(50 * x),
        lambda x: 5 + 0 * x,
    ],
    ids=["offset", "cancelling", "steep", "level"],
)
def test_rounding_is_no_kink(f, x):
    for at in (np.array([x]), np.array([x], np.float32)):
        assert directional_derivative(lambda x: f(x[0]), at, (1,)).status is Status.SMOOTH


def test_lengths_of_large_gradients():
    found = directional_derivative(lambda x, y: 1e308 * x + 1e308 * y, (0.0, 0.0), (1, 1))
    assert found.status is Status.SMOOTH
    assert found.steepest == pytest.approx(2**0.5 * 1e308) and found.angle == pytest.approx(0, abs=1e-5)
    with pytest.raises(ValueError, match="`box` must have sides whose lengths are numbers"):
        gradient_field(lambda x, y: x * y, ((-1e308, 1e308), (-1, 1)))


def test_a_field_of_what_has_no_gradient():
    loop = lambda x, y: jax.lax.while_loop(lambda u: u > 1, lambda u: u / 2, x + y)
    with pytest.raises(TypeError, match="`f` must be differentiable by JAX; it says: Reverse-mode"):
        gradient_field(loop, ((0, 1), (0, 1)), 3)


@pytest.mark.parametrize("end", [1j, jax.random.key(0), True], ids=["complex", "key", "bool"])
def test_a_path_leads_to_real_numbers(end):
    for path in (lambda t: end, lambda t: (t, end)):
        with pytest.raises(TypeError, match="`path` must return real numbers; got "):
            total_derivative(lambda *x: x[0], path, 1.0)


def test_a_path_may_lead_to_a_number_of_pythons():
    found = total_derivative(lambda x: x**2, lambda t: 3.0, 0.5)
    assert (found.value, found.derivative) == (9, 0)
