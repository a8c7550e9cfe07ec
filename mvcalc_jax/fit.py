"""Files of curves, fitted: `mvcalc fit curves.npy`, with a bar while it works, a line at its end, and a picture."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

import jax
import numpy as np
from tqdm import tqdm

from mvcalc_jax import devices, plots, text
from mvcalc_jax.fitting import hosts
from mvcalc_jax.fitting.records import Results
from mvcalc_jax.fitting.result import Status
from mvcalc_jax.fitting.source import Job
from mvcalc_jax.fitting.stream import Progress, Summary, default_out, fit_file
from mvcalc_jax.output import answer

_SAMPLE = 100_000
"""Fits in the histograms, evenly spaced over all."""
_ENOUGH = 20
"""Fits without which a histogram says nothing."""
_FEW = 10
"""Fits that are told one by one."""
_ALONE = """its points lie at 0, 1, 2, …; --x FILE says where else
values that are to be counted, not a curve, are for: mvcalc run fit_heights --data {data}"""
_FINE = 300


def fit_and_report(
    data: Path,
    out: Path | None,
    model: str,
    sigma: str | None,
    device: str,
    pictures: bool,
    coordinator: str | None,
    processes: int | None,
    process_id: int | None,
    launched: bool,
    **settings: Any,
) -> bool:
    """Fit a file of curves, and say what came of it: on stderr while it works, on stdout at the end.

    Args:
        data, out, sigma: as of `fit_file`; sigma as it was typed.
        model: as of `fit_file`; gaussian stands for amplitude.
        device: auto, cpu or gpu.
        pictures: whether to draw.
        coordinator, processes, process_id: as of `hosts.meet`.
        launched: whether a launcher has started several processes.
        **settings: the others of `fit_file`.

    Returns:
        Whether any fit converged.

    Raises:
        ValueError, TypeError, OSError: as of `fit_file`.
    """
    out = default_out(data) if out is None else out
    together = launched or any(given is not None for given in (coordinator, processes, process_id))
    host = hosts.meet(coordinator, processes, process_id) if together else hosts.ALONE
    chosen: list[Chosen] = []
    few: list[str] = []

    def review(job: Job, results: Results) -> None:
        first = next(iter(results)) if results.fits <= _FEW else None
        if first is not None and any(first["status"] > 0):
            few.append(one_by_one(job.problem.names, first))
        if results.fits == 1 and job.counted:
            few.append(_ALONE.format(data=data))
        if pictures:
            chosen.append(choose(job, results))

    with _on(device), _bar() as watch:
        summary = fit_file(
            data,
            out,
            model="amplitude" if model == "gaussian" else model,
            sigma=_number(sigma),
            host=host,
            watch=watch,
            review=review,
            **settings,
        )
    if host.index:
        return True  # the first process has the word
    words, drawn = [*said(summary), *few], None
    try:
        for choice in chosen:
            path = out.with_suffix(".png")
            with plots.style():
                plots.save(plots.fits.gallery(*choice), path)
            words.append(f"drawn: {path}")
            drawn = path
    finally:  # fits are kept, whatever becomes of their picture
        answer("\n".join(words), document(summary, drawn))
    return any(status > 0 for status in summary.counts)


def said(summary: Summary) -> list[str]:
    """What came of it: a line, and one more for each way in which fits did not converge."""
    advice = lambda status: status.sentence.replace("pass nan_policy='omit'", "give --omit").replace("_", "-")
    failed = [(text.count(many), advice(status)) for status, many in summary.counts.items() if status <= 0]
    return [summary.message, *(f"  {many} {sentence}" for many, sentence in failed)]


def one_by_one(names: Sequence[str], found: np.ndarray) -> str:
    """A table of fits, numbered from 0 as elsewhere: each parameter and its standard error."""
    head = ("fit", *(title for name in names for title in (name, "± standard error")))
    rows = [
        (str(k), *(cell for n in names for cell in (f"{fit[n]:.6g}", f"± {fit[f'{n}_stderr']:.2g}")))
        for k, fit in enumerate(found)
        if fit["status"] > 0
    ]
    return text.columns([head, *rows])


def document(summary: Summary, picture: Path | None) -> dict[str, Any]:
    """The same for a program; `statuses` are counts by name, as in `fitting.Status`."""
    statuses = {status.name.lower(): many for status, many in summary.counts.items()}
    return {
        "out": summary.out,
        "fits": summary.fits,
        "points": summary.points,
        "parameters": summary.names,
        "converged": sum(many for status, many in summary.counts.items() if status > 0),
        "statuses": statuses,
        "fitted_now": summary.fitted,
        "seconds": summary.seconds,
        "picture": picture,
    }


class Chosen(NamedTuple):
    """What a picture is drawn of; the arguments of `plots.fits.gallery`."""

    shown: list[Any]
    spread: dict[str, np.ndarray]
    caption: str


def choose(job: Job, results: Results) -> Chosen:
    """The best, the median and the worst fit, the first that failed, and a sample of the parameters.

    Fits are compared by √(χ²/dof): without sigma in units of the peak's height, so that a high peak counts as a low.
    """
    names, every = job.problem.names, max(1, results.fits // _SAMPLE)
    begin, lots, ends, failed = 0, [], {}, None
    for found in results:
        misfit = _misfit(found, job)
        good = np.flatnonzero(found["status"] > 0)
        for which, sign in (("best", 1), ("worst", -1)):
            if len(good):
                k = int(good[np.argmin(sign * misfit[good])])
                if which not in ends or sign * misfit[k] < sign * ends[which][1]:
                    ends[which] = (begin + k, misfit[k], found[k])
        bad = np.flatnonzero(found["status"] <= 0)
        if failed is None and len(bad):
            failed = (begin + int(bad[0]), np.nan, found[bad[0]])
        picked = np.arange(-begin % every, len(found), every)
        picked = picked[found["status"][picked] > 0]
        lots.append((begin + picked, misfit[picked], found[picked]))
        begin += len(found)
    numbers, misfits, sample = (np.concatenate(parts) for parts in zip(*lots, strict=True))
    if len(sample):
        middle = int(np.argsort(misfits)[len(misfits) // 2])
        ends = {
            "best": ends["best"],
            "median": (numbers[middle], misfits[middle], sample[middle]),
            "worst": ends["worst"],
        }
    if results.fits == 1 and ends:
        ends = {"fit": ends["best"]}
    shown = [_shown(job, which, *end) for which, end in ends.items()]
    if failed is not None:
        shown.append(_shown(job, Status(int(failed[2]["status"])).name.lower().replace("_", " "), *failed))
    spread = {name: sample[name] for name in names} if len(sample) >= _ENOUGH else {}
    of = f"{text.count(len(sample))} of {text.count(results.fits)} fits" if every > 1 else "all fits"
    return Chosen(shown, spread, f"parameters of {of} that converged; fits are counted from 0")


def _misfit(found: np.ndarray, job: Job) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = np.sqrt(found["chi2"] / np.maximum(found["dof"], 1))
        if job.curves.sigma is not None or job.problem.inputs.sigma is not None:
            return residual
        area = "area" in job.problem.names
        height = found["area"] / found["stddev"] / np.sqrt(2 * np.pi) if area else found["amplitude"]
        return np.nan_to_num(residual / np.abs(height), nan=np.inf)


def _shown(job: Job, which: str, number: Any, misfit: Any, found: Any) -> Any:
    """One fit with its data."""
    number = int(number)
    data = job.inputs(number, number + 1, 1)
    theta, x, y = [float(found[name]) for name in job.problem.names], data.x[0], data.y[0].astype(float)
    if data.mask is not None:
        y = np.where(data.mask[0], y, np.nan)
    size = f"{misfit:.3g} σ" if data.sigma is not None else f"{misfit:.2%} of its height"
    title = which if job.fits == 1 else f"{which}: fit {text.count(number)}"
    title += f"\nmisfit {size}" if np.isfinite(misfit) else ""
    model = lambda at: np.asarray(job.problem.function(at, *theta), float)
    sound = bool(np.all(np.isfinite(theta)))
    if job.image:
        shape = job.curves.y.shape[1:]
        down, across = (np.linspace(-0.5, n - 0.5, 10 * n) for n in shape)
        curve = model(np.stack(np.meshgrid(across, down))) if sound else None
        return plots.fits.Shown(title, None, y.reshape(shape), None, None, curve)
    along = x.astype(float) if x.ndim == 1 else np.arange(float(len(y)))  # points in a plane, by their number
    fine = np.linspace(along.min(), along.max(), _FINE) if x.ndim == 1 else along
    curve = model(fine if x.ndim == 1 else x.astype(float)) if sound else None
    sigma = None if data.sigma is None else data.sigma[0].astype(float)
    return plots.fits.Shown(title, along, y, sigma, fine if sound else None, curve)


@contextlib.contextmanager
def _on(device: str) -> Iterator[None]:
    """Within it, JAX computes on all devices of a kind."""
    devices.choose(device)
    with contextlib.nullcontext() if device == "auto" else jax.default_device(device):
        yield


@contextlib.contextmanager
def _bar() -> Iterator[Any]:
    """A bar on stderr, silent where that is no terminal; and how to go on, if it is interrupted."""
    if not hasattr(tqdm, "_lock"):
        tqdm.set_lock(RLock())  # its own choice would load multiprocessing, for a tenth of a second
    last: Progress | None = None
    bar = tqdm(total=0, unit=" fits", unit_scale=True, disable=None)

    def watch(progress: Progress) -> None:
        nonlocal last
        if last is None:
            bar.reset(progress.fits)
            bar.initial = bar.n = progress.done
        last = progress
        ended = ", ".join(f"{text.count(many)} {s.name.lower()}" for s, many in progress.counts.items())
        bar.set_postfix_str(ended, refresh=False)
        bar.update(progress.done - bar.n)

    try:
        yield watch
    except BaseException as error:
        if last is not None and isinstance(error, (KeyboardInterrupt, OSError)):
            bar.close()
            kept = f"{text.count(last.done)} of {text.count(last.fits)} fits are done and kept"
            print(f"\n{kept}; the same command goes on from there", file=sys.stderr)
        raise
    finally:
        bar.close()


def _number(sigma: str | None) -> float | str | None:
    try:
        return None if sigma is None else float(sigma)
    except ValueError:
        return sigma
