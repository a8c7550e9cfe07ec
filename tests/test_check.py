"""`mvcalc check`: from names to functions, where to look, what is printed, and what is said of bad input."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from mvcalc_jax import check, cli, verify
from mvcalc_jax.verify import Report

pytestmark = pytest.mark.slow  # what a newer JAX may break is tested in less time elsewhere

LAYER = """
import dataclasses
import os
import pickle
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax.verify import Link

print("printed on import")
os.system("echo printed by a child")


@dataclasses.dataclass
class Settings:
    scale: float = 0.1


pickle.loads(pickle.dumps(Settings()))
SCALE = jnp.array(Settings().scale)


def f(x):
    jax.debug.print("printed by f")
    return SCALE * jnp.sin(x)


def jac(x):
    return jnp.diag(0.1 * jnp.cos(x))


def wrong(x):
    return jnp.diag(-0.1 * jnp.cos(x))


def with_two(x, W):
    return jnp.sum((W @ x) ** 2)


def hess(x, W):
    return 2 * W.T @ W


def fwd(x):
    return f(x), x


def bwd(x, v):
    return (v * 0.1 * jnp.cos(x),)


custom = jax.custom_vjp(lambda x: SCALE * jnp.sin(x))
custom.defvjp(fwd, bwd)
jitted = jax.jit(custom)
forward = jax.custom_jvp(f)
links = [Link("sine", f, jac), Link("again", f, jac)]


class Net:
    def __init__(self):
        self.f = f


