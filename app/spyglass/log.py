"""Log lines for people: a ring in memory, with secrets blacked out before they are kept.

Whoever learns a secret calls :func:`forget` with it at once; from then on it cannot
appear in a record, whatever library wrote it.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from msgspec import Struct

_secrets: set[str] = set()
_lock = threading.Lock()
_FORMAT = logging.Formatter()
_MIN = 4  # shorter ones would black out ordinary words; the wire never logs them either


def forget(secret: str) -> str:
    """Black this out of every later log line; return it, for use in an expression."""
    if len(secret) >= _MIN:
        with _lock:
            _secrets.update(_forms(secret))
    return secret


def _forms(secret: str) -> set[str]:
    """The secret as it is, and as it stands in a repr or in JSON (two ways that libraries log things)."""
    return {secret, repr(secret)[1:-1], repr(secret.encode())[2:-1], json.dumps(secret)[1:-1]}


def redact(text: str) -> str:
    """Return the text without any secret told to :func:`forget`, nor a rest of one that overlaps another."""
    with _lock:
        spans = sorted(span for secret in _secrets if secret in text for span in _spans(secret, text))
    clean, done = [], 0
    for start, end in spans:
        if start >= done:
            clean += [text[done:start], "•••"]
        done = max(done, end)
    return "".join(clean) + text[done:]


def _spans(secret: str, text: str) -> Iterator[tuple[int, int]]:
    start = text.find(secret)
    while start >= 0:
        yield start, start + len(secret)
        start = text.find(secret, start + 1)


class Line(Struct, frozen=True):
    """One log line. ``when`` is seconds since the epoch; ``profile`` an id, or empty."""

    when: float
    level: int
    profile: str
    text: str

    def __str__(self) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(self.when))
        return f"{clock} {logging.getLevelName(self.level).lower():7} {self.text}"


class Ring(logging.Handler):
    """Keeps the newest lines; ``listeners`` are called with each new one, in the logging thread."""

    def __init__(self, size: int = 10_000) -> None:
        super().__init__()
        self._lines: deque[Line] = deque(maxlen=size)
        self.listeners: list[Callable[[Line], None]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record (called by logging); what goes wrong in that stops nobody's work."""
        try:
            self._keep(record)
        except Exception as error:  # noqa: BLE001 - logging's own way would print the arguments, secrets and all
            lost = f"a line of {record.module} was lost: {type(error).__name__}"
            self._lines.append(Line(record.created, logging.ERROR, "", lost))

    def _keep(self, record: logging.LogRecord) -> None:
        profile = str(getattr(record, "profile", "") or "")
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + _FORMAT.formatException(record.exc_info)
        line = Line(record.created, record.levelno, profile, redact(text))
        self._lines.append(line)
        for listener in list(self.listeners):
            listener(line)

    def lines(self, profile: str | None = None) -> list[Line]:
        """The kept lines, oldest first; of one profile when its id is given."""
        return [line for line in list(self._lines) if profile is None or line.profile == profile]


RING = Ring()


def setup(level: int = logging.INFO) -> Ring:
    """Attach the ring to the program's logger (idempotent) and return it."""
    logger = logging.getLogger("spyglass")
    logger.setLevel(level)
    logger.propagate = False
    if RING not in logger.handlers:
        logger.addHandler(RING)
    foreign = logging.getLogger("paramiko")
    foreign.setLevel(logging.CRITICAL)  # what matters of it reaches people as a Failure
    foreign.propagate = False
    if not foreign.handlers:
        foreign.addHandler(logging.NullHandler())
    return RING


def logger_for(profile_id: str) -> logging.LoggerAdapter[logging.Logger]:
    """A logger whose lines belong to one profile."""
    return logging.LoggerAdapter(logging.getLogger("spyglass"), {"profile": profile_id})
