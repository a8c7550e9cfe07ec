"""What the machine can do: the same training step in C, compiled here by whatever compiler there is.

`step.c` is for the course's network alone. It runs on one core, called once for all its steps, so nothing of Python's
is in its time. `trained` returns what the package returns, and is held to it by the suite that asks for it.
"""

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from mvcalc_jax import text

SOURCE = Path(__file__).parent / "step.c"
SIZES = (1, 6, 7, 2)
ALWAYS = ("-O3", "-ffast-math", "-fPIC", "-c")
BEST = (("-march=native", "-mprefer-vector-width=512"), ("-march=native",), ("-mcpu=native",), ())
"""For this processor, in its widest registers, as far as the compiler understands it."""


def compiler() -> str | None:
    """The C compiler that would be used."""
    return next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)


def missing() -> str:
    """Why there is no C here; empty where there is."""
    if compiler() is None:
        return "no C compiler; install gcc or clang"
    try:
        _library(1)
    except RuntimeError as why:
        return str(why)
    return ""


def trained(params: Sequence[Any], x: np.ndarray, y: np.ndarray, rate: float, steps: int) -> list[Any]:
    """The parameters after so many steps of steepest descent, in float32.

    Args:
        params: (W, b) of each layer of a 1-6-7-2 network.
        x: (1, n).
        y: (2, n).
        rate: η of p ← p − ηJ.
        steps: how many.

    Raises:
        RuntimeError: where it does not compile.
    """
    flat = np.concatenate([np.ravel(leaf) for layer in params for leaf in layer]).astype(np.float32)
    data = [np.ascontiguousarray(a, np.float32) for a in (x, y)]
    pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (flat, *data)]
    _library(x.shape[1]).train(*pointers, ctypes.c_float(rate), ctypes.c_long(steps))
    shapes = [np.shape(leaf) for layer in params for leaf in layer]
    pieces = np.split(flat, np.cumsum([np.prod(shape, dtype=int) for shape in shapes])[:-1])
    leaves = [piece.reshape(shape) for piece, shape in zip(pieces, shapes, strict=True)]
    return list(zip(leaves[::2], leaves[1::2], strict=True))


@cache
def _library(samples: int) -> ctypes.CDLL:
    said = ""
    with tempfile.TemporaryDirectory() as folder:
        compiled, library = Path(folder) / "step.o", Path(folder) / "step.so"
        # Linked by a command of its own, without -ffast-math: GCC before 13 would add code that runs when the library
        # is loaded and makes every subnormal number of this process zero, NumPy's too.
        link = [str(compiled), "-shared", "-o", str(library), "-lm"]
        for best in BEST:
            compile_it = [*ALWAYS, *best, f"-DN={samples}", str(SOURCE), "-o", str(compiled)]
            for arguments in (compile_it, link):
                made = subprocess.run([str(compiler()), *arguments], capture_output=True, text=True)
                if made.returncode != 0:
                    said = text.first_line(made.stderr)
                    break
            else:
                return ctypes.CDLL(str(library))
    raise RuntimeError(f"the C compiler cannot compile {SOURCE.name}: {said}")
