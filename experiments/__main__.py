"""List the experiments, each with its question."""

import ast
from pathlib import Path

from mvcalc_jax import command

PROG = "python -m experiments"


def main(args: list[str]) -> int:
    if args:
        raise ValueError(
            f"no arguments are needed; got {' '.join(args)}; run an experiment as {PROG}.{args[0]}"
        )
    for path in sorted(Path(__file__).parent.glob("*.py")):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if f"{PROG}.{path.stem}" in docstring:
            print(f"{PROG}.{path.stem:<18}  {docstring.splitlines()[0]}")
    return command.DONE


if __name__ == "__main__":
    command.leave(command.guarded(main, prog=PROG))
