"""The loop: its trace, its chunks, its draws, resuming, and who watches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.descent.ahead import planned
from tests.cases import long
from tests.problems import SCALES, START, bowl, d_bowl, d_square, leaves_equal, square


def test_path_on_a_quadratic_is_the_closed_form(precision):
    result = mv.steepest_descent(d_bowl, START, steps=20, learning_rate=0.05, cost=bowl)
    k = np.arange(21)[:, None]
    tolerance = {"float32": 1e-5, "float64": 1e-12}[precision]
    np.testing.assert_allclose(result.trace.params, START * (1 - 0.05 * SCALES) ** k, rtol=tolerance)
    np.testing.assert_array_equal(result.trace.step, np.arange(21))
    np.testing.assert_allclose(
        result.trace.cost, (SCALES * result.trace.params**2).sum(axis=1) / 2, rtol=tolerance
    )
    assert result.params.dtype == precision
    assert result.status is mv.Status.FINISHED
    assert result.steps == 20
    assert result.message == "took all 20 steps"
    assert result.cost == result.trace.cost[-1]
    np.testing.assert_array_equal(result.params, result.trace.params[-1])


@pytest.mark.parametrize("steps", [1, 2, 7, 30, 31])
@pytest.mark.parametrize("record_every", [1, 3, 10, 100])
@pytest.mark.parametrize("chunk", [1, 10, 1000])
def test_chunks_and_rows_do_not_change_the_path(steps, record_every, chunk, float64):
    whole = mv.steepest_descent(d_bowl, START, steps=31, learning_rate=0.05)
    result = mv.steepest_descent(
        d_bowl, START, steps=steps, learning_rate=0.05, cost=bowl, record_every=record_every, chunk=chunk
    )
    expected = sorted({*range(0, steps + 1, min(record_every, steps)), steps})
    assert result.trace.step.tolist() == expected
    np.testing.assert_array_equal(result.trace.params, whole.trace.params[expected])
    np.testing.assert_allclose(result.trace.cost, [bowl(p) for p in result.trace.params])


@pytest.mark.parametrize(
    ("begun", "steps", "block", "chunk"), [(0, 1000, 10, 100), (0, 31, 3, 9), (13, 50, 10, 20), (7, 8, 5, 5)]
)
def test_plan_covers_every_step_once_and_aligns_chunks(begun, steps, block, chunk):
    at = begun
    for before, blocks, size in planned(begun, steps, block, chunk):
        assert before == at
        assert blocks * size <= chunk
        assert at // chunk == (at + blocks * size - 1) // chunk
        at += blocks * size
    assert at == steps


def test_equal_chunks_compile_once():
    traces = []

    def counted(p):
        traces.append(None)
        return d_bowl(p)

    mv.steepest_descent(counted, START, steps=5000, learning_rate=0.01, record_every=100)
    once = len(traces)
    mv.steepest_descent(counted, START, steps=3000, learning_rate=0.02, record_every=100)
    assert len(traces) == once


def test_schedules_see_the_number_of_the_step(float64):
    result = mv.steepest_descent(
        d_bowl, START, steps=9, learning_rate=lambda k: 0.1 / (1 + k.astype(float)), chunk=4
    )
    expected = START.copy()
    for k in range(9):
        expected = expected - 0.1 / (1 + k) * SCALES * expected
    np.testing.assert_allclose(result.params, expected, rtol=1e-13, atol=1e-15)


def test_noise_is_one_factor_for_each_tensor_and_step(float64):
    start = {"a": np.ones(3), "b": np.ones((2, 2))}
    constant = lambda p: jax.tree.map(jnp.ones_like, p)
    result = mv.steepest_descent(
        constant, start, steps=2000, learning_rate=1.0, noise=0.5, key=jax.random.key(3), chunk=300
    )
    factors = {name: -np.diff(rows, axis=0).reshape(2000, -1) for name, rows in result.trace.params.items()}
    for f in factors.values():
        np.testing.assert_allclose(f, np.broadcast_to(f[:, :1], f.shape), atol=1e-12)
        assert f.mean() == pytest.approx(1, abs=0.05)
        assert f.std() == pytest.approx(0.5, abs=0.05)
    assert abs(np.corrcoef(factors["a"][:, 0], factors["b"][:, 0])[0, 1]) < 0.1
    assert abs(np.corrcoef(factors["a"][1:, 0], factors["a"][:-1, 0])[0, 1]) < 0.1


def test_noise_0_as_an_array_is_no_noise_to_the_last_bit(float64):
    plain = mv.steepest_descent(d_bowl, START, steps=50, learning_rate=0.05)
    silent = mv.steepest_descent(
        d_bowl, START, steps=50, learning_rate=0.05, noise=np.array(0.0), key=jax.random.key(0)
    )
    assert leaves_equal(plain.trace, silent.trace)


@pytest.mark.parametrize("noise", [long(0.0), 1.0])
def test_a_resumed_run_is_the_undisturbed_one_bit_for_bit(noise, precision):
    options = {
        "learning_rate": 0.01,
        "cost": square,
        "noise": noise,
        "key": jax.random.key(1),
        "batch_size": 3,
    }
    options |= {"data": (np.linspace(0, 1, 10),), "record_every": 5, "chunk": 20}
    whole = mv.steepest_descent(d_square, np.ones(1), steps=103, **options)
    part = mv.steepest_descent(d_square, np.ones(1), steps=40, **options)
    rest = mv.steepest_descent(d_square, np.ones(1), steps=103, resume=part, **options)
    assert leaves_equal(whole, rest)


def test_every_sample_comes_once_in_a_pass(float64):
    seen = []

    def watch(stream):
        for part in stream:
            seen.append(part)
            yield part

    x = np.arange(12.0)
    # With this Jacobian the parameter adds up the samples of each batch, in powers that tell them apart.
    mv.steepest_descent(
        lambda p, x: -jnp.sum(2.0**x, keepdims=True), np.zeros(1), steps=9, learning_rate=1.0,
        data=(x,), batch_size=4, key=jax.random.key(5), watch=[watch],
    )  # fmt: skip
    total = seen[-1].trace.params[:, 0]
    batches = np.diff(total).astype(int)
    for a_pass in batches.reshape(3, 3):
        assert all(bin(batch).count("1") == 4 for batch in a_pass)
        assert a_pass.sum() == 2**12 - 1
    assert len({tuple(p) for p in batches.reshape(3, 3)}) == 3


def test_costs_are_of_all_the_data_where_steps_see_batches(float64):
    x = np.linspace(0, 1, 10)
    options = {"data": (x,), "batch_size": 3, "key": jax.random.key(0), "cost": square, "record_every": 4}
    result = mv.steepest_descent(d_square, np.ones(1), steps=21, learning_rate=0.1, **options)
    expected = [square(p, x) for p in result.trace.params]
    np.testing.assert_allclose(result.trace.cost, expected, rtol=1e-14)
    assert result.cost == result.trace.cost[-1]


def test_whole_data_as_one_batch_is_no_batch(float64):
    x = np.linspace(0, 1, 10)
    whole = mv.steepest_descent(d_square, np.ones(1), steps=20, learning_rate=0.1, data=(x,))
    batch = mv.steepest_descent(
        d_square, np.ones(1), steps=20, learning_rate=0.1, data=(x,), batch_size=10, key=jax.random.key(0)
    )
    np.testing.assert_allclose(whole.trace.params, batch.trace.params, rtol=1e-12)


@pytest.mark.parametrize("record_every", [1, 7, 100])
@pytest.mark.parametrize("ensemble", [False, True])
def test_the_cost_is_that_of_the_parameters(record_every, ensemble, float64):
    start = np.stack([START, -START, 2 * START]) if ensemble else START
    options = {"steps": 33, "learning_rate": 0.03, "cost": bowl, "record_every": record_every, "chunk": 10}
    result = mv.steepest_descent(d_bowl, start, ensemble=ensemble, **options)
    np.testing.assert_allclose(result.cost, (jax.vmap(bowl) if ensemble else bowl)(result.params), rtol=1e-14)


@pytest.mark.parametrize("name", [name for name in mv.descent.RULES if name != "lbfgs"])
def test_every_rule_but_a_line_search_does_without_a_cost(name, float64, standard_promotion):
    rule = mv.descent.rule(name, 0.01)
    result = mv.descent.descend(rule, d_bowl, START, steps=500)
    assert result.cost is None and result.trace.cost is None
    assert bowl(result.params) < bowl(START) / 4


def test_a_stream_is_checked_at_once_and_computed_when_asked(float64):
    computed = []

    def jacobian(p):
        jax.debug.callback(lambda: computed.append(None))
        return d_bowl(p)

    stream = mv.descent.chunks(mv.descent.steepest(0.1), jacobian, START, steps=3)
    assert not computed
    parts = list(stream)
    assert [part.steps for part in parts] == [3]
    jax.effects_barrier()
    assert len(computed) == 3


def test_progress_bar_counts_to_the_end(capsys, monkeypatch, float64):
    import sys

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    mv.steepest_descent(d_bowl, START, steps=30, learning_rate=0.05, cost=bowl, chunk=10, progress=True)
    bar = capsys.readouterr().err.split("\r")[-1]
    assert "100%" in bar
    assert "30.0/30.0" in bar
    assert "cost " in bar


@pytest.mark.parametrize(
    "hessian", [3.0, "abc", [1.0], np.ones((2, 3)), np.array([[None]]), np.ones((1, 1)) * 1j], ids=str
)
def test_a_limit_of_what_is_no_matrix(hessian, unchecked):
    with pytest.raises((TypeError, ValueError), match="`hessian` must"):
        mv.descent.stability_limit(hessian)


def test_a_limit_of_matrices_in_any_precision(unchecked):
    for kind in ("float16", "longdouble", ">f8"):
        assert mv.descent.stability_limit(np.diag([1.0, 4.0]).astype(kind)) == 0.5


@pytest.mark.parametrize("rule", [None, "adam", 0.1, (len, len)], ids=str)
def test_a_rule_that_is_none(rule, float64, unchecked):
    with pytest.raises(TypeError, match="`rule` must be a Rule"):
        mv.descent.descend(rule, d_bowl, START, steps=1)


def test_parameters_that_can_be_read_once_only(float64, unchecked):
    with pytest.raises(TypeError, match="`params` must be a tree of arrays; got list_iterator"):
        mv.steepest_descent(d_bowl, iter([1.0]), steps=1, learning_rate=0.1)


def test_a_descent_that_has_not_begun_can_be_shown(float64):
    begun = mv.descent.begin(mv.descent.steepest(0.1), START, cost=bowl)
    assert str(begun) and begun._repr_html_()


def test_a_rate_that_is_a_function_of_the_step_is_a_number(unchecked):
    for wrong in (lambda step: jax.random.key(0), lambda step: step > 0, lambda step: None):
        with pytest.raises(TypeError, match=r"`learning_rate\(step\)` must be a single number"):
            mv.descent.steepest(wrong)
