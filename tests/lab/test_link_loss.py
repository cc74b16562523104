"""When the link goes, the window goes at once, the reason is told, and nothing is left."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator

import pytest

from support.lab.desktop import Desktop
from support.lab.fleet import Fleet
from support.lab.laptop import Laptop
from support.lab.place import Guest
from support.lab.server import Server, wait_until
from support.lab.traces import Traces

NODE = "app@web-1"


@pytest.fixture
def observed(laptop: Laptop, fleet: Fleet, desktop: Desktop) -> Iterator[Guest]:
    """Observer, open on a node."""
    guest = laptop.start_spyglass("observe", "lab", NODE)
    try:
        desktop.wait_window(f"{re.escape(NODE)}$", 30)
        yield guest
    finally:
        guest.close()


@pytest.fixture
def session(server: Server, observed: Guest) -> int:
    """The process on the server that serves the observer's SSH session."""
    listing = server.place.run(["pgrep", "-n", "-f", "sshd: deploy@"]).stdout
    return int(listing.split()[0])


def ends_with_the_reason(guest: Guest, desktop: Desktop, within: float) -> None:
    """The window closes, then the command ends, all of it in some seconds."""
    began = time.monotonic()
    wait_until(lambda: not desktop.windows(), "the window closes", within)
    assert guest.wait(within) == 1, guest.communicate()
    assert time.monotonic() - began < within
    errors = guest.communicate()[1]
    assert "Traceback" not in errors
    assert len(errors.splitlines()) >= 3  # "Observer is open", the title, the hint
    assert re.search(r"lost|gone|closed|answer", errors)


def test_a_killed_ssh_session_ends_it_at_once(
    laptop: Laptop, server: Server, desktop: Desktop, observed: Guest, session: int
) -> None:
    server.place.run(["kill", "-KILL", str(session)])
    ends_with_the_reason(observed, desktop, 5)


def test_a_black_hole_is_noticed_in_ten_seconds(
    server: Server, desktop: Desktop, observed: Guest, session: int
) -> None:
    server.place.run(["kill", f"-{signal.SIGSTOP}", str(session)])
    try:
        ends_with_the_reason(observed, desktop, 12)
    finally:
        server.place.run(["kill", f"-{signal.SIGKILL}", str(session)])


def test_a_link_that_is_down_is_noticed_in_ten_seconds(
    laptop: Laptop, server: Server, fleet: Fleet, desktop: Desktop, observed: Guest
) -> None:
    server.place.run(["ip", "link", "set", "lab0", "down"])
    try:
        ends_with_the_reason(observed, desktop, 12)
    finally:
        server.place.run(["ip", "link", "set", "lab0", "up"])
    wait_until(lambda: laptop.run(["ssh", "lab", "true"]).returncode == 0, "the link is back", 10)


def test_a_lost_link_leaves_nothing(laptop: Laptop, server: Server, fleet: Fleet, desktop: Desktop) -> None:
    traces = Traces.of(laptop)
    guest = laptop.start_spyglass("observe", "lab", NODE)
    try:
        desktop.wait_window(f"{re.escape(NODE)}$", 30)
        server.place.run(["pkill", "-KILL", "-n", "-f", "sshd: deploy@"])
        assert guest.wait() == 1, guest.communicate()
    finally:
        guest.close()
    traces.wait_same(laptop)


def test_a_watch_that_is_killed_leaves_nothing_on_the_server(
    laptop: Laptop, server: Server, fleet: Fleet
) -> None:
    """``kill -9``: nobody says good-bye, and what followed the engine's events ends within five seconds."""
    traces, before = Traces.of(laptop), set(server.place.processes())
    guest = laptop.start_spyglass("nodes", "lab", "--watch", "--json", "--batch")
    try:
        assert guest.popen.stdout
        assert json.loads(guest.popen.stdout.readline())["event"] == "nodes"
        wait_until(lambda: any("docker events" in line for line in ours(server, before)), "it listens", 10)
        guest.send(signal.SIGKILL)
        guest.wait()
        wait_until(lambda: not ours(server, before), f"nothing is left of {ours(server, before)}", 5)
    finally:
        guest.close()
    traces.wait_same(laptop)


def ours(server: Server, before: set[int]) -> list[str]:
    """What runs on the server since then."""
    return [line for pid, line in server.place.processes().items() if pid not in before]
