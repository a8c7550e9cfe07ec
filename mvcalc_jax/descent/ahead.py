"""Chunks of steps, sent off to be computed: the host looks at one while the next is under way."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from itertools import islice
from typing import Any, NamedTuple

import jax
import numpy as np

from mvcalc_jax.descent import members
from mvcalc_jax.descent.advance import advance, compile_for
from mvcalc_jax.descent.draws import Data, Random
from mvcalc_jax.descent.problem import Problem
from mvcalc_jax.descent.result import State


def planned(begun: int, steps: int, block: int, chunk: int) -> Iterator[tuple[int, int, int]]:
    """Cut the steps into chunks: (steps before it, blocks, steps in a block).

    A row of the trace is wanted after each `block` steps, so chunks are whole blocks, and begin at multiples of their
    length wherever the run is resumed; a block that is longer than a chunk is cut, and odd ends stand alone.
    """
    whole = max(chunk // block, 1) * block
    while begun < steps:
        odd, left = begun % block, steps - begun
        if chunk < block or odd or left < block:
            blocks, size = 1, min(block - odd, left, chunk)
        else:
            blocks, size = min((whole - begun % whole) // block, left // block), block
        yield begun, blocks, size
        begun += blocks * size


class Sent(NamedTuple):
    """A chunk that has been sent off to be computed; its arrays may not be there yet."""

    before: State
    step: np.ndarray
    state: State
    rows: Any
    last: Any


def sent_off(
    problem: Problem, state: State, data: Data, random: Random, plan: Iterator[tuple[int, int, int]]
) -> Generator[Sent]:
    """The chunks, each sent off before the one before it is handed over: the host looks at one while the next runs."""
    ahead = None
    for begun, blocks, block in plan:
        before = state
        state, rows, last = advance(problem, before, begun, data, random, blocks=blocks, block=block)
        if ahead is not None:
            yield ahead
        ahead = Sent(before, begun + block * np.arange(blocks + 1), state, rows, last)
    if ahead is not None:
        yield ahead


def sent_in_parts(
    problem: Problem,
    state: State,
    data: Data,
    random: Random,
    plan: Callable[[], Iterator[tuple[int, int, int]]],
    places: list[Any],
) -> Generator[Sent]:
    """The same chunks of an ensemble, whose members are divided among these places."""
    parts = members.cut(state, len(places)), members.cut(random.key, len(places))
    divided = [(part, random._replace(key=key)) for part, key in zip(*parts, strict=True)]
    for _, blocks, block in islice(plan(), 1):
        if len(set(places)) == 1:
            for part, chance in {part.step.size: (part, chance) for part, chance in divided}.values():
                compile_for(problem, part, data, chance, blocks=blocks, block=block)
    streams = [sent_off(problem, part, data, chance, plan()) for part, chance in divided]
    with closing(members.side_by_side(streams, places)) as side_by_side:
        for parts in side_by_side:
            before = state
            state, rows, last = members.joined([(part.state, part.rows, part.last) for part in parts])
            yield Sent(before, parts[0].step, jax.device_put(state), rows, last)
