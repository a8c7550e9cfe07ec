"""Extrema on constraints: all of them, what they are, what the constraint costs; the reason where there are none."""

import re
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from scipy.special import ellipe

from mvcalc_jax.calculus.constraints.extrema import Irregular, Status
from mvcalc_jax.calculus.constraints.following import constraint_curves, shadows
from mvcalc_jax.calculus.constraints.lagrange import lagrange
from tests.cases import long

pytestmark = pytest.mark.slow  # under a newer JAX the README's examples stand for all of this

CIRCLE = lambda x: x @ x - 1


def course_1(x):
    return jnp.exp(-(2 * x[0] ** 2 + x[1] ** 2 - x[0] * x[1]) / 2)


def ellipse_1(x):
    return x[0] ** 2 + 3 * (x[1] + 1) ** 2 - 1


def course_2(x):
    return -jnp.exp(x[0] - x[1] ** 2 + x[0] * x[1])


def curve_2(x):
    return jnp.cosh(x[1]) + x[0] - 2


def bisected(slope, low, high, pieces=4000):
    """The roots of a function of one number, by changes of its sign."""
    grid = np.linspace(low, high, pieces)
    return [brentq(slope, a, b, xtol=1e-16) for a, b in pairwise(grid) if slope(a) * slope(b) < 0]


def kinds(found):
    return [str(p.kind) for p in found.points]


def confirmed(found):
    """λ agrees with f* solved again, ∇f with Σ λ∇g, and the minors with the eigenvalues' signs."""
    for p in found.points:
        m, d = p.normals.shape
        assert p.apart <= 1e-6
        np.testing.assert_allclose(p.gradient, p.multipliers @ p.normals, rtol=1e-10, atol=1e-10)
        least, most = (-1) ** m, [(-1) ** k for k in range(m + 1, d + 1)]
        assert (p.kind == "minimum") == (p.minors == least).all() or p.kind == "alone"
        assert (p.kind == "maximum") == (p.minors == most).all() or p.kind == "alone"
    return found


def test_the_courses_first_problem_along_an_angle():
    found = confirmed(lagrange(course_1, ellipse_1, x0=(0, 0)))
    x, y = (lambda t: np.cos(t)), (lambda t: -1 + np.sin(t) / np.sqrt(3))
    dx, dy = (lambda t: -np.sin(t)), (lambda t: np.cos(t) / np.sqrt(3))
    slope = lambda t: (4 * x(t) - y(t)) * dx(t) + (2 * y(t) - x(t)) * dy(t)
    angles = np.array(bisected(slope, 0.01, 0.01 + 2 * np.pi))
    f = np.exp(-(2 * x(angles) ** 2 + y(angles) ** 2 - x(angles) * y(angles)) / 2)
    λ = -f * (4 * x(angles) - y(angles)) / 2 / (2 * x(angles))
    order = np.argsort(f)
    np.testing.assert_allclose(
        [p.x for p in found.points], np.stack([x(angles), y(angles)], 1)[order], atol=1e-14
    )
    np.testing.assert_allclose([p.value for p in found.points], f[order], rtol=1e-14)
    np.testing.assert_allclose([p.multipliers[0] for p in found.points], λ[order], rtol=1e-12)
    printed = [(0.93094, -1.21083, -0.15232, 0.114944), (-0.95896, -1.16370, -0.24654, 0.353902)]
    printed += [(-0.62614, -1.45017, -0.15650, 0.371748), (-0.09584, -0.42531, 0.10111, 0.923811)]
    rows = [(*p.x, *p.multipliers, p.value) for p in found.points]
    np.testing.assert_allclose(rows, printed, atol=5.1e-6)
    assert kinds(found) == ["minimum", "minimum", "maximum", "maximum"]
    assert found.minimum is found.points[0]
    assert found.maximum is found.points[3]
    assert "points that were met, f = 0.11494371 at (0.930942, -1.21083) is the lowest and f = " in str(found)
    assert "where nobody looked f may go beyond" in found.message


