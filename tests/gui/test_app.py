from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget

from spyglass import APP_ID
from spyglass.errors import Failure
from spyglass.ui import app as ui
from spyglass.ui.window import MainWindow
from support import fake_hub as fake

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

AT_FIRST_SIGHT = """
import sys
import spyglass.ui
from PySide6.QtCore import QCoreApplication
from spyglass.ui.opening import Opening
painted = Opening._painted
def told(self):
    print(*sorted(sys.modules))
    painted(self)
    QCoreApplication.quit()
Opening._painted = told
from spyglass.__main__ import main
sys.exit(main())
"""
LATE = ["paramiko", "keyring", "cryptography", "asyncio", "subprocess", "html", "tomli_w"]
LATE += [f"spyglass.{name}" for name in ("connection", "session", "questions", "erlang", "remote", "desktop")]
LATE += [f"spyglass.ui.{name}" for name in ("page", "tray", "wizard", "questions", "profile_editor")]


def window() -> MainWindow:
    [found] = [w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow)]
    return found


def test_the_window_is_painted_before_what_it_does_not_show_is_even_imported(tmp_path: Path) -> None:
    words = [sys.executable, "-c", AT_FIRST_SIGHT, f"--profile-dir={tmp_path}"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    modules = done.stdout.split()
    qt = [name for name in modules if name.startswith("PySide6.Qt")]
    assert qt == ["PySide6.QtCore", "PySide6.QtGui", "PySide6.QtWidgets"]
    assert not set(modules) & set(LATE)
    assert "Traceback" not in done.stderr  # it ends while what connecting takes is being imported


@pytest.fixture
def hub() -> fake.FakeHub:
    """Profiles, none of them connected: quitting asks nothing."""
    return fake.FakeHub(list(fake.PROFILES))


def test_without_a_tray_closing_the_window_ends_the_program_and_the_hub(
    qtbot: QtBot, hub: fake.FakeHub, tmp_path: Path
) -> None:
    QTimer.singleShot(50, lambda: window().close())
    assert ui.run(hub, [], state=tmp_path) == 0
    assert hub.closed
    assert QApplication.desktopFileName() == APP_ID
    assert (tmp_path / "window.ini").exists()


def test_a_signal_ends_it_without_a_question(qtbot: QtBot, hub: fake.FakeHub, tmp_path: Path) -> None:
    hub.publish(fake.connected())
    before = signal.getsignal(signal.SIGTERM)
    QTimer.singleShot(50, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert ui.run(hub, [], state=tmp_path) == 0
    assert hub.closed
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_the_window_has_made_and_not_shown_yet_goes_with_it(
    qtbot: QtBot, hub: fake.FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = MainWindow._unshown.func

    def ending(self: MainWindow) -> QWidget:
        QApplication.quit()
        return made(self)

    monkeypatch.setattr(MainWindow._unshown, "func", ending)
    assert ui.run(hub, [], state=tmp_path) == 0


def test_profiles_that_cannot_be_read_are_told_in_the_window(
    qtbot: QtBot, hub: fake.FakeHub, tmp_path: Path
) -> None:
    def refuse() -> list[object]:
        raise Failure("The profiles cannot be read", "Check the permissions.", code="disk")

    hub.profiles = refuse  # type: ignore[assignment,method-assign]
    said: list[str] = []
    QTimer.singleShot(50, lambda: (said.append(window().complaint.text()), window().close()))
    assert ui.run(hub, [], state=tmp_path) == 0
    assert said == ["The profiles cannot be read. Check the permissions."]
