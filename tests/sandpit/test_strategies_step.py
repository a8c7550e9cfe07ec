"""Strategies: each step by hand, the trust region against a search of all directions, optax against optax."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mvcalc_jax.sandpit import STRATEGIES, floor, walk
from mvcalc_jax.sandpit.floors.family import double
from mvcalc_jax.sandpit.strategies.trust import within

PLACE = np.array([2.0, 3.0]), -4.0, np.array([1.0, -2.0]), np.array([[2.0, 1.0], [1.0, 3.0]])


def step(name, place=PLACE, rate=None, state=None):
    strategy = STRATEGIES[name]
    state = strategy.begin(place[0]) if state is None else state
    return strategy.next(state, *place, rate)


def test_the_courses_four_come_first_and_eight_in_all():
    assert tuple(STRATEGIES) == (
        "constant", "gradient", "newton", "hybrid", "momentum", "adam", "line-search", "trust-region",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "rate", "expected"),
    [
        ("constant", None, [1, 0]),
        ("constant", 0.25, [0.25, 0]),
        ("gradient", None, [-0.5, 1]),
        ("gradient", 0.1, [-0.1, 0.2]),
        ("newton", None, [-1, 1]),
        ("hybrid", None, [-1, 1]),
        ("momentum", 0.1, [-0.1, 0.2]),
        ("line-search", 0.1, [-0.1, 0.2]),
        ("adam", 0.1, [-0.1, 0.1]),
    ],
)
def test_first_steps(name, rate, expected):
    np.testing.assert_allclose(step(name, rate=rate)[1], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("H", "expected"),
    [
        (-np.eye(2), [-0.5, 1]),  # Newton's step goes uphill, to the top
        (0.1 * np.eye(2), [-0.5, 1]),  # is long
        (np.zeros((2, 2)), [-0.5, 1]),  # is none at all
        (np.diag([1.0, -1e9]), [-1, 0]),  # goes down, although this is a saddle
    ],
    ids=["uphill", "long", "singular", "saddle"],
)
def test_hybrid_takes_newtons_step_where_it_is_short_and_goes_down(H, expected):
    np.testing.assert_allclose(step("hybrid", (*PLACE[:3], H))[1], expected, atol=1e-8)


def test_newton_finds_maxima_and_saddles_too_and_nothing_where_the_hessian_is_singular():
    np.testing.assert_allclose(step("newton", (*PLACE[:3], -np.eye(2)))[1], [1, -2])
    assert not np.isfinite(step("newton", (*PLACE[:3], np.ones((2, 2))))[1]).all()
    wells = floor("wells")
    top = walk(wells, STRATEGIES["newton"], (3.5, 1.5)).positions[-1]
    np.testing.assert_allclose(top, wells.highest, atol=1e-5)
    saddle = floor("saddle", 0)
    end = walk(saddle, STRATEGIES["newton"], (2.8, 3.0)).positions[-1]
    λ = np.linalg.eigvalsh(saddle.hessian(end))
    assert λ[0] < 0 < λ[1]
    assert np.linalg.norm(saddle.gradient(end)) < 1e-4


@pytest.mark.parametrize(
    ("name", "rule"),
    [("momentum", optax.sgd(0.05, momentum=0.9)), ("adam", optax.adam(0.4))],
    ids=["momentum", "adam"],
)
def test_optaxs_rules_are_optaxs(name, rule):
    pit, p = floor("random", 3), np.array([2.0, 2.0])
    walked = walk(pit, STRATEGIES[name], p, 8).positions
    with double():
        state = rule.init(jnp.asarray(p))
        for k in range(len(walked)):
            np.testing.assert_allclose(walked[k], p, atol=1e-12)
            update, state = rule.update(jnp.asarray(pit.gradient(p)), state, jnp.asarray(p))
            p = p + np.asarray(update)


def valley(p):
    """f = x² + 10 y², with its derivatives."""
    return np.array(p), p[0] ** 2 + 10 * p[1] ** 2, np.array([2 * p[0], 20 * p[1]]), np.diag([2.0, 20.0])


def test_line_search_goes_back_halfway_until_it_is_lower_and_then_farther():
    p, state = np.array([1.0, 0.5]), None
    g = valley(p)[2]
    state, s = step("line-search", valley(p), 0.4, state)
    np.testing.assert_allclose(s, -0.4 * g)
    q = p
    for share in (0.2, 0.1):  # both dips before are higher, and taken back
        q = q + s
        assert valley(q)[1] > valley(p)[1]
        state, s = step("line-search", valley(q), 0.4, state)
        np.testing.assert_allclose(q + s, p - share * g, atol=1e-14)
    q = q + s
    assert valley(q)[1] < valley(p)[1]
    _, s = step("line-search", valley(q), 0.4, state)
    np.testing.assert_allclose(s, -0.2 * valley(q)[2])  # twice as far as what was good


def test_line_search_wants_more_than_a_little():
    """A step along which f falls by less than 10⁻⁴ of what the slope promised is taken back."""
    p = np.array([2.0, 0.0])
    state, s = step("line-search", valley(p), 0.99999, None)
    q = p + s
    assert valley(q)[1] < valley(p)[1]
    _, s = step("line-search", valley(q), 0.99999, state)
    np.testing.assert_allclose(q + s, p - 0.99999 / 2 * valley(p)[2])


HESSIANS = {
    "hollow": np.array([[2.0, 0.5], [0.5, 1.0]]),
    "saddle": np.array([[1.0, 2.0], [2.0, -1.0]]),
    "hilltop": np.array([[-2.0, 0.3], [0.3, -1.0]]),
    "ridge": np.diag([1.0, 0.0]),
    "plain": np.zeros((2, 2)),
}
GRADIENTS = {"steep": [3.0, -1.0], "gentle": [1e-3, 2e-3], "level": [0.0, 0.0], "across": [1.0, 0.0]}


@pytest.mark.parametrize("H", HESSIANS.values(), ids=HESSIANS)
@pytest.mark.parametrize("g", GRADIENTS.values(), ids=GRADIENTS)
@pytest.mark.parametrize("radius", [0.1, 2.0])
def test_no_step_within_the_radius_promises_more(H, g, radius):
    g = np.array(g)
    with jax.enable_x64(True):
        s = np.asarray(within(jnp.asarray(g), jnp.asarray(H), radius))
    assert np.linalg.norm(s) <= radius * (1 + 1e-9)
    r, φ = np.meshgrid(radius * np.linspace(0, 1, 201), np.linspace(0, 2 * np.pi, 721))
    tried = np.stack([r * np.cos(φ), r * np.sin(φ)])
    model = np.einsum("i,i...->...", g, tried) + np.einsum("i...,ij,j...->...", tried, H, tried) / 2
    assert g @ s + s @ H @ s / 2 <= model.min() + 1e-9 * (1 + np.abs(model).max())


def test_a_trust_region_leaves_a_saddle_and_a_hilltop_on_which_it_stands():
    saddle, wells = floor("saddle", 0), floor("wells")
    end = walk(saddle, STRATEGIES["newton"], (2.8, 3.0)).positions[-1]
    for pit, start in ((saddle, end), (wells, wells.highest)):
        away = walk(pit, STRATEGIES["trust-region"], start)
        assert away.depths[-1] < away.depths[0] - 0.1
        λ = np.linalg.eigvalsh(pit.hessian(away.positions[-1]))
        assert λ[0] > 0 or away.end.name == "LEFT"


def test_a_trust_region_never_stays_where_it_is_higher():
    """A dip that is higher is taken back by the next step, so the lowest so far is never left for good."""
    for seed in range(5):
        way = walk(floor("rocks", seed), STRATEGIES["trust-region"], (3.0, 3.0))
        for k in range(2, way.dips):
            if way.depths[k - 1] >= way.depths[: k - 1].min():
                at = way.positions[int(way.depths[: k - 1].argmin())]
                far = np.linalg.norm(way.positions[k] - at)
                assert far < np.linalg.norm(way.positions[k - 1] - at)


def test_a_strategy_is_compiled_once_for_all_floors():
    calls = []

    def traced(*args):
        calls.append(args)
        return STRATEGIES["hybrid"].step(*args)

    strategy = replace(STRATEGIES["hybrid"], step=traced)
    for name in ("wells", "cliff", "saddle"):
        walk(floor(name, 1), strategy, (2.0, 2.0), learning_rate=0.2)
        walk(floor(name, 2), strategy, (4.0, 2.0))
    assert len(calls) == 1


@pytest.mark.parametrize("rate", [0.0, -1.0, np.inf, np.nan])
def test_a_learning_rate_is_positive(rate):
    with pytest.raises(ValueError, match="`learning_rate` must be"):
        walk(floor("wells"), STRATEGIES["gradient"], (2.0, 2.0), learning_rate=rate)
