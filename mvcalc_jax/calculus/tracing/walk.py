"""The walks over a recorded function: what moves with its arguments, and the chain rule from either end."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import text
from mvcalc_jax.calculus.tracing import words
from mvcalc_jax.calculus.tracing.elementary import FLAT, Flat
from mvcalc_jax.calculus.tracing.record import Performed, Record
from mvcalc_jax.calculus.tracing.rule import At, Local, Rule
from mvcalc_jax.calculus.tracing.table import found

Slopes = dict[int, Any]
"""The derivatives accumulated, by the number of a value."""


class Rated(NamedTuple):
    """A step with its rule, and the local derivatives by those of its inputs that move."""

    done: Performed
    at: At
    rule: Rule | Flat
    locals: dict[int, Local]


class Walk:
    """A record, and of its values those that move with the arguments; of its steps those that lead to the result.

    Raises:
        ValueError: if a step that moves has no rule, or complex numbers.
    """

    def __init__(self, kept: Record, moves: Sequence[bool]):
        self.kept = kept
        self.values = [_plain(value) for value in kept.values]
        self.free = [k for k, free in enumerate(moves) if free]
        self.depends, self.moving = set(range(len(moves))), set(self.free)
        for done in kept.performed:
            if not self.depends.isdisjoint(done.inputs):
                self.depends.update(done.outputs)
            if done.primitive not in FLAT and not self.moving.isdisjoint(done.inputs):
                self.moving.update(n for n in done.outputs if _carries(self.values[n]))
        wanted, steps = {kept.result}, []
        for done in reversed(kept.performed):
            if not wanted.isdisjoint(done.outputs) and not self.depends.isdisjoint(done.inputs):
                wanted.update(done.inputs)
                steps.append(done)
        self.steps = [self._rated(done) for done in reversed(steps)]

    def _rated(self, done: Performed) -> Rated:
        xs, ys = (tuple(self.values[n] for n in numbers) for numbers in (done.inputs, done.outputs))
        at = At(xs, ys, tuple(n in self.moving for n in done.inputs), done.params, done.apply)
        rule = found(done.primitive, done.params)
        if self.moving.isdisjoint(done.outputs):
            return Rated(done, at, rule or Flat("", done.primitive), {})
        if any(np.iscomplexobj(value) for value in (*xs, *ys)):
            raise ValueError(
                f"`f` must compute with real numbers on the way, too; its primitive `{done.primitive}` has complex ones"
            )
        if not isinstance(rule, Rule):
            raise ValueError(
                f"`f` uses the primitive `{done.primitive}`, for which `trace_rules` has no rule; write that part "
                "of f in other operations, or differentiate it by jax.grad"
            )
        try:
            return Rated(done, at, rule, {k: rule.local(at, k) for k, moves in enumerate(at.moves) if moves})
        except Exception as error:
            raise _unable(done, error) from error

    def reverse(self) -> Slopes:
        """∂f/∂v of every value on a way to the result."""
        slopes: Slopes = {}
        if self.kept.result in self.moving:
            slopes[self.kept.result] = np.ones_like(self.values[self.kept.result])
        for step in reversed(self.steps):
            above = [slopes.get(n) for n in step.done.outputs]
            if all(g is None for g in above):
                continue
            for k, local in reversed(step.locals.items()):
                n = step.done.inputs[k]
                try:
                    parts = local.pull(above)
                except Exception as error:
                    raise _unable(step.done, error) from error
                for part in parts:
                    part = np.asarray(part, self.values[n].dtype)
                    slopes[n] = slopes[n] + part if n in slopes else part
        return slopes

    def forward(self) -> Slopes:
        """∂v/∂x of every value, for every number x to differentiate by; these along the last axis."""
        ways = [self._forward(k, entry) for k in self.free for entry in range(self.values[k].size)]
        found = {}
        for n in set().union(*ways):
            nothing = np.zeros_like(self.values[n])
            found[n] = np.stack([way.get(n, nothing) for way in ways], axis=-1)
        return found

    def _forward(self, argument: int, entry: int) -> Slopes:
        unit = np.zeros_like(self.values[argument])
        unit.reshape(-1)[entry] = 1
        slopes: Slopes = {argument: unit}
        for step in self.steps:
            for k, local in step.locals.items():
                if step.done.inputs[k] not in slopes:
                    continue
                pushed = local.push(slopes[step.done.inputs[k]])
                for n, part in zip(step.done.outputs, pushed, strict=True):
                    if n in self.moving:
                        part = np.asarray(part, self.values[n].dtype)
                        slopes[n] = slopes[n] + part if n in slopes else part
        return slopes

    def gradient(self, slopes: Slopes, mode: str) -> dict[int, Any]:
        """∂f/∂x for every argument x that f is differentiated by, in its shape."""
        result = {}
        ends = np.cumsum([self.values[k].size for k in self.free])[:-1]
        row = slopes.get(self.kept.result) if mode == "forward" else None
        parts = [None] * len(self.free) if row is None else np.split(row, ends)
        for k, part in zip(self.free, parts, strict=True):
            slope = slopes.get(k) if mode == "reverse" else part
            x = self.values[k]
            slope = np.zeros_like(x) if slope is None else np.asarray(slope).reshape(x.shape)
            result[k] = slope[()] if x.ndim else slope.item()
        return result

    def told(
        self, titles: Sequence[str], slopes: Slopes, back: Slopes
    ) -> tuple[list[words.Step], dict[int, str]]:
        """The steps in words, and the names of values; `back` are the slopes of reverse mode."""
        names: dict[int, str] = dict(enumerate(titles))
        told, arrays = [], 0
        v, c = (_letter(letters, titles) for letters in ("vwz", "ckm"))

        def name(n: int, first: bool) -> str:
            nonlocal arrays
            if n not in names:
                value = self.values[n]
                if value.ndim == 0:
                    return words.constant(value, first)
                arrays += 1
                names[n] = f"{c}{arrays}"
            return names[n]

        for step in self.steps:
            done, at = step.done, step.at
            inputs = [name(n, k == 0) for k, n in enumerate(done.inputs)]
            if _unseen(step):
                names[done.outputs[0]] = inputs[0]
                continue
            for n in done.outputs:
                names[n] = (
                    f"{v}{len(told) + 1}"
                    if len(done.outputs) == 1
                    else f"{v}{len(told) + 1}.{n - done.outputs[0] + 1}"
                )
            own = names[done.outputs[0]] if len(done.outputs) == 1 else f"{v}{len(told) + 1}"
            say = partial(_filled, inputs, own, _index(done))
            moves = bool(step.locals)
            if isinstance(step.rule, Rule):
                rule = step.rule.word(at) if moves else "no derivative: nothing in it moves"
                edges = tuple(
                    words.Edge(inputs[k], say(step.rule.partials[k]), local.value)
                    for k, local in step.locals.items()
                )
            else:
                rule, edges = f"{step.rule.word or 'no derivative'}: 0", ()
            bent = step.rule.kink(at) if not (moves and isinstance(step.rule, Flat)) else None
            notes = say(bent) if bent else _strange(at, step), _trapped(step, back, own)
            note = "; ".join(filter(None, notes))
            taken = tuple(dict.fromkeys(names[n] for n in done.inputs if n in self.depends))
            value = at.y if len(at.ys) == 1 else np.concatenate([y.reshape(-1) for y in at.ys])
            nothing = (
                np.zeros_like(at.y) if moves else None
            )  # no derivative arrives, as behind a stop_gradient
            accumulated = slopes.get(done.outputs[0], nothing) if len(done.outputs) == 1 else None
            told.append(words.Step(own, say(step.rule.formula), value, rule, edges, accumulated, note, taken))
        return told, names


def _letter(letters: str, taken: Sequence[str]) -> str:
    """The first letter of some that no argument has, with a number after it."""
    free = (letter for letter in letters if not any(re.match(rf"{letter}\d", name) for name in taken))
    return next(free, letters[0])


def _filled(inputs: Sequence[str], own: str, index: dict[str, Any], form: str) -> str:
    """A form of words with the names of a step's inputs, and its own, in their places."""
    return form.format(*inputs, *["…"] * 9, y=own, **index)


