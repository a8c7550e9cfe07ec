"""The sandpit as a command: `mvcalc sandpit` opens a pit, says every dip, and keeps what was played.

runs/sandpit/<UTC time>-s<seed>/
    config.json   what was asked for
    1.json        the first game, to go on with: mvcalc sandpit --resume
    1.csv         its dips
    1.png         and how it looked
"""

import contextlib
import importlib
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mvcalc_jax import devices, require, runs, text
from mvcalc_jax.output import answer
from mvcalc_jax.sandpit import FLOORS, SCENARIOS, STRATEGIES, Game, compete, own_strategy
from mvcalc_jax.sandpit.ahead import Ahead, programs


def play(options: Any) -> None:
    """Play in a window or on a page, until it is closed or Ctrl-C; say every dip, and keep what was played.

    Args:
        options: of the command line; see `cli.Sandpit`.

    Raises:
        ValueError: for a pit, a strategy, a scenario, a code, a file or a port that there cannot be.
        OSError: where the page cannot be served, or a file not read.
        KeyboardInterrupt: after Ctrl-C, when everything is kept.
    """
    require.port("port", options.port)
    with devices.computing("cpu", "float64"):
        loading = threading.Thread(target=importlib.import_module, args=("mvcalc_jax.sandpit.served",))
        loading.start()  # matplotlib loads while XLA compiles
        try:
            game = chosen(options)
        finally:
            loading.join()
        from mvcalc_jax.sandpit import served, view

        kept, ahead = Kept(options), Ahead(programs(game.floor), lambda: devices.computing("cpu"))
        pits: list[view.Pit] = []
        begun: list[bool] = []

        def build(figure: Any) -> view.Pit:
            ended = lambda game: ahead.submit(lambda: kept.keep(pits[0].session.games))
            pits.append(
                view.Pit(figure, game, say=say, ended=ended, ahead=ahead, scenario=options.scenario or "")
            )
            return pits[0]

        try:
            served.play(
                build,
                port=options.port,
                address=options.address,
                browser=options.browser,
                say=say,
                ready=lambda: begun.append(True),
            )
        finally:
            ahead.finish()
            if begun:
                kept.conclude(pits[0].session.games)


def chosen(options: Any) -> Game:
    """The game that the command line asks for: of a file, a code, a scenario, or piece by piece.

    Raises:
        ValueError: where one of them is not known, or more than one is given.
        OSError: where the file cannot be read.
    """
    asked = [name for name in ("resume", "code", "scenario") if getattr(options, name)]
    if len(asked) > 1:
        raise ValueError(f"--{asked[0]} and --{asked[1]} both say what to play; give one of them")
    if options.resume:
        return Game.load(options.resume)
    if options.code:
        return Game.from_code(options.code)
    if options.scenario:
        require.one_of("scenario", options.scenario, SCENARIOS)
        s = SCENARIOS[options.scenario]
        return Game(s.floor, s.mode, s.seed, strategy=s.strategy, learning_rate=s.learning_rate)
    return Game(
        options.floor or "wells",
        options.mode,
        options.seed,
        strategy=options.strategy,
        learning_rate=options.learning_rate,
    )


class Kept:
    """Where games are kept: a run directory, made when there is something to keep."""

    def __init__(self, options: Any):
        self._options = options
        self._directory: Path | None = None

    def keep(self, games: Sequence[Game]) -> Path | None:
        """Write the games that have any dips, each as JSON and as CSV; where to, if there were any."""
        for k, game in enumerate(games, 1):
            if not game.history:
                continue
            if self._directory is None:
                device = devices.choose("cpu")
                self._directory = runs.create(
                    "sandpit", self._options, game.state.seed, device, self._options.out
                )
            game.save(self._directory / f"{k}.json")
            game.to_csv(self._directory / f"{k}.csv")
        return self._directory

    def conclude(self, games: Sequence[Game]) -> None:
        """Keep all games, with pictures, and say what came of them."""
        from mvcalc_jax.sandpit.pictures import save_picture

        directory = self.keep(games)
        if directory is None:
            say("nothing was dug, and nothing is kept")
            return
        say("")
        for k, game in enumerate(games, 1):
            if game.history:
                save_picture(game, directory / f"{k}.png")
                say(
                    f"{k}: {game.summary()}"
                    if game is games[-1]
                    else f"{k}: {game.summary().splitlines()[0]}"
                )
        files = sorted(path.name for path in directory.iterdir())
        say(f"\nwrote {directory}: {', '.join(files)}")
        last = max(k for k, game in enumerate(games, 1) if game.history)
        if not games[last - 1].over and not _names_files(games[last - 1]):
            say(f"go on with: mvcalc sandpit --resume {directory / f'{last}.json'}")


def _names_files(game: Game) -> bool:
    return any(":" in name for name in (game.state.floor, game.state.strategy, *game.state.racers))


def contest(options: Any) -> None:
    """Let the strategies dig by themselves, and say how often each finds the phone, and with how many dips."""
    floors = [options.floor] if options.floor else list(FLOORS)
    with devices.computing("cpu", "float64"):
        strategies = list(STRATEGIES.values())
        if options.strategy not in STRATEGIES:
            strategies.append(own_strategy(options.strategy))
        found = compete(floors, options.seeds, strategies, options.learning_rate)
    many = text.counted(options.seeds, "seed")
    said = (
        f"how often the phone is found over {many}, each with its own start, and the median of the dips then"
    )
    words = f"{said}\n\n{text.columns(found.rows())}"
    how = zip(found.strategies, found.success, found.median, strict=True)
    table = {
        name: {
            on: {"found": part, "dips": dips}
            for on, part, dips in zip(found.floors, share, median, strict=True)
        }
        for name, share, median in how
    }
    answer(words, {"seeds": options.seeds, "strategies": table})


def say(line: str) -> None:
    """A line on stdout, at once; where nobody reads it any more, the game goes on without."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
