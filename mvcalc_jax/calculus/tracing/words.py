"""A traced function in words: its steps as rows of a table, and the numbers in them."""

import textwrap
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mvcalc_jax import text

ROWS = 60
"""A longer table is shown without its middle."""

_FEW = 3
"""So many numbers of an array are shown."""
WIDE = 100
"""Characters of a line."""
_SHORTEST = 12
"""Of the cells that are cut."""
_TIGHTER = ((6, _FEW), (4, _FEW), (4, 1), (4, 0), (3, 0))
"""Digits, and numbers of an array, that are shown: as many as fit in a line; with none, of arrays
their shapes and formulas alone."""


class Edge(NamedTuple):
    """A local derivative: how the step moves with one of its inputs."""

    source: str
    """The input's name."""
    formula: str
    value: Any
    """The derivative, entry by entry; None where it is a map between arrays that has none for each entry."""


class Input(NamedTuple):
    """A number or array that the function starts from."""

    name: str
    value: Any
    accumulated: Any
    """∂f/∂(it); None if f is not differentiated by it."""


class Step(NamedTuple):
    """One operation of the function, as it is differentiated."""

    name: str
    formula: str
    value: Any
    rule: str
    edges: tuple[Edge, ...]
    accumulated: Any
    """∂f/∂(it) in reverse mode; ∂(it)/∂(every number differentiated by), these last, in forward mode; or None."""
    note: str
    """Why it is not differentiable here, or not finite; or empty."""
    inputs: tuple[str, ...] = ()
    """The names of the values that it takes, constants aside."""


