"""The floors: derivatives by hand, minima, the phone, the scale, and that a seed is one pit."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax import compiling
from mvcalc_jax.sandpit.floors import FLOORS, NEAR, catalogue, floor
from mvcalc_jax.sandpit.floors.family import bends
from mvcalc_jax.sandpit.floors.survey import survey
from tests.conftest import TOLERANCE

COURSE = ("wells", "random", "eggbox", "rocks", "narrow")


def test_the_courses_five_come_first():
    assert tuple(FLOORS)[:5] == COURSE
    assert len(FLOORS) == 9
    assert all(family.title.endswith(".") for family in FLOORS.values())


def test_the_courses_wells_are_those_of_the_course(rng):
    pit = floor("wells")
    np.testing.assert_allclose(pit.lowest, [1.2128, 4.0093], atol=5e-5)
    formula = lambda x, y: (
        -((x - 4.1) ** 2 + (y - 0.9) ** 2) - 30 * np.exp(-((x - 1.5) ** 2 + (y - 3.7) ** 2) / 2.8)
    )
    points = 6 * rng.random((50, 2))
    raw, low, high = formula(*points.T), formula(*pit.lowest), formula(*pit.highest)
    np.testing.assert_allclose(pit.heights(points), -9 + 8 * (raw - low) / (high - low), rtol=1e-12)


def test_the_courses_series_and_wall(rng):
    A, φ, ψ = rng.random((4, 4)), rng.random(4), rng.random(4)
    x, y = 6 * rng.random(2)
    n = np.arange(4)
    waves = lambda k: sum(
        A[i, j] * np.cos(k * np.pi * i * x / 6 + φ[i]) * np.cos(k * np.pi * j * y / 6 + ψ[j])
        for i in n
        for j in n
    )
    wall = (1 - x * (x - 6) * y * (y - 6) / 81) ** 7 / 9
    c, p = catalogue.FLOORS["random"].draw(rng)._replace(A=A, along_x=φ, along_y=ψ), np.array([x, y])
    with jax.enable_x64(True):
        np.testing.assert_allclose(FLOORS["random"].value(c, p), waves(1) + wall, rtol=1e-13)
        np.testing.assert_allclose(FLOORS["rocks"].value(c, p), waves(1) + wall + waves(10) / 25, rtol=1e-13)


def points_of(name, pit):
    """A point anywhere, and those at which a formula has a case of its own."""
    yield np.random.default_rng(5).uniform(0.3, 5.7, 2)
    if name == "eggbox":  # where the sinc is a series, and where that ends
        yield pit.coefficients.middle + 1e-9
        yield pit.coefficients.middle + np.linalg.solve(pit.coefficients.turn, [0.3, 0.1])
    if name == "saddle":  # on the ridge
        yield (pit.coefficients.first + pit.coefficients.second) / 2
    if name == "cliff":  # on the edge of the box, and on that of the cliff
        yield np.array([0.0, 6.0])
        yield pit.coefficients.s * pit.coefficients.n


@pytest.mark.slow
def test_derivatives_by_hand_are_those_of_autodiff():
    """Of all families but two: rocks are random with a series more, and narrow is random with what wells have."""
    pits = [floor(name, 3) for name in FLOORS if name not in ("random", "narrow")]
    up_to_slopes = lambda p: [(pit.depth(p), pit.gradient(p)) for pit in pits]
    by_hand = lambda p: [(pit.gradient(p), pit.hessian(p)) for pit in pits]
    both = lambda p: (by_hand(p), jax.jacfwd(up_to_slopes)(p))
    with jax.enable_x64(True):
        points = jnp.asarray(np.random.default_rng(5).uniform(0.3, 5.7, (5, 2)))
        found = jax.jit(jax.vmap(both), compiler_options=compiling.quickly())(points)
    for a, b in zip(*map(jax.tree.leaves, found), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=TOLERANCE["float64"] * np.abs(b).max())


@pytest.mark.parametrize("name", ["eggbox", "saddle", "cliff"])
def test_derivatives_by_hand_are_right_where_formulas_have_cases(name):
    pit = floor(name, 3)
    with jax.enable_x64(True):
        points = jnp.asarray(list(points_of(name, pit)))
        by_hand = lambda p: (pit.gradient(p), pit.hessian(p))
        by_machine = lambda p: (jax.grad(pit.depth)(p), jax.hessian(pit.depth)(p))
        both = jax.jit(jax.vmap(lambda p: (by_hand(p), by_machine(p))), compiler_options=compiling.quickly())
        for a, b in zip(*both(points), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@pytest.mark.long
@pytest.mark.parametrize("name", FLOORS)
@pytest.mark.parametrize("seed", range(10))
def test_derivatives_by_hand_are_proved_for_more_seeds(name, seed):
    pit = floor(name, seed)
    with jax.enable_x64(True):
        p = jnp.asarray(np.random.default_rng(seed).uniform(0.1, 5.9, 2))
        mv.assert_hessian(pit.depth, pit.hessian, p)
        mv.assert_jacobian(pit.depth, pit.gradient, p)


@pytest.mark.long
def test_a_wrong_derivative_would_be_seen():
    pit = floor("saddle", 3)
    with jax.enable_x64(True):
        p = jnp.array([2.0, 3.0])
        with pytest.raises(AssertionError):
            mv.assert_jacobian(pit.gradient, lambda p: pit.hessian(p) * (1 + 1e-6), p)


@pytest.mark.parametrize("name", FLOORS)
def test_one_call_tells_what_three_do(name, rng):
    pit, p = floor(name, 2), 6 * rng.random(2)
    depth, g, H = pit.look(p)
    assert (depth, g.shape, H.shape) == (pit.depth(p), (2,), (2, 2))
    np.testing.assert_array_equal(g, pit.gradient(p))
    np.testing.assert_array_equal(H, pit.hessian(p))
    np.testing.assert_allclose(pit.heights(p[None]), depth, rtol=1e-13)
    assert depth.dtype == g.dtype == H.dtype == np.float64
    assert len(pit.heights(np.zeros((0, 2)))) == 0
    with jax.enable_x64(True):
        three = lambda p: (pit.depth(p), pit.gradient(p), pit.hessian(p))
        traced = jax.jit(three, compiler_options=compiling.quickly())(p)
    for a, b in zip(traced, (depth, g, H), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def minima(pit):
    """As `critical_points` finds them, deepest first."""
    found = mv.critical_points(pit.depth, pit.box, gradient=pit.gradient, hessian=pit.hessian)
    return np.array([p.point for p in found.of("minimum")])


def compared(name, seed):
    pit = floor(name, seed)
    np.testing.assert_allclose(pit.minima, minima(pit), atol=1e-9)


@pytest.mark.slow
def test_minima_are_those_of_critical_points():
    compared("saddle", 5)


@pytest.mark.long
@pytest.mark.parametrize("name", FLOORS)
@pytest.mark.parametrize("seed", range(7))
def test_minima_are_those_of_critical_points_for_more_seeds(name, seed):
    compared(name, seed)


@pytest.mark.parametrize("name", FLOORS)
@pytest.mark.parametrize("seed", range(4))
def test_the_phone_is_at_the_lowest_point_and_the_scale_is_in_metres(name, seed):
    playable(name, seed)


@pytest.mark.long
@pytest.mark.parametrize("name", FLOORS)
def test_a_thousand_seeds_can_be_played(name):
    for seed in range(1000):
        playable(name, seed)


def playable(name, seed):
    """All that a pit must be, told from the depths on a grid other than the survey's."""
    pit, family = floor(name, seed), FLOORS[name]
    t = np.linspace(0, 6, 71)
    grid = np.stack(np.meshgrid(t, t), axis=-1).reshape(-1, 2)
    depths, at_minima = pit.heights(grid), pit.heights(pit.minima)
    assert abs(at_minima[0] + 9) < 1e-12
    assert abs(pit.heights(pit.highest[None])[0] + 1) < 1e-12
    assert depths.min() > -9 - 1e-12
    assert -1.06 < depths.max() < -1 + 1e-9
    assert (pit.lowest > 2 * NEAR).all()
    assert (pit.lowest < 6 - 2 * NEAR).all()
    assert (np.diff(at_minima) >= 0).all()
    assert (at_minima[1:] >= -9 + family.apart - 1e-9).all()
    square = np.pad(depths.reshape(71, 71), 1, constant_values=np.inf)
    around = [np.roll(square, by, (0, 1)) for by in np.ndindex(3, 3) if by != (1, 1)]
    low = (square <= np.min([np.roll(a, (-1, -1), (0, 1)) for a in around], axis=0))[1:-1, 1:-1].ravel()
    edge = ((grid == 0) | (grid == 6)).any(axis=1)
    assert depths[edge].min() > -9 + 0.01
    assert (depths[edge & low] > -9 + family.apart - 1e-9).all()
    assert family.minima[0] <= len(pit.minima) <= family.minima[1]
    assert all(np.linalg.norm(pit.gradient(p)) < 1e-8 for p in pit.minima)
    assert all(np.linalg.eigvalsh(pit.hessian(p))[0] > 0 for p in pit.minima)


