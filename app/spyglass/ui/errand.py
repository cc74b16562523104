"""One piece of slow work on a thread of its own, its outcome in the GUI thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

from spyglass.errors import Failure


class Errand(QObject):
    """Runs ``work`` once; ``done`` or ``failed`` then comes, unless the one who waits is gone by then.

    Connect bound methods of a QObject: Qt forgets them with it. The thread keeps the errand
    itself alive, so that whoever started it may close in the meantime.
    """

    done = Signal(object)
    failed = Signal(object)

    def __init__(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[Failure], None] | None = None,
    ) -> None:
        super().__init__()
        self._work = work
        self.done.connect(done, Qt.ConnectionType.QueuedConnection)
        if failed:
            self.failed.connect(failed, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._run, name="errand", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            outcome = self._work()
        except Failure as fault:
            self.failed.emit(fault)
        else:
            self.done.emit(outcome)
