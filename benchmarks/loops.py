"""Compiled training loops of networks of any size, for the suites that ask how their time and memory grow.

A whole descent inside `jax.jit` is one program, and the compiler can be asked what it made of it; its call costs
microseconds, where `steepest_descent` from Python looks at its arguments first, for about two milliseconds. An ensemble
is called from Python, for only then do its members share the cores.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

import mvcalc_jax as mv
from mvcalc_jax.descent.advance import WIDE

RATE = 0.1
"""Small enough for all of them to stay finite."""
Jacobian = Callable[..., Any]


class Problem(NamedTuple):
    """Where to start, with the members of an ensemble first if there are any, and x and y."""

    start: Any
    data: tuple[np.ndarray, np.ndarray]
    members: int = 0

    @property
    def multiplications(self) -> int:
        """Of one step: those of `mv.network.multiplications`, for all members."""
        one = jax.tree.map(lambda p: p[0], self.start) if self.members else self.start
        return max(self.members, 1) * mv.network.multiplications(one, self.data[0].shape[1])

    def steps(self, seconds: float) -> int:
        """How many steps take about so long: about 2 µs for each layer, or 3·10¹⁰ products a second."""
        layers = len(self.start)
        return int(np.clip(seconds / max(2e-6 * layers, self.multiplications / 3e10), 1, 50_000))


def problem(sizes: Sequence[int], samples: int, members: int = 0) -> Problem:
    """A network of such widths, and samples that mean nothing, in float32."""
    rng = np.random.default_rng(0)
    scale = min(0.5, max(sizes) ** -0.5)  # wider ones saturate at the course's ½
    some = [mv.network.init(rng, sizes, scale=scale, dtype=np.float32) for _ in range(max(members, 1))]
    start = jax.tree.map(lambda *p: np.stack(p), *some) if members else some[0]
    x, y = (rng.random((width, samples), np.float32) for width in (sizes[0], sizes[-1]))
    return Problem(start, (x, y), members)


class Loop(NamedTuple):
    """A compiled run of so many steps."""

    run: Callable[[], Any]
    steps: int
    first: float
    """Seconds to trace and compile it."""
    temporary: int
    """Bytes that it needs beside what goes in and what comes out."""
    held: int
    """Bytes of these and of what goes in."""


def compiled(jacobian: Jacobian, of: Problem, steps: int) -> Loop:
    """The compiled loop of steepest descent, not yet run."""
    start, data = jax.device_put((of.start, of.data))
    began = time.perf_counter()
    program = jax.jit(partial(_descend, jacobian, steps), compiler_options=WIDE).lower(start, data).compile()
    first = time.perf_counter() - began
    needed = temporary(program)
    return Loop(partial(program, start, data), steps, first, needed, needed + _bytes((start, data)))


def ensemble(jacobian: Jacobian, of: Problem, steps: int) -> Loop:
    """The descent of an ensemble, run once. What its cores hold beside its parameters is a member's each, and small."""
    run = partial(_descend, jacobian, steps, of.start, of.data, ensemble=True)
    began = time.perf_counter()
    jax.block_until_ready(run())
    return Loop(run, steps, time.perf_counter() - began, 0, _bytes((of.start, of.data)))


def _descend(jacobian: Jacobian, steps: int, start: Any, data: Any, ensemble: bool = False) -> Any:
    return mv.steepest_descent(
        jacobian, start, steps=steps, learning_rate=RATE, data=data, record_every=steps, chunk=steps,
        ensemble=ensemble,
    ).params  # fmt: skip


def _bytes(tree: Any) -> int:
    return sum(leaf.nbytes for leaf in jax.tree.leaves(tree))


def temporary(program: Any) -> int:
    """Bytes that a compiled program needs beside its arguments and its result."""
    found = program.memory_analysis()
    return found.temp_size_in_bytes if found else 0
