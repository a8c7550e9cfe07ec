"""Calls of calculus: slopes, rules, roots, critical points, constraints."""

import functools

import jax.numpy as jnp
import numpy as np

import mvcalc_jax as mv
from tests.fuzz.functions import MANY, MAPS, ONE
from tests.fuzz.recipe import Call, recipe

BOX = ((-3.0, 3.0), (-3.0, 3.0))
calculus = mv.calculus


def _near(points):
    """A truth: what a root claims is one."""
    return None if not points.success or np.all(np.isfinite(points.x)) else "a root that is not finite"


@recipe("derivative")
def _(draw, folder):
    x = draw.one((draw.real(), draw.array(3), np.float32(draw.real())))
    return Call(calculus.derivative, (draw.one(ONE), x), {"method": draw.one(tuple(calculus.SLOPE_METHODS))})


@recipe("calculus.ridders", "calculus.complex_step", "calculus.autodiff_slope", "calculus.error_model")
def _(draw, folder, name):
    return Call(
        getattr(calculus, name.split(".")[1]), (draw.one(ONE), draw.one((draw.real(), draw.array(2))))
    )


@recipe("calculus.forward_slope", "calculus.central_slope")
def _(draw, folder, name):
    step = draw.one((None, 1e-3, abs(draw.real())))
    return Call(getattr(calculus, name.split(".")[1]), (draw.one(ONE), draw.real()), {"step": step})


@recipe("calculus.forward_difference", "calculus.central_difference")
def _(draw, folder, name):
    f, x = draw.one((*MANY, *MAPS, *ONE[:6])), draw.array(2)
    return Call(getattr(calculus, name.split(".")[1]), (f, x, draw.one((1e-3, 1e-6))))


@recipe("newton")
def _(draw, folder):
    if draw.chance(0.3):
        ends = draw.one(((-2.0, 1.0), (0.5, 3.0), (-1, 1)))
        return Call(calculus.newton, (draw.one(ONE),), {"bracket": ends}, truth=_near)
    if draw.chance(0.4):
        return Call(calculus.newton, (draw.one(MAPS), draw.array(2)), truth=_near)
    options = {"max_steps": draw.whole(1, 200)} if draw.chance(0.5) else {}
    options |= {"derivative": draw.one(ONE)} if draw.chance(0.2) else {}
    return Call(calculus.newton, (draw.one(ONE), draw.real(2)), options, truth=_near)


@recipe("calculus.iterate")
def _(draw, folder):
    f, x = draw.one(((draw.one(ONE), draw.real()), (draw.one(MAPS), draw.array(2))))
    return Call(calculus.iterate, (f, x, draw.whole(0, 20)), {"factor": draw.one((1.0, 2.0, 0.5))})


@recipe("calculus.basins")
def _(draw, folder):
    fractals = [fractal.f for fractal in calculus.FRACTALS.values()]
    options = {"points": draw.one((5, (4, 6), 1)), "max_steps": draw.whole(1, 60)}
    return Call(calculus.basins, (draw.one((*MAPS, *fractals)), BOX), options)


@recipe("critical_points", seconds=240)
def _(draw, folder):
    return Call(calculus.critical_points, (draw.one(MANY), BOX), {"starts": draw.whole(1, 64)})


@functools.cache
def _found(k):
    return calculus.critical_points(list(calculus.SURFACES.values())[k].f, BOX, starts=32)


@recipe("CriticalPoints.rows", spoil=False)
def _(draw, folder):
    return Call(_found(draw.whole(0, 2)).rows)


@recipe("ErrorModel.forward", "ErrorModel.central")
def _(draw, folder, name):
    model = calculus.error_model(jnp.sin, draw.one((0.5, np.float32(2.0))))
    return Call(getattr(model, name.split(".")[1]), (draw.one((1e-3, np.geomspace(1e-9, 1.0, 5))),))


@recipe("calculus.along_valley")
def _(draw, folder):
    k = draw.whole(0, 2)
    f = list(calculus.SURFACES.values())[k].f
    return Call(calculus.along_valley, (f, _found(k).points[0], np.linspace(-0.1, 0.1, 5)), keep=(1,))


@recipe("CriticalPoints.of")
def _(draw, folder):
    return Call(_found(0).of, (draw.one(("minimum", "saddle", "maximum")),))


CONSTRAINTS = (lambda p: p @ p - 2, lambda p: p[0] + p[1] - 1, lambda p: p[0] * p[1] - 1, lambda p: p[0] ** 2)


@recipe("lagrange", seconds=240)
def _(draw, folder):
    where = {"x0": draw.array(2)} if draw.chance(0.5) else {"box": BOX}
    options = where | {"starts": draw.whole(1, 60)}
    return Call(calculus.lagrange, (draw.one(MANY), draw.one(CONSTRAINTS)), options)


@functools.cache
def _extrema(k):
    return calculus.lagrange(MANY[k], CONSTRAINTS[0], (1.0, 0.5), starts=60)


@recipe("calculus.constraint_curves", seconds=240)
def _(draw, folder):
    k = draw.whole(1, 2)
    return Call(calculus.constraint_curves, (MANY[k], CONSTRAINTS[0], _extrema(k), BOX), keep=(2,))


@recipe("calculus.shadows", seconds=240)
def _(draw, folder):
    k = draw.whole(1, 2)
    levels = [-0.1, draw.real(0.1), 0.2]
    return Call(calculus.shadows, (MANY[k], CONSTRAINTS[0], _extrema(k).points[:1], levels), keep=(2,))


@recipe("calculus.newton_searches")
def _(draw, folder):
    name = draw.one(tuple(calculus.NEWTON_EXAMPLES))
    return Call(calculus.newton_searches, (name, (draw.real(), draw.real())))


@recipe("calculus.newton_endings", "calculus.newton_errors", spoil=False, seconds=240)
def _(draw, folder, name):
    return Call(getattr(calculus, name.split(".")[1]))


@recipe("trace_rules")
def _(draw, folder):
    """The derivative that it returns is called at once."""
    many = draw.chance(0.5)
    f, x = (draw.one(MANY), draw.array(2)) if many else (draw.one(ONE), draw.real())
    options = {"mode": draw.one(("reverse", "forward"))} if draw.chance(0.6) else {"argnums": 0}
    return Call(lambda f, *at, **how: calculus.trace_rules(f, **how)(*at), (f, x), options)


@recipe("Pair.at")
def _(draw, folder):
    rules = calculus.rules
    pairs = (
        rules.ELEMENTARY["sin"],
        rules.ELEMENTARY["exp"],
        rules.power(draw.one((2, 0.5, -1, 0))),
        rules.constant(draw.real()),
    )
    f, g = draw.one(pairs), draw.one(pairs)
    return Call(draw.one((f + g, f * g, f / g)).at, (draw.one((draw.real(), draw.array(3))),))


@recipe("calculus.Pair")
def _(draw, folder):
    name = calculus.rules.Formula("sin({0})")
    return Call(calculus.Pair, (jnp.sin, jnp.cos, name, name), keep=(2, 3))


@recipe("Worked.by_hand", "Worked.by_autodiff", spoil=False)
def _(draw, folder, name):
    return Call(getattr(draw.one(calculus.WORKED), name.split(".")[1]))


@recipe("Trace.table", spoil=False)
def _(draw, folder):
    return Call(calculus.trace_rules(draw.one(ONE[7:10]))(draw.real()).table)
