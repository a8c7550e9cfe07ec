"""Calls of taylor: series, intervals, and what they prove."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

import mvcalc_jax as mv
from tests.fuzz.functions import MANY, ONE
from tests.fuzz.recipe import Call, recipe

BOX = ((-1.0, 2.0), (0.5, 1.0))
SLACK = 1e-12
"""Of a value computed in float64, relative: a proven band speaks of the real function."""


def _inside(low, high, values):
    """A truth: whether values lie in a proven band."""
    values = np.asarray(values, float)
    room = SLACK * (1 + np.abs(values))
    outside = (values < np.asarray(low) - room) | (values > np.asarray(high) + room)
    return f"{values[outside][:1]} outside of what is proven" if np.any(outside) else None


@recipe("taylor", "taylor.taylor")
def _(draw, folder, name):
    door = mv.taylor if name == "taylor" else mv.taylor.taylor
    if draw.chance(0.5):
        return Call(door, (draw.one(ONE), draw.real(), draw.whole(0, 8)))
    direction = draw.one((None, draw.array(2)))
    return Call(door, (draw.one(MANY), draw.array(2), draw.whole(0, 4)), {"direction": direction})


@recipe("Polynomial.__call__", "Polynomial.remainder", "Polynomial.truncated")
def _(draw, folder, name):
    found = mv.taylor(draw.one(ONE[:2]), 0.5, draw.whole(2, 6))
    arg = draw.whole(0, 2) if name.endswith("truncated") else draw.one((draw.real(), draw.array(3)))
    return Call(getattr(found, name.split(".")[1]), (arg,))


@recipe("taylor_enclosure")
def _(draw, folder):
    if draw.chance(0.3):
        return Call(mv.taylor_enclosure, (draw.one(MANY), draw.array(2), 0.1, draw.whole(0, 2)))
    f, x0, radius = draw.one(ONE), draw.real(), abs(draw.real(0.3)) + 0.01
    x = np.linspace(x0 - radius, x0 + radius, 9)

    def truth(found):
        if found.x0.ndim or found.coefficients.lo.dtype != "float64":
            return None
        at = np.clip(x, x0 - radius, x0 + radius)
        with jax.enable_x64(True):
            band, value = found.band(at), np.asarray(f(at), float)
        good = np.isfinite(value) & ~np.isnan(np.asarray(band.lo))
        return _inside(np.asarray(band.lo)[good], np.asarray(band.hi)[good], value[good])

    return Call(
        mv.taylor_enclosure, (f, x0, radius, draw.whole(0, 4)), {"pieces": draw.whole(1, 3)}, truth=truth
    )


@functools.cache
def _enclosure(order):
    return mv.taylor_enclosure(jnp.sin, 0.5, 0.25, order)


@recipe("TaylorEnclosure.band", "TaylorEnclosure.plot", "TaylorEnclosure.lower", "TaylorEnclosure.upper")
def _(draw, folder, name):
    x = draw.one((0.5, 0.4 + 0.01 * draw.array(3)))
    arg = draw.path(folder, ".png", ".svg") if name.endswith("plot") else x
    return Call(getattr(_enclosure(draw.whole(0, 2)), name.split(".")[1]), (arg,))


@functools.cache
def _tensor(order):
    return mv.taylor_enclosure(lambda p: p @ p, np.array([0.5, 1.0]), 0.25, order)


@recipe("TensorEnclosure.band", "TensorEnclosure.plot", "TensorEnclosure.lower", "TensorEnclosure.upper")
def _(draw, folder, name):
    arg = draw.path(folder, ".png") if name.endswith("plot") else np.array([0.5, 1.1])
    return Call(getattr(_tensor(draw.whole(0, 2)), name.split(".")[1]), (arg,))


@recipe("interval")
def _(draw, folder):
    """The extension that it returns is called at once."""
    low = draw.array(3)
    x = mv.Interval(low, low + 0.5) if draw.chance(0.7) else low
    return Call(lambda f, *x: mv.interval(f)(*x), (draw.one(ONE), x))


@recipe("taylor.Interval", spoil=False)
def _(draw, folder):
    low = draw.array(3)
    return Call(mv.Interval, (low, low + 1))


@recipe("Interval.contains")
def _(draw, folder):
    low = draw.array(3)
    return Call(mv.Interval(low, low + 1).contains, (low + draw.real(),))


@recipe("verified_root")
def _(draw, folder):
    return Call(mv.verified_root, (draw.one(ONE), (draw.real() - 1, draw.real() + 3)))


@recipe("verified_range", seconds=240)
def _(draw, folder):
    f, box = draw.one(((draw.one(ONE), (-1.0, 0.7)), (draw.one(MANY), BOX)))
    x = draw.rng.uniform(*np.transpose(box), (7, 2) if isinstance(box[0], tuple) else 7)

    def truth(found):
        with jax.enable_x64(True):
            values = np.array([f(p) for p in x], float)
        return _inside(found.lo, found.hi, values[np.isfinite(values)])

    return Call(mv.verified_range, (f, box), {"tolerance": draw.one((1e-3, 1e-2, 0.1))}, truth=truth)


@recipe("verified_integral", seconds=240)
def _(draw, folder):
    options = {"tolerance": draw.one((1e-3, 1e-6)), "order": draw.whole(0, 5)}
    return Call(mv.verified_integral, (draw.one(ONE), -0.5, draw.real()), options)


@recipe("safe_learning_rate")
def _(draw, folder):
    x = draw.array(2)
    return Call(mv.safe_learning_rate, (draw.one(MANY), x, 2 * x, draw.one((1.0, 1e6))))
