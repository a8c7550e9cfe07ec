r"""Which columns depend on others, how, and in words: "x3 = 2·x1 + x2".

Column j is what c makes of those before it where the length of the rest is no more than rounding of the given numbers
to float64 can leave, 4u (|x_j| + Σ |c_k| |x_k|) with u = 2⁻⁵³: then no data of this precision can tell whether it
carries anything of its own. The coefficients of all columns in such a relation are undetermined, those of the others
are not.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from mvcalc_jax.fitting.design import Basis, Data, sizes
from mvcalc_jax.fitting.doubled import Doubled
from mvcalc_jax.fitting.triangle import Triangle, triangle

_UNIT = 2.0**-53
_ROUNDINGS = 4 * _UNIT
_NOTHING = 1e-9
"""A term of less than this share of the whole is left out of a relation."""


class Found(NamedTuple):
    """What was found.

    Attributes:
        triangle: R.
        undetermined: which coefficients are.
        message: why, in a sentence, or "".
        rounding: how far rounding of the given numbers can move what is left of a column, as a share of it.
    """

    triangle: Triangle
    undetermined: Bool[np.ndarray, " p"]
    message: str
    rounding: float


def found(gram: Doubled, data: Data, of: Basis) -> Found:
    """R of a regression's basis, where columns may depend on each other."""
    if of.degree is not None:
        return _of_powers(gram, data, of)
    length, shares = sizes(data, of), [0.0]

    def dependent(j: int, c: Float[np.ndarray, " p"], left: float) -> bool:
        size = length[j] + np.abs(_relation(j, c, of)) @ length
        if left * _scale(of)[j] <= _ROUNDINGS * size:
            return True
        shares.append(float(_UNIT * size / (left * _scale(of)[j])))
        return False

    R = triangle(gram, dependent)
    undetermined, sentences = ~R.kept, []
    for j in np.flatnonzero(~R.kept):
        relation = _simplest(int(j), _relation(int(j), R.combination[j], of), data, of, length)
        undetermined = undetermined | (relation != 0)
        sentences.append(_sentence(data.names[j], relation, data.names))
    return Found(R, undetermined, "; ".join(sentences), max(shares))


def _of_powers(gram: Doubled, data: Data, of: Basis) -> Found:
    """Powers of one variable are independent if it has as many values."""
    x = data.x[data.weights > 0, 0]
    values = len(np.unique(x if of.intercept else x[x != 0]))
    R = triangle(gram, dropped=tuple(range(values, of.size)))
    if R.kept.all():
        return Found(R, ~R.kept, "", 0.0)
    name = data.names[-1]
    if values < of.size:
        zero = "" if of.intercept else " other than 0"
        why = f"x has {values} different values{zero}, and {of.size} coefficients need as many; lower the degree"
    else:
        why = f"{data.names[int(np.argmin(R.kept))]} is what lower powers make of it, to 30 digits; lower the degree"
    return Found(R, np.ones(of.size, bool), f"{name} cannot be told from lower powers: {why}", 0.0)


def _scale(of: Basis) -> Float[np.ndarray, " p"]:
    return np.concatenate([np.ones(of.intercept), 2.0**of.exponents])


def _relation(j: int, c: Float[np.ndarray, " p"], of: Basis) -> Float[np.ndarray, " p"]:
    """What the given column j is of those before it, where the basis' column is what c says."""
    relation = c * _scale(of)[j] / _scale(of)
    if of.intercept:
        relation[0] += of.centres[j - 1] - of.centres @ relation[1:] if j else 0.0
    return relation


def _simplest(
    j: int, relation: Float[np.ndarray, " p"], data: Data, of: Basis, length: Float[np.ndarray, " p"]
) -> Float[np.ndarray, " p"]:
    """A relation in six digits, and without a constant, if that is as good: what is meant, and not what fits noise."""
    relation = np.where(np.abs(relation) * length > _NOTHING * length[j], relation, 0.0)
    columns = np.hstack([np.ones((len(data.x), of.intercept)), data.x])
    short = np.array([float(f"{c:.6g}") for c in relation])
    bare = np.where(np.arange(len(short)) < of.intercept, 0.0, short)
    for simple in (bare, short):
        rest = np.sqrt(data.weights @ (columns[:, j] - columns @ simple) ** 2)
        if simple.any() and rest <= 2 * _ROUNDINGS * (length[j] + np.abs(simple) @ length):
            return simple
    return relation


def _sentence(name: str, relation: Float[np.ndarray, " p"], names: tuple[str, ...]) -> str:
    """The relation, and what to do about it."""
    terms = [k for k in np.argsort([n == "intercept" for n in names], kind="stable") if relation[k]]
    others = [names[k] for k in terms]
    if not others:
        return f"{name} = 0 everywhere; leave it out"
    words = ""
    for k in terms:
        sign = ("−" if relation[k] < 0 else "") if not words else (" − " if relation[k] < 0 else " + ")
        size = f"{abs(relation[k]):.6g}"
        bare = names[k] == "intercept"
        words += sign + (size if bare else names[k] if size == "1" else f"{size}·{names[k]}")
    if others == ["intercept"]:
        return f"{name} = {words} everywhere, as the intercept is; leave it out, or set intercept=False"
    only = "give only one" if len(others) == 1 else "leave one of them out"
    return f"{name} = {words} to rounding; {only}"
