"""Words: what is printed of errors that say little, or nothing; rows as text and as HTML."""

from html.parser import HTMLParser
from typing import NamedTuple

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


class Page(HTMLParser):
    """The words of some HTML, in which every tag that opens is closed."""

    def __init__(self, source):
        super().__init__()
        self.words, self.open, self.tags, self.styles = "", [], [], []
        self.feed(source)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.append(tag)
        assert {name for name, _ in attrs} <= {"style"}
        self.styles += [part.split(":")[0].strip() for _, value in attrs for part in value.split(";")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def squeezed(said):
    return "".join(said.split())


def test_a_page_says_what_is_printed():
    class Said(NamedTuple):
        word: str

        def _parts(self):
            return [f"<b>{self.word}</b> & more", [("a|b", ""), ("<i>", "'\"")], "[ 1  2 ]\n[ 3  4 ]"]

    shown = text.shown(Said)
    assert shown is Said and shown("x") == ("x",) and shown._fields == ("word",)
    page = Page(shown("x")._repr_html_())
    assert page.words == "<b>x</b> & morea|b<i>'\"[ 1  2 ]\n[ 3  4 ]"
    assert page.tags == ["p", "div", "table", "tr", "th", "th", "tr", "td", "td", "pre"]
    assert "color" not in page.styles and "background" not in page.styles
    assert squeezed(str(shown("x"))) == squeezed(page.words)
    assert str(shown("x")).splitlines()[1:3] == ["a|b", "<i>  '\""]
