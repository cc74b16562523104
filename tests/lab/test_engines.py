"""Every engine in every way that an account may use it, several at once: the real ones, on one server."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from support.lab.engines import Engines
from support.lab.fleet import Fleet
from support.lab.images import build
from support.lab.laptop import Laptop
from support.lab.server import ADDRESS, DEPLOY, NODOCKER, ROOTLESS, SUDOER, Server, wait_until
from support.lab.users import User

COOKIE = "SPYLAB-cookie-engines-4d1b"
KERNEL = "-kernel inet_dist_listen_min 9100 inet_dist_listen_max 9100"


def elixir(name: str, *more: str) -> list[str]:
    return ["--", "elixir", "--sname", name, "--cookie", COOKIE, *more, "--no-halt"]


TRACES = """
find "/home/$1" "/run/user/$2" "/tmp/containers-user-$2" ! -type d 2>/dev/null | sort
for dir in /proc/[0-9]*; do
  read -r name <"$dir/comm" && case $name in podman*|catatonit*|conmon*) echo "$dir $name" ;; esac
done 2>/dev/null
ls /var/lib/containers /run/containers 2>/dev/null || true
"""


@pytest.mark.parametrize("user", [DEPLOY, NODOCKER, SUDOER, ROOTLESS], ids=lambda user: user.name)
def test_looking_leaves_no_process_and_no_file_behind(
    laptop: Laptop, server: Server, fleet: Fleet, engines: Engines, user: User
) -> None:
    """Podman's command starts a process that stays, unless the account's containers run already."""

    def traces() -> set[str]:
        return set(server.place.run(["sh", "-c", TRACES, "sh", user.name, str(user.uid)]).stdout.splitlines())

    before = traces()
    for words in (["nodes", f"{user.name}@lab"], ["scratch", f"{user.name}@lab", "--container", "none"]):
        done = laptop.spyglass(*words, "--batch")
        assert done.returncode == (words[0] == "scratch"), done.stderr
    with suppress(TimeoutError):
        wait_until(lambda: traces() == before, "a command has ended with its channel", 5)
    assert traces() == before


@pytest.fixture(scope="module")
def podmen(engines: Engines, fleet: Fleet) -> Iterator[Engines]:
    """A node in root's Podman and one in rosa's own, beside the fleet in Docker."""
    flags = ["--name=rootpod", "--hostname=rootpod", "-p9500:9100"]
    engines.start(*flags, *elixir("rooted", "--erl", KERNEL))
    ports = ["-p127.0.0.1:14369:4369", "-p127.0.0.1:19100:9100"]
    engines.start("--name=mypod", "--hostname=mypod", *ports, *elixir("mine", "--erl", KERNEL), user=ROOTLESS)
    wait_until(lambda: "rooted" in engines.podman("exec", "rootpod", "epmd", "-names"), "rooted", 20, 0.2)
    mine = ("exec", "mypod", "epmd", "-names")
    wait_until(lambda: "mine" in engines.podman(*mine, user=ROOTLESS), "mine", 20, 0.2)
    yield engines
    engines.podman("rm", "--force", "--time=0", "rootpod")
    engines.podman("rm", "--force", "--time=0", "mypod", user=ROOTLESS)


def nodes(laptop: Laptop, target: str, *more: str) -> tuple[dict[str, Any], list[str]]:
    document = laptop.spyglass_json("nodes", target, "--batch", *more)
    return {node["node"]: node for node in document["nodes"]}, document["warnings"]


def reached(node: dict[str, Any]) -> tuple[Any, ...]:
    assert node["reachable"], node["why_not"]
    return node["runtime"], node["container"], node["image"], node["cookie"]["proved"]


def test_sudo_opens_the_engines_to_an_account_that_is_in_no_group(
    laptop: Laptop, podmen: Engines, fleet: Fleet
) -> None:
    found, warnings = nodes(laptop, "sudo-only@lab")
    assert reached(found["app@web-1"]) == ("docker", "web", "elixir:lab", True)
    assert found["app@web-1"]["cookie"]["source"] == ".erlang.cookie"
    assert reached(found["rooted@rootpod"]) == ("podman", "rootpod", "localhost/elixir:lab", True)
    in_containers = {truth.node for truth in fleet.nodes if truth.container}
    assert in_containers <= {node for node, told in found.items() if told["reachable"]}
    assert warnings == []
    done = laptop.spyglass("rpc", "sudo-only@lab", "rooted@rootpod", "erlang", "node", "--batch")
    assert (done.stdout.strip(), done.stderr) == ("rooted@rootpod", "")


def test_an_account_s_own_podman_is_reached_at_what_it_publishes(laptop: Laptop, podmen: Engines) -> None:
    found, warnings = nodes(laptop, "rosa@lab")
    assert [text[:39] for text in warnings] == ["Docker on rosa@lab: permission denied. "]
    mine = found["mine@mypod"]
    assert reached(mine) == ("podman", "mypod", "localhost/elixir:lab", True)
    assert (mine["via"], mine["address"], mine["port"]) == ("published port", "127.0.0.1", 19100)
    done = laptop.spyglass("rpc", "rosa@lab", "mine@mypod", "erlang", "node", "--batch")
    assert (done.stdout.strip(), done.stderr) == ("mine@mypod", "")


def test_what_an_account_s_own_podman_does_not_publish_is_reached_too(
    laptop: Laptop, podmen: Engines
) -> None:
    podmen.start("--name=quiet", "--hostname=quiet", *elixir("quiet"), user=ROOTLESS)
    try:
        ask = ("exec", "quiet", "epmd", "-names")
        wait_until(lambda: "quiet" in podmen.podman(*ask, user=ROOTLESS), "quiet", 20, 0.2)
        quiet = nodes(laptop, "rosa@lab", "--container", "quiet")[0]["quiet@quiet"]
        assert reached(quiet) == ("podman", "quiet", "localhost/elixir:lab", True)
        assert quiet["via"].startswith("relay")
    finally:
        podmen.podman("rm", "--force", "--time=0", "quiet", user=ROOTLESS)


def test_podman_s_api_is_as_good_as_docker_s(laptop: Laptop, podmen: Engines) -> None:
    service = podmen.serve_podman(f"tcp:{ADDRESS}:4244")
    try:
        found, warnings = nodes(laptop, f"tcp://{ADDRESS}:4244", "--plain-api")
        assert (list(found), warnings) == (["rooted@rootpod"], [])
        assert reached(found["rooted@rootpod"]) == ("podman", "rootpod", "localhost/elixir:lab", True)
        assert (found["rooted@rootpod"]["address"], found["rooted@rootpod"]["port"]) == (ADDRESS, 9500)
    finally:
        service.send(signal.SIGTERM)
        service.wait()


@pytest.fixture
def rootless(engines: Engines) -> Iterator[Engines]:
    """A node in rosa's own Docker."""
    engines.rootless_docker  # noqa: B018 - it starts
    erl = ["elixir", "--sname", "docked", "--cookie", COOKIE, "--erl", KERNEL.replace("9100", "9200")]
    run = ["run", "--detach", "--name=mydock", "--hostname=mydock", "-p", "9200:9200"]
    engines.docker(*run, "elixir:lab", *erl, "--no-halt")
    wait_until(lambda: "docked" in engines.docker("exec", "mydock", "epmd", "-names"), "docked", 20, 0.2)
    yield engines
    engines.docker("rm", "--force", "mydock")
    engines.stop_rootless_docker()


