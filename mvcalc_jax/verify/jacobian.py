"""Is a hand-written Jacobian the derivative of the function that it claims to belong to?

Both are evaluated in float64, whatever the precision of the arguments: there a correct formula agrees with
autodiff to about 1e-15 of the block's largest entry and a wrong one does not, so a threshold of 1e-10 tells
them apart. Autodiff is asked twice, in forward and in reverse mode; where the two disagree, the reference
is in doubt and the verdict is "inconclusive", not "wrong".

One point can hide an error: zeros hide a missing factor, a symmetric matrix hides a transpose. So the
arguments are also moved at random, by about a tenth, and the check is repeated there.
"""

import contextlib
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import autodiff
from mvcalc_jax.verify.report import Leaf, Report, Verdict

TOLERANCE = 1e-10
"""The largest error of a correct Jacobian in float64, in units of the block's largest entry."""

_POINTS = 3
_ENTRIES = 10**8


class _Undecided(Exception):
    """Nothing can be said of the Jacobian; the message says why."""


class _Refuted(Exception):
    """The Jacobian is wrong before any number is compared; the message says why."""


def check_jacobian(
    f: Callable[..., Any],
    jac: Callable[..., Any],
    *args: Any,
    argnums: int | tuple[int, ...] = 0,
    seed: int = 0,
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
    """
    again = f"check_jacobian({_name(f)}, {_name(jac)}, *args, argnums={argnums}, seed={seed})"
    try:
        with jax.enable_x64(True):
            leaves, points = _examine(f, jac, args, argnums, seed)
    except _Undecided as reason:
        return Report("inconclusive", str(reason), (), again)
    except _Refuted as reason:
        return Report("wrong", str(reason), (), again)
    count = {
        verdict: sum(leaf.verdict == verdict for leaf in leaves) for verdict in ("wrong", "inconclusive")
    }
    if count["wrong"]:
        reason = (
            f"{count['wrong']} of {len(leaves)} leaves of {_name(jac)} are not the derivative of {_name(f)}"
        )
        return Report("wrong", reason, leaves, again)
    if count["inconclusive"]:
        reason = f"forward- and reverse-mode autodiff of {_name(f)} disagree, so neither can be the judge"
        return Report("inconclusive", reason, leaves, again)
    reason = (
        f"{_name(jac)} is the derivative of {_name(f)} at {points} points, to {TOLERANCE:g} of the largest "
        "entry, in float64, by forward- and reverse-mode autodiff"
    )
    return Report("correct", reason, leaves, again)


def assert_jacobian(
    f: Callable[..., Any],
    jac: Callable[..., Any],
    *args: Any,
    argnums: int | tuple[int, ...] = 0,
    seed: int = 0,
) -> None:
    """Raise `AssertionError`, with the report as its message, unless `check_jacobian` says "correct"."""
    report = check_jacobian(f, jac, *args, argnums=argnums, seed=seed)
    if report.verdict != "correct":
        raise AssertionError(str(report))


def _examine(
    f: Callable[..., Any], jac: Callable[..., Any], args: tuple, argnums: int | tuple[int, ...], seed: int
) -> tuple[tuple[Leaf, ...], int]:
    """The worst of every leaf over all points in f's domain, and how many of these there were."""
    args = tuple(jax.tree.map(_as_float64, arg) for arg in args)
    paths = _paths(f, args, argnums)
    references = _references(f, argnums)
    rng = np.random.default_rng(seed)
    evidence = []
    for point in range(_POINTS):
        here = args if point == 0 else _moved(args, argnums, rng)
        value, forward, reverse = references(here)
        if not _finite((value, forward, reverse)):
            if point == 0:
                raise _Undecided(
                    f"{_name(f)}, or its derivative by autodiff, is infinite or NaN at these arguments"
                )
            continue
        evidence.append(_compare(_by_hand(jac, here, reverse), forward, reverse, paths))
    rank: tuple[Verdict, ...] = ("correct", "inconclusive", "wrong")
    worst = (
        max(found, key=lambda leaf: (rank.index(leaf.verdict), leaf.error))
        for found in zip(*evidence, strict=True)
    )
    return tuple(worst), len(evidence)


def _references(
    f: Callable[..., Any], argnums: int | tuple[int, ...]
) -> Callable[[tuple], tuple[Any, Any, Any]]:
    """The value, and the Jacobian in forward and reverse mode; one is both where f allows only one of them."""
    forward = autodiff.jacobian(f, argnums, mode="forward")
    reverse = autodiff.jacobian(f, argnums, mode="reverse")
    value = jax.jit(f)
    together = jax.jit(
        lambda *args: (f(*args), forward(*args), reverse(*args))
    )  # one compilation is quicker than three

    def evaluate(args: tuple) -> tuple[Any, Any, Any]:
        with contextlib.suppress(Exception):
            return together(*args)
        for mode in (forward, reverse):
            try:
                found = jax.jit(mode)(*args)
                return value(*args), found, found
            except Exception as error:  # whatever f does to one mode, the other may still work
                failure = error
        raise _Undecided(f"autodiff cannot differentiate {_name(f)}: {_first_line(failure)}")

    return evaluate


def _by_hand(jac: Callable[..., Any], args: tuple, reference: Any) -> Any:
    """What `jac` returns, if it has the structure and shapes of the reference."""
    try:
        try:
            value = jax.jit(jac)(*args)
        except (jax.errors.JAXTypeError, jax.errors.JAXIndexError):
            value = jac(
                *args
            )  # written with NumPy, or with branches on values: not traceable, still checkable
    except Exception as error:
        raise _Refuted(f"{_name(jac)} raises {type(error).__name__}: {_first_line(error)}") from error
    got, want = jax.tree.structure(value), jax.tree.structure(reference)
    if got != want:
        raise _Refuted(f"{_name(jac)} must return the structure {want}; got {got}")
    for (path, ours), theirs in zip(
        jax.tree_util.tree_leaves_with_path(value), jax.tree.leaves(reference), strict=True
    ):
        if np.shape(ours) != theirs.shape:
            where = jax.tree_util.keystr(path)
            raise _Refuted(f"{_name(jac)}(…){where} must have shape {theirs.shape}; got {np.shape(ours)}")
    return value


def _compare(by_hand: Any, forward: Any, reverse: Any, paths: list[str]) -> list[Leaf]:
    """A `Leaf` of evidence for every leaf, at one point."""
    ours, forward, reverse = (
        [np.asarray(leaf, float) for leaf in jax.tree.leaves(tree)] for tree in (by_hand, forward, reverse)
    )
    largest = max((np.abs(leaf).max(initial=0) for leaf in reverse), default=0)
    found = []
    for path, hand, fwd, rev in zip(paths, ours, forward, reverse, strict=True):
        # A leaf that is zero throughout is measured against the others, else its rounding would look huge.
        scale = np.abs(rev).max(initial=0) or largest or 1.0
        difference = np.minimum(np.abs(hand - fwd), np.abs(hand - rev)) / scale
        difference = np.where(np.isnan(difference), np.inf, difference)
        disagreement = float(np.abs(fwd - rev).max(initial=0) / scale)
        index = np.unravel_index(int(difference.argmax()), hand.shape) if hand.size else ()
        error = float(difference[index]) if hand.size else 0.0
        verdict: Verdict = "wrong" if error > TOLERANCE else "correct"
        if disagreement > TOLERANCE:
            verdict = "inconclusive"
        values = (float(hand[index]), float(rev[index])) if hand.size else (0.0, 0.0)
        found.append(Leaf(path, verdict, hand.shape, error, disagreement, tuple(map(int, index)), *values))
    return found


def _moved(args: tuple, argnums: int | tuple[int, ...], rng: np.random.Generator) -> tuple:
    """The differentiated arguments, each entry moved by about a tenth of its size, or of its leaf's if zero."""

    def moved(leaf: Any) -> Any:
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            return leaf
        value = np.asarray(leaf)
        typical = math.sqrt(float(np.mean(value**2))) if value.size else 0.0
        size = np.where(value == 0, typical or 1.0, np.abs(value))
        return jnp.asarray(value + 0.1 * size * rng.standard_normal(value.shape))

    chosen = (argnums,) if isinstance(argnums, int) else argnums
    chosen = {argnum % len(args) for argnum in chosen}
    return tuple(jax.tree.map(moved, arg) if k in chosen else arg for k, arg in enumerate(args))


def _paths(f: Callable[..., Any], args: tuple, argnums: int | tuple[int, ...]) -> list[str]:
    """A name for every leaf of `jax.jacobian(f, argnums)(*args)`, in the order of its leaves."""
    chosen = (argnums,) if isinstance(argnums, int) else argnums
    if not all(-len(args) <= argnum < len(args) for argnum in chosen):
        raise ValueError(f"`argnums` must name some of the {len(args)} arguments; got {argnums}")
    try:
        outputs = jax.tree_util.tree_leaves_with_path(jax.eval_shape(f, *args))
    except Exception as error:
        raise _Undecided(f"{_name(f)} raises {type(error).__name__}: {_first_line(error)}") from error
    for path, leaf in outputs:
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            where = jax.tree_util.keystr(path)
            raise _Undecided(
                f"{_name(f)}(…){where} must be floating-point to have a derivative; it is {leaf.dtype}"
            )
    inputs = [
        (f"args[{argnum % len(args)}]{jax.tree_util.keystr(path)}", leaf)
        for argnum in chosen
        for path, leaf in jax.tree_util.tree_leaves_with_path(args[argnum])
    ]
    entries = sum(leaf.size for _, leaf in outputs) * sum(leaf.size for _, leaf in inputs)
    if entries > _ENTRIES:
        raise _Undecided(
            f"the full Jacobian has {entries:.1e} entries, too many to form; check a smaller case"
        )
    lead = [f"out{jax.tree_util.keystr(path)} by " if path else "" for path, _ in outputs]
    return [before + name for before in lead for name, _ in inputs]


def _as_float64(leaf: Any) -> Any:
    dtype = jnp.result_type(leaf)
    return np.asarray(leaf, np.float64) if jnp.issubdtype(dtype, jnp.floating) else leaf


def _finite(tree: Any) -> bool:
    return all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(tree))


def _name(f: Callable[..., Any]) -> str:
    """The name of a function as its user would write it: with its module's, and through a `partial`."""
    while isinstance(f, partial):
        f = f.func
    name = getattr(f, "__qualname__", type(f).__name__)
    module = getattr(f, "__module__", None)
    return name if module in (None, "__main__") else f"{module.rpartition('.')[2]}.{name}"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]
