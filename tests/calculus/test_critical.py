"""Critical points: degenerate ones in coordinates of no one's choice, whole sets of them, and what is no such point."""

from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mvcalc_jax.calculus import along_valley, basins, critical_points
from mvcalc_jax.calculus.stationary import winding
from mvcalc_jax.calculus.stationary.kinds import Kind, Status
from tests.cases import few, long

pytestmark = pytest.mark.slow  # under a newer JAX the README's examples stand for all of this

SQUARE = ((-1, 1), (-1, 1))

FORMS = {
    "x³ + y²": (lambda s, t: s**3 + t**2, Kind.DEGENERATE_SADDLE, 3, 0),
    "x⁴ + y²": (lambda s, t: s**4 + t**2, Kind.DEGENERATE_MINIMUM, 4, 1),
    "x⁴ − y²": (lambda s, t: s**4 - t**2, Kind.DEGENERATE_SADDLE, 4, -1),
    "x³ − 3xy²": (lambda s, t: s**3 - 3 * s * t**2, Kind.DEGENERATE_SADDLE, 3, -2),
    "x⁴ − 3x²y² + y⁴": (lambda s, t: s**4 - 3 * s**2 * t**2 + t**4, Kind.DEGENERATE_SADDLE, 4, -3),
    "(y − x²)(y − 3x²)": (lambda s, t: (t - s**2) * (t - 3 * s**2), Kind.DEGENERATE_SADDLE, 4, -1),
}
"""Normal forms: what each is at 0, the order that decides, the turns of its gradient."""


@pytest.mark.parametrize("name", few(FORMS, "x³ + y²"))
def test_higher_orders_decide_whatever_the_coordinates(name):
    form, kind, order, turns = FORMS[name]
    place, along = np.array([0.31, -0.17]), np.array([[0.8, -0.5], [0.6, 0.7]])

    def f(x):
        u = x - place
        s, t = along @ u + 0.2 * jnp.stack([u[0] * u[1] + u[1] ** 2, u[0] ** 2 - u[0] * u[1]])
        return 7 + form(s, t)

    found = critical_points(f, SQUARE, starts=64)
    (p,) = [p for p in found if np.abs(p.point - place).max() < 1e-3]
    assert (p.kind, p.order, p.turns) == (kind, order, turns), found
    assert p.value == pytest.approx(7, abs=1e-10)
    assert f"order {order} decides" in p.verdict


def test_in_one_variable():
    found = critical_points(lambda x: x**5 / 5 - x**4 / 4, (-1, 2))
    assert [(p.kind, p.order) for p in found] == [("minimum", 2), ("degenerate maximum", 4)]
    np.testing.assert_allclose([p.point[0] for p in found], [1, 0], atol=1e-12)
    assert "1 minimum − 1 degenerate maximum = 0" in found.message
    (ledge,) = critical_points(lambda x: (x - 0.25) ** 3, (-1, 1))
    assert (ledge.kind, ledge.order, ledge.turns) == ("inflection", 3, 0)
    (flat,) = critical_points(lambda x: jnp.abs(x) ** 2.5, (-1, 1))
    assert (flat.kind, flat.order) == ("undecided", None)


@pytest.mark.long
@pytest.mark.parametrize(("slope", "at"), [(1e-8, 0), (1e-14, 0.3), (1e-30, 0)])
def test_a_slope_that_has_digits_of_its_own_is_no_zero(slope, at):
    found = critical_points(lambda x: (x - at) ** 3 / 3 + slope * (x - at), (-1, 1.3), starts=64)
    assert (found.status, len(found)) == (Status.NONE, 0)
    assert "∇f is small" in found.message
    slope = max(slope, 1e-14)
    beside = critical_points(lambda x: (x - at) ** 3 / 3 - slope * (x - at), (-1, 1.3), starts=64)
    np.testing.assert_allclose(sorted(p.point[0] - at for p in beside), [-(slope**0.5), slope**0.5], rtol=0.1)


