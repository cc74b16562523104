"""Whether the helper may be run as root: only a file that nobody but root can have changed.

pkexec and sudo run what they are told. A helper below a home directory, a virtual environment or
a bundle could be replaced by any program of the user, and the next password would make that one root.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from spyglass.errors import Denied, Missing

HELPER = Path("/usr/libexec/spyglass/spyglass-loopback")
"""The one place; a policy of polkit names it too."""

INSTALL = "`spyglass helper` prints the commands that install it."


def check(path: Path = HELPER, top: Path = Path("/"), owner: int = 0) -> Path:
    """Return the path if it and every directory down from ``top`` belong to ``owner`` alone.

    Raises Missing when it is not there, Denied when somebody else could change it.
    """
    if not path.exists():
        raise Missing("The helper for addresses on the loopback interface is not installed", INSTALL)
    for part in (path, *path.parents):
        if why := _fault(part, owner, file=part == path):
            raise Denied(
                f"{path} is not run as root: {why}", f"Install it anew. {INSTALL}", code="untrusted-helper"
            )
        if part == top:
            break
    return path


def _fault(part: Path, owner: int, *, file: bool) -> str:
    found = os.lstat(part)
    if stat.S_ISLNK(found.st_mode):
        return f"{part} is a symbolic link"
    if file and not stat.S_ISREG(found.st_mode):
        return f"{part} is not a file"
    if found.st_uid != owner:
        return f"{part} belongs to another user than root"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{part} can be changed by others than root"
    return ""
