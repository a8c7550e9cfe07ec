"""Words: what is printed of errors that say little, or nothing."""

import pytest

from mvcalc_jax import text


class Speechless(Exception):
    def __str__(self):
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (ValueError("first\nsecond"), "first"),
        ("one line", "one line"),
        (ValueError(), "(without a message)"),
        ("", "(without a message)"),
        (Speechless(), "(without a message)"),
    ],
)
def test_the_first_line_of_whatever_is_said(said, line):
    assert text.first_line(said) == line
    assert text.first_line("", "nothing") == "nothing"


def test_vectors():
    assert text.vector([1.5, -2], 4) == "(1.5, -2)"
    assert text.vector([1e-20], 3) == "1e-20"
    assert text.vector([1, 1e-17, float("nan")], 3) == "(1, 0, nan)"
    assert text.vector(range(9), 2) == "(0, 1, 2, 3, …, 6, 7, 8)"
