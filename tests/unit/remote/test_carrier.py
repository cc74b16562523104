"""Each tool that carries a connection, run here: bytes both ways, each end of them, and its own end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from spyglass.remote.carrier import CARRIERS, UNKNOWN, Runtime, line, probe
from spyglass.remote.local import Local
from support.links import everything, until

ERLANG = Path("/usr/lib/erlang")
OWN = Runtime(str(next(ERLANG.glob("erts-*/bin"))), str(ERLANG), str(next(ERLANG.glob("releases/*/"))))
NAMES = [one.name for one in CARRIERS]
ALL = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH that begins with busybox's nc, wherever another one is installed."""
    (tmp_path / "nc").symlink_to("/usr/bin/busybox" if Path("/usr/bin/busybox").exists() else "/bin/busybox")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


@pytest.fixture
def listener(tools: Path) -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(10)
        yield made


def command(name: str, listener: socket.socket) -> list[str]:
    host, port = listener.getsockname()[:2]
    return line(name, host, port, OWN)


@ALL
def test_it_carries_both_ways_at_once_and_the_end_of_the_input(name: str, listener: socket.socket) -> None:
    stream = Local().pipe(command(name, listener))
    with listener.accept()[0] as far:
        data, back = os.urandom(700_000), os.urandom(900_000)
        heard: list[bytes] = []
        hearing = threading.Thread(target=lambda: heard.append(_exactly(far, len(data))))
        speaking = threading.Thread(target=far.sendall, args=(back,))
        answered: list[bytes] = []
        reading = threading.Thread(target=lambda: answered.append(_exactly(stream, len(back))))
        for thread in (hearing, speaking, reading):
            thread.start()
        stream.sendall(data)
        for thread in (hearing, speaking, reading):
            thread.join(20)
        assert (heard, answered) == ([data], [back])
        stream.shutdown_write()
        far.settimeout(5)
        assert far.recv(1) == b""
        if name != "bash":  # which has one descriptor for both directions
            far.sendall(b"late")
            far.close()
            assert everything(stream) == b"late"
    assert stream.why() == ""
    stream.close()


def _exactly(stream: object, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (piece := stream.recv(65536)):  # type: ignore[attr-defined]
        data += piece
    return bytes(data)


@ALL
def test_the_other_side_s_end_is_seen_at_once(name: str, listener: socket.socket) -> None:
    stream = Local().pipe(command(name, listener))
    with listener.accept()[0] as far:
        far.sendall(b"bye")
    stream.settimeout(2)
    assert everything(stream) == b"bye"
    stream.close()


@ALL
def test_it_ends_when_the_other_side_hangs_up(name: str, listener: socket.socket) -> None:
    """sshd and engines tell of an end only when standard error is closed as well."""
    with subprocess.Popen(command(name, listener), stdin=-1, stdout=-1) as child:
        with listener.accept()[0] as far:
            far.sendall(b"bye")
        assert child.wait(5) == 0
        assert child.stdout
        assert child.stdout.read() == b"bye"


@ALL
def test_a_port_where_nobody_listens_is_told(name: str, tools: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        stream = Local().pipe(command(name, taken))
        assert everything(stream) == b""
        assert "refused" in stream.why().lower()
        stream.close()


PARENT = """
import subprocess, sys, time
started = subprocess.Popen(sys.argv[1:], stdin=-1, stdout=-1, start_new_session=True)
print(started.pid, flush=True)
time.sleep(60)
"""


@ALL
def test_it_ends_with_whoever_started_it(name: str, listener: socket.socket) -> None:
    """As after a `kill -9`: nobody tells it anything but the end of its input."""
    command_line = [sys.executable, "-c", PARENT, *command(name, listener)]
    with subprocess.Popen(command_line, stdout=subprocess.PIPE) as parent, listener.accept()[0] as far:
        assert parent.stdout
        group = int(parent.stdout.readline())
        assert _processes(group)
        parent.kill()
        far.settimeout(5)
        assert far.recv(1) == b""
    assert until(lambda: not _processes(group))


def _processes(group: int) -> list[int]:
    """The processes of a process group that still run."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of = entry.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        found += [int(entry.parts[2])] * (int(of) == group and state != "Z")
    return found


def test_ipv6_addresses_are_dialled_by_each(tools: Path) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        listener.settimeout(10)
        for name in NAMES:
            stream = Local().pipe(command(name, listener))
            with listener.accept()[0] as far:
                far.sendall(b"six")
            assert everything(stream) == b"six", name
            stream.close()


@pytest.mark.parametrize("host", ["-e/bin/sh", "x,exec=1", "a b", "", "x!!y", "$(id)", "a\nb", "x" * 300])
def test_a_host_that_is_none_makes_no_command(host: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        line("socat", host, 1)
    with pytest.raises(ValueError, match="sh"):
        line("sh", "localhost", 1)


def test_the_probe_names_the_cheapest_that_is_there_and_fit(tmp_path: Path) -> None:
    """With a PATH of our own: each tool is taken away after it was chosen."""
    (tmp_path / "grep").symlink_to("/usr/bin/grep")
    for needed in ("cat", "sleep"):
        (tmp_path / needed).symlink_to(f"/usr/bin/{needed}")
    for name in NAMES[:-1]:
        (tmp_path / name).symlink_to("/bin/true" if name in {"socat", "erl"} else _program(name))
    chosen = []
    for _ in NAMES:
        chosen.append(_chosen(tmp_path, OWN))
        (tmp_path / chosen[-1]).unlink(missing_ok=True)
    assert chosen == NAMES
    assert _chosen(tmp_path, UNKNOWN) == ""
    assert (
        _chosen(tmp_path, Runtime(OWN.bindir, "/nowhere", "/nowhere")) == ""
    )  # no boot file that is harmless


def _program(name: str) -> str:
    return {"nc": "/bin/busybox", "perl": "/usr/bin/perl", "bash": "/bin/bash"}.get(name, sys.executable)


def _chosen(path: Path, runtime: Runtime) -> str:
    words = [word.replace('PATH="$PATH:', f'PATH="{path}" #') for word in probe(runtime)]
    return Local().run(words).stdout.decode().strip()