def test_so_it_is_in_two_variables():
    fold = lambda x: (x[0] + x[1] - 0.1) ** 3 + 1e-12 * (x[0] + x[1]) + (x[0] - x[1] - 0.3) ** 2
    assert len(critical_points(fold, SQUARE, starts=64)) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("f", "at", "kind", "order"),
    [
        long(lambda x: x - jnp.sin(x), 0, "inflection", 3),
        long(lambda x: x - jnp.arctan(x), 0, "inflection", 3),
        long(lambda x: x + jnp.sin(x - 0.5 + np.pi), 0.5, "inflection", 3),
        long(lambda x: jnp.log1p(x) - x + x**2 / 2, 0, "inflection", 3),
        long(lambda x: jnp.cosh(x) - 1 - x**2 / 2, 0, "degenerate minimum", 4),
        (lambda x: jnp.cos(x) - 1 + x**2 / 2 - x**4 / 24, 0, "degenerate maximum", 6),
        long(lambda x: jnp.sin(x) - x + x**3 / 6 - x**5 / 120, 0, "inflection", 7),
    ],
    ids=["sin", "arctan", "sin of a sum", "log1p", "cosh", "order 6", "order 7"],
)
def test_the_kind_where_digits_cancel(f, at, kind, order):
    found = critical_points(f, (-0.9, 1.3), starts=64)
    (p,) = found
    assert (p.kind, p.order) == (kind, order), found
    assert 1e-8 < p.error < 0.03
    assert abs(p.point[0] - at) <= p.error
    assert "rounding hides whether ∇f is zero" in p.verdict


@pytest.mark.parametrize(
    "f",
    [long(lambda x: 1 / (1 + (x - 5) ** 2), id="1/x²"), lambda x: jnp.exp(-((x - 5) ** 2))],
)
def test_a_wide_box(f):
    found = critical_points(f, (-1e6, 1.1e6), starts=32)
    (p,) = found.of("maximum")
    assert p.point[0] == pytest.approx(5, abs=1e-12)
    assert (found.status, p.starts) == (Status.INCOMPLETE, 0)
    assert "met by none" in found.message


def test_what_is_narrow_may_be_missed_and_that_is_said():
    found = critical_points(lambda x: 0.01 * x**2 - 5 * jnp.exp(-(((x - 30.3) / 0.01) ** 2)), (-100, 110))
    assert found.status == Status.COMPLETE == "no sign of others"
    assert "narrower than 0.39 % of the box may lie between the starts" in found.message


def test_no_point_outside_the_box():
    assert len(critical_points(lambda x: (x - 1 - 1e-10) ** 2, (-1, 1), starts=32)) == 0
    ends = critical_points(jnp.cos, (0, np.pi), starts=32)
    assert [p.point[0] for p in ends] == [np.pi, 0]


def test_where_the_hessian_does_not_exist_nothing_is_decided():
    (p,) = critical_points(lambda x: jnp.abs(x[0]) ** 1.5 + x[1] ** 2, SQUARE, starts=32)
    assert p.kind == "undecided"
    assert p.verdict.startswith("undecided: H does not exist")
    np.testing.assert_allclose(p.point, 0, atol=1e-12)


@pytest.mark.parametrize(
    ("f", "box", "kind", "turns"),
    [
        long(lambda x: x * jnp.abs(x), (-2, 2), "inflection", 0),
        (lambda x: jnp.where(x > 0, x**2, -(x**2)), (-2, 2), "inflection", 0),
        long(lambda x: jnp.where(x > 0, x**2, 3 * x**2), (-2, 2), "minimum", 1),
        (lambda x: x[0] * jnp.abs(x[0]) + x[1] ** 2, SQUARE, "undecided", None),
        long(lambda x: (x[0] + x[1]) * jnp.abs(x[0] + x[1]) + (x[0] - x[1]) ** 2, SQUARE, "undecided", None),
        long(lambda x: 5 * x[0] * jnp.abs(x[0]) + x[1] ** 2 + x[2] ** 2, ((-2, 2),) * 3, "undecided", None),
    ],
    ids=["x|x|", "where", "asymmetric", "plane", "turned", "space"],
)
def test_one_sided_hessians_that_differ_are_none(f, box, kind, turns):
    (p,) = critical_points(f, box, starts=32)
    assert (p.kind, p.turns) == (kind, turns)
    assert f"{kind}: H does not exist" in p.verdict
    assert np.isnan(p.eigenvalues).all()
    np.testing.assert_allclose(p.point, 0, atol=1e-12)


