"""Is a derivative right? Evidence, and a verdict in three values: correct, wrong, inconclusive.

jacobian  a hand-written Jacobian against autodiff
report    the evidence, printed
"""

from mvcalc_jax.verify.jacobian import assert_jacobian as assert_jacobian
from mvcalc_jax.verify.jacobian import check_jacobian as check_jacobian
from mvcalc_jax.verify.report import Leaf as Leaf
from mvcalc_jax.verify.report import Report as Report
