"""All connections of one program run; the only API of window, command line and control.

No call waits for the network. One lock guards the table of connections and is never held
while calling out. Listeners are called from the connections' threads.

What a connection is made of is imported with the first one: the window is there before.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from spyglass.errors import Failure, Missing, NeedsAnswer
from spyglass.messages import CloseWindow, Observe, Refresh, Retry, Wish
from spyglass.safe import Safe
from spyglass.standby import Standby
from spyglass.status import Status
from spyglass.store import paths
from spyglass.store.choices import Choices
from spyglass.vigil import Vigil

if TYPE_CHECKING:
    from pathlib import Path

    from spyglass.connection import Connection
    from spyglass.figures import Readings
    from spyglass.loopback.shared import Shared
    from spyglass.options import Options
    from spyglass.profile import Profile
    from spyglass.questions import Question
    from spyglass.session import Session
    from spyglass.store.profiles import Profiles

Listener = Callable[[Status], None]


class Hub:
    """The profiles and their connections."""

    def __init__(
        self,
        store: Profiles,
        ask: Callable[[str, Question], Any],
        *,
        erl: Callable[[], str] = str,
        withdraw: Callable[[str], None] | None = None,
        elevate: Callable[[], list[str]] | None = None,
    ) -> None:
        """``ask(profile_id, question)`` blocks for a person; ``withdraw(profile_id)`` takes that back.

        ``erl`` gives the path of the Erlang that the person chose (empty: search); ``elevate`` what runs
        the helper for addresses as root (default: pkexec's way).
        """
        self.store = store
        self._ask = ask
        self._withdraw = withdraw or (lambda _profile: None)
        self.erl = erl
        self._standby = Standby(erl)
        self._safe = Safe(choices=Choices(paths.current().state / "kept.json"))
        self._elevate = elevate
        self._helper: Shared | None = None
        self._forgetting: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._connections: dict[str, Connection] = {}
        self._unsaved: dict[str, Profile] = {}
        self._unattended: set[str] = set()
        self._listeners: list[Listener] = []
        self._vigil = Vigil(self.nudge)

    # -- profiles -------------------------------------------------------------

    def profiles(self) -> list[Profile]:
        """Saved profiles in their order, then those connected without saving."""
        return self.read()[0]

    def read(self) -> tuple[list[Profile], list[Failure]]:
        """The same, and what is wrong with profile files that can't be used."""
        saved, broken = self.store.load()
        return [*saved, *self._unsaved.values()], broken

    def add(self, profile: Profile) -> Profile:
        """Save a new profile; returns it with its id."""
        self._unsaved.pop(profile.id, None)
        return self.store.add(profile)

    def replace(self, profile: Profile) -> None:
        """Save a changed profile; a live connection keeps what it began with."""
        self.store.replace(profile)

    def arrange(self, profile_ids: list[str]) -> None:
        """Keep this order of the saved profiles. Raises Failure."""
        self.store.arrange(profile_ids)

    def remove(self, profile_id: str) -> None:
        """Disconnect and delete a profile, and its secrets in the background."""
        self.disconnect(profile_id)
        if self._unsaved.pop(profile_id, None) is not None:
            return
        self.store.remove(profile_id)
        work = threading.Thread(target=self._safe.forget, args=(profile_id,), name="forget", daemon=True)
        self._forgetting.append(work)
        work.start()

    def export(self, profile_id: str, path: Path) -> None:
        """Write a saved profile to a file, replacing what is there; no secret is in it. Raises Failure."""
        self.store.export(profile_id, path, overwrite=True)

    def import_(self, path: Path) -> Profile:
        """Save the profile of a file. Raises BadInput with the place of what is wrong; the file stays."""
        return self.store.import_(path)

    def apart(self) -> Hub:
        """Another hub for trying a way out: same questions and secrets, connections of its own."""
        made = Hub(self.store, self._ask, erl=self.erl, withdraw=self._withdraw)
        made._safe = self._safe
        return made

    def profile(self, profile_id: str) -> Profile:
        """The profile with this id. Raises Missing."""
        for profile in self.profiles():
            if profile.id == profile_id:
                return profile
        raise Missing("There is no such profile", "It may have been deleted.")

    # -- states ---------------------------------------------------------------

    def status(self, profile_id: str) -> Status:
        """What is known of one profile's connection now."""
        connection = self._known(profile_id)
        return connection.status if connection else Status(profile_id)

    def statuses(self) -> list[Status]:
        """The status of every connection that was started."""
        with self._lock:
            return [c.status for c in self._connections.values()]

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear every Status from now on (from worker threads); returns how to stop hearing."""
        with self._lock:
            self._listeners = [*self._listeners, listener]
        return lambda: self._unsubscribe(listener)

    def _unsubscribe(self, listener: Listener) -> None:
        with self._lock:
            self._listeners = [known for known in self._listeners if known is not listener]

    def _publish(self, status: Status) -> None:
        connection = self._known(status.profile_id)
        self._vigil.hear(status, persists=connection is not None and connection.options.persist)
        for listener in self._listeners:
            listener(status)

    # -- the computer -----------------------------------------------------------

    def nudge(self) -> None:
        """The network changed or the computer woke: who waits tries now, who is up makes sure."""
        with self._lock:
            connections = list(self._connections.values())
        for connection in connections:
            if connection.alive:
                connection.nudge()

    # -- wishes -----------------------------------------------------------------

    def connect(
        self, profile: Profile | str, options: Options | None = None, *, unattended: bool = False
    ) -> str:
        """Connect a profile (an id, or one that need not be saved); returns its id.

        Without ``options`` it comes back after a loss, and its nodes get the addresses that it says.
        ``unattended``: nobody asked for it just now (it is connected at the start). A question
        then stops the connection with NeedsAnswer, until a person wants something of it.
        """
        from dataclasses import replace  # noqa: PLC0415 - see the module's text

        from spyglass.connection import Connection  # noqa: PLC0415
        from spyglass.keeping import Keeper  # noqa: PLC0415
        from spyglass.options import Options  # noqa: PLC0415 - as above

        wanted = self.profile(profile) if isinstance(profile, str) else profile
        if not wanted.id:
            wanted = msgspec.structs.replace(wanted, id=uuid.uuid4().hex)
        (self._unattended.add if unattended else self._unattended.discard)(wanted.id)
        ask, withdraw = self._asker(wanted.id), partial(self._withdraw, wanted.id)
        options = options or Options(aliases=True)
        if options.aliases:
            options = replace(options, helper=self._shared())
        keep = partial(Keeper, self._safe, wanted, saved=self._saved(wanted.id))
        connection = Connection(wanted, ask, self._publish, self._standby, options, withdraw, keep)
        with self._lock:
            running = self._connections.get(wanted.id)
            if running is not None and running.alive:
                running.post(Retry())
                return wanted.id
            self._connections[wanted.id] = connection
        if all(p.id != wanted.id for p in self.profiles()):
            self._unsaved[wanted.id] = wanted
        if options.boots:  # before SSH, whose import keeps this process busy for 0.1 s
            self._standby.begin(graphics=options.boots == "window", then=connection.wake)
        connection.start()
        return wanted.id

    def disconnect(self, profile_id: str) -> None:
        """Close everything of this profile, in the background."""
        connection = self._known(profile_id)
        if connection is not None:
            connection.stop()
            self._withdraw(profile_id)

    def retry(self, profile_id: str) -> None:
        """Try again now."""
        self.connect(profile_id)

    def refresh(self, profile_id: str) -> None:
        """Look for nodes again."""
        self._post(profile_id, Refresh())

    def observe(self, profile_id: str, node: str, *, company: bool = False) -> None:
        """Open Observer on a node (its key or full name), as soon as it is known; see :class:`Observe`."""
        self._unattended.discard(profile_id)
        self._post(profile_id, Observe(node, company))

    def close_window(self, profile_id: str, key: str) -> None:
        """Close the Observer window of a node."""
        self._post(profile_id, CloseWindow(key))

    def watch_stats(self, profile_id: str, listener: Callable[[Readings], None]) -> Callable[[], None]:
        """Tell the live figures of the connection's nodes each 2 s, while it lives; returns how to stop.

        ``listener`` hears figures by node key, from a worker thread; nodes that are slow skip a beat.
        Without a connection nothing is told: watch again when there is one.
        """
        connection = self._known(profile_id)
        return connection.figures.watch(listener) if connection is not None else lambda: None

    def session(self, profile_id: str) -> Session:
        """The connected period of a profile, for calls that block. Raises Failure when there is none."""
        connection = self._known(profile_id)
        if connection is None or connection.session is None:
            raise Failure("This profile is not connected", "Connect it first.", code="offline")
        return connection.session

    def close(self, seconds: float = 20.0) -> None:
        """End every connection and wait for it, at most so long each."""
        with self._lock:
            connections = list(self._connections.values())
        for connection in connections:
            connection.stop()
            self._withdraw(connection.profile.id)
        for connection in connections:
            connection.join(seconds)
        self._vigil.close()
        for work in self._forgetting:
            work.join(2)  # it may wait for a keyring that nobody unlocks
        if self._helper is not None:
            self._helper.close()
        self._standby.close()

    def _shared(self) -> Shared:
        from spyglass.loopback import client, shared  # noqa: PLC0415 - see the module's text

        with self._lock:
            self._helper = self._helper or shared.Shared(self._elevate or client.trusted)
            return self._helper

    def _known(self, profile_id: str) -> Connection | None:
        with self._lock:
            return self._connections.get(profile_id)

    def _saved(self, profile_id: str) -> bool:
        return any(profile.id == profile_id for profile in self.store.load()[0])

    def _post(self, profile_id: str, wish: Wish) -> None:
        connection = self._known(profile_id)
        if connection is not None and connection.alive:
            connection.post(wish)

    def _asker(self, profile_id: str) -> Callable[[Question], Any]:
        def ask(question: Question) -> Any:
            if profile_id in self._unattended:
                raise NeedsAnswer(
                    "The connection waits for your answer",
                    "It was begun without you, and a question came up. Try again to answer it.",
                )
            return self._ask(profile_id, question)

        return ask
