"""The changes themselves: what a step passes back instead of what it should."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from mvcalc_jax.verify.causes.tape import Region, Step, Tape
from mvcalc_jax.verify.causes.variants import Change, local_pull, region_pull
from mvcalc_jax.verify.causes.words import DERIVATIVES

BILINEAR = ("mul", "dot_general", "conv_general_dilated")

BY_OUTPUT = {
    "tanh": lambda y: 1 - y**2,
    "logistic": lambda y: y * (1 - y),
    "exp": lambda y: y,
    "sqrt": lambda y: 0.5 / y,
    "rsqrt": lambda y: -0.5 * y**3,
}
"""Derivatives that are usually written in terms of the function's value."""

Rounds = dict[tuple[int, ...], list[Step]]
"""The steps of every site: several in a loop, one elsewhere."""


class Source(NamedTuple):
    """A value of the function: an argument, or what the step of a site returns, or takes as its k-th input.

    In a loop it is another value in every round, that of the same round or of one `shift` rounds away; `value` is that
    of the first.
    """

    site: tuple[int, ...]
    value: int
    k: int | None = None
    shift: int = 0

    def at(self, rounds: Rounds, step: Step) -> int:
        """Its number in the round of a step."""
        mine, theirs = rounds.get(self.site, []), rounds[step.site]
        if len(mine) < 2 or len(mine) != len(theirs):
            return self.value
        number = [each.outputs for each in theirs].index(step.outputs) + self.shift
        same = mine[min(max(number, 0), len(mine) - 1)]
        return same.outputs[0] if self.k is None else same.inputs[self.k]


def stopped() -> Change:
    """Nothing is passed back."""
    return Change(lambda tape, step, outs: [0 * out for out in outs], before=True)


def without(k: int) -> Change:
    """Nothing is passed back to the k-th input."""
    return Change(lambda tape, step, outs, exact: _with(exact, k, 0 * exact[k]))


def scaled(n: int, *, inverse: bool) -> Change:
    """What a step is given back is multiplied, or divided, by a value of the function on its way."""

    def back(tape: Tape, step: Step, outs: list) -> list:
        with np.errstate(all="ignore"):
            factor = np.asarray(tape.values[n])
            return [np.nan_to_num(outs[0] / factor if inverse else outs[0] * factor), *outs[1:]]

    return Change(back, before=True)


def passed_on(k: int) -> Change:
    """The cotangent as it is: as if the derivative were 1."""

    def back(tape: Tape, step: Step, outs: list, exact: list) -> list:
        shape = np.shape(exact[k])
        axes = tuple(a for a, n in enumerate(shape) if n == 1 and outs[0].shape[a] > 1)
        return _with(exact, k, outs[0].sum(axis=axes, keepdims=True))

    return Change(back)


def twice(k: int) -> Change:
    """The derivative of an elementwise function, squared."""
    return Change(lambda tape, step, outs, exact: _with(exact, k, exact[k] * _local(tape, step, k)))


def reciprocal(k: int) -> Change:
    """Divided by the derivative of an elementwise function."""

    def back(tape: Tape, step: Step, outs: list, exact: list) -> list:
        with np.errstate(all="ignore"):
            return _with(exact, k, np.nan_to_num(outs[0] / _local(tape, step, k)))

    return Change(back)


def times_power(k: int, power: int) -> Change:
    """Multiplied by a power of the k-th input."""

    def back(tape: Tape, step: Step, outs: list, exact: list) -> list:
        with np.errstate(all="ignore"):
            factor = np.asarray(tape.values[step.inputs[k]]) ** float(power)
            return _with(exact, k, np.nan_to_num(exact[k] * factor))

    return Change(back)


def elsewhere(rounds: Rounds, k: int, source: Source) -> Change:
    """The derivative with another value for the k-th input."""

    def back(tape: Tape, step: Step, outs: list, exact: list) -> list:
        values = [tape.values[m] for m in step.inputs]
        values[k] = tape.values[source.at(rounds, step)]
        found = _finite(local_pull(tape, step, values)([jnp.asarray(out) for out in outs]))
        if step.primitive in DERIVATIVES:
            return found
        return [p if j == k else q for j, (p, q) in enumerate(zip(exact, found, strict=True))]

    return Change(back)


