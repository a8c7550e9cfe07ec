"""Functions lie in their bands, at every point, to the last digit; bands are sharp; and a false one would be found."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from benchmarks import edges, enclosures
from mvcalc_jax.compiling import quickly
from mvcalc_jax.taylor.intervals import recurrences
from tests.cases import long

pytestmark = pytest.mark.usefixtures("float64")

CASES = {case.name: case for case in edges.CASES}


@pytest.mark.parametrize(
    ("name", "dtype", "compiled"),
    [
        ("exp", np.float64, False),
        ("tanh(1/x)", np.float64, False),
        ("|sin x|", np.float64, False),
        long("where x > 0", np.float64, False),
        ("x floor x", np.float32, True),
        long("tanh(1/x)", np.float32, True),
        long("where x > 0", np.float32, False),
    ],
)
def test_no_point_is_outside(name, dtype, compiled):
    case = CASES[name]
    at = enclosures.boxes_of(case, dtype, 12, 16, np.random.default_rng(7))
    found = enclosures.tally(case, at, enclosures.bands(case, at, 2, compiled), name)
    assert found.points > 100
    assert not found.outside, found.worst
    assert found.bounded >= 2


def test_a_band_that_is_wrong_is_found(monkeypatch):
    case = CASES["exp"]
    at = enclosures.boxes_of(case, np.float64, 12, 16, np.random.default_rng(7))
    monkeypatch.setattr(recurrences, "units", lambda name, dtype: -8.0)  # more than all room
    assert enclosures.tally(case, at, enclosures.bands(case, at, 2), "wrong").outside > 0
    assert enclosures.tally(case, at, enclosures.by_interval(case, at), "wrong").outside > 0


@pytest.mark.parametrize(
    ("f", "low", "high", "factor"),
    [
        (lambda x: jnp.exp(-x * x), -0.672805, -0.086084, 1.5),
        (lambda x: x / (1 + x * x), -0.72, -0.56, 2.0),
        long(lambda x: jnp.exp(x) * jnp.sqrt(x + 2), 1.485883, 2.148923, 1.5),
    ],
    ids=["exp(-x^2)", "x/(1+x^2)", "exp(x) sqrt(x+2)"],
)
def test_remainders_are_sharp(f, low, high, factor):
    for pieces, most in ((1, factor), (16, 1.08)):
        R = mv.taylor_enclosure(f, 0.5, 0.5, 2, pieces=pieces).remainder
        assert R.lo <= low + 1e-6 and R.hi >= high - 1e-6
        assert R.width < most * (high - low)


@pytest.mark.slow
def test_kinks_and_poles_in_the_region_leave_nothing_known_and_elsewhere_all_is_known():
    for f in (lambda x: jnp.log(x) ** 2, jnp.floor):
        assert np.isinf(mv.taylor_enclosure(f, 1.0, 2.0, 2).remainder.width)
    e = mv.taylor_enclosure(jnp.abs, 1.0, 2.0, 2, pieces=16)
    assert np.isfinite(e.width) and float(e.lower(-1.0)) <= 1.0 <= float(e.upper(-1.0))
    assert np.isfinite(mv.taylor_enclosure(jnp.floor, 0.5, 0.4, 2).width)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", enclosures.PRECISIONS, ids=["float32", "float64"])
def test_ends_middle_and_outside(dtype):
    for x0, radius in ((1000.1, 1e-3), (-1e-7, 2.0)):
        e = mv.taylor_enclosure(jnp.sin, dtype(x0), dtype(radius), 1, pieces=16)
        ends = np.array([dtype(x0) - dtype(radius), dtype(x0), dtype(x0) + dtype(radius)])
        out = np.array([x0 - 2 * radius, x0 + 2 * radius, np.nan, np.inf], dtype)
        found = e.band(np.concatenate([ends, out]))
        low, high, true = np.asarray(found.lo, float), np.asarray(found.hi, float), np.sin(ends.astype(float))
        assert np.isfinite(low[:3]).all() and np.isfinite(high[:3]).all()
        assert (low[:3] <= true).all() and (true <= high[:3]).all()
        assert np.isneginf(low[3:]).all() and np.isposinf(high[3:]).all()


def test_a_point_of_finer_precision_is_not_rounded():
    e = mv.taylor_enclosure(lambda x: x, np.float32(0), np.float32(1), 2)
    assert float(e.lower(0.1)) <= 0.1 <= float(e.upper(0.1))
    assert float(e.upper(0.1)) > float(np.float32(0.1)) or float(e.lower(0.1)) < 0.1


@pytest.mark.slow
def test_jit_and_vmap_enclose_the_same():
    f = lambda x: jnp.exp(-x * x)
    x0 = np.array([0.5, 1.0, 0.3, 0.0, np.nan, np.inf])
    radius = np.array([0.5, -1.0, np.nan, np.inf, 1.0, 1.0])

    def of(a, r):
        e = mv.taylor_enclosure(f, a, r, 1)
        return e.remainder, e.band(a)

    many, compiled = jax.vmap(of)(x0, radius), jax.jit(jax.vmap(of), compiler_options=quickly())(x0, radius)
    ones = of(0.5, 0.5)
    for results in (many, compiled):
        for found, one in zip(results, ones, strict=True):
            np.testing.assert_allclose([found.lo[0], found.hi[0]], [one.lo, one.hi], rtol=1e-13)
            assert np.isneginf(found.lo[1:]).all() and np.isposinf(found.hi[1:]).all()


def test_arrays_and_constants():
    e = mv.taylor_enclosure(lambda x: jnp.stack([x * x, jnp.sin(x), 3 + 0 * x]), 0.5, 0.25, 2)
    x = np.linspace(0.25, 0.75, 5)
    found, true = e.band(x), np.stack([x * x, np.sin(x), 3 + 0 * x], -1)  # x is exact, so is x²
    assert found.lo.shape == (5, 3)
    assert ((found.lo <= true) & (true <= found.hi)).all()
    three = mv.taylor_enclosure(lambda x: 3.0, 0.5, 0.25, 2)
    assert three.width < 1e-12 and three.lower(0.6) <= 3.0 <= three.upper(0.6)


@pytest.mark.slow
def test_several_variables_at_a_kink():
    """At order 1 the second derivative of |x|, 0 by autodiff, says nothing."""
    e = mv.taylor_enclosure(lambda x: jnp.abs(x[0]) + x[1], np.array([0.1, 0.0]), 0.5, 1)
    assert e.remainder.lo[0] <= -1 and e.remainder.hi[0] >= 1
    assert float(e.lower(np.array([-0.3, 0.0]))) <= 0.3 <= float(e.upper(np.array([-0.3, 0.0])))
    assert np.isinf(mv.taylor_enclosure(lambda x: jnp.abs(x[0]) + x[1], np.array([0.1, 0.0]), 0.5, 2).width)


@pytest.mark.slow
def test_several_variables(rng):
    f = lambda x: jnp.exp(x[0]) * jnp.sin(x[1])
    e = mv.taylor_enclosure(f, np.array([0.2, 0.5]), np.array([0.3, 0.1]), 2)
    x = np.array([0.2, 0.5]) + rng.uniform(-1, 1, (20, 2)) * [0.3, 0.1]
    found, true = jax.jit(jax.vmap(e.band))(x), np.exp(x[:, 0]) * np.sin(x[:, 1])
    assert (np.asarray(found.lo) <= true).all() and (true <= np.asarray(found.hi)).all()
    assert (np.asarray(found.width) < 0.05).all()


BAD = [
    ((1.0, 0.5, 1.0, 2), TypeError, "must be a function"),
    ((jnp.exp, 0.5, 0.0, 2), ValueError, "must be positive"),
    ((jnp.exp, 0.5, -1.0, 2), ValueError, "must be positive"),
    ((jnp.exp, np.nan, 1.0, 2), ValueError, "`x0` must be finite"),
    ((jnp.exp, 0.5, np.inf, 2), ValueError, "`radius` must be finite"),
    ((jnp.exp, 0.5j, 1.0, 2), TypeError, "`x0` must hold real numbers"),
    ((jnp.exp, 0.5, 1.0, 0), ValueError, "`order` must be at least 1"),
    ((jnp.exp, 0.5, 1.0, 1.5), TypeError, "`order` must be a whole number"),
    ((jnp.exp, 0.5, 1.0, 21), ValueError, "at most 20"),
    ((jnp.exp, np.float16(0.5), np.float16(1), 2), TypeError, "32 or 64 bits"),
    ((lambda x: (x, x), 0.5, 1.0, 2), TypeError, "must return one array"),
    ((lambda x: x > 0, 0.5, 1.0, 2), TypeError, "must return one array"),
    ((lambda x: 1, 0.5, 1.0, 2), TypeError, "must return one array"),
    ((lambda x: x + 1j, 0.5, 1.0, 2), ValueError, "a complex number"),
    ((jnp.sort, np.ones(2), 1.0, 2), ValueError, "'sort' has none"),
    ((jnp.exp, np.ones((2, 2)), 1.0, 2), ValueError, "shape"),
]


@pytest.mark.parametrize(("args", "kind", "said"), BAD, ids=map(str, range(len(BAD))))
def test_misuse_is_refused_in_a_sentence(args, kind, said):
    with pytest.raises(kind, match=said):
        mv.taylor_enclosure(*args)


def test_whole_numbers_are_numbers():
    e = mv.taylor_enclosure(jnp.exp, 1, 1, 2)
    assert e.x0.dtype == np.float64 and float(e.lower(2)) <= np.e**2 <= float(e.upper(2))


def test_a_radius_of_pythons_is_as_precise_as_the_callers_jax():
    width = jax.jit(lambda x: mv.taylor_enclosure(jnp.sin, x, 0.25, 2).width)
    with jax.enable_x64(False):
        assert width(np.float32(0.5)).dtype == "float32"  # and no warning
