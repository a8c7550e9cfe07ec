r"""Newton's method for the roots of f, and the reason where it finds none.

    x ← x − f(x)/f′(x)        one variable: down the tangent to its zero
    x ← x − J(x)⁻¹ f(x)       several variables

Near a simple root the error is squared by every step; at a root of multiplicity m only 1/m of it goes, and m steps at
once, x ← x − m f/f′, square it again (Schröder 1870). Rounding of f hides the last digits of a multiple root, about
ε^(1/m) of it; but it is a simple root of f⁽ᵐ⁻¹⁾, and that gives all of them.

A point is called a root only if f is zero there to rounding and |f| falls towards it like C hᵐ from both sides, which
no asymptote, pole, jump or low minimum does: see `rootfinding.portrait`; a system is first reduced to the equations
that matter there, `rootfinding.reduced`. Where f cancels, the derivatives must agree with m: `rootfinding.orders`. All
else is told apart in `rootfinding.endings`. `newton` with a `bracket` keeps Newton's steps between two numbers where f
has opposite signs, by halving where they leave it, and cannot fail if f is continuous there.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from mvcalc_jax import precision, require, text
from mvcalc_jax.calculus.rootfinding import floors, trail
from mvcalc_jax.calculus.rootfinding.endings import overflown, reason
from mvcalc_jax.calculus.rootfinding.orders import POLISHED, blur_of, confirmed, polished, undefined
from mvcalc_jax.calculus.rootfinding.outcome import Ending, Root, Status, Trace, said
from mvcalc_jax.calculus.rootfinding.portrait import Portrait, jumps, look
from mvcalc_jax.calculus.rootfinding.reduced import rounded
from mvcalc_jax.calculus.rootfinding.trail import UNDERIVED, Function, Subject, Walk, levels, norms

_LOST = 1e6
"""So many times its error a root must be blurred before it is called lost."""
_STEADY = 8
"""So many steps that leave the same part of the way aim at a multiple root, and not at a simple one."""
_SLOW = 30
"""After so many steps the derivative is compared with one by autodiff, if it was written by hand."""


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

    >>> root = mv.newton(lambda x: x**2 - 2, 1.0)
    >>> print(f"{root.x:.15f}", root.success)
    1.414213562373095 True
    >>> print(mv.newton(lambda x: x**3 - 2 * x + 2, 0.0).message)
    a cycle of period 2: 0, 1; it returns for ever; start elsewhere
    >>> x, found = mv.newton(lambda x: jnp.stack([x[0] + x[1] - 3, x[0] * x[1] - 2]), np.array([0.0, 3.5]))
    >>> x.round(12), found
    (array([1., 2.]), True)
    """
    f = require.function("f", f)
    if derivative is not None:
        derivative = require.function("derivative", derivative)
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
        subject = Subject(f, derivative, args)
        trail.checked(*subject[:2], x, args)
        walked = subject.walk(x, rows) if edges is None else _between(subject, x, edges.astype(x.dtype), rows)
        return _judged(subject, walked, rows, edges)


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


def _judged(subject: Subject, found: Walk, rows: int, edges: np.ndarray | None) -> Root:
    """The root that was found, or the reason why there is none."""
    jump = overflown(found)
    if jump is not None:
        return _rootless(found, jump)
    best = int(np.argmin(levels(found)))
    root = _searched(subject, found, best, edges) if np.isfinite(found.f[best]).all() else None
    if root is None or not root.success or (root.multiplicity == 1 and root.steps > _STEADY):
        root = _aimed(subject, found, edges, root if root is not None and root.success else None) or root
    last = found.last
    portrait = Portrait("none", np.nan, np.nan, np.nan)
    if root is None and np.isfinite(found.x[last]).all():
        size = np.abs(found.x[last]) if np.all(found.x[last]) else _size(found.x, last)
        portrait = look(subject, found.x[last], size)
        if (
            found.halved.any() and portrait.kind == "none"
        ):  # the pole or jump may be anywhere in a bracket this narrow
            portrait = look(subject, found.x[last], 64 * size / float(np.finfo(found.x.dtype).eps))
        if portrait.kind == "jump":
            x, beyond = floors.crossed(subject, found.x[last])
            found = _longer(subject, found, x, 1)
            root = _searched(subject, found, found.last, edges)
            if root is None and found.f[-1] != 0 and not jumps(subject, x, beyond):
                what = f"f changes its sign next to {said(x)}, by rounding or more steeply than numbers show"
                root = _rootless(found, Ending(Status.STALLED, f"{what}; write f in another way", found.last))
    if root is None:
        root = _rootless(found, reason(subject, found, rows, portrait, edges is not None))
    slip = "" if root.success and root.steps <= _SLOW else _slip(subject, found)
    return replace(root, message=root.message + slip) if slip else root


