"""What the survey script would write on a server that exists only here."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from spyglass.remote.base import Output


@dataclass
class FakeBeam:
    """One BEAM process. ``listening``: (address in hex, port, inode); ``container``: an id, or empty.

    With pid -1 it stands for an account's home, where processes are hidden.
    """

    pid: int
    words: str = ""
    container: str = ""
    uid: int = 1000
    environ: Mapping[str, str] | None = None
    files: Sequence[tuple[str, str]] = ()
    sockets: Sequence[int] | None = None
    listening: Sequence[tuple[str, int, int]] = ()
    addresses: Sequence[str] = ()

    @property
    def argv(self) -> list[str]:
        """The command line as erlexec makes it."""
        start = "/usr/lib/erlang/bin/beam.smp -- -root /usr/lib/erlang -progname erl -- -home /home/x --"
        return [*start.split(), *self.words.split()]


def container(number: int = 1, name: str = "web", **more: object) -> dict[str, object]:
    """One container as the survey's inspection tells of it; addresses are 172.17.0.NUMBER."""
    network = {"IPAddress": f"172.17.0.{number}", "GlobalIPv6Address": "", "Aliases": None}
    return {
        "Id": identity(number),
        "Pid": 1000 + number,
        "Name": f"/{name}",
        "Image": "elixir:lab",
        "Hostname": name,
        "Labels": {},
        "Mode": "default",
        "Networks": {"bridge": network},
        "Ports": {},
        "Env": [None],
    } | more


def identity(number: int) -> str:
    """A container id."""
    return hashlib.sha256(str(number).encode()).hexdigest()


@dataclass
class FakeHost:
    """A server that runs the survey, and its containers' survey from within by ``inside``."""

    containers: list[dict[str, object]] = field(default_factory=list)
    beams: list[FakeBeam] = field(default_factory=list)
    inside: dict[str, list[FakeBeam]] = field(default_factory=dict)
    trouble: str = ""
    readable: bool = True
    visible: bool = True
    raw: list[str] = field(default_factory=list)

    def answer(self, argv: list[str], stdin: bytes | None) -> Output:
        """Run the survey; everything else is not found."""
        if argv == ["sh", "-s"]:
            return Output(0, self._survey(_mark(stdin)).encode())
        if "exec" in argv:
            beams = self.inside.get(argv[argv.index("sh", 1 + argv.index("exec")) - 1])
            if beams is None:
                return Output(126, b"", b"OCI runtime exec failed: no sh")
            return Output(0, _text(_mark(stdin), self.readable, "", beams).encode())
        return Output(127, b"", b"not found")

    def _survey(self, mark: str) -> str:
        engines = (
            f"\n{mark} trouble docker\n{self.trouble}\n"
            if self.trouble
            else f"\n{mark} engine docker rootful \n"
        )
        if not self.trouble:
            lines = [*(json.dumps(one) for one in self.containers), *self.raw]
            engines += "\n".join(lines) + "\n"
            seen = [str(one.get("Id")) for one in self.containers] if self.visible else []
            engines += f"\n{mark} visible docker\n" + "\n".join(seen) + "\n"
        return _text(mark, self.readable, engines, self.beams)


def _mark(stdin: bytes | None) -> str:
    found = re.match(rb"mark=(\S+)\n", stdin or b"")
    assert found
    return found[1].decode()


def _text(mark: str, readable: bool, engines: str, beams: Sequence[FakeBeam]) -> str:
    facts = f"\n{mark} facts\nweb1\n1000\ndeploy\nLinux\n{'proc' if readable else 'hidden'}\n"
    ours = f"\n{mark} ours\n0::/user.slice\n"
    listening = "".join(line for beam in beams for line in _listening(beam))
    tries = "".join(line for beam in beams for line in _tries(str(beam.pid), beam.addresses))
    networks = (
        f"\n{mark} listening\n{listening}\n{mark} tries\n{tries}{''.join(_tries('self', ['10.99.0.1']))}"
    )
    return facts + ours + "".join(_beam(mark, b) for b in beams) + networks + engines + f"\n{mark} end\n"


def _beam(mark: str, beam: FakeBeam) -> str:
    group = f"0::/system.slice/docker-{beam.container}.scope" if beam.container else "0::/user.slice"
    parts = [
        (f"beam {beam.pid}", f"Uid: {beam.uid}\t{beam.uid}\t{beam.uid}\t{beam.uid}"),
        (f"cgroup {beam.pid}", group),
        (f"uidmap {beam.pid}", "         0          0 4294967295"),
        (f"cmdline {beam.pid}", "\n".join(word.replace("\n", "\1") for word in beam.argv)),
        *((f"file {beam.pid} {kind}", text) for kind, text in beam.files),
    ]
    if beam.environ is not None:
        parts.append((f"environ {beam.pid}", "\n".join(f"{k}={v}" for k, v in beam.environ.items())))
    if beam.sockets is not None:
        parts.append((f"sockets {beam.pid}", "\n".join(map(str, beam.sockets))))
    parts.append((f"done {beam.pid}", ""))
    return "".join(f"\n{mark} {title}\n{body}\n" for title, body in parts)


def _listening(beam: FakeBeam) -> list[str]:
    table = f"/proc/{beam.pid}/net/tcp"
    middle = f"00000000:0000 0A 00000000:00000000 00:00000000 00000000  {beam.uid}        0"
    return [
        f"{table}{'6' * (len(address) > 8)}:   0: {address}:{port:04X} {middle} {inode} 1 0000 100\n"
        for address, port, inode in beam.listening
    ]


def _tries(pid: str, addresses: Sequence[str]) -> list[str]:
    table = f"/proc/{pid}/net/fib_trie"
    return [
        f"{table}:           |-- {address}\n{table}:              /32 host LOCAL\n" for address in addresses
    ]
