"""What does a check cost: of the course's network link by link, and of ten million parameters?

    python -m benchmarks.large

The network is checked as a chain of seven links, in a process that has done it once before. The large function is one
layer with a scalar cost; time and peak memory of its check, as a Jacobian and as a backward pass, are compared with
one evaluation of `jax.grad` in float64, each in a process of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import mvcalc_jax as mv
from benchmarks import results
from benchmarks.harness import alone, peak_memory, seconds
from benchmarks.results import Findings, Table
from mvcalc_jax import text
from mvcalc_jax.models.activations import ACTIVATIONS

QUESTION = (__doc__ or "").partition("\n")[0]


@dataclass(frozen=True)
class Config:
    """Time checks, small and large, and weigh the large ones; a minute."""

    parameters: int = 10_000_000
    """Of the large function."""
    quick: bool = False
    """A hundredth of them, and no backward pass."""


def findings(config: Config) -> Findings:
    parameters = mv.require.whole("parameters", config.parameters, least=1000)
    parameters = min(parameters, 100_000) if config.quick else parameters
    with mv.devices.computing("cpu"):
        first, later = (seconds(chain) for _ in range(2))
    weighed = {name: alone(weigh, name, parameters) for name in list(LARGE)[: 2 if config.quick else None]}
    base = weighed["jax.grad"][1]
    rows = [(f"{text.count(parameters)} parameters", "seconds", "peak memory", "times that of one gradient")]
    for name, (taken, memory) in weighed.items():
        rows.append((name, f"{taken:.1f}", f"{memory:.0f} MB", f"{memory / base:.1f}"))
    checks = {name: of for name, of in weighed.items() if name != "jax.grad"}
    words = (
        f"{name} takes {taken:.1f} s and {memory / base:.1f} times"
        for name, (taken, memory) in checks.items()
    )
    return Findings(
        [Table("", rows)],
        conclusion=f"The course's network, {len(links()[0])} links, is checked in {later:.2f} s, and in {first:.1f} s "
        f"the first time. Of {text.count(parameters)} parameters, {' and '.join(words)} the memory of one gradient.",
        limits="Each large check is run once, in a process of its own, whose memory includes JAX's own.",
        numbers={"chain, seconds": {"first": first, "later": later}, "seconds, MB": weighed},
    )


def links() -> tuple[list[mv.Link], Any]:
    """The network as a chain of local Jacobians in full, from its input to its cost."""
    heart = mv.data.curve("heart")
    sigmoid, d_sigmoid = ACTIVATIONS["logistic"]
    y = heart.points
    found = []
    for number, layer in enumerate(mv.network.init(np.random.default_rng(0), (1, 6, 7, 2)), 1):
        W, b = (np.asarray(leaf, float) for leaf in layer)

        def affine(x: Any, W: Any = W, b: Any = b) -> Any:
            return W @ x + b

        def d_affine(x: Any, W: Any = W) -> Any:
            return jnp.einsum("ij,kq->ikjq", W, jnp.eye(x.shape[1]))

        def d_activation(z: Any) -> Any:
            rows, samples = (jnp.eye(length) for length in z.shape)
            return jnp.einsum("ij,kq,ik->ikjq", rows, samples, d_sigmoid(z))

        found += [mv.Link(f"z{number}", affine, d_affine), mv.Link(f"a{number}", sigmoid, d_activation)]
    cost = lambda a: ((a - y) ** 2).sum() / a.shape[1]
    return [*found, mv.Link("C", cost, lambda a: 2 * (a - y) / a.shape[1])], heart.t


def chain() -> None:
    """Check it, and see that it is right."""
    mv.assert_chain(*links())


def cost(W: Any, x: Any) -> Any:
    """½ |tanh(xW)|²."""
    return jnp.sum(jnp.tanh(x @ W) ** 2) / 2


def jacobian(W: Any, x: Any) -> Any:
    """∂cost/∂W by hand."""
    y = jnp.tanh(x @ W)
    return x.T @ (y * (1 - y**2))


def backward(saved: Any, g: Any) -> tuple[Any, Any]:
    """The cotangents of W and x by hand."""
    W, x = saved
    y = jnp.tanh(x @ W)
    dz = g * y * (1 - y**2)
    return x.T @ dz, dz @ W.T


def _gradient(W: Any, x: Any) -> None:
    with jax.enable_x64(True):
        jax.block_until_ready(jax.jit(jax.grad(cost))(jnp.asarray(W, float), jnp.asarray(x, float)))


LARGE: dict[str, Callable[[Any, Any], None]] = {
    "jax.grad": _gradient,
    "check_jacobian": lambda W, x: mv.assert_jacobian(cost, jacobian, W, x),
    "check_vjp": lambda W, x: mv.assert_vjp(cost, lambda W, x: (cost(W, x), (W, x)), backward, W, x),
}


def weigh(name: str, parameters: int) -> tuple[float, float]:
    """Seconds, and peak memory in megabytes."""
    rng = np.random.default_rng(0)
    W = rng.standard_normal((1000, parameters // 1000), dtype="float32") / 30
    x = rng.standard_normal((16, 1000), dtype="float32")
    taken = seconds(lambda: LARGE[name](W, x))
    return taken, peak_memory() / 2**20


if __name__ == "__main__":
    results.leave(findings, Config)
