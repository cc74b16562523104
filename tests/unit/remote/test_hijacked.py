"""The framed output of a command that an engine's API runs."""

from __future__ import annotations

import pytest

from spyglass.remote.hijacked import Hijacked
from support.fake_remote import FakeStream, Said


def frame(kind: int, data: bytes) -> bytes:
    return bytes([kind, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


def hijacked(said: bytes, rest: bytes = b"", status: int | None = 0) -> Hijacked:
    return Hijacked(FakeStream(Said(said)), rest, lambda: status)


def test_output_and_errors_are_parted() -> None:
    whole = frame(1, b"one ") + frame(2, b"oh") + frame(1, b"") + frame(1, b"two")
    piped = hijacked(whole[6:], rest=whole[:6])
    assert [piped.recv(100), piped.recv(2), piped.recv(100), piped.recv(100)] == [b"one ", b"tw", b"o", b""]
    assert piped.why() == "oh"


def test_a_command_that_wrote_nothing_is_told_by_its_status() -> None:
    assert hijacked(b"", status=127).why() == "it ended with status 127"
    assert hijacked(b"").why() == ""


def test_what_is_no_frame_is_a_broken_link() -> None:
    with pytest.raises(OSError, match="unknown kind"):
        hijacked(b"HTTP/1.1 200 OK\r\n").recv(10)


def test_a_frame_cut_short_is_the_end() -> None:
    piped = hijacked(frame(1, b"hello")[:10])
    assert (piped.recv(100), piped.recv(100)) == (b"he", b"")
