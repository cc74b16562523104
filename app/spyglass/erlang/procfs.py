"""What Linux tells of a running BEAM, as text: see proc(5)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from spyglass.remote.carrier import Runtime

_CONTAINER_ID = re.compile(r"[0-9a-f]{64}")
_TCP = re.compile(  # the columns of proc(5), /proc/net/tcp; state 0A is TCP_LISTEN
    r"^/proc/(?P<pid>\d+)/net/tcp6?: +\d+: (?P<address>[0-9A-F]{8}|[0-9A-F]{32}):(?P<port>[0-9A-F]{4}) "
    r"[0-9A-F:]+ 0A \S+ \S+ \S+ +(?P<uid>\d{1,10}) +\d+ (?P<inode>\d{1,20}) ",
    re.MULTILINE,
)
_TRIE = re.compile(
    r"^/proc/(?P<pid>\d+|self)/net/fib_trie:[ +|]*-- (?P<address>[0-9.]{7,15})\n"
    r"/proc/(?P=pid)/net/fib_trie: +/32 host LOCAL$",
    re.MULTILINE,
)
_FLAGS = ("ERL_AFLAGS", "ERL_FLAGS", "ERL_ZFLAGS")
_DYNAMIC = {
    "-erl_epmd_port",
    "-epmd_module",
    "-proto_dist",
    "inet_dist_listen_min",
    "erl_epmd_node_listen_port",
}


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening TCP socket. ``address`` is empty when it listens on all addresses."""

    address: str
    port: int
    uid: int
    inode: int


@dataclass(frozen=True)
class Beam:
    """One BEAM process. ``uid`` is the number as the survey's own side sees it.

    ``argv`` and ``environ`` may hold a cookie, and ``files`` (kind, text) does: none is shown.
    ``sockets`` are the inodes of its sockets, None when they may not be read. ``ancestors`` are its own
    process id and those above it, told only where its control groups name no container.
    """

    pid: int
    uid: int = -1
    container_ids: tuple[str, ...] = ()
    ancestors: tuple[int, ...] = ()
    uid_map: tuple[tuple[int, int, int], ...] = ()
    argv: tuple[str, ...] = field(default=(), repr=False)
    environ: Mapping[str, str] | None = field(default=None, repr=False)
    files: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    sockets: frozenset[int] | None = None
    listeners: tuple[Listener, ...] = ()
    addresses: tuple[str, ...] = ()

    def option(self, name: str) -> str | None:
        """The word after the last ``name`` in the command line: what counts for the BEAM."""
        found = [
            after
            for word, after in zip(self._before_extra, self._before_extra[1:], strict=False)
            if word == name
        ]
        return found[-1] if found else None

    @cached_property
    def _before_extra(self) -> tuple[str, ...]:
        """The command line up to ``-extra``: what follows is for the program (erl(1))."""
        return self.argv[: self.argv.index("-extra")] if "-extra" in self.argv else self.argv

    @cached_property
    def name(self) -> str | None:
        """The name that it was started with, with or without a host."""
        name = self.option("-name") or self.option("-sname")
        if not name and self.environ and self.environ.get("RELEASE_DISTRIBUTION") != "none":
            name = self.environ.get("RELEASE_NODE")
        return name if name and name != "undefined" else None

    @property
    def epmd_port(self) -> str:
        """The port of its epmd, empty when it is the usual one; erlexec makes ERL_EPMD_PORT an argument."""
        return self.option("-epmd_port") or (self.environ or {}).get("ERL_EPMD_PORT", "")

    @property
    def short(self) -> str | None:
        """The name up to the ``@``: what epmd knows."""
        return self.name.split("@")[0] if self.name else None

    @cached_property
    def may_listen(self) -> bool:
        """Whether it was started so that it may be a node, epmd or not."""
        return bool(self.name) or any(word in _DYNAMIC for word in self._before_extra)

    @property
    def runtime(self) -> Runtime:
        """Where its own Erlang lies."""
        boot = (self.option("-boot") or "").rpartition("/")[0]
        return Runtime(self.option("-bindir") or "", self.option("-root") or "", boot)

    @property
    def elixir(self) -> bool | None:
        """True when Elixir is on its code path; None when nothing tells."""
        words = " ".join(self.argv)
        return (
            True
            if "elixir" in words or "-user iex" in words or "RELEASE_NAME" in (self.environ or {})
            else None
        )

    @property
    def cookie_from_file(self) -> bool:
        """Whether ``-setcookie`` got into the command line from an ``-args_file``.

        erlexec ends what such a file gives by ``--``, and then everything by another one
        (erts/etc/common/erlexec.c; seen with OTP 25 and 28). OTP 28 writes the last one in
        any case, and one more before ``-extra``. What comes from ERL_FLAGS stands apart.
        """
        sections = list(_sections(self._before_extra))
        where = [number for number, words in enumerate(sections) if "-setcookie" in words]
        if not where or any("-setcookie" in (self.environ or {}).get(flags, "") for flags in _FLAGS):
            return False
        always = 1 if "-extra" in self.argv and self._erts >= _ERTS_28 else 0
        return where[-1] == _PLAIN and len(sections) - 1 - _PLAIN >= 2 + always

    @property
    def _erts(self) -> int:
        """The first number of the run-time system's version, 0 when the path does not tell."""
        found = re.search(r"/erts-(\d{1,9})", self.option("-bindir") or "")
        return int(found[1]) if found else 0

    def inside_uid(self) -> int | None:
        """Its uid as its container numbers it (user_namespaces(7)); None when that is not known."""
        for inner, outer, count in self.uid_map:
            if outer <= self.uid < outer + count:
                return inner + self.uid - outer
        return None


