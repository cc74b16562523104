"""Only a helper that nobody else can have changed is run as root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spyglass.errors import Denied, Missing
from spyglass.loopback import trust


@pytest.fixture
def helper(tmp_path: Path) -> Path:
    """A file as a package would install it, below ``tmp_path/top``."""
    path = tmp_path / "top" / "usr" / "libexec" / "spyglass" / "helper"
    path.parent.mkdir(parents=True)
    for directory in path.parents:
        if directory.is_relative_to(tmp_path):
            directory.chmod(0o755)
    path.write_text("#!/bin/true\n")
    path.chmod(0o755)
    return path


def check(helper: Path) -> Path:
    return trust.check(helper, top=helper.parents[3], owner=os.getuid())


def test_a_file_that_only_its_owner_can_change_is_trusted(helper: Path) -> None:
    assert check(helper) == helper


def test_one_that_is_not_there_is_missing_and_says_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(Missing) as told:
        trust.check(tmp_path / "nothing")
    assert "spyglass helper" in told.value.hint


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_one_that_others_can_write_is_refused(helper: Path, mode: int) -> None:
    helper.chmod(mode)
    with pytest.raises(Denied, match="helper can be changed by others"):
        check(helper)


@pytest.mark.parametrize("up", [0, 1, 2, 3])
def test_so_is_one_below_a_directory_that_others_can_write(helper: Path, up: int) -> None:
    helper.parents[up].chmod(0o777)
    with pytest.raises(Denied, match=f"{helper.parents[up].name} can be changed by others"):
        check(helper)


def test_the_sticky_bit_is_no_excuse(helper: Path) -> None:
    helper.parent.chmod(0o1777)
    with pytest.raises(Denied):
        check(helper)


def test_a_symbolic_link_is_refused_as_file_and_as_directory(helper: Path) -> None:
    link = helper.parent / "link"
    link.symlink_to(helper)
    with pytest.raises(Denied, match="link is a symbolic link"):
        check(link)
    elsewhere = helper.parents[1] / "elsewhere"
    elsewhere.symlink_to(helper.parent)
    with pytest.raises(Denied, match="elsewhere is a symbolic link"):
        trust.check(elsewhere / "helper", top=helper.parents[3], owner=os.getuid())


def test_another_owner_is_refused(helper: Path) -> None:
    with pytest.raises(Denied, match="belongs to another user"):
        trust.check(helper, top=helper.parents[3], owner=os.getuid() + 1)


def test_a_directory_is_no_helper(helper: Path) -> None:
    with pytest.raises(Denied, match="is not a file"):
        check(helper.parent)


def test_up_to_the_root_nothing_below_a_temporary_directory_is_trusted(helper: Path) -> None:
    with pytest.raises(Denied):
        trust.check(helper)


def test_the_place_is_a_constant_of_the_system() -> None:
    assert Path("/usr/libexec/spyglass/spyglass-loopback") == trust.HELPER
