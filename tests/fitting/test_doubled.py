"""Twice the precision, against exact fractions: in NumPy, in compiled code, and under the most eager contraction."""

from fractions import Fraction

import jax
import numpy as np
import pytest

from mvcalc_jax.fitting import doubled
from mvcalc_jax.fitting.doubled import Doubled

WAYS = {"NumPy": lambda f: f, "compiled": jax.jit}


@pytest.fixture(params=WAYS)
def way(request, float64):
    return WAYS[request.param]


def numbers(rng, n=400):
    """Of all sizes, with full and with nearly empty mantissas."""
    found = rng.standard_normal(n) * 10.0 ** rng.integers(-40, 40, n)
    found[::7] = np.round(found[::7] / 10.0**38)
    found[::11] = np.nextafter(1.0, 2.0) * 2.0 ** rng.integers(-9, 9, len(found[::11]))
    return found


def exactly(x):
    return [Fraction(float(hi)) + Fraction(float(lo)) for hi, lo in zip(x.hi, x.lo, strict=True)]


def fractions(a):
    return [Fraction(float(entry)) for entry in a]


def pairs(rng):
    """Numbers of twice the precision."""
    hi = numbers(rng)
    return doubled.two_sum(hi, hi * 2.0**-54 * rng.uniform(-1, 1, len(hi)))


def test_a_sum_and_a_product_are_exact(way, rng):
    a, b = numbers(rng), numbers(rng)[::-1]
    assert exactly(way(doubled.two_sum)(a, b)) == [
        x + y for x, y in zip(fractions(a), fractions(b), strict=True)
    ]
    found = way(doubled.two_product)(a, b)
    assert exactly(found) == [x * y for x, y in zip(fractions(a), fractions(b), strict=True)]
    assert np.abs(found.lo / np.where(found.hi == 0, 1, found.hi)).max() <= 2.0**-53


@pytest.mark.parametrize(
    ("f", "exact"),
    [
        (doubled.add, lambda x, y: x + y),
        (doubled.multiply, lambda x, y: x * y),
        (doubled.divide, lambda x, y: x / y),
    ],
    ids=["add", "multiply", "divide"],
)
def test_arithmetic_keeps_thirty_digits(f, exact, way, rng):
    x, y = pairs(rng), pairs(rng)
    y = Doubled(np.where(y.hi == 0, 1.0, y.hi), y.lo)
    for found, a, b in zip(exactly(way(f)(x, y)), exactly(x), exactly(y), strict=True):
        right = exact(a, b)
        assert abs(found - right) <= doubled.UNIT * abs(right)


def test_what_all_but_cancels_keeps_its_digits(way, rng):
    x = pairs(rng)
    y = Doubled(-x.hi, x.lo * (1 + 2.0**-30))
    for found, a, b in zip(exactly(way(doubled.add)(x, y)), exactly(x), exactly(y), strict=True):
        assert abs(found - (a + b)) <= doubled.UNIT * abs(a + b)


def test_the_square_root_squares_to_its_argument(way, rng):
    x = pairs(rng)
    x = Doubled(np.abs(x.hi) + 1e-30, np.abs(x.lo))
    for found, right in zip(exactly(way(doubled.square_root)(x)), exactly(x), strict=True):
        assert abs(found**2 - right) <= 4 * doubled.UNIT * right


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 100, 255])
def test_a_long_sum_that_cancels(n, way, rng):
    a, b = rng.standard_normal((2, n)) * 1e8
    products = doubled.two_product(np.concatenate([a, a]), np.concatenate([b, -np.nextafter(b, 1e300)]))
    found = way(doubled.total)(products)
    right = sum(exactly(products), Fraction(0))
    size = sum(map(abs, exactly(products)), Fraction(0))
    assert abs(Fraction(float(found.hi)) + Fraction(float(found.lo)) - right) <= 16 * doubled.UNIT * size


class Eager:
    """A number whose products are not rounded before they are added to something: contraction wherever possible."""

    def __init__(self, exact):
        self.exact = Fraction(exact)

    @property
    def rounded(self):
        return Fraction(float(self.exact))

    def __mul__(self, other):
        return Eager(self.rounded * (other.rounded if isinstance(other, Eager) else Fraction(other)))

    __rmul__ = __mul__

    def __add__(self, other):
        return Eager(float(self.exact + other.exact))

    def __sub__(self, other):
        return Eager(float(self.exact - other.exact))


def dekker(a, b):
    """The product as the books have it."""
    p = a * b
    (a1, a0), (b1, b0) = veltkamp(a), veltkamp(b)
    return p, ((a1 * b1 - p) + a1 * b0 + a0 * b1) + a0 * b0


def veltkamp(a):
    c = a * 134217729.0
    upper = c - (c - a)
    return upper, a - upper


def test_contraction_changes_nothing_here_and_spoils_the_books_formula(rng, monkeypatch, unchecked):
    upper = doubled._upper
    monkeypatch.setattr(doubled, "_upper", lambda a: Eager(float(upper(np.array(float(a.exact))))))
    spoiled = 0
    for a, b in rng.standard_normal((200, 2)):
        right = Fraction(a) * Fraction(b)
        p, e = doubled.two_product(Eager(a), Eager(b))
        assert p.rounded + e.rounded == right
        p, e = dekker(a, b)
        assert Fraction(float(p)) + Fraction(float(e)) == right
        p, e = dekker(Eager(a), Eager(b))
        spoiled += p.rounded + e.rounded != right
    assert spoiled > 100


def test_halves_have_half_the_bits(rng):
    a = numbers(rng)
    upper = doubled._upper(a)
    for x, y in zip(upper, a - upper, strict=True):
        for half in (x, y):
            assert Fraction(float(half)).numerator.bit_length() - _trailing(half) <= 26


def _trailing(x):
    n = abs(Fraction(float(x)).numerator)
    return (n & -n).bit_length() - 1 if n else 0
