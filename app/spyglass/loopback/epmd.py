"""Who holds a port that a node's address needs: most often a local epmd that listens everywhere.

Found in the tables of the kernel (proc(5)), by address and owner, without root; a process is named
where it is one of ours. Nothing is ever ended or redirected: it may serve somebody.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from spyglass.errors import Failure

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTEN = "0A"
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - to recognise them


@dataclass(frozen=True, slots=True)
class Holder:
    """A listening socket: its address, its owner's uid, and the process if it may be known."""

    address: str
    port: int
    uid: int
    pid: int | None = None
    program: str = ""

    def __str__(self) -> str:
        who = self.program or "a program"
        process = f", process {self.pid}" if self.pid else ""
        return f"{who} ({_account(self.uid)}{process})"


def in_the_way(address: str, port: int, tables: Iterable[Path] = _TABLES) -> Holder | None:
    """Who listens on the address and port, or on that port of all addresses."""
    blocking = EVERYWHERE | {address}
    found = (_holder(entry) for table in tables for entry in _listening(table, port))
    return next((holder for holder in found if holder.address in blocking), None)


def explain(address: str, port: int, holder: Holder | None, epmd_port: int) -> Failure:
    """The Failure for a port that is taken, with the exact remedy (code ``port-taken``)."""
    if holder is None:
        title = f"{address}:{port} is taken by another program"
        hint = f"`{_who_listens(port)}` tells which; end it, and try again."
        return Failure(title, hint, code="port-taken")
    where = "all addresses" if holder.address in EVERYWHERE else holder.address
    title = f"{holder} listens on port {port} of {where}, so {address} can't"
    return Failure(title, _remedy(holder, port, epmd=port == epmd_port), code="port-taken")


def _who_listens(port: int, system: str = sys.platform) -> str:
    if system == "darwin":
        return f"lsof -nP -iTCP:{port} -sTCP:LISTEN"
    return f"netstat -ano | findstr :{port}" if system == "win32" else f"ss -ltnp 'sport = :{port}'"


def _remedy(holder: Holder, port: int, *, epmd: bool) -> str:
    if not epmd:
        return "End it, or let it listen on 127.0.0.1 only, and try again."
    if holder.uid == os.getuid():
        return (
            "If that is your epmd, let it keep to 127.0.0.1: end your local nodes, then run `epmd -kill` and "
            "`ERL_EPMD_ADDRESS=127.0.0.1 epmd -daemon`, and try again."
        )
    return (
        "If that is the system's epmd, let it keep to 127.0.0.1: `sudo systemctl edit epmd.socket` with the "
        f"lines `[Socket]`, `ListenStream=` and `ListenStream=127.0.0.1:{port}`, then "
        "`sudo systemctl stop epmd.service` and `sudo systemctl restart epmd.socket`, and try again."
    )


def _listening(table: Path, port: int) -> Iterator[tuple[str, int, int, int]]:
    """(address, port, uid, inode) of each socket that listens on the port."""
    with contextlib.suppress(OSError):
        for line in table.read_text("ascii").splitlines()[1:]:
            words = line.split()
            digits, _, number = words[1].partition(":")
            if words[3] == _LISTEN and int(number, 16) == port:
                yield _address(digits), port, int(words[7]), int(words[9])


def _address(digits: str) -> str:
    """Words of 32 bits in the machine's byte order; an IPv4 address inside an IPv6 one as such."""
    raw = b"".join(struct.pack("=I", int(digits[at : at + 8], 16)) for at in range(0, len(digits), 8))
    if len(raw) == 16 and raw[:12] == bytes(10) + b"\xff\xff":
        raw = raw[12:]
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


def _holder(entry: tuple[str, int, int, int]) -> Holder:
    address, port, uid, inode = entry
    pid = _process(inode)
    return Holder(address, port, uid, pid, _program(pid) if pid else "")


def _process(inode: int) -> int | None:
    """The process that has the socket open; only those of our own user can be looked into."""
    wanted = f"socket:[{inode}]"
    for directory in Path("/proc").glob("[0-9]*/fd"):
        with contextlib.suppress(OSError):
            if any(_leads(descriptor, wanted) for descriptor in directory.iterdir()):
                return int(directory.parent.name)
    return None


def _leads(descriptor: Path, wanted: str) -> bool:
    try:
        return str(descriptor.readlink()) == wanted
    except OSError:
        return False


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text("utf-8", errors="replace").strip()
    except OSError:
        return ""


def _account(uid: int) -> str:
    import pwd  # noqa: PLC0415 - exists on Unix only

    try:
        return f"of {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"of uid {uid}"
