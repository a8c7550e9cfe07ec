"""Histograms of human heights, each with its source, and the reader's own from a CSV file.

The numbers are facts from the sources named; the first is the course's, whose source is not given there.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from mvcalc_jax import require
from mvcalc_jax.binning import binned
from mvcalc_jax.data.files import read_columns
from mvcalc_jax.text import counted

_FAR = 1e6
"""Standard deviations beyond which nobody looks."""


@dataclass(frozen=True)
class Histogram:
    """Counts in bins.

    Attributes:
        title: what was measured.
        unit: of the centres and widths.
        centres: (n,) the middles of the bins, increasing.
        widths: (n,) the widths of the bins.
        counts: (n,) how many fell into each; a share of them will do.
        source: where the numbers come from.
        open_ends: whether the outermost bins hold all that lies beyond; their centres are then conventions.

    >>> men = mv.data.histogram("galton-men")
    >>> men.title, men.unit, round(men.mean, 2), round(men.stddev, 2)
    ('Heights of 481 sons', 'in', 68.59, 2.63)
    >>> print(men.centres[:3], men.counts[:3], f"{(men.density * men.widths).sum():.1f}")
    [60.5 61.5 62.5] [1. 1. 5.] 1.0
    """

    title: str
    unit: str
    centres: Float[np.ndarray, " n"]
    widths: Float[np.ndarray, " n"]
    counts: Float[np.ndarray, " n"]
    source: str
    open_ends: bool = False

    @property
    def density(self) -> Float[np.ndarray, " n"]:
        """The share of each bin by its width, in 1/unit: the sum of density × width is 1."""
        return self.counts / (self.counts.sum() * self.widths)

    @property
    def mean(self) -> float:
        """The mean of the bin centres, weighted by counts."""
        return float(np.average(self.centres, weights=self.counts))

    @property
    def stddev(self) -> float:
        """The standard deviation of the bin centres, weighted by counts."""
        return float(np.sqrt(np.average((self.centres - self.mean) ** 2, weights=self.counts)))

    def padded(self, stddevs: float) -> "Histogram":
        """With the empty bins on both sides, out to so many standard deviations from the mean.

        That nobody was measured there is part of the data: without these bins a fit may put people there.
        """
        require.number("stddevs", stddevs)
        if abs(stddevs) > _FAR:
            raise ValueError(f"`stddevs` must be at most {_FAR:g}; got {stddevs:g}")
        width = float(np.median(self.widths))
        first, last = self.centres[0] - self.widths[0] / 2, self.centres[-1] + self.widths[-1] / 2
        below = max(math.ceil((first - self.mean + stddevs * self.stddev) / width), 0)
        above = max(math.ceil((self.mean + stddevs * self.stddev - last) / width), 0)
        left = first - width * (np.arange(below, 0, -1) - 0.5)
        right = last + width * (np.arange(above) + 0.5)
        return replace(
            self,
            centres=np.concatenate([left, self.centres, right]),
            widths=np.concatenate([np.full(below, width), self.widths, np.full(above, width)]),
            counts=np.pad(self.counts, (below, above)),
        )

    def merged(
        self, many: int = 1, skip: int = 0, bins: int | None = None, *, far: bool = False
    ) -> tuple[Float[np.ndarray, " n_plus_1"], Float[np.ndarray, " n"]]:
        """Edges of bins that touch, and their counts: gaps are empty bins, and so many neighbours make one bin.

        With `open_ends` the outermost bins are taken to be as wide as they are said to be, or, with `far`, a thousand
        times as wide, so that hardly anything lies beyond.

        Args:
            many: bins that are taken together.
            skip: empty bins before the first, which move all that are taken together.
            bins: how many there are to be in the end; there are empty ones after the last.
        """
        many, skip = require.whole("many", many, least=1), require.whole("skip", skip, least=0)
        left, right = self.centres - self.widths / 2, self.centres + self.widths / 2
        if self.open_ends:
            wide = 1000 if far else 1
            left[0], right[0] = left[1] - wide * self.widths[0], left[1]
            left[-1], right[-1] = right[-2], right[-2] + wide * self.widths[-1]
        gaps = np.flatnonzero(left[1:] > right[:-1] + 1e-9 * self.widths[1:])
        edges = np.insert(np.append(left, right[-1]), gaps + 1, right[gaps])
        counts = np.insert(self.counts, gaps + 1, 0.0)
        wanted = -(-(skip + len(counts)) // many) if bins is None else bins
        after = wanted * many - skip - len(counts)
        if after < 0:
            raise ValueError(f"`bins` must be at least {-(-(skip + len(counts)) // many)}; got {bins}")
        edges = np.concatenate(
            [
                edges[0] - self.widths[0] * np.arange(skip, 0, -1),
                edges,
                edges[-1] + self.widths[-1] * np.arange(1, after + 1),
            ]
        )
        return edges[::many], np.pad(counts, (skip, after)).reshape(-1, many).sum(axis=1)


def pooled(first: Histogram, second: Histogram) -> tuple[Histogram, Float[np.ndarray, "2 n"]]:
    """Two histograms in one, and their own counts in its bins.

    Raises:
        ValueError: unless both have the same bins as far as these go, all of one width.

    >>> both, own = mv.data.pooled(mv.data.histogram("galton-women"), mv.data.histogram("galton-men"))
    >>> print(both.counts.sum(), own.sum(axis=1), own.shape == (2, len(both.centres)))
    934.0 [453. 481.] True
    """
    width = first.widths[0]
    whole = (second.centres - first.centres[0]) / width
    widths = np.concatenate([first.widths, second.widths])
    if not np.allclose(widths, width, rtol=1e-6) or not np.allclose(whole, np.round(whole), atol=1e-6):
        raise ValueError(
            f"{first.title} and {second.title} must have bins of one width whose edges agree; "
            f"got widths from {widths.min():g} to {widths.max():g}, and {whole[0]:g} bins between the first of them"
        )
    which = [np.round((h.centres - first.centres[0]) / width).astype(int) for h in (first, second)]
    lowest, highest = min(w[0] for w in which), max(w[-1] for w in which)
    counts = np.zeros((2, highest - lowest + 1))
    for row, where, h in zip(counts, which, (first, second), strict=True):
        row[where - lowest] = h.counts
    centres = first.centres[0] + width * np.arange(lowest, highest + 1)
    title, source = (
        f"{first.title} and {second.title}",
        "; ".join(dict.fromkeys([first.source, second.source])),
    )
    return Histogram(
        title, first.unit, centres, np.full(len(centres), width), counts.sum(axis=0), source
    ), counts


def _equal_bins(
    title: str, unit: str, first_edge: float, width: float, counts: list, source: str
) -> Histogram:
    centres = first_edge + width * (np.arange(len(counts)) + 0.5)
    return Histogram(
        title, unit, centres, np.full(len(counts), float(width)), np.array(counts, float), source
    )


def _course_heights() -> Histogram:
    shares = [0.031, 0.013, 0.023, 0.064, 0.065, 0.126, 0.132, 0.127, 0.113, 0.091, 0.105, 0.05, 0.018, 0.018]
    counts = [0.0] * 44 + [*shares, 0.018, 0.001] + [0.0] * 40
    return _equal_bins("Heights", "cm", 50.0, 2.5, counts, "the fitting assignment of the course")


def _galton_1886() -> Histogram:
    centres = np.array([61.7, *np.arange(62.2, 73.3), 73.7])
    counts = np.array([5, 7, 32, 59, 48, 117, 138, 120, 167, 99, 64, 41, 17, 14], float)
    source = (
        "F. Galton, Regression towards mediocrity in hereditary stature, Journal of the Anthropological "
        "Institute 15 (1886), 246-263, table I; the outermost classes, his 'below' and "
        "'above', stand at the values usually given to them, half over their neighbours"
    )
    return Histogram("Heights of 928 adult children", "in", centres, np.ones(14), counts, source, True)


_GALTON_FAMILIES = (
    "F. Galton's family records of 1884, transcribed by J. A. Hanley, The American Statistician 58 (2004), "
    "237-243; binned by whole inches, downwards"
)


def _galton_men() -> Histogram:
    counts = [1, 1, 5, 13, 23, 39, 48, 68, 56, 88, 56, 40, 27, 8, 4, 2, 0, 1, 1]
    return _equal_bins("Heights of 481 sons", "in", 60.0, 1.0, counts, _GALTON_FAMILIES)


def _galton_women() -> Histogram:
    counts = [1, 3, 1, 1, 24, 30, 69, 63, 75, 80, 47, 27, 18, 9, 5]
    return _equal_bins("Heights of 453 daughters", "in", 56.0, 1.0, counts, _GALTON_FAMILIES)


def _macdonell() -> Histogram:
    counts = [1, 1, 6, 23, 48, 90, 175, 317, 393, 462, 458, 413, 264, 177, 97, 46, 17, 7, 4, 0, 0, 1]
    source = (
        "W. R. Macdonell, On criminal anthropometry and the identification of criminals, "
        "Biometrika 1 (1902), 177-227, table III"
    )
    return _equal_bins("Heights of 3000 men", "in", 55 + 9 / 16, 1.0, counts, source)


HISTOGRAMS = {
    "course": _course_heights(),
    "galton": _galton_1886(),
    "galton-men": _galton_men(),
    "galton-women": _galton_women(),
    "macdonell": _macdonell(),
}
"""Every histogram by name."""


def histogram(name: str, bin_width: float | None = None) -> Histogram:
    r"""A histogram by its name in `HISTOGRAMS`, or from a `.csv` file.

    The file has one column of raw values, which are binned; or two, the middle and the count of each bin, all
    of one width; or three, the left and right edge and the count of each.

    Args:
        name: of the histogram, or the path of the file.
        bin_width: for raw values only; chosen by the rule of Freedman and Diaconis unless given.

    Raises:
        ValueError: for an unknown name, or numbers that are no histogram.
        OSError: for a file that cannot be read.

    >>> sorted(mv.data.HISTOGRAMS)
    ['course', 'galton', 'galton-men', 'galton-women', 'macdonell']
    >>> from pathlib import Path
    >>> _ = Path("heights.csv").write_text("height\n170\n171\n173\n174\n178\n181\n")
    >>> mine = mv.data.histogram("heights.csv", bin_width=4)
    >>> print(mine.centres, mine.counts)
    [170. 174. 178. 182.] [2. 2. 1. 1.]
    """
    if Path(name).suffix.lower() not in (".csv", ".tsv", ".txt"):
        require.one_of("histogram (or .csv file)", name, HISTOGRAMS)
        if bin_width is not None:
            raise ValueError(f"`bin_width` is for raw values; {name} is in bins already; leave it out")
        return HISTOGRAMS[name]
    path = Path(name)
    rows = read_columns(path, ("value",), ("centre", "count"), ("left", "right", "count"))
    if rows.shape[1] == 1:
        return bin_values(path.stem, rows[:, 0], bin_width, source=path.name)
    if bin_width is not None:
        raise ValueError(f"`bin_width` is for raw values; {path} is in bins already; leave it out")
    rows = rows[np.argsort(rows[:, 0])]
    if rows.shape[1] == 2:
        widths = np.diff(rows[:, 0])
        if len(rows) < 2 or widths[0] <= 0 or not np.allclose(widths, widths[0], rtol=1e-6, atol=0):
            raise ValueError(
                f"{path}: the bins must be equally wide, their middles different; "
                "give left edge, right edge and count for other bins"
            )
        centres, widths = rows[:, 0], np.full(len(rows), widths[0])
    else:
        centres, widths = rows[:, :2].mean(axis=1), rows[:, 1] - rows[:, 0]
        if np.any(widths <= 0):
            raise ValueError(
                f"{path}: every right edge must lie above its left edge; got a width of {widths.min()}"
            )
        if np.any(rows[1:, 0] < rows[:-1, 1] - 1e-9 * widths[1:]):
            raise ValueError(f"{path}: bins must not overlap")
    counts = rows[:, -1]
    if np.any(counts < 0) or np.count_nonzero(counts) < 3:
        raise ValueError(
            f"{path}: counts must not be negative, and at least 3 bins must hold something, or there is no shape "
            f"to fit; got {np.count_nonzero(counts > 0)} such bins, smallest count {counts.min():g}"
        )
    return Histogram(path.stem, "", centres, widths, counts, path.name)


def bin_values(
    title: str, values: Float[np.ndarray, " k"], bin_width: float | None = None, source: str = ""
) -> Histogram:
    """Raw values counted in bins that begin at a multiple of their width.

    Raises:
        ValueError: for a width that is not positive, or that leaves fewer than 3 bins with something in them.
    """
    counts, first, bin_width = binned(values, bin_width)
    filled = int(np.count_nonzero(counts))
    if filled < 3:
        raise ValueError(
            f"{title}: {counted(len(values), 'value')} fall{'s' * (len(values) == 1)} into {counted(filled, 'bin')} of "
            f"width {bin_width:g}, and at least 3 are needed; give more values, or a smaller bin width"
        )
    return _equal_bins(title, "", first, bin_width, list(counts), source)
