"""Least squares for people: one curve or a hundred million, each with its uncertainties and an honest verdict.

Its parts, and what is in them:

    curve       curve_fit: any model
    gaussian    fit_gaussian: peaks, with derivatives by hand
    histogram   fit_histogram: counts in bins, by their likelihood
    result      Fit and Status: what every fit returns
    problem     what a user passes, looked at and brought to one batch
    batch       blocks of fits on every device and core
    solve       a block, from its data to its results
    loop        the one loop: steps, trials, verdicts
    normal      the normal equations, and their solution
    columns     of any model
    shapes      of shapes whose derivatives are written by hand
    moments     of a peak on a line, from sums of powers
    starts      where to start
    losses      robust losses
    implicit    fits inside jit, vmap and grad
    trail       the way of a fit, step by step

    regression  linear regression: coefficients and their errors, bands, leverage, the rank verdict
    design      the columns of a regression, and the basis in which it is computed
    dependence  which columns depend on others, in words
    triangle    R of QR in twice the precision, and iterative refinement
    doubled     numbers of twice the precision, which no compiler can spoil

    stream      more curves than memory holds, from a file to a file
    hosts       several processes that share them
    journal     how far a long run is
    records     results on the disk
    source      a file of curves, looked at
"""

from mvcalc_jax.fitting import histogram as histogram
from mvcalc_jax.fitting import trail as trail
from mvcalc_jax.fitting.curve import curve_fit as curve_fit
from mvcalc_jax.fitting.gaussian import fit_gaussian as fit_gaussian
from mvcalc_jax.fitting.histogram import fit_histogram as fit_histogram
from mvcalc_jax.fitting.regression import Regression as Regression
from mvcalc_jax.fitting.regression import linear_regression as linear_regression
from mvcalc_jax.fitting.result import Fit as Fit
from mvcalc_jax.fitting.stream import Summary as Summary
from mvcalc_jax.fitting.stream import fit_file as fit_file

__all__ = [
    "curve_fit",
    "fit_gaussian",
    "fit_histogram",
    "Fit",
    "trail",
    "histogram",
    "linear_regression",
    "Regression",
    "fit_file",
    "Summary",
]
