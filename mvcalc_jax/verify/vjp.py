"""Is a hand-written backward pass that of the function that it claims to belong to?"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import autodiff, require
from mvcalc_jax.verify.backward import VjpClaim
from mvcalc_jax.verify.evidence import Raises, Refuted, left_behind, not_checked
from mvcalc_jax.verify.float64 import in_float64
from mvcalc_jax.verify.jacobian import checked
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

    >>> f = lambda x: x / jnp.sqrt(x @ x)
    >>> fwd = lambda x: (f(x), x)
    >>> bwd = lambda x, g: (g / jnp.sqrt(x @ x),)  # as if the length were constant
    >>> report = mv.check_vjp(f, fwd, bwd, np.array([0.5, 1.0, -2.0]))
    >>> report.verdict, report.leaves[0].path
    ('wrong', 'args[0]')
    """
    again = f"check_vjp({written(f, 'f')}, {written(fwd, 'fwd')}, {written(bwd, 'bwd')}, *args, seed={seed})"
    f, fwd, bwd = (require.function(what, given) for what, given in {"f": f, "fwd": fwd, "bwd": bwd}.items())
    seed = require.whole("seed", seed, least=0, most=None)
    _required(args)
    return _checked(f, fwd, bwd, args, seed, (name(f, "f"), name(fwd, "fwd"), name(bwd, "bwd")), again)


def check_custom(f: Callable[..., Any], custom: Callable[..., Any], *args: Any, seed: int = 0) -> Report:
    """Compare a function with a custom derivative rule, a `custom_vjp` or a `custom_jvp`, with its plain twin.

    The arguments, the report and the errors are those of `check_vjp`; `custom` is the decorated function.

    >>> square = jax.custom_vjp(lambda x: x**2)
    >>> square.defvjp(lambda x: (x**2, x), lambda x, g: (x * g,))  # where 2 x g belongs
    >>> report = mv.check_custom(lambda x: x**2, square, np.array([0.5, 1.0]))
    >>> report.verdict, report.diagnoses[0].detail
    ('wrong', 'is too small by a factor of 2')
    """
    f = require.function("f", f)
    custom = require.function("custom", custom)
    seed = require.whole("seed", seed, least=0, most=None)
    _required(args)
    again = f"check_custom({written(f, 'f')}, {written(custom, 'custom')}, *args, seed={seed})"
    called, rule = name(f, "f"), f"the rule of {name(custom, 'custom')}"

    def fwd(*args: Any) -> tuple[Any, Any]:
        leaves, structure = jax.tree.flatten(args)
        free = [k for k, leaf in enumerate(leaves) if inexact(leaf)]

        def of(*some: Any) -> Any:
            every = list(leaves)
            for k, leaf in zip(free, some, strict=True):
                every[k] = leaf
            return custom(*jax.tree.unflatten(structure, every))

        value, pull = autodiff.pull(of, *(leaves[k] for k in free))
        return value, (pull, free, structure)

    def bwd(residuals: Any, cotangent: Any) -> tuple:
        pull, free, structure = residuals
        found: list[Any] = [None] * structure.num_leaves
        for k, v in zip(free, pull(cotangent), strict=True):
            found[k] = v
        return jax.tree.unflatten(structure, found)

    def pulls() -> None:
        value, residuals = fwd(*args)
        bwd(residuals, jax.tree.map(jnp.ones_like, value))

    mixed = [k for k, arg in enumerate(args) if not all(map(inexact, jax.tree.leaves(arg)))]
    whole = tuple(k for k, arg in enumerate(args) if k not in mixed and jax.tree.leaves(arg))
    forward = autodiff.jacobian(custom, whole, mode="forward")
    if _runs(pulls) or not (whole and _runs(lambda: forward(*args))):
        return _checked(f, fwd, bwd, args, seed, (called, rule, rule), again)
    # A custom_jvp that has no transpose.
    report = checked(f, forward, args, whole, seed, (called, rule), again)
    if report.verdict == "correct":
        left_out = [k for k in mixed if _differentiable(args[k])]
        said = not_checked(left_out, "which holds more than floating-point numbers")
        report = replace(report, reason=report.reason + said)
    return report


def assert_vjp(
    f: Callable[..., Any], fwd: Callable[..., Any], bwd: Callable[..., Any], *args: Any, seed: int = 0
) -> None:
    """Raise `AssertionError`, with the report as its message, unless `check_vjp` says "correct".

    >>> fwd, bwd = lambda x: (jnp.sin(x), x), lambda x, g: (g * jnp.cos(x),)
    >>> mv.assert_vjp(jnp.sin, fwd, bwd, np.array([0.5, 1.0]))
    """
    check_vjp(f, fwd, bwd, *args, seed=seed).require_correct()


def assert_custom(f: Callable[..., Any], custom: Callable[..., Any], *args: Any, seed: int = 0) -> None:
    """Raise `AssertionError`, with the report as its message, unless `check_custom` says "correct".

    >>> square = jax.custom_vjp(lambda x: x**2)
    >>> square.defvjp(lambda x: (x**2, x), lambda x, g: (2 * x * g,))
    >>> mv.assert_custom(lambda x: x**2, square, np.array([0.5, 1.0]))
    """
    check_custom(f, custom, *args, seed=seed).require_correct()


def _checked(
    f: Callable[..., Any],
    fwd: Callable[..., Any],
    bwd: Callable[..., Any],
    args: tuple,
    seed: int,
    names: tuple[str, str, str],
    again: str,
) -> Report:
    rng = np.random.default_rng(seed)

    def claim(widen: bool) -> VjpClaim:
        subject = Subject(f, names[0], taken_apart(args, lambda _, leaf: inexact(leaf), widen=widen))
        left_out = _left_out(subject, fwd, bwd, names[1:], args, rng)
        if left_out:
            point = taken_apart(args, lambda k, leaf: inexact(leaf) and k not in left_out, widen=widen)
            subject = Subject(f, names[0], point)
        return VjpClaim(subject, fwd, bwd, names[1:], left_out)

    with in_float64():
        return replace(trial(claim, rng, counted_in(args)), again=again)


def _runs(f: Callable[[], Any]) -> bool:
    try:
        with in_float64():
            f()
    except Exception:  # whatever it is, another way may do
        return False
    return True


def _required(args: tuple) -> None:
    looked_at(args)
    if not _differentiable(args):
        raise TypeError("some argument must be of floating-point or complex numbers to differentiate by")


def _differentiable(tree: Any) -> bool:
    return any(map(inexact, jax.tree.leaves(tree)))


def _left_out(
    subject: Subject,
    fwd: Callable[..., Any],
    bwd: Callable[..., Any],
    names: tuple[str, str],
    given: tuple,
    rng: np.random.Generator,
) -> tuple[int, ...]:
    """The arguments that have a derivative, and for which bwd returns None; fwd and bwd must keep their contract."""
    point, count = subject.point, len(given)
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
        if returned_for is None or not _differentiable(arg):
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
    return tuple(k for k, v in enumerate(found) if v is None and _differentiable(given[k]))


def _number(path: str) -> int:
    """Which argument a leaf belongs to."""
    return int(path.removeprefix("args[").partition("]")[0])


def _paths(k: int, tree: Any) -> set[str]:
    return {f"args[{k}]{jax.tree_util.keystr(path)}" for path, _ in jax.tree_util.tree_leaves_with_path(tree)}
