"""epmd's answers: our own client of the same protocol reads them, and nonsense gets none."""

from __future__ import annotations

import struct
import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from spyglass.erlang import epmd
from spyglass.loopback.responder import Responder, answer

KNOWN = {"hello": 45011, "größe": 19000}


def ask() -> Responder:
    return Responder(lambda: KNOWN, 4369)


def test_a_node_that_is_known_is_told_with_its_port() -> None:
    for name, port in KNOWN.items():
        found = epmd.port_please(ask(), name)
        assert found is not None
        assert (found.name, found.port, found.highest, found.lowest) == (name, port, 6, 5)


def test_one_that_is_not_known_is_not() -> None:
    assert epmd.port_please(ask(), "other") is None


def test_all_names_are_told_with_epmds_own_port_first() -> None:
    assert epmd.names(ask()) == KNOWN
    assert struct.unpack(">I", answer(b"n", KNOWN, 4370)[:4]) == (4370,)


def test_a_request_in_pieces_is_answered_when_it_is_whole() -> None:
    stream = ask()
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(stream.recv(1000)))
    reader.start()
    for byte in struct.pack(">HB", 6, epmd._PORT_PLEASE2_REQ) + b"hello":
        assert not got
        stream.sendall(bytes([byte]))
    reader.join(5)

    assert got[0][:2] == b"\x77\x00"
    assert stream.recv(1000) == b""


def test_a_registration_is_not_answered() -> None:
    assert answer(bytes([120]) + bytes(20), KNOWN, 4369) == b""


def test_whoever_hangs_up_lets_the_reader_go_at_once() -> None:
    stream, begun = ask(), time.monotonic()
    stream.close()

    assert stream.recv(10) == b""
    assert time.monotonic() - begun < 1


@given(st.lists(st.binary(max_size=2000), max_size=5))
def test_whatever_is_sent_the_answer_is_short_and_ends(pieces: list[bytes]) -> None:
    stream = ask()
    for piece in pieces:
        stream.sendall(piece)
    stream.shutdown_write()

    assert len(stream.recv(100_000)) < 1000
    assert stream.recv(10) == b""
