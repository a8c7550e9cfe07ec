"""`mvcalc` and `mvcalc run`: one vocabulary, completions, documents for programs, closed streams."""

import importlib
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

import mvcalc_jax as mv
from benchmarks import __main__ as benchmarks
from experiments import __main__ as front
from experiments import bounding, constraints, examples, gallery, neurons, taylor_series, traced
from mvcalc_jax import arguments, cli, command, completion, doctor, options, output
from tests.test_command import ROOT, here, mvcalc, python

EXPERIMENTS = {name: importlib.import_module(f"experiments.{name}") for name in gallery.questions()}
SETTINGS = {
    **{name: settings for name, (settings, _) in cli.COMMANDS.items()},
    **{name: script.Config for name, script in EXPERIMENTS.items()},
    "--all": front.Listed,
    "benchmarks": benchmarks.Config,
}
OPTIONS = [
    (name, option) for name, settings in SETTINGS.items() for option in arguments.Parser(settings).settings
]


def one(flag):
    """What commands say of an option."""
    return {name: option for name, option in OPTIONS if option.flag == flag}


@pytest.mark.parametrize("flag", ["--device", "--precision", "--out", "--seed", "--port", "--browser"])
def test_an_option_of_many_commands_says_the_same_everywhere(flag):
    shared = {"--out": options.Out, "--seed": options.Seed, "--port": options.Port}
    shared |= {"--device": options.Device, "--precision": options.Precision, "--browser": options.Browser}
    found = one(flag)
    assert len(found) > 1
    (said,) = (note.help for note in shared[flag].__metadata__)
    for name, option in found.items():
        if not (flag == "--out" and name in ("fit", "benchmarks")):  # a file, and a folder of their own
            assert option.help.startswith(said.replace("%", "%%")), name
    assert {option.arg.short for option in one("--out").values()} == {"-o"}


def test_defaults_of_shared_options_are_the_same():
    assert {option.usual for option in one("--device").values()} == {"auto"}
    seeds = {name: option.usual for name, option in one("--seed").items()}
    assert {name for name, seed in seeds.items() if seed} == {
        "sandpit_game"
    }  # its game is told in its docstring


@pytest.mark.parametrize(("name", "option"), OPTIONS, ids=lambda value: getattr(value, "flag", value))
def test_every_option_is_explained(name, option):
    assert option.help.rstrip(")").strip()
    assert option.kind is bool or option.metavar.upper()[:3] == option.metavar[:3]


KNOWN = {
    ("critical_points", "--surface"): mv.calculus.SURFACES,
    ("newton_raphson", "--function"): mv.calculus.NEWTON_EXAMPLES,
    ("newton_raphson", "--fractal"): mv.calculus.FRACTALS,
    ("rise_over_run", "--function"): mv.calculus.SLOPE_EXAMPLES,
    ("error_bands", "--function"): bounding.EXAMPLES,
    ("jacobians", "--map"): mv.calculus.COORDINATES,
    ("jacobians", "--surface"): examples.SURFACES,
    ("jacobians", "--chain"): examples.CHAINS,
    ("lagrange", "--problem"): constraints.PROBLEMS,
    ("one_neuron", "--gate"): neurons.GATES,
    ("rules", "--function"): traced.FUNCTIONS,
    ("taylor_series", "--function"): taylor_series.examples(),
    ("draw_curve", "--activation"): mv.models.activations.ACTIVATIONS,
    ("draw_curve", "--output-activation"): mv.models.activations.ACTIVATIONS,
    ("draw_curve", "--optimizer"): mv.descent.RULES,
    ("draw_curve", "--curve"): mv.data.CURVES,
    ("fit_heights", "--data"): mv.data.HISTOGRAMS,
    ("sandpit", "--floor"): mv.sandpit.FLOORS,
    ("sandpit", "--strategy"): mv.sandpit.STRATEGIES,
    ("sandpit", "--scenario"): mv.sandpit.SCENARIOS,
    ("sandpit", "--mode"): mv.sandpit.MODES,
}


@pytest.mark.parametrize(("name", "flag"), KNOWN)
def test_the_names_to_choose_from_are_those_there_are(name, flag):
    option = one(flag)[name]
    assert sorted(option.names or option.arg.known) == sorted(KNOWN[name, flag])


def test_every_help_ends_with_the_same_exit_codes():
    for name, (settings, does) in cli.COMMANDS.items():
        found = here(lambda does=does, settings=settings: command.run(does, settings, prog="x"), "--help")
        assert found.returncode == 0
        assert " ".join(found.stdout.split()).endswith(command.EXIT_CODES), name
        assert "--debug" in found.stdout
    assert " ".join(mvcalc("--help").stdout.split()).endswith(command.EXIT_CODES)


