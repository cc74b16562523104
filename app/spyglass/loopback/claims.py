"""One address, one owner: a lock for each, which the kernel releases however its holder ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path

from spyglass.loopback.addresses import refused
from spyglass.store import paths


class Claims:
    """The addresses that one connection has for itself, among all programs of this user."""

    def __init__(self, owner: str, directory: Path | None = None) -> None:
        """``owner`` is the profile's name: what others are told."""
        self._owner = owner
        self._directory = directory
        self._held: set[str] = set()
        self._undo = ExitStack()

    def take(self, address: str) -> None:
        """Claim an address; more than once is well. Raises Failure with the name of who has it."""
        if address in self._held:
            return
        file = (self._directory or paths.current().runtime) / f"alias-{address}"
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            other = os.read(descriptor, 1000).decode("utf-8", "replace") or "another connection"
            os.close(descriptor)
            raise refused(
                f"{address} stands for a node of {other} already", "Disconnect that one first, and try again."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, self._owner.encode(), 0)
        self._undo.callback(os.close, descriptor)
        self._held.add(address)

    def close(self) -> None:
        """Give all back."""
        self._held.clear()
        self._undo.close()
