"""Rancher's metadata service: what its answer means, and what is no answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.erlang import metadata
from spyglass.errors import Failure
from spyglass.remote.base import Output
from spyglass.remote.container import Container, Facts
from support.fake_remote import FakeRemote, Said

TOLD = [
    {
        "name": "a",
        "stack_name": "hello",
        "service_name": "app",
        "primary_ip": "10.42.1.2",
        "ips": ["10.42.1.2"],
    },
    {"name": "b", "stack_name": "hello", "service_name": "app", "primary_ip": "10.42.9.9", "ips": None},
    {"name": "c", "stack_name": "bye", "service_name": "app", "primary_ip": "10.42.1.3"},
    {"name": "Network Agent", "stack_name": None, "service_name": None, "primary_ip": "10.42.1.4"},
    {"name": "new", "stack_name": "hello", "service_name": "app", "primary_ip": None},
    "nonsense",
]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
NOBODY = FakeRemote({}, lambda _argv, _stdin: Output(127))


@pytest.mark.parametrize(
    ("wanted", "addresses"),
    [
        ("hello/app", {"10.42.1.2", "10.42.9.9"}),
        ("app", {"10.42.1.2", "10.42.9.9", "10.42.1.3"}),
        ("HELLO/*", {"10.42.1.2", "10.42.9.9"}),
        ("hello/db", set()),
    ],
)
def test_the_addresses_of_a_service(wanted: str, addresses: set[str]) -> None:
    assert metadata.read(json.dumps(TOLD).encode(), wanted, NOBODY) == addresses


def test_it_is_asked_through_the_host() -> None:
    remote = FakeRemote(
        {(metadata.HOST, 80): lambda: Said(HEAD + json.dumps(TOLD).encode())}, lambda *_: Output(127)
    )
    assert metadata.from_host(remote, "hello/app") == {"10.42.1.2", "10.42.9.9"}
    assert all(stream.closed for stream in remote.streams)


def test_it_is_asked_from_inside() -> None:
    remote = FakeRemote({}, lambda _argv, _stdin: Output(0, json.dumps(TOLD).encode()))
    assert metadata.from_inside(Container(remote, Facts("docker", "c0ffee", "app")), "bye/app") == {
        "10.42.1.3"
    }


def test_without_a_tool_inside_the_host_dials_what_the_name_means_there() -> None:
    def run(_argv: list[str], stdin: bytes | None) -> Output:
        mark = (stdin or b"").split(b"\n", 1)[0].removeprefix(b"mark=")
        told = b"\n" + mark + b" getent\n10.42.0.2 STREAM\n\n" + mark + b" end\n"
        return Output(0, b"" if b"url=" in (stdin or b"") else told)

    remote = FakeRemote({("10.42.0.2", 80): lambda: Said(HEAD + json.dumps(TOLD).encode())}, run)
    assert metadata.from_inside(Container(remote, Facts("docker", "c0ffee", "app")), "bye/app") == {
        "10.42.1.3"
    }


@pytest.mark.parametrize(
    "says",
    [b"", b"HTTP/1.1 404 Not Found\r\n\r\n[]", HEAD, HEAD + b"{}", HEAD + b"0=a\n1=b\n", HEAD + b"[" * 9999],
)
def test_anything_else_is_no_answer(says: bytes) -> None:
    with pytest.raises(Failure) as refused:
        metadata.from_host(
            FakeRemote({(metadata.HOST, 80): lambda: Said(says)}, lambda *_: Output(127)), "hello/app"
        )
    assert refused.value.code == "no-metadata"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["stack_name", "service_name", "primary_ip", "ips"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_surprising_types_are_passed_over(told: object) -> None:
    found = metadata.read(json.dumps(told if isinstance(told, list) else [told]).encode(), "*/*", NOBODY)
    assert "" not in found
