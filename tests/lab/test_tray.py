"""The tray for real: the app as a process, a display, a message bus and a StatusNotifier host of our own."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support import xvfb

TESTS = Path(__file__).parents[1]
SECONDS = 10.0

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""


class Process:
    """A child that tells what happens in JSON lines and takes orders in lines."""

    def __init__(self, argv: list[str], env: dict[str, str]) -> None:
        self.child = subprocess.Popen(
            argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._lines: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=read, daemon=True) for read in (self._read, self._complaints)
        ]
        self.complaints: list[str] = []
        for thread in self._threads:
            thread.start()

    def order(self, line: str) -> None:
        """Give an order."""
        assert self.child.stdin
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def until(self, fits: Callable[[dict[str, Any]], object], seconds: float = SECONDS) -> dict[str, Any]:
        """The next line that fits; those before it are passed over."""
        passed: list[dict[str, Any]] = []
        while True:
            try:
                line = self._lines.get(timeout=seconds)
            except queue.Empty:
                raise TimeoutError(f"passed over: {passed}; {self.complaints}") from None
            if fits(line):
                return line
            passed.append(line)

    def close(self) -> None:
        """End it."""
        if self.child.poll() is None:
            self.child.terminate()
        self.child.wait(SECONDS)
        for thread in self._threads:
            thread.join(SECONDS)
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            if pipe:
                pipe.close()

    def _read(self) -> None:
        for line in self.child.stdout or ():
            self._lines.put(json.loads(line))

    def _complaints(self) -> None:
        self.complaints.extend(self.child.stderr or ())


class Desk:
    """A display and a bus; starts hosts and apps."""

    def __init__(self, stack: ExitStack, env: dict[str, str], directory: Path) -> None:
        self._stack = stack
        self._env = env
        self.directory = directory

    def host(self) -> Process:
        """A StatusNotifier host, up."""
        made = self._start([sys.executable, str(TESTS / "support/sni_host.py")])
        made.until(lambda line: line["event"] == "watching")
        return made

    def app(self, *words: str) -> Process:
        """The app, its window made."""
        return self._start([sys.executable, "-m", "support.tray_app", str(self.directory), *words])

    def _start(self, argv: list[str]) -> Process:
        made = Process(argv, self._env)
        self._stack.callback(made.close)
        return made


@pytest.fixture(scope="module")
def display() -> Iterator[xvfb.Screen]:
    with xvfb.screen() as made:
        yield made


@pytest.fixture
def desk(display: xvfb.Screen, tmp_path: Path) -> Iterator[Desk]:
    with ExitStack() as stack:
        path = tmp_path / "bus"
        (tmp_path / "bus.conf").write_text(BUS.format(path=path))
        words = [
            "dbus-daemon",
            f"--config-file={tmp_path}/bus.conf",
            "--nofork",
            "--nopidfile",
            "--print-address",
        ]
        daemon = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        stack.callback(_end, daemon)
        assert daemon.stdout
        daemon.stdout.readline()  # it listens
        env = os.environ | display.env | {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={path}"}
        env |= {
            "QT_QPA_PLATFORM": "xcb",
            "PYTHONPATH": os.pathsep.join((str(TESTS), str(TESTS.parent / "app"))),
        }
        directory = tmp_path / "state"
        directory.mkdir()
        yield Desk(stack, env, directory)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(SECONDS)
    if process.stdout:
        process.stdout.close()


def event(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda line: line.get("event") == name


def window(state: str) -> Callable[[dict[str, Any]], bool]:
    return lambda line: line.get("window") == state


def look(host: Process) -> dict[str, Any]:
    """What the icon shows. Qt registers the old one with a host that came back, before ours is made anew:
    one that goes while it is looked at is no fault, and the next one is looked at."""
    end = time.monotonic() + SECONDS
    while True:
        host.order("look")
        told = host.until(lambda line: line.get("event") in {"look", "fault"})
        if told["event"] == "look":
            return told
        assert time.monotonic() < end, told


def click(host: Process, path: str) -> None:
    host.order(f"click {path}")
    clicked = host.until(event("clicked"))
    assert "missing" not in clicked, clicked


def test_the_icon_the_tooltip_and_the_menu_are_exported(desk: Desk) -> None:
    host = desk.host()
    app = desk.app()
    host.until(event("registered"))
    app.until(window("shown"))
    seen = look(host)
    assert [22, 22] in seen["icon"]
    assert "1 connected · 3 nodes" in seen["tooltip"] + seen["text"]
    top = [line for line in seen["menu"] if not line.startswith(" ")]
    assert top == [
        *("1 connected · 3 nodes", "separator", "Shop staging", "Shop EU · 3 nodes", "separator"),
        *("Quick connect…", "Hide window", "Preferences…", "separator", "Quit"),
    ]
    assert "  shop@172.17.0.4" in seen["menu"]
    assert "    Observe" in seen["menu"]


def test_what_is_clicked_is_done(desk: Desk) -> None:
    host = desk.host()
    app = desk.app()
    host.until(event("registered"))
    app.until(window("shown"))
    click(host, "Shop staging/Connect")
    assert app.until(lambda line: "call" in line)["call"][0] == "connect"
    click(host, "Hide window")
    app.until(window("hidden"))
    host.order("activate")
    app.until(window("shown"))


def test_the_icon_changes_with_the_state(desk: Desk) -> None:
    host = desk.host()
    app = desk.app()
    host.until(event("registered"))
    app.until(window("shown"))
    before = look(host)
    app.order("publish stopped")
    until = time.monotonic() + SECONDS
    while (after := look(host))["pixels"] == before["pixels"]:
        assert time.monotonic() < until, after
    assert after["menu"][0] == "Shop staging needs you"
    assert "Shop staging needs you" in after["tooltip"] + after["text"]


@pytest.mark.parametrize("words", [[], ["--background"]], ids=["window", "background"])
def test_a_host_that_comes_late_gets_the_icon(desk: Desk, words: list[str]) -> None:
    app = desk.app(*words)
    app.until(window("hidden" if words else "shown"))
    host = desk.host()
    host.until(event("registered"))
    assert look(host)["menu"][0].startswith("1 connected")


def test_a_host_that_starts_anew_gets_the_icon_again(desk: Desk) -> None:
    first = desk.host()
    desk.app()
    first.until(event("registered"))
    first.close()
    second = desk.host()
    second.until(event("registered"))
    assert look(second)["menu"][-1] == "Quit"


def test_in_the_background_without_a_tray_the_window_shows(desk: Desk) -> None:
    app = desk.app("--background")
    app.until(window("hidden"))
    app.until(window("shown"))


def test_in_the_background_with_a_tray_it_does_not(desk: Desk) -> None:
    host = desk.host()
    app = desk.app("--background")
    host.until(event("registered"))
    app.until(window("hidden"))
    with pytest.raises(TimeoutError):
        app.until(window("shown"), 5)


def test_a_window_that_nobody_could_bring_back_comes_by_itself(desk: Desk) -> None:
    (desk.directory / "said").touch()
    host = desk.host()
    app = desk.app()
    host.until(event("registered"))
    app.until(window("shown"))
    app.order("close")
    app.until(window("hidden"))
    host.close()
    app.until(window("shown"))


def test_closing_hides_and_a_signal_ends_it_all_without_a_question(desk: Desk) -> None:
    (desk.directory / "said").touch()
    host = desk.host()
    app = desk.app()
    host.until(event("registered"))
    app.until(window("shown"))
    app.order("close")
    app.until(window("hidden"))
    app.child.send_signal(signal.SIGTERM)
    assert app.until(lambda line: "ended" in line)["ended"] == 0


def test_changes_are_told_only_while_the_window_is_hidden(desk: Desk) -> None:
    (desk.directory / "said").touch()
    host = desk.host()
    app = desk.app()
    host.until(event("registered"))
    app.until(window("shown"))
    app.order("publish connected")
    app.order("close")
    app.until(window("hidden"))
    app.order("publish lost")
    told = host.until(event("notified"))
    assert told["title"] == "Shop staging is lost"
    app.order("publish lost")
    app.order("publish stopped")
    assert host.until(event("notified"))["title"] == "Shop staging has stopped"


def test_without_a_tray_closing_quits_after_the_question(desk: Desk, display: xvfb.Screen) -> None:
    app = desk.app()
    app.until(window("shown"))
    app.order("close")
    display.wait("^Spyglass$")
    app.child.send_signal(signal.SIGTERM)
    assert app.until(lambda line: "ended" in line)["ended"] == 0
