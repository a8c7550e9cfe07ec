"""Derivatives checked by name, in a file of the user's: `mvcalc check layer.py:f jac`.

How many names there are, and what they stand for, says which check is meant:

    f jac        check_jacobian; with --hessian, check_hessian
    f custom     check_custom, where `custom` is a jax.custom_vjp or a jax.custom_jvp
    f fwd bwd    check_vjp
    links        check_chain, where `links` is a list of `verify.Link`
    links total  the same, and `total` is the Jacobian of the whole chain

The user's file runs in float64, as the check does: a constant that is rounded to float32 when the file is imported
would look like a mistake in whichever function does not use it.
"""

import inspect
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import named, output, require, text, verify
from mvcalc_jax.autodiff import Argnums
from mvcalc_jax.verify import Report
from mvcalc_jax.verify.chain import Link, check_chain

Function = Callable[..., Any]


def examine(
    names: tuple[str, ...],
    args: str | None = None,
    argnums: str | None = None,
    hessian: bool = False,
    seed: int = 0,
) -> Report:
    """The report on functions given by name. What they print goes to stderr.

    Args:
        names: `FILE.py:NAME` or `package.module:NAME`; after the first, `NAME` alone is in the same file.
        args: an expression, or a file of arrays, that gives the arguments; None for the file's `example_args`.
        argnums: as of `check_jacobian`, written `0` or `0,2`; None for the first.
        hessian: whether the second function is a Hessian.
        seed: of `rng` in `args`, and of the check.

    Raises:
        ValueError, TypeError, OSError: for what cannot be found, imported or called; the message is for the user.
    """
    require.whole("--seed", seed, least=0, most=None)
    if not names:
        raise ValueError("what is to be checked? such as: mvcalc check layer.py:f jac; --help says more")
    with output.stdout_kept(), jax.enable_x64(True):
        targets = named.targets(names)
        check, f = _meant(targets, argnums, hessian)
        try:
            point = _arguments(targets[0], f, args, np.random.default_rng(seed))
            report = check(point, seed)
            jax.effects_barrier()  # what jax.debug.print has still to say is no part of the report
        except (Exception, SystemExit) as error:
            if isinstance(error, Exception) and not named.line(error, targets[0].file):
                raise
            raise ValueError(
                f"{targets[0]} cannot be checked: {named.blame(error, targets[0].file)}"
            ) from error
        if report.verdict == "inconclusive" and not report.leaves and not report.links:
            _require_callable(targets[0], f, point)  # else that is why
    options = {"--args": args, "--argnums": argnums, "--seed": str(seed) if seed else None}
    given = [f"{flag}={value}" for flag, value in options.items() if value is not None]
    again = ["mvcalc", "check", *["--hessian"] * hessian, *names, *given]
    return replace(report, again=shlex.join(again))


def require_drawable(path: Path) -> None:
    """Require a path that `Report.plot` can write to, before any work and not after it."""
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise ValueError(f"--plot must end in .png, .svg or .pdf; got {path}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent} to draw into")


def _meant(
    targets: list[named.Target], argnums: str | None, hessian: bool
) -> tuple[Callable[[tuple, int], Report], Function]:
    """The check, which lacks only arguments and seed, and the function that the arguments are for."""
    first, *others = targets
    chain = isinstance(first.value, (list, tuple))
    for target in () if chain else targets:
        require.function(str(target), target.value)
    if len(others) not in ((0, 1) if chain else (1, 2)):
        wanted = "may be the Jacobian of all links" if chain else "must be its derivative: jac, or fwd bwd"
        got = ", ".join(map(str, others)) or "nothing"
        raise ValueError(f"beside {first} there {wanted}; got {got}")
    f, *rest = (target.value for target in targets)
    pair = not chain and len(rest) == 1
    if hessian and not pair:
        raise ValueError(
            f"--hessian must have a function and its Hessian; got {', '.join(map(str, targets))}"
        )
    custom = pair and not hessian and _is_custom(rest[0])
    if argnums is not None and (custom or not pair):
        raise ValueError("--argnums is for a Jacobian or a Hessian; the other checks are of all arguments")
    if chain:
        return _chain(first, rest), f[0].f
    if custom:
        return lambda args, seed: verify.check_custom(f, *rest, *args, seed=seed), f
    if not pair:
        return lambda args, seed: verify.check_vjp(f, *rest, *args, seed=seed), f
    chosen, check = _argnums(argnums or "0"), verify.check_hessian if hessian else verify.check_jacobian
    return lambda args, seed: check(f, *rest, *args, argnums=chosen, seed=seed), f


