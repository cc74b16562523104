from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from spyglass.errors import Cancelled
from spyglass.log import Line, Ring
from spyglass.questions import Consent
from spyglass.ui.bridge import LogFeed, QuestionDesk, StatusFeed
from support import fake_hub as fake

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

ASKED = Consent("Go?", "Into the unknown.", "Go")


class Worker:
    """A connection's thread that asks one question."""

    def __init__(self, desk: QuestionDesk, profile_id: str = "p") -> None:
        self.outcome: list[object] = []
        self._desk, self._profile = desk, profile_id
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.outcome.append(self._desk.ask(self._profile, ASKED))
        except Cancelled:
            self.outcome.append("cancelled")

    def join(self) -> object:
        self.thread.join(5)
        assert not self.thread.is_alive()
        return self.outcome[0]


def test_a_worker_gets_the_answer(qtbot: QtBot, desk: QuestionDesk) -> None:
    with qtbot.waitSignal(desk.asked) as caught:
        worker = Worker(desk)
    caught.args[0].settle("yes")
    assert worker.join() == "yes"
    assert desk.pending() == []


def test_an_answer_counts_once(qtbot: QtBot, desk: QuestionDesk) -> None:
    with qtbot.waitSignal(desk.asked) as caught:
        worker = Worker(desk)
    pending = caught.args[0]
    assert pending.settle("first")
    assert not pending.settle(cancelled=True)
    assert worker.join() == "first"


def test_taking_back_cancels_only_that_connections_worker(qtbot: QtBot, desk: QuestionDesk) -> None:
    with qtbot.waitSignals([desk.asked, desk.asked]):
        one, other = Worker(desk, "one"), Worker(desk, "other")
    desk.withdraw("one")
    assert one.join() == "cancelled"
    assert [pending.profile_id for pending in desk.pending()] == ["other"]
    desk.withdraw()
    assert other.join() == "cancelled"


def test_a_closed_desk_answers_nobody(desk: QuestionDesk) -> None:
    desk.close()
    with pytest.raises(Cancelled):
        desk.ask("p", ASKED)


def test_of_many_statuses_only_the_newest_is_shown(qtbot: QtBot, hub: fake.FakeHub) -> None:
    feed = StatusFeed(hub)
    seen = []
    feed.changed.connect(seen.append)
    newest = replace(fake.connected(), doing="the newest")

    def flood() -> None:
        for number in range(500):
            hub.publish(replace(fake.connected(), doing=str(number)))
        hub.publish(newest)

    thread = threading.Thread(target=flood)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(seen) and seen[-1] is newest)
    assert len(seen) < 50
    feed.close()
    hub.publish(replace(newest, doing="too late"))
    qtbot.wait(60)
    assert seen[-1] is newest


def test_log_lines_come_in_batches_and_none_is_lost(qtbot: QtBot, ring: Ring) -> None:
    feed = LogFeed(ring)
    batches: list[list[Line]] = []
    feed.came.connect(batches.append)

    def flood() -> None:
        for number in range(5000):
            ring.handle(logging.makeLogRecord({"msg": f"line {number}"}))

    thread = threading.Thread(target=flood)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: sum(map(len, batches)) == 5000)
    assert [line.text for batch in batches for line in batch] == [f"line {n}" for n in range(5000)]
    assert len(batches) < 200
    feed.close()
    assert ring.listeners == []
