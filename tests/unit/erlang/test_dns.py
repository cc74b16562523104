"""The wire of DNS: what is asked, what is understood, and that nonsense is only a ValueError."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.erlang import dns
from spyglass.errors import Failure
from support.fake_remote import FakeStream, Player, Said

NAME = b"\x03web\x08internal\x00"


def answer(
    *records: tuple[int, bytes], number: int = 7, flags: int = 0x8180, names: bytes = b"\xc0\x0c"
) -> bytes:
    """A message with one question, as servers compress it."""
    body = b"".join(names + struct.pack("!HHIH", kind, 1, 60, len(data)) + data for kind, data in records)
    head = struct.pack("!HHHHHH", number, flags, 1, len(records), 0, 0)
    return head + NAME + struct.pack("!HH", 1, 1) + body


class Server(Player):
    """Answers whatever it is asked by the number of the question."""

    def hear(self, data: bytes) -> None:
        (number,) = struct.unpack_from("!H", data, 2)
        told = answer((1, bytes([10, 0, 0, 7])), number=number)
        self.says, self.over = struct.pack("!H", len(told)) + told, True


def test_the_question_is_as_rfc_1035_has_it() -> None:
    message = dns.query(7, "web.internal.", dns.A)
    assert message == struct.pack("!H", len(message) - 2) + struct.pack(
        "!HHHHHH", 7, 0x100, 1, 0, 0, 0
    ) + NAME + (struct.pack("!HH", 1, 1))


def test_addresses_of_both_families_are_read_and_others_passed_over() -> None:
    told = answer((5, b"\x01x\x00"), (1, bytes([10, 0, 0, 7])), (28, bytes(15) + b"\x01"), (1, b"short"))
    assert dns.answers(told, 7) == ["10.0.0.7", "::1"]


def test_names_need_not_be_compressed() -> None:
    assert dns.answers(answer((1, bytes([10, 0, 0, 7])), names=NAME), 7) == ["10.0.0.7"]


def test_no_such_name_is_no_address() -> None:
    assert dns.answers(answer(flags=0x8183), 7) == []


@pytest.mark.parametrize("told", [b"", answer()[:20], answer(number=8), answer(flags=0x0100)])
def test_another_answer_is_none(told: bytes) -> None:
    with pytest.raises(ValueError, match="answer"):
        dns.answers(told, 7)


@given(st.binary(max_size=200))
def test_noise_is_refused_or_holds_no_address_at_all(noise: bytes) -> None:
    try:
        dns.answers(struct.pack("!HH", 7, 0x8180) + noise, 7)
    except ValueError:
        return


def test_a_question_over_a_stream() -> None:
    assert dns.ask(FakeStream(Server()), "web.internal", dns.A, number=9, seconds=1) == ["10.0.0.7"]


@pytest.mark.parametrize("says", [b"", b"\x00", b"\x00\x05ab", b"\x00\x02no"])
def test_a_server_that_says_something_else_is_a_failure(says: bytes) -> None:
    with pytest.raises(Failure, match=r"web\.internal"):
        dns.ask(FakeStream(Said(says)), "web.internal", dns.A, number=9, seconds=1)
