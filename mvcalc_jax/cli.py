"""The command `mvcalc`: thin subcommands, each of which asks the package for what it does."""

import importlib.metadata
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from mvcalc_jax import command


@dataclass(frozen=True)
class Check:
    """What `mvcalc check` is told."""

    names: Annotated[
        tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="NAME ...", help_behavior_hint="")
    ] = ()
    """A function, then its derivative, each as FILE.py:NAME or package.module:NAME; after the first, NAME alone is in
    the same file.
        layer.py:f jac        a Jacobian, like jax.jacobian(f)
        layer.py:f hess       a Hessian, with --hessian
        layer.py:f fwd bwd    the two functions that defvjp takes
        layer.py:f custom     a jax.custom_vjp or custom_jvp
        layer.py:links        a list of mvcalc_jax.verify.Link
        layer.py:links total  and the Jacobian of all of them
    (To try it, write this layer.py:
        import jax.numpy as jnp
        def f(x): return jnp.tanh(x)
        def jac(x): return jnp.diag(1 - jnp.tanh(x) ** 2)
        example_args = (jnp.array([0.3, -1.2]),)
    and say: mvcalc check layer.py:f jac)"""
    args: Annotated[str | None, tyro.conf.arg(metavar="EXPR", help_behavior_hint="")] = None
    """Where to check. A Python expression that gives f's arguments, with whatever FILE.py defines, np, jnp, jax and
    rng = np.random.default_rng(SEED), such as
        --args 'rng.standard_normal(2), np.eye(2)'
    or a .npz or .npy file of them, in order. One that begins with a minus is written --args=EXPR. Unless given, they
    are f.example_args or the file's example_args: a tuple, or a function of nothing, or of rng, that returns one."""
    argnums: Annotated[str | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(default: 0)")] = None
    """Which argument a Jacobian or a Hessian is by, counted from 0; several, as a tuple in JAX, are written 0,2."""
    hessian: Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help_behavior_hint="")] = False
    """The second function is a Hessian."""
    seed: int = 0
    """Of rng, and of the random points near the arguments at which the check is repeated."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help_behavior_hint="")] = False
    """Print the report as JSON, and nothing else on stdout."""
    plot: Annotated[Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="")] = None
    """Draw it, too, into a .png, .svg or .pdf."""


def check(options: Annotated[Check, tyro.conf.arg(name="")]) -> int:
    """Look whether a derivative written by hand is right. Exit code 0 if it is correct; 1 if it is wrong, or nobody can
    tell (inconclusive); 2 if what was given cannot be checked; 3 after an error inside (--debug shows where); 130
    after Ctrl-C."""
    from mvcalc_jax.check import examine, require_drawable  # here, so that --help need not wait for JAX

    if options.plot:
        require_drawable(options.plot)
    report = examine(options.names, options.args, options.argnums, options.hessian, options.seed)
    print(json.dumps(report.to_dict(), indent=2) if options.json else report)
    if options.plot:
        print(report.plot(options.plot), file=sys.stderr if options.json else sys.stdout)
    return command.DONE if report.verdict == "correct" else command.FAILED


def doctor() -> int:
    """Look whether everything is there that a run needs; exit code 1 if not."""
    from mvcalc_jax.doctor import examine  # here and not above, so that --help need not wait for JAX

    findings, well = examine()
    print(findings)
    print("all is well" if well else "not all is well: see FAIL above")
    if well:
        print("next: python -m experiments.draw_curve")
    return command.DONE if well else command.FAILED


SUBCOMMANDS = {"check": check, "doctor": doctor}

DESCRIPTION = """Write a function and its derivative by hand; this proves the derivative, runs it, and shows
what happened. Experiments are run by name: python -m experiments lists them."""


def main() -> None:
    """The entry point of `mvcalc`."""

    def chosen(args: list[str]) -> int:
        if args == ["--version"]:
            print(importlib.metadata.version("mvcalc-jax"))
            return command.DONE
        return tyro.extras.subcommand_cli_from_dict(
            SUBCOMMANDS, prog="mvcalc", description=DESCRIPTION, args=args or ["--help"]
        )

    command.leave(command.guarded(chosen, prog="mvcalc"))
