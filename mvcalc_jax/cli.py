"""The command `mvcalc`: thin subcommands, each of which asks the package for what it does."""

# ruff: noqa: E402 – what is loaded may be interrupted, from its first line on
from mvcalc_jax import interrupts

interrupts.end_on_interrupt()

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from mvcalc_jax import __version__, command, options, text
from mvcalc_jax.arguments import Arg, Only, wrapped
from mvcalc_jax.output import answer, wanted


@dataclass(frozen=True)
class Check:
    """Look whether a derivative written by hand is right. The answer is no, exit code 1, where it is wrong, or nobody
    can tell (inconclusive)."""

    names: Annotated[tuple[str, ...], Arg(metavar="NAME ...", positional=True)] = ()
    """A function, then its derivative, each as FILE.py:NAME or package.module:NAME; after the first, NAME alone is in
    the same file.
        layer.py:f jac        a Jacobian, like jax.jacobian(f)
        layer.py:f hess       a Hessian, with --hessian
        layer.py:f fwd bwd    the two functions that defvjp takes
        layer.py:f custom     a jax.custom_vjp or custom_jvp
        layer.py:links        a list of mvcalc_jax.verify.Link
        layer.py:links total  and the Jacobian of all of them
    To try it, write this layer.py:
        import jax.numpy as jnp
        def f(x): return jnp.tanh(x)
        def jac(x): return jnp.diag(1 - jnp.tanh(x) ** 2)
        example_args = (jnp.array([0.3, -1.2]),)
    and say: mvcalc check layer.py:f jac"""
    args: Annotated[str | None, Arg(metavar="EXPR")] = None
    """Where to check. A Python expression that gives f's arguments, with whatever FILE.py defines, np, jnp, jax and
    rng = np.random.default_rng(SEED), such as
        --args 'rng.standard_normal(2), np.eye(2)'
    or a .npz or .npy file of them, in order. One that begins with a minus is written --args=EXPR. Unless given, they
    are f.example_args or the file's example_args: a tuple, or a function of nothing, or of rng, that returns one."""
    argnums: Annotated[str | None, Arg(metavar="INT")] = None
    """Which argument a Jacobian or a Hessian is by, counted from 0; several, as a tuple in JAX, are written 0,2.
    The first unless given."""
    hessian: bool = False
    """The second function is a Hessian."""
    seed: options.Seed = 0
    plot: Annotated[Path | None, Arg(metavar="FILE")] = None
    """Draw it, too, into a .png, .svg or .pdf."""


def check(asked: Check) -> int:
    """Examine a derivative, and answer with the report."""
    from mvcalc_jax.check import examine, require_drawable  # here, so that --help need not wait for JAX

    if asked.plot:
        require_drawable(asked.plot)
    report = examine(asked.names, asked.args, asked.argnums, asked.hessian, asked.seed)
    answer(str(report), report.to_dict())
    if asked.plot:
        print(report.plot(asked.plot))
    return command.DONE if report.verdict == "correct" else command.FAILED


@dataclass(frozen=True)
class Doctor:
    """Look whether everything is there that a run needs. The answer is no, exit code 1, where it is not."""


def doctor(asked: Doctor) -> int:
    """Examine this installation, and answer with what was found."""
    from mvcalc_jax.doctor import examine  # here and not above, so that --help need not wait for JAX

    findings, well = examine()
    marks = {True: "ok", False: "FAIL", None: ""}
    rows = text.columns([(marks[good], what, said) for what, said, good in findings])
    last = "all is well" if well else "not all is well: see FAIL above"
    if well:
        last += f"\nnext: mvcalc {'run draw_curve' if experiments() else 'sandpit'}"
    found = [{"what": what, "found": said, "well": good} for what, said, good in findings]
    answer(f"{rows}\n{last}", {"well": well, "findings": found})
    return command.DONE if well else command.FAILED


