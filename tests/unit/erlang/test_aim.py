"""A target by a name that is resolved at the far end: who is asked, what belongs, and what is dialled."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from spyglass.erlang import metadata
from spyglass.erlang.discovery import Discovery, discover
from spyglass.profile import Selector
from spyglass.remote.base import Output, Stop
from support.fake_remote import FakeEpmd, FakeNode, FakeRemote, Player, Said
from support.fake_survey import FakeBeam, FakeHost, container, identity

ALL = "00000000"
WEB, FAR = "172.17.0.1", "10.42.9.9"
HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
RANCHER = {"io.rancher.stack_service.name": "hello/app"}


class Server(FakeHost):
    """A host that also resolves names: ``knows`` by who is asked (empty: the host, else a container's id)."""

    knows: dict[str, list[str]]
    tool = "getent"
    metadata = b""

    def answer(self, argv: list[str], stdin: bytes | None) -> Output:
        """Run the script that came."""
        script = stdin or b""
        inside = next((one for one in argv if len(one) == 64), "")
        if b"\nname=" in script:
            mark = script.split(b"\n", 1)[0].removeprefix(b"mark=").decode()
            lines = "\n".join(self.knows.get(inside, []))
            return Output(0, f"\n{mark} {self.tool}\n{lines}\n{mark} config\n".encode())
        if script.startswith(b"url="):
            return Output(0, self.metadata)
        return super().answer(argv, stdin)


def server(*beams: FakeBeam, **containers: Any) -> Server:
    made = Server([container(), container(2, "db"), *containers.get("more", [])], list(beams) or [web()])
    made.knows = {}
    return made


def web(words: str = "-name hello@172.17.0.1 -setcookie right") -> FakeBeam:
    return FakeBeam(11, words, container=identity(1), listening=[(ALL, 4369, 1), (ALL, 45011, 2)])


def at(node: FakeNode, address: str) -> dict[tuple[str, int], Callable[[], Player]]:
    short = node.name.partition("@")[0]
    return {(address, 4369): lambda: FakeEpmd({short: 45011}), (address, 45011): node.player}


def look(host: Server, listening: dict[tuple[str, int], Callable[[], Player]], **select: Any) -> Discovery:
    remote = FakeRemote(listening, host.answer)
    return discover(
        remote, hops=("deploy@web1",), me="spyglass_1@127.0.0.1", stop=Stop(), select=Selector(**select)
    )


def names(discovery: Discovery) -> list[str]:
    return [found.info.node for found in discovery.found]


def test_the_container_that_has_the_address_belongs() -> None:
    host, node = server(), FakeNode("hello@172.17.0.1")
    host.knows[""] = [WEB]
    discovery = look(host, at(node, WEB), dns="web.internal")
    assert [(f.info.node, f.info.container) for f in discovery.found] == [("hello@172.17.0.1", "web")]
    assert discovery.containers == {"docker": (2, 1)}
    assert discovery.aim
    assert discovery.aim.addresses == {WEB}


def test_a_name_may_be_asked_inside_a_container() -> None:
    host, node = server(), FakeNode("hello@172.17.0.1")
    host.knows[identity(2)] = [WEB]
    assert names(look(host, at(node, WEB), dns="web", ask_in="db")) == ["hello@172.17.0.1"]


def test_an_address_that_no_container_has_is_dialled_itself_with_the_cookie_of_its_kin() -> None:
    host, far = server(), FakeNode("hello@10.42.9.9")
    host.knows[""] = [WEB, FAR]
    discovery = look(host, at(FakeNode("hello@172.17.0.1"), WEB) | at(far, FAR), dns="web.internal")
    found = {f.info.node: f.info for f in discovery.found}
    assert sorted(found) == ["hello@10.42.9.9", "hello@172.17.0.1"]
    info = found["hello@10.42.9.9"]
    assert (info.reachable, info.runtime, info.container, info.address) == (True, "address", None, FAR)
    assert info.cookie.source == "-setcookie of web"
    assert far.wrong == 0


def test_a_name_that_leads_nowhere_is_said_and_matches_nothing() -> None:
    discovery = look(server(), at(FakeNode("hello@172.17.0.1"), WEB), dns="web.internal")
    assert (names(discovery), len(discovery.warnings)) == ([], 1)
    assert "web.internal" in discovery.warnings[0]


def test_a_container_that_cannot_be_asked_is_said_with_those_that_can() -> None:
    discovery = look(server(), {}, dns="web", ask_in="gone")
    assert discovery.found == []
    assert "gone" in discovery.warnings[0]
    assert "db, web" in discovery.warnings[0]


def test_the_engine_tells_what_a_container_without_tools_cannot() -> None:
    network = {"IPAddress": "172.18.0.5", "Aliases": ["web"]}
    members = [container(3, "node1", Networks={"net_poc": network})]
    members += [
        container(4, "node2", Networks={"net_poc": {"IPAddress": "172.18.0.6", "Aliases": ["other"]}})
    ]
    host = server(more=members)
    host.tool = "none"
    discovery = look(host, {}, dns="web", ask_in="node2")
    assert discovery.aim
    assert discovery.aim.addresses == {"172.18.0.5"}


def test_an_address_of_the_host_means_its_own_nodes() -> None:
    beam = FakeBeam(11, "-name bare@web1.lan -setcookie right", listening=[(ALL, 4369, 1), (ALL, 45011, 2)])
    host, node = server(beam, web()), FakeNode("bare@web1.lan")
    host.knows[""] = ["10.99.0.1"]
    assert names(look(host, at(node, "127.0.0.1"), dns="web1.lan")) == ["bare@web1.lan"]


def test_rancher_tells_of_members_here_and_elsewhere() -> None:
    host, far = server(more=[container(3, "app", Labels=RANCHER)]), FakeNode("hello@10.42.9.9")
    told = [{"stack_name": "hello", "service_name": "app", "primary_ip": ip} for ip in (FAR, "172.17.0.3")]
    listening = at(far, FAR) | {(metadata.HOST, 80): lambda: Said(HEAD + json.dumps(told).encode())}
    discovery = look(host, listening, rancher="hello/app")
    assert discovery.aim
    assert discovery.aim.addresses == {FAR, "172.17.0.3"}
    assert discovery.containers == {"docker": (3, 1)}
    assert names(discovery) == ["hello@10.42.9.9"]


def test_where_the_host_cannot_ask_a_container_of_the_stack_does() -> None:
    host = server(more=[container(3, "app", Labels=RANCHER)])
    host.metadata = json.dumps([{"stack_name": "hello", "service_name": "app", "primary_ip": FAR}]).encode()
    discovery = look(host, {}, rancher="hello/app")
    assert discovery.aim
    assert discovery.aim.addresses == {FAR}
    host.metadata = b"[]"
    assert discovery.aim.ask() == frozenset()


@pytest.mark.parametrize("labelled", [True, False])
def test_without_the_service_labels_have_to_do(labelled: bool) -> None:
    host = server(more=[container(3, "app", Labels=RANCHER)] if labelled else [])
    discovery = look(host, {}, rancher="hello/app")
    assert discovery.containers == {"docker": (2 + labelled, int(labelled))}
    assert bool(discovery.warnings) is not labelled
