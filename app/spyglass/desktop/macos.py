"""macOS: the LaunchAgent that starts Spyglass at login."""

from __future__ import annotations

import plistlib
from collections.abc import Sequence
from pathlib import Path

from spyglass import APP_ID


def agents() -> Path:
    """The person's own launch agents (launchd.plist(5))."""
    return Path.home() / "Library/LaunchAgents"


def agent(words: Sequence[str]) -> str:
    """A launch agent that runs these words once, at login."""
    wanted = {
        "Label": APP_ID,
        "ProgramArguments": list(words),
        "RunAtLoad": True,
        "ProcessType": "Interactive",
    }
    return plistlib.dumps(wanted).decode()
