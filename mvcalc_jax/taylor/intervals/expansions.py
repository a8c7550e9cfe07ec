"""What is known of a function u of one variable x near a base point x₀, for x in a region X: an expansion with
remainders.

    u(x) = c₀ + c₁ h + … + c_{m−1} h^{m−1} + r_m(x) hᵐ,    h = x − x₀,    for each m = 0 … order.

`c` holds enclosures of the coefficients, `r` of the factors of the remainders over all of X; r₀ is the range of u
itself. r_m is the divided difference u[x₀, …, x₀, x] with m times x₀. Sums, products, quotients and chains of
expansions follow from Leibniz' rule for divided differences,

    (uv)[x₀ᵐ, x] = Σ_{j<m} u_j v[x₀^{m−j}, x] + u[x₀ᵐ, x] v(x),

where of each product one factor is known to rounding and only the other one is wide. Whatever is known of r_{m+1} says
something of r_m = c_m + r_{m+1} h, too.

None stands for an exact zero: a constant is an expansion of which all other entries are None. An expansion of order
0 has no coefficients, and is an interval: its range.

References: R. Krawczyk, A. Neumaier, Interval slopes for rational functions and associated centered forms, SIAM J.
Numer. Anal. 22 (1985) 604; K. Makino, M. Berz, Taylor models and other validated functional inclusion methods, Int.
J. Pure Appl. Math. 4 (2003) 379.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax.taylor.intervals.arithmetic import (
    Interval,
    divided,
    filled,
    sum_of_products,
)
from mvcalc_jax.taylor.intervals.compiled import apart
from mvcalc_jax.taylor.intervals.recurrences import Recurrence
from mvcalc_jax.taylor.intervals.slopes import slopes

Entry = Interval | None
Pairs = Sequence[tuple[Entry, Entry]]
Sum = Callable[[Pairs, Pairs, Pairs], Entry]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Expansion:
    """See the module; `h` is X − x₀, None where nothing was expanded."""

    c: tuple[Entry, ...]
    r: tuple[Entry, ...]
    h: Interval | None

    @property
    def order(self) -> int:
        """How many coefficients are known."""
        return len(self.c)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array that u is."""
        return jnp.shape(self.range.lo)

    @property
    def range(self) -> Interval:
        """All values of u over X."""
        return _filled(self.r, 0)


def _filled(entries: Sequence[Entry], k: int) -> Interval:
    """An entry that is needed as numbers: zeros, if it is an exact zero."""
    if (found := entries[k]) is not None:
        return found
    like = next(entry for entry in entries if entry is not None)
    return filled(like, 0.0)


def constant(value: Interval, like: Expansion | None = None) -> Expansion:
    """An expansion of what does not depend on x, of the order of another one."""
    order, h = (like.order, like.h) if like is not None else (0, None)
    return Expansion((value, *[None] * order)[:order], (value, *[None] * order), h)


def entrywise(f: Callable[..., Entry], *us: Expansion) -> Expansion:
    """f of all entries, for an f that is linear."""
    c = tuple(f(*entries) for entries in zip(*(u.c for u in us), strict=True))
    return Expansion(c, tuple(f(*entries) for entries in zip(*(u.r for u in us), strict=True)), us[0].h)


def negative(a: Entry) -> Entry:
    """−a"""
    return None if a is None else -a


def plus(a: Entry, b: Entry) -> Entry:
    """a + b"""
    return b if a is None else a if b is None else a + b


def minus(a: Entry, b: Entry) -> Entry:
    """a − b"""
    return a if b is None else negative(b) if a is None else a - b


def is_one(a: Entry) -> bool:
    """Whether an entry is known to be the number 1, as is the slope of the variable itself."""
    return a is not None and isinstance(a.lo, np.ndarray) and a.lo is a.hi and bool(np.all(a.lo == 1))


