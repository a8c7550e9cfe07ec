"""Why a search by Newton's method found no root, read off its iterates.

    cycle     the iterates return: to the last digit, or nearer with every turn, to points that stay apart
    diverged  the steps grow, or shrink in one direction more slowly than 1/k, so that their sum is infinite; and f
              keeps its sign as far as numbers go
    flat      f′ is zero, or so small that one step leaves everything before it behind
    domain    f or f′ is not finite
    minimum   f has one sign wherever it was looked at, and |f| a minimum which is not zero
    stalled   the steps are lost in rounding, and f is not zero

What fits none of these has stopped at the limit of its steps, and the sentence says what is known: most often, between
which numbers f changes its sign.
"""

from typing import Any

import numpy as np

from mvcalc_jax import text
from mvcalc_jax.calculus.rootfinding import floors
from mvcalc_jax.calculus.rootfinding.outcome import Ending, Status, flat, said
from mvcalc_jax.calculus.rootfinding.portrait import Portrait
from mvcalc_jax.calculus.rootfinding.trail import Subject, Walk, norms

_LONGEST = 64
"""Periods that are looked for."""
_RETURNS = 1e-3
"""How near, beside its size, a cycle must return, and nearer with every turn."""
_TURN = 8
"""Steps whose growth is seen together, where it comes in turns."""
_FAR = 1e4
"""A step so much longer than all before is beyond reason."""


def overflown(found: Walk) -> Ending | None:
    """Iterates that grew until a step was lost in overflow, and lay beside 0 after it: no root there is their merit."""
    with np.errstate(all="ignore"):
        eps = float(np.finfo(found.x.dtype).eps)
        n, d = norms(found.x), norms(np.diff(found.x, axis=0))
        back = (
            np.flatnonzero((n[1:] <= eps * n[:-1]) & (n[:-1] > np.maximum(n[0], d[0]) / eps**0.5))
            if len(d)
            else []
        )
        if not len(back) or found.halved.any() or not _grown(d[: back[0]]):
            return None
        k = int(back[0])
        return _diverged(
            f"|x| grew more and more until f or f′ was no number any more, at {said(found.x[k])}",
            k,
            found.x.ndim > 1,
        )


def reason(subject: Subject, found: Walk, rows: int, portrait: Portrait, bracketed: bool) -> Ending:
    """Why these iterates, none of which is a root, ended where they did."""
    with np.errstate(all="ignore"):
        return _reason(subject, found, rows, portrait, bracketed)


def _reason(subject: Subject, found: Walk, rows: int, portrait: Portrait, bracketed: bool) -> Ending:
    x, f, df, last = found.x, found.f, found.df, found.last
    here, many = said(x[last]), x.ndim > 1
    n, d = norms(x), norms(np.diff(x, axis=0))
    beyond = int(np.argmax(n > 1e30 * max(n[0], d[0]))) if last else 0
    if beyond and not found.halved.any() and _grown(d[:beyond]):  # what comes after is made of overflow
        return _diverged(f"|x| grew more and more; it was {n[beyond]:.3g} after {beyond}", beyond, many)
    still = found.halved.any() or (last and d[-1] <= 8 * np.finfo(x.dtype).eps * n[-1])
    if portrait.kind in ("jump", "pole") and not many and still:
        if f[last] == 0:
            return Ending(
                Status.STALLED,
                f"f is zero at {here} itself, and jumps there from one sign to the other",
                last,
            )
        at = x[last] if n[-1] > np.finfo(x.dtype).eps * np.max(n) else 0.0
        return _broken(portrait, at, last)
    jump = n[-1] / max(np.max(n[:-1], initial=0), np.max(d[:-1], initial=0), 1e-300) if last else 1.0
    if not np.isfinite(f[last]).all() or not np.isfinite(x[last]).all():
        return _lost(subject, found, d, jump, bracketed)
    if not np.isfinite(df[last]).all():
        end = floors.about_minimum(subject, found)
        if end is not None:
            return end
        what = f"f′ is not finite at {here}: f has a vertical tangent there, or none"
        return Ending(Status.DOMAIN, f"left the domain: {what}; start elsewhere", last)
    zero = f[last] == 0
    if np.all(zero) or (not many and df[last] == 0) or (many and _singular(f[last], df[last])):
        if _running(x):
            return _diverged(f"x runs on, to {here} after {last} steps, and f fades away with it", last, many)
        if _grown(d):
            return _diverged(f"|x| grew more and more, to {here}, where f′ is zero", last, many)
        if np.all(zero) and (portrait.kind == "still" or not np.any(df[last])):
            return floors.still(x[last], last)
        if not np.all(zero):
            return floors.turning(subject, found, many)
        return Ending(
            Status.STALLED, f"f is zero at {here}, and yet it does not look like a root about it", last
        )
    if last + 1 < rows:
        end = None if many else floors.beside(subject, found)
        if end is not None:
            return end
        why = "f is steeper than numbers show" if subject.derivative is None else "is `derivative` right?"
        message = f"the steps vanish at {here}, and f is {said(f[last])} there; {why}"
        return Ending(Status.STALLED, message, last)
    if bracketed:
        return Ending(
            Status.STEP_LIMIT,
            f"no root after {text.counted(last, 'step')}, the last at {here}; raise `max_steps`",
            last,
        )
    return _unfinished(subject, found, n, d, many)


