"""How a search for a root ended: the root, how well it is known, every step, and the reason."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from mvcalc_jax import text
from mvcalc_jax.status import Spoken


class Status(Spoken):
    """How a search for a root ended: above 0 at a root, 0 at the limit of its steps, below 0 for a reason."""

    STALLED = -9, "the steps vanish and f does not"
    JUMP = -8, "f jumps from one sign to the other; there is no root where it does"
    POLE = -7, "f changes its sign at a pole; there is no root"
    MINIMUM = -6, "|f| has a minimum that is not zero, and Newton's method wanders about it"
    DOMAIN = -5, "a step left the domain of f"
    FLAT = -4, "the tangent is flat, and leads nowhere"
    DIVERGED = -3, "the iterates run to infinity"
    CYCLE = -2, "the iterates go round in a cycle"
    STEP_LIMIT = 0, "stopped at the limit of its steps without a root"
    CONVERGED = 1, "converged to a simple root"
    MULTIPLE = 2, "converged to a multiple root"


class Trace(NamedTuple):
    """Every iterate, for r rows: where, f and f′ (J) there, and how it was reached.

    `rule` is "start", "newton"; "modified", a step m f/f′; "halving" of a bracket; "polish", the root of f⁽ᵐ⁻¹⁾.
    """

    x: Float[np.ndarray, "r *d"]
    f: Float[np.ndarray, "r *d"]
    df: Float[np.ndarray, "r *d_d"]
    rule: np.ndarray


@text.shown
@dataclass(frozen=True)
class Root:
    """What a search for a root found, and why it ended.

    Attributes:
        x: the root, a number or an array (d,); where there is none, the last iterate, or for `MINIMUM` the minimum.
        status: a `Status`.
        message: the reason as a sentence, with what to do about it.
        steps: how many were taken.
        error: how far x may be from the root, as far as f shows it: rounding that is the same at all points, as of a
            coefficient, does not show. NaN where there is no root. Of a system, the norm over all components as they
            are: no less than what the largest loses, and no bar for the smaller ones.
        multiplicity: m of f ≈ C (x − root)ᵐ, a whole number for a smooth f; NaN where there is no root.
        period: of a cycle; 0 if there is none.
        trace: every iterate.

    >>> root = mv.newton(lambda x: (x - 1) ** 2 * (x + 2), 2.0)
    >>> print(f"x = {root.x:.6f}, a root of order {root.multiplicity:.0f}, within {root.error:.0e}")
    x = 1.000000, a root of order 2, within 2e-16
    >>> root.message
    'converged to a root of multiplicity 2 at 1 ± 2e-16 in 7 steps'
    """

    x: Any
    status: Status
    message: str
    steps: int
    error: float
    multiplicity: float
    period: int
    trace: Trace = field(repr=False)

    @property
    def success(self) -> bool:
        """Whether x is a root."""
        return self.status > 0

    def __iter__(self) -> Iterator[Any]:
        """x, success."""
        return iter((self.x, self.success))

    def _parts(self) -> text.Parts:
        """The reason, and the steps as a table: all of them, or the first and the last."""
        rows = [("step", "x", "f" if np.ndim(self.x) == 0 else "‖f‖", "")]
        last = len(self.trace.x) - 1
        for k in range(last + 1):
            if last > 14 and 8 <= k < last - 3:
                rows += [("…", "", "", "")] * (k == 8)
                continue
            size = self.trace.f[k] if np.ndim(self.x) == 0 else np.linalg.norm(self.trace.f[k])
            rule = str(self.trace.rule[k])
            x = ", ".join(f"{v:.16g}" for v in np.ravel(self.trace.x[k]))
            rows.append((str(k), x, f"{size:.3g}", "" if rule == "newton" else rule))
        return [self.message, rows]


class Ending(NamedTuple):
    """A status and its sentence; the row that the trace ends with; the period of a cycle; a point that is meant."""

    status: Status
    message: str
    last: int
    period: int = 0
    x: Any = None


def said(x: Any, error: float = np.nan) -> str:
    """A number, or a point, to the digits that its error leaves."""
    size = float(np.max(np.abs(x)))
    known = size > error > 0 and np.isfinite(size)
    return text.vector(
        np.ravel(x), min(math.floor(math.log10(size)) - math.floor(math.log10(error)) + 1, 16) if known else 7
    )


def flat(what: str, last: int, hint: str = "; start elsewhere") -> Ending:
    """An ending on a flat tangent."""
    return Ending(Status.FLAT, f"flat: {what}{hint}", last)
