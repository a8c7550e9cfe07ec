"""What every command does alike: exit codes, one-line errors, and quick help."""

import contextlib
import gc
import io
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from experiments import gallery
from mvcalc_jax import cli, command, devices, require
from mvcalc_jax.aside import Aside
from mvcalc_jax.descent import Status

ROOT = Path(__file__).parent.parent


def python(*args, timeout=120, **options):
    return subprocess.run(
        [sys.executable, *args],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=timeout,
        check=False,
        **options,
    )


def here(run, *args):
    """What a command does, in this process, where what was compiled stays: `run()` returns its exit code."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["prog", *map(str, args)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run()
    finally:
        sys.argv = before
    return subprocess.CompletedProcess(args, code, out.getvalue(), err.getvalue())


def mvcalc(*args):
    return python("-c", "from mvcalc_jax.cli import main; main()", *args)


def guarded(what, monkeypatch, capsys, *flags):
    """The exit code, and what is said on stderr, where `what` is done by a command."""
    monkeypatch.setattr(sys, "argv", ["prog", *flags])
    code = command.guarded(lambda args: what(), prog="prog")
    return code, capsys.readouterr().err


def raising(error):
    def fail():
        raise error

    return fail


@pytest.mark.parametrize(
    ("what", "code", "line"),
    [
        (lambda: require.positive("x", -1), 2, "prog: `x` must be positive; got -1\n"),
        (lambda: require.number("x", "two"), 2, "prog: `x` must be a single number; got 'two'\n"),
        (
            raising(OSError(28, "No space left on device", "runs/x")),
            2,
            "prog: No space left on device: runs/x\n",
        ),
        (Path("nowhere.csv").read_text, 2, "prog: No such file or directory: nowhere.csv\n"),
        (raising(FileNotFoundError("there is no file x.csv")), 2, "prog: there is no file x.csv\n"),
        (lambda: 1 // 0, 3, "prog: ZeroDivisionError: integer division or modulo by zero (an error inside"),
        (lambda: require.finite("x", "two"), 3, "prog: TypeError: ufunc 'isfinite' not supported"),
        (raising(ValueError("first\nsecond")), 3, "prog: ValueError: first (an error inside"),
        (
            lambda: np.empty(10**14),
            2,
            "prog: there is not enough memory for this; ask for less (Unable to allocate",
        ),
        (raising(KeyboardInterrupt()), 130, "\nprog: stopped\n"),
    ],
)
def test_errors_are_one_line_and_an_exit_code(what, code, line, monkeypatch, capsys):
    found, said = guarded(what, monkeypatch, capsys)
    assert found == code
    assert said.startswith(line)
    assert "Traceback" not in said


def test_debug_shows_the_traceback(monkeypatch, capsys):
    code, said = guarded(lambda: require.positive("x", -1), monkeypatch, capsys, "--debug")
    assert code == 2
    assert "Traceback" in said


def test_exit_codes_of_descents():
    assert [
        command.exit_code(status) for status in (Status.FINISHED, Status.NOT_FINITE, Status.INTERRUPTED)
    ] == [0, 1, 130]
    assert command.exit_code(np.array([0, -1])) == 0
    assert command.exit_code(np.array([-1, -1])) == 1


def test_mvcalc_without_arguments_shows_its_commands():
    found = mvcalc()
    assert found.returncode == 0
    assert "doctor" in found.stdout


def test_mvcalc_version_and_unknown_commands():
    assert mvcalc("--version").stdout.startswith("0.")
    found = mvcalc("docto")
    assert found.returncode == 2
    assert "Traceback" not in found.stderr


def test_doctor_finds_all_well():
    found = here(lambda: command.guarded(cli.chosen, prog="mvcalc"), "doctor")
    assert found.returncode == 0, found.stdout
    assert "all is well" in found.stdout
    assert "derivatives  correct" in found.stdout
    assert "jax[cuda" in found.stdout


def test_help_does_not_load_jax():
    loaded = "import sys; from mvcalc_jax.cli import main\ntry: main()\nexcept SystemExit: print('jax' in sys.modules)"
    assert python("-c", loaded, "--help").stdout.endswith("False\n")


def quickest(*args):
    times = []
    for _ in range(3):
        began = time.monotonic()
        assert python(*args).returncode == 0
        times.append(time.monotonic() - began)
    return min(times)


@pytest.mark.timing
def test_help_is_quick():
    assert quickest("-c", "from mvcalc_jax.cli import main; main()", "--help") < 0.3
    for name in gallery.questions():
        assert quickest("-m", f"experiments.{name}", "--help") < 1.5


def test_a_listing_that_nobody_reads_to_its_end_is_no_error():
    for consumer in ("head -1", "cat >/dev/full"):
        shell = f"{sys.executable} -m experiments | {consumer}" if "head" in consumer else None
        shell = shell or f"{sys.executable} -m experiments >/dev/full"
        found = subprocess.run(["bash", "-c", shell], cwd=ROOT, capture_output=True, text=True, check=False)
        assert "Traceback" not in found.stderr
    assert "No space left on device" in found.stderr


@pytest.mark.slow
def test_a_terminal_without_greek_letters_costs_nothing(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    found = python("-m", "experiments.linear_regression", "--out", str(tmp_path), env=environment)
    assert found.returncode == 0, found.stderr
    assert "?" in found.stdout


def test_devices_that_are_not_there_are_said():
    assert devices.choose("auto") == devices.choose("cpu")
    with pytest.raises(ValueError, match=r"JAX can use no gpu here; .*-m pip install 'jax\[cuda1"):
        devices.choose("gpu")
    with pytest.raises(ValueError, match="unknown device 'gpuu'; did you mean 'gpu'"):
        devices.choose("gpuu")
    with (
        pytest.raises(ValueError, match="unknown precision 'float46'; did you mean 'float64'"),
        devices.computing("cpu", "float46"),
    ):
        pass


@pytest.mark.parametrize(("driver", "extra"), [("580.65.06", "cuda13"), ("570.1", "cuda12")])
def test_advice_fits_the_driver(driver, extra, monkeypatch):
    monkeypatch.setattr(devices, "nvidia_driver", lambda: driver)
    assert f"jax[{extra}]" in devices.gpu_advice()


def test_work_aside_computes_in_its_own_precision():
    with Aside("cpu", "float64") as aside:
        found = [aside.submit(lambda: jnp.zeros(1).dtype.name) for _ in range(4)]
        assert {future.result() for future in found} == {"float64"}
    del aside
    gc.collect()
    assert jnp.zeros(1).dtype == "float32"


def test_work_aside_leaves_this_threads_precision_alone(float64):
    with Aside("cpu", "float32") as aside:
        aside.submit(lambda: None).result()
    del aside
    gc.collect()
    assert jnp.zeros(1).dtype == "float64"


def test_work_aside_ends_soon_after_an_interrupt():
    import mvcalc_jax as mv

    seen = threading.Event()

    def noting(stream):
        for part in stream:
            seen.set()
            yield part

    def forever(aside):
        options = {"learning_rate": 0.1, "record_every": 10**6, "watch": [noting, aside.watch]}
        return mv.steepest_descent(lambda p: p, np.ones(1, "float32"), steps=10**9, **options)

    with pytest.raises(KeyboardInterrupt), Aside("cpu") as aside:
        future = aside.submit(forever, aside)
        assert seen.wait(60)
        raise KeyboardInterrupt
    assert 0 < future.result().steps < 10**9
