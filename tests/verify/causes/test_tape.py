"""Functions taken apart: the values are those of the function, and the way back is that of `jax.vjp`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mvcalc_jax.verify.causes import swaps, tape
from mvcalc_jax.verify.causes.tape import record
from mvcalc_jax.verify.causes.variants import pulled_back
from tests.cases import few

X = np.array([1.3, 0.4, 2.2])
M = np.random.default_rng(2).standard_normal((3, 3))


@jax.custom_jvp
def softplus(x):
    return jnp.log1p(jnp.exp(x))


@softplus.defjvp
def _(primals, tangents):
    return softplus(*primals), tangents[0] / (1 + jnp.exp(-primals[0]))


def scanned(x, M):
    def step(carry, row):
        carry = jnp.tanh(carry * row)
        return carry, carry.sum()

    last, sums = jax.lax.scan(step, x, M)
    return last * sums


FUNCTIONS = {
    "plain": lambda x, M: jnp.sin(M @ x) / x.sum(),
    "jit": lambda x, M: jax.jit(lambda x: jnp.exp(-x) * M[0])(x),
    "nested jit": lambda x, M: jax.jit(lambda x: jax.nn.softmax(jax.jit(jnp.sin)(x)))(x) @ M,
    "custom_jvp": lambda x, M: softplus(M @ x),
    "relu": lambda x, M: jax.nn.relu(M @ x),
    "checkpoint": lambda x, M: jax.checkpoint(lambda x: jnp.sin(M @ jnp.cos(x)))(x),
    "scan": scanned,
    "scan, backwards": lambda x, M: jax.lax.scan(lambda c, row: (c * row, jnp.sin(c)), x, M, reverse=True)[1],
    "cond": lambda x, M: jax.lax.cond(x.sum() > 0, lambda x: jnp.sin(x), lambda x: M @ x, x),
    "other cond": lambda x, M: jax.lax.cond(x.sum() < 0, lambda x: jnp.sin(x), lambda x: M @ x, x),
    "vmap": lambda x, M: jax.vmap(lambda row: (jnp.tanh(row) * x).sum())(M),
    "indices": lambda x, M: M[:, np.array([0, 2, 2])] * x[np.array([1, 1, 0])][:, None],
    "integers on the way": lambda x, M: x * jnp.argsort(x).astype(x.dtype) + jnp.floor(M[0]),
}


@pytest.mark.parametrize("name", few(FUNCTIONS, "nested jit", "relu", "scan", "cond", "indices"))
def test_the_way_back_without_changes_is_that_of_jax(name, float64, rng):
    f = lambda leaves, others: [FUNCTIONS[name](leaves[0], leaves[1])]
    leaves = [jnp.asarray(X), jnp.asarray(M)]
    taped = record(f, leaves, [], ["x", "M"])
    value, pull = jax.vjp(lambda *leaves: f(leaves, [])[0], *leaves)
    np.testing.assert_allclose(taped.values[taped.outputs[0]], value, rtol=1e-14)
    v = rng.standard_normal(value.shape)
    found = pulled_back(taped, [v], [{}, {}])
    for ours, theirs in zip(found, pull(jnp.asarray(v)), strict=True):
        assert ours.shape == (2, *theirs.shape)
        for row in ours:
            np.testing.assert_allclose(row, theirs, rtol=1e-12, atol=1e-14)


def test_names_steps_and_lines(float64):
    def f(leaves, others):
        z = others[0] @ leaves[0]
        a = jnp.tanh(z)
        return [a]

    taped = record(f, [jnp.asarray(X)], [jnp.asarray(M)], ["x", "M"])
    assert [step.primitive for step in taped.steps] == ["dot_general", "tanh"]
    assert [taped.names[n] for n in taped.arguments] == ["x", "M"]
    assert len(taped.inputs) == 1
    line = f.__code__.co_firstlineno
    assert [step.line for step in taped.steps] == [
        f"`z = others[0] @ leaves[0]` (test_tape.py:{line + 1})",
        f"`a = jnp.tanh(z)` (test_tape.py:{line + 2})",
    ]


def test_functions_with_a_name_are_regions(float64):
    taped = record(lambda leaves, _: [jax.nn.silu(leaves[0])], [jnp.asarray(X)], [], ["x"])
    assert "silu" in [region.name for region in taped.regions]
    region = taped.regions[-1]
    assert 0 <= region.first < region.last <= len(taped.steps)


def test_rounds_of_a_loop_share_their_sites(float64):
    f = lambda leaves, _: [scanned(leaves[0], leaves[1])]
    taped = record(f, [jnp.asarray(X), jnp.asarray(M)], [], ["x", "M"])
    sites = [step.site for step in taped.steps if step.primitive == "tanh"]
    assert len(sites) == 3 and len(set(sites)) == 1


def test_a_change_shows_in_its_variant_alone(float64):
    f = lambda leaves, _: [jnp.sin(leaves[0]) * leaves[0]]
    taped = record(f, [jnp.asarray(X)], [], ["x"])
    sine = next(step for step in taped.steps if step.primitive == "sin")
    (found,) = pulled_back(
        taped, [np.ones(3)], [{}, {sine.site: swaps.stopped()}, {sine.site: swaps.passed_on(0)}]
    )
    np.testing.assert_allclose(found[0], np.sin(X) + X * np.cos(X), rtol=1e-12)
    np.testing.assert_allclose(found[1], np.sin(X), rtol=1e-12)
    np.testing.assert_allclose(found[2], np.sin(X) + X, rtol=1e-12)


def test_functions_that_are_too_long_are_not_taken_apart(float64, monkeypatch):
    monkeypatch.setattr(tape, "STEPS", 5)
    f = lambda leaves, _: [scanned(leaves[0], leaves[1])]
    with pytest.raises(tape.TooLong):
        record(f, [jnp.asarray(X), jnp.asarray(M)], [])
