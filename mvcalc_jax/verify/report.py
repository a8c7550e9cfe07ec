"""What a check found: a verdict, and for every leaf of the Jacobian the evidence."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from mvcalc_jax import text

Verdict = Literal["correct", "wrong", "inconclusive"]


@dataclass(frozen=True)
class Leaf:
    """One array of the Jacobian, and its worst entry.

    Attributes:
        path: which, such as `args[0][1].W`; where f returns a tree, the output's path comes first.
        error: the largest |by hand − autodiff|, in units of the leaf's largest entry.
        disagreement: how far forward and reverse mode lie apart, in the same units.
        index: where in the leaf `error` was found.
        by_hand, autodiff, ratio: the two values there, and the first divided by the second.
    """

    path: str
    verdict: Verdict
    shape: tuple[int, ...]
    error: float
    disagreement: float
    index: tuple[int, ...]
    by_hand: float
    autodiff: float

    @property
    def ratio(self) -> float:
        return self.by_hand / self.autodiff if self.autodiff else float("nan")


@dataclass(frozen=True)
class Report:
    """The outcome of a check. `reason` is the verdict in a sentence, `again` the line that repeats it."""

    verdict: Verdict
    reason: str
    leaves: tuple[Leaf, ...]
    again: str

    @property
    def error(self) -> float:
        """The largest error of any leaf, in units of that leaf's largest entry; NaN if none was compared."""
        return max((leaf.error for leaf in self.leaves), default=float("nan"))

    def to_dict(self) -> dict[str, Any]:
        """Strings, lists and finite numbers, for JSON; what is infinite or NaN is None."""
        leaves = [
            {name: _plain(value) for name, value in {**asdict(leaf), "ratio": leaf.ratio}.items()}
            for leaf in self.leaves
        ]
        return {"verdict": self.verdict, "reason": self.reason, "leaves": leaves, "again": self.again}

    def __str__(self) -> str:
        lines = [f"{self.verdict}: {self.reason}"]
        if self.leaves:
            header = ("leaf", "verdict", "shape", "error", "worst at", "by hand", "autodiff", "ratio")
            lines.append(text.columns([header, *map(_row, self.leaves)]))
        return "\n".join([*lines, f"again: {self.again}"])


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return list(value) if isinstance(value, tuple) else value


def _row(leaf: Leaf) -> tuple[str, ...]:
    at = f"[{', '.join(map(str, leaf.index))}]"
    values = (f"{leaf.error:.1e}", at, f"{leaf.by_hand:.9g}", f"{leaf.autodiff:.9g}", f"{leaf.ratio:.6g}")
    return (leaf.path, leaf.verdict, str(leaf.shape), *values)
