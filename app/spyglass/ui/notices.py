"""What is worth a notification: only changes that a person would want to hear of. Pure."""

from __future__ import annotations

from msgspec import Struct

from spyglass.status import Phase, Status
from spyglass.ui import words


class Notice(Struct, frozen=True):
    """One notification; ``shape`` is the state's shape."""

    title: str
    text: str
    shape: str


def state(status: Status) -> str:
    """The state as far as notices go: ``on``, ``off``, ``lost``, ``stopped``, ``asks``; empty: on the way."""
    if status.question:
        return "asks"
    names = {Phase.READY: "on", Phase.WAITING: "lost", Phase.FAILED: "stopped", Phase.OFFLINE: "off"}
    return names.get(status.phase, "")


class Changes:
    """Remembers what was last told of each connection, so that nothing is told twice."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def hear(self, status: Status, name: str) -> Notice | None:
        """What this status has to say, if that is news."""
        now = state(status)
        if not now or now == self._told.get(status.profile_id, "off"):
            return None
        self._told[status.profile_id] = now
        return _notice(now, status, name)


def _notice(now: str, status: Status, name: str) -> Notice | None:
    shape = words.shape(status)
    if now == "on":
        return Notice(f"{name} is connected", f"{words.count(len(status.nodes), 'node')} there.", shape)
    if now == "asks":
        return Notice(f"{name} needs you", words.headline(status, 0) + ".", shape)
    if now in {"lost", "stopped"}:
        problem = status.problem
        title = f"{name} is lost" if now == "lost" else f"{name} has stopped"
        text = f"{problem.title}. {problem.hint}".strip() if problem else ""
        again = " Spyglass tries again by itself." if now == "lost" and "by itself" not in text else ""
        return Notice(title, words.elided(text, 200) + again, shape)
    return None
