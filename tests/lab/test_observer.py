"""Observer's window, on a display of its own, with real nodes behind it."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from spyglass.erlang import runtime, slots
from spyglass.erlang.node import LocalNode
from spyglass.errors import Failure, Lost, Missing
from support.beam import Beam, beam
from support.links import gone
from support.xvfb import Screen, screen

HIDDEN_WAY, ORDINARY_WAY = "built out of sight", "the ordinary way"


@pytest.fixture(scope="module")
def display() -> Iterator[Screen]:
    with screen() as made:
        yield made


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def erlang(cache: Path) -> runtime.Erlang:
    return runtime.find(cache=cache)


class Window:
    """A local VM on the display, and what it told."""

    def __init__(self, vm: LocalNode, events: queue.SimpleQueue[dict[str, Any]], display: Screen) -> None:
        self.vm = vm
        self.events = events
        self.display = display

    def join(self, remote: Beam) -> str:
        self.vm.add_route(remote.name, remote.port)
        self.vm.set_cookie(remote.name, remote.cookie)
        self.vm.connect(remote.name)
        return remote.name

    def wait(self, *kinds: str, seconds: float = 15) -> str:
        while True:
            kind: str = self.events.get(timeout=seconds)["event"]
            if kind in kinds:
                return kind


@contextmanager
def window(erlang: runtime.Erlang, ebin: Path, state: Path, display: Screen | None) -> Iterator[Window]:
    environ = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    environ |= display.env if display else {}
    events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    with slots.take(state, state) as slot:
        vm = LocalNode.start(erlang, ebin, slot, on_event=events.put, environ=environ)
        try:
            yield Window(vm, events, display or Screen(0))
        finally:
            vm.close()


@pytest.fixture(params=[HIDDEN_WAY, ORDINARY_WAY])
def either(
    request: pytest.FixtureRequest, erlang: runtime.Erlang, cache: Path, tmp_path: Path, display: Screen
) -> Iterator[Window]:
    ebin = runtime.modules(erlang, cache)
    if request.param == ORDINARY_WAY:
        ebin = Path(shutil.copytree(ebin, tmp_path / "ebin"))
        (ebin / "observer_wx.beam").unlink()
    with window(erlang, ebin, tmp_path, display) as made:
        yield made


@pytest.fixture
def ours(erlang: runtime.Erlang, cache: Path, tmp_path: Path, display: Screen) -> Iterator[Window]:
    with window(erlang, runtime.modules(erlang, cache), tmp_path, display) as made:
        yield made


def test_the_window_opens_on_the_remote_node_with_every_tab(either: Window) -> None:
    with beam("tabs@127.0.0.9") as remote:
        either.join(remote)
        either.vm.preload()
        either.vm.observe(remote.name)
        assert either.wait("observer_open") == "observer_open"
        either.display.wait(f"^Observer - {remote.name}$")
        tabs = [either.vm.tab(index) for index in range(9)]
        assert tabs[0] == "System"
        assert "Processes" in tabs
        assert list(either.display.titles().values()) == [f"Observer - {remote.name}"]
        time.sleep(0.5)  # let the last tab fill
        either.vm.close_observer()
        assert either.wait("observer_closed", "exit") == "observer_closed"
        either.display.wait_gone("Observer")
        assert remote.words() == ""


def test_nothing_of_the_local_node_is_ever_on_the_screen(ours: Window) -> None:
    with beam("only@127.0.0.9") as remote:
        seen: set[str] = set()
        ours.vm.preload()
        seen |= set(ours.display.titles().values())
        ours.join(remote)
        ours.vm.observe(remote.name)
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            seen |= set(ours.display.titles().values())
        assert seen == {f"Observer - {remote.name}"}


def test_a_node_is_observed_while_the_window_is_still_being_built(ours: Window) -> None:
    with beam("eager@127.0.0.9") as remote:
        ours.join(remote)
        building = threading.Thread(target=ours.vm.preload)
        building.start()
        ours.vm.observe(remote.name)
        building.join()
        ours.display.wait(f"^Observer - {remote.name}$")


def test_a_node_that_is_not_joined_is_not_observed(ours: Window) -> None:
    with pytest.raises(Lost):
        ours.vm.observe("nobody@127.0.0.9")
    assert ours.display.titles() == {}


def test_a_window_that_the_person_closes_is_told_and_can_be_opened_again(ours: Window) -> None:
    with beam("again@127.0.0.9") as remote:
        ours.join(remote)
        for _ in range(2):
            ours.vm.observe(remote.name)
            found = ours.display.wait(f"Observer - {remote.name}")
            ours.display.close(found)
            assert ours.wait("observer_closed", "exit") == "observer_closed"
            ours.display.wait_gone("Observer")


def test_an_open_window_turns_to_another_node(ours: Window) -> None:
    with beam("first@127.0.0.9") as first, beam("second@127.0.0.9") as second:
        ours.join(first)
        ours.join(second)
        ours.vm.observe(first.name)
        ours.vm.observe(second.name)
        ours.display.wait(f"Observer - {second.name}")
        first.kill()
        assert ours.wait("nodedown") == "nodedown"
        assert ours.display.find(f"Observer - {second.name}")
        second.kill()
        ours.wait("observer_closed", "exit")  # a tab that is just being filled takes the whole VM along
        ours.display.wait_gone(".")


@pytest.mark.parametrize("tab", [0, 3, 4])
def test_the_window_closes_at_once_when_the_node_goes_down(either: Window, tab: int) -> None:
    with beam("falls@127.0.0.9") as remote:
        either.join(remote)
        either.vm.observe(remote.name)
        either.display.wait(f"Observer - {remote.name}")
        either.vm.tab(tab)
        time.sleep(0.5)  # let the tab fill
        remote.kill()
        begun = time.monotonic()
        assert either.wait("observer_closed", "exit") == "observer_closed"
        either.display.wait_gone(".")
        assert time.monotonic() - begun < 0.5
        assert either.display.titles() == {}


def test_without_the_backend_no_window_stays_on_the_local_node(either: Window) -> None:
    with beam("bare@127.0.0.9", flags=["-eval", "code:del_path(runtime_tools)."]) as remote:
        either.join(remote)
        with contextlib.suppress(Failure):
            either.vm.observe(remote.name)
            assert either.wait("observer_closed", "exit")
        either.display.wait_gone(".", 5)
        time.sleep(0.5)
        assert either.display.titles() == {}


def test_with_the_backend_lent_it_opens(ours: Window) -> None:
    with beam("lent@127.0.0.9", flags=["-eval", "code:del_path(runtime_tools)."]) as remote:
        ours.join(remote)
        ours.vm.lend(remote.name)
        ours.vm.observe(remote.name)
        ours.display.wait(f"Observer - {remote.name}")
        for index in range(8):
            ours.vm.tab(index)
        time.sleep(0.5)
        assert list(ours.display.titles().values()) == [f"Observer - {remote.name}"]


def test_closing_with_the_applications_tab_open_writes_nothing_into_the_remote_log(ours: Window) -> None:
    with beam("silent@127.0.0.9") as remote:
        ours.join(remote)
        ours.vm.observe(remote.name)
        ours.vm.tab(3)
        time.sleep(0.5)  # let it ask for the tree of an application
        begun = time.monotonic()
        ours.vm.close()
        assert time.monotonic() - begun < 0.5
        time.sleep(0.2)  # a log line would come now
        assert remote.words() == ""


def test_without_a_display_it_says_so_and_lives_on(
    erlang: runtime.Erlang, cache: Path, tmp_path: Path
) -> None:
    with (
        beam("dark@127.0.0.9") as remote,
        window(erlang, runtime.modules(erlang, cache), tmp_path, None) as dark,
    ):
        dark.join(remote)
        with pytest.raises(Missing) as caught:
            dark.vm.observe(remote.name)
        assert caught.value.code == "no-display"
        assert dark.vm.facts(remote.name)


OWNER = """
import sys, time
from pathlib import Path
from spyglass.erlang import runtime, slots
from spyglass.erlang.node import LocalNode
cache, state, name, port, cookie = Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]
erlang = runtime.find(cache=cache)
with slots.take(state, state) as slot:
    vm = LocalNode.start(erlang, runtime.modules(erlang, cache), slot)
    vm.add_route(name, int(port))
    vm.set_cookie(name, cookie)
    vm.connect(name)
    vm.observe(name)
    vm.tab(3)
    time.sleep(0.5)  # let the tab fill
    print(vm.pid, flush=True)
    sys.stdin.read()
"""


def test_the_window_goes_when_its_owner_is_killed(cache: Path, tmp_path: Path, display: Screen) -> None:
    with beam("orphan@127.0.0.9") as remote:
        argv = [
            sys.executable,
            "-c",
            OWNER,
            str(cache),
            str(tmp_path),
            remote.name,
            str(remote.port),
            remote.cookie,
        ]
        environ = os.environ | display.env | {"PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ) as owner:
            assert owner.stdout is not None
            pid = int(owner.stdout.readline())
            display.wait(f"Observer - {remote.name}")
            owner.kill()
            begun = time.monotonic()
            display.wait_gone("Observer")
            while not gone(pid):
                assert time.monotonic() - begun < 2
            assert time.monotonic() - begun < 1
        time.sleep(0.2)  # a log line would come now
        assert remote.words() == ""
