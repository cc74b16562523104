"""What `forward --alias` tells people to type, and what `helper` prints."""

from __future__ import annotations

import argparse

import pytest

from spyglass.cli import alias
from spyglass.loopback import install
from spyglass.status import NodeInfo


def info(node: str, name_type: str, *, elixir: bool | None) -> NodeInfo:
    return NodeInfo("key", node, reachable=True, name_type=name_type, elixir=elixir)


def test_a_node_with_elixir_gets_the_line_for_iex() -> None:
    line = alias.tool(info("hello@172.17.0.4", "long", elixir=True))

    assert line == (
        'ERL_EPMD_ADDRESS=127.0.0.1 iex --hidden --name me@127.0.0.1 --cookie "$COOKIE" '
        "--remsh hello@172.17.0.4"
    )


@pytest.mark.parametrize("elixir", [False, None])
def test_another_one_for_erl_with_a_short_name_where_the_node_has_one(elixir: bool | None) -> None:
    line = alias.tool(info("app@web-1", "short", elixir=elixir), 4370)

    assert line == (
        "ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=4370 "
        'erl -hidden -sname me@localhost -setcookie "$COOKIE" -remsh app@web-1'
    )


def test_helper_prints_commands_to_standard_output_and_words_to_the_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert alias.helper(argparse.Namespace()) == 0
    told = capsys.readouterr()

    assert told.out.splitlines() == install.commands()
    assert "sudo rm" in told.err
