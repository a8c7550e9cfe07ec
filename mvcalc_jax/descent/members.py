"""The members of an ensemble side by side: some on each core of a processor, or on each accelerator.

XLA runs a loop over small arrays on one core, and members have nothing to do with each other. So an ensemble is cut
into smaller ones, a thread walks each of them, chunk after chunk, and every chunk is put together again from their
parts. How it is cut does not matter to a member: it takes the same steps alone.
"""

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import jax
import numpy as np

from mvcalc_jax import devices, require

T = TypeVar("T")


def places(params: Any) -> list[Any]:
    """The device of each part that an ensemble is best cut into: as many as there are cores or accelerators.

    An ensemble that the caller has put somewhere, or spread over devices, is left there, whole.
    """
    leaves = jax.tree.leaves(params)
    if require.traced(params) or any(isinstance(leaf, jax.Array) and leaf.committed for leaf in leaves):
        return [None]
    return devices.workers()[: len(leaves[0])]


def in_turn(params: Any) -> bool:
    """Whether members are best walked one after the other: on a processor, whose cache then holds all of a step.

    An accelerator wants them all at once, and so does whoever maps or compiles the whole descent, or has spread the
    members over several devices.
    """
    if require.traced(params):
        return False
    on = [leaf.devices() for leaf in jax.tree.leaves(params) if isinstance(leaf, jax.Array)]
    there = list(set().union(*on)) or devices.workers()[:1]
    return [device.platform for device in there] == ["cpu"]


def cut(tree: Any, parts: int) -> list[Any]:
    """A tree whose leaves have members on their first axis, in parts as equal as can be."""
    leaves, structure = jax.tree.flatten(tree)
    pieces = zip(*(_split(leaf, parts) for leaf in leaves), strict=True)
    return [structure.unflatten(piece) for piece in pieces] if leaves else [tree] * parts


def _split(leaf: Any, parts: int) -> list[Any]:
    if not isinstance(leaf, np.ndarray) and jax.numpy.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        kind = str(jax.random.key_impl(leaf))
        return [
            jax.random.wrap_key_data(jax.device_put(bits), impl=kind)
            for bits in np.array_split(np.asarray(jax.random.key_data(leaf)), parts)
        ]
    return np.array_split(np.asarray(leaf), parts)


def joined(parts: list[Any]) -> Any:
    """One tree again."""
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *jax.device_get(parts))


def side_by_side(streams: Sequence[Iterator[T]], on: list[Any]) -> Generator[list[T]]:
    """The items of several streams, each made in a thread of its own on a device, one ahead of what was asked for."""
    settings, pool = _settings(), ThreadPoolExecutor(len(streams))
    several = len(set(on)) > 1

    def following(stream: Iterator[T], device: Any) -> T | None:
        with settings(device if several else None):
            return next(stream, None)

    walking = list(zip(streams, on, strict=True))
    try:
        ahead = [pool.submit(following, *one) for one in walking]
        while items := [item for item in (f.result() for f in ahead) if item is not None]:
            ahead = [pool.submit(following, *one) for one in walking]
            yield items
    finally:  # after Ctrl-C nobody wants to wait for what nobody will see
        pool.shutdown(wait=False, cancel_futures=True)


_TOLD = (
    "enable_x64",
    "default_device",
    "default_matmul_precision",
    "numpy_dtype_promotion",
    "numpy_rank_promotion",
    "debug_nans",
)


def _settings() -> Callable[[Any], contextlib.AbstractContextManager[None]]:
    """What this thread has told JAX, to be told in another, perhaps with another device."""
    told = {name: getattr(jax.config, f"jax_{name}") for name in _TOLD}

    @contextlib.contextmanager
    def telling(device: Any) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for name, value in told.items():
                stack.enter_context(getattr(jax, name)(value))
            if device is not None:
                stack.enter_context(jax.default_device(device))
            yield

    return telling
