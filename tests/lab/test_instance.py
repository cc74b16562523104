"""One app for each person, with real processes: the race of starts, hand-over, sudden death, quit."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from spyglass import APP_ID
from spyglass.control import claim, client
from spyglass.profile import Profile, SSHHop
from spyglass.store import paths
from spyglass.store.profiles import Profiles
from support.xvfb import Screen, screen

Process = subprocess.Popen[bytes]
PROGRAM = Path(sys.executable).with_name("spyglass")
WAIT = 30


@pytest.fixture
def places(tmp_path: Path) -> paths.Paths:
    return paths.under(tmp_path).ensure()


@pytest.fixture
def start(places: paths.Paths) -> Iterator[Callable[..., Process]]:
    """Start the program in the directories of this test; everything ends with the test."""
    with ExitStack() as stack:

        def one(*words: str, **environ: str) -> Process:
            argv = [str(PROGRAM), f"--profile-dir={places.config.parent}", *words]
            environ = os.environ | {"QT_QPA_PLATFORM": "offscreen"} | environ
            made = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ)
            stack.enter_context(made)
            stack.callback(made.kill)
            return made

        yield one


def ready(places: paths.Paths) -> None:
    """Wait until an app answers; its socket listens from the beginning."""
    client.talk(places.runtime, {"do": "status"}, seconds=WAIT)


def running(places: paths.Paths, start: Callable[..., Process]) -> Process:
    made = start()
    while not claim.held(places.runtime):
        assert made.poll() is None
    ready(places)
    return made


def done(process: Process) -> int:
    return process.wait(WAIT)


def ended(processes: list[Process], count: int) -> list[Process]:
    """The first so many that end."""
    found: list[Process] = []
    with selectors.DefaultSelector() as waiting, ExitStack() as stack:
        for one in processes:
            descriptor = os.pidfd_open(one.pid)
            stack.callback(os.close, descriptor)
            waiting.register(descriptor, selectors.EVENT_READ, one)
        while len(found) < count:
            came = waiting.select(WAIT)
            assert came, f"only {len(found)} ended"
            for key, _ in came:
                waiting.unregister(key.fileobj)
                found.append(key.data)
    return found


def test_of_eight_starts_at_once_one_is_the_app(places: paths.Paths, start: Callable[..., Process]) -> None:
    began = [start() for _ in range(8)]
    others = ended(began, 7)
    [app] = [one for one in began if one not in others]
    assert app.poll() is None
    assert [(done(one), one.stderr and one.stderr.read()) for one in others] == [(0, b"")] * 7
    assert done(start("quit")) == 0
    assert done(app) == 0


def test_an_app_that_was_killed_leaves_the_way_free(
    places: paths.Paths, start: Callable[..., Process]
) -> None:
    first = running(places, start)
    first.send_signal(signal.SIGKILL)
    first.wait(WAIT)
    assert (places.runtime / claim.SOCKET).exists()
    second = running(places, start)
    assert done(start()) == 0
    assert second.poll() is None
    assert done(start("quit")) == 0
    assert done(second) == 0
    assert not (places.runtime / claim.SOCKET).exists()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(places: paths.Paths, start: Callable[..., Process], end: int) -> None:
    app = running(places, start)
    app.send_signal(end)
    assert done(app) == 0
    assert not (places.runtime / claim.SOCKET).exists()


def test_the_command_line_talks_to_the_window(places: paths.Paths, start: Callable[..., Process]) -> None:
    Profiles(places.profiles).add(Profile(name="lab", hops=(SSHHop(host="127.0.0.1", port=1),)))
    app = running(places, start)
    connecting = start("connect", "lab")
    assert connecting.stdout is not None
    assert any(line.startswith(b"Next try in ") for line in connecting.stdout)
    connecting.send_signal(signal.SIGINT)
    assert done(connecting) == 130
    connection: dict[str, Any] = {"problem": None}
    while connection["problem"] is None:  # while it tries again it has none
        [connection] = client.talk(places.runtime, {"do": "status"})["connections"]
    assert connection["profile"] == "lab"
    assert connection["problem"]["code"] == "refused"
    logs = start("logs", "lab")
    assert b"127.0.0.1:1 refuses connections" in logs.communicate(timeout=WAIT)[0]
    assert done(start("disconnect", "lab")) == 0
    assert done(start("disconnect", "lab")) == 1
    assert done(start("quit")) == 0
    assert done(app) == 0


def minimise(shown: Screen, window: str) -> None:
    """Ask until it is done: a window manager passes over what it is asked while it places the window."""
    deadline = time.monotonic() + WAIT
    while shown.find("^Spyglass$"):
        assert time.monotonic() < deadline, "it stays"
        shown._ask("xdotool", "windowminimize", window)


def test_a_second_start_brings_the_window_back(places: paths.Paths, start: Callable[..., Process]) -> None:
    with screen() as shown:
        app = running(places, partial(start, **shown.env, QT_QPA_PLATFORM="xcb"))
        window = shown.wait("^Spyglass$")
        assert f'"{APP_ID}"' in shown._ask("xprop", "-id", window, "WM_CLASS").split(", ")[1]
        minimise(shown, window)
        assert done(start()) == 0
        assert shown.wait("^Spyglass$") == window
        assert done(start("quit")) == 0
        assert done(app) == 0
