"""Where to compute, and how precisely; and what to install where a device is not there."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import jax

from mvcalc_jax import require

Device = Any
"""A `jax.Device`, which type checkers do not take for a class."""

DEVICES = ("auto", "cpu", "gpu")
PRECISIONS = ("float32", "float64")


@contextlib.contextmanager
def computing(device: str = "auto", precision: str = "float32") -> Iterator[Device]:
    """Within it, and in this thread alone, JAX computes on `device`, and floats are of `precision`.

    Raises:
        ValueError: for an unknown or unusable device, or an unknown precision.

    >>> mv.devices.DEVICES, mv.devices.PRECISIONS
    (('auto', 'cpu', 'gpu'), ('float32', 'float64'))
    >>> with mv.devices.computing("cpu", "float64") as device:
    ...     print(device.platform, jnp.ones(3).dtype)
    cpu float64
    >>> with mv.devices.computing("tpu"):
    ...     pass
    Traceback (most recent call last):
        ...
    ValueError: unknown device 'tpu'; did you mean 'gpu'? known: auto, cpu, gpu
    """
    require.one_of("precision", precision, PRECISIONS)
    chosen = choose(device)
    # On a GPU, JAX multiplies matrices of float32 with ten bits of precision unless asked not to.
    full = jax.default_matmul_precision("highest")
    with jax.default_device(chosen), jax.enable_x64(precision == "float64"), full:
        yield chosen


def choose(name: str) -> Device:
    """The first device of a kind; `auto` is JAX's own choice, a GPU where it can use one.

    Raises:
        ValueError: for an unknown kind, or one that JAX cannot use here; the message says what to install.

    >>> mv.devices.choose("cpu").platform
    'cpu'
    """
    require.one_of("device", name, DEVICES)
    if name == "auto":
        return jax.local_devices()[0]
    try:
        return jax.local_devices(backend=name)[0]
    except RuntimeError:
        raise ValueError(f"JAX can use no {name} here; {gpu_advice()}") from None


def workers() -> list[Device]:
    """The device of each thread that keeps the machine busy, by what JAX is told to compute on.

    XLA runs a loop over small arrays on one core: a thread for each. Of accelerators, one for each device.

    >>> with mv.devices.computing("cpu"):
    ...     len(mv.devices.workers()) == mv.devices.cores()
    True
    """
    devices, chosen = jax.local_devices(), getattr(jax.config, "jax_default_device")  # noqa: B009 – no stub knows it
    if chosen is not None:
        devices = jax.local_devices(backend=chosen) if isinstance(chosen, str) else [chosen]
    each = 1 if devices[0].platform != "cpu" else max(1, cores() // len(devices))
    return [device for device in devices for _ in range(each)]


def cores() -> int:
    """The cores that this process may use, of all that there are.

    >>> mv.devices.cores() >= 1
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpu_advice() -> str:
    """What to do in order to compute on a GPU, in one line.

    >>> "pip install 'jax[cuda1" in mv.devices.gpu_advice()
    True
    """
    driver = nvidia_driver()
    if driver is None:
        return (
            f"no NVIDIA driver was found; where there is one: {sys.executable} -m pip install 'jax[cuda13]'"
        )
    # CUDA 13 needs driver 580 or newer (NVIDIA, CUDA 13.0 release notes, table 3).
    extra = "cuda13" if int(driver.split(".")[0]) >= 580 else "cuda12"
    return f"for the NVIDIA driver {driver} found here: {sys.executable} -m pip install 'jax[{extra}]'"


def nvidia_driver() -> str | None:
    """The version of the NVIDIA driver, or None where there is none.

    >>> driver = mv.devices.nvidia_driver()
    >>> driver is None or driver[0].isdigit()
    True
    """
    command = shutil.which("nvidia-smi")
    if command is None:
        return None
    query = [command, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    version = found.stdout.strip().splitlines()
    return version[0] if version and version[0][:1].isdigit() else None
