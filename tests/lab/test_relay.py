"""Nodes that no address leads to, reached by a command: in their container, or on the host."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.lab.desktop import Desktop
from support.lab.engines import Engines
from support.lab.fleet import Fleet
from support.lab.laptop import Laptop, spyglass_command
from support.lab.scripts import GREET
from support.lab.server import Server, wait_until
from support.lab.terminal import Terminal

COOKIE = "SPYLAB-cookie-relay-77aa"
LOOPBACK = ("--erl", "-kernel inet_dist_use_interface {127,0,0,1}")
RELAYS = r"\bnc 127\.0\.0\.1|erlexec|-extra 127|docker exec|nsenter|socat"
DASH = "--volume=/usr/bin/dash:/bin/dash:ro"  # a shell alone: busybox's brings nc along, wherever it is not


def elixir(name: str, *more: str) -> list[str]:
    return ["elixir:lab", "elixir", "--sname", name, "--cookie", COOKIE, *more, "--no-halt"]


ERTS = next(Path("/usr/lib/erlang").glob("erts-*/bin"))  # the image has it at the same place
RECIPES = {
    "inward": ["--env=ERL_EPMD_ADDRESS=127.0.0.1", *elixir("inward", *LOOPBACK)],
    "lonely": ["--network=none", *elixir("lonely")],
    "erlonly": ["--network=none", DASH, *elixir("erlonly")],
    "released": [
        *("--network=none", DASH, f"--env=RELEASE_COOKIE={COOKIE}", "--env=RELEASE_NODE=released"),
        *("--env=RELEASE_DISTRIBUTION=sname", "shop:lab", "/opt/shop/bin/shop", "start"),
    ],
    "stripped": [  # started without a shell, so that it can be started again with none left
        *("--network=none", "--env=ROOTDIR=/usr/lib/erlang", f"--env=BINDIR={ERTS}", "--env=EMU=beam"),
        *("elixir:lab", f"{ERTS}/erlexec", "-noinput", "-sname", "stripped", "-setcookie", COOKIE),
        *("-start_epmd", "false", "-erl_epmd_port", "9300", "-eval", r'io:format("up~n")'),
    ],
}
"""What each is started with; its own Erlang is on the PATH but for the release's."""
STRIP = {
    "erlonly": "ln -sf dash /bin/sh; rm /bin/nc",
    "released": "ln -sf dash /bin/sh; rm /bin/nc",
    "stripped": "cd /bin; /bin/busybox rm -f $(/bin/busybox ls | /bin/busybox grep -v busybox) busybox",
}


@pytest.fixture(scope="module")
def hidden(server: Server, fleet: Fleet) -> Iterator[None]:
    """A node in each of the containers, from which some tools have been taken."""
    for name, recipe in RECIPES.items():
        server.docker("run", "--detach", f"--name={name}", f"--hostname={name}", *recipe)
    for name in RECIPES:
        wait_until(lambda name=name: name in registered(server, name), f"{name} is up", 20, 0.1)  # type: ignore[misc]
    for name, strip in STRIP.items():
        server.docker("exec", name, "sh", "-c", strip)
    yield
    server.docker("rm", "--force", *RECIPES)


def registered(server: Server, name: str) -> str:
    if name == "stripped":  # without an epmd
        return name * (server.container_log(name).count("up") > 0)
    ask = "PATH=$PATH:$(echo /opt/shop/erts-*/bin); epmd -names"
    return server.place.run(["docker", "exec", name, "sh", "-c", ask], check=False).stdout


def nodes(laptop: Laptop, target: str, *more: str) -> dict[str, dict[str, Any]]:
    document = laptop.spyglass_json("nodes", target, "--batch", *more)
    return {node["node"].partition("@")[0]: node for node in document["nodes"]}


def relays(server: Server) -> list[str]:
    """What still carries a connection on the server."""
    return [line for line in server.place.processes().values() if re.search(RELAYS, line)]


@pytest.mark.parametrize("name", ["inward", "lonely", "erlonly", "released"])
def test_a_command_in_the_container_reaches_it(
    laptop: Laptop, server: Server, hidden: None, name: str
) -> None:
    before = server.container_log(name)
    one = nodes(laptop, "lab", "--container", name)[name]
    carrier = {"erlonly": "erl", "released": "erlexec"}.get(name, "nc")
    assert one["reachable"], one["why_not"]
    assert (one["via"], one["address"], one["epmd_port"]) == (f"relay ({carrier})", "127.0.0.1", 4369)
    assert (one["container"], one["cookie"]["proved"]) == (name, True)
    done = laptop.spyglass("rpc", "lab", one["node"], "erlang", "node", "--batch")
    assert (done.stdout.strip(), done.stderr) == (one["node"], "")
    assert server.container_log(name) == before
    wait_until(lambda: relays(server) == [], "no command is left", 5)


