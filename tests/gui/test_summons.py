from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from spyglass.control import claim, client
from spyglass.errors import Failure
from spyglass.store import paths
from spyglass.ui import app as ui
from spyglass.ui import summons
from spyglass.ui.crash import CrashDialog
from spyglass.ui.defects import Crashes
from spyglass.ui.profile_editor import ProfileEditor
from spyglass.ui.window import MainWindow
from support import fake_hub as fake

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

LINK = f"spyglass://profile/{fake.STAGING.id}"

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support raise")


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_ACTIVATION_TOKEN", raising=False)


def test_a_second_start_shows_the_window(window: MainWindow, tokens: None) -> None:
    window.hide()
    summons.summoned(window, [], "leave to raise")
    assert window.isVisible()
    assert os.environ.pop("XDG_ACTIVATION_TOKEN") == "leave to raise"


def test_one_in_the_background_does_not(window: MainWindow) -> None:
    window.hide()
    summons.summoned(window, ["--background"], "")
    assert not window.isVisible()


def test_a_link_selects_its_profile_and_connects_nothing(window: MainWindow, hub: fake.FakeHub) -> None:
    window.sidebar.search.setText("nothing like it")
    summons.summoned(window, [LINK], "")
    assert window.page.profile == fake.STAGING
    assert hub.calls == []


def test_a_link_to_nothing_is_told(window: MainWindow) -> None:
    summons.obey(window, ["spyglass://profile/" + 32 * "f"])
    assert window.complaint.text().startswith("There is no profile of this link")


def test_the_words_can_ask_for_a_new_profile(window: MainWindow, qtbot: QtBot) -> None:
    summons.obey(window, ["--new-profile"])
    [editor] = window.findChildren(ProfileEditor)
    assert editor.isVisible()
    editor.reject()


def test_the_running_app_is_talked_to_and_quits(qtbot: QtBot, hub: fake.FakeHub, tmp_path: Path) -> None:
    made = claim.claim(tmp_path)
    assert made is not None
    shown: list[str] = []

    def others() -> None:
        client.talk(tmp_path, {"do": "show", "args": [LINK]})
        shown.append("shown")
        client.talk(tmp_path, {"do": "quit"})
        shown.append(f"closed {hub.closed}, held {claim.held(tmp_path)}")

    thread = threading.Thread(target=others)
    QTimer.singleShot(20, thread.start)
    assert ui.run(hub, [], state=tmp_path, claim=made) == 0
    thread.join(5)
    assert shown == ["shown", "closed True, held False"]


def test_who_comes_while_we_end_is_turned_away() -> None:
    ending = summons.Summons()
    ending.end()
    with pytest.raises(Failure, match="just ending") as caught:
        ending.show([], "")
    assert caught.value.code == client.ENDING


@pytest.fixture
def crashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Crashes:

    paths.use(paths.under(tmp_path))
    return Crashes()


def dialogs() -> list[CrashDialog]:
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, CrashDialog) and w.isVisible()]


def test_a_crash_in_any_thread_is_one_dialog_with_a_report_to_copy(
    qtbot: QtBot, crashes: Crashes, tmp_path: Path
) -> None:
    thread = threading.Thread(target=crashes.tell, args=(ValueError("in a worker"),))
    thread.start()
    qtbot.waitUntil(lambda: len(dialogs()) == 1)
    thread.join()
    crashes.tell(ValueError("another"))
    [dialog] = dialogs()
    dialog.copy.click()
    assert "ValueError: in a worker" in QGuiApplication.clipboard().text()
    assert "ValueError: another" in (tmp_path / "state/crash.txt").read_text()
    dialog.close_button.click()
    qtbot.waitUntil(lambda: not any(isinstance(w, CrashDialog) for w in QApplication.topLevelWidgets()))