def _chain(target: named.Target, total: list[Function]) -> Callable[[tuple, int], Report]:
    """The check of a chain, once it is known to be one."""
    links = target.value
    if isinstance(links, Link) or not links:
        raise ValueError(f"`{target}` must be a list of at least one mvcalc_jax.verify.Link; got {links!r}")
    for k, link in enumerate(links):
        if not isinstance(link, Link):
            raise TypeError(f"`{target}[{k}]` must be a mvcalc_jax.verify.Link; got {type(link).__name__}")

    def check(args: tuple, seed: int) -> Report:
        if len(args) != 1:
            raise ValueError(f"a chain must have one argument, that of its first link; got {len(args)}")
        return check_chain(links, *args, *total, seed=seed)

    return check


def _is_custom(f: Any) -> bool:
    """Whether a function has a derivative rule of its own, perhaps under a `jax.jit`."""
    while f is not None:
        if hasattr(f, "defvjp") or hasattr(f, "defjvp"):
            return True
        f = getattr(f, "__wrapped__", None)
    return False


def _argnums(given: str) -> Argnums:
    """0 for `0`, (0,) for `0,`, and (0, 2) for `0,2`."""
    try:
        found = tuple(int(number) for number in given.removesuffix(",").split(","))
    except ValueError:
        raise ValueError(f"--argnums must be whole numbers, such as 0 or 0,2; got {given!r}") from None
    return found if "," in given else found[0]


def _arguments(target: named.Target, f: Function, given: str | None, rng: np.random.Generator) -> tuple:
    """The arguments that f is to be checked at; they fit its parameters."""
    source = "example_args" if given is None else "--args"
    found = _example(target, f, rng) if given is None else _given(target, given.strip(), rng)
    args = found if type(found) is tuple else (found,)  # a NamedTuple is a single argument
    parameters = _parameters(f)
    try:
        if parameters:
            parameters.bind(*args)
    except TypeError as error:
        hint = "a single argument that is a tuple is written (x,)" if given else "--args gives others"
        got = f"{source} is {text.counted(len(args), 'value')}: {error}"
        raise ValueError(f"{target} must be given its arguments ({_listed(f)}); {got}; {hint}") from None
    return args


def _given(target: named.Target, given: str, rng: np.random.Generator) -> Any:
    """The value of `--args`, as if it stood at the end of the file."""
    if given.endswith((".npz", ".npy")):
        return _read(Path(given).expanduser())
    try:
        code = compile(given, "--args", "eval")
    except (SyntaxError, ValueError) as error:
        wanted = "an expression of Python, or a .npz file"
        raise ValueError(f"--args must be {wanted}; got {given!r}: {named.kind(error)}") from None
    try:
        return eval(code, {"np": np, "jnp": jnp, "jax": jax, "rng": rng, **vars(target.module)})
    except (Exception, SystemExit) as error:
        raise ValueError(f"--args {given!r} raises {named.blame(error, target.file)}") from error


def _read(path: Path) -> Any:
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}{named.near(path, '*.np[yz]')}")
    try:
        found = np.load(path)
        if isinstance(found, np.ndarray):
            return found
        with found:
            return tuple(found.values())
    except Exception as error:
        raise ValueError(
            f"{path} must be a file that np.savez or np.save wrote: {named.kind(error)}"
        ) from error


def _example(target: named.Target, f: Function, rng: np.random.Generator) -> Any:
    """The `example_args` of a function, or of its file."""
    owner: Any = f if hasattr(f, "example_args") else target.module
    if not hasattr(owner, "example_args"):
        listed = _listed(f)
        example = f"({listed})" if "," in listed else f"({listed},)"
        raise ValueError(
            f"{target} must be given arguments ({listed}) to be checked at: either --args EXPR, such as "
            f"--args 'rng.standard_normal(3), 0.5', or a line example_args = {example} in {target.place}"
        )
    found = owner.example_args
    if not callable(found):
        return found
    parameters = _parameters(found)
    random = parameters and any(p.default is p.empty for p in parameters.parameters.values())
    return found(rng) if random else found()


def _parameters(f: Function) -> inspect.Signature | None:
    try:
        return inspect.signature(f)
    except ValueError:  # some functions written in C do not tell
        return None


def _listed(f: Function) -> str:
    """The parameters that arguments can be given to by position, such as `x, W, *rest`."""
    parameters = _parameters(f)
    if parameters is None:
        return "..."
    known = parameters.parameters.values()
    return ", ".join("*" * (p.kind is p.VAR_POSITIONAL) + p.name for p in known if p.kind <= p.VAR_POSITIONAL)


def _require_callable(target: named.Target, f: Function, args: tuple) -> None:
    try:
        f(*jax.tree.map(lambda leaf: jnp.asarray(leaf) if isinstance(leaf, np.ndarray) else leaf, args))
    except (Exception, SystemExit) as error:
        raise ValueError(f"{target} raises at these arguments: {named.blame(error, target.file)}") from error