@dataclass(frozen=True)
class Fit:
    """Fit a Gaussian to every curve or image of a file, on all devices. The answer is no, exit code 1, where no fit
    converged."""

    data: Annotated[Path, Arg(metavar="DATA", positional=True)]
    """Curves, or images for a model in a plane:
        .npy      (points,), (curves, points), or
                  (images, rows, columns)
        .npz      y, perhaps x, sigma and mask (true where
                  a point counts)
        .csv      columns x, y1, y2, …, a line a point;
                  with --rows a line a curve; one image
        .parquet  columns of lists y, perhaps x, sigma and
                  mask, a row a curve; or as .csv
    Larger than memory is fine, but for a .csv, or a .npz that is compressed: they are read whole. A first line of
    names in a .csv is skipped."""
    out: Annotated[Path | None, Arg(metavar="FILE", short="-o")] = None
    """Where to write a row for each fit: parameters, their standard errors, chi2, dof, status (above 0: converged)
    and nit; .npy, .csv or .parquet. Unless given, beside DATA: curves_fits.npy. While it works, FILE.part and
    FILE.journal are there; the same command goes on from them, whatever stopped it."""
    model: Literal["amplitude", "gaussian", "area", "offset", "2d", "2d-oval"] = "amplitude"
    """A peak by its height (amplitude, or gaussian), by its area, or on a constant; in a plane, round or oval."""
    x: Annotated[Path | None, Arg(metavar="FILE")] = None
    """Where the points lie, for all curves or for each, in a file like DATA. Unless given: DATA's first column or its
    own x, else 0, 1, 2, …; of images, the pixels."""
    sigma: Annotated[str | None, Arg(metavar="NUMBER|FILE")] = None
    """Standard deviations of y: one number, or a file of them for all curves or for each."""
    absolute_sigma: bool = False
    """Sigma is in the units of y; else only ratios count, and standard errors follow from the misfit."""
    rows: bool = False
    """A line of a .csv is a curve."""
    omit: Annotated[bool, options.OMIT] = False
    """Else a curve that has one is not fitted."""
    precision: options.Precision | None = None
    """Unless given, as DATA is."""
    xtol: float | None = None
    """How near the minimum, relative to the residuals; unless given, as near as rounding allows."""
    max_steps: int | None = None
    """Iterations of one fit; 100 unless given."""
    device: options.Device = "auto"
    """All there are of the kind."""
    force: bool = False
    """Replace a FILE that exists, and begin anew where a part was begun with other settings or data."""
    pictures: bool = True
    """Draw nothing; else the best, the median and the worst fit and how the parameters are spread are drawn beside
    FILE: curves_fits.png."""
    coordinator: Annotated[str | None, Arg(metavar="HOST:PORT"), Only("launched", False)] = None
    """Share the work among several processes: where process 0 can be reached. All must see the same folder."""
    processes: Annotated[int | None, Only("launched", False)] = None
    """How many they are."""
    process_id: Annotated[int | None, Only("launched", False)] = None
    """Which this is, from 0."""
    launched: bool = False
    """A launcher that JAX knows (srun, mpirun, Kubernetes, …) has started all of them; no need for the three above."""


def fit(asked: Fit) -> int:
    """Fit a file, and answer with a summary."""
    from mvcalc_jax.fit import fit_and_report  # here, so that --help need not wait for JAX

    return command.DONE if fit_and_report(**vars(asked)) else command.FAILED


_PLAYED = Only("auto", False)
_PIECES = Only("resume", None), Only("code", None), Only("scenario", None)


@dataclass(frozen=True)
class Sandpit:
    """Find a phone at the lowest point of a hidden floor, by digging: in a window, or else in a browser. Every dip is
    also printed, and what was played is kept."""

    floor: Annotated[str | None, options.FLOOR, *_PIECES] = None
    """Wells unless given."""
    mode: Annotated[Literal["gradient", "depth", "automatic", "race"], *_PIECES, _PLAYED] = "gradient"
    """A dip tells depth and slope; the depth alone; five steps of a strategy follow it; several strategies race."""
    seed: Annotated[options.Seed, *_PIECES, _PLAYED] = 0
    strategy: Annotated[str, options.STRATEGY, *_PIECES] = "gradient"
    """In automatic mode, and one more in a race or with --auto."""
    learning_rate: Annotated[float | None, options.RATE, *_PIECES] = None
    """Of all strategies; unless given, each has its own."""
    scenario: Annotated[
        Literal[
            "which-start",
            "flat-basin",
            "split",
            "overshoot",
            "many-minima",
            "rocks",
            "narrow-well",
            "hilltop",
            "valley",
        ]
        | None,
        _PLAYED,
    ] = None
    """Begin with a set piece."""
    code: Annotated[str | None, Arg(metavar="CODE"), _PLAYED] = None
    """Begin with the pit of somebody's code, such as random-7-gradient."""
    resume: Annotated[Path | None, Arg(metavar="FILE"), _PLAYED] = None
    """Go on with a game that was kept, a .json."""
    port: Annotated[options.Port, _PLAYED] = None
    address: Annotated[str, Arg(metavar="HOST"), _PLAYED] = "127.0.0.1"
    """Of this machine, for the page: 0.0.0.0 lets everybody in who reaches it."""
    browser: Annotated[options.Browser, _PLAYED] = True
    auto: bool = False
    """Nobody plays: every strategy digs on every floor, or on the one that is given, and a table says how it fared."""
    seeds: Annotated[int, Only("auto")] = 1000
    """How many of each floor."""
    out: Annotated[options.Out, _PLAYED] = Path("runs")


