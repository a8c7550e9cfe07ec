"""Is a hand-written Jacobian the derivative of the function that it claims to belong to?

Both are evaluated in float64, whatever the precision of the arguments: there a correct formula agrees with
autodiff to about 1e-15 of the block's largest entry and a wrong one does not, so a threshold of 1e-10 tells
them apart. Autodiff is asked twice, in forward and in reverse mode, at the arguments and at random points near
them. Where the two modes disagree, or something rounds to fewer digits on the way, an error as small as that
is held against nobody; nor is one that differences, which know nothing of autodiff, do not see. If there is no
point without such doubts, the verdict is "inconclusive".
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import require
from mvcalc_jax.autodiff import Argnums
from mvcalc_jax.verify.differences import Difference, difference
from mvcalc_jax.verify.errors import errors, unit
from mvcalc_jax.verify.points import Question, near, question, sizes
from mvcalc_jax.verify.references import Reference, references, rounding, traced
from mvcalc_jax.verify.report import Leaf, Report, Verdict

TOLERANCE = 1e-10
"""The largest error of a correct Jacobian in float64, in units of the block's largest entry."""

_DOUBT = 10
"""Modes that disagree by d excuse errors up to this many d."""
_ROUNDINGS, _EXCUSED = 1e3, 0.1
"""So many roundings to fewer digits than float64 has may add up in a correct derivative, but never to so much."""
_POINTS = 3
_ENTRIES = 10**8


class _Undecided(Exception):
    """Nothing can be said of the Jacobian; the message says why."""


class _Refuted(Exception):
    """The Jacobian is wrong before any number is compared; the message says why."""


def check_jacobian(
    f: Callable[..., Any], jac: Callable[..., Any], *args: Any, argnums: Argnums = 0, seed: int = 0
) -> Report:
    """Compare a hand-written Jacobian with autodiff, leaf by leaf.

    Args:
        f: the function, in JAX.
        jac: `jac(*args)` returns what `jax.jacobian(f, argnums)(*args)` does: output axes first, in the
            structure of the argument; for a scalar f, a gradient.
        *args: where to look. Floating-point numbers are taken to float64.
        argnums: the argument, or arguments, to differentiate by.
        seed: of the random points near `args` at which the check is repeated.

    Returns:
        A `Report`: `.verdict` is "correct", "wrong" or "inconclusive", `.leaves` holds the evidence, and
        `print` shows both. A wrong derivative raises nothing; `assert_jacobian` does.

    Raises:
        ValueError, TypeError: for `argnums` out of range, or an argument to differentiate by that is not of
            floating-point numbers.
    """
    again = (
        f"check_jacobian({_written(f, 'f')}, {_written(jac, 'jac')}, *args, argnums={argnums}, seed={seed})"
    )
    require.whole("seed", seed, least=0)
    names = _name(f, "f"), _name(jac, "jac")
    with jax.enable_x64(True):
        asked = question(f, jac, args, argnums)
        try:
            return _judged(_Check(asked, *names), seed, again)
        except _Undecided as reason:
            return Report("inconclusive", str(reason), (), again)
        except _Refuted as reason:
            return Report("wrong", str(reason), (), again)


def assert_jacobian(
    f: Callable[..., Any], jac: Callable[..., Any], *args: Any, argnums: Argnums = 0, seed: int = 0
) -> None:
    """Raise `AssertionError`, with the report as its message, unless `check_jacobian` says "correct"."""
    report = check_jacobian(f, jac, *args, argnums=argnums, seed=seed)
    if report.verdict != "correct":
        raise AssertionError(str(report))


