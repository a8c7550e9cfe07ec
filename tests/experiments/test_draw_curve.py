"""The main job, at toy size in this process and as its users run it: stopped, killed, resumed, misused."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import jax
import numpy as np
import pytest
from PIL import Image

import mvcalc_jax as mv
from experiments import drawing
from experiments.draw_curve import PROG, Config, earlier, main
from mvcalc_jax import command
from tests.cases import long
from tests.test_command import ROOT, here, python

TOY = Config(samples=12, hidden=(3,), steps=40)


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_promotion")]


@pytest.fixture
def still(monkeypatch):
    """No animation: the toy run has it."""
    monkeypatch.setattr(drawing, "animation", lambda *what: None)


def only_run(out):
    (run,) = (out / "draw_curve").iterdir()
    return run


def costs(run):
    """The last cost of every runner in a run's metrics."""
    with (run / "metrics.csv").open() as file:
        return {row["runner"]: float(row["cost"]) for row in csv.DictReader(file)}


def params(run):
    with np.load(run / "params.npz") as file:
        return {name: file[name] for name in file.files}


def test_toy_run_writes_everything_it_says(tmp_path, capsys):
    assert main(replace(TOY, out=tmp_path)) == command.DONE
    run = only_run(tmp_path)
    files = {
        "config.json",
        "metrics.csv",
        "params.npz",
        "checkpoint.npz",
        "report.md",
        "drawing.png",
        "drawing.gif",
        "cost.png",
    }
    assert {path.name for path in run.iterdir()} == files
    said = capsys.readouterr().out
    assert "1-3-2 network of 14 numbers" in said
    assert "correct: network.jacobian agrees with forward- and reverse-mode autodiff of network.cost" in said
    assert "by hand and optax sgd agree to the last bit after 40 steps" in said
    report = (run / "report.md").read_text()
    for name in ("drawing.png", "cost.png"):
        assert f"({name})" in report
    assert params(run)["[0].W"].shape == (3, 1)
    assert set(costs(run)) == {"by hand, noise 1", "by hand", "optax sgd"}
    assert costs(run)["by hand"] == costs(run)["optax sgd"] != costs(run)["by hand, noise 1"]


