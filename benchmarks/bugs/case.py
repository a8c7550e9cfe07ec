"""What a case of the checker's own exam is: a derivative that is right, and the same one with a mistake in it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mvcalc_jax.verify import Link


@dataclass(frozen=True)
class Jacobian:
    """For `check_jacobian(f, jac, *args, argnums=argnums)`."""

    f: Callable[..., Any]
    jac: Callable[..., Any]
    args: tuple[Any, ...]
    argnums: int | tuple[int, ...] = 0


@dataclass(frozen=True)
class Hessian:
    """For `check_hessian(f, hess, *args, argnums=argnums)`, f scalar."""

    f: Callable[..., Any]
    hess: Callable[..., Any]
    args: tuple[Any, ...]
    argnums: int | tuple[int, ...] = 0


@dataclass(frozen=True)
class Vjp:
    """For `check_vjp(f, fwd, bwd, *args)`: the pair that `jax.custom_vjp.defvjp` takes."""

    f: Callable[..., Any]
    fwd: Callable[..., Any]
    bwd: Callable[..., Any]
    args: tuple[Any, ...]


@dataclass(frozen=True)
class Chain:
    """For `check_chain(links, x, total)`, links applied first to last; `total(x)` is the whole Jacobian."""

    links: tuple[Link, ...]
    x: Any
    total: Callable[..., Any] | None = None


Subject = Jacobian | Hessian | Vjp | Chain


@dataclass(frozen=True)
class Bug:
    """A derivative that is wrong.

    Attributes:
        name: of the mistake, such as "no 1/N".
        wrong: what is checked.
        kinds: what a knowledgeable colleague might call the cause, the best name first; the exam takes each of them.
        leaves: the paths of all leaves that are wrong at a general point, such as `args[0].W`; none for a chain.
        link: the name of the link that is wrong; "total" if all links are right and `total` is not.
        family: the class of mistake that it stands for.
    """

    name: str
    wrong: Subject
    kinds: tuple[str, ...]
    leaves: tuple[str, ...] = ()
    link: str = ""
    family: str = ""


@dataclass(frozen=True)
class Case:
    """A function with a correct derivative, and wrong ones. The correct one is a control."""

    name: str
    right: Subject
    bugs: tuple[Bug, ...] = ()
