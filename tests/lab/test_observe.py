"""Observer opens on the remote node, nobody there notices, and nothing is left when it has ended."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from support.lab.covers import CHECKOUT
from support.lab.desktop import Desktop
from support.lab.fleet import Fleet, Truth
from support.lab.laptop import Laptop, spyglass_command
from support.lab.place import Guest
from support.lab.server import wait_until
from support.lab.terminal import Terminal
from support.lab.traces import Traces

PICTURES = CHECKOUT / "build" / "lab"
WITH_TOOLS = ("remotenode", "app", "hello", "shop", "one", "two", "node1", "hostnet", "bare", "m1")


@pytest.fixture(scope="module")
def warm(laptop: Laptop, fleet: Fleet, desktop: Desktop) -> Laptop:
    """The laptop after a first use: our Erlang modules are compiled, the installation has its identity."""
    with observing(laptop, desktop, fleet["app"]) as (guest, window):
        desktop.close_window(window)
        assert guest.wait() == 0
    return laptop


@contextmanager
def observing(laptop: Laptop, desktop: Desktop, truth: Truth) -> Iterator[tuple[Guest, str]]:
    """Observer on this node: the running command, and its window."""
    guest = laptop.start_spyglass("observe", "lab", truth.node)
    try:
        shown = window_or_end(desktop, guest, truth)
        assert shown, guest.communicate()
        yield guest, shown
    finally:
        guest.close()


def titled(truth: Truth) -> str:
    """A pattern for the title of Observer's window on the node."""
    return f"{re.escape(truth.node)}$"


def window_or_end(desktop: Desktop, guest: Guest, truth: Truth) -> str:
    """Wait for the window on the node and return it; empty when the command has ended."""
    found: list[str] = []

    def decided() -> bool:
        found[:] = desktop.search(titled(truth))
        return bool(found) or guest.popen.poll() is not None

    wait_until(decided, f"a window on {truth.node}", 30, every=0.005)
    return found[0] if found else ""


@pytest.mark.parametrize("name", WITH_TOOLS)
def test_a_window_opens_on_the_node_and_goes_without_a_trace(
    warm: Laptop, fleet: Fleet, desktop: Desktop, name: str
) -> None:
    truth, others = fleet[name], fleet.mesh
    traces, peers = Traces.of(warm), fleet.peers(truth)
    logs = {each.node: fleet.log(each) for each in {truth, *others}}
    with observing(warm, desktop, truth) as (guest, window):
        desktop.screenshot(PICTURES / f"{name}.png", window)
        assert fleet.peers(truth) == peers
        assert [peer for peer in fleet.peers(truth, "hidden") if peer.startswith("spyglass")]
        assert nothing_of_erlang_listens(warm)
        desktop.close_window(window)
        assert guest.wait() == 0
        assert guest.communicate()[1].count("\n") <= 1
    traces.wait_same(warm)
    assert {each.node: fleet.log(each) for each in {truth, *others}} == logs
    assert fleet.peers(truth) == peers
    alone(fleet, truth)
    assert "spyglass" not in loaded(fleet, truth)


def test_the_numbers_of_the_system_tab_are_asked_of_the_node(
    warm: Laptop, fleet: Fleet, desktop: Desktop
) -> None:
    truth, asked = fleet["node1"], "{observer_backend,sys_info,0}"
    fleet.call(truth, "code ensure_loaded [observer_backend]")
    fleet.call(truth, f"erlang trace_pattern [{asked},true,[call_count]]")

    def counted() -> bool:
        found = fleet.call(truth, f"erlang trace_info [{asked},call_count]")
        return re.fullmatch(r"\{call_count, [1-9]\d*\}", found) is not None

    with observing(warm, desktop, truth):
        wait_until(counted, "the node is asked", 15)
    fleet.call(truth, f"erlang trace_pattern [{asked},false,[call_count]]")


def test_a_node_without_runtime_tools_is_lent_them_after_consent(
    warm: Laptop, fleet: Fleet, desktop: Desktop
) -> None:
    truth, traces = fleet["modern"], Traces.of(warm)
    before, log = loaded(fleet, truth), fleet.log(truth)
    assert "observer_backend" not in before
    with Terminal(warm, [*spyglass_command(), "observe", "lab", truth.node]) as person:
        person.expect(r"\[y\]es or \[n\]o")
        person.type("y\n")
        window = desktop.wait_window(titled(truth), 30)
        desktop.screenshot(PICTURES / "modern.png", window)
        assert "observer_backend" in loaded(fleet, truth)
        desktop.close_window(window)
        assert person.wait() == 0
    traces.wait_same(warm)
    assert "observer_backend" not in loaded(fleet, truth)
    assert "appmon_info" not in loaded(fleet, truth)
    assert fleet.log(truth) == log