@pytest.mark.parametrize(
    "change",
    [
        {"curve": "spiral", "activation": "tanh", "output_activation": "identity", "learning_rate": 0.05},
        {"optimizer": "adam", "race": ("lbfgs", "momentum"), "precision": "float64", "noise": 0.0},
        long({"batch_size": 5, "race": ()}),
        long({"hidden": (), "race": ("adam",)}),
        {"steps": 1},
    ],
    ids=str,
)
def test_options_do_what_they_say(change, tmp_path, capsys, still):
    config = replace(TOY, out=tmp_path, **change)
    assert main(config) == command.DONE
    run = only_run(tmp_path)
    found = costs(run)
    assert all(np.isfinite(cost) for cost in found.values())
    asked = "by hand, noise 1" if config.optimizer == "steepest" else f"optax {config.optimizer}"
    rivals = {"by hand", *(f"optax {name}" for name in config.race)} if config.race else set()
    assert set(found) == {asked, *rivals}
    if config.precision == "float64":
        assert params(run)["[0].W"].dtype == "float64"


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A run of several networks at once."""
    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("standard"):
        out = tmp_path_factory.mktemp("many")
        assert main(replace(TOY, out=out, seeds=3, seed=4)) == command.DONE
        return only_run(out)


def test_one_member_of_many_is_the_network_of_its_seed(tmp_path, still, many):
    one = replace(TOY, out=tmp_path, seed=5, race=())
    assert main(one) == command.DONE
    found = costs(many)
    assert set(found) == {"seed 4", "seed 5", "seed 6"}
    assert all(np.isfinite(cost) for cost in found.values())
    for name, value in params(many).items():
        assert len(value) == 3
        np.testing.assert_allclose(value[1], params(only_run(one.out))[name], rtol=1e-3, atol=1e-4)


def test_a_rate_that_diverges_is_an_exit_code_and_a_sentence(tmp_path, capsys):
    config = replace(TOY, out=tmp_path, activation="relu", output_activation="identity", learning_rate=1e6)
    assert main(config) == command.FAILED
    assert "try a smaller learning rate" in capsys.readouterr().out
    run = only_run(tmp_path)
    assert all(np.isfinite(value).all() for value in params(run).values())
    with Image.open(run / "drawing.png") as image:
        assert image.size == (880, 880)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"curve": "hart"}, "did you mean 'heart'"),
        ({"activation": "logstic"}, "did you mean 'logistic'"),
        ({"optimizer": "adm"}, "did you mean 'adam'"),
        ({"race": ("sdg",)}, "did you mean 'sgd'"),
        ({"precision": "float16"}, "unknown precision"),
        ({"device": "tpu"}, "unknown device"),
        ({"steps": 0}, "`steps` must be at least 1; got 0"),
        ({"steps": -5}, "`steps` must be at least 1; got -5"),
        ({"hidden": (6, 0)}, "`hidden` must be at least 1; got 0"),
        ({"samples": 1}, "`samples` must be at least 2"),
        ({"seeds": 0}, "`seeds` must be at least 1"),
        ({"seed": -1}, "`seed` must be at least 0"),
        ({"learning_rate": -1.0}, "`learning_rate` must be positive; got -1"),
        ({"learning_rate": float("inf")}, "`learning_rate` must be finite"),
        ({"noise": float("nan")}, "`noise` must be finite"),
        ({"batch_size": 99}, "at most the 12 samples"),
        ({"batch_size": 0}, "`batch_size` must be at least 1"),
        ({"noise": -1.0}, "`noise` must not be negative"),
        ({"port": 70000}, "`port` must be from 0 to 65535; got 70000"),
        ({"seeds": 10**9}, "ask for fewer `seeds`"),
        ({"hidden": (10**5, 10**5)}, "a row of the history takes 37 GiB"),
        ({"seed": 2**31}, "`seed` must be at most 2147483647"),
    ],
    ids=str,
)
def test_misuse_is_said_before_anything_is_written(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        main(replace(TOY, out=tmp_path, **change))
    assert not list(tmp_path.iterdir())


def draw(*args):
    return here(lambda: command.run(main, Config, prog=PROG, earlier=earlier), *args)


def test_bad_input_on_the_command_line_is_one_line(tmp_path):
    (tmp_path / "bad.csv").write_text("1,2\n3,x\n")
    for args in (
        ["--curve", tmp_path / "bad.csv"],
        ["--curve", tmp_path / "none.svg"],
        ["--steps", "0"],
        ["--device", "gpu"],
    ):
        found = draw(*args, "--out", tmp_path / "runs")
        assert found.returncode == 2, args
        assert len(found.stderr.strip().splitlines()) == 1, found.stderr
        assert found.stderr.startswith("python -m experiments.draw_curve: ")
    found = python("-m", "experiments.draw_curve", "--stesp", "5")
    assert found.returncode == 2
    assert "--steps" in found.stderr
    assert not (tmp_path / "runs").exists()


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for place in (tmp_path / "file", "/proc/nowhere"):
        found = draw("--steps", 10, "--out", place)
        assert found.returncode == 2
        assert found.stderr.count("\n") == 1
        assert str(place) in found.stderr


def test_a_disk_that_fills_up_loses_nothing(tmp_path, still):
    """With files limited to 32 KiB the checkpoint fits and the picture does not."""
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({32 * 1024}, {32 * 1024}))\n"
    script = (
        limited
        + "import sys\nfrom experiments.draw_curve import *\nsys.exit(command.run(main, Config, prog='draw'))"
    )
    found = python("-c", script, "--steps", "30", "--race", "--out", str(tmp_path))
    assert found.returncode == 2
    run = only_run(tmp_path)
    assert found.stderr.strip().splitlines()[-1] == f"draw: File too large: {run / 'drawing.png'}"
    assert (run / "checkpoint.npz").exists() and (run / "params.npz").exists()
    assert "drawing.png" not in {path.name for path in run.iterdir()}
    assert not [path for path in run.iterdir() if path.name.endswith(".part")]
    assert draw("--resume", run).returncode == 0
    assert (run / "drawing.png").exists()


def test_costs_are_of_all_points_where_steps_see_a_few(tmp_path, capsys, still):
    config = replace(TOY, out=tmp_path, batch_size=1, noise=0.0, race=(), steps=200)
    main(config)
    with np.load(only_run(tmp_path) / "params.npz") as file:
        layers = [(file[f"[{l}].W"], file[f"[{l}].b"]) for l in range(2)]
    target = mv.data.curve("heart", TOY.samples)
    t, points = target.t.astype("float32"), target.points.astype("float32")
    assert f"cost {mv.network.cost(layers, t, points):.3g}" in capsys.readouterr().out


def test_a_network_too_wide_for_forward_mode_is_proved_in_reverse(tmp_path, capsys, still):
    assert main(replace(TOY, out=tmp_path, hidden=(400, 400), steps=2, race=())) == command.DONE
    assert "agrees with reverse-mode autodiff" in capsys.readouterr().out


def test_a_run_whose_data_have_changed_is_not_resumed(tmp_path, still):
    own = tmp_path / "own.csv"
    own.write_text("0,0\n1,0\n1,1\n")
    arguments = ("--curve", own, "--samples", 10, "--race")
    assert draw(*arguments, "--steps", 20, "--out", tmp_path).returncode == 0
    own.write_text("0,0\n1,0\n1,2\n")
    found = draw("--resume", only_run(tmp_path), "--steps", 40)
    assert found.returncode == 2
    assert "have changed since" in found.stderr


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A run long enough to be disturbed, and where it ends if it is not."""
    out = tmp_path_factory.mktemp("undisturbed")
    assert draw(*LONG, "--out", out).returncode == 0
    return params(only_run(out))


