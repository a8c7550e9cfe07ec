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
