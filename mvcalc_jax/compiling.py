"""How to compile programs that will run only a few times: in less than half the time, and not as well."""

from functools import cache
from typing import Any

import jax

_WANTED = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
"""Neither is a promise of XLA's: the second is there in JAX 0.10, and gone in 0.12."""


@cache
def quickly(level: int = 0) -> dict[str, Any]:
    """`compiler_options` for `jax.jit`: those that this version of XLA knows.

    Args:
        level: how much LLVM is to optimise: 0 for what runs a few times, 1 for what runs a thousand.
    """
    wanted = {**_WANTED, "xla_backend_optimization_level": level}
    return {name: value for name, value in wanted.items() if _known(name, value)}


def _known(name: str, value: Any) -> bool:
    try:
        jax.jit(lambda x: x, compiler_options={name: value}).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True
