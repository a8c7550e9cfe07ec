"""Basins: the right root for every start, each root once, and no label for what leads nowhere."""

import jax.numpy as jnp
import numpy as np
import pytest

from mvcalc_jax.calculus import basins, newton
from mvcalc_jax.calculus.rootfinding.classics import FRACTALS, sextic

pytestmark = pytest.mark.slow

SQUARE = ((-2, 2), (-2, 2))


def reference(z, f, df, steps=100):
    """An oracle: the same steps in NumPy."""
    with np.errstate(all="ignore"):
        for _ in range(steps):
            z = z - np.where(f(z) == 0, 0, f(z) / df(z))
    return z


def grid(box, columns, rows):
    x, y = np.linspace(*box[0], columns), np.linspace(*box[1], rows)
    return x + 1j * y[:, None]


def test_three_roots_of_one():
    found = basins(lambda z: z**3 - 1, SQUARE, points=(70, 60))
    assert found.kind == "complex"
    assert found.label.shape == found.steps.shape == (60, 70)
    np.testing.assert_allclose(sorted(found.roots**3, key=abs), np.ones(3), atol=1e-14)
    ends = reference(grid(SQUARE, 70, 60), lambda z: z**3 - 1, lambda z: 3 * z**2)
    there = found.label >= 0
    np.testing.assert_allclose(found.roots[found.label[there]], ends[there], atol=1e-12)
    assert there.mean() > 0.999
    assert found.shares.sum() + found.nowhere == pytest.approx(1)
    np.testing.assert_array_equal(np.sort(found.shares)[::-1], found.shares)


def test_a_system_has_the_basins_of_the_complex_function_that_it_is():
    real = lambda v: jnp.array([v[0] ** 3 - 3 * v[0] * v[1] ** 2 - 1, 3 * v[0] ** 2 * v[1] - v[1] ** 3])
    pair, number = basins(real, SQUARE, points=60), basins(lambda z: z**3 - 1, SQUARE, points=60)
    assert pair.kind == "system"
    where = pair.roots[np.maximum(pair.label, 0)]
    same = np.abs(where[..., 0] + 1j * where[..., 1] - number.roots[np.maximum(number.label, 0)]) < 1e-12
    assert same[(pair.label >= 0) & (number.label >= 0)].mean() > 0.999


def test_a_cycle_leads_nowhere():
    found = basins(FRACTALS["cycle"].f, SQUARE, points=101)
    assert len(found.roots) == 3
    assert found.label[50, 50] == found.label[50, 75] == -1  # 0 and 1
    assert 0.005 < found.nowhere < 0.03


def test_multiple_roots_are_one_root_each():
    found = basins(FRACTALS["double"].f, SQUARE, points=50)
    np.testing.assert_allclose(sorted(found.roots.real), [-1, 1], atol=1e-14)
    assert found.nowhere == 0
    triple = basins(lambda z: z**3 - 3 * z**2 + 3 * z - 1, SQUARE, points=50)  # noise hides it within 1e-5
    np.testing.assert_allclose(triple.roots, [1], atol=1e-14)
    assert triple.nowhere == 0


def test_near_roots_are_told_apart():
    f = lambda z, gap: (z - 1) * (z - 1 - gap) * (z + 1)
    for gap in (1e-4, 1e-6):
        for box in (SQUARE, (-2, 2)):
            found = basins(f, box, points=60, args=(gap,))
            np.testing.assert_allclose(sorted(found.roots.real), [-1, 1, 1 + gap], atol=1e-14)
            assert found.nowhere < 0.01


def test_a_double_root_of_a_system_must_be_one():
    f = lambda v, least: jnp.array([(v[0] - 1) ** 2 + least, v[1] - 1])
    for least, count in ((0.0, 1), (1e-17, 0)):
        assert len(basins(f, SQUARE, points=20, args=(least,)).roots) == count


def test_what_fades_is_no_root():
    found = basins(lambda z: z * jnp.exp(-z), ((-2, 5), (-3, 3)), points=60)
    np.testing.assert_allclose(found.roots, [0], atol=1e-15)
    assert 0.5 < found.nowhere < 0.95
    assert basins(jnp.exp, SQUARE, points=20).nowhere == 1
    assert basins(lambda x: x * x + 1, (-2.0, 2.0), points=50).nowhere == 1


UNIT = lambda z, c: (z - c) ** 3 - 1
LINE = lambda z, c: ((z - c) ** 2 - 1) * (z - c)
PAIR = lambda v, c: jnp.array([v[0] - c - 1, (v[1] + c) ** 2 - 1])
ROOTS_OF_TWO = lambda z: z * z - 2


