"""How does one neuron learn NOT, and what changes when neurons become a network?

    python -m experiments.one_neuron
    python -m experiments.one_neuron --learning-rate 1.2
    python -m experiments.one_neuron --gate xor

A neuron answers a = tanh(wx + b), and C = (a − y)², averaged over the gate's inputs. From (w, b) = (1.3, −0.1) steepest
descent goes to (−1.878, 1.880) in 200 steps: C falls from 0.952 to 0.00104. The course's (−5, 5) is better still, and
ages away, as the gradient fades with σ′. Then networks: each layer more puts two more factors into the chain rule, and
eleven layers of logistic neurons make a gradient 4·10⁷ times smaller, of tanh's 160 times. Takes about 4 s.
"""

from __future__ import annotations  # not evaluated, so that --help need not wait for JAX

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options

PROG = command.called("one_neuron")
BETTER = -5.0, 5.0
"""What the course shows for NOT."""


@dataclass(frozen=True)
class Config:
    """Teach a neuron a gate, then follow the chain rule into a network."""

    gate: Literal["not", "and", "or", "nand", "xor"] = "not"
    """What the neuron is to learn; all but the first have two inputs, whose weights begin equal and stay so."""
    activation: Literal["tanh", "logistic"] = "tanh"
    """How the neuron bends its sum."""
    start: tuple[float, float] = (1.3, -0.1)
    """Initial w and b."""
    learning_rate: Annotated[float, options.RATE] = 0.7
    steps: options.Steps = 200
    depth: int = 12
    """Layers of the networks whose gradients are measured."""
    width: int = 4
    """Neurons in each of their layers."""
    seed: options.Seed = 0
    device: options.Device = "auto"
    out: options.Out = Path("runs")


def main(config: Config) -> int:
    from experiments import neurons  # here and not above, so that --help need not wait for JAX

    mv.require.one_of("gate", config.gate, neurons.GATES)
    mv.require.one_of("activation", config.activation, ("tanh", "logistic"))
    mv.require.finite("start", config.start)
    mv.require.positive("learning_rate", config.learning_rate)
    seed = mv.require.whole("seed", config.seed, least=0)
    for name, most in {"steps": 10**5, "depth": 30, "width": 64}.items():
        mv.require.whole(name, getattr(config, name), least=1, most=most)
    if max(*map(abs, config.start), config.learning_rate / 1000) > 1000:
        raise ValueError(
            f"`start` must lie within ±1000 and `learning_rate` below 10⁶, to be drawn; got {config.start} and "
            f"{config.learning_rate:g}"
        )
    with mv.devices.computing(config.device, "float64") as device:
        of = config.gate, config.activation
        result = neurons.learn(*of, config.start, config.learning_rate, config.steps)
        (layer,) = result.trace.params
        path = np.stack([layer.W[:, 0, 0], layer.b[:, 0, 0]], axis=1)
        response, table = neurons.answers(*of, path[0], path[-1])
        places = {"start": path[0], f"step {result.steps}": path[-1]}
        if of == ("not", "tanh"):
            places["better still"] = np.array(BETTER)
        surface = neurons.landscape(*of, np.vstack([path, *places.values()]))
        ends = [(name, *(f"{v:.6g}" for v in (*at, neurons.cost(*of)(*at)))) for name, at in places.items()]
        rng = np.random.default_rng(seed)
        sizes, chains = neurons.shrink(config.depth, config.width, rng), neurons.grow(config.activation, rng)
        run = mv.runs.create("one_neuron", config, seed, device, config.out)
        columns = {"step": result.trace.step, "w": path[:, 0], "b": path[:, 1], "cost": result.trace.cost}
        mv.runs.write_metrics(run, columns)
        draw, better = mv.plots.neuron, places.get("better still")
        with mv.plots.style():
            learned = draw.learned(surface, path, np.asarray(result.trace.cost), response, better)
            mv.plots.save(learned, run / "descent.png")
            mv.plots.save(draw.growing(chains), run / "factors.png")
            mv.plots.save(draw.vanishing(sizes, "logistic"), run / "vanishing.png")
        point = neurons.at_one_point()
    conclude(config, result.message, [("", "w", "b", "C"), *ends], table, point, sizes, str(chains[-1]), run)
    return command.exit_code(result.status)


def conclude(
    config: Config, message: str, ends: Any, table: Any, point: str, sizes: Any, chain: str, run: Path
) -> None:
    """Say what came of it, on the screen and in report.md."""
    wrong = sum(row[-1] == "no" for row in table)
    verdict = (
        f"{wrong} of {len(table) - 1} answers round to the wrong number"
        if wrong
        else "All answers round right"
    )
    times = lambda s: f"{s[0] / s[-1]:.2g}" if s[-1] else "dead: σ′ = 0 in half of the networks"
    shrunk = [(name, f"{s[0]:.3g}", f"{s[-1]:.3g}", times(s)) for name, s in sizes.items()]
    mv.runs.report(
        run,
        "How does one neuron learn, and what changes when neurons become a network?",
        f"A neuron weighs its input, adds a bias and bends the sum: a = {config.activation}(wx + b). C, the mean of "
        f"(a − y)² over all inputs, is how wrong it is about {config.gate.upper()}; ∂C/∂w and ∂C/∂b say what to do.",
        mv.runs.Picture(
            f"Against the gradient, at rate {config.learning_rate:g}: a dot for each step. Right: what the neuron "
            "answers, before and after; the blue dots are asked for",
            "descent.png",
        ),
        ends,
        table,
        f"{verdict}. The descent {message}. Its gradient is a product of three factors; with the course's numbers",
        mv.runs.Verbatim(point),
        "Now a network: each layer more puts its own ∂a/∂z and ∂z/∂a into the chain.",
        mv.runs.Picture(
            "∂C/∂W¹ of one, two and three layers of up to three neurons, shown one sample: every ∂a/∂z is diagonal, "
            "its entries σ′, and every ∂z/∂a is a layer's weights",
            "factors.png",
        ),
        mv.runs.Verbatim(chain),
        mv.runs.Picture(
            f"How large ∂C/∂W is, layer by layer back from the cost, in networks {config.depth} layers deep and "
            f"{config.width} wide, their weights N(0, ¼): where σ′ is small, the product of its factors vanishes",
            "vanishing.png",
        ),
        [("activation", "∂C/∂W, last layer", "first layer", "times smaller"), *shrunk],
        mv.runs.Next(f"{PROG} --learning-rate 1.2", "steps cross the valley to and fro, and learn less"),
        mv.runs.Next(
            f"{PROG} --gate xor", "one neuron cannot: its answer only rises, or only falls, with x₁ + x₂"
        ),
        mv.runs.Next(f"{PROG} --width 32", "wider layers, the same weights: tanh's gradients grow instead"),
    )


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG))
