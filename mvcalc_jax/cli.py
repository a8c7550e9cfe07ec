"""The command `mvcalc`: thin subcommands, each of which asks the package for what it does."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from mvcalc_jax import __version__, command


@dataclass(frozen=True)
class Check:
    """What `mvcalc check` is told."""

    names: Annotated[
        tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="NAME ...", help_behavior_hint="")
    ] = ()
    """A function, then its derivative, each as FILE.py:NAME or package.module:NAME; after the first, NAME alone is in
    the same file.
        layer.py:f jac        a Jacobian, like jax.jacobian(f)
        layer.py:f hess       a Hessian, with --hessian
        layer.py:f fwd bwd    the two functions that defvjp takes
        layer.py:f custom     a jax.custom_vjp or custom_jvp
        layer.py:links        a list of mvcalc_jax.verify.Link
        layer.py:links total  and the Jacobian of all of them
    (To try it, write this layer.py:
        import jax.numpy as jnp
        def f(x): return jnp.tanh(x)
        def jac(x): return jnp.diag(1 - jnp.tanh(x) ** 2)
        example_args = (jnp.array([0.3, -1.2]),)
    and say: mvcalc check layer.py:f jac)"""
    args: Annotated[str | None, tyro.conf.arg(metavar="EXPR", help_behavior_hint="")] = None
    """Where to check. A Python expression that gives f's arguments, with whatever FILE.py defines, np, jnp, jax and
    rng = np.random.default_rng(SEED), such as
        --args 'rng.standard_normal(2), np.eye(2)'
    or a .npz or .npy file of them, in order. One that begins with a minus is written --args=EXPR. Unless given, they
    are f.example_args or the file's example_args: a tuple, or a function of nothing, or of rng, that returns one."""
    argnums: Annotated[str | None, tyro.conf.arg(metavar="INT", help_behavior_hint="(default: 0)")] = None
    """Which argument a Jacobian or a Hessian is by, counted from 0; several, as a tuple in JAX, are written 0,2."""
    hessian: Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help_behavior_hint="")] = False
    """The second function is a Hessian."""
    seed: int = 0
    """Of rng, and of the random points near the arguments at which the check is repeated."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help_behavior_hint="")] = False
    """Print the report as JSON, and nothing else on stdout."""
    plot: Annotated[Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="")] = None
    """Draw it, too, into a .png, .svg or .pdf."""


def check(options: Annotated[Check, tyro.conf.arg(name="")]) -> int:
    """Look whether a derivative written by hand is right. Exit code 0 if it is correct; 1 if it is wrong, or nobody can
    tell (inconclusive); 2 if what was given cannot be checked; 3 after an error inside (--debug shows where); 130
    after Ctrl-C."""
    from mvcalc_jax.check import examine, require_drawable  # here, so that --help need not wait for JAX

    if options.plot:
        require_drawable(options.plot)
    report = examine(options.names, options.args, options.argnums, options.hessian, options.seed)
    print(json.dumps(report.to_dict(), indent=2) if options.json else report)
    if options.plot:
        print(report.plot(options.plot), file=sys.stderr if options.json else sys.stdout)
    return command.DONE if report.verdict == "correct" else command.FAILED


def doctor() -> int:
    """Look whether everything is there that a run needs; exit code 1 if not."""
    from mvcalc_jax.doctor import examine  # here and not above, so that --help need not wait for JAX

    findings, well = examine()
    print(findings)
    print("all is well" if well else "not all is well: see FAIL above")
    if well:
        print(
            "next:", "python -m experiments.draw_curve" if command.EXPERIMENTS.is_dir() else "mvcalc sandpit"
        )
    return command.DONE if well else command.FAILED


@dataclass(frozen=True)
class Fit:
    """What `mvcalc fit` is told."""

    data: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DATA", help_behavior_hint="")]
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
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="OUT", help_behavior_hint="")] = None
    """Where to write a row for each fit: parameters, their standard errors, chi2, dof, status (above 0: converged)
    and nit; .npy, .csv or .parquet. Unless given, beside DATA: curves_fits.npy. While it works, OUT.part and
    OUT.journal are there; the same command goes on from them, whatever stopped it."""
    model: Literal["amplitude", "gaussian", "area", "offset", "2d", "2d-oval"] = "amplitude"
    """A peak by its height (amplitude, or gaussian), by its area, or on a constant; in a plane, round or oval."""
    x: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")] = None
    """Where the points lie, for all curves or for each, in a file like DATA. Unless given: DATA's first column or its
    own x, else 0, 1, 2, …; of images, the pixels."""
    sigma: Annotated[str | None, tyro.conf.arg(metavar="NUMBER|FILE", help_behavior_hint="")] = None
    """Standard deviations of y: one number, or a file of them for all curves or for each."""
    absolute_sigma: Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help_behavior_hint="")] = (
        False
    )
    """Sigma is in the units of y; else only ratios count, and standard errors follow from the misfit."""
    rows: Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help_behavior_hint="")] = False
    """A line of a .csv is a curve."""
    omit: Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help_behavior_hint="")] = False
    """Leave out points that are NaN, infinite or, in a .csv, empty; else a curve that has one is not fitted."""
    precision: Annotated[
        Literal["float32", "float64"] | None,
        tyro.conf.arg(metavar="{float32,float64}", help_behavior_hint=""),
    ] = None
    """Unless given, as DATA is."""
    xtol: Annotated[float | None, tyro.conf.arg(metavar="FLOAT", help_behavior_hint="")] = None
    """How near the minimum, relative to the residuals; unless given, as near as rounding allows."""
    max_steps: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")] = None
    """Iterations of one fit; 100 unless given."""
    device: str = "auto"
    """auto, cpu or gpu; all there are of the kind."""
    force: Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help_behavior_hint="")] = False
    """Replace an OUT that exists, and begin anew where a part was begun with other settings or data."""
    pictures: bool = True
    """Draw the best, the median and the worst fit and how the parameters are spread, beside OUT: curves_fits.png."""
    coordinator: Annotated[str | None, tyro.conf.arg(metavar="HOST:PORT", help_behavior_hint="")] = None
    """Share the work among several processes: where process 0 can be reached. All must see the same folder."""
    processes: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")] = None
    """How many they are."""
    process_id: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")] = None
    """Which this is, from 0."""
    launched: Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help_behavior_hint="")] = False
    """A launcher that JAX knows (srun, mpirun, Kubernetes, …) has started all of them; no need for the three above."""


def fit(options: Annotated[Fit, tyro.conf.arg(name="")]) -> int:
    """Fit a Gaussian to every curve or image of a file, on all devices. Exit code 0 if any fit converged; 1 if none
    did; 2 if what was given cannot be fitted; 3 after an error inside (--debug shows where); 130 after Ctrl-C."""
    from mvcalc_jax.fit import fit_and_report  # here, so that --help need not wait for JAX

    return command.DONE if fit_and_report(**vars(options)) else command.FAILED


@dataclass(frozen=True)
class Sandpit:
    """What `mvcalc sandpit` is told."""

    floor: Annotated[str | None, tyro.conf.arg(metavar="NAME|FILE.py:f", help_behavior_hint="")] = None
    """What lies below: wells (unless given), random, eggbox, rocks, narrow, valley, plateau, saddle, cliff; or a
    function f(x, y) of your own, written in JAX, that is finite on [0, 6] x [0, 6]."""
    mode: Literal["gradient", "depth", "automatic", "race"] = "gradient"
    """A dip tells depth and slope; the depth alone; five steps of a strategy follow it; several strategies race."""
    seed: int = 0
    """Of the floor: another seed, another pit."""
    strategy: Annotated[str, tyro.conf.arg(metavar="NAME|FILE.py:f")] = "gradient"
    """In automatic mode, and one more in a race: constant, gradient, newton, hybrid, momentum, adam, line-search,
    trust-region; or a function of your own, (state, position, depth, gradient, hessian) -> (state, step)."""
    learning_rate: Annotated[float | None, tyro.conf.arg(metavar="FLOAT", help_behavior_hint="")] = None
    """Of all strategies; unless given, each has its own."""
    scenario: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")] = None
    """Begin with a set piece: which-start, flat-basin, split, overshoot, many-minima, rocks, narrow-well, hilltop,
    valley."""
    code: Annotated[str | None, tyro.conf.arg(metavar="CODE", help_behavior_hint="")] = None
    """Begin with the pit of somebody's code, such as random-7-gradient."""
    resume: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")] = None
    """Go on with a game that was kept, a .json."""
    port: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")] = None
    """Play on a page at this port even where there is a window; 8988 unless given, and the next if that is busy."""
    address: Annotated[str, tyro.conf.arg(metavar="HOST")] = "127.0.0.1"
    """Of this machine, for the page: 0.0.0.0 lets everybody in who reaches it."""
    browser: bool = True
    """Open the page in a browser; otherwise only its address is printed."""
    auto: Annotated[bool, tyro.conf.FlagCreatePairsOff, tyro.conf.arg(help_behavior_hint="")] = False
    """Nobody plays: every strategy digs on every floor, or on the one that is given, and a table says how it fared."""
    seeds: int = 1000
    """How many of each floor, with --auto."""
    out: Path = Path("runs")
    """Where games are kept."""


