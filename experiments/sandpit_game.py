"""How far do the arrows alone lead? A game in the sandpit, dip by dip, and a race from where it began.

    python -m experiments.sandpit_game
    python -m experiments.sandpit_game --floor saddle --seed 7

Each dip follows the arrow of the last, some lengths of it; where that ends in a hollow without a phone, on level ground
or outside, it begins anew elsewhere. On the random floor of seed 8 the first hollow is the wrong one, and the phone is
found with the tenth dip, three above par. About 8 s.
"""

from __future__ import annotations  # not evaluated, so that --help need not wait for JAX

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options

PROG = command.called("sandpit_game")
LEVEL = 0.02
"""An arrow that is shorter leads nowhere."""
DIPS = "Dots are dips, each with an arrow downhill; the relief and the phone were hidden until the end"
RACE = "Strategies race from one start, on a floor that is not seen until one of them has found the phone"


@dataclass(frozen=True)
class Config:
    """Follow the arrows to the phone."""

    floor: Annotated[str, options.FLOOR] = "random"
    seed: options.Seed = 8
    stride: float = 2.2
    """How many lengths of the arrow to go."""
    race_floor: Annotated[str, options.FLOOR] = "valley"
    """For the race, which begins at its scenario's start if it has one."""
    milliseconds: int = 900
    """Of each dip in the animation."""
    out: options.Out = Path("runs")


def main(config: Config) -> int:
    from mvcalc_jax.sandpit.pictures import save_film, save_picture

    mv.require.positive("stride", config.stride)
    mv.require.whole("milliseconds", config.milliseconds, least=1)
    with mv.devices.computing("cpu", "float64") as device:
        game, race = followed(config), raced(config.race_floor)
        run = mv.runs.create("sandpit_game", config, config.seed, device, config.out)
        game.save(run / "game.json")
        game.to_csv(run / "dips.csv")
        save_picture(game, run / "game.png")
        save_film(game, run / "game.gif", milliseconds=config.milliseconds)
        save_picture(race, run / "race.png")
        conclude(game, race, run)
    return command.DONE


def followed(config: Config) -> Any:
    """A game in which every dip follows the arrow of the last."""
    game, anew = mv.sandpit.Game(config.floor, "gradient", config.seed), 0
    starts = mv.sandpit.STARTS  # where to begin anew; then the first again
    point = np.array(starts[0], float)
    while not game.over:
        dip = game.dip(point)
        point = point + config.stride * dip.arrow
        level = float(np.hypot(*dip.arrow)) < LEVEL
        if level or dip.status is mv.sandpit.Status.STUCK or not ((point >= 0) & (point <= 6)).all():
            anew = (anew + 1) % len(starts)
            point = np.array(starts[anew], float)
    return game


def raced(floor: str) -> Any:
    """A race on a floor."""
    lesson = mv.sandpit.SCENARIOS.get(floor)
    game = mv.sandpit.Game(floor, "race", lesson.seed if lesson else 0)
    game.dip(lesson.starts[0] if lesson and lesson.starts else mv.sandpit.STARTS[0])
    if not game.over:
        game.reveal()
    return game


def conclude(game: Any, race: Any, run: Path) -> None:
    """Say what came of it, on the screen and in report.md."""
    mv.runs.report(
        run,
        (__doc__ or "").partition("\n")[0],
        mv.runs.Picture(DIPS, "game.gif"),
        mv.runs.Verbatim(game.summary()),
        mv.runs.Picture(DIPS, "game.png"),
        mv.runs.Picture(RACE, "race.png"),
        mv.runs.Verbatim(race.summary()),
        mv.runs.Next("mvcalc sandpit", "dig yourself"),
        mv.runs.Next(f"{PROG} --floor saddle --seed 7", "a start to either side of a saddle"),
        mv.runs.Next("python -m experiments.sandpit_strategies", "who finds the phone, from where"),
    )


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG))
