"""A styled application, a fake hub and the window over it."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from spyglass.log import Ring
from spyglass.ui import app as ui
from spyglass.ui import style
from spyglass.ui.bridge import QuestionDesk
from spyglass.ui.window import MainWindow
from support import fake_hub as fake

OFFSCREEN = "This plugin does not support"
SCREEN = {"x": 0, "y": 0, "width": 1920, "height": 1200, "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}


@pytest.fixture(scope="session", autouse=True)
def _large_screen(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The offscreen platform's screen is 800 x 800 unless it is told otherwise."""
    if os.environ["QT_QPA_PLATFORM"] == "offscreen":
        file = tmp_path_factory.mktemp("screen") / "screen.json"
        file.write_text(json.dumps({"screens": [{"name": "large", **SCREEN}]}))
        os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={file}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The offscreen platform's own remark is none of ours; every other Qt warning fails a test."""
    for item in items:
        if "gui" in item.path.parts:
            item.add_marker(pytest.mark.qt_log_ignore(OFFSCREEN, extend=True))


@pytest.fixture(scope="session")
def qapp(_large_screen: None, qapp: QApplication) -> QApplication:
    """The application as the program styles it."""
    return ui.application("light")


@pytest.fixture(autouse=True)
def _light(qapp: QApplication) -> Iterator[None]:
    yield
    style.Theme.current.choose("light")


@pytest.fixture
def hub() -> fake.FakeHub:
    return fake.scene()


@pytest.fixture
def desk() -> Iterator[QuestionDesk]:
    made = QuestionDesk()
    yield made
    made.close()


@pytest.fixture
def ring() -> Ring:
    return Ring()


@pytest.fixture
def make_window(qtbot, desk, ring, tmp_path: Path) -> Callable[[fake.FakeHub], MainWindow]:
    def make(hub: fake.FakeHub) -> MainWindow:
        window = MainWindow(hub, desk, ring, ui.sizes(tmp_path), clock=lambda: fake.NOW)
        qtbot.addWidget(window)
        window.show()
        window.activateWindow()
        qtbot.waitExposed(window)
        return window

    return make


@pytest.fixture
def window(hub, make_window) -> MainWindow:
    return make_window(hub)


class Heartbeat:
    """A timer that should beat every 5 ms; the longest gap is the GUI thread's longest stall.

    What the kernel let the thread wait for a processor, because others wanted it too, is not
    the window's doing and is taken off (schedstat, second figure; proc(5)).
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._schedule = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._last = self._now()
        self._timer = QTimer(interval=5)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _now(self) -> float:
        queued = int(self._schedule.read_text().split()[1]) if self._schedule.exists() else 0
        return time.perf_counter() - queued / 1e9

    def _beat(self) -> None:
        now = self._now()
        self.longest = max(self.longest, now - self._last)
        self._last = now

    def stop(self) -> float:
        if self._timer.isActive():
            self._beat()
            self._timer.stop()
        return self.longest


@pytest.fixture
def heartbeat(qapp: QApplication) -> Iterator[Callable[[], Heartbeat]]:
    made: list[Heartbeat] = []

    def start() -> Heartbeat:
        made.append(Heartbeat())
        return made[-1]

    yield start
    for each in made:
        each.stop()
