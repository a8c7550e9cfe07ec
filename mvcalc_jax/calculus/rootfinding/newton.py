r"""Newton's method for the roots of f, and the reason where it finds none.

    x ← x − f(x)/f′(x)        one variable: down the tangent to its zero
    x ← x − J(x)⁻¹ f(x)       several variables

Near a simple root the error is squared by every step; at a root of multiplicity m only 1/m of it goes, and m steps at
once, x ← x − m f/f′, square it again (Schröder 1870). Rounding of f hides the last digits of a multiple root, about
ε^(1/m) of it; but it is a simple root of f⁽ᵐ⁻¹⁾, and that gives all of them.

A point is called a root only if f is zero there to rounding and |f| falls towards it like C hᵐ from both sides, which
no asymptote, pole, jump or low minimum does: see `rootfinding.portrait`. All else is told apart in
`rootfinding.endings`. `newton` with a `bracket` keeps Newton's steps between two numbers where f has opposite
signs, by halving where they leave it, and cannot fail if f is continuous there.
"""

from typing import Any

import numpy as np

from mvcalc_jax import precision, require
from mvcalc_jax.calculus.rootfinding import trail
from mvcalc_jax.calculus.rootfinding.endings import reason
from mvcalc_jax.calculus.rootfinding.outcome import Root, Status, Trace, said
from mvcalc_jax.calculus.rootfinding.portrait import Portrait, look
from mvcalc_jax.calculus.rootfinding.trail import Function, Subject, Walk
from mvcalc_jax.calculus.slopes import ladder
from mvcalc_jax.calculus.slopes.estimates import Status as Slope
from mvcalc_jax.calculus.slopes.extrapolation import extrapolated

_LOST = 1e6
"""So many times its error a root must be blurred before it is called lost."""
_POLISHED = 6
"""Multiplicities up to which f⁽ᵐ⁻¹⁾ is compiled: nested derivatives double in size with every order."""


def newton(
    f: Function,
    x0: Any = None,
    *,
    derivative: Function | None = None,
    args: tuple = (),
    bracket: tuple[float, float] | None = None,
    max_steps: int = 1000,
) -> Root:
    """A root of f near x0 by Newton's method, or the reason why none was found.

    Args:
        f: f(x, *args), written in JAX: a number to a number, or (d,) to (d,).
        x0: the start, a number or (d,); it sets the precision. With a bracket it may be left out.
        derivative: f′(x, *args), or the Jacobian J[i, j] = ∂f_i/∂x_j; by autodiff unless given.
        args: more arguments. Compiled once for a function, whatever they are.
        bracket: (a, b) with opposite signs of f: then Newton's steps are kept between them. One variable only.
        max_steps: the limit.

    Raises:
        TypeError: where f or derivative is no function that JAX can compile and differentiate, or x0 is no real number.
        ValueError: for shapes that do not fit, a start or bracket that is not finite, one without a change of sign.
    """
    rows = require.whole("max_steps", max_steps, least=1) + 1
    if x0 is None and bracket is None:
        raise TypeError(
            "`x0` must be a number or an array; got None; only with a `bracket` may it be left out"
        )
    if require.traced((x0, args, bracket)):
        raise TypeError(
            "`x0` must be a number that is known: reasons are found on the host; inside jit and vmap use `trail.walk`"
        )
    if not isinstance(args, tuple):
        raise TypeError(f"`args` must be a tuple, such as (a,); got {type(args).__name__}")
    edges = None if bracket is None else require.box("bracket", (bracket,), 1)[0]
    start = edges.mean() if edges is not None and x0 is None else x0
    x = np.asarray(precision.floats("x0", start))
    if x.ndim > 1 or not x.size:
        raise ValueError(f"`x0` must be a number, or of shape (d,); got shape {x.shape}")
    require.finite("x0", x)
    with precision.of(x):
        subject = Subject(_known("f", f), _known("derivative", derivative) if derivative else None, args)
        trail.checked(*subject[:2], x, args)
        walked = subject.walk(x, rows) if edges is None else _between(subject, x, edges.astype(x.dtype), rows)
        return _judged(subject, walked, rows)


def _known(name: str, f: Function) -> Function:
    """f, by whose identity its compiled program is found."""
    require.function(name, f)
    try:
        hash(f)
    except TypeError:
        return lambda *args: f(*args)
    return f


def _between(subject: Subject, x: np.ndarray, edges: np.ndarray, rows: int) -> Walk:
    """The walk within a bracket, once it is known to be one."""
    if x.ndim:
        raise ValueError(f"`bracket` is for one variable; got `x0` of shape {x.shape}")
    if not edges[0] <= x <= edges[1]:
        raise ValueError(f"`x0` must lie in the bracket {said(edges)}; got {said(x)}")
    low, high = subject.sample(edges)
    if low == 0 or high == 0:
        return subject.walk(edges[0] if low == 0 else edges[1], rows)
    if not low * np.sign(high) < 0:
        raise ValueError(
            f"`bracket` must have f of opposite signs at its ends; got f({edges[0]:g}) = {low:g} and "
            f"f({edges[1]:g}) = {high:g}; choose others"
        )
    return subject.walk_between(x, edges, float(np.sign(high)), rows)