@text.shown
@dataclass(frozen=True)
class Trace:
    """A function, step by step, with the rules that differentiate it; `print` shows it as a table.

    Attributes:
        name: of the function.
        mode: "reverse" or "forward".
        inputs: the numbers and arrays of its arguments.
        steps: in the order in which they are computed.
        result: the name of the step, or input, that is f.
        value: f.
        gradient: ∂f/∂x, as `jax.grad` returns it; a tuple, where there are several arguments.
        remarks: why the derivative is zero, or not to be trusted.

    >>> trace = mv.trace_rules(lambda x, y: x * jnp.tanh(y))(3.0, 0.0)
    >>> trace.rules, trace.gradient  # tanh y, and x (1 − tanh² y)
    (('chain: tanh', 'product'), (0.0, 3.0))
    >>> [step.name for step in trace.steps]
    ['v1', 'v2']
    """

    name: str
    mode: str
    inputs: tuple[Input, ...]
    steps: tuple[Step, ...]
    result: str
    value: Any
    gradient: Any
    remarks: tuple[str, ...]

    @property
    def rules(self) -> tuple[str, ...]:
        """The rule of each step, in order."""
        return tuple(step.rule for step in self.steps)

    def table(self, rows: int | None = None) -> str:
        """The steps as a table, from the result back in reverse mode, in the order of computing in forward mode.

        At most so many rows, without those in the middle.
        """
        return text.columns(self._fitting(rows))

    def _fitting(self, rows: int | None) -> list[tuple[str, ...]]:
        """The table with as many digits as a line has room for."""
        for digits, few in _TIGHTER:
            table = self._rows(rows, digits, few)
            if max(map(len, text.columns(table).splitlines())) <= WIDE:
                return table
        return _clipped(self._rows(rows, *_TIGHTER[-1]))

    def _rows(self, most: int | None, digits: int, few: int) -> list[tuple[str, ...]]:
        moving = [i.name for i in self.inputs if i.accumulated is not None]
        title = {"reverse": f"∂{self.name}/∂·", "forward": "∂·/∂" + ("(…)" if len(moving) > 1 else moving[0])}
        header = ("", "step", "value", "local derivative", title[self.mode], "rule")
        say = lambda value: "" if value is None else shown(value, digits, few)
        ends = [
            (i.name, "", say(i.value), "", say(i.accumulated if self.mode == "reverse" else None), "argument")
            for i in self.inputs
        ]
        steps = self.steps if self.mode == "forward" else reversed(self.steps)
        body = [row for step in steps for row in _rows(step, digits, few)]
        body = ends + body if self.mode == "forward" else body + ends
        if most is not None and len(body) > most:
            gone = len(body) - most + 1
            body = [*body[: most // 2], ("…", f"{gone} rows more", "", "", "", ""), *body[gone + most // 2 :]]
        return [header, *body]

    def _parts(self) -> text.Parts:
        at = ", ".join(f"{i.name} = {shown(i.value)}" for i in self.inputs)
        args = ", ".join(i.name for i in self.inputs)
        way = {"reverse": "from the result back", "forward": "from the arguments on"}[self.mode]
        head = f"{self.name}({args}) = {exactly(self.value)} at {at}; {self.mode} mode, {way}"
        moving = [i for i in self.inputs if i.accumulated is not None]
        slopes = [f"∂{self.name}/∂{i.name} = {exactly(i.accumulated)}" for i in moving]
        notes = [f"{step.name}: {step.note}" for step in self.steps if step.note]
        return [head, self._fitting(ROWS), *slopes, *notes, *self.remarks]

    def __str__(self) -> str:
        apart = (_wrapped(part) if isinstance(part, str) else ["", part, ""] for part in self._parts())
        return text.plain([line for part in apart for line in part])


def _rows(step: Step, digits: int, few: int) -> list[tuple[str, ...]]:
    """A line for each local derivative of a step."""
    said = [f"∂/∂{edge.source} = {local(edge, digits, few=few)}" for edge in step.edges]
    first, *more = said or [""]
    accumulated = "" if step.accumulated is None else shown(step.accumulated, digits, few)
    rule = step.rule + (" (!)" if step.note else "")
    rows = [(step.name, step.formula, shown(step.value, digits, few), first, accumulated, rule)]
    return rows + [("", "", "", line, "", "") for line in more]


def _clipped(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The rows with the longest cells cut, column by column, until they fit in a line."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    while sum(widths) + 2 * len(widths) > WIDE and max(widths) > _SHORTEST:
        widths[int(np.argmax(widths))] -= 1
    cut = lambda cell, width: cell if len(cell) <= width else cell[: width - 1] + "…"
    return [tuple(map(cut, row, widths)) for row in rows]


def _wrapped(said: str) -> list[str]:
    """A sentence in lines, those after the first indented; what has lines stays as it is."""
    if "\n" in said:
        return [said]
    return textwrap.wrap(said, WIDE, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def _plain(edge: Edge) -> bool:
    """Whether the formula is the number."""
    same = np.unique(edge.value)
    return len(same) == 1 and edge.formula.replace("−", "-") == shown(same[0])


def local(edge: Edge, digits: int = 6, between: str = " = ", few: int = _FEW) -> str:
    """A local derivative: its formula, and its number unless that is the same."""
    bare = edge.value is None or _plain(edge) or (few == 0 and np.size(edge.value) > 1)
    return edge.formula if bare else edge.formula + between + shown(edge.value, digits, few)


def shown(value: Any, digits: int = 6, few: int = _FEW) -> str:
    """A number with so many digits; of an array, its entries if they are few, else its shape and the largest."""
    array = np.asarray(value)
    if array.size == 1:
        array = array.reshape(())
    if array.ndim == 0:
        return f"{array[()]}" if array.dtype.kind in "bi" else f"{float(array):.{digits}g}"
    if array.size <= few:
        return "[" + ", ".join(shown(v, digits) for v in array.reshape(-1)) + "]"
    largest = "" if array.dtype.kind == "b" or few == 0 else f", up to {float(np.max(np.abs(array))):.3g}"
    return "×".join(map(str, array.shape)) + largest


def exactly(value: Any) -> str:
    """A number with all its digits."""
    array = np.asarray(value)
    return str(array[()]) if array.ndim == 0 else np.array2string(array, threshold=12, separator=", ")


def constant(value: Any, first: bool) -> str:
    """A number in a formula: negative ones in brackets but in the first place."""
    for name, known in (("π", np.pi), ("e", np.e)):
        if np.asarray(value).dtype.kind == "f" and float(value) == np.asarray(known, value.dtype):
            return name
    said = shown(value).replace("-", "−")
    return said if first or not said.startswith("−") else f"({said})"
