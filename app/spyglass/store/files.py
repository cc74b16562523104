"""Writing a small file so that a crash, a full disk or a second process never spoils it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spyglass.errors import Failure

LIMIT = 1_000_000
"""Bytes: no file of ours comes near it; a larger one was put there by mistake."""


def read(path: Path) -> bytes:
    """The file's bytes. Raises a Failure that names the file when it cannot be read or is huge."""
    with _told(path, "read"), path.open("rb") as file:
        data = file.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise Failure(
            f"{path} is larger than {LIMIT // 1000} kB", "It is no file of Spyglass; move it elsewhere."
        )
    return data


def write(path: Path, data: bytes) -> None:
    """Put the bytes there, replacing what was: whole or not at all, readable by us only.

    A symbolic link is followed, so that a file kept elsewhere (in a repository of dotfiles)
    stays where it is. Raises a Failure that names the file.
    """
    with _told(path, "written"):
        target = path.resolve()
        with _beside(target, data) as ready:
            ready.replace(target)


def create(path: Path, data: bytes) -> bool:
    """Put a new file there, whole or not at all; return False if there is one of that name."""
    with _told(path, "written"), _beside(path, data) as ready:
        try:
            os.link(ready, path)  # unlike a rename it never replaces what another process has just put there
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links
            if path.exists():
                return False
            ready.replace(path)
    return True


def keep(path: Path, *, always: bool = False) -> None:
    """Copy a file that is about to be rewritten to ``….bak`` if it has comments, which would be lost."""
    before = read(path)
    if always or any(line.lstrip().startswith(b"#") for line in before.splitlines()):
        write(path.with_name(f"{path.name}.bak"), before)


def lock(descriptor: int) -> None:
    """Lock an open file for this process, however it ends. Raises OSError when another one has it."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - exists on Windows only

        os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # behind what is in it, which others may still read
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        import fcntl  # noqa: PLC0415 - exists on Unix only

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def _beside(target: Path, data: bytes) -> Iterator[Path]:
    """A complete, synced file (0600) in the target's directory; removed if it is still there at the end."""
    import tempfile  # noqa: PLC0415 - the window's start only reads

    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield Path(name)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()


@contextmanager
def _told(path: Path, deed: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        hint = "Check the permissions of the file and of its directory, and the free space."
        raise Failure(f"{path} cannot be {deed}: {reason}", hint, code="disk") from error