def test_the_screen_names_every_command():
    for name in [*cli.COMMANDS, "run"]:
        assert f"\n  {name} " in cli.SCREEN
    assert max(map(len, cli.SCREEN.splitlines())) <= 100


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sandbit", "unknown command 'sandbit'; did you mean 'sandpit'? known: run, "),
        ("fit c.npy --devise cpu", "unknown option '--devise'; did you mean '--device'?"),
        ("fit c.npy --device gpuu", "unknown device 'gpuu'; did you mean 'gpu'?"),
        ("fit", "DATA must be given: Curves"),
        ("fit c.npy --launched --processes 2", "--processes is not for --launched"),
        ("sandpit --auto --port 3", "--port is not for --auto"),
        ("sandpit --resume g.json --floor wells", "--floor is not for --resume"),
        ("sandpit --scenario rocks --learning-rate 2", "--learning-rate is not for --scenario"),
        ("sandpit --seeds 3", "--seeds is only for --auto"),
        ("sandpit --json", "--json is only for --auto"),
        ("completion csh", "unknown shell 'csh'; did you mean 'tcsh'?"),
        ("run draw_curv", "unknown experiment 'draw_curv'; did you mean 'draw_curve'?"),
        ("run draw-curve --port 8000", "--port is only for --live"),
        ("run draw_curve --race adam --seeds 2", "--race is only for --seeds 1"),
        ("run linear_regression --degree 2", "--degree is only for --data"),
        ("run rules --function neurn", "unknown function 'neurn'; did you mean 'neuron'?"),
        ("run one_neuron --start 1", "--start expected 2 arguments"),
        ("run one_neuron --steps 0", "--steps must be at least 1; got 0"),
        ("run --out there", "--out is only for --all"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_code_2(line, said):
    found = here(lambda: command.guarded(cli.chosen, prog="mvcalc"), *line.split())
    assert (found.returncode, found.stdout) == (command.MISUSED, "")
    assert found.stderr.startswith(f"mvcalc: {said}")
    assert len(found.stderr.splitlines()) == 1


def test_run_lists_and_runs_as_python_does(tmp_path):
    listed = mvcalc("run")
    assert listed.returncode == 0
    assert listed.stdout.replace("mvcalc run", "python -m experiments") == python("-m", "experiments").stdout
    found = mvcalc("run", "two_populations", "--help")
    assert found.stdout.startswith("usage: mvcalc run two_populations [options]")
    assert (
        python("-m", "experiments.two_populations", "--help").stdout.splitlines()[1:]
        == found.stdout.splitlines()[1:]
    )


def test_without_a_clone_it_is_said_where_experiments_are(monkeypatch, tmp_path):
    monkeypatch.setattr(command, "EXPERIMENTS", tmp_path)
    assert cli.experiments() == {}
    found = here(lambda: command.guarded(cli.chosen, prog="mvcalc"), "run", "draw_curve")
    assert found.returncode == command.MISUSED
    assert "they are in the folder experiments/ of the repository" in found.stderr
    assert "run draw_curve" not in completion.script("bash", {}, cli.experiments())


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """The script for a shell, in a file."""
    folder = tmp_path_factory.mktemp("completion")
    known = {name: settings for name, (settings, _) in cli.COMMANDS.items()}

    def written(shell):
        path = folder / shell
        path.write_text(completion.script(shell, known, cli.experiments(), command.COMMON))
        return path

    return written


COMPLETED = {
    "mvcalc ": "check fit sandpit doctor completion run",
    "mvcalc sand": "sandpit",
    "mvcalc run dra": "draw_curve",
    "mvcalc run draw_curve --opt": "--optimizer",
    "mvcalc run draw_curve --optimizer ": "steepest sgd momentum adam lbfgs",
    "mvcalc run draw_curve --race sgd ada": "adam",
    "mvcalc run draw_curve --seed ": "",
    "mvcalc run draw_curve --live --no": "--noise --no-browser",
    "mvcalc run sandpit_strategies --floors wells r": "random rocks",
    "mvcalc fit --device g": "gpu",
    "mvcalc fit READ": "README.md",
    "mvcalc fit --seed 3 --mo": "--model",
    "mvcalc sandpit --scenario f": "flat-basin",
    "mvcalc check --plot REA": "README.md",
    "mvcalc completion z": "zsh",
}


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_bash_completes(script):
    lines = [f"source {script('bash')}; complete -p mvcalc"]
    for line in COMPLETED:
        words = " ".join(f"'{word}'" for word in line.split(" "))
        lines.append(
            f'COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _shtab_mvcalc; echo "${{COMPREPLY[*]}}"'
        )
    found = subprocess.run(
        ["bash", "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stderr == ""
    bound, *said = found.stdout.splitlines()
    assert bound.endswith(" -F _shtab_mvcalc mvcalc")
    assert dict(zip(COMPLETED, said, strict=True)) == COMPLETED


@pytest.mark.skipif(not shutil.which("zsh"), reason="there is no zsh")
def test_zsh_takes_the_script(script):
    lines = f'autoload -Uz compinit && compinit -D -u; eval "$(<{script("zsh")})"; print $_comps[mvcalc]'
    found = subprocess.run(["zsh", "-f", "-c", lines], capture_output=True, text=True, check=True)
    assert (found.stdout, found.stderr) == ("_shtab_mvcalc\n", "")


@pytest.mark.skipif(not shutil.which("fish"), reason="there is no fish")
def test_fish_completes(script):
    for line in ("mvcalc sand", "mvcalc run dra", "mvcalc fit --device g", "mvcalc fit READ"):
        said = subprocess.run(
            ["fish", "-c", f"source {script('fish')}; complete -C '{line}'"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert [row.split("\t")[0] for row in said.stdout.splitlines()] == COMPLETED[line].split()


def document(run, *args):
    """Exit code, and what was printed as JSON, by a command in this process."""
    found = here(lambda: command.guarded(run, prog="x"), *args)
    return found.returncode, json.loads(found.stdout, parse_constant=pytest.fail)


def test_documents_are_valid_whatever_is_in_them(capsys):
    odd = {
        "a": np.array([1.0, np.nan, -np.inf]),
        "b": np.float32(2.5),
        "c": ROOT,
        3: {True},
        "d": np.int64(7),
    }
    with output.one_document():
        print("not for programs")
        output.answer("not for programs", odd)
    said = capsys.readouterr()
    expected = {"a": [1.0, None, None], "b": 2.5, "c": str(ROOT), "3": [True], "d": 7}
    assert json.loads(said.out, parse_constant=pytest.fail) == expected
    assert said.err == "not for programs\n"
    output.answer("for people", odd)
    assert capsys.readouterr().out == "for people\n"


def test_cells_are_numbers_where_they_are():
    rows = [("", "a"), ("−1.5", "2\u202f000"), ("0.5 ± 0.1", "1 ± none"), ("nan", "3 in 5")]
    found = output.plain(output.table(rows))
    assert found == {
        "columns": ["", "a"],
        "rows": [[-1.5, 2000], [{"value": 0.5, "error": 0.1}, "1 ± none"], [None, "3 in 5"]],
    }


@pytest.mark.slow
def test_an_experiment_answers_with_its_report(tmp_path):
    code, found = document(cli.chosen, "run", "lagrange", "--problem", "cusp", "-o", tmp_path, "--json")
    assert code == command.DONE
    (run,) = (tmp_path / "lagrange").iterdir()
    assert (found["experiment"], found["run"]) == ("lagrange", str(run))
    assert found["settings"]["problem"] == "cusp"
    assert found["files"] == sorted(path.name for path in run.iterdir())
    assert {picture["file"] for picture in found["pictures"]} <= set(found["files"])
    assert found["title"] in (run / "report.md").read_text()
    assert all(sentence in (run / "report.md").read_text() for sentence in found["sentences"])
    assert [" --problem " in ahead["command"] for ahead in found["next"]] == [True] * 3


@pytest.mark.slow
def test_a_contest_and_the_doctor_answer_with_documents(monkeypatch):
    code, found = document(cli.chosen, "sandpit", "--auto", "--floor", "wells", "--seeds", "2", "--json")
    assert code == command.DONE
    assert set(found["strategies"]) == set(mv.sandpit.STRATEGIES)
    assert 0 <= found["strategies"]["gradient"]["wells"]["found"] <= 1
    monkeypatch.setattr(doctor, "examine", lambda: ([("gpu", "none", None), ("python", "2.7", False)], False))
    code, found = document(cli.chosen, "doctor", "--json")
    assert code == command.FAILED
    assert found == {
        "well": False,
        "findings": [
            {"what": "gpu", "found": "none", "well": None},
            {"what": "python", "found": "2.7", "well": False},
        ],
    }


def test_a_fit_answers_with_its_summary(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = np.linspace(-3, 3, 25)
    np.save("curves.npy", np.stack([np.exp(-(x**2)), np.full(25, np.nan)]))
    code, found = document(cli.chosen, "fit", "curves.npy", "--no-pictures", "--json")
    assert code == command.DONE
    assert (found["fits"], found["points"], found["converged"], found["picture"]) == (2, 25, 1, None)
    assert found["parameters"] == ["amplitude", "mean", "stddev"] and sum(found["statuses"].values()) == 2
    refused = here(lambda: command.guarded(cli.chosen, prog="mvcalc"), "fit", "curves.npy", "--json")
    assert (refused.returncode, refused.stdout) == (command.MISUSED, "")
    assert "exists" in refused.stderr and len(refused.stderr.splitlines()) == 1


def test_lists_are_documents_too():
    assert document(cli.chosen, "run", "--json") == (0, gallery.questions())
    told = lambda args: command.asked(benchmarks.main, benchmarks.Config, args, prog="x")
    code, found = document(told, "--list", "--json")
    assert (
        code == 0
        and {"group": "fitting", "suite": "nist"}.items()
        <= next(one for one in found if one["suite"] == "nist").items()
    )


@pytest.mark.parametrize("stream", ["out", "in", "err"])
def test_a_stream_that_is_closed_is_no_error(stream):
    closed = {"out": ">&-", "in": "<&-", "err": "2>&-"}[stream]
    shell = f"{sys.executable} -m experiments {closed}"
    found = subprocess.run(["bash", "-c", shell], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
