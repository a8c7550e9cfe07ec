"""What is drawn and what is fitted, as NumPy arrays.

Its parts, and what is in them:

    curves      points on famous curves, or on the reader's own
    histograms  human heights, with their sources, or the reader's own
    pairs       two measurements of each: Anscombe's quartet, fathers and sons, or the reader's own columns
    tables      many curves in a file, a few at a time
    parquet     tables in Apache Parquet
    files       CSV and SVG, and what can be wrong with them
"""

from mvcalc_jax.data.curves import CURVES as CURVES
from mvcalc_jax.data.curves import Curve as Curve
from mvcalc_jax.data.curves import curve as curve
from mvcalc_jax.data.files import read_table as read_table
from mvcalc_jax.data.histograms import HISTOGRAMS as HISTOGRAMS
from mvcalc_jax.data.histograms import Histogram as Histogram
from mvcalc_jax.data.histograms import histogram as histogram
from mvcalc_jax.data.histograms import pooled as pooled
from mvcalc_jax.data.pairs import ANSCOMBE as ANSCOMBE
from mvcalc_jax.data.pairs import Pairs as Pairs
from mvcalc_jax.data.pairs import fathers_and_sons as fathers_and_sons

__all__ = [
    "curve",
    "Curve",
    "CURVES",
    "histogram",
    "Histogram",
    "HISTOGRAMS",
    "pooled",
    "fathers_and_sons",
    "Pairs",
    "ANSCOMBE",
    "read_table",
]
