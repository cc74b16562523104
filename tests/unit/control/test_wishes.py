import queue
import threading
from collections.abc import Callable
from typing import Any

import pytest

from spyglass.control import wishes
from spyglass.control.wishes import Says, Wishes
from spyglass.errors import BadInput, Failure, Missing
from spyglass.log import Line, Ring
from spyglass.status import Cookie, NodeInfo, Phase, Problem, Status
from support.fake_hub import LOCAL, SHOP, FakeHub, profile_id

NODE = NodeInfo(key="web/shop@h", node="shop@h", reachable=True, cookie=Cookie(True, "vm.args", True))
READY = Status(SHOP.id, Phase.READY, nodes=(NODE,), observing=frozenset({NODE.key}), surveyed=True)


class Asker:
    """Somebody who asks; hears in between, and may leave."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.gone = False
        self.says = Says(self.heard.append, lambda: self.gone)


@pytest.fixture
def hub() -> FakeHub:
    return FakeHub([SHOP, LOCAL])


@pytest.fixture
def ring() -> Ring:
    return Ring()


@pytest.fixture
def asker() -> Asker:
    return Asker()


@pytest.fixture
def shown() -> list[tuple[list[str], str]]:
    return []


@pytest.fixture
def granted(hub: FakeHub, ring: Ring, shown: list[tuple[list[str], str]]) -> Wishes:
    return Wishes(hub, ring, lambda arguments, token: shown.append((arguments, token)))


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wishes, "LOOK", 0.01)


def answers_with(hub: FakeHub, verb: str, *statuses: Status) -> Callable[[str], None]:
    """What the hub does at once when it is told to connect or disconnect."""

    def act(profile: str) -> None:
        hub.calls.append((verb, profile))
        for status in statuses:
            hub.publish(status)

    return act


def test_status_tells_what_the_contract_says(granted: Wishes, hub: FakeHub, asker: Asker) -> None:
    hub.publish(READY)
    waiting = Status(
        LOCAL.id,
        Phase.WAITING,
        "Waiting",
        problem=Problem("gone", "wait", "lost", True),
        attempt=3,
        next_try=9.0,
    )
    hub.publish(waiting)
    first, second = granted.grant({"do": "status"}, asker.says)["connections"]
    assert (first["profile"], first["id"], first["phase"]) == (SHOP.name, SHOP.id, "ready")
    assert first["observing"] == ["shop@h"]
    assert first["nodes"][0]["cookie"] == {"found": True, "source": "vm.args", "proved": True}
    assert second["problem"] == {"title": "gone", "hint": "wait", "code": "lost", "retry": True}
    assert (second["doing"], second["attempt"], second["next_try"]) == ("Waiting", 3, 9.0)


@pytest.mark.parametrize("name", [SHOP.name, SHOP.id])
def test_connect_tells_each_state_until_everything_was_seen(
    granted: Wishes, hub: FakeHub, asker: Asker, name: str
) -> None:
    unseen = Status(SHOP.id, Phase.READY)
    other = Status(LOCAL.id, Phase.FAILED)
    connecting = Status(SHOP.id, Phase.CONNECTING, "Connecting", question="HostKey")
    hub.connect = answers_with(hub, "connect", connecting, other, unseen, READY)  # type: ignore[method-assign,assignment]
    answer = granted.grant({"do": "connect", "profile": name}, asker.says)
    assert hub.calls == [("connect", SHOP.id)]
    assert [(step["phase"], step["question"]) for step in asker.heard] == [
        ("connecting", "HostKey"),
        ("ready", None),
        ("ready", None),
    ]
    assert answer["connection"]["phase"] == "ready"
    assert hub._listeners == []


def test_what_is_connected_already_is_told_at_once(granted: Wishes, hub: FakeHub, asker: Asker) -> None:
    hub.publish(READY)
    assert granted.grant({"do": "connect", "profile": SHOP.name}, asker.says)["ok"]


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (Status(SHOP.id, Phase.FAILED, problem=Problem("no key fits", "add it", "denied")), "no key fits"),
        (Status(SHOP.id, Phase.OFFLINE), "Shop EU was disconnected meanwhile"),
    ],
)
def test_a_connection_that_ends_is_a_failure(
    granted: Wishes, hub: FakeHub, asker: Asker, end: Status, said: str
) -> None:
    hub.connect = answers_with(hub, "connect", end)  # type: ignore[method-assign,assignment]
    with pytest.raises(Failure, match=said):
        granted.grant({"do": "connect", "profile": SHOP.name}, asker.says)


def test_who_has_left_is_not_waited_for(granted: Wishes, asker: Asker) -> None:
    asker.gone = True
    with pytest.raises(Failure, match="Nobody waits"):
        granted.grant({"do": "connect", "profile": SHOP.name}, asker.says)


@pytest.mark.parametrize("wish", ["connect", "disconnect", "logs"])
def test_a_profile_that_is_not_there(granted: Wishes, asker: Asker, wish: str) -> None:
    with pytest.raises(Missing, match="no profile nobody"):
        granted.grant({"do": wish, "profile": "nobody"}, asker.says)


def test_disconnect_waits_for_the_end(granted: Wishes, hub: FakeHub, asker: Asker) -> None:
    hub.publish(READY)
    ends = (Status(SHOP.id, Phase.CLOSING), Status(SHOP.id, Phase.OFFLINE))
    hub.disconnect = answers_with(hub, "disconnect", *ends)  # type: ignore[method-assign]
    assert granted.grant({"do": "disconnect", "profile": SHOP.name}, asker.says) == {"ok": True}
    assert hub.calls == [("disconnect", SHOP.id)]


def test_disconnect_all_takes_those_that_live(granted: Wishes, hub: FakeHub, asker: Asker) -> None:
    hub.publish(READY)
    hub.publish(Status(LOCAL.id, Phase.FAILED))
    hub.disconnect = answers_with(hub, "disconnect", Status(SHOP.id, Phase.OFFLINE))  # type: ignore[method-assign]
    granted.grant({"do": "disconnect", "all": True}, asker.says)
    granted.grant({"do": "disconnect", "all": True}, asker.says)
    assert hub.calls == [("disconnect", SHOP.id)]


def test_what_is_not_connected_cannot_be_disconnected(granted: Wishes, asker: Asker) -> None:
    with pytest.raises(Failure, match="Local containers is not connected"):
        granted.grant({"do": "disconnect", "profile": LOCAL.name}, asker.says)


def line(profile: str, text: str) -> Line:
    return Line(0.0, 20, profile, text)


def test_logs_are_those_of_the_profile_or_all(granted: Wishes, ring: Ring, asker: Asker) -> None:
    ring._lines.extend([line(SHOP.id, "of the shop"), line("", "of nobody")])
    assert granted.grant({"do": "logs", "profile": SHOP.name}, asker.says) == {"ok": True}
    assert [said["line"][17:] for said in asker.heard] == ["of the shop"]
    granted.grant({"do": "logs"}, asker.says)
    assert [said["line"][17:] for said in asker.heard[1:]] == ["of the shop", "of nobody"]


def test_logs_can_be_followed_each_line_once(granted: Wishes, ring: Ring) -> None:
    came: queue.SimpleQueue[str] = queue.SimpleQueue()
    ring._lines.append(line(SHOP.id, "before"))
    says = Says(lambda said: came.put(said["line"][17:]), lambda: False)
    request = {"do": "logs", "profile": SHOP.name, "follow": True}
    following = threading.Thread(target=granted.grant, args=(request, says))
    following.start()
    assert came.get(timeout=5) == "before"
    for listener in ring.listeners:
        listener(line(LOCAL.id, "of another"))
        listener(line(SHOP.id, "after"))
    assert came.get(timeout=5) == "after"
    granted.close()
    following.join(5)
    assert not following.is_alive()
    assert ring.listeners == []


def test_after_the_end_nothing_is_waited_for(granted: Wishes, asker: Asker) -> None:
    granted.close()
    assert granted.grant({"do": "logs", "follow": True}, asker.says) == {"ok": True}


def test_a_link_selects_a_profile_and_nothing_else(
    granted: Wishes, asker: Asker, shown: list[tuple[list[str], str]]
) -> None:
    wanted = f"spyglass://profile/{profile_id(1)}"
    granted.grant({"do": "open", "link": wanted, "token": "leave"}, asker.says)
    assert shown == [([wanted], "leave")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "spyglass://connect/00000000000000000000000000000001",
        "spyglass://profile/prod",
        "spyglass://profile/00000000000000000000000000000001?connect=1",
        "spyglass://profile/00000000000000000000000000000001\n",
        "https://profile/00000000000000000000000000000001",
    ],
)
def test_no_other_link_is_followed(granted: Wishes, asker: Asker, text: str) -> None:
    with pytest.raises(BadInput, match="none that Spyglass follows"):
        granted.grant({"do": "open", "link": text}, asker.says)
