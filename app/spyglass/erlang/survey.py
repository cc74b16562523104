"""One look at a place: a script that runs there once, and what it answers.

The script (``resources/discovery/survey.sh``, after ``podman.sh``) goes in by standard input, so nothing of
it shows in a process list, and its sections begin with a mark that nobody there can know:
a process cannot speak for another one by what stands in its command line.
"""

from __future__ import annotations

import functools
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal
from weakref import WeakKeyDictionary

from spyglass import asset
from spyglass.erlang import procfs
from spyglass.erlang.procfs import Beam, Listener
from spyglass.errors import Failure
from spyglass.log import forget
from spyglass.remote.base import Remote
from spyglass.remote.container import ENGINES, CommandLine, Engine

Mode = Literal["host", "inside"]
Section = tuple[str, str, str]  # kind, name, body
_MOST = 16 * 1024 * 1024  # bytes: what hundreds of containers with all their labels need
_no_sudo: WeakKeyDictionary[Remote, set[str]] = WeakKeyDictionary()  # while the connection lasts
_SECRET = re.compile(r"COOKIE|SECRET", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Survey:
    """What one look found. ``engines``: inspection by way to the engine; ``troubles``: refusals by name.

    ``visible`` are the ids of those containers whose processes this place can see; None of
    the rest is known to hold no BEAM. ``readable``: whether /proc shows other people's processes.
    """

    hostname: str = ""
    uid: int = -1
    user: str = ""
    system: str = ""
    readable: bool = False
    engines: dict[Engine, list[str]] = field(default_factory=dict, repr=False)
    troubles: dict[str, str] = field(default_factory=dict)
    visible: frozenset[str] = frozenset()
    beams: tuple[Beam, ...] = ()
    addresses: tuple[str, ...] = ()


def take(remote: Remote, mode: Mode = "host", *, seconds: float = 15.0) -> Survey:
    """Run the script there. Raises what ``remote.run`` raises, or a Failure when there is no usable shell."""
    mark = f"=={secrets.token_hex(12)}"
    refused = _no_sudo.setdefault(remote, set()) if mode == "host" else set()
    begin = f"mark={mark}\nnosudo='{' '.join(sorted(refused))}'\nmode={mode}\n"
    output = remote.run(["sh", "-s"], begin.encode() + _script(), seconds)
    text = output.stdout[:_MOST].decode("utf-8", "replace")
    if f"\n{mark} facts\n" not in text:
        raise Failure(
            f"{remote.describe()}: the shell there does not run a script (status {output.status})",
            "Spyglass needs a POSIX `sh` in the account's login environment.",
            code="no-shell",
        )
    refused.update(name for kind, name, _ in _sections(text, mark) if kind == "nosudo" and name in ENGINES)
    return read(text, mark)


@functools.cache
def _script() -> bytes:
    return b"".join(asset(f"discovery/{name}.sh").read_bytes() for name in ("podman", "survey"))


def read(text: str, mark: str) -> Survey:
    """Make a Survey of what the script wrote; anything unexpected is passed over."""
    parts = list(_sections(text, mark))
    single = {kind: body for kind, _, body in parts}
    host, uid, user, system, proc = (*single.get("facts", "").splitlines(), *[""] * 5)[:5]
    ours = procfs.read_cgroup(single.get("ours", ""))
    listening = procfs.read_listeners(single.get("listening", ""))
    addresses = procfs.read_tries(single.get("tries", ""))
    return Survey(
        hostname=host,
        uid=_number(uid),
        user=user,
        system=system,
        readable=proc == "proc",
        engines={way: body.splitlines() for way, body in _engines(parts)},
        troubles={name: body.strip() for kind, name, body in parts if kind == "trouble"},
        visible=frozenset(word for kind, _, body in parts if kind == "visible" for word in body.split()),
        beams=tuple(_forgotten(_beam(group, ours, listening, addresses)) for group in _groups(parts)),
        addresses=addresses.get("self", ()),
    )


def _sections(text: str, mark: str) -> Iterator[Section]:
    for piece in text.split(f"\n{mark} ")[1:]:
        title, _, body = piece.partition("\n")
        kind, _, name = title.partition(" ")
        yield kind, name, body


def _engines(parts: list[Section]) -> Iterator[tuple[CommandLine, str]]:
    for kind, name, body in parts:
        if kind == "engine" and (way := CommandLine.read(name)):
            yield way, body


def _groups(parts: list[Section]) -> Iterator[list[Section]]:
    """The sections of each process: they begin with one called ``beam``."""
    starts = [i for i, (kind, _, _) in enumerate(parts) if kind == "beam"]
    for start, end in pairwise([*starts, len(parts)]):
        yield parts[start:end]


def _beam(
    group: list[Section],
    ours: tuple[str, ...],
    listening: Mapping[str, tuple[Listener, ...]],
    addresses: Mapping[str, tuple[str, ...]],
) -> Beam:
    pid = group[0][1]
    body = {kind: text for kind, name, text in group if name.split(" ")[0] == pid}
    sockets = frozenset(_numbers(body.get("sockets", "")))
    return Beam(
        pid=_number(pid),  # "-": no process, an account's home (survey.sh)
        uid=procfs.read_status(group[0][2]),
        container_ids=tuple(i for i in procfs.read_cgroup(body.get("cgroup", "")) if i not in ours),
        ancestors=tuple(_numbers(body.get("ancestors", ""))),
        uid_map=procfs.read_uid_map(body.get("uidmap", "")),
        argv=procfs.read_words(body.get("cmdline", "")),
        environ=procfs.read_environ(body["environ"]) if "environ" in body else None,
        files=tuple((name.partition(" ")[2], text) for kind, name, text in group if kind == "file"),
        sockets=sockets if "sockets" in body else None,
        listeners=listening.get(pid, ()),
        addresses=addresses.get(pid, ()),
    )


def _number(text: str) -> int:
    """A number of the kernel's, or -1."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else -1


def _numbers(text: str) -> Iterator[int]:
    return (number for number in map(_number, text.split()) if number >= 0)


def _forgotten(beam: Beam) -> Beam:
    """Black out of the log what may be a secret, before anything can speak of it."""
    for word, after in zip(beam.argv, beam.argv[1:], strict=False):
        if word == "-setcookie":
            forget(after)
    for name, value in (beam.environ or {}).items():
        if _SECRET.search(name):
            forget(value)
    return beam