def test_an_eggbox_has_six_to_eight_hollows_of_which_one_is_deep():
    for seed in range(8):
        depths = floor("eggbox", seed).heights(floor("eggbox", seed).minima)
        assert 6 <= len(depths) <= 8
        assert depths[1] > -4


@pytest.mark.parametrize(
    ("name", "seed", "count", "phone"),
    [
        ("wells", 1, 1, (4.547788664, 2.638918765)),
        ("random", 1, 2, (5.310735707, 4.602076997)),
        ("random", 2026, 3, (1.112420777, 0.730609680)),
        ("eggbox", 1, 6, (2.489195149, 3.865286110)),
        ("eggbox", 2026, 7, (2.036804441, 3.419739497)),
        ("rocks", 1, 17, (3.068672868, 2.546344342)),
        ("rocks", 2026, 15, (3.983213747, 5.550214586)),
        ("narrow", 1, 4, (5.215409740, 4.076600745)),
        ("narrow", 2026, 2, (2.757872850, 2.357264151)),
        ("valley", 1, 1, (1.416133781, 2.422421465)),
        ("plateau", 1, 1, (3.042557849, 4.621669307)),
        ("saddle", 1, 2, (4.472996674, 2.871069494)),
        ("cliff", 1, 1, (4.738990721, 3.486230142)),
    ],
)
def test_a_seed_is_the_same_pit_on_every_machine(name, seed, count, phone):
    """Numbers written down once; other machines, and other versions of NumPy and JAX, must come to them, too."""
    pit = floor(name, seed)
    assert len(pit.minima) == count
    np.testing.assert_allclose(pit.lowest, phone, atol=1e-8)