def test_rootless_docker_and_podman_are_told_apart_on_one_host(
    laptop: Laptop, podmen: Engines, rootless: Engines
) -> None:
    """Root's Docker runs there too, and has containers at the same addresses as the rootless one."""
    found, warnings = nodes(laptop, "rosa@lab")
    assert reached(found["docked@mydock"]) == ("docker", "mydock", "elixir:lab", True)
    assert reached(found["mine@mypod"]) == ("podman", "mypod", "localhost/elixir:lab", True)
    assert (found["docked@mydock"]["address"], found["docked@mydock"]["port"]) == ("127.0.0.1", 9200)
    assert [node for node, told in found.items() if told["container"] == "mydock"] == ["docked@mydock"]
    assert warnings == []  # nobody with engines of their own wants to hear that root's is closed
    done = laptop.spyglass("rpc", "rosa@lab", "docked@mydock", "erlang", "node", "--batch")
    assert (done.stdout.strip(), done.stderr) == ("docked@mydock", "")


def test_nerdctl_is_asked_in_the_way_that_it_understands(laptop: Laptop, engines: Engines) -> None:
    erl = ["elixir", "--sname", "nerd", "--cookie", COOKIE, "--erl", KERNEL.replace("9100", "9300")]
    run = ["run", "--detach", "--name=nerdy", "--hostname=nerdy", "-p", "9300:9300"]
    try:
        engines.nerdctl("import", str(build()["elixir:lab"]), "elixir:lab")
        engines.nerdctl(*run, "elixir:lab", *erl, "--no-halt")
        wait_until(lambda: "nerd" in engines.nerdctl("exec", "nerdy", "epmd", "-names"), "nerd", 20, 0.2)
        found, _ = nodes(laptop, "rosa@lab")
        told = found["nerd@nerdy"]
        assert reached(told) == ("nerdctl", "nerdy", "localhost/elixir:lab", True)
        assert (told["networks"], told["port"]) == (["unknown-eth0"], 9300)
        picked, _ = nodes(laptop, "rosa@lab", "--container", "nerdy")
        assert list(picked) == ["nerd@nerdy"]
    finally:
        engines.forget_nerdctl()


def test_a_container_of_either_podman_may_be_the_place(laptop: Laptop, podmen: Engines) -> None:
    for target, name in (("rosa@lab", "mypod"), ("sudo-only@lab", "rootpod")):
        found, _ = nodes(laptop, target, "--container", name)
        assert {node["container"] for node in found.values()} == {name}