@pytest.mark.parametrize(
    ("n", "box"),
    [(3, (-2, 2)), *(long(3, box) for box in ((0, 2), (-1, 3), (-3, 2)))]
    + [long(4, box) for box in ((-2, 2), (0, 2), (-1, 3), (-3, 2))],
)
def test_no_near_miss_where_a_point_was_found(n, box):
    terms = np.poly1d([1, -1]) ** n
    found = critical_points(lambda x: jnp.polyval(jnp.asarray(terms.c), x), box)
    np.testing.assert_allclose(found[0].point, 1, atol=1e-3)
    assert "no zero" not in found.message


def test_a_derivative_that_is_given_is_compared():
    f = lambda x: jnp.sum(x**4) + x[0] * x[1]
    with pytest.raises(
        ValueError, match=r"`gradient` must be that of f; at x = \(.*entry \[1\] is .* autodiff gives"
    ):
        critical_points(f, SQUARE, gradient=lambda x: 4 * x**3 + jnp.array([x[1], -x[0]]))
    with pytest.raises(ValueError, match=r"`hessian` must .* entry \[0, 1\] is 0, and autodiff gives 1"):
        critical_points(f, SQUARE, hessian=lambda x: jnp.diag(12 * x**2))
    hidden = lambda x: jax.lax.stop_gradient(jnp.sum((x - 0.1) ** 2))  # differences are on the caller's side
    (p,) = critical_points(hidden, SQUARE, starts=32, gradient=lambda x: 2 * (x - 0.1))
    assert p.kind == "minimum"


@pytest.mark.long
def test_in_three_variables_and_where_the_second_order_decides_in_spite_of_a_zero():
    found = critical_points(lambda x: jnp.sum(x**2) + 2 * jnp.prod(x), ((-2, 2),) * 3)
    assert Counter((p.kind, p.index) for p in found) == {("minimum", 0): 1, ("saddle", 1): 4}
    np.testing.assert_allclose(np.abs([p.point for p in found[1:]]), 1, rtol=1e-14)
    assert found.turns is None
    (p,) = critical_points(lambda x: x[0] ** 4 + x[1] ** 2 - x[2] ** 2, ((-1, 1),) * 3, starts=64)
    assert (p.kind, p.order, p.index) == ("degenerate saddle", 2, 1)


@pytest.mark.long
@pytest.mark.parametrize(
    ("f", "value", "what"),
    [
        (lambda x: (jnp.sum(x**2) - 0.5) ** 2, 0, "minima"),
        (lambda x: x[0] ** 2 * x[1] ** 2, 0, "minima"),
        (lambda x: x[0] * x[1] ** 2, 0, "minima on one part of it, maxima on another"),
        (lambda x: jnp.exp(-1e4 * jnp.sum(x**2)), 0, "f is flat there"),
        (lambda x: -((x[1] - x[0] ** 2) ** 6), 0, "maxima"),
        (lambda x: x[0] ** 3 * x[1] ** 3, 0, "saddles"),
    ],
    ids=["circle", "cross", "both", "plateau", "parabola", "bent cross"],
)
def test_whole_sets_are_said_to_be_such(f, value, what):
    found = critical_points(f, SQUARE, starts=64)
    (p,) = found.of("not isolated")
    assert p.value == pytest.approx(value, abs=1e-12)
    assert p.verdict.endswith(f"starts: {what}")
    assert {p.kind for p in found} <= {"not isolated", "maximum"}


