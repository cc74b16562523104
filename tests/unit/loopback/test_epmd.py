"""What holds a port is found and named, with what to do."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from spyglass.loopback.epmd import Holder, explain, in_the_way

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1111 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999        0 1 1 0 100
   1: 0100007F:1112 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 2 1 0 100
   2: 0200007F:1113 0200007F:9999 01 00000000:00000000 00:00000000 00000000  1000        0 3 1 0 100
"""
TABLE6 = """\
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:2222 00000000000000000000000000000000:0000 0A 0:0 00:0 0  1000  0 4
"""


@pytest.fixture
def tables(tmp_path: Path) -> list[Path]:
    (tmp_path / "tcp").write_text(TABLE)
    (tmp_path / "tcp6").write_text(TABLE6)
    return [tmp_path / "tcp", tmp_path / "tcp6", tmp_path / "missing"]


def test_one_that_listens_on_all_addresses_is_in_the_way_of_each(tables: list[Path]) -> None:
    assert in_the_way("127.0.0.2", 4369, tables) == Holder("0.0.0.0", 4369, 999)
    assert in_the_way("127.0.0.2", 0x2222, tables) == Holder("::", 0x2222, 1000)


def test_one_on_another_address_is_not(tables: list[Path]) -> None:
    assert in_the_way("127.0.0.2", 0x1112, tables) is None
    assert in_the_way("127.0.0.1", 0x1112, tables) == Holder("127.0.0.1", 0x1112, 1000)


def test_a_connection_is_no_listener(tables: list[Path]) -> None:
    assert in_the_way("127.0.0.2", 0x1113, tables) is None


def test_an_own_process_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        found = in_the_way("127.0.0.1", port)

    assert found is not None
    assert (found.uid, found.pid) == (os.getuid(), os.getpid())
    assert found.program


def test_an_own_epmd_gets_the_commands_that_keep_it_to_loopback() -> None:
    holder = Holder("0.0.0.0", 4369, os.getuid(), 77, "epmd")
    failure = explain("127.0.0.2", 4369, holder, 4369)

    assert "epmd" in failure.title
    assert "process 77" in failure.title
    assert "all addresses" in failure.title
    assert "ERL_EPMD_ADDRESS=127.0.0.1 epmd -daemon" in failure.hint
    assert failure.code == "port-taken"


def test_the_systems_epmd_gets_the_drop_in_for_its_socket() -> None:
    failure = explain("127.0.0.2", 4369, Holder("::", 4369, os.getuid() + 1), 4369)

    assert "systemctl edit epmd.socket" in failure.hint
    assert "ListenStream=127.0.0.1:4369" in failure.hint


def test_another_port_is_not_said_to_be_epmds() -> None:
    failure = explain("127.0.0.2", 19000, Holder("0.0.0.0", 19000, os.getuid(), 5, "beam.smp"), 4369)

    assert "beam.smp" in failure.title
    assert "epmd" not in failure.hint


def test_an_unknown_holder_can_be_looked_up_by_the_person() -> None:
    assert "ss -ltnp" in explain("127.0.0.2", 19000, None, 4369).hint
