r"""A fully connected network, its cost, and every derivative of it by the chain rule, by hand.

Layer l of L takes a^{l−1} to aˡ, with a⁰ = x:

    zˡ = Wˡ a^{l−1} + bˡ,    aˡ = σ(zˡ),    C = Σₖ wₖ ‖aᴸₖ − yₖ‖² / Σₖ wₖ

Features are rows and samples are columns: x is (i, n), y is (o, n), Wˡ is (o, i), bˡ is (o, 1).
The weights wₖ of the n samples are 1 unless given, and then C = ‖aᴸ − y‖²_F / n.

Derivation. Write dz for ∂C/∂z, which has z's shape. From the last layer back to the first:

    da = 2 w ⊙ (aᴸ − y) / Σ w              the cost, once
    dz = da ⊙ σ′(z)                        ∂a/∂z is diagonal
    ∂C/∂W = dz (a^{l−1})ᵀ                  ∂z/∂W is a^{l−1}; the product sums over samples
    ∂C/∂b = Σₖ dzₖ                         ∂z/∂b is 1
    da = Wᵀ dz                             ∂z/∂a^{l−1} is W: hand it to the layer before

`factors` shows these links one by one. References: Rumelhart, Hinton and Williams, Nature 323 (1986);
Griewank and Walther, Evaluating Derivatives (2008), §3.2.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from mvcalc_jax import require
from mvcalc_jax.models import lanes
from mvcalc_jax.models.activations import Choice, per_layer
from mvcalc_jax.models.chain import ChainRule, Factor, superscript
from mvcalc_jax.require import AnyArray


class Layer(NamedTuple):
    """One layer's parameters, or the derivatives of the cost with respect to them.

    >>> layer = mv.network.Layer(W=jnp.array([[1.0, -1.0]]), b=jnp.array([[0.5]]))
    >>> mv.network.forward([layer], jnp.array([[2.0], [3.0]]), activation="identity")
    Array([[-0.5]], dtype=float32)
    """

    W: Float[AnyArray, "o i"]
    b: Float[AnyArray, "o 1"]


Params = Sequence[tuple[Float[AnyArray, "_ _"], Float[AnyArray, "_ 1"]]]
"""(W, b) for each layer; `init` makes `Layer`s."""


class ForwardPass(NamedTuple):
    """Every intermediate of the forward pass: z = (z¹, …, zᴸ) and a = (a⁰, …, aᴸ), a⁰ being x.

    >>> params = mv.network.init(np.random.default_rng(0), (1, 6, 2))
    >>> passed = mv.network.trace(params, np.zeros((1, 4)))
    >>> len(passed.z), len(passed.a), passed.a[0].shape
    (2, 3, (1, 4))
    """

    z: tuple[Float[Array, "_ n"], ...]
    a: tuple[Float[AnyArray, "_ n"], ...]


def init(
    key: Key[Array, ""] | np.random.Generator,
    sizes: Sequence[int],
    *,
    scale: float = 0.5,
    dtype: type | np.dtype = float,
) -> tuple[Layer, ...]:
    """Random parameters: every entry of W and b drawn from N(0, scale²).

    Args:
        key: from `jax.random.key(seed)`; or a NumPy generator, which draws on the host, with nothing to compile.
        sizes: the width of the input, of each hidden layer, and of the output: (1, 6, 7, 2) is the
            network of 77 parameters that draws a curve.
        scale: the standard deviation; ½ is the course's.
        dtype: float64 where JAX has it enabled, else float32, unless named.

    Raises:
        ValueError: for fewer than two sizes, or one below 1.
        TypeError: for sizes, a key, a scale or a dtype that are none.

    >>> params = mv.network.init(np.random.default_rng(0), (1, 6, 7, 2))
    >>> [(layer.W.shape, layer.b.shape) for layer in params]
    [((6, 1), (6, 1)), ((7, 6), (7, 1)), ((2, 7), (2, 1))]
    >>> mv.network.init(np.random.default_rng(0), (2,))
    Traceback (most recent call last):
        ...
    ValueError: `sizes` must name an input and an output width at least; got (2,)
    """
    if not isinstance(sizes, Sequence):
        raise TypeError(f"`sizes` must be a sequence of widths, such as (1, 6, 7, 2); got {sizes!r}")
    require.number("scale", scale)
    if not _is_floating(dtype):
        raise TypeError(f"`dtype` must be a floating-point one; got {dtype!r}")
    sizes = [require.whole("sizes", size, least=0) for size in sizes]
    if len(sizes) < 2 or 0 in sizes:
        wanted = (
            "name an input and an output width at least" if len(sizes) < 2 else "hold widths of at least 1"
        )
        raise ValueError(f"`sizes` must {wanted}; got {tuple(sizes)}")
    shapes = [(o, i + 1) for i, o in pairwise(sizes)]  # b beside W
    require.whole("sizes in all", sum(o * i for o, i in shapes), least=1)
    ends = np.cumsum([0, *(o * i for o, i in shapes)])
    if isinstance(key, np.random.Generator):
        drawn = (scale * key.standard_normal(ends[-1])).astype(jax.dtypes.canonicalize_dtype(dtype))
    else:
        if not (
            isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and not key.shape
        ):
            raise TypeError(
                f"`key` must be a NumPy generator, or come from jax.random.key; got {type(key).__name__}"
            )
        drawn = scale * jax.random.normal(key, (ends[-1],), dtype)
    blocks = [drawn[a:z].reshape(of) for (a, z), of in zip(pairwise(ends), shapes, strict=True)]
    return tuple(Layer(W=block[:, 1:], b=block[:, :1]) for block in blocks)


def _is_floating(dtype: Any) -> bool:
    try:
        return isinstance(dtype, (type, str, np.dtype)) and bool(
            jnp.issubdtype(np.dtype(dtype), jnp.floating)
        )
    except TypeError:
        return False


def trace(params: Params, x: Float[AnyArray, "i n"], *, activation: Choice = "logistic") -> ForwardPass:
    """The forward pass in named steps, all of them kept for the way back.

    >>> params = mv.network.init(np.random.default_rng(0), (1, 6, 2))
    >>> passed = mv.network.trace(params, np.zeros((1, 4)))
    >>> [z.shape for z in passed.z], [a.shape for a in passed.a]
    ([(6, 4), (2, 4)], [(1, 4), (6, 4), (2, 4)])
    """
    _check(params, x)
    zs, activations = [], [x]
    for (W, b), σ in zip(params, per_layer(activation, len(params)), strict=True):
        zs.append(W @ activations[-1] + b)
        activations.append(σ.f(zs[-1]))
    return ForwardPass(tuple(zs), tuple(activations))


def forward(
    params: Params, x: Float[AnyArray, "i n"], *, activation: Choice = "logistic"
) -> Float[Array, "o n"]:
    """The output aᴸ for every column of x.

    Args:
        params: (W, b) for each layer, as `init` makes them.
        x: (i, n), a sample in each column.
        activation: a name of `ACTIVATIONS` for all layers, or a sequence with one for each.

    Raises:
        ValueError: where shapes do not fit together.
        TypeError: where numbers are not floating-point.

    >>> params = [(jnp.array([[2.0], [-2.0]]), jnp.array([[0.0], [1.0]]))]  # one layer, 1 → 2
    >>> x = jnp.array([[0.0, 1.0, 2.0]])  # three samples, one in each column
    >>> print(np.array(mv.network.forward(params, x)).round(3))
    [[0.5   0.881 0.982]
     [0.731 0.269 0.047]]
    """
    return jnp.asarray(trace(params, x, activation=activation).a[-1])


def cost(
    params: Params,
    x: Float[AnyArray, "i n"],
    y: Float[AnyArray, "o n"],
    *,
    activation: Choice = "logistic",
    weights: Float[AnyArray, " n"] | None = None,
) -> Float[Array, ""]:
    """C = ‖aᴸ − y‖²_F / n, or the weighted mean of the samples' squared errors.

    A weight of 0 leaves a sample out, so one compiled program serves data of any size up to n.

    >>> params = [(jnp.array([[2.0]]), jnp.array([[0.0]]))]
    >>> x, y = jnp.array([[0.0, 1.0]]), jnp.array([[1.0, 2.0]])
    >>> print(mv.network.cost(params, x, y, activation="identity"))
    0.5
    >>> print(mv.network.cost(params, x, y, activation="identity", weights=jnp.array([0.0, 1.0])))
    0.0
    """
    a = forward(params, x, activation=activation)
    _check_target(a.shape, y, weights)
    return jnp.sum(_share(y, weights) * (a - y) ** 2)


def jacobian(
    params: Params,
    x: Float[AnyArray, "i n"],
    y: Float[AnyArray, "o n"],
    *,
    activation: Choice = "logistic",
    weights: Float[AnyArray, " n"] | None = None,
) -> Params:
    """All ∂C/∂W and ∂C/∂b, in the structure of `params`: forward in named steps, back in reverse.

    Of a tiny network, and where it is compiled, the same sums are taken in an order that suits a processor: `lanes`.

    >>> params = [(jnp.array([[2.0]]), jnp.array([[0.0]]))]  # 2x against y, off by −1 at 0 and by 0 at 1
    >>> x, y = jnp.array([[0.0, 1.0]]), jnp.array([[1.0, 2.0]])
    >>> ((dW, db),) = mv.network.jacobian(params, x, y, activation="identity")
    >>> print(dW, db)
    [[0.]] [[-1.]]
    """
    _check(params, x)
    σ = per_layer(activation, len(params))
    _check_target((params[-1][0].shape[0], x.shape[1]), y, weights)
    if lanes.suit([W for W, _ in params], x):
        share = jnp.broadcast_to(jnp.asarray(_share(y, weights), x.dtype), (1, x.shape[1]))
        return _like(params, lanes.derivatives(params, x, y, share, σ))

    z, a = trace(params, x, activation=σ)
    da = 2 * _share(y, weights) * (a[-1] - y)
    derivatives = []
    for l in reversed(range(len(params))):
        W, _ = params[l]
        dz = da * σ[l].d_f(z[l])
        derivatives.append((dz @ a[l].T, dz.sum(axis=1, keepdims=True)))
        da = W.T @ dz
    return _like(params, derivatives[::-1])


def _like(params: Params, derivatives: Sequence[Any]) -> Params:
    """(∂C/∂W, ∂C/∂b) of each layer, in the structure of `params`."""
    return jax.tree.unflatten(jax.tree.structure(params), jax.tree.leaves(derivatives))


def size(params: Params) -> int:
    """How many numbers the parameters are.

    >>> mv.network.size(mv.network.init(np.random.default_rng(0), (1, 6, 7, 2)))
    77
    """
    _check_layers(params)
    return sum(W.size + b.size for W, b in params)


def multiplications(params: Params, samples: int) -> int:
    """How many products of two numbers `jacobian` forms: each weight and sample forward, and twice back.

    >>> mv.network.multiplications(mv.network.init(np.random.default_rng(0), (1, 6, 7, 2)), samples=100)
    18600
    """
    _check_layers(params)
    samples = require.whole("samples", samples, least=0)
    return 3 * samples * sum(W.size for W, _ in params)


def factors(
    params: Params,
    x: Float[AnyArray, "i n"],
    y: Float[AnyArray, "o n"],
    *,
    activation: Choice = "logistic",
    weights: Float[AnyArray, " n"] | None = None,
) -> ChainRule:
    """The factors that `jacobian` multiplies, one by one, from the cost back to the input.

    `print(factors(…))` shows each with its shape; `factors(…)["∂a³/∂z³"]` is one of them, and
    `factors(…).product("W¹")` multiplies those that lead from the cost to W¹.

    >>> params = mv.network.init(np.random.default_rng(0), (1, 6, 2))
    >>> chain = mv.network.factors(params, np.zeros((1, 4)), np.zeros((2, 4)))
    >>> print(chain)
    factor   kept                 full Jacobian
    ∂C/∂a²   2(a² − y)/n  (2, 4)  (2, 4)
    ∂a²/∂z²  σ′(z²)       (2, 4)  (2, 4, 2, 4)
    ∂z²/∂W²  a¹           (6, 4)  (2, 4, 2, 6)
    ∂z²/∂b²  1            (1, 4)  (2, 4, 2, 1)
    ∂z²/∂a¹  W²           (2, 6)  (2, 4, 6, 4)
    ∂a¹/∂z¹  σ′(z¹)       (6, 4)  (6, 4, 6, 4)
    ∂z¹/∂W¹  a⁰           (1, 4)  (6, 4, 6, 1)
    ∂z¹/∂b¹  1            (1, 4)  (6, 4, 6, 1)
    ∂z¹/∂a⁰  W¹           (6, 1)  (6, 4, 1, 4)
    ∂C/∂W² = ∂C/∂a² · ∂a²/∂z² · ∂z²/∂W²
    ∂C/∂b² = ∂C/∂a² · ∂a²/∂z² · ∂z²/∂b²
    ∂C/∂W¹ = ∂C/∂a² · ∂a²/∂z² · ∂z²/∂a¹ · ∂a¹/∂z¹ · ∂z¹/∂W¹
    ∂C/∂b¹ = ∂C/∂a² · ∂a²/∂z² · ∂z²/∂a¹ · ∂a¹/∂z¹ · ∂z¹/∂b¹
    >>> chain["dz2/dW2"].full().shape, chain.product("W1").shape
    ((2, 4, 2, 6), (6, 1))
    """
    z, a = trace(params, x, activation=activation)
    σ = per_layer(activation, len(params))
    _check_target(a[-1].shape, y, weights)
    names = [superscript(str(l)) for l in range(len(params) + 1)]
    (o, n), L = y.shape, names[-1]
    formula = f"2(a{L} − y)/n" if weights is None else f"2w(a{L} − y)/Σw"
    chain = [Factor("C", f"a{L}", formula, 2 * _share(y, weights) * (a[-1] - y), "cost", (o, n))]
    for l in reversed(range(len(params))):
        (W, _), (o, h) = params[l], params[l][0].shape
        top, below = names[l + 1], names[l]
        ones = jnp.ones_like(z[l][:1])
        chain += [
            Factor(f"a{top}", f"z{top}", f"σ′(z{top})", σ[l].d_f(z[l]), "diagonal", (o, n, o, n)),
            Factor(f"z{top}", f"W{top}", f"a{below}", a[l], "input", (o, n, o, h)),
            Factor(f"z{top}", f"b{top}", "1", ones, "bias", (o, n, o, 1)),
            Factor(f"z{top}", f"a{below}", f"W{top}", W, "weight", (o, n, h, n)),
        ]
    return ChainRule(chain)


def _share(y: AnyArray, weights: AnyArray | None) -> AnyArray | float:
    """Each sample's share of the mean, w/Σw as a row, or 1/n."""
    return 1 / y.shape[1] if weights is None else weights[None, :] / weights.sum()


