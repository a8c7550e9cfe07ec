"""A mistake as data, and what is looked up in a tape to make them."""

from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np

from mvcalc_jax.verify.causes.swaps import Source
from mvcalc_jax.verify.causes.tape import Step, Tape, differentiable
from mvcalc_jax.verify.causes.variants import Change, Detour, Variant

ELSEWHERE = 40
"""So many other values are tried in the place of one."""


@dataclass(frozen=True)
class Mutant:
    """A mistake at one site: the kind it belongs to, what it is called, and how soon it is thought of (low first).

    `linear` ones drop a path altogether: then a path that counts α times can be found, too.
    """

    kind: str
    site: tuple[int, ...]
    change: Change | Detour
    detail: str
    rank: float
    linear: bool = False
    also: tuple[tuple[tuple[int, ...], Change], ...] = ()

    @property
    def variant(self) -> Variant:
        return {self.site: self.change, **dict(self.also)}


@dataclass
class Workshop:
    """A tape, and what is looked up in it again and again."""

    tape: Tape
    rounds: dict[tuple[int, ...], list[Step]] = field(default_factory=dict)
    sources: dict[tuple, list[Source]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for step in self.tape.steps:
            self.rounds.setdefault(step.site, []).append(step)
        self._collect()

    def _collect(self) -> None:
        """All different values with more than one entry, by shape: arguments, and what the steps of a round return."""
        seen: dict[tuple, list[Any]] = {}
        found = [Source((), n) for n in self.tape.arguments]
        found += [Source(site, steps[0].outputs[0]) for site, steps in self.rounds.items()]
        for site, steps in self.rounds.items():
            if len(steps) > 1:
                found += [Source(site, n, k) for k, n in enumerate(steps[0].inputs)]
                found += [
                    Source((), n) for n in (steps[-1].outputs[0], *steps[-1].inputs, steps[0].outputs[0])
                ]
        for source in found:
            value = self.tape.values[source.value]
            if not differentiable(value) or np.size(value) < 2:
                continue
            known = seen.setdefault(kind_of(value), [])
            if not any(np.array_equal(value, other) for other in known):
                known.append(np.asarray(value))
                self.sources.setdefault(kind_of(value), []).append(source)

    def like(self, n: int) -> list[Source]:
        """Some of the values that could stand in the place of a value."""
        mine = self.tape.values[n]
        found = self.sources.get(kind_of(mine), [])
        return [source for source in found if not np.array_equal(self.tape.values[source.value], mine)]


def kind_of(value: Any) -> tuple:
    """Values of the same kind can stand for each other: shape, and whether they are complex."""
    return np.shape(value), jnp.iscomplexobj(value)
