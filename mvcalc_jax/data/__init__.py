"""What is drawn and what is fitted, as NumPy arrays.

curves      points on famous curves, or on the reader's own
histograms  human heights, with their sources, or the reader's own
files       CSV and SVG, and what can be wrong with them
"""

from mvcalc_jax.data.curves import CURVES as CURVES
from mvcalc_jax.data.curves import Curve as Curve
from mvcalc_jax.data.curves import curve as curve
from mvcalc_jax.data.histograms import HISTOGRAMS as HISTOGRAMS
from mvcalc_jax.data.histograms import Histogram as Histogram
from mvcalc_jax.data.histograms import histogram as histogram
