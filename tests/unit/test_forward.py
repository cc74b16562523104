"""Forwards: half-closes, resets, stuck readers, other users, and nothing left behind. Over this computer."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from spyglass import forward
from spyglass.forward import Forward, open_forward
from spyglass.remote.local import Local
from support import target
from support.links import holdings, until

LINGER = struct.pack("ii", 1, 0)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with target.running() as made:
        yield made


@pytest.fixture
def to_target(port: int) -> Iterator[Forward]:
    with open_forward(Local(), "127.0.0.1", port, label="the target") as made:
        yield made


def read_all(sock: socket.socket) -> bytes:
    data = b""
    while piece := sock.recv(65536):
        data += piece
    return data


def test_it_listens_on_loopback_only(to_target: Forward) -> None:
    assert to_target.host == "127.0.0.1"
    assert "the target" in repr(to_target)


def test_bytes_go_both_ways(to_target: Forward) -> None:
    with target.open_to(to_target.port, b"Ehello") as sock:
        assert target.exactly(sock, 5) == b"hello"


def test_our_half_close_reaches_the_other_side_and_its_answer_comes_back(to_target: Forward) -> None:
    with target.open_to(to_target.port, b"H" + bytes(100_000)) as sock:
        sock.shutdown(socket.SHUT_WR)
        assert read_all(sock) == b"100000"


def test_after_the_other_sides_half_close_ours_still_gets_through(to_target: Forward) -> None:
    with target.open_to(to_target.port, b"P") as sock:
        assert read_all(sock) == b"hi"
        sock.sendall(bytes(200_000))
    with target.open_to(to_target.port, b"Q") as sock:
        assert read_all(sock) == b"200000"


def test_a_reset_of_ours_ends_the_connection_and_no_other(to_target: Forward) -> None:
    with target.open_to(to_target.port, b"E") as other:
        for _ in range(5):
            sock = target.open_to(to_target.port, target.flood(1 << 30))
            target.exactly(sock, 100_000)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
            sock.close()
        other.sendall(b"x")
        assert other.recv(1) == b"x"
        assert until(lambda: "1 connections" in repr(to_target._relay))


def test_a_reset_of_the_other_side_ends_ours(to_target: Forward) -> None:
    with target.open_to(to_target.port, b"R") as sock, contextlib.suppress(ConnectionResetError):
        assert sock.recv(1) == b""


def test_a_stuck_reader_blocks_nobody_else(to_target: Forward) -> None:
    with target.open_to(to_target.port, target.flood(1 << 30)), target.open_to(to_target.port, b"E") as other:
        for _ in range(50):
            other.sendall(b"x")
            assert other.recv(1) == b"x"


def test_a_port_that_refuses_shows_as_a_closed_connection() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        where = reserved.getsockname()[1]
        with open_forward(Local(), "127.0.0.1", where) as to_nothing, target.open_to(to_nothing.port) as sock:
            assert sock.recv(1) == b""


def test_fifty_connections_at_once(to_target: Forward) -> None:
    socks = [target.open_to(to_target.port, b"E") for _ in range(50)]
    for number, sock in enumerate(socks):
        sock.sendall(b"%03d" % number)
    for number, sock in enumerate(socks):
        assert target.exactly(sock, 3) == b"%03d" % number
        sock.close()


def test_closing_ends_everything_at_once(port: int) -> None:
    before = holdings()
    made = open_forward(Local(), "127.0.0.1", port)
    idle = target.open_to(made.port, b"E")
    stuck = target.open_to(made.port, target.flood(1 << 30))
    target.exactly(stuck, 1000)
    made.close()
    made.close()
    idle.settimeout(1)
    assert idle.recv(1) == b""
    idle.close()
    stuck.close()
    assert holdings() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", made.port), 1)


def test_it_gets_the_port_that_it_had_before(port: int) -> None:
    with open_forward(Local(), "127.0.0.1", port) as before:
        sock = target.open_to(before.port, b"Ehello")
        assert target.exactly(sock, 5) == b"hello"
    sock.close()  # the kernel remembers the connection for a while: that must not keep the port from us
    with (
        open_forward(Local(), "127.0.0.1", port, again=before.port) as made,
        target.open_to(made.port, b"Ehello") as sock,
    ):
        assert target.exactly(sock, 5) == b"hello"
        assert made.port == before.port


def test_a_port_that_somebody_else_has_now_is_left_to_them(port: int) -> None:
    with (
        open_forward(Local(), "127.0.0.1", port) as other,
        open_forward(Local(), "127.0.0.1", port, again=other.port) as made,
        target.open_to(made.port, b"Ehello") as sock,
    ):
        assert made.port != other.port
        assert target.exactly(sock, 5) == b"hello"


def test_a_remote_that_can_not_relay_leaves_no_listener() -> None:
    class Broken(Local):
        def relay(self, listener: socket.socket, host: str, port: int) -> object:  # type: ignore[override]
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        open_forward(Broken(), "127.0.0.1", 1)


# whose connection is it?

VISIT = """
import encodings.idna, os, socket, sys
os.setgroups([])
os.setuid(65534)
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
sock.settimeout(5)
try:
    sock.sendall(b"Ex")
    print(sock.recv(1))
except OSError as exc:
    print("refused", exc.errno)
"""


needs_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="only root can be another user"
)


@needs_root
@pytest.mark.warns("another user is told of once")
def test_another_user_is_refused_and_told_of_once(
    to_target: Forward, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("spyglass"), "propagate", True)
    for _ in range(2):
        command = [sys.executable, "-S", "-c", VISIT, str(to_target.port)]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        assert answer.stdout.startswith(("b''", "refused")), answer
    told = {id(record): record.getMessage() for record in caplog.records}  # one may come by two handlers
    assert [words for words in told.values() if "another user" in words] == [
        "the forward to the target: refused a connection of another user of this computer"
    ]
    with target.open_to(to_target.port, b"Ex") as sock:
        assert sock.recv(1) == b"x"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's tables are Linux's")
@pytest.mark.parametrize("way", ["_ask_kernel", "_search_table"])
def test_both_ways_to_ask_for_the_peer_know_it(way: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
    ):
        accepted, _ = listener.accept()
        with accepted:
            look_up = getattr(forward, way)
            assert look_up(client.getsockname(), accepted.getsockname()) == os.getuid()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's tables are Linux's")
@pytest.mark.warns("it is refused as another user is")
def test_a_peer_that_is_gone_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_far: object, _near: object) -> int:
        raise OSError("no such socket")

    monkeypatch.setattr(forward, "_ask_kernel", unknown)
    monkeypatch.setattr(forward, "_search_table", lambda far, near: None)
    with forward.OwnListener() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=_accept_until_closed, args=(listener,))
        thread.start()
        with socket.create_connection(listener.getsockname(), 5) as client:
            assert client.recv(1) == b""
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _accept_until_closed(listener: socket.socket) -> None:
    try:
        listener.accept()
    except OSError:
        return
    raise AssertionError("let in")
