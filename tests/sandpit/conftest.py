"""A folder with files of the player's own in it, where the game is played; and a table to play it at."""

import sys

import pytest

from tests.sandpit.table import Table

OWN = """
import os
import jax.numpy as jnp
import numpy as np

# strategies

def good(state, position, depth, gradient, hessian):
    print("to nobody's harm")
    assert (state is None) == (depth > -3.7)
    return (state or 0) + 1, -0.5 * gradient

def rated(state, position, depth, gradient, hessian, learning_rate):
    return state, -learning_rate * gradient

def counting(state, position, depth, gradient, hessian):
    times = (state or 0) + 1
    return times, [0.1 * times, 0]

def listed(state, position, depth, gradient, hessian):
    return [None, [0.25, 0]]

def endless(state, position, depth, gradient, hessian):
    while True:
        pass

def divides(state, position, depth, gradient, hessian):
    return state, gradient / (1 // 0)

def leaves(state, position, depth, gradient, hessian):
    os._exit(3)

def exits(state, position, depth, gradient, hessian):
    raise SystemExit("enough")

def nan(state, position, depth, gradient, hessian):
    return state, np.nan * gradient

def three(state, position, depth, gradient, hessian):
    return state, [1, 2, 3]

def word(state, position, depth, gradient, hessian):
    return state, "left"

def nothing(state, position, depth, gradient, hessian):
    pass

def long(state, position, depth, gradient, hessian):
    return "x" * 1000

class Odd:
    def __repr__(self):
        raise ValueError

def odd(state, position, depth, gradient, hessian):
    return Odd()

def two(state, position):
    pass

# floors

def bowl(x, y):
    return (x - 2.0) ** 2 + 2 * (y - 3.0) ** 2

def of_point(p, power=2):
    return (p[0] - 2.0) ** power + 2 * (p[1] - 3.0) ** power

def slope(*p):
    return p[0] + 2 * p[1]

def kink(x, y):
    return jnp.abs(x - 2.1) + jnp.abs(y - 3.3)

def twins(x, y):
    return ((x - 3) ** 2 - 1) ** 2 + (y - 2) ** 2

def whole(x, y):
    return jnp.where(x > 3, 1, 0)

def flat(x, y):
    return 3

def undefined(x, y):
    return jnp.log(x - 1) + y

def infinite(x, y):
    return 1 / x + y

def pair(x, y):
    return jnp.stack([x, y])

def complex_(x, y):
    return x + 1j * y

def numpy(x, y):
    return np.sin(x) + float(y)

def branches(x, y):
    return x if x > y else y

def raises(x, y):
    return {}["depth"]

def quits(x, y):
    raise SystemExit("no")

def loops(x, y):
    import jax
    return jax.lax.while_loop(lambda v: v < 10, lambda v: v + 1, x) + y

def only(x):
    return "deep"

def many(x, y, z):
    return x

def keyed(x, y, *, depth):
    return x

number = 3
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The folder; what is loaded there, the next test does not see."""
    (tmp_path / "own.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    yield tmp_path
    sys.modules.pop("own", None)


@pytest.fixture
def table():
    return Table()
