"""Running a command line in a terminal window of the person's desktop."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

from spyglass.desktop import macos, windows
from spyglass.errors import Missing

_KNOWN: tuple[tuple[str, ...], ...] = (
    ("xdg-terminal-exec",),
    ("x-terminal-emulator", "-e"),
    ("gnome-terminal", "--"),
    ("kgx", "--"),
    ("konsole", "-e"),
    ("xfce4-terminal", "-x"),
    ("kitty",),
    ("alacritty", "-e"),
    ("foot",),
    ("xterm", "-e"),
)
"""What is tried, with the option after which the command follows; the desktop's own choice first."""


def words(command: Sequence[str], environ: Mapping[str, str] = os.environ) -> list[str]:
    """The command within the terminal that is there. Raises Missing without a display or a terminal."""
    if sys.platform == "darwin":
        return macos.terminal(command)
    if environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        for name, *option in _KNOWN:
            if found := shutil.which(name, path=environ.get("PATH")):
                return [found, *option, *command]
    raise Missing("No terminal was found", "Run the command in a terminal of yours.", code="no-terminal")


def run(command: Sequence[str]) -> None:
    """Open a terminal window with the command in it; it lives on by itself. Raises Missing."""
    if sys.platform == "win32":
        try:
            windows.console(command)
        except OSError:
            raise Missing("No console can be opened", "Run the command in one of yours.") from None
        return
    argv = words(command)
    subprocess.run(  # the shell ends at once, so that no terminal is a child of ours to be waited for
        ["/bin/sh", "-c", '"$@" &', "sh", *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=False,
    )
