"""From what a user passes to what is solved: shapes, batch axes and kinds of numbers, looked at before any work."""

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import require
from mvcalc_jax.fitting import batch, implicit
from mvcalc_jax.fitting.loop import METHODS, Model
from mvcalc_jax.fitting.result import Fit
from mvcalc_jax.fitting.solve import Inputs, Plan, Solution
from mvcalc_jax.precision import promoting

Bounds = tuple[Any, Any]
EVERYWHERE: Bounds = (-np.inf, np.inf)


class Options(NamedTuple):
    """What every fit can be told, checked by `checked`."""

    method: str
    absolute_sigma: bool
    fixed: Sequence[int | str]
    nan_policy: str | None
    xtol: float | None
    max_steps: int | None

    def checked(self, names: tuple[str, ...], most: int) -> "Options":
        """The same, with the most steps unless told otherwise; or an error.

        Raises:
            ValueError: for an unknown method or policy, or numbers out of range.
            TypeError: where a number is none, or `fixed` no list.
        """
        require.one_of("method", self.method, METHODS)
        if self.nan_policy is not None:
            require.one_of("nan_policy", self.nan_policy, ["omit"])
        if self.xtol is not None:
            require.positive("xtol", self.xtol)
        steps = most if self.max_steps is None else require.whole("max_steps", self.max_steps, least=0)
        if isinstance(self.fixed, str) or not isinstance(self.fixed, Iterable):
            raise TypeError(
                f"`fixed` must be a list of parameters, such as [{names[-1]!r}]; got {self.fixed!r}"
            )
        fixed = tuple(self.fixed)
        for which in fixed:
            if which not in names and which not in range(len(names)):
                raise ValueError(f"`fixed` must name parameters out of {', '.join(names)}; got {which!r}")
        if all(n in fixed or k in fixed for k, n in enumerate(names)):
            raise ValueError("`fixed` holds every parameter; leave one free, or there is nothing to fit")
        return self._replace(fixed=fixed, max_steps=steps)


class Problem(NamedTuple):
    """A batch of fits, ready to be solved.

    Attributes:
        model: its normal equations.
        names: of the parameters.
        inputs: each (m, ...) or (1, ...) where all fits share it.
        shape: the axes of the batch; m is their product.
        options: as checked.
        function: f(x, *params).
        start: from the data to p0 where none was given.
        polished: whether there is a cheaper stage before the one with the Hessian.
    """

    model: Model
    names: tuple[str, ...]
    inputs: Inputs
    shape: tuple[int, ...]
    options: Options
    function: Callable[..., Any]
    start: Callable[[Any], Any] | None
    polished: bool

    def plan(self, lanes: int) -> Plan:
        """What is compiled for chunks of so many fits."""
        fixed = self.options.fixed
        free = tuple(n not in fixed and k not in fixed for k, n in enumerate(self.names))
        return Plan(
            self.model,
            free,
            self.options.method,
            lanes,
            self.polished,
            self.options.absolute_sigma,
            self.options.nan_policy == "omit",
            self.start,
        )

    @property
    def offset(self) -> float:
        """The relative offset from which a last Newton step reaches `xtol`."""
        xtol = self.options.xtol
        return float(np.sqrt(jnp.finfo(self.inputs.y.dtype).eps ** 0.9 if xtol is None else xtol))

    def solve(self) -> Fit:
        """Fit, on all devices and cores, unless the data stand inside another computation."""
        if require.traced(self.inputs):
            return self.solve_traced()
        fits, y = int(np.prod(self.shape)), self.inputs.y
        size = batch.size_of(fits, y.shape[-1], y.dtype.itemsize)
        return self._fit(batch.collected(self.solved(batch.cut(self.inputs, fits, size.block), size), fits))

    def solved(
        self, blocks: Iterable[tuple[int, Inputs]], size: batch.Size
    ) -> Generator[tuple[int, Solution]]:
        """Fit block after block; see `batch.solved`."""
        return batch.solved(self.plan(size.lanes), blocks, size, offset=self.offset, steps=self._steps)

    def solve_traced(self) -> Fit:
        """Fit as a part of another computation, in its precision, to be differentiated and mapped."""
        inside = self._replace(inputs=jax.tree.map(jnp.asarray, self.inputs))
        with promoting():
            return self._fit(implicit.solve(self.plan(1), inside.inputs, inside.offset, self._steps))

    @property
    def _steps(self) -> int:
        steps = self.options.max_steps
        assert steps is not None
        return steps

    def _fit(self, solution: Solution) -> Fit:
        arrays = (a.reshape((*self.shape, *a.shape[1:])) for a in solution)
        fit = Fit(*arrays, names=self.names, model=self.function)
        return jax.tree.map(lambda a: a[()], fit)


