"""Lending a node what Observer needs of it, and taking it back."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from spyglass.erlang.node import LocalNode
from support.beam import Beam, beam
from support.local_vm import join, local_vm


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def vm(cache: Path, tmp_path: Path) -> Iterator[LocalNode]:
    with local_vm(cache, tmp_path) as made:
        yield made


def without_backend(name: str) -> AbstractContextManager[Beam]:
    return beam(name, flags=["-eval", "code:del_path(runtime_tools)."])


def until_without(vm: LocalNode, remote: Beam) -> None:
    """A node answers before it has done what its command line says."""
    deadline = time.monotonic() + 5
    while vm.call(remote.name, "code", "which", ["observer_backend"]) != "non_existing":
        assert time.monotonic() < deadline


def count(vm: LocalNode, remote: Beam) -> int:
    return int(vm.call(remote.name, "erlang", "system_info", ["process_count"]))


def test_what_is_lent_is_taken_back(vm: LocalNode) -> None:
    with without_backend("bare@127.0.0.9") as remote:
        join(vm, remote)
        until_without(vm, remote)
        assert not vm.check_backend(remote.name)
        vm.can_lend(remote.name)
        processes = count(vm, remote)
        lent = vm.lend(remote.name)
        assert sorted(lent) == ["appmon_info", "observer_backend"]
        assert vm.check_backend(remote.name)
        assert sorted(vm.withdraw(remote.name, lent)) == sorted(lent)
        assert not vm.check_backend(remote.name)
        deadline = time.monotonic() + 5
        while count(vm, remote) != processes:
            assert time.monotonic() < deadline
        assert remote.words() == ""


@pytest.mark.parametrize("ending", ["close", "kill"])
def test_what_is_lent_is_taken_back_at_our_end(cache: Path, tmp_path: Path, ending: str) -> None:
    with without_backend("bare@127.0.0.9") as remote:
        with local_vm(cache, tmp_path) as first:
            join(first, remote)
            until_without(first, remote)
            first.lend(remote.name)
            if ending == "kill":
                os.kill(first.pid, 9)
        with local_vm(cache, tmp_path) as second:
            join(second, remote)
            deadline = time.monotonic() + 5
            while second.call(remote.name, "code", "is_loaded", ["observer_backend"]) != "false":
                assert time.monotonic() < deadline
                time.sleep(0.05)
        assert remote.words() == ""


def test_a_node_that_has_the_backend_is_lent_nothing(vm: LocalNode) -> None:
    with beam("full@127.0.0.9") as remote:
        join(vm, remote)
        assert vm.check_backend(remote.name)
        assert vm.lend(remote.name) == []
        assert vm.withdraw(remote.name, ["observer_backend"]) == []
        assert vm.check_backend(remote.name)
