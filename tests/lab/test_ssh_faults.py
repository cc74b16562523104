"""SSH when things go wrong: lost links, black holes, rekeying under load, silent servers, stuck readers."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from paramiko.common import MSG_NAMES

from spyglass.errors import Failure, Lost
from spyglass.forward import open_forward
from spyglass.remote.packets import Packets
from spyglass.remote.ssh import SSH
from spyglass.remote.transport import Transport
from support import sshd, target
from support.links import connect, connected, until
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
    server.signal(signal.SIGKILL)
    assert losses.event.wait(1)
    assert time.monotonic() - started < 0.5
    link.close()
    assert [type(failure) for failure in losses.heard] == [Lost]
    assert losses.heard[0].retry


def test_a_loss_before_anybody_listens_is_told_to_the_first_listener(server: Sshd) -> None:
    link = connect(server)
    server.signal(signal.SIGKILL)
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
    server.signal(signal.SIGKILL)
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
    server.signal(signal.SIGSTOP)
    try:
        assert losses.event.wait(10)
        assert "nothing came for 9 seconds" in losses.heard[0].title
    finally:
        server.signal(signal.SIGKILL)
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
    assert all(number in MSG_NAMES for number in range(256))
