"""Freedesktop: the autostart directory and its entries."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from spyglass import APP_ID

_RESERVED = re.compile(r"[^\w@%+=:,./-]")


def autostart() -> Path:
    """The directory whose entries start at login (Desktop Application Autostart Specification)."""
    given = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(given) if Path(given).is_absolute() else Path.home() / ".config") / "autostart"


def entry(words: Sequence[str]) -> str:
    """An autostart entry that runs these words, once the panel is there to take a tray icon."""
    return "\n".join(
        (
            "[Desktop Entry]",
            "Type=Application",
            "Name=Spyglass",
            "Comment=Observer on any BEAM node that SSH can reach",
            f"Exec={' '.join(quoted(word) for word in words)}",
            f"Icon={APP_ID}",
            "Terminal=false",
            "X-GNOME-Autostart-Delay=3",
            "X-KDE-autostart-after=panel",
            "",
        )
    )


def quoted(word: str) -> str:
    """A word of an Exec line (Desktop Entry Specification, "The Exec key").

    Quotes protect it as in a shell, and the whole is a string value, in which a backslash
    is doubled once more; a percent sign would begin a field code.
    """
    word = word.replace("%", "%%")
    if word and not _RESERVED.search(word):
        return word
    shielded = re.sub(r'(["`$\\])', r"\\\1", word)
    return '"' + shielded.replace("\\", "\\\\") + '"'
