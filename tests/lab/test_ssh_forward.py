"""A forward through a real sshd: half-closes, resets, stuck readers on both sides, many at once."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from spyglass.forward import Forward, open_forward
from spyglass.remote.ssh import SSH
from support import sshd, target
from support.links import connect, connected, holdings, until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.Sshd]:
    with sshd.running(tmp_path_factory.mktemp("sshd")) as made:
        yield made


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with target.running() as made:
        yield made


@pytest.fixture
def link(server: sshd.Sshd) -> Iterator[SSH]:
    with connected(server) as made:
        yield made


@pytest.fixture
def forward(link: SSH, port: int) -> Iterator[Forward]:
    with open_forward(link, "127.0.0.1", port) as made:
        yield made


def read_all(sock: socket.socket) -> bytes:
    data = b""
    while piece := sock.recv(65536):
        data += piece
    return data


def test_a_half_close_of_ours_gets_its_answer(forward: Forward) -> None:
    for _ in range(20):
        with target.open_to(forward.port, b"H" + bytes(100_000)) as sock:
            sock.shutdown(socket.SHUT_WR)
            assert read_all(sock) == b"100000"


def test_after_a_half_close_of_the_other_side_ours_still_gets_through(forward: Forward) -> None:
    with target.open_to(forward.port, b"P") as sock:
        assert read_all(sock) == b"hi"
        sock.sendall(bytes(200_000))
    with target.open_to(forward.port, b"Q") as sock:
        assert read_all(sock) == b"200000"


def test_random_bytes_arrive_as_they_were(forward: Forward) -> None:
    data = os.urandom(20_000_000)
    with target.open_to(forward.port, b"E", 30) as sock:
        thread = threading.Thread(target=sock.sendall, args=(data,))
        thread.start()
        assert target.exactly(sock, len(data)) == data
        thread.join()


def test_resets_of_ours_end_only_their_own_connection(forward: Forward) -> None:
    with target.open_to(forward.port, b"E") as other:
        for _ in range(5):
            sock = target.open_to(forward.port, target.flood(1 << 30))
            target.exactly(sock, 100_000)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
        other.sendall(b"x")
        assert other.recv(1) == b"x"
        assert until(lambda: "1 connections" in repr(forward._relay))


def test_a_reset_of_the_other_side_ends_ours(forward: Forward) -> None:
    with target.open_to(forward.port, b"R") as sock:
        assert sock.recv(1) == b""
    assert until(lambda: "0 connections" in repr(forward._relay))


def test_a_stuck_local_reader_blocks_nobody_else(forward: Forward) -> None:
    with target.open_to(forward.port, target.flood(1 << 30)), target.open_to(forward.port, b"E") as other:
        time.sleep(0.3)  # let its window fill
        for _ in range(50):
            other.sendall(b"x")
            assert other.recv(1) == b"x"


def test_a_stuck_remote_reader_blocks_nobody_else(forward: Forward) -> None:
    with target.open_to(forward.port, b"Z") as stuck, target.open_to(forward.port, b"E") as other:
        stuck.settimeout(0.3)
        with pytest.raises(TimeoutError):
            while True:
                stuck.sendall(bytes(1 << 20))
        for _ in range(50):
            other.sendall(b"x")
            assert other.recv(1) == b"x"


def test_fifty_connections_at_once(forward: Forward) -> None:
    socks = [target.open_to(forward.port, b"E") for _ in range(50)]
    for turn in range(20):
        for number, sock in enumerate(socks):
            sock.sendall(b"%03d%03d" % (number, turn))
        for number, sock in enumerate(socks):
            assert target.exactly(sock, 6) == b"%03d%03d" % (number, turn)
    for sock in socks:
        sock.close()


def test_closing_the_link_first_ends_the_forwards_connections(server: sshd.Sshd, port: int) -> None:
    before = holdings()
    link = connect(server)
    forward = open_forward(link, "127.0.0.1", port)
    sock = target.open_to(forward.port, b"Ex")
    assert sock.recv(1) == b"x"
    link.close()
    sock.settimeout(2)
    assert sock.recv(1) == b""
    sock.close()
    forward.close()
    assert until(lambda: holdings() == before)


def test_a_killed_session_ends_the_clients_at_once(link: SSH, forward: Forward, server: sshd.Sshd) -> None:
    with target.open_to(forward.port, b"Ex") as sock:
        assert sock.recv(1) == b"x"
        server.signal(signal.SIGKILL)
        sock.settimeout(1)
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""
