"""Source 5: nodes called ``ContainerID@HostIP`` without epmd, found by the API of their host's engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from support.lab.api_host import ADDRESS, API, ApiHost
from support.lab.desktop import Desktop
from support.lab.driver import Driver
from support.lab.laptop import Laptop
from support.lab.server import wait_until

COOKIE = "SPYLAB-cookie-far-77e0"
KERNEL = "-kernel inet_dist_listen_min 9100 inet_dist_listen_max 9100"
LIMIT = 6.0  # seconds in which a list has to follow
# The recipe: the port is fixed in the container, published to whatever is free; the name says both.
START = (
    'exec erl -noinput -name "$(hostname)@$HOST_IP" -setcookie "$0" -start_epmd false '
    "-kernel inet_dist_listen_min 12345 inet_dist_listen_max 12345 "
    '-erl_epmd_port 12345 -eval "io:format(\\"up~n\\")"'
)


@pytest.fixture(scope="module")
def node(far: ApiHost) -> Iterator[str]:
    """One node of the recipe, and a container with no node; returns the node's name."""
    far.listen()
    far.docker("run", "--detach", "--name=plain", "elixir:lab", "sleep", "1000000")
    run = ["run", "--detach", "-p", "12345", f"--env=HOST_IP={ADDRESS}", "elixir:lab"]
    identity = far.docker(*run, "sh", "-c", START, COOKIE)
    wait_until(lambda: "up" in far.docker("logs", identity), "the far node is up", 20)
    yield f"{identity[:12]}@{ADDRESS}"
    far.docker("rm", "--force", identity, "plain")


def published(far: ApiHost, node: str) -> int:
    return int(far.docker("port", node.partition("@")[0], "12345/tcp").splitlines()[0].rpartition(":")[2])


def found(laptop: Laptop, *words: str) -> dict[str, Any]:
    document = laptop.spyglass_json("nodes", *words, "--batch")
    assert document["warnings"] == []
    return {one["node"]: one for one in document["nodes"]}


def test_a_node_without_epmd_is_found_by_the_engine_s_api(laptop: Laptop, far: ApiHost, node: str) -> None:
    far.show_laptop(the_way=True)
    told = found(laptop, API, "--plain-api")
    assert list(told) == [node]
    one = told[node]
    assert one["reachable"], one["why_not"]
    assert (one["runtime"], one["hops"], one["epmd_port"]) == ("docker", [API], None)
    assert (one["via"], one["address"], one["port"]) == ("published port", ADDRESS, published(far, node))
    assert one["container_id"].startswith(node.partition("@")[0])
    assert one["cookie"] == {"found": True, "source": "-setcookie", "proved": True}
    done = laptop.spyglass("rpc", API, node, "erlang", "node", "--plain-api", "--batch")
    assert (done.stdout.strip().strip("'"), done.stderr) == (node, "")


def test_observer_opens_on_it(laptop: Laptop, far: ApiHost, node: str, desktop: Desktop) -> None:
    far.show_laptop(the_way=True)
    guest = laptop.start_spyglass("observe", API, node, "--plain-api", "--batch")
    try:
        desktop.close_window(desktop.wait_window(node))
        assert guest.wait() == 0
    finally:
        guest.close()


def test_it_is_found_over_ssh_as_well(laptop: Laptop, far: ApiHost, node: str) -> None:
    """The laptop does not reach the host; the server does, and carries everything."""
    far.show_laptop(the_way=False)
    one = found(laptop, API, "--jump", "lab", "--plain-api")[node]
    assert one["reachable"], one["why_not"]
    assert one["hops"][-1] == API
    done = laptop.spyglass("rpc", API, node, "erlang", "node", "--jump", "lab", "--plain-api", "--batch")
    assert (done.stdout.strip().strip("'"), done.stderr) == (node, "")


