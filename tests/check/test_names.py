"""`mvcalc check`: from names to functions and the check that is meant, and where it looks."""

import json
import os
import sys

import numpy as np
import pytest

from tests.check.layer import LAYER

pytestmark = pytest.mark.slow  # what a newer JAX may break is tested in less time elsewhere


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
