r"""The Jacobian of a tiny network once more, in the shape of a processor's vector registers.

What a compiler cannot know of `network.jacobian`: its matrices are so small that a call to a matrix product takes
longer than the product. A person does, and writes the products out as what they are, sums of a few rows,

    zˡ = bˡ + Σᵢ Wˡ[:, i] aᵢ^{l−1}          daᵢ = Σₒ Wˡ[o, i] dzₒ

whose terms XLA merges with σ and σ′ into one loop over the samples. The sums over samples are first taken lane by lane,
`LANES` samples side by side, so that only the last few additions are between lanes:

    ∂C/∂W = Σ_lane ( Σ_block dz[:, block, lane] aᵀ[:, block, lane] )

The last block is filled with copies of the last sample, of weight 0. A step of the 1-6-7-2 network on 100 samples
becomes a dozen loops in place of twice as many and six matrix products: two fifths of the time, by `python -m
benchmarks.training`. With wider layers or more samples the products pay, and these sums, which XLA writes out in full,
do not; `suit` draws the line where `network.jacobian` overtakes (`python -m benchmarks.gradients`).
"""

import operator
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mvcalc_jax import require
from mvcalc_jax.models.activations import Activation
from mvcalc_jax.require import AnyArray

LANES = 16
"""Numbers of float32 in the widest registers of today's processors, 512 bits."""

WIDEST, MOST = 144, 512
"""The weights of a layer, and these times the blocks of samples, up to which lanes are the faster way."""


def suit(W: Sequence[Float[AnyArray, "_ _"]], x: Float[AnyArray, "i n"]) -> bool:
    """Whether a network of these weights on so many samples is tiny enough, and about to be compiled.

    Operation by operation there are more of them, and no loop that they could be merged into.
    """
    blocks = -(-x.shape[1] // LANES)
    sizes = [w.size for w in W]
    return (
        require.traced((W, x))
        and max(sizes) <= WIDEST
        and max(sizes) * blocks <= MOST
        and np.dtype(x.dtype).itemsize >= 4  # sums of 16 bits would lose digits that a product keeps
    )


def derivatives(
    params: Sequence[tuple[Float[AnyArray, "_ _"], Float[AnyArray, "_ 1"]]],
    x: Float[AnyArray, "i n"],
    y: Float[AnyArray, "o n"],
    share: Float[AnyArray, "1 n"],
    σ: Sequence[Activation],
) -> list[tuple[Float[Array, "_ _"], Float[Array, "_ 1"]]]:
    """∂C/∂W and ∂C/∂b of each layer, for samples that have these shares of the cost.

    The arguments are those of `network.jacobian`, and must have been looked at.
    """
    fill = ((0, 0), (0, -x.shape[1] % LANES))
    x, y, share = jnp.pad(x, fill, mode="edge"), jnp.pad(y, fill, mode="edge"), jnp.pad(share, fill)

    a, z = [x], []
    for (W, b), layer in zip(params, σ, strict=True):
        z.append(_total([b, *(W[:, i, None] * a[-1][None, i] for i in range(W.shape[1]))]))
        a.append(layer.f(z[-1]))

    da = 2 * share * (a[-1] - y)
    found = []
    for l in reversed(range(len(params))):
        W, _ = params[l]
        dz = da * σ[l].d_f(z[l])
        blocks = list(zip(_blocks(dz), _blocks(a[l]), strict=True))
        dW = _total(dz[:, None] * a[None] for dz, a in blocks).sum(axis=-1)
        db = _total(dz for dz, _ in blocks).sum(axis=-1, keepdims=True)
        found.append((dW, db))
        da = _total(W[o, :, None] * dz[None, o] for o in range(W.shape[0]))
    return found[::-1]


def _total(terms: Iterable[Any]) -> Any:
    """Their sum, written out, so that XLA makes no loop of its own of it."""
    return reduce(operator.add, terms)


def _blocks(rows: Float[AnyArray, "r n"]) -> list[Float[AnyArray, "r lanes"]]:
    """The samples, `LANES` of them at a time."""
    return [rows[:, first : first + LANES] for first in range(0, rows.shape[1], LANES)]
