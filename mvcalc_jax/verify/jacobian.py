"""Is a hand-written Jacobian the derivative of the function that it claims to belong to?"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from mvcalc_jax import autodiff, require
from mvcalc_jax.autodiff import Argnums
from mvcalc_jax.verify.claims import JacobianClaim
from mvcalc_jax.verify.float64 import in_float64
from mvcalc_jax.verify.names import name, written
from mvcalc_jax.verify.points import chosen_arguments, taken_apart
from mvcalc_jax.verify.precision import counted_in
from mvcalc_jax.verify.report import Report
from mvcalc_jax.verify.subject import Subject
from mvcalc_jax.verify.trial import trial
from mvcalc_jax.verify.verdict import POINTS


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
        A `Report`: `.verdict` is "correct", "wrong" or "inconclusive", `.leaves` holds the evidence, `.diagnoses`
        the causes, and `print` shows all of it. A wrong derivative raises nothing; `assert_jacobian` does.

    Raises:
        ValueError, TypeError: for `argnums` out of range, or an argument to differentiate by that is not of
            floating-point or complex numbers.

    >>> f, jac = lambda z, y: jnp.mean((z - y) ** 2), lambda z, y: 2 * (z - y)
    >>> report = mv.check_jacobian(f, jac, np.array([0.5, 1.0, -2.0]), np.ones(3))
    >>> report.verdict, report.leaves[0].shape
    ('wrong', (3,))
    >>> print(report.diagnoses[0].detail)
    is too large by a factor of 3
    """
    again = f"check_jacobian({written(f, 'f')}, {written(jac, 'jac')}, *args, argnums={argnums}, seed={seed})"
    return checked(f, jac, args, argnums, seed, (name(f, "f"), name(jac, "jac")), again)


def check_part(
    f: Callable[..., Any],
    jac: Callable[..., Any],
    *args: Any,
    seed: int = 0,
    everywhere: bool = True,
    explain: bool = True,
) -> Report:
    """`check_jacobian` of a part of something larger.

    Args:
        f, jac, *args, seed: as there.
        everywhere: whether the Jacobian is known near the arguments, too, and not at them alone.
        explain: whether causes are sought.
    """
    points = POINTS if everywhere else 1
    return checked(f, jac, args, 0, seed, (name(f, "f"), "total"), "", points=points, explain=explain)


def check_hessian(
    f: Callable[..., Any], hess: Callable[..., Any], *args: Any, argnums: Argnums = 0, seed: int = 0
) -> Report:
    """Compare a hand-written Hessian of a scalar function with autodiff: what `jax.hessian(f, argnums)` returns.

    The arguments, the report and the errors are those of `check_jacobian`, whose function is the gradient of f.

    >>> f, hess = lambda x: x[0] ** 3 * x[1], lambda x: jnp.array([[6 * x[0] * x[1], 3 * x[0] ** 2], [0.0, 0.0]])
    >>> report = mv.check_hessian(f, hess, np.array([0.5, 1.5]))
    >>> report.verdict, report.leaves[0].index, report.leaves[0].by_hand, report.leaves[0].autodiff
    ('wrong', (1, 0), 0.0, 0.75)
    """
    f = require.function("f", f)
    again = (
        f"check_hessian({written(f, 'f')}, {written(hess, 'hess')}, *args, argnums={argnums}, seed={seed})"
    )
    names = f"the gradient of {name(f, 'f')}", name(hess, "hess")
    return checked(autodiff.gradient(f, argnums), hess, args, argnums, seed, names, again, hessian=True)


def assert_jacobian(
    f: Callable[..., Any], jac: Callable[..., Any], *args: Any, argnums: Argnums = 0, seed: int = 0
) -> None:
    """Raise `AssertionError`, with the report as its message, unless `check_jacobian` says "correct".

    >>> mv.assert_jacobian(jnp.sin, lambda x: jnp.diag(jnp.cos(x)), np.array([0.5, 1.0]))
    >>> mv.assert_jacobian(jnp.sin, lambda x: jnp.diag(-jnp.cos(x)), np.array([0.5, 1.0]))
    Traceback (most recent call last):
        ...
    AssertionError: wrong: ...
    """
    check_jacobian(f, jac, *args, argnums=argnums, seed=seed).require_correct()


def assert_hessian(
    f: Callable[..., Any], hess: Callable[..., Any], *args: Any, argnums: Argnums = 0, seed: int = 0
) -> None:
    """Raise `AssertionError`, with the report as its message, unless `check_hessian` says "correct".

    >>> mv.assert_hessian(lambda x: x @ x, lambda x: 2 * jnp.eye(2), np.array([0.5, 1.5]))
    """
    check_hessian(f, hess, *args, argnums=argnums, seed=seed).require_correct()


def checked(
    f: Callable[..., Any],
    jac: Callable[..., Any],
    args: tuple,
    argnums: Argnums,
    seed: int,
    names: tuple[str, str],
    again: str,
    *,
    points: int = POINTS,
    explain: bool = True,
    hessian: bool = False,
) -> Report:
    """`check_jacobian` of functions by these `names`; `again` is the line that repeats it."""
    f = require.function("f", f)
    jac = require.function("jac", jac)
    seed = require.whole("seed", seed, least=0, most=None)
    chosen, single = chosen_arguments(args, argnums), not isinstance(argnums, tuple)

    def claim(widen: bool) -> JacobianClaim:
        point = taken_apart(args, lambda k, _: k in chosen, widen=widen)
        subject = Subject(f, names[0], point)
        return JacobianClaim(subject, jac, names[1], chosen, single=single, hessian=hessian)

    with in_float64():
        found = trial(claim, np.random.default_rng(seed), counted_in(args), points, explain=explain)
    return replace(found, again=again)
