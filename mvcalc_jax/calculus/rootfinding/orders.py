"""The order of a root by the derivatives of f: which agree with it or not, and which give its last digits."""

import math
from typing import Any

import numpy as np

from mvcalc_jax.calculus.rootfinding.portrait import Portrait, look
from mvcalc_jax.calculus.rootfinding.trail import Subject, Walk
from mvcalc_jax.calculus.slopes import ladder, noise
from mvcalc_jax.calculus.slopes.estimates import Status as Slope
from mvcalc_jax.calculus.slopes.extrapolation import extrapolated

POLISHED = 6
"""Multiplicities up to which f⁽ᵐ⁻¹⁾ is compiled: nested derivatives double in size with every order."""


def confirmed(subject: Subject, found: Walk, best: int, size: Any, seen: Portrait) -> Portrait | None:
    """A root of an order that the derivatives of f agree with: C of C hᵐ is f⁽ᵐ⁾/m!.

    Where terms of f cancel, what rounding leaves of it may follow a law of its own: log(1 + x) − x + x²/2 is x²/2 once
    log(1 + x) is x in all digits. The derivatives do not cancel in the same way, and a higher order may hold.
    """
    m, x = seen.order, found.x[best]
    if x.ndim or m != round(m) or m > POLISHED:
        return seen
    if m == 1 and _quick(found.x[: best + 1]) and _agrees(found.df[[best]], 1, seen.law):
        return seen
    for order in range(int(m), POLISHED + 1):
        portrait = seen if order == m else look(subject, x, size, found.f[best], order)
        if portrait.kind != "root":
            continue
        about = np.asarray(x + portrait.error * np.array([-4, -2, -1, 1, 2, 4]), x.dtype)
        slopes = subject._replace(derivative=None, order=order).sample_if_derived(about)
        if slopes is None:
            return seen
        if _agrees(slopes, order, portrait.law):
            return portrait
    return None


def _agrees(slopes: np.ndarray, m: int, law: float) -> bool:
    """Whether half of these mᵗʰ derivatives, or more, are that of C hᵐ up to a factor of 2."""
    ratios = np.abs(slopes.astype(float)) / (math.factorial(m) * law)
    return bool(np.mean((ratios >= 0.5) & (ratios <= 2)) >= 0.5)


def _quick(x: np.ndarray) -> bool:
    """Whether the last steps shrank as they do at a simple root, and not slowly down into rounding."""
    steps = np.abs(np.diff(x[-3:].astype(float)))
    return len(steps) < 2 or steps[1] <= max(0.1 * steps[0], 8 * float(np.spacing(np.abs(x[-1]))))


def polished(subject: Subject, x: np.ndarray, m: int, unsure: float) -> tuple[np.ndarray, float] | None:
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


def undefined(subject: Subject, x: np.ndarray, m: int) -> bool:
    """Whether f is exactly zero at x, and f⁽ᵐ⁻¹⁾ no number there, as of √x⁴ at 0: then f alone must do."""
    higher = subject._replace(order=m - 1).sample_if_derived(x[None])
    return bool(subject.sample(x[None])[0] == 0 and (higher is None or not np.isfinite(higher[0])))


def blur_of(subject: Subject, x: np.ndarray) -> float:
    """How far from x its rounding lets f be zero: measured at uneven steps, which see what cancels in f."""
    at, eps = x[None], float(np.finfo(x.dtype).eps)
    with np.errstate(all="ignore"):
        values = lambda points: subject.sample(points.ravel()).astype(float).reshape(points.shape)
        scales = ladder.climb(values, eps, at, ladder.rungs(at))
        slope, error, _, status = extrapolated(scales)
        if status[0] in (Slope.KINK, Slope.UNSETTLED, Slope.JUMP):  # two slopes, or none, and no cancelling
            return 0.0
        known = abs(float(slope[0])) - float(error[0])
        return float(noise.of(scales)[0]) / known if known > 0 else np.inf
