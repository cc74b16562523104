"""Write what follows from the command line's grammar: the man page and the completions.

Usage: ``.venv/bin/python packaging/generate.py``; a test holds that the files in ``resources/``
are what this writes.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import shtab

from spyglass import __version__
from spyglass.cli.parser import build

RESOURCES = Path(__file__).resolve().parents[1] / "resources"

PROFILES = "spyglass profiles list 2>/dev/null | sed -e 1d -e 's/  .*//'"
"""Prints the names of the saved profiles, one a line (columns are two blanks apart)."""

BASH = f"""\
_spyglass_profiles() {{
  local IFS=$'\\n'
  compgen -W "$({PROFILES})" -- "$1"
}}
"""
ZSH = f"""\
_spyglass_profiles() {{
  local -a names
  names=("${{(@f)$({PROFILES})}}")
  compadd -a names
}}
"""
COMPLETE = {"bash": "_spyglass_profiles", "zsh": "_spyglass_profiles"}

Parser = argparse.ArgumentParser


def main() -> None:
    """Write every file."""
    for name, content in files().items():
        place = RESOURCES / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, encoding="utf-8")
        print(f"resources/{name}")


def files() -> dict[str, str]:
    """Each file's name below ``resources/``, and its content."""
    preamble = {"bash": BASH, "zsh": ZSH}
    return {
        "spyglass.1": man(build()),
        "completions/spyglass.bash": shtab.complete(_hinted(build()), "bash", preamble=preamble),
        "completions/_spyglass": shtab.complete(_hinted(build()), "zsh", preamble=preamble),
        "completions/spyglass.fish": fish(build()),
    }


# -- what a parser holds ------------------------------------------------------------------


def subcommands(parser: Parser) -> dict[str, tuple[Parser, str]]:
    """The subcommands of a parser, each with its line of help."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            return {name: (each, helps.get(name, "")) for name, each in action.choices.items()}
    return {}


def leaves(parser: Parser, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Parser, str]]:
    """Every subcommand that has none of its own: its words, its parser, its help."""
    for name, (each, text) in subcommands(parser).items():
        deeper = list(leaves(each, (*words, name)))
        yield from deeper or [((*words, name), each, text)]


def options(parser: Parser) -> list[argparse.Action]:
    """The options that have a help text of their own here, --help apart."""
    return [a for a in parser._actions if a.option_strings and a.dest != "help"]


def positionals(parser: Parser) -> list[argparse.Action]:
    """The positional arguments."""
    kinds = argparse._SubParsersAction
    return [a for a in parser._actions if not a.option_strings and not isinstance(a, kinds)]


def _hinted(parser: Parser) -> Parser:
    """The parser with what shtab has to know: where a profile, a file, a directory is meant."""
    for action in parser._actions:
        if action.metavar in {"TARGET", "PROFILE"} or (action.dest, action.metavar) == ("name", "NAME"):
            vars(action)["complete"] = COMPLETE
        elif action.metavar in {"FILE", "DIR"}:
            vars(action)["complete"] = shtab.FILE if action.metavar == "FILE" else shtab.DIRECTORY
    for each, _ in subcommands(parser).values():
        _hinted(each)
    return parser


# -- man page: man(7) ---------------------------------------------------------------------


def man(parser: Parser) -> str:
    """The manual page, section 1."""
    epilog = parser.epilog or ""
    examples, _, rest = epilog.partition("\n\n")
    return "\n".join(
        (
            f'.TH SPYGLASS 1 "" "spyglass {__version__}" "User Commands"',
            ".SH NAME",
            "spyglass \\- Observer on any BEAM node that SSH can reach",
            ".SH SYNOPSIS",
            *_synopsis((), parser, "[SUBCOMMAND ...]"),
            ".SH DESCRIPTION",
            _roff(parser.description or ""),
            _roff(rest.split("\nExit status")[0].strip()),
            ".SH OPTIONS",
            *(line for action in options(parser) for line in _item(action)),
            ".SH SUBCOMMANDS",
            *(line for words, each, text in leaves(parser) for line in _section(words, each, text)),
            *_ending(examples),
        )
    )


def _synopsis(words: tuple[str, ...], parser: Parser, more: str = "") -> list[str]:
    """What argparse calls usage, but in the same words for every version of Python."""
    named = [more] if more else [_wanted(action) for action in positionals(parser)]
    return [f".B {_roff(' '.join(('spyglass', *words)))}", _roff(" ".join(("[options]", *named)))]


def _wanted(action: argparse.Action) -> str:
    name = str(action.metavar or action.dest.upper())
    many: dict[object, str] = {None: name, "?": f"[{name}]", "*": f"[{name} ...]"}
    return many[action.nargs]


def _section(words: tuple[str, ...], parser: Parser, text: str) -> Iterator[str]:
    yield f".SS {_roff(' '.join(words))}"
    yield from _synopsis(words, parser)
    yield ".PP"
    yield _roff((parser.description or f"{text[:1].upper()}{text[1:]}.").strip())
    for action in (*positionals(parser), *options(parser)):
        if action.help and action.dest != "profile_dir":
            yield from _item(action)


def _item(action: argparse.Action) -> Iterator[str]:
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    value = f" \\fI{_roff(metavar)}\\fR" if action.option_strings and action.nargs != 0 else ""
    names = ", ".join(f"\\fB{_roff(name)}\\fR" for name in action.option_strings)
    yield ".TP"
    yield (names or f"\\fI{_roff(metavar)}\\fR") + value
    yield _roff(action.help or "")


def _ending(examples: str) -> Iterator[str]:
    yield ".SH EXIT STATUS"
    for status, meaning in (("0", "Done."), ("1", "Failed: a title, then what to do, on standard error.")):
        yield from (".TP", f".B {status}", meaning)
    for status, meaning in (("2", "Wrong usage."), ("130", "Interrupted.")):
        yield from (".TP", f".B {status}", meaning)
    yield from (".SH FILES", ".TP", ".I ~/.config/spyglass/", "Profiles, settings and, in place of")
    yield from (".IR ~/.ssh/config ,", "an ssh_config of its own.")
    yield from (".SH EXAMPLES", ".EX", *map(_roff, examples.splitlines()[1:]), ".EE")
    yield from (".SH SEE ALSO", ".BR ssh (1),", ".BR ssh_config (5),", ".BR erl (1)", "")


def _roff(text: str) -> str:
    """The text as roff takes it: a hyphen that may be copied, no control line by accident."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.MULTILINE)


