"""What `forward --alias` tells people to type, and what `helper` prints."""

from __future__ import annotations

import argparse
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from spyglass.cli import alias
from spyglass.erlang.found import Found
from spyglass.errors import Failure
from spyglass.loopback import install
from spyglass.status import NodeInfo


def test_helper_prints_commands_to_standard_output_and_words_to_the_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert alias.helper(argparse.Namespace()) == 0
    told = capsys.readouterr()

    assert told.out.splitlines() == install.commands()
    assert "sudo rm" in told.err


@pytest.mark.parametrize(("system", "word"), [("darwin", "launchctl"), ("win32", "")])
def test_on_other_systems_it_tells_what_they_need(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, system: str, word: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    assert alias.helper(argparse.Namespace()) == 0
    told = capsys.readouterr()

    assert word in told.out
    assert "127.0.0" in told.err


def node(name: str, home: str = "docker/web", **more: Any) -> NodeInfo:
    return NodeInfo(f"{home}/{name}", name, reachable=more.pop("reachable", True), **more)


def test_a_node_of_another_host_s_name_is_known_by_where_it_lives() -> None:
    old, new = node("hello@10.0.0.5"), node("hello@10.0.0.6")
    assert alias.renamed([old], [new]) == [(old, new)]
    for others in (
        [old, new],  # it is there still
        [node("hello@10.0.0.6", "docker/other")],
        [node("hi@10.0.0.6")],
        [node("hello@10.0.0.6", reachable=False)],
        [new, node("hello@10.0.0.7")],  # which of them?
    ):
        assert alias.renamed([old], others) == []
    assert alias.renamed([old, new], [new]) == []  # that one has an address already


class FakeAliases:
    """An address for each node by its name; ``out`` can't be had."""

    def __init__(self) -> None:
        self.out: set[str] = set()
        self.released: list[str] = []

    def open(self, found: Any, asked: str) -> tuple[str, int, int]:
        address = found.info.node.partition("@")[2]
        if address in self.out:
            raise Failure(f"{address} is taken")
        return address, 9100, 4369

    def release(self, address: str) -> None:
        self.released.append(address)


def test_its_old_address_is_given_up_and_the_new_one_told(capsys: pytest.CaptureFixture[str]) -> None:
    old, new, other = node("hello@10.0.0.5"), node("hello@10.0.0.6"), node("two@10.0.0.5", "docker/two")
    known = {each.key: found(each) for each in (old, new, other)}
    run: Any = SimpleNamespace(session=SimpleNamespace(match=known.get))
    aliases: Any = FakeAliases()
    held: alias.Held = {old.node: (old, "10.0.0.5"), other.node: (other, "10.0.0.5")}
    alias._again(run, aliases, [new, other], "auto", held)
    assert aliases.released == []  # somebody else answers there as well
    assert held == {other.node: (other, "10.0.0.5"), new.node: (new, "10.0.0.6")}
    told = capsys.readouterr()
    assert told.err == "hello@10.0.0.5 is hello@10.0.0.6 now.\n"
    assert told.out.startswith("hello@10.0.0.6  10.0.0.6:9100\n")
    aliases.out = {"10.0.0.5"}
    alias._again(run, aliases, [old], "auto", {new.node: (new, "10.0.0.6")})
    assert aliases.released == ["10.0.0.6"]
    assert "hello@10.0.0.5: 10.0.0.5 is taken." in capsys.readouterr().err
    alias._again(run, aliases, [new], "auto", held)
    assert capsys.readouterr() == ("", "")


def found(info: NodeInfo) -> Found:
    return Found(info, host="10.0.0.5", port=9100)
