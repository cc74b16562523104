"""Constant names for our local nodes.

Every node name that a remote node has ever heard of stays in its atom table for ever, so
ours must not be random: one random identity a installation, drawn once, and a small number,
the slot. Two nodes with the same name would throw each other out of the remote, so a slot
belongs to one process at a time: a file lock, which the kernel releases however the
process ends.
"""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spyglass.errors import Failure
from spyglass.store import files, paths

_SLOTS = 200
_ID = re.compile(r"[0-9a-f]{8}")
_OURS = re.compile(rf"spyglass_{_ID.pattern}_\w+")


@dataclass(frozen=True, slots=True)
class Slot:
    """A name for one local node, ours alone while held."""

    identity: str
    number: int

    @property
    def node_name(self) -> str:
        """The full name; the remote never dials it, so its host need not lead anywhere."""
        return _name(self.identity, str(self.number))


def is_ours(short: str) -> bool:
    """Whether this is how a Spyglass calls its local nodes: such a one is nobody's to observe."""
    return _OURS.fullmatch(short) is not None


def _name(identity: str, tail: str) -> str:
    return f"spyglass_{identity}_{tail}@127.0.0.1"


def identity(directory: Path | None = None) -> str:
    """This installation's eight hexadecimal digits; drawn at first use, race-free.

    ``directory`` is the state directory. Raises Failure when it cannot be written.
    """
    file = (directory or paths.current().state) / "installation-id"
    try:
        found = _read(file)
        return found or _draw(file)
    except OSError as error:
        raise Failure(
            f"{file} cannot be used: {error.strerror}", "Make its directory writable for you."
        ) from error


def _read(file: Path) -> str:
    try:
        text = file.read_text("ascii", errors="replace").strip()
    except FileNotFoundError:
        return ""
    return text if _ID.fullmatch(text) else ""


def _draw(file: Path) -> str:
    """Write a complete file aside and link it into place: who comes second reads the first one's."""
    descriptor, aside = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_hex(4) + "\n")
        try:
            os.link(aside, file)
        except FileExistsError:
            if not _read(file):  # a file of another content: broken, replace it
                Path(aside).replace(file)
    finally:
        Path(aside).unlink(missing_ok=True)
    return _read(file)


def probe_name(directory: Path | None = None) -> str:
    """The name under which handshake probes greet: always the same one."""
    return _name(identity(directory), "probe")


@contextmanager
def take(state: Path | None = None, runtime: Path | None = None) -> Iterator[Slot]:
    """Hold the lowest free slot. Raises Failure when all are taken or the directory is not writable."""
    name = identity(state)
    directory = runtime or paths.current().runtime
    number, descriptor = _lowest(directory)
    try:
        yield Slot(name, number)
    finally:
        os.close(descriptor)


def _lowest(directory: Path) -> tuple[int, int]:
    for number in range(_SLOTS):
        descriptor = _locked(directory / f"slot-{number}")
        if descriptor is not None:
            return number, descriptor
    raise Failure("Too many Observer windows and shells are open", f"Close some: {_SLOTS} is the limit.")


def _locked(file: Path) -> int | None:
    """Open and lock; None if somebody else holds it. The lock lives as long as the descriptor."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as error:
        raise Failure(
            f"{file} cannot be used: {error.strerror}", "Make its directory writable for you."
        ) from error
    try:
        files.lock(descriptor)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
