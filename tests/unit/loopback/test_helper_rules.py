"""The rules of the privileged helper, apart from the kernel: no address that they forbid gets through."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

SOURCE = Path(__file__).parents[3] / "packaging/linux/spyglass-loopback"
helper = types.ModuleType("spyglass_loopback")
exec(compile(SOURCE.read_text(), SOURCE, "exec"), helper.__dict__)

PRIVATE = [IPv4Network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]
addresses = st.one_of(
    st.integers(0, 2**32 - 1).map(IPv4Address),
    *(st.integers(int(net[0]), int(net[-1])).map(IPv4Address) for net in PRIVATE),
)
networks = st.builds(lambda a, n: IPv4Network((a, n), strict=False), addresses, st.integers(0, 32))


@dataclass
class FakeKernel:
    """What a network looks like, and what was put on lo."""

    near: list[tuple[IPv4Address, int, int]] = field(default_factory=list)
    ways: list[tuple[IPv4Network, list[IPv4Address]]] = field(default_factory=list)
    added: list[IPv4Address] = field(default_factory=list)

    def addresses(self) -> Iterator[tuple[IPv4Address, int, int]]:
        yield from self.near
        yield from ((address, 32, 1) for address in self.added)

    def routes(self) -> Iterator[tuple[IPv4Network, list[IPv4Address]]]:
        yield from self.ways

    def add(self, address: IPv4Address) -> None:
        self.added.append(address)

    def renew(self, address: IPv4Address) -> None:
        assert address in self.added

    def remove(self, address: IPv4Address) -> None:
        self.added.remove(address)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name servers, no connections, no log of the machine that runs the tests."""
    monkeypatch.setitem(helper.__dict__, "resolvers", set)
    monkeypatch.setitem(helper.__dict__, "peers", set)
    monkeypatch.setattr(helper.syslog, "syslog", lambda *words: None)


@given(st.one_of(addresses.map(str), st.text(max_size=20), st.from_regex(r"[0-9.]{7,15}", fullmatch=True)))
def test_only_the_usual_form_of_a_private_address_is_ever_taken(text: str) -> None:
    try:
        address = helper.parse(text)
    except helper.Refused:
        return
    assert str(address) == text
    (home,) = (net for net in PRIVATE if address in net)
    assert address not in {home.network_address, home.broadcast_address}


@given(
    wish=addresses,
    near=st.lists(st.tuples(addresses, st.integers(1, 32), st.integers(2, 9)), max_size=4),
    ways=st.lists(st.tuples(networks, st.lists(addresses, max_size=2)), max_size=4),
)
def test_none_is_added_that_a_network_a_route_or_a_gateway_has(
    wish: IPv4Address,
    near: list[tuple[IPv4Address, int, int]],
    ways: list[tuple[IPv4Network, list[IPv4Address]]],
) -> None:
    kernel = FakeKernel(near, ways)
    helper.Service(1000, kernel).answer(f"add {wish}".encode())
    taken = (
        any(wish in IPv4Network((have, length), strict=False) for have, length, _ in near)
        or any(wish in gateways or (net.prefixlen and wish in net) for net, gateways in ways)
        or not any(wish in net and wish not in {net[0], net[-1]} for net in PRIVATE)
    )

    assert kernel.added == ([] if taken else [wish])


@given(
    st.lists(st.one_of(st.binary(max_size=140), addresses.map(lambda a: f"add {a}".encode())), max_size=40)
)
def test_every_line_has_one_answer_of_one_line(lines: list[bytes]) -> None:
    kernel = FakeKernel()
    service = helper.Service(1000, kernel)
    for line in lines:
        answer = service.answer(line.replace(b"\n", b""))
        assert answer.startswith(("ok", "err "))
        assert "\n" not in answer
    assert len(kernel.added) <= 16
    assert kernel.added == service.mine
    service.close()
    assert kernel.added == []


@pytest.mark.parametrize(("name", "code"), [("resolvers", "conflict"), ("peers", "conflict")])
def test_a_name_server_and_who_has_a_connection_are_refused(
    name: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(helper.__dict__, name, lambda: {IPv4Address("10.1.1.1")})
    service = helper.Service(1000, FakeKernel())

    assert service.answer(b"add 10.1.1.1").startswith(f"err {code} ")
    assert service.answer(b"add 10.1.1.2") == "ok 10.1.1.2"


def test_a_connection_that_came_with_the_address_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = FakeKernel()
    service = helper.Service(1000, kernel)
    service.answer(b"add 10.1.1.1")
    monkeypatch.setitem(helper.__dict__, "peers", lambda: {IPv4Address("10.1.1.1")})
    service.renew()

    assert kernel.added == [IPv4Address("10.1.1.1")]


def test_what_appears_later_ends_it_and_is_told() -> None:
    kernel = FakeKernel()
    service = helper.Service(1000, kernel)
    service.answer(b"add 10.1.1.1")
    kernel.near.append((IPv4Address("10.1.0.1"), 16, 5))
    told = service.renew()

    assert kernel.added == []
    assert told == ["gone 10.1.1.1 it is in the network of this computer's address 10.1.0.1/16"]


def test_each_change_is_logged_with_the_uid(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr(helper.syslog, "syslog", lambda _, text: logged.append(text))
    service = helper.Service(1000, FakeKernel())
    service.answer(b"add 10.1.1.1")
    service.close()

    assert logged == [
        "added 10.1.1.1 on the loopback interface for uid 1000",
        "removed 10.1.1.1 on the loopback interface for uid 1000",
    ]


@pytest.mark.parametrize(
    ("digits", "address"),
    [
        ("0100007F", "127.0.0.1"),
        ("0000000000000000FFFF00000401110A", "10.17.1.4"),
        ("00000000000000000000000001000000", "::1"),
    ],
)
def test_the_kernels_tables_are_read_as_they_are_written(digits: str, address: str) -> None:
    assert str(helper.from_table(digits)) == address
