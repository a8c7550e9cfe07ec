"""What is looked at: the blocks of a derivative, by hand and by autodiff, at a point.

A block is a pair of an output and an input leaf; or, of a backward pass, an input leaf with all outputs.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mvcalc_jax.text import first_line
from mvcalc_jax.verify.points import Leaves
from mvcalc_jax.verify.references import rounding
from mvcalc_jax.verify.subject import Undecided


class Refuted(Exception):
    """The derivative is wrong before any number is compared.

    Attributes:
        kind: of the mistake, as in a diagnosis.
        where: which leaf, or which function.
        leaves: the paths of the leaves that are wrong, if they are known.
    """

    def __init__(self, reason: str, kind: str, where: str, leaves: Sequence[str] = ()):
        super().__init__(reason)
        self.kind, self.where, self.leaves = kind, where, leaves


class Raises(Refuted):
    """The derivative raises an error."""

    def __init__(self, name: str, error: Exception):
        super().__init__(f"{name} raises {type(error).__name__}: {first_line(error)}", "shape", name)


class Block(NamedTuple):
    """A part of the Jacobian: its path, and the shapes of its output and of its input.

    `parts` are the rows of each output where there are several. `out` is None where rows belong to random cotangents.
    """

    path: str
    out: tuple[int, ...] | None
    into: tuple[int, ...]
    parts: tuple[tuple[int, int], ...] = ()


class Evidence(NamedTuple):
    """What was written by hand and what autodiff says at a point, block by block.

    `cotangents` are those that the rows belong to, a list over outputs; None if the Jacobian was formed in full.
    `disagreement` of forward and reverse mode is one number for all blocks where rows belong to cotangents.
    """

    leaves: Leaves
    hand: list[np.ndarray]
    forward: list[np.ndarray]
    reverse: list[np.ndarray]
    cotangents: Leaves | None = None
    disagreement: float = 0.0


class Misshapen(NamedTuple):
    """A leaf of the wrong shape, with what is wrong in words; what it holds may still say why.

    The first axis belongs to so many `rows`, that is cotangents; 0 if it is the leaf's own.
    """

    reason: str
    leaf: np.ndarray
    rows: int


def conforming(
    misshapen: dict[int, Misshapen],
    k: int,
    where: str,
    leaf: Any,
    shape: tuple[int, ...],
    *,
    real: bool,
    rows: int = 0,
) -> np.ndarray:
    """Block k of the user's derivative as an array of numbers; NaN if its shape is wrong, which is put on record."""
    array = np.asarray(leaf)
    if array.dtype.kind == "b":
        array = array.astype(float)
    if array.dtype.kind not in ("biuf" if real else "biufc") and not rounding(array.dtype):
        raise Refuted(f"{where} must be of {'real ' * real}numbers; got {array.dtype}", "shape", where)
    if array.shape != shape:
        one = 1 if rows else 0
        reason = f"{where} must have shape {shape[one:]}; got {array.shape[one:]}"
        misshapen[k] = Misshapen(reason, array, rows)
        return np.full(shape, np.nan)
    return array


def left_behind(jac: str, f: str) -> Undecided:
    """The derivative takes something from f by a side door."""
    return Undecided(f"{jac} uses something that {f} left behind; make it a function of its arguments alone")


def is_block(value: Any) -> bool:
    """Whether a leaf of a tree is a block, which is a tuple itself."""
    return isinstance(value, Block)


def in_words(structure: Any) -> str:
    """The structure of a tree, as its user would write it."""
    return str(structure).removeprefix("PyTreeDef(")[:-1]


def not_checked(arguments: Sequence[int], why: str) -> str:
    """The arguments that a verdict says nothing of, as the end of a sentence; empty if there are none."""
    if not arguments:
        return ""
    named = " and ".join(f"args[{k}]" for k in arguments)
    return f"; {named}, {why}, {'is' if len(arguments) == 1 else 'are'} not checked"