def test_without_consent_nothing_is_lent(warm: Laptop, fleet: Fleet, desktop: Desktop) -> None:
    truth = fleet["modern"]
    with Terminal(warm, [*spyglass_command(), "observe", "lab", truth.node]) as person:
        person.expect(r"\[y\]es or \[n\]o")
        person.type("n\n")
        assert person.wait() in {1, 130}
    assert not desktop.windows()
    assert "observer_backend" not in loaded(fleet, truth)


def test_without_a_person_to_agree_the_answer_is_what_to_do(
    warm: Laptop, fleet: Fleet, desktop: Desktop
) -> None:
    done = warm.spyglass("observe", "lab", fleet["modern"].node, "--batch")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "runtime_tools" in done.stderr or "agree" in done.stderr


def test_ctrl_c_ends_it_with_130_and_no_trace(warm: Laptop, fleet: Fleet, desktop: Desktop) -> None:
    traces = Traces.of(warm)
    with observing(warm, desktop, fleet["app"]) as (guest, _):
        guest.send(signal.SIGINT)
        assert guest.wait() == 130
        assert "Traceback" not in guest.communicate()[1]
    traces.wait_same(warm)
    wait_until(lambda: not desktop.windows(), "the window is gone", 5)


def test_a_killed_spyglass_takes_everything_with_it(warm: Laptop, fleet: Fleet, desktop: Desktop) -> None:
    traces = Traces.of(warm)
    with observing(warm, desktop, fleet["app"]) as (guest, _):
        guest.send(signal.SIGKILL)
        guest.wait()
    traces.wait_same(warm)
    alone(fleet, fleet["app"])


def test_the_window_closes_when_the_node_goes_down(warm: Laptop, fleet: Fleet, desktop: Desktop) -> None:
    (truth,) = fleet.crowd(1)
    traces = Traces.of(warm)
    with observing(warm, desktop, truth) as (guest, _):
        fleet.remove([truth])
        wait_until(lambda: not desktop.windows(), "the window closes", 5)
        assert guest.wait() == 1
        assert_told(guest.communicate()[1])
    traces.wait_same(warm)


def test_two_windows_on_two_nodes_at_once(warm: Laptop, fleet: Fleet, desktop: Desktop) -> None:
    with (
        observing(warm, desktop, fleet["one"]) as (first, one),
        observing(warm, desktop, fleet["two"]) as (second, two),
    ):
        assert desktop.windows()[one].endswith("one@pair")
        assert desktop.windows()[two].endswith("two@pair")
        desktop.close_window(one)
        assert first.wait() == 0
        assert second.popen.poll() is None
        desktop.close_window(two)
        assert second.wait() == 0


def test_a_shell_runs_iex_on_the_node(warm: Laptop, fleet: Fleet) -> None:
    truth, traces = fleet["shop"], Traces.of(warm)
    with Terminal(warm, [*spyglass_command(), "shell", "lab", truth.node]) as person:
        person.expect(r"iex.*>", 30)
        person.type("{node(), 6 * 7}\n")
        person.expect(r'\{:"shop@shop\.internal", 42\}')
        person.type("\x1c")  # Ctrl-\
        person.wait()
    traces.wait_same(warm)
    alone(fleet, truth)


def test_a_node_without_elixir_gives_an_erlang_shell(warm: Laptop, fleet: Fleet) -> None:
    with Terminal(warm, [*spyglass_command(), "shell", "lab", fleet["modern"].node]) as person:
        person.expect(r"\d+>", 30)
        person.type("{node(), 6 * 7}.\n")
        person.expect(r"\{'modern@172\.30\.9\.9',42\}")
        person.type("\x1c")
        person.wait()


def alone(fleet: Fleet, truth: Truth) -> None:
    """Nobody of ours is joined to the node; it hears of an end a moment after us."""
    wait_until(lambda: fleet.peers(truth, "hidden") == [], "the node is alone again", 5)


def nothing_of_erlang_listens(laptop: Laptop) -> bool:
    """No name server and no node of ours listens on the laptop."""
    sockets, running = laptop.sockets(), " ".join(laptop.processes().values())
    assert not [socket for socket in sockets if ":4369 " in socket or "beam" in socket or "epmd" in socket]
    return "epmd -daemon" not in running


def loaded(fleet: Fleet, truth: Truth) -> str:
    """The modules that the node has loaded."""
    return fleet.call(truth, "erlang loaded")


def assert_told(errors: str) -> None:
    """What stands on standard error is a title and a hint, for a person."""
    assert "Traceback" not in errors
    assert len([line for line in errors.splitlines() if line.strip()]) >= 2
