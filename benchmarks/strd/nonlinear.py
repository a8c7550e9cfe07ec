"""The 27 nonlinear regressions of NIST's StRD: models, data, two starts each, and certified answers.

The numbers lie in `nonlinear.json`. They are from the Statistical Reference Datasets of the US National Institute of
Standards and Technology (https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml). Certified numbers have 11 digits,
too few for a good solver; `minimum` and `minimum_deviations` are the same minima to 17 digits, found by Gauss–Newton
in arithmetic of 60 digits for the data as float64 holds them. Both agree to 10 digits, but for the deviations of
Lanczos1: its residuals are no larger than the rounding of its y.

Three of NIST's files are not what they seem: Nelson's model is of log y and has two predictors; Rat43 states 9 degrees
of freedom, though its deviations are computed with n − p = 11; and the data begin at the last "Data:" of a file.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

MOST = 16.0
"""Digits that float64 can have."""


@dataclass(frozen=True)
class Problem:
    """One regression: y ≈ f(x, *b)."""

    name: str
    level: str
    """NIST's word for its difficulty: lower, average or higher."""
    f: Callable[..., Any]
    x: np.ndarray
    """(n,), or (2, n) where there are two predictors."""
    y: np.ndarray
    """(n,): of Nelson the logarithms, as its model is of them."""
    starts: np.ndarray
    """(2, p)"""
    certified: np.ndarray
    """(p,): certified parameters, and below their standard deviations."""
    deviations: np.ndarray
    minimum: np.ndarray
    """(p,): both once more, with more digits."""
    minimum_deviations: np.ndarray
    rss: float
    """Certified residual sum of squares."""
    terms: tuple[tuple[int, ...], ...] = ()
    """Indices of the parameters of terms that can change places."""

    @property
    def dof(self) -> int:
        """n − p, the degrees of freedom."""
        return self.y.size - self.certified.size

    def digits(self, params: Any, deviations: Any, *, certified: bool = False) -> tuple[float, float]:
        """The digits of the worst parameter and of the worst deviation, in the best order of the terms.

        Of `minimum`, or of the certified numbers, which have no more than 11.
        """
        exact = self.certified if certified else self.minimum
        spread = self.deviations if certified else self.minimum_deviations
        params, deviations = np.asarray(params), np.asarray(deviations)
        return max((digits(params[o], exact), digits(deviations[o], spread)) for o in self._orders())

    def _orders(self) -> list[list[int]]:
        orders = []
        for terms in permutations(self.terms):
            order = np.arange(self.certified.size)
            for to, by in zip(self.terms, terms, strict=True):
                order[list(to)] = by
            orders.append(order.tolist())
        return orders


def digits(found: Any, exact: Any) -> float:
    """−log₁₀ of the largest relative error (NIST's LRE): 0 where nothing is right, at most 16."""
    found, exact = np.asarray(found, float), np.asarray(exact, float)
    if not np.isfinite(found).all():
        return 0.0
    error = float(np.max(np.abs(found - exact) / np.abs(exact)))
    return min(max(-math.log10(error), 0.0), MOST) if error else MOST


def saturating(x: Any, b1: Any, b2: Any) -> Any:
    return b1 * (1 - jnp.exp(-b2 * x))


def misra1b(x: Any, b1: Any, b2: Any) -> Any:
    return b1 * (1 - (1 + b2 * x / 2) ** -2)


def misra1c(x: Any, b1: Any, b2: Any) -> Any:
    return b1 * (1 - (1 + 2 * b2 * x) ** -0.5)


def misra1d(x: Any, b1: Any, b2: Any) -> Any:
    return b1 * b2 * x / (1 + b2 * x)


def chwirut(x: Any, b1: Any, b2: Any, b3: Any) -> Any:
    return jnp.exp(-b1 * x) / (b2 + b3 * x)


def lanczos(x: Any, b1: Any, b2: Any, b3: Any, b4: Any, b5: Any, b6: Any) -> Any:
    return b1 * jnp.exp(-b2 * x) + b3 * jnp.exp(-b4 * x) + b5 * jnp.exp(-b6 * x)


def gauss(x: Any, b1: Any, b2: Any, b3: Any, b4: Any, b5: Any, b6: Any, b7: Any, b8: Any) -> Any:
    peaks = b3 * jnp.exp(-(((x - b4) / b5) ** 2)) + b6 * jnp.exp(-(((x - b7) / b8) ** 2))
    return b1 * jnp.exp(-b2 * x) + peaks


def dan_wood(x: Any, b1: Any, b2: Any) -> Any:
    return b1 * x**b2


def kirby2(x: Any, b1: Any, b2: Any, b3: Any, b4: Any, b5: Any) -> Any:
    return (b1 + b2 * x + b3 * x**2) / (1 + b4 * x + b5 * x**2)


