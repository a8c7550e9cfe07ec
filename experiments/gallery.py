"""A page of every picture: what the experiments found, one after the other, with links to their reports.

What a run has to show is read from its `report.md`: the title, the first paragraph, and each picture with its caption.
"""

import ast
import html
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from urllib.parse import quote

from mvcalc_jax.atomic import write_text

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>mvcalc-jax: experiments</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #26323c; max-width: 1060px; margin: 2rem auto; padding: 0 1rem }
nav { columns: 2 24rem; margin-bottom: 3rem }
nav a { display: block }
a { color: #2b7a9e; text-decoration: none }
section { margin-bottom: 3.5rem; border-top: 1px solid #e8edf1 }
figure { display: inline-block; vertical-align: top; width: 480px; max-width: 100%; margin: 0.7rem 1rem 0.7rem 0 }
figure img { max-width: 100%; max-height: 340px }
figcaption, code { font-size: 0.85rem; color: #5b6873 }
</style>
<h1>Experiments</h1>
<nav>
$contents
</nav>
$sections
</html>
""")
_SECTION = Template("""<section id="$name">
<h2>$title</h2>
<p>$words</p>
$figures
<p><code>python -m experiments.$name</code> · <a href="$report">report</a></p>
</section>""")
_FIGURE = Template("""<figure><a href="$file"><img src="$file" alt="$caption" loading="lazy"></a>
<figcaption>$caption</figcaption></figure>""")

_PICTURE = re.compile(r"!\[(.*?)\]\((.*?)\)")


def questions() -> dict[str, str]:
    """The experiments, by name, each with its question: the first line of a script that says how to run it."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if re.search(rf"^ *python -m experiments\.{path.stem}$", docstring, re.MULTILINE):
            found[path.stem] = docstring.splitlines()[0]
    return found


def newest(folder: Path) -> Path | None:
    """The last run of an experiment that has a report; None if there is none."""
    reports = sorted(folder.glob("*/report.md"), key=lambda path: (path.stat().st_mtime_ns, path))
    return reports[-1].parent if reports else None


def build(root: Path, runs: Mapping[str, Path]) -> Path:
    """Write `root`/gallery.html, a section for each experiment's run, and return its path."""
    contents, sections = [], []
    for name, run in runs.items():
        report = (run / "report.md").read_text(encoding="utf-8")
        title, _, rest = report.removeprefix("# ").partition("\n")
        words = next((p for p in rest.split("\n\n") if p.strip() and p.strip()[0] not in "#|!`-*"), "")
        where = quote(run.relative_to(root).as_posix())
        figures = [
            _FIGURE.substitute(file=f"{where}/{quote(file)}", caption=html.escape(caption))
            for caption, file in _PICTURE.findall(report)
        ]
        contents.append(f'<a href="#{name}">{html.escape(title)}</a>')
        sections.append(
            _SECTION.substitute(
                name=name,
                title=html.escape(title),
                words=html.escape(words.strip()),
                figures="\n".join(figures),
                report=f"{where}/report.md",
            )
        )
    page = root / "gallery.html"
    write_text(page, _PAGE.substitute(contents="\n".join(contents), sections="\n".join(sections)))
    return page
