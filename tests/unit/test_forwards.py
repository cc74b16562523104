"""The forwards of a period: kept while a node stays, opened anew where it moved, on the port that it had."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from spyglass.erlang.discovery import Found
from spyglass.forwards import Forwards
from spyglass.status import NodeInfo

WEB = Found(NodeInfo("docker/web/app@web", "app@web", True), "c", "172.17.0.2", 9)


class Open:
    def __init__(self, host: str, again: int) -> None:
        self.host, self.port, self.closed = host, again or 4711, False

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Open]:
    made: list[Open] = []

    def open_forward(_remote: Any, host: str, _port: int, *, label: str, again: int) -> Open:
        made.append(Open(host, again))
        return made[-1]

    monkeypatch.setattr("spyglass.forwards.open_forward", open_forward)
    return made


def test_a_node_that_stays_keeps_its_forward(opened: list[Open]) -> None:
    forwards = Forwards(lambda: None, {})  # type: ignore[arg-type,return-value]
    assert forwards.port(WEB) == forwards.port(WEB) == 4711
    assert len(opened) == 1


def test_a_node_that_moved_keeps_its_port(opened: list[Open]) -> None:
    forwards = Forwards(lambda: None, {WEB.info.key: 5000})  # type: ignore[arg-type,return-value]
    assert forwards.port(WEB) == forwards.port(replace(WEB, host="172.17.0.9")) == 5000
    assert [(one.host, one.closed) for one in opened] == [("172.17.0.2", True), ("172.17.0.9", False)]
    forwards.close()
    forwards.drop("never")
    assert all(one.closed for one in opened)
