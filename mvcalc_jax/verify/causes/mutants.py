"""Mistakes in the derivative of one step of a function: what a hand may have written there instead.

Each is a change of the cotangents that one kind of step passes back, such as "as if tanh′ were 1" or "as if the
mean did not depend on x". `tape.pulled_back` shows what it would have led to; if that is what the hand-written
derivative returns, the mistake is found, with the line of the function that it belongs to.
"""

from collections.abc import Iterator, Sequence

import jax.numpy as jnp
import numpy as np

from mvcalc_jax.verify.causes import swaps
from mvcalc_jax.verify.causes.spread import of_region, of_shared_factors, single_rounds
from mvcalc_jax.verify.causes.swaps import BILINEAR, BY_OUTPUT, Source
from mvcalc_jax.verify.causes.tape import Step, Tape, differentiable
from mvcalc_jax.verify.causes.variants import Change
from mvcalc_jax.verify.causes.words import DERIVATIVES, called, named, nth
from mvcalc_jax.verify.causes.workshop import ELSEWHERE, Mutant, Workshop

_ROUNDS = 6
_ROWS = {
    "only the first": slice(0, 1),
    "only the last": slice(-1, None),
    "all but the last": slice(0, -1),
    "all but the first": slice(1, None),
}


def mutants(tape: Tape) -> list[Mutant]:
    """All that are known, for a function's steps, and for the functions that it calls by name."""
    shop = Workshop(tape)
    found = [mutant for steps in shop.rounds.values() for mutant in _of(shop, steps)]
    found += of_shared_factors(shop)
    for region in {region.site: region for region in tape.regions}.values():
        found += of_region(shop, region)
    return found


def _of(shop: Workshop, rounds: list[Step]) -> Iterator[Mutant]:
    tape, step = shop.tape, rounds[0]
    name = step.primitive
    inputs = [k for k, n in enumerate(step.inputs) if differentiable(tape.values[n])]
    if not inputs:
        return
    shapes = [np.shape(tape.values[n]) for n in step.inputs]
    out = np.shape(tape.values[step.outputs[0]])
    what, at = named(step), f" in {step.line}" if step.line else ""

    def new(kind: str, change: Change, detail: str, rank: float, *, linear: bool = False) -> Mutant:
        return Mutant(kind, step.site, change, detail, rank, linear)

    yield new("missing-term", swaps.stopped(), f"the dependence through {what} is missing", 1, linear=True)
    if len(inputs) > 1:
        for k in inputs:
            said = f"the derivative by {nth(k, len(step.inputs))} of {what} is missing"
            yield new("missing-term", swaps.without(k), said, 1.5, linear=True)
    if name in DERIVATIVES or name in ("mul", "div", "select_n"):
        for k in inputs:
            if len(shapes[k]) == len(out) and (shapes[k] == out or name not in DERIVATIVES):
                kind, detail = _factor(tape, step, k, at)
                yield new(kind, swaps.passed_on(k), detail, 2)
    for k in [k for k in inputs if shapes[k] == out][:1] if name in DERIVATIVES else ():
        yield new("missing-factor", swaps.twice(k), f"{DERIVATIVES[name]} is applied twice{at}", 4)
        yield new(
            "missing-factor",
            swaps.reciprocal(k),
            f"{DERIVATIVES[name]} divides instead of multiplying{at}",
            8,
        )
    if any(jnp.iscomplexobj(tape.values[n]) for n in (*step.inputs, *step.outputs)):
        yield from _conjugated(tape, step, inputs, what)
    for k in [k for k in inputs if shapes[k] == out][:1]:
        for formula, of in swaps.MISREMEMBERED.get(name, {}).items():
            said = f"{_derivative(name)} is taken for {formula}{at}"
            yield new("missing-factor", swaps.misremembered(k, of), said, 4.4)
    if 1 < len(rounds) <= _ROUNDS:
        yield from single_rounds(rounds, inputs, what)
    yield from _powers(tape, step, inputs, out, at)
    yield from _elsewhere(shop, rounds, inputs, at)
    yield from _turned(tape, step, inputs, shapes, out, what, at)
    yield from _summed(tape, rounds, inputs, shapes, out, what)


def _conjugated(tape: Tape, step: Step, inputs: list[int], what: str) -> Iterator[Mutant]:
    """Complex numbers conjugated where they must not be, or not where they must."""
    said = f"the cotangent of {what} is conjugated"
    yield Mutant("conjugate", step.site, swaps.conjugated(), said, 2)
    for k in inputs:
        if jnp.iscomplexobj(tape.values[step.inputs[k]]):
            said = f"the derivative of {what} takes the conjugate of {called(tape, step.inputs[k])}"
            yield Mutant("conjugate", step.site, swaps.conjugated_input(k), said, 2.2)


