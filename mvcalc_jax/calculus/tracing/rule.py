"""What a rule of differentiation is: for a step y = f(x₁, x₂, …), how each xₖ moves y, and how that is said.

A local derivative ∂y/∂xₖ is a linear map. Forward mode pushes a change of xₖ through it, reverse mode pulls the
derivative ∂(result)/∂y back through it. Of functions that act entry by entry it is a number for each entry: a few
factors, multiplied in the order of JAX's own rules, so that both agree to the last bit.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from jax import lax

Factor = Callable[[Any], Any]
"""t times something."""


class At(NamedTuple):
    """A step as its rule sees it: values of what goes in and of what comes out, and which inputs move."""

    xs: tuple[Any, ...]
    ys: tuple[Any, ...]
    moves: tuple[bool, ...]
    params: dict[str, Any]
    apply: Callable[..., list[Any]]

    @property
    def y(self) -> Any:
        return self.ys[0]


class Local(NamedTuple):
    """A local derivative: as a map in both directions, and as numbers where it has one for each entry."""

    push: Callable[[Any], list[Any]]
    """A change of the input to the changes of the outputs."""
    pull: Callable[[Sequence[Any]], tuple[Any, ...]]
    """∂(result)/∂(outputs), None where there is none, to ∂(result)/∂(input), in parts that are to be added."""
    value: Any = None


class Rule(NamedTuple):
    """How one kind of step is differentiated.

    `word` names the rule, `formula` and `partials` say the step and its derivatives in the names of its inputs (`{0}`,
    `{1}` …) and its output (`{y}`), and `kink` is a sentence about where there is no derivative, or None.
    """

    word: Callable[[At], str]
    formula: str
    partials: Sequence[str]
    local: Callable[[At, int], Local]
    kink: Callable[[At], str | None] = lambda at: None


def times(a: Any) -> Factor:
    """t · a"""
    return lambda t: t * a


def over(a: Any) -> Factor:
    """t / a"""
    return lambda t: t / a


class PlusTimes(NamedTuple):
    """t + t · a, which is t · (1 + a); in reverse mode JAX adds the two to the rest one after the other."""

    a: Any

    def __call__(self, t: Any) -> Any:
        return t + t * self.a


def diagonal(factors: Sequence[Factor], x: Any, y: Any) -> Local:
    """The local derivative of a function that acts entry by entry, as its factors; reverse mode takes the last first.

    An axis of length 1 of x may have met a longer one: what comes back is summed over it.
    """
    met = tuple(d for d in range(-y.ndim, 0) if -d > x.ndim or x.shape[d] != y.shape[d])

    def forward(t: Any) -> Any:
        return reduce(lambda t, factor: factor(t), factors, t)

    def backward(g: Sequence[Any]) -> Any:
        if factors and isinstance(factors[0], PlusTimes):
            t = reduce(lambda t, factor: factor(t), factors[:0:-1], g[0])
            parts = (t, t * factors[0].a)
        else:
            parts = (reduce(lambda t, factor: factor(t), factors[::-1], g[0]),)
        return tuple(summed(part, met).reshape(x.shape) for part in parts) if met else parts

    push = (lambda t: [np.broadcast_to(forward(t), y.shape)]) if met else lambda t: [forward(t)]
    return Local(push, backward, forward(np.ones_like(y)))


def summed(x: Any, axes: Sequence[int]) -> Any:
    """A sum in the order of JAX's: its last bits depend on that."""
    axes = [axis % x.ndim for axis in axes]
    return np.asarray(lax.reduce(x, np.zeros((), x.dtype), lax.add, axes)) if axes else x


def linear(push: Callable[[Any], Any], pull: Callable[[Any], Any]) -> Local:
    """The local derivative of a step that is linear in an input, with one output."""
    return Local(lambda t: [push(t)], lambda g: (pull(g[0]),))
