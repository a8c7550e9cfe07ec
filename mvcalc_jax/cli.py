"""The command `mvcalc`: thin subcommands, each of which asks the package for what it does."""

import importlib.metadata

import tyro

from mvcalc_jax import command


def doctor() -> int:
    """Look whether everything is there that a run needs; exit code 1 if not."""
    from mvcalc_jax.doctor import examine  # here and not above, so that --help need not wait for JAX

    findings, well = examine()
    print(findings)
    print("all is well" if well else "not all is well: see FAIL above")
    if well:
        print("next: python -m experiments.draw_curve")
    return command.DONE if well else command.FAILED


SUBCOMMANDS = {"doctor": doctor}

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
