"""The network: its values against NumPy, its Jacobian against autodiff on every shape, its errors."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from mvcalc_jax import autodiff
from mvcalc_jax.calculus import central_difference
from mvcalc_jax.compiling import quickly
from mvcalc_jax.models import network
from mvcalc_jax.models.activations import ACTIVATIONS
from tests.cases import long
from tests.conftest import TOLERANCE


def at(rng, sizes, samples, precision="float64"):
    """Random, non-zero parameters and data of a precision."""
    params, x, y = (
        network.init(rng, sizes),
        rng.standard_normal((sizes[0], samples)),
        rng.random((sizes[-1], samples)),
    )
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, precision), (params, x, y))


def compiled(f):
    """In one piece, which takes less time than operation by operation."""
    return jax.jit(f, compiler_options=quickly())


def worst(found, exact):
    """The largest error, in units of the largest entry of its leaf; of a leaf that is zero, as it is."""
    pairs = zip(*(jax.tree.leaves(jax.device_get(tree)) for tree in (found, exact)), strict=True)
    return max(float(np.max(np.abs(a - b)) / (np.max(np.abs(b)) or 1)) for a, b in pairs)


def test_forward_and_cost_are_the_formulas_in_numpy(rng, float64):
    params, x, y = at(rng, (3, 5, 2), 7)
    a = np.asarray(x)
    for W, b in params:
        a = 1 / (1 + np.exp(-(np.asarray(W) @ a + np.asarray(b))))
    np.testing.assert_allclose(network.forward(params, x), a, rtol=1e-14)
    np.testing.assert_allclose(network.cost(params, x, y), np.sum((a - np.asarray(y)) ** 2) / 7, rtol=1e-14)


def test_courses_network_has_77_parameters_from_the_right_distribution():
    params = network.init(jax.random.key(0), (1, 6, 7, 2))
    assert [(layer.W.shape, layer.b.shape) for layer in params] == [
        ((6, 1), (6, 1)),
        ((7, 6), (7, 1)),
        ((2, 7), (2, 1)),
    ]
    many = np.concatenate(
        [np.ravel(leaf) for leaf in jax.tree.leaves(network.init(jax.random.key(1), (100, 100)))]
    )
    assert abs(many.mean()) < 0.02
    assert abs(many.std() - 0.5) < 0.02


@pytest.mark.parametrize("source", [jax.random.key, np.random.default_rng])
def test_init_is_reproducible_and_scaled(source, precision):
    first, again, other = (network.init(source(seed), (2, 3)) for seed in (1, 1, 2))
    assert all(
        np.array_equal(a, b) for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(again), strict=True)
    )
    assert not np.array_equal(first[0].W, other[0].W)
    assert first[0].W.dtype == precision
    np.testing.assert_allclose(
        network.init(source(1), (2, 3), scale=1.0)[0].W, 2 * np.asarray(first[0].W), rtol=1e-6
    )


CASES = [
    *[((1, 6, 7, 2), 100, activation) for activation in ACTIVATIONS],
    ((2, 3, 4, 5, 6, 7, 3), 11, "softplus"),
    *[long((2, 3, 4, 5, 6, 7, 3), 11, activation) for activation in ACTIVATIONS if activation != "softplus"],
    ((1, 2), 1, "logistic"),
    ((1, 1, 1), 1, "tanh"),
    ((5, 64, 5), 3, "softplus"),
    ((4, 64, 64, 1), 1000, "logistic"),
    ((3, 1, 8, 1, 2), 2, "sin"),
]


@pytest.mark.parametrize(("sizes", "samples", "activation"), CASES, ids=str)
def test_jacobian_is_autodiffs(sizes, samples, activation, rng, precision):
    args = at(rng, sizes, samples, precision)
    cost, by_hand = (partial(f, activation=activation) for f in (network.cost, network.jacobian))
    modes = ("forward", "reverse") if samples < 1000 else ("reverse",)
    ways = [by_hand, *(autodiff.jacobian(cost, mode=mode) for mode in modes)]
    found, *exact = compiled(lambda *args: [of(*args) for of in ways])(*args)
    assert jax.tree.structure(found) == jax.tree.structure(args[0])
    for true in exact:
        assert worst(found, true) <= TOLERANCE[precision]


def test_jacobian_is_a_finite_differences_too(rng, float64):
    params, x, y = at(rng, (2, 4, 3), 5)
    flat, unravel = ravel_pytree(params)
    by_hand, _ = ravel_pytree(compiled(network.jacobian)(params, x, y))
    cost = compiled(lambda v: network.cost(unravel(v), x, y))
    np.testing.assert_allclose(by_hand, central_difference(cost, flat, 1e-5), atol=1e-9)


def test_jacobian_of_saturated_layers_is_finite(rng, precision):
    params, x, y = at(rng, (2, 4, 3), 5, precision)
    params = jax.tree.map(lambda leaf: 1000 * leaf, params)
    by_hand = lambda *args: {name: network.jacobian(*args, activation=name) for name in ACTIVATIONS}
    for activation, derivatives in compiled(by_hand)(params, x, y).items():
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(derivatives)), activation


def test_layers_may_differ_in_activation_and_params_in_container(rng, float64):
    params, x, y = at(rng, (2, 4, 3), 5)
    plain = [(layer.W, layer.b) for layer in params]
    of = {"activation": ("tanh", "identity")}
    found = compiled(partial(network.jacobian, **of))(plain, x, y)
    exact = compiled(autodiff.jacobian(partial(network.cost, **of)))(plain, x, y)
    assert jax.tree.structure(found) == jax.tree.structure(plain)
    assert worst(found, exact) <= 1e-13


def test_weights_of_0_and_1_choose_samples(rng, float64):
    params, x, y = at(rng, (2, 4, 3), 6)
    weights = jnp.array([1.0, 1, 0, 1, 0, 0])
    kept = np.array([0, 1, 3])
    both = compiled(
        lambda *args, **weights: (network.cost(*args, **weights), network.jacobian(*args, **weights))
    )
    cost, by_hand = both(params, x, y, weights=weights)
    exact, jacobian = both(params, x[:, kept], y[:, kept])
    np.testing.assert_allclose(cost, exact, rtol=1e-14)
    assert worst(by_hand, jacobian) < 1e-13


def test_weighted_jacobian_is_autodiffs(rng, float64):
    params, x, y = at(rng, (2, 4, 3), 6)
    weights = jnp.asarray(rng.random(6))
    exact = compiled(autodiff.gradient(lambda p: network.cost(p, x, y, weights=weights)))(params)
    assert worst(compiled(partial(network.jacobian, weights=weights))(params, x, y), exact) <= 1e-13


def test_trace_keeps_every_step(rng, float64):
    params, x, _ = at(rng, (2, 4, 3), 5)
    z, a = network.trace(params, x, activation="tanh")
    assert [step.shape for step in z] == [(4, 5), (3, 5)]
    assert a[0] is x
    for l, (W, b) in enumerate(params):
        np.testing.assert_allclose(z[l], W @ a[l] + b)
        np.testing.assert_allclose(a[l + 1], np.tanh(z[l]))


def test_one_call_compiles_once_for_new_values_of_the_same_shape(rng, float64):
    traces = []

    @jax.jit
    def jacobian(params, x, y):
        traces.append(None)
        return network.jacobian(params, x, y)

    for _ in range(3):
        jacobian(*at(rng, (2, 4, 3), 5))
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p, x, y: (p, x[:1], y), r"`x` must have shape \(2, any\), .*; got \(1, 5\)"),
        (lambda p, x, y: (p, x, y[:, :4]), r"`y` must have shape \(3, 5\), .*; got \(3, 4\)"),
        (lambda p, x, y: (p, x[:, 0], y), r"`x` must have shape \(2, any\), .*; got \(2,\)"),
        (lambda p, x, y: (p, x[:, :0], y[:, :0]), "at least one sample"),
        (lambda p, x, y: ((), x, y), "at least one Layer"),
        (lambda p, x, y: ((p[0], p[0]), x, y), r"params\[1\].W` must have shape \(any, 4\)"),
        (
            lambda p, x, y: ((p[0]._replace(b=p[0].b[:, 0]), p[1]), x, y),
            r"params\[0\].b` must have shape \(4, 1\)",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_said(change, message, rng, float64, unchecked):
    with pytest.raises(ValueError, match=message):
        network.jacobian(*change(*at(rng, (2, 4, 3), 5)))


def test_integers_and_lists_are_refused(rng, float64, unchecked):
    params, x, y = at(rng, (2, 4, 3), 5)
    with pytest.raises(TypeError, match=r"`x` must hold floating-point numbers; got int64; .*astype"):
        network.forward(params, jnp.ones((2, 5), int))
    with pytest.raises(TypeError, match="`y` must be an array of floating-point numbers; got list"):
        network.cost(params, x, [[0.0]])
    with pytest.raises(ValueError, match=r"`weights` must have shape \(5,\)"):
        network.cost(params, x, y, weights=jnp.ones(4))


@pytest.mark.parametrize(
    "params",
    [None, "Ws", {"W": 1}, [np.ones((2, 2))], network.Layer(np.ones((2, 2)), np.ones((2, 1)))],
    ids=str,
)
def test_params_of_another_kind_are_refused(params, unchecked):
    with pytest.raises(TypeError, match=r"`params` must be a list of Layer\(W, b\)"):
        network.forward(params, np.ones((2, 3)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sizes": (3,)}, "input and an output"),
        ({"sizes": (1, 0, 2)}, "at least 1"),
        ({"sizes": (1, 2.5)}, "whole"),
        ({"sizes": 3}, "`sizes` must be a sequence of widths"),
        ({"key": 0}, "`key` must be a NumPy generator, or come from jax.random.key; got int"),
        ({"key": jax.random.split(jax.random.key(0))}, "`key` must be"),
        ({"scale": "a"}, "`scale` must be a single number"),
        ({"scale": float("nan")}, "`scale` must be finite"),
        ({"dtype": int}, "`dtype` must be a floating-point one; got <class 'int'>"),
    ],
)
def test_init_refuses_what_does_not_fit(change, message, unchecked):
    arguments = {"key": jax.random.key(0), "sizes": (1, 2)} | change
    with pytest.raises((ValueError, TypeError), match=message):
        network.init(**arguments)


def test_parameters_and_products_are_counted(rng):
    params = network.init(rng, (1, 6, 7, 2))
    assert network.size(params) == 6 * 2 + 7 * 7 + 2 * 8
    assert [network.multiplications(params, n) for n in (0, 1, 100)] == [0, 3 * 62, 300 * 62]
    with pytest.raises(ValueError, match="`samples` must be at least 0; got -1"):
        network.multiplications(params, -1)


@pytest.mark.parametrize(
    "params",
    [None, 3.0, [1.0], [(np.ones((2, 1)),)], [(np.ones((2, 1)), None)], range(2)],
    ids=str,
)
def test_every_function_of_params_refuses_what_are_none(params, unchecked):
    x = np.ones((1, 2))
    for of in (network.size, lambda p: network.multiplications(p, 3), lambda p: network.jacobian(p, x, x),
               lambda p: network.factors(p, x, x), lambda p: network.forward(p, x)):  # fmt: skip
        with pytest.raises((TypeError, ValueError), match="`params"):
            of(params)


@pytest.mark.parametrize("dtype", [..., {}, "no such", np.ones(1), True, jax.random.key(0), int], ids=str)
def test_init_refuses_what_is_no_dtype(dtype, rng, unchecked):
    with pytest.raises(TypeError, match="`dtype` must be a floating-point one"):
        network.init(rng, (1, 2), dtype=dtype)


def test_init_refuses_what_no_memory_holds(rng):
    with pytest.raises(ValueError, match="at most"):
        network.init(rng, (1, 10**30))
