"""The app over a fake hub, as a process: ``python -m support.tray_app STATE_DIR [WORDS…]``.

It tells on standard output, a JSON line each, what was asked of the hub and when the window
shows or hides. On standard input: a line ``publish NAME`` publishes a scripted status,
``close`` closes the window the way a person does.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QSocketNotifier, QTimer

from spyglass.status import Phase, Status
from spyglass.ui import app as ui
from spyglass.ui.preferred import Preferred
from spyglass.ui.window import MainWindow
from support import fake_hub as fake

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

STATUSES = {
    "connected": fake.connected(fake.STAGING),
    "lost": fake.waiting(fake.STAGING),
    "stopped": fake.changed_key(fake.STAGING),
    "offline": Status(fake.STAGING.id, Phase.OFFLINE),
}


class Told(list[Any]):
    """A list that tells what is added."""

    def append(self, call: Any) -> None:
        super().append(call)
        tell(call=[getattr(part, "name", part) for part in call])


class Watch(QObject):
    """Tells when the window shows and hides."""

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's own name
        """Qt: an event of the window."""
        if event.type() in {QEvent.Type.Show, QEvent.Type.Hide} and not event.spontaneous():
            tell(window="shown" if event.type() is QEvent.Type.Show else "hidden")
        return False


def tell(**document: Any) -> None:
    """One line for the test."""
    print(json.dumps(document), flush=True)


def main() -> int:
    """Run until the app ends."""
    directory = Path(sys.argv[1])
    hub = fake.FakeHub([fake.STAGING, fake.SHOP], {fake.SHOP.id: fake.connected()})
    hub.calls = Told()
    preferred = Preferred(directory / "settings.toml")
    preferred.value = preferred.value.__class__(
        close_to_tray_said=(directory / "said").exists(), welcomed=True
    )
    application = ui.application("light", dressed=False)
    watch = Watch()
    QTimer.singleShot(0, lambda: _attend(application, hub, watch))
    status = ui.run(hub, sys.argv[2:], state=directory, preferred=preferred)
    tell(ended=status, said=preferred.value.close_to_tray_said)
    return status


def _attend(application: QApplication, hub: fake.FakeHub, watch: Watch) -> None:
    [window] = [w for w in application.topLevelWidgets() if isinstance(w, MainWindow)]
    window.installEventFilter(watch)
    tell(window="shown" if window.isVisible() else "hidden")
    notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, window)
    notifier.activated.connect(lambda *_: _obey(window, hub, os.read(sys.stdin.fileno(), 4096).decode()))


def _obey(window: MainWindow, hub: fake.FakeHub, orders: str) -> None:
    for order in orders.splitlines():
        word, _, name = order.partition(" ")
        if word == "publish":
            hub.publish(STATUSES[name])
        elif word == "close":
            window.close()


if __name__ == "__main__":
    sys.exit(main())
