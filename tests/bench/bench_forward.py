"""Our forward against ``ssh -N -L``, in one run: ``python tests/bench/bench_forward.py``.

Both lead through the same sshd to the same target, each in a process of its own. Exits
with 1 when a target that must be met is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "app"), str(ROOT / "tests"), str(ROOT / "tests" / "bench")]

from ratios import Comparison, Target, percentile  # noqa: E402

from spyglass.forward import open_forward  # noqa: E402
from spyglass.profile import SSHHop  # noqa: E402
from spyglass.questions import Question  # noqa: E402
from spyglass.remote.base import Stop  # noqa: E402
from spyglass.remote.opening import open_hops  # noqa: E402
from support import sshd, target  # noqa: E402

OURS, SSH = "spyglass", "ssh -N -L"
ROUNDS, TURNS, CONNECTIONS = 1000, 20, 20
TARGETS = (
    Target("RTT p50 1 B", 1.35),
    Target("RTT p50 100 B", 1.35),
    Target("RTT p50 4 kB", 1.35),
    Target("RTT p99 4 kB", 0.2),
    Target("bulk down", 0.9, at_most=False),
    Target("bulk up", 0.9, at_most=False),
    Target("first byte p50", 2.0, must=False),
)


def serve(config: Path, port: int) -> None:
    """The process under test: one connection, one forward, until standard input ends."""

    def nobody(question: Question) -> object:
        raise RuntimeError(f"asked {question}")

    with contextlib.ExitStack() as stack:
        remotes = open_hops([SSHHop(host="lab")], nobody, Stop(), stack, config=config)
        forward = stack.enter_context(open_forward(remotes[-1], "127.0.0.1", port))
        print(forward.port, flush=True)
        sys.stdin.read()


@contextlib.contextmanager
def ours(server: sshd.Sshd, port: int) -> Iterator[int]:
    """The port of our forward."""
    command = [sys.executable, __file__, "--serve", str(server.config), "--port", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        try:
            yield int(child.stdout.readline())
        finally:
            child.kill()


@contextlib.contextmanager
def ssh(server: sshd.Sshd, port: int) -> Iterator[int]:
    """The port of ``ssh -N -L``."""
    local = sshd.free_port()
    command = ["ssh", "-F", str(server.config), "-N", "-L", f"127.0.0.1:{local}:127.0.0.1:{port}", "lab"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as child:
        try:
            deadline = time.monotonic() + 10
            while not _open(local):
                if time.monotonic() > deadline:
                    raise RuntimeError("ssh -L does not listen")
            yield local
        finally:
            child.kill()


def _open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    time.sleep(0.02)
    return False


def ping(sock: socket.socket, size: int, rounds: int) -> list[float]:
    """Round trips in microseconds."""
    message, buffer, times = bytes(size), bytearray(65536), []
    for _ in range(rounds):
        started = time.perf_counter_ns()
        sock.sendall(message)
        left = size
        while left:
            left -= sock.recv_into(buffer) or sys.exit("the connection ended")
        times.append((time.perf_counter_ns() - started) / 1000)
    return times


def take_turns(socks: dict[str, socket.socket], order: Sequence[str], size: int) -> dict[str, list[float]]:
    """Round trips of both in short turns: what else the machine does changes from one moment to the next."""
    times: dict[str, list[float]] = {name: [] for name in order}
    for _ in range(TURNS):
        for name in order:
            times[name] += ping(socks[name], size, ROUNDS // TURNS)
    return times


def down(port: int, size: int) -> float:
    """Megabytes a second towards us."""
    buffer, left = bytearray(1 << 20), size
    with target.open_to(port, target.flood(size), 30) as sock:
        started = time.perf_counter()
        while left:
            left -= sock.recv_into(buffer) or sys.exit("the connection ended")
        return size / (time.perf_counter() - started) / 1e6


def up(port: int, size: int) -> float:
    """Megabytes a second away from us, until the other side has them all."""
    chunk, left = bytes(256 * 1024), size
    with target.open_to(port, target.swallow(size), 30) as sock:
        started = time.perf_counter()
        while left:
            left -= sock.send(chunk[:left])
        target.exactly(sock, 1)
        return size / (time.perf_counter() - started) / 1e6


def first_byte(port: int) -> float:
    """Milliseconds from connecting to the first byte back."""
    started = time.perf_counter()
    with target.open_to(port, b"Ex") as sock:
        target.exactly(sock, 1)
        return (time.perf_counter() - started) * 1000


def measure(result: Comparison, ports: dict[str, int], cycles: int, megabytes: int) -> None:
    """Fill the comparison."""
    tails: dict[str, list[float]] = {OURS: [], SSH: []}
    size = megabytes * 1_000_000
    for port in ports.values():  # warm both
        down(port, 8_000_000), up(port, 8_000_000)
    socks = {name: target.open_to(port, b"E", 30) for name, port in ports.items()}
    for order in result.cycles(cycles):
        for payload, words in ((1, "1 B"), (100, "100 B"), (4096, "4 kB")):
            for name, times in take_turns(socks, order, payload).items():
                result.add(f"RTT p50 {words}", name, percentile(times, 0.5), "us")
                tails[name] += times if payload == 4096 else []
        for name in order:
            times = [first_byte(ports[name]) for _ in range(CONNECTIONS)]
            result.add("first byte p50", name, percentile(times, 0.5), "ms")
            result.add("bulk down", name, down(ports[name], size), "MB/s")
            result.add("bulk up", name, up(ports[name], size), "MB/s")
    for name, times in tails.items():
        result.add("RTT p99 4 kB", name, percentile(times, 0.99), "us")
        socks[name].close()


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=7)
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.port)
        return 0
    result = Comparison(OURS, SSH)
    print(f"load {os.getloadavg()[0]:.2f}, {options.cycles} cycles, {options.megabytes} MB a transfer")
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(sshd.running(home / "sshd"))
        port = stack.enter_context(target.running())
        ports = {OURS: stack.enter_context(ours(server, port)), SSH: stack.enter_context(ssh(server, port))}
        measure(result, ports, options.cycles, options.megabytes)
    return 0 if result.report(TARGETS) else 1


if __name__ == "__main__":
    sys.exit(main())
