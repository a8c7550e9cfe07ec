"""One neuron as a network of one layer: its gates, its descent, its cost; and the gradients of deep networks.

`one_neuron` asks; here is what it computes. Gates list their inputs as 0, 1 or as 00, 10, 01, 11.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import compiling
from mvcalc_jax.models.chain import ChainRule
from mvcalc_jax.models.network import Layer

GATES = {"not": (1, 0), "and": (0, 0, 0, 1), "or": (0, 1, 1, 1), "nand": (1, 1, 1, 0), "xor": (0, 1, 1, 0)}
NETWORKS, SAMPLES = 200, 8
"""Random networks, and samples that each is shown."""


def gate(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (bits, n) and targets (1, n)."""
    y = np.array([GATES[name]], float)
    bits = y.shape[1] // 2
    return np.array([[k >> bit & 1 for k in range(2**bits)] for bit in range(bits)], float), y


def neuron(w: Any, b: Any, bits: int) -> tuple[Layer]:
    """A network of one neuron, with equal weights for all its inputs."""
    return (Layer(jnp.full((1, bits), w, float), jnp.full((1, 1), b, float)),)


def learn(name: str, activation: str, start: tuple[float, float], rate: float, steps: int) -> mv.Result:
    """Steepest descent by the network's own Jacobian, with the gate as its data."""
    data, of = gate(name), {"activation": activation}
    of_params, jacobian = partial(mv.network.cost, **of), partial(mv.network.jacobian, **of)
    first = jax.tree.map(np.asarray, neuron(*start, len(data[0])))
    return mv.steepest_descent(jacobian, first, steps=steps, learning_rate=rate, cost=of_params, data=data)


def cost(name: str, activation: str) -> Any:
    """The cost as a function of w and b, of numbers or of grids."""
    x, y = gate(name)
    one = lambda w, b: mv.network.cost(neuron(w, b, len(x)), x, y, activation=activation)
    return jax.jit(jnp.vectorize(one), compiler_options=compiling.quickly())


def landscape(name: str, activation: str, seen: np.ndarray) -> Any:
    """The cost over (w, b), on a grid about all points that are to be seen."""
    low, high = seen.min(axis=0), seen.max(axis=0)
    margin = np.maximum(0.12 * (high - low), 0.5)
    box = np.stack([low - margin, high + margin], axis=1)
    return mv.plots.surface.sampled(cost(name, activation), box, 150)


def answers(
    name: str, activation: str, start: np.ndarray, end: np.ndarray
) -> tuple[Any, list[tuple[str, ...]]]:
    """What the neuron answers at two places (w, b): to a fine row of Σx, and as a truth table."""
    x, y = gate(name)
    total = np.linspace(-0.4, len(x) + 0.4, 121)
    answer = lambda wb, x: np.asarray(
        mv.network.forward(neuron(wb[0], wb[1], len(x)), x, activation=activation)
    )[0]
    even = np.tile(total / len(x), (len(x), 1))
    response = mv.plots.neuron.Response(total, answer(start, even), answer(end, even), x.sum(axis=0), y[0])
    rows = [("x" if len(x) == 1 else "x₁, x₂", "asked for", "before", "after", "right?")]
    for bits, target, was, now in zip(x.T, y[0], answer(start, x), answer(end, x), strict=True):
        right = "yes" if round(now) == target else "no"
        rows.append(
            (", ".join(f"{bit:.0f}" for bit in bits), f"{target:.0f}", f"{was:.4f}", f"{now:.4f}", right)
        )
    return response, rows


def at_one_point() -> str:
    """The chain rule of one neuron with the course's numbers, factor by factor."""
    w, b, x, y = 2.3, -1.2, 0.0, 1.0
    chain = mv.network.factors(neuron(w, b, 1), np.array([[x]]), np.array([[y]]), activation="tanh")
    lines = []
    for bottom in "Wb":
        path, whole = chain.path(f"{bottom}1"), chain.product(f"{bottom}1").item()
        names, values = (
            " · ".join(words) for words in ([f.name for f in path], [f"{f.kept.item():.6g}" for f in path])
        )
        lines.append(
            f"∂C/∂{bottom}¹ = {names} = {values} = {whole + 0.0:.10g}"
        )  # + 0.0: no minus before a zero
    return f"(w, b, x, y) = ({w:g}, {b:g}, {x:g}, {y:g})\n" + "\n".join(lines)


def grow(activation: str, rng: np.random.Generator) -> list[ChainRule]:
    """The factors of networks of one, two and three layers, each shown one sample."""
    widths = [(1, *(3,) * hidden, 1) for hidden in range(3)]
    x, y = np.array([[0.8]]), np.array([[0.0]])
    return [mv.network.factors(mv.network.init(rng, w), x, y, activation=activation) for w in widths]


def shrink(depth: int, width: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The median size of ∂C/∂W over random networks, from the last layer back to the first, for some activations."""
    drawn = [mv.network.init(rng, (width,) * (depth + 1)) for _ in range(NETWORKS)]
    nets = jax.tree.map(lambda *members: np.stack(members), *drawn)
    x, y = rng.standard_normal((width, SAMPLES)), rng.random((width, SAMPLES))
    sizes = {}
    for name in ("tanh", "relu", "logistic"):
        jacobian = jax.vmap(lambda net, name=name: mv.network.jacobian(net, x, y, activation=name))
        found = jax.jit(jacobian, compiler_options=compiling.quickly())(nets)
        sizes[name] = np.array([np.median(np.linalg.norm(layer.W, axis=(1, 2))) for layer in found[::-1]])
    return sizes
