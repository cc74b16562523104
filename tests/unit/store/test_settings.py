"""Preferences: each setting stands for itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from spyglass.store import settings
from spyglass.store.settings import Settings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.toml"


def test_without_a_file_the_defaults_hold(path: Path) -> None:
    assert settings.load(path) == (Settings(), [])
    assert not path.parent.exists()


def test_what_is_saved_is_loaded(path: Path) -> None:
    chosen = Settings(erl="/opt/otp/bin/erl", theme="dark", notifications=False, columns={"nodes": "AAEC"})
    settings.save(chosen, path)

    assert settings.load(path) == (chosen, [])


def test_a_bad_setting_takes_its_default_and_the_others_count(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('theme = "pink"\nautostart = true\nthem = "dark"\n')
    found, failures = settings.load(path)

    assert found == Settings(autostart=True)
    assert [failure.title for failure in failures] == [
        "settings.toml: the field `theme`: invalid enum value 'pink'",
        "settings.toml: the file has an unknown field `them`",
    ]


def test_a_broken_file_gives_the_defaults_and_stays(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"theme = ")
    found, failures = settings.load(path)

    assert found == Settings()
    assert "settings.toml, line 1" in failures[0].title
    assert path.read_bytes() == b"theme = "


@pytest.mark.parametrize("before", [b"theme = ", b"# mine\nautostart = true\n", b"them = 1\n"])
def test_what_saving_would_lose_is_kept_aside(before: bytes, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(before)
    settings.save(Settings(theme="light"), path)

    assert path.with_name("settings.toml.bak").read_bytes() == before
    assert settings.load(path) == (Settings(theme="light"), [])
