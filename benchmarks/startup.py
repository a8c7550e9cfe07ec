"""How long until the README's command shows its first picture, and what is it doing until then?

    python -m benchmarks.startup

`python -m experiments.draw_curve` in fresh processes, with a diary of its files and of what XLA compiles (see
`benchmarks.milestones`): seconds since the process was asked for, and seconds of all processors that it has used until
then. Where others compute, too, the first are longer than it deserves, and the second are what one processor to itself
would need at most. Then the compilation of its training loop – tracing, lowering and XLA – by numbers of steps, by
widths and by depths; and `mvcalc --help`.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import jax

import mvcalc_jax as mv
from benchmarks import results
from benchmarks.harness import spoken
from benchmarks.milestones import COMPILED
from benchmarks.results import Bar, Findings, Table, of_time
from experiments import draw_curve, drawing
from mvcalc_jax.text import Rows, count

QUESTION = (__doc__ or "").partition("\n")[0]
ROOT = Path(__file__).parent.parent
IMAGE, COMPILATION, FLAT = 3.0, 0.5, 1.5
"""Bars: seconds to the first picture, seconds to compile the loop, and how much longer that may take for more steps."""

LOOP = "advance)"
"""The end of JAX's name for the program of the training loop."""

STAGES: Mapping[str, Callable[["Event"], bool]] = {
    "Python runs": lambda event: event[2:] == ("import", "python"),
    "arguments read, JAX asked for": lambda event: event[2:] == ("import", "jax"),
    "all loaded, and settings checked": lambda event: event.name == "config.json",
    "the loop compiled, the first step taken": lambda event: event.name.endswith(LOOP),
    "all steps taken": lambda event: event.name == "params.npz",
    "the first picture": lambda event: event.name == "drawing.png",
    "the animation": lambda event: event.name == "drawing.gif",
    "the last program of the proof compiled": lambda event: event[2:] == ("compiled", "jit(evaluated)"),
    "the proof, the race and the report": lambda event: event.name == "report.md",
    "the prompt again": lambda event: event[2:] == ("end", "end"),
}
"""The milestones of a run, each by the event that ends it."""
LAST = "the last program of the proof compiled"
"""A milestone that is the last of its events, and not the first."""
PICTURE = "the first picture"


@dataclass(frozen=True)
class Config:
    """Time the start of the main command, and the compilation of its loop."""

    rounds: int = 9
    """Fresh processes; and a third as often, each loop compiled anew."""
    quick: bool = False
    """One short run, and three small loops."""


class Event(NamedTuple):
    """A line of a diary: when, after how many seconds of processors, and what."""

    seconds: float
    processors: float
    kind: str
    name: str


class Moment(NamedTuple):
    """When something was done: by the clock, and by what the processors did for it."""

    seconds: float
    processors: float


