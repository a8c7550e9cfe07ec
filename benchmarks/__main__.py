"""Run every benchmark, one after the other: `python -m benchmarks [--device auto|cpu|gpu] [--rounds N]`."""

from dataclasses import dataclass

from benchmarks import linear, training, watching
from mvcalc_jax import command


@dataclass(frozen=True)
class Config:
    """Run every benchmark, one after the other; about two minutes. --debug shows where an error comes from."""

    device: str = "auto"
    """auto, cpu or gpu."""
    rounds: int = 9
    """Rounds in which every contender is timed."""


def main(config: Config) -> int:
    training.main(training.Config(config.device, config.rounds))
    watching.main(watching.Config(config.device, config.rounds))
    linear.main(linear.Config(config.device, config.rounds))
    return command.DONE


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog="python -m benchmarks"))
