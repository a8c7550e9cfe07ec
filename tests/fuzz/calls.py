"""One call: from its name, seed and number to what is wrong with it."""

import contextlib
import gc
import reprlib
import tempfile
import traceback
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from tests.fuzz import whole
from tests.fuzz.draws import Draw, spoiled
from tests.fuzz.judge import Finding, of_error, of_result, of_warnings
from tests.fuzz.recipe import Call, Recipe

SPOILED, TWICE, TRACED, DOUBLE = 0.75, 0.15, 0.04, 0.3
"""How often an argument is spoiled, and another one; one stands inside `jit`; JAX computes in float64."""


class Case(NamedTuple):
    """What became of a case: how it ended, what was called, what is wrong."""

    ended: str
    call: str
    findings: list[Finding]


def numbers(name: str, seed: int, case: int) -> Draw:
    """Where all random choices of a case come from."""
    return Draw(seed, case, zlib.crc32(name.encode()))


def made(recipe: Recipe, draw: Draw, folder: Path) -> tuple[Call, bool, bool]:
    """The call, whether something in it was spoiled, and whether it is to stand inside `jit`."""
    call = recipe.draw(draw, folder)
    if not recipe.spoil or not draw.chance(SPOILED):
        return call, False, False
    places: list[Any] = [k for k in (*range(len(call.args)), *call.options) if k not in call.keep]
    if draw.chance(TRACED) and any(_numeric(_at(call, k)) for k in places):
        return call, True, True
    for _ in range(1 + draw.chance(TWICE)):
        if not places:
            break
        place = draw.one(places)
        if isinstance(place, int):
            args = list(call.args)
            args[place] = spoiled(draw, args[place])
            call.args = tuple(args)
        elif draw.chance(0.1):
            call.options["no_such_option"] = call.options.pop(place)
            return call, True, False
        else:
            call.options[place] = spoiled(draw, call.options[place])
    return call, True, False


def _at(call: Call, place: Any) -> Any:
    return call.args[place] if isinstance(place, int) else call.options[place]


def _numeric(value: Any) -> bool:
    if isinstance(value, np.ma.MaskedArray):
        return False
    kind = getattr(value, "dtype", np.dtype(type(value)) if isinstance(value, float) else None)
    return kind in (np.float32, np.float64)


def _inside_jit(call: Call) -> None:
    places = [k for k in (*range(len(call.args)), *call.options) if _numeric(_at(call, k))]

    def traced(value: Any) -> Any:
        args = [value if k == places[0] else arg for k, arg in enumerate(call.args)]
        options = {k: value if k == places[0] else option for k, option in call.options.items()}
        call.function(*args, **options)
        return value

    jax.jit(traced)(_at(call, places[0]))


def described(call: Call) -> str:
    """A call in words, cut short."""
    shorten = reprlib.Repr()
    shorten.maxstring = shorten.maxother = 120
    parts = []
    for name, value in (*(("", arg) for arg in call.args), *call.options.items()):
        try:
            said = shorten.repr(value)
        except Exception:
            said = f"<{type(value).__name__}>"
        said += f":{value.dtype}{value.shape}" if isinstance(value, np.ndarray) else ""
        parts.append(f"{name}={said}" if name else said)
    function = getattr(call.function, "__qualname__", type(call.function).__name__)
    return " ".join(f"{function}({', '.join(parts)})".split())[:600]


def settings() -> dict[str, Any]:
    """What a call must leave as it was."""
    names = ("jax_enable_x64", "jax_numpy_rank_promotion", "jax_numpy_dtype_promotion", "jax_default_device")
    found = {name: getattr(jax.config, name) for name in names}
    return found | {"np.geterr": np.geterr(), "the folder": str(Path.cwd())}


def tried(name: str, recipe: Recipe, seed: int, case: int) -> Case:
    """Make the call, and look at what comes back."""
    draw = numbers(name, seed, case)
    with (
        tempfile.TemporaryDirectory(prefix="fuzz-") as place,
        contextlib.chdir(place),
        jax.enable_x64(draw.chance(DOUBLE)),
    ):
        return _tried(recipe, draw, Path(place))


def _tried(recipe: Recipe, draw: Draw, folder: Path) -> Case:
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        try:
            call, wrong, inside = made(recipe, draw, folder)
        except Exception as error:
            return Case("no call", "", [f for f in [of_error(error)] if f])
    words, before, files = described(call) + ", inside jit" * inside, settings(), whole.files(folder)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ended, findings = "returned", []
        try:
            result = _inside_jit(call) if inside else call.function(*call.args, **call.options)
            findings += _looked_at(call, result, recipe, wrong)
            del result
        except (Exception, SystemExit) as error:
            ended = "refused"
            jaxs = inside and isinstance(
                error, jax.errors.JAXTypeError
            )  # what is no array inside `jit` is JAX's to say
            found = (
                None if jaxs or _misspelt(error) else of_error(error, recipe.refusals, " inside jit" * inside)
            )
            findings += [found] if found else []
            error.__traceback__ = None
        gc.collect(0)
    findings += of_warnings(list(caught))
    after = settings()
    changed = [key for key in before if before[key] != after[key]]
    findings += [
        Finding("left", f"{key} was changed", f"{before[key]} became {after[key]}") for key in changed
    ]
    findings += [Finding("file", what, "") for what in whole.broken(folder, files)]
    return Case(ended, words, findings)


def _misspelt(error: BaseException) -> bool:
    """Whether these are Python's own words for arguments that a function has not; they are as good as any."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    ours = Path(last.filename).is_relative_to(Path(__file__).parent)
    return isinstance(error, TypeError) and (
        "no_such_option" in str(error) or (ours and "argument" in str(error))
    )


def _looked_at(call: Call, result: Any, recipe: Recipe, wrong: bool) -> Iterator[Finding]:
    yield from of_result(result, recipe.refusals)
    if call.truth and not wrong:
        said = call.truth(result)
        if said:
            yield Finding("false", said, repr(result)[:800])
