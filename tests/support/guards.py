"""What a test must not leave behind, and how it is told.

Each guard takes stock before a test and afterwards; what is new has a short grace (a thread
that was told to end needs a moment), then the test fails with the names of the leftovers.
"""

from __future__ import annotations

import gc
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

GRACE = 2.0
"""Seconds that an ending thread, process or connection may take."""

Stock = dict[str, str]  # what identifies a thing: its name for people


def threads() -> Stock:
    """The living threads of this process."""
    return {f"{thread.ident} {id(thread)}": f"thread {thread.name!r}" for thread in threading.enumerate()}


def children() -> Stock:
    """The child processes of this process, the dead but not waited for included."""
    found: Stock = {}
    for task in Path("/proc/self/task").iterdir():
        for pid in _read(task / "children").split():
            found[pid] = (
                f"process {pid} ({_read(Path('/proc', pid, 'cmdline')).replace(chr(0), ' ').strip()})"
            )
    return found


def sockets() -> Stock:
    """The open sockets of this process; those on TCP with their addresses."""
    found: Stock = {}
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = entry.readlink().name
        except OSError:  # the descriptor of the listing itself
            continue
        if match := re.fullmatch(r"socket:\[(\d+)\]", target):
            found[match[1]] = f"socket {match[1]} (descriptor {entry.name})"
    return found


def widgets() -> Stock:
    """The top-level widgets, if there is a Qt application."""
    app = _application()
    if app is None:
        return {}
    return {str(id(one)): f"window {_title(one)}" for one in app.topLevelWidgets()}


def timers() -> Stock:
    """The running QTimers that Python knows, if there is a Qt application."""
    if _application() is None:
        return {}
    core = sys.modules["PySide6.QtCore"]
    valid = sys.modules["shiboken6"].isValid
    known = [one for one in gc.get_objects() if issubclass(type(one), core.QTimer)]
    running = [one for one in known if valid(one) and one.isActive()]
    return {str(id(one)): f"timer {one.objectName() or one} every {one.interval()} ms" for one in running}


GUARDS: dict[str, Callable[[], Stock]] = {
    "thread": threads,
    "process": children,
    "socket": sockets,
    "widget": widgets,
    "timer": timers,
}


@contextmanager
def guarded(allowed: frozenset[str], fail: Callable[[str], object]) -> Iterator[None]:
    """Call ``fail`` with the names of what the body leaves behind, kinds of ``allowed`` apart."""
    watched = {kind: take for kind, take in GUARDS.items() if kind not in allowed}
    before = {kind: take() for kind, take in watched.items()}
    yield
    left = list(_leftovers(watched, before))
    if left:
        fail("left behind: " + "; ".join(left))


def _leftovers(watched: dict[str, Callable[[], Stock]], before: dict[str, Stock]) -> Iterator[str]:
    deadline = time.monotonic() + GRACE
    for kind, take in watched.items():
        new = _new(take, before[kind])
        if new:
            gc.collect()  # what only a reference cycle keeps is no leak of the code under test
        while (new := new and _new(take, before[kind])) and time.monotonic() < deadline:
            _settle()
        yield from (_located(name) for name in new.values())


def _new(take: Callable[[], Stock], before: Stock) -> Stock:
    return {key: name for key, name in take().items() if key not in before}


def _settle() -> None:
    app = _application()
    if app is not None:
        core = sys.modules["PySide6.QtCore"]
        app.sendPostedEvents(None, core.QEvent.Type.DeferredDelete)
        app.processEvents()
    time.sleep(0.01)


def _located(name: str) -> str:
    """Add the addresses to a TCP socket's name."""
    match = re.match(r"socket (\d+)", name)
    if not match:
        return name
    for table in ("tcp", "tcp6"):
        for line in _read(Path("/proc/self/net", table)).splitlines()[1:]:
            fields = line.split()
            if fields[9] == match[1]:
                state = "listening" if fields[3] == "0A" else "connected"
                return f"{name}, {state} on port {int(fields[1].rpartition(':')[2], 16)}"
    return name


def _title(widget: Any) -> str:
    return f"{type(widget).__name__} {widget.objectName() or widget.windowTitle()!r}"


def _application() -> Any:
    module = sys.modules.get("PySide6.QtWidgets")
    return module.QApplication.instance() if module else None


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:  # it ended meanwhile
        return ""


def prefix() -> str:
    """How the tests' temporary directories begin; the process id tells whose they are."""
    return f"spyglass-tests-{os.getpid()}-"


def sweep() -> None:
    """Remove the temporary directories of test runs that were killed."""
    for directory in Path(tempfile.gettempdir()).glob("spyglass-tests-*-*"):
        pid = directory.name.split("-")[2]
        if pid.isdigit() and not Path("/proc", pid).exists():
            shutil.rmtree(directory, ignore_errors=True)


def private_environment(top: Path, environ: MutableMapping[str, str] = os.environ) -> None:
    """Let every test, and what it starts, see an empty home instead of the person's own."""
    for name in ("SSH_AUTH_SOCK", "SSH_ASKPASS", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY"):
        environ.pop(name, None)
    places = {"HOME": "home", "XDG_CONFIG_HOME": "home/.config", "XDG_STATE_HOME": "home/.local/state"}
    places |= {
        "XDG_CACHE_HOME": "home/.cache",
        "XDG_DATA_HOME": "home/.local/share",
        "XDG_RUNTIME_DIR": "run",
    }
    for name, place in places.items():
        directory = top / place
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        environ[name] = str(directory)
