"""SSH when things go wrong: lost links, black holes, rekeying under load, silent servers, stuck readers."""

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

from spyglass.errors import Cancelled, Failure, Lost, Unreachable
from spyglass.forward import open_forward
from spyglass.profile import SSHHop
from spyglass.remote.base import Stop
from spyglass.remote.local import Local
from spyglass.remote.packets import Packets
from spyglass.remote.ssh import SSH
from spyglass.remote.transport import Transport
from support import sshd, target
from support.links import connect, connected, nobody, until
from support.sshd import Sshd


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd.running(tmp_path_factory.mktemp("sshd")) as made:
        yield made


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with target.running() as made:
        yield made


class Losses:
    """Hears of a link's loss."""

    def __init__(self, link: SSH) -> None:
        self.heard: list[Failure] = []
        self.event = threading.Event()
        link.on_lost = self

    def __call__(self, failure: Failure) -> None:
        self.heard.append(failure)
        self.event.set()


def test_a_killed_session_is_noticed_at_once(server: Sshd) -> None:
    link = connect(server)
    losses = Losses(link)
    started = time.monotonic()
    for pid in server.sessions():
        os.kill(pid, signal.SIGKILL)
    assert losses.event.wait(1)
    assert time.monotonic() - started < 0.5
    link.close()
    assert [type(failure) for failure in losses.heard] == [Lost]
    assert losses.heard[0].retry


def test_a_loss_before_anybody_listens_is_told_to_the_first_listener(server: Sshd) -> None:
    link = connect(server)
    for pid in server.sessions():
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: not link._transport.is_alive())
    assert Losses(link).heard[0].code == "lost"
    link.close()


def test_a_killed_session_wakes_whoever_waits(server: Sshd, port: int) -> None:
    link = connect(server)
    stream = link.dial("127.0.0.1", port)
    stream.sendall(b"E")
    answers: list[object] = []

    def wait() -> None:
        try:
            link.run(["sleep", "60"], timeout=60)
        except Failure as failure:
            answers.append(failure.code)

    def read() -> None:
        try:
            answers.append(stream.recv(1))
        except OSError:
            answers.append("broken")

    threads = [threading.Thread(target=wait), threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    assert until(lambda: link._sessions._open > 0)
    time.sleep(0.3)  # let the command start
    for pid in server.sessions():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for thread in threads:
        thread.join(3)
    assert sorted(map(str, answers)) == ["broken", "lost"]
    link.close()


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "uploading"])
def test_a_black_hole_is_noticed_within_ten_seconds(server: Sshd, port: int, busy: bool) -> None:
    link = connect(server)
    losses = Losses(link)
    stream = link.dial("127.0.0.1", port)
    stream.sendall(target.swallow(1 << 40) if busy else b"E")
    thread = threading.Thread(target=_send_for_ever, args=(stream,))
    if busy:
        thread.start()
    stopped = server.sessions()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert losses.event.wait(10)
        assert "nothing came for 9 seconds" in losses.heard[0].title
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGKILL)
        link.close()
        if busy:
            thread.join(5)
            assert not thread.is_alive()


def _send_for_ever(stream: object) -> None:
    with contextlib.suppress(OSError):
        while True:
            stream.sendall(bytes(32_000))  # type: ignore[attr-defined]


def test_an_idle_link_stays(server: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spyglass.remote.transport.KEEPALIVE", 0.05)
    with connected(server) as link:
        losses = Losses(link)
        assert not losses.event.wait(1)
        assert link.run(["true"]).status == 0
        assert link._transport.round_trip is not None


class SmallRekey(Packets):
    """Changes keys every megabyte instead of every 512."""

    REKEY_BYTES = 1 << 20


def test_rekeying_under_churn_breaks_nothing(
    server: Sshd, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rekeys: list[int] = []
    whole = Transport._parse_newkeys
    monkeypatch.setattr(Transport, "packets", SmallRekey)
    monkeypatch.setattr(Transport, "_parse_newkeys", lambda self, m: (rekeys.append(1), whole(self, m))[1])
    errors: list[str] = []
    stop = time.monotonic() + 6

    def guarded(work: object) -> None:
        while time.monotonic() < stop and not errors:
            try:
                work()  # type: ignore[operator]
            except (OSError, EOFError, Failure) as exc:
                errors.append(repr(exc))

    with connected(server) as link, open_forward(link, "127.0.0.1", port) as forward:

        def churn() -> None:
            with target.open_to(forward.port, b"H" + bytes(1000)) as sock:
                sock.shutdown(socket.SHUT_WR)
                assert sock.recv(10) == b"1000"

        def download() -> None:
            with target.open_to(forward.port, target.flood(4_000_000)) as sock:
                target.exactly(sock, 4_000_000)

        def upload() -> None:
            with target.open_to(forward.port, target.swallow(4_000_000)) as sock:
                sock.sendall(bytes(4_000_000))
                assert sock.recv(1) == b"K"

        works = [churn, churn, churn, download, upload, lambda: link.run(["true"])]
        threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(45)
        assert errors == []
        assert len(rekeys) > 20
        assert link.run(["echo", "alive"]).stdout == b"alive\n"


def test_unknown_messages_do_not_end_the_link(server: Sshd) -> None:
    """paramiko dies of a message number that it has no name for; OpenSSH's PING is one."""
    from paramiko.common import MSG_NAMES

    assert all(number in MSG_NAMES for number in range(256))


# getting there


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
        losses = Losses(link)
        os.kill(link._transport.wire._stream._child.pid, signal.SIGKILL)
        assert losses.event.wait(2)
        link.close()


def test_a_proxy_command_that_fails_says_why(server: Sshd, tmp_path: Path) -> None:
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
