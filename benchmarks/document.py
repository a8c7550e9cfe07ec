"""RESULTS.md: all sections of a run, or of several, with their bars at the top; a GPU's apart."""

from collections import Counter
from collections.abc import Mapping, Sequence

from benchmarks import harness, results
from benchmarks.results import Section
from mvcalc_jax import text

HEAD = """# Results of the benchmarks

Written by `python -m benchmarks`; what stands here is what a run has found, and the modules of `benchmarks` say how."""
QUICK = "A quick run, at sizes that show that all of it runs; take its figures for nothing else."


def written(sections: Sequence[Section], groups: Mapping[str, Sequence[str]], figures: str) -> str:
    """The document; `figures` is the way from it to their folder."""
    usual = Counter(_where(section) for section in sections).most_common(1)[0][0] if sections else ""
    parts = [HEAD, usual and f"Unless a section says otherwise: {usual}.", _bars(sections)]
    for gpu in (False, True):
        for group, names in groups.items():
            some = [section for section in sections if section.gpu == gpu and section.suite in names]
            some.sort(key=lambda section: names.index(section.suite))
            parts += [f"## {group.capitalize()}{', on a GPU' if gpu else ''}"] if some else []
            parts += [_section(section, usual, figures) for section in some]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(section: Section, usual: str, figures: str) -> str:
    where = _where(section)
    run = f"`{section.command}`, {section.when}, {harness.spoken(section.seconds)}"
    parts = [
        f"### {section.suite}",
        f"**{section.question}**",
        section.how,
        run + ("." if where == usual else f"; {where}."),
        QUICK if section.quick else "",
        results.markdown(section, figures),
    ]
    return "\n\n".join(part for part in parts if part)


def _where(section: Section) -> str:
    return harness.spoken_setting(section.setting)


def _bars(sections: Sequence[Section]) -> str:
    rows = [("suite", "", "bar")]
    for section in sections:
        name = section.suite + (", GPU" if section.gpu else "") + (", quick" if section.quick else "")
        if section.said:
            rows.append((name, results.VERDICTS[None], section.said))
        rows += [(name, results.VERDICTS[bar.held], bar.words) for bar in section.bars]
    return f"## What was promised\n\n{text.markdown(rows)}" if len(rows) > 1 else ""