def test_other_seeds_are_other_pits():
    for name in FLOORS:
        phones = np.array([floor(name, seed).lowest for seed in range(6)])
        away = np.linalg.norm(phones[:, None] - phones, axis=2) + 6 * np.eye(6)
        assert away.min() > 1e-3, name


def test_a_new_pit_of_a_known_family_compiles_nothing(monkeypatch):
    calls = []

    def traced(c, p):
        calls.append(p)
        return FLOORS["cliff"].value(c, p)

    def dug(seed):
        pit = floor("watched", seed)
        pit.look(np.array([3.0, 2.0]))
        pit.heights(np.ones((7, 2)))
        pit.heights(np.ones((5000, 2)))

    monkeypatch.setitem(FLOORS, "watched", replace(FLOORS["cliff"], value=traced))
    dug(1)
    before = len(calls)
    for seed in range(2, 6):
        dug(seed)
    assert len(calls) == before > 0


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        (("wels",), ValueError, "unknown floor 'wels'; did you mean 'wells'"),
        (("wells", -1), ValueError, "`seed` must be at least 0; got -1"),
        (("wells", 1.5), TypeError, "`seed` must be a whole number"),
    ],
    ids=str,
)
def test_misuse_of_floors(args, error, message):
    with pytest.raises(error, match=message):
        floor(*args)


def test_no_floor_is_given_that_cannot_be_played(monkeypatch):
    monkeypatch.setattr(catalogue, "playable", lambda family, lie: False)
    monkeypatch.setattr(catalogue, "_DRAWS", 2)
    with pytest.raises(
        ValueError, match="no floor of cliff with the seed 987 can be played; take another seed"
    ):
        floor("cliff", 987)


def test_what_cannot_be_played_is_drawn_again(rng):
    family = FLOORS["random"]
    lies = [survey(family, family.draw(rng)) for _ in range(40)]
    kept = [catalogue.playable(family, lie) for lie in lies]
    assert 0 < sum(kept) < 40
    for lie, good in zip(lies, kept, strict=True):
        metre = (lie.top - lie.bottom) / 8
        if good:
            assert lie.edge - lie.heights[0] >= family.apart * metre
            assert (lie.heights[1:] - lie.heights[0] >= family.apart * metre).all()


def test_eigenvalues_of_two_by_two(rng):
    for H in (
        rng.normal(size=(2, 2)),
        np.eye(2),
        np.zeros((2, 2)),
        np.diag([3.0, -1.0]),
        np.diag([-1.0, 3.0]),
    ):
        H = H + H.T
        with jax.enable_x64(True):
            λ, V = (np.asarray(a) for a in bends(jnp.asarray(H)))
        np.testing.assert_allclose(λ, np.linalg.eigvalsh(H), atol=1e-14)
        np.testing.assert_allclose(V @ np.diag(λ) @ V.T, H, atol=1e-14)
        np.testing.assert_allclose(V.T @ V, np.eye(2), atol=1e-14)


@pytest.mark.parametrize("p", ["12", None, [1j, 2], [[1, 2]], 3.0, [10**400, 1]], ids=str)
def test_places_that_are_none(p, unchecked):
    pit = floor("wells")
    for look in (pit.depth, pit.gradient, pit.hessian, pit.look, pit.heights):
        if p == [[1, 2]] and look == pit.heights:
            continue
        with pytest.raises(ValueError, match="`p` must"):
            look(p)


@pytest.mark.parametrize("name", [None, 3, ["wells"], np.array("wells")], ids=str)
def test_names_of_floors_that_are_no_text(name, unchecked):
    with pytest.raises(ValueError, match="unknown floor"):
        floor(name)
    with pytest.raises(TypeError, match="a function is named by a text"):
        mv.sandpit.own_floor(name)
