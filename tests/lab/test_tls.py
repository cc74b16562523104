"""Nodes that speak TLS with each other are found, proved and observed, as any other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.certificates import Authority
from support.lab.desktop import Desktop
from support.lab.fleet import MARK, Fleet
from support.lab.laptop import DEV, Laptop, spyglass_command
from support.lab.server import Server, wait_until
from support.lab.terminal import Terminal

COOKIE = MARK + "tls"
AUTHORITY = Authority()
SERVER_ONLY = '[{server, [{certfile, "/tls/node.pem"}, {keyfile, "/tls/node.key"}]}].'
MUTUAL = """[{server, [{certfile, "/tls/node.pem"}, {keyfile, "/tls/node.key"},
                       {cacertfile, "/tls/ca.pem"}, {verify, verify_peer}, {fail_if_no_peer_cert, true}]},
             {client, [{certfile, "/tls/node.pem"}, {keyfile, "/tls/node.key"},
                       {cacertfile, "/tls/ca.pem"}, {verify, verify_none}]}]."""
NODES = ("open@tls-open", "mutual@tls-mutual")


@pytest.fixture(scope="module")
def tls(server: Server) -> Iterator[Path]:
    """Two containers with a node each: one that shows a certificate, and one that wants one as well."""
    server.load_images()
    directory = server.run_directory / "tls"
    directory.mkdir()
    AUTHORITY.sign("node", "localhost").write(directory, "node")
    (directory / "ca.pem").write_text(AUTHORITY.certificate)
    for name, options in (("open", SERVER_ONLY), ("mutual", MUTUAL)):
        (directory / f"{name}.conf").write_text(options)
        words = ["erl", "-noinput", "-sname", name, "-setcookie", COOKIE, "-proto_dist", "inet_tls"]
        flags = [f"--name={name}", f"--hostname=tls-{name}", f"--volume={directory}:/tls:ro"]
        command = [*words, "-ssl_dist_optfile", f"/tls/{name}.conf"]
        server.docker("run", "--detach", *flags, "elixir:lab", *command, timeout=60)
    yield directory
    server.docker("rm", "-f", "open", "mutual", timeout=60)


@pytest.fixture(scope="module")
def client(laptop: Laptop) -> list[str]:
    """The options that name a certificate of the person's own, on the laptop."""
    certificate, key = AUTHORITY.sign("me").write(laptop.home, "me")
    (laptop.home / "ca.pem").write_text(AUTHORITY.certificate)
    for path in (certificate, key, laptop.home / "ca.pem"):
        path.chmod(0o644)
    return ["--tls-ca=ca.pem", f"--tls-certificate={certificate.name}", f"--tls-key={key.name}"]


def listed(laptop: Laptop, *options: str) -> dict[str, Any]:
    """The two nodes as ``spyglass nodes`` lists them."""
    told = laptop.spyglass_json("nodes", "lab", *options)
    return {node["node"]: node for node in told["nodes"] if node["node"] in NODES}


def both_up(laptop: Laptop) -> bool:
    """Whether both nodes answer; a VM with TLS takes a second."""
    return all(node["tls"] for node in listed(laptop).values()) and len(listed(laptop)) == len(NODES)


@pytest.fixture
def up(laptop: Laptop, tls: Path) -> Path:
    """Both nodes are up."""
    wait_until(lambda: both_up(laptop), "both nodes are up", 20)
    return tls


def test_one_that_shows_a_certificate_is_as_open_as_any(laptop: Laptop, server: Server, up: Path) -> None:
    before = server.container_log("open")  # while it starts, a visitor may leave before it has answered
    node = listed(laptop)["open@tls-open"]
    assert (node["reachable"], node["tls"], node["cookie"]["proved"]) == (True, True, True)
    done = laptop.spyglass("rpc", "lab", node["node"], "erlang", "node", "--container", "open")
    assert done.stdout.strip() == "'open@tls-open'"
    assert "error" not in server.container_log("open").replace(before, "").lower()


def test_one_that_wants_a_certificate_says_so_and_is_opened_by_one(
    laptop: Laptop, up: Path, client: list[str]
) -> None:
    node = listed(laptop)["mutual@tls-mutual"]
    assert (node["reachable"], node["tls"]) == (False, True)
    assert node["why_not"] == "wants a client certificate"
    opened = listed(laptop, *client)
    assert all(node["reachable"] and node["cookie"]["proved"] for node in opened.values())


def test_an_authority_that_did_not_sign_for_them_is_told(laptop: Laptop, up: Path, client: list[str]) -> None:
    (laptop.home / "stranger.pem").write_text(Authority("Somebody else").certificate)
    node = listed(laptop, "--tls-ca=stranger.pem")["open@tls-open"]
    assert node["why_not"] == "its TLS certificate is not to be trusted"