def _check_layers(params: Params) -> None:
    if not isinstance(params, (tuple, list)) or not all(
        isinstance(layer, (tuple, list)) and len(layer) == 2 for layer in params
    ):
        kind = type(params).__name__
        raise TypeError(
            f"`params` must be a list of Layer(W, b), as network.init makes it; got another {kind}"
        )
    if len(params) == 0:
        raise ValueError("`params` must hold at least one Layer(W, b); got none; network.init makes them")
    for l, (W, b) in enumerate(params):
        require.floating(f"params[{l}].W", W)
        require.floating(f"params[{l}].b", b)


def _check(params: Params, x: AnyArray) -> None:
    _check_layers(params)
    require.floating("x", x)
    width = x.shape[0] if x.ndim else None
    for l, (W, b) in enumerate(params):
        require.shape(f"params[{l}].W", W, (None, None), "(outputs, inputs)")
        require.shape(f"params[{l}].b", b, (W.shape[0], 1), "one row for each row of W")
        if l:
            require.shape(f"params[{l}].W", W, (None, width), f"one column for each row of params[{l - 1}].W")
        width = W.shape[0]
    require.shape("x", x, (params[0][0].shape[1], None), "(inputs of the first layer, samples)")
    if x.shape[1] == 0:
        raise ValueError(f"`x` must hold at least one sample in its columns; got shape {x.shape}")


def _check_target(shape: tuple[int, ...], y: AnyArray, weights: AnyArray | None) -> None:
    require.floating("y", y)
    require.shape("y", y, shape, "(outputs of the last layer, samples of x)")
    if weights is not None:
        require.floating("weights", weights)
        require.shape("weights", weights, (shape[1],), "one for each sample")
