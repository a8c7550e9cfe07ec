"""Where |f| has a minimum that is not zero: what Newton's method wanders about if there is no root.

f is looked at on a net that reaches from next to the point to far out; a change of sign anywhere is worth more than the
minimum, for where f is continuous it surrounds a root, and the sentence names it as a bracket.
"""

from typing import Any

import numpy as np

from mvcalc_jax import text
from mvcalc_jax.calculus.rootfinding.outcome import Ending, Status, flat, said
from mvcalc_jax.calculus.rootfinding.portrait import jumps, look, rungs
from mvcalc_jax.calculus.rootfinding.trail import SAMPLES, Subject, Walk, levels, norms, usual


def wandering(subject: Subject, found: Walk) -> Ending:
    """Of one variable: whether f changes its sign, or |f| has a minimum that is not zero."""
    x, f, last = found.x, found.f, found.last
    order = np.argsort(x)
    changes = np.flatnonzero(np.sign(f[order][1:]) * np.sign(f[order][:-1]) < 0)
    if len(changes):
        k = changes[np.argmin(np.diff(x[order])[changes])]
        return _limit(last, _between(subject, x[order][k], x[order][k + 1]))
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
    meant = np.asarray(
        [0.0, *_aims(x)], x.dtype
    )  # digits that underflow, or cancel, hide a root from the steps to it
    zero = meant[(subject.sample(meant) == 0) & (np.abs(meant - best) <= spread + abs(best))]
    if len(zero):
        return _limit(
            last, f"f is zero at {said(zero[0])}, where the steps led; whether by a root is not clear"
        )
    if not min(about) > value > 1e10 * np.finfo(x.dtype).tiny:
        return _limit(last, f"|f| was least at {said(best)}, where it is {said(value)}; start elsewhere")
    change = _elsewhere(subject, best, f[0])
    return _minimum(best, value, last, _net(subject, best, change))


def _aims(x: np.ndarray) -> list[float]:
    """Where the iterates would end if each step went on to leave the same part of the way: Aitken's points."""
    d = np.diff(x.astype(float))
    with np.errstate(all="ignore"):
        ends = x[2:] - d[1:] ** 2 / np.diff(d)
    return [float(v) for v in ends[-8:] if np.isfinite(v)]


def crossed(subject: Subject, x: Any) -> tuple[Any, Any]:
    """The neighbouring numbers about a point between which f changes its sign."""
    own = float(abs(x)) or 1.0
    h = np.append(rungs(float(x), own, x.dtype), own * 2.0 ** np.arange(-20, 60)).astype(x.dtype)
    k = np.flatnonzero(np.sign(subject.sample(x + h)) * np.sign(subject.sample(x - h)) < 0)
    return crossing(subject, x - h[k[0]], x + h[k[0]]) if len(k) else (x, x)


def crossing(subject: Subject, low: Any, high: Any) -> tuple[Any, Any]:
    """The neighbouring numbers between two at which f changes its sign; twice the same if it is zero there."""
    sign = np.sign(subject.sample(np.stack([low]))[0])
    while True:
        points = np.unique(np.linspace(low, high, SAMPLES - 1, dtype=low.dtype))
        points = np.unique(np.append(points, 0).astype(low.dtype)) if low < 0 < high else points
        values = np.sign(subject.sample(points)) * sign
        zero, other = points[values == 0], int(np.argmax(values <= 0))
        if len(zero) or len(points) <= 2 or not other:
            return (zero[0], zero[0]) if len(zero) else (points[max(other - 1, 0)], points[other])
        low, high = points[other - 1], points[other]


def turning(subject: Subject, found: Walk, many: bool) -> Ending:
    """At a point where f′ is zero, or J singular, and f is not."""
    x, last = found.x[found.last], found.last
    if many:
        end = least(subject, found)
        what = f"the Jacobian is singular at {said(x)}"
        return end if end.status in (Status.MINIMUM, Status.FLAT) else flat(what, last)
    change = _elsewhere(subject, x, found.f[last])
    h = 1e-3 * max(abs(float(x)), 1.0)
    about = np.abs(subject.sample(np.asarray([x - h, x + h], x.dtype)))
    if change is None and (about > abs(found.f[last])).all():
        return _minimum(x, found.f[last], last, _net(subject, x, None))
    hint = f"; {_between(subject, x, change)}" if change is not None else "; start elsewhere"
    return flat(f"f′ is zero at {said(x)}, where f is {said(found.f[last])}", last, hint)


def about_minimum(subject: Subject, found: Walk) -> Ending | None:
    """Whether the iterates before the last were about a minimum of |f|, next to which a tangent may lead anywhere."""
    if found.last < 3 or found.x.ndim > 1:
        return None
    end = wandering(subject, found._replace(x=found.x[:-1], f=found.f[:-1]))
    return end if end.status == Status.MINIMUM else None


