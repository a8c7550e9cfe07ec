"""A chain of functions, each with its local Jacobian: which link is wrong?

The Jacobian of y = f_L(… f₂(f₁(x))) is the product J_L … J₂J₁ of local Jacobians, each at its own input. Every
link is checked there, alone, so that no mistake spreads; and the whole, if it is given, against their product.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.flatten_util import ravel_pytree

from mvcalc_jax import autodiff, require
from mvcalc_jax.text import first_line
from mvcalc_jax.verify.causes.seen import matches
from mvcalc_jax.verify.float64 import in_float64
from mvcalc_jax.verify.jacobian import check_jacobian, check_part
from mvcalc_jax.verify.names import name, written
from mvcalc_jax.verify.points import inexact, looked_at, near, taken_apart
from mvcalc_jax.verify.report import Diagnosis, LinkResult, Report
from mvcalc_jax.verify.subject import finite

_POINTS, _PERMUTED = 3, 5


class Link(NamedTuple):
    """One function of a chain; `jac(x)` is its local Jacobian at its own input, output axes first.

    >>> link = mv.Link("sin", jnp.sin, lambda x: jnp.diag(jnp.cos(x)))
    >>> mv.check_chain([link], np.array([0.5, 1.0])).links[0].name
    'sin'
    """

    name: str
    f: Callable[..., Any]
    jac: Callable[..., Any]


def check_chain(
    links: Sequence[Link], x: Any, total: Callable[..., Any] | Any | None = None, seed: int = 0
) -> Report:
    """Check every local Jacobian of a chain at its true input, and the Jacobian of the whole.

    Args:
        links: applied first to last: each takes what the one before it returns.
        x: the input of the first link.
        total: the Jacobian of the whole chain: `total(x)`, or its value at x; None if there is none to check.
        seed: of the random points near each link's input.

    Returns:
        A `Report`: `.links` holds the verdict and the full report of each link; `.leaves` the evidence for `total`,
        or, if there is none to check, the leaves of all links, one link after the other.

    Raises:
        TypeError, ValueError: for links that are none, an x that is not of floating-point numbers, or a total that
            is neither a function nor an array.

    >>> A = np.array([[1.0, 2.0], [0.5, -1.0]])
    >>> links = [
    ...     mv.Link("sin", jnp.sin, lambda x: jnp.diag(jnp.cos(x))),
    ...     mv.Link("A", lambda x: A @ x, lambda x: jnp.array(A.T)),
    ... ]
    >>> report = mv.check_chain(links, np.array([0.5, 1.0]))
    >>> [(link.name, link.verdict) for link in report.links], report.diagnoses[0].detail
    ([('sin', 'correct'), ('A', 'wrong')], "is transposed: axes 0 and the output's 0 stand for each other")
    """
    links = _required(links)
    require.whole("seed", seed, least=0, most=None)
    if not (total is None or callable(total) or all(map(inexact, jax.tree.leaves(total)))):
        raise TypeError(f"`total` must be a function, or an array of floating-point numbers; got {total!r}")
    looked_at((x,))
    whole = "" if total is None else f"{written(total, 'total')}, " if callable(total) else "total, "
    again = f"check_chain(links, x, {whole}seed={seed})"
    results = []
    with in_float64():
        values = [_wide(x)]
        for link in links:
            try:
                values.append(link.f(values[-1]))
            except Exception as error:
                reason = f"link {link.name} raises {type(error).__name__}: {first_line(error)}"
                return Report("inconclusive", reason, (), again, tuple(results))
            results.append(_link(link, values[-2], seed))
        return _judged(links, values[0], results, total, seed, again)


def assert_chain(
    links: Sequence[Link], x: Any, total: Callable[..., Any] | Any | None = None, seed: int = 0
) -> None:
    """Raise `AssertionError`, with the report as its message, unless `check_chain` says "correct".

    >>> sine = mv.Link("sin", jnp.sin, lambda x: jnp.diag(jnp.cos(x)))
    >>> mv.assert_chain([sine, sine], np.array([0.5, 1.0]))
    """
    check_chain(links, x, total, seed).require_correct()


def _required(links: Sequence[Link]) -> list[Link]:
    if not isinstance(links, (list, tuple)) or not links:
        raise TypeError(f"`links` must be a list of at least one Link(name, f, jac); got {links!r}")
    ready = []
    for k, link in enumerate(links):
        if not (isinstance(link, tuple) and len(link) == 3 and callable(link[1]) and callable(link[2])):
            raise TypeError(f"`links[{k}]` must be a Link(name, f, jac) of two functions; got {link!r}")
        ready.append(Link(str(link[0]), *link[1:]))
    return ready


def _wide(x: Any) -> Any:
    point = taken_apart((x,), lambda _, leaf: inexact(leaf))
    if not point.leaves:
        raise TypeError(f"`x` must be of floating-point numbers; got {x!r}")
    return point.arguments(point.leaves, point.others)[0]


def _link(link: Link, x: Any, seed: int) -> LinkResult:
    try:
        report = check_jacobian(link.f, link.jac, x, seed=seed)
    except (TypeError, ValueError) as error:  # the link before it returns integers, or nothing
        report = Report("inconclusive", f"the input of {link.name}: {error}".replace("args[0]", "x"), (), "")
        return LinkResult(link.name, report.verdict, report)
    again = report.again.replace("*args, argnums=0", "x")
    return LinkResult(
        link.name, report.verdict, replace(report, again=f"{again}  # x is the input of {link.name}")
    )


def _elsewhere(path: "_Path", results: list[LinkResult]) -> list[LinkResult]:
    """Wrong links whose local Jacobian is right, but for another value on the way."""
    found = []
    for k, result in enumerate(results):
        if result.verdict == "wrong" and (j := path.evaluated_at(k)) is not None:
            said = f"is evaluated at the {_value(path.links, j)} instead of the {_value(path.links, k)}"
            certified = len(path.values) > 1
            cause = Diagnosis("wrong-intermediate", result.name, said, certified)
            report = replace(result.report, diagnoses=(cause, *result.report.diagnoses))
            result = replace(result, report=report)
        found.append(result)
    return found


def _value(links: Sequence[Link], k: int) -> str:
    """The k-th value on the way."""
    return f"output of {links[k - 1].name}" if k else "input of the chain"


class _Path:
    """The values on the way, at x and at points near it, and the matrices of all local Jacobians there."""

    def __init__(self, links: list[Link], x: Any, seed: int, points: int = _POINTS):
        self.links = links
        self.values = [self._passed_on(x)]
        rng, point = np.random.default_rng(seed), taken_apart((x,), lambda _, leaf: inexact(leaf))
        for _ in range(points - 1):
            (start,) = point.arguments(near(point.leaves, rng), point.others)
            with suppress(Exception):  # a point that the user has not asked for, and a link may refuse
                values = self._passed_on(start)
                if finite(values):
                    self.values.append(values)

    def _passed_on(self, x: Any) -> list[Any]:
        return list(itertools.accumulate(self.links, lambda at, link: link.f(at), initial=x))

    def matrix(self, k: int, p: int, at: int | None = None) -> np.ndarray:
        """The Jacobian of link k at point p, by autodiff; on request, at another value on the way."""
        flat, unravel = ravel_pytree(self.values[p][k if at is None else at])
        found = autodiff.jacobian(lambda v: ravel_pytree(self.links[k].f(unravel(v)))[0], mode="forward")(
            flat
        )
        return np.asarray(found)

    def by_hand(self, jac: Callable[[Any], Any], p: int, k: int, rows: int) -> np.ndarray:
        """A Jacobian by hand at a value on the way, as a matrix, if it is of one array by one array."""
        (leaf,) = jax.tree.leaves(jac(self.values[p][k]))
        return np.asarray(leaf, float).reshape(rows, -1)

    def evaluated_at(self, k: int) -> int | None:
        """The value at which autodiff of link k is what was written by hand; None if there is none."""
        shapes = [jax.tree.map(np.shape, value) for value in self.values[0]]
        for j in range(len(self.links) + 1):
            if j == k or shapes[j] != shapes[k]:
                continue
            try:
                exact = [self.matrix(k, p, at=j) for p in range(len(self.values))]
                hand = [self.by_hand(self.links[k].jac, p, k, len(exact[p])) for p in range(len(exact))]
                if matches(exact, hand, [self.matrix(k, p) for p in range(len(exact))]):
                    return j
            except Exception:  # trees, complex numbers, or a function that does not take that value
                return None
        return None


def _judged(
    links: list[Link],
    x: Any,
    results: list[LinkResult],
    total: Callable[..., Any] | Any | None,
    seed: int,
    again: str,
) -> Report:
    if any(result.verdict == "wrong" for result in results):
        results = _elsewhere(_Path(links, x, seed), results)
    wrong = [result for result in results if result.verdict == "wrong"]
    unsure = [result for result in results if result.verdict == "inconclusive"]
    whole = None if total is None else _whole(links, x, total, seed, explain=not wrong)
    causes = [
        replace(cause, where=f"{result.name}: {cause.where}" if cause.where != result.name else result.name)
        for result in wrong
        for cause in result.report.diagnoses
    ]
    right = f"{len(results) - len(wrong) - len(unsure)} of {len(results)} links are right"
    if wrong:
        names = " and ".join(result.name for result in wrong)
        verdict, reason = "wrong", f"the local Jacobian of {names} is wrong; {right}"
        if whole:
            reason += f"; the whole is {whole.verdict}"
        if whole and whole.verdict == "correct" and len(wrong) > 1:
            said = f"{names} are wrong, and make up for each other: the whole is right"
            causes.insert(0, Diagnosis("compensating", names, said, certified=True))
    elif whole and whole.verdict == "wrong":
        called = name(total, "total") if callable(total) else "total"
        verdict, reason = "wrong", f"all links are right, and {called} is not their product"
        causes = [*_product(_Path(links, x, seed), total), *whole.diagnoses]
    elif unsure or (whole and whole.verdict == "inconclusive"):
        doubts = [f"{result.name}: {result.report.reason}" for result in unsure]
        verdict, reason = "inconclusive", "; ".join(doubts or [f"the whole: {whole.reason if whole else ''}"])
    else:
        verdict, reason = (
            "correct",
            f"{right}, each at its own input" + ("; so is the whole" if whole else ""),
        )
    leaves = [
        replace(leaf, path=f"{result.name}: {leaf.path}")
        for result in results
        for leaf in result.report.leaves
    ]
    found = Report(verdict, reason, tuple(leaves), again, tuple(results), tuple(causes))
    if whole is None:
        return found
    return replace(
        found, leaves=whole.leaves, slope=whole.slope, compared=whole.compared, adequacy=whole.adequacy
    )


def _composed(links: Sequence[Link]) -> Callable[[Any], Any]:
    def chain(x: Any) -> Any:
        for link in links:
            x = link.f(x)
        return x

    return chain


def _whole(links: list[Link], x: Any, total: Callable[..., Any] | Any, seed: int, *, explain: bool) -> Report:
    known_everywhere = callable(total)
    jac = total if known_everywhere else lambda _: total
    return check_part(_composed(links), jac, x, seed=seed, everywhere=known_everywhere, explain=explain)


def _product(path: _Path, total: Callable[..., Any] | Any) -> Iterator[Diagnosis]:
    """Why the whole is wrong where every link is right: how its factors were put together."""
    links, points = path.links, range(len(path.values) if callable(total) else 1)
    jac = total if callable(total) else lambda _: total
    try:
        factors = [[path.matrix(k, p) for k in range(len(links))] for p in points]
        hand = [path.by_hand(jac, p, 0, len(factors[p][-1])) for p in points]
    except Exception:  # trees, or complex numbers: the whole's own causes will have to do
        return
    exact = [_multiplied(each) for each in factors]

    def explains(kind: str, tried: Sequence[Sequence[np.ndarray]], said: str) -> Iterator[Diagnosis]:
        found = [_multiplied(each) for each in tried]
        if all(each is not None for each in found) and matches(found, hand, exact):
            yield Diagnosis(kind, "total", said, certified=len(found) > 1)

    for k, link in enumerate(links):
        without = [[*each[:k], *each[k + 1 :]] for each in factors]
        yield from explains(
            "missing-factor", without, f"the Jacobian of {link.name} is missing in the product"
        )
        twice = [[*each[:k], each[k], *each[k:]] for each in factors]
        yield from explains(
            "missing-factor", twice, f"the Jacobian of {link.name} stands in the product twice"
        )
        turned = [[*each[:k], each[k].T, *each[k + 1 :]] for each in factors]
        yield from explains("transpose", turned, f"the Jacobian of {link.name} is transposed in the product")
        for j in range(len(links) + 1):
            if np.shape(path.values[0][j]) == np.shape(path.values[0][k]) and j != k:
                moved = [
                    [*each[:k], path.matrix(k, p, at=j), *each[k + 1 :]]
                    for p, each in zip(points, factors, strict=True)
                ]
                places = f"the {_value(links, j)} instead of the {_value(links, k)}"
                said = f"the Jacobian of {link.name} is evaluated at {places}"
                yield from explains("wrong-intermediate", moved, said)
    count = len(links)
    for order in itertools.permutations(range(count)) if count <= _PERMUTED else _exchanges(count):
        if order != tuple(range(count)):
            said = " · ".join(links[k].name for k in reversed(order))
            moved = [[each[k] for k in order] for each in factors]
            yield from explains(
                "reversed-order", moved, f"the factors are multiplied in the wrong order: {said}"
            )


def _exchanges(count: int) -> Iterator[tuple[int, ...]]:
    """The orders that differ by an exchange of two, and the reverse: of many links, all others would be too many."""
    yield tuple(reversed(range(count)))
    for a, b in itertools.combinations(range(count), 2):
        yield tuple({a: b, b: a}.get(k, k) for k in range(count))


def _multiplied(factors: Sequence[np.ndarray]) -> Any:
    """J_L … J₁ of a list that begins with J₁; None where the shapes do not fit."""
    if not factors:
        return None
    product = factors[0]
    for each in factors[1:]:
        if each.shape[1] != product.shape[0]:
            return None
        product = each @ product
    return product
