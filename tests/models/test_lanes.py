"""The Jacobian of a tiny network, lane by lane: the same numbers as the plain formula, and used where it pays."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax.models import lanes, network
from tests.conftest import TOLERANCE
from tests.models.test_network import at, compiled, worst


@pytest.mark.parametrize(
    ("sizes", "samples", "activation"),
    [
        ((1, 6, 7, 2), 100, "logistic"),
        ((1, 1), 1, "tanh"),
        ((3, 5, 2), lanes.LANES - 1, "softplus"),
        ((3, 5, 2), lanes.LANES, "sin"),
        ((2, 12, 12, 1), lanes.LANES + 1, ("relu", "tanh", "identity")),
    ],
    ids=str,
)
@pytest.mark.parametrize("weighted", [False, True])
def test_compiled_is_what_the_plain_formula_gives(
    sizes, samples, activation, weighted, rng, precision, monkeypatch
):
    args = at(rng, sizes, samples, precision)
    weights = jnp.asarray(rng.random(samples), precision) if weighted else None
    jacobian = partial(network.jacobian, activation=activation, weights=weights)
    found = compiled(jacobian)(*args)
    monkeypatch.setattr(lanes, "suit", lambda *_: False)
    plain = compiled(partial(jacobian))(*args)  # to JAX another function, which it traces anew
    assert worst(found, plain) <= TOLERANCE[precision]
    assert [leaf.dtype for leaf in jax.tree.leaves(found)] == [precision] * (2 * len(args[0]))


def test_it_is_proved_as_it_is_compiled(rng, float64, monkeypatch):
    params, x, y = at(rng, (1, 6, 7, 2), 20)
    used, derivatives = [], lanes.derivatives
    monkeypatch.setattr(lanes, "derivatives", lambda *args: used.append(args) or derivatives(*args))
    report = mv.check_jacobian(network.cost, jax.jit(network.jacobian), params, x, y)
    assert report.verdict == "correct"
    assert used


@pytest.mark.slow
def test_a_wrong_share_is_noticed(rng, float64):
    """Copies of the last sample that counted would be a mistake that the proof must find."""
    params, x, y = at(rng, (1, 3, 2), 5)

    @jax.jit
    def counting_copies(params, x, y):
        fill = ((0, 0), (0, lanes.LANES - 5))
        return network.jacobian(params, *(jnp.pad(rows, fill, mode="edge") for rows in (x, y)))

    assert mv.check_jacobian(network.cost, counting_copies, params, x, y).verdict == "wrong"


@pytest.mark.parametrize(
    ("sizes", "samples", "dtype", "suits"),
    [
        ((1, 6, 7, 2), 100, "float32", True),
        ((1, 6, 7, 2), 192, "float32", True),
        ((1, 6, 7, 2), 193, "float32", False),
        ((1, 12, 12, 2), 48, "float32", True),
        ((1, 12, 13, 2), 16, "float32", False),
        ((1, 6, 7, 2), 100, "bfloat16", False),
    ],
    ids=str,
)
def test_it_is_used_where_it_pays(sizes, samples, dtype, suits, rng):
    params, x, _ = jax.tree.map(lambda a: jnp.asarray(a, dtype), at(rng, sizes, samples, "float32"))
    said = []

    def look(params, x):
        said.append(lanes.suit([W for W, _ in params], x))
        return x

    jax.jit(look)(params, x)
    look(params, x)
    assert said == [suits, False], "operation by operation it never pays"


def test_samples_of_weight_0_may_be_anything_finite(rng, float64):
    params, x, y = at(rng, (2, 4, 3), 6)
    weights = jnp.array([1.0, 1, 0, 1, 0, 0])
    far = x.at[:, [2, 4, 5]].set(1e6)
    found, exact = (jax.jit(partial(network.jacobian, weights=weights))(params, at, y) for at in (far, x))
    assert worst(found, exact) < 1e-14
    assert np.isfinite(jax.tree.leaves(found)[0]).all()