def _lost(subject: Subject, found: Walk, d: np.ndarray, jump: float, bracketed: bool) -> Ending:
    """Where x or f is no longer finite."""
    x, f, last, many = found.x, found.f, found.last, found.x.ndim > 1
    here, nan = said(x[last]), np.isnan(f[last]).any() and np.isfinite(x[last]).all()
    end = None if nan else floors.about_minimum(subject, found)
    if end is not None:
        return end
    if _grown(d) and (not nan or jump > _FAR):
        return _diverged(f"|x| grew more and more until f was no longer finite, at {here}", last, many)
    if last and (jump > 1e8 or (not nan and jump > 10)):
        what = f"the tangent at {said(x[last - 1])} is so flat that it leads to {here}, where f is not finite"
        return flat(what, last)
    what = "NaN" if nan else "infinite"
    came = f"step {last} led from {said(x[last - 1])} to {here}, where" if last else f"at the start, {here},"
    return Ending(Status.DOMAIN, f"left the domain: {came} f is {what}; {_advice(many, bracketed)}", last)


def _unfinished(subject: Subject, found: Walk, n: np.ndarray, d: np.ndarray, many: bool) -> Ending:
    """What the iterates were about that ended at the limit of their steps."""
    x, last = found.x, found.last
    cycle = _cycle(x)
    if cycle:
        return cycle
    half = last // 2
    if last >= 8 and (np.diff(d[half:]) > 0).all() and d[-1] > 4 * d[half]:
        return _diverged(f"|x| grows with every step; it is {n[-1]:.3g} after {last}", last, many)
    if _running(x):
        change = None if many else _beyond(subject, x[-1], x[-1] - x[half], found.f[-1])
        if change is None:
            return _diverged(
                f"x runs on, to {said(x[-1])} after {last} steps, and f fades away with it", last, many
            )
    if many:
        return floors.least(subject, found)
    longest = int(np.argmax(d))
    if d[longest] > _FAR**2 * np.max(n[: longest + 1]):
        there, to = said(x[longest]), said(x[longest + 1])
        return flat(f"the tangent at {there} is so flat that it leads to {to}", last)
    return floors.wandering(subject, found)


def _grown(d: np.ndarray) -> bool:
    """Whether each of the last three steps was longer than the one before; or all grow in turns, as by 8, 4, ½."""
    tail, turns = d[-3:], d[len(d) % _TURN :].reshape(-1, _TURN)[-4:]
    grows = len(tail) == 3 and (tail[1:] > 1.1 * tail[:-1]).all()
    grows = grows or (
        len(turns) == 4
        and all((np.diff(np.log2(size)) > 1).all() for size in (turns.min(axis=1), turns.max(axis=1)))
    )
    return bool(grows and d[-1] > 4 * d[0])


