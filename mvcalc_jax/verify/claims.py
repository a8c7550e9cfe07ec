"""A function, and a derivative that claims to be its own: here a Jacobian in full; in `backward` the pass of a VJP.

At any point a claim gives its evidence: what was written by hand, and what autodiff says, block by block.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax.verify.backward import VjpClaim
from mvcalc_jax.verify.differences import Difference
from mvcalc_jax.verify.evidence import (
    Block,
    Evidence,
    Misshapen,
    Raises,
    Refuted,
    conforming,
    in_words,
    is_block,
    left_behind,
)
from mvcalc_jax.verify.points import Leaves
from mvcalc_jax.verify.references import References, traced
from mvcalc_jax.verify.subject import Subject, Undecided, arrays, finite

ENTRIES = 10**8
"""More entries than this are no Jacobian that one forms."""


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
            conforming(
                self.misshapen,
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


Claim = JacobianClaim | VjpClaim
