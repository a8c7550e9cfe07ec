"""What a check found: a verdict, the evidence for every leaf and link, and the causes."""

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mvcalc_jax import text

Verdict = Literal["correct", "wrong", "inconclusive"]
Grade = Literal["A", "B", "C", "D", ""]


@dataclass(frozen=True)
class Leaf:
    """One array of the Jacobian, and its worst entry.

    Attributes:
        path: which, such as `args[0][1].W`; where f returns a tree, the output's path comes first.
        error: the largest |by hand − autodiff|, in units of the leaf's largest entry.
        disagreement: how far forward and reverse mode lie apart, in the same units.
        index: where in the leaf `error` was found.
        by_hand, autodiff, ratio: the two values there, and the first divided by the second.
        grade: A, B, C or D: how many of autodiff's digits the formula keeps in low precision; "" if unknown.

    >>> report = mv.check_jacobian(jnp.sin, lambda x: jnp.diag(jnp.cos(x)), np.array([0.5, 1.0]))
    >>> leaf = report.leaves[0]
    >>> leaf.path, leaf.verdict, leaf.shape, leaf.error < 1e-12, leaf.grade
    ('args[0]', 'correct', (2, 2), True, 'A')
    """

    path: str
    verdict: Verdict
    shape: tuple[int, ...]
    error: float
    disagreement: float
    index: tuple[int, ...]
    by_hand: complex
    autodiff: complex
    grade: Grade = ""

    @property
    def ratio(self) -> complex:
        return self.by_hand / self.autodiff if self.autodiff else float("nan")

    @property
    def absolute(self) -> float:
        """|by hand − autodiff| at the worst entry."""
        return abs(self.by_hand - self.autodiff)


@dataclass(frozen=True)
class Diagnosis:
    """A cause that explains the evidence.

    Attributes:
        kind: one of the names in `mvcalc_jax.verify.causes.search.KINDS`.
        where: the leaves, or the link, that it explains.
        detail: the cause in a sentence, with the factor or the term named.
        certified: whether undoing the mistake, and nothing else, makes the derivative right to rounding at several
            points; if not, it is a hint.

    >>> report = mv.check_jacobian(jnp.sin, lambda x: jnp.diag(-jnp.cos(x)), np.array([0.5, 1.0]))
    >>> cause = report.diagnoses[0]
    >>> cause.kind, cause.where, cause.certified
    ('sign', 'args[0]', True)
    """

    kind: str
    where: str
    detail: str
    certified: bool


@dataclass(frozen=True)
class LinkResult:
    """One link of a chain: its name, its verdict, and the check of its local Jacobian.

    >>> links = [mv.Link("sin", jnp.sin, lambda x: jnp.diag(jnp.cos(x)))]
    >>> result = mv.check_chain(links, np.array([0.5, 1.0])).links[0]
    >>> result.name, result.verdict, result.report.verdict
    ('sin', 'correct', 'correct')
    """

    name: str
    verdict: Verdict
    report: "Report"


@dataclass(frozen=True)
class Adequacy:
    """What "correct" is worth: how many of the mistakes that were planted into the derivative were noticed.

    `invisible` names those that were not, and why; `warnings` name what may hide others.

    >>> report = mv.check_jacobian(jnp.sin, lambda x: jnp.diag(jnp.cos(x)), np.array([0.5, 1.0]))
    >>> report.adequacy.caught == report.adequacy.planted > 0
    True
    """

    caught: int
    planted: int
    invisible: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"would have caught {self.caught} of {self.planted} planted mistakes"]
        return "; ".join([*lines, *self.invisible, *self.warnings])


@dataclass(frozen=True)
class Slope:
    """The symmetric Taylor remainder |φ(h) − φ(−h) − 2hφ′| along a random line: of order h³ if φ′ is right, h if not.

    Attributes:
        steps: h, from large to small.
        by_hand, autodiff: the remainder with either derivative.
        noise: what rounding of φ alone may do.
        slope: d log R / d log h by hand; NaN where rounding hides it.

    >>> report = mv.check_jacobian(jnp.sin, lambda x: jnp.diag(jnp.cos(x)), np.array([0.5, 1.0]))
    >>> print(f"{report.slope.slope:.1f}")  # of order h³: right
    3.0
    """

    steps: np.ndarray
    by_hand: np.ndarray
    autodiff: np.ndarray
    noise: float
    slope: float


@dataclass(frozen=True)
class Compared:
    """A leaf by hand and by autodiff at one point, for pictures: the leaf in which a cause was sought."""

    path: str
    by_hand: np.ndarray
    autodiff: np.ndarray


