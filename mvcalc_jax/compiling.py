"""How to compile programs that will run only a few times: in less than half the time, and not as well."""

from functools import cache
from typing import Any

import jax

_WANTED = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
"""Neither is a promise of XLA's: the second is there in JAX 0.10, and gone in 0.12."""


@cache
def quickly() -> dict[str, Any]:
    """`compiler_options` for `jax.jit`: those that this version of XLA knows."""
    return {name: value for name, value in _WANTED.items() if _known(name, value)}


def _known(name: str, value: Any) -> bool:
    try:
        jax.jit(lambda x: x, compiler_options={name: value}).lower(0.0).compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True