def _judged(subject: Subject, found: Walk, rows: int) -> Root:
    """The root that was found, or the reason why there is none."""
    with np.errstate(all="ignore"):
        sizes = np.abs(found.f) if found.f.ndim == 1 else np.linalg.norm(found.f, axis=1)
        sizes = np.where(np.isfinite(sizes), sizes, np.inf)
    best = int(np.argmin(sizes))
    for size in _scales(found, best) if np.isfinite(sizes[best]) else ():
        root = _root(subject, found, best, size)
        if root is not None:
            return root
    last = found.last
    portrait = Portrait("none", np.nan, np.nan, np.nan)
    if np.isfinite(found.x[last]).all():
        size = float(np.max(np.abs(found.x[last]))) or _size(found.x, last)
        portrait = look(subject, found.x[last], size)
        if (
            found.halved.any() and portrait.kind == "none"
        ):  # the pole or jump may be anywhere in a bracket this narrow
            portrait = look(subject, found.x[last], 64 * size / float(np.finfo(found.x.dtype).eps))
    end = reason(subject, found, rows, portrait)
    trace = _traced(found, end.last)
    x = _plain(trace.x[-1] if end.x is None else end.x)
    return Root(x, end.status, end.message, end.last, np.nan, np.nan, end.period, trace)


def _root(subject: Subject, found: Walk, best: int, size: float) -> Root | None:
    """The root near one of the iterates, with all digits that there are, if there is one."""
    portrait = look(subject, found.x[best], size, found.f[best])
    if portrait.kind != "root":
        return None
    x, m, unsure, error = found.x[best], portrait.order, portrait.error, portrait.error
    if x.ndim == 0 and m == round(m) and 1 < m <= _POLISHED:
        polished = _polished(subject, x, int(m), unsure)
        if polished is not None:
            x, error = polished
            portrait = look(subject, x, size)
            if portrait.kind != "root":
                return None  # |f| has a minimum here, and it is not zero
            m, unsure = portrait.order, min(unsure, portrait.error)
    if m != 1:
        trace, x, error = _accelerated(subject, found, best, size, x, m, unsure, error)
    else:
        last = _first(found.x, x, 4 * error)
        last += int(np.argmin(_norms(found.f[last : min(best, last + 8) + 1])))
        x = found.x[last]
        trace = _traced(found, last)
    steps = len(trace.x) - 1
    if m == 1 and x.ndim == 0 and x != 0:
        blur = _blur(subject, x)
        if blur > max(_LOST * error, _LOST * float(np.spacing(np.abs(x))), 1e-10 * abs(float(x))):
            lost = f"the digits of f are lost within ± {blur:.1g} of {said(x)}, and its roots there are rounding's"
            message = f"{lost}; write f so that it does not cancel"
            return Root(_plain(x), Status.STALLED, message, steps, np.nan, np.nan, 0, trace)
    status = Status.CONVERGED if m == 1 else Status.MULTIPLE
    what = "a root" if m == 1 else f"a root of multiplicity {m:g}"
    what = what if m == round(m) else f"a root about which |f| grows like the distance to the power {m:.3g}:"
    scale = float(np.max(np.abs(found.x[[0, best]])))
    within = (
        f" ± {error:.1g}" if error > 1e-30 * scale else ""
    )  # of a root at 0, no more than all digits can be told
    message = f"converged to {what} at {said(x)}{within} in {steps} step{'s' * (steps != 1)}"
    if m != 1:
        told = unsure > 1e4 * float(np.finfo(found.x.dtype).eps) * scale
        message += f"; f alone tells it only within {unsure:.1g}" if told else ""
    return Root(_plain(x), status, message, steps, float(error), float(m), 0, trace)


def _blur(subject: Subject, x: np.ndarray) -> float:
    """How far from x its rounding lets f be zero: measured at uneven steps, which see what cancels in f."""
    at, eps = x[None], float(np.finfo(x.dtype).eps)
    with np.errstate(all="ignore"):
        values = lambda points: subject.sample(points.ravel()).astype(float).reshape(points.shape)
        scales = ladder.climb(values, eps, at, ladder.rungs(at))
        slope, error, _, status = extrapolated(scales)
        if status[0] in (Slope.KINK, Slope.UNSETTLED, Slope.JUMP):  # two slopes, or none, and no cancelling
            return 0.0
        known = abs(float(slope[0])) - float(error[0])
        return float(ladder.noise(scales)[0]) / known if known > 0 else np.inf


