"""The course's lessons as set pieces: a pit, a mode, a strategy and starts from which it shows.

That each shows what its sentence says is tested.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scenario:
    """One lesson.

    Attributes:
        floor: its name.
        seed: of it.
        mode: to play in.
        strategy: that follows a dip.
        starts: to try, each (x, y); none where the player is to find one.
        learning_rate: of the strategies; None for each one's own.
        sentence: what is to be seen.

    >>> lesson = mv.sandpit.SCENARIOS["which-start"]
    >>> lesson.floor, lesson.mode, lesson.strategy, lesson.starts
    ('wells', 'automatic', 'gradient', ((3.0, 2.0), (5.0, 1.5)))
    """

    floor: str
    seed: int
    mode: str
    strategy: str
    starts: tuple[tuple[float, float], ...]
    learning_rate: float | None
    sentence: str


SCENARIOS: dict[str, Scenario] = {
    "which-start": Scenario(
        "wells", 0, "automatic", "gradient", ((3.0, 2.0), (5.0, 1.5)), 0.5,
        "From one side of the hill the way down leads to the phone, from the other it leads out of the sandpit.",
    ),
    "flat-basin": Scenario(
        "plateau", 0, "automatic", "gradient", ((2.7, 4.0),), 0.1,
        "On the terrace the slope is next to nothing, and so is a step of 0.1 times it; 0.5 times it finds the phone.",
    ),
    "split": Scenario(
        "saddle", 0, "automatic", "gradient", ((2.54, 4.26), (2.74, 4.29)), 0.5,
        "Two starts side by side: at the saddle their ways part, and only one leads to the phone.",
    ),
    "overshoot": Scenario(
        "cliff", 0, "automatic", "gradient", ((2.5, 2.2),), 0.5,
        "The steeper, the farther: off the cliff half the slope is a step too far, and with 0.2 there is no such leap.",
    ),
    "many-minima": Scenario(
        "eggbox", 0, "automatic", "trust-region", ((1.0, 1.0), (5.0, 5.0), (3.0, 3.0)), None,
        "Each start rolls into the hollow that is next; only one of these three is next to the deep one.",
    ),
    "rocks": Scenario(
        "rocks", 1, "race", "gradient", ((3.0, 3.0),), None,
        "Among rocks the most careful strategy is caught in the first hole; long steps pass over it.",
    ),
    "narrow-well": Scenario(
        "narrow", 0, "gradient", "gradient", (), None,
        "The slope leads to a hollow, and the phone is not there: nothing tells of the well but a dip right beside it.",
    ),
    "hilltop": Scenario(
        "wells", 0, "automatic", "newton", ((3.5, 1.5), (2.0, 4.0)), None,
        "Newton's method looks for level ground, and does not care whether it is a hollow or the top of a hill.",
    ),
    "valley": Scenario(
        "valley", 0, "race", "trust-region", ((1.0, 5.0),), None,
        "Steep across, level along: of these only the trust region, which knows the curvature, gets round the bend.",
    ),
}  # fmt: skip
"""In the order of teaching."""
