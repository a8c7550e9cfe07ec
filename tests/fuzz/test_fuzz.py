"""The fuzzer finds a planted mistake of each kind, finds none where there is none, and knows all that is public."""

import pytest

from tests.fuzz import commands, public
from tests.fuzz.__main__ import Config, Fuzz
from tests.fuzz.recipe import RECIPES


@pytest.fixture(scope="module")
def fuzz():
    found = Fuzz(Config(recipes=("tests.fuzz.recipes", "tests.fuzz.options", "tests.fuzz.planted")))
    yield found
    found.worker.close()


def kinds(case):
    return {finding.kind for finding in case.findings}


@pytest.mark.slow
def test_a_handful_of_cases_finds_nothing(fuzz):
    for name in ("text.vector", "gaussian.density", "require.whole", "data.read_table", "network.cost"):
        for number in range(4):
            case = fuzz.try_one(name, number)
            assert case.ended in ("returned", "refused")
            assert not case.findings, case


def test_a_case_is_the_same_again(fuzz):
    once, again = (fuzz.try_one("gaussian.density", 11) for _ in range(2))
    assert once.call == again.call != fuzz.try_one("gaussian.density", 12).call


@pytest.mark.slow
def test_mistakes_in_calls_are_found(fuzz, capsys):
    expected = dict.fromkeys(("traceback", "warning", "noise", "false", "left", "file", "hang", "crash"))
    for kind in ("right", "refuses"):
        assert not fuzz.try_one(f"planted.{kind}", 0).findings
    found = {kind: kinds(fuzz.try_one(f"planted.{kind}", 0)) for kind in expected}
    assert found == {kind: {kind} for kind in expected}
    assert 'python -m tests.fuzz --only "planted.hang" --seed 0 --case 0' in capsys.readouterr().out
    assert "traceback × 1: IndexError from planted.py" in fuzz.summary()


@pytest.mark.slow
def test_mistakes_of_commands_are_found(fuzz):
    planted = [name for name in commands.COMMANDS if name.startswith("planted")]
    found = {name: kinds(fuzz.try_one(name, 0)) for name in planted}
    for name, kind in found.items():
        assert kind == ({name.removeprefix("planted ")} if name != "planted right" else set())


def test_every_public_function_has_a_recipe(fuzz):
    assert not public.missing(RECIPES)
