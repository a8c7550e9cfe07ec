r"""Extrema under constraints by Lagrange's multipliers: all stationary points, what each is, the constraint's price.

    ∇f(x) = Σ λ_k ∇g_k(x),   g(x) = 0,   f: ℝᵈ → ℝ,   g: ℝᵈ → ℝᵐ

The sign of λ is that of this equation: the Lagrangian is f − λ·g, and where the constraint is loosened to g = c, the
stationary value f* follows at the rate df*/dc_k = λ_k. For a constraint such as x² + y² = 1, g is the left side less
the right; of right less left, λ has the other sign. (Of SciPy's methods, SLSQP has this sign, trust-constr the other.)

From many starts the constraint is met and Fritz John's equations are solved (`multipliers`), to rounding (`resolved`);
each point is judged by the Hessian of the Lagrangian along the constraint and by its bordered form (`bordered`), or by
the lowest order that does not vanish (`flat`); λ is checked by solving again for g = c ± δ. Kinks, which have no
multipliers, are found on ways down and up (`creases`). That all points were found is likely where many starts led to
each, and never proven.
"""

import contextlib
import inspect
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mvcalc_jax import precision, require, text
from mvcalc_jax.calculus.constraints import constrained, multipliers
from mvcalc_jax.calculus.constraints.extrema import Extrema, Status
from mvcalc_jax.calculus.constraints.judging import Look
from mvcalc_jax.calculus.multistart import scattered

_REACH = 1.5, 6.0
"""How far beyond x0 the starts are scattered, in units of max(1, |x0|): one half of them, and the other."""


def lagrange(
    f: Callable[..., Array],
    g: Callable[..., Any],
    x0: Any = None,
    *,
    box: Any = None,
    starts: int = 400,
) -> Extrema:
    """All stationary points of f subject to g = 0, each judged, with multipliers ∇f = Σ λ_k ∇g_k.

    It computes in float64; arrays are returned in the precision of x0.

    Args:
        f: of x (d,), or of d numbers: one number.
        g: of the same: one number, (m,), or a tuple of m numbers, all of which shall be 0.
        x0: a point (d,), or several (k, d), around which to look.
        box: a pair (low, high) for each variable: to look in it, and to tell of points within it alone.
        starts: how many.

    Raises:
        ValueError: without x0 and box, for shapes that do not fit, and for infinite or NaN starts.
        TypeError: for functions that are not written in JAX, or do not return numbers of the precision of x.

    >>> found = mv.lagrange(lambda x, y: x * y, lambda x, y: x**2 + y**2 - 2, box=((-2, 2), (-2, 2)))
    >>> for p in found.points:
    ...     print(p.verdict, p.x.round(6), round(p.value, 6), p.multipliers.round(6))
    minimum [-1.  1.] -1.0 [-0.5]
    minimum [ 1. -1.] -1.0 [-0.5]
    maximum [-1. -1.] 1.0 [0.5]
    maximum [1. 1.] 1.0 [0.5]
    """
    f = require.function("f", f)
    g = require.function("g", g)
    look = _look(x0, box, require.whole("starts", starts, least=1))
    with precision.of(np.zeros(())), np.errstate(all="ignore"):
        d = look.starts.shape[1]
        f, g = of_vectors(f, g, d)
        if count_of(f, g, d) > d:
            return constrained.nothing(Status.TOO_MANY, look)
        return constrained.searched(multipliers.problem(f, g, look.centre, look.width), look)


