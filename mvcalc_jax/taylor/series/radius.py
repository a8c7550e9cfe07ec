r"""Radius of convergence: the distance to the nearest singularity in the complex plane, and where it is.

Far out, coefficients know nothing but the nearest singularities. Near z = (1 − h/z₁)^a they behave like k^(−a−1)
z₁⁻ᵏ, so that

- the *root test*, a fit of log |cₖ| = A − k log R + B log k to the upper envelope, gives R even where a pair of
  complex singularities makes the coefficients oscillate, and every second one vanishes (cf. Mercer and Roberts, SIAM
  J. Appl. Math. 50 (1990), 1547);
- *differential approximants* (Hunter and Baker, Phys. Rev. B 19 (1979), 3808) say where: polynomials Q, P with
  Q f′ + P f ≈ 0 in the high coefficients; f is singular at the roots of Q. For a pole this is a Padé denominator,
  for a real branch point the straight line of Domb and Sykes.

A singularity is believed if both say so, if the series at another point finds it at the same place, and if partial
sums agree with f inside. Coefficients can't show that a function has no singularity at all – one could be farther
out than they see –, so that `inf` is said only where the function is put together from entire ones, or is a
polynomial.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import precision, require
from mvcalc_jax.taylor.series.coefficients import expanded
from mvcalc_jax.taylor.series.entire import entire

ORDER = 64
"""Of the series that is looked at."""
_FEWEST = 16
"""Coefficients above rounding, without which nothing is said."""
_PRECISE = 1e-3
"""Two estimates of the radius, or of the place, agree if they differ by less than this part."""


class Convergence(NamedTuple):
    """Where a Taylor series converges.

    Attributes:
        radius: of its disc; inf where f has no singularity, nan where it is not known.
        singularity: x₀ + z, the nearest one in the complex plane, of a pair the upper one; along a direction the
            complex t. nan where it is not known.
        error: about how far the singularity may be off.
        root_test: the radius by the root test alone, and nan where the coefficients do not tell.
        message: what is known, in a sentence.
    """

    radius: float
    singularity: complex
    error: float
    root_test: float
    message: str


class _Fit(NamedTuple):
    """A singularity, how far it drifts as the last coefficients are left out, the degree of Q, and a of (z − z₁)ᵃ."""

    place: complex
    drift: float
    degree: int
    power: float


def convergence(p: Any) -> Convergence:
    """Where the series of a `Polynomial` converges, from its function; for an array the worst of its entries.

    Raises:
        TypeError: inside `jit` or `vmap`, where nothing can be looked at, and for several variables without a
        direction.
    """
    if require.traced((p.coefficients, p.x0)) or (np.ndim(p.x0) and p.direction is None):
        raise TypeError(
            "the radius of convergence is found on the host, for one variable or along a `direction`; "
            "ask for it outside `jit` and `vmap`"
        )
    if np.ndim(p.coefficients) and np.shape(p.coefficients)[0] != p.order + 1:
        raise TypeError("the radius of convergence is that of one polynomial; ask `taylor` at each point")
    line = _Line(
        p.f, np.asarray(p.x0, float), None if p.direction is None else np.asarray(p.direction, float)
    )
    with precision.of(np.float64(0)):
        if entire(line.f, line.x0):
            return Convergence(
                np.inf,
                complex(np.nan),
                0.0,
                np.inf,
                "f is put together from entire functions: it has no singularity",
            )
        first = line.series(0.0)
        if first is None:
            return _unknown("f has no series of so many orders here in float64")
        entries = [_judged(line, first, k) for k in range(first[0].shape[1])]
    unsure = [found for found in entries if np.isnan(found.radius)]
    return unsure[0] if unsure else min(entries, key=lambda found: found.radius)


def _unknown(why: str, root_test: float = np.nan) -> Convergence:
    return Convergence(np.nan, complex(np.nan), np.nan, root_test, f"unknown: {why}")


class _Line(NamedTuple):
    """t ↦ f(x₀ + t d)."""

    f: Callable[..., Any]
    x0: np.ndarray
    direction: np.ndarray | None

    def at(self, t: Any) -> Any:
        return self.x0 + t * (1.0 if self.direction is None else self.direction)

    def series(self, t: float) -> tuple[np.ndarray, np.ndarray] | None:
        """Coefficients, a column for each entry of f, and their rounding; None where there is no series."""
        way = np.ones_like(self.x0) if self.direction is None else self.direction
        try:
            found = expanded(self.f, jnp.asarray(self.at(t)), jnp.asarray(way), ORDER, known=True)
        except ValueError:
            return None
        return tuple(v[: ORDER + 1].reshape(ORDER + 1, -1) for v in (found.c, found.rounding))

    def values(self, t: np.ndarray) -> np.ndarray:
        """f at many t, a column for each entry."""
        return np.asarray(jax.vmap(self.f)(jnp.asarray(np.stack([self.at(v) for v in t])))).reshape(
            len(t), -1
        )


def _judged(line: _Line, first: tuple[np.ndarray, np.ndarray], entry: int) -> Convergence:
    """What the coefficients of one entry of f tell."""
    c, rounding = first[0][:, entry], first[1][:, entry]
    if _vanish(c, rounding):
        return _polynomial(line, c, rounding, entry)
    many = _clear(c, rounding)
    if many < _FEWEST:
        return _unknown(f"only {many} coefficients stand out of rounding")
    c = c[:many]
    size, growing = _root_test(c)
    if not np.isfinite(size) or growing:
        seen = f"; none is nearer than {_reach(c):.3g}, as far as {many} coefficients show"
        return _unknown(f"the coefficients fall like those of a function without singularities{seen}", size)
    fits = [fit for fit in _fits(c, size) if abs(abs(fit.place) / size - 1) < 0.1]
    if not fits:
        return _unknown("root test and differential approximants do not agree on one singularity", size)
    for fit in _apart(fits):
        away = _off_from_elsewhere(line, fit.place, entry)
        if away <= _PRECISE * abs(fit.place):
            break
    else:
        return _unknown("the series at another point does not find the same singularity", size)
    if (
        fit.drift > min(f.drift for f in fits)
        and fit.power > 0.5
        and abs(fit.power - round(fit.power)) < 0.05
    ):
        return _unknown("a zero of f, or a weak singularity, is nearer than one that stands out", size)
    if not _agrees(line, c, rounding[:many], 0.5 * abs(fit.place), entry):
        return _unknown("f leaves its series within the disc: it is made of pieces", size)
    return _found(line, fit, fits, away, size, many)


def _found(line: _Line, fit: _Fit, fits: list[_Fit], away: float, size: float, many: int) -> Convergence:
    z = fit.place
    others = [other for other in fits if other.degree != fit.degree and abs(other.place - z) < 0.05 * abs(z)]
    second = min(others, key=lambda other: other.drift, default=fit)
    error = 10 * max(fit.drift, away, abs(second.place - z), float(np.finfo(float).eps) * abs(z))
    place = (complex(line.x0) if line.direction is None else 0.0) + complex(z.real, abs(z.imag))
    said = _sentence(place, abs(z), error, many)
    return Convergence(float(abs(z)), _tidy(place, error), float(error), size, said)


def _apart(fits: list[_Fit]) -> list[_Fit]:
    """Of each singularity the fit that drifts least, the nearest singularity first; those that drift much last."""
    best: list[_Fit] = []
    for fit in sorted(fits, key=lambda fit: fit.drift):
        if all(abs(fit.place - other.place) > 0.05 * abs(fit.place) for other in best):
            best.append(fit)
    steady = [fit for fit in best if fit is best[0] or fit.drift <= _PRECISE * abs(fit.place)]
    return sorted(steady, key=lambda fit: abs(fit.place))


def _tidy(z: complex, error: float) -> complex:
    """Without a part that is only error."""
    return complex(*(0.0 if abs(part) <= error else part for part in (z.real, z.imag)))


def _sentence(place: complex, size: float, error: float, many: int) -> str:
    z = _tidy(place, error)
    known = int(np.clip(-np.log10(error / abs(size)), 2, 6))
    re, im = f"{z.real:.{known}g}", f"{z.imag:.{known}g}".replace("-", "") + "i"
    im = "i" if im == "1i" else im
    pair = (f"{re} ± {im}" if z.real else f"±{im}") if z.imag else re
    away = f"{size:.{known}g} away"
    return (
        f"the nearest singularity that {many} coefficients show is at {pair}, {away}: root test, approximants and "
        "another point agree"
    )


def _vanish(c: np.ndarray, rounding: np.ndarray) -> bool:
    """Whether the second half of the coefficients is zero to rounding."""
    return bool(np.all(np.abs(c[ORDER // 2 :]) <= rounding[ORDER // 2 :]))


def _polynomial(line: _Line, c: np.ndarray, rounding: np.ndarray, entry: int) -> Convergence:
    if np.any(c[ORDER // 2 :] != 0):
        return _unknown("the coefficients sink into rounding")
    degree = int(np.max(np.flatnonzero(c), initial=0))
    if all(_agrees(line, c, rounding, reach, entry) for reach in (0.1, 1.0, 10.0)):
        return Convergence(
            np.inf,
            complex(np.nan),
            0.0,
            np.inf,
            f"f is a polynomial of degree {degree}: it has no singularity",
        )
    return _unknown(
        f"here f is a polynomial of degree {degree}, and elsewhere another function: it is made of pieces"
    )


def _clear(c: np.ndarray, rounding: np.ndarray) -> int:
    """How many coefficients stand out of rounding, or vanish beside others that do."""
    size = np.abs(c)
    widest = np.array([size[max(0, k - 2) : k + 3].max() for k in range(len(c))])
    with np.errstate(all="ignore"):
        bad = ~(rounding <= 1e-7 * widest) | ~np.isfinite(c) | (widest < 1e-290)
    return int(np.argmax(bad)) if bad.any() else len(c)


def _envelope(c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """k and log |cₖ| of the coefficients that stand highest above the trend, one of every six."""
    k = np.arange(1, len(c))
    k = k[len(k) // 4 :]
    k, size = k[c[k] != 0], np.log(np.abs(c[k][c[k] != 0]))
    if len(k) < 4:
        return k, size
    flat = size - np.polyval(np.polyfit(k, size, 1), k)
    block = (len(c) - 1 - k) // 6
    top = [int(np.argmax(np.where(block == b, flat, -np.inf))) for b in np.unique(block)[::-1]]
    return k[top], size[top]


def _root_test(c: np.ndarray) -> tuple[float, bool]:
    """R from the root test, and whether it grows with the order, as that of an entire function does."""
    k, size = _envelope(c)
    if len(k) < 4:
        return np.nan, False
    columns = np.stack([np.ones(len(k)), -k, np.log(k)], axis=1)
    _, rate, _ = np.linalg.lstsq(columns, size, rcond=None)[0]
    half = len(k) // 2
    rates = [-np.polyfit(k[part], size[part], 1)[0] for part in (slice(0, half + 1), slice(half, None))]
    middle = [np.mean(k[part]) for part in (slice(0, half + 1), slice(half, None))]
    growth = (rates[1] - rates[0]) / np.log(middle[1] / middle[0])
    return float(np.exp(rate)), bool(growth > 0.15)


def _reach(c: np.ndarray) -> float:
    k, size = _envelope(c)
    return float(np.exp(-np.max(size[-3:] / k[-3:])))


def _fits(c: np.ndarray, size: float) -> list[_Fit]:
    """Singularities by approximants of degree 1 to 6, and how they drift as the last coefficients are left out."""
    found = []
    for degree in range(1, 7):
        if len(c) < 3 * degree + 8:
            break
        last, powers = _roots(c, size, degree)
        before = [_roots(c[:-cut], size, degree)[0] for cut in (2, 3)]
        for z, power in zip(last, powers, strict=True):
            if z.imag >= -1e-9 * abs(z):
                drift = max(min((abs(z - w) for w in roots), default=np.inf) for roots in before)
                found.append(_Fit(complex(z), float(drift), degree, float(power)))
    return found


def _roots(c: np.ndarray, size: float, degree: int) -> tuple[np.ndarray, np.ndarray]:
    """The roots of Q with Q f′ + P f ≈ 0, P of degree one less, by least squares over the last coefficients; −P/Q′."""
    k = np.arange(len(c))
    with np.errstate(all="ignore"):
        a = np.exp(np.log(np.abs(c)) + k * np.log(size)) * np.sign(c)
    a = np.nan_to_num(a)
    slope = k[1:] * a[1:]
    rows = np.arange(len(slope) - max(3 * degree + 4, len(slope) // 2), len(slope))
    rows = rows[rows >= degree]
    columns = [slope[rows - i] for i in range(1, degree + 1)] + [a[rows - i] for i in range(degree)]
    weight = 1 / np.maximum(np.abs(rows), 1)
    matrix, right = np.stack(columns, axis=1) * weight[:, None], -slope[rows] * weight
    solution = np.linalg.lstsq(matrix, right, rcond=1e-13)[0]
    q, p = np.concatenate([solution[:degree][::-1], [1.0]]), solution[degree:][::-1]
    roots = np.roots(q)
    with np.errstate(all="ignore"):
        return roots * size, np.real(-np.polyval(p, roots) / np.polyval(np.polyder(q), roots))


def _off_from_elsewhere(line: _Line, z: complex, entry: int) -> float:
    """How far from z the series at another point, a quarter of the way towards it, finds a singularity."""
    step = 0.25 * abs(z) * (1 if z.real >= 0 else -1)
    there = line.series(step)
    if there is None:
        return np.inf
    c, rounding = there[0][:, entry], there[1][:, entry]
    many = _clear(c, rounding)
    if many < _FEWEST:
        return np.inf
    return min((abs(z - fit.place - step) for fit in _fits(c[:many], abs(z - step))), default=np.inf)


def _agrees(line: _Line, c: np.ndarray, rounding: np.ndarray, reach: float, entry: int) -> bool:
    """Whether f and its partial sum are one at points up to a distance."""
    t = reach * np.array([-1, -0.7, -0.3, 0.3, 0.7, 1])
    values = line.values(t)[:, entry]
    k = np.arange(len(c))
    terms = c * t[:, None] ** k
    scale = np.sum(np.abs(terms), axis=1) + np.abs(values)
    room = (
        1e-10 * scale
        + 10 * np.sum(rounding * np.abs(t)[:, None] ** k, axis=1)
        + 4 * np.abs(terms[:, -3:]).sum(axis=1)
    )
    return bool(np.all(np.abs(values - terms.sum(axis=1)) <= room))
