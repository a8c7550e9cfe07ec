"""Mistakes that several steps share, or that only some rounds of a step have."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mvcalc_jax.verify.causes import swaps
from mvcalc_jax.verify.causes.tape import Region, Step, Tape
from mvcalc_jax.verify.causes.variants import Change, Detour
from mvcalc_jax.verify.causes.words import DERIVATIVES, called, nth
from mvcalc_jax.verify.causes.workshop import ELSEWHERE, Mutant, Workshop


def single_rounds(rounds: list[Step], inputs: list[int], what: str) -> Iterator[Mutant]:
    """A path that is missing in one round of a loop, or in one of several calls, only."""
    site = rounds[0].site
    for number, step in enumerate(rounds, 1):
        where = f"in round {number} of {len(rounds)} of {what}"
        said = f"the dependence {where} is missing"
        yield Mutant("missing-term", site, swaps.in_one_round(swaps.stopped(), step), said, 2.1, linear=True)
        if len(inputs) > 1:
            for k in inputs:
                said = f"the derivative by {nth(k, len(step.inputs))} {where} is missing"
                yield Mutant(
                    "missing-term", site, swaps.in_one_round(swaps.without(k), step), said, 2.2, linear=True
                )
        if step.primitive in DERIVATIVES:
            said = f"{DERIVATIVES[step.primitive].rstrip(',')} is missing as a factor {where}"
            yield Mutant(
                "missing-factor", site, swaps.in_one_round(swaps.passed_on(inputs[0]), step), said, 2.3
            )


def of_shared_factors(shop: Workshop) -> Iterator[Mutant]:
    """A value that several steps multiply by, and whose sign is wrong in the derivatives of all of them."""
    tape = shop.tape
    uses: dict[str, dict[tuple[int, ...], Change]] = {}
    for steps in shop.rounds.values():
        if steps[0].primitive == "mul" and len(steps[0].inputs) == 2:
            for k in (0, 1):
                name = called(tape, steps[0].inputs[k])
                uses.setdefault(name, {})[steps[0].site] = swaps.signed(1 - k)
    for name, changes in uses.items():
        if len(changes) > 1 and name != "a constant":
            first = next(iter(changes))
            said = f"the factor {name} has the wrong sign wherever it is multiplied by"
            yield Mutant("sign", first, changes[first], said, 4.3, also=tuple(changes.items())[1:])


def of_region(shop: Workshop, region: Region) -> Iterator[Mutant]:
    """Mistakes in the derivative of a function that is called by a name, as a whole."""
    tape = shop.tape
    source, result = tape.values[region.source], tape.values[region.result]
    at = f" in {region.line}" if region.line else ""
    if np.shape(source) != np.shape(result):
        return
    yield Mutant(
        "missing-factor",
        region.site,
        Detour(lambda tape, region, c: (0 * c, c)),
        f"the derivative of `{region.name}` is missing{at}",
        3,
    )

    def twice(tape: Tape, region: Region, c: Any) -> tuple[Any, Any]:
        return swaps.region_at(tape, region, tape.values[region.source], c), 0 * c

    yield Mutant(
        "missing-factor",
        region.site,
        Detour(twice),
        f"the derivative of `{region.name}` is applied twice{at}",
        4,
    )
    same = [region.site == other.site for other in tape.regions].count(True) == 1
    for other in shop.like(region.source)[:ELSEWHERE] if same else ():

        def moved(tape: Tape, region: Region, c: Any, n: int = other.value) -> tuple[Any, Any]:
            return 0 * c, swaps.region_at(tape, region, tape.values[n], c)

        taken, right = called(tape, other.value), called(tape, region.source)
        said = f"the derivative of `{region.name}` takes {taken} for {right}{at}"
        yield Mutant("wrong-intermediate", region.site, Detour(moved), said, 6)
