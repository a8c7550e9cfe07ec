r"""Critical points: all points of a box at which ∇f = 0, and what f does there.

Many starts go to zeros of ∇f (`multistart`), and more of them until each point was met by several; so do the ends of
ways up and down f, and points at all distances from 0. A zero is one to the rounding of ∇f there (see `zeros`). There

    f(p + u) = f(p) + ½ uᵀ H u + …,    H v_i = λ_i v_i,

so that p is a minimum where all λ_i > 0, a maximum where all are < 0, and a saddle where there are both. Its index is
how many are < 0. Where a λ_i is zero the second order says nothing; `degenerate` asks the higher ones.

λ_i counts as zero where it is no larger than it changes within the error of p, or than 1000 roundings of the largest,
H measured in units of half the sides of the box. If it should not have been zero, the higher orders find that n = 2.

How likely it is that a point was missed, `conclusion` says.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from mvcalc_jax import precision, require, text
from mvcalc_jax.calculus.multistart import scattered
from mvcalc_jax.calculus.stationary import degenerate, given, kinks, onesided, winding
from mvcalc_jax.calculus.stationary.conclusion import concluded, near, none
from mvcalc_jax.calculus.stationary.degenerate import Field, Verdict
from mvcalc_jax.calculus.stationary.kinds import CriticalPoint, CriticalPoints, Kind, Status
from mvcalc_jax.calculus.stationary.survey import (
    Found,
    Look,
    Survey,
    equally_high,
    families,
    gathered,
    looker,
    nearest,
    scales,
    survey,
)


def critical_points(
    f: Callable[[Any], Any],
    box: Any,
    *,
    starts: int = 256,
    gradient: Callable[[Any], Any] | None = None,
    hessian: Callable[[Any], Any] | None = None,
) -> CriticalPoints:
    """All critical points of f in a box that many starts lead to, and what f does at each.

    Args:
        f: takes x, (d,), to a number; written in JAX. Where the box is a single pair, it takes a number.
        box: a pair (low, high) for each variable. Its dtype is the precision; plain numbers are float64.
        starts: where the search begins; up to 16 times as many follow where points are met by fewer than three.
        gradient: of f, (d,), if it is to be other than autodiff's.
        hessian: of f, (d, d), likewise.

    Raises:
        ValueError: where the box has no inside or is too large to measure in, where f or a derivative returns another
            shape, or a derivative that is given is not that of f.
        TypeError: where they are no functions, cannot be compiled, or return whole numbers.

    >>> def himmelblau(p):
    ...     x, y = p
    ...     return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2
    >>> points = mv.critical_points(himmelblau, ((-5, 5), (-5, 5)))
    >>> sorted(p.point.round(3).tolist() for p in points.of("minimum"))
    [[-3.779, -3.283], [-2.805, 3.131], [3.0, 2.0], [3.584, -1.848]]
    >>> len(points.of("saddle")), len(points.of("maximum"))
    (4, 1)
    """
    f = require.function("f", f)
    count = require.whole("starts", starts, least=8)
    one = require.reals("box", box, require.BOX).ndim == 1
    edges = require.box("box", (box,) if one else box)
    dtype = require.array("box", box).dtype
    edges = edges.astype(dtype) if np.issubdtype(dtype, np.floating) else edges
    given.measurable(edges)
    with precision.of(edges):
        field = given.field(f, edges, gradient, hessian, one)
        return _found(field, edges, count)


def _found(field: Field, box: np.ndarray, starts: int) -> CriticalPoints:
    """Search, judge each point, and say how it went."""
    look = looker(field)
    first = np.concatenate([scattered(box, starts), scales(box)]).astype(box.dtype)
    f, g, _ = look(first)
    finite = np.isfinite(f) & np.isfinite(g).all(axis=1)
    if not finite.any():
        return none(Status.NOT_FINITE, starts)
    f, g = f[finite], np.abs(field.half * g[finite]).max(axis=1)
    level = 100 * float(np.finfo(f.dtype).eps) * np.abs(f).max()
    if g.max() <= level:
        return none(Status.CONSTANT if np.ptp(f) <= level else Status.NOT_SMOOTH, starts)
    # in this unit no square of a slope leaves the range of numbers
    unit = 2.0 ** np.round(np.log2(np.median(g[g > 0])))
    field, same = _divided(field, unit), look
    look = lambda points: [a / unit for a in same(points)]
    broken = kinks.breaks(field, box, np.concatenate([first[: min(starts, 128)], first[starts:]]))
    seen = survey(field, look, box, starts, np.concatenate([first[starts:], broken.ends]))
    points = [_times(p, unit) for p in _judged(field, look, seen) if not near(p, broken.points, box)]
    return concluded(points, seen, broken, int((~finite[:starts]).sum()), box, unit)


def _divided(field: Field, unit: float) -> Field:
    """f and its derivatives in another unit."""
    f, g, H, half = field
    return Field(lambda x: f(x) / unit, lambda x: g(x) / unit, lambda x: H(x) / unit, half)


def _times(p: CriticalPoint, unit: float) -> CriticalPoint:
    """A point of f, from that of f in the unit."""
    value, slope = float(p.value * unit), float(p.gradient_norm * unit)
    return replace(
        p, value=value, gradient_norm=slope, eigenvalues=p.eigenvalues * p.eigenvalues.dtype.type(unit)
    )


def _judged(field: Field, look: Look, seen: Survey) -> list[CriticalPoint]:
    """What f does at each point: by H, where it is regular; else by higher orders, or as one of a whole set."""
    found, w = seen.found, field.half
    groups = families(found, w)
    tested = [group[np.linspace(0, len(group) - 1, min(3, len(group))).astype(int)] for group in groups]
    flat = np.concatenate([np.zeros(0, int), *tested])
    spaces = [found.eigenvectors[k][:, found.null[k]] for k in flat]
    apart = degenerate.isolated(field, seen.told.polished, list(found.points[flat]), spaces)
    alone = dict(zip(flat, apart, strict=True))
    single = [all(alone[k] for k in some) for some in tested]
    g = degenerate.reduced(field)
    sets = equally_high(found, [group for group, one in zip(groups, single, strict=True) if not one])
    points = [_family(found, group, w, g) for group in sets]
    found = gathered(
        found, look, seen.told, w, [group for group, one in zip(groups, single, strict=True) if one]
    )
    for k, singular in enumerate(np.atleast_1d(found.null.any(axis=1))):
        sided = onesided.judged(look, found.points[k], w, float(found.error[k]))
        if sided:
            points.append(_point(found, k, w, **sided))
        else:
            points.append(_degenerate(found, k, field, look, g) if singular else _regular(found, k, w))
    return sorted(points, key=lambda p: (p.value, *p.point))


def _point(found: Found, k: int, w: np.ndarray, **more: Any) -> CriticalPoint:
    """What is known of a point before it is judged, and the judgement."""
    H = found.hessians[k]
    λ, V = (
        np.linalg.eigh(H)
        if np.isfinite(H).all()
        else (np.full_like(w, np.nan), np.eye(len(w), dtype=w.dtype))
    )
    told = {
        "point": found.points[k],
        "value": float(found.values[k]),
        "order": 2,
        "index": int((found.eigenvalues[k][~found.null[k]] < 0).sum()),
        "eigenvalues": λ,
        "eigenvectors": V,
        "gradient_norm": float(np.linalg.norm(found.gradients[k] / w)),
        "error": float(found.error[k] * w.max()),
        "starts": int(found.starts[k]),
        "turns": None,
    }
    return CriticalPoint(**(told | more))


def _regular(found: Found, k: int, w: np.ndarray) -> CriticalPoint:
    """A point at which no eigenvalue is zero."""
    falls, d = int((found.eigenvalues[k] < 0).sum()), len(w)
    kind = {0: Kind.MINIMUM, d: Kind.MAXIMUM}.get(falls, Kind.SADDLE)
    verdict = {
        Kind.MINIMUM: "minimum: every eigenvalue of H is positive",
        Kind.MAXIMUM: "maximum: every eigenvalue of H is negative",
        Kind.SADDLE: f"saddle: f falls along {falls} of {text.counted(d, 'direction')} and rises along {d - falls}",
    }
    return _point(found, k, w, kind=kind, turns=(-1) ** falls, verdict=verdict[kind])


_SIDES = {
    (1, 1): (Kind.MINIMUM, Kind.DEGENERATE_MINIMUM, "f rises on all sides"),
    (-1, -1): (Kind.MAXIMUM, Kind.DEGENERATE_MAXIMUM, "f falls on all sides"),
    (-1, 1): (Kind.SADDLE, Kind.DEGENERATE_SADDLE, "f rises on one side and falls on another"),
}
"""The kinds, regular and degenerate, by the signs of the least and the greatest change of f nearby."""


def _degenerate(found: Found, k: int, field: Field, look: Look, g: degenerate.Reduced) -> CriticalPoint:
    """An isolated point with a singular H: by what the second order says of the rest, and g of the null space."""
    w, p, d = field.half, found.points[k], len(field.half)
    N = found.eigenvectors[k][:, found.null[k]]
    free = nearest(found, w, k)
    said = degenerate.verdict(g, p, N, float(found.error[k]), free)
    rest = np.sign(found.eigenvalues[k][~found.null[k]])
    exists = np.isfinite(found.hessians[k]).all()
    where = (
        f"the second order says nothing along {degenerate.words(_turned(w, N))}"
        if exists
        else "H does not exist"
    )
    far = float(found.error[k] * w.max())
    blurred = f"; within {far:.1g} of it rounding hides whether ∇f is zero" if found.error[k] > 1e-9 else ""
    rises, falls = (rest > 0).any(), (rest < 0).any()
    if rises and falls:
        low, high, order, reason = -1, 1, 2, f"{where}, but f rises and falls along others"
    else:
        low, high, order = said.least, said.greatest, said.order
        if order is not None:  # the rest of the space adds what it does
            low, high = min(low, -1 if falls else low), max(high, 1 if rises else high)
        reason = f"{where}; order {order} decides"
    turns = _turns_around(found, k, field, look, min(said.radius if said.order else 0.02, free / 3))
    if order is None or (low, high) not in _SIDES or not exists:
        verdict = f"undecided: {where}, and no order that can be told from rounding decides{blurred}"
        return _point(found, k, w, kind=Kind.UNDECIDED, order=None, turns=turns, verdict=verdict)
    plain, odd, change = _SIDES[low, high]
    if said.order == 2:
        kind, reason = plain, "H is nearly singular, and yet the second order decides"
    else:
        kind = Kind.INFLECTION if d == 1 and odd is Kind.DEGENERATE_SADDLE else odd
    if d == 1:
        turns = {Kind.INFLECTION: 0, plain: low, odd: low}[kind]
    return _point(
        found, k, w, kind=kind, order=order, turns=turns, verdict=f"{kind}: {reason}: {change}{blurred}"
    )


def _turned(w: np.ndarray, N: np.ndarray) -> np.ndarray:
    """Directions in x, from those in units of half the box."""
    across = w[:, None] * N
    across = across / np.linalg.norm(across, axis=0)
    first = np.take_along_axis(across, np.abs(across).argmax(axis=0)[None], axis=0)
    return across * np.sign(first)


def _turns_around(found: Found, k: int, field: Field, look: Look, radius: float) -> int | None:
    """The turns of ∇f around a point of two variables, so near that there is no other inside."""
    if len(field.half) != 2:
        return None
    circle = winding.circle(found.points[k], radius * field.half)
    return winding.turns(lambda z: field.half * look(z)[1], circle)


def _family(found: Found, group: np.ndarray, w: np.ndarray, g: degenerate.Reduced) -> CriticalPoint:
    """A connected set of critical points, by one of them."""
    zeros = found.null[group].sum(axis=1)
    generic = group[zeros == zeros.min()]
    k = generic[np.argmin(found.error[generic])]
    signs = [frozenset(np.sign(found.eigenvalues[m][~found.null[m]])) for m in generic]
    said = Verdict(0, 0, None, 0.0)
    if not signs[0]:
        said = degenerate.verdict(g, found.points[k], found.eigenvectors[k], float(found.error[k]), np.inf)
        signs = [frozenset({said.least, said.greatest} - {0})]
    flat = "f is flat there" if len(group) > 1 else "what f does there cannot be told from rounding"
    both, every = {-1.0, 1.0}, frozenset().union(*signs)
    if every == both and both not in signs:
        what = "minima on one part of it, maxima on another"
    else:
        what = {0: flat, 2: "saddles"}.get(len(every), "minima" if every == {1.0} else "maxima")
    many = int(found.starts[group].sum())
    verdict = (
        f"not isolated: a whole set of critical points, as far as digits tell, met at "
        f"{text.counted(len(group), 'place')} by {text.counted(many, 'start')}: {what}"
    )
    return _point(found, int(k), w, kind=Kind.NOT_ISOLATED, order=said.order, starts=many, verdict=verdict)
