"""Random values, good and hostile: the same ones for the same seed.

`Draw` draws what a caller may well pass. `spoiled` takes such a value and makes of it what somebody passes by mistake,
or in malice: other numbers, another kind of numbers, another shape, something else altogether.
"""

import datetime
import decimal
import fractions
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.fuzz import functions

EXTREMES = (0.0, -0.0, 1e-320, 5e-324, 1e-40, 1e38, 1e300, -1e300, np.inf, -np.inf, np.nan)
DTYPES = (
    "float32",
    "float16",
    "int64",
    "int8",
    "uint8",
    "bool",
    "complex128",
    "complex64",
    ">f8",
    "longdouble",
)


class Draw:
    """A source of random values."""

    def __init__(self, *seed: int):
        self.rng = np.random.default_rng(seed)

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def one(self, options: Sequence[Any]) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def whole(self, least: int, most: int) -> int:
        return int(self.rng.integers(least, most + 1))

    def real(self, scale: float = 1.0) -> float:
        return float(scale * self.rng.standard_normal())

    def array(self, *shape: int, scale: float = 1.0) -> Any:
        """Of NumPy's or JAX's, in one of the usual precisions."""
        values = scale * self.rng.standard_normal(shape)
        kind = self.whole(0, 3)
        values = values.astype("float32") if kind % 2 else values
        return jnp.asarray(values) if kind == 3 else values

    def path(self, folder: Any, *suffixes: str) -> str:
        return str(
            folder / f"{self.one(('data', 'with space', 'ünïcode', '-minus', '.hidden'))}{self.one(suffixes)}"
        )


def _cut(draw: Draw, x: np.ndarray) -> Any:
    axis = draw.whole(0, x.ndim - 1)
    return x.take(range(draw.one((0, 1, max(0, x.shape[axis] - 1)))), axis)


def _sprinkled(draw: Draw, x: np.ndarray) -> Any:
    x = x.astype("float32" if x.dtype == np.float32 else float)
    many = draw.one((1, 2, x.size))
    with np.errstate(over="ignore"):
        x.flat[draw.rng.integers(0, x.size, many)] = draw.one(EXTREMES)
    return x


def _as_dtype(draw: Draw, x: np.ndarray) -> Any:
    name = draw.one((*DTYPES, "bfloat16"))
    with np.errstate(all="ignore"):
        return np.asarray(jnp.asarray(x).astype("bfloat16")) if name == "bfloat16" else x.astype(name)


ARRAYS = {
    "extreme entries": _sprinkled,
    "another dtype": _as_dtype,
    "fewer": _cut,
    "longer": lambda draw, x: np.concatenate([x, x[:1]]),
    "an axis more": lambda draw, x: np.expand_dims(x, draw.whole(0, x.ndim)),
    "an axis less": lambda draw, x: x[draw.whole(0, len(x) - 1)],
    "transposed": lambda draw, x: x.T,
    "all the same": lambda draw, x: np.full_like(x, x.flat[0]),
    "zero": lambda draw, x: np.zeros_like(x),
    "scaled": lambda draw, x: x.astype(float) * draw.one((1e-310, 1e-150, 1e-20, 1e20, 1e150, 1e307)),
    "shifted": lambda draw, x: x.astype(float) + draw.one((1e8, 1e16, -1e300)),
    "sorted": lambda draw, x: np.sort(x, 0),
    "backwards in memory": lambda draw, x: x[::-1],
    "objects": lambda draw, x: x.astype(object),
    "objects with None": lambda draw, x: np.array([None, *x.ravel()[1:]], object),
    "text": lambda draw, x: x.astype(str),
    "a list": lambda draw, x: x.tolist(),
    "ragged": lambda draw, x: [x.tolist(), [1.0]],
    "of JAX's": lambda draw, x: jnp.asarray(x.astype("float32")),
    "masked": lambda draw, x: np.ma.masked_array(x, x > 0),
    "one number": lambda draw, x: float(np.real(x.flat[0])),
    "0-d": lambda draw, x: np.asarray(x.flat[0]),
    "dates": lambda draw, x: np.full(x.shape, np.datetime64("2020-01-01")),
    "records": lambda draw, x: np.zeros(x.shape, [("a", float), ("b", int)]),
}
WHOLE = (-1, 0, 1, 2, True, 1.0, 2.5, np.nan, np.inf, "3", 10**30, -(10**30), 2**63, np.int64(2), np.uint8(2),
         np.array(2), np.array([2, 3]), jnp.asarray(2), np.float64(3), (2,), [2, 3], 1j)  # fmt: skip
