"""Where worker threads meet the window.

Plain threads call in; nothing here ever makes them wait for the window, except the one
who asked a question and wants the answer. What comes faster than the window can draw is
gathered: of many statuses of one connection only the newest is shown, and log lines come
in batches.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from spyglass.errors import Cancelled

if TYPE_CHECKING:
    from pathlib import Path

    from spyglass.errors import Failure
    from spyglass.figures import Readings
    from spyglass.log import Line, Ring
    from spyglass.profile import Profile
    from spyglass.questions import Question
    from spyglass.status import Status

_FRAME = 30  # milliseconds between two looks at what came in


class HubLike(Protocol):
    """What the window needs of a hub. No call blocks; listeners hear from worker threads."""

    def profiles(self) -> list[Profile]:
        """The saved profiles in order, then those connected without saving."""

    def read(self) -> tuple[list[Profile], list[Failure]]:
        """The same, and what is wrong with profile files that can't be used."""

    def add(self, profile: Profile) -> Any:
        """Save a new profile; raises Failure."""

    def replace(self, profile: Profile) -> Any:
        """Save a changed profile; raises Failure."""

    def export(self, profile_id: str, path: Path) -> Any:
        """Write a saved profile to a file; raises Failure."""

    def import_(self, path: Path) -> Profile:
        """Save the profile of a file; raises Failure with the place of what is wrong."""

    def erl(self) -> str:
        """The Erlang that the person chose (a path), or empty."""

    def apart(self) -> Any:
        """A hub of its own for trying a profile out."""

    def remove(self, profile_id: str) -> Any:
        """Forget a profile; raises Failure."""

    def status(self, profile_id: str) -> Status:
        """The newest status."""

    def statuses(self) -> list[Status]:
        """The status of every connection that was started."""

    def subscribe(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        """Hear every status; returns what ends it."""

    def connect(self, profile: Profile | str, *, unattended: bool = ...) -> Any:
        """Start connecting; unattended, it puts up no question."""

    def disconnect(self, profile_id: str) -> Any:
        """Stop, whatever it is doing."""

    def retry(self, profile_id: str) -> Any:
        """Try again now."""

    def refresh(self, profile_id: str) -> Any:
        """Look for nodes again."""

    def observe(self, profile_id: str, node: str, *, company: bool = False) -> Any:
        """Open Observer on a node (its key); ``company``: with all nodes of the target in its menu."""

    def close_window(self, profile_id: str, key: str) -> Any:
        """Close the Observer window of a node."""

    def arrange(self, profile_ids: list[str]) -> Any:
        """Keep this order of the saved profiles; raises Failure."""

    def watch_stats(self, profile_id: str, listener: Callable[[Readings], None]) -> Callable[[], None]:
        """Hear the live figures of a connection's nodes every 2 s; returns what ends it."""

    def close(self) -> Any:
        """End everything."""


class StatusFeed(QObject):
    """The hub's statuses as a signal in the GUI thread, newest only."""

    changed = Signal(object)
    _woken = Signal()

    def __init__(self, hub: HubLike, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._waiting: dict[str, Status] = {}
        self._timer = QTimer(self, singleShot=True, interval=_FRAME)
        self._timer.timeout.connect(self._deliver)
        self._woken.connect(self._timer.start, Qt.ConnectionType.QueuedConnection)
        self._leave = hub.subscribe(self._hear)

    def close(self) -> None:
        """Hear no more."""
        self._leave()
        self._timer.stop()

    def _hear(self, status: Status) -> None:
        with self._lock:
            first = not self._waiting
            self._waiting[status.profile_id] = status
        if first:
            self._woken.emit()

    def _deliver(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for status in waiting.values():
            self.changed.emit(status)


class LogFeed(QObject):
    """New log lines in batches, as a signal in the GUI thread."""

    came = Signal(list)
    _woken = Signal()
    _BATCH = 2000

    def __init__(self, ring: Ring, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.ring = ring
        self._waiting: deque[Line] = deque(maxlen=10_000)
        self._asleep = True
        self._timer = QTimer(self, singleShot=True, interval=_FRAME)
        self._timer.timeout.connect(self._deliver)
        self._woken.connect(self._timer.start, Qt.ConnectionType.QueuedConnection)
        ring.listeners.append(self._hear)

    def close(self) -> None:
        """Hear no more."""
        if self._hear in self.ring.listeners:
            self.ring.listeners.remove(self._hear)
        self._timer.stop()

    def _hear(self, line: Line) -> None:
        self._waiting.append(line)
        if self._asleep:
            self._asleep = False
            self._woken.emit()

    def _deliver(self) -> None:
        self._asleep = True
        waiting = self._waiting
        batch = [waiting.popleft() for _ in range(min(len(waiting), self._BATCH))]
        if waiting and self._asleep:
            self._asleep = False
            self._timer.start()
        if batch:
            self.came.emit(batch)


class Pending:
    """One question on its way to an answer; settled once, from any thread."""

    def __init__(self, profile_id: str, question: Question) -> None:
        self.profile_id = profile_id
        self.question = question
        self._settled = threading.Event()
        self._lock = threading.Lock()
        self._answer: Any = None
        self._cancelled = False

    @property
    def open(self) -> bool:
        """Whether it still waits for an answer."""
        return not self._settled.is_set()

    def settle(self, answer: Any = None, *, cancelled: bool = False) -> bool:
        """Answer or take back; False if that was done before."""
        with self._lock:
            if self._settled.is_set():
                return False
            self._answer, self._cancelled = answer, cancelled
            self._settled.set()
        return True

    def wait(self) -> Any:
        """Block until settled and return the answer, once; raises Cancelled when taken back."""
        self._settled.wait()
        answer, self._answer = self._answer, None
        if self._cancelled:
            raise Cancelled
        return answer


class QuestionDesk(QObject):
    """Carries questions of workers to the window and the answers back.

    ``ask`` is what a hub is built with. It blocks its worker (never the window) until
    somebody settles the question or takes it back; then it raises Cancelled there.
    """

    asked = Signal(object)
    withdrawn = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._pending: list[Pending] = []
        self._closed = False

    def ask(self, profile_id: str, question: Question) -> Any:
        """Ask from a worker thread; return the answer (see the question's type)."""
        pending = Pending(profile_id, question)
        with self._lock:
            if self._closed:
                raise Cancelled
            self._pending.append(pending)
        self.asked.emit(pending)
        try:
            return pending.wait()
        finally:
            with self._lock:
                self._pending.remove(pending)

    def pending(self) -> list[Pending]:
        """The open questions, oldest first."""
        with self._lock:
            return [p for p in self._pending if p.open]

    def withdraw(self, profile_id: str | None = None) -> None:
        """Take back the questions of one connection, or all; from any thread."""
        for pending in self.pending():
            if profile_id in {None, pending.profile_id} and pending.settle(cancelled=True):
                self.withdrawn.emit(pending)

    def close(self) -> None:
        """Take everything back and answer nothing any more."""
        with self._lock:
            self._closed = True
        self.withdraw()
