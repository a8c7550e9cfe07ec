"""How good is the checker: does it find mistakes, does it blame the right place, does it name the cause?

    python -m benchmarks.checker

Every wrong derivative of `benchmarks.bugs` is checked, and every correct one, in float64, float32 and bfloat16. For
comparison, the same derivatives as custom rules before `jax.test_util.check_grads`, with its defaults in float32, in
float64, and with the tolerance multiplied by the size of the first argument, as chex does. A diagnosis is right if
the author of the mistake accepts its kind as a name for the cause; authors and rules have not seen each other.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import reduce
from statistics import median
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.test_util import check_grads
from matplotlib.figure import Figure

import mvcalc_jax as mv
from benchmarks import bugs, results
from benchmarks.bugs.case import Bug, Case, Chain, Hessian, Jacobian, Subject, Vjp
from benchmarks.results import Bar, Findings, Table, progress
from mvcalc_jax.verify import Report

QUESTION = (__doc__ or "").partition("\n")[0]
FEW = 1
"""Cases of a quick run."""
PRECISIONS = ("float64", "float32", "bfloat16")


@dataclass(frozen=True)
class Config:
    """Put the checker through its exam; about 15 minutes on two cores."""

    cases: str = ""
    """Only cases whose name contains this."""
    jobs: int = 2
    """How many at once."""
    misses: bool = False
    """Show the whole report of whatever was missed."""
    quick: bool = False
    """The first case."""


class Answer(NamedTuple):
    """What was said of one derivative."""

    name: str
    bug: bool
    noticed: dict[str, bool]
    """By contender, whether it was called wrong."""
    marks: dict[str, bool | None]
    """Whether leaf, link and diagnosis are right; None where that was not asked."""
    seconds: float
    report: str

    @property
    def missed(self) -> bool:
        return self.bug != self.noticed[CHECKER] or False in self.marks.values()


CHECKER = "check_*, float64"
CONTENDERS = (
    CHECKER,
    *(f"check_*, {precision}" for precision in PRECISIONS[1:]),
    "check_grads, defaults",
    "check_grads, float64",
    "check_grads, chex's tolerance",
)


def findings(config: Config) -> Findings:
    mv.require.whole("jobs", config.jobs, least=1)
    chosen = [k for k, case in enumerate(_all()) if config.cases in case.name]
    if not chosen:
        raise ValueError(f"`cases` must be part of the name of a case; no name contains {config.cases!r}")
    chosen = chosen[:FEW] if config.quick else chosen
    answers = []
    with ProcessPoolExecutor(config.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for number, some in enumerate(
            map(examined, chosen) if config.quick else pool.map(examined, chosen), 1
        ):
            answers += some
            if number % 10 == 0:
                progress(f"      {number}/{len(chosen)} cases")
    missed = [answer for answer in answers if answer.missed]
    if config.misses:
        progress("\n\n".join(f"missed: {answer.name}\n{answer.report}" for answer in missed))
    wrong, right = ([answer for answer in answers if answer.bug is bug] for bug in (True, False))
    noticed, alarms = (sum(of.noticed[CHECKER] for of in some) for some in (wrong, right))
    others = ", ".join(
        f"{name} {sum(of.noticed[name] for of in wrong)} and {sum(of.noticed[name] for of in right)}"
        for name in CONTENDERS[1:]
    )
    seconds = [answer.seconds for answer in answers]
    names = ", ".join(answer.name for answer in missed)
    return Findings(
        tables(wrong, right),
        [
            Bar(
                noticed == len(wrong),
                f"{noticed} of {len(wrong)} wrong derivatives are noticed; the bar is all of them",
            ),
            Bar(alarms == 0, f"{alarms} of {len(right)} correct derivatives are called wrong; the bar is 0"),
        ],
        f"The checker notices {noticed} of {len(wrong)} mistakes, with {alarms} false alarms; others: {others}. "
        f"A check takes {median(seconds):.1f} s (median; {max(seconds):.1f} s at most), compiling included. "
        f"Missed, or not rightly placed or named: {names or 'none'}.",
        "Mistakes and diagnoses are by the authors of this package, who have not seen each other's.",
        {"answers": [answer._asdict() | {"report": ""} for answer in answers]},
        {"noticed": drawn(wrong, right)},
    )


def _all() -> list[Case]:
    known = {case.name for case in bugs.cases()}
    return [*bugs.cases(), *(case for case in bugs.controls() if case.name not in known)]


def examined(number: int) -> list[Answer]:
    """Everything that is said of a case's derivatives."""
    case = _all()[number]
    answers = [_answer(f"{case.name}, correct", case.right, None)]
    return answers + [_answer(f"{case.name}, {bug.name}", bug.wrong, bug) for bug in case.bugs]


