"""A verdict on each solution: what it is, and whether it stands alone or for a family, in the units of x.

Points whose f does not change along a flat direction form families, and one stands for each kind of their points.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from mvcalc_jax.calculus.constraints import bordered, creases, flat, resolved
from mvcalc_jax.calculus.constraints.extrema import Point
from mvcalc_jax.calculus.constraints.multipliers import Problem

SAME = 1e-6
"""Solutions are the same if they are this near, or nearer than their errors."""
_TRIES = 3
"""Points of a group that must be isolated, so that all of it is taken to be."""
_SPREAD = 5
"""More of them, where each must be walked to tell what it is."""
_EQUAL = 1e-7
"""How much values of f may differ within a family, in units of f."""
RESOLVED = 1e-15
"""Of its unit, nothing smaller can be told from 0."""
_PLAIN = 1e-100
"""A slope of f that is this small beside the largest one, all around a point, is none."""


class Look(NamedTuple):
    """Where to look: starts (k, d); centre and width of unit coordinates (d,); a box (d, 2) or None; the dtype."""

    starts: Float[np.ndarray, "k d"]
    centre: Float[np.ndarray, " d"]
    width: Float[np.ndarray, " d"]
    box: Float[np.ndarray, "d 2"] | None
    dtype: Any

    def within(self, x: Float[np.ndarray, "k d"]) -> Bool[np.ndarray, " k"]:
        """Which points are in the box."""
        if self.box is None:
            return np.ones(len(x), bool)
        slack = 1e-9 * np.ptp(self.box, axis=1)
        return ((x >= self.box[:, 0] - slack) & (x <= self.box[:, 1] + slack)).all(axis=1)


class Solutions(NamedTuple):
    """In unit coordinates: u (k, d), λ (k, m), how exact each is, and how many starts led to it."""

    u: Float[np.ndarray, "k d"]
    multipliers: Float[np.ndarray, "k m"]
    error: Float[np.ndarray, " k"]
    starts: Int[np.ndarray, " k"]


def judged(
    problem: Problem, found: Solutions, look: Look
) -> tuple[list[Point], Float[np.ndarray, "j d"], list[Float[np.ndarray, " d"]]]:
    """A verdict on each point, one point for each family; those that lie at a kink, in unit coordinates; and places at
    which f is level by rounding, where its slope fades away.
    """
    u, λ, error, starts = found
    if not len(u):
        return [], u, []
    here = resolved.local(problem, u)
    ρ = resolved.rounding(problem, here)
    kinked = creases.creased(problem, u, λ, ρ.gradient)
    least = np.stack([ρ.components.max(axis=1, initial=0), ρ.value])
    hidden, off = resolved.hidden(problem, here, ρ.components)
    scale = bordered.slope_scale(problem, u)
    scale = np.where(scale > 0, np.maximum(scale, _PLAIN), 1.0)
    λ, size = λ / scale[:, None], bordered.curvature_scale(problem, u, λ) / scale
    local = [
        problem._replace(unit=np.append(s * problem.unit[0], problem.unit[1:])) for s in scale
    ]  # f in units of its slope nearby
    value, slope, curvature = problem.curvatures(u)
    value, df = value[:, 0] / scale, slope[:, 0] / scale[:, None]
    L = curvature[:, 0] / scale[:, None, None] - np.einsum("km,kmij->kij", λ, curvature[:, 1:])
    left = df - np.einsum("km,kmd->kd", λ, slope[:, 1:])
    second = [bordered.curved(*each) for each in zip(slope[:, 1:], L, size, left, hidden, strict=True)]
    error = np.maximum(
        np.maximum(error, off), [_unknown(r, H, s.flat) for r, H, s in zip(left, L, second, strict=True)]
    )
    slope_rounding, value_rounding = least / scale
    places = [
        flat.Place(local[k], u[k], λ[k], float(value[k]), float(slope_rounding[k]), float(value_rounding[k]))
        for k in range(len(u))
    ]
    verdict = lambda k: flat.verdict(places[k], second[k])
    verdicts = {}
    for members in _alike(np.flatnonzero(~kinked), value * scale, scale, second):
        exact = np.argsort(error[members], kind="stable")[:_TRIES]
        tried = {int(k): verdict(members[k]) for k in exact}
        first = next((k for k, v in tried.items() if not v.isolated), int(exact[0]))
        judged = tried[first]
        if judged.isolated:
            error[members] = np.maximum(error[members], judged.dark)
            kept, of = distinct(u[members], error[members])
            many = np.bincount(of, starts[members], len(kept))
        else:
            if not len(second[members[first]].decided):  # so that only walking tells what others are
                tried |= {k: verdict(members[k]) for k in _spread(u[members], first) if k not in tried}
            one_each = {v.beyond or v.kind: k for k, v in reversed(tried.items()) if not v.isolated}
            kept, many = [*one_each.values()], [starts[members].sum()] * len(one_each)
        for k, n in zip(kept, many, strict=True):
            verdicts[members[k]] = (tried[k] if k in tried else verdict(members[k])), int(n)
    verdicts = _once(verdicts, value * scale, scale, second)
    faded = [k for k, (judged, _) in verdicts.items() if _fades(problem, u[k], second[k], judged)]
    level = [plain(problem, u[k], look) for k in faded]
    verdicts = {k: v for k, v in verdicts.items() if k not in faded}
    points, whole = [], scale * problem.unit[0]
    for k, ((kind, beyond, isolated, _), n) in verdicts.items():
        shadow, ratio = bordered.prices(local[k], u[k], λ[k]), whole[k] / problem.unit[1:]
        numbers = {
            "x": plain(problem, u[k], look),
            "multipliers": rounded(λ[k]) * ratio,
            "gradient": rounded(df[k]) * whole[k] / look.width,
            "normals": rounded(slope[k, 1:]) * problem.unit[1:, None] / look.width,
            "eigenvalues": _along(slope[k, 1:], whole[k] * L[k], look),
            "shadow": rounded(shadow) * ratio,
        }
        points.append(
            Point(
                value=rounded(value[k]) * float(whole[k]),
                kind=kind,
                beyond=beyond,
                minors=second[k].minors,
                apart=float(np.max(np.abs(shadow - λ[k]) / np.maximum(np.abs(λ[k]), 1e-3))),
                isolated=isolated,
                error=float(np.max(error[k] * look.width)),
                starts=n,
                **{name: array.astype(look.dtype) for name, array in numbers.items()},
            )
        )
    unit = float(whole.max())
    key = lambda p: (round(p.value / unit, 9), *np.round(p.x / look.width, 9))
    return sorted(points, key=key), u[kinked], level


def _fades(
    problem: Problem, u: Float[np.ndarray, " d"], second: bordered.Curved, judged: flat.Verdict
) -> bool:
    """Whether a point of a curve seems stationary only since the slope of f fades away far out."""
    if len(u) != len(problem.unit) or not len(second.flat):  # with more directions, families are curved
        return False
    unsure = not judged.isolated or (judged.kind is bordered.Kind.DEGENERATE and judged.beyond is None)
    return unsure and flat.fades(problem, u, second.flat[0])


def _spread(u: Float[np.ndarray, "k d"], first: int) -> list[int]:
    """Some points far from each other, each the farthest from those before."""
    away = np.linalg.norm(u - u[first], axis=1)
    picked = []
    for _ in range(min(_SPREAD, len(u) - 1)):
        picked.append(int(np.argmax(away)))
        away = np.minimum(away, np.linalg.norm(u - u[picked[-1]], axis=1))
    return picked


def _once(
    verdicts: dict[int, tuple[flat.Verdict, int]],
    value: Float[np.ndarray, " k"],
    scale: Float[np.ndarray, " k"],
    second: list[bordered.Curved],
) -> dict[int, tuple[flat.Verdict, int]]:
    """Families once: not again by those of their points at which more directions are flat, and nothing new is seen."""
    families = [k for k, (judged, _) in verdicts.items() if not judged.isolated]

    def known(k: int) -> bool:
        kind = verdicts[k][0].beyond or verdicts[k][0].kind
        same = [
            j for j in families if abs(value[j] - value[k]) <= _EQUAL * max(scale[j], scale[k], abs(value[k]))
        ]
        of = {
            verdicts[j][0].beyond or verdicts[j][0].kind
            for j in same
            if len(second[j].flat) < len(second[k].flat)
        }
        return bool(of) and kind in {*of, bordered.Kind.CONSTANT, bordered.Kind.DEGENERATE}

    return {k: v for k, v in verdicts.items() if k not in families or not known(k)}


def _along(A: Float[np.ndarray, "m d"], L: Float[np.ndarray, "d d"], look: Look) -> Float[np.ndarray, " e"]:
    """The eigenvalues along the constraint in plain coordinates."""
    return bordered.along(A / look.width, L / np.outer(look.width, look.width)).astype(look.dtype)


def _unknown(
    left: Float[np.ndarray, " d"], L: Float[np.ndarray, "d d"], flat: Float[np.ndarray, "q d"]
) -> float:
    """How far a point may be off along flat directions: Newton's step there, times as much as a high multiplicity."""
    step = np.abs(flat @ left) / np.abs(np.einsum("qi,ij,qj->q", flat, L, flat))
    return float(np.clip(5 * np.nan_to_num(step), 0, 1e-2).max(initial=0))


