"""The benchmarks: what they time is right, and what they report follows from the times."""

import time

import jax
import numpy as np
import pytest

import mvcalc_jax as mv
from benchmarks import course, harness, linear, streaming, training

pytestmark = pytest.mark.usefixtures("standard_promotion")


def test_the_exercises_numpy_is_the_networks_jacobian(rng, float64):
    params = [(np.asarray(W, float), np.asarray(b, float)) for W, b in mv.network.init(rng, (1, 6, 7, 2))]
    x, y = rng.random((1, 9)), rng.random((2, 9))
    J = mv.network.jacobian(params, x, y)
    for step in (course.recomputing_step, course.sharing_step):
        after = step(params, x, y, 0.5)
        expected = jax.tree.map(lambda p, j: p - 0.5 * j, params, J)
        for a, b in zip(jax.tree.leaves(after), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def test_measure_tells_the_first_call_apart_and_takes_turns():
    calls = []

    def slow_at_first():
        calls.append("a")
        time.sleep(0.05 if len(calls) < 2 else 0.002)

    timings = harness.measure({"a": slow_at_first, "b": lambda: calls.append("b")}, rounds=3)
    assert calls == ["a", "b", "a", "b", "a", "b", "a", "b", "a", "b"]
    assert timings["a"].first > 0.04
    assert len(timings["a"].rounds) == 3
    assert timings["a"].typical < 0.04
    assert timings["a"].over(timings["b"]) > 1
    assert len(timings["a"].ratios(timings["b"])) == 3


def test_a_timing_speaks_of_its_spread():
    assert harness.Timing(1.0, (0.002, 0.004, 0.001)).spread == "1 ms – 4 ms"


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.5, "2.5 s"), (0.0123, "12.3 ms"), (4.56e-6, "4.56 µs"), (7e-9, "7 ns")]
)
def test_durations_are_spoken_in_a_unit_that_suits(seconds, text):
    assert harness.spoken(seconds) == text


def test_a_wrong_contender_is_refused():
    wrong = training.Contender(lambda count: jax.tree.map(lambda p: 1.01 * p, training.START), 5)
    with pytest.raises(AssertionError, match="wrong ends"):
        training.apart({"wrong": wrong})


@pytest.mark.parametrize(
    ("found", "certified", "digits"),
    [
        ([1.0, 2.002], [1.0, 2.0], 3),
        ([1e-7], [0.0], 7),
        ([3.0], [3.0], 15),
        ([np.nan], [1.0], 0),
        ([9.0], [1.0], 0),
    ],
)
def test_digits_are_those_of_the_worst_entry(found, certified, digits):
    assert linear.lre(found, certified) == pytest.approx(digits)


def test_others_lose_digits_that_we_keep():
    rows = {name: [float(cell) for cell in cells] for name, *cells in linear.digits()[1:]}
    assert len(rows) == 12
    ours, svd, qr, _, *_ = rows["worst"]
    assert ours >= 12 > qr > svd
    assert all(float(cells[1]) >= 12 for cells in linear.errors()[1:])


@pytest.mark.benchmark
def test_processes_share_a_file():
    found = streaming.findings(streaming.Config(fits=1500))
    assert [row[0] for row in found.tables[0].rows[1:3]] == ["array in memory", "file, streamed"]
    assert len(found.numbers["seconds"]["processes"]) == 3


@pytest.mark.timing
def test_a_compiled_step_is_thirty_times_as_fast_as_the_exercise():
    contenders = training.contenders()
    pair = {name: contenders[name] for name in (training.EXERCISE, training.OURS)}
    timings = harness.measure({name: lambda c=c: c.run(c.steps) for name, c in pair.items()}, rounds=15)
    slow, fast = (timings[name] for name in pair)
    a, b = (contender.steps for contender in pair.values())
    assert slow.over(fast) * b / a > 30
