"""logind's signals, as a real message bus carries them."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spyglass.desktop import changes, logind
from spyglass.desktop.changes import Changes
from support import login1

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="logind is Linux's")

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""


class Login:
    """The played logind."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child

    def tell(self, what: str) -> None:
        assert self._child.stdin
        assert self._child.stdout
        self._child.stdin.write(f"{what}\n")
        self._child.stdin.flush()
        assert self._child.stdout.readline().strip() == what


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """A real dbus-daemon as the system's bus."""
    (tmp_path / "bus.conf").write_text(BUS.format(path=tmp_path / "bus"))
    words = ["dbus-daemon", f"--config-file={tmp_path}/bus.conf", "--nofork", "--nopidfile"]
    with running([*words, "--print-address"]) as daemon:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
        yield daemon


@contextmanager
def running(words: list[str]) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, env=os.environ) as child:
        assert child.stdout
        child.stdout.readline()  # it is there
        yield child
        child.terminate()


@pytest.fixture
def login(bus: object) -> Iterator[Login]:
    with running([sys.executable, str(Path(login1.__file__))]) as child:
        yield Login(child)


@pytest.fixture
def slept() -> list[float]:
    """What the clocks tell: seconds asleep."""
    return [0.0]


@pytest.fixture
def noticed(
    bus: subprocess.Popen[str], slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> Iterator[queue.SimpleQueue[bool]]:
    """What Changes notices, with a kernel that tells nothing and clocks of our own."""
    ready: queue.SimpleQueue[bool] = queue.SimpleQueue()
    found: queue.SimpleQueue[bool] = queue.SimpleQueue()
    subscribe = logind.subscribe

    def subscribed() -> logind.Sleep | None:
        made = subscribe()
        ready.put(made is not None)
        return made

    monkeypatch.setattr(logind, "subscribe", subscribed)
    monkeypatch.setattr(changes, "_subscribe", lambda: None)
    monkeypatch.setattr(changes, "LOOK", 0.05)
    watching = Changes(lambda: found.put(True), lambda: slept[0])
    assert ready.get(timeout=5)
    yield found
    watching.close()
    watching.join(5)


def test_a_wake_is_noticed_at_once_and_a_sleep_is_not(login: Login, noticed: queue.SimpleQueue[bool]) -> None:
    login.tell("sleep")
    login.tell("wake")
    assert noticed.get(timeout=5)
    assert noticed.empty()
    login.tell("wake")
    assert noticed.get(timeout=5)


def test_a_bus_that_goes_leaves_it_to_the_clocks(
    bus: subprocess.Popen[str], noticed: queue.SimpleQueue[bool], slept: list[float]
) -> None:
    bus.terminate()
    bus.wait(5)
    slept[0] = 600.0
    assert noticed.get(timeout=5)


def test_without_a_bus_there_is_no_subscription(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    assert logind.subscribe() is None
