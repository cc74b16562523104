"""Where a name leads, by whatever a place has to tell it: here in the tools' own words."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass import asset
from spyglass.erlang import naming
from spyglass.remote.base import Output
from spyglass.remote.local import Local
from support.fake_remote import FakeRemote, Player

NSLOOKUP = """\
Server:\t\t127.0.0.11
Address:\t127.0.0.11:53

Non-authoritative answer:
Name:\tweb
Address: 172.18.0.2
Name:\tweb
Address: 172.18.0.3
"""
OLD_NSLOOKUP = """\
Server:    127.0.0.11
Address 1: 127.0.0.11

Name:      web
Address 1: 172.18.0.2 node1.net_poc
Address 2: 172.18.0.3 node2.net_poc
"""
GETENT = "172.18.0.2      STREAM web\n172.18.0.2      DGRAM  \n172.18.0.3      STREAM \n"
HOST = "web has address 172.18.0.2\nweb has address 172.18.0.3\nweb mail is handled by 10 mx.\n"
DIG = "alias.internal.\n172.18.0.2\n172.18.0.3\n"


def place(*sections: str) -> FakeRemote:
    """A place whose shell answers with these sections (``tool\\nwhat it said``)."""

    def run(argv: list[str], stdin: bytes | None) -> Output:
        found = re.match(rb"mark=(\S+)\n", stdin or b"")
        assert argv == ["sh", "-s"]
        assert found
        return Output(0, "".join(f"\n{found[1].decode()} {one}" for one in sections).encode())

    return FakeRemote({}, run)


@pytest.mark.parametrize(
    "section",
    [
        f"getent\n{GETENT}",
        f"nslookup\n{NSLOOKUP}",
        f"nslookup\n{OLD_NSLOOKUP}",
        f"host\n{HOST}",
        f"dig\n{DIG}",
    ],
)
def test_each_tool_is_understood(section: str) -> None:
    assert naming.addresses(place(section, "config\n", "end\n"), "web") == {"172.18.0.2", "172.18.0.3"}


@pytest.mark.parametrize(
    "told", ["nslookup\n** server can't find web: NXDOMAIN\n", "getent\n", "host\nnot found\n"]
)
def test_a_name_that_leads_nowhere_has_no_address(told: str) -> None:
    assert naming.addresses(place(told, "config\nnameserver 10.0.0.2\n", "end\n"), "web") == frozenset()


class NameServer(Player):
    """Knows ``web.internal`` and nothing else."""

    asked: list[bytes]

    def hear(self, data: bytes) -> None:
        (number,) = struct.unpack_from("!H", data, 2)
        known = b"\x03web\x08internal\x00\x00\x01\x00\x01" in data
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 9, 4) + bytes([10, 0, 0, 7]) if known else b""
        told = struct.pack("!HHHHHH", number, 0x8180, 1, int(known), 0, 0) + data[14:] + record
        self.says, self.over = struct.pack("!H", len(told)) + told, True


def test_without_a_tool_the_name_servers_are_asked_with_the_search_domains() -> None:
    remote = place("none\n", "config\nnameserver 10.0.0.9\nnameserver 10.0.0.2\nsearch internal\n", "end\n")
    remote.listening[("10.0.0.2", 53)] = NameServer
    assert naming.addresses(remote, "web") == {"10.0.0.7"}


def test_where_nobody_can_be_asked_that_is_said() -> None:
    for sections in ((), ("none\n", "config\n", "end\n"), ("none\n", "config\nnameserver 127.0.0.11\n")):
        with pytest.raises(naming.NoTool) as refused:
            naming.addresses(place(*sections), "web")
        assert "web" in refused.value.title
        assert refused.value.hint


def test_addresses_have_one_spelling() -> None:
    assert naming.plain("::ffff:10.0.0.7") == "10.0.0.7"
    assert naming.plain("fe80::1%eth0") == "fe80::1"
    assert [naming.plain(word) for word in ("0.0.0.0", "::", "224.0.0.1", "web", "")] == [""] * 5


@given(st.text(max_size=300), st.sampled_from(["getent", "nslookup", "host", "dig", "erl", "x"]))
def test_noise_holds_no_address_but_a_real_one(noise: str, tool: str) -> None:
    _, found, _ = naming.read(f"\nM {tool}\n{noise}", "M")
    assert all(naming.plain(address) == address for address in found)


def test_this_computer_s_own_tool_is_asked() -> None:
    assert naming.addresses(Local(), "localhost") & {"127.0.0.1", "::1"}


@pytest.mark.skipif(not shutil.which("busybox"), reason="no busybox")
def test_the_script_is_one_that_busybox_runs() -> None:
    script = b"mark=M\nname=localhost\n" + asset("discovery/resolve.sh").read_bytes()
    done = subprocess.run(["busybox", "sh", "-s"], input=script, capture_output=True, check=True, timeout=20)
    assert b"\nM end\n" in done.stdout
    assert done.stderr == b""
