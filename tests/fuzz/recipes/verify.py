"""Calls of verify, whose verdicts are known: right derivatives, and wrong ones."""

import functools

import jax.numpy as jnp
import numpy as np

import mvcalc_jax as mv
from tests.fuzz.functions import PAIRS, RIGHT
from tests.fuzz.recipe import Call, recipe


def _never(verdict):
    """A truth: a report that says anything but this, or a test that passes or fails as it should."""
    return lambda report: f"the verdict is {verdict}" if getattr(report, "verdict", "") == verdict else None


@recipe("check_jacobian", "assert_jacobian", seconds=240, refusals=(AssertionError,))
def _(draw, folder, name):
    f, jac = draw.one(RIGHT)
    wrong = draw.chance(0.5)
    given = (lambda x, jac=jac: 1.1 * jac(x)) if wrong else jac
    truth = _never("correct" if wrong else "wrong") if "check" in name else None
    return Call(
        getattr(mv, name.split(".")[-1]),
        (f, given, 1 + draw.array(2)),
        {"seed": draw.whole(0, 9)},
        truth=truth,
    )


@recipe("check_hessian", "assert_hessian", seconds=240, refusals=(AssertionError,))
def _(draw, folder, name):
    f, hess = draw.one(
        ((lambda x: x @ x, lambda x: 2 * jnp.eye(2)), (lambda x: jnp.sum(x**3), lambda x: jnp.diag(6 * x)))
    )
    return Call(getattr(mv, name), (f, hess, draw.array(2)), truth=_never("wrong"))


@recipe("check_vjp", "assert_vjp", seconds=240, refusals=(AssertionError,))
def _(draw, folder, name):
    f, fwd, bwd = draw.one(PAIRS)
    return Call(getattr(mv, name), (f, fwd, bwd, 1 + draw.array(3)), truth=_never("wrong"))


@functools.cache
def _custom(k):
    import jax

    f, fwd, bwd = PAIRS[k]
    custom = jax.custom_vjp(f)
    custom.defvjp(fwd, bwd)
    return f, custom


@recipe("check_custom", "assert_custom", seconds=240, refusals=(AssertionError,))
def _(draw, folder, name):
    return Call(getattr(mv, name), (*_custom(draw.whole(0, 1)), 1 + draw.array(3)), truth=_never("wrong"))


@recipe("check_chain", "assert_chain", seconds=240, refusals=(AssertionError,))
def _(draw, folder, name):
    links = [
        mv.Link("sine", jnp.sin, lambda x: jnp.diag(jnp.cos(x))),
        mv.Link("double", lambda x: 2 * x, lambda x: 2 * jnp.eye(3)),
    ]
    return Call(getattr(mv, name), (links, draw.array(3)), truth=_never("wrong"))


@recipe("verify.Link", spoil=False)
def _(draw, folder):
    return Call(mv.Link, ("sine", jnp.sin, jnp.cos))


@recipe("verify.catalogue")
def _(draw, folder):
    return Call(mv.verify.catalogue, (), {"seed": draw.whole(0, 9)})


@functools.cache
def _report():
    return mv.check_jacobian(lambda x: x @ x, lambda x: 2.1 * x, np.array([1.0, 2.0]))


@recipe("Report.plot", "Report.to_dict", "Report.require_correct", refusals=(AssertionError,))
def _(draw, folder, name):
    args = (draw.path(folder, ".png", ".svg", ".pdf"),) if name.endswith("plot") else ()
    return Call(getattr(_report(), name.split(".")[1]), args)
