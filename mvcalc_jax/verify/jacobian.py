"""Is a hand-written Jacobian the derivative of the function that it claims to belong to?

Both are evaluated in float64, whatever the precision of the arguments: there a correct formula agrees with
autodiff to about 1e-15 of the block's largest entry and a wrong one does not, so a threshold of 1e-10 tells
them apart. Autodiff is asked twice, in forward and in reverse mode, at the arguments and at random points near
them. Where the two modes disagree, or something rounds to fewer digits on the way, an error as small as that
is held against nobody: the verdict is "inconclusive".
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax.autodiff import Argnums
from mvcalc_jax.verify.errors import errors, unit
from mvcalc_jax.verify.points import Question, near, question
from mvcalc_jax.verify.references import Reference, coarsest, references, rounding
from mvcalc_jax.verify.report import Leaf, Report, Verdict

TOLERANCE = 1e-10
"""The largest error of a correct Jacobian in float64, in units of the block's largest entry."""

_DOUBT = 10
"""Modes that disagree by d excuse errors up to this many d."""
_ROUNDINGS = 1e3
"""So many roundings to fewer digits than float64 has may add up in a correct derivative."""
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
    again = f"check_jacobian({_written(f)}, {_written(jac)}, *args, argnums={argnums}, seed={seed})"
    with jax.enable_x64(True):
        asked = question(f, jac, args, argnums)
        try:
            leaves, points, doubts, modes = _examined(asked, _name(f), _name(jac), seed)
        except _Undecided as reason:
            return Report("inconclusive", str(reason), (), again)
        except _Refuted as reason:
            return Report("wrong", str(reason), (), again)
    wrong = sum(leaf.verdict == "wrong" for leaf in leaves)
    if wrong:
        reason = f"{wrong} of {len(leaves)} leaves of {_name(jac)} are not the derivative of {_name(f)}"
        return Report("wrong", reason, leaves, again)
    if any(leaf.verdict == "inconclusive" for leaf in leaves):
        return Report("inconclusive", "; ".join(doubts), leaves, again)
    reason = (
        f"{_name(jac)} agrees with {'- and '.join(modes)}-mode autodiff of {_name(f)} at {points} "
        f"point{'s' if points > 1 else ''}, in float64, to {TOLERANCE:g} of each leaf's largest entry"
    )
    if len(modes) == 1:
        reason += "; the other mode cannot differentiate it"
    return Report("correct", reason, leaves, again)


def assert_jacobian(
    f: Callable[..., Any], jac: Callable[..., Any], *args: Any, argnums: Argnums = 0, seed: int = 0
) -> None:
    """Raise `AssertionError`, with the report as its message, unless `check_jacobian` says "correct"."""
    report = check_jacobian(f, jac, *args, argnums=argnums, seed=seed)
    if report.verdict != "correct":
        raise AssertionError(str(report))


class _Examined(NamedTuple):
    """The worst of every leaf over all points in f's domain, how many these were, and what may excuse an error."""

    leaves: tuple[Leaf, ...]
    points: int
    doubts: list[str]
    modes: tuple[str, ...]


def _examined(asked: Question, f: str, jac: str, seed: int) -> _Examined:
    paths, f_rounds = _paths(asked, f)
    try:
        autodiff = references(asked.f, asked.argnums, asked.args)
    except Exception as error:
        raise _Undecided(f"autodiff cannot differentiate {f}: {_first_line(error)}") from error
    by_hand, jac_rounds = _by_hand(asked, jac)
    rng = np.random.default_rng(seed)
    evidence = []
    for point in range(_POINTS):
        args = asked.args if point == 0 else near(asked, rng)
        reference = autodiff.at(*args)
        if all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(reference)):
            hand = by_hand(args, reference.reverse)
            jac_rounds = max(jac_rounds, *(rounding(leaf.dtype) for leaf in hand))
            evidence.append(_compared(hand, reference, paths, _ROUNDINGS * max(f_rounds, jac_rounds)))
        elif point == 0:
            raise _Undecided(f"{f}, or its derivative by autodiff, is infinite or NaN at these arguments")
    rank: tuple[Verdict, ...] = ("correct", "inconclusive", "wrong")
    worst = tuple(
        max(found, key=lambda leaf: (rank.index(leaf.verdict), leaf.error))
        for found in zip(*evidence, strict=True)
    )
    doubts = [
        f"{who} computes with fewer digits than float64 has: an error below {_ROUNDINGS * ε:.0e} may be its rounding"
        for who, ε in ((f, f_rounds), (jac, jac_rounds))
        if ε
    ]
    if any(leaf.disagreement > TOLERANCE for leaf in worst):
        doubts.append(f"forward- and reverse-mode autodiff of {f} disagree, so neither can be the judge")
    return _Examined(worst, len(evidence), doubts, autodiff.modes)


