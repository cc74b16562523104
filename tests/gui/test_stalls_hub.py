"""The window over a real hub and its threads: 200 nodes are found while 10 000 lines are logged."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from spyglass.calls import MOST as MOST_ASKED
from spyglass.hub import Hub
from spyglass.log import Ring, logger_for
from spyglass.profile import Profile, Selector, SSHHop
from spyglass.status import Phase
from spyglass.store import paths
from spyglass.store.profiles import Profiles
from spyglass.ui import app as ui
from spyglass.ui.bridge import QuestionDesk
from spyglass.ui.window import MainWindow
from support.fake_world import FakeBooted, FakeVM, World, found
from support.heartbeat import Heartbeat

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from spyglass.erlang.discovery import Discovery

MOST = 0.050
NODES, ROUNDS = 200, 4
FIGURES = {
    "memory": 200 << 20, "processes": 1200, "run_queue": 0, "schedulers": 4, "uptime_ms": 90_000,
    "cpu_ms": 10, "otp": "27",
}  # fmt: skip


class Crowd(World):
    """Two hops that take a moment, and very many nodes that are found one by one."""

    def open_hops(self, *given: Any, **more: Any) -> Any:
        time.sleep(0.05)
        return super().open_hops(*given, **more)

    def discover(self, remote: Any, *, on_found: Callable[[Any], None], **more: Any) -> Discovery:
        def slowly(one: Any) -> None:
            on_found(one)
            time.sleep(0.002)

        return super().discover(remote, on_found=slowly, **more)

    def take(self) -> FakeBooted:
        vm = FakeVM()
        vm.answers["figures"] = [FIGURES | {"node": each.info.node} for each in self.found[:MOST_ASKED]]
        self.vms.append(vm)
        return FakeBooted(vm)

    plain = take


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    made = Crowd()
    for number in range(NODES):
        name = f"worker_{number:03}@10.42.{number // 50}.{number % 50 + 2}"
        one = found(name, key=f"docker/farm_{number}/{name}", container=f"farm_{number}", image="farm:1.42.0")
        made.found.append(replace(one, info=msgspec.structs.replace(one.info, runtime="docker", otp="24-27")))
    monkeypatch.setattr("spyglass.remote.opening.open_hops", made.open_hops)
    monkeypatch.setattr("spyglass.erlang.discovery.discover", made.discover)
    monkeypatch.setattr("spyglass.erlang.slots.probe_name", lambda: "spyglass_probe@127.0.0.1")
    monkeypatch.setattr("spyglass.hub.Standby", lambda _erl: made)
    monkeypatch.setattr("spyglass.forwards.open_forward", made.open_forward)
    monkeypatch.setattr(paths, "_current", paths.under(tmp_path).ensure())
    return made


@pytest.fixture
def logger(ring: Ring) -> Any:
    """The program's own logger, with the window's ring behind it."""
    made = logging.getLogger("spyglass")
    before, level = made.propagate, made.level
    made.addHandler(ring)
    made.propagate, made.level = False, logging.INFO
    yield made
    made.removeHandler(ring)
    made.propagate, made.level = before, level


@pytest.fixture
def _switching() -> Iterator[None]:
    """As the program does: a busy worker gives the interpreter back sooner."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(ui._SWITCH)
    yield
    sys.setswitchinterval(before)


def flood(profile_id: str) -> None:
    talk = logger_for(profile_id)
    for number in range(10_000):
        talk.info("line %d of a very talkative connection", number)
        if number % 100 == 0:
            time.sleep(0.001)


@pytest.mark.usefixtures("_switching")
def test_nothing_stalls_the_window_while_200_nodes_are_found_and_10000_lines_are_logged(
    qtbot: QtBot,
    desk: QuestionDesk,
    ring: Ring,
    logger: Any,
    world: World,
    tmp_path: Path,
    heartbeat: Callable[[], Heartbeat],
) -> None:
    hub = Hub(Profiles(tmp_path / "profiles"), desk.ask, withdraw=desk.withdraw)
    hops = (SSHHop("bastion"), SSHHop("farm"))
    saved = hub.add(Profile(name="Farm", hops=hops, select=Selector(container="farm*")))
    window = MainWindow(hub, desk, ring, ui.sizes(tmp_path))
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    for tab in (2, 1, 0):  # what is made at first sight is not what is measured
        window.page.tabs.setCurrentIndex(tab)
        qtbot.wait(60)
    rounds = []
    try:
        for _ in range(ROUNDS):
            beat = heartbeat()
            _round(qtbot, hub, window, saved.id)
            rounds.append(beat.stop())
            assert beat.busiest < MOST
            assert window.page.nodes.model().rowCount() == NODES
            assert len(ring.lines()) == 10_000
            assert "27" in {window.page.nodes.model().index(row, 3).data() for row in range(NODES)}
            if rounds[-1] < MOST:  # what holds the window up holds it up each time
                break
            hub.disconnect(saved.id)
            qtbot.waitUntil(lambda: window.page.status.phase is Phase.OFFLINE, timeout=10_000)
        assert min(rounds) < MOST
    finally:
        window.end()
        hub.close()


def _round(qtbot: QtBot, hub: Hub, window: MainWindow, profile_id: str) -> None:
    """Connect, find all while a worker logs, look at the log and back, and see figures come."""
    window.page.log.model.load([])
    talker = threading.Thread(target=flood, args=(profile_id,))
    hub.connect(profile_id)
    talker.start()
    qtbot.waitUntil(lambda: window.page.status.phase is Phase.READY, timeout=20_000)
    window.page.tabs.setCurrentIndex(2)
    qtbot.waitUntil(lambda: not talker.is_alive(), timeout=20_000)
    talker.join()
    window.page.tabs.setCurrentIndex(0)
    hub.refresh(profile_id)
    qtbot.waitUntil(lambda: len(window.live._series) > 1, timeout=20_000)
    qtbot.wait(100)
