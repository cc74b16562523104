"""Where a node's cookie may stand, and how likely each place is right.

A wrong cookie costs a warning in the node's log, so the order of trying is by likelihood:
what the BEAM was started with beats what merely lies about. The *source* that is told for
a value is the first of the fixed order profile, environment, command line, release, file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from spyglass.erlang.handshake import usable
from spyglass.erlang.procfs import Beam
from spyglass.log import forget

PROFILE, COMMAND_LINE, RELEASE_FILE, VM_ARGS, HOME_FILE = (
    "profile", "-setcookie", "releases/COOKIE", "vm.args", ".erlang.cookie",
)  # fmt: skip
_VARIABLE = re.compile(r"[A-Za-z0-9_]*COOKIE[A-Za-z0-9_]*")
_KINDS = {"COOKIE": RELEASE_FILE, "vm.args": VM_ARGS, ".erlang.cookie": HOME_FILE}
_SETCOOKIE = re.compile(r"^[ \t]*-setcookie[ \t]+(?:'([^'\n]*)'|\"([^\"\n]*)\"|(\S+))", re.MULTILINE)

Given = Mapping[str, str] | str | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A cookie that may be right, and where it stood."""

    value: str = field(repr=False)
    source: str


def given_for(given: Given, node: str) -> list[Candidate]:
    """What the person gave: one cookie for all, or one for each node's full name."""
    value = given if isinstance(given, str) or given is None else given.get(node)
    return list(_usable([(value or "", PROFILE)]))


def found_in(beam: Beam, environ: Mapping[str, str] | None = None) -> list[Candidate]:
    """Candidates of one process, the most likely first, each value once.

    ``environ`` is what its container was configured with; the process's own goes before.
    Where the command line shows no cookie, the kernel took the one of the home directory.
    """
    variables = {**(environ or {}), **(beam.environ or {})}
    start = beam.option("-setcookie")
    told = [*_variables(variables), *_command_line(beam), *_files(beam)]
    if start is None and len(beam.argv) > 1:
        told.sort(key=lambda place: place[1] != HOME_FILE)
    first: dict[str, Candidate] = {}
    for candidate in _usable(told):
        first.setdefault(candidate.value, candidate)
    return sorted(first.values(), key=lambda candidate: candidate.value != start)


def _variables(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    names = [name for name in variables if _VARIABLE.fullmatch(name)]
    for name in sorted(names, key=lambda n: (n != "RELEASE_COOKIE", "ERL" not in n, n)):
        yield variables[name], name


def _command_line(beam: Beam) -> Iterator[tuple[str, str]]:
    cookie = beam.option("-setcookie")
    if cookie is not None:
        yield cookie, VM_ARGS if beam.cookie_from_file else COMMAND_LINE


def _files(beam: Beam) -> Iterator[tuple[str, str]]:
    for kind, source in _KINDS.items():
        for text in (text for k, text in beam.files if k == kind):
            values = _of_args(text) if kind == "vm.args" else [text.strip()]
            yield from ((value, source) for value in values)


def _of_args(text: str) -> list[str]:
    """The cookies in a vm.args; the last one of a file counts, so it comes first."""
    found = [m[1] or m[2] or m[3] for m in _SETCOOKIE.finditer(text)]
    return [value for value in reversed(found) if "$" not in value]  # "${X}" waits for its value


def _usable(told: Iterable[tuple[str, str]]) -> Iterator[Candidate]:
    """Only what a cookie can be: one printable word (auth.erl reads files the same way)."""
    for value, source in told:
        if usable(value) and not re.search(r"[\x00-\x20\x7f]", value):
            yield Candidate(forget(value), source)