NUMBERS = (*EXTREMES, 0, 1, -1, True, 10**30, 10**400, 1j, "0.5", np.float32(0.1), np.float16(1), np.array(0.5), (1.0,),
           [0.5, 1.0], np.array([0.1, 0.2]), jnp.asarray(0.3), jnp.float32(0.2), decimal.Decimal("0.1"),
           fractions.Fraction(1, 3), np.longdouble(0.1), -1e-9, 1 + 1e-9)  # fmt: skip
TEXT = ("", " ", "x", "Linear", "\0", "ünï", "a" * 5000, b"abc", "../x", "{}", "%s", "\n", ":", "a:b", "None")
JUNK = (
    lambda draw: None,
    lambda draw: draw.one(TEXT),
    lambda draw: draw.one(WHOLE),
    lambda draw: draw.one(NUMBERS),
    lambda draw: object(),
    lambda draw: draw.one(
        ([], (), {}, set(), [[]], [None], {"a": 1}, {"a": np.ones(2), "b": None}, ((), ()))
    ),
    lambda draw: np.array(draw.one((None, "abc", [], [[]], np.nan, [np.nan, 1], [[1, 2], [3, 4]], 1j))),
    lambda draw: draw.one((np, range(3), slice(2), Ellipsis, NotImplemented, float("nan"))),
    lambda draw: (x for x in (1.0, 2.0)),
    lambda draw: iter([1.0]),
    lambda draw: datetime.date(2020, 1, 1),
    lambda draw: jax.ShapeDtypeStruct((2,), "float32"),
    lambda draw: jax.random.key(0),
    lambda draw: draw.one(functions.HOSTILE),
)


def spoiled(draw: Draw, value: Any) -> Any:
    """What somebody passes in place of a good value."""
    if draw.chance(0.2):
        return draw.one(JUNK)(draw)
    if isinstance(value, (np.ndarray, jax.Array)) and not jnp.issubdtype(value.dtype, jax.dtypes.extended):
        array, how = np.asarray(value), draw.one(tuple(ARRAYS))
        if array.ndim == 0 or not array.size:
            return draw.one(NUMBERS)
        changed = ARRAYS[how](draw, array) if array.dtype.kind in "fiub" else draw.one(JUNK)(draw)
        with np.errstate(all="ignore"):
            usual = type(changed) is np.ndarray and changed.dtype in (np.float32, np.float64)
            return jnp.asarray(changed) if isinstance(value, jax.Array) and usual else changed
    if isinstance(value, bool) or value is None:
        return draw.one(JUNK)(draw)
    if isinstance(value, int):
        return draw.one(WHOLE)
    if isinstance(value, float):
        return draw.one(NUMBERS)
    if isinstance(value, str):
        return draw.one((*TEXT, value + "x", value.upper(), value.encode(), [value]))
    if (
        isinstance(value, (tuple, list)) and len(value) and not hasattr(value, "init")
    ):  # a rule is no pair of functions
        return _sequence(draw, value)
    if isinstance(value, dict) and value:
        key = draw.one(tuple(value))
        return {**value, key: spoiled(draw, value[key])} if draw.chance(0.7) else {**value, "extra": 1.0}
    if callable(value):
        return draw.one(functions.HOSTILE)
    return draw.one(JUNK)(draw)


def _sequence(draw: Draw, value: Any) -> Any:
    """A sequence with one member spoiled, or one more or less of them."""
    members, k = list(value), draw.whole(0, len(value) - 1)
    how = draw.whole(0, 9)
    if how == 0:
        members = members[:-1]
    elif how == 1:
        members = [*members, members[0]]
    elif how == 2:
        members = members[::-1]
    elif how == 3:
        return {str(i): member for i, member in enumerate(members)}
    else:
        members[k] = spoiled(draw, members[k])
    if hasattr(value, "_fields"):
        return type(value)(*members) if len(members) == len(value) else tuple(members)
    return members if draw.chance(0.3) else type(value)(members)