def _look(x0: Any, box: Any, count: int) -> Look:
    """Where to look: at x0, and at points scattered around it or in a box."""
    if require.traced((x0, box)):
        raise TypeError("`lagrange` searches with numbers and cannot stand inside `jit`, `vmap` or `grad`")
    if x0 is None and box is None:
        raise ValueError(
            "`lagrange` must know where to look; give `x0`, a point (d,) or several (k, d), or `box`"
        )
    given, dtype = np.zeros((0, 0)), np.dtype(float)
    if x0 is not None:
        given = precision.floats("x0", x0)
        dtype, given = given.dtype, np.asarray(given, float)
        if given.ndim not in (1, 2) or not given.size:
            raise ValueError(f"`x0` must be a point (d,) or several (k, d); got shape {given.shape}")
        require.finite("x0", given)
        given = np.atleast_2d(given)
    left = max(count - len(given), 1)
    if box is not None:
        limits = require.box("box", box, given.shape[1] or None)
        starts = np.concatenate([given.reshape(-1, len(limits)), scattered(limits, left)])
        return Look(starts, limits.mean(axis=1), np.ptp(limits, axis=1) / 2, limits, dtype)
    low, high = given.min(axis=0), given.max(axis=0)
    unit = np.maximum(1, np.abs(given).max(axis=0))
    near, far = (np.stack([low - reach * unit, high + reach * unit], axis=1) for reach in _REACH)
    starts = np.concatenate([given, scattered(near, left - left // 2), scattered(far, left // 2)])
    return Look(starts, (low + high) / 2, (high - low) / 2 + unit, None, dtype)


def of_vectors(
    f: Callable[..., Array], g: Callable[..., Any], variables: int
) -> tuple[Callable[[Array], Array], Callable[[Array], Any]]:
    """f and g as functions of one vector, g with an array for a tuple."""
    f = require.function("f", f)
    g = require.function("g", g)
    g = _of_vector("g", g, variables)

    def stacked(x: Array) -> Any:
        value = g(x)
        if not isinstance(value, (tuple, list)):
            return value
        if not value or not all(_is_number(v) for v in value):
            got = ", ".join(_named(v) for v in value)
            raise ValueError(
                "`g` must return a number for each constraint: one, an array of shape (m,), or a tuple of m "
                f"floating-point numbers; got a tuple of ({got}); take arrays apart, or join them by jnp.concatenate"
            )
        return jnp.stack([jnp.asarray(v, x.dtype) if isinstance(v, (int, float)) else v for v in value])

    return _of_vector("f", f, variables), stacked


def _is_number(value: Any) -> bool:
    """Whether it is one real number, of Python or as an array of shape ()."""
    if isinstance(value, (int, float)):
        return not isinstance(value, bool)
    return getattr(value, "shape", None) == () and jnp.issubdtype(value.dtype, jnp.floating)


def _named(value: Any) -> str:
    """What a value is, in a message."""
    shape = getattr(value, "shape", None)
    if shape is None:
        return type(value).__name__
    return f"{value.dtype} of shape {shape}"


def _of_vector(name: str, f: Callable[..., Array], variables: int) -> Callable[[Array], Array]:
    """A function of one vector or of as many numbers as there are variables, as one of a vector."""
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):
        return f
    for count, taken in ((1, f), (variables, lambda x: f(*x))):
        with contextlib.suppress(TypeError):
            signature.bind(*range(count))
            return taken
    wanted = ", ".join(signature.parameters)
    raise TypeError(
        f"`{name}` must take one vector x (d,), or {text.counted(variables, 'number')}, as many as `x0` or `box` has "
        f"variables; it takes ({wanted})"
    )


def count_of(f: Callable[[Array], Array], g: Callable[[Array], Array], variables: int) -> int:
    """Require f and g to be what they must; how many constraints there are."""
    x = jnp.zeros(variables)
    require.scalar("f", f, x)
    value = require.traceable("g", g, x)
    shape = getattr(value, "shape", None)
    if shape is None or len(shape) > 1 or 0 in shape:
        got = f"an array of shape {shape}" if shape is not None else type(value).__name__
        raise ValueError(f"`g` must return a number for each constraint, of shape () or (m,); got {got}")
    for name, dtype in (("f", require.traceable("f", f, x).dtype), ("g", value.dtype)):
        if dtype != x.dtype:
            raise TypeError(
                f"`{name}` must return numbers of the precision of its argument, {x.dtype}; got {dtype}; "
                "leave out what converts them"
            )
    for name, function in (("f", f), ("g", g)):
        require.twice_differentiable(name, function, x)
    return int(np.prod(shape))
