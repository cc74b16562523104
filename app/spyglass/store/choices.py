"""Where a person chose to keep each kind of secret of each profile, so that the same is offered again.

One small file in the state directory: profile ids, kinds and places, never a secret. It is
a comfort only, so a file that can't be read or written changes nothing but what is offered.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

from spyglass.errors import Failure
from spyglass.store import files, paths

_PLACES = frozenset({"keyring", "run", "ask"})


class Choices:
    """The file. Without a path the choices last as long as the program."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._here: dict[str, dict[str, str]] = {}

    def get(self, profile_id: str, kind: str) -> str:
        """The last choice, or empty."""
        with self._lock:
            return self._load().get(profile_id, {}).get(kind, "")

    def set(self, profile_id: str, kind: str, place: str) -> None:
        """Remember a choice."""
        with self._lock:
            known = self._load()
            if known.get(profile_id, {}).get(kind) != place:
                known.setdefault(profile_id, {})[kind] = place
                self._save(known)

    def drop(self, profile_id: str) -> None:
        """Forget a profile."""
        with self._lock:
            known = self._load()
            if known.pop(profile_id, None) is not None:
                self._save(known)

    def _load(self) -> dict[str, dict[str, str]]:
        if self._path is None or not self._path.exists():
            return self._here
        try:
            found = json.loads(files.read(self._path))
            return {str(one): _usable(kinds) for one, kinds in found.items()}
        except (Failure, ValueError, AttributeError):
            return self._here

    def _save(self, known: dict[str, dict[str, str]]) -> None:
        self._here = known
        if self._path is None:
            return
        try:
            paths.private(self._path.parent)
            files.write(self._path, json.dumps(known, indent=1).encode())
        except Failure:
            return  # it counts for this run


def _usable(kinds: dict[object, object]) -> dict[str, str]:
    return {str(kind): str(place) for kind, place in kinds.items() if place in _PLACES}
