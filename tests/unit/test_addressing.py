"""The addresses of a connection's nodes: opened beside it, told in its status, kept over its periods."""

from __future__ import annotations

import itertools
import os
import queue
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from spyglass.addressing import Addressing
from spyglass.erlang.found import Found
from spyglass.errors import Failure
from spyglass.loopback.shared import Shared
from spyglass.profile import Profile
from spyglass.remote.base import Remote
from spyglass.remote.local import Local
from spyglass.status import NodeInfo
from spyglass.store import paths
from support import target

pytestmark = pytest.mark.warns("an address that can't be had is logged")
AUTO = Profile(name="lab", id="1" * 32, alias="auto")
numbers = itertools.count(2)


@dataclass
class World:
    """What a session knows, and who is told of changes."""

    remote: Remote = field(default_factory=Local)
    known: dict[str, Found] = field(default_factory=dict)
    told: queue.SimpleQueue[None] = field(default_factory=queue.SimpleQueue)
    up: bool = True
    taken: int = 0

    def match(self, wanted: str, /) -> Found | None:
        return self.known.get(wanted)

    def node(self, name: str, port: int, key: str = "") -> Found:
        info = NodeInfo(key or name, name, reachable=True, epmd_port=self.taken or free(), forward=41003)
        self.known[info.key] = Found(info, host="127.0.0.1", port=port)
        return self.known[info.key]

    def forbidden(self) -> list[str]:
        raise Failure("The helper is not installed", "Install it.", code="missing")


@pytest.fixture
def port() -> Iterator[int]:
    with target.running() as made:
        yield made


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(paths, "_current", paths.under(tmp_path))
    return World()


@pytest.fixture
def make(world: World) -> Iterator[Any]:
    made: list[Addressing] = []

    def start(profile: Profile = AUTO, **more: Any) -> Addressing:
        shared = Shared(world.forbidden)
        way = lambda: world if world.up else None  # noqa: E731
        one = Addressing(profile, way, shared, lambda _q: True, lambda: world.told.put(None), **more)
        made.append(one)
        return one

    yield start
    for one in made:
        one.close()


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def address() -> str:
    return f"127.{os.getpid() % 250 + 2}.78.{next(numbers)}"


def shown(world: World, addressing: Addressing, found: Found) -> Any:
    """What is known of the node's address, once there is something new."""
    world.told.get(timeout=5)
    (info,) = addressing.dressed([found.info])
    return info.alias


def echoes(host: str, port: int) -> bool:
    with socket.create_connection((host, port), 5) as sock:
        sock.sendall(b"Ehello")
        return target.exactly(sock, 5) == b"hello"


def test_a_node_gets_its_address_and_what_to_type(world: World, make: Any, port: int) -> None:
    found = world.node(f"shop@{(here := address())}", port)
    addressing = make()
    addressing.want([found])
    alias = shown(world, addressing, found)

    assert (alias.address, alias.port, alias.epmd_port) == (here, port, found.info.epmd_port)
    assert alias.command.endswith(f"-remsh shop@{here}")
    assert alias.problem is None
    assert echoes(here, port)


def test_it_goes_on_while_the_connection_is_away_and_leads_there_again(
    world: World, make: Any, port: int
) -> None:
    found = world.node(f"shop@{(here := address())}", port)
    addressing = make()
    addressing.want([found])
    shown(world, addressing, found)
    world.up = False
    with socket.create_connection((here, port), 5) as sock:
        assert sock.recv(1) == b""
    world.up = True
    assert echoes(here, port)


def test_a_node_that_is_made_anew_elsewhere_moves_and_its_old_address_is_given_up(
    world: World, make: Any, port: int
) -> None:
    old, new = address(), address()
    addressing = make()
    addressing.want([first := world.node(f"shop@{old}", port)], complete=True)
    shown(world, addressing, first)
    addressing.want([second := world.node(f"shop@{new}", port)], complete=True)

    assert shown(world, addressing, second).address == new
    assert echoes(new, port)
    with pytest.raises(ConnectionRefusedError):
        echoes(old, port)


