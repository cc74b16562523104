"""The window over the real hub and the demo's real server and node: figures come, and nothing stalls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from spyglass import demo
from spyglass.hub import Hub
from spyglass.status import Phase
from spyglass.store import paths
from spyglass.store.profiles import Profiles
from spyglass.ui import app as ui
from spyglass.ui import parts
from spyglass.ui.preferred import Preferred
from spyglass.ui.presence import Presence
from spyglass.ui.profile_editor import ProfileEditor
from spyglass.ui.trial import Line
from spyglass.ui.window import MainWindow
from spyglass.ui.wizard import Wizard
from support.heartbeat import Heartbeat

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from spyglass.log import Ring
    from spyglass.ui.bridge import QuestionDesk

Open = Callable[[paths.Paths], MainWindow]


@pytest.fixture
def open_window(
    qtbot: QtBot, desk: QuestionDesk, ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Open]:
    """Makes the window over a real hub."""
    made: list[MainWindow] = []

    def make(places: paths.Paths) -> MainWindow:
        monkeypatch.setattr(paths, "_current", places)
        hub = Hub(Profiles(places.profiles), desk.ask, withdraw=desk.withdraw)
        window = MainWindow(hub, desk, ring, ui.sizes(tmp_path))
        made.append(window)
        qtbot.addWidget(window)
        window.show()
        qtbot.waitExposed(window)
        qtbot.wait(100)
        return window

    yield make
    for window in made:
        window.end()
        window.hub.close()


@contextmanager
def editing(window: MainWindow) -> Iterator[ProfileEditor]:
    """The editor, as it is opened by a person."""
    window.changes.edit()
    editor = window.findChild(ProfileEditor)
    try:
        yield editor
    finally:
        editor.reject()


def try_out(qtbot: QtBot, editor: ProfileEditor) -> dict[str, str]:
    """Press Test and wait for its end; the state of each line by its name."""
    trial = editor.trial
    assert trial is not None
    editor.test.click()
    assert editor.test.text() == "Stop test"
    qtbot.waitUntil(lambda: not trial.running, timeout=30_000)
    assert editor.test.text() == "Test"
    found = {}
    for line in trial.findChildren(Line):
        mark = line.findChild(parts.StateMark)
        found[line.accessibleName().partition(": ")[0]] = mark.accessibleName()
    return found


def test_connecting_to_the_demo_shows_its_facts_and_stalls_nothing(
    qtbot: QtBot, open_window: Open, tmp_path: Path, heartbeat: Callable[[], Heartbeat]
) -> None:
    with demo.start(paths.under(tmp_path), engine=False) as running:
        window = open_window(running.paths)
        beat = heartbeat()
        window.hub.connect(running.profile.id)
        qtbot.waitUntil(lambda: window.page.status.phase is Phase.READY, timeout=30_000)
        qtbot.waitUntil(lambda: running_figures(window), timeout=30_000)
        assert beat.stop() < 0.050
        here, server, node = window.page.chain.links()
        assert here.detail.startswith("OTP ")
        assert " ms" in server.detail
        assert (node.label, node.state) == (running.node, "ok")


def running_figures(window: MainWindow) -> bool:
    """Whether the one node has told figures twice."""
    return [len(series) for series in window.live._series.values()] == [2]


@pytest.mark.warns
def test_the_button_test_of_the_editor_goes_the_whole_way(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    with demo.start(paths.under(tmp_path), engine=False) as running:
        window = open_window(running.paths)
        with editing(window) as editor:
            lines = try_out(qtbot, editor)
            assert lines[running.node] == "ready", lines
            assert [name for name in lines if name.endswith(f"127.0.0.1:{running.port}")], lines
            editor.hops.rows[0].port.setText("1")  # type: ignore[attr-defined]
            lines = try_out(qtbot, editor)
            assert lines["problem"] == "stopped"
            assert running.node not in lines
        assert window.hub.status(running.profile.id).phase is Phase.OFFLINE  # a test is no connection


def test_the_first_run_ends_connected_to_the_demo(
    qtbot: QtBot, qapp: QApplication, open_window: Open, tmp_path: Path
) -> None:
    places = paths.under(tmp_path)
    window = open_window(places)
    presence = Presence(qapp, window, Preferred(places.ensure().settings))
    window.opening.then(presence.begin)
    try:
        qtbot.waitUntil(lambda: window.findChild(Wizard) is not None)
        wizard = window.findChild(Wizard)
        qtbot.waitUntil(lambda: wizard.check.words.text().startswith("Erlang/OTP"), timeout=20_000)
        wizard.go.click()
        qtbot.waitUntil(lambda: window.page.status.surveyed, timeout=30_000)
        assert [node.node for node in window.page.status.nodes] == ["demo@127.0.0.1"]
        assert not window.page.keep.isVisible()  # nothing of it is there to be saved
    finally:
        window.may_close = lambda: True  # else its closing would be the end of the tests' application
        window.hub.close()
        presence.close()
