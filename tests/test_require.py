"""Whatever is thrown at an argument, it is refused in one sentence, and no warning is given."""

import dataclasses
from decimal import Decimal
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mvcalc_jax as mv
from mvcalc_jax import precision, require

KEY = jax.random.key(0)
RAGGED = [[1.0], [1.0, 2.0]]
MASKED = np.ma.masked_array([1.0, 2.0], [False, True])


@pytest.mark.parametrize("value", [RAGGED, KEY, "1", None, 1j, (1.0,), 10**30], ids=str)
def test_what_is_no_number(value):
    with pytest.raises(TypeError, match="`x` must be a single number"):
        require.number("x", value)


@pytest.mark.parametrize("value", [RAGGED, KEY, "12", 1j, [1, "2"], [None], 10**400, np.array([1j])], ids=str)
def test_what_are_no_real_numbers(value):
    with pytest.raises(ValueError, match="`x` must be two numbers; got"):
        require.reals("x", value, "two numbers")


def test_real_numbers_in_any_form():
    for value in (
        [1, 2],
        (True, 2.0),
        np.array([1, 2], ">f4"),
        [Decimal(1), 2],
        jnp.asarray([1, 2], "bfloat16"),
    ):
        found = require.reals("x", value, "two numbers")
        assert found.dtype == np.float64
        assert found.tolist() == [1, 2]


def test_masked_arrays_are_refused_and_not_read_as_if_nothing_was_hidden():
    for check in (require.floating, precision.floats):
        with pytest.raises(TypeError, match=r"without a mask; got a masked array; give x\.filled"):
            check("x", MASKED)


def test_floats_are_such_as_jax_knows():
    assert precision.floats("x", np.longdouble(0.5)).dtype == np.float64
    swapped = precision.floats("x", np.array([1.5], ">f4"))
    assert swapped.dtype == np.dtype("float32") and swapped.dtype.isnative
    assert swapped == [1.5]
    with pytest.raises(TypeError, match="`x` must hold numbers; got key<fry>"):
        precision.floats("x", KEY)


@pytest.mark.parametrize(
    ("level", "error"),
    [(0, ValueError), (1.0, ValueError), ("0.9", TypeError), (KEY, TypeError), (np.nan, ValueError)],
)
def test_levels_of_confidence(level, error):
    with pytest.raises(error, match="`level` must"):
        require.level("level", level)


def test_a_level_of_any_precision_is_a_number_of_pythons():
    assert type(require.level("level", np.longdouble(0.5))) is float


@pytest.mark.parametrize("name", [np.array(["a", "b"]), ["a"], None, KEY], ids=str)
def test_a_name_that_is_no_text_is_not_known(name):
    with pytest.raises(ValueError, match="unknown word"):
        require.one_of("word", name, ("a", "b"))


def test_counts_that_no_memory_holds():
    with pytest.raises(ValueError, match="`n` must be at most 1099511627776"):
        require.whole("n", 2**63, least=1)
    assert require.whole("seed", 2**63, least=0, most=None) == 2**63


def test_boxes_of_other_things():
    for wrong in (((0, 10**400),), np.array([[0, 1j]]), (("0", "1"),), [RAGGED]):
        with pytest.raises(ValueError, match="must be a pair"):
            require.box("box", wrong)


def test_what_is_read_once_is_not_looked_into():
    assert not require.traced(x for x in (1.0, 2.0))


@pytest.mark.parametrize(
    ("f", "said"),
    [
        (
            lambda x, y, z: x,
            "`f` must be a function of 1 argument; got one with which there is missing a required",
        ),
        (
            lambda: 1.0,
            "`f` must be a function of 1 argument; got one with which there is too many positional",
        ),
        (lambda x: np.array([None, "a"]), "`f` must return arrays of numbers; "),
        (lambda x: object(), "`f` must return arrays of numbers; "),
    ],
    ids=["too few", "too many", "objects", "object"],
)
def test_functions_that_take_or_return_other_things(f, said):
    with pytest.raises(TypeError) as caught:
        require.traceable("f", f, jnp.ones(2))
    assert str(caught.value).startswith(said)


def test_what_fails_in_a_function_is_its_own_to_say():
    def f(x):
        raise ValueError("no")

    with pytest.raises(ValueError, match=r"^no(\n|$)"):
        require.traceable("f", f, jnp.ones(2))
    with pytest.raises(IndexError):
        require.traceable("f", lambda x: x[7, 7], jnp.ones(2))


@pytest.mark.parametrize("kind", ["longdouble", ">f8"])
def test_arrays_that_jax_does_not_know_are_no_floating_ones(kind):
    with pytest.raises(TypeError, match=r"that JAX knows; got .*; convert it with x\.astype\(float\)"):
        require.floating("x", np.ones(2, kind))


def test_what_is_no_floating_point_number_of_jax_or_numpy():
    for wrong in (KEY, np.ones(2, complex), np.array(["a"])):
        with pytest.raises(TypeError, match="`x` must hold floating-point numbers"):
            require.floating("x", wrong)
    for differentiable in (require.differentiable, require.twice_differentiable):
        with pytest.raises(TypeError, match="`f` must be a function; got float"):
            differentiable("f", 3.0, jnp.ones(2))


class Scaled(NamedTuple):
    """A function to which nothing can refer weakly."""

    factor: float

    def __call__(self, x):
        return self.factor * jnp.sin(x)


@dataclasses.dataclass
class Unhashable:
    factor: float

    def __call__(self, x):
        return self.factor * jnp.sin(x)


@pytest.mark.parametrize("kind", [Scaled, Unhashable])
def test_objects_that_can_be_called_are_functions(kind):
    f, X = kind(2.0), mv.Interval(jnp.float32(0), jnp.float32(1))
    for _ in range(2):  # JAX 0.10 crashes on the second
        assert float(mv.interval(f)(X).hi) == pytest.approx(2 * np.sin(1), rel=1e-5)
        assert mv.derivative(f, 0.0).value == pytest.approx(2, rel=1e-9)
        assert float(mv.newton(f, 3.0).x) == pytest.approx(np.pi, rel=1e-12)
        assert mv.calculus.iterate(f, 3.0, steps=4).x[-1] == pytest.approx(np.pi, rel=1e-12)
        assert float(mv.taylor(f, 0.0, 1)(0.1)) == pytest.approx(0.2, rel=1e-12)
        assert float(mv.taylor_enclosure(f, 0.0, 0.5, order=2).band(0.1).hi) > 2 * np.sin(0.1)
        result = mv.steepest_descent(f, jnp.float32(1.0), learning_rate=0.5, steps=1)
        assert float(result.params) == pytest.approx(1 - np.sin(1), rel=1e-5)


def test_a_function_inside_another_that_takes_more():
    with pytest.raises(
        TypeError, match=r"`f` must take what it is called with: .* missing 1 required positional"
    ):
        require.traceable("f", lambda x: (lambda a, b: a)(x), 1.0)