class _Check:
    """A question, with f and jac as they can be computed, and what is known of them before any number is."""

    def __init__(self, asked: Question, f: str, jac: str):
        self.asked, self.f, self.jac = asked, f, jac
        self.compute_f, self.compute_jac = traced(asked.f, asked.args), traced(asked.jac, asked.args)
        self.outputs = self._outputs()
        self.inputs = [
            (n, k, f"args[{asked.labels[n]}]{jax.tree_util.keystr(path)}", leaf.size)
            for n in asked.chosen
            for k, (path, leaf) in enumerate(jax.tree_util.tree_leaves_with_path(asked.args[n]))
        ]
        by, out = sum(size for *_, size in self.inputs), sum(leaf.size for _, leaf in self.outputs)
        if by * out > _ENTRIES:
            raise _Undecided(
                f"the full Jacobian has {by * out:.1e} entries, too many to form; check a smaller case"
            )
        try:
            self.autodiff = references(asked, by, out, self.compute_f.widest)
        except Exception as error:
            raise _Undecided(f"autodiff cannot differentiate {f}: {_first_line(error)}") from error

    def _outputs(self) -> list[tuple[Any, Any]]:
        """The leaves that f returns, with their paths."""
        shapes = self.compute_f.shapes
        try:
            found = self.asked.f(*self.asked.args) if shapes is None else shapes
        except Exception as error:
            raise _Undecided(f"{self.f} raises {type(error).__name__}: {_first_line(error)}") from error
        outputs = jax.tree_util.tree_leaves_with_path(found)
        for path, leaf in outputs:
            if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
                where, dtype = jax.tree_util.keystr(path), jnp.result_type(leaf)
                raise _Undecided(
                    f"{self.f}(…){where} must be floating-point to have a derivative; it is {dtype}"
                )
        return [(path, jax.ShapeDtypeStruct(np.shape(leaf), jnp.result_type(leaf))) for path, leaf in outputs]

    @property
    def paths(self) -> list[str]:
        """A name for every leaf of the Jacobian, in their order."""
        lead = [f"out{jax.tree_util.keystr(path)} by " if path else "" for path, _ in self.outputs]
        return [before + name for before in lead for _, _, name, _ in self.inputs]

    def by_hand(self, args: tuple, reference: Any) -> list[np.ndarray]:
        """`jac` at a point, as a list of leaves like those of the reference."""
        try:
            found = self.compute_jac.call(*args)
        except jax.errors.UnexpectedTracerError as error:
            raise _Undecided(
                f"{self.jac} uses something that {self.f} left behind; make it a function of its arguments alone"
            ) from error
        except Exception as error:
            raise _Refuted(f"{self.jac} raises {type(error).__name__}: {_first_line(error)}") from error
        got, want = (
            str(jax.tree.structure(tree)).removeprefix("PyTreeDef(")[:-1] for tree in (found, reference)
        )
        if got != want:
            raise _Refuted(f"{self.jac} must return {want}, where * stands for an array; got {got}")
        for (path, ours), theirs in zip(
            jax.tree_util.tree_leaves_with_path(found), jax.tree.leaves(reference), strict=True
        ):
            where = f"{self.jac}(…){jax.tree_util.keystr(path)}"
            if np.shape(ours) != theirs.shape:
                raise _Refuted(f"{where} must have shape {theirs.shape}; got {np.shape(ours)}")
            if np.asarray(ours).dtype.kind not in "biuf" and not rounding(ours.dtype):
                raise _Refuted(f"{where} must be of real numbers; got {np.asarray(ours).dtype}")
        return [np.asarray(leaf) for leaf in jax.tree.leaves(found)]

    def difference(self, args: tuple, leaf: int, index: tuple[int, ...]) -> Difference:
        """An entry of the Jacobian by differences."""
        out, (n, k, *_) = leaf // len(self.inputs), self.inputs[leaf % len(self.inputs)]
        axes = len(self.outputs[out][1].shape)
        leaves, structure = jax.tree.flatten(args[n])

        def along(t: float) -> float:
            moved = [*leaves[:k], leaves[k].at[index[axes:]].add(t), *leaves[k + 1 :]]
            here = (*args[:n], jax.tree.unflatten(structure, moved), *args[n + 1 :])
            return float(np.asarray(jax.tree.leaves(self.compute_f.call(*here))[out])[index[:axes]])

        return difference(along, float(sizes(leaves[k])[index[axes:]]))


def _judged(check: _Check, seed: int, again: str) -> Report:
    """The verdict on what was found at all points in f's domain."""
    f, jac, asked = check.f, check.jac, check.asked
    rng, rounds = np.random.default_rng(seed), [check.compute_f.rounds, check.compute_jac.rounds]
    evidence: list[list[Leaf]] = []
    for point in range(_POINTS):
        args = asked.args if point == 0 else near(asked, rng)
        reference = check.autodiff.at(*args)
        if all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(reference)):
            hand = check.by_hand(args, reference.reverse)
            rounds[1] = max(rounds[1], *(rounding(leaf.dtype) for leaf in hand))
            found = _compared(hand, reference, check.paths, _ROUNDINGS * max(rounds))
            evidence.append([_witnessed(check, args, k, leaf) for k, leaf in enumerate(found)])
        elif point == 0:
            raise _Undecided(f"{f}, or its derivative by autodiff, is infinite or NaN at these arguments")
    worst = _worst(evidence)
    wrong = sum(leaf.verdict == "wrong" for leaf in worst)
    if wrong:
        reason = f"{wrong} of {len(worst)} leaves of {jac} are not the derivative of {f}"
        return Report("wrong", reason, worst, again)
    # A point where nobody can tell says nothing against those where one can.
    decided = [leaves for leaves in evidence if all(leaf.verdict == "correct" for leaf in leaves)]
    if not decided:
        return Report("inconclusive", "; ".join(_doubts(check, rounds, worst)), worst, again)
    reason = (
        f"{jac} agrees with {'- and '.join(check.autodiff.modes)}-mode autodiff of {f} at {len(decided)} "
        f"point{'s' if len(decided) > 1 else ''}, in float64, to {TOLERANCE:g} of each leaf's largest entry"
    )
    return Report("correct", reason + check.autodiff.why, _worst(decided), again)