def _rootless(found: Walk, end: Ending) -> Root:
    trace = _traced(found, end.last)
    x = _plain(trace.x[-1] if end.x is None else end.x)
    return Root(x, end.status, end.message, end.last, np.nan, np.nan, end.period, trace)


def _searched(subject: Subject, found: Walk, row: int, edges: np.ndarray | None) -> Root | None:
    """The root near an iterate, as far away as f may have to be looked at; or that digits of f are lost there."""
    lost = None
    for size in _scales(found, row, edges):
        root = _root(subject, found, row, size)
        if root is not None and edges is not None and not edges[0] <= root.x <= edges[1]:
            continue
        if root is not None and root.success:
            return root
        lost = lost or root
    return lost


def _aimed(subject: Subject, found: Walk, edges: np.ndarray | None, beside: Root | None) -> Root | None:
    """The root that steps aim at which leave 1 − 1/m of the way, wherever rounding of f led them after that.

    The highest m is tried first: a lower one may be that of what rounding makes of f. So may a simple root that was
    found `beside` it: then it counts if many steps aimed at it, and the other is no further away than f tells it.
    """
    if found.last < 4 or found.halved.any() or (beside is not None and found.x.ndim > 1):
        return None
    with np.errstate(all="ignore"):
        d = np.diff(found.x.astype(float), axis=0)
        m = 1 / (1 - norms(d[1:]) / norms(d[:-1]))
        odd = np.maximum(np.abs(np.diff(m[:-1])), np.abs(np.diff(m[1:]))) / m[2:]
    for order in range(POLISHED, 1, -1):
        odds = np.where((np.abs(m[2:] - order) < 0.1 * order) & (odd < 0.02), odd, np.inf)
        steady = np.flatnonzero(np.isfinite(odds))
        if len(steady) < (1 if beside is None else _STEADY):
            continue
        steady = steady[
            : int(np.argmax(np.append(np.diff(steady), 2) > 1)) + 1
        ]  # later ones may be rounding's
        k = int(steady[np.argmin(odds[steady])])
        aim = (found.x[k + 3] + order * d[k + 3]).astype(found.x.dtype)
        walk = _longer(subject, Walk._make([*(a[: k + 5] for a in found[:4]), k + 4]), aim, 2)
        size = np.minimum(np.abs(found.x[k].astype(float) - aim) * 2.0**10, 1e30)
        fit = np.isfinite(walk.f[-1]).all() and np.all(size > 0)
        root = _root(subject, walk, walk.last, size, None if aim.ndim else order) if fit else None
        if root is None or not root.success or not (edges is None or edges[0] <= root.x <= edges[1]):
            continue
        if beside is None:
            return root
        if abs(root.x - beside.x) <= look(subject, np.asarray(root.x, aim.dtype), size, order=order).error:
            return root
    return None


def _longer(subject: Subject, found: Walk, x: np.ndarray, how: int) -> Walk:
    """A walk, and one more point."""
    f, df = subject.both(x)
    row = (x, f.astype(x.dtype), df.astype(x.dtype), np.asarray(how))
    rows = [np.concatenate([a, b[None]]) for a, b in zip(found[:4], row, strict=True)]
    return Walk._make([*rows, found.last + 1])


