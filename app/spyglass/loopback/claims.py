"""One address, one owner: a lock for each, which the kernel releases however its holder ends."""

from __future__ import annotations

import os
from pathlib import Path

from spyglass.loopback.addresses import refused
from spyglass.store import files, paths


class Claims:
    """The addresses that one connection has for itself, among all programs of this user."""

    def __init__(self, owner: str, directory: Path | None = None) -> None:
        """``owner`` is the profile's name: what others are told."""
        self._owner = owner
        self._directory = directory
        self._held: dict[str, int] = {}

    def take(self, address: str) -> None:
        """Claim an address; more than once is well. Raises Failure with the name of who has it."""
        if address in self._held:
            return
        file = (self._directory or paths.current().runtime) / f"alias-{address}"
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            files.lock(descriptor)
        except OSError:
            other = os.read(descriptor, 1000).decode("utf-8", "replace") or "another connection"
            os.close(descriptor)
            raise refused(
                f"{address} belongs to {other} already", "Disconnect that one first, and try again."
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, self._owner.encode())
        self._held[address] = descriptor

    def release(self, address: str) -> None:
        """Give one back, if it is held."""
        descriptor = self._held.pop(address, None)
        if descriptor is not None:
            os.close(descriptor)

    def close(self) -> None:
        """Give all back."""
        for address in list(self._held):
            self.release(address)
