"""A system keyring in memory."""

from __future__ import annotations

import json
import threading
from typing import Any

from spyglass.errors import Failure


class FakeRing:
    """A keyring in memory; ``fault`` is raised at each use, ``gate`` blocks each use while it is closed."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.why_not = ""
        self.fault: Failure | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.uses = 0
        self.threads: set[str] = set()

    def _use(self) -> None:
        self.uses += 1
        self.threads.add(threading.current_thread().name)
        self.gate.wait(10)
        if self.fault:
            raise self.fault

    def get(self, profile_id: str, kind: str) -> str | None:
        self._use()
        return self.kept.get((profile_id, kind))

    def set(self, profile_id: str, kind: str, secret: str) -> None:
        self._use()
        self.kept[profile_id, kind] = secret

    def delete(self, profile_id: str, kind: str) -> None:
        self._use()
        self.kept.pop((profile_id, kind), None)

    def delete_all(self, profile_id: str) -> None:
        self._use()
        self.kept = {key: value for key, value in self.kept.items() if key[0] != profile_id}

    def bundle(self, profile_id: str, kind: str) -> Any:
        """What is stored of a kind, by subject."""
        text = self.kept.get((profile_id, kind))
        return json.loads(text) if text else None