def beside(subject: Subject, found: Walk) -> Ending | None:
    """Whether steps vanish just beside a stretch on which f is zero."""
    x = found.x[found.last]
    h = rungs(float(x), float(abs(x)) or 1.0, x.dtype)
    h = h[h <= 2.0**10 * h[0]]
    points = np.stack([x - h, x + h], axis=1).astype(x.dtype).ravel()
    zero = points[subject.sample(points) == 0]
    if not len(zero) or look(subject, zero[0], float(abs(x)) or 1.0).kind != "still":
        return None
    return still(zero[0], found.last)


def still(x: Any, last: int) -> Ending:
    """An ending where f is zero all along."""
    why = "every point there is a root, or f is too small for numbers to tell"
    return flat(f"f is zero at {said(x)} and all along beside it: {why}", last)


def least(subject: Subject, found: Walk) -> Ending:
    """Of several variables: where ‖f‖ is least, downhill from the best iterate by Levenberg's steps.

    Each entry of f is measured by what its terms usually are.
    """
    sizes = np.where(np.isfinite(found.x).all(axis=1), levels(found), np.inf)
    D, x, λ = usual(found), found.x[int(np.nanargmin(sizes))], 1e-2
    both = lambda x: [a.astype(float) / b for a, b in zip(subject.both(x), (D, D[:, None]), strict=True)]
    f, J = both(x)
    for _ in range(100):
        g = J.T @ f
        if np.linalg.norm(g) <= 1e-7 * np.linalg.norm(J) * np.linalg.norm(f):
            break
        A = J.T @ J
        step = np.linalg.solve(A + λ * (np.trace(A) / len(x) + 1e-300) * np.eye(len(x)), g)
        trial = (x - step).astype(x.dtype)
        f_trial, J_trial = both(trial)
        better = np.linalg.norm(f_trial) < np.linalg.norm(f)
        x, f, J = (trial, f_trial, J_trial) if better else (x, f, J)
        λ = λ / 5 if better else min(λ * 5, 1e12)
    value, slope = float(np.linalg.norm(f)), np.linalg.norm(J.T @ f)
    v = np.linalg.svd(J)[2][-1]
    h = 1e-3 * max(float(np.linalg.norm(x)), 1.0)
    points = np.asarray([x - h * v, x + h * v], x.dtype)
    about = norms(subject.sample(points) / D)
    real = float(norms((f * D)[None])[0])
    # a variable that is lost beside the others is meant to be 0, and f is looked at where it is
    line = [np.where(np.abs(p) > np.finfo(x.dtype).eps ** 0.5 * norms(p[None]), p, 0) for p in (x, *points)]
    if all(_zero(subject, p.astype(x.dtype)) for p in line):
        return flat(
            f"f is zero at {said(line[0])}, and along {said(v)} from it, too: its roots are not isolated",
            found.last,
        )
    floor = value > 1e-6 * float(np.nanmedian(sizes))
    steep = max(float(np.linalg.norm(J)), 1 / max(float(np.median(norms(found.x))), h))  # all of J may vanish
    if floor and slope <= 1e-5 * steep * value and (about > value).all():
        return _minimum(x, real, found.last)
    hint = "start elsewhere" if floor else "start there"
    return _limit(found.last, f"‖f‖ was least at {said(x)}, where it is {real:.3g}; {hint}")


def _zero(subject: Subject, x: np.ndarray) -> bool:
    """Whether all entries of f are zero at x, beside what their own terms are there."""
    f, J = (np.asarray(a, float) for a in subject.both(x))
    own = np.abs(J) @ np.abs(x.astype(float))
    return bool((np.abs(f) <= 64 * len(x) * float(np.finfo(x.dtype).eps) * own).all())


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


def _net(subject: Subject, x: Any, change: Any) -> str:
    return (
        "; f has one sign, as far as it was looked at"
        if change is None
        else f"; {_between(subject, x, change)}"
    )


def _limit(last: int, what: str) -> Ending:
    return Ending(Status.STEP_LIMIT, f"no root after {text.counted(last, 'step')}; {what}", last)


def _between(subject: Subject, a: Any, b: Any) -> str:
    """That f changes its sign between two points: by a root, and then how to find it, or by something else."""
    ends = np.sort(np.stack([a, b]))
    x, beyond = crossing(subject, *ends)
    found = look(subject, x, max(abs(float(x)), float(np.ptp(ends))))
    x = beyond if abs(beyond) < abs(x) else x
    if found.kind == "pole" or (found.kind == "jump" and jumps(subject, x, beyond)):
        return f"f changes its sign at {said(x)}, but by a {found.kind}"
    if found.kind != "root":
        return f"f changes its sign near {said(x)}, where its digits are lost or it is no root"
    low, high = next(words for digits in (4, 8, 12, 17) if (words := _told(subject, ends, digits)))
    return f"f changes its sign between {low} and {high}: pass bracket=({low}, {high})"


def _told(subject: Subject, ends: np.ndarray, digits: int) -> tuple[str, str] | None:
    """The two ends of a bracket in so many digits; None if these are no bracket."""
    low, high = (f"{float(v):.{digits}g}" for v in ends)
    values = np.sign(subject.sample(np.asarray([float(low), float(high)], ends.dtype)))
    return (low, high) if digits == 17 or values[0] * values[1] < 0 else None