def _worst(evidence: list[list[Leaf]]) -> tuple[Leaf, ...]:
    """The worst of every leaf over all points."""
    rank: tuple[Verdict, ...] = ("correct", "inconclusive", "wrong")
    return tuple(
        max(found, key=lambda leaf: (rank.index(leaf.verdict), leaf.error))
        for found in zip(*evidence, strict=True)
    )


def _doubts(check: _Check, rounds: list[float], worst: tuple[Leaf, ...]) -> list[str]:
    """Why nobody can tell."""
    doubts = [
        f"{who} computes with fewer digits than float64 has: an error below {min(_ROUNDINGS * ε, _EXCUSED):.0e} may "
        "be its rounding"
        for who, ε in zip((check.f, check.jac), rounds, strict=True)
        if ε
    ]
    if any(leaf.disagreement > TOLERANCE for leaf in worst):
        doubts.append(
            f"forward- and reverse-mode autodiff of {check.f} disagree, so neither can be the judge"
        )
    return doubts or [
        f"{check.jac} and autodiff differ by no more than differences of {check.f} can tell: by the rounding of "
        "autodiff itself, perhaps, or at a kink"
    ]


def _compared(
    by_hand: list[np.ndarray], reference: Reference, paths: list[str], excused: float
) -> list[Leaf]:
    """A `Leaf` of evidence for every leaf, at one point; errors up to `excused` may be rounding."""
    forward, reverse = ([np.asarray(leaf) for leaf in jax.tree.leaves(J)] for J in reference[1:])
    largest = max(map(unit, reverse), default=1.0)
    found = []
    for path, hand, fwd, rev in zip(paths, by_hand, forward, reverse, strict=True):
        # A leaf that is zero throughout is measured against the others, else its rounding would look huge.
        size = unit(rev, otherwise=largest)
        error = np.minimum(errors(hand.astype(float), fwd, size), errors(hand.astype(float), rev, size))
        disagreement = float(errors(fwd, rev, size).max(initial=0))
        index = np.unravel_index(int(error.argmax()), hand.shape) if hand.size else ()
        worst = float(error[index]) if hand.size else 0.0
        values = (float(hand[index]), float(rev[index])) if hand.size else (0.0, 0.0)
        if worst > max(TOLERANCE, _DOUBT * disagreement, min(excused, _EXCUSED)):
            verdict: Verdict = "wrong"
        else:
            verdict = "correct" if max(worst, disagreement) <= TOLERANCE else "inconclusive"
        found.append(Leaf(path, verdict, hand.shape, worst, disagreement, tuple(map(int, index)), *values))
    return found


def _witnessed(check: _Check, args: tuple, k: int, leaf: Leaf) -> Leaf:
    """A leaf that seems wrong is so only if differences, too, contradict its worst entry.

    Both modes of autodiff may share a rounding error: at a minimum, or where an activation saturates.
    """
    if leaf.verdict != "wrong" or not math.isfinite(leaf.by_hand):
        return leaf
    witness = check.difference(args, k, leaf.index)
    if abs(leaf.by_hand - witness.value) > _DOUBT * witness.margin:
        return leaf
    return replace(leaf, verdict="inconclusive")


def _name(f: Callable[..., Any], otherwise: str) -> str:
    """The name of a function as its user would write it: with its module's, and through a `partial`."""
    while isinstance(f, partial):
        f = f.func
    name = getattr(f, "__qualname__", type(f).__name__)
    if "<" in name:  # a lambda, or defined inside another function
        name = name.rpartition(".")[2]
        return otherwise if name == "<lambda>" else name
    module = getattr(f, "__module__", None)
    return name if module in (None, "__main__") else f"{module.rpartition('.')[2]}.{name}"


def _written(f: Callable[..., Any], otherwise: str) -> str:
    """The function as its user would write it again, with the arguments that a `partial` holds."""
    if not isinstance(f, partial):
        return _name(f, otherwise)
    held = [*map(repr, f.args), *(f"{name}={value!r}" for name, value in f.keywords.items())]
    return f"partial({', '.join([_written(f.func, otherwise), *held])})"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]
