"""Is everything there that a run needs, and what would make it faster?"""

import importlib.metadata
import platform
import sys
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from mvcalc_jax import __version__, devices, text
from mvcalc_jax.models import network
from mvcalc_jax.verify import check_jacobian

_PACKAGES = ("jax", "jaxlib", "optax", "numpy", "matplotlib")

Finding = tuple[str, str, bool | None]
"""What was looked at, what was found, and whether that is well; None where it is neither well nor ill."""


def examine() -> tuple[list[Finding], bool]:
    """What was found, and whether all of it is well."""
    findings = [*_software(), *_devices(), *_pictures()]
    if all(well is not False for *_, well in findings):
        findings += _proof()
    return findings, all(well is not False for *_, well in findings)


def _software() -> Iterator[Finding]:
    yield "python", platform.python_version(), True
    yield "mvcalc-jax", __version__, True
    for name in _PACKAGES:
        try:
            yield name, importlib.metadata.version(name), True
        except importlib.metadata.PackageNotFoundError:
            yield name, f"not installed; run: {sys.executable} -m pip install {name}", False


def _devices() -> Iterator[Finding]:
    try:
        found = jax.devices()
    except RuntimeError as error:
        yield "devices", f"JAX finds none: {text.first_line(error)}", False
        return
    yield "devices", ", ".join(f"{device.platform} ({device.device_kind})" for device in found), True
    if all(device.platform == "cpu" for device in found):
        yield "gpu", devices.gpu_advice(), None
    else:
        yield "gpu", "in use by default; a network as small as the course's is faster with --device cpu", None
    x64 = "on" if jnp.zeros(0).dtype == jnp.float64 else "off"
    yield "float64", f"{x64} by default; checks and fits switch it on for themselves", None


def _pictures() -> Iterator[Finding]:
    try:
        from mvcalc_jax.plots import live
    except ImportError as error:
        yield "pictures", f"matplotlib cannot be loaded: {error}", False
        return
    yield "pictures", f"to files; with --live, {live.where()}", True


def _proof() -> Iterator[Finding]:
    rng = np.random.default_rng(0)
    report = check_jacobian(
        network.cost,
        network.jacobian,
        network.init(rng, (1, 6, 7, 2)),
        rng.random((1, 9)),
        rng.random((2, 9)),
    )
    yield (
        "derivatives",
        f"{report.verdict}: by hand against autodiff, largest error {report.error:.0e}",
        report.verdict == "correct",
    )