def test_what_publishes_nothing_to_us_is_reached_by_a_command_inside(
    laptop: Laptop, far: ApiHost, node: str
) -> None:
    """The laptop does not know the way to the container's address, nor to the host's loopback, where its
    port is published; the API's exec does."""
    far.show_laptop(the_way=True)
    command = ["elixir", "--sname", "hush", "--cookie", COOKIE, "--erl", KERNEL, "--no-halt"]
    run = ["run", "--detach", "--name=hush", "--hostname=hush", "-p", "127.0.0.1:9100:9100", "elixir:lab"]
    far.docker(*run, *command)
    try:
        wait_until(lambda: "hush" in far.docker("exec", "hush", "epmd", "-names"), "hush", 20, 0.2)
        one = found(laptop, f"{API}/hush", "--plain-api")["hush@hush"]
        assert (one["reachable"], one["via"]) == (True, "relay (nc)"), one["why_not"]
        done = laptop.spyglass("rpc", API, "hush@hush", "erlang", "node", "--plain-api", "--batch")
        assert (done.stdout.strip(), done.stderr) == ("hush@hush", "")
    finally:
        far.docker("rm", "--force", "hush")


def test_a_container_there_is_picked_by_name_or_id(laptop: Laptop, far: ApiHost, node: str) -> None:
    far.show_laptop(the_way=True)
    identity = node.partition("@")[0]
    assert list(found(laptop, f"{API}/{identity}", "--plain-api")) == [node]
    assert found(laptop, f"{API}/plain", "--plain-api") == {}


def test_who_comes_and_goes_is_followed_by_the_engine_s_events(
    laptop: Laptop, far: ApiHost, node: str
) -> None:
    far.show_laptop(the_way=True)
    command = ["erl", "-noinput", "-name", f"comes@{ADDRESS}", "-setcookie", COOKIE]
    command += ["-start_epmd", "false", "-erl_epmd_port", "12399"]
    with Driver(laptop, API) as driver:
        driver.send("connect")
        driver.ready()
        far.docker("run", "--detach", "--name=comes", "-p", "12399:12399", "elixir:lab", *command)
        try:
            driver.appears("comes", LIMIT)
        finally:
            far.docker("rm", "--force", "comes")
        driver.vanishes("comes", LIMIT)


def test_without_tls_a_person_has_to_agree(laptop: Laptop, far: ApiHost, node: str) -> None:
    far.show_laptop(the_way=True)
    done = laptop.spyglass("nodes", API, "--batch")
    assert done.returncode == 1
    title, hint = done.stderr.splitlines()
    assert title == f"{API} is an engine's API without TLS"
    assert "It takes a person to agree to: use it without TLS (in a profile: `plain = true`)." in hint
    assert laptop.spyglass("profiles", "add", "far", API, "--plain-api").returncode == 0
    assert node in found(laptop, "far")
    assert "plain = true" in laptop.spyglass("profiles", "show", "far").stdout
    laptop.spyglass("profiles", "remove", "far")


@pytest.mark.leaves("process", "the engine, started anew, is the module's")
def test_with_certificates_on_both_sides_nobody_is_asked(laptop: Laptop, far: ApiHost, node: str) -> None:
    far.show_laptop(the_way=True)
    far.listen(tls=True)
    try:
        for name, other in (("ours", False), ("others", True)):
            directory = far.certificates(laptop.home / name, other=other)
            for path in (directory, *directory.iterdir()):
                path.chmod(0o755 if path.is_dir() else 0o644)
        one = found(laptop, API, "--docker-certs", "ours")[node]
        assert one["reachable"], one["why_not"]
        done = laptop.spyglass("rpc", API, node, "erlang", "node", "--docker-certs", "ours", "--batch")
        assert (done.stdout.strip().strip("'"), done.stderr) == (node, "")
        refused(laptop, ["--docker-certs", "others"], f"{API} refuses in TLS: ")
        refused(laptop, ["--plain-api"], f"{API} speaks TLS only")
        (laptop.home / "ours/ca.pem").write_text((laptop.home / "ours/cert.pem").read_text())
        refused(
            laptop, ["--docker-certs", "ours"], f"{API}: The server's TLS certificate is not to be trusted"
        )
    finally:
        far.listen()


def refused(laptop: Laptop, words: list[str], beginning: str) -> None:
    done = laptop.spyglass("nodes", API, *words, "--batch")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(beginning), done.stderr
    assert len(done.stderr.splitlines()) == 2, done.stderr
