"""How a search for critical points went: how many were found, how sure it is that these are all, what was in the way.

Good and Turing's estimate of the share of starts that would lead to a point yet unseen is the share of starts whose
point was met only once. In one and two variables the turns of ∇f around the edge of the box tell, too (see `winding`).
Neither is a proof. References: Good, Biometrika 40 (1953) 237; Milnor, Topology from the Differentiable Viewpoint
(1965).
"""

import numpy as np

from mvcalc_jax import text
from mvcalc_jax.calculus.stationary import kinks
from mvcalc_jax.calculus.stationary.kinds import CriticalPoint, CriticalPoints, Kind, Status
from mvcalc_jax.calculus.stationary.survey import Survey
from mvcalc_jax.calculus.stationary.zeros import WIDEST


def none(status: Status, starts: int) -> CriticalPoints:
    """No point, because of what f is at the starts."""
    message = {
        Status.NOT_FINITE: f"f or ∇f is infinite or NaN at each of {starts} starts; give a box where f is defined",
        Status.CONSTANT: f"f is constant in the box, as far as {starts} starts tell: every point of it is critical",
        Status.NOT_SMOOTH: "∇f is zero wherever it was looked at, and f is not constant: f is made of steps",
    }
    return CriticalPoints((), status, message[status], starts, float("nan"), None)


def concluded(
    points: list[CriticalPoint],
    seen: Survey,
    broken: kinks.Breaks,
    undefined: int,
    box: np.ndarray,
    unit: float,
) -> CriticalPoints:
    """The result, and how sure it is that it is all."""
    hits = np.array([p.starts for p in points], int)
    rare = int((hits <= 1).sum())
    unseen = min(rare / max(hits.sum(), 1), 1.0) if len(hits) else float("nan")
    status, said = Status.COMPLETE, []
    if not points:
        status = Status.NONE
        said.append(f"f has no critical point in the box that {seen.starts} starts lead to")
    elif rare:
        status = Status.INCOMPLETE
        by = "a single one" if hits.min() == 1 else "none, or by one," if hits.max() else "none"
        share = (
            f", to which some {max(100 * unseen, 0.01):.2g} % of the starts would lead" if hits.any() else ""
        )
        said.append(
            f"{rare} of {text.counted(len(points), 'critical point')} met by {by} of {seen.starts} starts"
            f"{'' if hits.min() else ', but from where ways up and down f end, or from next to 0'}: "
            f"others may be missing{share}; raise `starts`, or cut the box"
        )
    else:
        least = f"met by at least {hits.min()} of {seen.starts} starts"
        said.append(f"{text.counted(len(points), 'critical point')}, {'each ' * (len(points) > 1)}{least}")
    edge, agree = _edge(points, seen.edge, len(box))
    said.append(edge)
    if agree is False:
        status = Status.INCOMPLETE
    if len(broken.points):
        status = Status.NOT_SMOOTH
        said.append(_broken(broken))
    rough = [z for z in broken.rough if not any(near(p, z[None], box) for p in points)]
    if rough:
        status = Status.NOT_SMOOTH
        said.append(
            f"ways up or down ended near {_place(rough[0])}, where ∇f vanishes and H does not exist: no Hessian says "
            "what is there"
        )
    missed = [miss for miss in seen.missed if not _at_one(miss.point, points, np.diff(box)[:, 0] / 2)]
    if missed:
        at, size, rounding = missed[0]
        said.append(
            f"near {text.vector(at, 4)} ∇f is small, {size * unit:.2g} in units of half the box, but no zero: rounding "
            f"explains {rounding * unit:.2g} of it"
        )
    said.append(
        f"what is narrower than {100 * seen.starts ** (-1 / len(box)):.2g} % of the box may lie between the starts"
    )
    if undefined:
        said.append(f"f or ∇f is infinite or NaN at {text.counted(undefined, 'start')}")
    message = "; ".join(s for s in said if s)
    return CriticalPoints(tuple(points), status, message, seen.starts, unseen, seen.edge)


def near(p: CriticalPoint, places: np.ndarray, box: np.ndarray) -> bool:
    """Whether a point is one of some places."""
    away = np.linalg.norm((places - p.point) / np.diff(box)[:, 0], axis=1)
    return bool((away < 1e-6).any())


def _at_one(place: np.ndarray, points: list[CriticalPoint], w: np.ndarray) -> bool:
    """Whether a place is one of the points, as near as starts come to it: where H is singular that is not very near."""
    return any(
        np.linalg.norm((p.point - place) / w) <= (WIDEST if p.degenerate else 1e-6) + 10 * p.error / w.max()
        for p in points
    )


def _edge(points: list[CriticalPoint], turns: int | None, d: int) -> tuple[str, bool | None]:
    """Whether the turns of ∇f around the edge are those of the points found, as a sentence; None where unknown."""
    if turns is None or any(p.turns is None for p in points):
        return "", None
    total = sum(p.turns or 0 for p in points)
    terms = []
    for kind in Kind:
        some = [p.turns or 0 for p in points if p.kind is kind]
        if any(some):
            whole = f"{abs(sum(some))}" + (f" of {len(some)}" if {abs(t) for t in some} != {1} else "")
            terms.append(f"{'−' if sum(some) < 0 else '+'} {whole} {_plural(kind, len(some))}")
    sums = " ".join(terms).removeprefix("+ ") + " = " if terms else ""
    sums = "−" + sums[2:] if sums.startswith("− ") else sums
    edge, found = (f"{n}".replace("-", "−") for n in (turns, total))
    if d == 2:
        said = f"∇f turns {edge} time{'' if abs(turns) == 1 else 's'} around the edge"
    else:
        said = f"half the change of the sign of f′ from edge to edge is {edge}"
    if total == turns:
        return f"{said}{': ' + sums + found if terms else ''}", True
    return f"{said}, but {sums}{found}: points are missing, or f is not smooth", False


def _plural(kind: Kind, many: int) -> str:
    """minimum, minima."""
    if kind is Kind.UNDECIDED:
        return "undecided"
    return str(kind) if many == 1 else kind[:-2] + "a" if kind.endswith("um") else kind + "s"


def _broken(broken: kinks.Breaks) -> str:
    """Where ways up and down end at a break of the gradient."""
    near = _place(broken.points[0])
    if broken.poles.all():
        return f"f grows without bound near {near}"
    return (
        f"f is not differentiable near {near}, where {text.counted(len(broken.points), 'way')} up or down ended: a "
        "minimum at a kink is no critical point that a gradient sees"
    )


def _place(p: np.ndarray) -> str:
    """Where a way ended."""
    return text.vector(np.where(np.abs(p) < 1e-6, 0.0, p), 4)
