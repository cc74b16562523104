"""The pictures of what stands around the window: tray, preferences, first run, the questions at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from spyglass.erlang.installation import Erlang
from spyglass.errors import Failure, Missing
from spyglass.questions import Consent
from spyglass.ui import erlang_check, palette, questions, tray_icon, wizard
from spyglass.ui.demo_run import DemoRun
from spyglass.ui.preferences import Preferences
from spyglass.ui.preferred import Preferred
from spyglass.ui.tray_menu import TrayMenu
from spyglass.ui.window import MainWindow
from support import fake_hub as fake

Window = Callable[..., MainWindow]

OTP27 = Erlang(Path("/usr/bin/erl"), Path("/usr/lib"), 27, "27.3.4", wx=True, observer=True, compiler=True)
NONE = Missing(
    "There is no Erlang on this computer",
    "sudo apt install erlang-observer  (where one is installed, choose its `erl` in the preferences).",
)
HOSTS = ["prod-eu", "prod-us", "stage", "bastion", "lt-worker-017", "pi"]


def scenes(directory: Path, window: Window) -> dict[str, Callable[[], QWidget]]:
    """Every picture by name; ``window`` makes a main window."""
    return {
        "tray-icons": IconSheet,
        "tray-menu": lambda: _menu(window(directory, fake.SHOP)),
        "tray-menu-profile": lambda: _menu(window(directory, fake.SHOP), "Shop EU"),
        "preferences": lambda: _preferences(OTP27),
        "preferences-missing": lambda: _preferences(NONE),
        "wizard": lambda: _wizard(window(directory, None), OTP27),
        "wizard-missing": lambda: _wizard(window(directory, None), NONE),
        "ask-quit": lambda: questions.ConsentDialog(QUIT),
        "ask-tray": lambda: questions.ConsentDialog(TRAY),
        "ask-production": lambda: questions.ConsentDialog(PRODUCTION, "Shop EU"),
    }


QUIT = Consent(
    "Quit with 2 open connections?",
    "They are closed, and so are their Observer windows:\n•  Shop EU\n•  Billing",
    "Quit",
)
TRAY = Consent(
    "Spyglass goes on in the tray",
    "Its connections stay open and its icon brings the window back. "
    "To end it, choose Quit there or press Ctrl+Q.",
    "Close the window",
)
PRODUCTION = Consent(
    "Observe shop@172.17.0.4?",
    "Shop EU is marked as production. Observer shows what runs on the node, and can also end processes and "
    "change their state. This is asked once for each connection.",
    "Observe",
    danger=True,
)


class IconSheet(QWidget):
    """The tray's icons in each state and size, on a light and on a dark panel, and as a mask."""

    STATES = ("", "busy", "ok", "warn", "bad")

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(5 * 190, 3 * 90)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's own name
        """Three rows."""
        painter = QPainter(self)
        rows = ((palette.LIGHT, "#f0f0f0"), (palette.DARK, "#202428"), (tray_icon.mask(), "#c8d4e8"))
        for row, (tokens, ground) in enumerate(rows):
            painter.fillRect(0, row * 90, self.width(), 90, ground)
            for column, shape in enumerate(self.STATES):
                left = 12 + column * 190
                for size in (16, 22, 32, 64):
                    ratio = self.devicePixelRatio()
                    image = tray_icon.pixmap(shape, tokens, round(size * ratio))
                    image.setDevicePixelRatio(ratio)
                    painter.drawPixmap(QPoint(left, row * 90 + 45 - size // 2), image)
                    left += size + 12
        painter.end()


def _answering(answer: Erlang | Failure) -> Callable[[str], Erlang]:
    def find(_setting: str) -> Erlang:
        if isinstance(answer, Failure):
            raise answer
        return answer

    return find


def _preferences(answer: Erlang | Failure) -> QWidget:
    vars(erlang_check)["find"] = _answering(answer)
    made = Preferences(Preferred(None))
    _settled(lambda: not made.check.words.text().startswith("Looking"))
    return made


def _wizard(window: MainWindow, answer: Erlang | Failure) -> QWidget:
    vars(erlang_check)["find"] = _answering(answer)
    vars(wizard)["_hosts"] = lambda: HOSTS
    made = wizard.Wizard(window, Preferred(None), lambda: DemoRun(""))
    made.setParent(None, Qt.WindowType.Dialog)
    _settled(lambda: made.list.count() > len(HOSTS) and not made.check.words.text().startswith("Looking"))
    window.deleteLater()
    return made


def _settled(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 3
    while not done() and time.monotonic() < deadline:
        QApplication.processEvents()


def _menu(window: MainWindow, below: str = "") -> QWidget:
    menu = TrayMenu(window)
    window.menu_kept = menu  # type: ignore[attr-defined]
    if not below:
        return menu
    found = next(m for m in menu.findChildren(QMenu) if m.title().startswith(below))
    found.setParent(None)
    return found
