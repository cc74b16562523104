"""The real app in a process of pictures: its hub, window and tray, and how a scene is taken."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from spyglass import log
from spyglass.hub import Hub
from spyglass.profile import Profile
from spyglass.status import Phase, Status
from spyglass.store import paths
from spyglass.store.profiles import Profiles
from spyglass.ui import app as ui
from spyglass.ui.bridge import QuestionDesk
from spyglass.ui.preferred import Preferred
from spyglass.ui.presence import Presence
from spyglass.ui.window import MainWindow

PATIENCE = 30.0
"""Seconds that anything may take to come about; what does not is told."""


def until(ready: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Let the program live until something is so."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        rest(0.01)


def rest(seconds: float) -> None:
    """Let the program live for a while."""
    end = time.monotonic() + seconds
    while True:
        QApplication.processEvents()
        if time.monotonic() >= end:
            return
        time.sleep(0.005)


class Play:
    """The app over the saved profiles of the directories in use."""

    def __init__(self, app: QApplication) -> None:
        self.app = app
        self.desk = QuestionDesk()
        self.preferred = Preferred(paths.current().settings)
        store = Profiles(paths.current().profiles)
        self.hub = Hub(store, self.desk.ask, erl=self.preferred.erl, withdraw=self.desk.withdraw)
        self.window = MainWindow(
            self.hub, self.desk, log.setup(), ui.sizes(Path(tempfile.mkdtemp(dir=Path.home())))
        )
        self.presence = Presence(app, self.window, self.preferred)
        self.window.opening.then(self.presence.begin)
        self.window.show()

    def id(self, name: str) -> str:
        """The id of the profile with this name."""
        return next(p.id for p in self.hub.profiles() if p.name == name)

    def status(self, name: str) -> Status:
        """What is known of a profile's connection now."""
        return self.hub.status(self.id(name))

    def begin(self, name: str, phase: Phase) -> None:
        """Connect, and wait for the phase; READY means with all nodes."""
        self.hub.connect(self.id(name))
        until(lambda: self._came(self.status(name), phase), f"{name} is {phase.value}: {self.status(name)}")

    @staticmethod
    def _came(status: Status, phase: Phase) -> bool:
        return status.phase is phase and (phase is not Phase.READY or status.surveyed)

    def show(self, name: str) -> MainWindow:
        """The window with this profile chosen, its first tab in front, nothing selected."""
        self.window.show_profile(self.id(name))
        self.window.page.tabs.setCurrentIndex(0)
        self.window.page.nodes.clearSelection()
        until(lambda: self.window.page.profile.name == name, f"{name} is shown")
        return self.window

    def node(self, profile: str, node: str) -> str:
        """The key of a node."""
        return next(n.key for n in self.status(profile).nodes if n.node == node)

    def asked(self) -> QDialog:
        """The question that is on the screen, as soon as one is."""
        until(lambda: self.window.questions.dialog, "a question")
        dialog = self.window.questions.dialog
        assert dialog
        return dialog

    def popped_up(self, kind: type[QWidget] = QDialog) -> QWidget:
        """The newest window of this kind that is on the screen, as soon as there is one."""

        def found() -> list[QWidget]:
            return [w for w in self.app.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]

        until(found, f"a {kind.__name__}")
        return found()[-1]

    @contextmanager
    def visitor(self, profile: Profile) -> Iterator[None]:
        """Another profile, saved and on its way while inside."""
        added = self.hub.add(profile)
        self.window.reload(added.id)
        self.hub.connect(added.id)
        try:
            yield
        finally:
            self.window.wishes.stop(added.id)
            until(lambda: self.hub.status(added.id).phase in {Phase.OFFLINE, Phase.FAILED}, "it ended")
            until(lambda: not self.window.questions.dialog, "no question any more")
            self.hub.remove(added.id)
            self.window.reload()

    def close(self) -> None:
        """End it as the program does."""
        self.presence.leave()
        self.window.end()
        self.hub.close()
        self.presence.close()
        self.window.deleteLater()
        rest(0)


def load_fonts() -> None:
    """An application whose font is the same wherever pictures are made."""
    QApplication([])
    font = QFont("Inter") if "Inter" in QFontDatabase.families() else QFont()
    font.setPointSizeF(9.75)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    QApplication.setFont(font)


def picture(widget: QWidget, out: Path, name: str, theme: str) -> Path:
    """Save a widget as it looks at this process's scale."""
    rest(0.05)
    path = out / f"{name}-{theme}@{os.environ.get('QT_SCALE_FACTOR', '1')}x.png"
    image = widget.grab()
    image.setDevicePixelRatio(1)
    if not image.save(str(path)):
        raise OSError(f"{path} can't be written")
    return path
