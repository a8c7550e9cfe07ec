"""What `critical_points` is given: a function, its derivatives and a box, each looked at before any search."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from mvcalc_jax import autodiff, require, text
from mvcalc_jax.calculus.multistart import scattered
from mvcalc_jax.calculus.stationary.degenerate import Field

_POINTS = 16
"""At which a derivative that is given is compared with autodiff's."""


def measurable(box: np.ndarray) -> None:
    """Require that squares of lengths in the box are numbers."""
    most = float(np.finfo(box.dtype).max) ** 0.5 / 100
    if np.abs(box).max() > most:
        raise ValueError(
            f"`box` must lie within ±{most:.0e}, so that squares of lengths in it are {box.dtype} numbers; got "
            f"{np.abs(box).max():.3g}; measure x in a larger unit, or give the part of the box that matters"
        )


def field(
    f: Callable[[Any], Any],
    box: np.ndarray,
    gradient: Callable[[Any], Any] | None,
    hessian: Callable[[Any], Any] | None,
    one: bool,
) -> Field:
    """f and its derivatives as functions of a vector, each looked at for its shape."""
    x, d = box.mean(axis=1), len(box)
    _takes_one(f, d)
    value = (lambda z: f(z[0])) if one else f
    require.scalar("f", value, x)
    require.twice_differentiable("f", value, x)
    known = autodiff.gradient(value)
    slope = _derivative("gradient", gradient, known, box, one, lambda z, h: (value(z + h) - value(z - h)) / 2)
    known = autodiff.jacobian(slope, mode="forward")
    bend = _derivative("hessian", hessian, known, box, one, lambda z, h: (slope(z + h) - slope(z - h)) / 2)
    return Field(value, slope, bend, np.diff(box)[:, 0] / 2)


def _derivative(
    name: str,
    given: Callable[[Any], Any] | None,
    known: Callable[[Any], Any],
    box: np.ndarray,
    one: bool,
    half: Callable[[Any, Any], Any],
) -> Callable[[Any], Any]:
    """The derivative that was given, of a vector, once it is known to be that of f; else autodiff's."""
    if given is None:
        return known
    d = len(box)
    shape = (d,) if name == "gradient" else (d, d)
    given = require.function(name, given)
    shaped: Any = (lambda z: given(z[0]).reshape(shape)) if one else given
    require.shape(
        name, require.traceable(name, shaped, box.mean(axis=1)), shape, "one entry for each variable"
    )
    _compared(name, shaped, known, box, half)
    return shaped


def _compared(
    name: str,
    given: Callable[[Any], Any],
    known: Callable[[Any], Any],
    box: np.ndarray,
    half: Callable[[Any, Any], Any],
) -> None:
    """Require that a derivative is autodiff's, at a few points, unless a central difference of f is nearer to it.

    Args:
        name: of it.
        given: by the caller.
        known: autodiff's.
        box: of the points.
        half: (f(z + h) − f(z − h)) / 2.
    """
    w, ε = np.diff(box)[:, 0] / 2, float(np.finfo(box.dtype).eps)
    z = scattered(box, _POINTS).astype(box.dtype)
    steps = np.diag(ε ** (1 / 3) * w).astype(box.dtype)
    both = jax.jit(jax.vmap(lambda z: (given(z), known(z), jax.vmap(lambda h: half(z, h))(steps))))
    told, right, differences = (np.asarray(a, float) for a in both(z))
    difference = np.moveaxis(differences, 1, -1) / np.diag(steps).astype(float)
    axes = tuple(range(1, right.ndim))
    limit = 10 * ε**0.5 * np.maximum(np.abs(told), np.abs(right)).max(axis=axes, keepdims=True)
    with np.errstate(invalid="ignore"):
        wrong = np.abs(told - right) > limit
        wrong &= np.abs(difference - right) < np.abs(difference - told)
    if wrong.any():
        k, *entry = np.argwhere(wrong)[0]
        at, place = (k, *entry), f"[{', '.join(map(str, entry))}]"
        raise ValueError(
            f"`{name}` must be that of f; at x = {text.vector(z[k], 4)} its entry {place} is {told[at]:.6g}, and "
            f"autodiff gives {right[at]:.6g}; mend it, or leave `{name}` out"
        )


def _takes_one(f: Callable[[Any], Any], d: int) -> None:
    """Require that f can be called with one argument."""
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):  # some that are built in have none
        return
    try:
        signature.bind(None)
    except TypeError:
        raise TypeError(
            f"`f` must take one argument, the point x of shape ({d},); got a function of {signature}; "
            "write lambda x: f(*x)"
        ) from None
