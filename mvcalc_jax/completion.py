"""What a shell needs to complete the words of `mvcalc`: a script for bash, zsh or fish.

All there is to complete – commands, options, names to choose from – is written into the script, so that a key is
answered without waiting for Python. Files are offered where a value may be one.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from mvcalc_jax import arguments

_MANY = 999


class Values(NamedTuple):
    """What may follow an option, or stand alone: names, files, and how many of them."""

    names: tuple[str, ...] = ()
    files: bool = False
    most: int = 0


def script(shell: str, commands: Mapping[str, type], experiments: Mapping[str, str]) -> str:
    """The script.

    Args:
        shell: bash, zsh or fish.
        commands: of mvcalc, each with its settings.
        experiments: what `mvcalc run` takes, each with its question.
    """
    words = {name: _words(settings) for name, settings in commands.items()}
    words["run"] = {"": Values(tuple(experiments)), "--all": Values(), "--help": Values()}
    for name in experiments:
        words[f"run {name}"] = _words(importlib.import_module(f"experiments.{name}").Config)
    return _fish(words) if shell == "fish" else _bash(words, shell)


def _words(settings: type) -> dict[str, Values]:
    """The options of a command, and under "" what stands alone."""
    found = {"": Values()}
    for option in arguments.options(settings):
        known = option.choices or option.arg.known
        files = option.kind is Path or "FILE" in option.arg.metavar or option.field == "names"
        values = Values(known, files, 0 if option.switch else option.most or _MANY)
        names = [option.shown] if option.switch else option.names or [""]
        found |= dict.fromkeys(names, values)
    return found | dict.fromkeys(("--json", "--debug", "--help"), Values())


def _first(words: dict[str, dict[str, Values]]) -> str:
    return " ".join([*(name for name in words if " " not in name), "--help", "--version"])


def _bash(words: dict[str, dict[str, Values]], shell: str) -> str:
    """For bash; zsh runs the same by its bashcompinit."""
    cases = []
    for command, of in words.items():
        for flag, (names, files, most) in of.items():
            if flag and most:
                cases.append(f"'{command} {flag}') names='{' '.join(names)}' files={files:d} most={most} ;;")
        names, files, _ = of[""]
        every = " ".join([*names, *filter(None, of)])
        cases.append(f"'{command} ') names='{every}' files={files:d} most={_MANY} ;;")
    lines = "\n".join(f"      {case}" for case in cases)
    return (_ZSH if shell == "zsh" else "") + _BASH % (_first(words), lines)


_ZSH = "autoload -Uz bashcompinit && bashcompinit\n"
_BASH = """\
_mvcalc() {
  local word=${COMP_WORDS[COMP_CWORD]} before command option names files most
  local -a words
  COMPREPLY=()
  for before in "${COMP_WORDS[@]:0:$COMP_CWORD}"; do  # bash takes --device=cpu for three words
    [[ $before == '=' ]] || words+=("$before")
  done
  [[ $word == '=' ]] && word=
  if ((${#words[@]} == 1)); then
    COMPREPLY=($(compgen -W '%s' -- "$word"))
    return
  fi
  command=${words[1]} before=2
  if [[ $command == run && ${#words[@]} -gt 2 ]]; then
    command="run ${words[2]//-/_}" before=3
  fi
  local k=${#words[@]}
  while ((k > before)); do
    k=$((k - 1))
    [[ ${words[k]} == --* || ${words[k]} == -[a-z] ]] && break
  done
  for option in "${words[k]}" ''; do
    [[ $word == -* ]] && option=
    names= files=0 most=0
    case "$command $option" in
%s
    esac
    ((${#words[@]} - k <= most)) && break
  done
  COMPREPLY=($(compgen -W "$names" -- "$word"))
  if ((files)); then
    compopt -o filenames 2>/dev/null
    while IFS= read -r before; do
      COMPREPLY+=("$before")
    done < <(compgen -f -- "$word")
  fi
}
complete -F _mvcalc mvcalc"""


def _fish(words: dict[str, dict[str, Values]]) -> str:
    lines = ["complete -c mvcalc -f", f"complete -c mvcalc -n __fish_use_subcommand -a '{_first(words)}'"]
    for command, of in words.items():
        seen = "; and ".join(f"__fish_seen_subcommand_from {name}" for name in command.split())
        for flag, (names, files, most) in of.items():
            given = f" -a '{' '.join(names)}'" if names else ""
            takes = ("" if not flag else " -r" if files else " -x" if most else "") + (" -F" if files else "")
            kind = f" -l {flag[2:]}" if flag[:2] == "--" else f" -s {flag[1:]}" if flag else ""
            if kind or given or files:
                lines.append(f"complete -c mvcalc -n '{seen}'{kind}{takes}{given}")
    return "\n".join(lines)