def by_output(rounds: Rounds, source: Source) -> Change:
    """The derivative in terms of the function's value, with another value for it."""

    def back(tape: Tape, step: Step, outs: list, exact: list) -> list:
        with np.errstate(all="ignore"):
            factor = BY_OUTPUT[step.primitive](np.asarray(tape.values[source.at(rounds, step)]))
            return _with(exact, 0, np.nan_to_num(outs[0] * factor))

    return Change(back)


def transposed(k: int) -> Change:
    """The derivative by the other inputs with the k-th one transposed."""
    return _other_input(k, lambda value: jnp.swapaxes(value, -1, -2))


def flipped(k: int, axes: tuple[int, ...]) -> Change:
    """The derivative by the other inputs with the k-th one backwards along some axes."""
    return _other_input(k, lambda value: jnp.flip(value, axes))


def conjugated() -> Change:
    """The cotangent of the output conjugated."""
    return Change(lambda tape, step, outs: [np.conj(out) for out in outs], before=True)


def conjugated_input(k: int) -> Change:
    """The derivative with the k-th input conjugated."""

    def back(tape: Tape, step: Step, outs: list, exact: list) -> list:
        values = [jnp.conj(tape.values[m]) if j == k else tape.values[m] for j, m in enumerate(step.inputs)]
        return _finite(local_pull(tape, step, values)([jnp.asarray(out) for out in outs]))

    return Change(back)


def _other_input(k: int, of: Any) -> Change:
    def back(tape: Tape, step: Step, outs: list, exact: list) -> list:
        values = [tape.values[m] for m in step.inputs]
        values[k] = of(values[k])
        found = _finite(local_pull(tape, step, values)([jnp.asarray(out) for out in outs]))
        return [p if j == k else q for j, (p, q) in enumerate(zip(exact, found, strict=True))]

    return Change(back)


def cotangent_swapped(k: int, a: int, b: int) -> Change:
    """To the k-th input, what belongs to the cotangent with two axes swapped."""

    def back(tape: Tape, step: Step, outs: list, exact: list) -> list:
        turned = jnp.swapaxes(jnp.asarray(outs[0]), a, b)
        return _with(exact, k, np.asarray(local_pull(tape, step)([turned])[k]))

    return Change(back)


def reversed_order(k: int) -> Change:
    """A product of two square matrices, one of them the cotangent, in the other order."""

    def back(tape: Tape, step: Step, outs: list, exact: list) -> list:
        other = np.asarray(tape.values[step.inputs[1 - k]])
        for m in (other, other.T):
            for c in (outs[0], outs[0].T):
                if np.allclose(c @ m, exact[k], rtol=1e-9, atol=1e-12):
                    return _with(exact, k, m @ c)
                if np.allclose(m @ c, exact[k], rtol=1e-9, atol=1e-12):
                    return _with(exact, k, c @ m)
        return exact

    return Change(back)


def flipped_output(axis: int) -> Change:
    """A cumulative operation that runs the same way back as forth."""

    def back(tape: Tape, step: Step, outs: list, exact: list) -> list:
        flipped = local_pull(tape, step)([jnp.flip(jnp.asarray(outs[0]), axis)])[0]
        return _with(exact, 0, np.flip(np.asarray(flipped), axis))

    return Change(back)


def swapped(k: int, a: int, b: int) -> Change:
    """What is passed back to the k-th input with two axes swapped."""
    return Change(lambda tape, step, outs, exact: _with(exact, k, np.swapaxes(exact[k], a, b)))


def other_axis(k: int, a: int, b: int) -> Change:
    """What is passed back to the k-th input summed over the other of two axes."""

    def back(tape: Tape, step: Step, outs: list, exact: list) -> list:
        values = [tape.values[m] for m in step.inputs]
        values[k] = jnp.broadcast_to(values[k], np.shape(outs[0]))
        terms = np.asarray(local_pull(tape, step, values)([jnp.asarray(outs[0])])[k])
        shape = np.shape(exact[k])
        axes = tuple(
            {a: b, b: a}.get(axis, axis) for axis, n in enumerate(shape) if n == 1 and terms.shape[axis] > 1
        )
        return _with(exact, k, terms.sum(axis=axes).reshape(shape))

    return Change(back)


def reshaped() -> Change:
    """The cotangent in the input's shape, its numbers in the output's order."""
    return Change(lambda tape, step, outs, exact: _with(exact, 0, outs[0].reshape(np.shape(exact[0]))))


