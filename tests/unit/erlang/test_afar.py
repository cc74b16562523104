"""Discovery where there is no shell: by an engine's API, and inside only where a BEAM runs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from spyglass.erlang.discovery import Discovery, discover
from spyglass.profile import EngineHop
from spyglass.remote.base import Stop
from spyglass.remote.engine_host import EngineHost
from support.fake_api import HOST, URL, FakeApi
from support.fake_remote import FakeNode
from support.fake_survey import FakeBeam, FakeHost, container, identity

WEB, DB = identity(1), identity(2)
PORTS = {"12345/tcp": [{"HostIp": "0.0.0.0", "HostPort": "49153"}]}
NODE = f"{WEB[:12]}@{HOST}"
BEAM = FakeBeam(
    7, f"-name {NODE} -setcookie right", container="", sockets=(900,), listening=[("00000000", 12345, 900)]
)


class Api(FakeApi):
    """Two containers, the first with a BEAM; inside runs what a real script would write."""

    def __init__(self, **answers: Any) -> None:
        top = {"Titles": ["PID", "COMMAND"], "Processes": [["1", "sh"], ["7", "beam.smp"]]}
        told = {
            "GET /containers/json": [{"Id": WEB}, {"Id": DB}],
            f"GET /containers/{WEB}/json": container(1, "web", Ports=PORTS),
            f"GET /containers/{DB}/json": container(2, "db"),
            f"GET /containers/{WEB}/top": top,
            f"GET /containers/{DB}/top": {"Processes": [["9", "postgres"]]},
            f"POST /containers/{WEB}/exec": {"Id": "e1"},
            f"POST /containers/{DB}/exec": {"Id": "e2"},
            "POST /exec/e1/start": b"HTTP/1.1 101 UPGRADED\r\n\r\n",
            "GET /exec/e1/json": {"ExitCode": 0},
        }
        super().__init__(told | answers)
        self.beam = BEAM

    def hears_input(self, data: bytes) -> bytes | None:
        if not re.match(rb"mark=", data):
            return None
        host = FakeHost(inside={WEB: [self.beam]})
        out = host.answer(["docker", "exec", WEB, "sh", "-s"], data).stdout
        return b"\x01\0\0\0" + len(out).to_bytes(4, "big") + out

    def discover(self, nodes: dict[int, FakeNode], **more: Any) -> Discovery:
        others = {(HOST, port): node.player for port, node in nodes.items()} | more.get("others", {})
        place = EngineHost.open(EngineHop(URL, plain=True), self.remote(others), pytest.fail)  # type: ignore[arg-type]
        return discover(place, hops=(URL,), me="spyglass_1@here", stop=Stop())


def test_a_node_without_epmd_is_found_at_the_port_that_is_published_for_it() -> None:
    api = Api()
    found = api.discover({49153: FakeNode(NODE)})
    assert found.warnings == []
    assert [(f.info.node, f.info.reachable, f.info.via) for f in found.found] == [
        (NODE, True, "published port")
    ]
    assert (found.found[0].host, found.found[0].port, found.found[0].cookie) == (HOST, 49153, "right")
    assert f"POST /containers/{DB}/exec" not in api.asked  # nothing runs where no BEAM does


def test_another_node_at_an_address_that_means_something_else_here_is_not_taken_for_it() -> None:
    api = Api(**{f"GET /containers/{WEB}/json": container(1, "web")})
    here = FakeNode("mine@laptop")
    found = api.discover({}, others={("172.17.0.1", 12345): here.player})
    assert [(f.info.node, f.info.reachable) for f in found.found] == [(NODE, False)]
    assert here.wrong == 0
    assert api.asked.count(f"POST /containers/{WEB}/exec") > 1  # and a command inside was tried


def test_an_engine_that_cannot_tell_processes_is_asked_inside() -> None:
    api = Api(**{f"GET /containers/{WEB}/top": (500, {"message": "no ps"})})
    assert api.discover({49153: FakeNode(NODE)}).found[0].info.reachable


def test_a_container_that_lets_nobody_look_is_a_warning() -> None:
    api = Api(**{"POST /exec/e1/start": (409, {"message": "container is paused"})})
    found = api.discover({})
    assert found.warnings == [f"No look into the container web: {URL} says: container is paused"]
