"""The loop: its trace, its chunks, resuming, interrupts, failures, ensembles, and what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.descent.loop import _plan

SCALES = np.array([1.0, 10.0])


def bowl(p):
    return jnp.sum(jnp.asarray(SCALES, p.dtype) * p**2) / 2


def d_bowl(p):
    return jnp.asarray(SCALES, p.dtype) * p


def square(p, x):
    return jnp.mean((p[0] - x) ** 2)


def d_square(p, x):
    return 2 * jnp.mean(p[0] - x, keepdims=True)


START = np.array([3.0, -2.0])


def leaves_equal(a, b):
    return all(np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


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
    for before, blocks, size in _plan(begun, steps, block, chunk):
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


@pytest.mark.parametrize("noise", [0.0, 1.0])
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


def test_whole_data_as_one_batch_is_no_batch(float64):
    x = np.linspace(0, 1, 10)
    whole = mv.steepest_descent(d_square, np.ones(1), steps=20, learning_rate=0.1, data=(x,))
    batch = mv.steepest_descent(
        d_square, np.ones(1), steps=20, learning_rate=0.1, data=(x,), batch_size=10, key=jax.random.key(0)
    )
    np.testing.assert_allclose(whole.trace.params, batch.trace.params, rtol=1e-12)


def test_too_large_a_rate_ends_with_the_step_and_the_last_finite_parameters(float64):
    quartic, d_quartic = (lambda p: jnp.sum(p**4) / 4), (lambda p: p**3)
    result = mv.steepest_descent(
        d_quartic, np.array([2.0]), steps=1000, learning_rate=1.0, cost=quartic, record_every=10
    )
    p, steps = 2.0, 0
    with np.errstate(all="ignore"):
        while np.isfinite((p - p**3) ** 4):
            p, steps = p - np.float64(p) ** 3, steps + 1
    assert result.status is mv.Status.NOT_FINITE
    assert result.steps == steps
    np.testing.assert_allclose(result.params, [p])
    assert f"stopped after step {steps}: the next one" in result.message
    assert "smaller learning rate" in result.message
    assert np.isfinite(result.trace.cost).all()
    assert result.trace.step[-1] <= steps


def d_quartic(p):
    return p**3


def quartic(p):
    return jnp.sum(p**4) / 4


@pytest.mark.parametrize("with_cost", [True, False])
@pytest.mark.parametrize(("record_every", "chunk"), [(1, 10), (10, 10), (25, 10), (7, 20), (1000, 1000)])
def test_a_late_failure_is_the_same_however_it_was_watched(record_every, chunk, with_cost, float64, capsys):
    """A schedule that is harmless for 50 steps and then is not."""
    options = {"learning_rate": lambda k: jnp.where(k < 50, 0.01, 30.0), "steps": 200}
    options |= {"cost": quartic} if with_cost else {}
    plain = mv.steepest_descent(d_quartic, np.array([2.0]), **options)
    watched = mv.steepest_descent(
        d_quartic, np.array([2.0]), record_every=record_every, chunk=chunk, progress=True, **options
    )
    assert watched.status is plain.status is mv.Status.NOT_FINITE
    assert 50 < watched.steps == plain.steps < 60
    assert watched.trace.step.tolist() == [*range(0, plain.steps, record_every), plain.steps]
    assert leaves_equal((watched.params, watched.cost), (plain.params, plain.cost))
    np.testing.assert_array_equal(watched.trace.params, plain.trace.params[watched.trace.step])
    if with_cost:
        assert watched.cost == watched.trace.cost[-1] == quartic(watched.params)


def test_a_failed_run_can_be_resumed_and_fails_again(float64):
    options = {"learning_rate": 1.0, "cost": quartic, "record_every": 10}
    failed = mv.steepest_descent(d_quartic, np.array([2.0]), steps=1000, **options)
    again = mv.steepest_descent(d_quartic, np.array([2.0]), steps=2000, resume=failed, **options)
    assert again.status is mv.Status.NOT_FINITE
    assert leaves_equal(again.params, failed.params)


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


def test_nan_at_the_start_is_said(float64):
    result = mv.steepest_descent(d_bowl, np.array([np.nan, 1.0]), steps=10, learning_rate=0.1, cost=bowl)
    assert result.status is mv.Status.NOT_FINITE
    assert result.steps == 0
    assert "before the first step" in result.message


def test_ctrl_c_keeps_what_there_is(float64):
    def watch(stream):
        for k, part in enumerate(stream):
            if k == 3:
                raise KeyboardInterrupt
            yield part

    result = mv.steepest_descent(d_bowl, START, steps=100, learning_rate=0.01, chunk=10, watch=[watch])
    assert result.status is mv.Status.INTERRUPTED
    assert result.steps == 30
    assert result.message == "stopped on request after step 30"
    assert result.trace.step.tolist() == list(range(31))
    whole = mv.steepest_descent(d_bowl, START, steps=100, learning_rate=0.01, chunk=10)
    again = mv.steepest_descent(d_bowl, START, steps=100, learning_rate=0.01, chunk=10, resume=result)
    assert leaves_equal(whole, again)


def test_vmap_over_rates_seeds_and_sizes_of_data_equals_a_loop(float64):
    x = np.linspace(0, 1, 8)

    def run(rate, seed, size):
        weights = (jnp.arange(8) < size).astype(float)
        return mv.steepest_descent(
            lambda p, x, w: 2 * jnp.sum(w * (p - x), keepdims=True) / w.sum(), jnp.ones(1),
            steps=30, learning_rate=rate, noise=0.3, key=jax.random.key(seed), record_every=7,
            data=(jnp.asarray(x), weights),
            cost=lambda p, x, w: jnp.sum(w * (p - x) ** 2) / w.sum(),
        )  # fmt: skip

    rates, seeds, sizes = jnp.array([0.1, 0.2, 0.05]), jnp.arange(3), jnp.array([8, 3, 5])
    many = jax.jit(jax.vmap(run))(rates, seeds, sizes)
    assert many.trace.cost.shape == (3, 6)
    assert many.message == "3 of 3 members took all their steps and stayed finite"
    for k in range(3):
        one = run(rates[k], seeds[k], sizes[k])
        np.testing.assert_allclose(many.params[k], one.params, rtol=1e-12)
        np.testing.assert_allclose(many.trace.cost[k], one.trace.cost, rtol=1e-12)


def test_vmap_reports_which_members_failed(float64):
    run = lambda rate: mv.steepest_descent(lambda p: p**3, jnp.array([2.0]), steps=40, learning_rate=rate)
    many = jax.vmap(run)(jnp.array([0.01, 1.0]))
    assert many.status.tolist() == [mv.Status.FINISHED, mv.Status.NOT_FINITE]


def test_an_ensemble_equals_its_members_and_survives_the_loss_of_one(float64):
    starts, keys = np.stack([START, 2 * START, START * np.nan]), jax.vmap(jax.random.key)(np.arange(3))
    options = {"steps": 35, "learning_rate": 0.02, "noise": 0.5, "cost": bowl, "record_every": 5, "chunk": 10}
    many = mv.steepest_descent(d_bowl, starts, key=keys, ensemble=True, **options)
    assert many.status.tolist() == [0, 0, -1]
    assert many.steps == 35
    assert many.trace.params.shape == (3, 8, 2)
    for k in range(2):
        one = mv.steepest_descent(d_bowl, starts[k], key=keys[k], **options)
        np.testing.assert_allclose(many.trace.params[k], one.trace.params, rtol=1e-12)
        np.testing.assert_allclose(many.trace.cost[k], one.trace.cost, rtol=1e-12)


def test_an_ensemble_resumes_bit_for_bit(float64):
    starts, keys = np.stack([START, 2 * START]), jax.vmap(jax.random.key)(np.arange(2))
    options = {"learning_rate": 0.02, "noise": 0.5, "cost": bowl, "chunk": 10, "key": keys, "ensemble": True}
    whole = mv.steepest_descent(d_bowl, starts, steps=50, **options)
    part = mv.steepest_descent(d_bowl, starts, steps=20, **options)
    assert leaves_equal(whole, mv.steepest_descent(d_bowl, starts, steps=50, resume=part, **options))


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


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"steps": 0}, ValueError, "`steps` must be at least 1; got 0"),
        ({"steps": 2.5}, TypeError, "`steps` must be a whole number; got 2.5"),
        ({"learning_rate": 0.0}, ValueError, "`learning_rate` must be positive; got 0"),
        ({"learning_rate": np.ones(3)}, TypeError, "`learning_rate` must be a single number"),
        ({"learning_rate": "fast"}, TypeError, "`learning_rate` must be a single number; got 'fast'"),
        ({"noise": np.ones(2), "key": jax.random.key(0)}, TypeError, "`noise` must be a single number"),
        (
            {"noise": 1.0, "key": jax.random.split(jax.random.key(0))},
            ValueError,
            r"`key` must have shape \(\), a single key",
        ),
        (
            {"ensemble": True, "params": {"a": np.ones((3, 1)), "b": np.ones((2, 1))}},
            ValueError,
            "all as long",
        ),
        ({"learning_rate": float("nan")}, ValueError, "`learning_rate` must be finite"),
        ({"noise": 1.0}, ValueError, "`key` is needed"),
        ({"noise": float("inf"), "key": 0}, ValueError, "`noise` must be finite"),
        ({"noise": 1.0, "key": 7}, TypeError, "`key` must come from jax.random.key; got int"),
        ({"record_every": 0}, ValueError, "`record_every` must be at least 1"),
        ({"chunk": 0}, ValueError, "`chunk` must be at least 1"),
        ({"batch_size": 3}, ValueError, "`batch_size` needs `data`"),
        ({"batch_size": 30, "data": (np.ones(5),)}, ValueError, "at most the 5 samples"),
        (
            {"batch_size": 2, "data": (np.ones(5), np.ones(4))},
            ValueError,
            r"all of one length; got lengths \[4, 5\]",
        ),
        ({"batch_size": 2, "data": (np.ones(5),)}, ValueError, "`key` is needed"),
        ({"params": np.array([1, 2])}, TypeError, "`params` must hold floating-point numbers; got int64"),
        ({"params": {"a": 3.0}}, TypeError, r"`params\['a'\]` must be an array"),
        ({"params": ()}, ValueError, "at least one array"),
        ({"jacobian": lambda p: {"a": p}}, ValueError, "`jacobian` must return the structure of `params`"),
        (
            {"jacobian": lambda p: p[:1]},
            ValueError,
            r"must be float64\[2\] like the parameter it belongs to; got float64\[1\]",
        ),
        ({"jacobian": lambda p: p.astype("float32")}, ValueError, r"got float32\[2\]"),
        ({"cost": lambda p: p}, ValueError, "`cost` must return a single number"),
        (
            {"steps": 10**9},
            ValueError,
            r"`record_every` must be larger: with 1 the trace takes 14.9 GiB.*record_every=15",
        ),
    ],
)
def test_misuse_is_said_before_any_step(change, error, message, float64, unchecked):
    arguments = {"jacobian": d_bowl, "params": START, "steps": 3, "learning_rate": 0.1} | change
    jacobian, params = arguments.pop("jacobian"), arguments.pop("params")
    with pytest.raises(error, match=message):
        mv.steepest_descent(jacobian, params, **arguments)


def test_resuming_with_fewer_steps_is_refused(float64):
    part = mv.steepest_descent(d_bowl, START, steps=20, learning_rate=0.1)
    with pytest.raises(ValueError, match="at least the 20 that `resume` has taken"):
        mv.steepest_descent(d_bowl, START, steps=10, learning_rate=0.1, resume=part)


def test_progress_bar_counts_to_the_end(capsys, monkeypatch, float64):
    import sys

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    mv.steepest_descent(d_bowl, START, steps=30, learning_rate=0.05, cost=bowl, chunk=10, progress=True)
    bar = capsys.readouterr().err.split("\r")[-1]
    assert "100%" in bar
    assert "30.0/30.0" in bar
    assert "cost " in bar
