"""Products of matrices in the wrong order, or with another matrix in the place of one.

A cotangent of a matrix is often a product P X Q of matrices of the function with something that need not be known.
If what was written by hand and what autodiff says give the same X when they are solved for it, each in another
order of the factors, then the order is the mistake.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from mvcalc_jax.verify.causes.seen import Repair, Seen, matches
from mvcalc_jax.verify.causes.tape import Tape
from mvcalc_jax.verify.causes.words import called

_MATRICES = 8
_WELL = 1e6

Points = list[np.ndarray]


def regular(matrix: Sequence[np.ndarray]) -> bool:
    """Whether it is a square matrix that one can solve with, at every point."""
    first = matrix[0]
    return (
        first.ndim == 2
        and first.shape[0] == first.shape[1] > 1
        and all(np.isfinite(m).all() and np.linalg.cond(m) < _WELL for m in matrix)
    )


def products(tapes: Sequence[Tape], numbers: list[int], seen: Seen) -> Iterator[Repair]:
    """The factors of a block in another order, or one of them replaced."""
    if len(seen.exact[0].shape) - seen.out != 2:
        return
    hand, exact = (
        [leaf.reshape(-1, *leaf.shape[-2:]) for leaf in side[: len(tapes)]]
        for side in (seen.hand, seen.exact)
    )
    yield from _another(tapes, numbers, hand, exact)
    yield from _reordered(tapes, numbers, hand, exact)


def _reordered(tapes: Sequence[Tape], numbers: list[int], hand: Points, exact: Points) -> Iterator[Repair]:
    rows, columns = exact[0].shape[-2:]
    letters: list[tuple[str, Points]] = []
    for n in numbers:
        matrix = [np.asarray(tape.values[n]) for tape in tapes]
        if len(letters) < 2 * _MATRICES and regular(matrix) and len(matrix[0]) in (rows, columns):
            name = called(tapes[0], n)
            letters += [(name, matrix), (f"the transpose of {name}", [m.T for m in matrix])]
    solved: dict[tuple, Points | None] = {}

    def unknown(side: str, word: tuple[int | None, ...]) -> Points | None:
        """X of a word such as (P, X, Q), where None stands for X."""
        if (side, word) not in solved:
            at = word.index(None)
            product = hand if side == "hand" else exact
            before = [letters[k][1] for k in word[:at] if k is not None]
            after = [letters[k][1] for k in word[at + 1 :] if k is not None]
            if any(len(m[0]) != rows for m in before) or any(len(m[0]) != columns for m in after):
                solved[side, word] = None
            else:
                found = []
                for t, each in enumerate(product):
                    for m in before:
                        each = np.linalg.solve(m[t], each)
                    for m in reversed(after):
                        each = np.swapaxes(np.linalg.solve(m[t].T, np.swapaxes(each, -1, -2)), -1, -2)
                    found.append(each)
                solved[side, word] = found
        return solved[side, word]

    for count in (1, 2):
        for some in itertools.permutations(range(len(letters)), count):
            words = list(itertools.permutations([*some, None]))
            for right, wrong in itertools.permutations(words, 2):
                if count == 2 and some[0] > some[1]:
                    continue
                ours, theirs = unknown("hand", wrong), unknown("exact", right)
                if ours is None or theirs is None:
                    continue
                if matches(ours, theirs, [0 * x for x in theirs]):
                    said = " · ".join("…" if k is None else letters[k][0] for k in right)
                    yield Repair(
                        "reversed-order",
                        f"has its factors in the wrong order; the right one is {said}",
                        len(tapes) > 1,
                        4.7,
                    )
                    return


def _another(tapes: Sequence[Tape], numbers: list[int], hand: Points, exact: Points) -> Iterator[Repair]:
    """A product U Wᵀ, or W Uᵀ, whose factor W is another value of the function."""
    for said, turn in (("last", lambda x: x), ("first", lambda x: np.swapaxes(x, -1, -2))):
        found = [_with_factor(tapes, numbers, [turn(x) for x in side]) for side in (exact, hand)]
        for n, of_exact in found[0].items():
            for m, of_hand in found[1].items():
                if m == n or of_exact[0].shape != of_hand[0].shape:
                    continue
                if matches(of_hand, of_exact, [0 * x for x in of_exact]):
                    for a, b, much in ((m, n, "is missing"), (n, m, "stands there once too often")):
                        if (other := _other_factor(tapes[0], a, b)) is not None:
                            detail = f"the factor {called(tapes[0], other)} {much} in its {said} factor"
                            yield Repair("missing-factor", detail, len(tapes) > 1, 4.6)
                            return
                    detail = (
                        f"has {called(tapes[0], m)} as its {said} factor where {called(tapes[0], n)} belongs"
                    )
                    yield Repair("wrong-intermediate", detail, len(tapes) > 1, 4.6)
                    return


def _other_factor(tape: Tape, part: int, product: int) -> int | None:
    """The value by which `part` is multiplied, or divided, to give `product`; None if it is not."""
    for step in tape.steps:
        if product in step.outputs and step.primitive in ("mul", "div"):
            same = [np.array_equal(tape.values[n], tape.values[part]) for n in step.inputs]
            return step.inputs[1 - same.index(True)] if True in same else None
    return None


def _with_factor(tapes: Sequence[Tape], numbers: list[int], product: Points) -> dict[int, Points]:
    """The values W for which the product is U Wᵀ at every point, and U for each."""
    found: dict[int, Points] = {}
    columns = product[0].shape[-1]
    for n in numbers:
        factors = [np.asarray(tape.values[n]) for tape in tapes]
        shape = factors[0].shape
        if not shape or len(shape) > 2:
            continue
        options: list[tuple[int, Callable[[np.ndarray], np.ndarray]]] = [(0, lambda w: w.reshape(len(w), -1))]
        if len(shape) == 2:
            options.append((1, lambda w: w.T))
        for axis, as_columns in options:
            if shape[axis] != columns or factors[0].size // columns >= columns:
                continue
            if not all(np.isfinite(w).all() for w in factors):
                continue
            U, fits = [], True
            for w, x in zip(factors, product, strict=True):
                W = as_columns(w)
                u = np.linalg.lstsq(W, x.reshape(-1, columns).T, rcond=None)[0]
                fits &= np.allclose(
                    W @ u, x.reshape(-1, columns).T, rtol=1e-9, atol=1e-11 * np.abs(x).max(initial=0)
                )
                U.append(u)
            if fits and any(np.any(x) for x in product):
                found[n] = U
    return found