def _alike(
    of: Int[np.ndarray, " j"],
    value: Float[np.ndarray, " k"],
    scale: Float[np.ndarray, " k"],
    second: list[bordered.Curved],
) -> list[list[int]]:
    """Points alone, and groups with one value of f and the same curvatures by sign, some 0: each may be a family."""
    groups: list[list[int]] = []
    signs = [(len(s.flat), *np.sign(s.decided)) for s in second]
    for k in sorted(of, key=lambda k: (signs[k], value[k])):
        last = groups[-1][-1] if groups else k
        same = signs[k] == signs[last] and signs[k][0] > 0
        if (
            groups
            and same
            and abs(value[k] - value[last]) <= _EQUAL * max(scale[k], scale[last], abs(value[k]))
        ):
            groups[-1].append(int(k))
        else:
            groups.append([int(k)])
    return groups


def distinct(
    u: Float[np.ndarray, "k d"], error: Float[np.ndarray, " k"], same: float = SAME
) -> tuple[Int[np.ndarray, " j"], Int[np.ndarray, " k"]]:
    """The most exact point of each cluster, and for each point which of these it belongs to."""
    kept: list[int] = []
    of = np.zeros(len(u), int)
    for k in np.argsort(error, kind="stable"):
        away = np.linalg.norm(u[kept] - u[k], axis=1)
        near = away <= same + 10 * (error[kept] + error[k])
        if not near.any():
            kept.append(int(k))
        of[k] = int(np.argmin(np.where(near, away, np.inf))) if near.any() else len(kept) - 1
    return np.array(kept, int), of


def plain(problem: Problem, u: Float[np.ndarray, " d"], look: Look) -> Float[np.ndarray, " d"]:
    """x of u, 0 for what cannot be told from it."""
    x = problem.plain(u)
    small = np.abs(x) <= RESOLVED * (np.abs(look.centre) + look.width)
    return np.where(small, 0.0, x).astype(look.dtype)


def rounded(number: Any) -> Any:
    """0 for what cannot be told from it, in units in which a typical number is 1."""
    clean = np.where(np.abs(number) <= RESOLVED, 0.0, number)
    return float(clean) if clean.ndim == 0 else clean