def only(k: int, axis: int, rows: slice) -> Change:
    """A sum over an axis of the output's cotangent takes some of its terms only."""

    def back(tape: Tape, step: Step, outs: list, exact: list) -> list:
        kept = np.zeros_like(outs[0])
        at = (*[slice(None)] * axis, rows)
        kept[at] = outs[0][at]
        return _with(exact, k, np.asarray(local_pull(tape, step)([jnp.asarray(kept)])[k]))

    return Change(back)


def one_round(k: int, which: Step) -> Change:
    """To an input that is the same in all rounds of a loop, only one round passes anything back."""

    def back(tape: Tape, step: Step, outs: list, exact: list) -> list:
        return exact if step.outputs == which.outputs else _with(exact, k, 0 * exact[k])

    return Change(back)


def in_one_round(change: Change, which: Step) -> Change:
    """A change in one round of a loop only."""

    def before(tape: Tape, step: Step, outs: list) -> list:
        return change.back(tape, step, outs) if step.outputs == which.outputs else outs

    def after(tape: Tape, step: Step, outs: list, exact: list) -> list:
        return change.back(tape, step, outs, exact) if step.outputs == which.outputs else exact

    return Change(before, before=True) if change.before else Change(after)


def signed(k: int) -> Change:
    """What is passed back to the k-th input with the wrong sign."""
    return Change(lambda tape, step, outs, exact: _with(exact, k, -exact[k]))


def misremembered(k: int, of: Any) -> Change:
    """The derivative of an elementwise function by a wrong formula in terms of its input x and value y."""

    def back(tape: Tape, step: Step, outs: list, exact: list) -> list:
        x, y = (np.asarray(tape.values[n]) for n in (step.inputs[k], step.outputs[0]))
        return _with(exact, k, np.nan_to_num(outs[0] * of(x, y)))

    return Change(back)


MISREMEMBERED = {
    "tanh": {
        "1 − y": lambda x, y: 1 - y,
        "1 + y²": lambda x, y: 1 + y**2,
        "1 − x²": lambda x, y: 1 - x**2,
        "y (1 − y)": lambda x, y: y * (1 - y),
        "√(1 − y²)": lambda x, y: np.sqrt(1 - y**2),
    },
    "logistic": {
        "y": lambda x, y: y,
        "1 − y": lambda x, y: 1 - y,
        "1 − y²": lambda x, y: 1 - y**2,
        "y²": lambda x, y: y**2,
    },
    "exp": {"x eˣ": lambda x, y: x * y, "e⁻ˣ": lambda x, y: np.exp(-x)},
    "log": {"1/x²": lambda x, y: 1 / x**2, "x": lambda x, y: x},
    "sin": {"sin x": lambda x, y: y},
    "cos": {"cos x": lambda x, y: y},
    "sqrt": {"1/(2x)": lambda x, y: 0.5 / x, "√x/2": lambda x, y: 0.5 * y},
    "abs": {"x": lambda x, y: x},
}
"""Wrong derivatives that are written for right ones, with x the argument and y the function's value."""


def overwritten(*, last: bool) -> Change:
    """What moves entries from place to place passes back only one of those that came from the same place."""

    def back(tape: Tape, step: Step, outs: list, exact: list) -> list:
        size = np.size(tape.values[step.inputs[0]])
        tags = jnp.arange(1.0, size + 1).reshape(np.shape(tape.values[step.inputs[0]]))
        rest = [tape.values[n] for n in step.inputs[1:]]
        place = np.asarray(step.apply(tags, *rest)[0]).round()
        place = np.where(np.isfinite(place), place, 0).astype(int).ravel()
        found, values = np.zeros(size + 1), np.ravel(outs[0])
        order = slice(None) if last else slice(None, None, -1)
        found[place[order]] = values[order]
        return _with(exact, 0, found[1:].reshape(np.shape(exact[0])))

    return Change(back)


def region_at(tape: Tape, region: Region, at: Any, c: Any) -> np.ndarray:
    """What a function inside passes back at another value; zero where it is not finite there."""
    return np.asarray(np.nan_to_num(region_pull(tape, region, at, c)))


def _with(exact: list, k: int, new: Any) -> list:
    return [*exact[:k], new, *exact[k + 1 :]]


def _local(tape: Tape, step: Step, k: int) -> np.ndarray:
    """The derivative of an elementwise function."""
    return np.asarray(local_pull(tape, step)([jnp.ones_like(tape.values[step.outputs[0]])])[k])


def _finite(found: list) -> list:
    return [None if p is None else np.nan_to_num(np.asarray(p)) for p in found]
