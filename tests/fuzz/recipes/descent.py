"""Calls of models and descent: networks, Gaussians, and what descends."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

import mvcalc_jax as mv
from tests.fuzz.recipe import Call, plain, recipe

network, gaussian, descent = mv.network, mv.gaussian, mv.descent
ACTIVATIONS = tuple(mv.models.activations.ACTIVATIONS)


def _net(draw):
    sizes = draw.one(((1, 2), (2, 3, 1), (1, 3, 2)))
    samples = draw.whole(1, 5)
    params = network.init(np.random.default_rng(draw.whole(0, 9)), sizes)
    return params, draw.array(sizes[0], samples), draw.array(sizes[-1], samples)


@recipe("network.init")
def _(draw, folder):
    source = draw.one((jax.random.key(0), np.random.default_rng(0)))
    options = (
        {"scale": draw.real()} if draw.chance(0.5) else {"dtype": draw.one((float, "float32", jnp.bfloat16))}
    )
    return Call(network.init, (source, draw.one(((1, 2), [3, 4, 5], (1, 1, 1)))), options)


@recipe("network.forward", "network.trace", "network.cost", "network.jacobian", "network.factors")
def _(draw, folder, name):
    params, x, y = _net(draw)
    args = (params, x) if name.split(".")[1] in ("forward", "trace") else (params, x, y)
    activation = draw.one((*ACTIVATIONS, tuple(draw.one(ACTIVATIONS) for _ in params)))
    return Call(getattr(network, name.split(".")[1]), args, {"activation": activation})


@recipe("network.size", "network.multiplications")
def _(draw, folder, name):
    args = (_net(draw)[0],) if name == "network.size" else (_net(draw)[0], draw.whole(1, 9))
    return Call(getattr(network, name.split(".")[1]), args)


@recipe("Factor.full", "Factor.pull", "ChainRule.path", "ChainRule.product")
def _(draw, folder, name):
    params, x, y = _net(draw)
    found, which = network.factors(params, x, y), name.split(".")[1]
    if name.startswith("ChainRule"):
        return Call(getattr(found, which), (draw.one(("W1", "b1", "b2")),))
    factor = draw.one(tuple(found.values()))
    return Call(getattr(factor, which), () if which == "full" else (draw.array(*factor.shape[:2]),))


@recipe("gaussian.density", "gaussian.jacobian", "gaussian.chi_squared", "gaussian.chi_squared_jacobian")
def _(draw, folder, name):
    theta, x = np.array([draw.real(), abs(draw.real()) + 0.1]), draw.array(5)
    args = (theta, x) if name.split(".")[1] in ("density", "jacobian") else (theta, x, draw.array(5))
    return Call(getattr(gaussian, name.split(".")[1]), args)


PROBLEMS = (
    (lambda p: 2 * p, lambda p: p @ p),
    (jnp.cos, lambda p: jnp.sum(jnp.sin(p))),
    (lambda p: 4 * p**3, lambda p: jnp.sum(p**4)),
    (lambda p: jnp.exp(p**2) * 2 * p, lambda p: jnp.sum(jnp.exp(p**2))),
    (lambda p: jnp.nan * p, lambda p: jnp.nan * jnp.sum(p)),
)
"""A Jacobian, and the cost that it belongs to."""


def _options(draw, cost):
    """Of a descent: a few of them at a time."""
    options = {"steps": draw.whole(0, 12)} | ({"cost": cost} if draw.chance(0.6) else {})
    options |= {"noise": 0.1, "key": jax.random.key(1)} if draw.chance(0.3) else {}
    options |= {"record_every": draw.whole(1, 4)} if draw.chance(0.3) else {}
    options |= {"chunk": draw.whole(1, 5)} if draw.chance(0.3) else {}
    return options | ({"progress": True} if draw.chance(0.1) else {})


def finished(result):
    """A truth: who has finished is at finite numbers."""
    leaves = jax.tree.leaves(result.params)
    finite = all(np.all(np.isfinite(leaf)) for leaf in leaves)
    return (
        None
        if np.ndim(result.status) or result.status != 0 or finite
        else "finished at numbers that are not finite"
    )


@recipe("steepest_descent")
def _(draw, folder):
    jacobian, cost = draw.one(PROBLEMS)
    options = _options(draw, cost) | {"learning_rate": draw.one((0.1, 7.0, 1e-3, lambda s: 0.1 / (1 + s)))}
    if draw.chance(0.2) and "key" not in options:
        return Call(mv.steepest_descent, (jax.vmap(jacobian), draw.array(3, 2)), options, truth=finished)
    if draw.chance(0.15):
        options |= {"learning_rate": descent.proven(10.0), "cost": cost}
    if draw.chance(0.2):
        options |= {"data": (draw.array(2, 6),), "batch_size": draw.whole(1, 6), "key": jax.random.key(0)}
        options.pop("cost", None)
        return Call(
            mv.steepest_descent, (lambda p, x: p * jnp.mean(x), draw.array(2)), options, truth=finished
        )
    if draw.chance(0.1):
        options |= {"resume": mv.steepest_descent(jacobian, np.ones(2), steps=3, learning_rate=0.1)}
    return Call(mv.steepest_descent, (jacobian, draw.array(2)), options, truth=finished)


@recipe("optax_descent")
def _(draw, folder):
    jacobian, cost = draw.one(PROBLEMS)
    optimizer = draw.one((optax.sgd(0.1), optax.adam(0.1), optax.lbfgs(0.1), optax.sgd(0.1, momentum=0.9)))
    options = {**_options(draw, cost), "optimizer": optimizer}
    return Call(mv.optax_descent, (jacobian, draw.array(2)), options, truth=finished)


@recipe("descent.descend", "descent.chunks", "descent.begin")
def _(draw, folder, name):
    jacobian, cost = draw.one(PROBLEMS)
    rule = descent.rule(draw.one(tuple(descent.RULES)), 0.1)
    if name == "descent.begin":
        return Call(descent.begin, (rule, draw.array(2)), {"cost": cost})
    options = _options(draw, cost) | {"cost": cost}
    if name == "descent.descend":
        return Call(descent.descend, (rule, jacobian, draw.array(2)), options)
    options.pop("progress", None)
    return Call(lambda *a, **how: list(descent.chunks(*a, **how)), (rule, jacobian, draw.array(2)), options)


@recipe("descent.collect", spoil=False)
def _(draw, folder):
    rule = descent.steepest(0.1)
    stream = descent.chunks(rule, PROBLEMS[0][0], draw.array(2), steps=4, chunk=2)
    watch = draw.one(
        ((), (descent.progress_bar(4),), (mv.runs.checkpoints(folder / "checkpoint.npz", seconds=0.0),))
    )
    return Call(descent.collect, (stream, watch))


@recipe("descent.rule")
def _(draw, folder):
    return Call(descent.rule, (draw.one(tuple(descent.RULES)), draw.one((0.1, lambda s: 0.1))))


@recipe(
    "descent.steepest", "descent.proven", "descent.optax_rule", "descent.newton", "descent.stability_limit"
)
def _(draw, folder, name):
    which = name.split(".")[1]
    A = draw.array(2, 2)
    arg = {"steepest": 0.1, "proven": 10.0, "optax_rule": optax.sgd(0.1), "newton": lambda p: 2 * jnp.eye(2)}
    return Call(getattr(descent, which), (arg.get(which, A + A.T),))


@functools.cache
def _two():
    return [mv.steepest_descent(lambda p: 2 * p, np.ones(2), steps=3, learning_rate=r) for r in (0.1, 0.2)]


plain(lambda draw, name: Call(descent.apart, tuple(r.params for r in _two())), "descent.apart", spoil=False)
plain(lambda draw, name: Call(descent.progress_bar, (draw.whole(0, 9),)), "descent.progress_bar")