def findings(config: Config) -> Findings:
    rounds = mv.require.whole("rounds", config.rounds, least=1)
    steps = ("--steps", "200", "--samples", "20") if config.quick else ()
    runs = []
    for k in range(1 if config.quick else rounds):
        results.progress(f"run {k + 1}")
        runs.append(diary(*steps))
    reached = [milestones(events) for events in runs]
    programs = max(sum(event.kind == "compiled" for event in events) for events in runs)
    helps = [told_help() for _ in range(1 if config.quick else rounds)]
    loops = compilations(1 if config.quick else max(rounds // 3, 1), SMALL if config.quick else LOOPS)
    there = typical([moments[PICTURE] for moments in reached])
    end = typical([moments["the prompt again"] for moments in reached])
    usual = typical(loops[STANDARD])
    by_steps = [min(m.processors for m in taken) for loop, taken in loops.items() if loop.varied == "steps"]
    growth = max(by_steps) / min(by_steps)
    return Findings(
        [
            Table("From the command to the prompt, medians", by_stage(reached)),
            Table("Compiling the training loop, medians", by_loop(loops)),
        ],
        of_time(
            [
                judged("the first picture", there, IMAGE),
                judged(f"compiling the loop of {STANDARD.spoken}", usual, COMPILATION),
                Bar(
                    growth <= FLAT,
                    f"the loop that takes longest to compile for its number of steps takes {growth:.2f} times as long "
                    f"as the quickest; the bar is {FLAT:g}",
                ),
            ],
            config.quick,
        ),
        f"The first picture is there after {both(there)}, the prompt after {both(end)}; XLA compiles {programs} "
        f"programs until then. The training loop takes {both(usual)} to compile. `mvcalc --help` takes "
        f"{both(typical(helps))}.",
        "On a busy machine the clock says more about the others; then compare seconds of processors. The diary itself "
        "costs about a hundredth. Files that the system has not read for long, as after it was started, take longer.",
        {
            "runs": reached,
            "compilations": {loop.spoken: taken for loop, taken in loops.items()},
            "help": helps,
        },
    )


def judged(what: str, moment: Moment, bar: float) -> Bar:
    """A bar for seconds by the clock; undecided where only the other users of the processors may be to blame."""
    kept = moment.seconds <= bar
    busy = not kept and moment.processors <= bar and moment.seconds > moment.processors
    why = "; more than the processors did for it, so others had them meanwhile" if busy else ""
    return Bar(None if busy else kept, f"{what} takes {both(moment)}; the bar is {bar:g} s{why}")


def both(moment: Moment) -> str:
    return f"{spoken(moment.seconds)} ({spoken(moment.processors)} of processors)"


def typical(moments: Sequence[Moment]) -> Moment:
    return Moment(*(median(column) for column in zip(*moments, strict=True)))


def diary(*options: str) -> list[Event]:
    """What the main command did, in a process and a run directory of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "diary"
        module = ["experiments.draw_curve", "--out", folder, *options]
        whole = timed(["-m", "benchmarks.milestones", str(path), str(time.monotonic()), *module])
        lines = [line.split(" ", 3) for line in path.read_text().splitlines()]
    events = [Event(float(seconds), float(of), kind, name) for seconds, of, kind, name in lines]
    return [*events, Event(*whole, "end", "end")]


def told_help() -> Moment:
    """`mvcalc --help`."""
    return timed(["-c", "from mvcalc_jax.cli import main; main()", "--help"])


def timed(arguments: Sequence[str]) -> Moment:
    """Python with such arguments, until it has ended.

    Raises:
        RuntimeError: where it fails; says why.
    """
    before, began = spent(), time.monotonic()
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed: {done.stderr.strip()}")
    return Moment(time.monotonic() - began, spent() - before)


def spent() -> float:
    """Seconds of processors that ended processes of this one have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def milestones(events: Sequence[Event]) -> dict[str, Moment]:
    """When each stage of a run was over."""
    found = {}
    for stage, ends in STAGES.items():
        those = [Moment(*event[:2]) for event in events if ends(event)]
        found[stage] = those[-1 if stage == LAST else 0]
    return found


def by_stage(reached: Sequence[Mapping[str, Moment]]) -> Rows:
    rows: list[tuple[str, ...]] = [("until", "seconds", "fastest – slowest", "of processors", "this alone")]
    before = 0.0
    for stage in STAGES:
        moments = [moments[stage] for moments in reached]
        seconds, processors = typical(moments)
        clock = [moment.seconds for moment in moments]
        rows.append(
            (
                stage,
                f"{seconds:.2f}",
                f"{min(clock):.2f} – {max(clock):.2f}",
                f"{processors:.2f}",
                f"+{seconds - before:.2f}",
            )
        )
        before = seconds
    return rows


class Loop(NamedTuple):
    """A training loop to compile: what is varied, and the settings of draw_curve that differ from its own."""

    varied: str
    steps: int = draw_curve.Config.steps
    hidden: tuple[int, ...] = draw_curve.Config.hidden

    @property
    def spoken(self) -> str:
        return f"{count(self.steps)} steps of 1-{'-'.join(map(str, (*self.hidden, 2)))}"


STANDARD = Loop("steps")
SMALL = (STANDARD, Loop("steps", 100), Loop("width", hidden=(2,)))
LOOPS = (
    *(Loop("steps", steps) for steps in (100, 1000, 10_000)),
    STANDARD,
    *(Loop("steps", steps) for steps in (200_000, 1_000_000)),
    *(Loop("width", hidden=(width, width)) for width in (2, 30, 100, 300)),
    *(Loop("depth", hidden=(6,) * depth) for depth in (1, 4, 8)),
)


def compilations(rounds: int, loops: Sequence[Loop]) -> dict[Loop, list[Moment]]:
    """What each loop takes to compile, in turns."""
    taken: dict[Loop, list[Moment]] = {loop: [] for loop in loops}
    compilation(loops[0])  # the first in a process also pays for what XLA itself does once
    for k in range(rounds):
        results.progress(f"compiling {len(loops)} loops, round {k + 1} of {rounds}")
        for loop in loops:
            taken[loop].append(compilation(loop))
    return taken


def compilation(loop: Loop) -> Moment:
    """What the loop of draw_curve takes to compile, where nothing of it has been compiled before."""
    config = draw_curve.Config(steps=loop.steps, hidden=loop.hidden)
    with mv.devices.computing("cpu"):
        jax.clear_caches()
        task, (runner, *_) = drawing.pose(config), drawing.runners(config).values()
        stream = task.chunks(runner)
        ends: list[Moment] = []

        def listen(event: str, duration_secs: float, **about: Any) -> None:
            if event.endswith(COMPILED) and str(about.get("fun_name")).endswith(LOOP):
                ends.append(Moment(time.perf_counter(), time.process_time()))

        jax.monitoring.register_event_duration_secs_listener(listen)
        try:
            began = Moment(time.perf_counter(), time.process_time())
            next(stream)
        finally:
            jax.monitoring.unregister_event_duration_listener(listen)
        stream.close()
        return Moment(*(b - a for a, b in zip(began, ends[0], strict=True)))


def by_loop(loops: Mapping[Loop, Sequence[Moment]]) -> Rows:
    rows: list[tuple[str, ...]] = [("varied", "loop", "seconds", "fastest – slowest", "of processors")]
    for loop, moments in loops.items():
        clock = [moment.seconds for moment in moments]
        seconds, processors = typical(moments)
        rows.append(
            (
                loop.varied,
                loop.spoken,
                f"{seconds:.2f}",
                f"{min(clock):.2f} – {max(clock):.2f}",
                f"{processors:.2f}",
            )
        )
    return rows


if __name__ == "__main__":
    results.leave(findings, Config)