def total(pairs: Pairs, first: Pairs = (), second: Pairs = (), plus: Sequence[Entry] = ()) -> Entry:
    """Σ a b + Σ c, where of some pairs the first is known to rounding, or the second."""
    rest = [c for c in plus if c is not None]
    kept: list[list[tuple[Interval, Interval]]] = [[], []]
    for which, some in zip(kept, (pairs, [*first, *((b, a) for a, b in second)]), strict=True):
        for a, b in some:
            if a is None or b is None:
                continue
            if is_one(a) or is_one(b):
                rest.append(b if is_one(a) else a)
            else:
                which.append((a, b))
    if not kept[0] and not kept[1] and len(rest) < 2:
        return rest[0] if rest else None
    return sum_of_products(kept[0], rest, kept[1])


def meet(a: Entry, b: Entry) -> Entry:
    """What two enclosures of one thing both hold."""
    return None if a is None or b is None else a & b


def product(u: Expansion, v: Expansion, sum_: Sum = total) -> Expansion:
    """u v, where Σ a b is summed by `sum_`; the remainders by both ways of applying Leibniz' rule."""
    c = tuple(sum_([], [(u.c[j], v.c[m - j]) for j in range(m + 1)], []) for m in range(u.order))
    r = [sum_([(u.r[0], v.r[0])], [], [])]
    for m in range(1, u.order + 1):
        one = sum_([(u.r[m], v.r[0])], [(u.c[j], v.r[m - j]) for j in range(m)], [])
        other = sum_([(u.r[0], v.r[m])], [], [(u.r[m - j], v.c[j]) for j in range(m)])
        r.append(meet(one, other))
    return tightened(Expansion(c, tuple(r), u.h))


def tightened(u: Expansion) -> Expansion:
    """r_m = c_m + r_{m+1} h, from the top down."""
    r = list(u.r)
    for m in reversed(range(u.order)):
        r[m] = meet(r[m], total([(r[m + 1], u.h)], plus=[u.c[m]]))
    return Expansion(u.c, tuple(r), u.h)


def quotient(u: Expansion, v: Expansion) -> Expansion:
    """q = u/v, from u = q v:  q_m = (u_m − Σ_{j<m} q_j v_{m−j}) / v₀, and likewise for remainders."""
    c: list[Entry] = []
    for m in range(u.order):
        c.append(_over(minus(u.c[m], total([], [(c[j], v.c[m - j]) for j in range(m)])), _filled(v.c, 0)))
    r = [
        _over(minus(u.r[m], total([], [(c[j], v.r[m - j]) for j in range(m)])), v.range)
        for m in range(u.order + 1)
    ]
    return tightened(Expansion(tuple(c), tuple(r), u.h))


def _over(a: Entry, b: Interval) -> Entry:
    return None if a is None else divided(a, b)


def chain(recurrence: Recurrence, u: Expansion) -> Expansion:
    """φ(u), from ψ_k = φ[u₀ᵏ, u] = φ_k + (u − u₀) ψ_{k+1}, of which ψ₀ is φ(u)."""
    n = u.order
    if n == 0 or all(entry is None for entry in u.r[1:]):
        value = recurrence(u.range, 0)[0]
        return constant(value, u)
    base = _filled(u.c, 0)
    phi, over = apart(lambda at, region: slopes(recurrence, at, region, n), base, u.range)
    if is_one(u.r[1]) and all(entry is None for entry in u.r[2:]):  # the variable itself, but for a constant
        return Expansion(tuple(phi), tuple(over), u.h)
    ψ_c: list[Entry] = []
    ψ_r: list[Entry] = [over[n]]
    for k in reversed(range(n)):
        c: list[Entry] = [phi[k]]
        r: list[Entry] = [over[k]]
        for m in range(1, n - k + 1):
            if m < n - k:
                c.append(total([], [(u.c[j], ψ_c[m - j]) for j in range(1, m + 1)]))
            r.append(total([(u.r[m], over[k + 1])], [(u.c[j], ψ_r[m - j]) for j in range(1, m)]))
        ψ_c, ψ_r = c, r
    return tightened(Expansion(tuple(ψ_c), tuple(ψ_r), u.h))
