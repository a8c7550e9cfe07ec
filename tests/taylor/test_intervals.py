"""Functions of intervals hold every value, in exact arithmetic; and say so where they know nothing."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb

import mvcalc_jax as mv
from mvcalc_jax.taylor.intervals import balls
from mvcalc_jax.taylor.intervals.arithmetic import Interval, held, point, power, sum_of_products
from mvcalc_jax.taylor.intervals.elementary import ELEMENTARY, integer_power

INF = np.inf


def over(f, *boxes, dtype=np.float64):
    found = mv.interval(f)(*(Interval(dtype(a), dtype(b)) for a, b in boxes))
    return float(found.lo), float(found.hi)


@pytest.mark.parametrize(
    ("a", "b", "exact"),
    [
        ((1, 2), (3, 4), (3, 8)),
        ((-1, 2), (-3, 4), (-6, 8)),
        ((-2, -1), (-3, -2), (2, 6)),
        ((0, 1), (1, INF), (-INF, INF)),  # 0 · ∞: what is infinite may not be defined at all
        ((-INF, INF), (0, 0), (-INF, INF)),
        ((1, 2), (1, INF), (1, INF)),
        ((-INF, INF), (2, 3), (-INF, INF)),
    ],
)
def test_products(a, b, exact, float64):
    found = sum_of_products(
        [(Interval(*map(jnp.asarray, map(float, a))), Interval(*map(jnp.asarray, map(float, b))))]
    )
    for end, true, sign in ((found.lo, exact[0], -1), (found.hi, exact[1], 1)):
        assert end == true if np.isinf(true) else 0 <= sign * (float(end) - true) < 1e-14 * abs(true)


def thin_and_wide(rng, dtype):
    """Intervals fifty units wide, and any; of all sizes, some of them points, some across zero, some unbounded."""
    m = (rng.uniform(-1, 1, (4, 200)) * 10.0 ** rng.integers(-40, 39, (4, 200))).astype(dtype)
    m[:, ::7] = rng.uniform(-2, 2, m[:, ::7].shape)
    m = np.where(np.abs(m) < np.finfo(dtype).tiny, dtype(0), m)
    info = np.finfo(dtype)
    near = np.where(m == 0, info.tiny, m + 50 * info.eps * np.abs(m)).astype(dtype)
    ends = np.sort(np.stack([m[2:], np.where(rng.random(m[2:].shape) < 0.5, near[2:], -m[:2])]), axis=0)
    ends[1, 0, ::31] = np.inf
    return [Interval(m[k], near[k]) for k in (0, 1)], [Interval(*ends[:, k]) for k in (0, 1)]


@pytest.mark.parametrize("how", ["intervals", "balls"])
def test_products_of_what_is_known_to_rounding_hold_all_products(how, precision, rng):
    """At the ends, where products are extreme, in exact arithmetic."""
    (a, b), (x, y) = thin_and_wide(rng, np.dtype(precision).type)
    a, b, x, y = (Interval(jnp.asarray(i.lo), jnp.asarray(i.hi)) for i in (a, b, x, y))
    if how == "intervals":
        found = sum_of_products([(x, y)], [y], [(a, x), (b, y)])
    else:
        x, y = a & a, b & b
        found = balls.interval(
            balls.dot([(balls.ball(x), balls.ball(y))] * 2, [balls.difference(*map(balls.ball, (a, b)))])
        )
    bounded = 0
    a, b, x, y, found = jax.device_get((a, b, x, y, found))
    for k in range(a.lo.size):
        end = lambda i, which, k=k: arb(float(getattr(i, which)[k]))
        for p, q, u, v in itertools.product(("lo", "hi"), repeat=4):
            if how == "intervals":
                true = end(x, u) * end(y, v) + end(y, v) + end(a, p) * end(x, u) + end(b, q) * end(y, v)
            else:
                true = 2 * end(a, p) * end(b, q) + end(a, p) - end(b, q)
            if not true.is_finite():
                assert np.isinf(found.lo[k]) or np.isinf(found.hi[k])
                continue
            assert not arb(float(found.lo[k])) > true and not arb(float(found.hi[k])) < true, (k, true)
        bounded += bool(np.isfinite(found.hi[k]) and np.isfinite(found.lo[k]))
    assert bounded > 50


def test_sums_that_overflow_are_unbounded(float64):
    huge = point(1.7e308)
    assert np.isposinf((huge + huge).hi) and np.isneginf((huge + huge).lo)
    assert np.isposinf((-huge - huge).hi) and np.isneginf((-huge - huge).lo)


def test_whole_powers_are_rounded_outward(precision):
    for n in (-3, -2, 0, 1, 2, 3, 7, 20):
        x = np.float32(1.1) if precision == "float32" else np.float64(1.1)
        found = power(point(jnp.asarray(x)), n)
        exact = arb(float(x)) ** n
        assert arb(float(found.lo)) <= exact <= arb(float(found.hi))
    assert power(Interval(jnp.asarray(-1.0), jnp.asarray(2.0)), 2).lo == 0
    assert np.isinf(power(Interval(jnp.asarray(-1.0), jnp.asarray(2.0)), -2).hi)


@pytest.mark.parametrize("n", [100, -7])
def test_binomial_coefficients_of_powers_are_exact(n, float64):
    """binom(100, 8) by floating-point quotients would be off by more than is allowed for."""
    found = integer_power(n)(point(1.0), 8)
    for k, y in enumerate(found):
        exact = arb(1)
        for j in range(k):
            exact = exact * (n - j) / (j + 1)
        assert arb(float(y.lo)) <= exact <= arb(float(y.hi))
        assert y.width <= 1e-12 * abs(y.lo)


def test_numbers_that_a_precision_does_not_have_are_held_between_neighbours():
    tenth = held(0.1, np.float32)
    assert float(tenth.lo) < 0.1 < float(tenth.hi)
    assert held(0.5, np.float32).lo == held(0.5, np.float32).hi == 0.5
    assert held(2**24 + 1, np.float32).lo < 2**24 + 1 < held(2**24 + 1, np.float32).hi
    tiny = np.finfo(np.float32).tiny
    assert held(1e-40, np.float32).lo == 0 and held(1e-40, np.float32).hi == tiny


RANGES = [
    (jnp.exp, [(0, 1)], (1, np.e)),
    (jnp.sin, [(1, 2)], (np.sin(1), 1)),
    (jnp.cos, [(3, 7)], (-1, 1)),
    (lambda x: jnp.sin(x), [(1e9, 1e9 + 1)], (-1, 1)),
    (jnp.tan, [(1, 2)], (-INF, INF)),
    (jnp.log, [(0, 1)], (-INF, INF)),
    (jnp.sqrt, [(0, 4)], (0, 2)),
    (jnp.abs, [(-2, 1)], (0, 2)),
    (jnp.floor, [(-0.5, 1.5)], (-1, 1)),
    (jnp.sign, [(-0.5, 0)], (-1, 0)),
    (lambda x: 1 / x, [(-1, 1)], (-INF, INF)),
    (lambda x: x**2, [(-2, 1)], (0, 4)),
    (lambda x: x**-1, [(2, 4)], (0.25, 0.5)),
    (lambda x: x**1.5, [(1, 4)], (1, 8)),
    (jnp.cosh, [(-1, 2)], (1, np.cosh(2))),
    (jnp.arctan2, [(-1, 0), (-2, -1)], (-np.pi, np.pi)),  # π on the cut itself
    (jnp.arctan2, [(1, 2), (-2, 2)], (np.arctan2(1, 2), np.arctan2(1, -2))),
    (jnp.arctan2, [(-1, 1), (1, 2)], (-np.pi / 4, np.pi / 4)),
    (jnp.maximum, [(0, 2), (1, 3)], (1, 3)),
    (lambda x: jnp.where(x > 0, x, -1.0), [(-1, 2)], (-1, 2)),
    (lambda x: jnp.where(x > 0, x, -1.0), [(1, 2)], (1, 2)),
    (lambda x: (x > 1) * x, [(0, 2)], (0, 2)),
    (lambda x: jax.lax.cond(x > 0, jnp.exp, jnp.sin, x), [(1, 2)], (np.e, np.e**2)),
    (lambda x: jnp.clip(x, -1.0, 1.0), [(-3, 0.5)], (-1, 0.5)),
    (jnp.logaddexp, [(0, 1), (0, 0)], (np.log(2), np.log1p(np.e))),
]


@pytest.mark.parametrize(("f", "boxes", "exact"), RANGES, ids=map(str, range(len(RANGES))))
def test_ranges(f, boxes, exact, precision):
    dtype, eps = np.dtype(precision).type, np.finfo(precision).eps
    for end, true, sign in zip(over(f, *boxes, dtype=dtype), exact, (-1, 1), strict=True):
        room = max(abs(true), 1) * eps
        assert (
            end == true if np.isinf(true) else -room <= sign * (end - true) < 1000 * room
        )  # cosh is off by hundreds


def test_every_elementary_function_knows_nothing_outside_its_domain(float64):
    for name, low, high in (
        ("log", -1, 1),
        ("sqrt", -1, 1),
        ("asin", 0, 2),
        ("acosh", 0, 2),
        ("atanh", -2, 0),
    ):
        for y in ELEMENTARY[name](Interval(jnp.asarray(float(low)), jnp.asarray(float(high))), 4):
            assert np.isneginf(y.lo) and np.isposinf(y.hi), name


def test_jit_and_vmap_enclose_the_same(float64):
    f = mv.interval(lambda x: jnp.exp(jnp.sin(x)) / (1 + x * x))
    low, high = np.linspace(-2, 1, 5), np.linspace(-1.5, 3, 5)
    many = jax.vmap(lambda a, b: f(Interval(a, b)))(low, high)
    compiled = jax.jit(jax.vmap(lambda a, b: f(Interval(a, b))))(low, high)
    for k in range(5):
        one = f(Interval(low[k], high[k]))
        for found in (many, compiled):
            np.testing.assert_allclose([found.lo[k], found.hi[k]], [one.lo, one.hi], rtol=1e-13)


def test_an_interval_in_the_wrong_order_is_refused_or_unknown(float64):
    f = mv.interval(jnp.exp)
    with pytest.raises(ValueError, match="lo <= hi"):
        f(Interval(2.0, 1.0))
    found = jax.vmap(lambda a: f(Interval(a, jnp.ones_like(a))))(np.array([0.5, 2.0]))
    assert found.lo[1] == 0 and np.isposinf(found.hi[1])
    assert found.lo[0] > 1.6


REFUSED = [
    (lambda x: jax.lax.rem(x, jnp.ones_like(x)), "'rem' has none"),
    (lambda x: jnp.sort(jnp.stack([x, -x]))[0], "'sort' has none"),
    (lambda x: jnp.arange(3.0).astype(x.dtype)[x.astype(int)], "rounded to a whole one"),
    (lambda x: x + jnp.argmax(jnp.stack([x, -x])), "'argmax' has none"),
    (lambda x: jnp.nextafter(x, 2 * x), "'nextafter' has none"),
    (lambda x: jax.lax.while_loop(lambda s: s < 9, lambda s: 2 * s, x), "'while' has none"),
    (lambda x: jnp.where(x > 0, 1, 0) + 0 * x, "a whole number, that depends"),
    (lambda x: jnp.abs(x + 1j), "a complex number"),
    (lambda x: x.astype(jnp.float16), "float16"),
]


@pytest.mark.parametrize(("f", "said"), REFUSED, ids=map(str, range(len(REFUSED))))
def test_what_has_no_rule_is_refused_by_name(f, said, float64):
    with pytest.raises(ValueError, match=said):
        over(f, (0.5, 1.5))


@pytest.mark.parametrize("x", [None, "0.5", 1j, np.array([None])], ids=repr)
def test_what_is_no_number_lies_in_no_interval(x):
    with pytest.raises(TypeError, match="`x` must hold real numbers"):
        mv.Interval(np.zeros(1), np.ones(1)).contains(x)


def test_as_many_numbers_as_intervals():
    with pytest.raises(ValueError, match=r"`x` must fit to intervals of shape \(3,\); got shape \(2,\)"):
        mv.Interval(np.zeros(3), np.ones(3)).contains(np.zeros(2))


@pytest.mark.parametrize("x", [iter([1.0]), jax.random.key(0)], ids=["iterator", "key"])
def test_functions_of_intervals_of_other_things(x):
    with pytest.raises(TypeError, match=r"argument 0`? must"):
        mv.interval(jnp.sin)(x)


def test_functions_of_more_than_these_intervals():
    with pytest.raises(TypeError, match="`f` must be a function of 1 argument"):
        mv.interval(lambda x, y: x)(mv.Interval(np.zeros(1), np.ones(1)))