def _plain(value: Any) -> Any:
    """A value as an array of NumPy's, and the key of a generator as its bits."""
    keys = jnp.issubdtype(value.dtype, jax.dtypes.prng_key)
    return np.asarray(jax.random.key_data(value) if keys else value)


def _carries(value: Any) -> bool:
    return jnp.issubdtype(value.dtype, jnp.inexact)


def _unseen(step: Rated) -> bool:
    """Whether a step only hands a value on."""
    kinds = "enter", "copy", "copy_p", "squeeze", "convert_element_type", "reduce_precision"
    return step.done.primitive in kinds and step.at.xs[0].dtype == step.at.y.dtype


def _index(done: Performed) -> dict[str, Any]:
    return {"index": done.params["index"]} if done.primitive == "entry" else {}


def _strange(at: At, step: Rated) -> str:
    """What is not finite in a step although its inputs are."""
    if any(not np.all(np.isfinite(x)) for x in at.xs if _carries(x)):
        return ""
    if any(not np.all(np.isfinite(y)) for y in at.ys if _carries(y)):
        return "not finite here: outside of its domain, or too large"
    slopes = [local.value for local in step.locals.values() if local.value is not None]
    if any(not np.all(np.isfinite(slope)) for slope in slopes):
        return "not differentiable here: its slope is not finite"
    return ""


def _trapped(step: Rated, back: Slopes, own: str) -> str:
    """Whether reverse mode makes NaN of a branch that was not taken."""
    above = [back.get(n) for n in step.done.outputs]
    known = [g for g in above if g is not None]
    if not any(np.any(g == 0) for g in known) or not all(np.all(np.isfinite(g)) for g in known):
        return ""
    steep = [of for of in step.locals.values() if of.value is not None and not np.all(np.isfinite(of.value))]
    if not any(np.any(np.isnan(part)) for local in steep for part in local.pull(above)):
        return ""
    return (
        f"∂f/∂{own} is 0 here, as in a branch that is not taken, but its slope is infinite or NaN, and 0·∞ is NaN in "
        "reverse mode; where the branch is not taken, give it an argument at which its slope is finite"
    )


def _unable(done: Performed, error: Exception) -> ValueError:
    said = f"{type(error).__name__}: {text.first_line(error)}"
    return ValueError(
        f"`f` uses the primitive `{done.primitive}`, which `trace_rules` cannot differentiate here ({said}); "
        "differentiate it by jax.grad"
    )