_ERTS_28 = 16
_PLAIN = 3  # the emulator, -root …, -home …, then the command line proper


def _sections(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    begin = 0
    for position, word in enumerate((*words, "--")):
        if word == "--":
            yield words[begin:position]
            begin = position + 1


def read_words(text: str) -> tuple[str, ...]:
    """The words of a command line or an environment, one a line, with byte 1 for each line break in them."""
    return tuple(word.replace("\1", "\n") for word in text.removesuffix("\n").split("\n"))


def read_environ(text: str) -> dict[str, str]:
    """NAME=value lines."""
    return dict(word.split("=", 1) for word in read_words(text) if "=" in word)


def read_status(text: str) -> int:
    """The effective uid out of /proc/PID/status; -1 when it is not there."""
    found = re.search(r"^Uid:\s*\d+\s+(\d{1,10})\b", text, re.MULTILINE)
    return int(found[1]) if found else -1


def read_cgroup(text: str) -> tuple[str, ...]:
    """The container ids in /proc/PID/cgroup, outermost first: docker, podman, containerd; v1 and v2."""
    return tuple(dict.fromkeys(_CONTAINER_ID.findall(text)))


def read_uid_map(text: str) -> tuple[tuple[int, int, int], ...]:
    """The three numbers of each line: inside, outside, how many."""
    rows = (line.split() for line in text.splitlines())
    numbers = (row for row in rows if len(row) == 3 and all(re.fullmatch(r"[0-9]{1,10}", n) for n in row))
    return tuple((int(a), int(b), int(c)) for a, b, c in numbers)


def read_listeners(text: str) -> dict[str, tuple[Listener, ...]]:
    """The listening sockets by process (of its network), out of ``grep -H`` over /proc/PID/net/tcp*."""
    found: dict[str, dict[Listener, None]] = {}
    for m in _TCP.finditer(text):
        listener = Listener(_address(m["address"]), int(m["port"], 16), int(m["uid"]), int(m["inode"]))
        found.setdefault(m["pid"], {})[listener] = None
    return {pid: tuple(listeners) for pid, listeners in found.items()}


def read_tries(text: str) -> dict[str, tuple[str, ...]]:
    """The local IPv4 addresses by process, no loopback, out of ``grep -H`` over /proc/PID/net/fib_trie."""
    found: dict[str, dict[str, None]] = {}
    for m in _TRIE.finditer(text):
        if not m["address"].startswith("127."):
            found.setdefault(m["pid"], {})[m["address"]] = None
    return {pid: tuple(addresses) for pid, addresses in found.items()}


def _address(text: str) -> str:
    """32-bit words, each in the byte order of the machine: little-endian wherever Erlang is met."""
    raw = b"".join(bytes.fromhex(text[i : i + 8])[::-1] for i in range(0, len(text), 8))
    address = ipaddress.ip_address(raw)
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    return "" if address.is_unspecified else str(address)