def _answer(name: str, subject: Subject, bug: Bug | None) -> Answer:
    began = time.perf_counter()
    report = asked(subject, np.float64)
    seconds = time.perf_counter() - began
    noticed = {CHECKER: report.verdict == "wrong"}
    for precision in PRECISIONS[1:]:
        noticed[f"check_*, {precision}"] = asked(subject, jnp.dtype(precision)).verdict == "wrong"
    tried = decorated(subject)
    noticed["check_grads, defaults"] = _refused(tried, np.float32, {})
    with jax.enable_x64(True):
        noticed["check_grads, float64"] = _refused(tried, np.float64, {})
    size = np.size(jax.tree.leaves(tried.args)[0])
    noticed["check_grads, chex's tolerance"] = _refused(tried, np.float32, {"atol": 0.01 * size})
    return Answer(name, bug is not None, noticed, _marks(report, bug), seconds, str(report))


def asked(subject: Subject, dtype: Any) -> Report:
    """What the checker says of a derivative at arguments of a precision."""
    match subject:
        case Jacobian(f, jac, args, argnums):
            return mv.check_jacobian(f, jac, *_rounded(args, dtype), argnums=argnums)
        case Hessian(f, hess, args, argnums):
            return mv.check_hessian(f, hess, *_rounded(args, dtype), argnums=argnums)
        case Vjp(f, fwd, bwd, args):
            return mv.check_vjp(f, fwd, bwd, *_rounded(args, dtype))
        case Chain(links, x, total):
            return mv.check_chain(links, _rounded(x, dtype), total)


def _marks(report: Report, bug: Bug | None) -> dict[str, bool | None]:
    if bug is None:
        return {}
    wrong = {leaf.path for leaf in report.leaves if leaf.verdict == "wrong"}
    links = ", ".join(link.name for link in report.links if link.verdict == "wrong") or "total"
    kinds = [diagnosis.kind for diagnosis in report.diagnoses]
    certified = [diagnosis.kind for diagnosis in report.diagnoses if diagnosis.certified]
    return {
        "right leaf": wrong == set(bug.leaves) if bug.leaves else None,
        "right link": links == bug.link if bug.link else None,
        "right first diagnosis": kinds[:1] != [] and kinds[0] in bug.kinds,
        "first diagnosis, if certified": certified[0] in bug.kinds
        if kinds[:1] == certified[:1] != []
        else None,
    }


class Rule(NamedTuple):
    """A function with a hand-written rule, of the arguments that it can be differentiated by."""

    g: Callable[..., Any]
    args: tuple[Any, ...]
    modes: tuple[str, ...]


def decorated(subject: Subject) -> Rule:
    """The derivative as a custom rule, as `check_grads` takes it."""
    match subject:
        case Jacobian(f, jac, args, argnums):
            return _by_jacobian(f, jac, args, argnums)
        case Hessian(f, hess, args, argnums):
            return _by_jacobian(jax.grad(f, argnums), hess, args, argnums)
        case Vjp(f, fwd, bwd, args):
            g = jax.custom_vjp(f)
            g.defvjp(fwd, bwd)
            chosen = tuple(k for k, arg in enumerate(args) if _floating(arg))
            return Rule(_of(g, args, chosen), tuple(args[k] for k in chosen), ("rev",))
        case Chain(links, x, _):
            steps = [_by_jacobian(link.f, link.jac, (None,), 0).g for link in links]
            return Rule(lambda x: reduce(lambda at, step: step(at), steps, x), (x,), ("fwd", "rev"))


