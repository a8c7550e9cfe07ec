"""What a check of a derivative found, in one picture.

From top to bottom: the verdict in words; for a chain, a box for every link; for each leaf, the wrong ones first, what
is known of it above three heat maps, by hand, autodiff and difference; and the Taylor remainder.
"""

import itertools
import math
import textwrap
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Shaped
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch
from matplotlib.patheffects import withStroke
from matplotlib.textpath import TextPath

from mvcalc_jax.plots import matrices
from mvcalc_jax.plots.style import BLUE, INK, OCHRE, QUIET, RED, VIOLET, Figure, style
from mvcalc_jax.verify.report import Diagnosis, LinkResult, Report, Slope, Verdict
from mvcalc_jax.verify.verdict import TOLERANCE

ROWS = 4
"""More leaves are not drawn, but counted."""
LINKS = 24
"""Of a longer chain, neighbours that are correct share a box, and more than twice as many boxes are counted."""

_ORDER: tuple[Verdict, ...] = ("wrong", "inconclusive", "correct")
_MARKS: dict[Verdict, tuple[str, str]] = {
    "wrong": ("✗", RED),
    "inconclusive": ("?", OCHRE),
    "correct": ("✓", BLUE),
}
_WHOLE = "the whole: "
_SOFT = "#66727f"

# Inches.
_WIDTH, _EDGE, _LINE, _INDENT = 11.4, 0.3, 0.19, 1.35
_PANEL, _PANELS, _BAR = 2.8, (0.8, 3.83, 7.55), 0.1


class _Row(NamedTuple):
    """A leaf as it is drawn: `size` is the unit of its errors, `cause` what explains them."""

    path: str
    verdict: Verdict
    cause: Diagnosis | None
    by_hand: Shaped[np.ndarray, "..."]
    autodiff: Shaped[np.ndarray, "..."]
    size: float


class _Sheet(NamedTuple):
    """A figure on which things are placed in inches from its upper left corner."""

    figure: Figure
    height: float

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        up = 1 - (top + height) / self.height
        return self.figure.add_axes((left / _WIDTH, up, width / _WIDTH, height / self.height))

    def write(self, left: float, top: float, words: str, **look: Any) -> None:
        at = left / _WIDTH, 1 - top / self.height
        self.figure.text(*at, words, va="top", linespacing=1.25, parse_math=False, **look)

    def rule(self, top: float) -> None:
        ends, up = [_EDGE / _WIDTH, 1 - _EDGE / _WIDTH], 1 - top / self.height
        self.figure.add_artist(Line2D(ends, [up, up], color=QUIET, linewidth=0.6))


class _Block(NamedTuple):
    """A part of the picture: its height, and what draws it, given how far from the top it begins."""

    height: float
    draw: Callable[[_Sheet, float], None]


def draw(report: Report) -> Figure:
    """The verdict in words, the links of a chain, at most `ROWS` leaves, and the Taylor remainder.

    >>> report = mv.check_jacobian(jnp.sin, lambda x: jnp.diag(-jnp.cos(x)), np.array([0.5, 1.0]))
    >>> len(mv.plots.check.draw(report).axes) > 3  # heat maps, their scales, and the remainder
    True
    >>> mv.plots.check.ROWS, mv.plots.check.LINKS  # leaves and links at most
    (4, 24)
    """
    rows = _rows(report)
    blocks = [_heading(report, rows)]
    if report.links:
        blocks.append(_strip(report.links))
    blocks += map(_leaf, rows[:ROWS])
    if report.slope:
        blocks.append(_taylor(report.slope))
    blocks.append(_caption(report, rows))
    height = sum(block.height for block in blocks) + 2 * _EDGE
    with style():
        sheet, top = _Sheet(Figure(figsize=(_WIDTH, height)), height), _EDGE
        FigureCanvasAgg(sheet.figure)
        for block in blocks:
            block.draw(sheet, top)
            top += block.height
    return sheet.figure


