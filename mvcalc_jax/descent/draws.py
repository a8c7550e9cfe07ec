"""Chance in a descent: a noisy factor for every tensor of the Jacobian, and mini-batches.

Each draw depends on the key and the number of its step alone. How the steps are cut into chunks does not
matter, then, and a resumed run meets the draws that it would have met anyway.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int, Key

from mvcalc_jax import require
from mvcalc_jax.compiling import quickly
from mvcalc_jax.require import AnyArray

_BATCHES = 2**32 - 1
"""What is folded into the key for batches: the number of a step that no run reaches, so no noise shares it."""

Data = tuple[AnyArray, ...]


class Chance(NamedTuple):
    """What is drawn at all: fixed when a chunk is compiled."""

    noisy: bool
    batch_size: int | None


class Random(NamedTuple):
    """What the draws depend on, beside the step: the noise, and a key where anything is drawn."""

    noise: Any
    key: Any


def prepare(
    noise: float | AnyArray,
    batch_size: int | None,
    key: Key[Array, "*m"] | None,
    data: Data,
    members: tuple[int, ...],
) -> tuple[Chance, Random]:
    """Look at what was asked for, and divide it into what is compiled in and what is passed in.

    Raises:
        ValueError, TypeError: for noise or a batch size without a key, a batch size that does not fit `data`, or a
            key that is none, or not one for each member of an ensemble.
    """
    noisy = isinstance(noise, AnyArray) or noise != 0
    require.number("noise", noise)
    if not require.traced(noise) and np.asarray(noise) < 0:
        raise ValueError(f"`noise` must not be negative; got {noise}")
    if batch_size is not None:
        batch_size = require.whole("batch_size", batch_size, least=1)
        lengths = sorted({array.shape[-1] if array.ndim else 0 for array in data})
        if len(lengths) != 1:
            raise ValueError(
                "`batch_size` needs `data`, arrays with samples on their last axis, all of one length; "
                f"got {'none' if not data else f'lengths {lengths}'}"
            )
        if batch_size > lengths[0]:
            raise ValueError(
                f"`batch_size` must be at most the {lengths[0]} samples of `data`; got {batch_size}"
            )
    if not noisy and batch_size is None:
        return Chance(noisy, batch_size), Random(0.0, None)
    if key is None:
        raise ValueError("`key` is needed where there is noise or a batch size; pass key=jax.random.key(0)")
    if not (isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key)):
        raise TypeError(f"`key` must come from jax.random.key; got {type(key).__name__}")
    require.shape("key", key, members, "one for each member of the ensemble" if members else "a single key")
    return Chance(noisy, batch_size), Random(jax.device_put(noise), key)


def factors(random: Random, steps: Int[Array, " s"], params: Any) -> Float[Array, "s tensors"]:
    """1 + noise · N(0, 1) for each step and tensor; all at once, for one by one they cost a third of a step."""
    tensors = jax.tree.leaves(params)
    return _factors(random, steps, len(tensors), jnp.result_type(*tensors))


def factors_ahead(
    random: Random, begun: int | Int[AnyArray, ""], steps: int, params: Any, *, ensemble: bool
) -> Float[Array, "*m s tensors"]:
    """`factors` of so many steps, as a program of its own, which compiles in a quarter of the time."""
    tensors = jax.tree.leaves(params)
    return _ahead()(random, begun, steps, len(tensors), jnp.result_type(*tensors), ensemble)


def _factors(random: Random, steps: Array, tensors: int, dtype: Any) -> Array:
    def of_step(step: Array) -> Array:
        normal = jax.random.normal(jax.random.fold_in(random.key, step), (tensors,), dtype)
        return 1 + jnp.asarray(random.noise, dtype) * normal

    return jax.vmap(of_step)(steps)


@cache
def _ahead() -> Callable[..., Array]:
    @partial(jax.jit, static_argnums=(2, 3, 4, 5), compiler_options=quickly(1))
    def ahead(random: Random, begun: Any, steps: int, tensors: int, dtype: Any, ensemble: bool) -> Array:
        of = lambda key: _factors(random._replace(key=key), begun + jnp.arange(steps), tensors, dtype)
        return (jax.vmap(of) if ensemble else of)(random.key)

    return ahead


def noised(jacobian: Any, factors: Float[Array, " tensors"]) -> Any:
    """Every tensor of the Jacobian times its factor."""
    tensors, structure = jax.tree.flatten(jacobian)
    return structure.unflatten(t * factors[k].astype(t.dtype) for k, t in enumerate(tensors))


class Batches(NamedTuple):
    """Mini-batches: consecutive pieces of the samples, in an order that is shuffled anew for each pass over them.

    Samples that fill no whole batch are left out of that pass.
    """

    random: Random
    data: Data
    size: int

    @property
    def in_a_pass(self) -> int:
        return self.data[0].shape[-1] // self.size

    def order(self, step: Int[AnyArray, ""]) -> Int[Array, " n"]:
        """The order of the samples in the pass that a step belongs to."""
        key = jax.random.fold_in(jax.random.fold_in(self.random.key, _BATCHES), step // self.in_a_pass)
        return jax.random.permutation(key, self.data[0].shape[-1])

    def of(self, step: Int[AnyArray, ""], order: Int[Array, " n"]) -> tuple[Data, Int[Array, " n"]]:
        """The batch of a step, and the order of its pass, given the order of the step before."""
        place = step % self.in_a_pass
        order = lax.cond(place == 0, lambda: self.order(step), lambda: order)
        columns = lax.dynamic_slice_in_dim(order, place * self.size, self.size)
        return tuple(jnp.take(array, columns, axis=-1) for array in self.data), order
