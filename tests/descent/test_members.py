"""The members of an ensemble on several cores: the same numbers, whoever walks them."""

import os
import subprocess
import sys
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax import devices
from mvcalc_jax.descent import members
from tests.cases import long
from tests.problems import leaves_equal

START = np.array([[1.0, 2.0], [2.0, -1.0], [0.5, 0.5], [3.0, 0.0], [-1.0, 1.0]])


def bowl(p, x):
    return jnp.sum((p[:, None] - x) ** 2)


def d_bowl(p, x):
    return 2 * jnp.sum(p[:, None] - x, axis=1)


def descent(**options):
    given = {
        "steps": 25, "learning_rate": 0.005, "noise": 0.3, "cost": bowl, "chunk": 10, "record_every": 5,
        "key": jax.vmap(jax.random.key)(np.arange(5)), "ensemble": True, "batch_size": 3,
        "data": (np.random.default_rng(0).random((2, 7)),),
    }  # fmt: skip
    return mv.steepest_descent(d_bowl, START, **(given | options))


def cores(monkeypatch, count):
    monkeypatch.setattr(devices, "workers", lambda: [jax.devices()[0]] * count)


@pytest.mark.slow
@pytest.mark.parametrize("count", [long(2), 3, 64])
def test_how_many_cores_there_are_does_not_matter(count, monkeypatch, float64):
    cores(monkeypatch, 1)
    alone = descent()
    cores(monkeypatch, count)
    assert leaves_equal(descent(), alone)


def test_each_part_is_walked_by_a_thread_of_its_own_which_is_told_what_this_one_was(monkeypatch, float64):
    cores(monkeypatch, 2)
    walked, advance = [], mv.descent.ahead.advance

    def noting(problem, state, *args, **options):
        walked.append((threading.current_thread().name, state.step.shape, jnp.zeros(()).dtype))
        return advance(problem, state, *args, **options)

    monkeypatch.setattr(mv.descent.ahead, "advance", noting)
    result = descent()
    assert {shape for _, shape, _ in walked} == {(3,), (2,)}
    assert threading.current_thread().name not in {name for name, *_ in walked}
    assert {dtype for *_, dtype in walked} == {np.dtype("float64")}
    assert isinstance(result.params, jax.Array)


def test_an_ensemble_that_lies_somewhere_stays_there(monkeypatch):
    cores(monkeypatch, 4)
    assert len(members.places(jnp.asarray(START))) == 4
    assert members.places(jax.device_put(jnp.asarray(START), jax.devices()[0])) == [None]


def test_a_part_that_fails_is_heard_of(monkeypatch, float64):
    cores(monkeypatch, 2)

    def broken(*args, **options):
        raise RuntimeError("a core fell out")

    monkeypatch.setattr(mv.descent.ahead, "advance", broken)
    with pytest.raises(RuntimeError, match="fell out"):
        descent()


def test_what_is_not_asked_for_is_not_walked(monkeypatch, float64):
    cores(monkeypatch, 2)
    before = threading.active_count()
    stream = mv.descent.chunks(
        mv.descent.steepest(0.005), d_bowl, START, steps=10**6, chunk=10, record_every=10**5, ensemble=True,
        data=(np.ones((2, 7)),),
    )  # fmt: skip
    first = next(stream)
    assert first.steps == 10
    stream.close()
    for thread in threading.enumerate():
        if thread.name.startswith("ThreadPoolExecutor"):
            thread.join(5)
    assert threading.active_count() <= before


def test_cut_and_joined_is_what_it_was(rng):
    tree = {"a": rng.random((5, 2)), "key": jax.vmap(jax.random.key)(np.arange(5))}
    parts = members.cut(tree, 2)
    assert [part["a"].shape for part in parts] == [(3, 2), (2, 2)]
    np.testing.assert_array_equal(members.joined([{"a": part["a"]} for part in parts])["a"], tree["a"])
    assert jax.random.key_data(parts[1]["key"]).tolist() == jax.random.key_data(tree["key"])[3:].tolist()


SEVERAL = """
import jax, numpy as np
import mvcalc_jax as mv
from jax.sharding import Mesh, NamedSharding, PartitionSpec

starts = np.arange(8, dtype=np.float32).reshape(4, 2)
options = {"steps": 30, "learning_rate": 0.1, "chunk": 10, "ensemble": True, "cost": lambda p: (p**2).sum()}
descend = lambda starts: mv.steepest_descent(lambda p: 2 * p, starts, **options)
mesh = Mesh(np.array(jax.devices()), ("members",))
spread = jax.device_put(starts, NamedSharding(mesh, PartitionSpec("members")))
print(len(jax.devices()), len(mv.descent.members.places(jax.device_put(starts))))
whole, apart = descend(starts), descend(spread)
print(np.array_equal(whole.params, apart.params), len(apart.params.sharding.device_set))
"""


@pytest.mark.slow
def test_members_share_several_devices_and_stay_spread_where_they_were():
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    told = subprocess.run(
        [sys.executable, "-c", SEVERAL], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    assert told[0] == "2"
    assert int(told[1]) >= 2
    assert told[2:] == ["True", "2"]
