"""How a descent ends that does not take all its steps: failed, interrupted, or refused."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import mvcalc_jax as mv
from tests.problems import START, bowl, d_bowl, d_quartic, d_square, leaves_equal, quartic


def test_too_large_a_rate_ends_with_the_step_and_the_last_finite_parameters(float64):

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


def test_nan_at_the_start_is_said(float64):
    result = mv.steepest_descent(d_bowl, np.array([np.nan, 1.0]), steps=10, learning_rate=0.1, cost=bowl)
    assert result.status is mv.Status.NOT_FINITE
    assert result.steps == 0
    assert "before the first step" in result.message
    result = mv.steepest_descent(d_bowl, np.array([np.nan, 1.0]), steps=10, learning_rate=0.1)
    assert "before the first step" in result.message
    data = (np.array([1.0, np.nan]),)
    result = mv.steepest_descent(d_square, np.ones(1), steps=10, learning_rate=0.1, data=data)
    assert "stopped at the first step" in result.message
    assert "look at the data" in result.message


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
        (
            {"cost": lambda p: p},
            ValueError,
            r"`cost` must return a single floating-point number; got float64\[2\]",
        ),
        ({"cost": lambda p: jnp.argmax(p)}, ValueError, r"a single floating-point number; got int64\[\]"),
        ({"cost": 3.0}, TypeError, "`cost` must be a function; got float"),
        ({"jacobian": None}, TypeError, "`jacobian` must be a function; got NoneType"),
        ({"jacobian": lambda p: np.sin(p)}, TypeError, "`jacobian` must be written in JAX"),
        ({"jacobian": lambda p: p if p[0] > 0 else -p}, TypeError, "it raises TracerBoolConversionError"),
        (
            {"learning_rate": lambda k: 0.1 if k < 3 else 0.01},
            TypeError,
            "`learning_rate` must be written in JAX",
        ),
        ({"learning_rate": lambda k: None}, TypeError, r"`learning_rate\(step\)` must be a single number"),
        (
            {"learning_rate": lambda k: jnp.ones(2)},
            TypeError,
            r"`learning_rate\(step\)` must be a single number",
        ),
        ({"data": np.ones(3)}, TypeError, r"`data` must be a tuple of arrays, such as \(x, y\); got ndarray"),
        ({"data": None}, TypeError, "`data` must be a tuple of arrays"),
        ({"data": ([1.0], "x")}, TypeError, r"got \['list', 'str'\]"),
        ({"noise": -1.0, "key": jax.random.key(0)}, ValueError, "`noise` must not be negative; got -1"),
        ({"watch": lambda stream: stream}, TypeError, "`watch` must be a list of watchers; got function"),
        ({"watch": [lambda stream: None]}, TypeError, "returned NoneType"),
        ({"watch": [lambda stream: map(id, stream)]}, TypeError, "must be a generator function"),
        ({"watch": [lambda stream: (part for part in stream if not part)]}, ValueError, "no chunk came past"),
        ({"resume": 3}, TypeError, "`resume` must be the Result of a descent; got int"),
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


def test_more_steps_than_32_bits_can_count_are_refused():
    with pytest.raises(ValueError, match="`steps` must be at most 2147483647; got 3000000000"):
        mv.steepest_descent(
            d_bowl, START.astype("float32"), steps=3 * 10**9, learning_rate=0.1, record_every=10**9
        )


def test_rates_that_leave_the_precision_of_the_parameters_are_refused():
    for rate, what in ((1e-300, "positive"), (1e300, "finite")):
        with pytest.raises(ValueError, match=f"`learning_rate, in float32,` must be {what}"):
            mv.steepest_descent(d_bowl, START.astype("float32"), steps=3, learning_rate=rate)


@pytest.mark.parametrize(
    ("before", "now", "message"),
    [
        ({}, {"cost": bowl}, "a descent without `cost`, and cannot go on with one"),
        ({"cost": bowl}, {}, "a descent with `cost`, and cannot go on without one"),
        ({}, {"params": START[:1]}, r"another `params`: it had float64\[2\], and now has float64\[1\]"),
        ({}, {"learning_rate": lambda k: 0.1}, r"another rule: it had \.learning_rate"),
        ({}, {"params": np.stack([START, START]), "ensemble": True}, "another"),
    ],
)
def test_resuming_another_descent_is_refused(before, now, message, float64):
    arguments = {"params": START, "learning_rate": 0.01}
    part = mv.steepest_descent(d_bowl, steps=10, **arguments | before)
    with pytest.raises(ValueError, match=message):
        mv.steepest_descent(d_bowl, steps=20, resume=part, **arguments | now)


def test_resuming_by_another_optimizer_is_refused(float64, standard_promotion):
    part = mv.steepest_descent(d_bowl, START, steps=10, learning_rate=0.01)
    with pytest.raises(ValueError, match=r"another rule: it had \.learning_rate"):
        mv.optax_descent(d_bowl, START, steps=20, optimizer=optax.adam(0.01), resume=part)


def test_a_failed_run_is_rescued_by_a_smaller_rate(float64):
    failed = mv.steepest_descent(d_quartic, np.array([2.0]), steps=1000, learning_rate=1.0)
    assert failed.status is mv.Status.NOT_FINITE
    start = failed._replace(state=failed.state._replace(params=jnp.array([2.0])))
    rescued = mv.steepest_descent(d_quartic, np.array([2.0]), steps=1000, learning_rate=0.01, resume=start)
    assert rescued.status is mv.Status.FINISHED
    assert abs(rescued.params[0]) < 0.3


def test_a_watcher_that_stops_early_has_stopped_the_run(float64):
    def twice(stream):
        yield next(stream)
        yield next(stream)

    result = mv.steepest_descent(d_bowl, START, steps=50, learning_rate=0.01, chunk=10, watch=[twice])
    assert result.status is mv.Status.INTERRUPTED
    assert result.message == "stopped on request after step 20"


def test_nobody_watches_inside_jit(float64):
    run = lambda p: mv.steepest_descent(d_bowl, p, steps=5, learning_rate=0.1, progress=True).params
    with pytest.raises(ValueError, match="nobody can watch a descent inside jit or vmap"):
        jax.jit(run)(START)


def test_resuming_with_fewer_steps_is_refused(float64):
    part = mv.steepest_descent(d_bowl, START, steps=20, learning_rate=0.1)
    with pytest.raises(ValueError, match="at least the 20 taken already"):
        mv.steepest_descent(d_bowl, START, steps=10, learning_rate=0.1, resume=part)
