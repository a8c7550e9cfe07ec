"""Extrema on constraints where second derivatives, or the constraint's gradients, say nothing."""

import jax.numpy as jnp
import numpy as np
import pytest

from mvcalc_jax.calculus.constraints.bordered import Kind
from mvcalc_jax.calculus.constraints.extrema import Irregular, Status
from mvcalc_jax.calculus.constraints.lagrange import lagrange
from tests.calculus.test_lagrange import CIRCLE, confirmed, kinds
from tests.cases import long

pytestmark = pytest.mark.slow  # under a newer JAX the README's examples stand for all of this


def test_families_count_once():
    found = lagrange(lambda x: x @ np.diag([1.0, 2, 2, 3]) @ x, CIRCLE, box=[(-2, 2)] * 4)
    assert [(p.value, str(p.kind), p.isolated) for p in found.points if not p.isolated] == [
        (pytest.approx(2), "saddle", False)
    ]
    assert kinds(found) == ["minimum"] * 2 + ["saddle"] + ["maximum"] * 2
    assert "1 not isolated" in found.message
    valley = lagrange(lambda x: (x @ x - 1) ** 2, lambda x: x[2] - x[0], box=[(-2, 2)] * 3)
    assert [(p.kind, p.isolated) for p in valley.points] == [("minimum", False), ("maximum", True)]
    everywhere = lagrange(lambda x: x @ x, CIRCLE, x0=(1, 2))
    assert everywhere.status is Status.CONSTANT
    assert everywhere.points[0].kind is Kind.CONSTANT


@pytest.mark.long
@pytest.mark.parametrize(
    ("f", "variables", "beyond"),
    [
        (lambda x: (x[0] - 0.3) ** 4, 2, "minimum"),
        (lambda x: -((x[0] - 0.3) ** 6), 2, "maximum"),
        (lambda x: (x[0] - 0.3) ** 3, 2, "saddle"),
        (lambda x: (x[0] - 0.3) ** 4 + x[1] ** 2, 3, "minimum"),
        (lambda x: (x[0] - 0.3) ** 3 + x[1] ** 2, 3, "saddle"),
        (lambda x: (x[0] - 0.3) ** 4 - x[1] ** 2, 3, "saddle"),
        (lambda x: (x[0] - 0.3) ** 3 - 3 * (x[0] - 0.3) * x[1] ** 2, 3, "saddle"),
        (lambda x: (x[0] - 0.3) ** 4 + x[1] ** 4, 3, "minimum"),
    ],
)
def test_where_second_order_is_silent_one_walks(f, variables, beyond):
    found = lagrange(f, lambda x: x[-1] - x[0] ** 2, x0=(0.5, 0.1, 0.2)[:variables])
    assert {(str(p.kind), p.beyond) for p in found.points} == {("degenerate", beyond)}
    np.testing.assert_allclose(found.points[0].x[0], 0.3, atol=1e-3)


LINE = lambda x: x[1]


@pytest.mark.parametrize(
    ("f", "at", "width"),
    [
        (lambda x: x[0] - jnp.sin(x[0]), (-2 * np.pi, 0, 2 * np.pi), 1e-7),
        long(lambda x: jnp.tan(x[0]) - x[0], (0,), 1e-7),
        long(lambda x: jnp.exp(x[0]) - 1 - x[0] - x[0] ** 2 / 2, (0,), 1e-7),
        (lambda x: jnp.sin(x[0]) - x[0] + x[0] ** 3 / 6, (0,), 1e-3),
        (lambda x: x[0] * jnp.abs(x[0]), (0,), 1e-9),
        long(lambda x: x[0] ** 7, (0,), 1e-9),
    ],
    ids=["sin", "tan", "exp", "sin to the fifth", "two parabolas", "seventh"],
)
def test_slopes_that_cancel_to_rounding_make_no_extrema(f, at, width):
    found = lagrange(f, LINE, box=[(-7, 7), (-1, 1)] if len(at) > 1 else [(-1, 1)] * 2)
    assert [(str(p.kind), p.beyond) for p in found.points] == [("degenerate", "saddle")] * len(at)
    np.testing.assert_allclose([p.x[0] for p in found.points], at, atol=width)
    assert all(abs(p.x[0] - x) <= p.error + 1e-15 < 1e-3 for p, x in zip(found.points, at, strict=True))
    assert found.minimum is None
    assert found.maximum is None


