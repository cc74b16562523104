"""The window over the real hub and the demo's real server and node: figures come, and nothing stalls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from spyglass import demo
from spyglass.hub import Hub
from spyglass.log import Ring
from spyglass.status import Phase
from spyglass.store import paths
from spyglass.store.profiles import Profiles
from spyglass.ui import app as ui
from spyglass.ui.bridge import QuestionDesk
from spyglass.ui.window import MainWindow
from support.heartbeat import Heartbeat

if TYPE_CHECKING:
    import pytest
    from pytestqt.qtbot import QtBot


def test_connecting_to_the_demo_shows_its_facts_and_stalls_nothing(
    qtbot: QtBot,
    desk: QuestionDesk,
    ring: Ring,
    tmp_path: Path,
    heartbeat: Callable[[], Heartbeat],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with demo.start(paths.under(tmp_path), engine=False) as running:
        monkeypatch.setattr(paths, "_current", running.paths)
        hub = Hub(Profiles(running.paths.profiles), desk.ask, withdraw=desk.withdraw)
        window = MainWindow(hub, desk, ring, ui.sizes(tmp_path))
        qtbot.addWidget(window)
        window.show()
        qtbot.waitExposed(window)
        qtbot.wait(100)
        try:
            beat = heartbeat()
            hub.connect(running.profile.id)
            qtbot.waitUntil(lambda: window.page.status.phase is Phase.READY, timeout=30_000)
            qtbot.waitUntil(lambda: running_figures(window), timeout=30_000)
            assert beat.stop() < 0.050
            here, server, node = window.page.chain.links()
            assert here.detail.startswith("OTP ")
            assert " ms" in server.detail
            assert (node.label, node.state) == (running.node, "ok")
        finally:
            window.end()
            hub.close()


def running_figures(window: MainWindow) -> bool:
    """Whether the one node has told figures twice."""
    return [len(series) for series in window.live._series.values()] == [2]