def _running(x: np.ndarray) -> bool:
    """Whether x moved on in one direction by steps of which infinitely many would lead to infinity."""
    steps = np.diff(x.astype(float), axis=0)
    half = len(steps) // 2
    if half < 5:
        return False
    tail = steps[half:]
    onward = tail @ tail[-1] > 0 if tail.ndim > 1 else tail * tail[-1] > 0
    size = norms(tail)
    decay = -np.log2(size[-1] / size[0]) / np.log2((len(steps) - 1) / half)
    return bool(onward.all() and decay < 0.95)


def _singular(f: np.ndarray, J: np.ndarray) -> bool:
    """Whether J f = … has no solution."""
    try:
        return not np.isfinite(np.linalg.solve(J, f)).all()
    except np.linalg.LinAlgError:
        return True


def _cycle(x: np.ndarray) -> Ending | None:
    """The shortest cycle that the last iterates go round in."""
    wide = x.astype(float)
    rounding = 8 * np.finfo(x.dtype).eps * np.max(norms(wide)[-_LONGEST:])
    for p in range(2, min(_LONGEST, (len(x) - 1) // 3) + 1):
        away = norms(wide[p:] - wide[:-p])
        size = np.max(norms(wide[-p:] - wide[-1]))
        turns = away[len(away) % p :].reshape(-1, p).max(axis=1)[-8:]
        if not (
            size > 100 * rounding and len(turns) > 1 and np.max(turns[-2:]) <= max(_RETURNS * size, rounding)
        ):
            continue
        if np.max(turns[-2:]) > rounding:
            shrinks = np.max(turns[1:] / turns[:-1])
            if not (len(turns) > 2 and shrinks < 1 and turns[-1] / (1 - shrinks) < 0.1 * size):
                continue  # chaos, or too slow to tell: a slow spiral towards a root looks like that, too
        apart = away > max(1e-9 * size, rounding)
        first = 0 if not apart.any() else int(np.flatnonzero(apart)[-1]) + 1
        last = min(first + 2 * p, len(x) - 1)
        points = ", ".join(said(v) for v in x[last - min(p, 4) : last]) + (", …" if p > 4 else "")
        how = "returns" if first == 0 else "is drawn into it and returns"
        message = f"a cycle of period {p}: {points}; it {how} for ever; start elsewhere"
        return Ending(Status.CYCLE, message, last, p)
    return None


def _beyond(subject: Subject, x: np.ndarray, way: np.ndarray, f: np.ndarray) -> Any:
    """Where, further on this way, f has another sign, or is larger; None if nowhere."""
    with np.errstate(over="ignore"):
        points = np.asarray(x + way * 2.0 ** (np.arange(4 * 60) / 4 - 4), x.dtype)
    values = subject.sample(points)
    other = np.flatnonzero((values * f < 0) | (np.abs(values) > 1.01 * np.abs(f)))
    return points[other[0]] if len(other) else None


def _broken(portrait: Portrait, x: Any, last: int) -> Ending:
    if portrait.kind == "pole":
        what = f"f changes its sign at {said(x)} by a pole of order {portrait.order:g}, not by a root"
        return Ending(Status.POLE, f"{what}; choose a bracket without it", last)
    what = f"f jumps from one sign to the other at {said(x)}, and is not zero"
    return Ending(Status.JUMP, f"{what}; there is no root here", last)


def _diverged(what: str, last: int, many: bool) -> Ending:
    advice = "start elsewhere" if many else "start elsewhere, or pass a `bracket`"
    return Ending(Status.DIVERGED, f"diverged: {what}; {advice}", last)


def _advice(many: bool, bracketed: bool) -> str:
    if bracketed:
        return "choose a bracket within the domain of f"
    return "start nearer to the root" if many else "start nearer to the root, or pass a `bracket`"
