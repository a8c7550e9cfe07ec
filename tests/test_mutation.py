"""Planted mistakes: which are drawn, that each is in one place, and on which tests it is tried."""

import difflib
from collections import Counter

import pytest

from tests import mutation

SOURCE = '''"""Ten > 3 things."""


def half_and_more(Σ: "int | None", *, x: int | float = -4) -> int | None:
    """Half of 2 * x."""
    total: int | float = x / 2 + Σ
    for k in range(3):
        total = total - k
    return total if total > 0 and not Σ == 5 else None
'''
FILE = "mvcalc_jax/models/half.py"


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """Draws mistakes in a package of one file."""
    pytest.importorskip("cosmic_ray", reason="cosmic-ray is not installed: pip install -e '.[mutation]'")
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).write_text(SOURCE)
    monkeypatch.setattr(mutation, "ROOT", tmp_path)
    return lambda number, seed: mutation.places("models", number, seed)


def changed(place):
    """What a mistake takes out of the source and puts there."""
    lines = list(difflib.ndiff(SOURCE.splitlines(), mutation.mutated(place, SOURCE).splitlines()))
    return [line[2:] for line in lines if line[0] == "-"], [line[2:] for line in lines if line[0] == "+"]


def test_a_mistake_changes_the_line_that_it_says(planted):
    everything = planted(1000, 0)
    assert len(everything) > 10
    for place in everything:
        was, became = changed(place)
        assert was == [SOURCE.splitlines()[place.line - 1]]
        assert len(became) == 1


def test_every_place_is_drawn_once_and_types_and_words_never(planted):
    everything = planted(1000, 0)
    assert len({(place.line, place.column) for place in everything}) == len(everything)
    assert {place.line for place in everything} == {4, 6, 7, 8, 9}
    signature = SOURCE.splitlines()[3]
    assert {signature[place.column] for place in everything if place.line == 4} == {"*", "-", "4"}
    assert [
        changed(place)[1] for place in everything if signature[place.column] == "*" and place.line == 4
    ] == [
        [signature.replace("*", "/")]  # what else may stand there is no Python
    ]
    assert not [place for place in everything if place.operator.endswith(mutation.BITS)]


def test_a_draw_can_be_repeated_and_is_even(planted):
    assert planted(5, 0) == planted(5, 0) != planted(5, 1)
    number, each = len(planted(1000, 0)), 10
    drawn = Counter((place.line, place.column) for seed in range(each * number) for place in planted(1, seed))
    assert len(drawn) == number
    assert max(drawn.values()) <= 3 * each


def test_types_are_found_by_characters_not_bytes(tmp_path):
    (tmp_path / "half.py").write_text(SOURCE)
    lines = SOURCE.splitlines()
    spans = mutation.annotations(tmp_path / "half.py")
    found = [lines[line - 1][start:end] for (line, start), (_, end) in spans]
    assert sorted(found) == ['"int | None"', "int | None", "int | float", "int | float"]


@pytest.fixture
def known():
    a, b, c = "tests/models/test_bell.py::a", "tests/models/test_half.py::b", "tests/descent/test_loop.py::c"
    return mutation.Reach({FILE: {6: {a, b, c}, 8: {c}}}, {a: 2.0, b: 3.0, c: 1.0, f"{c}c": 0.5})


def at(line):
    return mutation.Place(FILE, line, 0, "core/AddNot", 0)


def test_a_mistake_is_tried_on_the_quickest_of_the_tests_that_reach_it(known):
    assert [test[-1] for test in known.of(at(6))] == ["c", "a", "b"]
    assert known.of(at(4)) == []
    assert known.took(known.of(at(6))) == 6.0


def test_what_survives_is_tried_on_its_own_file_of_tests_then_on_its_rooms(known, tmp_path, monkeypatch):
    for file, text in (("models/test_half", ""), ("models/test_bell", "half of"), ("descent/test_loop", "")):
        (tmp_path / "tests" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tests" / f"{file}.py").write_text(text)
    monkeypatch.setattr(mutation, "ROOT", tmp_path)
    room = ["tests/models/test_half.py", "tests/models/test_bell.py"]
    assert known.near(at(4)) == room
    assert known.near(at(8)) == [*room, "tests/descent/test_loop.py"]
    assert known.took(known.near(at(8))) == 6.5