LONG = ("--steps", 300_000, "--samples", 30, "--race")

HASTY = """
import sys
from functools import partial
import mvcalc_jax as mv
from experiments.draw_curve import *
mv.runs.checkpoints = partial(mv.runs.checkpoints, seconds=0.02)
sys.exit(command.run(main, Config, prog=PROG, earlier=earlier))
"""
"""draw_curve with so many checkpoints that there is one soon on any machine."""


def started(out, arguments=LONG):
    """The same run as a process, and its directory once there is one."""
    arguments = [sys.executable, "-c", HASTY, *map(str, arguments), "--out", str(out)]
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not list(out.glob("draw_curve/*/config.json")):
        time.sleep(0.05)
    return process, only_run(out)


def wait_for(path, process):
    while process.poll() is None and not path.exists():
        time.sleep(0.02)


def resumed(run, undisturbed, *more):
    found = draw("--resume", run, *more)
    assert found.returncode == 0, found.stderr
    ended = params(run)
    return all(np.array_equal(ended[name], undisturbed[name]) for name in undisturbed)


@pytest.mark.parametrize("when", [long("before the first checkpoint"), "after it"])
def test_kill_and_resume_is_bit_identical(when, tmp_path, undisturbed, still):
    process, run = started(tmp_path)
    if when == "after it":
        wait_for(run / "checkpoint.npz", process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (run / "params.npz").exists()
    assert resumed(run, undisturbed)
    assert not [path for path in run.iterdir() if path.name.endswith(".part")]


def test_many_networks_at_once_are_resumed(tmp_path, many):
    half = replace(TOY, out=tmp_path, seeds=3, seed=4, steps=TOY.steps // 2)
    assert main(half) == command.DONE
    assert resumed(only_run(tmp_path), params(many), "--steps", TOY.steps)


@pytest.mark.long
def test_many_networks_at_once_are_killed_and_resumed(tmp_path):
    many = ("--seeds", 3, "--samples", 10, "--steps", 100_000)
    assert draw(*many, "--out", tmp_path / "whole").returncode == 0
    process, run = started(tmp_path / "killed", many)
    wait_for(run / "checkpoint.npz", process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert resumed(run, params(only_run(tmp_path / "whole")))


def test_ctrl_c_saves_and_exits_130_and_resumes(tmp_path, undisturbed):
    process, run = started(tmp_path)
    wait_for(run / "checkpoint.npz", process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped on request after step" in out
    assert f"--resume {run}" in out
    assert "Traceback" not in err
    assert (run / "drawing.png").exists()
    assert resumed(run, undisturbed)


def test_resuming_can_add_steps_and_nothing_else(tmp_path, still):
    short = ("--samples", 10, "--race", "--out", tmp_path)
    assert draw("--steps", 100, *short).returncode == 0
    run = only_run(tmp_path)
    assert draw("--resume", run, "--steps", 200).returncode == 0
    whole = tmp_path / "whole"
    assert draw("--steps", 200, "--samples", 10, "--race", "--out", whole).returncode == 0
    for name, value in params(only_run(whole)).items():
        np.testing.assert_array_equal(params(run)[name], value)
    assert draw("--resume", run).returncode == 0  # it knows its new number of steps

    found = draw("--resume", run, "--hidden", 9)
    assert found.returncode == 2
    assert "hidden was (6, 7) and cannot become (9,)" in found.stderr
    found = draw("--resume", run, "--steps", 50)
    assert "at least the 200 taken already" in found.stderr
    found = draw("--resume", tmp_path / "nowhere")
    assert "is no run directory" in found.stderr

    checkpoint = run / "checkpoint.npz"
    checkpoint.write_bytes(checkpoint.read_bytes()[:500])
    found = draw("--resume", run, "--steps", 300)
    assert found.returncode == 2
    assert "checkpoint.npz is damaged" in found.stderr
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, "experiment": "other"}))
    assert "is a run of other" in draw("--resume", run).stderr


@pytest.mark.timing
def test_a_thousand_steps_from_start_to_files_in_four_seconds(tmp_path):
    times = []
    for k in range(3):
        began = time.monotonic()
        assert draw("--steps", 1000, "--out", tmp_path / str(k)).returncode == 0
        times.append(time.monotonic() - began)
    assert min(times) < 4


@pytest.mark.parametrize("seeds", [range(1), range(7, 8), range(2**31 - 2, 2**31)])
def test_keys_are_those_of_their_seeds(seeds):
    keys = [jax.random.key_data(jax.random.key(seed)) for seed in seeds]
    expected = keys if len(seeds) > 1 else keys[0]
    np.testing.assert_array_equal(jax.random.key_data(drawing.keys(seeds)), expected)
