"""What is released: the wheel and the sdist hold what they must and nothing else, and the wheel works by itself."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile

import pytest

import mvcalc_jax
from tests.test_command import ROOT

VERSION = mvcalc_jax.__version__

STRAY = [
    "runs/draw_curve/report.md",
    "notes.txt",
    "curves_fits.npy",
    ".venv/bin/python",
    ".ci/venv-newer/pyvenv.cfg",
    "dist/old.whl",
    "mvcalc_jax/__pycache__/cli.cpython-311.pyc",
    "tests/__pycache__/cases.cpython-311.pyc",
    ".pytest_cache/README.md",
]
"""What lies about in a checkout that is worked in."""


def sources():
    """Every file of the project: as git sees it, or, in an unpacked sdist, what that was made of."""
    if (ROOT / "PKG-INFO").exists():
        settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]
        tops = [ROOT / name.lstrip("/") for name in settings["sdist"]["include"]]
        tops += [ROOT / "pyproject.toml", ROOT / ".gitignore"]
        found = [path for top in tops for path in (top, *top.rglob("*")) if "__pycache__" not in path.parts]
        return sorted(str(path.relative_to(ROOT)) for path in found if path.is_file())
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(path for path in found if (ROOT / path).is_file())


def build(kind, where, out):
    """Build offline, as an installer would, and return the one file that comes of it."""
    pytest.importorskip("hatchling", reason="hatchling is not installed: pip install -e '.[test]'")
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(out)]
    found = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    (built,) = out.iterdir()
    return built


def contents(wheel):
    """The bytes of every file in a wheel, by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """Wheel and sdist of this checkout, with stray files in it; and the sdist, unpacked."""
    base = tmp_path_factory.mktemp("released")
    tree = base / "tree"
    for path in sources():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, tree / path)
    for path in STRAY:
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text("stray")
    wheel, sdist = build("wheel", tree, base / "wheel"), build("sdist", tree, base / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(base / "unpacked", filter="data")
    (unpacked,) = (base / "unpacked").iterdir()
    return wheel, sdist, unpacked


@pytest.fixture(scope="module")
def installed(released, tmp_path_factory):
    """A folder with nothing in it but the wheel's contents, as pip lays them out."""
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-compile"]
    command += ["--disable-pip-version-check", "--target", str(target), str(released[0])]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return target


@pytest.fixture
def alone(installed, tmp_path):
    """Runs Python in an empty folder, with this package from the wheel and the environment's dependencies."""

    def run(*args, **options):
        return subprocess.run(
            [sys.executable, "-W", "error", *map(str, args)],
            capture_output=True,
            text=True,
            timeout=300,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(installed)},
            check=False,
            **options,
        )

    return run


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(released):
    files = contents(released[0])
    about = f"mvcalc_jax-{VERSION}.dist-info"
    package = {path for path in sources() if path.startswith("mvcalc_jax/")}
    described = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    assert set(files) == package | {f"{about}/{name}" for name in described}
    assert {"mvcalc_jax/py.typed", "mvcalc_jax/__init__.pyi", "mvcalc_jax/sandpit/page.html"} <= package
    metadata = files[f"{about}/METADATA"].decode()
    assert f"\nVersion: {VERSION}\n" in metadata
    assert "\nLicense-Expression: MIT\n" in metadata
    assert files[f"{about}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert (
        files[f"{about}/entry_points.txt"].decode().strip()
        == "[console_scripts]\nmvcalc = mvcalc_jax.cli:main"
    )


@pytest.mark.slow
def test_the_sdist_holds_all_that_the_tests_need_and_makes_the_same_wheel(released, tmp_path):
    wheel, sdist, unpacked = released
    assert sdist.name == f"mvcalc_jax-{VERSION}.tar.gz"
    held = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert held == {*sources(), "PKG-INFO"}
    assert contents(build("wheel", unpacked, tmp_path)) == contents(wheel)


@pytest.mark.slow
def test_the_sdist_can_run_the_tests(released):
    tests = ["tests/test_text.py", "tests/test_binning.py", "-n", "0"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(released[2]), "PYTHONDONTWRITEBYTECODE": "1"}
    found = subprocess.run(
        command, cwd=released[2], env=environment, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert re.search(r"\d+ passed", found.stdout)


def test_the_changelog_tells_of_this_version_first():
    versions = re.findall(r"^## \[(\d[^\]]*)\] – \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert versions[0] == VERSION


@pytest.mark.slow
def test_the_command_line_works_from_the_wheel(alone, installed, tmp_path):
    mvcalc = installed / "bin" / "mvcalc"
    assert alone(mvcalc, "--version").stdout == f"{VERSION}\n"
    shown = alone(mvcalc, "--help")
    assert shown.returncode == 0
    assert "sandpit" in shown.stdout
    assert "experiments" not in shown.stdout
    well = alone(mvcalc, "doctor")
    assert well.returncode == 0, well.stdout + well.stderr
    assert well.stdout.endswith("all is well\nnext: mvcalc sandpit\n")

    asked = alone(mvcalc, "run")
    assert asked.returncode == 2
    assert asked.stderr.startswith("mvcalc: there are no experiments here: ")
    assert "sandpit" in alone(mvcalc, "completion", "bash").stdout

    (tmp_path / "layer.py").write_text(
        "import jax.numpy as jnp\n"
        "def f(x): return jnp.tanh(x)\n"
        "def jac(x): return jnp.diag(1 - jnp.tanh(x) ** 2)\n"
        "example_args = (jnp.array([0.3, -1.2]),)\n"
    )
    checked = alone(mvcalc, "check", "layer.py:f", "jac", "--json")
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["verdict"] == "correct"

    (tmp_path / "curve.csv").write_text("x,y\n" + "".join(f"{x},{2.0 ** -(x * x)}\n" for x in range(-4, 5)))
    fitted = alone(mvcalc, "fit", "curve.csv", "-o", "fits.csv")
    assert fitted.returncode == 0, fitted.stderr
    header, row = (tmp_path / "fits.csv").read_text().splitlines()
    found = dict(zip(header.split(","), map(float, row.split(",")), strict=True))
    assert found["amplitude"] == pytest.approx(1, abs=1e-6)
    assert (tmp_path / "fits.png").stat().st_size > 10_000


EVERY_ROOM = """
from pathlib import Path
import numpy as np
import mvcalc_jax as mv

assert Path(mv.__file__).parent.parent == Path({installed!r}), mv.__file__
for name in dir(mv):
    getattr(mv, name)
for name in mv.plots.__all__:
    getattr(mv.plots, name)
assert len(mv.data.fathers_and_sons().x) == 1078
assert mv.sandpit.Game("wells", seed=0).dip((3.0, 2.0)).depth < 0
"""


@pytest.mark.slow
def test_every_public_name_can_be_had_from_the_wheel(alone, installed):
    found = alone("-c", EVERY_ROOM.format(installed=str(installed)))
    assert found.returncode == 0, found.stderr
