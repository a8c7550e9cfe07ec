r"""Numbers of twice the precision: x = hi + lo, two floats that do not overlap, together some 32 digits of float64.

The error of a rounded sum or product of two floats is itself a float, and can be had with more floats alone
(an error-free transform):

    two_sum(a, b) = (s, e),      s = fl(a + b),  s + e = a + b exactly            Knuth
    two_product(a, b) = (p, e),  p ≈ a b,        p + e = a b exactly              Dekker

A compiler may contract a·b + c into one operation that rounds once (XLA does, on CPUs and GPUs), and the usual
formulas for the product are then wrong: Veltkamp's splitting c − (c − a) with c = 134217729 a splits nothing, and
a·b computed twice may be rounded twice in different ways. So factors are split here by their bits, into halves of 26
bits, and every product that is added to anything is a product of halves, which is exact: rounded once or twice, it is
the same. Functions take NumPy's arrays and JAX's alike, of float64, and broadcast like them.

References: T. J. Dekker, A floating-point technique for extending the available precision, Numerische Mathematik 18
(1971); Y. Hida, X. S. Li, D. H. Bailey, Algorithms for quad-double precision floating point arithmetic (2001).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from mvcalc_jax.require import AnyArray

Numbers = Any
"""Of float64, NumPy's or JAX's, in any shape: an array, or the scalar that NumPy makes of one without axes."""

UNIT = 2.0**-104
"""A bound of the relative error of a product or a quotient here, with room to spare."""

_LOW, _HALF = 2**27 - 1, 2**26
"""The last 27 of a float64's 53 bits, and half of what stands before them: adding it rounds to nearest."""


class Doubled(NamedTuple):
    """hi + lo, with |lo| at most half a unit in the last place of hi."""

    hi: Float[AnyArray, "..."]
    lo: Float[AnyArray, "..."]

    def part(self, index: Any) -> "Doubled":
        """The entries at an index, as of an array."""
        return Doubled(self.hi[index], self.lo[index])


def doubled(x: Numbers) -> Doubled:
    """A float as it is."""
    return Doubled(x, x * 0)


def two_sum(a: Numbers, b: Numbers) -> Doubled:
    """a + b exactly. Neither may be an unrounded product, or the compiler can round it in two ways."""
    s = a + b
    v = s - a
    return Doubled(s, (a - (s - v)) + (b - v))


def two_product(a: Numbers, b: Numbers) -> Doubled:
    """a·b exactly, where it neither over- nor underflows.

    With a = a₁ + a₀ and b = b₁ + b₀ in halves of 26 bits, all four products are exact, and so is the sum of the
    middle two: both are whole multiples of the same unit, and below 2⁵³ of it together.
    """
    a1, b1 = _upper(a), _upper(b)
    a0, b0 = a - a1, b - b1
    p = two_sum(a1 * b1, a1 * b0 + a0 * b1)
    return two_sum(p.hi, p.lo + a0 * b0)


def add(x: Doubled, y: Doubled) -> Doubled:
    """x + y; the error is some 2⁻¹⁰⁵ of the sum, even where x and y all but cancel."""
    s, t = two_sum(x.hi, y.hi), two_sum(x.lo, y.lo)
    s = _renewed(s.hi, s.lo + t.hi)
    return _renewed(s.hi, s.lo + t.lo)


def minus(x: Doubled) -> Doubled:
    """−x."""
    return Doubled(-x.hi, -x.lo)


def multiply(x: Doubled, y: Doubled) -> Doubled:
    """x y."""
    p = two_product(x.hi, y.hi)
    return _renewed(p.hi, p.lo + (x.hi * y.lo + x.lo * y.hi))


def divide(x: Doubled, y: Doubled) -> Doubled:
    """x / y, by two more quotients of the remainders."""
    q = x.hi / y.hi
    r = add(x, minus(multiply(y, doubled(q))))
    q2 = r.hi / y.hi
    r = add(r, minus(multiply(y, doubled(q2))))
    s = two_sum(q, q2)
    return _renewed(s.hi, s.lo + r.hi / y.hi)


def square_root(x: Doubled) -> Doubled:
    """√x for x > 0: one step of Newton's from √hi doubles its digits."""
    q = x.hi**0.5
    r = add(x, minus(two_product(q, q)))
    return _renewed(q, r.hi / (2 * q))


def total(x: Doubled) -> Doubled:
    """The sum along the last axis, in halves: what is left over from an odd number waits for the next round."""
    if x.hi.shape[-1] == 0:
        zero = x.hi.sum(-1)
        return Doubled(zero, zero)
    while (n := x.hi.shape[-1]) > 1:
        half, odd = n // 2, n % 2
        s = add(x.part((..., slice(half))), x.part((..., slice(half, 2 * half))))
        join = jnp.concatenate if isinstance(s.hi, jax.Array) else np.concatenate
        x = Doubled(*(join([a, b[..., n - 1 :]], -1) for a, b in zip(s, x, strict=True))) if odd else s
    return x.part((..., 0))


def _renewed(a: Numbers, b: Numbers) -> Doubled:
    """a + b where |a| ≥ |b|. Should b be rounded in two ways, the error is a rounding of lo, not of hi."""
    s = a + b
    return Doubled(s, b - (s - a))


def _upper(a: Numbers) -> Numbers:
    """The upper 26 bits, rounded to nearest, so that 26 bits and a sign are left below them."""
    if isinstance(a, jax.Array):
        bits = jax.lax.bitcast_convert_type(a, jnp.uint64)
        return jax.lax.bitcast_convert_type((bits + jnp.uint64(_HALF)) & ~jnp.uint64(_LOW), jnp.float64)
    bits = np.asarray(a, np.float64).view(np.uint64)
    return ((bits + np.uint64(_HALF)) & ~np.uint64(_LOW)).view(np.float64)
