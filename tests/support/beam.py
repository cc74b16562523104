"""Remote nodes to test against: real ones, on this machine's loopback, each with a fixed port and no epmd."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_UP = 20.0  # seconds


@dataclass(frozen=True)
class Beam:
    """A running node. ``process`` is its VM itself (the launchers exec)."""

    name: str
    port: int
    cookie: str
    process: subprocess.Popen[bytes]
    output: Path = field(repr=False)

    def words(self) -> str:
        """What it has printed so far: its log."""
        return self.output.read_text("utf-8", errors="replace")

    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def kill(self) -> None:
        """End it the hard way."""
        self.process.kill()
        self.process.wait()


def free_port() -> int:
    """A TCP port that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def beam(
    name: str, cookie: str = "testcookie", *, elixir: bool = False, flags: Sequence[str] = ()
) -> Iterator[Beam]:
    """Run a node called ``name`` (long if its host has a dot) while inside."""
    port = free_port()
    kind = "-name" if "." in name.partition("@")[2] else "-sname"
    dist = ["-start_epmd", "false", "-erl_epmd_port", str(port), "-setcookie", cookie, *flags]
    dist += ["-kernel", "inet_dist_use_interface", "{127,0,0,1}"]
    if elixir:
        argv = ["elixir", f"-{kind}", name, "--erl", " ".join(dist), "--no-halt", "-e", ":ok"]
    else:
        argv = ["erl", "-noinput", "-boot", "no_dot_erlang", kind, name, *dist]
    home = Path(tempfile.mkdtemp(prefix="spyglass-beam-"))
    try:
        with _running(argv, home) as process:
            found = Beam(name, port, cookie, process, home / "output")
            _wait(found)
            yield found
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _running(argv: Sequence[str], home: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
    with (home / "output").open("wb") as output:
        process = subprocess.Popen(
            argv, env=environment, cwd=home, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _wait(node: Beam) -> None:
    deadline = time.monotonic() + _UP
    while time.monotonic() < deadline:
        if not node.alive():
            break
        try:
            socket.create_connection(("127.0.0.1", node.port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"{node.name} did not start: {node.words()}")
