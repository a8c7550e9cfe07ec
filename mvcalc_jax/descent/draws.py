"""Chance in a descent: a noisy factor for every tensor of the Jacobian, and mini-batches.

Each draw depends on the key and the number of its step alone. How the steps are cut into chunks does not
matter, then, and a resumed run meets the draws that it would have met anyway.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from mvcalc_jax import require
from mvcalc_jax.require import AnyArray

_BATCHES = 2**32 - 1
"""What is folded into the key for batches: the number of a step that no run reaches, so no noise shares it."""


class Chance(NamedTuple):
    """What is drawn at all: fixed when a chunk is compiled."""

    noisy: bool
    batch_size: int | None


class Random(NamedTuple):
    """What the draws depend on, beside the step: the noise, and a key where anything is drawn."""

    noise: Any
    key: Any


class Draw(NamedTuple):
    """What one step draws, or with a leading axis, many."""

    factors: Float[Array, "*s tensors"] | None
    columns: Int[Array, "*s batch"] | None

    def batch(self, data: tuple[AnyArray, ...]) -> tuple[AnyArray, ...]:
        """The drawn samples of every array, or all of them."""
        if self.columns is None:
            return data
        return tuple(jnp.take(array, self.columns, axis=-1) for array in data)

    def noised(self, jacobian: Any) -> Any:
        """Every tensor of the Jacobian times its factor."""
        if self.factors is None:
            return jacobian
        tensors, structure = jax.tree.flatten(jacobian)
        return structure.unflatten(t * self.factors[k].astype(t.dtype) for k, t in enumerate(tensors))


def prepare(
    noise: float | AnyArray,
    batch_size: int | None,
    key: Key[Array, "*m"] | None,
    data: tuple[AnyArray, ...],
) -> tuple[Chance, Random]:
    """Look at what was asked for, and divide it into what is compiled in and what is passed in."""
    noisy = isinstance(noise, AnyArray) or noise != 0
    require.finite("noise", noise)
    if batch_size is not None:
        batch_size = require.whole("batch_size", batch_size, least=1)
        lengths = sorted({array.shape[-1] for array in data})
        if len(lengths) != 1:
            raise ValueError(
                "`batch_size` needs `data`, arrays with samples on their last axis, all of one length; "
                f"got {'none' if not data else f'lengths {lengths}'}"
            )
        if batch_size > lengths[0]:
            raise ValueError(
                f"`batch_size` must be at most the {lengths[0]} samples of `data`; got {batch_size}"
            )
    if key is None:
        if noisy or batch_size is not None:
            raise ValueError(
                "`key` is needed where there is noise or a batch size; pass key=jax.random.key(0)"
            )
    elif not (isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key)):
        raise TypeError(f"`key` must come from jax.random.key; got {type(key).__name__}")
    return Chance(noisy, batch_size), Random(jax.device_put(noise), key)


def draw(chance: Chance, random: Random, step: AnyArray, count: int, params: Any, samples: int) -> Draw:
    """The draws of `count` steps from `step` on, all at once: one by one they cost a third of a step.

    A batch is the next piece of the samples in an order that is shuffled anew for each pass over them;
    samples that fill no whole batch are left out of that pass.
    """
    steps = step + jnp.arange(count)
    factors = columns = None
    if chance.noisy:
        tensors = jax.tree.leaves(params)
        dtype = jnp.result_type(*tensors)

        def factors_of(step: Array) -> Array:
            key = jax.random.fold_in(random.key, step)
            return 1 + random.noise.astype(dtype) * jax.random.normal(key, (len(tensors),), dtype)

        factors = jax.vmap(factors_of)(jnp.asarray(steps))
    if (size := chance.batch_size) is not None:
        batches = samples // size
        first = step // batches
        batch_key = jax.random.fold_in(random.key, _BATCHES)
        passes = first + jnp.arange((count - 1) // batches + 2)

        def order_of(a_pass: Array) -> Array:
            order = jax.random.permutation(jax.random.fold_in(batch_key, a_pass), samples)
            return order[: batches * size].reshape(batches, size)

        columns = jax.vmap(order_of)(jnp.asarray(passes)).reshape(-1, size)[steps - first * batches]
    return Draw(factors, columns)
