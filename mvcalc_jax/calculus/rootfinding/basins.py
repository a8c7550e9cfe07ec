r"""Basins: which root Newton's method leads to from every point of a line or a plane, and in how many steps.

    complex    z ← z − f(z)/f′(z)     f: ℂ → ℂ, the box is the plane
    system     x ← x − J⁻¹f           f: ℝ² → ℝ²
    line       x ← x − f(x)/f′(x)     f: ℝ → ℝ

All starts step together, in blocks that a processor's cache holds, until each has come to rest or the limit is reached.
Where they rest, f is looked at as about any root (`rootfinding.portrait`): what is none, such as a point that f
only fades towards, gets no label, nor does a start that goes round in a cycle or off to infinity.

The border between two basins touches all the others, too, which makes it a fractal: A. Cayley, The Newton–Fourier
imaginary problem, American Journal of Mathematics 2 (1879), 97.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from mvcalc_jax import precision, require, text
from mvcalc_jax.calculus.rootfinding import trail
from mvcalc_jax.calculus.rootfinding.portrait import Portrait, look, rungs, seen

_BLOCK = 4096
"""Starts that step together: a few arrays of so many numbers stay in a core's cache."""
_NEAR, _APART = 1e-3, 0.1
"""Of the box, and of the distance between two roots: points nearer to one than that are its own."""
_MOST = 64
"""Roots that are kept, those that most starts lead to."""
_GOLDEN = 0x9E3779B97F4A7C15 - 2**64
_WIDTHS = (1e-5, 1e-7)
"""Of cells, beside the box: rounding scatters the points about a multiple root, and roots may be nearer than that."""


_REST = 1e-5
"""A longer step beside the box, or the way from it, is none that leaves a start at rest."""


class _Known(NamedTuple):
    """A root, and how far about it f is lost in rounding."""

    point: np.ndarray
    blur: float


@text.shown
@dataclass(frozen=True)
class Basins:
    """Where every start leads.

    Attributes:
        kind: "complex", "system" or "line".
        box: a pair (low, high) for each axis.
        roots: (n,) numbers, or (n, 2) points; those that most starts lead to first.
        label: the number of the root for each start, −1 for none: (rows, columns), row 0 at the lower edge, or (k,).
        steps: Newton's steps until it came to rest, or the limit.

    >>> found = mv.calculus.basins(lambda x: x**2 - 1, ((-3, 3),), points=7)
    >>> found.label.tolist()  # from −3, −2, … 3; the slope at 0 is 0
    [0, 0, 0, -1, 1, 1, 1]
    >>> found.roots, found.shares.round(2), round(found.nowhere, 2)
    (array([-1.,  1.]), array([0.43, 0.43]), 0.14)
    """

    kind: str
    box: Float[np.ndarray, "d 2"]
    roots: np.ndarray
    label: Int[np.ndarray, "*grid"]
    steps: Int[np.ndarray, "*grid"]

    @property
    def shares(self) -> Float[np.ndarray, " n"]:
        """The part of all starts that each root gets."""
        return np.array([np.mean(self.label == k) for k in range(len(self.roots))])

    @property
    def nowhere(self) -> float:
        """The part of all starts that lead to no root."""
        return float(np.mean(self.label < 0))

    def _parts(self) -> text.Parts:
        """Every root with its share of the starts."""
        rows = [("root", "share of the starts", "steps, median")]
        for k, (root, share) in enumerate(zip(self.roots, self.shares, strict=True)):
            steps = f"{np.median(self.steps[self.label == k]):.0f}" if share else ""
            where = ", ".join(f"{v:.8g}" for v in np.ravel(root))
            rows.append((where, f"{share:.2%}", steps))
        return [[*rows, ("none", f"{self.nowhere:.2%}", "")]]


