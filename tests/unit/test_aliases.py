"""Alias mode over this computer: nodes at addresses of 127/8, which need no helper."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import pytest

from spyglass.aliases import Aliases, listen
from spyglass.erlang import epmd
from spyglass.erlang.found import Found
from spyglass.errors import Failure
from spyglass.remote.base import Remote
from spyglass.remote.local import Local, SocketStream
from spyglass.status import NodeInfo
from spyglass.store import paths
from support import target

numbers = itertools.count(2)


@dataclass
class FakeHelper:
    added: list[str] = field(default_factory=list)
    closed: bool = False

    def add(self, address: str, /) -> None:
        self.added.append(address)
        raise Failure(f"{address} was refused", code="no-alias")

    def remove(self, address: str, /) -> None:
        self.added.remove(address)

    def close(self) -> None:
        self.closed = True


@dataclass
class World:
    """What a session knows."""

    remote: Remote = field(default_factory=Local)
    known: dict[str, Found] = field(default_factory=dict)

    def match(self, wanted: str, /) -> Found | None:
        return self.known.get(wanted)

    def node(self, name: str, port: int, *, epmd_port: int | None, via: str = "socket") -> Found:
        info = NodeInfo(f"key/{name}", name, reachable=True, epmd_port=epmd_port, via=via)
        self.known[info.key] = Found(info, host="127.0.0.1", port=port)
        return self.known[info.key]


@pytest.fixture
def port() -> Iterator[int]:
    with target.running() as made:
        yield made


@pytest.fixture
def address() -> str:
    return f"127.{os.getpid() % 250 + 2}.77.{next(numbers)}"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def aliases(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aliases]:
    monkeypatch.setattr(paths, "_current", paths.under(tmp_path))
    with Aliases("Production", lambda: world, FakeHelper()) as made:
        yield made


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def names(address: str, port: int) -> dict[str, int]:
    with closing(SocketStream(socket.create_connection((address, port), 5))) as stream:
        return epmd.names(stream)


def echoes(address: str, port: int) -> bool:
    with socket.create_connection((address, port), 5) as sock:
        sock.sendall(b"Ehello")
        return target.exactly(sock, 5) == b"hello"


def test_a_node_answers_at_its_own_address_and_an_epmd_tells_its_port(
    world: World, aliases: Aliases, address: str, port: int
) -> None:
    epmd_port = free()
    found = world.node(f"hello@{address}", port, epmd_port=epmd_port)

    assert aliases.open(found) == (address, port, epmd_port)
    assert aliases.open(found) == (address, port, epmd_port)
    assert names(address, epmd_port) == {"hello": port}
    assert echoes(address, port)


def test_where_the_remote_has_an_epmd_that_one_is_asked(
    world: World, aliases: Aliases, address: str, port: int
) -> None:
    answer = b"\0\0\x11\x11name hello at port 1\nname other at port 2\n"
    with socket.create_server(("127.0.0.1", 0)) as far:
        epmd_port = far.getsockname()[1]
        aliases.open(world.node(f"hello@{address}", port, epmd_port=epmd_port, via="epmd"))
        with socket.create_connection((address, epmd_port), 5) as near:
            near.sendall(b"\0\1n")
            carried, _ = far.accept()
            with carried:
                assert carried.recv(3) == b"\0\1n"
                carried.sendall(answer)
            assert target.exactly(near, len(answer)) == answer


def test_a_node_that_came_back_elsewhere_is_led_to_there(
    world: World, aliases: Aliases, address: str, port: int
) -> None:
    epmd_port = free()
    old = world.node(f"hello@{address}", free(), epmd_port=epmd_port)
    aliases.open(old)
    aliases.open(world.node(f"hello@{address}", port, epmd_port=epmd_port))

    assert names(address, epmd_port) == {"hello": port}
    assert echoes(address, port)
    with pytest.raises(ConnectionRefusedError):
        echoes(address, old.port)


def test_a_node_that_is_away_closes_its_connections_and_no_more(
    world: World, aliases: Aliases, address: str, port: int
) -> None:
    found = world.node(f"hello@{address}", port, epmd_port=free())
    aliases.open(found)
    world.known.clear()
    with socket.create_connection((address, port), 5) as sock:
        assert sock.recv(1) == b""
    world.known[found.info.key] = found
    assert echoes(address, port)


def test_two_nodes_share_an_address_and_two_of_one_name_do_not(
    world: World, aliases: Aliases, address: str, port: int
) -> None:
    epmd_port, second = free(), free()
    one = world.node(f"one@{address}", port, epmd_port=epmd_port)
    aliases.open(one)
    aliases.open(world.node(f"two@{address}", second, epmd_port=epmd_port))
    twin = replace(one, info=msgspec.structs.replace(one.info, key="elsewhere"))

    assert names(address, epmd_port) == {"one": port, "two": second}
    with pytest.raises(Failure, match="Two nodes want to be one"):
        aliases.open(twin)


def test_a_second_profile_is_refused_with_the_name_of_the_first(
    world: World, aliases: Aliases, address: str, port: int
) -> None:
    found = world.node(f"hello@{address}", port, epmd_port=free())
    aliases.open(found)
    with Aliases("Staging", lambda: world, FakeHelper()) as other, pytest.raises(Failure, match="Production"):
        other.open(found)


def test_an_epmd_on_all_addresses_is_named_and_goes_on(
    world: World, aliases: Aliases, address: str, port: int
) -> None:
    with socket.create_server(("0.0.0.0", 0)) as local:
        taken = local.getsockname()[1]
        with pytest.raises(Failure) as refusal:
            aliases.open(world.node(f"hello@{address}", port, epmd_port=taken))
        socket.create_connection(("127.0.0.1", taken), 5).close()

    assert "all addresses" in refusal.value.title
    assert "ERL_EPMD_ADDRESS=127.0.0.1" in refusal.value.hint
    assert aliases.open(world.node(f"hello@{address}", port, epmd_port=taken))  # it may be tried again


def test_a_private_address_is_the_helpers_business_and_leaves_nothing_when_refused(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "_current", paths.under(tmp_path))
    helper = FakeHelper()
    with Aliases("Production", lambda: world, helper) as made, pytest.raises(Failure, match="was refused"):
        made.open(world.node("hello@100.64.250.9", 1, epmd_port=2))
    assert helper.added == ["100.64.250.9"]
    assert helper.closed


def test_closed_nothing_listens_any_more(world: World, aliases: Aliases, address: str, port: int) -> None:
    epmd_port = free()
    aliases.open(world.node(f"hello@{address}", port, epmd_port=epmd_port))
    aliases.close()
    for number in (port, epmd_port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, number), 5)


def test_a_listener_that_can_not_be_kept_to_loopback_is_not_opened(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: socket.socket, *words: object) -> None:
        if words[1] == socket.SO_BINDTODEVICE:
            raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("spyglass.forward.OwnListener.setsockopt", refuse, raising=False)
    with pytest.raises(Failure, match="can't be opened: Operation not permitted"):
        listen(address, free(), 4369)


def test_it_is_kept_to_loopback(address: str) -> None:
    with listen(address, 0, 4369) as listener:
        device = listener.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
    assert device.rstrip(b"\0") == b"lo"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.warns("somebody else's connection is refused")
def test_another_user_of_this_computer_is_not_let_in(
    world: World, aliases: Aliases, address: str, port: int
) -> None:
    epmd_port = free()
    aliases.open(world.node(f"hello@{address}", port, epmd_port=epmd_port))
    program = (
        "import encodings.idna,os,socket,sys; os.setgroups([]); os.setuid(65534)\n"
        "for port in map(int, sys.argv[2:]):\n"
        "    with socket.create_connection((sys.argv[1], port), 5) as s:\n"
        "        try: s.sendall(b'\\0\\1n'); print(s.recv(9))\n"
        "        except ConnectionError: print(b'')\n"
    )
    argv = [sys.executable, "-I", "-S", "-c", program, address, str(port), str(epmd_port)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True)

    assert done.stdout.split() == ["b''", "b''"]
