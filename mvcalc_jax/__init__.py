"""mvcalc-jax: write a function and its derivative by hand; the package proves the derivative, runs it inside
one compiled loop, and shows you what happened.

The tree is the sentence – functions, models, descent, proof, pictures – and imports point down this list:

    autodiff   the one door to JAX's autodiff
    text       rows as a table
    status     how a search can end: a number and a sentence
    require    what an argument must be, and the names of the axes in every signature
    atomic     files that are whole or not there
    arrays     trees of arrays in files
    binning    raw values counted in bins
    compiling  programs that run only a few times
    jaxprs     functions as JAX writes them down, and the one way to walk them
    precision  a computation is as precise as its arguments
    named      functions in files of the user's, by name
    calculus   functions of one and several variables: slopes, rules, critical points, roots, extrema
    taylor     polynomials of functions, and bands in which they provably lie
    models     network, gaussian: pure functions with hand-written Jacobians
    descent    steepest_descent, optax_descent, and the one loop
    verify     check_jacobian, check_vjp, check_chain: is a derivative right, and if not, why?
    data       curves to draw, histograms and tables to fit
    fitting    least squares: curves, Gaussians, histograms, lines
    plots      arrays and Axes in, pictures out
    sandpit    the game: find a phone by its floor's gradients
    devices    where to compute, and how precisely
    runs       the run directory
    aside      work beside other work
    doctor     is everything here that is needed?
    check      derivatives in files, checked by name
    fit        files of curves, fitted
    dig        the sandpit as a command
    interrupts Ctrl-C at the wrong moment
    arguments  a frozen dataclass as a command line
    options    the options that several commands have
    output     what a command answers: words, or a document
    command    what every command does alike
    completion what a shell needs to complete a command
    cli        the command mvcalc

Public names are loaded when they are first used (`__init__.pyi` lists them), so that `mvcalc --help` need
not wait for JAX. Their examples begin after

>>> from pathlib import Path
>>> import jax
>>> import jax.numpy as jnp
>>> import numpy as np
>>> import mvcalc_jax as mv
>>> f"{mv.derivative(jnp.sin, 1.0).value:.9f}"  # cos 1, from values of sin alone
'0.540302306'
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