def test_the_courses_second_problem_along_y():
    found = confirmed(lagrange(course_2, curve_2, box=((-3, 3), (-3, 3))))
    slope = lambda y: -np.sinh(y) - 2 * y + 2 - np.cosh(y) - y * np.sinh(y)
    y = np.array(bisected(slope, -3, 3))[::-1]
    x = 2 - np.cosh(y)
    f = -np.exp(x - y**2 + x * y)
    np.testing.assert_allclose([p.x for p in found.points], np.stack([x, y], 1), rtol=1e-13)
    np.testing.assert_allclose([p.value for p in found.points], f, rtol=1e-13)
    np.testing.assert_allclose([p.multipliers[0] for p in found.points], f * (1 + y), rtol=1e-12)
    least = found.points[0]
    np.testing.assert_allclose(
        (*least.x, *least.multipliers, least.value), (0.957782, 0.289565, -4.07789, -3.162221), atol=5e-6
    )
    assert kinds(found) == ["minimum", "maximum"]


def test_a_quadratic_form_on_a_sphere_has_its_eigenvectors():
    A = np.array([[2.0, 1, 0, 0.3], [1, 3, 1, 0], [0, 1, 1, -0.7], [0.3, 0, -0.7, -1]])
    values, vectors = np.linalg.eigh(A)
    found = confirmed(lagrange(lambda x: x @ A @ x, CIRCLE, box=[(-2, 2)] * 4))
    assert len(found.points) == 8
    for k, p in enumerate(found.points):
        np.testing.assert_allclose(p.value, values[k // 2], atol=1e-13)
        np.testing.assert_allclose(p.multipliers, values[k // 2], atol=1e-12)
        assert abs(abs(p.x @ vectors[:, k // 2]) - 1) < 1e-13
        others = np.delete(values, k // 2)
        np.testing.assert_allclose(p.eigenvalues, 2 * (others - values[k // 2]), atol=1e-11)
    assert kinds(found) == ["minimum"] * 2 + ["saddle"] * 4 + ["maximum"] * 2


def test_two_constraints_in_space():
    found = confirmed(
        lagrange(
            lambda x, y, z: x * y * z, lambda x, y, z: (x + y + z - 1, x**2 + y**2 + z**2 - 1), (0, 0, 0)
        )
    )
    low, high = sorted(map(tuple, np.eye(3)), key=lambda p: p), [(-1, 2, 2), (2, -1, 2), (2, 2, -1)]
    np.testing.assert_allclose([p.x for p in found.points], [*np.array(high) / 3, *low], atol=1e-14)
    np.testing.assert_allclose([p.multipliers for p in found.points[:3]], [(2 / 9, -1 / 3)] * 3, rtol=1e-12)
    assert kinds(found) == ["minimum"] * 3 + ["maximum"] * 3


def test_entropy_budget_and_means():
    even = confirmed(lagrange(lambda p: -jnp.sum(p * jnp.log(p)), lambda p: p.sum() - 1, box=[(0, 1)] * 5))
    np.testing.assert_allclose(even.points[0].x, 0.2, rtol=1e-14)
    np.testing.assert_allclose(even.points[0].multipliers, np.log(5) - 1, rtol=1e-12)
    np.testing.assert_allclose(even.points[0].eigenvalues, -5, rtol=1e-12)
    assert even.maximum is even.points[0]
    assert even.minimum is None
    budget = confirmed(
        lagrange(lambda x, y: x**0.3 * y**0.7, lambda x, y: 2 * x + 5 * y - 100, box=((0, 60), (0, 25)))
    )
    np.testing.assert_allclose([p.x for p in budget.points], [(15, 14)], rtol=1e-13)
    assert not budget.irregular  # the edges of f are no kinks
    np.testing.assert_allclose(budget.points[0].multipliers, 15**0.3 * 14**0.7 / 100, rtol=1e-12)
    means = confirmed(lagrange(jnp.prod, lambda x: x.sum() - 3, box=[(-1, 4)] * 3))
    np.testing.assert_allclose(
        [p.x for p in means.points], [(0, 0, 3), (0, 3, 0), (3, 0, 0), (1, 1, 1)], atol=1e-13
    )
    assert kinds(means) == ["saddle"] * 3 + ["maximum"]


@pytest.mark.parametrize(("point", "normals"), [((0.6, 0.2), 4), long((3.0, 1.5), 2)])
def test_normals_to_an_ellipse(point, normals):
    p = np.array(point)
    slope = lambda t: -2 * np.sin(t) * (2 * np.cos(t) - p[0]) + np.cos(t) * (np.sin(t) - p[1])
    at = np.array(bisected(slope, 0.01, 0.01 + 2 * np.pi))
    found = confirmed(
        lagrange(lambda x: jnp.sum((x - p) ** 2), lambda x: x[0] ** 2 / 4 + x[1] ** 2 - 1, box=[(-3, 3)] * 2)
    )
    expected = np.stack([2 * np.cos(at), np.sin(at)], axis=1)
    order = np.argsort(np.sum((expected - p) ** 2, axis=1))
    assert len(at) == normals
    np.testing.assert_allclose([q.x for q in found.points], expected[order], atol=1e-14)


@pytest.mark.parametrize(
    ("f", "g", "status", "says"),
    [
        (lambda x: x[0], lambda x: x @ x + 1, Status.NEVER_MET, r"the smallest \|g\| is 1, at"),
        long(lambda x: x[0], lambda x: (x.sum() - 1, x.sum() - 2), Status.NEVER_MET, r"\|g\| is 0.7071"),
        (
            lambda x: x[0],
            lambda x: (x.sum() - 1, 2 * x.sum() - 2),
            Status.DEPENDENT,
            "leave out a constraint",
        ),
        (lambda x: x[0], lambda x: CIRCLE(x) ** 2, Status.DEPENDENT, "without a square"),
        (lambda x: x[0], lambda x: x[1] - x[0], Status.NOTHING, "no stationary point on it where we looked"),
        long(lambda x: jnp.exp(x[0]), lambda x: x[1], Status.NOTHING, "at infinity"),
        (lambda x: jnp.exp(-50 * x @ x), lambda x: x[1] - 0.1, Status.FOUND, "1 stationary point: 1 maximum"),
        (
            lambda x: 3 + 0 * x[0],
            lambda x: x[0] * x[1] - 1,
            Status.CONSTANT,
            "f is constant on the constraint",
        ),
        (
            lambda x: x[0],
            lambda x: jnp.stack([x[0], x[1], x.sum()]),
            Status.TOO_MANY,
            "more constraints than variables",
        ),
        (lambda x: jnp.log(-x @ x), CIRCLE, Status.NOT_FINITE, "it is f that is so"),
        long(lambda x: x[0], lambda x: jnp.log(-x @ x), Status.NOT_FINITE, "infinite or NaN at every start"),
    ],
)
def test_the_reason_where_there_is_no_answer(f, g, status, says):
    found = lagrange(f, g, x0=(1.0, 1.0))
    assert found.status is status
    assert status in (Status.CONSTANT, Status.FOUND) or not found.points
    assert re.search(says, str(found))


def test_no_false_extremum_is_named():
    hyperbola = confirmed(lagrange(lambda x: x[0] + x[1], lambda x: x[0] * x[1] - 1, x0=(1, 1)))
    assert kinds(hyperbola) == ["maximum", "minimum"]
    assert hyperbola.minimum is None
    assert hyperbola.maximum is None
    assert "no minimum is among these" in hyperbola.message
    corners = lagrange(lambda x: jnp.abs(x).sum(), CIRCLE, x0=(1.0, 0.0))
    assert kinds(corners) == ["maximum"] * 4
    assert isinstance(corners.minimum, Irregular)
    np.testing.assert_allclose([p.value for p in corners.irregular], [1] * 4)
    kink = lagrange(lambda x: jnp.maximum(x[1], -x[1]), lambda x: x[0], x0=(0, 0))
    assert not kink.points
    assert "kink" in kink.irregular[0].reason
    cut = lagrange(lambda x: x[0], CIRCLE, box=((0, 2), (-2, 2)))
    assert [tuple(p.x) for p in cut.points] == [(1, 0)]
    assert cut.minimum is None


def test_a_slope_that_fades_away_is_no_stationary_point():
    found = lagrange(lambda p: p[1], lambda p: p[1] - jnp.tanh(p[0]), (1.0, 0.5))
    assert not found.points and found.minimum is None and found.maximum is None
    assert found.status is Status.NOTHING
    assert "cannot be told" in found.message and "is the lowest" not in found.message
    level = lagrange(lambda p: p[1], lambda p: p[1], (1.0, 0.5))
    assert level.status is Status.CONSTANT


def test_units_and_offsets_do_not_matter():
    f, g = (lambda x: x[0] / 1e6 + x[1] * 1e6), (lambda x: 1e5 * ((x[0] / 1e6) ** 2 + (x[1] * 1e6) ** 2 - 1))
    found = confirmed(lagrange(f, g, box=((-4e6, 4e6), (-4e-6, 4e-6))))
    np.testing.assert_allclose(
        [p.x for p in found.points], np.outer((-1, 1), (1e6, 1e-6)) / np.sqrt(2), rtol=1e-13
    )
    tiny = confirmed(lagrange(lambda x: x.sum(), lambda x: x @ x - 1e-6, box=[(-4, 4)] * 2))
    np.testing.assert_allclose(
        [p.x for p in tiny.points], np.outer((-1, 1), (1, 1)) * 1e-3 / np.sqrt(2), rtol=1e-12
    )
    high = confirmed(lagrange(lambda x: 1e6 + x[0], CIRCLE, x0=(0.0, 0.0)))
    assert [p.value for p in high.points] == [1e6 - 1, 1e6 + 1]


def test_arguments_in_other_forms():
    numbers = lagrange(lambda x, y: x, lambda x, y: x**2 + y**2 - 1, x0=[[1, 2], [3, -1]], starts=60)
    single = lagrange(lambda x: x[0], CIRCLE, x0=np.zeros(2, np.float32))
    for found, dtype in ((numbers, np.float64), (single, np.float32)):
        assert {p.x.dtype for p in found.points} == {np.dtype(dtype)}
        np.testing.assert_array_equal([p.x for p in found.points], [(-1, 0), (1, 0)])
    point = lagrange(lambda x: x[0], lambda x: (CIRCLE(x), x[0] - x[1]), x0=(1.0, 1.0))
    assert kinds(point) == ["alone", "alone"]
    np.testing.assert_allclose(point.points[1].multipliers, (np.sqrt(2) / 4, 0.5), rtol=1e-13)
    at_solution = lagrange(lambda x: x[0], CIRCLE, x0=[[1.0, 0.0]], starts=1)
    assert [tuple(p.x) for p in at_solution.points] == [(1, 0)]


def test_following_the_point_and_walking_along_the_constraint():
    box = ((-2, 2), (-2.5, 0.5))
    found = lagrange(course_1, ellipse_1, box=box)
    levels = np.linspace(-0.1, 0.1, 41)
    for point, (moved,) in zip(found.points, shadows(course_1, ellipse_1, found.points, levels), strict=True):
        np.testing.assert_allclose(moved.value[20], point.value, rtol=1e-13)
        np.testing.assert_allclose(
            np.gradient(moved.value, levels)[1:-1], moved.multipliers[1:-1, 0], atol=2e-4
        )
        np.testing.assert_allclose([ellipse_1(x) for x in moved.x], levels, atol=1e-13)
    (curve,) = constraint_curves(course_1, ellipse_1, found, box)
    assert curve.closed
    np.testing.assert_allclose(curve.length[-1], 4 * ellipe(1 - 1 / 3), rtol=1e-4)
    assert abs(curve.value.max() - found.points[3].value) < 1e-4
    gone = shadows(
        lambda x: x[0], CIRCLE, lagrange(lambda x: x[0], CIRCLE, x0=(0, 0)).points, (-2.0, -0.5, 0.0, 3.0)
    )
    np.testing.assert_allclose(
        [m.value for (m,) in gone], [(np.nan, -(0.5**0.5), -1, -2), (np.nan, 0.5**0.5, 1, 2)]
    )
    cusp = lambda x: x[1] ** 2 - x[0] ** 3
    (whole,) = constraint_curves(
        lambda x: x[0], cusp, lagrange(lambda x: x[0], cusp, box=[(-1, 1)] * 2), [(-1, 1)] * 2
    )
    np.testing.assert_allclose(whole.length[-1], 2 * 8 / 27 * ((13 / 4) ** 1.5 - 1), rtol=0.02)


def test_scipy_finds_the_same_and_its_methods_differ_in_sign():
    with jax.enable_x64(True):
        top = lagrange(course_1, ellipse_1, x0=(0, 0)).maximum
        f, df = (lambda x: -float(course_1(x))), jax.jit(jax.grad(lambda x: -course_1(x)))
        equal = {
            "type": "eq",
            "fun": lambda x: float(ellipse_1(x)),
            "jac": lambda x: np.array((2 * x[0], 6 * (x[1] + 1))),
        }
        for method, λ in (
            ("SLSQP", lambda end: -end.multipliers[0]),
            ("trust-constr", lambda end: end.v[0][0]),
        ):
            end = minimize(
                f, (0.1, -0.3), jac=lambda x: np.asarray(df(x)), method=method, constraints=equal, tol=1e-12
            )
            np.testing.assert_allclose(end.x, top.x, atol=1e-5)
            np.testing.assert_allclose(λ(end), top.multipliers[0], rtol=1e-3)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x0": None}, ValueError, "must know where to look"),
        ({"x0": (np.nan, 1)}, ValueError, "`x0` must be finite"),
        ({"x0": (np.inf, 1)}, ValueError, "`x0` must be finite"),
        ({"x0": 1.0}, ValueError, "a point"),
        ({"x0": ()}, ValueError, "a point"),
        ({"x0": (1j, 1)}, TypeError, "real numbers"),
        ({"box": ((1, 0), (0, 1))}, ValueError, "low < high"),
        ({"box": ((0, 1),)}, ValueError, "for 2 variables"),
        ({"starts": 0}, ValueError, "`starts`"),
        ({"f": 3}, TypeError, "`f` must be a function"),
        ({"f": lambda x: x}, ValueError, "single number"),
        ({"f": lambda x: jnp.int32(3)}, TypeError, "floating-point"),
        ({"f": lambda x: x[0] if x[0] > 0 else x[1]}, TypeError, "written in JAX"),
        ({"f": lambda x: x[0].astype(jnp.float32)}, TypeError, "precision of its argument"),
        ({"f": lambda x, y, z: x}, TypeError, r"it takes \(x, y, z\)"),
        (
            {"f": lambda x: jax.lax.while_loop(lambda c: c > 1, lambda c: c / 2, x[0])},
            TypeError,
            "`f` must be differentiable by JAX",
        ),
        (
            {"g": lambda x: jax.lax.while_loop(lambda c: c > 1, lambda c: c / 2, x[0])},
            TypeError,
            "`g` must be differentiable by JAX",
        ),
        ({"g": lambda x: np.sin(x).sum()}, TypeError, "`g` must be written in JAX"),
        ({"g": lambda x: jnp.outer(x, x)}, ValueError, "a number for each constraint"),
        ({"g": lambda x: x[:0]}, ValueError, "a number for each constraint"),
        ({"g": lambda x: jnp.argmax(x)}, TypeError, "`g` must return"),
        (
            {"g": lambda x: (x[0], x)},
            ValueError,
            r"got a tuple of \(float64 of shape \(\), float64 of shape \(2,\)",
        ),
        ({"g": lambda x: (x[0], None)}, ValueError, "of shape .., NoneType.; take arrays apart"),
        ({"g": lambda x: [x[0], x[1] > 0]}, ValueError, "bool of shape"),
        ({"g": lambda x: ()}, ValueError, "a tuple of m floating-point numbers"),
    ],
)
def test_misuse_is_one_clear_error(change, error, message):
    given = {"f": lambda x: x[0], "g": CIRCLE, "x0": (1.0, 2.0)} | change
    with pytest.raises(error, match=message):
        lagrange(given.pop("f"), given.pop("g"), **given)


def test_it_cannot_be_traced():
    with pytest.raises(TypeError, match="inside `jit`"):
        jax.jit(lambda x: lagrange(lambda y: y[0], CIRCLE, x0=x).points[0].x)(jnp.ones(2))


def test_following_what_are_no_functions(unchecked):
    found = lagrange(lambda p: p[0] * p[1], lambda p: p @ p - 2, (1.0, 0.5), starts=20)
    for f, g in ((None, lambda p: p @ p - 2), (lambda p: p[0], 3.0)):
        with pytest.raises(TypeError, match="must be a function; got"):
            lagrange(f, g, (1.0, 0.5))
        with pytest.raises(TypeError, match="must be a function; got"):
            shadows(f, g, found.points, [0.0, 0.1])
        with pytest.raises(TypeError, match="must be a function; got"):
            constraint_curves(f, g, found, ((-2, 2), (-2, 2)))
