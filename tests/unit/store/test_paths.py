"""Directories: private, ours, made when first asked for."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from spyglass.errors import Denied, Failure
from spyglass.store import paths

ALL = ("config", "state", "cache", "runtime")


def test_a_chosen_directory_holds_all_four(tmp_path: Path) -> None:
    chosen = paths.under(tmp_path)

    assert {getattr(chosen, name).parent for name in ALL} == {tmp_path}
    assert not list(tmp_path.iterdir())  # naming them makes nothing


def test_each_is_made_closed_to_others(tmp_path: Path) -> None:
    made = paths.under(tmp_path / "new").ensure()

    assert [stat.S_IMODE(getattr(made, name).stat().st_mode) for name in ALL] == [0o700] * 4


def test_one_that_is_open_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir(mode=0o755)
    paths.under(tmp_path).ensure()

    assert stat.S_IMODE((tmp_path / "config").stat().st_mode) == 0o700


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_one_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    os.chown(tmp_path / "run", 12345, 12345)

    with pytest.raises(Denied, match="belongs to another user"):
        paths.under(tmp_path).ensure()


def test_a_file_in_the_way_is_told_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")

    with pytest.raises(Failure, match=f"{tmp_path / 'state'} cannot be used: File exists"):
        paths.under(tmp_path).ensure()


def test_the_desktops_variables_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG_HOME", "STATE_HOME", "CACHE_HOME", "RUNTIME_DIR"):
        monkeypatch.setenv(f"XDG_{name}", str(tmp_path / name))

    found = paths.default()

    assert found.config == tmp_path / "CONFIG_HOME/spyglass"
    assert found.state == tmp_path / "STATE_HOME/spyglass"
    assert found.cache == tmp_path / "CACHE_HOME/spyglass"
    assert found.runtime == tmp_path / "RUNTIME_DIR/spyglass"


@pytest.mark.parametrize("value", [None, "", "relative/run"])
def test_without_a_runtime_directory_the_state_has_one(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is None:
        monkeypatch.delenv("XDG_RUNTIME_DIR")
    else:
        monkeypatch.setenv("XDG_RUNTIME_DIR", value)

    assert paths.default().runtime == paths.default().state / "run"


def test_what_is_in_use_is_what_was_given(tmp_path: Path) -> None:
    given = paths.use(paths.under(tmp_path))

    assert paths.current() == given
    assert given.runtime.is_dir()


def test_without_a_choice_the_default_is_in_use() -> None:
    assert paths.current() == paths.default()


def test_a_chosen_directory_is_known_again(tmp_path: Path) -> None:
    assert paths.under(tmp_path).top == tmp_path
    assert paths.default().top is None
