from __future__ import annotations

from pathlib import Path

import pytest

from spyglass.erlang import places


def program(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "erl"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def only_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_FIXED", ())
    monkeypatch.setattr(places, "_KEGS", ())


def test_the_path_comes_first_then_version_managers_newest_first(tmp_path: Path) -> None:
    home = tmp_path / "home"
    on_path = program(tmp_path / "bin")
    old = program(home / ".asdf/installs/erlang/9.3/bin")
    new = program(home / ".asdf/installs/erlang/27.1.2/bin")
    mise = program(home / ".local/share/mise/installs/erlang/26.2/bin")
    kerl = program(home / "kerl/25.3/bin")
    found = list(places.candidates({"PATH": f"{tmp_path / 'bin'}:relative", "HOME": str(home)}))
    assert found == [on_path, new, old, mise, kerl]


def test_each_program_is_named_once_whatever_links_lead_to_it(tmp_path: Path) -> None:
    real = program(tmp_path / "lib/erlang/bin")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/erl").symlink_to(real)
    found = list(places.candidates({"PATH": f"{tmp_path / 'bin'}:{real.parent}", "HOME": str(tmp_path)}))
    assert found == [tmp_path / "bin/erl"]


def test_what_cannot_be_run_is_no_candidate(tmp_path: Path) -> None:
    program(tmp_path / "bin").chmod(0o644)
    assert list(places.candidates({"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)})) == []


@pytest.mark.parametrize("variable", ["KERL_DEFAULT_INSTALL_DIR", "KERL_INSTALL_DIR"])
def test_where_kerl_was_told_to_install_is_searched(tmp_path: Path, variable: str) -> None:
    erl = program(tmp_path / "otp/26/bin")
    environ = {"PATH": "", "HOME": str(tmp_path / "home"), variable: str(tmp_path / "otp")}
    assert list(places.candidates(environ)) == [erl]


@pytest.mark.parametrize(
    ("os_release", "command"),
    [
        ('ID=debian\nVERSION_ID="12"\n', "sudo apt install erlang-observer"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "sudo apt install erlang-observer"),
        ("ID=fedora\n", "sudo dnf install erlang-observer"),
        ('ID=rocky\nID_LIKE="rhel centos fedora"\n', "sudo dnf install erlang-observer"),
        ("ID=manjaro\nID_LIKE=arch\n", "sudo pacman -S erlang"),
        ("ID=alpine\n", "sudo apk add erlang erlang-observer"),
        ('ID="opensuse-leap"\n', "sudo zypper install erlang-observer"),
        ("ID=unheard-of\n", ""),
        ("", ""),
    ],
)
def test_the_install_command_fits_the_system(os_release: str, command: str) -> None:
    assert places.install_command(os_release, "linux") == command


def test_a_mac_installs_by_homebrew() -> None:
    assert places.install_command("", "darwin") == "brew install erlang"