@pytest.mark.long
def test_units_do_not_matter():
    tilted = lambda x: x[0] ** 2 + 1e-20 * x[1] ** 2
    assert [p.kind for p in critical_points(tilted, SQUARE, starts=32)] == ["minimum"]
    wells = lambda x: 1e-200 * ((x[0] / 1e6) ** 2 - 1) ** 2 + 1e-200 * (1e3 * x[1] - 0.5) ** 2
    found = critical_points(wells, ((-2e6, 2e6), (0, 1e-3)), starts=64)
    assert sorted((str(p.kind), round(p.point[0])) for p in found) == [
        ("minimum", -1000000),
        ("minimum", 1000000),
        ("saddle", 0),
    ]
    assert found[0].eigenvalues[1] == pytest.approx(2e-194)
    high = critical_points(lambda x: 1e12 + jnp.sum(x**4 - x**2), ((-1.1, 1), (-1, 1.2)), starts=64)
    assert Counter(p.kind for p in high) == {"minimum": 4, "saddle": 4, "maximum": 1}


def test_precision_is_that_of_the_box_and_a_derivative_may_be_given():
    box = np.array(SQUARE, np.float32)
    found = critical_points(
        lambda x: jnp.sum(x**4 - x**2),
        box,
        starts=64,
        gradient=lambda x: 4 * x**3 - 2 * x,
        hessian=lambda x: jnp.diag(12 * x**2 - 2),
    )
    assert Counter(p.kind for p in found) == {"minimum": 4, "saddle": 4, "maximum": 1}
    assert {p.point.dtype for p in found} == {np.dtype("float32")}
    lowest = np.array([p.point for p in found.of("minimum")])
    np.testing.assert_allclose(np.abs(lowest), 0.5**0.5, rtol=1e-6)


def test_points_on_the_edge_belong_to_the_box():
    found = critical_points(lambda x: jnp.sin(x[0]) * jnp.sin(x[1]), ((0, np.pi), (0, np.pi)), starts=64)
    assert Counter(p.kind for p in found) == {"saddle": 4, "maximum": 1}


@pytest.mark.long
def test_too_few_starts_are_admitted():
    found = critical_points(lambda x: jnp.sin(9 * x[0]) * jnp.sin(9 * x[1]), SQUARE, starts=8)
    assert found.status == Status.INCOMPLETE
    assert found.starts == 128
    assert 0 < found.unseen < 1
    assert "others may be missing" in found.message
    assert "points are missing" in found.message


@pytest.mark.slow
@pytest.mark.parametrize(
    ("f", "status", "sentence"),
    [
        (lambda x: x[0] + x[1], Status.NONE, "no critical point in the box that 32 starts lead to"),
        long(lambda x: jnp.exp(x[0]) + x[1] ** 2, Status.NONE, "no critical point"),
        (lambda x: 0 * x[0] + 3, Status.CONSTANT, "every point of it is critical"),
        (lambda x: jnp.floor(4 * x[0]), Status.NOT_SMOOTH, "made of steps"),
        long(lambda x: jnp.abs(x[0]) + x[1] ** 2, Status.NOT_SMOOTH, "not differentiable near (0, "),
        long(lambda x: jnp.linalg.norm(x), Status.NOT_SMOOTH, "not differentiable near (0, 0)"),
        (
            lambda x: jnp.abs(x[0] - 0.2) + (x[1] - 0.1) ** 2,
            Status.NOT_SMOOTH,
            "not differentiable near (0.2, ",
        ),
        (lambda x: jnp.log(-1 - x[0] ** 2), Status.NOT_FINITE, "infinite or NaN at each"),
    ],
    ids=["plane", "fading", "constant", "steps", "fold", "cone", "fold aside", "NaN"],
)
def test_what_has_none_says_why(f, status, sentence):
    found = critical_points(f, SQUARE, starts=32)
    assert (found.status, len(found)) == (status, 0)
    assert sentence in found.message
    assert str(found) == found.message


def test_a_point_is_found_where_part_of_the_box_is_outside_the_domain():
    found = critical_points(lambda x: jnp.log(x[0]) - x[0] + x[1] ** 2, ((-1, 3), (-1, 1)), starts=64)
    assert [p.kind for p in found] == ["saddle"]
    np.testing.assert_allclose(found[0].point, [1, 0], atol=1e-14)
    assert "infinite or NaN at 16 starts" in found.message


