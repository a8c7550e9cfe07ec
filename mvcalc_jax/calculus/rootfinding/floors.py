"""Where |f| has a minimum that is not zero: what Newton's method wanders about if there is no root.

f is looked at on a net that reaches from next to the point to far out; a change of sign anywhere is worth more than the
minimum, for where f is continuous it surrounds a root, and the sentence names it as a bracket.
"""

from typing import Any

import numpy as np

from mvcalc_jax.calculus.rootfinding.outcome import Ending, Status, flat, said
from mvcalc_jax.calculus.rootfinding.portrait import look
from mvcalc_jax.calculus.rootfinding.trail import Subject, Walk


def wandering(subject: Subject, found: Walk) -> Ending:
    """Of one variable: whether f changes its sign, or |f| has a minimum that is not zero."""
    x, f, last = found.x, found.f, found.last
    order = np.argsort(x)
    changes = np.flatnonzero(np.sign(f[order][1:]) * np.sign(f[order][:-1]) < 0)
    if len(changes):
        k = changes[np.argmin(np.diff(x[order])[changes])]
        return _limit(last, _between(x[order][k], x[order][k + 1]))
    best = x[np.nanargmin(np.abs(f))]
    width = spread = float(np.median(np.abs(x - best))) or 1.0
    for _ in range(4):
        grid = np.asarray(best + width * np.linspace(-1, 1, 201), x.dtype)
        values = subject.sample(grid)
        if (values * np.sign(f[0]) <= 0).any():
            k = int(np.flatnonzero(values * np.sign(f[0]) <= 0)[0])
            return _limit(last, f"f reaches zero near {said(grid[k])}; start there")
        best = grid[int(np.nanargmin(np.abs(values)))]
        width /= 20
    flat = (
        4 * float(np.finfo(x.dtype).eps) ** 0.5
    )  # as near to its bottom as that, f does not show that it rises
    width = max(width, flat * max(spread, abs(float(best))))
    best = _bottom(subject, best, width)
    apart = np.asarray([best, best - width, best + width], x.dtype)
    value, *about = np.abs(subject.sample(apart))
    if look(subject, best, max(abs(float(best)), float(np.median(np.abs(x - best))))).kind == "root":
        return _limit(last, f"f seems to have a root at {said(best)}; start there")
    if not min(about) > value > 1e10 * np.finfo(x.dtype).tiny:
        return _limit(last, f"|f| was least at {said(best)}, where it is {said(value)}; start elsewhere")
    change = _elsewhere(subject, best, f[0])
    return _minimum(best, value, last, _net(best, change))


def turning(subject: Subject, found: Walk, many: bool) -> Ending:
    """At a point where f′ is zero, or J singular, and f is not."""
    x, last = found.x[found.last], found.last
    if many:
        end = least(subject, found)
        what = f"the Jacobian is singular at {said(x)}"
        return end if end.status == Status.MINIMUM else flat(what, last)
    change = _elsewhere(subject, x, found.f[last])
    h = 1e-3 * max(abs(float(x)), 1.0)
    about = np.abs(subject.sample(np.asarray([x - h, x + h], x.dtype)))
    if change is None and (about > abs(found.f[last])).all():
        return _minimum(x, found.f[last], last, _net(x, None))
    hint = f"; {_between(x, change)}" if change is not None else "; start elsewhere"
    return flat(f"f′ is zero at {said(x)}, where f is {said(found.f[last])}", last, hint)


def about_minimum(subject: Subject, found: Walk) -> Ending | None:
    """Whether the iterates before the last were about a minimum of |f|, next to which a tangent may lead anywhere."""
    if found.last < 3 or found.x.ndim > 1:
        return None
    end = wandering(subject, found._replace(x=found.x[:-1], f=found.f[:-1]))
    return end if end.status == Status.MINIMUM else None


def least(subject: Subject, found: Walk) -> Ending:
    """Of several variables: where ‖f‖ is least, downhill from the best iterate by Levenberg's steps."""
    sizes = np.where(np.isfinite(found.x).all(axis=1), np.linalg.norm(found.f, axis=1), np.inf)
    x, λ = found.x[int(np.nanargmin(sizes))], 1e-2
    f, J = subject.both(x)
    for _ in range(100):
        g = J.T @ f
        if np.linalg.norm(g) <= 1e-7 * np.linalg.norm(J) * np.linalg.norm(f):
            break
        A = J.T @ J
        trial = (x - np.linalg.solve(A + λ * (np.trace(A) / len(x) + 1e-300) * np.eye(len(x)), g)).astype(
            x.dtype
        )
        f_trial, J_trial = subject.both(trial)
        better = np.linalg.norm(f_trial) < np.linalg.norm(f)
        x, f, J = (trial, f_trial, J_trial) if better else (x, f, J)
        λ = λ / 5 if better else min(λ * 5, 1e12)
    value, slope = float(np.linalg.norm(f)), np.linalg.norm(J.T @ f)
    v = np.linalg.svd(J.astype(float))[2][-1]
    h = 1e-3 * max(float(np.linalg.norm(x)), 1.0)
    about = np.linalg.norm(subject.sample(np.asarray([x - h * v, x + h * v], x.dtype)), axis=1)
    floor = value > 1e-6 * float(np.nanmedian(sizes))
    if floor and slope <= 1e-5 * np.linalg.norm(J) * value and (about > value).all():
        return _minimum(x, value, found.last)
    return _limit(found.last, f"‖f‖ was least at {said(x)}, where it is {value:.3g}; start there")


def _elsewhere(subject: Subject, x: np.ndarray, f: np.ndarray) -> Any:
    """The nearest point, on a wide net about x, at which f has another sign; None if there is none."""
    reach = max(abs(float(x)), 1.0) * 2.0 ** np.arange(-24, 40, 0.5)
    points = np.concatenate([x + reach, x - reach]).astype(x.dtype)
    values = subject.sample(points)
    other = points[np.isfinite(values) & (values * np.sign(f) < 0)]
    nearest = np.argsort(np.abs(other - x))
    return other[nearest[min(1, len(other) - 1)]] if len(other) else None  # the first may be all but a root


def _bottom(subject: Subject, x: np.ndarray, width: float) -> np.ndarray:
    """Where f′ is zero next to x, or x where that cannot be had: the least of |f| alone tells it to half the digits."""
    found = subject._replace(order=1).walk_if_derived(x, 30)
    if found is None:
        return x
    bottom = found.x[-1]
    return bottom if abs(bottom - x) <= width else x


def _minimum(x: Any, value: Any, last: int, seen: str = "") -> Ending:
    size = "‖f‖" if np.ndim(x) else "|f|"
    what = f"no root here: {size} has a minimum of {abs(float(value)):.7g} at {said(x)}, about which the steps wander"
    return Ending(Status.MINIMUM, what + seen, last, x=x)


def _net(x: Any, change: Any) -> str:
    return "; f has one sign, as far as it was looked at" if change is None else f"; {_between(x, change)}"


def _limit(last: int, what: str) -> Ending:
    return Ending(Status.STEP_LIMIT, f"no root after {last} steps; {what}", last)


def _between(a: Any, b: Any) -> str:
    low, high = sorted((float(a), float(b)))
    return f"f changes its sign between {low:.8g} and {high:.8g}: pass bracket=({low:.8g}, {high:.8g})"