def prepared(
    x: Any,
    y: Any,
    sigma: Any,
    mask: Any,
    p0: Any,
    bounds: Bounds,
    names: tuple[str, ...],
    *,
    axes: int = 1,
) -> tuple[Inputs, tuple[int, ...]]:
    """Bring the arrays to one batch.

    Args:
        x: (n,), or (k, n) for k predictors, perhaps after the axes of the batch; (..., n) where it is like y.
        y: (..., n).
        sigma: (..., n), or one number.
        mask: (..., n), true where a point counts.
        p0: (..., p), or None.
        bounds: two of (..., p), or of one number.
        names: of the p parameters.
        axes: how many axes one fit's x has where it is not like y.

    Raises:
        ValueError, TypeError: for arrays that do not fit together, or hold no numbers.
    """
    y = numbers("ydata", y)
    kind = y.dtype if y.dtype in (np.float32, np.float64) else np.dtype(np.float32)
    if not jnp.issubdtype(y.dtype, jnp.floating):
        kind = np.dtype(np.float64) if not require.traced(y) else jnp.result_type(float)
    if y.ndim == 0 or y.shape[-1] == 0:
        raise ValueError(f"`ydata` must have points on its last axis; got shape {y.shape}")
    n, p = y.shape[-1], len(names)
    x = numbers("xdata", x)
    own = axes if x.shape != y.shape or axes > 1 else 1
    if x.ndim >= 2 and x.shape != y.shape and axes == 1:
        own = 1 if _spreads(x.shape, y.shape) else 2
    if x.ndim < own or x.shape[-1] != n:
        raise ValueError(f"`xdata` must have the {n} points of ydata on its last axis; got shape {x.shape}")
    sides = [numbers(f"bounds[{k}]", bound) for k, bound in enumerate(_pair(bounds))]
    if not require.traced(sides) and np.all(np.isneginf(sides[0])) and np.all(np.isposinf(sides[1])):
        lower = upper = None
    else:
        lower, upper = (_vector(f"bounds[{k}]", side, p, names) for k, side in enumerate(sides))
        if not require.traced(sides) and max(side.ndim for side in sides) < 2:
            for k, name in enumerate(names):
                if not lower[k] < upper[k]:
                    raise ValueError(
                        f"the lower bound of {name} must be below its upper one; got {lower[k]} and {upper[k]}"
                    )
    given = {
        "ydata": (y, 1),
        "xdata": (x, own),
        "sigma": (None if sigma is None else _row("sigma", numbers("sigma", sigma), n), 1),
        "mask": (None if mask is None else _row("mask", _flags(mask), n), 1),
        "p0": (None if p0 is None else _vector("p0", numbers("p0", p0), p, names), 1),
        "bounds[0]": (lower, 1),
        "bounds[1]": (upper, 1),
    }
    leads = {name: a.shape[: a.ndim - own] for name, (a, own) in given.items() if a is not None}
    try:
        shape = np.broadcast_shapes(*leads.values())
    except ValueError:
        found = ", ".join(f"{name} {lead}" for name, lead in leads.items() if lead)
        raise ValueError(f"the axes of the batch must fit together; got {found}") from None
    if 0 in shape:
        raise ValueError(f"the batch is empty: its shape is {shape}; give at least one fit")
    fits = int(np.prod(shape))

    def spread(name: str) -> Any:
        array, own = given[name]
        if array is None:
            return None
        array = array.astype(bool if name == "mask" else kind)
        lead, tail = array.shape[: array.ndim - own], array.shape[array.ndim - own :]
        numeric = jnp if require.traced(array) else np
        if int(np.prod(lead)) == 1:
            return array.reshape(1, *tail)
        return numeric.broadcast_to(array, (*shape, *tail)).reshape(fits, *tail)

    return Inputs(*map(spread, ("xdata", "ydata", "sigma", "mask", "p0", "bounds[0]", "bounds[1]"))), shape


def _spreads(lead: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether x has the batch's axes, or as many ones."""
    return len(lead) == len(shape) and all(a in (1, b) for a, b in zip(lead, shape, strict=True))


def numbers(name: str, value: Any) -> Any:
    """Real numbers as an array, whole ones as they are; inside `jit` as it is.

    Raises:
        TypeError: for what holds none.
    """
    array = require.array(name, value)
    if not require.is_real(array.dtype):
        raise TypeError(f"`{name}` must hold real numbers; got {array.dtype}")
    return array


def _flags(mask: Any) -> Any:
    array = require.array("mask", mask)
    if array.dtype != bool:
        raise TypeError(f"`mask` must hold booleans, true where a point counts; got {array.dtype}")
    return array


def _row(name: str, array: Any, n: int) -> Any:
    if array.ndim == 0:
        return array.reshape(1)[[0] * n]
    if array.shape[-1] != n:
        raise ValueError(
            f"`{name}` must have the {n} points of ydata on its last axis; got shape {array.shape}"
        )
    return array


def _vector(name: str, array: Any, p: int, names: tuple[str, ...]) -> Any:
    if array.ndim == 0 and name != "p0":
        return array.reshape(1)[[0] * p]
    if array.ndim == 0 or array.shape[-1] != p:
        raise ValueError(
            f"`{name}` must have {p} values on its last axis, for {', '.join(names)}; got shape {array.shape}"
        )
    return array


def _pair(bounds: Any) -> tuple[Any, Any]:
    try:
        lower, upper = bounds
    except (TypeError, ValueError):
        raise ValueError(
            "`bounds` must be a pair, (lower, upper), of numbers or of one for each parameter"
        ) from None
    return lower, upper
