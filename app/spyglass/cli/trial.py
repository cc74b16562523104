"""``spyglass demo``: a server and a node of our own, and the window or Observer on them."""

from __future__ import annotations

import argparse
import re
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from spyglass import demo, desktop
from spyglass.cli import commands
from spyglass.cli.parser import build
from spyglass.cli.terminal import say
from spyglass.errors import Failure, Missing
from spyglass.store import paths, settings

STEADY = 0.4
"""Seconds between two pictures that must be equal: what is drawn by then is all."""


def run(options: argparse.Namespace) -> int:
    """Run the demo until its window is closed, Observer is closed, or the picture is taken."""
    erl = commands.chosen_erl()
    own = paths.current() if options.profile_dir else None
    with ExitStack() as stack:
        server = stack.enter_context(demo.start(own, erl=erl))
        paths.use(server.paths)
        if erl:
            settings.save(settings.Settings(erl=erl), server.paths.settings)
        say(server.describe())
        window = None if options.no_window else stack.enter_context(_window(server.paths.config.parent))
        status = _observe(server, options) if options.observe or options.screenshot else 0
        if window is not None:
            window.wait()
        return status


def _window(directory: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*desktop.command(), f"--profile-dir={directory}"])


def _observe(server: demo.Demo, options: argparse.Namespace) -> int:
    words = build().parse_args(["observe", server.profile.name, server.node, "--batch"])

    def opened() -> None:
        if options.screenshot:
            picture(server.node, Path(options.screenshot))
            say(f"The picture of Observer is {options.screenshot}")

    return commands.observe(words, opened, stay=not options.screenshot)


def picture(title: str, file: Path) -> None:
    """Save a picture of the visible window with this in its title, when it has stopped changing.

    Raises Missing without xdotool and ImageMagick, a Failure when there is no such window.
    """
    window = _search(title)
    before, deadline = b"", time.monotonic() + 10
    while (now := _grab(window)) != before and time.monotonic() < deadline:
        before = now
        time.sleep(STEADY)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(now)


def _search(title: str) -> str:
    deadline = time.monotonic() + 5
    while not (found := _call(["xdotool", "search", "--onlyvisible", "--name", re.escape(title)]).split()):
        if time.monotonic() < deadline:
            time.sleep(0.05)
            continue
        raise Failure(
            f"No window with {title} in its title is on the screen", "Run it again without --screenshot."
        )
    return found[0].decode()


def _grab(window: str) -> bytes:
    return _call(["import", "-frame", "-window", window, "png:-"])


def _call(argv: list[str]) -> bytes:
    try:
        return subprocess.run(argv, capture_output=True, check=False, timeout=20).stdout
    except FileNotFoundError:
        remedy = "Install it: sudo apt install xdotool imagemagick"
        raise Missing(f"{argv[0]}, which takes the picture, is not installed", remedy) from None
