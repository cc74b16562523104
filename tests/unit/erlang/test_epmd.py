"""What epmd answers, and what only looks like it."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.erlang import epmd
from spyglass.errors import Failure
from support.fake_remote import FakeEpmd, FakeStream, Player, Said


def test_names_and_their_ports() -> None:
    stream = FakeStream(FakeEpmd({"hello": 45011, "app": 9100}))
    assert epmd.names(stream) == {"hello": 45011, "app": 9100}


def test_nobody_registered_is_an_empty_answer() -> None:
    assert epmd.names(FakeStream(FakeEpmd({}))) == {}


def test_one_node_is_described() -> None:
    node = epmd.port_please(FakeStream(FakeEpmd({"hello": 45011})), "hello")
    assert node == epmd.EpmdNode("hello", 45011, hidden=False, protocol=0, highest=6, lowest=5)


def test_an_unknown_node_is_none() -> None:
    assert epmd.port_please(FakeStream(FakeEpmd({"hello": 45011})), "other") is None


@pytest.mark.parametrize(
    "says",
    [b"", b"\0\0", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\x11\x11" + b"x" * 1_000_000],
    ids=["silence", "a stump", "a web server", "a flood"],
)
def test_something_else_is_told_from_epmd(says: bytes) -> None:
    with pytest.raises(Failure) as caught:
        epmd.names(FakeStream(Said(says)))
    assert caught.value.code == "not-epmd"


def test_waiting_for_ever_is_no_epmd() -> None:
    with pytest.raises(Failure, match="no answer") as caught:
        epmd.names(FakeStream(Said(b"\0\0\x11\x11", stays=True)))
    assert caught.value.code == "silent"  # and is asked by no other way


def test_a_flood_is_not_read_to_its_end() -> None:
    player = Said(b"\0\0\x11\x11" + b"name x at port 1\n" * 100_000)
    with pytest.raises(Failure):
        epmd.names(FakeStream(player))
    assert len(player.says) > 1_000_000


def test_ports_that_are_none_and_names_with_control_characters_are_left_out() -> None:
    text = b"name ok at port 4001\nname big at port 99999\nname no\x1b[2J at port 4002\nname zero at port 0\n"
    assert epmd.names(FakeStream(Said(b"\0\0\x11\x11" + text))) == {"ok": 4001}


class Dripping(Player):
    """Sends a byte whenever it is asked, for ever."""

    def __init__(self, clock: list[float]) -> None:
        super().__init__()
        self.clock = clock

    @property
    def says(self) -> bytes:
        self.clock[0] += 0.4
        return b"x"

    @says.setter
    def says(self, _value: bytes) -> None:
        pass


def test_a_byte_now_and_then_does_not_hold_us_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("spyglass.erlang.reader.time.monotonic", lambda: clock[0])
    with pytest.raises(Failure, match="no answer"):
        epmd.names(FakeStream(Dripping(clock)), seconds=2.0)
    assert clock[0] < 4


@given(st.binary(max_size=300))
def test_any_bytes_are_names_or_a_failure(says: bytes) -> None:
    found: dict[str, int] = {}
    with contextlib.suppress(Failure):
        found = epmd.names(FakeStream(Said(says)))
    assert all(name.split() == [name] and 0 < port < 65536 for name, port in found.items())


@given(st.binary(max_size=60))
def test_any_bytes_are_a_node_or_none_or_a_failure(tail: bytes) -> None:
    for says in (tail, b"\x77\x00" + tail):
        node = None
        with contextlib.suppress(Failure):
            node = epmd.port_please(FakeStream(Said(says)), "hello")
        assert node is None or 0 <= node.port < 65536


@given(st.dictionaries(st.from_regex(r"[a-z0-9_]{1,20}", fullmatch=True), st.integers(1, 65535), max_size=30))
def test_what_epmd_lists_is_what_is_read(names: dict[str, int]) -> None:
    assert epmd.names(FakeStream(FakeEpmd(names))) == names


def test_the_request_is_as_the_protocol_wants_it() -> None:
    heard = []

    class Ear(Said):
        def hear(self, data: bytes) -> None:
            heard.append(data)

    epmd.names(FakeStream(Ear(struct.pack(">I", 4369))))
    assert heard == [b"\x00\x01\x6e"]
