"""Pure functions with hand-written Jacobians: what is fitted, and what is proved.

Its parts, and what is in them:

    activations  σ and σ′, side by side
    network      a fully connected network: init, forward, cost, jacobian, and the factors in between
    lanes        its Jacobian once more, for tiny networks, in the shape of a processor's registers
    chain        those factors as things to print, spread out and multiply
    bell         Gaussian peaks as in data, not normalised, with Hessians
    bins         what such a peak puts into the bins of a histogram
    gaussian     the normal density and χ² of a histogram against it
"""

from mvcalc_jax.models import activations as activations
from mvcalc_jax.models import bell as bell
from mvcalc_jax.models import bins as bins
from mvcalc_jax.models import gaussian as gaussian
from mvcalc_jax.models import network as network

__all__ = [
    "activations",
    "bell",
    "bins",
    "gaussian",
    "network",
]
