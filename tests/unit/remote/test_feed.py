"""An answer that never ends, however it is cut into pieces."""

from __future__ import annotations

import pytest

from spyglass.remote.feed import Feed
from support.fake_remote import FakeStream, Said

CHUNKED = {"transfer-encoding": "Chunked"}
BODY = b"6\r\none\ntw\r\n3;x=y\r\no\n{\r\n0\r\n\r\n"


@pytest.mark.parametrize("cut", range(len(BODY)))
def test_chunks_are_put_together_wherever_they_are_cut(cut: int) -> None:
    feed = Feed(FakeStream(Said(BODY[cut:])), BODY[:cut], CHUNKED)
    told = b""
    while piece := feed.recv(4):
        told += piece
    assert (told, feed.recv(4)) == (b"one\ntwo\n{", b"")


def test_without_chunks_it_is_read_as_it_comes_to_the_end() -> None:
    feed = Feed(FakeStream(Said(b"two")), b"one", {})
    assert [feed.recv(9), feed.recv(9), feed.recv(9)] == [b"one", b"two", b""]


def test_a_pause_in_the_middle_of_a_size_loses_nothing() -> None:
    said = Said(b"1", stays=True)
    feed = Feed(FakeStream(said), b"", CHUNKED)
    with pytest.raises(TimeoutError):
        feed.recv(99)
    said.says = b"0\r\n0123456789abcdef\r\n"
    assert feed.recv(99) == b"0123456789abcdef"
    feed.close()


@pytest.mark.parametrize("line", [b"-5\r\nhello", b"one\r\n", b"fffffffff\r\n", b"1" * 5000])
def test_what_is_no_chunk_is_a_broken_link(line: bytes) -> None:
    with pytest.raises(OSError, match="no size"):
        Feed(FakeStream(Said(line)), b"", CHUNKED).recv(5)
