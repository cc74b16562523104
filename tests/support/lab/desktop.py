"""A display for the laptop: X server, window manager and a private message bus, all in its namespaces."""

from __future__ import annotations

import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from support.lab.laptop import DEV, Laptop
from support.lab.place import Guest
from support.lab.server import wait_until
from support.lab.users import runtime_dir

DISPLAY = ":99"

# No service directory: the bus starts nothing by itself, so whatever runs later is the program's doing.
_BUS = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={path}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


class Desktop:
    """The laptop's display, 1600 x 1000. Windows are named by their X window id, a decimal text."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self._stack = ExitStack()
        bus = f"{runtime_dir(DEV)}/bus"
        config = laptop.home / ".bus.conf"
        config.write_text(_BUS.format(path=bus))
        laptop.place.sh("install -d -m 1777 /tmp/.X11-unix")
        self._start("Xvfb", DISPLAY, "-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-noreset")
        self._start("dbus-daemon", f"--config-file={DEV.home}/.bus.conf", "--nofork", "--nopidfile")
        wait_until((laptop.root / f"tmp/.X11-unix/X{DISPLAY[1:]}").exists, "Xvfb is up", 10)
        wait_until((laptop.root / bus.lstrip("/")).exists, "the message bus is up", 10)
        laptop.extra_env |= {
            "DISPLAY": DISPLAY,
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={bus}",
            "XDG_SESSION_TYPE": "x11",
            "NO_AT_BRIDGE": "1",  # GTK would start an accessibility bus
        }
        self._start("openbox", "--sm-disable")
        wait_until(self._managed, "openbox manages the display", 10)

    def close(self) -> None:
        """End the display and everything of it."""
        self.laptop.extra_env = {}
        self._stack.close()

    def windows(self) -> dict[str, str]:
        """Return the visible windows that have a title: title by window."""
        found = self._xdotool("search", "--onlyvisible", "--name", ".").split()
        return {window: self._xdotool("getwindowname", window).strip() for window in found}

    def search(self, pattern: str) -> list[str]:
        """Return the visible windows whose title matches a regular expression."""
        return self._xdotool("search", "--onlyvisible", "--name", pattern).split()

    def wait_window(self, pattern: str, seconds: float = 20) -> str:
        """Wait until a visible window has a title that matches; return the window."""
        found: list[str] = []

        def shown() -> bool:
            found[:] = self.search(pattern)
            return bool(found)

        wait_until(shown, f"a window like {pattern!r}; there are {self.windows()}", seconds, every=0.005)
        return found[0]

    def close_window(self, window: str) -> None:
        """Close a window the way a person does, through the window manager, and wait until it is gone."""

        def gone() -> bool:
            if window not in self.search("."):
                return True
            self._xdotool("windowactivate", window)
            self._xdotool("key", "--clearmodifiers", "alt+F4")
            return False

        wait_until(gone, f"window {window} closes", 10, every=0.2)

    def show_node(self, window: str, entry: int) -> None:
        """Choose an entry of Observer's Nodes menu, counted from 1, as a person does by the keyboard."""
        self._xdotool("windowactivate", "--sync", window)
        for key in ("F10", "Right", "Right", *["Down"] * entry, "Return"):
            self._xdotool("key", "--clearmodifiers", key)
            time.sleep(0.15)  # GTK unfolds a menu before it hears the next key

    def screenshot(self, path: Path, window: str = "root") -> Path:
        """Save a picture of a window, or of the whole display, as PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as target:
            guest = self.laptop.popen(["import", "-window", window, "png:-"], stdout=target)
            _, errors = guest.communicate()
        if guest.popen.returncode:
            raise RuntimeError(f"no picture of window {window}: {errors}")
        return path

    def _managed(self) -> bool:
        return self.laptop.run(["xdotool", "get_num_desktops"]).returncode == 0

    def _xdotool(self, *arguments: str) -> str:
        return self.laptop.run(["xdotool", *arguments]).stdout

    def _start(self, *argv: str) -> Guest:
        guest = self.laptop.popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._stack.callback(guest.close)
        return guest