def _root(subject: Subject, found: Walk, best: int, size: Any, order: int | None = None) -> Root | None:
    """The root near one of the iterates, with all digits that there are, if there is one: of one order, if given."""
    x, seen = found.x[best], look(subject, found.x[best], size, found.f[best], order)
    if seen.kind != "root":
        return None
    portrait = confirmed(subject, found, best, size, seen)
    if portrait is None:
        return _lost(found, best, seen.error)
    m, unsure, error = portrait.order, portrait.error, portrait.error
    if x.ndim == 0 and m == round(m) and 1 < m <= POLISHED:
        finer = polished(subject, x, int(m), unsure)
        if finer is None and (order or m != seen.order) and not undefined(subject, x, int(m)):
            return None
        if finer is not None:
            x, error = finer
            portrait = look(subject, x, size, order=int(m))
            if portrait.kind != "root":
                return None  # |f| has a minimum here, and it is not zero
            unsure = min(unsure, portrait.error)
    if m != 1:
        trace, x, error = _accelerated(subject, found, best, size, x, m, unsure, error)
        again = look(subject, x, size, order=int(m) if m == round(m) else None)
        portrait = portrait._replace(floor=again.floor) if again.kind == "root" else portrait
    else:
        last = _first(found.x, x, 4 * error)
        last += int(np.argmin(levels(found)[last : min(best, last + 8) + 1]))
        x = found.x[last]
        trace = _traced(found, last)
        blur = blur_of(subject, x) if x.ndim == 0 and x != 0 else 0.0
        if blur > max(
            _LOST * error, _LOST * float(np.spacing(np.max(np.abs(x)))), 1e-10 * float(np.max(np.abs(x)))
        ):
            return _lost(found, last, blur if np.isfinite(blur) else portrait.error)
    at = np.asarray(x)
    if at.ndim:
        error = max(error, rounded(subject, at, np.broadcast_to(size, at.shape), m == 1))
    return _told(trace, portrait._replace(order=m, error=unsure), error)


def _lost(found: Walk, last: int, blur: float) -> Root:
    where = f"the digits of f are lost within ± {blur:.1g} of {said(found.x[last])}"
    message = f"{where}, and its roots there are rounding's; write f so that it does not cancel"
    return _rootless(found, Ending(Status.STALLED, message, last))


def _told(trace: Trace, portrait: Portrait, error: float) -> Root:
    """A root, and what is known of it, in a sentence."""
    x, m, steps = trace.x[-1], portrait.order, len(trace.x) - 1
    what = "a root" if m == 1 else f"a root of multiplicity {m:g}"
    what = what if m == round(m) else f"a root about which |f| grows like the distance to the power {m:.3g}:"
    scale = float(np.max(np.abs(trace.x[[0, -1]])))
    within = (
        f" ± {error:.1g}" if error > 1e-30 * scale else ""
    )  # of a root at 0, no more than all digits can be told
    message = f"converged to {what} at {said(x, error)}{within} in {text.counted(steps, 'step')}"
    if m != 1 and portrait.error > 1e4 * float(np.finfo(x.dtype).eps) * scale:
        message += f"; f alone tells it only within {portrait.error:.1g}"
    if portrait.floor:
        message += f"; f keeps its sign there, and may stay {portrait.floor:.1g} away from zero for all its digits tell"
    status = Status.CONVERGED if m == 1 else Status.MULTIPLE
    return Root(_plain(x), status, message, steps, float(error), float(m), 0, trace)


def _slip(subject: Subject, found: Walk) -> str:
    """Where a derivative by hand is not that of f."""
    if subject.derivative is None:
        return ""
    try:
        df = subject._replace(derivative=None).both(found.x[0])[1]
    except UNDERIVED:
        return ""
    apart, size = np.abs(df - found.df[0]), np.max(np.abs(df), initial=0)
    if not (np.isfinite(df).all() and np.max(apart) > 1e-3 * size):
        return ""
    at = np.unravel_index(np.argmax(apart), df.shape)
    entry = f"[{at[0]}, {at[1]}]" if len(at) else ""
    there = f"{said(found.df[0][at])} at {said(found.x[0])}"
    return f"; `derivative`{entry} is {there}, where f has {said(df[at])}: mend it, or leave it out"


