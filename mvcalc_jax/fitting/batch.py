"""A batch of fits of any size, a block at a time, on every device and core.

Blocks are of one shape, so there is one program, and what is in memory is a few blocks however many fits there are.
XLA runs a loop over small arrays on one core; a thread for each core, or two for each accelerator, so that one copies
while the other computes, keeps them all busy.
"""

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, NamedTuple

import jax
import numpy as np

from mvcalc_jax import devices
from mvcalc_jax.fitting.solve import SOON, Inputs, Plan, Solution, compiled
from mvcalc_jax.precision import promoting
from mvcalc_jax.require import AnyArray

_CACHE = 2**16
"""Bytes of y in a chunk: with the model's columns, what a core's second-level cache holds."""
_CHUNKS, _BLOCKS = 64, 8
"""The most chunks in a block of a processor, and the blocks that a small batch is cut into, for its cores."""
_ACCELERATOR = 2**18
"""Fits in a block of an accelerator, which wants them all at once."""


class Size(NamedTuple):
    """Fits in a chunk, and in a block."""

    lanes: int
    block: int


def size_of(fits: int, points: int, itemsize: int) -> Size:
    """How to cut `fits` fits of so many points, for the device that JAX computes on."""
    platform = workers()[0].platform
    needed = 1 << max(fits - 1, 0).bit_length()
    if platform != "cpu":
        lanes = min(needed, _ACCELERATOR)
        return Size(lanes, lanes)
    lanes = min(needed, 1 << max((_CACHE // (points * itemsize)).bit_length() - 1, 4), 4096)
    return Size(lanes, max(lanes, min(needed // _BLOCKS, lanes * _CHUNKS)))


def workers() -> list[Any]:
    """The device of each thread: for an accelerator there are two, so that one copies while the other computes."""
    found = devices.workers()
    return found if found[0].platform == "cpu" else [device for device in found for _ in range(2)]


def solved(
    plan: Plan, blocks: Iterable[tuple[int, Inputs]], size: Size, *, offset: float, steps: int
) -> Generator[tuple[int, Solution]]:
    """Fit block after block, and yield each one's number of fits and its solution, in order.

    Args:
        plan: what is compiled in; its chunks must be those of `size`.
        blocks: of each the number of fits, and the data of `size.block`, of which only the last may have fewer fits.
        size: of chunks and blocks.
        offset: the relative offset to reach.
        steps: the most iterations of a fit.
    """
    places = workers()

    def work(task: tuple[int, tuple[int, Inputs]]) -> tuple[int, Solution]:
        k, (many, inputs) = task
        double, device = inputs.y.dtype == np.float64, places[k % len(places)]
        with jax.enable_x64(double), jax.default_device(device), promoting():
            solution = compiled(size.block <= SOON)(plan, inputs, offset, steps)
            return many, Solution(*(np.asarray(a)[:many] for a in solution))

    pending, tasks = [], iter(enumerate(blocks))
    pool = ThreadPoolExecutor(len(places))
    try:
        for task in islice(tasks, len(places) + 1):
            pending.append(pool.submit(work, task))
        while pending:
            done = pending.pop(0).result()
            for task in islice(tasks, 1):
                pending.append(pool.submit(work, task))
            yield done
    finally:  # after Ctrl-C nobody wants to wait for blocks that nobody will see
        pool.shutdown(wait=False, cancel_futures=True)


def filled(array: np.ndarray, block: int) -> np.ndarray:
    """The data of some fits, made up to a full block by repeating the last."""
    missing = block - len(array)
    return (
        np.concatenate([array, np.broadcast_to(array[-1:], (missing, *array.shape[1:]))])
        if missing
        else array
    )


def cut(inputs: Inputs, fits: int, block: int) -> Iterator[tuple[int, Inputs]]:
    """The blocks of a batch that is in memory; the last is made up to its full size."""

    def rows(array: AnyArray | None, begin: int, many: int) -> Any:
        if array is None or array.shape[0] != fits:
            return array
        return filled(np.asarray(array[begin : begin + many]), block)

    for begin in range(0, fits, block):
        many = min(block, fits - begin)
        yield many, Inputs(*(rows(a, begin, many) for a in inputs))


def collected(parts: Iterable[tuple[int, Solution]], fits: int) -> Solution:
    """The solutions of all blocks in one."""
    whole, begin = None, 0
    for many, part in parts:
        if many == fits:
            return part
        if whole is None:
            whole = Solution(*(np.empty((fits, *a.shape[1:]), a.dtype) for a in part))
        for to, of in zip(whole, part, strict=True):
            to[begin : begin + many] = of
        begin += many
    assert whole is not None
    return whole
