"""A folder with a user's file in it, and the command run there."""

import sys

import pytest

from mvcalc_jax import check, cli, verify
from mvcalc_jax.verify import Report
from tests.check.layer import LAYER


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """What a test imports, and where from, the next does not see."""
    monkeypatch.setattr(sys, "path", sys.path.copy())
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if not name.startswith(("jax", "mvcalc_jax", "matplotlib", "numpy")):
            del sys.modules[name]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a space in its name and a layer.py in it, where the command is run."""
    folder = tmp_path / "my work"
    folder.mkdir()
    (folder / "layer.py").write_text(LAYER)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def mvcalc(monkeypatch, capfd):
    """Runs `mvcalc check` in this process; returns the exit code, and what came on stdout and stderr."""

    def run(*args):
        monkeypatch.setattr(sys, "argv", ["mvcalc", "check", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capfd.readouterr()
        return ended.value.code, said.out, said.err

    return run


@pytest.fixture
def calls(monkeypatch):
    """No check is made, but it is noted which would be: name, arguments, options."""
    noted = []

    def noting(name):
        def checked(*args, **options):
            noted.append((name, args, options))
            return Report("wrong", "nobody looked", (), "")

        return checked

    for name in ("check_jacobian", "check_hessian", "check_vjp", "check_custom"):
        monkeypatch.setattr(verify, name, noting(name))
    monkeypatch.setattr(check, "check_chain", noting("check_chain"))
    return noted
