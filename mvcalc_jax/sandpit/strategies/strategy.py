"""A strategy: a pair of pure functions, and the programs compiled from them, once for all floors."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float

from mvcalc_jax import compiling, require
from mvcalc_jax.sandpit.floors.family import double


class Failed(Exception):
    """What a player's strategy did instead of giving a step, in a sentence without its subject."""


@dataclass(frozen=True, eq=False)
class Strategy:
    """Where to dig next.

    Attributes:
        name: by which it is asked for.
        title: what it does, in a sentence.
        init: position (2,) → state. None is the state of a player's own before its first step.
        step: (state, position, depth, gradient, hessian, learning_rate) → (state, step), the step (2,).
        learning_rate: unless another is given. None where the strategy has none.

    >>> downhill = lambda state, p, depth, g, H, rate: (state, -rate * g)
    >>> mine = mv.sandpit.Strategy("mine", "steps down", lambda p: 0, downhill, learning_rate=0.1)
    >>> mv.sandpit.walk(mv.sandpit.floor("wells"), mine, (2.0, 4.0)).message
    'mine found the phone'
    """

    name: str
    title: str
    init: Callable[[Any], Any]
    step: Callable[..., tuple[Any, Any]]
    learning_rate: float | None = None

    @cached_property
    def _begun(self) -> Callable[..., Any]:
        return jax.jit(self.init, compiler_options=compiling.quickly())

    @cached_property
    def _stepped(self) -> Callable[..., tuple[Any, Array]]:
        return jax.jit(self.step, compiler_options=compiling.quickly())

    @cached_property
    def many(self) -> tuple[Callable[..., Any], Callable[..., tuple[Any, Array]]]:
        """The programs for `init` and `step` of many walks at once, of one learning rate."""
        begin, step = jax.vmap(self.init), jax.vmap(self.step, (0, 0, 0, 0, 0, None))
        options = compiling.quickly(1)
        return jax.jit(begin, compiler_options=options), jax.jit(step, compiler_options=options)

    def begin(self, position: Float[np.ndarray, "2"]) -> Any:
        """The state before the first step, by a program compiled once for all floors."""
        with double():
            return self._begun(np.asarray(position, float))

    def next(
        self, state: Any, position: Any, depth: Any, gradient: Any, hessian: Any, learning_rate: float | None
    ) -> tuple[Any, Any]:
        """The state and the step after one dip, in NumPy, by a program compiled once for all floors."""
        rate = self.rate(learning_rate)
        with double():
            state, s = self._stepped(
                state, *(np.asarray(a, float) for a in (position, depth, gradient, hessian, rate))
            )
        return state, np.asarray(s)

    def rate(self, learning_rate: float | None) -> float:
        """The learning rate, or the strategy's own where none is given.

        Raises:
            ValueError: where it is not positive.
        """
        if learning_rate is None:
            return 1.0 if self.learning_rate is None else self.learning_rate
        require.positive("learning_rate", learning_rate)
        return float(learning_rate)


def required(name: str, strategy: Any) -> None:
    """Require a strategy, and not its name."""
    if not isinstance(strategy, Strategy):
        raise TypeError(f"`{name}` must be a Strategy, such as STRATEGIES['gradient']; got {strategy!r}")
