"""What `critical_points` gives back: each point with its kind, and all of them with how the search for them went."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from jaxtyping import Float

from mvcalc_jax import require, text


class Kind(StrEnum):
    """What f does at a critical point. A degenerate saddle is neither extremum; so is an inflection."""

    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    SADDLE = "saddle"
    DEGENERATE_MINIMUM = "degenerate minimum"
    DEGENERATE_MAXIMUM = "degenerate maximum"
    DEGENERATE_SADDLE = "degenerate saddle"
    INFLECTION = "inflection"
    NOT_ISOLATED = "not isolated"
    UNDECIDED = "undecided"


class Status(StrEnum):
    """How a search ended; see `CriticalPoints.message` for the sentence."""

    COMPLETE = "no sign of others"
    """Every point was met by several starts, and the turns around the edge, where they are known, agree: no proof."""
    INCOMPLETE = "perhaps incomplete"
    NONE = "none found"
    NOT_SMOOTH = "not smooth"
    CONSTANT = "constant"
    NOT_FINITE = "not finite"


@dataclass(frozen=True, eq=False)
class CriticalPoint:
    """A point at which ∇f = 0.

    Attributes:
        point: where, (d,). One of many if it is not isolated.
        value: f there.
        kind: what f does there.
        order: that decides: 2 where H does, else of the Taylor expansion along H's null space; None where none does.
        index: how many eigenvalues are negative.
        eigenvalues: of H, ascending, (d,).
        eigenvectors: of H, columns of (d, d).
        gradient_norm: ‖∇f‖ there.
        error: estimate of the distance to the true point.
        starts: how many starts led to it.
        turns: of ∇f around it: its topological index. None where unknown.
        verdict: the kind and its reason as a sentence.

    >>> (point,) = mv.critical_points(lambda p: p[0] ** 2 - p[1] ** 2, ((-1, 1), (-1, 1)))
    >>> point.kind.value, point.eigenvalues, point.index, point.turns
    ('saddle', array([-2.,  2.]), 1, -1)
    >>> point.verdict
    'saddle: f falls along 1 of 2 directions and rises along 1'
    """

    point: Float[np.ndarray, " d"]
    value: float
    kind: Kind
    order: int | None
    index: int
    eigenvalues: Float[np.ndarray, " d"]
    eigenvectors: Float[np.ndarray, "d d"]
    gradient_norm: float
    error: float
    starts: int
    turns: int | None
    verdict: str

    @property
    def degenerate(self) -> bool:
        """Whether the second order did not decide."""
        return self.kind not in (Kind.MINIMUM, Kind.MAXIMUM, Kind.SADDLE)


@text.shown
@dataclass(frozen=True, eq=False)
class CriticalPoints:
    """The critical points of a function in a box, lowest first; iterable, with a length and an index.

    Attributes:
        points: each a `CriticalPoint`.
        status: how the search ended.
        message: that as a sentence, with what to do about it.
        starts: how many there were.
        unseen: Good and Turing's estimate of the share of starts that would lead to a point not found; NaN without any.
        turns: of ∇f around the edge of the box; None where unknown, as in three variables.

    >>> points = mv.critical_points(lambda x: x**3 - 3 * x, (-2, 2))
    >>> [(p.kind.value, p.point.round(9).tolist(), round(p.value, 9)) for p in points]
    [('minimum', [1.0], -2.0), ('maximum', [-1.0], 2.0)]
    >>> len(points.of("saddle"))
    0
    """

    points: tuple[CriticalPoint, ...]
    status: Status
    message: str
    starts: int
    unseen: float
    turns: int | None

    def __iter__(self) -> Iterator[CriticalPoint]:
        return iter(self.points)

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, k: Any) -> Any:
        return self.points[k]

    def of(self, kind: str) -> tuple[CriticalPoint, ...]:
        """Those of one kind.

        Raises:
            ValueError: where there is no such kind.
        """
        require.one_of("kind", kind, list(Kind))
        return tuple(p for p in self.points if p.kind == kind)

    def rows(self) -> list[tuple[str, ...]]:
        """A table: a header, and a row for each point."""
        rows = [("", "at", "f", "eigenvalues of H", "starts")]
        for p in self.points:
            order = f", order {p.order}" if p.degenerate and p.order else ""
            eigenvalues = ", ".join(
                f"{v:.5g}" for v in _shown(p.eigenvalues, 1e-9 * np.abs(p.eigenvalues).max())
            )
            at = ", ".join(f"{v:.8g}" for v in _shown(p.point, p.error))
            value = f"{_shown(np.array([p.value]), 1e-13)[0]:.10g}"
            rows.append((f"{p.kind}{order}", f"({at})", value, eigenvalues, str(p.starts)))
        return rows

    def _parts(self) -> text.Parts:
        table = [self.rows()] if self.points else []
        odd = dict.fromkeys(p.verdict for p in self.points if p.degenerate)
        return [*table, *odd, self.message]


def _shown(values: Float[np.ndarray, " k"], error: float) -> Float[np.ndarray, " k"]:
    """Numbers without the digits that their error leaves open."""
    error = max(error, 1e-15 * float(np.abs(values).max()))
    if not (np.isfinite(error) and error > 0):
        return values + 0.0
    digits = -int(np.floor(np.log10(error)))
    return np.array([round(float(v), digits) for v in values]) + 0.0
