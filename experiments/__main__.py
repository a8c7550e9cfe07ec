"""List the experiments, each with its question."""

import ast
from pathlib import Path

for path in sorted(Path(__file__).parent.glob("*.py")):
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    if f"python -m experiments.{path.stem}" in docstring:
        print(f"python -m experiments.{path.stem:<18}  {docstring.splitlines()[0]}")