@pytest.mark.long
@pytest.mark.parametrize(("c", "scale"), [(1e-14, 1.0), (1e-8, 1.0), (1e-11, 1e-200), (1e-12, 1e155)])
def test_a_near_miss_is_no_stationary_point(c, scale):
    none = lagrange(lambda x: scale * (x[0] ** 3 / 3 + c * x[0]), LINE, x0=(0.5, 0.5))
    assert none.status is Status.NOTHING
    assert not none.points
    two = lagrange(lambda x: scale * (x[0] ** 3 / 3 - c * x[0]), LINE, x0=(0.5, 0.5))
    np.testing.assert_allclose(sorted(p.x[0] for p in two.points), (-(c**0.5), c**0.5), rtol=1e-6)
    assert sorted(kinds(two)) == ["maximum", "minimum"]


@pytest.mark.parametrize(
    ("f", "beyond", "points"),
    [
        (lambda x: -(x[0] ** 4) + 100 * x[0] ** 6, "maximum", 3),
        long(lambda x: x[0] ** 4 - 1000 * x[0] ** 5, "minimum", 2),
        long(lambda x: (1 - jnp.cos(x[0])) ** 2, "minimum", 1),
        long(lambda x: jnp.log(jnp.cosh(x[0])) - x[0] ** 2 / 2, "maximum", 1),
        (lambda x: 1e6 + x[0] ** 4, "minimum", 1),
    ],
    ids=["minus fourth", "fifth nearby", "cosine", "cosh", "offset"],
)
def test_the_lowest_order_that_does_not_vanish_decides(f, beyond, points):
    found = lagrange(f, LINE, box=[(-2, 2)] * 2)
    (middle,) = [p for p in found.points if abs(p.x[0]) < 1e-4]
    assert (str(middle.kind), middle.beyond) == ("degenerate", beyond)
    assert len(found.points) == points


def test_flat_to_all_orders_is_undecided():
    flat = lambda x: jnp.where(x[0] == 0, 0.0, jnp.exp(-1 / jnp.where(x[0] == 0, 1.0, x[0]) ** 2))
    found = lagrange(flat, LINE, x0=(1.0, 0.5))
    (point,) = found.points
    assert point.verdict == "degenerate, undecided"
    assert abs(point.x[0]) <= point.error
    assert "no order of f decides" in found.message


@pytest.mark.long
@pytest.mark.parametrize("power", [2, 4])
def test_crossing_valleys_are_one_family(power):
    found = lagrange(lambda x: (x[0] * x[1]) ** power + x[2], lambda x: x[2], box=[(-1, 1)] * 3)
    (point,) = found.points
    assert not point.isolated
    assert (point.beyond or point.kind) == "minimum"
    np.testing.assert_allclose((point.value, *point.multipliers), (0, 1), atol=1e-12)
    ridge = lagrange(lambda x: x[0] ** power * x[1] + x[2], lambda x: x[2], box=[(-1, 1)] * 3)
    assert {p.beyond or p.kind for p in ridge.points} | {"saddle"} == {"minimum", "maximum", "saddle"}
    assert not any(p.isolated for p in ridge.points)


@pytest.mark.parametrize(
    ("f", "g", "at", "low"),
    [
        (lambda x: jnp.sqrt(x @ x), lambda x: x[1] - x[0], (0, 0), 0),
        long(lambda x: jnp.sqrt(x @ x), lambda x: (x[0] - 1) ** 2 + x[1] ** 2 - 1, (0, 0), 0),
        long(lambda x: jnp.linalg.norm(x - 1), lambda x: x[1] - x[0] ** 2, (1, 1), 0),
        (lambda x: jnp.maximum(x[0], x[1]), CIRCLE, (-(0.5**0.5), -(0.5**0.5)), -(0.5**0.5)),
        long(lambda x: jnp.cbrt(x[0] ** 2), lambda x: x[1] - x[0], (0, 0), 0),
        long(lambda x: jnp.abs(x[0]) ** 1.5, LINE, (0, 0), 0),
        (lambda x: x[0] + 2 * x[1], lambda x: jnp.abs(x).sum() - 1, (0, -1), -2),
    ],
    ids=["cone", "cone on a circle", "cone on a parabola", "edge", "cusp", "bend", "corner"],
)
def test_a_kink_is_named_and_is_no_regular_point(f, g, at, low):
    found = lagrange(f, g, x0=(1.0, 0.5))
    assert isinstance(found.minimum, Irregular)
    assert "kink" in found.minimum.reason
    np.testing.assert_allclose((*found.minimum.x, found.minimum.value), (*at, low), atol=1e-9)
    assert all(str(p.kind) == "maximum" for p in found.points)


