"""Talking to the running app, and handing a second start over to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from spyglass.control import claim as claims
from spyglass.control.claim import Claim
from spyglass.control.wire import ANSWER, VERSION, Wire
from spyglass.errors import BadInput, Failure, Lost, Missing

PATIENCE = 2.0
"""Seconds for which an app that holds the lock may not yet (or no longer) listen."""
LEAVING = 60.0
"""Seconds that an app may take to undo all its connections."""
ENDING = "ending"
"""The code with which an app that is ending turns a second start away: it may be the next one soon."""
_STEP = 0.01
_AGAIN = {"not-running", "lost", ENDING}
_MUTE = Lost(
    "Spyglass runs, but gives no answer",
    "Quit it, or end its process, and start it again.",
    code="no-answer",
)

Request = dict[str, Any]


def talk(
    directory: Path,
    request: Request,
    hear: Callable[[dict[str, Any]], None] | None = None,
    *,
    seconds: float | None = 10.0,
) -> dict[str, Any]:
    """Send one request and return the answer; ``hear`` gets what comes before it.

    ``directory`` is the runtime directory; ``seconds`` bounds the wait for each line (None: no
    bound). Raises Missing (code ``not-running``) when no app runs, the app's own Failure, or
    Lost when it breaks off.
    """
    try:
        with closing(_reach(directory, seconds)) as sock:
            wire = Wire(sock, ANSWER)
            wire.send({"v": VERSION, **request})
            return _answer(wire, hear, seconds)
    except OSError:
        raise Lost("Spyglass ended before it answered", "Start it again.") from None


def enter(directory: Path, request: Request) -> Claim | None:
    """Become the one app, or hand ``request`` over to the one that runs and return None.

    Raises what :func:`talk` raises. The lock may be held for a moment by somebody who only
    looks (:func:`claim.held`), or by an app that is just ending: then it is tried again.
    """
    began = time.monotonic()
    while True:
        made = claims.claim(directory)
        if made is not None:
            return made
        try:
            talk(directory, request)
        except Failure as failure:
            patience = LEAVING if failure.code == ENDING else PATIENCE
            if failure.code not in _AGAIN or time.monotonic() > began + patience:
                raise
            time.sleep(_STEP)
        else:
            return None


def _reach(directory: Path, seconds: float | None) -> Any:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return claims.dial(directory, seconds or PATIENCE)
        except TimeoutError:
            raise _MUTE from None
        except OSError:
            if not claims.held(directory):
                raise Missing("Spyglass is not running", "Start it: spyglass", code="not-running") from None
            if time.monotonic() > end:
                raise _MUTE from None
        time.sleep(_STEP)


def _answer(
    wire: Wire, hear: Callable[[dict[str, Any]], None] | None, seconds: float | None
) -> dict[str, Any]:
    while True:
        try:
            found = wire.receive(seconds)
        except (Lost, BadInput):
            raise _MUTE from None
        if found is None:
            raise Lost("Spyglass ended before it answered", "Start it again.")
        if "ok" not in found:
            if hear is not None:
                hear(found)
        elif found["ok"]:
            return found
        else:
            raise _failure(found)


def _failure(answer: dict[str, Any]) -> Failure:
    title, hint, code = (str(answer.get(name, "")) for name in ("title", "hint", "code"))
    return Failure(title, hint, code=code or "failed")
