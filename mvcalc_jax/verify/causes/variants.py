"""The backward pass of a function for many variants at once.

In each of them the derivative of one kind of step is replaced by another, such as a hand may have written by
mistake; all other steps keep their own. So one pass shows what every mistake of that kind would have led to.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import autodiff
from mvcalc_jax.verify.causes.tape import Region, Step, Tape, differentiable
from mvcalc_jax.verify.points import Leaves


class Change(NamedTuple):
    """Another derivative of a step.

    `back(tape, step, outs, exact)` takes the cotangents of its outputs, and, unless `before`, those that it passes
    back to its inputs. It returns other ones: of the outputs if `before`, else of the inputs.
    """

    back: Callable[..., list[Any]]
    before: bool = False


class Detour(NamedTuple):
    """Another derivative of a region: `back(tape, region, out)` returns the cotangents of its result and its source.

    The first takes the usual way through the region, the second is added where the region begins.
    """

    back: Callable[..., tuple[Any, Any]]


Variant = dict[tuple[int, ...], Change | Detour]
"""For some sites, another derivative."""


def pulled_back(tape: Tape, cotangents: Leaves, variants: Sequence[Variant]) -> list[Any]:
    """For every variant the cotangents of the function's leaves, which lead with the axis of variants."""
    count = len(variants)
    changes: dict[tuple[int, ...], list[tuple[int, Change]]] = {}
    detours: dict[tuple[int, ...], list[tuple[int, Detour]]] = {}
    for k, variant in enumerate(variants):
        for site, change in variant.items():
            if isinstance(change, Detour):
                detours.setdefault(site, []).append((k, change))
            else:
                changes.setdefault(site, []).append((k, change))
    held: dict[int, Any] = {}

    def add(n: int, value: Any) -> None:
        with np.errstate(all="ignore"):
            held[n] = held[n] + value if n in held else value

    for n, v in zip(tape.outputs, cotangents, strict=True):
        if differentiable(tape.values[n]):
            add(n, np.broadcast_to(np.asarray(v), (count, *np.shape(v))))
    ends: dict[int, list[Region]] = {}
    for region in tape.regions:
        if region.site in detours:
            ends.setdefault(region.last - 1, []).append(region)
    for number in range(len(tape.steps) - 1, -1, -1):
        step = tape.steps[number]
        for region in reversed(ends.get(number, [])):
            if region.result in held:
                whole = np.array(held[region.result])
                extra = _zeros(tape, region.source, count)
                for k, detour in detours[region.site]:
                    with _possible():
                        whole[k], extra[k] = detour.back(tape, region, whole[k])
                held[region.result] = whole
                add(region.source, extra)
        if not any(n in held for n in step.outputs):
            continue
        outs = [held.pop(n, None) for n in step.outputs]
        outs = [
            _zeros(tape, n, count) if out is None else np.asarray(out)
            for n, out in zip(step.outputs, outs, strict=True)
        ]
        here = changes.get(step.site, ())
        if any(change.before for _, change in here):
            outs = [np.array(out) for out in outs]
        for k, change in here:
            if change.before:
                with _possible():
                    for out, new in zip(outs, change.back(tape, step, [out[k] for out in outs]), strict=True):
                        out[k] = new
        back = jax.vmap(local_pull(tape, step))([jnp.asarray(out) for out in outs])
        passed = [None if p is None else np.array(p) for p in back]
        for k, change in here:
            if not change.before:
                exact = [None if p is None else p[k] for p in passed]
                with _possible():
                    new = change.back(tape, step, [out[k] for out in outs], exact)
                    for p, q in zip(passed, new, strict=True):
                        if p is not None:
                            p[k] = q
        for n, p in zip(step.inputs, passed, strict=True):
            if p is not None:
                add(n, p)
    return [np.asarray(held[n]) if n in held else _zeros(tape, n, count) for n in tape.inputs]


@contextmanager
def _possible() -> Iterator[None]:
    """Not every operation takes every change: the value of another is out of its domain, or of the wrong type."""
    with suppress(Exception), np.errstate(all="ignore"):
        yield


def _zeros(tape: Tape, n: int, count: int) -> np.ndarray:
    """No cotangents of a value, for every variant."""
    value = tape.values[n]
    kind = np.result_type(jnp.result_type(value), float) if differentiable(value) else float
    return np.zeros((count, *np.shape(value)), kind)


def region_pull(tape: Tape, region: Region, at: Any, cotangent: Any) -> np.ndarray:
    """What a region passes back, were it evaluated at another value."""

    def of(x: Any) -> Any:
        fresh = {region.source: x}
        for step in tape.steps[region.first : region.last]:
            found = step.apply(*(fresh.get(n, tape.values[n]) for n in step.inputs))
            fresh.update(zip(step.outputs, found, strict=True))
        return fresh[region.result]

    _, pull = autodiff.pull(of, at)
    return np.asarray(pull(jnp.asarray(cotangent))[0])


def local_pull(tape: Tape, step: Step, values: Sequence[Any] | None = None) -> Callable[[list], list]:
    """The pullback of one step, at other values if any are given; None for inputs that are not of real numbers."""
    values = [tape.values[n] for n in step.inputs] if values is None else list(values)
    by = [k for k, value in enumerate(values) if differentiable(value)]

    def of(*some: Any) -> list:
        every = list(values)
        for k, value in zip(by, some, strict=True):
            every[k] = value
        return step.apply(*every)

    out, pull = autodiff.pull(of, *(values[k] for k in by))

    def back(cotangents: list) -> list:
        ready = [
            v if differentiable(y) else np.zeros(np.shape(y), jax.dtypes.float0)
            for v, y in zip(cotangents, out, strict=True)
        ]
        found: list[Any] = [None] * len(values)
        for k, p in zip(by, pull(ready), strict=True):
            found[k] = p
        return found

    return back
