"""Is a derivative right? Evidence, and a verdict in three values: correct, wrong, inconclusive.

catalogue  every hand-written derivative of the package, with a point to check it at
differences  a witness that knows nothing of autodiff
errors     how wrong, and in which unit
jacobian   a hand-written Jacobian against autodiff
points     the arguments in float64, and random points near them
references what autodiff says, in both modes
report     the evidence, printed
ways       one derivative four ways, and how wrong each is
"""

from mvcalc_jax.verify import ways as ways
from mvcalc_jax.verify.catalogue import catalogue as catalogue
from mvcalc_jax.verify.chain import Link as Link
from mvcalc_jax.verify.chain import assert_chain as assert_chain
from mvcalc_jax.verify.chain import check_chain as check_chain
from mvcalc_jax.verify.jacobian import assert_hessian as assert_hessian
from mvcalc_jax.verify.jacobian import assert_jacobian as assert_jacobian
from mvcalc_jax.verify.jacobian import check_hessian as check_hessian
from mvcalc_jax.verify.jacobian import check_jacobian as check_jacobian
from mvcalc_jax.verify.report import Leaf as Leaf
from mvcalc_jax.verify.report import Report as Report
from mvcalc_jax.verify.vjp import assert_custom as assert_custom
from mvcalc_jax.verify.vjp import assert_vjp as assert_vjp
from mvcalc_jax.verify.vjp import check_custom as check_custom
from mvcalc_jax.verify.vjp import check_vjp as check_vjp
