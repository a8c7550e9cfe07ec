"""Settings for every test: shapes are checked, silent promotions are errors, and most tests run in both precisions."""

import ctypes
import gc
import os
import signal
from pathlib import Path

import jax
import jaxtyping
import numpy as np
import pytest

from tests.memory import resident

PACKAGE = Path(__file__).parent.parent / "mvcalc_jax"

SHAPED = [
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if "from jaxtyping import" in path.read_text()
]
"""Modules whose signatures say shapes; to check those of all others, too, would cost a fifth of the tests' time."""

jaxtyping.install_import_hook(SHAPED, "tests.checked")

TOLERANCE = {"float64": 1e-13, "float32": 1e-5}
"""Of a hand-written derivative against autodiff, in units of the leaf's largest entry."""

MUCH = 2 << 30
"""Bytes of memory that a worker may keep."""

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


# Tracing makes so many small objects that Python would look for garbage all the time, a tenth of the tests' time.
gc.set_threshold(50_000)


def pytest_configure(config):
    """What is tested is tested on the CPU, here and in commands that tests start, unless a GPU is asked for."""
    if "gpu" not in config.option.markexpr.replace("not gpu", ""):
        os.environ["JAX_PLATFORMS"] = "cpu"
        jax.config.update("jax_platforms", "cpu")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell's job in the background ignores Ctrl-C, and so would the commands that tests send it to.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _keep_programs(config)


def _keep_programs(config):
    """What XLA compiles in this process is kept for the other workers and for the next run of this checkout;
    `--cache-clear` makes all anew.

    Commands that tests start do without: one that is killed could leave half a program.
    """
    if hasattr(config, "cache") and jax.config.jax_compilation_cache_dir is None:
        jax.config.update("jax_compilation_cache_dir", str(config.cache.mkdir("programs")))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A file of tests is one worker's, so that what its tests share is made, traced and compiled once."""
    from xdist.scheduler import LoadFileScheduling

    return LoadFileScheduling(config, log) if config.option.dist == "load" else None


@pytest.fixture(autouse=True, scope="module")
def _frugal():
    """Compiled programs, thousands of them, would fill the memory: what there is of them is given back from time to
    time."""
    yield
    if resident() > MUCH:
        jax.clear_caches()
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)


@pytest.fixture(autouse=True)
def _strict():
    """Shapes and precisions that JAX would silently reconcile are errors."""
    with jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
        yield


@pytest.fixture
def standard_promotion(_strict):
    """For code that runs optax, which mixes its integer counters with floats."""
    with jax.numpy_dtype_promotion("standard"):
        yield


@pytest.fixture(params=["float32", "float64"])
def precision(request):
    """The name of a precision; while the test runs, it is the one that JAX gives to floats."""
    with jax.enable_x64(request.param == "float64"):
        yield request.param


@pytest.fixture
def float64():
    """JAX computes in float64 while the test runs."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(20261120)


@pytest.fixture
def unchecked():
    """jaxtyping's checks are off, so that a wrong shape reaches the package's own message."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="module")
def browser():
    """A real one."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM}: install Debian's chromium")
    api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()