def test_the_table_reads_well():
    found = critical_points(lambda x: x[0] ** 2 - x[1] ** 2, SQUARE, starts=32)
    header, row, message = str(found).splitlines()
    assert header.split() == ["at", "f", "eigenvalues", "of", "H", "starts"]
    assert row.split() == ["saddle", "(0,", "0)", "0", "-2,", "2", "32"]
    assert message == (
        "1 critical point, met by at least 32 of 32 starts; ∇f turns −1 time around the edge: −1 saddle = −1; "
        "what is narrower than 18 % of the box may lie between the starts"
    )
    assert found[0].verdict == "saddle: f falls along 1 of 2 directions and rises along 1"


def test_turns_of_a_field():
    around = winding.circle(np.zeros(2), np.ones(2))
    for n in (-3, 0, 1, 5):
        power = lambda z, n=n: np.stack([((z @ [1, 1j]) ** n).real, ((z @ [1, 1j]) ** n).imag], axis=1)
        assert winding.turns(power, around) == n
    assert winding.turns(lambda z: z - [1, 0], around) is None
    assert winding.turns(lambda z: np.sign(z), winding.edge(np.array([[-1.0, 1.3], [-1, 1.4]]))) is None


SCALAR = lambda x: jnp.sum(x**2)


def looped(x):
    return jax.lax.while_loop(lambda c: c > 1, lambda c: c / 2, jnp.sum(x**2))


def called_back(x):
    return jax.pure_callback(lambda v: np.sum(v**2), jax.ShapeDtypeStruct((), x.dtype), x)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: critical_points(3, SQUARE), TypeError, "`f` must be a function"),
        (lambda: critical_points(lambda x, y: x * y, SQUARE), TypeError, "write lambda x: f"),
        (lambda: critical_points(lambda x: x**2, SQUARE), ValueError, "must return a single number"),
        (lambda: critical_points(lambda x: jnp.argmax(x), SQUARE), TypeError, "floating-point number"),
        (lambda: critical_points(lambda x: x[0] if x[0] > 0 else x[1], SQUARE), TypeError, "written in JAX"),
        (lambda: critical_points(looped, SQUARE), TypeError, "`f` must be differentiable by JAX"),
        (lambda: critical_points(called_back, SQUARE), TypeError, "`f` must be differentiable by JAX"),
        (lambda: critical_points(SCALAR, ((1, 1), (0, 1))), ValueError, "low < high"),
        (lambda: critical_points(SCALAR, ((0, np.inf),)), ValueError, "must be finite"),
        (lambda: critical_points(SCALAR, ((-1e308, 1e308),)), ValueError, "sides whose lengths are numbers"),
        (lambda: critical_points(SCALAR, ((-1e200, 1e200),)), ValueError, "must lie within ±1e.152"),
        (lambda: critical_points(SCALAR, "box"), ValueError, "a pair"),
        (lambda: critical_points(SCALAR, SQUARE, starts=0), ValueError, "`starts` must be at least 8"),
        (lambda: critical_points(SCALAR, SQUARE, gradient=SCALAR), ValueError, "`gradient` must have shape"),
        (
            lambda: critical_points(SCALAR, SQUARE, hessian=lambda x: x),
            ValueError,
            "`hessian` must have shape",
        ),
    ],
)
def test_misuse(call, kind, message, unchecked):
    with pytest.raises(kind, match=message):
        call()


def test_along_what_are_no_numbers(unchecked):
    point = critical_points(lambda p: p[0] ** 2 + p[1] ** 4, ((-1, 1), (-1, 1)), starts=16).points[0]
    for t in (None, "a", 1.0, [1j]):
        with pytest.raises(ValueError, match="`t` must"):
            along_valley(lambda p: p[0] ** 2 + p[1] ** 4, point, t)
        with pytest.raises(TypeError, match="`f` must be a function"):
            along_valley(t, point, np.zeros(2))


@pytest.mark.parametrize(
    "box",
    [([jax.random.key(0), 3.0], (-3, 3)), [[1], [1, 2]], (None, 1), "01", ((0, 10**400),)],
    ids=["key", "ragged", "None", "text", "huge"],
)
def test_boxes_that_are_none(box, unchecked):
    for search in (lambda box: critical_points(jnp.sum, box), lambda box: basins(lambda z: z**3 - 1, box)):
        with pytest.raises(ValueError, match="`box` must be a pair"):
            search(box)
