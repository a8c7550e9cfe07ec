"""`mvcalc check`: what is said of bad input, in a line, and of files that fail."""

import sys

import pytest

from mvcalc_jax import verify

pytestmark = pytest.mark.slow  # what a newer JAX may break is tested in less time elsewhere


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
    "--argnums 1 layer.py:f jac": "--argnums must name some of the 1 arguments, each once; got 1",
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
