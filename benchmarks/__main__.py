"""Run suites one after the other, each in a process of its own, and write down what they find.

    python -m benchmarks                        all, at full size: hours
    python -m benchmarks --quick                all, at small sizes: three minutes
    python -m benchmarks fitting nist --out X   these; what else X holds stays
    python -m benchmarks --device gpu --out X   those that run on a GPU, beside what the processor has done
    python -m benchmarks --take X --publish     what X holds, as the RESULTS.md of the repository

A folder of results has results.json, with everything raw, RESULTS.md and figures/. It is written after each suite, so
that Ctrl-C loses one at most; a suite that cannot run here, or breaks, says so in its section.
"""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import mvcalc_jax as mv
from benchmarks import apart, document, harness, results
from benchmarks.results import Measured, Section, progress
from mvcalc_jax import command, options, text
from mvcalc_jax.arguments import Arg, Only
from mvcalc_jax.atomic import write_text
from mvcalc_jax.output import answer

GROUPS: Mapping[str, Sequence[str]] = {
    "training": (
        "training",
        "products",
        "gradients",
        "breakeven",
        "growth",
        "ensembles",
        "startup",
        "watching",
    ),
    "fitting": ("fitting", "nist", "linear", "streaming", "hostile"),
    "checker": ("checker", "large"),
    "calculus": ("slopes", "rules", "roots", "surfaces", "constrained"),
    "taylor": ("taylor", "enclosures", "ulps"),
    "sandpit": ("sandpit", "clicks"),
}
PACKAGE = "benchmarks"
"""Where they are."""
ROOT = Path(__file__).parent.parent
PUBLISHED = Path(__file__).parent / "measured"
"""Where results.json and the figures of the repository's RESULTS.md are."""


@dataclass(frozen=True)
class Config:
    """Run the benchmarks and write down what they find."""

    suites: Annotated[tuple[str, ...], Arg(metavar="SUITE ...", positional=True), Only("show", False)] = ()
    """By name; none means all, or with --take none."""
    quick: Annotated[bool, Only("show", False)] = False
    """At sizes of a few seconds, which show that all of it runs."""
    device: Annotated[options.Device, Only("show", False)] = "auto"
    """With gpu, only the suites that run there."""
    out: Annotated[
        Path | None, Arg(metavar="DIR", short="-o"), Only("show", False), Only("publish", False)
    ] = None
    """The folder of results; unless given, a new one under runs/benchmarks."""
    take: Annotated[tuple[Path, ...], Arg(metavar="DIR"), Only("show", False)] = ()
    """Folders of other results, to take over what they hold."""
    publish: Annotated[bool, Only("show", False)] = False
    """Write RESULTS.md of the repository, and what belongs to it into benchmarks/measured."""
    show: Annotated[bool, Arg(name="list")] = False
    """List the suites and their questions, and run none."""


def main(config: Config) -> int:
    known = [name for names in GROUPS.values() for name in names]
    for name in config.suites:
        mv.require.one_of("suite", name, known)
    if config.show:
        answer(text.columns(listed()), [dict(zip(_COLUMNS, row, strict=True)) for row in listed()])
        return command.DONE
    mv.devices.choose(config.device)
    folder = Folder(new() if config.out is None else config.out)
    if config.publish:
        folder = Folder(PUBLISHED, ROOT)
    for other in config.take:
        folder.take(other)
    failed = False
    names = config.suites or (() if config.take else known)
    modules, done = [f"{PACKAGE}.{name}" for name in names], 0
    for module, found, seconds in apart.each(modules, config.quick, config.device):
        done += 1
        progress(f"{done}/{len(modules)}  {module}, {harness.spoken(seconds)}")
        if isinstance(found, apart.Why):
            progress(f"      {found}")
            if isinstance(found, apart.OnlyHere):
                continue
            found = Measured(_unmeasured(module, config, found, seconds), {})
        for bar in found.section.bars:
            progress(f"      {results.spoken_bar(bar)}")
        folder.add(found)
        failed |= found.section.failed
    found = {"document": folder.document, "results": folder.saved}
    answer(f"wrote {folder.document}", found)
    return command.FAILED if failed else command.DONE


def _unmeasured(module: str, config: Config, why: apart.Why, seconds: float) -> Section:
    about = results.about(module, "--quick" if config.quick else "")
    setting = harness.described(mv.devices.choose(config.device))
    return Section(
        **about, quick=config.quick, when=results.now(), seconds=seconds, setting=setting, said=why, broken=why.broken
    )  # fmt: skip


def new() -> Path:
    """A folder that is not there yet, named after the time."""
    stem = results.FOLDER / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    names = itertools.chain([stem], (stem.with_name(f"{stem.name}-{k}") for k in itertools.count(2)))
    return next(path for path in names if not path.exists())


class Folder:
    """Sections by suite and kind of device, on the disk; a later one replaces an earlier one."""

    def __init__(self, path: Path, beside: Path | None = None):
        self.path = path
        self.document = (beside or path) / "RESULTS.md"
        self.sections = read(path) if (path / "results.json").exists() else {}

    def take(self, other: Path) -> None:
        """Take over what another folder holds."""
        if not (other / "results.json").exists():
            raise ValueError(f"{other} is no folder of results: it has no results.json")
        for section in read(other).values():
            pictures = {name: (other / "figures" / name).read_bytes() for name in section.figures}
            self.add(Measured(section, pictures))

    def add(self, found: Measured) -> None:
        """Put a section in its place, and write everything."""
        section = found.section
        before = self.sections.get(_key(section))
        self.sections[_key(section)] = section
        results.save_pictures(found, self.path / "figures")
        for name in set(before.figures if before else ()) - set(section.figures):
            (self.path / "figures" / name).unlink(missing_ok=True)
        self.path.mkdir(parents=True, exist_ok=True)
        write_text(self.path / "results.json", json.dumps(self.saved, indent=1, ensure_ascii=False) + "\n")
        way = (self.path / "figures").relative_to(self.document.parent).as_posix()
        write_text(self.document, document.written(self.ordered, GROUPS, way))

    @property
    def ordered(self) -> list[Section]:
        """The sections in the order of `GROUPS`."""
        order = [name for names in GROUPS.values() for name in names]
        return sorted(self.sections.values(), key=lambda of: (of.gpu, order.index(of.suite)))

    @property
    def saved(self) -> dict[str, Any]:
        """What results.json holds."""
        return {"sections": {_key(of): results.as_json(of) for of in self.ordered}}


def read(path: Path) -> dict[str, Section]:
    """The sections of a folder.

    Raises:
        ValueError: where its results.json is damaged, or of another version.
    """
    try:
        saved = json.loads((path / "results.json").read_text(encoding="utf-8"))
        return {key: results.from_json(of) for key, of in saved["sections"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(
            f"{path / 'results.json'} is damaged, or from elsewhere; name another folder"
        ) from None


_COLUMNS = "group", "suite", "question"


def listed() -> list[tuple[str, str, str]]:
    """Every suite with its group and its question."""
    return [
        (group, name, results.about(f"{PACKAGE}.{name}")["question"])
        for group, names in GROUPS.items()
        for name in names
    ]


def _key(section: Section) -> str:
    return section.suite + (", gpu" if section.gpu else "")


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog="python -m benchmarks"))
