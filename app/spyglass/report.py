"""What a crash report says: enough to find the defect, and no secret.

Nothing is sent anywhere; the person reads it, copies it, and decides.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from spyglass import __version__, log
from spyglass.log import RING, Ring

TAIL = 100
"""So many of the newest log lines are in a report."""
FILE = "crash.txt"
"""The newest report, in the state directory."""

_log = logging.getLogger("spyglass")


def text(error: BaseException | None, *, erl: str = "", ring: Ring = RING) -> str:
    """The report about this error, or just about the program; ``erl`` is the local Erlang, if it is known."""
    trace = "".join(traceback.format_exception(error)) if error else ""
    lines = "\n".join(str(line) for line in ring.lines()[-TAIL:])
    whole = "\n".join((*facts(erl), "", trace, "The log's last lines:", lines, ""))
    return log.redact(whole.replace(str(Path.home()), "~"))


def facts(erl: str = "") -> list[str]:
    """What it runs on, one fact a line."""
    return list(_facts(erl))


def _facts(erl: str) -> Iterator[str]:
    import platform  # noqa: PLC0415 - takes a moment, and is needed once

    yield f"Spyglass {__version__}"
    yield f"{platform.platform()}, Python {platform.python_version()}"
    core = sys.modules.get("PySide6.QtCore")
    if core is not None:
        yield f"Qt {core.qVersion()}, {os.environ.get('XDG_SESSION_TYPE') or 'no'} session"
    yield f"Erlang: {erl or 'not looked for yet'}"


def keep(report: str, state: Path) -> Path:
    """Write the report into the state directory, for this person only; return the file."""
    file = state / FILE
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(report)
    return file


@contextmanager
def watching(told: Callable[[BaseException], None]) -> Iterator[None]:
    """Log what nobody catches, in any thread, and hand it to ``told`` (in that thread).

    Ctrl-C and an orderly exit are no crashes.
    """
    before = sys.excepthook, threading.excepthook

    def in_main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            before[0](kind, error, trace)
        else:
            _tell(error, told)

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            _tell(args.exc_value, told)

    sys.excepthook, threading.excepthook = in_main, in_thread
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook = before


def _tell(error: BaseException, told: Callable[[BaseException], None]) -> None:
    _log.error("defect: %s", type(error).__name__, exc_info=error)
    with suppress(Exception):  # a hook that fails would only hide the first error
        told(error)
