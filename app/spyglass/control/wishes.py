"""What can be asked of the running app over its socket, and the answers."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from spyglass.contract import status_json, step_json
from spyglass.errors import BadInput, Failure, Missing
from spyglass.log import Line, Ring
from spyglass.status import Phase, Status

if TYPE_CHECKING:
    from spyglass.profile import Profile

Answer = dict[str, Any]
Request = dict[str, Any]
Came = queue.SimpleQueue[Any]
"""Statuses or log lines as they come; None is the end."""

LINK = re.compile(r"spyglass://profile/(?P<id>[0-9a-f]{32})/?")
"""The only links that we know: they select a profile, and never connect."""
LOOK = 1.0
"""Seconds after which we look whether somebody who waits is still there."""

_ENDED = {Phase.OFFLINE, Phase.FAILED}


class Hub(Protocol):
    """What the control socket needs of :class:`spyglass.hub.Hub`."""

    def profiles(self) -> list[Profile]:
        """Every profile."""

    def status(self, profile_id: str) -> Status:
        """The newest status of one."""

    def statuses(self) -> list[Status]:
        """The status of every connection."""

    def subscribe(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        """Hear every status; returns what ends it."""

    def connect(self, profile: str) -> Any:
        """Start connecting."""

    def disconnect(self, profile_id: str) -> Any:
        """Stop."""


@dataclass(frozen=True, slots=True)
class Says:
    """One who asked: ``line`` sends what happens meanwhile, ``left`` tells that nobody listens any more."""

    line: Callable[[Answer], None]
    left: Callable[[], bool]


class Wishes:
    """Grants requests; each call in a thread of its own, which may wait."""

    def __init__(self, hub: Hub, ring: Ring, show: Callable[[list[str], str], None]) -> None:
        self._hub = hub
        self._ring = ring
        self._show = show
        self._lock = threading.Lock()
        self._waiting: list[queue.SimpleQueue[Any]] = []
        self._closed = False

    def grant(self, request: Request, says: Says) -> Answer:
        """Do what is asked. Raises Failure."""
        match request.get("do"):
            case "status":
                return {"ok": True, "connections": self._connections()}
            case "connect":
                return self._connect(self._profile(request), says)
            case "disconnect":
                return self._disconnect(request, says)
            case "logs":
                return self._logs(request, says)
            case "show":
                self._show(_words(request.get("args", [])), _text(request, "token"))
            case "open":
                self._show([link(_text(request, "link"))], _text(request, "token"))
            case _:
                raise BadInput(
                    "The request is none that Spyglass knows",
                    "It knows status, connect, disconnect, logs, show, open and quit.",
                )
        return {"ok": True}

    def close(self) -> None:
        """End every wait."""
        with self._lock:
            self._closed = True
            for waiting in self._waiting:
                waiting.put(None)

    # -- connections ------------------------------------------------------------------

    def _connections(self) -> list[Answer]:
        names = {profile.id: profile.name for profile in self._hub.profiles()}
        return [status_json(s, names.get(s.profile_id, "")) for s in self._hub.statuses()]

    def _profile(self, request: Request) -> Profile:
        wanted = _text(request, "profile")
        for profile in self._hub.profiles():
            if wanted and wanted in {profile.name, profile.id}:
                return profile
        raise Missing(f"There is no profile {wanted}", "See `spyglass profiles list`.", code="no-profile")

    def _connect(self, profile: Profile, says: Says) -> Answer:
        with self._waits() as came, self._hears(profile.id, came):
            before = self._hub.status(profile.id)
            self._hub.connect(profile.id)
            for status in [before] if _done(before) else _each(came, says):
                says.line(step_json(status))
                if _done(status):
                    return {"ok": True, "connection": status_json(status, profile.name)}
                if status.phase in _ENDED:
                    raise _why(status, profile.name)
        raise Failure("Nobody waits for the connection any more", code="left")

    def _disconnect(self, request: Request, says: Says) -> Answer:
        wanted = None if request.get("all") is True else self._profile(request)
        live = [s.profile_id for s in self._hub.statuses() if s.phase not in _ENDED]
        if wanted is not None and wanted.id not in live:
            raise Failure(f"{wanted.name} is not connected", "See `spyglass status`.", code="offline")
        for profile_id in live if wanted is None else [wanted.id]:
            self._end(profile_id, says)
        return {"ok": True}

    def _end(self, profile_id: str, says: Says) -> None:
        with self._waits() as came, self._hears(profile_id, came):
            self._hub.disconnect(profile_id)
            if self._hub.status(profile_id).phase not in _ENDED:
                any(status.phase in _ENDED for status in _each(came, says))

    @contextmanager
    def _hears(self, profile_id: str, came: Came) -> Iterator[None]:
        def hear(status: Status) -> None:
            if status.profile_id == profile_id:
                came.put(status)

        leave = self._hub.subscribe(hear)
        try:
            yield
        finally:
            leave()

    # -- log --------------------------------------------------------------------------

    def _logs(self, request: Request, says: Says) -> Answer:
        only = self._profile(request).id if _text(request, "profile") else None
        with self._waits() as came:
            self._ring.listeners.append(came.put)
            try:
                kept = self._ring.lines(only)
                for line in kept:
                    says.line(_told(line))
                if request.get("follow") is True:
                    told = {id(line) for line in kept}
                    for line in _each(came, says):
                        if id(line) not in told and only in {None, line.profile}:
                            says.line(_told(line))
            finally:
                self._ring.listeners.remove(came.put)
        return {"ok": True}

    @contextmanager
    def _waits(self) -> Iterator[Came]:
        came: Came = queue.SimpleQueue()
        with self._lock:
            if self._closed:
                came.put(None)
            self._waiting.append(came)
        try:
            yield came
        finally:
            with self._lock:
                self._waiting.remove(came)


def link(text: str) -> str:
    """The link, if it is one of ours. Raises BadInput."""
    if not LINK.fullmatch(text):
        raise BadInput(
            "The link is none that Spyglass follows", "Only spyglass://profile/<id> selects a profile."
        )
    return text


def _each(came: Came, says: Says) -> Iterator[Any]:
    """What comes, until the app ends or nobody listens any more."""
    while not says.left():
        with suppress(queue.Empty):
            item = came.get(timeout=LOOK)
            if item is None:
                return
            yield item


def _done(status: Status) -> bool:
    return status.phase is Phase.READY and status.surveyed


def _why(status: Status, name: str) -> Failure:
    problem = status.problem
    if status.phase is Phase.FAILED and problem:
        return Failure(problem.title, problem.hint, code=problem.code)
    return Failure(f"{name} was disconnected meanwhile", "Connect it again.", code="cancelled")


def _told(line: Line) -> Answer:
    return {"line": str(line), "profile": line.profile}


def _words(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise BadInput("The arguments are no list of texts", 'Such as {"args": ["--new-profile"]}.')
    return value


def _text(request: Request, name: str) -> str:
    value = request.get(name, "")
    if not isinstance(value, str):
        raise BadInput(f"The field {name} is no text", "Send a text.")
    return value