def _rows(report: Report) -> list[_Row]:
    """The leaves that can be drawn, of links that are not correct and of the report itself; wrong ones first."""
    rows = [
        row._replace(path=f"{link.name}: {row.path}", cause=_cause(link.report, row.path, link.name))
        for link in report.links
        if link.verdict != "correct"
        for row in _rows(link.report)
    ]
    verdicts: dict[str, Verdict] = {leaf.path: leaf.verdict for leaf in report.leaves}
    largest = max((matrices.largest(leaf.autodiff) for leaf in report.compared), default=0.0) or 1.0
    for path, hand, exact in ((leaf.path, leaf.by_hand, leaf.autodiff) for leaf in report.compared):
        kind = complex if np.iscomplexobj(hand) or np.iscomplexobj(exact) else float
        arrays = np.asarray(hand, kind), np.asarray(exact, kind)
        name = f"{_WHOLE}{path}" if report.links else path
        verdict, size = verdicts.get(path, report.verdict), matrices.largest(exact) or largest
        rows.append(_Row(name, verdict, _cause(report, path), *arrays, size))
    return sorted(rows, key=lambda row: _ORDER.index(row.verdict))


def _cause(report: Report, *names: str) -> Diagnosis | None:
    """The most likely one that explains a leaf, or the link that it belongs to."""
    return next((cause for cause in report.diagnoses if _explains(cause, names)), None)


def _explains(cause: Diagnosis, names: Collection[str]) -> bool:
    return any(where in names for where in (cause.where, *cause.where.split(", ")))


def _said(cause: Diagnosis, where: str = "") -> str:
    return f"{'cause' if cause.certified else 'hint'}: {cause.kind}{where}: {cause.detail}"


def _wrapped(words: str, most: int = 4, indent: float = 0.0) -> str:
    """In lines that fit, by the mean width of a letter."""
    words = " ".join(words.split())
    inches = TextPath((0, 0), words.replace("$", "S"), size=10).get_extents().width / 72 if words else 0.0
    letters = int(0.94 * (_WIDTH - 2 * _EDGE - indent) / max(inches, 1e-3) * len(words))
    lines = textwrap.wrap(words, max(20, letters), max_lines=most, placeholder=" …", break_on_hyphens=False)
    return "\n".join(lines)


def _short(words: str, letters: int) -> str:
    return words if len(words) <= letters else f"{words[: letters - 1]}…"


def _tall(words: str) -> float:
    return _LINE * (words.count("\n") + 1)


def _heading(report: Report, rows: Sequence[_Row]) -> _Block:
    """The verdict, its reason, the causes that belong to no leaf that is drawn, and what "correct" is worth."""
    mark, colour = _MARKS[report.verdict]
    known = {row.path.removeprefix(_WHOLE) for row in rows} | {link.name for link in report.links}
    causes = [d for d in report.diagnoses if d.detail != report.reason and not _explains(d, known)]
    said = [report.reason, *(_said(cause, f" in {cause.where}") for cause in causes[:3])]
    words = "\n".join(map(_wrapped, [*said, *([str(report.adequacy)] if report.adequacy else [])]))

    def paint(sheet: _Sheet, top: float) -> None:
        sheet.write(_EDGE, top, f"{mark} {report.verdict}", color=colour, fontsize=15, fontweight="bold")
        sheet.write(_EDGE, top + 0.34, words)

    return _Block(0.34 + _tall(words) + 0.18, paint)


def _caption(report: Report, rows: Sequence[_Row]) -> _Block:
    """What is not shown, and the line that repeats the check."""
    said = []
    if more := [row.verdict for row in rows[ROWS:]]:
        each = ", ".join(f"{more.count(verdict)} {verdict}" for verdict in _ORDER if verdict in more)
        said.append(f"{len(more)} more {'leaf' if len(more) == 1 else 'leaves'} not shown: {each}")
    if report.leaves and not report.compared and not report.links:
        said.append("the leaves were too large to be kept: there are no heat maps")
    words = "\n".join(map(_wrapped, [*said, f"again: {report.again}"]))
    return _Block(_tall(words), lambda sheet, top: sheet.write(_EDGE, top, words, color=_SOFT, fontsize=9))


