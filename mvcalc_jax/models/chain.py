"""The factors of a network's chain rule as things to look at: names, shapes, full Jacobians, products.

A local Jacobian of a network is mostly zeros and repeats, so backpropagation never forms it: it keeps
a small array and multiplies by that. A `Factor` holds the small array and can spread it out into the
full Jacobian, output axes first, to be compared with autodiff. For o rows, h rows before, n samples:

    factor      kept           full Jacobian                           multiplies D = ∂C/∂(its top) as
    ∂C/∂aᴸ      (o, n)         (o, n)                                  the start
    ∂aˡ/∂zˡ     σ′, (o, n)     (o, n, o, n)  J[i,k,j,q] = δᵢⱼ δₖq σ′ᵢₖ  D ⊙ σ′
    ∂zˡ/∂Wˡ     a, (h, n)      (o, n, o, h)  J[i,k,j,q] = δᵢⱼ a_qₖ      D aᵀ, which sums over samples
    ∂zˡ/∂bˡ     1, (1, n)      (o, n, o, 1)  J[i,k,j,0] = δᵢⱼ          the sum of D over samples
    ∂zˡ/∂aˡ⁻¹   W, (o, h)      (o, n, h, n)  J[i,k,j,q] = Wᵢⱼ δₖq       Wᵀ D
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mvcalc_jax import require, text
from mvcalc_jax.require import AnyArray

_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Factor(NamedTuple):
    """One local Jacobian ∂top/∂bottom."""

    top: str
    bottom: str
    formula: str
    kept: Float[AnyArray, "..."]
    form: Literal["cost", "diagonal", "input", "bias", "weight"]
    shape: tuple[int, ...]
    """The shape of the full Jacobian: the top's axes, then the bottom's."""

    @property
    def name(self) -> str:
        return f"∂{self.top}/∂{self.bottom}"

    def full(self) -> Float[Array, "..."]:
        """The Jacobian in full, as `jax.jacobian` returns it."""
        if self.form == "cost":
            return jnp.asarray(self.kept)
        kind = jax.dtypes.canonicalize_dtype(self.kept.dtype)  # of NumPy's float64 where JAX has only float32
        rows, samples = (jnp.eye(length, dtype=kind) for length in self.shape[:2])
        match self.form:
            case "diagonal":
                return jnp.einsum("ij,kq,ik->ikjq", rows, samples, self.kept)
            case "input" | "bias":
                return jnp.einsum("ij,qk->ikjq", rows, self.kept)
            case "weight":
                return jnp.einsum("ij,kq->ikjq", self.kept, samples)

    def pull(self, D: Float[AnyArray, "..."]) -> Float[Array, "..."]:
        """∂C/∂bottom from D = ∂C/∂top, without forming the full Jacobian."""
        require.floating("D", D)
        match self.form:
            case "cost" | "diagonal":
                return jnp.multiply(D, self.kept)
            case "input" | "bias":
                return jnp.matmul(D, self.kept.T)
            case "weight":
                return jnp.matmul(self.kept.T, D)


@text.shown
class ChainRule(dict[str, Factor]):
    """The factors from the cost back to the input, by name; `print` shows them all.

    Names may be typed plainly: `"dz3/dW3"` finds ∂z³/∂W³.
    """

    def __init__(self, factors: Iterable[Factor]):
        super().__init__((factor.name, factor) for factor in factors)

    def __missing__(self, name: str) -> Factor:
        require.one_of("factor", _spelled(str(name)), self.keys())
        return self[_spelled(name)]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(_spelled(str(name)))

    def path(self, bottom: str) -> list[Factor]:
        """The factors that lead from the cost down to, say, "W¹", in the order multiplied."""
        above = {factor.bottom: factor for factor in self.values()}
        bottom = superscript(str(bottom))
        require.one_of("variable", bottom, above)
        path = [above[bottom]]
        while path[0].top != "C":
            path.insert(0, above[path[0].top])
        return path

    def product(self, bottom: str) -> Float[Array, "..."]:
        """∂C/∂bottom: the factors of `path`, multiplied from the cost on down."""
        path = self.path(bottom)
        D = jnp.ones((), path[0].kept.dtype)
        for factor in path:
            D = factor.pull(D)
        return D

    def _parts(self) -> text.Parts:
        rows = [("factor", "kept", "", "full Jacobian")]
        rows += [(f.name, f.formula, str(f.kept.shape), str(f.shape)) for f in self.values()]
        parts: list[str | text.Rows] = [rows]
        for bottom in (f.bottom for f in self.values() if f.form in ("input", "bias")):
            product = " · ".join(factor.name for factor in self.path(bottom))
            parts.append(f"∂C/∂{bottom} = {product}")
        return parts


def _spelled(name: str) -> str:
    """A factor's name as it is kept, from one that was typed plainly: ∂z³/∂W³ from dz3/dW3."""
    return "/".join("∂" + superscript(part.lstrip("d∂")) for part in name.split("/"))


def superscript(name: str) -> str:
    """A name with its digits raised: a3 as a³."""
    return name.translate(_SUPERSCRIPT)
