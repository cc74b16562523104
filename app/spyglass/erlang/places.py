"""Where an ``erl`` may lie, and how to get one: what differs between systems and version managers."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

_PROGRAM = "erl.exe" if sys.platform == "win32" else "erl"

_FIXED = (
    "/usr/bin",  # Debian, Fedora, Arch, Alpine
    "/usr/local/bin",  # built from source; Homebrew on Intel Macs
    "/usr/lib/erlang/bin",  # Debian, Erlang Solutions
    "/usr/local/lib/erlang/bin",
    "/usr/lib64/erlang/bin",
    "/opt/homebrew/bin",
    "/home/linuxbrew/.linuxbrew/bin",
    "/opt/local/bin",  # MacPorts
    "/opt/erlang/bin",
    "/run/current-system/sw/bin",  # NixOS
    "/nix/var/nix/profiles/default/bin",
)
_HOME = (".asdf/shims", ".local/share/mise/shims", ".nix-profile/bin", ".linuxbrew/bin")
# Directories that hold one installation each, newest first.
_MANY = (".asdf/installs/erlang", ".local/share/mise/installs/erlang", ".kerl/installs", "kerl", ".kerl")
_KEGS = ("/opt/homebrew/opt", "/usr/local/opt", "/home/linuxbrew/.linuxbrew/opt")


def candidates(environ: Mapping[str, str] | None = None) -> Iterator[Path]:
    """Every ``erl`` found, each program once (links followed), in the order in which to prefer them."""
    seen: set[Path] = set()
    for directory in _directories(os.environ if environ is None else environ):
        path = directory / _PROGRAM
        if path.is_file() and os.access(path, os.X_OK) and (real := path.resolve()) not in seen:
            seen.add(real)
            yield path


def _directories(environ: Mapping[str, str]) -> Iterator[Path]:
    on_path = map(Path, environ.get("PATH", "").split(os.pathsep))
    yield from (entry for entry in on_path if entry.is_absolute())
    home = Path(environ.get("HOME") or Path.home())
    yield from (home / place for place in _HOME)
    for many in [*_managed(environ), *(home / place for place in _MANY)]:
        yield from (one / "bin" for one in _newest_first(many, "*"))
    yield from (Path(place) for place in _FIXED)
    for keg in _KEGS:
        yield from (one / "bin" for one in _newest_first(Path(keg), "erlang*"))
    if sys.platform == "win32":
        programs = Path(environ.get("ProgramFiles", r"C:\Program Files"))
        yield from (one / "bin" for one in _newest_first(programs, "[Ee]rl*"))


def _managed(environ: Mapping[str, str]) -> Iterator[Path]:
    """Where version managers were told to put things."""
    if "ASDF_DATA_DIR" in environ:
        yield Path(environ["ASDF_DATA_DIR"]) / "installs" / "erlang"
    if "MISE_DATA_DIR" in environ:
        yield Path(environ["MISE_DATA_DIR"]) / "installs" / "erlang"
    for name in ("KERL_DEFAULT_INSTALL_DIR", "KERL_INSTALL_DIR"):
        if name in environ:
            yield Path(environ[name])
    if "KERL_BASE_DIR" in environ:
        yield Path(environ["KERL_BASE_DIR"]) / "installs"


def _newest_first(parent: Path, pattern: str) -> list[Path]:
    try:
        found = list(parent.glob(pattern))
    except OSError:
        return []
    return sorted(found, key=lambda path: [int(n) for n in re.findall(r"\d+", path.name)], reverse=True)


_INSTALL = {
    "debian": "sudo apt install erlang-observer",
    "fedora": "sudo dnf install erlang-observer",
    "rhel": "sudo dnf install erlang-observer",
    "arch": "sudo pacman -S erlang",
    "alpine": "sudo apk add erlang erlang-observer",
    "suse": "sudo zypper install erlang-observer",
    "gentoo": "sudo USE=wxwidgets emerge dev-lang/erlang",
    "nixos": "nix profile install nixpkgs#erlang",
    "macos": "brew install erlang",
    "windows": "winget install Erlang.ErlangOTP",
}


def install_command(os_release: str | None = None, platform: str = sys.platform) -> str:
    """The command that installs Erlang with Observer on this system; empty if unknown.

    ``os_release`` is the text of ``/etc/os-release`` (read when not given): ID, then ID_LIKE.
    """
    if platform in {"darwin", "win32"}:
        return _INSTALL["macos" if platform == "darwin" else "windows"]
    text = _os_release() if os_release is None else os_release
    fields = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
    names = [fields.get("ID", ""), *fields.get("ID_LIKE", "").split()]
    return next((_INSTALL[name] for name in map(_family, names) if name in _INSTALL), "")


def _family(name: str) -> str:
    if name == "ubuntu":
        return "debian"
    return "suse" if name.startswith(("opensuse", "sles")) else name


def _os_release() -> str:
    try:
        return Path("/etc/os-release").read_text("utf-8", errors="replace")
    except OSError:
        return ""
