"""The windows of a period: one a node, and known by another key when turned."""

from __future__ import annotations

from typing import Any

import pytest

from spyglass.erlang.discovery import Found
from spyglass.status import NodeInfo
from spyglass.windows import Windows

A, B = (Found(NodeInfo(f"host/{n}@h", f"{n}@h", True), "c", "h", 9) for n in "ab")


class Window:
    """As Observation."""

    made: list[Window]

    def __init__(self, found: Found, _way: Any, _take: Any, _ask: Any, _report: Any, company: Any) -> None:
        self.key, self.company, self.did = found.info.key, company, list[str]()
        Window.made.append(self)

    def __getattr__(self, name: str) -> Any:
        return lambda: self.did.append(name)


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Windows:
    Window.made = []
    monkeypatch.setattr("spyglass.windows.Observation", Window)
    made: Any = Windows(None, None, None, None, lambda: "others")  # type: ignore[arg-type]
    opened: Windows = made
    monkeypatch.setattr(made, "_standby", type("S", (), {"take": None}))
    return opened


def test_a_node_has_one_window(windows: Windows) -> None:
    windows.open(A)
    windows.open(A, company=True)
    assert [window.company for window in Window.made] == [None]
    assert A.info.key in windows


def test_a_window_that_was_turned_is_known_by_what_it_shows(windows: Windows) -> None:
    windows.open(A, company=True)
    windows.turned(A.info.key, B)
    assert A.info.key not in windows
    assert Window.made[0].key == B.info.key
    windows.members_changed()
    windows.ended(B.info.key)
    assert Window.made[0].company == "others"
    assert Window.made[0].did == ["start", "members_changed", "close"]
    assert windows.closers() == []
