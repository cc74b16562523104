"""Small files: whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from spyglass.errors import Failure
from spyglass.store import files


def test_a_file_is_replaced_as_a_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("before")
    files.write(path, b"after")

    assert path.read_bytes() == b"after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]  # no temporary file stays


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_write_that_fails_leaves_what_was(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(step, full)
    with pytest.raises(Failure, match=r"a\.toml cannot be written: No space left on device"):
        files.write(path, b"after")

    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_followed_so_that_dotfiles_stay_where_they_are(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_bytes(b"before")
    (tmp_path / "a.toml").symlink_to(real)
    files.write(tmp_path / "a.toml", b"after")

    assert (tmp_path / "a.toml").is_symlink()
    assert real.read_bytes() == b"after"


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_new_file_never_replaces_another(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", _unsupported)

    assert files.create(tmp_path / "a", b"first")
    assert not files.create(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert len(list(tmp_path.iterdir())) == 1


def _unsupported(*_: object) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_a_file_that_is_not_there_is_told_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="gone cannot be read: No such file or directory"):
        files.read(tmp_path / "gone")


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(files.LIMIT + 1)

    with pytest.raises(Failure, match="larger than 1000 kB"):
        files.read(tmp_path / "huge")


@pytest.mark.parametrize(
    ("before", "kept"), [("a = 1\n", False), ("# why\na = 1\n", True), ("a = 1\n  # x", True)]
)
def test_comments_are_kept_aside(before: str, kept: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(before)
    files.keep(path)

    assert (tmp_path / "a.toml.bak").exists() is kept
