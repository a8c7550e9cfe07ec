"""A function, and a backward pass that claims to be its own: the pair that `jax.custom_vjp.defvjp` takes.

A small one is pulled back row by row, which gives its whole Jacobian; a large one with a few random cotangents.
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
    conforming,
    left_behind,
    not_checked,
)
from mvcalc_jax.verify.points import Leaves, sizes
from mvcalc_jax.verify.references import Reference, References, traced
from mvcalc_jax.verify.subject import Subject, Undecided, arrays, finite

_FORMED, _ROWS, _PROBES = 3 * 10**6, 1500, 4
"""A backward pass is pulled back row by row up to this size; a larger one with so many random cotangents, or with
one if even that is as large."""


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

    def _back(self, leaves: Leaves, others: Leaves) -> Callable[[Leaves], Leaves]:
        """From a cotangent to a leaf for each to differentiate by, by bwd; None is zero."""
        point = self.subject.point
        _, residuals = self.fwd(*point.arguments(leaves, others))

        def back(cotangent: Leaves) -> Leaves:
            found = self.bwd(residuals, jax.tree.unflatten(self.subject.structure, cotangent))
            every = dict(_with_paths(found))
            values = [every[path] for path in point.paths]
            return [
                jnp.zeros_like(leaf) if value is None else jnp.asarray(value)
                for value, leaf in zip(values, leaves, strict=True)
            ]

        return back

    def pulled(self, leaves: Leaves, others: Leaves, cotangents: Leaves) -> Leaves:
        """bwd for a batch of cotangents."""
        return jax.vmap(self._back(leaves, others))(cotangents)

    def by_leaves(self, leaves: Leaves, others: Leaves) -> Leaves:
        """bwd for one cotangent."""
        v = np.random.default_rng(0)
        return self._back(leaves, others)([c[0] for c in self.subject.cotangents(1, v)])

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
                    self._back(leaves, others)([v[k] for v in cotangents]) for k in range(len(cotangents[0]))
                ]
                found = [jnp.stack(leaf) for leaf in zip(*rows, strict=True)]
        except jax.errors.UnexpectedTracerError as error:
            raise left_behind(self.name, self.subject.name) from error
        except Exception as error:
            raise Raises(self.name, error) from error
        return [
            conforming(
                self.misshapen,
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


def _with_paths(found: Sequence[Any]) -> list[tuple[str, Any]]:
    """Every cotangent with the path of the argument's leaf that it belongs to."""
    return [
        (f"args[{k}]{jax.tree_util.keystr(path)}", leaf)
        for k, tree in enumerate(found)
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree, is_leaf=lambda leaf: leaf is None)
    ]
