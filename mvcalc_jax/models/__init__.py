"""Pure functions with hand-written Jacobians: what is fitted, and what is proved.

activations  σ and σ′, side by side
network      a fully connected network: init, forward, cost, jacobian, and the factors in between
chain        those factors as things to print, spread out and multiply
gaussian     the normal density and χ² of a histogram against it
"""

from mvcalc_jax.models import activations as activations
from mvcalc_jax.models import gaussian as gaussian
from mvcalc_jax.models import network as network
