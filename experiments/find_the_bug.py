"""Which mistake is it? Ten classic ones in a backward pass, and what the checker of derivatives says of each.

    python -m experiments.find_the_bug

Plants them, one at a time, in the hand-written backward pass of the course's network, each a line of `backward.py`,
and has it checked: as a whole, which names the leaves that are wrong, or link by link along the chain rule, which
names the link. The correct pass comes first. All ten must be found where they were planted, with a first diagnosis,
certified, of the kind that was planted; the exit code says whether they were. Takes about 40 s.
"""

from __future__ import annotations  # not evaluated, so that --help need not wait for JAX

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

import mvcalc_jax as mv
from mvcalc_jax import command, options

PROG = command.called("find_the_bug")
LEAVES = ("W¹", "b¹", "W²", "b²", "W³", "b³")
PRODUCT = "the product"
"""What is wrong where every link is right."""


@dataclass(frozen=True)
class Config:
    """Find the mistakes planted in a backward pass."""

    samples: int = 100
    """Points on the heart that the network is to draw; link by link, one of them is looked at."""
    seed: options.Seed = 0
    device: options.Device = "auto"
    out: options.Out = Path("runs")


class Plan(NamedTuple):
    """A mistake to plant, the leaves or links that it makes wrong, and its kind as the checker must call it.

    Matrices that a mistake transposes or swaps must be square: then both hidden layers are of one width.
    """

    mistake: str = ""
    wrong: str = ""
    kind: str = ""
    by_link: bool = False
    hidden: tuple[int, int] = (6, 7)
    picture: str = ""

    def found(self, report: mv.Report) -> bool:
        """Whether the checker says all of it, and nothing else first."""
        if not self.mistake:
            return report.verdict == "correct"
        place, first = where(report), report.diagnoses[:1]
        said = any(cause.kind == self.kind and cause.certified for cause in first)
        return report.verdict == "wrong" and place == self.wrong and said


PLANS = (
    Plan(by_link=True),
    Plan(),
    Plan("no σ′ in a hidden layer", "a²", "missing-factor", by_link=True, picture="no_slope.png"),
    Plan("σ′ at a instead of z", "a²", "wrong-intermediate", by_link=True),
    Plan("W instead of Wᵀ", "z²", "transpose", by_link=True, hidden=(7, 7), picture="transposed.png"),
    Plan("the wrong sign", "C", "sign", by_link=True),
    Plan("σ′ and Wᵀ in the wrong order", PRODUCT, "reversed-order", True, (7, 7), "wrong_order.png"),
    Plan("no factor 2", " ".join(LEAVES), "scale"),
    Plan("no 1/N", " ".join(LEAVES), "scale"),
    Plan("db of the last sample only", "b²", "missing-sum"),
    Plan("db of two layers swapped", "b¹ b²", "swapped-leaves", hidden=(7, 7), picture="swapped.png"),
    Plan("last row of dW left out", "W²", "missing-support", picture="last_row.png"),
)


def main(config: Config) -> int:
    from tqdm import tqdm

    seed = mv.require.whole("seed", config.seed, least=0)
    with mv.devices.computing(config.device, "float64") as device:
        bar = tqdm(PLANS, desc="checks", bar_format="{desc}: {n} of {total} {bar}", leave=False, disable=None)
        reports = [check(plan, config.samples, seed) for plan in bar]
        run = mv.runs.create("find_the_bug", config, seed, device, config.out)
        for plan, report in zip(PLANS, reports, strict=True):
            if plan.picture:
                report.plot(run / plan.picture)
    return conclude(dict(zip(PLANS, reports, strict=True)), run)


def check(plan: Plan, samples: int, seed: int) -> mv.Report:
    """Plant the mistake, and have the backward pass checked."""
    from experiments import backward  # here and not above, so that --help need not wait for JAX

    heart = mv.data.curve("heart", samples)
    params = mv.network.init(np.random.default_rng(seed), (1, *plan.hidden, 2))
    if not plan.by_link:
        by_hand = partial(backward.by_params, wrong=plan.mistake)
        return mv.check_jacobian(mv.network.cost, by_hand, params, heart.t, heart.points, seed=seed)
    one = slice(samples // 3, samples // 3 + 1)
    x, y = heart.t[:, one], heart.points[:, one]
    links = backward.links(params, y, plan.mistake)
    if plan.mistake:  # in the second layer at the earliest; and of five links, all orders are tried
        x, params, links = np.asarray(mv.network.trace(params, x).a[1]), params[1:], links[2:]

    def total(x: np.ndarray) -> object:
        return backward.by_input(params, x, y, plan.mistake)

    return mv.check_chain(links, x, total, seed=seed)


def where(report: mv.Report) -> str:
    """The leaves or links that are called wrong."""
    if not report.links:
        leaves = zip(LEAVES, report.leaves, strict=False)  # a check that breaks down has none
        return " ".join(name for name, leaf in leaves if leaf.verdict == "wrong")
    wrong = " ".join(link.name for link in report.links if link.verdict == "wrong")
    return wrong or (PRODUCT if report.verdict == "wrong" else "")


def conclude(reports: dict[Plan, mv.Report], run: Path) -> int:
    """Say what was found, on the screen, in report.md and in results.json."""
    table = [("mistake planted", "checked", "verdict", "what is wrong", "diagnosis", "right?")]
    words = [("mistake planted", "the checker's first diagnosis")]
    pictures: list[str | mv.runs.Picture] = []
    for plan, report in reports.items():
        cause = next(iter(report.diagnoses), None)
        how = "link by link" if plan.by_link else "leaf by leaf"
        said = f"{cause.kind}, {'certified' if cause.certified else 'a hint'}" if cause else ""
        right = "yes" if plan.found(report) else "no"
        table.append((plan.mistake or "none", how, report.verdict, where(report), said, right))
        if cause:
            words.append((plan.mistake, cause.detail))
        if plan.picture:
            pictures += [mv.runs.Written(f"## {plan.mistake}"), mv.runs.Picture(report.reason, plan.picture)]
    results = [
        {**plan._asdict(), "found": plan.found(report), "report": report.to_dict()}
        for plan, report in reports.items()
    ]
    written = json.dumps(results, indent=2, ensure_ascii=False, allow_nan=False)
    mv.atomic.write_text(run / "results.json", f"{written}\n")
    missed = ", ".join(plan.mistake or "none" for plan, report in reports.items() if not plan.found(report))
    mv.runs.report(
        run,
        "Mistakes planted in a backward pass, and what the checker says of them",
        "1-6-7-2 networks that are to draw a heart, 1-7-7-2 where a mistake needs a square matrix; link by link, "
        "one point of it",
        table,
        words,
        f"not right: {missed}" if missed else "every mistake is found, and none where there is none",
        *pictures,
    )
    return command.FAILED if missed else command.DONE


if __name__ == "__main__":
    command.leave(command.run(main, Config, prog=PROG))
