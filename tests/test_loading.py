"""What is loaded and compiled before anything is to be seen: counted, for a clock would need a quiet machine."""

import pytest

from benchmarks.startup import LOOP
from tests.test_command import python

MODULES = "; import sys; print(*sys.modules)"
HELP = "try: cli.main()\nexcept SystemExit: pass\nimport sys; print(*sys.modules)"


def loaded(code, *args):
    """The names of packages, and of this package's parts, that some code loads."""
    found = python("-c", code, *args)
    assert found.returncode == 0, found.stderr
    names = found.stdout.splitlines()[-1].split()
    return {".".join(name.split(".")[: 2 if name.startswith("mvcalc_jax") else 1]) for name in names}


def test_the_package_alone_loads_nothing_large():
    names = loaded("import mvcalc_jax" + MODULES)
    assert names.isdisjoint({"jax", "numpy", "scipy", "matplotlib", "optax"})
    assert {name for name in names if name.startswith("mvcalc_jax")} == {"mvcalc_jax"}


@pytest.mark.parametrize("args", [["--help"], ["check", "--help"]])
def test_help_loads_nothing_that_computes(args):
    names = loaded("from mvcalc_jax import cli\n" + HELP, *args)
    assert names.isdisjoint({"jax", "numpy", "scipy", "matplotlib", "optax"})
    assert "mvcalc_jax.command" in names


def test_before_the_first_step_only_what_steps_need_is_loaded():
    names = loaded("import experiments.draw_curve, experiments.drawing" + MODULES)
    unneeded = {"calculus", "fitting", "plots", "sandpit", "verify"}
    assert names.isdisjoint({"matplotlib", "PIL", "scipy", "tornado", "IPython"})
    assert names.isdisjoint({f"mvcalc_jax.{part}" for part in unneeded})


@pytest.mark.slow
def test_the_main_command_compiles_few_programs_and_its_picture_comes_before_the_proof(tmp_path):
    command = ["experiments.draw_curve", "--steps", "40", "--hidden", "3", "--out", str(tmp_path)]
    found = python("-m", "benchmarks.milestones", str(tmp_path / "diary"), "0", *command)
    assert found.returncode == 0, found.stderr
    events = [tuple(line.split(" ", 3)[2:]) for line in (tmp_path / "diary").read_text().splitlines()]
    compiled = [name for kind, name in events if kind == "compiled"]
    # The noise, two loops, what the network draws, optax's state, three for the proof; lambdas ask what XLA knows.
    assert sum(name != "jit(<lambda>)" for name in compiled) <= 8, compiled
    loops = [name for name in compiled if name.endswith(LOOP)]
    assert len(loops) == 2
    picture = events.index(("file", "drawing.png"))
    before = [name for kind, name in events[:picture] if kind == "compiled"]
    assert set(before) == {"jit(<lambda>)", "jit(ahead)", loops[0], "jit(forward)"}
    assert before.count(loops[0]) == 1
