"""Chains: rotations, a robot arm, spherical coordinates, a network link by link, and a chain of matrices."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from benchmarks.bugs.case import Chain
from benchmarks.bugs.table import case
from mvcalc_jax.verify import Link


def _linear(name: str, A: np.ndarray, J: np.ndarray | None = None) -> Link:
    """x ↦ A x, its Jacobian A unless another is given."""
    return Link(name, lambda x: jnp.asarray(A) @ x, lambda x: jnp.asarray(A if J is None else J))


def rotations(wrong: str) -> Chain:
    """A point turned about z, stretched, and turned about y: the whole Jacobian is Y S Z."""
    c, s = np.cos(0.7), np.sin(0.7)
    Z = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    c, s = np.cos(-0.4), np.sin(-0.4)
    Y = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    S = np.diag([1.5, 0.6, 2.0])
    opposite = wrong == "twice one, half the other"

    def total(x: Array) -> Array:
        return jnp.asarray(Z @ S @ Y if wrong == "total in reading order" else Y @ S @ Z)

    JZ = 2 * Z if opposite else Z.T if wrong == "turned backwards" else Z
    JS = np.diag([1.5, 0.6, 1.0]) if wrong == "one stretch forgotten" else S
    JY = Y / 2 if opposite else np.abs(Y) if wrong == "no minus in the sine" else Y
    links = (_linear("turn about z", Z, JZ), _linear("stretch", S, JS), _linear("turn about y", Y, JY))
    return Chain(links, np.random.default_rng(101).normal(size=3), total)


def robot_arm(wrong: str) -> Chain:
    """Joint angles to absolute angles, to segments, to the tip, to its distance from a target."""
    lengths, target = np.array([1.0, 0.7, 0.4]), np.array([0.3, 2.5])
    onto = np.tril(np.ones((3, 3)))

    def segments(a: Array) -> Array:
        return jnp.stack((lengths * jnp.cos(a), lengths * jnp.sin(a)), axis=1)

    def by_angle(a: Array) -> Array:
        """∂(segment i)/∂(angle j), shape (3, 2, 3)."""
        sign = 1 if wrong == "sine's sign" else -1
        tangent = jnp.stack((sign * jnp.sin(a), jnp.cos(a)), axis=1)
        if wrong == "x and y exchanged":
            tangent = tangent[:, ::-1]
        if wrong != "lengths left out":
            last = 0.402 if wrong == "last length mistyped" else lengths[2]
            tangent = jnp.asarray([*lengths[:2], last])[:, None] * tangent
        return jnp.eye(3)[:, None, :] * tangent[:, :, None]

    def by_tip(p: Array) -> Array:
        e = p - jnp.asarray(target)
        return e if wrong == "not a unit vector" else e / jnp.sqrt(e @ e)

    def total(q: Array) -> Array:
        a = jnp.cumsum(q)
        p = segments(a).sum(0)
        e = (p - target) / jnp.sqrt(((p - target) ** 2).sum())
        a = q if wrong == "total at the joint angles" else a
        torque = (e[1] * jnp.cos(a) - e[0] * jnp.sin(a)) * lengths
        return torque if wrong == "total without the later segments" else jnp.cumsum(torque[::-1])[::-1]

    JA = {"each joint turns itself only": np.eye(3), "earlier for later": onto.T}.get(wrong, onto)
    links = (
        _linear("angles", onto, JA),
        Link("segments", segments, by_angle),
        Link("tip", lambda s: s.sum(0), lambda s: jnp.eye(2)[:, None, :] * jnp.ones((1, 3, 1))),
        Link("distance", lambda p: jnp.sqrt(((p - target) ** 2).sum()), by_tip),
    )
    return Chain(links, np.array([0.4, 0.9, -0.6]), total)


def spherical(wrong: str) -> Chain:
    """Spherical coordinates to Cartesian ones, seen from a site, to the potential 1/distance."""
    site = np.array([0.5, -0.3, 0.2])

    def cartesian(q: Array) -> Array:
        r, t, p = q
        return r * jnp.stack((jnp.sin(t) * jnp.cos(p), jnp.sin(t) * jnp.sin(p), jnp.cos(t)))

    def by_spherical(q: Array) -> Array:
        r, t, p = q
        radial = cartesian(q) / r
        polar = jnp.stack((jnp.cos(t) * jnp.cos(p), jnp.cos(t) * jnp.sin(p), -jnp.sin(t)))
        around = jnp.stack((-jnp.sin(p), jnp.cos(p), jnp.zeros_like(p)))
        around = around if wrong == "no sin θ" else jnp.sin(t) * around
        J = jnp.stack((radial, r * polar, r * around), axis=1)
        if wrong == "one entry's sign":
            J = J.at[2, 1].multiply(-1)
        return J.T if wrong == "basis vectors as rows" else J

    def by_place(x: Array) -> Array:
        r = jnp.sqrt(x @ x)
        if wrong == "force without its minus":
            return x / r**3
        return -x / r**2 if wrong == "x for the unit vector" else -x / r**3

    links = (
        Link("Cartesian", cartesian, by_spherical),
        Link("site", lambda x: x - site, lambda x: jnp.eye(3) * (2 if wrong == "doubled" else 1)),
        Link("potential", lambda x: 1 / jnp.sqrt(x @ x), by_place),
    )
    return Chain(links, np.array([1.8, 0.9, 2.1]))


def network(wrong: str) -> Chain:
    """A classifier of one example: affine, tanh, affine, softmax, cross-entropy."""
    rng = np.random.default_rng(104)
    W, b = rng.normal(size=(4, 4)), rng.normal(size=4)
    V, c = rng.normal(size=(3, 4)), rng.normal(size=3)
    label = np.array([0.0, 1.0, 0.0])
    fused = wrong == "softmax in the loss"

    def affine(name: str, A: np.ndarray, b: np.ndarray, J: np.ndarray) -> Link:
        return Link(name, lambda x: jnp.asarray(A) @ x + b, lambda x: jnp.asarray(J))

    def slope(z: Array) -> Array:
        h = z if wrong == "tanh' of the pre-activation" else jnp.tanh(z)
        return jnp.diag(1 - h**2)

    def by_logits(s: Array) -> Array:
        p = jax.nn.softmax(s)
        if wrong == "softmax by the diagonal":
            return jnp.diag(p * (1 - p))
        return jnp.eye(3) if fused else jnp.diag(p) - jnp.outer(p, p)

    def by_p(p: Array) -> Array:
        ratio = jnp.asarray(label) / p
        return p - label if fused else ratio if wrong == "no minus" else -ratio

    def total(x: Array) -> Array:
        h = jnp.tanh(W @ x + b)
        p = jax.nn.softmax(V @ h + c)
        dz = (p - label) @ V
        return (dz if wrong == "total without tanh'" else dz * (1 - h**2)) @ W

    links = (
        affine("hidden", W, b, W.T if wrong == "Wᵀ" else W),
        Link("tanh", jnp.tanh, slope),
        affine("scores", V, c, V),
        Link("softmax", jax.nn.softmax, by_logits),
        Link("cross-entropy", lambda p: -jnp.log(p) @ label, by_p),
    )
    return Chain(links, rng.normal(size=4), total)


def scatter(wrong: str) -> Chain:
    """Rows of X centred, to their scatter matrix XᵀX + I/2, to its log-determinant: 2 X₀ (X₀ᵀX₀ + I/2)⁻¹."""
    mean: Callable[[int], Array] = lambda n: jnp.eye(n) - 1 / n

    def by_rows(X: Array) -> Array:
        n, k = X.shape
        if wrong == "columns' mean for the rows'":
            return jnp.einsum("nm,ij->nimj", jnp.eye(n), mean(k))
        return jnp.einsum("nm,ij->nimj", jnp.eye(n) if wrong == "mean held" else mean(n), jnp.eye(k))

    def by_centred(X: Array) -> Array:
        J = jnp.einsum("ik,mj->ijmk", jnp.eye(3), X)
        return J if wrong == "one factor of two" else J + J.swapaxes(0, 1)

    def total(X: Array) -> Array:
        X = X - X.mean(0)
        return (1 if wrong == "total without 2" else 2) * X @ jnp.linalg.inv(X.T @ X + jnp.eye(3) / 2)

    links = (
        Link("centre", lambda X: X - X.mean(0), by_rows),
        Link("scatter matrix", lambda X: X.T @ X + jnp.eye(3) / 2, by_centred),
        Link("log-determinant", lambda S: jnp.linalg.slogdet(S)[1], lambda S: jnp.linalg.inv(S).T),
    )
    return Chain(links, np.random.default_rng(105).normal(size=(4, 3)), total)


CASES = (
    case(
        "rotations",
        rotations,
        {
            "total in reading order": ("order of factors", "reversed-order", "total"),
            "turned backwards": ("antisymmetric factor", "transpose, sign", "turn about z"),
            "one stretch forgotten": ("single entry", "localised", "stretch"),
            "no minus in the sine": ("antisymmetric factor", "sign, localised", "turn about y"),
            "twice one, half the other": ("scale", "compensating", "turn about z, turn about y"),
        },
    ),
    case(
        "robot arm",
        robot_arm,
        {
            "sine's sign": ("antisymmetric factor", "sign, localised", "segments"),
            "x and y exchanged": ("wrong axis", "axis-permuted, axis-flipped", "segments"),
            "last length mistyped": ("single entry", "localised, scale, missing-factor", "segments"),
            "lengths left out": ("activation factor", "missing-factor", "segments"),
            "not a unit vector": ("activation factor", "missing-factor, scale", "distance"),
            "total at the joint angles": ("stale residual", "wrong-intermediate", "total"),
            "total without the later segments": ("accumulation", "missing-sum, missing-term", "total"),
            "each joint turns itself only": ("missing coupling term", "missing-support", "angles"),
            "earlier for later": ("transpose", "transpose", "angles"),
        },
    ),
    case(
        "spherical coordinates",
        spherical,
        {
            "no sin θ": ("activation factor", "missing-factor, localised, scale", "Cartesian"),
            "one entry's sign": ("single entry", "localised, sign", "Cartesian"),
            "basis vectors as rows": ("transpose", "transpose", "Cartesian"),
            "doubled": ("scale", "scale", "site"),
            "force without its minus": ("sign", "sign", "potential"),
            "x for the unit vector": ("scale", "missing-factor, scale", "potential"),
        },
    ),
    case(
        "network as a chain",
        network,
        {
            "tanh' of the pre-activation": (
                "activation factor",
                "wrong-intermediate, missing-factor",
                "tanh",
            ),
            "softmax by the diagonal": (
                "missing coupling term",
                "missing-support, missing-term",
                "softmax",
            ),
            "softmax in the loss": ("shared weight", "compensating", "softmax, cross-entropy"),
            "no minus": ("sign", "sign", "cross-entropy"),
            "total without tanh'": ("activation factor", "missing-factor", "total"),
            "Wᵀ": ("transpose", "transpose", "hidden"),
        },
    ),
    case(
        "scatter matrix",
        scatter,
        {
            "columns' mean for the rows'": (
                "wrong axis",
                "axis-permuted, missing-term, missing-support, extra-support",
                "centre",
            ),
            "mean held": ("projection term", "missing-term, missing-support", "centre"),
            "one factor of two": ("missing coupling term", "missing-term, missing-support", "scatter matrix"),
            "total without 2": ("scale", "scale", "total"),
        },
    ),
)
