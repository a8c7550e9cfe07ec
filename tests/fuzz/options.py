"""Random words for every command, from the dataclass that its options are."""

import importlib
import re
import types
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from experiments import gallery
from mvcalc_jax import cli
from tests.fuzz.commands import COMMANDS, Command, python
from tests.fuzz.draws import Draw
from tests.fuzz.files import brought

SMALL: dict[str, list[str]] = {
    "critical_points": ["--starts", "32"],
    "draw_curve": ["--steps", "300", "--samples", "20"],
    "error_bands": ["--points", "21"],
    "find_the_bug": ["--samples", "5"],
    "fit_heights": ["--steps", "6"],
    "jacobians": ["--cells", "3"],
    "lagrange": ["--starts", "60"],
    "newton_raphson": ["--points", "40"],
    "one_neuron": ["--steps", "20", "--depth", "3"],
    "safe_steps": ["--steps", "20", "--samples", "10", "--height-steps", "4", "--measured", "3"],
    "sandpit_strategies": ["--seeds", "3", "--points", "11"],
    "taylor_series": ["--points", "30", "--order", "9"],
}
"""What makes an experiment quick."""
LEFT_ALONE = {"live", "port", "browser", "address", "coordinator", "processes", "process_id", "launched"}
"""Options that wait for a browser or for other processes."""
GIVEN, HOSTILE, WRONG_OUT = 0.25, 0.15, 0.05
"""How often an option is given, is given nonsense, and the run directories have no room."""
NONSENSE = ("", "-1", "0", "nan", "inf", "1e400", "1e-320", "x", "1.5", "99999999999999999999", "ünï", "--", "None",
            "a:b", "\udcff", "-", "[]", "1,2", "3 4", "/", "../..", "%s", "{}")  # fmt: skip
LAYER = """import jax, jax.numpy as jnp, numpy as np
from mvcalc_jax.verify import Link
def f(x): return jnp.tanh(x)
def jac(x): return jnp.diag(1 - jnp.tanh(x) ** 2)
def wrong(x): return jnp.diag(1 - jnp.tanh(x))
def hess(x): return jnp.eye(2)
def fwd(x): return jnp.tanh(x), x
def bwd(x, g): return (g * (1 - jnp.tanh(x) ** 2),)
def fails(x): raise ValueError("no")
def g(x, y): return jnp.sin(x) * y
links = [Link("f", f, jac), Link("f", f, jac)]
example_args = (jnp.array([0.3, -1.2]),)
"""


def words_of(kind: Any, hint: str, draw: Draw, folder: Path) -> list[str]:
    """Words for an option of this type; `hint` is what its help says."""
    if draw.chance(HOSTILE):
        return [str(draw.one(NONSENSE))]
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return words_of(inside[0], hint, draw, folder)
    if origin is Literal:
        return [str(draw.one(inside))]
    if origin in (types.UnionType, Union):
        return words_of(draw.one([i for i in inside if i is not type(None)]), hint, draw, folder)
    if origin is tuple:
        many = draw.whole(0, 4) if inside[-1] is Ellipsis else len(inside)
        return [word for _ in range(many) for word in words_of(inside[0], hint, draw, folder)]
    if kind is int:
        return [str(draw.whole(-1, 12))]
    if kind is float:
        return [f"{draw.real(draw.one((1.0, 10.0, 1e-3))):.6g}"]
    if kind is Path:
        return [str(brought(draw, folder, ".csv", ".svg", ".json", ".npy", ".png", ".gif"))]
    said = re.findall(r"[a-z][a-z0-9-]+", hint)
    return [str(draw.one(said) if said and draw.chance(0.8) else brought(draw, folder, ".csv", ".svg"))]


def options(config: Any, draw: Draw, folder: Path, *, given: float = GIVEN) -> list[str]:
    """Some of a dataclass's options."""
    hints, words = get_type_hints(config, include_extras=True), []
    source = Path(importlib.import_module(config.__module__).__file__ or "").read_text(encoding="utf-8")
    for field in fields(config):
        positional = field.default is MISSING or field.name == "names"
        if field.name in LEFT_ALONE | {"out"} or positional or not draw.chance(given):
            continue
        flag, kind = field.name.replace("_", "-"), hints[field.name]
        bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
        if bare is bool:
            words.append(f"--{flag}" if draw.chance(0.6) else f"--no-{flag}")
        else:
            told = re.search(rf'\n    {field.name}: .*?"""(.*?)"""', source, re.DOTALL)
            words += [f"--{flag}", *words_of(kind, told[1] if told else "", draw, folder)]
    return [*words, draw.one(NONSENSE)] if draw.chance(0.04) else words