def _strip(links: Sequence[LinkResult]) -> _Block:
    """A box for every link, in order, in as many lines as it takes."""
    boxes = list(_boxes(links))
    lines = math.ceil(len(boxes) / 6)
    along = math.ceil(len(boxes) / lines)
    gap, tall, inner = 0.25, 0.84, _WIDTH - 2 * _EDGE
    wide = min(2.1, (inner + gap) / along - gap)

    def paint(sheet: _Sheet, top: float) -> None:
        ax = sheet.axes(_EDGE, top, inner, tall * lines)
        ax.set(xlim=(0, inner), ylim=(tall * lines, 0))
        ax.axis("off")
        for k, (name, verdict, cause) in enumerate(boxes):
            x, y = k % along * (wide + gap), k // along * tall + 0.02
            mark, colour = _MARKS[verdict]
            box = FancyBboxPatch((x, y), wide, tall - 0.18, "round,pad=0,rounding_size=0.06", gid="link")
            box.set(edgecolor=colour, facecolor=to_rgba(colour, 0.1), clip_on=False)
            box.set_linewidth(2.2 if verdict == "wrong" else 1.2)
            ax.add_patch(box)
            middle = y + (tall - 0.18) / 2
            words: list[tuple[str, dict[str, Any]]] = [
                (_short(name, int(wide * 10)), {"fontweight": "bold"}),
                (f"{mark} {verdict}", {"fontsize": 9, "color": colour}),
                (_short(cause, int(wide * 14)), {"fontsize": 8.5}),
            ]
            for line, (said, look) in enumerate(words):
                at = x + wide / 2, middle + 0.19 * (line - (1 if cause else 0.5))
                ax.text(*at, said, ha="center", va="center_baseline", parse_math=False, **look)
            if k:
                arrow = {"arrowstyle": "-|>", "color": QUIET, "shrinkA": 1, "shrinkB": 1}
                ax.annotate("", (x, middle), (x - gap, middle), arrowprops=arrow, annotation_clip=False)

    return _Block(tall * lines + 0.16, paint)


def _boxes(links: Sequence[LinkResult]) -> Iterator[tuple[str, Verdict, str]]:
    """Name, verdict and kind of cause of every link; in a long chain, of neighbours that are correct at once."""
    boxes: list[tuple[str, Verdict, str]] = []
    for _, run in itertools.groupby(links, lambda link: link.verdict):
        same = list(run)
        if len(links) > LINKS and same[0].verdict == "correct" and len(same) > 2:
            boxes.append((f"{same[0].name} … {same[-1].name}", "correct", f"{len(same)} links"))
            continue
        for link in same:
            causes = link.report.diagnoses
            boxes.append((link.name, link.verdict, causes[0].kind if causes else ""))
    yield from boxes[: 2 * LINKS]
    if more := [verdict for _, verdict, _ in boxes[2 * LINKS :]]:
        yield f"{len(more)} more", next(verdict for verdict in _ORDER if verdict in more), ""


def _leaf(row: _Row) -> _Block:
    """The leaf's name and what is known of it, above three heat maps."""
    said = [] if row.cause is None else [_said(row.cause)]
    words = "\n".join(_wrapped(each, indent=_INDENT) for each in [*said, "; ".join(_facts(row))])
    head = 0.24 + _tall(words)
    tall, foot = 0.0, 0.2
    if row.by_hand.size:
        head += 0.3
        tall, foot = matrices.height(row.by_hand.shape, _PANEL), 0.62 if row.by_hand.ndim else 0.35

    def paint(sheet: _Sheet, top: float) -> None:
        mark, colour = _MARKS[row.verdict]
        sheet.rule(top - 0.06)
        sheet.write(_EDGE, top, f"{mark} {row.verdict}", color=colour, fontsize=11, fontweight="bold")
        sheet.write(_EDGE + _INDENT, top, _short(row.path, 90), fontsize=11, fontweight="bold")
        sheet.write(_EDGE + _INDENT, top + 0.24, words)
        if row.by_hand.size:
            panels = [sheet.axes(left, top + head, _PANEL, tall) for left in _PANELS]
            bars = [sheet.axes(left + _PANEL + _BAR, top + head, _BAR, tall) for left in _PANELS[1:]]
            matrices.draw_comparison(panels, bars, row.by_hand, row.autodiff, TOLERANCE * row.size)

    return _Block(head + tall + foot, paint)