def _paths(asked: Question, f: str) -> tuple[list[str], float]:
    """A name for every leaf of the Jacobian, in their order, and ε of the narrowest floats inside f."""
    try:
        traced = jax.jit(asked.f).trace(*asked.args)
    except Exception as error:
        raise _Undecided(f"{f} raises {type(error).__name__}: {_first_line(error)}") from error
    outputs = jax.tree_util.tree_leaves_with_path(traced.out_info)
    for path, leaf in outputs:
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            where = jax.tree_util.keystr(path)
            raise _Undecided(f"{f}(…){where} must be floating-point to have a derivative; it is {leaf.dtype}")
    inputs = [
        (f"args[{asked.labels[n]}]{jax.tree_util.keystr(path)}", leaf)
        for n in asked.chosen
        for path, leaf in jax.tree_util.tree_leaves_with_path(asked.args[n])
    ]
    entries = sum(leaf.size for _, leaf in outputs) * sum(leaf.size for _, leaf in inputs)
    if entries > _ENTRIES:
        raise _Undecided(
            f"the full Jacobian has {entries:.1e} entries, too many to form; check a smaller case"
        )
    lead = [f"out{jax.tree_util.keystr(path)} by " if path else "" for path, _ in outputs]
    return [before + name for before in lead for name, _ in inputs], coarsest(traced.jaxpr.jaxpr)


def _by_hand(asked: Question, jac: str) -> tuple[Callable[[tuple, Any], list[np.ndarray]], float]:
    """`jac` at a point, as a list of leaves like those of the reference, and ε of the narrowest floats inside it."""
    try:
        traced = jax.jit(asked.jac).trace(*asked.args)
        compute, ε = traced.lower().compile(), coarsest(traced.jaxpr.jaxpr)
    except (
        Exception
    ):  # written with NumPy, or with branches on values: not traceable, perhaps still checkable
        compute, ε = asked.jac, 0.0

    def leaves(args: tuple, reference: Any) -> list[np.ndarray]:
        try:
            found = compute(*args)
        except Exception as error:
            raise _Refuted(f"{jac} raises {type(error).__name__}: {_first_line(error)}") from error
        got, want = jax.tree.structure(found), jax.tree.structure(reference)
        if got != want:
            raise _Refuted(f"{jac} must return the structure {want}; got {got}")
        for (path, ours), theirs in zip(
            jax.tree_util.tree_leaves_with_path(found), jax.tree.leaves(reference), strict=True
        ):
            where = f"{jac}(…){jax.tree_util.keystr(path)}"
            if np.shape(ours) != theirs.shape:
                raise _Refuted(f"{where} must have shape {theirs.shape}; got {np.shape(ours)}")
            if np.asarray(ours).dtype.kind not in "biuf" and not rounding(ours.dtype):
                raise _Refuted(f"{where} must be of real numbers; got {np.asarray(ours).dtype}")
        return [np.asarray(leaf) for leaf in jax.tree.leaves(found)]

    return leaves, ε


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
        if worst > max(TOLERANCE, _DOUBT * disagreement, excused):
            verdict: Verdict = "wrong"
        else:
            verdict = "correct" if max(worst, disagreement) <= TOLERANCE else "inconclusive"
        found.append(Leaf(path, verdict, hand.shape, worst, disagreement, tuple(map(int, index)), *values))
    return found


def _name(f: Callable[..., Any]) -> str:
    """The name of a function as its user would write it: with its module's, and through a `partial`."""
    while isinstance(f, partial):
        f = f.func
    name = getattr(f, "__qualname__", type(f).__name__)
    module = getattr(f, "__module__", None)
    return name if module in (None, "__main__") else f"{module.rpartition('.')[2]}.{name}"


def _written(f: Callable[..., Any]) -> str:
    """The function as its user would write it again, with the arguments that a `partial` holds."""
    if not isinstance(f, partial):
        return _name(f)
    held = [*map(repr, f.args), *(f"{name}={value!r}" for name, value in f.keywords.items())]
    return f"partial({', '.join([_written(f.func), *held])})"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]
