"""The program's door: the window, or the command line when a subcommand is given.

Kept small and lazy: the command line never imports Qt, the window shows before paramiko
is imported, and a second start hands over to the first and ends before Qt is imported.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spyglass.control.claim import Claim

WINDOW_WORDS = ("--background", "--new-profile")


def main() -> int:
    """Run what the words ask for; returns the exit status."""
    argv = sys.argv[1:]
    if _is_command(argv):
        from spyglass import cli  # noqa: PLC0415 - see the module's text

        return cli.main(argv)
    return _window(argv)


def _window(argv: list[str]) -> int:
    from spyglass.errors import Failure  # noqa: PLC0415
    from spyglass.store import paths  # noqa: PLC0415

    try:
        if directory := _value(argv, "--profile-dir"):
            paths.use(paths.under(Path(directory)))
        claim = _enter(argv) if os.name == "posix" else None
    except Failure as failure:
        print(f"{failure.title}\n  {failure.hint}", file=sys.stderr)
        return 1
    if claim is None and os.name == "posix":
        return 0
    gc.disable()  # until the window is there: nothing that is made by then is garbage
    from spyglass.ui.app import start  # noqa: PLC0415

    return start(argv, claim)


def _enter(argv: list[str]) -> Claim | None:
    """Become the one app, or hand the words over to it."""
    from spyglass.control import client  # noqa: PLC0415
    from spyglass.store import paths  # noqa: PLC0415

    token = os.environ.get("XDG_ACTIVATION_TOKEN") or os.environ.get("DESKTOP_STARTUP_ID") or ""
    return client.enter(paths.runtime(), {"do": "show", "args": argv, "token": token})


def _value(argv: list[str], option: str) -> str:
    """The option's value, as one word or two."""
    for position, word in enumerate(argv):
        if word == option:
            return "".join(argv[position + 1 : position + 2])
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return ""


def _is_command(argv: list[str]) -> bool:
    """Whether there is a subcommand, or a call for help; `--profile-dir DIR` may come before."""
    words = iter(argv)
    for word in words:
        if word == "--profile-dir":
            next(words, None)
        elif word not in WINDOW_WORDS and not word.startswith(("--profile-dir=", "spyglass:")):
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
