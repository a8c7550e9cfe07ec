"""`mvcalc check`: what is printed, and with what exit code it ends."""

import json
import shlex
import signal
import subprocess
import sys
import time

import pytest

from tests.check.layer import LAYER

pytestmark = pytest.mark.slow  # what a newer JAX may break is tested in less time elsewhere


def test_a_correct_jacobian(here, mvcalc):
    code, out, err = mvcalc("layer.py:f", "jac")
    assert code == 0
    assert out.startswith("correct: layer.jac ")
    assert out.endswith("again: mvcalc check layer.py:f jac\n")
    assert "printed on import\n" in err
    assert "printed by a child\n" in err
    assert "printed by f\n" in err
    assert "printed" not in out


def test_a_wrong_one_as_json_with_a_picture(here, mvcalc):
    code, out, err = mvcalc("layer.py:f", "layer.py:wrong", "--json", "--plot", "sine.png")
    assert code == 1
    report = json.loads(out)
    assert report["verdict"] == "wrong"
    assert report["leaves"][0]["path"] == "args[0]"
    assert report["again"] == "mvcalc check layer.py:f layer.py:wrong"
    assert err.endswith("sine.png\n")
    assert (here / "sine.png").read_bytes().startswith(b"\x89PNG")


def test_where_nobody_can_tell_the_exit_code_is_that_of_no(here, mvcalc):
    (here / "layer.py").write_text(f"{LAYER}\ndef count(x): return jnp.argmax(x)\n")
    code, out, _ = mvcalc("layer.py:count", "jac")
    assert code == 1
    assert out.startswith("inconclusive: ")


def test_the_line_that_repeats_a_check_does(here, mvcalc):
    asked = ("--hessian", "layer.py:with_two", "hess", "--args", "x, W", "--seed", 3, "--argnums", "0")
    (here / "layer.py").write_text(f"{LAYER}\nx, W = np.array([0.3, 1.0]), np.array([[1.0, 2.0]])\n")
    code, out, _ = mvcalc(*asked)
    again = out.splitlines()[-1].removeprefix("again: ")
    assert again == "mvcalc check --hessian layer.py:with_two hess '--args=x, W' --argnums=0 --seed=3"
    assert mvcalc(*shlex.split(again)[2:])[:2] == (code, out)
    assert code == 0


def test_of_a_chain_the_wrong_link_is_named(here, mvcalc):
    (here / "layer.py").write_text(f'{LAYER}\nlinks[1] = Link("again", f, wrong)\n')
    code, out, _ = mvcalc("layer.py:links")
    assert code == 1
    assert "again" in out.splitlines()[0]


def started(*args, **options):
    command = [sys.executable, "-c", "from mvcalc_jax.cli import main; main()", "check", *args]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def test_help_says_how_and_does_not_load_jax():
    loaded = "import sys; from mvcalc_jax.cli import main\ntry: main()\nexcept SystemExit: print('jax' in sys.modules)"
    command = [sys.executable, "-c", loaded, "check", "--help"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert found.endswith("False\n")
    for said in ("mvcalc check layer.py:f jac", "Exit codes: 0 done; 1 ", "example_args = (", "--args EXPR"):
        assert said in found


def test_as_json_in_a_process_of_its_own(here):
    process = started("layer.py:f", "fwd", "bwd", "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert json.loads(out)["verdict"] == "correct"
    assert "printed on import" in err


def test_ctrl_c_ends_it(here):
    # Not one long sleep: a signal that another thread of the process takes does not wake the main one.
    source = "import time\ndef f(x):\n    print('waiting', flush=True)\n    while True: time.sleep(0.02)\n"
    (here / "slow.py").write_text(f"{source}jac = f\nexample_args = 1.0\n")
    with started("slow.py:f", "jac", cwd=here) as process:
        try:
            assert process.stderr.readline() == "waiting\n"
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert err.endswith("mvcalc: stopped\n")
    assert time.monotonic() - began < 30
