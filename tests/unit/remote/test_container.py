"""A container as a place: commands, ports, files, and finding it."""

from __future__ import annotations

import io
import json
import socket
import tarfile
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from spyglass.errors import Denied, Failure, Missing, Unreachable
from spyglass.profile import ContainerHop
from spyglass.remote.base import Output, Stop
from spyglass.remote.container import CommandLine, Container, Facts, find, read_inspect
from spyglass.remote.opening import open_hops
from support.fake_remote import Answer, FakeRemote, Said
from support.fake_survey import container, identity


def facts(**more: Any) -> Facts:
    return read_inspect("docker", [json.dumps(container(**more))])[0][0]


def inside(
    answer: Answer = lambda argv, stdin: Output(0),
    listening: Sequence[tuple[str, int]] = (),
    user: str = "",
    **more: Any,
) -> tuple[Container, FakeRemote]:
    remote = FakeRemote({place: lambda: Said(b"hi") for place in listening}, answer)
    return Container(remote, facts(**more), user=user), remote


def test_a_command_runs_by_the_engine_s_exec() -> None:
    place, remote = inside(user="1000")
    place.run(["echo", "a b; rm"], stdin=b"text")
    assert remote.ran[0][3:] == ["docker", "exec", "-i", "-u", "1000", identity(1), "echo", "a b; rm"]


def test_a_pipe_goes_by_the_engine_s_exec_as_well() -> None:
    place, remote = inside(user="1000")
    place.pipe(["nc", "127.0.0.1", "4369"])
    assert remote.piped[0][3:] == [
        "docker", "exec", "-i", "-u", "1000", identity(1), "nc", "127.0.0.1", "4369",
    ]  # fmt: skip


def test_a_failing_command_is_an_output() -> None:
    place, _ = inside(lambda argv, stdin: Output(1, b"", b"grep: no such file"))
    assert place.run(["grep"]).status == 1


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Error response from daemon: No such container: 12", Unreachable),
        ("Error response from daemon: Container 12 is not running", Unreachable),
        ('Error: no container with name or ID "x" found: no such container', Unreachable),
        ("Got permission denied while trying to connect to the Docker daemon socket", Denied),
    ],
)  # fmt: skip
def test_what_the_engine_says_no_to(text: str, error: type[Failure]) -> None:
    place, _ = inside(lambda argv, stdin: Output(1, b"", text.encode()))
    with pytest.raises(error):
        place.run(["true"])


def test_its_own_address_is_dialled_and_the_published_port_after_it() -> None:
    ports = {"4369/tcp": [{"HostIp": "", "HostPort": "32000"}]}
    place, remote = inside(listening=[("127.0.0.1", 32000)], Ports=ports)
    assert place.dial("localhost", 4369).recv(9) == b"hi"
    assert remote.dialled == [("172.17.0.1", 4369), ("127.0.0.1", 32000)]
    place.dial("localhost", 4369)
    assert remote.dialled[2:] == [("127.0.0.1", 32000)]  # what worked is tried first


def test_a_container_in_the_host_s_network_is_dialled_on_the_host() -> None:
    place, _ = inside(listening=[("127.0.0.1", 4369)], Mode="host", Networks={})
    assert place.dial("127.0.0.1", 4369)


def test_no_way_in_is_said_with_the_reasons() -> None:
    place, _ = inside()
    with pytest.raises(Unreachable) as caught:
        place.dial("localhost", 4369)
    assert caught.value.title == (
        "Port 4369 of the container web does not answer: 172.17.0.1:4369 refuses the connection"
    )


def test_other_hosts_are_dialled_from_the_engine_s_host() -> None:
    place, remote = inside(listening=[("10.0.0.9", 80)])
    assert place.dial("10.0.0.9", 80)
    assert remote.dialled == [("10.0.0.9", 80)]


class Relaying(FakeRemote):
    def relay(self, listener: socket.socket, host: str, port: int) -> None:
        self.relayed = (host, port)


def test_a_relay_takes_the_inner_remote_s_fast_way() -> None:
    remote = Relaying({("172.17.0.1", 45011): lambda: Said(b"hi")}, lambda a, s: Output(0))
    with socket.socket() as listener:
        Container(remote, facts()).relay(listener, "172.17.0.1", 45011)
    assert remote.relayed == ("172.17.0.1", 45011)


def test_a_file_is_read_without_running_anything() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("COOKIE")
        entry.size = 5
        archive.addfile(entry, io.BytesIO(b"abcde"))
    place, remote = inside(lambda argv, stdin: Output(0, buffer.getvalue()))
    assert place.read("/app/COOKIE") == b"abcde"
    assert remote.ran[0][3:] == ["docker", "cp", f"{identity(1)}:/app/COOKIE", "-"]


@pytest.mark.parametrize("output", [Output(1), Output(0, b"no tar at all"), Output(0, b"")])
def test_no_file_is_none(output: Output) -> None:
    assert inside(lambda argv, stdin: output)[0].read("/x") is None


def engine(containers: Sequence[dict[str, object]], refusal: bytes = b"") -> FakeRemote:
    def answer(argv: list[str], stdin: bytes | None) -> Output:
        if argv == ["id", "-u"]:
            return Output(0, b"0\n")
        name = argv[3] if len(argv) > 3 else "podman"  # is it in use?
        if name != "docker":
            return Output(127)
        if refusal:
            return Output(1, b"", refusal)
        if "inspect" in argv:
            wanted = [json.dumps(c) for c in containers if str(c["Name"]).lstrip("/") == argv[-1]]
            return Output(0 if wanted else 1, "\n".join(wanted).encode(), b"Error: No such object")
        return Output(0, "\n".join(str(c["Name"]).lstrip("/") for c in containers).encode())

    return FakeRemote({}, answer)


