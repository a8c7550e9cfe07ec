"""How to compile programs that will run only a few times: in less than half the time, and not as well."""

from functools import cache
from typing import Any

import jax

_LEVEL = "xla_backend_optimization_level"
_WANTED = {_LEVEL: 0, "xla_cpu_use_fusion_emitters": False}
"""Neither is a promise of XLA's: the second is there in JAX 0.10, and gone in 0.12."""


def quickly(level: int = 0) -> dict[str, Any]:
    """`compiler_options` for `jax.jit`: those that this version of XLA knows.

    Args:
        level: how much LLVM is to optimise: 0 for what runs a few times, 1 for what runs a thousand.

    >>> from mvcalc_jax import compiling
    >>> float(jax.jit(lambda x: x**2, compiler_options=compiling.quickly())(3.0))
    9.0
    """
    return {name: level if name == _LEVEL else _WANTED[name] for name in _known()}


@cache
def _known() -> tuple[str, ...]:
    """Which options there are; asked all at once, for each question is a program to compile."""
    if _taken(_WANTED):
        return tuple(_WANTED)
    return tuple(name for name, value in _WANTED.items() if _taken({name: value}))


def _taken(options: dict[str, Any]) -> bool:
    try:
        jax.jit(lambda x: x, compiler_options=options).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True
