"""A display of one's own: Xvfb and openbox, with no message bus, so that nothing is left behind."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_UP = 15.0  # seconds


class Screen:
    """A running display; windows are named by their X window id, a decimal text."""

    def __init__(self, number: int) -> None:
        self.env = {
            "DISPLAY": f":{number}",
            "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent",  # GTK would start a bus and leave it
            "NO_AT_BRIDGE": "1",
            "GDK_BACKEND": "x11",
        }

    def titles(self) -> dict[str, str]:
        """The visible windows with a title: title by window."""
        found = self._ask("xdotool", "search", "--onlyvisible", "--name", ".").split()
        return {window: self._ask("xdotool", "getwindowname", window).strip() for window in found}

    def find(self, title: str) -> str | None:
        """The first visible window whose title matches this regular expression."""
        found = self._ask("xdotool", "search", "--onlyvisible", "--name", title).split()
        return found[0] if found else None

    def wait(self, title: str, seconds: float = 20) -> str:
        """The window with such a title, as soon as it is visible."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if window := self.find(title):
                return window
        raise TimeoutError(f"no window like {title!r}; there are {self.titles()}")

    def wait_gone(self, title: str, seconds: float = 20) -> None:
        """Return as soon as no visible window has such a title."""
        deadline = time.monotonic() + seconds
        while self.find(title):
            if time.monotonic() > deadline:
                raise TimeoutError(f"still there: {self.titles()}")

    def close(self, window: str) -> None:
        """Close a window the way a person does."""
        self._ask("xdotool", "windowactivate", "--sync", window, "key", "--clearmodifiers", "alt+F4")

    def picture(self, window: str, path: Path) -> Path:
        """Save a window's picture."""
        self._ask("import", "-window", window, str(path))
        return path

    def _ask(self, *argv: str) -> str:
        done = subprocess.run(
            argv, env=os.environ | self.env, capture_output=True, text=True, check=False, timeout=20
        )
        return done.stdout


@contextmanager
def screen(size: str = "1280x900x24") -> Iterator[Screen]:
    """A display with a window manager, while inside."""
    reading, writing = os.pipe()
    options = ["-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp", "-noreset"]
    with _running(["Xvfb", *options], dict(os.environ), pass_fds=(writing,)):
        os.close(writing)
        with os.fdopen(reading) as pipe:
            found = Screen(int(pipe.readline()))
        with _running(["openbox", "--sm-disable"], os.environ | found.env):
            deadline = time.monotonic() + _UP
            while "window id" not in found._ask("xprop", "-root", "_NET_SUPPORTING_WM_CHECK"):
                if time.monotonic() > deadline:
                    raise TimeoutError("openbox does not manage the display")
                time.sleep(0.02)
            yield found


@contextmanager
def _running(argv: Sequence[str], env: dict[str, str], pass_fds: tuple[int, ...] = ()) -> Iterator[None]:
    process = subprocess.Popen(
        argv,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=pass_fds,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)