def _accelerated(
    subject: Subject,
    found: Walk,
    best: int,
    size: Any,
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
        near = norms(more.x - x)
        with np.errstate(all="ignore"):
            j = int(np.nanargmin(np.where(np.isfinite(near), near, np.inf)))
        if j and near[j] <= max(unsure, 1e-3 * near[0]):
            rest = slice(1, j + 1)
            chosen = _joined(_traced(found, k), more.x[rest], more.f[rest], more.df[rest], "modified")
            break
    y = chosen.x[-1]
    if error == unsure and norms(chosen.f[-1:])[0] <= norms(subject.sample(x[None]))[0]:
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
    steps = norms(np.diff(x.astype(float), axis=0))
    with np.errstate(all="ignore"):
        seen = np.abs(1 / (1 - steps[1:] / steps[:-1]) / m - 1) < 0.15
    both = np.flatnonzero(seen[1:] & seen[:-1]) + 2
    return [int(k) for k in (*both[:6:2], *both[6::4])][:12] or [len(x) - 1]


def _traced(found: Walk, last: int) -> Trace:
    """The rows of a walk up to one."""
    cut = slice(0, last + 1)
    rules = np.array(["newton", "halving", "modified"])[found.halved[cut].astype(int)]
    return Trace(found.x[cut], found.f[cut], found.df[cut], np.concatenate([["start"], rules[1:]]))


def _joined(trace: Trace, x: np.ndarray, f: np.ndarray, df: np.ndarray, rule: str) -> Trace:
    """A trace, and rows that come after it, all reached in one way."""
    after = (x, f, df, np.repeat([rule], len(x)))
    return Trace._make(np.concatenate(pair) for pair in zip(trace, after, strict=True))


def _first(x: np.ndarray, root: np.ndarray, within: float) -> int:
    """The first iterate within so much of the root, or the nearest."""
    away = norms(x.astype(float) - root)
    near = np.flatnonzero(away <= within)
    return int(near[0]) if len(near) else int(np.nanargmin(away))


def _size(x: np.ndarray, k: int) -> Any:
    """The size of an iterate, or of the last steps to it if they are longer: of each variable."""
    with np.errstate(all="ignore"):
        steps = np.abs(np.diff(x[max(k - 8, 0) : k + 1].astype(float), axis=0))
    longest = np.max(np.where(np.isfinite(steps), steps, 0), axis=0, initial=0)
    size = np.maximum(np.abs(x[k]), np.minimum(longest, 1e30))
    return np.where(size > 0, size, 1.0)


def _scales(found: Walk, best: int, edges: np.ndarray | None) -> list[Any]:
    """Distances about an iterate within which f may show what it is: a zero of f may be far from what led there.

    And f may be lost in rounding all about the iterate: then what led there shows more.
    """
    x, size = found.x.astype(float), _size(found.x, best)
    own, finite = np.abs(x[best]), np.where(np.isfinite(x), np.abs(x), 0)
    if not np.any(found.f[best]):
        largest = float(np.max(finite))
        sizes = [
            size,
            np.where(own > 0, own, 1.0),
            size * 0 + min(largest, 1.0),
            size * 0 + min(largest, 1e6),
        ]
    else:
        sizes = [size, own] if np.all(own > 0) and np.max(own / size) < 1e-2 else [size]
    away = np.where(np.isfinite(x), np.abs(x - x[best]), 0)
    sizes += [away[0], np.median(away, axis=0)]
    if edges is not None:
        sizes = [min(s, float(np.ptp(edges))) for s in sizes]
    return [s for k, s in enumerate(sizes) if np.all(s > 0) and all(np.any(s != t) for t in sizes[:k])]


def _plain(x: Any) -> Any:
    """A number of Python's where it is one number."""
    return float(x) if np.ndim(x) == 0 else np.asarray(x)
