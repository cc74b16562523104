import json
import socket
import threading
from collections.abc import Iterator

import pytest

from spyglass.control.wire import Wire
from spyglass.errors import BadInput, Lost

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_objects_arrive_one_by_one_however_they_are_cut(ends: Ends) -> None:
    wire = Wire(ends[0], 100)
    ends[1].sendall(b'{"a": 1}\n{"b"')
    assert wire.receive(1) == {"a": 1}
    ends[1].sendall(b": 2}\n")
    assert wire.receive(1) == {"b": 2}
    ends[1].close()
    assert wire.receive(1) is None


def test_what_is_sent_is_one_line(ends: Ends) -> None:
    Wire(ends[0], 100).send({"text": "two\nlines ü"})
    sent = ends[1].recv(1000)
    assert sent.count(b"\n") == 1
    assert json.loads(sent) == {"text": "two\nlines ü"}


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "not JSON"),
        (b"\xff\xfe\n", "not JSON"),
        (b"[" * 99 + b"\n", "not JSON"),
        (b"[1]\n", "no JSON object"),
        (b'{"a": 1}', "no end"),
        (b"x" * 101, "longer than"),
        (b'{"a": "' + b"x" * 100 + b'"}\n', "longer than"),
    ],
)
def test_what_is_no_object_in_bounds_is_refused(ends: Ends, sent: bytes, said: str) -> None:
    ends[1].sendall(sent)
    ends[1].shutdown(socket.SHUT_WR)
    with pytest.raises(BadInput, match=said):
        Wire(ends[0], 100).receive(1)


def test_nesting_without_end_is_refused(ends: Ends) -> None:
    sender = threading.Thread(target=ends[1].sendall, args=(b"[" * 60_000 + b"\n",))
    sender.start()
    with pytest.raises(BadInput, match="not JSON"):
        Wire(ends[0], 64 * 1024).receive(5)
    sender.join()


def test_the_time_counts_from_the_beginning_and_not_from_the_last_byte(ends: Ends) -> None:
    ends[1].sendall(b"{")
    with pytest.raises(Lost, match="in time"):
        Wire(ends[0], 100).receive(0.05)
