r"""A derivative with its own error bar, and what to say where there is none.

Every method of `derivative` gives an `Estimate`: a value, how far the truth may be from it, and the step.

| method       | value                                      | its error bar                               |
|--------------|--------------------------------------------|---------------------------------------------|
| forward      | D(h) = (f(x + h) − f(x))/h,  h = √ε\|x\|     | 2\|D(h) − D(h/2)\| + 2η/h                     |
| central      | D(h) = (f(x + h) − f(x − h))/2h, h = ∛ε\|x\| | ⁴⁄₃\|D(h) − D(h/2)\| + η/h                    |
| ridders      | central differences, extrapolated to h = 0 | see `slopes.extrapolation`           |
| complex step | Im f(x + ih)/h                             | the rounding of this value and of x itself  |
| autodiff     | by JAX                                     | the same                                    |

η is the rounding of f, which is measured, not supposed to be ε|f| (`slopes.noise`); it costs some 250
values more. D(h) − D(h/2) is half, or three quarters, of what a short step leaves out. Where the slopes to both sides
of x do not come closer to each other when the step is halved, half of their distance is in the error bar, too; and
where they do not at the smallest steps that stand clear of rounding, f has a kink or is vertical, and there is no
derivative. And where smaller steps contradict a difference, as they do if its own is longer than a wave of f or
crosses a pole, how far it is from theirs is the error bar.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from mvcalc_jax import autodiff, precision, require, text
from mvcalc_jax.calculus.slopes import ladder as rising
from mvcalc_jax.calculus.slopes import noise, settling
from mvcalc_jax.require import AnyArray
from mvcalc_jax.status import Spoken


class Status(Spoken):
    """What became of a derivative: above 0 there is one, below 0 there is none, and the error bar is infinite."""

    NOT_FINITE = -6, "f is infinite or NaN here, or next to it on both sides; choose a point of its domain"
    OTHER_BRANCH = (
        -5,
        "f of complex numbers is another function than f of real ones here, or leaves their range; "
        "use ridders, or autodiff",
    )
    NOISE = -4, "f differs as much between neighbouring numbers as anywhere; compute it with more digits"
    UNSETTLED = -3, "the slopes do not settle as the step shrinks: f is vertical here, or has no derivative"
    JUMP = -2, "f jumps here, and has no derivative; take one on either side of this point"
    KINK = (
        -1,
        "f has a kink here, with one slope to the left and another to the right; take one beside this point",
    )
    FOUND = 1, "there is a derivative, within the error bar"
    ONE_SIDED = 2, "f ends here: the slope is that to the one side on which there is any"


_ROWS = 10
"""Of many derivatives, so many are shown."""


@text.shown
class Estimate(NamedTuple):
    """A derivative at one point, or for many, in arrays of their shape.

    Attributes:
        value: of the derivative; NaN where there is none.
        error: how far the truth may be from it; infinite where there is no derivative.
        step: the (largest) step that was taken; 0 where none was.
        status: a `Status`, or the whole numbers of many; see its `sentence`.

    >>> many = mv.derivative(jnp.abs, np.array([-2.0, 0.0, 3.0]))
    >>> many.found, many.value.round(9)
    (array([ True, False,  True]), array([-1., nan,  1.]))
    >>> mv.derivative(jnp.sign, 0.0).message
    'f jumps here, and has no derivative; take one on either side of this point'
    """

    value: Any
    error: Any
    step: Any
    status: Any

    @property
    def found(self) -> Any:
        """Whether there is a derivative."""
        return self.status > 0

    @property
    def message(self) -> str:
        """The status as a sentence; of many, how many ended how."""
        codes, many = np.unique(np.asarray(self.status), return_counts=True)
        sentences = [Status(int(code)).sentence for code in codes]
        if not np.shape(self.status):
            return sentences[0]
        return "; ".join(f"{text.count(n)}: {said}" for n, said in zip(many, sentences, strict=True))

    def _parts(self) -> text.Parts:
        """The value with as many digits as the error bar leaves; of many, a row for each of the first."""
        if not np.shape(self.status):
            known = self.status == Status.FOUND
            return [told(self.value, self.error) + ("" if known else f" ({self.message})")]
        some = zip(*(np.ravel(of)[:_ROWS] for of in self), strict=True)
        rows = [(told(v, e), f"{h:.1e}", Status(int(s)).name) for v, e, h, s in some]
        more = np.size(self.status) - len(rows)
        return [
            [("derivative", "step", "status"), *rows],
            *([f"and {text.count(more)} more"] if more else []),
        ]


def told(value: float, error: float) -> str:
    """A value with as many digits as are known, and its error bar."""
    if not np.isfinite(error) or not np.isfinite(value):
        return f"{value:.6g} ± {error:.2g}"
    known = np.log10(abs(value) / error) if value and error else 16.0
    return f"{value:.{int(np.clip(np.ceil(known) + 1, 1, 17))}g} ± {error:.1e}"


def forward_slope(f: Callable[..., Any], x: Any, step: Any = None) -> Estimate:
    """The forward difference, by default at the step that is usually best, √ε|x|.

    Args:
        f: a function of one number, written in JAX or not (see `slopes.ladder`).
        x: a number, or an array of them.
        step: a number, or one for each of x.

    Raises:
        TypeError: where f or x is nothing of the kind.
        ValueError: where x is not finite, a step not positive, or f returns several numbers.

    >>> slope = mv.calculus.forward_slope(jnp.exp, 0.0)
    >>> print(f"{slope.value:.6f} at step {slope.step:.0e}, error below {slope.error:.0e}")
    1.000000 at step 1e-08, error below 2e-08
    """
    return _difference(f, x, step, central=False)


def central_slope(f: Callable[..., Any], x: Any, step: Any = None) -> Estimate:
    """The central difference, by default at the step that is usually best, ∛ε|x|. Takes and raises what
    `forward_slope` does.

    >>> slope = mv.calculus.central_slope(jnp.exp, 0.0)
    >>> print(f"{slope.value:.9f} at step {slope.step:.0e}, error below {slope.error:.0e}")
    1.000000000 at step 6e-06, error below 6e-11
    """
    return _difference(f, x, step, central=True)


def _difference(f: Callable[..., Any], x: Any, step: Any, *, central: bool) -> Estimate:
    """Differences at a step and at half of it, to both sides."""
    at = rising.points(x)
    shape, flat = at.shape, at.ravel()
    with precision.of(at), np.errstate(all="ignore"):
        values, eps = rising.values_of("f", f, flat)
        h = _steps(flat, step, central)
        steps = np.concatenate([rising.rungs(flat), h[:, None], h[:, None] / 2], axis=1)
        both = rising.climb(values, eps, flat, steps)
        ladder = both._replace(
            **{part: getattr(both, part)[:, :-2] for part in ("right", "left", "up", "down")}
        )
        rounding = noise.of(ladder)
        right, left = (slope[:, -2:] for slope in both.slopes())
        D = ((both.up - both.down) / (both.right + both.left))[:, -2:] if central else right
        left_out = (4 / 3 if central else 2) * np.abs(D[:, 0] - D[:, 1])
        largest = np.nanmax(np.abs(np.stack([both.up[:, -2], both.down[:, -2]])), axis=0, initial=0)
        rounding = np.maximum(rounding, eps / 2 * largest)
        gap = right - left
        unlike, unsure = np.abs(2 * gap[:, 1] - gap[:, 0]), 20 * rounding / h
        error = left_out + (1 if central else 2) * rounding / h
        error += np.where(unlike > unsure, unlike / 2, 0) + 2 * eps * np.abs(D[:, 0])
        error = np.maximum(error, _contradicted(ladder, D[:, 0], h, rounding, central))
        status = np.where(np.isfinite(D[:, 0]) & np.isfinite(both.middle), Status.FOUND, Status.NOT_FINITE)
        rough = noise.by_rung(ladder, rounding)
        status = np.where(
            (status > 0) & settling.unsettled(ladder, ladder.slopes(), rough), Status.UNSETTLED, status
        )
        status = np.where((status > 0) & settling.kinked(ladder, rough), Status.KINK, status)
        status = np.where(noise.jumps(ladder, rounding), Status.JUMP, status)
        status = np.where((status > 0) & noise.drowned(ladder, rounding), Status.NOISE, status)
    return packed(D[:, 0], error, h, status, at, shape)


def _contradicted(
    ladder: rising.Ladder, D: Float[np.ndarray, " n"], h: Any, rounding: Any, central: bool
) -> Float[np.ndarray, " n"]:
    """How far a difference is from any of a smaller step: its own may be longer than waves of f, or cross a pole."""
    slopes = ladder.central() if central else ladder.slopes()[0]
    run = (ladder.right + ladder.left) / 2 if central else ladder.right
    unsure = 2 * noise.by_rung(ladder, rounding) / np.where((run > 0) & (run < h[:, None]), run, np.nan)
    low, high = rising.bounds_below(slopes, unsure, 2 if central else 1)
    return rising.beyond(D[:, None], low[:, :1], high[:, :1])[:, 0]


def _steps(x: AnyArray, step: Any, central: bool) -> Float[np.ndarray, " n"]:
    """The step for each point: what was asked for, or the usual one."""
    eps, size = np.finfo(x.dtype).eps, np.where(x == 0, 1.0, np.abs(x.astype(float)))
    if step is None:
        return eps ** (1 / 3 if central else 1 / 2) * size
    step = np.asarray(precision.floats("step", step), float)
    require.finite("step", step)
    if not (step > 0).all():
        raise ValueError(f"`step` must be positive; got {step.min():g}")
    if step.size not in (1, x.size):
        raise ValueError(
            f"`step` must be one number, or one for each of the {x.size} of `x`; got {step.size}"
        )
    return np.broadcast_to(step.ravel(), x.shape).astype(float)


def autodiff_slope(f: Callable[..., Any], x: Any) -> Estimate:
    """JAX's derivative in forward mode, with how far rounding may have moved it.

    Raises:
        TypeError: where f is not written in JAX.
        ValueError: where x is not finite, or f returns several numbers.

    >>> print(f"{mv.calculus.autodiff_slope(jnp.log, 2.0).value:.15f}")
    0.500000000000000
    """
    at = rising.points(x)
    with precision.of(at), np.errstate(all="ignore"):
        require.scalar("f", f, jax.ShapeDtypeStruct((), at.dtype))
        values, eps = rising.values_of("f", f, at.ravel())
        slope = lambda x: autodiff.push(f, (x,), (np.ones((), at.dtype),))[1]
        ladder = rising.climb(values, eps, at.ravel(), rising.rungs(at.ravel()))
        return _as_f_goes(exactly(slope, ladder.middle, at), ladder, at)


def _as_f_goes(told: Estimate, ladder: rising.Ladder, at: AnyArray) -> Estimate:
    """The estimate where f itself goes to f(x) on both sides, and its slopes settle.

    Autodiff follows the one piece of f that x is on, and sees nothing of a jump to the next: of ⌊x⌋ it says 0.
    """
    value, error, step, status = (np.ravel(of) for of in told)
    rounding = noise.of(ladder)
    jumps = noise.jumps(ladder, rounding)
    # what is smooth settles, though its differences may be lost in rounding; but not a slope that is off itself
    loose = (error > 0.01 * np.abs(value)) & settling.unsettled(
        ladder, ladder.slopes(), noise.by_rung(ladder, rounding)
    )
    status = np.where(jumps & ((status > 0) | (status == Status.KINK)), Status.JUMP, status)
    status = np.where((status > 0) & loose, Status.UNSETTLED, status)
    return packed(value, error, step, status, at, at.shape)


def exactly(slope: Callable[..., Any], f: Float[np.ndarray, " n"], at: AnyArray) -> Estimate:
    """An estimate by a function that gives the derivative to rounding, and jumps where f has a kink.

    How it is rounded is measured like the rounding of f; half a unit in the last place of x changes it by ε|x f″|/2.
    Where it is 0 all about x, or flickers by no more than last digits of f, f itself may be level by rounding, as tanh
    is at 20; that is no kink, and ε|f|, or what it flickers by, is in the error bar.

    Args:
        slope: the derivative, of one number, written in JAX.
        f: what f is at the points.
        at: the points.
    """
    flat = at.ravel()
    values, eps = rising.values_of("f", slope, flat)
    ladder = rising.climb(values, eps, flat, rising.rungs(flat))
    value, rounding = ladder.middle, noise.of(ladder)
    status = np.where(np.isfinite(value) & np.isfinite(f), Status.FOUND, Status.NOT_FINITE)
    coarse = eps * np.abs(f) * np.maximum(1, 1 / np.where(ladder.x == 0, 1, np.abs(ladder.x)))
    changes = rising.finest(ladder, np.abs(ladder.up - ladder.down), 7)
    broken = noise.jumps(ladder, rounding)
    level = (value == 0) & (changes == 0).all(axis=1)
    kinked = broken & (changes[:, 0] > 30 * coarse)
    status = np.where((status > 0) & kinked, Status.KINK, status)
    error = 2 * rounding + eps * (2 * np.abs(value) + _turn(ladder, rounding) / 2)
    error += np.where(level, coarse, np.where(broken, changes[:, 0], 0))
    return packed(value, error, np.zeros(flat.shape), status, at, at.shape)


def _turn(ladder: rising.Ladder, rounding: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """|x g′| of a ladder's function g, roughly, by the smallest step at which it changes by more than rounding; else 0.

    By steps in units of x, for g′ may be too large a number where x g′ is none.
    """
    x, g = np.abs(ladder.x)[:, None], ladder.middle[:, None]
    up, down = np.abs(ladder.up - g), np.abs(g - ladder.down)
    turns = np.fmax(up * rising.over(x, ladder.right), down * rising.over(x, ladder.left))
    clear = np.fmax(up, down) > 20 * rounding[:, None]
    last = turns.shape[1] - 1 - clear[:, ::-1].argmax(axis=1)
    return np.where(clear.any(axis=1), np.take_along_axis(turns, last[:, None], axis=1)[:, 0], 0.0)


def packed(value: Any, error: Any, step: Any, status: Any, x: AnyArray, shape: tuple[int, ...]) -> Estimate:
    """An estimate in the shape and the precision of x; without a value where there is no derivative."""
    error = np.where((status > 0) & (error < float(jnp.finfo(x.dtype).max)), error, np.inf)
    status = np.where((status > 0) & ~np.isfinite(error), Status.UNSETTLED, status)
    found = status > 0
    value, error, step = (
        np.asarray(of).astype(x.dtype).reshape(shape) for of in (np.where(found, value, np.nan), error, step)
    )
    if shape:
        return Estimate(value, error, step, np.asarray(status).reshape(shape))
    return Estimate(float(value), float(error), float(step), Status(int(status[0])))
