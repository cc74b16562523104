"""Whatever breaks the tunnel or the node: when the cause is gone, all is as before, on the right node."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support import login1
from support.lab.desktop import Desktop
from support.lab.driver import Driver, observed
from support.lab.fleet import Fleet, Truth
from support.lab.laptop import Laptop
from support.lab.server import Server, wait_until

NODE = "app@web-1"
SOON = 5.0
"""Seconds after the cause is gone."""
CYCLES = 50 if os.environ.get("SPYGLASS_SOAK") else 12
ENOUGH = 240.0
"""Seconds after which the soak begins no further cycle."""


@pytest.fixture
def up(laptop: Laptop, fleet: Fleet, desktop: Desktop) -> Iterator[Driver]:
    """Connected, with Observer on a node."""
    with observing(laptop, desktop, NODE) as driver:
        yield driver


@contextmanager
def observing(laptop: Laptop, desktop: Desktop, node: str, **more: str) -> Iterator[Driver]:
    """A driven Hub with Observer on this node."""
    with Driver(laptop, **more) as driver:
        driver.send("connect")
        driver.ready()
        driver.send(f"observe {node}")
        driver.observing(node)
        shows(desktop, node)
        yield driver


def titles(desktop: Desktop) -> list[str]:
    """The nodes that the visible windows are on."""
    return sorted(re.sub(r"^.* ", "", title) for title in desktop.windows().values())


def shows(desktop: Desktop, *nodes: str) -> None:
    """There is one window, and it is on the node; or there is none."""
    wait_until(lambda: titles(desktop) == [*nodes], f"windows on {nodes}", 3)


def forwards(driver: Driver) -> dict[str, int]:
    """The local port by node, once everything was seen."""
    driver.send("stock")
    driver.next("stock")
    if not driver.history[-1]["surveyed"]:
        driver.ready()
    return {node["node"]: node["forward"] for node in driver.history[-1]["nodes"] if node["forward"]}


def sshd_session(server: Server) -> str:
    """The newest process that serves an SSH session."""
    return server.place.run(["pgrep", "-n", "-f", "sshd: deploy@"]).stdout.strip()


def comes_back(driver: Driver, desktop: Desktop, node: str, began: float) -> None:
    """READY, with one window, on the node, and soon."""
    driver.observing(node, SOON + 10)
    took = time.monotonic() - began
    shows(desktop, node)
    assert took < SOON


def test_a_killed_session_comes_back(server: Server, desktop: Desktop, up: Driver) -> None:
    began, ports = time.monotonic(), forwards(up)
    server.place.run(["kill", "-KILL", sshd_session(server)])
    up.phase("waiting")
    up.send("retry")
    comes_back(up, desktop, NODE, began)
    assert forwards(up) == ports


@pytest.mark.leaves("process")  # the server's new sshd
def test_a_server_that_starts_again_is_waited_for(server: Server, desktop: Desktop, up: Driver) -> None:
    assert server.sshd is not None
    session = sshd_session(server)
    server.sshd.close()
    try:
        server.place.run(["kill", "-KILL", session])
        refused = up.until(lambda s: s["phase"] == "waiting" and s["attempt"] > 1, "a try in vain")
        assert "refuses connections" in refused["problem"]["title"]
        assert refused["next_try"] > time.time()
    finally:
        server.start_sshd()
    began = time.monotonic()
    up.send("retry")
    comes_back(up, desktop, NODE, began)


def test_a_session_that_is_stopped_for_a_while_is_left_for_a_new_one(
    server: Server, desktop: Desktop, up: Driver
) -> None:
    session = sshd_session(server)
    began = time.monotonic()
    server.place.run(["kill", "-STOP", session])
    try:
        waiting = up.phase("waiting", 14)
        assert time.monotonic() - began < 12
        assert "lost" in waiting["problem"]["title"]
    finally:
        server.place.run(["kill", "-CONT", session])
    began = time.monotonic()
    up.send("retry")
    comes_back(up, desktop, NODE, began)


def test_a_short_stop_is_lived_through(server: Server, desktop: Desktop, up: Driver) -> None:
    session = sshd_session(server)
    server.place.run(["kill", "-STOP", session])
    time.sleep(2)
    server.place.run(["kill", "-CONT", session])
    up.send("nudge")
    up.send("stock")
    up.next("stock")
    assert observed(up.history[-1]) == [NODE]
    assert titles(desktop) == [NODE]


def test_a_link_that_was_down_comes_back_by_itself(server: Server, desktop: Desktop, up: Driver) -> None:
    server.place.run(["ip", "link", "set", "lab0", "down"])
    try:
        began = time.monotonic()
        up.phase("waiting", 14)
        assert time.monotonic() - began < 12
        time.sleep(max(0.0, 12 - (time.monotonic() - began)))
    finally:
        server.place.run(["ip", "link", "set", "lab0", "up"])
    comes_back(up, desktop, NODE, time.monotonic())  # nobody pressed Retry: the kernel told of the link


@pytest.mark.leaves("process")  # the server's new sshd
def test_a_wake_ends_the_wait(server: Server, laptop: Laptop, fleet: Fleet, desktop: Desktop) -> None:
    assert server.sshd is not None
    bus = {"DBUS_SYSTEM_BUS_ADDRESS": laptop.env["DBUS_SESSION_BUS_ADDRESS"]}  # anybody may own a name there
    laptop.extra_env |= bus
    login = laptop.popen([sys.executable, str(Path(login1.__file__))], stdin=subprocess.PIPE)
    try:
        with observing(laptop, desktop, NODE) as driver:
            session = sshd_session(server)
            server.sshd.close()
            server.place.run(["kill", "-KILL", session])
            waiting = driver.until(lambda s: s["phase"] == "waiting" and s["attempt"] > 3, "a longer wait")
            server.start_sshd()
            assert waiting["next_try"] - time.time() > 3
            began = time.monotonic()
            assert login.popen.stdin
            login.popen.stdin.write(b"sleep\nwake\n")
            login.popen.stdin.flush()
            driver.phase("connecting", 2)
            comes_back(driver, desktop, NODE, began)
    finally:
        login.close()
        del laptop.extra_env["DBUS_SYSTEM_BUS_ADDRESS"]


def test_a_container_with_a_new_address_is_found_again(
    server: Server, laptop: Laptop, fleet: Fleet, desktop: Desktop
) -> None:
    with rover(server, fleet, "rover") as old, observing(laptop, desktop, f"rover@{old}") as driver:
        server.docker("stop", "-t", "0", "rover")
        gone = driver.until(lambda s: s["awaited"] and not s["observing"], "the window is closed")
        assert "is gone" in str(gone["troubles"])
        shows(desktop)
        with filler(server, old):
            driver.until(lambda s: s["next_try"], "looking again later")
            server.docker("start", "rover")
            new = server.addresses("rover")["bridge"]
            assert new != old
            fleet.wait([(new, "rover")], 20)
            began = time.monotonic()
            driver.send("retry")
            comes_back(driver, desktop, f"rover@{new}", began)


def test_another_node_that_took_the_address_is_not_mistaken_for_it(
    server: Server, laptop: Laptop, fleet: Fleet, desktop: Desktop
) -> None:
    with (
        rover(server, fleet, "rover") as old,
        rover(server, fleet, "other") as beside,
        observing(laptop, desktop, f"rover@{old}") as driver,
    ):
        server.docker("stop", "-t", "0", "rover", "other")
        driver.until(lambda s: s["awaited"] and not s["observing"], "the window is closed")
        server.docker("start", "other")  # it gets the lowest free address
        assert server.addresses("other")["bridge"] == old != beside
        fleet.wait([(old, "rover")], 20)
        driver.send("retry")
        driver.until(lambda s: any(n["container"] == "other" for n in s["nodes"]), "the other is seen")
        driver.until(lambda s: s["next_try"], "looking again later")
        shows(desktop)
        driver.send(f"close {driver.history[-1]['awaited'][0]}")
        driver.until(lambda s: not s["awaited"], "given up")


def test_a_container_hop_is_resolved_anew(
    server: Server, laptop: Laptop, fleet: Fleet, desktop: Desktop
) -> None:
    with (
        rover(server, fleet, "rover") as old,
        observing(laptop, desktop, f"rover@{old}", hop="rover") as driver,
    ):
        server.docker("rm", "-f", "rover")
        driver.until(lambda s: s["awaited"] and not s["observing"], "the window is closed")
        with filler(server, old):
            driver.until(lambda s: s["next_try"], "looking again later")
            with rover(server, fleet, "rover") as new:
                assert new != old
                began = time.monotonic()
                driver.send("retry")
                comes_back(driver, desktop, f"rover@{new}", began)


def test_a_node_that_starts_again_in_its_container_is_found_again(
    server: Server, laptop: Laptop, fleet: Fleet, desktop: Desktop
) -> None:
    with phoenix(server, fleet) as truth, observing(laptop, desktop, truth.node) as driver:
        pid = fleet.call(truth, "os getpid").strip('"')
        server.docker("exec", "phoenix", "sh", "-c", f"rm /tmp/go; kill -9 {pid}")
        driver.until(lambda s: s["awaited"] and not s["observing"], "the window is closed")
        driver.until(lambda s: s["next_try"], "looking again later")
        shows(desktop)
        server.docker("exec", "phoenix", "touch", "/tmp/go")
        fleet.wait([(server.addresses("phoenix")["bridge"], "phoenix")], 20)
        began = time.monotonic()
        driver.send("retry")
        comes_back(driver, desktop, truth.node, began)


def test_figures_come_each_beat_and_go_on_after_a_loss(server: Server, up: Driver, fleet: Fleet) -> None:
    key = next(node["key"] for node in up.history[-1]["nodes"] if node["node"] == NODE)
    threads = up.ask("stock")["threads"]
    up.send("watch")
    first, second = up.next("figures"), up.next("figures")
    assert first[key]["memory"] > 1_000_000
    assert first[key]["processes"] > 20
    assert first[key]["load"] is None
    assert 0 <= second[key]["load"] <= 1
    assert 0 < second[key]["uptime"] - first[key]["uptime"] < 6  # two seconds, and what the computer is late
    server.place.run(["kill", "-KILL", sshd_session(server)])
    up.phase("waiting")
    up.send("retry")
    up.observing(NODE)
    assert up.next("figures")[key]["processes"] > 20
    up.send("unwatch")
    wait_until(lambda: not [t for t in up.ask("stock")["threads"] if t.startswith("figures")], "no thread", 5)
    assert not [name for name in threads if name.startswith("figures")]


def test_a_node_that_does_not_answer_skips_beats_and_holds_up_nobody(
    server: Server, up: Driver, fleet: Fleet
) -> None:
    keys = {node["node"]: node["key"] for node in up.history[-1]["nodes"]}
    slow = keys[fleet["shop"].node]
    up.send("watch")
    wait_until(lambda: slow in up.next("figures"), "its figures", 15)
    server.docker("pause", "shop")
    try:
        wait_until(lambda: slow not in up.next("figures"), "it is silent", 15)  # some were told before it was
        beats = [up.next("figures") for _ in range(3)]
    finally:
        server.docker("unpause", "shop")
    assert not any(slow in beat for beat in beats)
    times = [beat[keys[NODE]]["when"] for beat in beats]
    assert times[2] - times[0] < 6
    wait_until(lambda: slow in up.next("figures"), "it answers again", 15)
    up.send("unwatch")


@pytest.mark.timeout(ENOUGH + 60)
def test_nothing_grows_over_many_losses(server: Server, laptop: Laptop, desktop: Desktop, up: Driver) -> None:
    stocks: list[dict[str, Any]] = []
    processes: list[list[str]] = []
    began = time.monotonic()
    for _ in range(CYCLES):
        server.place.run(["kill", "-KILL", sshd_session(server)])
        up.phase("waiting")
        up.send("retry")
        up.observing(NODE)
        stocks.append(settled(up))
        processes.append(running(laptop))
        if time.monotonic() - began > ENOUGH:
            break
    early, late = stocks[2], stocks[-1]
    assert late["threads"] == early["threads"]
    assert late["sockets"] <= early["sockets"]
    assert late["files"] <= early["files"]
    assert late["memory"] < early["memory"] * 1.1
    assert processes[-1] == processes[2]
    assert titles(desktop) == [NODE]


def settled(driver: Driver) -> dict[str, Any]:
    """What the process holds once the VM for the next window stands by."""
    stocks = [driver.ask("stock")]

    def still() -> bool:
        stocks.append(driver.ask("stock"))
        names = stocks[-1]["threads"]
        return names == stocks[-2]["threads"] and names.count("erl replies") == 2 and "preload" not in names

    wait_until(still, f"the next VM stands by: {stocks[-1]['threads']}", 15, every=0.2)
    return stocks[-1]


def running(laptop: Laptop) -> list[str]:
    """The names of the programs that run on the laptop."""
    return sorted(Path(line.split()[0]).name for line in laptop.processes().values())


@contextmanager
def rover(server: Server, fleet: Fleet, name: str) -> Iterator[str]:
    """A container whose node is named after its address, as ``rover@172.17.0.9``; gives the address."""
    start = "exec erl -noinput -name rover@$(hostname -i) -setcookie SPYLAB-cookie-rover-$0"
    command = ["sh", "-c", start, "0123456789abcdef"]
    server.docker("run", "--detach", f"--name={name}", f"--hostname={name}", "elixir:lab", *command)
    try:
        address = server.addresses(name)["bridge"]
        fleet.wait([(address, "rover")], 20)
        yield address
    finally:
        server.docker("rm", "-f", name)


@contextmanager
def filler(server: Server, address: str) -> Iterator[None]:
    """A container that takes the address, which must be free."""
    server.docker("run", "--detach", "--name=filler", "plain:lab", "sleep", "1000")
    try:
        assert server.addresses("filler")["bridge"] == address
        yield
    finally:
        server.docker("rm", "-f", "filler")


@contextmanager
def phoenix(server: Server, fleet: Fleet) -> Iterator[Truth]:
    """A container that starts its node again and again, while /tmp/go is there."""
    cookie = "SPYLAB-cookie-phoenix-0123456789abcdef"
    start = f"erl -noinput -sname phoenix -setcookie {cookie}"
    loop = f"touch /tmp/go; while :; do [ -e /tmp/go ] && {start}; sleep 0.1; done"
    flags = ["--detach", "--name=phoenix", "--hostname=phoenix"]
    server.docker("run", *flags, "elixir:lab", "sh", "-c", loop)
    try:
        fleet.wait([(server.addresses("phoenix")["bridge"], "phoenix")], 20)
        yield Truth("phoenix@phoenix", "phoenix", "-setcookie", cookie)
    finally:
        server.docker("rm", "-f", "phoenix")
