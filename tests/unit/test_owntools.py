"""What people are told to type."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from msgspec.structs import replace

from spyglass import owntools
from spyglass.status import NodeInfo

EBIN = PurePosixPath("/home/dev/.cache/spyglass/ebin-14")


def info(node: str, name_type: str, *, elixir: bool | None) -> NodeInfo:
    return NodeInfo("key", node, reachable=True, name_type=name_type, elixir=elixir, forward=41003)


def test_a_node_with_elixir_gets_the_line_for_iex() -> None:
    line = owntools.at_address(info("hello@172.17.0.4", "long", elixir=True))

    assert line == ("ERL_EPMD_ADDRESS=127.0.0.1 iex --hidden --name me@127.0.0.1 --remsh hello@172.17.0.4")


@pytest.mark.parametrize("elixir", [False, None])
def test_another_one_for_erl_with_a_short_name_where_the_node_has_one(elixir: bool | None) -> None:
    line = owntools.at_address(info("app@web-1", "short", elixir=elixir), 4370)

    assert line == (
        "ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=4370 erl -hidden -sname me@localhost -remsh app@web-1"
    )


@pytest.mark.parametrize("elixir", [True, False])
def test_a_node_of_tls_distribution_is_spoken_to_by_tls_at_its_address(elixir: bool) -> None:
    node = replace(info("app@web-1", "short", elixir=elixir), tls=True)
    flags = "-proto_dist inet_tls -ssl_dist_optfile my-tls.conf"

    assert (f'--erl "{flags}"' if elixir else flags) in owntools.at_address(node)
    assert "inet_tls" not in owntools.by_route(node, EBIN)


def test_a_node_without_an_address_is_reached_by_its_forward_and_our_module() -> None:
    line = owntools.by_route(info("app@web-1", "short", elixir=True), EBIN)

    assert line == (
        "iex --hidden --sname me@localhost "
        '--erl "-pa /home/dev/.cache/spyglass/ebin-14 -epmd_module spyglass_epmd '
        '-spyglass_route app@web-1 41003 -start_epmd false -dist_listen false -connect_all false" '
        "--remsh app@web-1"
    )


def test_without_a_forward_or_with_what_a_shell_reads_otherwise_there_is_no_line() -> None:
    node = info("app@web-1", "short", elixir=True)

    assert not owntools.by_route(replace(node, forward=None), EBIN)
    assert not owntools.by_route(node, PurePosixPath("/Users/a person/ebin"))
    assert not owntools.by_route(replace(node, node="app@$(reboot)"), EBIN)


def test_a_name_that_a_shell_would_read_otherwise_is_quoted() -> None:
    node = info("shop@h;reboot", "short", elixir=False)

    assert owntools.at_address(node).endswith("-remsh 'shop@h;reboot'")
