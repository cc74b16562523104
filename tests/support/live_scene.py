"""Draws the window over a real connection: ``python -m support.live_scene OUTDIR SECONDS [HOST [PATTERN]]``.

``HOST`` is a host of ssh_config, ``PATTERN`` tells which containers; without a host the demo's
own server and node are used. The figures are measured for ``SECONDS``, so that there is a line.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from spyglass import demo, log
from spyglass.hub import Hub
from spyglass.profile import Profile, Selector, SSHHop
from spyglass.status import Phase
from spyglass.store import paths
from spyglass.store.profiles import Profiles
from spyglass.ui import app as ui
from spyglass.ui import style
from spyglass.ui.bridge import QuestionDesk
from spyglass.ui.window import MainWindow
from support import fake_hub as fake
from support.screenshots import load_fonts, scaled_name

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

_UP = 40.0  # seconds that connecting may take


@contextmanager
def place(host: str, pattern: str) -> Iterator[tuple[Profiles, Profile]]:
    """Saved profiles of which the one returned leads to real nodes."""
    if not host:
        with demo.start() as running:
            paths.use(running.paths)
            yield Profiles(running.paths.profiles), running.profile
        return
    with tempfile.TemporaryDirectory() as directory:
        places = paths.use(paths.under(Path(directory)).ensure())
        store = Profiles(places.profiles)
        real = Profile(name="Shop EU", group="Production", hops=(SSHHop(host),), select=Selector(pattern))
        mine = store.add(real)
        for other in fake.PROFILES[1:]:
            store.add(other)
        yield store, mine


def until(app: QApplication, seconds: float, *, ready: object = None) -> None:
    """Let the window live for a while, or until ``ready`` says so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not (callable(ready) and ready()):
        app.processEvents()
        time.sleep(0.01)


def picture(app: QApplication, store: Profiles, profile: Profile, out: Path, seconds: float) -> None:
    """Connect, look for a while, and draw the window in both palettes."""
    desk = QuestionDesk()
    hub = Hub(store, desk.ask, withdraw=desk.withdraw)
    window = MainWindow(hub, desk, log.setup(), ui.sizes(Path(tempfile.mkdtemp())))
    window.sidebar.choose(profile.id)
    window.show()
    try:
        hub.connect(profile.id)
        until(app, _UP, ready=lambda: hub.status(profile.id).phase is Phase.READY)
        until(app, seconds)
        print("\n".join(map(str, hub.status(profile.id).chain)))
        for theme in ("light", "dark"):
            style.Theme.current.choose(theme)
            until(app, 0.2)
            window.grab().save(str(out / scaled_name("live", theme)))
    finally:
        window.close()
        hub.close()


def main(argv: list[str]) -> int:
    """Draw it."""
    out, seconds, host, pattern, *_ = [*argv, "", ""]
    load_fonts()
    app = ui.application("light")
    with place(host, pattern) as (store, profile):
        picture(app, store, profile, Path(out), float(seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
