"""An engine's API: containers, commands, files, and what it says no to."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import pytest

from spyglass.errors import Denied, Failure, Missing
from spyglass.profile import EngineHop
from spyglass.remote.container import Container, find, read_inspect
from spyglass.remote.engine_host import EngineHost
from support.fake_api import HOST, URL, FakeApi
from support.fake_remote import FakeRemote, Said
from support.fake_survey import container, identity

ME = identity(1)
PORTS = {"12345/tcp": [{"HostIp": "0.0.0.0", "HostPort": "49153"}]}
UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n\r\n"
FRAMES = b"\x01\0\0\0\0\0\0\x02hi" + b"\x02\0\0\0\0\0\0\x02oh"


def engine(answers: dict[str, Any] | None = None, **more: Any) -> tuple[EngineHost, FakeApi, FakeRemote]:
    told = {
        "GET /containers/json": [{"Id": ME}],
        f"GET /containers/{ME}/json": container(1, "web", Ports=PORTS),
        "GET /containers/web/json": container(1, "web", Ports=PORTS),
        f"POST /containers/{ME}/exec": {"Id": "e1"},
        "POST /exec/e1/start": UPGRADED + FRAMES,
        "GET /exec/e1/json": {"ExitCode": 3},
        **(answers or {}),
    }
    api = FakeApi(told)
    remote = api.remote(more.get("others"))
    return EngineHost.open(EngineHop(URL, plain=True), remote, pytest.fail), api, remote  # type: ignore[arg-type]


def web(host: EngineHost) -> Container:
    return Container(host, read_inspect(host.engine, host.containers())[0][0])


def test_a_container_is_read_and_runs_commands() -> None:
    host, api, _ = engine()
    output = web(host).run(["sh", "-s"], b"echo hi\n")
    assert (output.status, output.stdout, output.stderr) == (3, b"hi", b"oh")
    assert api.asked[-3:] == [
        f"POST /containers/{ME}/exec",
        "POST /exec/e1/start",
        "GET /exec/e1/json",
    ]


def test_a_pipe_into_a_container() -> None:
    piped = web(engine()[0]).pipe(["nc", "127.0.0.1", "4369"])
    assert (piped.recv(100), piped.recv(100), piped.why()) == (b"hi", b"", "oh")
    piped.close()


def test_a_file_is_read_from_an_archive() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("COOKIE")
        entry.size = 5
        archive.addfile(entry, io.BytesIO(b"abcde"))
    host, api, _ = engine({f"GET /containers/{ME}/archive": buffer.getvalue()})
    host.engine.archive(host, ME, "/x")
    api.answers[f"GET /containers/{ME}/archive"] = (200, buffer.getvalue())
    assert web(host).read("/app/COO KIE") == b"abcde"
    assert api.asked[-1].endswith("/archive?path=%2Fapp%2FCOO+KIE")
    assert web(engine()[0]).read("/none") is None


def test_what_is_published_lies_at_the_engine_s_host_and_is_dialled_first() -> None:
    host, _, remote = engine(others={(HOST, 49153): lambda: Said(b"hi")})
    assert web(host).dial("localhost", 12345).recv(5) == b"hi"
    assert remote.dialled[-1] == (HOST, 49153)


def test_podman_s_api_is_called_by_its_name() -> None:
    host, _, _ = engine({"GET /version": {"Components": [{"Name": "Podman Engine"}]}})
    assert web(host).facts.engine == "podman"


@pytest.mark.parametrize(
    "rows",
    [[["1", "beam.smp"], ["20", "epmd"]], [["1 beam.smp"], ["20   epmd"]], [[1, "beam.smp"], [], ["epmd"]]],
)
def test_processes_are_told_in_several_ways(rows: list[Any]) -> None:
    host, _, _ = engine({f"GET /containers/{ME}/top": {"Processes": rows}})
    assert host.engine.processes(ME) == ["beam.smp", "epmd"]


def test_a_container_is_found_by_name_and_others_are_named() -> None:
    host, _, _ = engine()
    assert find(host, "web").facts.id == ME
    with pytest.raises(Missing) as caught:
        find(host, "shop/../x")
    assert (caught.value.title, caught.value.hint) == (
        f"{URL} runs no container shop/../x",
        "Running there: web.",
    )


def test_the_host_itself_runs_nothing() -> None:
    host, _, _ = engine()
    with pytest.raises(Denied, match="runs commands in containers only"):
        host.run(["id"])


@pytest.mark.parametrize(
    ("version", "title"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n<html>", f"{URL} is no container engine's API: it does not answer in JSON"),
        (b"220 ftp ready\r\n\r\n", f"{URL} is no container engine's API: it does not speak HTTP"),
        ((403, {"message": "authorization denied"}), f"{URL} says: authorization denied"),
        ((500, {"message": "\x1b[31mbad\n" + "x" * 999}), f"{URL} says:  [31mbad {'x' * 291}"),
        ((400, b"Client sent an HTTP request to an HTTPS server.\n"), f"{URL} speaks TLS only"),
    ],
)
def test_what_else_answers_is_one_clear_line(version: Any, title: str) -> None:
    with pytest.raises(Failure) as caught:
        engine({"GET /version": version})
    assert caught.value.title == title


@pytest.mark.parametrize("told", [7, None, [1, None, {"Id": 5}, {"Id": "../../x"}], {"a": 1}, "x"])
def test_lists_of_a_surprising_shape_hold_no_container(told: object) -> None:
    assert engine({"GET /containers/json": told})[0].containers() == []


def test_no_shell_inside_is_told_as_such() -> None:
    host, _, _ = engine({"POST /exec/e1/start": (400, {"message": "OCI runtime exec failed: no such file"})})
    with pytest.raises(Failure) as caught:
        web(host).run(["sh"])
    assert caught.value.code == "no-shell"


def test_only_what_discovery_needs_of_an_environment_is_kept() -> None:
    told = json.dumps(container(1, Env=["RELEASE_COOKIE=a", "DATABASE_URL=secret", "HOME=/x", "MY_NODE=b"]))
    facts = read_inspect("docker", [told])[0][0]
    assert facts.environ == {"RELEASE_COOKIE": "a", "HOME": "/x", "MY_NODE": "b"}


def test_what_happens_is_told_line_by_line() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    host, _, _ = engine({"GET /events": head + b"5\r\none\nt\r\n3\r\nwo\n\r\n0\r\n\r\n"})
    feed = host.engine.events()
    assert feed is not None
    assert [feed.recv(99), feed.recv(99), feed.recv(99)] == [b"one\nt", b"wo\n", b""]


def test_an_engine_that_tells_nothing_says_so() -> None:
    host, _, remote = engine({"GET /events": (403, {"message": "not for you"})})
    with pytest.raises(Denied, match="not for you"):
        host.engine.events()
    assert all(stream.closed for stream in remote.streams)
