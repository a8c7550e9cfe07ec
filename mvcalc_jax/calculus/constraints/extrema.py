"""What was found of the extrema of a function on a constraint: points, what each is, and how the search ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float, Int

from mvcalc_jax import text
from mvcalc_jax.calculus.constraints.bordered import Kind


class Status(StrEnum):
    """How the search ended."""

    FOUND = "found"
    CONSTANT = "constant"
    SINGULAR = "only singular points"
    NOTHING = "no stationary point"
    NEVER_MET = "constraint never met"
    DEPENDENT = "dependent constraints"
    UNRESOLVED = "too small for x"
    TOO_MANY = "too many constraints"
    NOT_FINITE = "not finite"

    @property
    def sentence(self) -> str:
        """The status in words, with what to do about it."""
        return _SENTENCES[self]


_SENTENCES = {
    Status.FOUND: "stationary points were found",
    Status.CONSTANT: "f is constant on the constraint: every point of it is stationary, a minimum and a maximum",
    Status.SINGULAR: "no regular point of the constraint is stationary: an extremum can only lie where it is "
    "irregular or f has a kink, and must be found by looking at f there",
    Status.NOTHING: "the constraint is met, and f has no stationary point on it where we looked: its extrema lie at "
    "infinity, at a kink, at the edge or farther away; give other starts or a larger box",
    Status.NEVER_MET: "the constraint was never met; change g, or look elsewhere by x0 or box",
    Status.DEPENDENT: "the gradients of the constraints are linearly dependent wherever these are met, so that there "
    "are no multipliers, or many; leave out a constraint that follows from others, write g without a square, or "
    "compare f at the points themselves",
    Status.UNRESOLVED: "all of the constraint that was met lies so closely together that the rounding of x hides its "
    "shape; shift x, so that it lies near 0",
    Status.TOO_MANY: "there are more constraints than variables, so that none is left to vary and multipliers are not "
    "unique; leave some out, or solve g = 0 alone",
    Status.NOT_FINITE: "f, g or their gradients are infinite or NaN at every start; give other starts, or another box",
}


@dataclass(frozen=True)
class Point:
    """A stationary point on the constraint.

    Attributes:
        x: where it is.
        value: f there.
        multipliers: λ, one for each constraint.
        gradient: ∇f there, which is Σ λ_k ∇g_k.
        normals: ∇g_k there, a row for each.
        kind: what it is, by second order; with `beyond` where that is silent.
        beyond: what a walk along the flat direction shows of a degenerate one, or None.
        eigenvalues: of the Hessian of f − λ·g along the constraint, ascending.
        minors: the signs of the bordered Hessian's leading principal minors of order 2m + 1 … m + d.
        shadow: df*/dc as measured by solving again at c = ±δ; NaN where the point cannot be followed.
        apart: how far the two are from each other, beside λ, or where λ is nearly 0 beside a thousandth of a typical
            |∇f|/|∇g|.
        isolated: whether it is no member of a family of stationary points of the same value; if not, one member.
        error: how exact x is.
        starts: how many led to it.

    >>> found = mv.lagrange(lambda x, y: x + y, lambda x, y: x**2 + y**2 - 2, box=((-2, 2), (-2, 2)))
    >>> point = found.maximum
    >>> point.gradient.round(9), (point.multipliers @ point.normals).round(9)
    (array([1., 1.]), array([1., 1.]))
    >>> point.verdict, point.eigenvalues.round(9), point.shadow.round(4)
    ('maximum', array([-1.]), array([0.5]))
    """

    x: Float[np.ndarray, " d"]
    value: float
    multipliers: Float[np.ndarray, " m"]
    gradient: Float[np.ndarray, " d"]
    normals: Float[np.ndarray, "m d"]
    kind: Kind
    beyond: Kind | None
    eigenvalues: Float[np.ndarray, " e"]
    minors: Int[np.ndarray, " e"]
    shadow: Float[np.ndarray, " m"]
    apart: float
    isolated: bool
    error: float
    starts: int

    @property
    def verdict(self) -> str:
        """The kind in words."""
        words = [str(self.kind)]
        if self.beyond:
            words.append(f"by walking a {self.beyond}")
        elif self.kind is Kind.DEGENERATE:
            words.append("undecided")
        if not self.isolated:
            words.append("one of a family")
        return ", ".join(words)


@dataclass(frozen=True)
class Irregular:
    """A point of the constraint at which an extremum may be, and multipliers are none, or not unique: and why.

    >>> found = mv.lagrange(lambda x, y: x, lambda x, y: y**2 - x**3, box=((-1, 1), (-1, 1)))  # a cusp
    >>> found.minimum.x.round(6), found.minimum.reason
    (array([0., 0.]), '∇g = 0 there, and no multiplier')
    """

    x: Float[np.ndarray, " d"]
    value: float
    reason: str


@text.shown
@dataclass(frozen=True)
class Extrema:
    """All stationary points that were found of f on g = 0, those with the lowest value first.

    Attributes:
        points: with their multipliers.
        irregular: singular points of the constraint, and kinks: candidates for an extremum without multipliers.
        minimum: the lowest of all these, if f is nowhere lower on the constraint where we looked; else None. Whether
            it is the lowest of all, where one did not look, too, is not known.
        maximum: the highest, likewise.
        status: how the search ended.
        message: that in full sentences.
        seen: points of the constraint that were met on the way, (k, d).
        seen_values: f there.

    >>> found = mv.lagrange(lambda x, y: x + y, lambda x, y: x**2 + y**2 - 2, box=((-2, 2), (-2, 2)))
    >>> found.maximum.x.round(9), found.maximum.multipliers.round(9)
    (array([1., 1.]), array([0.5]))
    >>> found.message.split(";")[0]
    '2 stationary points: 1 minimum, 1 maximum'
    """

    points: tuple[Point, ...]
    irregular: tuple[Irregular, ...]
    minimum: Point | Irregular | None
    maximum: Point | Irregular | None
    status: Status
    message: str
    seen: Float[np.ndarray, "k d"]
    seen_values: Float[np.ndarray, " k"]

    def _parts(self) -> text.Parts:
        """A table of the points, and the message."""
        rows: list[tuple[str, ...]] = []
        if self.points:
            rows = [("x", "f", "λ, ∇f = Σλ∇g", "df*/dc, solved again", "verdict", "∂²L along the constraint")]
        for p in self.points:
            numbers = (
                text.vector(p.multipliers, 8),
                text.vector(p.shadow, 8),
                p.verdict,
                text.vector(p.eigenvalues, 4),
            )
            rows.append((text.vector(p.x, 8), f"{p.value:.8g}", *numbers))
        other = [f"irregular: {text.vector(p.x, 8)}, f = {p.value:.8g}: {p.reason}" for p in self.irregular]
        return [*([rows] if rows else []), *other, self.message]


def told(
    points: list[Point],
    irregular: list[Irregular],
    seen: Float[np.ndarray, "k d"],
    values: Float[np.ndarray, " k"],
    *,
    unit: float,
    status: Status | None = None,
    level: Sequence[Float[np.ndarray, " d"]] = (),
) -> Extrema:
    """What was found, with the lowest and highest of it, and in words; and where f is level by rounding alone."""
    spread = float(np.ptp(values))
    if status is Status.DEPENDENT:  # such points are met to half of the digits
        spread = max(spread, unit)
    constant = any(p.kind is Kind.CONSTANT for p in points) and spread <= 1e-8 * (unit + np.abs(values).max())
    candidates = [p for p in (*points, *irregular) if np.isfinite(p.value)]
    lowest, highest = (_outermost(candidates, values, spread, sign) for sign in (1, -1))
    if status is None and points:
        status = Status.CONSTANT if constant else Status.FOUND
    elif status is None:
        status = Status.SINGULAR if irregular else Status.NOTHING
    said = [_counted(points) if status is Status.FOUND else status.sentence]
    if status is not Status.CONSTANT:
        said += _outermost_said(candidates, lowest, highest, seen, values)
    dark = [p for p in points if p.kind is Kind.DEGENERATE and not p.beyond]
    if dark:
        where = ", ".join(text.vector(p.x, 6) for p in dark[:3]) + ", …" * (len(dark) > 3)
        said.append(
            f"at {where} no order of f decides, since f changes too little beside its rounding or its derivatives "
            f"jump; compare f within {max(p.error for p in dark):.1g} of it"
        )
    if level:
        where = " and ".join(text.vector(x, 4) for x in level[:3]) + ", …" * (len(level) > 3)
        said.append(
            f"about {where} and beyond the slope of f fades away into rounding: f goes towards a limit there, and "
            "whether it is stationary farther out cannot be told"
        )
    unsure = sum(not p.apart <= 1e-6 for p in points)
    if unsure:
        said.append(f"λ was not confirmed by solving again at {unsure} of them, where f* cannot be followed")
    return Extrema(tuple(points), tuple(irregular), lowest, highest, status, "; ".join(said), seen, values)


def _outermost_said(
    candidates: list[Point | Irregular],
    lowest: Point | Irregular | None,
    highest: Point | Irregular | None,
    seen: Float[np.ndarray, "k d"],
    values: Float[np.ndarray, " k"],
) -> list[str]:
    """The lowest and the highest of the points found, and that it is only these, and points met, that are compared."""
    words, named = [], []
    for sign, name, side, best in ((1, "minimum", "lowest", lowest), (-1, "maximum", "highest", highest)):
        k = int(np.argmin(sign * values))
        met = f"f = {values[k]:.6g} at {text.vector(seen[k], 6)}"
        outermost = min(candidates, key=lambda c: sign * c.value, default=None)
        if best is not None:
            is_it = "" if named else "is "
            named.append(f"f = {best.value:.8g} at {text.vector(best.x, 6)} {is_it}the {side}")
        elif outermost is None:
            words.append(f"the {side} value met was {met}")
        elif sign * values[k] < sign * outermost.value:
            words.append(
                f"no {name} is among these, since f goes beyond them elsewhere on the constraint: {met}"
            )
        else:
            words.append(f"no {name} is among these: f goes beyond the {side} beside it")
    if named:
        those = f"of these and of {text.count(len(seen))} other points that were met, {' and '.join(named)}"
        words.insert(0, f"{those}; where nobody looked f may go beyond")
    return words


def _outermost(
    candidates: list[Point | Irregular], values: Float[np.ndarray, " k"], spread: float, sign: int
) -> Point | Irregular | None:
    """The candidate of the lowest value, for sign 1; None where f is lower at another point of the constraint."""
    best = min(candidates, key=lambda c: sign * c.value, default=None)
    if best is None or (sign * values).min() < sign * best.value - 1e-7 * spread - 1e-12 * abs(best.value):
        return None
    opposite = Kind.SADDLE, Kind.MAXIMUM if sign == 1 else Kind.MINIMUM
    same = [c for c in candidates if abs(c.value - best.value) <= 1e-12 * abs(best.value)]
    kinds = [c.beyond or c.kind if isinstance(c, Point) else None for c in same]
    return next((c for c, kind in zip(same, kinds, strict=True) if kind not in opposite), None)


_PLURAL = {Kind.MINIMUM: "minima", Kind.MAXIMUM: "maxima", Kind.SADDLE: "saddles"}


def _counted(points: list[Point]) -> str:
    many = {kind: sum(p.kind is kind for p in points) for kind in Kind}
    words = [f"{n} {_PLURAL.get(kind, kind) if n > 1 else kind}" for kind, n in many.items() if n]
    families = sum(not p.isolated for p in points)
    if families:
        words.append(f"{families} not isolated, one of a family")
    return f"{text.counted(len(points), 'stationary point')}: {', '.join(words)}"
