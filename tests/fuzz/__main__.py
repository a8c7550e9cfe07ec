"""The command line: whose turn it is, what was found, and the summary. `tests.fuzz` says how it is used."""

import importlib
import os
import signal
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from mvcalc_jax import command, text
from tests.fuzz import commands, public
from tests.fuzz.calls import Case
from tests.fuzz.judge import Finding
from tests.fuzz.recipe import RECIPES
from tests.fuzz.worker import Worker

PROG = "python -m tests.fuzz"
OURS = ("tests.fuzz.recipes", "tests.fuzz.options")
_SHARE, _LONG = 4.0, 4.0
"""A command's share of the time, where a function's is 1; and the seconds that its first case is taken to need."""


@dataclass(frozen=True)
class Config:
    """Throw random values, functions, files and interrupts at everything public. Exit code 0 if nothing was found."""

    minutes: float = 10.0
    """How long."""
    seed: int = 0
    """Of all random choices: another seed, other cases."""
    only: tuple[str, ...] = ()
    """Names, of functions and commands, or beginnings of them with a * at the end; all unless given."""
    case: int | None = None
    """Try this one alone, and tell all about it."""
    recipes: tuple[str, ...] = OURS
    """Modules that say what is called, and how."""


@dataclass
class Tally:
    """What was tried of a name, and for how long."""

    seconds: float = 0.0
    ended: Counter[str] = field(default_factory=Counter)


class Fuzz:
    """One run: the names, whose turn it is, and what was found."""

    def __init__(self, config: Config):
        for module in config.recipes:
            importlib.import_module(module)
        known = [*RECIPES, *commands.COMMANDS]
        wanted = [n for n in known if not config.only or any(_means(o, n) for o in config.only)]
        if not wanted:
            raise SystemExit(f"nothing is called {', '.join(config.only)}; known: {', '.join(known)}")
        self.config, self.worker = config, Worker(config.recipes)
        self.tallies = {name: Tally() for name in wanted}
        self.found: dict[tuple[str, str], list[str]] = defaultdict(list)

    def run(self) -> None:
        """Try cases until the time is over."""
        if self.config.recipes == OURS and not self.config.only:
            for name in public.missing(RECIPES):
                self.note(name, 0, Finding("recipe", f"{name} is public, and has no recipe", ""), "")
        end = time.monotonic() + 60 * self.config.minutes
        while time.monotonic() < end:
            name = min(self.tallies, key=self.turn)
            self.try_one(name, sum(self.tallies[name].ended.values()))

    def turn(self, name: str) -> float:
        """How much time a name will have had with another case, in units of its share."""
        tally, command = self.tallies[name], name in commands.COMMANDS
        cases = sum(tally.ended.values())
        another = tally.seconds / cases if cases else _LONG * command
        return (tally.seconds + another) / (_SHARE if command else 1)

    def try_one(self, name: str, number: int) -> Case:
        """Try a case, and note what was found."""
        began, seed = time.monotonic(), self.config.seed
        if name in commands.COMMANDS:
            case = commands.tried(name, seed, number)
        else:
            case = self.worker.tried(name, seed, number, RECIPES[name].seconds)
        tally = self.tallies[name]
        tally.seconds += time.monotonic() - began
        tally.ended[case.ended] += 1
        for finding in case.findings:
            self.note(name, number, finding, case.call)
        return case

    def note(self, name: str, number: int, finding: Finding, call: str) -> None:
        """Keep a finding, and print it if it is the first of its cause."""
        again = f'python -m tests.fuzz --only "{name}" --seed {self.config.seed} --case {number}'
        cases = self.found[finding.kind, finding.cause.split(": ")[0]]
        if not cases:
            print(
                f"\n{finding.kind}: {finding.cause}\n  {call}\n  {again}\n{_indented(finding.detail)}",
                flush=True,
            )
        cases.append(again)

    def summary(self) -> str:
        """What was tried, and what was found, by cause."""
        minutes = sum(t.seconds for t in self.tallies.values()) / 60
        ended = sum((t.ended for t in self.tallies.values()), Counter())
        cases = sum(ended.values())
        how = ", ".join(f"{text.count(many)} {what}" for what, many in ended.most_common())
        lines = [f"\n{text.count(cases)} cases of {len(self.tallies)} names in {minutes:.1f} minutes ({how})"]
        lines.append(f"{cases / max(minutes, 1e-9):.0f} cases a minute; seed {self.config.seed}")
        few = sorted((sum(t.ended.values()), n) for n, t in self.tallies.items())[:5]
        lines.append("fewest: " + ", ".join(f"{many} of {name}" for many, name in few))
        for (kind, cause), again in sorted(self.found.items(), key=lambda item: (item[0][0], -len(item[1]))):
            lines.append(f"{kind} × {len(again)}: {cause}\n    {again[0]}")
        lines.append(f"{text.counted(len(self.found), 'cause')} of findings")
        return "\n".join(lines)


def _means(given: str, name: str) -> bool:
    return name.startswith(given[:-1]) if given.endswith("*") else name == given


def _indented(words: str) -> str:
    return "\n".join("    | " + line for line in words.splitlines()[-30:])


def main(config: Config) -> int:
    """Fuzz, and return the exit code."""
    fuzz = Fuzz(config)
    try:
        if config.case is not None:
            for name in fuzz.tallies:
                case = fuzz.try_one(name, config.case)
                print(f"{name}: {case.ended}\n  {case.call}")
        else:
            fuzz.run()
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
    finally:
        fuzz.worker.close()
    print(fuzz.summary())
    return 1 if fuzz.found else 0


if __name__ == "__main__":
    os.nice(5)
    for ending in (signal.SIGINT, signal.SIGTERM):  # whichever it is, the summary is still given
        signal.signal(ending, signal.default_int_handler)
    asked = lambda args: command.asked(main, Config, args, prog=PROG, documents=False)
    command.leave(command.guarded(asked, prog=PROG))
