"""List the experiments, run one by its name, or run them all.

python -m experiments                     a line for each
python -m experiments NAME [options]      run one; `NAME --help` lists its options
python -m experiments --all [--out DIR]   run all, and make a page of every picture, DIR/gallery.html
"""

import runpy
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import tyro

from experiments import gallery
from mvcalc_jax import command, text
from mvcalc_jax.require import one_of

PROG = "python -m experiments"


@dataclass(frozen=True)
class All:
    """Run every experiment with its defaults, and make a page of every picture. --debug shows where an error comes
    from."""

    out: Path = Path("runs")
    """Where run directories and gallery.html are made."""


def main(args: list[str]) -> int:
    known = gallery.questions()
    if not args:
        print(text.columns(list(known.items())))
        print(f"\nrun one: {PROG} {next(iter(known))}; all, with a page of every picture: {PROG} --all")
        return command.DONE
    if args[0] in ("-h", "--help"):
        print(__doc__)
        return command.DONE
    if args[0] == "--all":
        return run_all(tyro.cli(All, prog=f"{PROG} --all", args=args[1:]), list(known))
    name = args[0].replace("-", "_") if args[0][:1] != "-" else args[0]
    one_of("experiment", name, known)
    sys.argv = [name, *args[1:], *(arg for arg in sys.argv if arg == "--debug")]
    runpy.run_module(f"experiments.{name}", run_name="__main__")  # it ends the process with its own exit code
    return command.DONE


def run_all(config: All, names: list[str]) -> int:
    """Run experiments one after the other, each in a process of its own, so that none can harm another."""
    config.out.mkdir(parents=True, exist_ok=True)
    failed, runs = [], {}
    try:
        for name in names:
            began, before = time.perf_counter(), gallery.newest(config.out / name)
            print(f"{name:<20}", end="", file=sys.stderr, flush=True)
            process = [sys.executable, "-m", f"experiments.{name}", "--out", str(config.out)]
            done = subprocess.run(process, capture_output=True, text=True, check=False)
            said = "" if done.returncode == 0 else f"  {text.first_line(done.stderr.strip())}"
            print(f"{time.perf_counter() - began:5.1f} s{said}", file=sys.stderr)
            run = gallery.newest(config.out / name)
            if done.returncode == command.INTERRUPTED:
                raise KeyboardInterrupt
            if done.returncode:
                failed.append(name)
            if run is not None and run != before:
                runs[name] = run
    finally:
        if runs:
            print(f"wrote {gallery.build(config.out, runs)}: {text.counted(len(runs), 'experiment')}")
    if failed:
        print(f"failed: {', '.join(failed)}; run one alone to see why: {PROG}.{failed[0]}")
    return command.FAILED if failed else command.DONE


if __name__ == "__main__":
    command.leave(command.guarded(main, prog=PROG))
