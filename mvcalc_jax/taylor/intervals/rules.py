"""The table of what each of JAX's primitives does to expansions.

Four kinds: elementary functions of one entry; arithmetic; what moves or copies entries, which acts on both ends of
every interval alike; and sums of many entries, whose rounding errors are bounded by their number.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from mvcalc_jax import require
from mvcalc_jax.taylor.intervals import truths
from mvcalc_jax.taylor.intervals.arithmetic import (
    Interval,
    everything,
    filled,
    known,
    middle,
    outward,
)
from mvcalc_jax.taylor.intervals.compiled import apart
from mvcalc_jax.taylor.intervals.elementary import ELEMENTARY
from mvcalc_jax.taylor.intervals.expansions import (
    Entry,
    Expansion,
    Pairs,
    chain,
    constant,
    entrywise,
    minus,
    negative,
    plus,
    product,
    quotient,
)
from mvcalc_jax.taylor.intervals.powers import exp, integer_power, log, real_power, reciprocal
from mvcalc_jax.taylor.intervals.truths import Truth

Params = dict[str, Any]
Rule = Callable[..., Any]
"""rule(params, bind, *inputs) -> expansion, or truth; bind carries the primitive out on arrays."""

SUMS_OF = 100
"""Products and extremes along an axis are taken entry by entry, of this many at most."""


def _elementary(name: str) -> Rule:
    return lambda params, bind, u: apart(partial(chain, ELEMENTARY[name]), u)


def _integer_power(params: Params, bind: Any, u: Expansion) -> Expansion:
    return chain(integer_power(params["y"]), u)


def _power(params: Params, bind: Any, u: Expansion, v: Any) -> Expansion:
    """uᵛ: of a whole exponent, of any fixed number, or exp(v log u)."""
    if not isinstance(v, Expansion):
        v = constant(Interval(*[jnp.asarray(v, u.range.lo.dtype)] * 2), u)
    fixed = (all(entry is None for entry in v.r[1:]) and v.order > 0) or v.range.lo is v.range.hi
    if not fixed:
        return chain(exp, product(v, chain(log, u)))
    p = v.range.lo
    if v.range.lo is v.range.hi and not require.traced(p):
        values = np.unique(np.asarray(p))
        if len(values) == 1 and float(values[0]).is_integer() and abs(values[0]) <= 64:
            return chain(integer_power(int(values[0])), u)
        return chain(real_power(p), u)
    return chain(exp, product(v, chain(log, u)))


def _quotient(params: Params, bind: Any, u: Expansion, v: Expansion) -> Expansion:
    if all(entry is None for entry in u.r[1:]):
        return product(u, chain(reciprocal, v))
    return apart(quotient, u, v)


def _moved(params: Params, bind: Any, *us: Any) -> Any:
    """What moves, copies or joins entries does so with both ends, and with every coefficient."""
    like = next((u for u in us if isinstance(u, Expansion)), None)
    if like is None:
        return _moved_truths(bind, *us)
    full = [_full(u, like) if isinstance(u, Expansion) else u for u in us]
    zeros = [jnp.zeros(u.shape, like.range.lo.dtype) if isinstance(u, Expansion) else u for u in full]
    single = not isinstance(jax.eval_shape(bind, *zeros), list | tuple)

    def of(entries: Sequence[Any]) -> list[Entry]:
        """One interval for each result."""
        intervals = [e for e, u in zip(entries, full, strict=True) if isinstance(u, Expansion)]
        if all(e is None for e in intervals):
            return [None] * (1 if single else len(jax.eval_shape(bind, *zeros)))
        end = lambda which: [
            getattr(e, which) if isinstance(e, Interval) else zero
            for e, zero in zip(entries, zeros, strict=True)
        ]
        as_list = lambda found: [found] if single else list(found)
        low = as_list(bind(*end("lo")))
        points = all(e is None or e.lo is e.hi for e in intervals)
        return [
            Interval(a, b) for a, b in zip(low, low if points else as_list(bind(*end("hi"))), strict=True)
        ]

    pick = lambda part, m: [getattr(u, part)[m] if isinstance(u, Expansion) else u for u in full]
    c = [of(pick("c", m)) for m in range(like.order)]
    r = [of(pick("r", m)) for m in range(like.order + 1)]
    results = [Expansion(tuple(e[k] for e in c), tuple(e[k] for e in r), like.h) for k in range(len(r[0]))]
    return results[0] if single else results


def _moved_truths(bind: Any, *us: Any) -> Any:
    """Conditions are moved as they are."""
    parts = [jax.tree.leaves(u if isinstance(u, Truth) else truths.fact(u)) for u in us]
    found = [bind(*part) for part in zip(*parts, strict=True)]
    known = lambda a, b, c, d: Truth(truths.Known(a, b), truths.Known(c, d))
    if not isinstance(found[0], list | tuple):
        return known(*found)
    return [known(*part) for part in zip(*found, strict=True)]


def _full(u: Expansion, like: Expansion) -> Expansion:
    return u if u.order == like.order else constant(u.range, like)


def _summed(params: Params, bind: Any, u: Expansion) -> Expansion:
    """A sum along axes, or a running one; each addition is rounded, of partial sums that are at most Σ|u|."""
    axes = params["axes"] if "axes" in params else [params["axis"]]
    terms = max(int(np.prod([u.shape[d] for d in axes])), 1)

    def of(a: Entry) -> Entry:
        if a is None:
            return None
        info = jnp.finfo(a.lo.dtype)
        error = bind(a.magnitude) * float(terms * info.eps * 1.1) + float(2 * terms * info.tiny)
        return known(bind(a.lo) - error, bind(a.hi) + error)

    return entrywise(of, u)


def _folded(f: Callable[[Expansion, Expansion], Expansion]) -> Rule:
    """Products and extremes along axes, entry by entry."""

    def rule(params: Params, bind: Any, u: Expansion) -> Expansion:
        axes = params["axes"]
        keep = [d for d in range(len(u.shape)) if d not in axes]
        order = (*axes, *keep)
        count = int(np.prod([u.shape[d] for d in axes]))
        if count > SUMS_OF:
            raise NotImplementedError(f"a product or extreme of more than {SUMS_OF} entries")
        shape = (count, *(u.shape[d] for d in keep))
        rows = entrywise(lambda e: _on_ends(lambda x: jnp.transpose(x, order).reshape(shape), e), u)
        found = entrywise(lambda e: _on_ends(lambda x: x[0], e), rows)
        for k in range(1, count):
            found = f(found, entrywise(lambda e, k=k: _on_ends(lambda x: x[k], e), rows))
        return found

    return rule


def _on_ends(f: Callable[[Any], Any], a: Entry) -> Entry:
    if a is None:
        return None
    low = f(a.lo)
    return Interval(low, low if a.hi is a.lo else f(a.hi))


def _matrix_product(params: Params, bind: Any, u: Expansion, v: Expansion) -> Expansion:
    """Products of matrices by midpoint and radius: |AB − mid A mid B| ≤ |mid A| rad B + rad A (|mid B| + rad B)."""
    (axes, _), _ = params["dimension_numbers"]
    terms = int(np.prod([u.shape[d] for d in axes]))
    exact = {**params, "precision": lax.Precision.HIGHEST}
    dot = lambda a, b: lax.dot_general_p.bind(a, b, **exact)

    def of(*pairs: Pairs) -> Entry:
        kept = [(a, b) for some in pairs for a, b in some if a is not None and b is not None]
        if not kept:
            return None
        info = jnp.finfo(kept[0][0].lo.dtype)
        dots = error = jnp.zeros((), info.dtype)
        for a, b in kept:
            (am, ar), (bm, br) = middle(a), middle(b)
            size = jnp.abs(am)
            dots = dots + dot(am, bm)
            rest = dot(size, jnp.abs(bm)) * float((terms + len(kept) + 2) * info.eps) + float(
                4 * terms * info.tiny
            )
            error = error + rest
            if br is not None:
                error = error + dot(size, br)
            if ar is not None:
                error = error + dot(ar, jnp.abs(bm) if br is None else jnp.abs(bm) + br)
        error = error * (1 + float((2 * terms + 8) * info.eps))
        return outward(dots, dots, error=error)

    return product(u, v, of)


def _converted(params: Params, bind: Any, u: Any) -> Any:
    """Floating-point numbers of another kind are rounded. Conditions as numbers are seen to by the walk."""
    dtype = params["new_dtype"]
    if isinstance(u, Truth):
        return u  # a condition, or the index of a branch; whatever else is done with it is refused
    if jnp.issubdtype(dtype, jnp.complexfloating):
        raise NotImplementedError("a complex number")
    if not jnp.issubdtype(dtype, jnp.floating):
        raise NotImplementedError("a number rounded to a whole one")
    if jnp.finfo(dtype).bits not in (32, 64):
        raise NotImplementedError(f"no bounds on rounding errors are known for {dtype}")
    if dtype == u.range.lo.dtype:
        return u
    if jnp.finfo(dtype).bits > jnp.finfo(u.range.lo.dtype).bits:
        return entrywise(lambda a: _on_ends(bind, a), u)
    return entrywise(lambda a: None if a is None else outward(bind(a.lo), bind(a.hi)), u)


def _compared(name: str) -> Rule:
    return lambda params, bind, u, v: truths.compared(name, u, v)


def _combined(name: str) -> Rule:
    return lambda params, bind, *us: truths.combined(name, *us)


def _selected(params: Params, bind: Any, which: Any, *cases: Expansion) -> Expansion:
    if not isinstance(which, Truth):
        return _moved(params, bind, which, *cases)
    if len(cases) != 2:
        raise NotImplementedError("a choice among more than two")
    return truths.select(which, *cases)


def _clamped(params: Params, bind: Any, low: Expansion, u: Expansion, high: Expansion) -> Expansion:
    wide = lambda e: (
        e
        if e.shape == u.shape
        else entrywise(lambda a: _on_ends(lambda x: jnp.broadcast_to(x, u.shape), a), e)
    )
    return truths.minimum(truths.maximum(u, wide(low)), wide(high))


def _finite(params: Params, bind: Any, u: Expansion) -> Truth:
    """Of a function in exact arithmetic, all values are finite; of an unbounded interval, nothing is known."""
    of = lambda a: truths.Known(jnp.isfinite(a.lo) & jnp.isfinite(a.hi), jnp.ones_like(a.lo, bool))
    return Truth(of(u.c[0] if u.order and u.c[0] is not None else u.range), of(u.range))


def _angle(params: Params, bind: Any, y: Expansion, x: Expansion) -> Expansion:
    """atan2(y, x) to the right of x = 0, where it is atan(y/x), and above and below; from −π to π where it jumps."""
    right = chain(ELEMENTARY["atan"], quotient(y, x))
    turn = quotient(x, y)
    quarter = constant(filled(y.range, np.pi / 2), y)
    quarter = entrywise(lambda e: None if e is None else outward(e.lo, e.hi), quarter)
    above = entrywise(minus, quarter, chain(ELEMENTARY["atan"], turn))
    below = entrywise(minus, entrywise(negative, quarter), chain(ELEMENTARY["atan"], turn))
    zero = constant(filled(y.range, 0.0), y)
    straight = jnp.full_like(y.range.lo, np.pi)
    half = outward(straight, straight).hi
    anything = constant(Interval(-half, half), y)
    unknown = [None if e is None else everything(half) for e in (0, *[1] * y.order)][1:]
    anything = Expansion((*anything.c[:1], *unknown[1:]), (anything.range, *unknown), y.h)
    up, down, ahead = (truths.compared(*of) for of in (("gt", y, zero), ("lt", y, zero), ("gt", x, zero)))
    found = truths.preferred(down, below, anything)
    return truths.preferred(ahead, right, truths.preferred(up, above, found))


MOVING = [
    "reshape",
    "broadcast_in_dim",
    "squeeze",
    "expand_dims",
    "transpose",
    "rev",
    "slice",
    "dynamic_slice",
    "dynamic_update_slice",
    "concatenate",
    "pad",
    "gather",
    "scatter",
    "copy",
    "copy_p",
    "split",
    "stack",
    "unstack",
    "real",
    "stop_gradient",
    "optimization_barrier",
    "device_put",
]

RULES: dict[str, Rule] = {
    **{name: _elementary(name) for name in ELEMENTARY},
    **dict.fromkeys(MOVING, _moved),
    "integer_pow": _integer_power,
    "pow": _power,
    "add": lambda params, bind, u, v: entrywise(plus, u, v),
    "add_any": lambda params, bind, u, v: entrywise(plus, u, v),
    "sub": lambda params, bind, u, v: entrywise(minus, u, v),
    "neg": lambda params, bind, u: entrywise(negative, u),
    "mul": lambda params, bind, u, v: apart(product, u, v),
    "div": _quotient,
    "max": lambda params, bind, u, v: truths.maximum(u, v),
    "min": lambda params, bind, u, v: truths.minimum(u, v),
    "sign": lambda params, bind, u: truths.stepwise(jnp.sign, u),
    "floor": lambda params, bind, u: truths.stepwise(jnp.floor, u),
    "ceil": lambda params, bind, u: truths.stepwise(jnp.ceil, u),
    "round": lambda params, bind, u: truths.stepwise(bind, u),
    "atan2": _angle,
    "clamp": _clamped,
    "select_n": _selected,
    "is_finite": _finite,
    "reduce_sum": _summed,
    "cumsum": _summed,
    "reduce_max": _folded(truths.maximum),
    "reduce_min": _folded(truths.minimum),
    "reduce_prod": _folded(product),
    "dot_general": _matrix_product,
    "convert_element_type": _converted,
    **{name: _compared(name) for name in ("lt", "le", "gt", "ge", "eq", "ne")},
    **{name: _combined(name) for name in ("and", "or", "not")},
}

OF_CONDITIONS = {*MOVING, "and", "or", "not", "select_n", "convert_element_type"}
"""What takes conditions that are only known in part; all else wants numbers."""
