"""The window as a person with a mouse has it: the real program, on a display, over real nodes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.lab import pointed
from support.lab.desktop import Desktop
from support.lab.fleet import Fleet
from support.lab.laptop import Laptop
from support.lab.place import Guest
from support.lab.server import wait_until
from support.lab.traces import Traces

OWN = ("--profile-dir", "/home/dev/pointed")
Box = tuple[int, int, int, int]


class Mouse:
    """A mouse over the program's window."""

    def __init__(self, laptop: Laptop, guest: Guest) -> None:
        self._laptop, self._guest = laptop, guest

    def box(self, name: str) -> Box:
        """Where a control, a connection or ``[HEADING]`` is, as soon as it is to be seen."""
        found: list[Box] = []

        def seen() -> bool:
            found[:] = [tuple(place)] if (place := self._ask(name)) else []
            return bool(found)

        wait_until(seen, f"{name} is to be seen", 20)
        return found[0]

    def click(self, name: str) -> None:
        left, top, wide, high = self.box(name)
        self._do("mousemove", left + wide // 2, top + high // 2, "click", 1)

    def drag(self, name: str, onto: str, part: float) -> None:
        """Take a connection by its middle to this part of another row's height, in steps, and let go."""
        left, top, wide, high = self.box(name)
        x, y = left + wide // 2, top + high // 2
        self._do("mousemove", x, y, "mousedown", 1)
        _, top, _, high = self.box(onto)
        goal = top + round(high * part)
        for step in range(1, 9):
            self._do("mousemove", x, y + (goal - y) * step // 8)
            self.box(name)  # the window has heard of it
        self._do("mouseup", 1)

    def _ask(self, name: str) -> list[int] | None:
        popen = self._guest.popen
        assert popen.stdin
        assert popen.stdout
        popen.stdin.write(name.encode() + b"\n")
        popen.stdin.flush()
        told: list[int] | None = json.loads(popen.stdout.readline())
        return told

    def _do(self, *words: str | int) -> None:
        self._laptop.run(["xdotool", *map(str, words)], check=True)


@contextmanager
def window(laptop: Laptop, desktop: Desktop) -> Iterator[Mouse]:
    """The program, started and ended."""
    guest = laptop.popen([sys.executable, str(Path(pointed.__file__)), *OWN], stdin=subprocess.PIPE)
    try:
        shown = desktop.wait_window("^Spyglass$|– Spyglass$")
        laptop.run(["xdotool", "windowactivate", "--sync", shown], check=True)
        yield Mouse(laptop, guest)
        laptop.spyglass(*OWN, "quit")
        assert guest.wait() == 0
    finally:
        guest.close()


@pytest.fixture
def kept(laptop: Laptop, fleet: Fleet, desktop: Desktop) -> Iterator[None]:
    """Connections in two groups; the first, to three nodes, connects by itself. All that goes again."""
    traces = Traces.of(laptop)
    for name, group, *more in (
        ("Mesh", "Nodes", "--container", "m?", "--autoconnect"),
        ("First", "Nodes"),
        ("Second", "Nodes"),
        ("Third", "Others"),
    ):
        made = laptop.spyglass(*OWN, "profiles", "add", name, "lab", "--group", group, *more)
        assert made.returncode == 0, made.stderr
    yield
    shutil.rmtree(laptop.home / "pointed")
    traces.wait_same(laptop)


def order(laptop: Laptop) -> list[list[str]]:
    """The saved connections as they are listed: name and group."""
    return [line.split()[:2] for line in laptop.spyglass(*OWN, "profiles", "list").stdout.splitlines()[1:]]


@pytest.mark.usefixtures("kept")
def test_connections_are_dragged_into_order_and_into_another_group_and_stay_there(
    laptop: Laptop, desktop: Desktop
) -> None:
    with window(laptop, desktop) as mouse:
        mouse.drag("Second", "Mesh", 0.1)
        wait_until(lambda: order(laptop)[0] == ["Second", "Nodes"], "it stands first", 5, every=0.2)
        mouse.drag("Mesh", "Third", 0.9)
        wait_until(lambda: order(laptop)[-1] == ["Mesh", "Others"], "it is in the other group", 5, every=0.2)
    names = ["[Nodes]", "Second", "First", "[Others]", "Third", "Mesh"]
    assert [name for name, _ in order(laptop)] == [name for name in names if name[0] != "["]
    with window(laptop, desktop) as mouse:
        tops = [mouse.box(name)[1] for name in names]
    assert tops == sorted(tops)


@pytest.mark.usefixtures("kept")
def test_observe_all_opens_one_window_with_every_node_in_its_menu_and_nobody_notices(
    laptop: Laptop, fleet: Fleet, desktop: Desktop
) -> None:
    mesh = fleet.mesh
    logs, peers = [fleet.log(member) for member in mesh], [fleet.peers(member) for member in mesh]
    with window(laptop, desktop) as mouse:
        mouse.click("Observe all nodes in one window")
        observer = desktop.wait_window("mesh@m[123]$", 30)
        each_has(fleet, 2, "the window, and who asks for the figures in ours")
        for entry, member in enumerate(mesh, 1):
            desktop.show_node(observer, entry)
            assert desktop.wait_window(f"{member.node}$", 5) == observer
        assert len(desktop.windows()) == 2  # ours, and the one of Observer
        assert [fleet.peers(member) for member in mesh] == peers
        desktop.close_window(observer)
        each_has(fleet, 1, "who asks for the figures")
    each_has(fleet, 0, "nobody")
    assert [fleet.log(member) for member in mesh] == logs


def each_has(fleet: Fleet, count: int, who: str) -> None:
    """Wait until so many hidden nodes of ours are joined to each node of the mesh."""

    def joined() -> bool:
        hidden = [fleet.peers(member, "hidden") for member in fleet.mesh]
        return all(sum("spyglass" in peer for peer in peers) == count for peers in hidden)

    wait_until(joined, f"joined to each is {who}", 12, every=0.2)
