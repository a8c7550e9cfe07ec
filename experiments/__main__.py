"""List the experiments, run one by its name, or run them all: `python -m experiments`, or `mvcalc run`."""

import importlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from experiments import gallery
from mvcalc_jax import command, options, text
from mvcalc_jax.arguments import Only
from mvcalc_jax.output import answer

PROG = "mvcalc run" if sys.argv[0] == "mvcalc run" else "python -m experiments"


@dataclass(frozen=True)
class Listed:
    """Run experiments, each of which asks a question, and answers with pictures, tables and a report.
        NAME [options]   one of them; NAME --help shows its options
        --all            all of them, and a page of every picture, gallery.html
    With neither, they are listed."""

    all: bool = False
    """Run all with their defaults, each in a process of its own. The answer is no, exit code 1, where one fails."""
    out: Annotated[options.Out, Only("all")] = Path("runs")


def main(args: list[str]) -> int:
    """Run what the first word asks for."""
    if not args or args[0].startswith("-"):
        return command.asked(listed, Listed, args, prog=PROG)
    known, name = gallery.questions(), args[0].replace("-", "_")
    if name not in known:
        raise ValueError(text.unknown("experiment", args[0], known))
    sys.argv[0] = f"{PROG} {name}"  # for what it says of how to go on
    script = importlib.import_module(f"experiments.{name}")
    earlier = getattr(script, "earlier", lambda config: None)
    return command.asked(script.main, script.Config, args[1:], prog=script.PROG, earlier=earlier)


def listed(config: Listed) -> int:
    """List the experiments, or run all of them."""
    known = gallery.questions()
    if config.all:
        return run_all(config.out, list(known))
    ways = f"run one: {PROG} {next(iter(known))}; all, with a page of every picture: {PROG} --all"
    answer(f"{text.columns(list(known.items()))}\n\n{ways}", known)
    return command.DONE


def run_all(out: Path, names: list[str]) -> int:
    """Run experiments one after the other, each in a process of its own, so that none can harm another."""
    out.mkdir(parents=True, exist_ok=True)
    failed, runs, documents = [], {}, {}
    try:
        for name in names:
            began, before = time.perf_counter(), gallery.newest(out / name)
            print(f"{name:<20}", end="", file=sys.stderr, flush=True)
            process = [sys.executable, "-m", f"experiments.{name}", "--out", str(out), "--json"]
            done = subprocess.run(process, capture_output=True, text=True, check=False)
            seconds, said = time.perf_counter() - began, text.first_line(done.stderr.strip(), "")
            print(f"{seconds:5.1f} s{f'  {said}' if done.returncode else ''}", file=sys.stderr)
            run = gallery.newest(out / name)
            if done.returncode == command.INTERRUPTED:
                raise KeyboardInterrupt
            if done.returncode:
                failed.append(name)
            if run is not None and run != before:
                runs[name] = run
            documents[name] = found(done, seconds)
    finally:
        if runs:
            page = gallery.build(out, runs)
            words = [f"wrote {page}: {text.counted(len(runs), 'experiment')}"]
            if failed:
                words.append(f"failed: {', '.join(failed)}; run one alone to see why: {PROG} {failed[0]}")
            answer("\n".join(words), {"gallery": page, "failed": failed, "experiments": documents})
    return command.FAILED if failed else command.DONE


def found(done: subprocess.CompletedProcess[str], seconds: float) -> dict[str, Any]:
    """What an experiment has answered, how it ended, and how long it took."""
    document = json.loads(done.stdout) if done.stdout else {"error": done.stderr.strip()}
    return {"exit_code": done.returncode, "seconds": round(seconds, 3), **document}


if __name__ == "__main__":
    command.leave(command.guarded(main, prog=PROG))