def sandpit(asked: Sandpit) -> int:
    """Play, or let strategies play and answer with a table."""
    from mvcalc_jax import dig  # here, so that --help need not wait for JAX

    if not asked.auto:
        if wanted():
            raise ValueError("--json is only for --auto: who plays reads every dip")
        dig.play(asked)
    else:
        dig.contest(asked)
        if experiments() and not wanted():
            print("\nnext: mvcalc run sandpit_strategies draws who leads where")
    return command.DONE


@dataclass(frozen=True)
class Completion:
    """Print what a shell needs to complete commands, options and names: for bash in ~/.bashrc
        eval "$(mvcalc completion bash)"
    for zsh in ~/.zshrc, below compinit
        eval "$(mvcalc completion zsh)"
    for fish in ~/.config/fish/config.fish
        mvcalc completion fish | source
    and for tcsh in ~/.tcshrc
        mvcalc completion tcsh > ~/.mvcalc.tcsh; source ~/.mvcalc.tcsh"""

    shell: Annotated[Literal["bash", "fish", "tcsh", "zsh"], Arg(metavar="SHELL", positional=True)]
    """Of yours."""


def completion(asked: Completion) -> int:
    """Print a script."""
    from mvcalc_jax.completion import script  # here, so that nothing else waits for shtab

    known = {name: settings for name, (settings, _) in COMMANDS.items()}
    print(script(asked.shell, known, experiments(), (command.JSON, *command.COMMON)))
    return command.DONE


COMMANDS: dict[str, tuple[type, Callable[[Any], int]]] = {
    "check": (Check, check),
    "fit": (Fit, fit),
    "sandpit": (Sandpit, sandpit),
    "doctor": (Doctor, doctor),
    "completion": (Completion, completion),
}

SCREEN = """usage: mvcalc COMMAND [options]

Write a function and its derivative by hand; mvcalc proves the derivative, runs it, and shows what
happened.

  check       is a derivative right, and if not, why?       mvcalc check layer.py:f jac
  fit         Gaussians by the million, from a file         mvcalc fit curves.npy -o fits.npy
  sandpit     a game: find the phone by gradients           mvcalc sandpit
  run         an experiment, by name; alone it lists them   mvcalc run draw_curve --curve star
  doctor      is everything there that is needed?           mvcalc doctor
  completion  for bash, fish, tcsh or zsh                   eval "$(mvcalc completion bash)"

mvcalc COMMAND --help shows the options of each. All take --debug, and all that answer take --json;
--version says which mvcalc this is."""


def experiments() -> dict[str, str]:
    """The experiments, each with its question; none where they are not, for they are no part of what is installed."""
    if not (command.EXPERIMENTS / "gallery.py").is_file():
        return {}
    from experiments import gallery

    return gallery.questions()


def run(args: list[str]) -> int:
    """List or run experiments, as `python -m experiments` does."""
    if not experiments():
        raise ValueError(
            "there are no experiments here: they are in the folder experiments/ of the repository; clone it, and say "
            "there: python -m pip install -e ."
        )
    sys.argv = ["mvcalc run", *sys.argv[2:]]
    from experiments import __main__ as front

    return front.main(args)


def chosen(args: list[str]) -> int:
    """Run what the first word asks for."""
    name, *rest = args or ["--help"]
    if name in ("-h", "--help"):
        print(f"{SCREEN}\n\n{wrapped(command.EXIT_CODES)}")
        return command.DONE
    if name == "--version":
        print(__version__)
        return command.DONE
    if name == "run":
        return run(rest)
    if name not in COMMANDS:
        raise ValueError(text.unknown("command", name, ["run", *COMMANDS]))
    settings, does = COMMANDS[name]
    documents = name != "completion"
    return command.asked(does, settings, rest, prog=f"mvcalc {name}", documents=documents)


def main() -> None:
    """The entry point of `mvcalc`."""
    command.leave(command.guarded(chosen, prog="mvcalc"))