def test_one_that_nothing_serves_is_told_with_what_is_missing(laptop: Laptop, hidden: None) -> None:
    one = nodes(laptop, "lab")["stripped"]
    assert not one["reachable"]
    assert one["why_not"].startswith("container stripped has none of nc, perl, socat, python3, bash and erl")


def test_where_it_is_allowed_the_host_enters_the_container_s_network(
    laptop: Laptop, server: Server, hidden: None, engines: Engines
) -> None:
    one = nodes(laptop, "sudo-only@lab", "--container", "stripped")["stripped"]
    assert (one["reachable"], one["via"]) == (True, "relay (nsenter, perl)")
    done = laptop.spyglass("rpc", "sudo-only@lab", one["node"], "erlang", "node", "--batch")
    assert (done.stdout.strip(), done.stderr) == (one["node"], "")
    wait_until(lambda: relays(server) == [], "no command is left", 5)


def test_a_forward_finds_the_container_s_network_again_after_a_restart(
    laptop: Laptop, server: Server, hidden: None, engines: Engines
) -> None:
    guest = laptop.start_spyglass("forward", "sudo-only@lab", "stripped@stripped", "--batch")
    out = guest.popen.stdout
    assert out is not None
    try:
        port = out.readline().decode().strip().rpartition(":")[2]
        assert "stripped@stripped" in laptop.run(["python3", "-c", GREET, port]).stdout
        server.docker("restart", "--time=0", "stripped")
        wait_until(lambda: server.container_log("stripped").count("up") == 2, "it is up again", 20, 0.1)
        assert "stripped@stripped" in laptop.run(["python3", "-c", GREET, port]).stdout
    finally:
        guest.close()
    wait_until(lambda: relays(server) == [], "no command is left", 5)


def test_observer_opens_through_a_relay_and_a_kill_leaves_no_command_behind(
    laptop: Laptop, server: Server, hidden: None, desktop: Desktop
) -> None:
    guest = laptop.start_spyglass("observe", "lab", "lonely@lonely")
    try:
        assert desktop.wait_window("lonely@lonely")
        assert relays(server)
        guest.send(signal.SIGKILL)
    finally:
        guest.close()
    wait_until(lambda: relays(server) == [], "no command is left after a kill", 5)


def test_shells_and_tools_of_ones_own_go_through_a_relay(
    laptop: Laptop, server: Server, hidden: None
) -> None:
    for target in ("lab", "unforwarded@lab"):
        with Terminal(laptop, [*spyglass_command(), "shell", target, "lonely@lonely"]) as person:
            person.expect(r"iex\(lonely@lonely\)")
    guest = laptop.start_spyglass("forward", "lab", "lonely@lonely", "--batch")
    out = guest.popen.stdout
    assert out is not None
    try:
        assert re.match(rb"lonely@lonely  127\.0\.0\.1:\d+$", out.readline())
        tool = out.readline().decode().strip().replace("iex --hidden", f"iex --hidden --cookie {COOKIE}")
        with Terminal(laptop, ["sh", "-c", tool]) as person:
            person.expect(r"iex\(lonely@lonely\)")
    finally:
        guest.close()
    wait_until(lambda: relays(server) == [], "no command is left", 5)


def test_sshd_s_limit_on_sessions_is_kept_with_many_such_containers(
    laptop: Laptop, server: Server, fleet: Fleet, hidden: None
) -> None:
    before = server.sshd_log.read_text().count("no more sessions")
    names = [f"deaf{number}" for number in range(16)]
    try:
        for name in names:
            server.docker("run", "--detach", "--network=none", f"--name={name}", *elixir(name))
        for name in names:
            wait_until(lambda name=name: name in registered(server, name), f"{name} is up", 60, 0.3)  # type: ignore[misc]
        began = time.monotonic()
        found = nodes(laptop, "lab")
        took = time.monotonic() - began
    finally:
        server.docker("rm", "--force", *names)
    assert {name: found[name]["cookie"]["proved"] for name in names} == dict.fromkeys(names, True)
    assert server.sshd_log.read_text().count("no more sessions") == before
    assert took < 20


def test_a_server_that_forwards_nothing_is_no_hindrance(
    laptop: Laptop, server: Server, fleet: Fleet, hidden: None
) -> None:
    found = nodes(laptop, "unforwarded@lab")
    assert {name: one["why_not"] for name, one in found.items() if not one["reachable"]} == {
        "bare": "no cookie found",
        "stripped": found["stripped"]["why_not"],
    }
    assert {one["via"] for one in found.values() if one["container"] not in RECIPES} == {"relay (perl)"}
    for node in ("hello", "lonely"):
        done = laptop.spyglass("rpc", "unforwarded@lab", found[node]["node"], "erlang", "node", "--batch")
        assert (done.stdout.strip().strip("'"), done.stderr) == (found[node]["node"], "")
    wait_until(lambda: relays(server) == [], "no command is left", 5)
