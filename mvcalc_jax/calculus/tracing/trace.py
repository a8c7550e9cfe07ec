r"""Which rule of differentiation is applied at each step of a function, and what comes of it.

A function is a chain of steps v₁, v₂, …, each of a kind whose derivative is in a table written by hand (`elementary`,
`structural`). The chain rule joins them, from either end:

    forward   ∂vₖ/∂x = Σⱼ ∂vₖ/∂vⱼ · ∂vⱼ/∂x     from the arguments on, once for each number in them
    reverse   ∂f/∂vⱼ = Σₖ ∂f/∂vₖ · ∂vₖ/∂vⱼ     from the result back, once for all of them

Reference: Griewank and Walther, Evaluating Derivatives (2008), chapters 2 and 3.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import precision, require, text
from mvcalc_jax.autodiff import Argnums
from mvcalc_jax.calculus.tracing.record import record
from mvcalc_jax.calculus.tracing.walk import Walk
from mvcalc_jax.calculus.tracing.words import Input, Step, Trace

Mode = Literal["reverse", "forward"]


def trace_rules(
    f: Callable[..., Any], *, argnums: Argnums | None = None, mode: Mode = "reverse"
) -> Callable[..., Trace]:
    """The rules by which f is differentiated: `print(trace_rules(f)(x))`.

    Args:
        f: written in JAX, of numbers, arrays or trees of them, several arguments if need be, to one number.
        argnums: of the arguments to differentiate by; all that hold floating-point numbers, if none are named. A
            Python number is a floating-point number; but where f wants whole ones, as for an index or the rounds of a
            loop, Python's whole numbers that are not named stay what they are.
        mode: "reverse" accumulates ∂f/∂v from the result back, "forward" ∂v/∂x from the arguments on.

    Returns:
        A function of f's arguments that gives a `Trace`: its steps, each with its value, its rule, its local
        derivatives and the derivative accumulated so far, and `gradient`, which equals `jax.grad`'s.

    Raises:
        TypeError: where f is no function; and, from the function returned, where f is not written in JAX or returns
            whole numbers, or where an argument named holds none that can be differentiated by.
        ValueError: from the function returned, where f gives more than one number, takes too many steps, or is
            made of an operation that has no rule here, which is named; where an argument is infinite or NaN, or
            stands inside `jit`.

    >>> trace = mv.trace_rules(lambda x: x**2 * (x + 1))(2.0)
    >>> print(trace)
    f(x) = 12.0 at x = 2; reverse mode, from the result back
    <BLANKLINE>
        step     value  local derivative  ∂f/∂·  rule
    v3  v1 · v2  12     ∂/∂v1 = v2 = 3    1      product
                        ∂/∂v2 = v1 = 4
    v2  x + 1    3      ∂/∂x = 1          4      sum with a constant
    v1  x²       4      ∂/∂x = 2·x = 4    3      power
    x            2                        16     argument
    <BLANKLINE>
    ∂f/∂x = 16.0
    """
    f = require.function("f", f)
    require.one_of("mode", mode, ("reverse", "forward"))

    def trace(*args: Any, **kwargs: Any) -> Trace:
        if kwargs:
            raise TypeError(f"arguments must be given by position; got {', '.join(kwargs)} by name")
        if require.traced(args):
            raise ValueError(
                "`trace_rules` looks at values, which are not known inside jit, vmap and grad; call it outside"
            )
        single, chosen = _chosen(argnums, len(args))
        names = _names(f, len(args))
        read = [
            _read(names[k], arg, argnums is not None) if k in chosen else arg for k, arg in enumerate(args)
        ]
        counts = {
            k: arg
            for k, arg in enumerate(args)
            if isinstance(arg, int) and (argnums is None or k not in chosen)
        }
        with precision.of(read), np.errstate(all="ignore"):
            fixed = counts if counts and not _takes(f, read) else {}
            read = [fixed.get(k, arg) for k, arg in enumerate(read)]
            leaves, tree = jax.tree.flatten(tuple(read))
            paths = [path for path, _ in jax.tree_util.tree_leaves_with_path(tuple(read))]
            moves = [
                path[0].idx in chosen and _floating(leaf) for path, leaf in zip(paths, leaves, strict=True)
            ]
            if not any(moves):
                raise TypeError(
                    "`trace_rules` must be called with floating-point numbers to differentiate by; got none"
                )
            titles = [names[path[0].idx] + jax.tree_util.keystr(path[1:]) for path in paths]
            flat = lambda *leaves: f(
                *(fixed.get(k, x) for k, x in enumerate(jax.tree.unflatten(tree, leaves)))
            )
            if fixed:
                _require_fit(flat, leaves, [names[k] for k in fixed])
            require.scalar("f", flat, *leaves)
            walk = Walk(record(flat, leaves), moves)
            slopes = walk.reverse() if mode == "reverse" else walk.forward()
            steps, said = walk.told(titles, slopes, slopes if mode == "reverse" else walk.reverse())
        slope = walk.gradient(slopes, mode)
        gradients = jax.tree.unflatten(tree, [slope.get(k) for k in range(len(leaves))])
        result = walk.kept.result
        return Trace(
            getattr(f, "__name__", "f").replace("<lambda>", "f"),
            mode,
            tuple(Input(title, walk.values[k], slope.get(k)) for k, title in enumerate(titles)),
            tuple(steps),
            said.get(result, "a constant"),
            walk.values[result].item(),
            gradients[chosen[0]] if single else tuple(gradients[k] for k in chosen),
            _remarks(walk, steps),
        )

    return trace


def _chosen(argnums: Argnums | None, count: int) -> tuple[bool, list[int]]:
    """Whether it is one argument that is asked for, not a tuple, and which."""
    if argnums is None:
        return count == 1, list(range(count))
    asked = list(argnums) if isinstance(argnums, Sequence) else [argnums]
    for k in asked:
        require.whole("argnums", k, least=-count)
        if k >= count:
            raise ValueError(f"`argnums` must be below the number of arguments, {count}; got {k}")
    return isinstance(argnums, int), [k % count for k in asked]


def _takes(f: Callable[..., Any], args: Sequence[Any]) -> bool:
    """Whether f can be traced for its arguments, Python's whole numbers among them made floating-point ones."""
    try:
        jax.eval_shape(lambda *args: f(*args), *args)
    except Exception:
        return False
    return True


