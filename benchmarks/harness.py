"""Times that can be trusted: the cold call apart, then warmed up, waited for, taken in turns, with their spread.

The machine may be shared and its clock may wander, so contenders are timed one after the other in every round
and compared within the round: a ratio is the median of the rounds' ratios.
"""

import multiprocessing
import platform
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import jax

from mvcalc_jax import devices
from mvcalc_jax.devices import Device

T = TypeVar("T")

PACKAGES = (
    *("mvcalc-jax", "jax", "jaxlib", "numpy", "scipy", "optax"),
    *("optimistix", "jaxopt", "lmfit", "torch", "scikit-learn", "statsmodels", "python-flint"),
)
"""Whose versions are told; the later ones where they are installed."""


@dataclass(frozen=True)
class Timing:
    """Seconds: of the first call, compilation included, and of each later one."""

    first: float
    rounds: tuple[float, ...]

    @property
    def typical(self) -> float:
        return median(self.rounds)

    @property
    def spread(self) -> str:
        """The fastest and the slowest round."""
        return f"{spoken(min(self.rounds))} – {spoken(max(self.rounds))}"

    def over(self, other: "Timing") -> float:
        """How many times as long as `other`, by the median of the rounds."""
        return median(self.ratios(other))

    def ratios(self, other: "Timing") -> list[float]:
        """How many times as long as `other`, round by round."""
        return [a / b for a, b in zip(self.rounds, other.rounds, strict=True)]


def measure(contenders: dict[str, Callable[[], Any]], rounds: int = 9) -> dict[str, Timing]:
    """Time every contender: once cold, once more to warm up, and then in turns."""
    first = {name: seconds(run) for name, run in contenders.items()}
    for run in contenders.values():
        seconds(run)
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            taken[name].append(seconds(run))
    return {name: Timing(first[name], tuple(taken[name])) for name in contenders}


def seconds(run: Callable[[], Any]) -> float:
    """Of a call, until what it returns is there."""
    began = time.perf_counter()
    jax.block_until_ready(run())
    return time.perf_counter() - began


def alone(f: Callable[..., T], *args: Any) -> T:
    """f(*args) in a process of its own, which remembers nothing: for memory, and for first calls."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(f, args)


def spoken(seconds: float) -> str:
    """A duration with a unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def setting(device: Device) -> str:
    """What the figures were measured on, in a line."""
    return spoken_setting(described(device))


def described(device: Device) -> dict[str, Any]:
    """What the figures were measured on: device, processor, Python, and the version of everything that takes part."""
    return {
        "platform": "cpu" if device.platform == "cpu" else "gpu",
        "device": device.device_kind,
        "processor": processor(),
        "cores": devices.cores(),
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def spoken_setting(setting: Mapping[str, Any]) -> str:
    """The same in a line."""
    versions = ", ".join(f"{name} {number}" for name, number in setting["versions"].items())
    kind = f"{setting['platform']} ({setting['device']})"
    return (
        f"{kind}, {setting['cores']} cores of {setting['processor']}, Python {setting['python']}, {versions}"
    )


def peak_memory() -> int:
    """The most bytes that this process has held; for a new one, its own, and not what its parent held before."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    found = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return 1024 * (found[0] if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def processor() -> str:
    """The model of the processor, or at least its architecture."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