def _out(draw: Draw, folder: Path) -> list[str]:
    (folder / "a file").write_text("")
    wrong = ("a file", "a file/below", "/proc/nowhere", "/dev/full", "", "n" * 300, "\udcff")
    return ["--out", draw.one(wrong) if draw.chance(WRONG_OUT) else "runs"]


def experiment(name: str) -> Command:
    """The command of an experiment."""

    def words(draw: Draw, folder: Path) -> list[str]:
        config = importlib.import_module(f"experiments.{name}").Config
        found = [*SMALL.get(name, []), *options(config, draw, folder), *_out(draw, folder)]
        return python("-m", f"experiments.{name}", *_safe(found))

    return Command(words, again=_resumed if name == "draw_curve" else lambda words, folder: words)


def _resumed(words: list[str], folder: Path) -> list[str]:
    """The newest run of those that were killed is gone on with, if there is one."""
    runs = sorted((folder / "runs" / "draw_curve").glob("*"))
    return python("-m", "experiments.draw_curve", "--resume", str(runs[-1])) if runs else words


def _safe(words: list[str]) -> list[str]:
    """Words that the system can hand to a process."""
    return [word.replace("\0", "") for word in words]


def mvcalc(*words: str) -> list[str]:
    return python("-c", "from mvcalc_jax.cli import main; main()", *_safe(list(words)))


def fit(draw: Draw, folder: Path) -> list[str]:
    data = str(brought(draw, folder, ".npy", ".npz", ".csv", ".parquet", harm=0.4))
    out = ["-o", draw.path(folder, ".npy", ".csv", ".parquet", "")] if draw.chance(0.6) else []
    return mvcalc("fit", data, *out, *options(cli.Fit, draw, folder, given=0.15))


def check(draw: Draw, folder: Path) -> list[str]:
    (folder / "layer.py").write_text(LAYER)
    names = draw.one(
        (
            ["f", "jac"],
            ["f", "wrong"],
            ["f", "fwd", "bwd"],
            ["links"],
            ["f", "hess"],
            ["f", "fails"],
            ["g", "f"],
            ["f"],
        )
    )
    names = names if draw.chance(0.8) else [draw.one((*NONSENSE, "f", "no")) for _ in range(draw.whole(0, 4))]
    more = options(cli.Check, draw, folder, given=0.15)
    more += (
        ["--args", draw.one(("rng.standard_normal(2)", "1", "np.eye(2)", "f", "(", "1/0", "x.npy"))]
        if draw.chance(0.3)
        else []
    )
    return mvcalc("check", *(f"layer.py:{n}" if k == 0 else n for k, n in enumerate(names)), *more)


def sandpit(draw: Draw, folder: Path) -> list[str]:
    (folder / "own.py").write_text("import jax.numpy as jnp\ndef f(x, y):\n    return jnp.sin(x) * y\n")
    play = (
        ["--auto", "--seeds", "2"]
        if draw.chance(0.5)
        else ["--no-browser", "--port", str(draw.whole(20000, 40000))]
    )
    return mvcalc("sandpit", *play, *options(cli.Sandpit, draw, folder, given=0.12), *_out(draw, folder))


for _name in gallery.questions():
    COMMANDS[f"experiments.{_name}"] = experiment(_name)
COMMANDS["mvcalc fit"] = Command(fit)
COMMANDS["mvcalc check"] = Command(check)
COMMANDS["mvcalc sandpit"] = Command(sandpit, endless=lambda words: "--auto" not in words)
COMMANDS["mvcalc doctor"] = Command(
    lambda draw, folder: mvcalc("doctor", *([draw.one(NONSENSE)] * draw.chance(0.2)))
)
COMMANDS["experiments"] = Command(
    lambda draw, folder: python("-m", "experiments", *_safe([draw.one(NONSENSE)] * draw.chance(0.8)))
)
