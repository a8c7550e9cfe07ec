"""A function, and a derivative that claims to be its own: a Jacobian in full, or the backward pass of a VJP.

At any point a claim gives its evidence: what was written by hand, and what autodiff says, block by block. A
block is a pair of an output and an input leaf; or, of a backward pass, an input leaf with all outputs.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax.text import first_line
from mvcalc_jax.verify.differences import Difference, difference
from mvcalc_jax.verify.evidence import (
    Block,
    Evidence,
    Misshapen,
    Raises,
    Refuted,
    in_words,
    is_block,
    left_behind,
    not_checked,
)
from mvcalc_jax.verify.points import Leaves, sizes
from mvcalc_jax.verify.references import Reference, References, rounding, traced
from mvcalc_jax.verify.subject import Subject, Undecided, arrays, finite

ENTRIES = 10**8
"""More entries than this are no Jacobian that one forms."""
_FORMED, _ROWS, _PROBES = 3 * 10**6, 1500, 4
"""A backward pass is pulled back row by row up to this size; a larger one with so many random cotangents, or with
one if even that is as large."""


class JacobianClaim:
    """`jac` claims to return what `jax.jacobian(f, argnums)` does."""

    def __init__(
        self,
        subject: Subject,
        jac: Callable[..., Any],
        name: str,
        chosen: tuple[int, ...],
        *,
        single: bool,
        hessian: bool = False,
    ):
        self.subject, self.name = subject, name
        self.misshapen: dict[int, Misshapen] = {}
        point = subject.point
        self.formula = lambda leaves, others: jac(*point.arguments(leaves, others))
        self.compute = traced(self.formula, (point.leaves, point.others))
        by, out = (sum(leaf.size for leaf in tree) for tree in (point.leaves, subject.outputs))
        if by * out > ENTRIES:
            raise Undecided(
                f"the full Jacobian has {by * out:.1e} entries, too many to form; check a smaller case, or the "
                "backward pass with check_vjp"
            )
        args = point.arguments(point.leaves, point.others)
        into = args[chosen[0]] if single else tuple(args[k] for k in chosen)
        self.structure = jax.tree.structure(
            jax.tree.unflatten(subject.structure, [into] * len(subject.outputs))
        )
        rows = [f"out{path}" if path else "" for path in subject.out_paths]
        if hessian:  # the outputs of a gradient are derivatives by the arguments themselves
            rows = point.paths if len(point.paths) > 1 else [""]
        self.blocks = [
            Block(f"{row} by {leaf}" if row else leaf, out.shape, value.shape)
            for row, out in zip(rows, subject.outputs, strict=True)
            for leaf, value in zip(point.paths, point.leaves, strict=True)
        ]

    @property
    def probes(self) -> int:
        """How many random cotangents are pulled back: none, for every entry is compared."""
        return 0

    @property
    def unchecked(self) -> str:
        """What is not compared at all: nothing, of what was asked for."""
        return ""

    @property
    def rounds(self) -> float:
        """ε of the narrowest floats that the formula passes through."""
        return self.compute.rounds

    @property
    def modes(self) -> References:
        return self.subject.autodiff

    def at(self, leaves: Leaves, rng: np.random.Generator) -> Evidence | None:
        """The evidence at a point; None if f, or its derivative, is not finite there."""
        reference = self.subject.autodiff.at(leaves, self.subject.point.others)
        if not finite(reference):
            return None
        return Evidence(leaves, self.by_hand(leaves), arrays(reference.forward), arrays(reference.reverse))

    def by_leaves(self, leaves: Leaves, others: Leaves) -> Leaves:
        """`jac`, from leaves to leaves."""
        return [jnp.asarray(leaf) for leaf in jax.tree.leaves(self.formula(leaves, others))]

    def by_hand(self, leaves: Leaves) -> list[np.ndarray]:
        """`jac` at a point, block by block."""
        try:
            found = self.compute.call(leaves, self.subject.point.others)
        except jax.errors.UnexpectedTracerError as error:
            raise left_behind(self.name, self.subject.name) from error
        except Exception as error:
            raise Raises(self.name, error) from error
        if (got := jax.tree.structure(found)) != self.structure:
            there = {path for path, _ in jax.tree_util.tree_leaves_with_path(found)}
            wanted = jax.tree_util.tree_leaves_with_path(
                jax.tree.unflatten(self.structure, self.blocks), is_leaf=is_block
            )
            raise Refuted(
                f"{self.name} must return {in_words(self.structure)}, where * stands for an array; got {in_words(got)}",
                "shape",
                self.name,
                [block.path for path, block in wanted if path not in there],
            )
        paths, ours = zip(*jax.tree_util.tree_leaves_with_path(found), strict=True)
        return [
            _conforming(
                self,
                k,
                f"{self.name}(…){jax.tree_util.keystr(path)}",
                leaf,
                (*(block.out or ()), *block.into),
                real=real,
            )
            for k, (path, leaf, block, real) in enumerate(
                zip(paths, ours, self.blocks, self._real(), strict=True)
            )
        ]

    def _real(self) -> list[bool]:
        return [
            not jnp.issubdtype(jnp.result_type(out, leaf), jnp.complexfloating)
            for out in self.subject.outputs
            for leaf in self.subject.point.leaves
        ]

    def witness(self, evidence: Evidence, block: int, index: tuple[int, ...]) -> Difference:
        """The same entry by differences."""
        out, k = divmod(block, len(self.subject.point.leaves))
        return self.subject.difference(evidence.leaves, out, k, index)

    def rows(self, evidence: Evidence, which: list[np.ndarray], cotangents: Leaves) -> list[np.ndarray]:
        """vᵀJ for each leaf, where `which` are all blocks of J."""
        count = len(self.subject.point.leaves)
        return [
            np.asarray(
                sum(
                    np.tensordot(np.asarray(v), which[o * count + k], axes=np.ndim(v))
                    for o, v in enumerate(cotangents)
                )
            )
            for k in range(count)
        ]


class VjpClaim:
    """`fwd` and `bwd` claim to be the pair that `jax.custom_vjp.defvjp` takes for f."""

    def __init__(
        self,
        subject: Subject,
        fwd: Callable[..., Any],
        bwd: Callable[..., Any],
        names: tuple[str, str],
        left_out: tuple[int, ...] = (),
    ):
        self.subject, self.fwd, self.bwd, self.left_out = subject, fwd, bwd, left_out
        self.forward_name, self.name = names
        self.inputs = sum(leaf.size for leaf in subject.point.leaves)
        self.outputs = sum(out.size for out in subject.outputs)
        wide = any(
            jnp.issubdtype(leaf.dtype, jnp.complexfloating)
            for leaf in [*subject.point.leaves, *subject.outputs]
        )
        small = self.outputs <= _ROWS and self.inputs * self.outputs <= _FORMED
        self.formed = not wide and (small or self.outputs == 1)
        out = None
        if self.formed:
            out = subject.outputs[0].shape if len(subject.outputs) == 1 else (self.outputs,)
        ends = np.cumsum([0, *(each.size for each in subject.outputs)]).tolist()
        parts = tuple(pairwise(ends)) if self.formed and len(subject.outputs) > 1 else ()
        self.blocks = [
            Block(path, out, leaf.shape, parts)
            for path, leaf in zip(subject.point.paths, subject.point.leaves, strict=True)
        ]
        self.compute = traced(self.pulled, (subject.point.leaves, subject.point.others, self._basis(1)))
        self.misshapen: dict[int, Misshapen] = {}

    @property
    def probes(self) -> int:
        """How many random cotangents are pulled back at a point; 0 if all rows are."""
        if self.formed:
            return 0
        return _PROBES if self.inputs * _PROBES <= _FORMED else 1

    @property
    def unchecked(self) -> str:
        """What is not compared at all, for a verdict of "correct"."""
        return not_checked(self.left_out, f"for which {self.name} returns None")

    def _basis(self, rows: int) -> Leaves:
        eye, at, basis = np.eye(rows, self.outputs), 0, []
        for out in self.subject.outputs:
            basis.append(jnp.asarray(eye[:, at : at + out.size].reshape(rows, *out.shape), out.dtype))
            at += out.size
        return basis

    def _once(self, leaves: Leaves, others: Leaves, cotangent: Leaves) -> Leaves:
        """bwd, for one cotangent: a leaf for each to differentiate by; None is zero."""
        point = self.subject.point
        _, residuals = self.fwd(*point.arguments(leaves, others))
        return self._chosen(
            self.bwd(residuals, jax.tree.unflatten(self.subject.structure, cotangent)), leaves
        )

    def _chosen(self, found: Sequence[Any], leaves: Leaves) -> Leaves:
        every = dict(_with_paths(found))
        picked = []
        for path, leaf in zip(self.subject.point.paths, leaves, strict=True):
            value = every[path]
            picked.append(jnp.zeros_like(leaf) if value is None else jnp.asarray(value))
        return picked

    def pulled(self, leaves: Leaves, others: Leaves, cotangents: Leaves) -> Leaves:
        point = self.subject.point
        _, residuals = self.fwd(*point.arguments(leaves, others))

        def back(cotangent: Leaves) -> Leaves:
            found = self.bwd(residuals, jax.tree.unflatten(self.subject.structure, cotangent))
            return self._chosen(found, leaves)

        return jax.vmap(back)(cotangents)

    def by_leaves(self, leaves: Leaves, others: Leaves) -> Leaves:
        """bwd for one cotangent."""
        v = np.random.default_rng(0)
        return self._once(leaves, others, [c[0] for c in self.subject.cotangents(1, v)])

    def cotangents(self, evidence: Evidence) -> Leaves:
        """Those that the rows of the evidence belong to."""
        return self._basis(self.outputs) if evidence.cotangents is None else evidence.cotangents

    def by_hand(self, leaves: Leaves, cotangents: Leaves) -> list[np.ndarray]:
        """vᵀJ by bwd, for a batch of cotangents v."""
        others = self.subject.point.others
        try:
            if self.compute.shapes is not None:
                found = self.compute.call(leaves, others, cotangents)
            else:  # it looks at values
                rows = [
                    self._once(leaves, others, [v[k] for v in cotangents]) for k in range(len(cotangents[0]))
                ]
                found = [jnp.stack(leaf) for leaf in zip(*rows, strict=True)]
        except jax.errors.UnexpectedTracerError as error:
            raise left_behind(self.name, self.subject.name) from error
        except Exception as error:
            raise Raises(self.name, error) from error
        return [
            _conforming(
                self,
                k,
                f"{self.name}(…) for {block.path}",
                leaf,
                (len(cotangents[0]), *block.into),
                real=False,
                rows=len(cotangents[0]),
            )
            for k, (leaf, block) in enumerate(zip(found, self.blocks, strict=True))
        ]

    @property
    def rounds(self) -> float:
        """ε of the narrowest floats that the formula passes through."""
        return self.compute.rounds

    @property
    def modes(self) -> References:
        if self.formed:
            return self.subject.autodiff
        return References(lambda *_: Reference([], [], []), ("reverse",))

    def at(self, leaves: Leaves, rng: np.random.Generator) -> Evidence | None:
        if self.formed:
            reference = self.subject.autodiff.at(leaves, self.subject.point.others)
            if not finite(reference):
                return None
            hand = self.by_hand(leaves, self._basis(self.outputs))
            shapes = [(*(block.out or ()), *block.into) for block in self.blocks]
            return Evidence(
                leaves,
                [rows.reshape(shape) for rows, shape in zip(hand, shapes, strict=True)],
                self._stacked(reference.forward),
                self._stacked(reference.reverse),
            )
        cotangents = self.subject.cotangents(self.probes, rng)
        try:
            exact = arrays(self.subject.compiled_pull(leaves, self.subject.point.others, cotangents))
        except Exception as error:
            raise Undecided(
                f"autodiff cannot differentiate {self.subject.name}: {first_line(error)}"
            ) from error
        if not finite(exact):
            return None
        hand = self.by_hand(leaves, cotangents)
        apart = self.subject.modes_apart(leaves, cotangents, exact)
        return Evidence(leaves, hand, exact, exact, cotangents, apart)

    def _stacked(self, blocks: Leaves) -> list[np.ndarray]:
        """Blocks of several outputs, one under the other."""
        count, found = len(self.blocks), arrays(blocks)
        if len(self.subject.outputs) == 1:
            return found
        return [
            np.concatenate(
                [
                    block.reshape(out.size, *self.blocks[k].into)
                    for block, out in zip(found[k::count], self.subject.outputs, strict=True)
                ]
            )
            for k in range(count)
        ]

    def witness(self, evidence: Evidence, block: int, index: tuple[int, ...]) -> Difference:
        if evidence.cotangents is not None:
            row, at = index[0], index[1:]
            size = float(sizes(evidence.leaves[block])[at])
            weights = [np.asarray(v[row]) for v in evidence.cotangents]

            def along(t: float) -> float:
                leaves = list(evidence.leaves)
                leaves[block] = jnp.asarray(leaves[block]).at[at].add(t)
                values = self.subject.value(leaves)
                return float(sum(np.real(np.sum(v * y)) for v, y in zip(weights, values, strict=True)))

            return difference(along, size)
        if len(self.subject.outputs) == 1:
            return self.subject.difference(evidence.leaves, 0, block, index)
        row, out = index[0], 0
        while row >= self.subject.outputs[out].size:
            row, out = row - self.subject.outputs[out].size, out + 1
        within = np.unravel_index(row, self.subject.outputs[out].shape)
        return self.subject.difference(evidence.leaves, out, block, (*map(int, within), *index[1:]))

    def rows(self, evidence: Evidence, which: list[np.ndarray], cotangents: Leaves) -> list[np.ndarray]:
        flat = np.concatenate([np.asarray(v).ravel() for v in cotangents])
        return [
            np.asarray(np.tensordot(flat, block.reshape(self.outputs, *at.into), axes=1))
            for block, at in zip(which, self.blocks, strict=True)
        ]


Claim = JacobianClaim | VjpClaim


def _conforming(
    claim: "Claim", k: int, where: str, leaf: Any, shape: tuple[int, ...], *, real: bool, rows: int = 0
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
        claim.misshapen[k] = Misshapen(reason, array, rows)
        return np.full(shape, np.nan)
    return array


def _with_paths(found: Sequence[Any]) -> list[tuple[str, Any]]:
    """Every cotangent with the path of the argument's leaf that it belongs to."""
    return [
        (f"args[{k}]{jax.tree_util.keystr(path)}", leaf)
        for k, tree in enumerate(found)
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree, is_leaf=lambda leaf: leaf is None)
    ]
