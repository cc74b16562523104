"""macOS: the LaunchAgent that starts Spyglass at login, and a window of Terminal for a command.

(Not run on a Mac yet.) A sleep is noticed by the clocks as elsewhere (see ``changes``); the pool of
loopback addresses is the business of ``spyglass.loopback.pool``.
"""

from __future__ import annotations

import plistlib
import shlex
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


def terminal(command: Sequence[str]) -> list[str]:
    """The words that open a window of Terminal with the command in it (osascript(1)).

    The command is an argument of the script and no part of its text, so nothing in it is AppleScript.
    """
    steps = ("on run argv", 'tell application "Terminal"', "activate", "do script (item 1 of argv)")
    script = [word for step in (*steps, "end tell", "end run") for word in ("-e", step)]
    return ["/usr/bin/osascript", *script, shlex.join(command)]