def _by_jacobian(f: Callable[..., Any], jac: Callable[..., Any], args: tuple, argnums: Any) -> Rule:
    chosen = argnums if isinstance(argnums, tuple) else (argnums,)
    of, rule = _of(f, args, chosen), _of(jac, args, chosen)
    g = jax.custom_jvp(of)

    @g.defjvp
    def _(primals: tuple, tangents: tuple) -> tuple[Any, Any]:
        J = rule(*primals)
        if not isinstance(argnums, tuple):
            tangents = tangents[0]
        y = of(*primals)

        def along(out: Any, block: Any) -> Any:
            parts = jax.tree.map(lambda b, t: jnp.tensordot(b, t, axes=jnp.ndim(t)), block, tangents)
            return jnp.asarray(sum(jax.tree.leaves(parts)), out.dtype)

        return y, jax.tree.map(along, y, J)

    return Rule(g, tuple(args[k] for k in chosen), ("fwd", "rev"))


def _of(g: Callable[..., Any], args: tuple, chosen: tuple[int, ...]) -> Callable[..., Any]:
    """A function of the chosen arguments alone."""

    def of(*some: Any) -> Any:
        every = list(args)
        for k, arg in zip(chosen, some, strict=True):
            every[k] = arg
        return g(*every)

    return of


def _refused(rule: Rule, dtype: Any, tolerance: dict[str, float]) -> bool:
    """Whether `check_grads` objects, or fails."""
    try:
        check_grads(rule.g, _rounded(rule.args, dtype), order=1, modes=rule.modes, **tolerance)
    except Exception:  # an AssertionError, or whatever the wrong rule leads to
        return True
    return False


def _rounded(args: Any, dtype: Any) -> Any:
    return jax.tree.map(lambda leaf: np.asarray(leaf, dtype) if _is_real(leaf) else leaf, args)


def _is_real(leaf: Any) -> bool:
    return isinstance(leaf, (np.ndarray, np.generic, jax.Array)) and jnp.issubdtype(leaf.dtype, jnp.floating)


def _floating(arg: Any) -> bool:
    leaves = jax.tree.leaves(arg)
    return bool(leaves) and all(jnp.issubdtype(jnp.result_type(leaf), jnp.inexact) for leaf in leaves)


def drawn(wrong: list[Answer], right: list[Answer]) -> Figure:
    """Of each contender the share of mistakes that it notices, and of correct derivatives that it calls wrong."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    for offset, (label, some) in enumerate((("mistakes noticed", wrong), ("false alarms", right))):
        shares = [100 * np.mean([answer.noticed[name] for answer in some]) for name in CONTENDERS]
        bars = axes.barh(np.arange(len(CONTENDERS)) + 0.36 * offset, shares, 0.34, label=label)
        axes.bar_label(bars, fmt="%.0f %%", padding=3)
    axes.set(yticks=np.arange(len(CONTENDERS)) + 0.18, yticklabels=CONTENDERS, xlim=(0, 110), xlabel="%")
    axes.invert_yaxis()
    axes.legend(ncols=2, loc="upper left", bbox_to_anchor=(0, -0.15))
    return figure


def tables(wrong: list[Answer], right: list[Answer]) -> list[Table]:
    """The marks of all contenders, and of the checker alone."""
    rows = [("", f"noticed, of {len(wrong)} wrong", f"false alarms, of {len(right)} correct")]
    for name in CONTENDERS:
        rows.append((name, _share(a.noticed[name] for a in wrong), str(sum(a.noticed[name] for a in right))))
    marks: list[Sequence[str]] = [("the checker", "right", "asked")]
    for mark in wrong[0].marks if wrong else ():
        given = [a.marks[mark] for a in wrong if a.marks[mark] is not None]
        marks.append((mark, _share(given), str(len(given))))
    return [Table("All contenders", rows), Table("The checker, in float64", marks)]


def _share(given: Iterator[Any] | list[Any]) -> str:
    given = list(given)
    return f"{sum(given)} ({100 * sum(given) / max(len(given), 1):.1f} %)"


if __name__ == "__main__":
    results.leave(findings, Config)
