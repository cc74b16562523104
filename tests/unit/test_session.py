from types import SimpleNamespace
from typing import Any

import pytest

from spyglass.errors import Unreachable
from spyglass.profile import Profile
from spyglass.session import Session
from support.fake_world import World, found

NODE = "shop@10.0.0.1"


class Dialled:
    """A place whose port can be dialled, or not."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.closed = 0

    def describe(self) -> str:
        return "prod"

    def dial(self, _host: str, _port: int, _timeout: float) -> Any:
        if self.failure:
            raise self.failure
        return SimpleNamespace(close=self.count)

    def count(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spyglass.erlang.slots.probe_name", lambda: "spyglass_probe@127.0.0.1")


def session(place: Dialled) -> Session:
    return Session(Profile(name="p"), [Dialled(), place], World(), lambda _q: None, lambda _r: None)  # type: ignore[list-item, arg-type]


def greets(monkeypatch: pytest.MonkeyPatch, node: str, cookie: str = "") -> None:
    def greet(_stream: Any, _me: str) -> Any:
        return SimpleNamespace(peer=SimpleNamespace(node=node), prove=lambda typed: typed == cookie)

    monkeypatch.setattr("spyglass.erlang.handshake.greet", greet)


def test_explains_that_the_node_is_gone_when_its_port_refuses() -> None:
    failure = session(Dialled(Unreachable("port 9001 refuses"))).explain(found(NODE))
    assert failure.title == f"{NODE} is gone since it was found: port 9001 refuses"
    assert (failure.code, failure.retry) == ("node-gone", True)


def test_explains_that_another_node_answers_there(monkeypatch: pytest.MonkeyPatch) -> None:
    greets(monkeypatch, "other@10.0.0.1")
    place = Dialled()
    assert session(place).explain(found(NODE)).title == f"other@10.0.0.1 answers where {NODE} was"
    assert place.closed == 1


def test_explains_a_refusal_by_releases_or_cookie(monkeypatch: pytest.MonkeyPatch) -> None:
    greets(monkeypatch, NODE)
    assert "too old or too new" in session(Dialled()).explain(found(NODE)).hint


def test_explains_a_hang_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "spyglass.erlang.handshake.greet", lambda _s, _m: (_ for _ in ()).throw(ConnectionResetError)
    )
    assert session(Dialled()).explain(found(NODE)).code == "node-gone"


def test_a_cookie_is_proved_on_the_node_s_port_and_the_stream_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    greets(monkeypatch, NODE, cookie="RIGHT")
    place = Dialled()
    assert session(place).prove(found(NODE), "RIGHT")
    assert not session(place).prove(found(NODE), "WRONG")
    assert place.closed == 2


def test_hops_are_told_without_this_computer() -> None:
    assert session(Dialled()).hops == ("prod",)
