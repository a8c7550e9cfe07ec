"""Coordinates against autodiff and their inverses; areas against closed forms, polygons, and each other."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mvcalc_jax import autodiff
from mvcalc_jax.calculus import (
    COORDINATES,
    Coordinates,
    areas,
    change_of_variables,
    refined_areas,
    shrinking_cell,
)
from mvcalc_jax.calculus.variables.change import Status
from tests.cases import long

pytestmark = pytest.mark.slow

EVERY = pytest.mark.parametrize("c", COORDINATES.values(), ids=COORDINATES)


def inside(c, rng, count=200):
    """Points of the box on which the inverse is unique."""
    low, high = np.array(c.box).T
    u = low + rng.random((count, len(low))) * (high - low)
    angles = [k for k, name in enumerate(c.variables) if name in ("φ", "ν", "θ")]
    angles = angles[:1]  # goes around; the second one of spherical coordinates comes down
    u[:, angles] = (u[:, angles] + np.pi) % (2 * np.pi) - np.pi
    return u


@EVERY
def test_by_hand_is_as_by_autodiff_and_there_is_a_way_back(c, rng, float64):
    d = len(c.variables)
    u, x = inside(c, rng), rng.normal(size=(200, d))
    odd = np.array([*np.zeros((1, d)), *np.eye(d), *-np.eye(d), *(1e-150 * np.eye(d)), *(1e100 * np.eye(d))])
    if c.name in (
        "twist",
        "elliptic",
    ):  # the one would turn 1e200 times, and the other's squares leave the numbers
        odd = odd[:-4]

    @jax.jit
    def program(u, x):
        forward, reverse = (autodiff.jacobian(c.f, mode=mode) for mode in ("forward", "reverse"))
        back = jax.vmap(lambda x: c.f(c.inverse(x)))(x)
        return *jax.vmap(lambda u: (c.jac(u), c.det(u), forward(u), reverse(u), c.inverse(c.f(u))))(u), back

    J, det, forward, reverse, again, back = program(u, np.concatenate([x, odd]))
    for exact in (forward, reverse):
        np.testing.assert_allclose(J, exact, atol=1e-13 * np.abs(exact).max())
    np.testing.assert_allclose(det, np.linalg.det(J), atol=1e-13 * np.abs(J).max() ** 2)
    np.testing.assert_allclose(again, u, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(back[:200], x, rtol=1e-12, atol=1e-14)
    size = np.linalg.norm(odd, axis=1) + (c.name == "elliptic")  # whose foci are a unit from the middle
    assert (np.linalg.norm(back[200:] - odd, axis=1) <= 1e-15 * size + 1e-160).all()


@EVERY
def test_precision_follows_the_point(c):
    at = np.full(len(c.variables), 0.7, np.float32)
    found = change_of_variables(c.name, at)
    assert {found.x.dtype, found.jacobian.dtype, found.back.dtype} == {np.dtype(np.float32)}
    np.testing.assert_allclose(found.back, at, rtol=1e-5)


def test_determinants_of_the_course():
    r, θ, φ = 1.7, 0.4, 2.1
    assert change_of_variables("polar", [r, φ]).det == pytest.approx(r, rel=1e-14)
    assert change_of_variables("spherical", [r, θ, φ]).det == pytest.approx(-(r**2) * np.sin(φ), rel=1e-14)
    by_autodiff = change_of_variables(
        Coordinates("own", ("r", "θ", "φ"), COORDINATES["spherical"].f), [r, θ, φ]
    )
    assert by_autodiff.det == pytest.approx(-(r**2) * np.sin(φ), rel=1e-13)
    assert by_autodiff.back is None


@pytest.mark.parametrize(
    ("coordinates", "at", "status"),
    [
        ("polar", [0, 0.3], Status.SINGULAR),
        ("polar", [1e-20, 0.3], Status.REGULAR),
        ("polar", [-1.0, 0.3], Status.REGULAR),
        ("cylindrical", [0, 1, 5], Status.SINGULAR),
        ("spherical", [2, 0.3, 0], Status.SINGULAR),
        ("spherical", [2, 0.3, np.pi], Status.SINGULAR),
        ("spherical", [0, 0.3, 1], Status.SINGULAR),
        ("spherical", [2, np.pi, 1], Status.REGULAR),
        ("elliptic", [0, 0], Status.SINGULAR),
        ("elliptic", [0, np.pi], Status.SINGULAR),
        ("elliptic", [0, 1.0], Status.REGULAR),
        ("parabolic", [0, 0], Status.SINGULAR),
        ("twist", [0, 0], Status.REGULAR),
        (lambda x, y: (x + y, 0.1 * (x + y)), [0.3, 0.7], Status.SINGULAR),
        (lambda x, y: (1e-9 * x, y), [0.3, 0.7], Status.REGULAR),
        (lambda x, y: (jnp.log(x), y), [0, 1], Status.NOT_FINITE),
        (lambda x: x**3, [0.0], Status.SINGULAR),
    ],
)
def test_singular_points_are_told_and_never_divided_by(coordinates, at, status):
    found = change_of_variables(coordinates, at)
    assert found.status is status
    assert (status.value in str(found)) == (status is not Status.REGULAR)


def test_areas_and_volumes_known_in_closed_form():
    for name, box, exact in (
        ("polar", ((0, 2), (0, 2 * np.pi)), 4 * np.pi),
        ("polar", ((0.5, 1), (0.1, 0.3)), 0.2 * (1 - 0.25) / 2),
        ("cylindrical", ((0, 2), (0, np.pi), (1, 4)), 6 * np.pi),
        ("spherical", ((0, 2), (0, 2 * np.pi), (0, np.pi)), 32 / 3 * np.pi),
        ("elliptic", ((0, 1.2), (0, 2 * np.pi)), np.pi * np.cosh(1.2) * np.sinh(1.2)),
        ("parabolic", ((0, 1), (0, 1)), 2 / 3),
        ("twist", ((-1, 1), (-1, 1)), 4),
    ):
        found = areas(name, box, cells=4)
        assert found.after.sum() == pytest.approx(exact, rel=1e-12), name


def test_areas_against_fine_polygons():
    box = ((0.2, 1.1), (-0.4, 0.9))
    found = areas("elliptic", box, cells=3)
    side = np.linspace(0, 1, 4001)
    square = np.concatenate([
        np.stack([side, 0 * side]), np.stack([0 * side + 1, side]),
        np.stack([1 - side, 0 * side + 1]), np.stack([0 * side, 1 - side]),
    ], axis=1)  # fmt: skip
    for low, high, after in zip(found.low, found.high, found.after, strict=True):
        μ, ν = low[:, None] + square * (high - low)[:, None]
        x, y = np.cosh(μ) * np.cos(ν), np.sinh(μ) * np.sin(ν)
        shoelace = np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2
        assert after == pytest.approx(shoelace, rel=1e-7)


@pytest.mark.parametrize("name", ["spherical", "elliptic", long("parabolic")])
def test_a_cells_error_falls_as_its_square_from_the_middle_and_as_its_width_from_the_corner(name):
    cell = shrinking_cell(name, np.full(len(COORDINATES[name].variables), 0.7), halvings=5)
    fell = lambda e: e[-2] / e[-1]
    assert fell(cell.middle) == pytest.approx(4, rel=1e-3)
    assert fell(cell.corner) == pytest.approx(2, rel=3e-2)
    assert f"÷ {fell(cell.middle):.3g}" in str(cell)


def test_polar_cells_are_known_exactly_from_their_middle_and_a_box_converges_over_its_singular_points():
    assert shrinking_cell("polar", [0.7, 1.0]).middle.max() < 1e-13
    found = refined_areas("elliptic", cells=(8, 16, 32))
    np.testing.assert_allclose(found.middle[:-1] / found.middle[1:], 4, rtol=0.01)
    np.testing.assert_allclose(found.corner[:-1] / found.corner[1:], 2, rtol=0.1)


def test_singular_and_folded_cells_are_reported():
    found = areas("polar", ((0, 2), (0, 6)), cells=(4, 3))
    assert found.singular.tolist() == [True] * 3 + [False] * 9
    assert np.isnan(found.errors(found.corner)[:3]).all()
    assert np.isfinite(found.errors(found.corner)[3:]).all()
    assert "3 of 12 cells touch a point where det J = 0" in str(found)
    alone = areas("polar", ((0, 1), (0, 1)), cells=1)
    assert "largest relative error" not in str(alone)
    fold = areas(lambda x, y: (x**2, y), ((-1, 1), (0, 1)), cells=(3, 1))
    assert fold.folded.tolist() == [False, True, False]
    assert shrinking_cell("polar", [0.0, 1.0]).middle.tolist() != []
    assert np.isnan(shrinking_cell("polar", [0.0, 1.0]).middle).all()
    pole = areas(lambda x, y: (1 / x, y), ((0, 1), (0, 1)), cells=(2, 1))
    assert pole.not_finite.tolist() == [True, False]
    assert "infinite or NaN" in pole.message


def test_a_wrong_determinant_is_seen_in_the_areas():
    right = COORDINATES["elliptic"]
    wrong = right._replace(det=lambda u: jnp.sinh(u[0]) ** 2 + jnp.cos(u[1]) ** 2)
    assert shrinking_cell(right, [0.7, 0.4]).middle[-1] < 1e-4
    assert shrinking_cell(wrong, [0.7, 0.4]).middle[-1] > 0.1


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda: areas("polr"), ValueError, "unknown coordinates 'polr'; did you mean 'polar'"),
        (lambda: areas(lambda x, y: (x, y)), ValueError, "`box` must be a pair"),
        (lambda: areas("polar", ((0, 1), (1, 1))), ValueError, "low < high"),
        (lambda: areas("polar", ((0, 1), (1, np.inf))), ValueError, "finite"),
        (lambda: areas("polar", ((0, 1), (1, 2), (1, 2))), ValueError, "variables r, φ; got 3"),
        (lambda: areas("polar", cells=0), ValueError, "at least 1"),
        (lambda: areas("polar", cells=(2, 2, 2)), ValueError, "a number for each of 2 axes"),
        (lambda: areas("polar", cells=1000), ValueError, "100000 cells at most"),
        (lambda: areas(lambda v: v, ((0, 1),) * 4, 1), ValueError, "one, two or three variables; got 4"),
        (lambda: change_of_variables("polar", [1, 2, 3]), ValueError, "variables r, φ; got 3"),
        (lambda: change_of_variables("polar", [np.nan, 2]), ValueError, "must be finite"),
        (lambda: change_of_variables("polar", 1.0), ValueError, "one vector"),
        (lambda: change_of_variables(3, [1.0]), TypeError, "must be a function; got int"),
        (lambda: change_of_variables(lambda u: u.sum(), [1.0, 2]), ValueError, r"shape \(2,\); got \(\)"),
        (lambda: change_of_variables(lambda x, y: np.array([float(x), 1]), [1.0, 2]), TypeError, "in JAX"),
        (
            lambda: change_of_variables(Coordinates("own", ("u", "v"), lambda u: u, lambda u: u), [1.0, 2]),
            ValueError,
            r"`own's jac` must return floating-point numbers of shape \(2, 2\)",
        ),
        (lambda: shrinking_cell("polar", [1.0, 2], width=0.0), ValueError, "`width` must be positive"),
        (lambda: shrinking_cell("polar", 1.0), ValueError, "vector of one, two or three"),
    ],
)
def test_misuse(call, kind, said, unchecked):
    with pytest.raises(kind, match=said):
        call()


def test_lengths_of_one_variable():
    found = areas(lambda u: u**3, ((0.5, 2),), 3)
    np.testing.assert_allclose(found.after, [1 - 1 / 8, 27 / 8 - 1, 8 - 27 / 8], rtol=1e-12)
    cell = shrinking_cell(lambda u: u**3, (1.0,))
    np.testing.assert_allclose(cell.middle[:-1] / cell.middle[1:], 4, rtol=0.05)


@pytest.mark.parametrize(("share", "at"), [(0.1, 0.03), (1.0, 0.0), long(0.1, 0.0), long(1.0, 0.03)])
def test_cells_across_a_kink_are_not_regular(at, share):
    bent = lambda u, v: jnp.stack([u + share * jnp.abs(v - at), 2 * v + share / 2 * jnp.abs(u - at)])
    found = areas(bent, ((-1, 1), (-1, 1)), 5)
    across = ((found.low < at) & (found.high > at)).any(axis=1)
    np.testing.assert_array_equal(found.bent | found.folded | found.singular, across)
    assert f"{across.sum()} of 25 cells have a kink in them" in found.message
    assert areas(bent, ((at, 1), (at, 2)), 3).regular.all()  # beside the kink
    one = shrinking_cell(bent, (at, at + 1.0))
    assert np.isnan(one.middle).all() and "have a kink in them" in one.sentence and "nan" not in str(one)


@EVERY
def test_smooth_cells_are_not_bent(c):
    assert not areas(c, cells=2).bent.any()


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_a_determinant_beyond_the_numbers_is_no_flat_map(size):
    point = change_of_variables(lambda u, v: jnp.stack([size * (u + v), size * (u - v)]), (1.0, 0.0))
    assert point.status is Status.OUT_OF_RANGE
    assert "measure u or x in other units" in str(point)
    flat = change_of_variables(lambda u, v: jnp.stack([size * (u + v), size * (u + v)]), (1.0, 0.0))
    assert flat.status in (Status.SINGULAR, Status.OUT_OF_RANGE if size > 1 else Status.SINGULAR)


def test_cells_that_grow_are_not_flat():
    grown = areas(lambda u, v: jnp.stack([jnp.exp(u), v]), ((0, 700), (0, 1)), 300)
    assert not grown.singular.any()


def test_a_box_longer_than_a_number_is_refused():
    with pytest.raises(ValueError, match="`box` must have sides whose lengths are numbers"):
        areas("polar", ((-1e308, 1e308), (0, 1)))


@pytest.mark.parametrize(("width", "halvings"), [(5e-324, 3), (1e-16, 0), (0.5, 60)])
def test_a_cell_without_an_inside(width, halvings):
    with pytest.raises(ValueError, match="wide, has no inside; take a wider one"):
        shrinking_cell("polar", (1.9, 0.9), width, halvings)


@pytest.mark.parametrize(
    ("part", "value"), [("jac", 3.0), ("det", "x"), ("inverse", 1.0), ("inverse", lambda x: x[:1])]
)
def test_parts_of_coordinates_that_are_none(part, value, unchecked):
    mine = COORDINATES["polar"]._replace(name="mine", **{part: value})
    with pytest.raises((TypeError, ValueError), match=f"`mine's {part}` must"):
        change_of_variables(mine, [1.0, 2.0])


@pytest.mark.parametrize("cells", [1j, 4, (), None, "48"], ids=str)
def test_refinements_are_several(cells, unchecked):
    with pytest.raises(TypeError, match="`cells` must be several numbers"):
        refined_areas("polar", cells=cells)


def test_refinements_of_no_area_have_no_errors():
    found = refined_areas(lambda x, y: (0 * x, y), ((0, 1), (0, 1)), cells=(1, 2))  # and no warning
    assert np.isnan(found.middle).all()


def test_variables_without_names(unchecked):
    mine = COORDINATES["polar"]._replace(variables=len)
    with pytest.raises(TypeError, match="`variables` of coordinates must be a tuple of names"):
        change_of_variables(mine, [1.0, 2.0])
