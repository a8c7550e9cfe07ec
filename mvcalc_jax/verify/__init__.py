"""Is a derivative right, and if not, why? A verdict in three values: correct, wrong, inconclusive.

Three doors lead to one report: `check_jacobian`, `check_vjp` and `check_chain`, and each has an `assert_*` for tests.

    accuracy     how many digits a correct formula keeps in low precision
    adequacy     what "correct" is worth: mistakes planted on purpose
    backward     a backward pass that claims to be a function's
    bisection    which rows of a large Jacobian are wrong
    catalogue    every hand-written derivative of the package, with a point to check it at
    causes       why a derivative is wrong
    chain        a chain of functions, link by link
    claims       a derivative that claims to be a function's: a Jacobian, or a backward pass
    contract     what must hold before any number is compared
    cotangents   a backward pass is linear, and its forward pass is f
    differences  a witness that knows nothing of autodiff
    errors       how wrong, and in which unit
    evidence     what is looked at: blocks, by hand and by autodiff
    float64      float64 while a check runs, and nothing of it afterwards
    jacobian     a hand-written Jacobian, or Hessian, against autodiff
    kinks        where a function has one, and how far the arguments are
    names        what a function is called
    points       the arguments in float64, and random points near them
    precision    in which precision a formula's digits are counted
    references   what autodiff says, in both modes
    report       the evidence, printed
    steadiness   errors that are none but rounding, and errors too small beside their leaf to show
    slopes       the Taylor remainder along a random line
    subject      the function f as it can be computed
    trial        the order of a check
    verdict      from evidence to a verdict
    vjp          a hand-written backward pass against autodiff
    ways         one derivative four ways, and how wrong each is
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
from mvcalc_jax.verify.report import Adequacy as Adequacy
from mvcalc_jax.verify.report import Diagnosis as Diagnosis
from mvcalc_jax.verify.report import Leaf as Leaf
from mvcalc_jax.verify.report import LinkResult as LinkResult
from mvcalc_jax.verify.report import Report as Report
from mvcalc_jax.verify.report import Slope as Slope
from mvcalc_jax.verify.vjp import assert_custom as assert_custom
from mvcalc_jax.verify.vjp import assert_vjp as assert_vjp
from mvcalc_jax.verify.vjp import check_custom as check_custom
from mvcalc_jax.verify.vjp import check_vjp as check_vjp

__all__ = [
    "check_jacobian",
    "check_hessian",
    "check_vjp",
    "check_custom",
    "check_chain",
    "Link",
    "assert_jacobian",
    "assert_hessian",
    "assert_vjp",
    "assert_custom",
    "assert_chain",
    "Report",
    "Leaf",
    "LinkResult",
    "Diagnosis",
    "Adequacy",
    "Slope",
    "catalogue",
    "ways",
]
