"""What is proven of ranges, roots and integrals is true, and is not said where it is false."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb

import mvcalc_jax as mv
from benchmarks import proven
from mvcalc_jax.taylor.bands.roots import RootStatus

pytestmark = [pytest.mark.usefixtures("float64"), pytest.mark.slow]


def named(table, *names, long=()):
    """Rows of a table by name, in its order; those of `long` with `-m long`."""
    return [
        pytest.param(*row[1:], id=f"{k}", marks=pytest.mark.long if row[0] in long else ())
        for k, row in enumerate(table)
        if row[0] in {*names, *long}
    ]


@pytest.mark.parametrize(("f", "box", "low", "high"), named(proven.RANGES, "floor x", "log x", "x·stop(x)"))
def test_ranges(f, box, low, high):
    found = mv.verified_range(f, box)
    assert found.lo <= low and high <= found.hi
    if np.isfinite(low):
        assert (high - low) * (1 + 1e-5) >= found.hi - found.lo
        assert "proven with" in found.message


@pytest.mark.parametrize(
    ("f", "box", "true"),
    named(
        proven.ROOTS,
        "x²",
        "cos x − x",
        "1/x",
        "x + floor x",
        "circle, line",
        long=("|x| − 1", "x·stop(x) − 2", "x + 0 log x"),
    ),
)
def test_roots(f, box, true):
    found = mv.verified_root(f, box)
    if found.status is RootStatus.ONE:
        assert len(true) == 1
        assert np.max(np.asarray(found.root.lo)) <= true[0] + 1e-15
        assert true[0] <= np.min(np.asarray(found.root.hi)) + 1e-15
        assert np.max(np.asarray(found.root.width)) < 1e-10
    if found.status is RootStatus.NONE:
        assert not true


@pytest.mark.parametrize(
    ("f", "box", "status"),
    [
        (lambda x: x * x - 2, (0.0, 2.0), RootStatus.ONE),
        (lambda x: x * x - 2, (-2.0, 2.0), RootStatus.UNKNOWN),
        (lambda x: x * x + 1, (-2.0, 2.0), RootStatus.NONE),
        (lambda x: x * jax.lax.stop_gradient(x) - 2, (1.0, 2.0), RootStatus.ONE),
    ],
    ids=["one", "two", "none", "stop_gradient"],
)
def test_what_is_said_of_roots(f, box, status):
    found = mv.verified_root(f, box)
    assert found.status is status and status.value in found.message


@pytest.mark.parametrize(
    ("f", "low", "high", "exact"),
    named(proven.INTEGRALS, "exp(−x²)"),
)
def test_integrals(f, low, high, exact):
    found = mv.verified_integral(f, low, high)
    if np.isfinite(found.lo) and np.isfinite(found.hi):
        assert arb(found.lo) <= exact() <= arb(found.hi)
        assert found.hi - found.lo < 1e-10
    else:
        assert "nothing is proven" in found.message


BAD = [
    (lambda: mv.verified_range(jnp.sin, (1.0, 0.0)), ValueError, "low < high"),
    (lambda: mv.verified_range(jnp.sin, (0.0, np.inf)), ValueError, "must be finite"),
    (lambda: mv.verified_range(jnp.sin, (0.0, 1.0), tolerance=0.0), ValueError, "must be positive"),
    (lambda: mv.verified_range(lambda x: x, ((0.0, 1.0),) * 2), ValueError, "single number"),
    (lambda: mv.verified_root(lambda x: x[0], ((0.0, 1.0),) * 2), ValueError, "as many numbers"),
    (lambda: mv.verified_root(1.0, (0.0, 1.0)), TypeError, "must be a function"),
    (lambda: mv.verified_root(lambda x: jax.lax.rem(x, 2.0), (0.0, 1.0)), ValueError, "'rem' has none"),
    (lambda: mv.verified_integral(jnp.sin, 1.0, 1.0), ValueError, "low < high"),
    (lambda: mv.verified_integral(jnp.sin, 0.0, 1.0, order=3), ValueError, "must be even"),
    (lambda: mv.verified_integral(lambda x: jnp.stack([x, x]), 0.0, 1.0), ValueError, "single number"),
]


@pytest.mark.parametrize(("call", "kind", "said"), BAD, ids=map(str, range(len(BAD))))
def test_misuse_is_refused_in_a_sentence(call, kind, said):
    with pytest.raises(kind, match=said):
        call()


@pytest.mark.parametrize(
    ("f", "box", "error", "said"),
    [
        (lambda x: x > 0, (0, 1), TypeError, "`f` must return floating-point numbers; got bool"),
        (lambda x: (x, x), (0, 1), ValueError, "as many numbers as it has variables, 1; got tuple"),
        (lambda x: x, [[1], [1, 2]], ValueError, "`box` must be a pair"),
        (lambda x: x, "01", ValueError, "`box` must be a pair"),
    ],
    ids=["conditions", "tuple", "ragged", "text"],
)
def test_roots_of_what_are_no_numbers(f, box, error, said):
    with pytest.raises(error, match=said):
        mv.verified_root(f, box)
