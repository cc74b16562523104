"""A look into containers from within, by the engine's ``exec``: for cookies that stand only there.

An exec is slow and heavy, so it happens at most once a container and only when the
host's own view was not enough; few at a time, for sshd allows ten sessions a connection.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as NotYet
from dataclasses import replace

from spyglass.erlang import survey
from spyglass.erlang.procfs import Beam
from spyglass.erlang.survey import Survey
from spyglass.errors import Failure
from spyglass.remote.base import Remote
from spyglass.remote.container import Container, Facts

_AT_ONCE = 6
_SECONDS = 6.0


class Inside:
    """Surveys from within, each made once and shared. ``warn`` hears of those that fail."""

    def __init__(self, host: Remote, warn: Callable[[str], None]) -> None:
        self._host, self._warn = host, warn
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="inside")
        self._lock = threading.Lock()
        self._looks: dict[tuple[str, str], Future[Survey]] = {}

    def begin(self, facts: Facts, beam: Beam | None) -> Future[Survey]:
        """Start looking, as the user whose process it is, unless that was done before."""
        uid = beam.inside_uid() if beam else None
        user = "" if uid is None else str(uid)
        with self._lock:
            key = (facts.id, user)
            if key not in self._looks:
                self._looks[key] = self._pool.submit(self._look, facts, user, beam)
            return self._looks[key]

    def look(self, facts: Facts, beam: Beam | None) -> Survey:
        """What is inside; empty when there is no looking in."""
        try:
            return self.begin(facts, beam).result(_SECONDS)
        except (NotYet, RuntimeError):
            return Survey()

    def _look(self, facts: Facts, user: str, beam: Beam | None) -> Survey:
        container = Container(self._host, facts, user=user)
        try:
            return survey.take(container, "inside", seconds=_SECONDS)
        except Failure as failure:
            if failure.code == "no-shell" and beam:
                return Survey(beams=(_from_copies(container, beam),))
            self._warn(f"No look into the container {facts.name}: {failure.title}")
            return Survey()

    def close(self, *, patience: float) -> None:
        """Begin nothing more; wait at most ``patience`` seconds for what runs but nobody needed."""
        with self._lock:
            looks = list(self._looks.values())
        for look in looks:
            look.cancel()
        running = wait(looks, patience).not_done
        self._pool.shutdown(wait=not running, cancel_futures=True)


def _from_copies(container: Container, beam: Beam) -> Beam:
    """The process with the files that its command line speaks of: the way where there is no shell."""
    boot, root, home = (beam.option(name) or "" for name in ("-boot", "-root", "-home"))
    release = boot.rpartition("/")[0]
    places = (
        ("COOKIE", f"{release.rpartition('/')[0]}/COOKIE" if release else f"{root}/releases/COOKIE"),
        ("vm.args", f"{release}/vm.args" if release else ""),
        (".erlang.cookie", f"{home}/.erlang.cookie" if home else ""),
    )
    texts = ((kind, container.read(path)) for kind, path in places if path.startswith("/"))
    return replace(beam, files=tuple((kind, text.decode("utf-8", "replace")) for kind, text in texts if text))
