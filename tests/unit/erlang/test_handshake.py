"""Greeting a node and proving its cookie, against nodes made of answers."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.erlang import handshake
from spyglass.erlang.handshake import Greeting, HungUp, NotErlang, Refused, Silent, SpeaksTLS
from spyglass.errors import Failure
from support.fake_remote import FLAGS_25, FakeNode, FakeStream, Said

ME = "spyglass_1234_probe@127.0.0.1"


def greet(node: FakeNode, **more: Any) -> Greeting:
    return handshake.greet(FakeStream(node.player()), ME, **more)


def test_the_true_full_name_comes_before_any_cookie() -> None:
    node = FakeNode("hello@172.17.0.4")
    peer = greet(node).peer
    assert (peer.node, peer.hidden, peer.otp, peer.creation) == ("hello@172.17.0.4", False, "24-27", 1000)
    assert node.visits == [ME]
    assert node.wrong == 0


@pytest.mark.parametrize(
    ("flags", "otp"),
    [(1 << 38, "29+"), (1 << 37, "28"), (1 << 34, "24-27"), (1 << 24, "23"), (0, "21-22")],
)
def test_the_flags_tell_the_release(flags: int, otp: str) -> None:
    assert greet(FakeNode("a@b", flags=flags)).peer.otp == otp


def test_a_node_that_is_not_published_is_hidden() -> None:
    assert greet(FakeNode("a@b", flags=FLAGS_25 & ~1)).peer.hidden


def test_the_right_cookie_is_proved_on_the_same_connection() -> None:
    node = FakeNode("a@b", cookie="oatmeal")
    assert greet(node).prove("oatmeal")
    assert len(node.visits) == 1


def test_a_wrong_cookie_is_not() -> None:
    node = FakeNode("a@b", cookie="oatmeal")
    assert not greet(node).prove("raisin")
    assert node.wrong == 1


def test_a_peer_that_does_not_know_the_cookie_itself_proves_nothing() -> None:
    class Liar(FakeNode):
        pass

    player = Liar("a@b", cookie="oatmeal").player()
    player._digested = lambda body: player._say(b"a" + b"\0" * 16)
    assert not handshake.greet(FakeStream(player), ME).prove("oatmeal")


@pytest.mark.parametrize("cookie", ["", "x" * 256, "\u20ac"])
def test_what_cannot_be_a_cookie_is_never_tried(cookie: str) -> None:
    node = FakeNode("a@b")
    assert not greet(node).prove(cookie)
    assert node.wrong == 0


def test_an_old_node_hangs_up_at_the_new_greeting_and_takes_the_old_one() -> None:
    node = FakeNode("old@host.example", flags=1, old=True)
    with pytest.raises(HungUp):
        greet(node)
    greeting = greet(node, version=5)
    assert (greeting.peer.node, greeting.peer.otp, greeting.prove("right")) == (
        "old@host.example",
        "21-22",
        True,
    )


def test_a_visit_that_is_not_forgotten_is_dropped() -> None:
    assert greet(FakeNode("a@b", status=b"alive")).prove("right")


@pytest.mark.parametrize(("status", "retry"), [(b"nok", True), (b"not_allowed", False)])
def test_a_node_may_turn_us_away(status: bytes, retry: bool) -> None:
    with pytest.raises(Refused) as caught:
        greet(FakeNode("a@b", status=status))
    assert caught.value.retry is retry


def test_tls_is_recognised() -> None:
    with pytest.raises(SpeaksTLS):
        handshake.greet(FakeStream(Said(bytes.fromhex("15030300020228"))), ME)


@pytest.mark.parametrize(
    "says",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"\0\0", b"\x00\x01s", b"\xff" * 5000],
    ids=["http", "ssh", "an empty message", "no status", "noise"],
)
def test_other_services_are_no_nodes(says: bytes) -> None:
    with pytest.raises(Failure) as caught:
        handshake.greet(FakeStream(Said(says)), ME)
    assert caught.value.code in {"not-erlang", "refused", "hung-up"}


def test_silence_is_no_node() -> None:
    with pytest.raises(Silent):
        handshake.greet(FakeStream(Said(b"", stays=True)), ME)


@pytest.mark.parametrize("name", ["no-host", "two\nlines@host", "esc\x1b[2J@host", "a@", "@b", "a b@c"])
def test_a_name_that_no_node_can_have_is_not_passed_on(name: str) -> None:
    with pytest.raises(NotErlang):
        greet(FakeNode(name))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_greeting_or_a_failure(says: bytes) -> None:
    for start in (b"", b"\x00\x03sok"):
        peer = None
        with contextlib.suppress(Failure):
            peer = handshake.greet(FakeStream(Said(start + says)), ME).peer
        assert peer is None or "@" in peer.node


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=255), min_size=1, max_size=255))
def test_every_cookie_of_latin_1_is_proved(cookie: str) -> None:
    assert greet(FakeNode("a@b", cookie=cookie)).prove(cookie)


def test_no_repr_holds_the_challenge_or_a_cookie() -> None:
    assert repr(greet(FakeNode("a@b"))) == "<Greeting of a@b>"
