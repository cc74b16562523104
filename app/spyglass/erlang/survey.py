"""One look at a place: a script that runs there once, and what it answers.

The script (``resources/discovery/survey.sh``) goes in by standard input, so nothing of it
shows in a process list, and its sections begin with a mark that nobody there can know:
a process cannot speak for another one by what stands in its command line.
"""

from __future__ import annotations

import functools
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from spyglass import asset
from spyglass.erlang import procfs
from spyglass.erlang.procfs import Beam
from spyglass.errors import Failure
from spyglass.log import forget
from spyglass.remote.base import Remote

Mode = Literal["host", "inside"]
_MOST = 16 * 1024 * 1024  # bytes: what hundreds of containers with all their labels need
_SECRET = re.compile(r"COOKIE|SECRET", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Survey:
    """What one look found. ``engines``: inspection lines by engine; ``troubles``: its refusals by engine.

    ``visible`` are the ids of those containers whose processes this place can see; None of
    the rest is known to hold no BEAM. ``readable``: whether /proc shows other people's processes.
    """

    hostname: str = ""
    uid: int = -1
    user: str = ""
    system: str = ""
    readable: bool = False
    engines: dict[str, list[str]] = field(default_factory=dict, repr=False)
    troubles: dict[str, str] = field(default_factory=dict)
    visible: frozenset[str] = frozenset()
    beams: tuple[Beam, ...] = ()


def take(remote: Remote, mode: Mode = "host", *, seconds: float = 15.0) -> Survey:
    """Run the script there. Raises what ``remote.run`` raises, or a Failure when there is no usable shell."""
    mark = f"=={secrets.token_hex(12)}"
    output = remote.run(["sh", "-s"], f"mark={mark}\nmode={mode}\n".encode() + _script(), seconds)
    text = output.stdout[:_MOST].decode("utf-8", "replace")
    if f"\n{mark} facts\n" not in text:
        raise Failure(
            f"{remote.describe()}: the shell there does not run a script (status {output.status})",
            "Spyglass needs a POSIX `sh` in the account's login environment.",
            code="no-shell",
        )
    return read(text, mark)


@functools.cache
def _script() -> bytes:
    return asset("discovery/survey.sh").read_bytes()


def read(text: str, mark: str) -> Survey:
    """Make a Survey of what the script wrote; anything unexpected is passed over."""
    engines: dict[str, list[str]] = {}
    troubles: dict[str, str] = {}
    visible: set[str] = set()
    ours: tuple[str, ...] = ()
    beams: list[dict[str, list[tuple[str, str]]]] = []
    facts = ""
    for kind, name, body in _sections(text, mark):
        if kind == "facts":
            facts = body
        elif kind == "ours":
            ours = procfs.read_cgroup(body)
        elif kind == "engine":
            engines.setdefault(name, []).extend(body.splitlines())
        elif kind == "trouble":
            troubles[name] = body.strip()
        elif kind == "visible":
            visible.update(body.split())
        elif kind == "beam":
            beams.append({"beam": [(name, body)]})
        elif beams:
            beams[-1].setdefault(kind, []).append((name, body))
    host, uid, user, system, proc = (*facts.splitlines(), "", "", "", "", "")[:5]
    return Survey(
        host, int(uid) if uid.isdigit() else -1, user, system, proc == "proc",
        engines, troubles, frozenset(visible), tuple(_beam(parts, ours) for parts in beams),
    )  # fmt: skip


def _sections(text: str, mark: str) -> Iterator[tuple[str, str, str]]:
    for piece in text.split(f"\n{mark} ")[1:]:
        title, _, body = piece.partition("\n")
        kind, _, name = title.partition(" ")
        yield kind, name, body


def _beam(parts: dict[str, list[tuple[str, str]]], ours: tuple[str, ...]) -> Beam:
    def body(kind: str) -> str:
        return parts[kind][0][1] if kind in parts else ""

    pid, status = parts["beam"][0]
    sockets = frozenset(int(word) for word in body("sockets").split() if word.isdigit())
    beam = Beam(
        pid=int(pid) if pid.isdigit() else -1,
        uid=procfs.read_status(status),
        container_ids=tuple(i for i in procfs.read_cgroup(body("cgroup")) if i not in ours),
        uid_map=procfs.read_uid_map(body("uidmap")),
        argv=procfs.read_words(body("cmdline")),
        environ=procfs.read_environ(body("environ")) if "environ" in parts else None,
        files=tuple((name.partition(" ")[2], text) for name, text in parts.get("file", [])),
        sockets=sockets if "sockets" in parts else None,
        listeners=procfs.read_listeners(body("listening")),
        addresses=procfs.read_addresses(body("addresses")),
    )
    return _forgotten(beam)


def _forgotten(beam: Beam) -> Beam:
    """Black out of the log what may be a secret, before anything can speak of it."""
    for word, after in zip(beam.argv, beam.argv[1:], strict=False):
        if word == "-setcookie":
            forget(after)
    for name, value in (beam.environ or {}).items():
        if _SECRET.search(name):
            forget(value)
    return beam