def sandpit(options: Annotated[Sandpit, tyro.conf.arg(name="")]) -> int:
    """Find a phone at the lowest point of a hidden floor, by digging: in a window, or else in a browser. Every dip is
    also printed. Exit code 0; 2 if what was given cannot be played; 3 after an error inside; 130 after Ctrl-C, when
    what was played is kept."""
    from mvcalc_jax import dig  # here, so that --help need not wait for JAX

    (dig.contest if options.auto else dig.play)(options)
    if options.auto and command.EXPERIMENTS.is_dir():
        print("\nnext: python -m experiments.sandpit_strategies draws who leads where")
    return command.DONE


SUBCOMMANDS = {"check": check, "doctor": doctor, "fit": fit, "sandpit": sandpit}

DESCRIPTION = """Write a function and its derivative by hand; this proves the derivative, runs it, and shows
what happened."""
if command.EXPERIMENTS.is_dir():
    DESCRIPTION += " Experiments are run by name: python -m experiments lists them."


def main() -> None:
    """The entry point of `mvcalc`."""

    def chosen(args: list[str]) -> int:
        if args == ["--version"]:
            print(__version__)
            return command.DONE
        return tyro.extras.subcommand_cli_from_dict(
            SUBCOMMANDS, prog="mvcalc", description=DESCRIPTION, args=args or ["--help"]
        )

    command.leave(command.guarded(chosen, prog="mvcalc"))
