from dataclasses import replace
from typing import Any

import pytest

from spyglass import observation
from spyglass.errors import Denied, Failure, NeedsAnswer, Unreachable
from spyglass.observation import join, with_cookie
from spyglass.questions import Consent, Secret
from spyglass.remote.tls import Credentials
from support.fake_world import FakeVM, found


class Way:
    """A way whose only right cookie is RIGHT; certificates that were tried open everything."""

    lends = "ask"

    def __init__(self) -> None:
        self.tried: list[Any] = []

    def unlock(self, node: Any, credentials: Any) -> Any:
        self.tried.append(credentials)
        return found(node.info.node)

    def port(self, _found: Any) -> int:
        return 40001

    def prove(self, _found: Any, cookie: str) -> bool:
        return cookie == "RIGHT"

    def explain(self, node: Any) -> Failure:
        return Unreachable(f"{node.info.node} is gone")


def nobody(question: Any) -> str:
    raise NeedsAnswer(f"would ask {question.kind}")


def test_join_gives_route_and_cookie_before_it_connects() -> None:
    vm = FakeVM()
    join(vm, found("shop@h", cookie="COOKIE"), Way())  # type: ignore[arg-type]
    assert vm.calls == [
        ("ready",),
        ("add_route", "shop@h", 40001),
        ("set_cookie", "shop@h", "COOKIE"),
        ("connect", "shop@h"),
    ]


def test_join_asks_for_the_reason_when_erlang_has_none() -> None:
    vm = FakeVM()
    vm.fails["connect"] = Unreachable("false")
    with pytest.raises(Unreachable, match="shop@h is gone"):
        join(vm, found("shop@h"), Way())  # type: ignore[arg-type]


def test_a_found_cookie_is_not_asked_for() -> None:
    node = found("shop@h", cookie="COOKIE")
    assert with_cookie(node, Way(), nobody) is node


def test_where_nobody_may_be_asked_the_reason_is_told() -> None:
    with pytest.raises(Denied, match="no cookie found") as failure:
        with_cookie(found("shop@h", cookie=None), Way(), nobody)
    assert failure.value.code == "no-cookie"
    assert "--cookie-file" in failure.value.hint


def test_three_wrong_answers_are_enough() -> None:
    asked: list[Any] = []
    with pytest.raises(Denied):
        with_cookie(found("shop@h", cookie=None), Way(), lambda q: asked.append(q) or "WRONG")
    assert len(asked) == observation.ASKED_AT_MOST


def locked(**more: Any) -> Any:
    """A node behind TLS that wants a certificate; it has one of its own."""
    own = {"port": 0, "certificates": lambda: Credentials("CA"), **more}
    return replace(found("shop@h", cookie=None, tls=True), **own)


def test_a_node_behind_tls_is_not_asked_for_a_cookie() -> None:
    with pytest.raises(Denied, match="no cookie found") as failure:
        join(FakeVM(), with_cookie(locked(certificates=None), Way(), nobody), Way())  # type: ignore[arg-type]
    assert "--tls-certificate" in failure.value.hint


def test_a_nodes_own_certificate_is_read_only_with_consent() -> None:
    asked: list[Any] = []
    way = Way()
    node = with_cookie(locked(), way, lambda question: asked.append(question) or True)
    assert node.cookie == "SECRETCOOKIE"
    assert [type(question) for question in asked] == [Consent]
    assert way.tried == [Credentials("CA")]


@pytest.mark.parametrize(
    "answer", [lambda _question: False, lambda _question: nobody(Secret("cookie", "x"))], ids=["no", "nobody"]
)
def test_without_consent_nothing_is_read(answer: Any) -> None:
    way = Way()
    assert with_cookie(locked(), way, answer).cookie is None
    assert way.tried == []