def test_why_there_is_none_is_told_with_the_line_for_the_route(world: World, make: Any, port: int) -> None:
    addressing = make(modules=lambda: Path("/ebin"))
    addressing.want([found := world.node("shop@web-1", port)])
    alias = shown(world, addressing, found)

    assert "named by a host name" in alias.problem.title
    assert "spyglass shell" in alias.problem.hint
    assert "-pa /ebin -epmd_module spyglass_epmd -spyglass_route shop@web-1 41003" in alias.command


def test_what_was_in_the_way_is_tried_again_when_a_person_wants_it(
    world: World, make: Any, port: int
) -> None:
    addressing = make()
    with socket.create_server(("0.0.0.0", 0)) as other:
        world.taken = other.getsockname()[1]
        addressing.want([found := world.node(f"shop@{(here := address())}", port)], complete=True)
        assert "all addresses" in shown(world, addressing, found).problem.title
    addressing.again()

    assert shown(world, addressing, found).address == here


def test_a_second_profile_is_told_the_name_of_the_first(world: World, make: Any, port: int) -> None:
    found = world.node(f"shop@{(here := address())}", port)
    first, second = make(), make(replace_name("staging"))
    first.want([found])
    shown(world, first, found)
    second.want([found])

    assert shown(world, second, found).problem.title == f"{here} belongs to lab already"
    assert shown_owner(first, found) == here


def replace_name(name: str) -> Profile:
    return Profile(name=name, id="2" * 32, alias="auto")


def shown_owner(addressing: Addressing, found: Found) -> str:
    (info,) = addressing.dressed([found.info])
    assert info.alias is not None
    return info.alias.address


@pytest.mark.parametrize("wanted", ["off", "127.9.9.9"])
def test_only_where_the_profile_wants_it_and_there_where_it_says(
    world: World, make: Any, port: int, wanted: str
) -> None:
    found = world.node("shop@web-1", port)
    addressing = make(Profile(name="lab", id="1" * 32, alias=wanted))
    addressing.want([found])

    if wanted == "off":
        assert addressing._thread is None
        assert addressing.dressed([found.info]) == (found.info,)
    else:
        assert shown(world, addressing, found).address == wanted


def test_a_node_that_can_not_be_reached_has_none(world: World, make: Any, port: int) -> None:
    found = world.node(f"shop@{address()}", port)
    addressing = make()
    addressing.want([found])
    shown(world, addressing, found)
    (info,) = addressing.dressed([msgspec.structs.replace(found.info, reachable=False)])

    assert info.alias is None


def test_an_address_that_a_network_took_is_told_and_not_answered(world: World, make: Any, port: int) -> None:
    found = world.node(f"shop@{(here := address())}", port)
    addressing = make()
    addressing.want([found])
    shown(world, addressing, found)
    addressing._lost(here, "eth0 has it now")

    assert "eth0 has it now" in shown(world, addressing, found).problem.title
    with pytest.raises(ConnectionRefusedError):
        echoes(here, port)


def test_every_user_is_let_in_only_where_the_profile_says_so(
    world: World, make: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spyglass.forward.peer_uid", lambda _sock: -1)  # as if somebody else connected
    mine, everyones = world.node(f"a@{address()}", port), world.node(f"b@{address()}", port)
    closed, open_ = make(), make(Profile(name="open", id="2" * 32, alias="auto", alias_everyone=True))
    for addressing, found in ((closed, mine), (open_, everyones)):
        addressing.want([found])
        shown(world, addressing, found)

    assert echoes(everyones.info.node.partition("@")[2], port)
    with socket.create_connection((mine.info.node.partition("@")[2], port), 5) as sock:
        assert sock.recv(1) == b""