def basins(
    f: Callable[..., Any],
    box: Any,
    *,
    points: int | tuple[int, int] = 400,
    derivative: Callable[..., Any] | None = None,
    args: tuple = (),
    max_steps: int = 100,
) -> Basins:
    """The root that Newton's method finds from every point of a grid over a box.

    Args:
        f: f(z, *args), of a complex number where it can take one; else of (2,); on a box of one pair, of a number.
        box: a pair (low, high) for each axis; or one pair, for a line.
        points: along each axis, or (columns, rows).
        derivative: f′, or the Jacobian; by autodiff unless given.
        args: more arguments.
        max_steps: the limit.

    Raises:
        TypeError: where f is no function of such arguments that JAX can compile and differentiate.
        ValueError: for a box that is none, shapes that do not fit, or a complex f that is not holomorphic.

    >>> found = mv.calculus.basins(lambda z: z**3 - 1, ((-2, 2), (-2, 2)), points=120)
    >>> np.sort_complex(found.roots).round(6), found.shares.round(2)
    (array([-0.5-0.866025j, -0.5+0.866025j,  1. +0.j      ]), array([0.35, 0.32, 0.32]))
    """
    limit = require.whole("max_steps", max_steps, least=1)
    f = require.function("f", f)
    if derivative is not None:
        derivative = require.function("derivative", derivative)
    edges = require.reals("box", box, require.BOX)
    edges = require.box("box", edges[None] if edges.ndim == 1 else edges)
    if len(edges) > 2:
        raise ValueError(f"`box` must have one or two pairs (low, high); got {len(edges)}")
    sides = tuple(points) if isinstance(points, tuple) else (points,) * len(edges)
    if len(sides) != len(edges):
        raise ValueError(f"`points` must be a number, or one for each of {len(edges)} axes; got {points!r}")
    sides = tuple(require.whole("points", n, least=2) for n in sides)
    with precision.of(precision.floats("box", box)):
        kind = _kind(f, len(edges), args)
        subject = trail.Subject(f, derivative, args)
        if kind == "complex":
            _holomorphic(subject, edges)
        starts = _grid(edges, sides, kind)
        count = -(-len(starts) // _BLOCK) * _BLOCK
        padded = np.concatenate([starts, np.repeat(starts[-1:], count - len(starts), axis=0)])
        blocks = padded.reshape(-1, _BLOCK, *starts.shape[1:])
        size, middle = float(np.ptp(edges, axis=1).max()), edges.mean(axis=1)
        frame = tuple(np.asarray(a, np.finfo(starts.dtype).dtype) for a in (size, middle))
        static = {"f": f, "derivative": derivative, "limit": limit}
        walked = _program()(blocks, frame, args, **static)
        z, still, steps = (np.asarray(a).reshape(count, *a.shape[2:])[: len(starts)] for a in walked)
        roots, label = _labelled(subject, z, still, size, middle)
    shape = sides[::-1]
    return Basins(kind, edges, roots, label.reshape(shape), steps.reshape(shape))


def _kind(f: Any, axes: int, args: tuple) -> str:
    """Whether f is one of a real number, of a complex one, or of two."""
    real = jnp.zeros(()).dtype
    if axes == 1:
        require.scalar("f", f, np.zeros((), real), *args)
        return "line"
    number = np.zeros((), np.result_type(real, np.complex64))
    try:
        value = jax.eval_shape(f, number, *args)
    except (TypeError, ValueError, IndexError):
        value = None
    if value is not None and getattr(value, "shape", None) == ():
        if not jnp.issubdtype(value.dtype, jnp.complexfloating):
            raise ValueError(
                f"`f` must be holomorphic: of a complex number it returns a real one, {value.dtype}, as none but a "
                f"constant does; write it of (2,) real numbers to (2,)"
            )
        return "complex"
    pair = require.traceable("f", f, np.zeros(2, real), *args)
    if getattr(pair, "shape", None) != (2,) or not jnp.issubdtype(pair.dtype, jnp.floating):
        got = f"{pair.dtype}{list(pair.shape)}" if hasattr(pair, "shape") else type(pair).__name__
        raise ValueError(
            f"`f` must take a complex number to a complex number, or (2,) real numbers to (2,); got {got}"
        )
    return "system"


def _holomorphic(subject: trail.Subject, edges: np.ndarray) -> None:
    """Require ∂f/∂z̄ = 0, by differences along both axes, at most of some points that fill the box."""
    number = np.result_type(jnp.zeros(()).dtype, np.complex64)
    eps, size = float(np.finfo(number).eps), np.ptp(edges, axis=1)
    x, y = edges[:, :1] + size[:, None] * (np.outer([0.7549, 0.5698], np.arange(1, trail.SAMPLES // 4)) % 1)
    z = x + 1j * y
    h = max(eps ** (1 / 3) * float(size.max()), 64 * eps * float(np.abs(z).max()))
    about = np.stack([z + h, z - h, z + 1j * h, z - 1j * h]).reshape(4, -1).astype(number)
    f = subject.sample(about.ravel()).reshape(4, -1)
    with np.errstate(all="ignore"):
        dx, dy = (f[::2] - f[1::2]) / (about[::2] - about[1::2])  # far from 0 these are not 2h in all digits
        bad = np.abs(dx - dy) > 1e-3 * (np.abs(dx) + np.abs(dy)) + 10 * eps / h * np.abs(f).max(axis=0)
    if np.mean(bad) > 0.25:
        k = int(np.argmax(bad))
        raise ValueError(
            f"`f` must be holomorphic: f′ must be the same in all directions; got {dx[k]:.4g} along the real axis and "
            f"{dy[k]:.4g} along the imaginary one at {z[k]:.4g}; write it of (2,) real numbers to (2,)"
        )


def _grid(edges: np.ndarray, sides: tuple[int, ...], kind: str) -> np.ndarray:
    """The starts, a row of them after the other, in JAX's precision."""
    real = jnp.zeros(()).dtype
    axes = [np.linspace(low, high, n).astype(real) for (low, high), n in zip(edges, sides, strict=True)]
    if kind == "line":
        return axes[0]
    x, y = (a.ravel() for a in np.meshgrid(*axes))
    return x + 1j * y if kind == "complex" else np.stack([x, y], axis=-1)


@cache
def _program() -> Any:
    return jax.jit(_walked, static_argnames=("f", "derivative", "limit"))


def _walked(
    blocks: Any, frame: Any, args: tuple, f: Any, derivative: Any, limit: int
) -> tuple[Any, Any, Any]:
    """Newton's steps of all blocks, one block after the other."""
    evaluate = trail.slope_of(f, derivative, blocks[0, 0], args)
    return jax.lax.map(lambda z: _together(z, frame, args, evaluate, limit), blocks)


def _together(z: Any, frame: Any, args: tuple, evaluate: Any, limit: int) -> tuple[Any, Any, Any]:
    """Newton's steps of one block, until all have come to rest: their last step squares what is left of the way."""
    eps, (size, (across, *up)) = jnp.finfo(z.dtype).eps, frame
    middle = across + 1j * up[0] if jnp.iscomplexobj(z) else frame[1] if z.ndim == 2 else across

    def change(z: Any) -> Any:
        f, df = evaluate(z, *args)
        if z.ndim == 0:
            return jnp.where(f == 0, 0, f / df)
        (a, b), (c, d) = df
        cramer = jnp.stack([d * f[0] - b * f[1], a * f[1] - c * f[0]]) / (a * d - b * c)
        return jnp.where(jnp.all(f == 0), 0, cramer)

    def step(state: tuple) -> tuple:
        k, z, still, steps = state
        moves = jax.vmap(change)(z)
        new = jnp.where(still if z.ndim == 1 else still[:, None], z, z - moves)
        lengths = (jnp.abs if z.ndim == 1 else lambda v: jnp.max(jnp.abs(v), axis=-1))(
            jnp.stack([moves, new, new - middle])
        )
        # far from 0 a step that is small beside z may still be as wide as the box
        small = jnp.minimum(
            jnp.sqrt(eps) * jnp.maximum(lengths[1], size), _REST * jnp.maximum(lengths[2], size)
        )
        rests = (lengths[0] <= jnp.maximum(small, 4 * eps * lengths[1])) | ~jnp.isfinite(lengths[1])
        return k + 1, new, still | rests, steps + ~still

    n = len(z)
    state = (0, z, jnp.zeros(n, bool), jnp.zeros(n, jnp.int32))
    _, z, still, steps = jax.lax.while_loop(lambda s: (s[0] < limit) & ~jnp.all(s[2]), step, state)
    return z, still, steps


def _labelled(
    subject: trail.Subject, z: np.ndarray, still: np.ndarray, size: float, middle: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The roots among the points of rest, and the number of each start's root."""
    points = np.stack([np.real(z), np.imag(z)], axis=-1) if np.iscomplexobj(z) else z.reshape(len(z), -1)
    found: list[_Known] = []
    rest = points[still & np.isfinite(points).all(axis=1)]
    for width in _WIDTHS:
        for candidate in _clusters(rest - middle, width * size):
            root = _root(subject, candidate + middle, z.dtype, size)
            if root is not None and not any(_same(root, other, size, middle) for other in found):
                found.append(root)
        for root in found:  # what is not at a root that is known may be at one next to it
            rest = rest[np.linalg.norm(rest - root.point, axis=1) > 8 * root.blur + 1e-8 * size]
    label = np.full(len(z), -1, np.int32)
    roots = np.array([root.point for root in found]).reshape(-1, points.shape[1])
    gaps = np.linalg.norm(roots[:, None] - roots[None], axis=-1) + np.where(np.eye(len(roots)), np.inf, 0)
    for k, root in enumerate(roots):
        with np.errstate(invalid="ignore", over="ignore"):
            away = np.abs(points - root).max(axis=1)
        label[away <= min(_APART * float(gaps[k].min()), _NEAR * size)] = k
    order = np.argsort([-np.sum(label == k) for k in range(len(roots))], kind="stable")
    place = np.empty(len(roots) + 1, np.int32)
    place[order], place[-1] = np.arange(len(roots)), -1
    roots = roots[order]
    if np.iscomplexobj(z):
        return roots[:, 0] + 1j * roots[:, 1], place[label]
    return (roots[:, 0] if z.ndim == 1 else roots), place[label]


def _clusters(points: np.ndarray, width: float) -> list[np.ndarray]:
    """The middles of the cells in which most points lie, the fullest first; the points are told from the box's."""
    points = points[np.abs(points).max(axis=1, initial=0) < 1e18 * width]
    if not len(points):
        return []
    cells = np.round(points / width).astype(np.int64)
    # one number is sorted sooner than two; by the golden ratio of 2⁶⁴ no two cells near each other get the same
    keys = cells @ np.array([1, _GOLDEN])[: cells.shape[1]]
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=keys[order][0] - 1))
    ends = np.append(starts[1:], len(keys))
    fullest = np.argsort(starts - ends, kind="stable")[:_MOST]
    return [np.median(points[order[starts[k] : min(ends[k], starts[k] + 999)]], axis=0) for k in fullest]


def _same(a: _Known, b: _Known, size: float, middle: np.ndarray) -> bool:
    """Whether rounding of f, or what a start's last step leaves, hides one from the other."""
    rest = float(np.finfo(a.point.dtype).eps) ** 0.5 * max(size, float(np.abs(a.point - middle).max()))
    return bool(np.linalg.norm(a.point - b.point) <= 10 * (a.blur + b.blur) + 10 * rest)


def _root(subject: trail.Subject, point: np.ndarray, dtype: Any, size: float) -> _Known | None:
    """The root next to a point of rest, to all its digits; None if there is none."""
    point = _settled(subject, point, dtype, size)
    about = _seen(subject, point, dtype, size)
    if about.kind != "root":
        return None
    m = round(about.order)
    if about.order == m and 1 < m < 6 and (len(point) == 1 or np.issubdtype(dtype, np.complexfloating)):
        polished = _settled(subject._replace(order=m - 1), point, dtype, 10 * about.error)
        if _seen(subject, polished, dtype, size).kind == "root":
            return _Known(
                polished, about.error
            )  # a root of multiplicity m is a simple one of the derivative before
    return _Known(point, about.error)


def _settled(subject: trail.Subject, point: np.ndarray, dtype: Any, within: float) -> np.ndarray:
    """Where Newton's steps end that begin at a point, if that is not far."""
    plane = np.issubdtype(dtype, np.complexfloating)
    start = complex(*point) if plane else point[0] if len(point) == 1 else point
    x, f, *_ = subject.walk(np.asarray(start, dtype), 100)
    with np.errstate(all="ignore"):
        x = np.stack([np.real(x), np.imag(x)], axis=-1) if plane else x.reshape(len(x), -1)
        f = np.abs(f).reshape(len(f), -1).max(axis=1)
        best = x[np.argmin(np.where(np.isfinite(f), f, np.inf))]
        return best if np.linalg.norm(best - point) <= within else point


def _seen(subject: trail.Subject, point: np.ndarray, dtype: Any, size: float) -> Portrait:
    """What |f| looks like along a line through a point; of a system, in the directions that matter."""
    if len(point) > 1 and not np.issubdtype(dtype, np.complexfloating):
        x = point.astype(dtype)
        return look(
            subject, x, np.where(np.abs(x) > 1e-6 * size, np.abs(x), size), subject.sample(x[None])[0]
        )
    reach = float(np.linalg.norm(point))
    reach = reach if reach > 1e-6 * size else size
    h = rungs(reach, reach, np.finfo(dtype).dtype)
    way = np.array([0.6, 0.8])[: len(point)]
    x = np.concatenate([point[None], point + np.outer(h, way), point - np.outer(h, way)])
    if np.issubdtype(dtype, np.complexfloating):
        x = x[:, 0] + 1j * x[:, 1]
    values = subject.sample((x[:, 0] if x.shape[1:] == (1,) else x).astype(dtype))
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = (np.abs(values) if values.ndim == 1 else np.linalg.norm(values, axis=1)).astype(float)
    return seen(h, lengths[0], lengths[1 : 1 + len(h)], lengths[1 + len(h) :], float(h[0]), rough=True)
