"""Where desktops differ: starting at login, opening a folder. One module for each system."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from spyglass import APP_ID
from spyglass.desktop import linux, macos, windows
from spyglass.errors import Failure, Missing

_NOT_HERE = Missing(
    "Starting at login is not there for this system yet", "Add Spyglass to the system's own list."
)


def command() -> list[str]:
    """The words that start this Spyglass, as a desktop has to run it."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    beside = Path(sys.executable).with_name("spyglass")
    found = str(beside) if beside.exists() else shutil.which("spyglass")
    return [found] if found else [sys.executable, "-m", "spyglass"]


def autostart_file() -> Path:
    """The file whose existence starts Spyglass at login. Raises Missing where there is no such thing."""
    if sys.platform == "darwin":
        return macos.agents() / f"{APP_ID}.plist"
    if sys.platform == "linux":
        return linux.autostart() / f"{APP_ID}.desktop"
    raise _NOT_HERE


def starts_at_login() -> bool:
    """Whether Spyglass is started at login."""
    if sys.platform == "win32":
        return windows.starts_at_login()
    try:
        return autostart_file().exists()
    except Missing:
        return False


def start_at_login(wanted: bool) -> None:  # noqa: FBT001 - the setting's own value
    """Have Spyglass started at login, in the background, or no longer. Raises a Failure with the file."""
    words = [*command(), "--background"]
    if sys.platform == "win32":
        windows.start_at_login(words if wanted else None)
        return
    file = autostart_file()
    content = macos.agent(words) if sys.platform == "darwin" else linux.entry(words)
    try:
        if wanted:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        else:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise Failure(f"{file} can't be changed: {error.strerror}", "Check its permissions.") from None


def open_folder(directory: Path) -> None:
    """Show a directory in the desktop's file manager. Raises Missing when nothing can."""
    opener = {"darwin": "open", "win32": "explorer"}.get(sys.platform, "xdg-open")
    try:
        subprocess.Popen(
            [opener, str(directory)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        raise Missing(
            f"There is no {opener} to open a folder with", f"Open it yourself: {directory}"
        ) from None
