from __future__ import annotations

import functools
import socket
import threading
from collections.abc import Iterator

import pytest

from spyglass.errors import Unreachable
from spyglass.remote.local import SocketStream
from spyglass.remote.relay import ThreadRelay
from support.links import until


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def client(listener: socket.socket) -> socket.socket:
    return socket.create_connection(listener.getsockname(), 5)


def refuse() -> SocketStream:
    raise Unreachable("nobody there")


def test_who_is_not_allowed_is_closed_and_nothing_is_dialled(listener: socket.socket) -> None:
    dialled: list[int] = []

    def dial() -> SocketStream:
        dialled.append(1)
        raise Unreachable("no")

    address = listener.getsockname()
    relay = ThreadRelay(listener, dial, allow=lambda _sock: False)
    with socket.create_connection(address, 5) as sock:
        assert sock.recv(1) == b""
    relay.close()
    assert dialled == []


def test_a_failed_dial_closes_the_connection(listener: socket.socket) -> None:
    address = listener.getsockname()
    relay = ThreadRelay(listener, refuse)
    with socket.create_connection(address, 5) as sock:
        assert sock.recv(1) == b""
    relay.close()
    relay.close()


def test_closing_while_dialling_leaves_nothing(listener: socket.socket) -> None:
    near, far = socket.socketpair()
    dialling, go_on = threading.Event(), threading.Event()

    def dial() -> SocketStream:
        dialling.set()
        go_on.wait(5)
        return SocketStream(near)

    address = listener.getsockname()
    relay = ThreadRelay(listener, dial)
    with socket.create_connection(address, 5) as sock, far:
        assert dialling.wait(5)
        closing = threading.Thread(target=relay.close)
        closing.start()
        assert until(relay._closed.is_set)
        assert sock.recv(1) == b""
        go_on.set()
        closing.join(5)
        assert not closing.is_alive()
        assert far.recv(1) == b""


def test_what_the_far_side_said_before_it_closed_still_gets_through(listener: socket.socket) -> None:
    class Early(SocketStream):
        """Takes nothing, but has something to say."""

        def __init__(self, sock: socket.socket) -> None:
            super().__init__(sock)
            self.sendall = self._no  # type: ignore[assignment]

        def _no(self, data: bytes) -> None:
            raise BrokenPipeError

    near, far = socket.socketpair()
    address = listener.getsockname()
    relay = ThreadRelay(listener, functools.partial(Early, near))
    with socket.create_connection(address, 5) as sock, far:
        sock.sendall(b"question")
        far.sendall(b"no thanks")
        far.shutdown(socket.SHUT_WR)
        assert sock.recv(20) == b"no thanks"
    relay.close()