def _require_fit(flat: Callable[..., Any], leaves: Sequence[Any], names: Sequence[str]) -> None:
    """Require an f that takes its whole numbers one way or the other.

    Raises:
        TypeError: with what it says to whole numbers, in a line.
    """
    try:
        jax.eval_shape(flat, *leaves)
    except Exception as error:
        raise TypeError(
            f"`f` must take {', '.join(names)} as floating-point or as whole numbers; as whole ones it raises "
            f"{type(error).__name__}: {text.first_line(error)}"
        ) from error


def _names(f: Callable[..., Any], count: int) -> list[str]:
    """What f calls its arguments."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        parameters = ()
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    return names if len(names) == count else ["x"] if count == 1 else [f"x{k + 1}" for k in range(count)]


def _read(name: str, arg: Any, asked: bool) -> Any:
    """An argument with Python's numbers as floating-point ones; arrays of whole numbers stay, unless asked for."""

    if isinstance(arg, Iterator):
        raise TypeError(f"`{name}` must hold numbers; got {type(arg).__name__}; make an array of it")

    def leaf(value: Any) -> Any:
        if not asked and (isinstance(value, bool) or (hasattr(value, "dtype") and not _floating(value))):
            return value
        value = precision.floats(name, value)
        require.finite(name, value)
        return value

    return jax.tree.map(leaf, arg)


def _floating(value: Any) -> bool:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return True  # also where JAX does not know the kind
    return jnp.issubdtype(jnp.result_type(value), jnp.floating)


def _remarks(walk: Walk, steps: Sequence[Step]) -> tuple[str, ...]:
    """What is to be said of the whole."""
    result = walk.kept.result
    if result not in walk.depends:
        return ("constant rule: the result does not depend on the arguments, so its derivative is 0",)
    if result not in walk.moving:
        why = next((f"{step.name} = {step.formula}" for step in steps if not step.edges), "a step")
        return (
            f"the derivative is 0: every way to the result goes through steps that carry none, such as {why}",
        )
    return ()
