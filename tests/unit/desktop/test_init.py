import sys
from pathlib import Path

import pytest

from spyglass import APP_ID, desktop
from spyglass.errors import Failure, Missing


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def test_starting_at_login_is_a_file_that_comes_and_goes(home: Path) -> None:
    file = home / f".config/autostart/{APP_ID}.desktop"
    assert not desktop.starts_at_login()
    desktop.start_at_login(True)
    assert desktop.starts_at_login()
    assert "--background\n" in file.read_text()
    desktop.start_at_login(False)
    desktop.start_at_login(False)
    assert not file.exists()


def test_on_macos_it_is_a_launch_agent(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    desktop.start_at_login(True)
    assert "<string>--background</string>" in (home / f"Library/LaunchAgents/{APP_ID}.plist").read_text()


def test_where_there_is_no_such_thing_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "freebsd14")
    assert not desktop.starts_at_login()
    with pytest.raises(Missing, match="not there for this system yet"):
        desktop.start_at_login(True)


def test_a_place_that_cannot_be_written_is_named(home: Path) -> None:
    (home / ".config").write_text("a file")
    with pytest.raises(Failure, match=rf"{APP_ID}\.desktop can't be changed"):
        desktop.start_at_login(True)


def test_the_command_lies_beside_the_python_that_runs_us(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(home / "python"))
    monkeypatch.setattr(desktop.shutil, "which", lambda _name: None)
    assert desktop.command() == [str(home / "python"), "-m", "spyglass"]
    (home / "spyglass").touch()
    assert desktop.command() == [str(home / "spyglass")]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert desktop.command() == [str(home / "python")]


def test_a_folder_without_anything_to_open_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(Missing, match="no xdg-open"):
        desktop.open_folder(home)
