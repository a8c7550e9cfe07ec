"""Who finds the phone: which strategy, on which floor, from where, and with how many dips?

    python -m experiments.sandpit_strategies
    python -m experiments.sandpit_strategies --floor saddle --seeds 100
    python -m experiments.sandpit_strategies --strategy mine.py:step

Eight strategies on nine floors, each over 1000 seeds with a start of its own, 25 dips a walk; then one floor from every
start. Newton's method in a trust region finds the phone most often, from 58 % of all starts, and always on the plateau
and the cliff; steepest descent from none in 200 in the valley, where that is the only one to find its way; and the
narrow well is found by nobody more often than in 18 %. Takes about 40 s.
"""

from __future__ import annotations  # not evaluated, so that --help need not wait for JAX

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options
from mvcalc_jax.arguments import Arg

PROG = command.called("sandpit_strategies")
SCENE = """A phone lies at the lowest point of a hidden floor, 9 m deep. A dip tells the depth, the slope and the \
curvature at one place, and a strategy says where to dig next. It has 25 dips, and wins within 0.15 m of the phone."""
SHARES = (
    "How often each strategy finds the phone on each floor, and the median of the dips that it needs then"
)
BASINS = """Every start in the colour of the minimum that it leads to within 25 dips, green for the phone's; paler \
where it takes fewer dips, grey where it leads to none. Beside each name, how much of the sandpit is green"""
WAYS = "One start on each floor, and the dips of all strategies that look where they go"


@dataclass(frozen=True)
class Config:
    """Let strategies compete."""

    floor: Annotated[str, options.FLOOR] = "eggbox"
    """The one whose basins are drawn."""
    seed: options.Seed = 0
    """Of that floor, and of the floors of the ways."""
    floors: Annotated[tuple[str, ...], options.FLOORS] = ()
    """Strategies compete on these; unless given, on one of your own, too, if that is the floor."""
    seeds: int = 1000
    """How many of each floor, each with a start of its own."""
    points: int = 121
    """Starts along each side of the basins' pictures."""
    start: tuple[float, float] = (3.0, 3.0)
    """Of the ways."""
    strategy: Annotated[str | None, Arg(metavar="FILE.py:f")] = None
    """One of your own that competes, too. It is slower, so mind --seeds and --points."""
    out: options.Out = Path("runs")


def main(config: Config) -> int:
    mv.require.whole("seeds", config.seeds, least=1)
    mv.require.whole("points", config.points, least=2)
    with mv.devices.computing("cpu", "float64") as device:
        pit = mv.sandpit.floor(config.floor, config.seed)
        strategies = list(mv.sandpit.STRATEGIES.values())
        if config.strategy:
            strategies.append(mv.sandpit.own_strategy(config.strategy))
        names = config.floors or (*mv.sandpit.FLOORS, *([config.floor] if ":" in config.floor else []))
        races = {name: raced(name, strategies, config) for name in names}
        run = mv.runs.create("sandpit_strategies", config, config.seed, device, config.out)
        found = mv.sandpit.compete(names, config.seeds, strategies)
        found = found._replace(strategies=short(found.strategies), floors=short(found.floors))
        basins = [
            (each, mv.sandpit.basins(pit, strategy, config.points))
            for each, strategy in zip(found.strategies, strategies, strict=True)
        ]
        draw(found, pit, basins, races, run)
    save_numbers(found, run)
    conclude(config, found, basins, run)
    return command.DONE


def short(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names without the folders of files."""
    return tuple(Path(name).name for name in names)


def raced(name: str, strategies: list[Any], config: Config) -> tuple[Any, list[Any]]:
    """All strategies on one floor, from one start."""
    pit = mv.sandpit.floor(name, 0 if ":" in name else config.seed)
    walks = [mv.sandpit.walk(pit, s, config.start, 24) for s in strategies if s.name != "constant"]
    return ground(pit), [mv.plots.sandpit.Way(w.strategy, w.positions, w.found) for w in walks]


def ground(pit: Any) -> Any:
    """A floor, as it is drawn."""
    along = np.linspace(0.0, pit.box[0][1], 121)
    grid = np.stack(np.meshgrid(along, along), axis=-1)
    depth = pit.heights(grid.reshape(-1, 2)).reshape(grid.shape[:2])
    return mv.plots.sandpit.Ground(pit.name, along, depth, pit.minima)


def draw(found: Any, pit: Any, basins: list[Any], races: dict[str, Any], run: Path) -> None:
    plots = mv.plots.sandpit
    panels = [plots.Basin(name, b.leads_to, b.dips, float((b.leads_to == 0).mean())) for name, b in basins]
    with mv.plots.style():
        table = plots.success(found.strategies, found.floors, found.success, found.median)
        mv.plots.save(table, run / "success.png")
        mv.plots.save(plots.basins(ground(pit), panels), run / "basins.png")
        mv.plots.save(plots.ways(races), run / "ways.png")


def save_numbers(found: Any, run: Path) -> None:
    """A line for each walk of the contest."""
    s, f, k = (a.ravel() for a in np.indices(found.found.shape))
    ends = [end.name.lower() for end in mv.sandpit.ENDS]
    mv.runs.write_metrics(
        run,
        {
            "strategy": [found.strategies[i] for i in s],
            "floor": [found.floors[i] for i in f],
            "seed": found.seeds[k],
            "found": found.found.ravel().astype(int),
            "dips": found.dips.ravel(),
            "end": [ends[e] for e in found.ends.ravel()],
        },
    )


def conclude(config: Config, found: Any, basins: list[Any], run: Path) -> None:
    best = found.strategies[int(found.success.mean(axis=1).argmax())]
    hardest = found.floors[int(found.success.max(axis=0).argmin())]
    green = {name: float((b.leads_to == 0).mean()) for name, b in basins}
    wide = max(green, key=lambda name: green[name])
    mv.runs.report(
        run,
        (__doc__ or "").partition("\n")[0],
        SCENE,
        mv.runs.Picture(SHARES, "success.png"),
        found.rows(),
        f"Over all floors {best} is best, with {found.success.mean(axis=1).max():.0%}; hardest is {hardest}, where no "
        f"strategy finds more than {found.success.max(axis=0).min():.0%}.",
        mv.runs.Written("## From every start"),
        mv.runs.Picture(BASINS, "basins.png"),
        f"On {config.floor}, seed {config.seed}, {wide} finds the phone from {green[wide]:.0%} of the sandpit.",
        mv.runs.Written("## Side by side"),
        mv.runs.Picture(WAYS, "ways.png"),
        mv.runs.Next(f"{PROG} --floor saddle", "two hollows, and where the border between them runs"),
        mv.runs.Next(f"{PROG} --floor wells", "who is led out of the sandpit"),
        mv.runs.Next(f"{PROG} --strategy mine.py:step", "a strategy of your own among them"),
    )


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG))