@pytest.mark.parametrize("c", [1e5, -1e8, 1e12])
def test_far_from_zero_it_is_the_same(c):
    near = basins(UNIT, SQUARE, points=60, args=(0.0,))
    far = basins(UNIT, ((c - 2, c + 2), (-2, 2)), points=60, args=(c,))
    ulp = np.spacing(abs(c))
    np.testing.assert_allclose(np.sort_complex(far.roots - c), np.sort_complex(near.roots), atol=2 * ulp)
    assert far.nowhere < 0.01
    np.testing.assert_allclose(np.sort(far.shares), np.sort(near.shares), atol=0.01)
    line = basins(LINE, (c - 2, c + 2), points=60, args=(c,))
    np.testing.assert_allclose(np.sort(line.roots), c + np.array([-1, 0, 1]), atol=2 * ulp)
    system = basins(PAIR, ((c - 2, c + 2), (-c - 2, -c + 2)), points=20, args=(c,))
    roots = system.roots[np.argsort(system.roots[:, 1])]
    np.testing.assert_allclose(roots, [[c + 1, -c - 1], [c + 1, -c + 1]], atol=2 * ulp)
    other = basins(ROOTS_OF_TWO, ((c - 2, c + 2), (-2, 2)), points=20)
    np.testing.assert_allclose(other.roots, [np.sign(c) * 2**0.5], atol=1e-14)  # nor is what lies at 0 lost


def test_on_a_line_every_start_leads_where_newton_says():
    found = basins(sextic, (-4, 4), points=41, max_steps=300)
    assert found.kind == "line"
    np.testing.assert_allclose(np.sort(found.roots), [-3.7602139721974477, 1.063070629709697], rtol=1e-15)
    for k in range(0, 41, 4):
        one = newton(sextic, float(np.linspace(-4, 4, 41)[k]))
        assert one.x == pytest.approx(found.roots[found.label[k]], rel=1e-12)
    by_hand = lambda x: x**5 - 12 * x**3 - 2 * x**2 + 27 * x + 18
    again = basins(sextic, (-4, 4), points=41, max_steps=300, derivative=by_hand)
    # between basins the last digit decides, and a derivative by hand has another one
    assert np.mean(found.label == again.label) > 0.8


def test_arguments_and_precision():
    f = lambda z, c: z * z - c
    for c in (2.0, 3.0):
        found = basins(f, ((-1, 1), (-1, 1)), points=20, args=(c,))
        np.testing.assert_allclose(sorted(found.roots.real), [-(c**0.5), c**0.5], rtol=1e-14)
    single = basins(f, np.float32(SQUARE), points=20, args=(np.float32(2),))
    np.testing.assert_allclose(sorted(single.roots.real), [-(2**0.5), 2**0.5], rtol=1e-6)
    assert "share of the starts" in str(single)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((3, SQUARE), {}, TypeError, "`f` must be a function"),
        ((lambda z: z, ((1, 0), (0, 1))), {}, ValueError, "`box` must have low < high"),
        ((lambda z: z, ((0, 1),) * 3), {}, ValueError, "`box` must have one or two pairs"),
        ((lambda z: z, ((0, np.inf), (0, 1))), {}, ValueError, "`box` must be finite"),
        ((lambda v: v[:1], SQUARE), {}, ValueError, "`f` must take a complex number to a complex number"),
        ((lambda z: jnp.conj(z) ** 2 - 1, SQUARE), {}, ValueError, "`f` must be holomorphic"),
        ((lambda z: jnp.abs(z) ** 2 - 1 + 0j, SQUARE), {}, ValueError, "`f` must be holomorphic"),
        ((lambda z: jnp.abs(z) - 1, SQUARE), {}, ValueError, "it returns a real one"),
        ((lambda z: jnp.real(z) - 1, SQUARE), {}, ValueError, "it returns a real one"),
        ((lambda z: jnp.abs(z * z - 1), SQUARE), {}, ValueError, "it returns a real one"),
        ((lambda z: jnp.imag(z), SQUARE), {}, ValueError, "`f` must be holomorphic"),
        ((lambda z: z, SQUARE), {"points": 1}, ValueError, "`points` must be at least 2"),
        ((lambda z: z, SQUARE), {"points": (5,)}, ValueError, "`points` must be a number, or one for each"),
        ((lambda z: z, SQUARE), {"max_steps": 0}, ValueError, "`max_steps` must be at least 1"),
        ((lambda x: jnp.array([x, x]), (0.0, 1.0)), {}, ValueError, "`f` must return a single number"),
    ],
)
def test_misuse(arguments, options, error, message, unchecked):
    with pytest.raises(error, match=message):
        basins(*arguments, **options)
