"""What XLA counts in a Jacobian: as it is written, and as it is compiled."""

import re
from typing import Any, NamedTuple

import jax

from benchmarks import loops


class Counts(NamedTuple):
    """Of one call; without a word, of the compiled program."""

    written_transcendentals: int
    """Exponentials and the like, one for each number, that the program asks for before it is optimised."""
    transcendentals: int
    flops: int
    bytes: int
    """Of memory that is read or written."""
    products: int
    """Of matrices."""
    fusions: int
    temporary: int


def counts(jacobian: loops.Jacobian, of: loops.Problem) -> Counts:
    """Those of a Jacobian's call."""
    written = jax.jit(jacobian).lower(of.start, *of.data)
    program = written.compile()
    before, after = (_analysis(stage) for stage in (written, program))
    code = program.as_text() or ""
    return Counts(
        before["transcendentals"],
        after["transcendentals"],
        after["flops"],
        after["bytes accessed"],
        len(re.findall(r" = \S+ (?:dot|custom-call)\(", code)),
        len(re.findall(r" = .* fusion\(", code)),
        loops.temporary(program),
    )


def _analysis(stage: Any) -> dict[str, int]:
    found = stage.cost_analysis() or {}
    return {name: int(found.get(name, 0)) for name in ("transcendentals", "flops", "bytes accessed")}