@pytest.mark.parametrize(
    ("g", "at", "f"),
    [
        (lambda x: (x @ x - 1, (x[0] - 2) ** 2 + x[1] ** 2 + x[2] ** 2 - 1), (1, 0, 0), 1),
        (lambda x: x @ x, (0, 0, 0), 0),
        (lambda x: (x[2], (x[0] - 1) ** 2 + (x[1] - 1) ** 2), (1, 1, 0), 2),
    ],
    ids=["spheres", "origin", "point of a plane"],
)
def test_the_only_points_of_a_constraint_are_listed_though_dependent(g, at, f):
    found = lagrange(lambda x: x.sum(), g, x0=(1.0, 0.5, 0.3))
    assert found.status is Status.DEPENDENT
    (only,) = found.irregular
    np.testing.assert_allclose((*only.x, only.value), (*at, f), atol=1e-7)
    assert found.minimum is found.maximum is only


@pytest.mark.parametrize("radius", [1e-7, long(1e-4), long(1e-2)])
def test_small_constraints_are_looked_at_from_near(radius):
    found = confirmed(lagrange(lambda x: x.sum(), lambda x: x @ x - radius**2, x0=(1.0, 0.5)))
    np.testing.assert_allclose(
        [p.x for p in found.points], np.outer((-1, 1), (1, 1)) * radius / np.sqrt(2), rtol=1e-9
    )
    hidden = lagrange(lambda x: x.sum(), lambda x: (x[0] - 3) ** 2 + (x[1] - 2) ** 2 - 1e-20, x0=(1.0, 0.5))
    assert hidden.status is Status.UNRESOLVED


@pytest.mark.parametrize(
    ("of_f", "of_g"), [(1e155, 1), long(1e-200, 1), long(1, 1e155), (1, 1e-200), long(1e150, 1e-150)]
)
def test_scales_of_f_and_g_do_not_matter(of_f, of_g):
    found = lagrange(lambda x: of_f * (x[0] + x[1] ** 2), lambda x: of_g * CIRCLE(x), x0=(1.0, 0.5))
    assert kinds(found) == ["minimum"] * 2 + ["maximum"] * 2
    np.testing.assert_allclose([p.value / of_f for p in found.points], (-1, 1, 1.25, 1.25), rtol=1e-12)
    λ = [p.multipliers[0] / of_f * of_g for p in found.points]
    np.testing.assert_allclose(λ, (-0.5, 0.5, 1, 1), rtol=1e-9)


def test_singular_points_of_the_constraint():
    cusp = lagrange(lambda x: x[0], lambda x: x[1] ** 2 - x[0] ** 3, x0=(1, 1))
    assert cusp.status is Status.SINGULAR
    assert not cusp.points
    np.testing.assert_allclose([p.x for p in cusp.irregular], [(0, 0)], atol=1e-8)
    assert "no multiplier" in cusp.irregular[0].reason
    assert isinstance(cusp.minimum, Irregular)
    twice = lagrange(lambda x: x @ x, lambda x: x[1] ** 2 - x[0] ** 3, x0=(1, 1))
    assert "more than one multiplier" in twice.irregular[0].reason
    node = confirmed(
        lagrange(lambda x: x[0] + 2 * x[1], lambda x: x[1] ** 2 - x[0] ** 2 * (x[0] + 1), box=[(-2, 0.5)] * 2)
    )
    assert len(node.irregular) == 1
    assert kinds(node) == ["minimum", "maximum"]
