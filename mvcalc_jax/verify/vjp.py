"""Is a hand-written backward pass that of the function that it claims to belong to?"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from mvcalc_jax import autodiff, require
from mvcalc_jax.verify.claims import VjpClaim
from mvcalc_jax.verify.evidence import Raises, Refuted, left_behind
from mvcalc_jax.verify.jacobian import check_jacobian
from mvcalc_jax.verify.names import name, written
from mvcalc_jax.verify.points import inexact, looked_at, taken_apart
from mvcalc_jax.verify.precision import counted_in
from mvcalc_jax.verify.report import Report
from mvcalc_jax.verify.subject import Subject, Undecided
from mvcalc_jax.verify.trial import trial


def check_vjp(
    f: Callable[..., Any], fwd: Callable[..., Any], bwd: Callable[..., Any], *args: Any, seed: int = 0
) -> Report:
    """Compare the pair of functions that `jax.custom_vjp.defvjp` takes with autodiff of the plain function.

    Args:
        f: the function without its custom rule, in JAX.
        fwd: `fwd(*args)` returns f(*args) and whatever `bwd` needs.
        bwd: `bwd(residuals, cotangent)` returns a tuple with a cotangent for every argument: vᵀ∂f/∂arg. None says
            that an argument is not to be differentiated by, and it is not checked.
        *args: where to look. Floating-point numbers are taken to float64.
        seed: of the random points near `args`, and of the random cotangents.

    Returns:
        A `Report`, as of `check_jacobian`; its leaves are those of the arguments.

    Raises:
        TypeError: if f, fwd or bwd is no function, or no argument is of floating-point or complex numbers.
    """
    again = f"check_vjp({written(f, 'f')}, {written(fwd, 'fwd')}, {written(bwd, 'bwd')}, *args, seed={seed})"
    for what, function in {"f": f, "fwd": fwd, "bwd": bwd}.items():
        require.function(what, function)
    require.whole("seed", seed, least=0)
    looked_at(args)
    if not any(map(inexact, jax.tree.leaves(args))):
        raise TypeError("some argument must be of floating-point or complex numbers to differentiate by")
    names = name(f, "f"), name(fwd, "fwd"), name(bwd, "bwd")
    rng = np.random.default_rng(seed)

    def claim(widen: bool) -> VjpClaim:
        every = taken_apart(args, lambda _, leaf: inexact(leaf), widen=widen)
        subject = Subject(f, names[0], every)
        left_out = _left_out(subject, fwd, bwd, names[1:], len(args), rng)
        point = taken_apart(args, lambda k, leaf: inexact(leaf) and k not in left_out, widen=widen)
        return VjpClaim(Subject(f, names[0], point), fwd, bwd, names[2], left_out)

    with jax.enable_x64(True):
        return trial(claim, rng, again, counted_in(args))


def check_custom(f: Callable[..., Any], custom: Callable[..., Any], *args: Any, seed: int = 0) -> Report:
    """Compare a function with a custom derivative rule, a `custom_vjp` or a `custom_jvp`, with its plain twin.

    The arguments, the report and the errors are those of `check_vjp`; `custom` is the decorated function.
    """
    require.function("f", f)
    require.function("custom", custom)
    again = f"check_custom({written(f, 'f')}, {written(custom, 'custom')}, *args, seed={seed})"

    def fwd(*args: Any) -> tuple[Any, Any]:
        fixed = [k for k, arg in enumerate(args) if not all(map(inexact, jax.tree.leaves(arg)))]
        free = [k for k in range(len(args)) if k not in fixed]

        def of(*some: Any) -> Any:
            every = list(args)
            for k, arg in zip(free, some, strict=True):
                every[k] = arg
            return custom(*every)

        value, pull = autodiff.pull(of, *(args[k] for k in free))
        return value, (pull, free, len(args))

    def bwd(residuals: Any, cotangent: Any) -> tuple:
        pull, free, count = residuals
        found: list[Any] = [None] * count
        for k, v in zip(free, pull(cotangent), strict=True):
            found[k] = v
        return tuple(found)

    looked_at(args)
    try:
        with jax.enable_x64(True):
            fwd(*args)
    except Exception:  # a custom_jvp that has no transpose: forward mode may still work
        chosen = tuple(k for k, arg in enumerate(args) if all(map(inexact, jax.tree.leaves(arg))))
        forward = autodiff.jacobian(custom, chosen, mode="forward")
        return replace(check_jacobian(f, forward, *args, argnums=chosen, seed=seed), again=again)
    return replace(check_vjp(f, fwd, bwd, *args, seed=seed), again=again)


def assert_vjp(
    f: Callable[..., Any], fwd: Callable[..., Any], bwd: Callable[..., Any], *args: Any, seed: int = 0
) -> None:
    """Raise `AssertionError`, with the report as its message, unless `check_vjp` says "correct"."""
    check_vjp(f, fwd, bwd, *args, seed=seed).require_correct()


def assert_custom(f: Callable[..., Any], custom: Callable[..., Any], *args: Any, seed: int = 0) -> None:
    """Raise `AssertionError`, with the report as its message, unless `check_custom` says "correct"."""
    check_custom(f, custom, *args, seed=seed).require_correct()


def _left_out(
    subject: Subject,
    fwd: Callable[..., Any],
    bwd: Callable[..., Any],
    names: tuple[str, str],
    count: int,
    rng: np.random.Generator,
) -> tuple[int, ...]:
    """The arguments for which bwd returns None, after a look at whether fwd and bwd keep their contract."""
    point = subject.point
    args = point.arguments(point.leaves, point.others)
    cotangent = jax.tree.unflatten(subject.structure, [v[0] for v in subject.cotangents(1, rng)])
    ran = names[0]
    try:
        returned = fwd(*args)
        if not (isinstance(returned, (tuple, list)) and len(returned) == 2):
            raise Refuted(
                f"{names[0]} must return a pair: the value, and what {names[1]} needs; got "
                f"{type(returned).__name__}",
                "shape",
                names[0],
            )
        ran = names[1]
        found = bwd(returned[1], cotangent)
    except Refuted:
        raise
    except jax.errors.UnexpectedTracerError as error:
        raise left_behind(names[1], subject.name) from error
    except Exception as error:
        raise Raises(ran, error) from error
    if not isinstance(found, (tuple, list)) or len(found) != count:
        got = f"{len(found)} of them" if isinstance(found, (tuple, list)) else type(found).__name__
        raise Refuted(
            f"{names[1]} must return a tuple of {count}, a cotangent for each argument (None for those not to "
            f"differentiate by); got {got}",
            "shape",
            names[1],
            [
                path
                for path in point.paths
                if _number(path) >= (len(found) if isinstance(found, (tuple, list)) else 0)
            ],
        )
    for k, (arg, returned_for) in enumerate(zip(args, found, strict=True)):
        if returned_for is None or not any(map(inexact, jax.tree.leaves(arg))):
            continue
        want, got = (
            jax.tree.structure(tree, is_leaf=lambda leaf: leaf is None) for tree in (arg, returned_for)
        )
        if want != got:
            raise Refuted(
                f"{names[1]}(…)[{k}] must have the structure of the argument, {want}; got {got}".replace(
                    "PyTreeDef", ""
                ),
                "shape",
                f"args[{k}]",
                [path for path in point.paths if _number(path) == k and path not in _paths(k, returned_for)],
            )
    if not any(v is not None for v in found):
        raise Undecided(f"{names[1]} returns None for every argument: there is nothing to check")
    return tuple(k for k, v in enumerate(found) if v is None)


def _number(path: str) -> int:
    """Which argument a leaf belongs to."""
    return int(path.removeprefix("args[").partition("]")[0])


def _paths(k: int, tree: Any) -> set[str]:
    return {f"args[{k}]{jax.tree_util.keystr(path)}" for path, _ in jax.tree_util.tree_leaves_with_path(tree)}
