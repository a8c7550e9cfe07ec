"""How wrong XLA's elementary functions can be: the table that outward rounding rests on.

XLA neither rounds in a chosen direction nor bounds the errors of its functions, so this table is measured, by
`python -m benchmarks.ulps`, which compares with Arb's proven enclosures and fails where it finds more than is allowed
here. A band that uses it is proven *under these bounds*, and should say so. For arguments x that are finite, within
`domain`, and each 0 or normal, a result y that is finite obeys

    |y − f(x)| ≤ eps (ulps |y| + absolute) + FLOOR tiny

with eps and tiny of the precision, as in `numpy.finfo`. Where one of these does not hold, nothing is known, and the
trivial range must be taken: all real numbers, or the function's own range. That is why

- a subnormal argument must be moved outward to 0 or ±tiny first: XLA on a CPU takes it for 0, so that its logarithm
  is −∞ and its reciprocal root ∞;
- a result that is not finite says nothing, not even that the true one is large (x⁻³ gives ∞ where x³ underflows);
- the cut of `atan2` (y = 0, x < 0) and arguments on both sides of it belong to the caller, as every jump and pole does.

The bounds hold for each function by itself, whatever it is fused with, a·b + c contracted or not. They do not hold for
functions that XLA's simplifier makes one. (x/y)/z becomes x/(y z), which is 0 where y z overflows, x/y^z becomes
x y^(−z), 0 where y^(−z) underflows, and up to jaxlib 0.10 exp(x)·exp(y) becomes exp(x + y), wrong by up to
eps·(|x| + |y|)/2 relatively, x/exp(y) becomes x exp(−y), and constants are multiplied before the variable. So no result
may go into another function as it is: widen it in between, by adding to it and not by a factor, or send it through
`jax.lax.optimization_barrier`, behind which all compositions of the benchmark keep to this table.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

Domain = tuple[tuple[float, float], ...]
"""Closed, an interval for each argument."""


class Error(NamedTuple):
    """|y − f(x)| ≤ eps (ulps |y| + absolute) + FLOOR tiny, for arguments within `domain`."""

    ulps: float
    absolute: float
    domain: Domain


class Measured(NamedTuple):
    """The worst |y − f(x)|/eps found with 24 and with 53 bits, in units of |y| + offset."""

    single: float
    double: float
    offset: float = 0.0
    """0 or 1: whether the function has zeros near which no relative error is kept."""
    domain: Domain = ((-np.inf, np.inf),)


SAFETY, LEAST = 3.0, 1.0
"""What is allowed is so many times what was measured, and at least so many ulp more."""
FLOOR = 4.0
"""In smallest normal numbers: underflow gives 0, also within a function; the most that was found is 2 (asin)."""
TWO: Domain = ((-np.inf, np.inf),) * 2
POSITIVE: Domain = ((0.0, np.inf),)

# On an AMD EPYC (family 26, AVX-512), jaxlib 0.10.2 and 0.12.0, with XLA's code for that processor and for those with
# AVX2 or SSE4.2 only (--xla_cpu_max_isa); of float32 also every 61st number. Another processor or a GPU may do worse:
# run the benchmark there.
MEASURED = {
    "add": Measured(0.5, 0.5, domain=TWO),
    "sub": Measured(0.5, 0.5, domain=TWO),
    "mul": Measured(0.5, 0.5, domain=TWO),
    "div": Measured(1.0, 1.0, domain=TWO),
    "sqrt": Measured(0.5, 0.5),
    "rsqrt": Measured(1.4, 0.75),
    "cbrt": Measured(7.8, 60.0),
    "square": Measured(0.5, 0.5),
    "pow": Measured(0.65, 0.55, domain=(*POSITIVE, *TWO[:1])),
    "exp": Measured(2.8, 1.1),
    "exp2": Measured(35.0, 365.0),
    "expm1": Measured(3.4, 2.6),
    "log": Measured(1.0, 0.55),
    "log1p": Measured(1.8, 121.0),
    "sin": Measured(0.55, 0.55),
    "cos": Measured(0.55, 0.55),
    "tan": Measured(1.3, 1.2),
    "asin": Measured(1.5, 1.1),
    "acos": Measured(1.7, 1.3),
    "atan": Measured(2.3, 2.3),
    "atan2": Measured(1.1, 0.55, domain=TWO),
    "sinh": Measured(13.0, 250.0),
    "cosh": Measured(13.0, 250.0),
    "tanh": Measured(2.5, 3.7),
    "asinh": Measured(2.0, 1.8),
    "acosh": Measured(2.3, 2.2),
    "atanh": Measured(1.6, 74.0),
    "logistic": Measured(1.3, 1.4),
    "erf": Measured(2.7, 0.8),
    "erfc": Measured(33.0, 260.0),
    "lgamma": Measured(18.0, 17.0, offset=1.0, domain=POSITIVE),
    "digamma": Measured(8.4, 8.8, offset=1.0, domain=POSITIVE),
    "softplus": Measured(2.0, 1.8),
    "log_sigmoid": Measured(2.1, 1.8),
    "logaddexp": Measured(1.0, 1.0, offset=1.0, domain=TWO),
}


def error(primitive: str, dtype: Any, exponent: int | None = None) -> Error:
    """By how much XLA's compiled function may be wrong.

    Args:
        primitive: a name in `MEASURED`: a `jax.lax` function, or `softplus`, `log_sigmoid` of `jax.nn`, or
            `jax.numpy.logaddexp`; or "integer_pow", whose error is that of |n| − 1 products and a quotient.
        dtype: of the result and of all arguments; of 32 or 64 bits.
        exponent: the n of "integer_pow", and of no other.

    Raises:
        ValueError: for a function or a precision that was not measured, or an exponent too many or too few.
    """
    bits = jnp.finfo(dtype).bits
    if bits not in (32, 64):
        raise ValueError(f"`dtype` must be a precision that was measured, 32 or 64 bits; got {dtype}")
    if (exponent is not None) != (primitive == "integer_pow"):
        raise ValueError(
            f"`exponent` belongs to 'integer_pow', and to it alone; got {primitive!r}, {exponent}"
        )
    if exponent is not None:
        # Half an ulp for each product and the quotient; where subnormal numbers are kept, xⁿ may have lost two bits.
        lost = 2.0 if exponent < 0 else 0.0
        return Error(abs(exponent) / 2 + lost + LEAST, 0.0, TWO[:1])
    if primitive not in MEASURED:
        raise ValueError(
            f"`primitive` must be one that was measured: {', '.join(MEASURED)}; got {primitive!r}"
        )
    row = MEASURED[primitive]
    worst = row.single if bits == 32 else row.double
    ulps = max(SAFETY * worst, worst + LEAST)
    domain = row.domain
    if primitive == "div":  # one divisor for a whole array becomes its reciprocal, which must not underflow
        most = 1 / float(jnp.finfo(dtype).tiny)
        domain = (domain[0], (-most, most))
    return Error(ulps, ulps * row.offset, domain)