def _powers(tape: Tape, step: Step, inputs: list[int], out: tuple, at: str) -> Iterator[Mutant]:
    """Derivatives of quotients, roots and powers with a factor of the base too few or too many."""
    if step.primitive not in ("div", "rsqrt", "sqrt", "integer_pow", "pow", "square"):
        return
    k = 1 if step.primitive == "div" else 0
    if k not in inputs or np.shape(tape.values[step.inputs[k]]) != out:
        return
    base, sign = (
        called(tape, step.inputs[k]),
        -1 if "pow" in step.primitive or step.primitive == "square" else 1,
    )
    for power, said in ((1, "too few"), (2, "too few, twice"), (-1, "too many")):
        detail = f"the derivative of {named(step)} by {base} has a factor of {base} {said}"
        yield Mutant("missing-factor", step.site, swaps.times_power(k, sign * power), detail, 4)


def _elsewhere(shop: Workshop, rounds: list[Step], inputs: list[int], at: str) -> Iterator[Mutant]:
    """The right formula at another value of the function."""
    tape, step = shop.tape, rounds[0]
    name = step.primitive
    if name in DERIVATIVES or name in BILINEAR or name == "div":
        whole = np.shape(tape.values[step.outputs[0]])
        same = [k for k in inputs if np.shape(tape.values[step.inputs[k]]) == whole]
        for k in same[:1] if name in DERIVATIVES else inputs:
            near = [Source(step.site, step.inputs[k], k, shift) for shift in (-1, 1) if len(rounds) > 1]
            for source in [*near, *shop.like(step.inputs[k])][: max(ELSEWHERE // len(rounds), 8)]:
                said = f"takes {called(tape, source.value)} for {called(tape, step.inputs[k])}"
                if source.shift:
                    which = "its operand" if len(step.inputs) == 1 else nth(k, len(step.inputs))
                    said = f"takes {which} of the {'round before' if source.shift < 0 else 'next round'}"
                change = swaps.elsewhere(shop.rounds, k, source)
                yield Mutant("wrong-intermediate", step.site, change, f"{_derivative(name)} {said}{at}", 6)
    if name in BY_OUTPUT:
        for source in shop.like(step.outputs[0])[: max(ELSEWHERE // len(rounds), 8)]:
            said = f"written in terms of its value, takes {called(tape, source.value)} for that value{at}"
            change = swaps.by_output(shop.rounds, source)
            yield Mutant("wrong-intermediate", step.site, change, f"{_derivative(name)}, {said}", 6)


def _turned(
    tape: Tape, step: Step, inputs: list[int], shapes: list[tuple], out: tuple, what: str, at: str
) -> Iterator[Mutant]:
    """Transposed, flipped, in another order, along another axis."""
    name = step.primitive

    def new(kind: str, change: Change, detail: str, rank: float) -> Mutant:
        return Mutant(kind, step.site, change, detail, rank)

    if name in BILINEAR or name == "triangular_solve":
        for k in inputs:
            if len(shapes[k]) >= 2 and shapes[k][-1] == shapes[k][-2] > 1:
                yield new(
                    "transpose",
                    swaps.transposed(k),
                    f"{called(tape, step.inputs[k])} stands where its transpose should{at}",
                    5,
                )
    if name == "dot_general":
        for k in inputs:
            if len(shapes[k]) == 2 and len(out) == 2 and len({*shapes[0], *shapes[1], *out}) == 1:
                yield new(
                    "reversed-order",
                    swaps.reversed_order(k),
                    f"the factors of the product are in the wrong order{at}",
                    5,
                )
            for a, b in _equal_axes(out):
                yield new(
                    "transpose",
                    swaps.cotangent_swapped(k, a, b),
                    f"the cotangent of {what} stands where its transpose should",
                    5.1,
                )
    if name == "conv_general_dilated":
        spatial = tuple(step.params["dimension_numbers"].rhs_spec[2:])
        for k in inputs:
            axes = spatial if k else tuple(step.params["dimension_numbers"].lhs_spec[2:])
            for some in {axes, *((a,) for a in axes)}:
                yield new(
                    "axis-flipped",
                    swaps.flipped(k, some),
                    f"the {('input', 'kernel')[k]} of {what} must be flipped along axes {some}, or must not",
                    5,
                )
            for a, b in _equal_axes(shapes[k]):
                if a in axes and b in axes:
                    yield new(
                        "axis-permuted",
                        swaps.swapped(k, a, b),
                        f"axes {a} and {b} of what {what} passes back are swapped",
                        5.2,
                    )
    if name.startswith("cum"):
        yield new(
            "axis-flipped",
            swaps.flipped_output(step.params["axis"]),
            f"{what} runs the same way back as forth: its derivative runs the other way",
            5,
        )
        yield new(
            "missing-term",
            swaps.passed_on(0),
            f"{what} passes back the entry itself only, not those after it",
            4,
        )
    if name in ("transpose", "reshape") and out != shapes[0]:
        yield new(
            "axis-permuted",
            swaps.reshaped(),
            f"{what} is undone by a reshape, which leaves the numbers in the wrong order",
            5.3,
        )
    if name in (
        "reduce_sum",
        "broadcast_in_dim",
        "transpose",
        "reshape",
        "reduce_max",
        "mul",
        "add",
        "sub",
        "div",
        "dot_general",
    ):
        for k in inputs:
            for a, b in _equal_axes(shapes[k]):
                yield new(
                    "transpose" if len(shapes[k]) == 2 else "axis-permuted",
                    swaps.swapped(k, a, b),
                    f"axes {a} and {b} of what {what} passes back are swapped",
                    7,
                )
            for a, b in _equal_axes(out):
                if shapes[k][a : a + 1] == (1,) or shapes[k][b : b + 1] == (1,):
                    yield new(
                        "axis-permuted",
                        swaps.other_axis(k, a, b),
                        f"the sum that belongs to {what} is over axis {b} or {a}, not the other",
                        5.5,
                    )


def _summed(
    tape: Tape, rounds: list[Step], inputs: list[int], shapes: list[tuple], out: tuple, what: str
) -> Iterator[Mutant]:
    """Sums that are not taken, or of some terms only: over what was broadcast, contracted, indexed or used again."""
    step = rounds[0]
    name = step.primitive

    def new(change: Change, detail: str, rank: float = 4) -> Mutant:
        return Mutant("missing-sum", step.site, change, detail, rank)

    for k in inputs:
        for axis in _summed_axes(step, k, shapes, out):
            for said, rows in _ROWS.items():
                yield new(
                    swaps.only(k, axis, rows),
                    f"the sum over axis {axis} that belongs to {what} takes {said} of its {out[axis]} terms",
                )
    if name in ("gather", "dynamic_slice", "slice") and shapes[0]:
        for last in (True, False):
            yield new(
                swaps.overwritten(last=last),
                f"entries that {what} takes more than once are overwritten instead of added up",
            )
    if len(rounds) > 1:
        for k in inputs:
            if len({each.inputs[k] for each in rounds}) == 1:
                for said, which in (("first", rounds[0]), ("last", rounds[-1])):
                    yield new(
                        swaps.one_round(k, which),
                        f"the sum over the rounds of the loop takes the {said} round only, in {what}",
                        4.2,
                    )


def _summed_axes(step: Step, k: int, shapes: list[tuple], out: tuple) -> list[int]:
    """The axes of the output that what is passed back to the k-th input is summed over."""
    name = step.primitive
    if name == "dot_general":
        (left, _), (batch, _) = step.params["dimension_numbers"]
        first = len(shapes[0]) - len(left)
        axes = range(first, len(out)) if k == 0 else range(len(batch), first)
    elif name == "broadcast_in_dim":
        kept = step.params["broadcast_dimensions"]
        axes = [a for a in range(len(out)) if a not in kept or shapes[0][kept.index(a)] == 1]
    elif name == "conv_general_dilated" and k == 1:
        spec = step.params["dimension_numbers"].out_spec
        axes = [spec[0], *spec[2:]]
    elif name in ("mul", "add", "sub", "div", "select_n", "max", "min") and len(shapes[k]) == len(out):
        axes = [a for a, n in enumerate(shapes[k]) if n == 1]
    else:
        axes = []
    return [a for a in axes if out[a] > 1]


def _factor(tape: Tape, step: Step, k: int, at: str) -> tuple[str, str]:
    """The kind and the name of the factor by which a step multiplies what it passes back to its k-th input."""
    name = step.primitive
    if name in DERIVATIVES:
        return "missing-factor", f"{DERIVATIVES[name].rstrip(',')} is missing as a factor{at}"
    if name == "select_n":
        return "extra-support", f"the choice{at} is ignored: entries that were not chosen get a derivative"
    other = step.inputs[1 - k]
    value = np.asarray(tape.values[other])
    said = called(tape, other)
    if name == "div":
        said = f"1/{said}" if k == 0 else f"the derivative of the quotient by {called(tape, step.inputs[k])}"
    if value.size and (value == value.ravel()[0]).all():
        kind = "scale" if _constant(tape, other) else "missing-factor"
        return kind, f"the factor {said} ({value.ravel()[0].item():.6g}) is missing{at}"
    if set(np.unique(value)) <= {0.0, 1.0}:
        return "extra-support", f"the mask {said} is not applied{at}"
    return "missing-factor", f"the factor {said} is missing{at}"


def _constant(tape: Tape, n: int) -> bool:
    """Whether a value is a constant of the function, not computed from its arguments."""
    for step in tape.steps:
        if n in step.outputs:
            return all(_constant(tape, m) for m in step.inputs)
    return n not in tape.arguments


def _equal_axes(shape: Sequence[int]) -> Iterator[tuple[int, int]]:
    for a in range(len(shape)):
        for b in range(a + 1, len(shape)):
            if shape[a] == shape[b] > 1:
                yield a, b


def _derivative(name: str) -> str:
    return DERIVATIVES.get(name, f"the derivative of the {name}").rstrip(",")
