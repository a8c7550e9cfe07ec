"""The limit that training is compared with: C takes the same steps; and the suites around it judge what they found."""

import jax
import numpy as np
import pytest

import mvcalc_jax as mv
from benchmarks import ensembles, limit, products, training
from benchmarks.harness import Timing

pytestmark = pytest.mark.usefixtures("standard_promotion")
here = pytest.mark.skipif(bool(limit.missing()), reason=f"C: {limit.missing()}")


@pytest.mark.benchmark
@here
@pytest.mark.parametrize("samples", [1, 16, 37])
def test_c_takes_the_packages_steps(samples, rng):
    params = mv.network.init(rng, limit.SIZES, dtype=np.float32)
    x, y = rng.random((1, samples), np.float32), rng.random((2, samples), np.float32)
    found = limit.trained(params, x, y, 0.5, 20)
    ours = mv.steepest_descent(mv.network.jacobian, params, data=(x, y), steps=20, learning_rate=0.5)
    for (W, b), layer in zip(found, ours.params, strict=True):
        np.testing.assert_allclose(W, layer.W, atol=2e-6)
        np.testing.assert_allclose(b, layer.b, atol=2e-6)


@here
def test_subnormal_numbers_survive_the_library(rng):
    limit.trained(training.START, rng.random((1, 16)), rng.random((2, 16)), 0.1, 1)
    assert np.float32(1e-39) * np.float32(1) > 0
    assert np.float64(1e-310) * np.ones(1)[0] > 0


def test_without_a_compiler_the_row_says_so(monkeypatch):
    monkeypatch.setattr(limit.shutil, "which", lambda name: None)
    assert limit.missing() == "no C compiler; install gcc or clang"
    assert training.C not in training.contenders()
    times = {name: Timing(1.0, (1e-5, 2e-5)) for name in (training.OURS, training.EXERCISE, training.PEER)}
    first, *others = training.bars(times, {training.C: limit.missing()})
    assert first.held is None
    assert "no C compiler" in first.words
    assert [bar.held for bar in others] == [False, False]


@here
def test_a_compiler_that_refuses_is_quoted(monkeypatch, tmp_path):
    (tmp_path / "step.c").write_text("nonsense\n")
    monkeypatch.setattr(limit, "SOURCE", tmp_path / "step.c")
    with pytest.raises(RuntimeError, match=r"cannot compile step\.c: .*step\.c"):
        limit.trained(training.START, *training.DATA, 0.1, 7)


def test_bars_are_ratios_within_rounds():
    fast, slow = Timing(1.0, (1e-6, 3e-6)), Timing(1.0, (2e-6, 6e-6))
    of = {training.OURS: slow, training.C: fast, training.EXERCISE: slow, training.PEER: slow}
    c, *others = training.bars(of, {})
    assert c.held
    assert "2.00 times" in c.words
    assert [bar.held for bar in others] == [False, False]
    assert ensembles.judged({ensembles.OURS: slow, ensembles.C: fast}).held is False


@pytest.mark.benchmark
def test_members_end_where_they_do_alone():
    assert ensembles.alone(3)


def test_products_are_those_of_the_jacobian(rng):
    params = mv.network.init(rng, (2, 3, 2), dtype=np.float32)
    x, y = rng.random((2, 5), np.float32), rng.random((2, 5), np.float32)
    program = jax.make_jaxpr(lambda *args: products.products(*args, steps=1))(params, x, y)
    assert str(program).count("dot_general") == 5  # forward twice, back to each matrix, and once between
    moved = products.products(params, x, y, steps=3)
    assert [W.shape for W in moved] == [(3, 2), (2, 3)]
    assert all(np.isfinite(W).all() for W in moved)