@pytest.fixture
def inward(server: Server, up: Path) -> Iterator[str]:
    """One that listens on its container's loopback only, as its epmd does."""
    node = ["erl", "-noinput", "-sname", "inward", "-setcookie", COOKIE, "-proto_dist", "inet_tls"]
    node += ["-ssl_dist_optfile", "/tls/open.conf", "-kernel", "inet_dist_use_interface", "{127,0,0,1}"]
    flags = [
        "--name=tls-in",
        "--hostname=tls-in",
        f"--volume={up}:/tls:ro",
        "--env=ERL_EPMD_ADDRESS=127.0.0.1",
    ]
    server.docker("run", "--detach", *flags, "elixir:lab", *node, timeout=60)
    ask = ["docker", "exec", "tls-in", "epmd", "-names"]
    wait_until(lambda: "inward" in server.place.run(ask, check=False).stdout, "it is up", 20, every=0.2)
    yield "inward@tls-in"
    server.docker("rm", "-f", "tls-in", timeout=60)


@pytest.mark.parametrize("target", ["lab", "unforwarded@lab"])
def test_a_command_carries_tls_as_well(laptop: Laptop, inward: str, target: str) -> None:
    (node,) = laptop.spyglass_json("nodes", target, "--container", "tls-in", "--batch")["nodes"]
    assert (node["via"], node["tls"], node["cookie"]["proved"]) == ("relay (nc)", True, True), node["why_not"]
    done = laptop.spyglass("rpc", target, inward, "erlang", "node", "--batch")
    assert done.stdout.strip().strip("'") == inward


PING = """
case net_adm:ping('open@tls-open') of
    pong -> io:format("~p ~p~n", [rpc:call('open@tls-open', erlang, node, []), code:which(spyglass_epmd)]);
    pang -> io:format("pang~n")
end, halt().
"""


def test_at_its_own_address_it_speaks_tls_to_a_tool_that_does(laptop: Laptop, up: Path) -> None:
    """What listens there is the node, byte by byte: a tool without TLS does not get in."""
    (laptop.home / "hosts").write_text('{lookup, [file]}. {host, {127,0,0,41}, ["tls-open"]}.\n')
    guest = laptop.start_spyglass("forward", "lab", "open@tls-open", "--alias", "127.0.0.41", "--batch")
    out = guest.popen.stdout
    assert out is not None
    try:
        assert out.readline().startswith(b"open@tls-open  127.0.0.41:")
        assert b" -proto_dist inet_tls -ssl_dist_optfile " in out.readline()
        tool = ["erl", "-noinput", "-hidden", "-sname", "me@localhost", "-setcookie", COOKIE, "-eval", PING]
        env = {"ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_INETRC": f"{DEV.home}/hosts"}
        spoken = laptop.run([*tool, "-proto_dist", "inet_tls"], env=env).stdout
        assert spoken.splitlines()[-1] == "'open@tls-open' non_existing"
        assert laptop.run(tool, env=env).stdout.strip() == "pang"
    finally:
        guest.close()
        (laptop.home / "hosts").unlink()
        for pid in (pid for pid, command in laptop.processes().items() if "epmd -daemon" in command):
            laptop.place.run(["kill", str(pid)])


def test_it_is_in_one_window_with_nodes_of_other_cookies(
    laptop: Laptop, desktop: Desktop, fleet: Fleet, up: Path, client: list[str]
) -> None:
    others = [truth for truth in (fleet["app"], fleet["shop"]) if truth.cookie != COOKIE]
    guest = laptop.start_spyglass("observe", "lab", "open@tls-open", "--all", "--batch", *client)
    try:
        window = desktop.wait_window(r"open@tls-open$", 30)
        for truth in others:
            wait_until(lambda truth=truth: fleet.peers(truth, "hidden") != [], f"{truth.node} is in", 20)  # type: ignore[misc]
        for node in NODES:
            done = laptop.spyglass("rpc", "lab", node, "erlang", "nodes", "hidden", "--batch", *client)
            assert done.stdout.count("spyglass") == 2, done.stdout  # the window's, and the one that asks
        desktop.close_window(window)
        assert guest.wait() == 0
    finally:
        guest.close()


def test_observer_opens_on_it(laptop: Laptop, desktop: Desktop, up: Path, client: list[str]) -> None:
    guest = laptop.start_spyglass("observe", "lab", "mutual@tls-mutual", *client)
    try:
        window = desktop.wait_window(r"mutual@tls-mutual$", 30)
        desktop.close_window(window)
        assert guest.wait() == 0
    finally:
        guest.close()


def test_the_nodes_own_certificate_is_read_after_consent_and_shown_nowhere(
    laptop: Laptop, desktop: Desktop, up: Path
) -> None:
    with Terminal(laptop, [*spyglass_command(), "observe", "lab", "mutual@tls-mutual"]) as person:
        person.expect("wants a client certificate")
        person.expect(r"\[y\]es or \[n\]o")
        person.type("y\n")
        window = desktop.wait_window(r"mutual@tls-mutual$", 30)
        secret = (up / "node.key").read_text().splitlines()[1]
        kept = [path for path in laptop.home.rglob("*") if path.is_file() and path.name != "me.key"]
        assert not any(secret in path.read_text("utf-8", "replace") for path in kept)
        desktop.close_window(window)
        assert person.wait() == 0


def test_without_consent_or_anybody_to_give_it_the_remedy_is_told(laptop: Laptop, up: Path) -> None:
    done = laptop.spyglass("rpc", "lab", "mutual@tls-mutual", "erlang", "node", "--batch")
    assert done.returncode == 1
    assert re.search(r"wants a client certificate\n.*--tls-certificate", done.stderr)
