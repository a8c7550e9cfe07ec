"""The suites on when which way wins: their counts, intervals, break-evens and slopes, and that all of them run."""

import math
from pathlib import Path

import jax
import numpy as np
import pytest

import mvcalc_jax as mv
from benchmarks import breakeven, counts, gradients, growth, loops, spread, torch_peer
from benchmarks.growth import Point
from benchmarks.harness import Timing

pytestmark = pytest.mark.usefixtures("standard_promotion")


def test_the_interval_of_a_median_holds_it_as_often_as_it_says():
    rng = np.random.default_rng(0)
    found = [spread.ratio(rng.exponential(size=15).tolist()) for _ in range(2000)]
    held = np.mean([r.low <= math.log(2) <= r.high for r in found])
    assert held == pytest.approx(
        0.9926, abs=0.005
    )  # that of 15 values without the two outermost on either side
    few = spread.ratio([3.0, 1.0, 2.0])
    assert (few.median, few.low, few.high) == (2, 1, 3)


def test_a_compiled_loop_takes_the_steps_of_steepest_descent():
    def descended(start, data):
        return mv.steepest_descent(
            mv.network.jacobian, start, steps=4, learning_rate=loops.RATE, data=data
        ).params

    of = loops.problem((1, 3, 2), 5)
    loop = loops.compiled(mv.network.jacobian, of, 4)
    assert mv.descent.apart(loop.run(), descended(of.start, of.data)) < 1e-6
    assert loop.held > loop.temporary >= 0 and loop.first > 0
    many = loops.problem((1, 3, 2), 5, members=3)
    assert many.multiplications == 3 * of.multiplications
    first = lambda tree: jax.tree.map(lambda p: p[0], tree)
    together = loops.ensemble(mv.network.jacobian, many, 4).run()
    assert mv.descent.apart(first(together), descended(first(many.start), many.data)) < 1e-6


def test_the_compiler_finds_the_exponential_that_is_asked_for_twice():
    of = loops.problem((1, 20, 20, 2), 5)
    by = {way: counts.counts(jacobian, of) for way, jacobian in gradients.ways().items()}
    once = 5 * (20 + 20 + 2)
    assert not gradients.suited(of) and {c.transcendentals for c in by.values()} == {once}
    assert (
        by[gradients.HAND].written_transcendentals
        == 2 * by[gradients.GRAD].written_transcendentals
        == 2 * once
    )
    assert {c.products for c in by.values()} != {0}


def test_all_ways_by_hand_are_the_jacobian():
    of = loops.problem((1, 6, 7, 2), 20)
    expected = mv.network.jacobian(of.start, *of.data)
    assert gradients.suited(of)
    for way in (gradients.products, gradients.in_lanes):
        assert mv.descent.apart(jax.jit(way)(of.start, *of.data), expected) < 1e-6
    assert not gradients.suited(loops.problem((1, 20, 20, 2), 20))
    assert gradients.suited(loops.problem((1, 20, 20, 2), 20), 4)


@pytest.mark.parametrize(
    ("more", "less", "pays"), [(-1, 0, 1), (0, -1, 1), (10, 2, 6), (9, 2, 6), (1, 0, math.inf)]
)
def test_calls_until_compiling_has_paid(more, less, pays):
    assert breakeven.calls(more, less) == pays


def test_a_slope_is_that_of_time_over_work():
    points = [
        Point(k, 10**k, 2, Timing(0.0, (3 * 2 * 10 ** (1.1 * k), 9.0 * 10 ** (1.1 * k))), 0.0, 0, 0.0, True)
        for k in range(4)
    ]
    found = growth.slope(points)
    assert found is not None
    assert found.value == pytest.approx(1.1) and found.stderr < 1e-9 and found.sizes == (0, 3)
    assert growth.slope(points[:2]) is None


@pytest.mark.parametrize(
    ("beyond", "held"),
    [
        (growth.Slope(1.1, 0.02, (1, 2)), True),
        (growth.Slope(1.2, 0.02, (1, 2)), False),
        (growth.Slope(1.0, 0.5, (1, 2)), None),
        (None, None),
    ],
)
def test_a_slope_that_is_hardly_known_is_not_judged(beyond, held):
    assert growth._bar(growth.Curve("samples", "", [], None, beyond)).held is held


def test_the_last_cache_is_the_largest(tmp_path, monkeypatch):
    monkeypatch.setattr(growth, "CACHES", tmp_path)
    assert growth.last_cache("cpu") == 32 << 20
    for k, size in enumerate(("48K", "1024K", "32768K")):
        folder = Path(tmp_path, f"index{k}")
        folder.mkdir()
        (folder / "size").write_text(f"{size}\n")
    assert growth.last_cache("cpu") == 32 << 20


def test_pytorch_takes_the_same_steps_or_says_why_not():
    of = loops.problem((1, 6, 7, 2), 20)
    expected = mv.steepest_descent(mv.network.jacobian, of.start, steps=5, learning_rate=0.5, data=of.data)
    contenders, missing = torch_peer.contenders(of.start, of.data, 0.5), torch_peer.missing()
    assert {*contenders, *missing} == {*torch_peer.EAGER, *torch_peer.COMPILED}
    assert not {*contenders} & {*missing} and all(missing.values())
    for name, run in contenders.items():
        if name in torch_peer.EAGER:
            found = [mv.models.network.Layer(W, b) for W, b in run(5)]
            assert mv.descent.apart(found, list(expected.params)) < 1e-6, name


@pytest.mark.benchmark
@pytest.mark.parametrize("suite", [gradients, breakeven, growth])
def test_suites_run_at_toy_size(suite):
    found = suite.findings(suite.Config(quick=True, rounds=1))
    assert found.tables and found.conclusion and found.figures
