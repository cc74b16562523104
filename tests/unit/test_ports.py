from types import SimpleNamespace
from typing import Any

import pytest

from spyglass.errors import Unreachable
from spyglass.ports import explain, prove
from spyglass.remote import noes
from support.fake_world import found

NODE = "shop@10.0.0.1"


class Dialled:
    """A place whose port can be dialled, or not."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.closed = 0

    def dial(self, _host: str, _port: int, _timeout: float) -> Any:
        if self.failure:
            raise self.failure
        return SimpleNamespace(close=self.count)

    def count(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spyglass.erlang.slots.probe_name", lambda: "spyglass_probe@127.0.0.1")


def greets(monkeypatch: pytest.MonkeyPatch, node: str, cookie: str = "") -> None:
    def greet(_stream: Any, _me: str) -> Any:
        return SimpleNamespace(peer=SimpleNamespace(node=node), prove=lambda typed: typed == cookie)

    monkeypatch.setattr("spyglass.erlang.handshake.greet", greet)


def test_explains_that_the_node_is_gone_when_its_port_refuses() -> None:
    failure = explain(Dialled(Unreachable("port 9001 refuses")), found(NODE))  # type: ignore[arg-type]
    assert failure.title == f"{NODE} is gone since it was found: port 9001 refuses"
    assert (failure.code, failure.retry) == ("node-gone", True)


def test_says_that_no_more_relays_are_to_be_had() -> None:
    full = noes.no_session("deploy@prod", 6)
    assert explain(Dialled(full), found(NODE)) is full  # type: ignore[arg-type]
    assert full.title == "deploy@prod: one SSH connection carries 6 relays, and none is free"
    assert "a profile of its own" in full.hint


def test_explains_that_another_node_answers_there(monkeypatch: pytest.MonkeyPatch) -> None:
    greets(monkeypatch, "other@10.0.0.1")
    place = Dialled()
    assert explain(place, found(NODE)).title == f"other@10.0.0.1 answers where {NODE} was"  # type: ignore[arg-type]
    assert place.closed == 1


def test_explains_a_refusal_by_releases_or_cookie(monkeypatch: pytest.MonkeyPatch) -> None:
    greets(monkeypatch, NODE)
    failure = explain(Dialled(), found(NODE))  # type: ignore[arg-type]
    assert "too old or too new" in failure.hint
    assert not failure.retry


def test_explains_a_hang_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "spyglass.erlang.handshake.greet", lambda _s, _m: (_ for _ in ()).throw(ConnectionResetError)
    )
    assert explain(Dialled(), found(NODE)).code == "node-gone"  # type: ignore[arg-type]


def test_a_cookie_is_proved_on_the_node_s_port_and_the_stream_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    greets(monkeypatch, NODE, cookie="RIGHT")
    place = Dialled()
    assert prove(place, found(NODE), "RIGHT")  # type: ignore[arg-type]
    assert not prove(place, found(NODE), "WRONG")  # type: ignore[arg-type]
    assert place.closed == 2