def test_find_by_name() -> None:
    found = find(engine([container(1, "web"), container(2, "db")]), "db")
    assert (found.facts.name, found.facts.id, found.describe()) == ("db", identity(2), "container db")


def test_what_is_not_there_names_what_is() -> None:
    with pytest.raises(Missing) as caught:
        find(engine([container(1, "web"), container(2, "db")]), "shop")
    assert (caught.value.title, caught.value.hint) == (
        "deploy@web1 runs no container shop",
        "Running there: db, web.",
    )


@pytest.mark.parametrize(
    ("in_use", "asked"),
    [
        (b"", []),
        (b"own\n", [["podman", "inspect"]]),
        (b"roots\n", [["sudo", "-n", "podman", "inspect"]]),
        (b"own\nroots\n", [["podman", "inspect"], ["sudo", "-n", "podman", "inspect"]]),
        (b"root\n", []),
        (b"root\nroots\n", [["podman", "inspect"]]),
    ],
)
def test_podman_is_asked_only_where_that_leaves_nothing_behind(in_use: bytes, asked: list[list[str]]) -> None:
    remote = FakeRemote({}, lambda argv, stdin: Output(0, in_use) if len(argv) == 3 else Output(1))
    with pytest.raises(Missing):
        find(remote, "shop", "podman")
    words = [argv[3:] for argv in remote.ran if "inspect" in argv]
    assert [argv[: argv.index("inspect") + 1] for argv in words] == asked


def test_no_engine_at_all_is_missing() -> None:
    with pytest.raises(Missing, match="runs no container"):
        find(FakeRemote({}, lambda argv, stdin: Output(127)), "shop")


def test_no_leave_to_ask_is_denied() -> None:
    with pytest.raises(Denied) as caught:
        find(engine([], b"permission denied while trying to connect to the Docker daemon socket"), "web")
    assert caught.value.title == "Docker on deploy@web1: permission denied"


def test_sudo_and_an_engine_of_one_s_own_are_tried_where_docker_refuses() -> None:
    def answer(argv: list[str], stdin: bytes | None) -> Output:
        if argv == ["id", "-u"]:
            return Output(0, b"1000\n")
        if argv[3:6] == ["sudo", "-n", "docker"]:
            return Output(0, json.dumps(container(1, "web")).encode())
        return Output(1, b"", b"permission denied while trying to connect to the Docker daemon socket")

    remote = FakeRemote({}, answer)
    found = find(remote, "web", "docker")
    assert any("DOCKER_HOST=unix:///run/user/1000/docker.sock" in words for words in remote.ran)
    found.run(["true"])
    assert remote.ran[-1][3:7] == ["sudo", "-n", "docker", "exec"]


def test_a_right_to_sudo_that_was_taken_away_is_told() -> None:
    place, _ = inside(lambda argv, stdin: Output(1, b"", b"sudo: a password is required"))
    with pytest.raises(Denied, match="Docker on deploy@web1 may not be used by sudo any more"):
        place.run(["true"])


def test_the_addresses_of_a_rootless_engine_s_container_are_not_the_host_s_to_dial() -> None:
    """They may be those of quite another container, of root's engine on the same host."""
    ports = {"4369/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32000"}]}
    way = CommandLine("docker", rootless=True)
    told = read_inspect(way, [json.dumps(container(Ports=ports, Mode="host"))])[0][0]
    remote = FakeRemote({("127.0.0.1", 32000): lambda: Said(b"hi")}, lambda argv, stdin: Output(0))
    assert Container(remote, told).dial("172.17.0.1", 4369).recv(9) == b"hi"
    assert remote.dialled == [("127.0.0.1", 32000)]


@pytest.mark.parametrize("name", ["", "-it", "--help"])
def test_a_name_that_would_be_an_option_is_never_run(name: str) -> None:
    remote = engine([])
    with pytest.raises(Missing):
        find(remote, name)
    assert remote.ran == []


def test_whole_inspect_objects_are_understood() -> None:
    whole = {
        "Id": identity(1),
        "Name": "/web",
        "State": {"Pid": 42},
        "Config": {"Image": "img", "Hostname": "web-1", "Labels": {"a": "b"}, "Env": ["A=1"]},
        "HostConfig": {"NetworkMode": "bridge"},
        "NetworkSettings": {
            "Networks": {
                "bridge": {"IPAddress": "172.17.0.2", "GlobalIPv6Address": "fd00::2", "Aliases": ["w"]}
            },
            "Ports": {
                "80/tcp": [{"HostIp": "::", "HostPort": "8080"}],
                "53/udp": [{"HostIp": "", "HostPort": "53"}],
                "1/tcp": None,
            },
        },
    }
    one = read_inspect("podman", [json.dumps(whole)])[0][0]
    assert (one.engine, one.name, one.pid, one.image, one.hostname) == ("podman", "web", 42, "img", "web-1")
    assert (one.addresses, one.networks[0].aliases) == (("172.17.0.2", "fd00::2"), ("w",))
    assert [(p.port, p.host, p.host_port) for p in one.published] == [(80, "127.0.0.1", 8080)]
    assert "A=1" not in repr(one)


def test_a_hop_of_a_profile_opens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spyglass.remote.opening.Local", lambda: engine([container(1, "web")]))

    def ask(question: object) -> None:
        pytest.fail(f"asked {question}")

    with ExitStack() as stack:
        place = open_hops((ContainerHop(name="web"),), ask, Stop(), stack)[-1]
        assert place.describe() == "container web"