# -- fish ---------------------------------------------------------------------------------


def fish(parser: Parser) -> str:
    """Completions for fish."""
    lines = [
        "# Made by packaging/generate.py from the command line's grammar.",
        "complete -c spyglass -f",
        *_fish_words(parser, ()),
        *(line for action in options(parser) for line in _fish_option(action, "")),
    ]
    for words, each, _ in leaves(parser):
        seen = _fish_condition(words)
        lines += [line for action in options(each) for line in _fish_option(action, seen)]
        for action in positionals(each):
            if action.metavar in {"TARGET", "PROFILE"} or (action.dest, action.metavar) == ("name", "NAME"):
                lines.append(f"complete -c spyglass {seen}-a '({_quoted(PROFILES)})'")
            elif action.metavar == "FILE":
                lines.append(f"complete -c spyglass {seen}-F")
    return "\n".join((*lines, ""))


def _fish_words(parser: Parser, words: tuple[str, ...]) -> Iterator[str]:
    known = subcommands(parser)
    if not known:
        return
    seen = _fish_condition(words, *known) if words else "-n __fish_use_subcommand "
    for name, (each, text) in known.items():
        yield f"complete -c spyglass {seen}-a {name} -d '{_quoted(text)}'"
        yield from _fish_words(each, (*words, name))


def _fish_condition(words: tuple[str, ...], *none_of: str) -> str:
    seen = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in words)
    unseen = f"; and not __fish_seen_subcommand_from {' '.join(none_of)}" if none_of else ""
    return f"-n '{seen}{unseen}' "


def _fish_option(action: argparse.Action, seen: str) -> Iterator[str]:
    value = "" if action.nargs == 0 else " -r" + (" -F" if action.metavar in {"FILE", "DIR"} else "")
    about = f" -d '{_quoted(action.help)}'" if action.help and action.help != argparse.SUPPRESS else ""
    for name in action.option_strings:
        if name.startswith("--"):
            yield f"complete -c spyglass {seen}-l {name[2:]}{value}{about}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


if __name__ == "__main__":
    main()
