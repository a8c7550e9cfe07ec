"""What a median of noisy rounds is worth: the interval of the sign test, which asks nothing of their distribution."""

from collections.abc import Sequence
from functools import cache
from statistics import median
from typing import NamedTuple

from scipy import stats

CONFIDENCE = 0.99


class Ratio(NamedTuple):
    """A median of ratios, and between which of them it lies with `CONFIDENCE`."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.low:.3g} – {self.high:.3g})"


def ratio(values: Sequence[float]) -> Ratio:
    """The median and its interval: of fewer than eight values all of them."""
    beyond, ordered = _beyond(len(values)), sorted(values)
    return Ratio(median(values), ordered[beyond], ordered[-1 - beyond])


@cache
def _beyond(count: int) -> int:
    """How many of the values may be left out at either end: it is as likely as so many heads in `count` throws."""
    return max(int(stats.binom.ppf((1 - CONFIDENCE) / 2, count, 0.5)) - 1, 0)
