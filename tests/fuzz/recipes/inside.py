"""Calls of the rooms that the package itself lives in: rightly, with extreme values.

Their contract is with the package alone, so that nothing is thrown at them that it would not pass.
"""

import contextlib

import jax.numpy as jnp
import numpy as np

import mvcalc_jax as mv
from tests.fuzz.draws import EXTREMES
from tests.fuzz.functions import MANY, ONE
from tests.fuzz.recipe import Call, recipe

autodiff, require = mv.autodiff, mv.require


def _in_a_with(manager):
    with manager:
        pass


@recipe("autodiff.gradient", "autodiff.jacobian", "autodiff.hessian", spoil=False)
def _(draw, folder, name):
    return Call(getattr(autodiff, name.split(".")[1])(draw.one(MANY)), (draw.array(2),))


@recipe("autodiff.push", "autodiff.pull", "autodiff.jet", "autodiff.with_gradient", spoil=False)
def _(draw, folder, name):
    f, x = draw.one(ONE[:4]), jnp.asarray(0.5)
    if name == "autodiff.pull":
        return Call(lambda: autodiff.pull(f, x)[1](jnp.ones_like(x)))
    if name == "autodiff.with_gradient":
        return Call(autodiff.with_gradient(f, f), (x,))
    return Call(
        getattr(autodiff, name.split(".")[1]), (jnp.sin, (x,), (x,) if name == "autodiff.push" else ((x, x),))
    )


@recipe("require.level", "require.reals", "require.unmasked", "require.array")
def _(draw, folder, name):
    value = draw.one((0.9, draw.array(2), np.ma.masked_array([1.0], [True])))
    more = ("numbers",) if name == "require.reals" else ()
    return Call(getattr(require, name.split(".")[1]), ("x", value, *more), keep=(0, 2))


@recipe("require.port")
def _(draw, folder):
    return Call(require.port, ("port", draw.one((None, 0, 8988, 2**16, -1))), keep=(0, 1))


@recipe("require.number", "require.positive", "require.finite")
def _(draw, folder, name):
    value = draw.one((draw.one(EXTREMES), draw.array(2), draw.whole(-2, 2)))
    return Call(getattr(require, name.split(".")[1]), ("x", value), keep=(0, 1))


@recipe("require.whole", "require.box", "require.floating", "require.function", "precision.floats")
def _(draw, folder, name):
    """What is given to them comes from users."""
    room, which = name.split(".")
    more = {"whole": (1,), "box": (1,)}.get(which, ())
    value = {"whole": 3, "box": ((0.0, 1.0),), "function": MANY[0]}.get(which, draw.array(2))
    return Call(getattr(getattr(mv, room), which), ("x", value, *more), keep=(0, 2))


@recipe("require.scalar", "require.traceable", "require.twice_differentiable", "require.differentiable")
def _(draw, folder, name):
    return Call(getattr(require, name.split(".")[1]), ("f", draw.one(MANY), jnp.ones(2)), keep=(0, 2))


@recipe(
    "require.one_of",
    "require.shape",
    "require.traced",
    "require.holds_traced",
    "require.is_native",
    "require.is_real",
    spoil=False,
)
def _(draw, folder, name):
    args = {
        "one_of": ("word", draw.one(("", "a", "b", "\n" * 9)), ("a", "ab")),
        "shape": ("x", draw.array(2, 3), (None, 3), "(a, b)"),
        "traced": ({"a": draw.array(2), "b": None},),
        "holds_traced": (draw.one(MANY), draw.array(2)),
        "is_native": (np.dtype(draw.one(("f4", ">f8", "g", "G", "U3", "?", jnp.bfloat16))),),
        "is_real": (
            draw.one((bool, "complex64", jnp.bfloat16, jnp.float64, np.dtype("U3"), draw.array(2).dtype)),
        ),
    }
    which = name.split(".")[1]
    return Call(getattr(require, which), args[which])


@recipe(
    "text.columns",
    "text.markdown",
    "text.count",
    "text.counted",
    "text.first_line",
    "text.vector",
    "text.listed",
    "text.plain",
    "text.table",
    "text.unknown",
    spoil=False,
)
def _(draw, folder, name):
    rows = [("", "ünï|"), ("a\nb", "x" * 500)][: draw.whole(1, 2)]
    args = {
        "columns": (rows,), "markdown": (rows,), "count": (draw.one((0, -5, 10**30)),),
        "counted": (draw.whole(0, 2), "row"), "first_line": (draw.one(("", "\n", None, ValueError())),),
        "listed": (["a", "ünï"] * draw.whole(1, 9),), "plain": (("<b>", rows),), "table": (rows,),
        "unknown": ("row", draw.one(("", "ro", None)), ("row", "column")),
        "vector": (draw.rng.choice(EXTREMES, draw.whole(0, 12)), draw.whole(1, 9)),
    }  # fmt: skip
    which = name.split(".")[1]
    return Call(getattr(mv.text, which), args[which])


@recipe("precision.of", "precision.promoting", "devices.computing", "atomic.replacing", "runs.alone")
def _(draw, folder, name):
    """Each stands in a `with`."""
    room, which = name.split(".")
    args = {
        "of": (draw.array(2),),
        "computing": (draw.one(("cpu", "auto", "gpu")), "float64"),
        "alone": (folder,),
    }
    args |= {"replacing": (folder / "file",)}
    door = getattr(getattr(mv, room), which)
    keep = (0,) if which in ("of", "alone", "replacing") else ()
    return Call(lambda *a: _in_a_with(door(*a)), args.get(which, ()), keep=keep)


@recipe("devices.choose")
def _(draw, folder):
    return Call(mv.devices.choose, (draw.one(("auto", "cpu", "gpu")),))


@recipe("devices.cores", "devices.workers", "devices.gpu_advice", "devices.nvidia_driver", spoil=False)
def _(draw, folder, name):
    return Call(getattr(mv.devices, name.split(".")[1]))


@recipe("aside.Aside", spoil=False)
def _(draw, folder):
    def use(job):
        with contextlib.suppress(ZeroDivisionError), mv.aside.Aside("cpu") as aside:
            aside.submit(job).result()

    return Call(use, (draw.one((lambda: 1, lambda: 1 // 0, lambda: np.ones(3))),))


@recipe("runs.require_same", "runs.checkpoints", spoil=False)
def _(draw, folder, name):
    from experiments.rules import Config

    if name == "runs.checkpoints":
        return Call(mv.runs.checkpoints, (folder / "c.npz",))
    return Call(mv.runs.require_same, (Config(), Config(function=draw.one(("quotient", "chain"))), ("out",)))


@recipe("activations", "bell", "bins", spoil=False)
def _(draw, folder, name):
    """Functions that are compiled with what they are given: at extreme values they must not raise or warn."""
    module = getattr(mv.models, name)
    z = jnp.asarray(draw.rng.choice(EXTREMES, 4))
    if name == "activations":
        which = draw.one([a for a in dir(module) if a.removeprefix("d_") in module.ACTIVATIONS])
        return Call(getattr(module, which), (z,))
    if name == "bins":
        return Call(
            getattr(module, draw.one(("binned_peak", "midpoint_peak"))),
            ((1.0, 0.0, draw.real()), jnp.stack([z, z + 1])),
        )
    return Call(
        getattr(module, draw.one(("value", "jacobian", "hessian"))),
        (module.peak, jnp.asarray([1.0, 0.2, draw.real()]), z),
    )
