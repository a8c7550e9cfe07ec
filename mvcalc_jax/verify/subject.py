"""The function f as it can be computed, and what is known of it before any number is."""

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import autodiff
from mvcalc_jax.compiling import quickly
from mvcalc_jax.text import first_line
from mvcalc_jax.verify.differences import Difference, difference
from mvcalc_jax.verify.errors import unit
from mvcalc_jax.verify.points import Leaves, Point, sizes
from mvcalc_jax.verify.references import References, holomorphic, references, traced

_SMALL = 10**5
"""Of a Jacobian with fewer entries the evaluation takes no time to speak of."""


_PUSHED = 10**6
"""Of more inputs, a tangent and what it is compared with would take memory that the check itself may need."""


class Undecided(Exception):
    """Nothing can be said of the derivative; the message says why."""


class Unrunnable(Undecided):
    """f raises."""


class Subject:
    """The function f as it can be computed, and what is known of it before any number is."""

    def __init__(self, f: Callable[..., Any], name: str, point: Point):
        self.f, self.name, self.point = f, name, point
        self.compute = traced(
            lambda leaves, others: f(*point.arguments(leaves, others)), (point.leaves, point.others)
        )
        try:
            found = self.compute.shapes
            if found is None:
                found = self.compute.call(point.leaves, point.others)
        except Exception as error:
            raise Unrunnable(f"{name} raises {type(error).__name__}: {first_line(error)}") from error
        self.structure = jax.tree.structure(found)
        outputs = jax.tree_util.tree_leaves_with_path(found)
        if not outputs:
            raise Undecided(f"{name} must return numbers to have a derivative; it returns {found!r}")
        for path, leaf in outputs:
            kind = _kind(leaf)
            if kind is None or not jnp.issubdtype(kind, jnp.inexact):
                raise Undecided(
                    f"{name}(…){jax.tree_util.keystr(path)} must be floating-point to have a derivative; it is "
                    f"{kind or type(leaf).__name__}"
                )
        self.out_paths = [jax.tree_util.keystr(path) for path, _ in outputs]
        self.outputs = [jax.ShapeDtypeStruct(np.shape(leaf), jnp.result_type(leaf)) for _, leaf in outputs]

    @property
    def _small(self) -> bool:
        inputs, outputs = (sum(leaf.size for leaf in tree) for tree in (self.point.leaves, self.outputs))
        return inputs * outputs <= _SMALL

    def flat(self, leaves: Leaves, others: Leaves) -> Leaves:
        """f, from leaves to leaves."""
        return [jnp.asarray(leaf) for leaf in jax.tree.leaves(self.f(*self.point.arguments(leaves, others)))]

    def value(self, leaves: Leaves) -> list[np.ndarray]:
        """f at a point."""
        if self._small and "autodiff" in vars(
            self
        ):  # sooner done with both Jacobians than compiled once more
            return arrays(self.autodiff.at(leaves, self.point.others).value)
        return [np.asarray(leaf) for leaf in jax.tree.leaves(self.compute.call(leaves, self.point.others))]

    def cotangents(self, k: int, rng: np.random.Generator) -> Leaves:
        """k random cotangents, a list over outputs."""
        return [self._random((k, *out.shape), out.dtype, rng) for out in self.outputs]

    @staticmethod
    def _random(shape: tuple[int, ...], dtype: Any, rng: np.random.Generator) -> Any:
        normal = rng.standard_normal(shape)
        if jnp.issubdtype(dtype, jnp.complexfloating):
            normal = normal + 1j * rng.standard_normal(shape)
        return jax.device_put(normal.astype(dtype))

    def pulled(self, leaves: Leaves, others: Leaves, cotangents: Leaves) -> Leaves:
        """vᵀJ by autodiff, for a batch of cotangents v."""
        _, pull = autodiff.pull(lambda *leaves: self.flat(list(leaves), others), *leaves)
        return list(jax.vmap(lambda v: pull(v))(cotangents))

    @cached_property
    def compiled_pull(self) -> Callable[[Leaves, Leaves, Leaves], Leaves]:
        """`pulled`, compiled."""
        return jax.jit(self.pulled, compiler_options=quickly())

    def modes_apart(self, leaves: Leaves, cotangents: Leaves, pulled: Sequence[np.ndarray]) -> float:
        """How far forward and reverse mode lie apart, of large leaves: ⟨v, Ju⟩ must be ⟨Jᵀv, u⟩ for a random u.

        In units of each leaf's largest entry, as a root mean square; 0 where forward mode does not work.
        """
        count = sum(leaf.size for leaf in pulled) / len(cotangents[0])
        largest = max(map(unit, pulled), default=1.0)
        rng = np.random.default_rng(0)
        along = [
            self._random(leaf.shape, leaf.dtype, rng) / unit(by, otherwise=largest)
            for leaf, by in zip(leaves, pulled, strict=True)
        ]
        if not 0 < count <= _PUSHED:
            return 0.0
        try:
            pushed = arrays(self._compiled_push(leaves, self.point.others, along))
        except Exception:  # the mode that is left is the judge
            return 0.0
        there, back = _products(cotangents, pushed), _products(pulled, along)
        apart = float(np.abs(there - back).max())
        return apart / math.sqrt(count) if math.isfinite(apart) else 0.0

    @cached_property
    def _compiled_push(self) -> Callable[[Leaves, Leaves, Leaves], Leaves]:
        def push(leaves: Leaves, others: Leaves, along: Leaves) -> Leaves:
            return autodiff.push(
                lambda *leaves: self.flat(list(leaves), others), tuple(leaves), tuple(along)
            )[1]

        return jax.jit(push, compiler_options=quickly())

    @cached_property
    def autodiff(self) -> References:
        """Both modes of autodiff, or the one that there is."""
        leaves, others = self.point.leaves, self.point.others
        try:
            found = references(self.flat, leaves, others, self.outputs, self.compute.widest)
        except Exception as error:
            raise Undecided(f"autodiff cannot differentiate {self.name}: {first_line(error)}") from error
        complex_in = any(jnp.issubdtype(leaf.dtype, jnp.complexfloating) for leaf in leaves)
        if complex_in and not holomorphic(self.flat, leaves, others, np.random.default_rng(0)):
            raise Undecided(
                f"{self.name} is not holomorphic: by a complex argument it has no Jacobian of complex numbers; "
                "check its backward pass with check_vjp, or the real and imaginary parts"
            )
        return found

    def difference(self, leaves: Leaves, out: int, k: int, index: tuple[int, ...]) -> Difference:
        """An entry of a block of the Jacobian, output `out` by leaf k, by differences."""
        axes = len(self.outputs[out].shape)
        size = float(sizes(leaves[k])[index[axes:]])

        def along(t: float) -> float:
            moved = [*leaves[:k], jnp.asarray(leaves[k]).at[index[axes:]].add(t), *leaves[k + 1 :]]
            return float(np.real(self.value(moved)[out][index[:axes]]))

        return difference(along, size)


def arrays(leaves: Sequence[Any]) -> list[np.ndarray]:
    """As NumPy sees them."""
    return [np.asarray(leaf) for leaf in leaves]


def finite(tree: Any) -> bool:
    """Whether all numbers of a tree are finite."""
    return all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(tree))


def _products(rows: Sequence[Any], vector: Sequence[Any]) -> np.ndarray:
    """The real part of each row times a vector, both of them lists of leaves."""
    products = [np.tensordot(a, b, axes=np.ndim(b)) for a, b in zip(rows, vector, strict=True)]
    return np.real(np.sum(products, axis=0))


def _kind(leaf: Any) -> Any:
    """The dtype of numbers; None for anything else."""
    try:
        return jnp.result_type(leaf)
    except Exception:
        return None
