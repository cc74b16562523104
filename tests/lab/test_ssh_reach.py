"""Getting to an SSH server: every step that can hang is stopped at once, every failure has its own words."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from spyglass.errors import Cancelled, Failure, Unreachable
from spyglass.profile import SSHHop
from spyglass.remote.base import Stop
from spyglass.remote.local import Local
from spyglass.remote.ssh import SSH
from support import sshd
from support.links import connect, connected, nobody
from support.sshd import Sshd


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that accepts and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def hop(port: int, host: str = "127.0.0.1") -> SSHHop:
    return SSHHop(host=host, user="somebody", port=port)


def attempt(where: SSHHop, config: Path, stop: Stop | None = None) -> None:
    SSH.connect(where, Local(), nobody, stop or Stop(), config=config).close()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config"
    file.write_text("ConnectTimeout 1\nIdentityAgent none\nUserKnownHostsFile none\n")
    return file


def test_stopping_ends_the_wait_for_a_banner_at_once(silent: int, config: Path) -> None:
    stop = Stop()
    config.write_text("ConnectTimeout 60\nIdentityAgent none\n")
    timer = threading.Timer(0.2, stop.set)
    timer.start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        attempt(hop(silent), config, stop)
    assert time.monotonic() - started < 1
    timer.join()


def test_stopping_ends_the_wait_for_a_connection_at_once(config: Path) -> None:
    stop = Stop()
    config.write_text("ConnectTimeout 60\n")
    with _full_backlog() as port:
        timer = threading.Timer(0.2, stop.set)
        timer.start()
        started = time.monotonic()
        with pytest.raises(Cancelled):
            attempt(hop(port), config, stop)
        assert time.monotonic() - started < 1
        timer.join()


def test_stopping_during_a_question_ends_the_connection(tmp_path: Path) -> None:
    stop = Stop()

    def ask(_question: object) -> str:
        stop.set()
        raise Cancelled

    with sshd.running(tmp_path) as server:
        server.known_hosts.write_text("")
        with pytest.raises(Cancelled):
            connect(server, ask, stop)


def test_a_silent_server_times_out(silent: int, config: Path) -> None:
    with pytest.raises(Unreachable) as failure:
        attempt(hop(silent), config)
    assert failure.value.code == "no-banner"


def test_something_else_than_ssh_is_told_as_such(config: Path) -> None:
    with _answering(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 200) as port:
        with pytest.raises(Failure) as failure:
            attempt(hop(port), config)
        assert failure.value.code == "not-ssh"


def test_a_server_that_hangs_up_is_told_as_such(config: Path) -> None:
    with _answering(b"") as port:
        with pytest.raises(Unreachable) as failure:
            attempt(hop(port), config)
        assert failure.value.code == "closed"


def test_a_refused_port_an_unknown_host_and_silence_have_their_own_titles(config: Path) -> None:
    free = sshd.free_port()
    titles = []
    with _full_backlog() as full:
        for where in (hop(free), hop(22, "nothing.invalid"), hop(full)):
            with pytest.raises(Unreachable) as failure:
                attempt(where, config)
            assert failure.value.hint
            titles.append(failure.value.title)
    assert titles == [
        f"127.0.0.1:{free} refuses connections",
        "nothing.invalid can't be found",
        f"127.0.0.1:{full} does not answer",
    ]


def test_an_alias_is_explained_when_it_can_not_be_reached(config: Path) -> None:
    free = sshd.free_port()
    config.write_text(f"Host prod1\n  HostName 127.0.0.1\n  Port {free}\n")
    with pytest.raises(Unreachable) as failure:
        attempt(SSHHop(host="prod1"), config)
    assert failure.value.title == f"127.0.0.1:{free} refuses connections"
    assert failure.value.hint.startswith(f"prod1 stands for 127.0.0.1:{free}")


@contextlib.contextmanager
def _answering(text: bytes) -> Iterator[int]:
    """A port that answers each connection with a text and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer, args=(listener, text))
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _answer(listener: socket.socket, text: bytes) -> None:
    with contextlib.suppress(OSError):
        while True:
            sock, _ = listener.accept()
            with sock:
                sock.sendall(text)
                sock.shutdown(socket.SHUT_WR)
                sock.recv(4096)


@contextlib.contextmanager
def _full_backlog() -> Iterator[int]:
    """A port whose queue is full: the kernel drops new connections without a word."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            assert sock.connect_ex(listener.getsockname()) in {0, errno.EINPROGRESS}
        yield listener.getsockname()[1]


# ProxyCommand


def proxied(server: Sshd, command: str) -> Path:
    server.config.write_text(server.ssh_config("lab", f"ProxyCommand {command}"))
    return server.config


def test_a_proxy_command_carries_the_connection(tmp_path: Path) -> None:
    with sshd.running(tmp_path / "a") as jump, sshd.running(tmp_path / "b") as server:
        proxied(server, f"ssh -F {jump.config} -W 127.0.0.1:{server.port} lab")
        with connected(server) as link:
            assert link.run(["echo", "through"]).stdout == b"through\n"


def test_the_death_of_a_proxy_command_is_noticed(tmp_path: Path) -> None:
    with sshd.running(tmp_path / "a") as jump, sshd.running(tmp_path / "b") as server:
        proxied(server, f"ssh -F {jump.config} -W 127.0.0.1:{server.port} lab")
        link = connect(server)
        lost = threading.Event()
        link.on_lost = lambda _failure: lost.set()
        os.kill(link._transport.wire._stream._child.pid, signal.SIGKILL)
        assert lost.wait(2)
        link.close()


def test_a_proxy_command_that_fails_says_why(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host lab\n  ProxyCommand sh -c 'echo no way >&2; exit 7'\n")
    with pytest.raises(Unreachable) as failure:
        attempt(SSHHop(host="lab"), config)
    assert failure.value.code == "proxy-command"
    assert "status" in failure.value.title
    assert "no way" in failure.value.hint


def test_stopping_ends_a_proxy_command_that_hangs(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host lab\n  ConnectTimeout 60\n  ProxyCommand sleep 600\n")
    stop = Stop()
    timer = threading.Timer(0.2, stop.set)
    timer.start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        attempt(SSHHop(host="lab"), config, stop)
    assert time.monotonic() - started < 1.5
    timer.join()