def _facts(row: _Row) -> Iterator[str]:
    """Shape, worst entry, and how the picture differs from the array."""
    error = matrices.distance(row.by_hand, row.autodiff)
    yield f"shape {error.shape}" if error.ndim else "a single number"
    if not error.size:
        yield "no entries"
    elif error.max() > TOLERANCE * row.size:
        worst = tuple(map(int, np.unravel_index(int(error.argmax()), error.shape)))
        hand, exact = (f"{array[worst] + 0.0:.6g}".replace("-", "−") for array in (row.by_hand, row.autodiff))
        yield f"worst{f' at {list(worst)}' if worst else ''}: {hand} by hand, {exact} by autodiff"
    elif row.verdict == "wrong":
        yield "equal at the arguments"
    else:
        yield (
            f"equal to rounding: {error.max() / row.size:.0e} of the largest entry"
            if error.any()
            else "equal"
        )
    if max(sides := matrices.block(error.shape)) > 1:
        yield f"each cell: the worst of {sides[0]} × {sides[1]} entries"
    if np.iscomplexobj(row.by_hand):
        yield "complex: real parts and |difference|"
    if not np.isfinite(row.by_hand).all():
        yield "yellow: infinite or NaN"


def _taylor(slope: Slope) -> _Block:
    """The remainder, and what is to be seen in it."""
    tall, head = 2.5, 0.5

    def paint(sheet: _Sheet, top: float) -> None:
        title = "Taylor remainder  |φ(h) − φ(−h) − 2hφ′|"
        sheet.write(_EDGE, top, title, fontsize=11, fontweight="bold")
        sheet.write(
            _EDGE, top + 0.22, "along a random line: it falls like h³ if φ′ is right, and like h if it is not"
        )
        draw_remainder(sheet.axes(_PANELS[0], top + head, _PANELS[2] - 1.4, tall), slope)

    return _Block(head + tall + 0.65, paint)


def draw_remainder(ax: Axes, slope: Slope) -> None:
    """The Taylor remainder against the step, above what may be rounding, with guides ∝ h and ∝ h³.

    >>> report = mv.check_jacobian(jnp.sin, lambda x: jnp.diag(jnp.cos(x)), np.array([0.5, 1.0]))
    >>> figure, ax = mv.plots.chart()
    >>> mv.plots.check.draw_remainder(ax, report.slope)
    >>> ax.get_xscale(), ax.get_yscale()
    ('log', 'log')
    """
    h = np.asarray(slope.steps, float)
    hand, exact = (np.where(np.isfinite(r) & (r > 0), r, np.nan) for r in (slope.by_hand, slope.autodiff))
    known = np.concatenate([hand, exact])
    ax.set(xscale="log", xlabel="h", ylabel="remainder")
    if np.isnan(known).all():  # matplotlib refuses a logarithmic scale for nothing
        ax.set(xlim=(h.max(), h.min()), yticks=[])
        ax.text(0.5, 0.5, "0, infinite or NaN at every h", ha="center", color=QUIET, transform=ax.transAxes)
        return
    ax.set_yscale("log")
    floor, highest = np.nanmin(known), np.nanmax(known)
    if 0 < slope.noise < np.inf:
        floor = min(floor, slope.noise)
        ax.axhspan(floor / 30, slope.noise, color=QUIET, alpha=0.18, linewidth=0, label="rounding of φ")
    low = max(floor / 10, 1e-300)
    for power, word in ((1, "∝ h"), (3, "∝ h³")):
        guide = 3 * highest * (h / h.max()) ** power
        ax.plot(h, guide, color=QUIET, linewidth=1, linestyle=(0, (4, 3)), gid="guide")
        seen = np.argmin(np.where(guide > 300 * max(low, slope.noise), guide, np.inf))
        name = ax.annotate(word, (h[seen], guide[seen]), (5, 3), textcoords="offset points", color=_SOFT)
        name.set(zorder=4, path_effects=[withStroke(linewidth=3, foreground="white")])
    steep = "slope hidden by rounding" if math.isnan(slope.slope) else f"slope {slope.slope:.2f}"
    said = steep if np.isfinite(slope.by_hand).any() else "infinite or NaN"
    squares: dict[str, Any] = {"marker": "s", "markersize": 6, "markerfacecolor": "none"}
    ax.plot(h, exact, color=INK, linewidth=1, label="autodiff", **squares)
    ax.plot(h, hand, color=VIOLET, linewidth=1.4, marker="o", markersize=3.5, label=f"by hand: {said}")
    ax.set_ylim(low, 8 * highest)
    ax.invert_xaxis()
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=9.5)