@text.shown
@dataclass(frozen=True)
class Report:
    """The outcome of a check.

    Attributes:
        verdict: "correct", "wrong", or "inconclusive" where nobody can tell.
        reason: the verdict in a sentence.
        leaves: the evidence, leaf by leaf.
        again: the line that repeats the check.
        links: the links of a chain, first to last.
        diagnoses: causes, the most likely first.
        adequacy: what "correct" is worth; None unless that is the verdict.
        missed: the probability that an error of 10⁻⁴ of a leaf was missed, where random probes were compared; 0 where
            every entry was.
        slope: the Taylor remainder along a random line.
        compared: the arrays behind the leaves, for `plot`; those of large leaves are not kept.

    >>> report = mv.check_jacobian(jnp.sin, lambda x: jnp.diag(-jnp.cos(x)), np.array([0.5, 1.0]))
    >>> print(report.verdict, [cause.kind for cause in report.diagnoses])
    wrong ['sign']
    >>> sorted(report.to_dict())
    ['adequacy', 'again', 'diagnoses', 'leaves', 'links', 'missed', 'reason', 'slope', 'verdict']
    """

    verdict: Verdict
    reason: str
    leaves: tuple[Leaf, ...]
    again: str = ""
    links: tuple[LinkResult, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    adequacy: Adequacy | None = None
    missed: float = 0.0
    slope: Slope | None = field(default=None, repr=False, compare=False)
    compared: tuple[Compared, ...] = field(default=(), repr=False, compare=False)

    @property
    def error(self) -> float:
        """The largest error of any leaf, in units of that leaf's largest entry; NaN if none was compared."""
        return max((leaf.error for leaf in self.leaves), default=float("nan"))

    def require_correct(self) -> None:
        """Raise `AssertionError`, with the report as its message, unless the verdict is "correct"."""
        if self.verdict != "correct":
            raise AssertionError(str(self))

    def to_dict(self) -> dict[str, Any]:
        """Strings, lists and finite numbers, for JSON; what is infinite or NaN is None."""
        slope = self.slope
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "leaves": [_plain({**asdict(leaf), "ratio": leaf.ratio}) for leaf in self.leaves],
            "links": [
                {"name": link.name, "verdict": link.verdict, "report": link.report.to_dict()}
                for link in self.links
            ],
            "diagnoses": [asdict(diagnosis) for diagnosis in self.diagnoses],
            "adequacy": self.adequacy and _plain(asdict(self.adequacy)),
            "missed": self.missed,
            "slope": _plain(slope.slope) if slope else None,
            "again": self.again,
        }

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw the leaves by hand and by autodiff side by side, and the Taylor remainder; write it to `path`, a PNG,
        SVG or PDF, or return the figure."""
        from mvcalc_jax import plots  # pictures lie above proofs; nothing else here draws

        return plots.drawn(lambda: plots.check.draw(self), path)

    def _parts(self) -> text.Parts:
        parts: list[str | text.Rows] = [f"{self.verdict}: {self.reason}"]
        if self.links:
            header = ("link", "verdict", "error", "cause")
            parts.append([header, *map(_link_row, self.links)])
        if self.leaves:
            header = (
                "leaf",
                "verdict",
                "shape",
                "error",
                "worst at",
                "by hand",
                "autodiff",
                "ratio",
                "grade",
            )
            parts.append([header, *map(_row, self.leaves)])
        parts += [
            f"{'cause' if diagnosis.certified else 'hint'}: {diagnosis.kind} in {diagnosis.where}: {diagnosis.detail}"
            for diagnosis in self.diagnoses
        ]
        if self.adequacy:
            parts.append(f"adequacy: {self.adequacy}")
        if self.missed:
            parts.append(f"probes: an error of 1e-4 of a leaf is missed with probability {self.missed:.0e}")
        return [*parts, f"again: {self.again}"]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(entry) for entry in value]
    if isinstance(value, complex):
        return [_plain(value.real), _plain(value.imag)]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _row(leaf: Leaf) -> tuple[str, ...]:
    at = f"[{', '.join(map(str, leaf.index))}]"
    values = (f"{leaf.error:.1e}", at, f"{leaf.by_hand:.9g}", f"{leaf.autodiff:.9g}", f"{leaf.ratio:.6g}")
    return (leaf.path, leaf.verdict, str(leaf.shape), *values, leaf.grade)


def _link_row(link: LinkResult) -> tuple[str, ...]:
    error = link.report.error
    causes = link.report.diagnoses
    return (
        link.name,
        link.verdict,
        "" if math.isnan(error) else f"{error:.1e}",
        f"{causes[0].kind}: {causes[0].detail}" if causes else "",
    )
