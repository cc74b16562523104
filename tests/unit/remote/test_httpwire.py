"""HTTP as far as an engine's API needs it, and whatever else may answer at its port."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.errors import Failure, Lost, Unreachable
from spyglass.remote.httpwire import Answer, Conversation
from spyglass.remote.local import SocketStream
from support.fake_remote import FakeStream, Said

WHERE = "tcp://10.0.0.5:4243"


def answer(said: bytes, *, limit: int = 1000, stays: bool = False) -> Answer:
    talk = Conversation(FakeStream(Said(said, stays=stays)), WHERE, 5)
    talk.ask("GET", "/version")
    return talk.answer(limit)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
    ],
)
def test_a_body_is_read_however_its_length_is_told(said: bytes) -> None:
    found = answer(said)
    assert (found.status, found.body) == (200, b"hello")


def test_a_request_says_what_is_needed_and_no_more() -> None:
    heard = []
    player = Said(b"HTTP/1.1 204 No Content\r\n\r\n")
    player.hear = heard.append  # type: ignore[method-assign]
    talk = Conversation(FakeStream(player), WHERE, 5)
    talk.ask("POST", "/exec/1/start", b"{}", {"Content-Type": "application/json"})
    assert talk.answer() == Answer(204, {})
    assert heard == [
        (
            b"POST /exec/1/start HTTP/1.1\r\nHost: engine\r\nConnection: close\r\nContent-Length: 2\r\n"
            b"Content-Type: application/json\r\n\r\n{}"
        )
    ]


@pytest.mark.parametrize(
    ("said", "title"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "it does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, "it sends too long a header"),
        (b"HTTP/1.1 two hundred\r\n\r\n", "it does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "it sends more than 0 kB"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "a chunk has no size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", "it sends more than 0 kB"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"y" * 2000, "it sends more than 0 kB"),
    ],
)
def test_what_is_no_api_is_said_in_one_line(said: bytes, title: str) -> None:
    with pytest.raises(Failure) as caught:
        answer(said)
    assert caught.value.title == f"{WHERE} is no container engine's API: {title}"


def test_silence_and_hanging_up_are_told_apart() -> None:
    with pytest.raises(Unreachable, match="accepts, but gives no answer"):
        answer(b"HTTP/1.1 200 OK\r\n", stays=True)
    with pytest.raises(Lost, match="hung up in the middle of an answer"):
        answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")


@pytest.mark.parametrize(
    ("piece", "title"),
    [
        (b"H", "accepts, but gives no answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 65536, "sends too long a header"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 65536, "sends more than 1000 kB"),
    ],
)
def test_no_answer_costs_more_than_was_agreed_however_long_it_goes_on(piece: bytes, title: str) -> None:
    """A byte now and then keeps nobody waiting, and a gigabyte fills no memory."""
    here, there = socket.socketpair()
    over = threading.Event()

    def talk_on() -> None:
        said = piece
        with contextlib.suppress(OSError):
            while not over.is_set():
                there.sendall(said)
                said = piece[-60000:] if len(piece) > 1 else b""
                over.wait(0 if said else 0.05)

    talker = threading.Thread(target=talk_on)
    talker.start()
    try:
        with pytest.raises(Failure, match=title):
            conversation = Conversation(SocketStream(here), WHERE, 0.3)
            conversation.ask("GET", "/version")
            conversation.answer(1_024_000)
    finally:
        over.set()
        here.close()
        talker.join(5)
        there.close()


@given(st.binary(max_size=300), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]))
def test_no_bytes_make_anything_but_an_answer_or_a_failure(noise: bytes, before: bytes) -> None:
    with contextlib.suppress(Failure):
        assert len(answer(before + noise).body) <= 1000
