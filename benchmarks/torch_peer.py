"""PyTorch as a contender on the processor: the training step by hand or by autograd, eager or compiled.

`contenders` are those that can run here, each a function from a number of steps to the parameters after them, and
`missing()` says why the others cannot. A step is written as `mvcalc_jax.models.network` is, and returns new parameters;
`torch.compile` gets all of it, the update included. On one thread, which for a hundred samples is more than twice as
fast as two. PyTorch is in no extra: what PyPI has of it for Linux brings CUDA along.
"""

import importlib
import os
import shutil
import sysconfig
from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

Data = tuple[np.ndarray, np.ndarray]
Run = Callable[[int], list[tuple[np.ndarray, np.ndarray]]]

EAGER = ("PyTorch eager, by hand", "PyTorch eager, autograd")
COMPILED = ("torch.compile, by hand", "torch.compile, autograd")


def missing() -> dict[str, str]:
    """Who cannot run here, and why."""
    if find_spec("torch") is None:
        return dict.fromkeys((*EAGER, *COMPILED), "not installed; pip install torch")
    return {} if _can_compile() else dict.fromkeys(COMPILED, "needs a C++ compiler and Python's headers")


def _can_compile() -> bool:
    compilers = (os.environ.get("CXX", "c++"), "g++", "clang++")
    header = Path(sysconfig.get_path("include")) / "Python.h"
    return header.exists() and any(map(shutil.which, compilers))


def contenders(start: Sequence[Any], data: Data, learning_rate: float) -> dict[str, Run]:
    """By name, those who take steps of steepest descent here.

    Args:
        start: (W, b) of each layer.
        data: x, (i, n), and y, (o, n), in the precision of `start`.
        learning_rate: η of p ← p − ηJ.
    """
    absent = missing()
    return {
        name: partial(_run, name, start, data, learning_rate)
        for name in (*EAGER, *COMPILED)
        if name not in absent
    }


def _run(
    name: str, start: Sequence[Any], data: Data, learning_rate: float, count: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    torch = importlib.import_module("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        step = _step(name)
        x, y = (torch.tensor(a) for a in data)
        params = [tuple(torch.tensor(np.asarray(p)) for p in layer) for layer in start]
        for _ in range(count):
            params = step(params, x, y, learning_rate)
        return [(W.numpy(), b.numpy()) for W, b in params]
    finally:
        torch.set_num_threads(threads)


@cache
def _step(name: str) -> Callable[..., Any]:
    """p − ηJ of all parameters; the compiled one is compiled once."""
    torch = importlib.import_module("torch")
    compiled = name in COMPILED
    if name in (EAGER[0], COMPILED[0]):
        jacobian = _by_hand
    elif compiled:
        jacobian = torch.func.grad(_cost)  # which torch.compile can look into
    else:
        jacobian = partial(_by_autograd, torch.autograd.grad)

    def step(params: Any, x: Any, y: Any, learning_rate: float) -> Any:
        J = jacobian(params, x, y)
        return [
            (W - learning_rate * dW, b - learning_rate * db)
            for (W, b), (dW, db) in zip(params, J, strict=True)
        ]

    return torch.compile(step, fullgraph=True) if compiled else step


def _forward(params: Any, x: Any) -> list[Any]:
    a = [x]
    for W, b in params:
        a.append(b.addmm(W, a[-1]).sigmoid())
    return a


def _cost(params: Any, x: Any, y: Any) -> Any:
    return ((_forward(params, x)[-1] - y) ** 2).sum() / x.shape[1]


def _by_hand(params: Any, x: Any, y: Any) -> list[tuple[Any, Any]]:
    a = _forward(params, x)
    da, J = 2 * (a[-1] - y) / x.shape[1], []
    for l in reversed(range(len(params))):
        dz = da * a[l + 1] * (1 - a[l + 1])
        J.append((dz @ a[l].T, dz.sum(1, keepdim=True)))
        da = params[l][0].T @ dz
    return J[::-1]


def _by_autograd(gradient: Callable[..., Any], params: Any, x: Any, y: Any) -> list[tuple[Any, Any]]:
    leaves = [tuple(p.detach().requires_grad_() for p in layer) for layer in params]
    flat = iter(gradient(_cost(leaves, x, y), [p for layer in leaves for p in layer]))
    return [(next(flat), next(flat)) for _ in leaves]
