"""Wherever a node listens and whoever tells of its port: networks, epmds or none, IPv6; odd names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from support.lab.desktop import Desktop
from support.lab.fleet import Fleet
from support.lab.laptop import Laptop
from support.lab.server import ADDRESS6, DEPLOY, PORT, Server, wait_until

COOKIE = "SPYLAB-cookie-ports-3c9d"
SIX = "fd00:99::66"
# An epmd of its own that knows nothing and nobody asks: the port is whichever is free.
MODULE = """
-module(no_epmd).
-export([start_link/0, register_node/2, register_node/3, names/1, port_please/2, port_please/3,
         address_please/3, listen_port_please/2]).
start_link() -> ignore.
register_node(_, _) -> {ok, 1}.
register_node(_, _, _) -> {ok, 1}.
names(_) -> {error, address}.
port_please(_, _) -> noport.
port_please(_, _, _) -> noport.
address_please(_, _, _) -> {error, nxdomain}.
listen_port_please(_, _) -> {ok, 0}.
"""
COMPILE = (
    'cd /tmp; echo "$0" >no_epmd.erl; erl -noinput -eval "compile:file(no_epmd), halt()."; '
    "exec erl -noinput -pa /tmp -epmd_module no_epmd -start_epmd false"
)


def elixir(name: str, *more: str) -> list[str]:
    return ["elixir:lab", "elixir", "--sname", name, "--cookie", COOKIE, *more, "--no-halt"]


def erl(name: str, *more: str) -> list[str]:
    return ["elixir:lab", "erl", "-noinput", "-sname", name, "-setcookie", COOKIE, *more]


RECIPES = {
    # in two networks, listening in the second
    "twonets": ["--net=net_poc", *elixir("twonets", "--erl", "-kernel inet_dist_use_interface {172,30,7,9}")],
    "otherepmd": ["--env=ERL_EPMD_PORT=5369", *elixir("otherepmd")],
    "fixed": erl("fixed", "-start_epmd", "false", "-erl_epmd_port", "9300"),
    "unknown": ["elixir:lab", "sh", "-c", f"{COMPILE} -sname unknown -setcookie {COOKIE}", MODULE],
    "six": ["--net=net_six", *elixir("six", "--erl", "-proto_dist inet6_tcp")],
    "sixonly": [
        *("--net=net_six", f"--ip6={SIX}", f"--env=ERL_EPMD_ADDRESS={SIX}"),
        *elixir("sixonly", "--erl", "-proto_dist inet6_tcp -kernel inet_dist_use_interface "
                "{64768,153,0,0,0,0,0,102}"),
    ],
    "shy": elixir("shy", "--hidden"),
    "1_Odd-name-": elixir("1_Odd-name-"),
    "dynamic": erl("undefined"),
}  # fmt: skip
EPMD = {
    "twonets": ("172.30.7.9", 4369),
    "otherepmd": (None, 5369),
    "fixed": (None, None),
    "unknown": (None, None),
    "six": (None, 4369),
    "sixonly": (SIX, 4369),
    "shy": (None, 4369),
    "1_Odd-name-": (None, 4369),
}
"""Where each is dialled, if it matters, and who tells of its port."""


@pytest.fixture(scope="module")
def ports(server: Server, fleet: Fleet) -> Iterator[None]:
    """The containers, and a node on the host itself that listens on ::1 alone."""
    server.docker("network", "create", "--ipv6", "--subnet=fd00:99::/64", "net_six")
    server.docker("network", "create", "--subnet=172.30.7.0/24", "net_second")
    for name, recipe in RECIPES.items():
        server.docker("create", f"--name={_container(name)}", f"--hostname={_container(name)}", *recipe)
    server.docker("network", "connect", "--ip=172.30.7.9", "net_second", "twonets")
    server.docker("start", *map(_container, RECIPES))
    host_six = ["erl", "-noinput", "-sname", "hostsix", "-proto_dist", "inet6_tcp", "-setcookie", COOKIE]
    host_six += ["-kernel", "inet_dist_use_interface", "{0,0,0,0,0,0,0,1}"]
    guest = server.place.popen(host_six, user=DEPLOY.name, cwd=DEPLOY.home, env={"HOME": DEPLOY.home})
    for name in RECIPES:
        wait_until(lambda name=name: _listens(server, name), f"{name} is up", 20, 0.1)  # type: ignore[misc]
    wait_until(lambda: "hostsix" in server.place.run(["epmd", "-names"]).stdout, "hostsix is up", 20, 0.1)
    yield
    guest.close()
    server.docker("rm", "--force", *map(_container, RECIPES))
    server.docker("network", "rm", "net_six", "net_second")


def _container(name: str) -> str:
    return f"c{name.rstrip('-')}" if name[0].isdigit() else name


def _listens(server: Server, name: str) -> bool:
    ask = "epmd -names; ERL_EPMD_PORT=5369 epmd -names; netstat -ltn | grep -v -e :4369 -e 127.0.0.11:"
    told = server.place.run(["docker", "exec", _container(name), "sh", "-c", ask], check=False).stdout
    ready = {"fixed": ":9300 ", "unknown": "0.0.0.0:", "dynamic": "up and running"}
    return ready.get(name, f"name {name} at") in told


@pytest.fixture(scope="module")
def found(laptop: Laptop, ports: None) -> dict[str, dict[str, Any]]:
    document = laptop.spyglass_json("nodes", "lab", "--batch")
    assert document["warnings"] == []
    return {node["node"].partition("@")[0]: node for node in document["nodes"]}


@pytest.mark.parametrize("name", EPMD)
def test_it_is_found_with_its_name_and_its_port(
    found: dict[str, dict[str, Any]], server: Server, name: str
) -> None:
    one, (address, epmd) = found[name], EPMD[name]
    assert one["reachable"], one["why_not"]
    assert (one["node"], one["container"]) == (f"{name}@{_container(name)}", _container(name))
    assert one["address"] == (address or next(iter(server.addresses(_container(name)).values())))
    assert (one["via"], one["epmd_port"]) == ("epmd" if epmd else "socket", epmd)
    assert one["cookie"]["proved"]
    assert one["hidden"] == (name == "shy")


def test_a_host_node_on_the_ipv6_loopback_alone(found: dict[str, dict[str, Any]]) -> None:
    one = found["hostsix"]
    assert one["reachable"], one["why_not"]
    assert (one["runtime"], one["address"], one["cookie"]["proved"]) == ("host", "::1", True)


def test_a_node_that_waits_for_a_name_is_left_alone(found: dict[str, dict[str, Any]], server: Server) -> None:
    assert [one for one in found.values() if one["container"] == "dynamic"] == []
    assert server.container_log("dynamic") == ""


@pytest.mark.parametrize("name", ["sixonly", "hostsix", "unknown", "1_Odd-name-", "otherepmd"])
def test_a_call_is_answered_by_the_node_itself(
    laptop: Laptop, found: dict[str, dict[str, Any]], name: str
) -> None:
    done = laptop.spyglass("rpc", "lab", found[name]["node"], "erlang", "node", "--batch")
    assert (done.stdout.strip().strip("'"), done.stderr) == (found[name]["node"], "")


def test_the_server_itself_may_be_given_by_an_ipv6_address(laptop: Laptop, ports: None) -> None:
    way = (f"deploy@[{ADDRESS6}]:{PORT}", "--identity", "~/.ssh/id_ed25519", "--batch")
    (one,) = laptop.spyglass_json("nodes", *way, "--container", "sixonly")["nodes"]
    assert (one["hops"], one["address"], one["cookie"]["proved"]) == ([way[0]], SIX, True)
    done = laptop.spyglass("rpc", *way[:1], "sixonly@sixonly", "erlang", "node", *way[1:])
    assert (done.stdout.strip(), done.stderr) == ("sixonly@sixonly", "")


def test_observer_opens_on_a_hidden_node(laptop: Laptop, ports: None, desktop: Desktop) -> None:
    guest = laptop.start_spyglass("observe", "lab", "shy@shy")
    try:
        desktop.close_window(desktop.wait_window("shy@shy"))
        assert guest.wait() == 0
    finally:
        guest.close()
