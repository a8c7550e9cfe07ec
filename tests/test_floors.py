"""The lowest versions that pyproject.toml allows: every one is said, in one number, and nothing here is below it."""

import tomllib
from importlib.metadata import PackageNotFoundError, version

import pytest
from packaging.requirements import Requirement

from tests.test_command import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LISTS = {"dependencies": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
NEEDED = [
    (extra, Requirement(line))
    for extra, lines in LISTS.items()
    for line in lines
    if not line.startswith(PROJECT["name"])  # an extra of its own is made of what is listed elsewhere
]


@pytest.mark.parametrize(("extra", "needed"), NEEDED, ids=lambda value: getattr(value, "name", value))
def test_a_floor_is_said_and_what_is_installed_is_not_below(extra, needed):
    assert [clause.operator for clause in needed.specifier] == [">="]
    try:
        installed = version(needed.name)
    except PackageNotFoundError:
        assert extra != "dependencies", f"{needed.name} is not installed"
        return
    assert needed.specifier.contains(installed, prereleases=True)


def test_a_package_has_one_floor():
    floors = {}
    for _, needed in NEEDED:
        floors.setdefault(needed.name, set()).add(str(needed.specifier))
    assert [name for name, several in floors.items() if len(several) > 1] == []