def _polished(subject: Subject, x: np.ndarray, m: int, unsure: float) -> tuple[np.ndarray, float] | None:
    """The simple root of f⁽ᵐ⁻¹⁾ next to x, and its error; None where that cannot be had."""
    higher = subject._replace(order=m - 1)
    found = higher.walk_if_derived(x, 40)
    if found is None:
        return None
    best = int(np.argmin(np.where(np.isfinite(found.f), np.abs(found.f), np.inf)))
    y = found.x[best]
    if not abs(y - x) <= 8 * unsure:
        return None
    portrait = look(higher, y, max(abs(float(y)), unsure))
    return (y, portrait.error) if portrait.kind == "root" and portrait.order == 1 else None


def _accelerated(
    subject: Subject,
    found: Walk,
    best: int,
    size: float,
    x: np.ndarray,
    m: float,
    unsure: float,
    error: float,
) -> tuple[Trace, np.ndarray, float]:
    """The trace with steps m f/f′ from where m could be seen in it, ending at the root; the root, and its error."""
    end = min(_first(found.x, x, 4 * unsure), best)
    chosen = _traced(found, end)
    for k in _linear(found.x[: end + 1], m):
        more = subject.walk(found.x[k], 24, factor=m)
        near = _norms(more.x - x)
        with np.errstate(all="ignore"):
            j = int(np.nanargmin(np.where(np.isfinite(near), near, np.inf)))
        if j and near[j] <= max(unsure, 1e-3 * near[0]):
            rest = slice(1, j + 1)
            chosen = _joined(_traced(found, k), more.x[rest], more.f[rest], more.df[rest], "modified")
            break
    y = chosen.x[-1]
    if error == unsure and _norms(chosen.f[-1:])[0] <= _norms(subject.sample(x[None]))[0]:
        portrait = look(subject, y, size, chosen.f[-1])  # nothing but f itself to tell a better point by
        if portrait.kind == "root" and portrait.error <= error:
            return chosen, y, portrait.error
    if np.any(y != x):
        f, df = subject.both(x)
        chosen = _joined(chosen, x[None], f[None].astype(x.dtype), df[None].astype(x.dtype), "polish")
    return chosen, x, error


def _linear(x: np.ndarray, m: float) -> list[int]:
    """Iterates from which on a step leaves 1 − 1/m of the way, as at a root of multiplicity m."""
    if len(x) < 3:
        return []
    steps = _norms(np.diff(x.astype(float), axis=0))
    with np.errstate(all="ignore"):
        seen = np.abs(1 / (1 - steps[1:] / steps[:-1]) / m - 1) < 0.15
    both = np.flatnonzero(seen[1:] & seen[:-1]) + 2
    return [int(k) for k in (*both[:6:2], *both[6::4])][:12] or [len(x) - 1]


def _traced(found: Walk, last: int) -> Trace:
    """The rows of a walk up to one."""
    cut = slice(0, last + 1)
    rules = np.where(found.halved[cut], "halving", "newton")
    return Trace(found.x[cut], found.f[cut], found.df[cut], np.concatenate([["start"], rules[1:]]))


def _joined(trace: Trace, x: np.ndarray, f: np.ndarray, df: np.ndarray, rule: str) -> Trace:
    """A trace, and rows that come after it, all reached in one way."""
    after = (x, f, df, np.repeat([rule], len(x)))
    return Trace._make(np.concatenate(pair) for pair in zip(trace, after, strict=True))


def _first(x: np.ndarray, root: np.ndarray, within: float) -> int:
    """The first iterate within so much of the root, or the nearest."""
    away = _norms(x.astype(float) - root)
    near = np.flatnonzero(away <= within)
    return int(near[0]) if len(near) else int(np.nanargmin(away))


def _norms(rows: np.ndarray) -> np.ndarray:
    rows = rows.astype(float)
    return np.abs(rows) if rows.ndim == 1 else np.linalg.norm(rows, axis=1)


def _size(x: np.ndarray, k: int) -> float:
    """The size of an iterate, or of the last steps to it if they are longer."""
    with np.errstate(all="ignore"):
        steps = _norms(np.diff(x[max(k - 8, 0) : k + 1].astype(float), axis=0))
    longest = float(np.max(steps[np.isfinite(steps)], initial=0))
    size = max(float(np.max(np.abs(x[k]))), min(longest, 1e30))
    return size or 1.0


def _scales(found: Walk, best: int) -> list[float]:
    """Distances about an iterate within which f may show what it is: a zero of f may be far from what led there."""
    x, size = found.x, _size(found.x, best)
    own, largest = float(np.max(np.abs(x[best]))), float(np.max(np.abs(x[np.isfinite(x)]), initial=0))
    if not np.any(found.f[best]):
        return [size, own or 1.0, min(largest, 1.0), min(largest, 1e6)]
    return [size, own] if 0 < own < 1e-2 * size else [size]


def _plain(x: Any) -> Any:
    """A number of Python's where it is one number."""
    return float(x) if np.ndim(x) == 0 else np.asarray(x)
