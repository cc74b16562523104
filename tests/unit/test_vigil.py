from __future__ import annotations

from collections.abc import Callable

import pytest

from spyglass.status import Phase, Status
from spyglass.vigil import Vigil


class Watch:
    def __init__(self, notify: Callable[[], None]) -> None:
        self.notify, self.closed = notify, False
        made.append(self)

    def close(self) -> None:
        self.closed = True


made: list[Watch] = []


@pytest.fixture
def vigil(monkeypatch: pytest.MonkeyPatch) -> Vigil:
    made.clear()
    monkeypatch.setattr("spyglass.desktop.changes.Changes", Watch)
    return Vigil(lambda: None)


def test_one_watch_serves_all_until_the_last_connection_ends(vigil: Vigil) -> None:
    for profile, phase in (("a", Phase.CONNECTING), ("b", Phase.WAITING), ("a", Phase.READY)):
        vigil.hear(Status(profile, phase), persists=True)
    vigil.hear(Status("a", Phase.OFFLINE), persists=True)
    assert [watch.closed for watch in made] == [False]
    vigil.hear(Status("b", Phase.FAILED), persists=True)
    assert [watch.closed for watch in made] == [True]


def test_what_does_not_come_back_needs_no_watch(vigil: Vigil) -> None:
    vigil.hear(Status("a", Phase.READY), persists=False)
    assert made == []


def test_closing_ends_the_watch_of_who_has_not_ended(vigil: Vigil) -> None:
    vigil.hear(Status("a", Phase.READY), persists=True)
    vigil.close()
    assert made[0].closed