net = Net()
number = 3
example_args = (np.array([0.3, -1.2]),)
with_two.example_args = lambda rng: (rng.standard_normal(3), rng.standard_normal((2, 3)))
"""


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


# What is printed


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


# Which check is meant


@pytest.mark.parametrize(
    ("asked", "name", "options"),
    [
        ("layer.py:f jac", "check_jacobian", {"argnums": 0, "seed": 0}),
        ("layer.py:net.f layer.py:jac --seed 5", "check_jacobian", {"argnums": 0, "seed": 5}),
        ("layer:f jac", "check_jacobian", {"argnums": 0, "seed": 0}),
        ("--argnums 0,1 layer.py:with_two jac", "check_jacobian", {"argnums": (0, 1), "seed": 0}),
        ("--argnums -1 layer.py:with_two jac", "check_jacobian", {"argnums": -1, "seed": 0}),
        ("--argnums 0, layer.py:with_two jac", "check_jacobian", {"argnums": (0,), "seed": 0}),
        ("--hessian layer.py:with_two hess", "check_hessian", {"argnums": 0, "seed": 0}),
        ("layer.py:f fwd bwd", "check_vjp", {"seed": 0}),
        ("layer.py:f custom", "check_custom", {"seed": 0}),
        ("layer.py:f jitted", "check_custom", {"seed": 0}),
        ("layer.py:f forward", "check_custom", {"seed": 0}),
        ("layer.py:links", "check_chain", {"seed": 0}),
        ("layer.py:links jac", "check_chain", {"seed": 0}),
    ],
)
def test_names_say_which_check_is_meant(asked, name, options, here, mvcalc, calls):
    code, _, err = mvcalc(*asked.split())
    assert code == 1, err
    ((found, args, given),) = calls
    assert (found, given) == (name, options)
    functions = sum(map(callable, args)) + (name == "check_chain")
    assert functions == len([word for word in asked.split() if word[0].isalpha()])


def test_the_file_runs_once_and_in_float64(here, mvcalc, calls):
    mvcalc("layer.py:f", "layer.py:jac")
    (_, (f, jac, _), _) = calls[0]
    assert f.__globals__ is jac.__globals__
    assert f.__globals__["SCALE"].dtype == "float64"


def test_an_edit_counts_though_python_could_not_tell(here, mvcalc, calls):
    for sign in "+-":
        (here / "one.py").write_text(f"sign = '{sign}'\nf = jac = lambda x: x\nexample_args = sign\n")
        os.utime(here / "one.py", (0, 0))
        mvcalc("one.py:f", "jac")
        del sys.modules["one"]
    assert [args[2] for _, args, _ in calls] == ["+", "-"]


def test_from_another_folder_with_siblings_and_data(here, mvcalc, calls, tmp_path, monkeypatch):
    (here / "sibling.py").write_text("from layer import *\n")
    (here / "data.txt").write_text("0.5")
    source = "from pathlib import Path\nfrom sibling import f, jac\n"
    source += "example_args = float(Path(__file__).with_name('data.txt').read_text())\n"
    (here / "main.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    code, _, err = mvcalc("my work/main.py:f", "my work/layer.py:jac")
    assert code == 1, err
    ((_, (f, jac, x), _),) = calls
    assert x == 0.5
    assert f.__globals__ is jac.__globals__


def test_a_file_does_not_take_the_place_of_a_module(here, mvcalc, calls):
    (here / "json.py").write_text("def f(x): return x\ndef jac(x): return x\nexample_args = 1.0\n")
    assert mvcalc("json.py:f", "jac")[0] == 1
    assert sys.modules["json"] is json


def test_modules_by_their_dotted_name(here, mvcalc, calls):
    (here / "package").mkdir()
    (here / "package" / "__init__.py").touch()
    (here / "package" / "inside.py").write_text("from . import beside\nf = beside.f\nexample_args = 2.0\n")
    (here / "package" / "beside.py").write_text("def f(x): return x\n")
    code, _, err = mvcalc("package/inside.py:f", "f")
    assert code == 2
    assert "package/inside.py:1: ImportError" in err
    assert "package.module:NAME" in err
    assert mvcalc("package.inside:f", "beside.f")[0] == 1


# Where it looks


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("0.5", (0.5,)),
        ("example_args[0] * 2", (np.array([0.6, -2.4]),)),
        ("(rng.random(2),)", (np.random.default_rng(7).random(2),)),
        ("Net,", None),
        (" one.npy ", (np.ones(3),)),
    ],
)
def test_arguments_by_an_expression(given, expected, here, mvcalc, calls):
    np.save("one.npy", np.ones(3))
    code, _, err = mvcalc("layer.py:f", "jac", "--args", given, "--seed", 7)
    assert code == 1, err
    (_, (_, _, *args), _) = calls[0]
    if expected is not None:
        np.testing.assert_array_equal(args, expected)


def test_arguments_from_a_file(here, mvcalc, calls):
    x, W = np.ones(3), np.zeros((2, 3))
    np.savez("both.npz", x, W)
    mvcalc("layer.py:with_two", "jac", "--args", "both.npz")
    (_, (_, _, *args), _) = calls[0]
    assert [arg.shape for arg in args] == [(3,), (2, 3)]


def test_example_args_of_a_function_may_be_random(here, mvcalc, calls):
    for _ in range(2):
        mvcalc("layer.py:with_two", "jac", "--seed", 4)
    (_, (_, _, *first), _), (_, (_, _, *second), _) = calls
    rng = np.random.default_rng(4)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, rng.standard_normal(a.shape))


def test_a_named_tuple_is_one_argument(here, mvcalc, calls):
    (here / "layer.py").write_text(f"{LAYER}\nexample_args = Link('a', f, jac)\n")
    mvcalc("layer.py:f", "jac")
    (_, (_, _, *args), _) = calls[0]
    assert len(args) == 1
    assert args[0].name == "a"


# Bad input


SILLY = {
    "": "what is to be checked? such as: mvcalc check layer.py:f jac; --help says more",
    "f jac": "`f` must name a function and the file that it is in, such as layer.py:f",
    "layer.py f": "`layer.py` must name a function and the file that it is in, such as layer.py:f",
    "layer.py: f": "`layer.py:` must name a function and the file that it is in, such as layer.py:f",
    "layer.py:f": "beside layer.py:f there must be its derivative: jac, or fwd bwd; got nothing",
    "layer.py:f a b c": "unknown name in layer.py: 'a'; ",
    "layer.py:f f f f": "beside layer.py:f there must be its derivative: jac, or fwd bwd; got layer.py:f, ",
    "layer.py:f jca": "unknown name in layer.py: 'jca'; did you mean 'jac'? known: ",
    "layer.py:net.g jac": "unknown name in layer.py:net: 'g'; known: f",
    "layer.py:f number": "`layer.py:number` must be a function; got int",
    "layer.py:number": "`layer.py:number` must be a function; got int",
    "layre.py:f jac": "there is no file layre.py; did you mean layer.py?",
    "nowhere/layer.py:f jac": "there is no file nowhere/layer.py",
    "layer.py:f other.py:jac": "there is no file other.py",
    "notes.txt:f jac": "`notes.txt` must be a file of Python, with the suffix .py",
    "nowhere:f jac": "there is no module nowhere; a file is given as FILE.py:NAME",
    "--hessian layer.py:f fwd bwd": "--hessian must have a function and its Hessian; got layer.py:f, ",
    "--hessian layer.py:links": "--hessian must have a function and its Hessian; got layer.py:links",
    "--argnums 0 layer.py:f custom": "--argnums is for a Jacobian or a Hessian; the other checks are of all arguments",
    "--argnums x layer.py:f jac": "--argnums must be whole numbers, such as 0 or 0,2; got 'x'",
    "--argnums 0.5 layer.py:f jac": "--argnums must be whole numbers, such as 0 or 0,2; got '0.5'",
    "--argnums () layer.py:f jac": "--argnums must be whole numbers, such as 0 or 0,2; got '()'",
    "--argnums 1 layer.py:f jac": "`argnums` must name some of the 1 arguments, each once; got 1",
    "--seed -1 layer.py:f jac": "`--seed` must be at least 0; got -1",
    "--plot a.jpg layer.py:f jac": "--plot must end in .png, .svg or .pdf; got a.jpg",
    "--plot no/a.png layer.py:f jac": "there is no folder no to draw into",
    "layer.py:links f f": "beside layer.py:links there may be the Jacobian of all links; got layer.py:f, layer.py:f",
    "layer.py:example_args": "`layer.py:example_args[0]` must be a mvcalc_jax.verify.Link; got ndarray",
    "layer.py:links.0": "unknown name in layer.py:links: '0'; known: ",
    "--args foo layer.py:f jac": "--args 'foo' raises NameError: name 'foo' is not defined",
    "--args 1/0 layer.py:f jac": "--args '1/0' raises ZeroDivisionError: division by zero",
    "--args exit() layer.py:f jac": "--args 'exit()' raises SystemExit: ",
    "--args 1+ layer.py:f jac": "--args must be an expression of Python, or a .npz file; got '1+': SyntaxError: ",
    "--args 1,2 layer.py:f jac": "layer.py:f must be given its arguments (x); --args is 2 values: too many",
    "--args no.npz layer.py:f jac": "there is no file no.npz",
    "--args notes.npy layer.py:f jac": "notes.npy must be a file that np.savez or np.save wrote: ",
    "--args np.arange(3) layer.py:f jac": "`args[0]` must hold floating-point numbers; got int64",
    "layer.py:hess jac": "layer.py:hess must be given its arguments (x, W); example_args is 1 value: missing",
    "--args np.ones(2),np.ones((2,3)) layer.py:with_two jac": "layer.py:with_two raises at these arguments: layer.py:",
}


@pytest.mark.parametrize("asked", SILLY)
def test_bad_input_is_one_line(asked, here, mvcalc):
    (here / "notes.txt").write_text("f = 1\n")
    (here / "notes.npy").write_text("f = 1\n")
    code, out, err = mvcalc(*asked.split())
    lines = [line for line in err.splitlines() if line.startswith("mvcalc: ")]
    assert (code, out, len(lines)) == (2, "", 1)
    assert lines[0].startswith(f"mvcalc: {SILLY[asked]}")
    assert "Traceback" not in err


FAILING = {
    "import nosuch\n": "bad.py:1: ModuleNotFoundError: No module named 'nosuch'",
    "x = 1\n\ny = x / 0\n": "bad.py:3: ZeroDivisionError: division by zero",
    "def f(x:\n    pass\n": "bad.py:1: SyntaxError: '(' was never closed",
    "import sys\nsys.exit(0)\n": "bad.py:2: SystemExit: 0",
    "import beside\n": "beside.py:2: AssertionError: (it does not say why)",
    "raise ValueError('first\\nsecond')\n": "bad.py:1: ValueError: first",
    "import json\njson.loads('{')\n": "bad.py:2: JSONDecodeError: Expecting property name",
}


@pytest.mark.parametrize("source", FAILING)
def test_of_a_file_that_fails_the_line_is_said(source, here, mvcalc):
    (here / "bad.py").write_text(source)
    (here / "beside.py").write_text("\nassert False\n")
    code, out, err = mvcalc("bad.py:f", "jac", "--json")
    assert (code, out) == (2, "")
    assert err.startswith(f"mvcalc: bad.py cannot be imported: {FAILING[source]}")
    assert err.count("\n") == 1
    assert "bad" not in sys.modules


def test_debug_shows_where_in_the_file(here, mvcalc):
    (here / "bad.py").write_text("y = 1 / 0\n")
    code, _, err = mvcalc("bad.py:f", "jac", "--debug")
    assert code == 2
    assert "y = 1 / 0" in err


def test_without_arguments_the_parameters_are_listed(here, mvcalc):
    (here / "bare.py").write_text("def f(x: float, W, *, scale=2): return x\njac = f\n")
    code, _, err = mvcalc("bare.py:f", "jac")
    assert code == 2
    assert err == (
        "mvcalc: bare.py:f must be given arguments (x, W) to be checked at: either --args EXPR, such as "
        "--args 'rng.standard_normal(3), 0.5', or a line example_args = (x, W) in bare.py\n"
    )


def test_a_function_that_ends_the_program_is_not_correct(here, mvcalc):
    (here / "bad.py").write_text("def f(x):\n    raise SystemExit(0)\njac = f\nexample_args = 1.0\n")
    code, out, err = mvcalc("bad.py:f", "jac")
    assert (code, out) == (2, "")
    assert "bad.py:2: SystemExit: 0" in err


def test_an_error_inside_is_no_fault_of_the_users(here, mvcalc, monkeypatch):
    monkeypatch.setattr(verify, "check_jacobian", lambda *args, **options: {}[0])
    code, _, err = mvcalc("layer.py:f", "jac")
    assert code == 3
    assert "KeyError: 0 (an error inside" in err


# Processes


def started(*args, **options):
    command = [sys.executable, "-c", "from mvcalc_jax.cli import main; main()", "check", *args]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def test_help_says_how_and_does_not_load_jax():
    loaded = "import sys; from mvcalc_jax.cli import main\ntry: main()\nexcept SystemExit: print('jax' in sys.modules)"
    command = [sys.executable, "-c", loaded, "check", "--help"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert found.endswith("False\n")
    for said in ("mvcalc check layer.py:f jac", "Exit code 0", "example_args = (", "--args EXPR"):
        assert said in found


def test_as_json_in_a_process_of_its_own(here):
    process = started("layer.py:f", "fwd", "bwd", "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert json.loads(out)["verdict"] == "correct"
    assert "printed on import" in err


def test_ctrl_c_ends_it(here):
    source = "import time\ndef f(x):\n    print('waiting', flush=True)\n    time.sleep(60)\n"
    (here / "slow.py").write_text(f"{source}jac = f\nexample_args = 1.0\n")
    process = started("slow.py:f", "jac", cwd=here)
    assert process.stderr.readline() == "waiting\n"
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith("mvcalc: stopped\n")
    assert time.monotonic() - began < 30
