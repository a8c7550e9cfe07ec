"""A floor of the player's own: a function of a file, differentiated by JAX."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import autodiff, named, require
from mvcalc_jax.require import AnyArray
from mvcalc_jax.sandpit.floors.family import BOX, Family, double
from mvcalc_jax.sandpit.floors.scaled import Floor, made
from mvcalc_jax.sandpit.floors.survey import survey


def own_floor(name: str) -> Floor:
    r"""The floor that a function of a file makes, scaled to metres as all are.

    Args:
        name: FILE.py:f, where f(x, y), or f(p) with p of shape (2,), is a number, written in JAX.

    Raises:
        ValueError: where there is no such function, or it is no floor: no number, not finite on [0, 6]², flat, or not
            to be compiled and differentiated.

    >>> from pathlib import Path
    >>> _ = Path("bowl.py").write_text("def f(x, y): return (x - 2) ** 2 + (y - 3) ** 2\n")
    >>> floor = mv.sandpit.own_floor("bowl.py:f")
    >>> print(floor.lowest.round(6), float(floor.depth(np.array([2.0, 3.0]))), floor.highest)
    [2. 3.] -9.0 [6. 0.]
    """
    with double():
        try:
            target = named.targets((name,))[0]
        except OSError as error:
            raise ValueError(str(error)) from None
        f = _of_point(name, target.value)
        try:
            _require_smooth(name, f)
            family = Family(
                name,
                f"{name}, a floor of your own.",
                lambda rng: (),
                lambda c, p: f(p),
                lambda c, p: autodiff.gradient(f)(p),
                lambda c, p: autodiff.hessian(f)(p),
                points=121,
            )
            lie = survey(family, ())
        except (Exception, SystemExit) as error:
            if isinstance(error, Exception) and not named.line(error, target.file):
                raise ValueError(str(error)) from error
            raise ValueError(f"{name} cannot be a floor: {named.blame(error, target.file)}") from error
        return made(family, 0, (), lie)


def _of_point(name: str, value: Any) -> Callable[[Any], Any]:
    """The function of a point that a function of one point, or of two numbers, is."""
    if not callable(value):
        raise ValueError(f"{name} must be a function f(x, y); got {type(value).__name__}")
    try:
        parameters = inspect.signature(value).parameters.values()
    except ValueError:  # some functions written in C do not tell
        parameters = ()
    places = [p for p in parameters if p.kind <= p.VAR_POSITIONAL]
    needed = [p for p in places if p.default is p.empty and p.kind is not p.VAR_POSITIONAL]
    most = np.inf if any(p.kind is p.VAR_POSITIONAL for p in places) else len(places)
    keywords = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    if len(needed) > 2 or most < 1 or keywords:
        listed = ", ".join(p.name for p in parameters)
        raise ValueError(f"{name} must be a function of two numbers, f(x, y), or of a point; got f({listed})")
    if len(needed) == 2 or (len(needed) == 0 and most >= 2):
        return lambda p: _number(name, value(p[0], p[1]))
    return lambda p: _number(name, value(p))


def _number(name: str, value: Any) -> Any:
    """What the function returns; whole numbers are numbers, too."""
    if not isinstance(value, (int, float, complex, np.generic, AnyArray)):
        raise ValueError(f"{name} must return a single number; got {type(value).__name__}")
    whole = isinstance(value, int) or (hasattr(value, "dtype") and jnp.issubdtype(value.dtype, jnp.integer))
    return jnp.asarray(value, float) if whole else value


def _require_smooth(name: str, f: Callable[[Any], Any]) -> None:
    """Require one number, and derivatives that JAX knows."""
    middle = jnp.asarray(BOX.mean(axis=1))
    require.scalar(name, f, middle)
    require.twice_differentiable(name, f, middle)
    jax.eval_shape(jax.vmap(f), middle[None])
