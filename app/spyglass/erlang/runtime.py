"""Which Erlang of this machine to use.

The one chosen in the preferences; else the first that has everything, in the order of PATH,
version managers, and the usual places. Asking an Erlang what it is takes 0.2 s, so answers
are kept, and trusted as long as the program and its library directory look the same.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from spyglass.erlang.compiled import modules
from spyglass.erlang.installation import Broken, Erlang, probe
from spyglass.erlang.places import candidates, install_command
from spyglass.errors import Failure, Missing
from spyglass.store import paths

__all__ = ["Erlang", "find", "installed", "modules"]

_KEPT = "erlang.json"


def find(
    setting: str = "",
    environ: Mapping[str, str] | None = None,
    *,
    window: bool = True,
    cache: Path | None = None,
) -> Erlang:
    """The Erlang to use. ``setting``: a path that the person chose, of ``erl`` or of its directory.

    ``window=False`` is content with one that cannot show Observer (calls, shells). Raises
    Missing with what to install, or Broken for an ``erl`` that does not answer.
    """
    memory = Memory(cache or paths.current().cache)
    if setting:
        return _usable(memory.ask(_chosen(setting), environ), window=window)
    failures: list[Failure] = []
    for path in candidates(environ):
        try:
            return _usable(memory.ask(path, environ), window=window)
        except Failure as failure:
            failures.append(failure)
    raise failures[0] if failures else _none()


def installed(environ: Mapping[str, str] | None = None, cache: Path | None = None) -> list[Erlang]:
    """Every Erlang that answers, for a person to choose from."""
    memory = Memory(cache or paths.current().cache)
    return list(_answering(memory, environ))


def _answering(memory: Memory, environ: Mapping[str, str] | None) -> Iterator[Erlang]:
    for path in candidates(environ):
        try:
            yield memory.ask(path, environ)
        except Broken:
            continue


def _chosen(setting: str) -> Path:
    path = Path(setting).expanduser()
    tried = [path, path / "bin" / "erl", path / "erl", path / "bin" / "erl.exe"]
    for one in tried:
        if one.is_file() and os.access(one, os.X_OK):
            return one.absolute()
    raise Missing(f"There is no Erlang at {setting}", "Choose the program `erl` of one, or nothing at all.")


def _usable(erlang: Erlang, *, window: bool) -> Erlang:
    if not erlang.compiler:
        raise _lacks(erlang, "the compiler", "erlang-dev")
    if window and not erlang.shows_windows:
        raise _lacks(erlang, "wx" if not erlang.wx else "Observer", "erlang-observer")
    return erlang


def _lacks(erlang: Erlang, part: str, package: str) -> Missing:
    command = install_command()
    known = command.replace("erlang-observer", package) if command else "Install it"
    return Missing(
        f"The Erlang at {erlang.path} (OTP {erlang.otp}) has no {part}",
        f"{known}  (an Erlang built from source needs wxWidgets when it is built),"
        " or choose another Erlang in the preferences.",
        code="no-wx" if package == "erlang-observer" else "no-compiler",
    )


def _none() -> Missing:
    command = install_command()
    hint = command or "Install Erlang/OTP 25 or newer, with Observer,"
    return Missing(
        "There is no Erlang on this computer",
        f"{hint}  (where one is installed already, choose its `erl` in the preferences).",
        code="no-erlang",
    )


class Memory:
    """What Erlangs said of themselves, kept in a file."""

    def __init__(self, directory: Path) -> None:
        """The file lies in this directory; it may be lost at any time."""
        self._file = directory / _KEPT

    def ask(self, path: Path, environ: Mapping[str, str] | None = None) -> Erlang:
        """What the Erlang at this path is, from memory if nothing changed. Raises Broken."""
        if path.parent.name == "shims":  # which one it starts depends on other files
            return probe(path, environ)
        known = self._load()
        kept = known.get(str(path.resolve()))
        if kept is not None and (erlang := _recalled(path, kept)) is not None:
            return erlang
        erlang = probe(path, environ)
        self._save(known | {str(path.resolve()): {"seen": _looks(path, erlang.root), "is": _plain(erlang)}})
        return erlang

    def _load(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _save(self, known: dict[str, Any]) -> None:
        aside = self._file.with_suffix(f".{os.getpid()}")
        try:
            aside.write_text(json.dumps(known), "utf-8")
            aside.replace(self._file)
        except OSError:
            return  # the next one will ask again


def _recalled(path: Path, kept: Any) -> Erlang | None:
    try:
        fields = kept["is"]
        erlang = Erlang(**fields | {"path": path, "root": Path(fields["root"])})
        return erlang if kept["seen"] == _looks(path, erlang.root) else None
    except (TypeError, KeyError, OSError):
        return None


def _plain(erlang: Erlang) -> dict[str, Any]:
    return asdict(erlang) | {"path": str(erlang.path), "root": str(erlang.root)}


def _looks(path: Path, root: Path) -> list[int]:
    """The program, and the directory in which adding or removing wx and Observer leaves its mark."""
    program, libraries = path.stat(), (root / "lib").stat()
    return [program.st_mtime_ns, program.st_size, libraries.st_mtime_ns]
