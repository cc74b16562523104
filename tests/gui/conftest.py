"""A styled application, a fake hub and the window over it."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from spyglass.log import Ring
from spyglass.ui import app as ui
from spyglass.ui import style
from spyglass.ui.bridge import QuestionDesk
from spyglass.ui.window import MainWindow
from support import fake_hub as fake
from support.heartbeat import Heartbeat

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

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


@pytest.fixture(autouse=True)
def _no_key_held(qapp: QApplication) -> Iterator[None]:
    """QTest leaves Shift or Ctrl held after a click with it; a table would add to its selection then."""
    yield
    if QGuiApplication.keyboardModifiers():
        QTest.keyRelease(QWidget(), Qt.Key.Key_Shift)
    assert not QGuiApplication.keyboardModifiers()


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
def make_window(
    qtbot: QtBot, desk: QuestionDesk, ring: Ring, tmp_path: Path
) -> Callable[[fake.FakeHub], MainWindow]:
    def make(hub: fake.FakeHub) -> MainWindow:
        window = MainWindow(hub, desk, ring, ui.sizes(tmp_path), clock=lambda: fake.NOW)
        qtbot.addWidget(window)
        window.show()
        window.activateWindow()
        qtbot.waitExposed(window)
        qtbot.waitUntil(lambda: "page" in vars(window))
        return window

    return make


@pytest.fixture
def window(hub: fake.FakeHub, make_window: Callable[[fake.FakeHub], MainWindow]) -> MainWindow:
    return make_window(hub)


@pytest.fixture
def heartbeat(qapp: QApplication) -> Iterator[Callable[[], Heartbeat]]:
    made: list[Heartbeat] = []

    def start() -> Heartbeat:
        gc.collect()
        gc.freeze()  # as the program does; the tests' own heap is larger than that
        made.append(Heartbeat())
        return made[-1]

    yield start
    for each in made:
        each.stop()
    gc.unfreeze()