def cubic_by_cubic(x: Any, b1: Any, b2: Any, b3: Any, b4: Any, b5: Any, b6: Any, b7: Any) -> Any:
    return (b1 + b2 * x + b3 * x**2 + b4 * x**3) / (1 + b5 * x + b6 * x**2 + b7 * x**3)


def nelson(x: Any, b1: Any, b2: Any, b3: Any) -> Any:
    return b1 - b2 * x[0] * jnp.exp(-b3 * x[1])


def mgh17(x: Any, b1: Any, b2: Any, b3: Any, b4: Any, b5: Any) -> Any:
    return b1 + b2 * jnp.exp(-x * b4) + b3 * jnp.exp(-x * b5)


def roszman1(x: Any, b1: Any, b2: Any, b3: Any, b4: Any) -> Any:
    return b1 - b2 * x - jnp.arctan(b3 / (x - b4)) / jnp.pi


def enso(x: Any, b1: Any, b2: Any, b3: Any, b4: Any, b5: Any, b6: Any, b7: Any, b8: Any, b9: Any) -> Any:
    year, second, third = (2 * jnp.pi * x / period for period in (12, b4, b7))
    annual = b1 + b2 * jnp.cos(year) + b3 * jnp.sin(year)
    slow = b5 * jnp.cos(second) + b6 * jnp.sin(second) + b8 * jnp.cos(third) + b9 * jnp.sin(third)
    return annual + slow


def mgh09(x: Any, b1: Any, b2: Any, b3: Any, b4: Any) -> Any:
    return b1 * (x**2 + x * b2) / (x**2 + x * b3 + b4)


def rat42(x: Any, b1: Any, b2: Any, b3: Any) -> Any:
    return b1 / (1 + jnp.exp(b2 - b3 * x))


def mgh10(x: Any, b1: Any, b2: Any, b3: Any) -> Any:
    return b1 * jnp.exp(b2 / (x + b3))


def eckerle4(x: Any, b1: Any, b2: Any, b3: Any) -> Any:
    return b1 / b2 * jnp.exp(-(((x - b3) / b2) ** 2) / 2)


def rat43(x: Any, b1: Any, b2: Any, b3: Any, b4: Any) -> Any:
    return b1 / (1 + jnp.exp(b2 - b3 * x)) ** (1 / b4)


def bennett5(x: Any, b1: Any, b2: Any, b3: Any) -> Any:
    return b1 * (b2 + x) ** (-1 / b3)


MODELS: dict[str, Callable[..., Any]] = {
    "Misra1a": saturating, "Chwirut2": chwirut, "Chwirut1": chwirut, "Lanczos3": lanczos, "Gauss1": gauss,
    "Gauss2": gauss, "DanWood": dan_wood, "Misra1b": misra1b,
    "Kirby2": kirby2, "Hahn1": cubic_by_cubic, "Nelson": nelson, "MGH17": mgh17, "Lanczos1": lanczos,
    "Lanczos2": lanczos, "Gauss3": gauss, "Misra1c": misra1c, "Misra1d": misra1d, "Roszman1": roszman1, "ENSO": enso,
    "MGH09": mgh09, "Thurber": cubic_by_cubic, "BoxBOD": saturating, "Rat42": rat42, "MGH10": mgh10,
    "Eckerle4": eckerle4, "Rat43": rat43, "Bennett5": bennett5,
}  # fmt: skip
"""In NIST's order: a line or two for each level of difficulty."""

TERMS = {
    lanczos: ((0, 1), (2, 3), (4, 5)),
    gauss: ((2, 3, 4), (5, 6, 7)),
    mgh17: ((1, 3), (2, 4)),
    enso: ((3, 4, 5), (6, 7, 8)),
}
"""A sum has no order, and a solver may find its terms in any."""


def problems() -> list[Problem]:
    """All of them."""
    tables = json.loads(Path(__file__).with_suffix(".json").read_text())
    return [_problem(name, f, tables[name]) for name, f in MODELS.items()]


def _problem(name: str, f: Callable[..., Any], table: dict[str, Any]) -> Problem:
    y, x = np.array(table["y"]), np.array(table["x"])
    return Problem(
        name,
        table["level"],
        f,
        x=np.array([x, table["x2"]]) if "x2" in table else x,
        y=np.log(y) if name == "Nelson" else y,
        starts=np.array([table["start_1"], table["start_2"]]),
        certified=np.array(table["certified"]),
        deviations=np.array(table["deviations"]),
        minimum=np.array(table["minimum"]),
        minimum_deviations=np.array(table["minimum_deviations"]),
        rss=table["rss"],
        terms=TERMS.get(f, ()),
    )
