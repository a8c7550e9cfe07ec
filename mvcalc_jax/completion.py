"""What a shell needs to complete the words of `mvcalc`: a script, which shtab writes.

All there is to complete – commands, options, names to choose from – is written into the script, so that a key is
answered without waiting for Python. Files are offered where a value may only be one.
"""

import argparse
import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import shtab

from mvcalc_jax.arguments import Parser
from mvcalc_jax.text import first_line


def script(
    shell: str,
    commands: Mapping[str, type],
    experiments: Mapping[str, str],
    more: Iterable[tuple[str, str]] = (),
) -> str:
    """The script.

    Args:
        shell: bash, fish, tcsh or zsh.
        commands: of mvcalc, each with its settings.
        experiments: what `mvcalc run` takes, each with its question.
        more: switches that all of them have, names and help.
    """
    root = argparse.ArgumentParser("mvcalc")
    root.add_argument("--version", action="version", help="Show which mvcalc this is, and end.")
    names = root.add_subparsers(parser_class=Parser)
    for name, settings in commands.items():
        _add(names, name, first_line(settings.__doc__), settings, more)
    if experiments:
        listed = importlib.import_module("experiments.__main__").Listed
        under = _add(names, "run", "Run an experiment.", listed, more).add_subparsers(parser_class=Parser)
        for name, question in experiments.items():
            _add(under, name, question, importlib.import_module(f"experiments.{name}").Config, more)
    return shtab.complete(root, shell)


def _add(beside: Any, name: str, said: str, config: type, more: Iterable[tuple[str, str]]) -> Parser:
    parser = beside.add_parser(name, help=said, config=config, more=more)
    parser.description = said
    for setting in parser.settings:
        setting.choices = setting.names or setting.arg.known or None
        if not setting.choices and (
            setting.kind is Path or "FILE" in setting.arg.metavar or setting.arg.positional
        ):
            setting.complete = shtab.FILE
        setting.option_strings = setting.shown
        setting.metavar = None  # a shell could read what is in it
    return parser
