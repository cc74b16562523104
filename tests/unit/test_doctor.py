from types import SimpleNamespace
from typing import Any

import pytest

from spyglass import doctor
from spyglass.errors import Denied, Missing
from spyglass.status import Cookie, Link, NodeInfo, Problem, Status

SHOP = NodeInfo(
    "k", "shop@h", reachable=True, container="web", otp="25", cookie=Cookie(True, "vm.args", True)
)


def session(*, backend: bool = True, fails: Exception | None = None) -> Any:
    def calling(_key: str) -> tuple[Any, str]:
        if fails:
            raise fails
        return SimpleNamespace(check_backend=lambda _node: backend), "shop@h"

    return SimpleNamespace(calling=calling)


def test_a_broken_chain_ends_at_its_broken_link_with_the_remedy() -> None:
    links = (
        Link("This computer", "ok"),
        Link("bastion", "ok"),
        Link("prod", "bad", "logging in"),
        Link("x", "todo"),
    )
    status = Status("id", chain=links, problem=Problem("prod refused deploy", "Check the key."))
    checks = list(doctor.chain(status))
    assert [(c.name, c.state) for c in checks] == [("bastion", "ok"), ("prod", "bad"), ("problem", "bad")]
    assert checks[-1].remedy == "Check the key."


def test_warnings_are_told() -> None:
    assert [c.detail for c in doctor.chain(Status("id", warnings=("Docker: permission denied",)))] == [
        "Docker: permission denied"
    ]


@pytest.mark.parametrize(
    ("nodes", "there", "state", "words"),
    [
        ((SHOP,), session(), "ok", "in web, OTP 25, cookie from vm.args"),
        ((SHOP,), session(backend=False), "warn", "no runtime_tools"),
        ((SHOP,), session(fails=Denied("shop@h refuses")), "bad", "shop@h refuses"),
        (
            (NodeInfo("l", "x@h", reachable=False, why_not="speaks TLS"),),
            session(),
            "warn",
            "on the host: speaks TLS",
        ),
        ((), session(), "warn", "no BEAM node is there"),
    ],
)
def test_each_node_says_whether_observer_finds_what_it_needs(
    nodes: tuple[NodeInfo, ...], there: Any, state: str, words: str
) -> None:
    (check,) = doctor.nodes(Status("id", nodes=nodes), there)
    assert check.state == state
    assert words in check.detail


def test_this_computer_without_erlang_display_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(_erl: str) -> None:
        raise Missing("There is no Erlang on this computer", "sudo apt install erlang-observer")

    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_AUTH_SOCK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("spyglass.erlang.runtime.find", find)
    monkeypatch.setattr("spyglass.store.secrets.choose", lambda: (None, "no Secret Service answers"))
    found = {check.name: check for check in doctor.this_computer()}
    assert found["Erlang here"].remedy == "sudo apt install erlang-observer"
    assert {name: check.state for name, check in found.items()} == {
        "Erlang here": "bad",
        "display": "warn",
        "keyring": "warn",
        "SSH agent": "warn",
        "SSH configuration": "ok",
    }
