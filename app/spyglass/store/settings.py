"""What a person prefers, for the whole program: one TOML file, changed as a whole.

A setting that cannot be understood is reported and takes its default; the others count.
The file itself is only written by :func:`save`, which first puts one with faults or
comments aside as ``settings.toml.bak``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from spyglass.errors import BadInput, Failure
from spyglass.store import document, files, paths

Theme = Literal["auto", "light", "dark"]
LogLevel = Literal["debug", "info", "warning", "error"]
Opaque = Annotated[str, Meta(max_length=20_000)]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The preferences; the defaults suit somebody who never opens them.

    ``erl``: the local Erlang to use (a path), or empty to search. ``close_to_tray_said``:
    the person has been told once that closing the window leaves the program in the tray.
    ``tray``: closing the window leaves the program there; ``welcomed``: the first run is over.
    ``window`` and ``columns``: where the window stood and how wide each table's columns
    are, as the user interface wrote them (base64; nothing else reads them).
    """

    erl: Annotated[str, Meta(max_length=4096)] = ""
    theme: Theme = "auto"
    log_level: LogLevel = "info"
    notifications: bool = True
    autostart: bool = False
    tray: bool = True
    close_to_tray_said: bool = False
    welcomed: bool = False
    window: Opaque = ""
    columns: dict[str, Opaque] = {}


def load(path: Path) -> tuple[Settings, list[Failure]]:
    """The settings of the file, and one Failure for each part that is not usable. Never raises."""
    if not path.exists():
        return Settings(), []
    try:
        content = document.table(files.read(path), path.name)
    except Failure as failure:
        return Settings(), [failure]
    return _usable(content, path.name)


def save(settings: Settings, path: Path) -> None:
    """Write the settings. Raises a Failure that names the file."""
    paths.private(path.parent)
    if path.exists():
        files.keep(path, always=bool(load(path)[1]))
    files.write(path, document.dump(settings))


def _usable(content: dict[str, object], name: str) -> tuple[Settings, list[Failure]]:
    good: dict[str, object] = {}
    failures: list[Failure] = []
    for field, value in content.items():
        try:
            document.shape({field: value}, Settings, name)
            good[field] = value
        except BadInput as fault:
            failures.append(fault)
    return document.shape(good, Settings, name), failures
